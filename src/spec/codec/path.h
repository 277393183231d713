/* Field paths as --set takes them: "spec.etcdClusters[0].manager.backupRetentionDays". */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

#include <stddef.h>

enum { CK_INDEX_NONE = -1, CK_INDEX_ALL = -2 };

struct ck_step {
    struct ck_slice name; /* of a field; ptr NULL: an index */
    long index;           /* or CK_INDEX_ALL */
};

struct ck_steps {
    struct ck_step *v;
    size_t n, cap;
};

/* Names separated by "." or "/", "[n]", "[*]". Errors: INVALID with kOps' text, which has the token
 * numbers of Go's text/scanner. */
int ck_path_parse(struct ck_arena *a, const char *path, struct ck_steps *ret, struct ck_err *err);
void ck_steps_push(struct ck_arena *a, struct ck_steps *s, struct ck_step step);
/* "a.b.c" as name steps. */
void ck_steps_push_names(struct ck_arena *a, struct ck_steps *s, const char *names);
