/* Given facts: what only a cloud could tell, read from a file instead (CKOPS_FIXTURES).
 *
 * The same questions are answered by a cloud when there is one. A question nobody can answer is
 * NOT_FOUND, and the caller says which check it left out. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/strv.h"
#include "doc/val.h"

#include <stdbool.h>
#include <stdint.h>

struct ck_facts {
    struct ck_arena *arena;
    const struct ck_val *root; /* NULL: nothing is given */
    const char *dir;           /* folder of the file; names in it are relative to it */
};

/* Read a facts file (JSON). Errors: NOT_FOUND, INVALID. */
int ck_facts_load(struct ck_arena *a, const char *path, struct ck_facts *ret, struct ck_err *err);
/* Seconds since the epoch of "now"; 0 when not given. */
int64_t ck_facts_now(const struct ck_facts *f);
const char *ck_facts_kops_version(const struct ck_facts *f); /* NULL when not given */
/* Path of the file that stands for a channel name; NULL when not given. */
const char *ck_facts_channel_file(const struct ck_facts *f, const char *channel);

/* AWS, GCE and OpenStack questions; NULL when unknown. */
const struct ck_val *ck_facts_zones(const struct ck_facts *f, const char *cloud); /* list */
const char *ck_facts_default_machine_type(const struct ck_facts *f, const char *cloud,
                                          const char *role);
const char *ck_facts_vpc_cidr(const struct ck_facts *f, const char *vpc);
/* {id, vpc, zone, cidr, …} */
const struct ck_val *ck_facts_subnet(const struct ck_facts *f, const char *cloud,
                                     const char *subnet);
const char *ck_facts_project(const struct ck_facts *f);
/* "amd64" or "arm64": from the facts, else from the machine family's name. */
const char *ck_facts_architecture(const struct ck_facts *f, const char *cloud,
                                  const char *machine_type);
