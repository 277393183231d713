/* `create instancegroup`: a new group with the defaults of its role. */
#pragma once

#include "base/env.h"
#include "base/strv.h"
#include "cloud/facts.h"
#include "spec/channel.h"
#include "store/store.h"

/* "node", "control-plane", "masters", … → the v1alpha2 role name; NULL when it is none. */
const char *ck_role_parse(struct ck_arena *a, const char *text);

struct ck_create_ig {
    const char *name, *role; /* role in v1alpha2 spelling */
    const struct ck_strv *subnets, *zones;
    const struct ck_facts *facts;
    const struct ck_channel *channel;
};
/* Build; nothing is stored. Errors: INVALID with kOps' texts. */
int ck_create_ig_build(struct ck_arena *a, const struct ck_object *cluster,
                       const struct ck_create_ig *c, struct ck_object *ret, struct ck_err *err);
/* Channel by name, location or given fact; "none" is the empty one. `note` may be NULL. */
int ck_channel_load(struct ck_arena *a, struct ck_vfs_ctx *vfs, const struct ck_facts *facts,
                    const char *name, void (*note)(void *arg, const char *text), void *arg,
                    struct ck_channel *ret, struct ck_err *err);
/* Facts of CKOPS_FIXTURES; empty facts when it is not set. */
int ck_facts_from_env(struct ck_arena *a, const struct ck_env *env, struct ck_facts *ret,
                      struct ck_err *err);
