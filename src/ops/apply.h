/* `create -f` and `replace -f`: objects of manifests into the store, all or none of them. */
#pragma once

#include "ops/manifest.h"

enum ck_apply_mode {
    CK_APPLY_CREATE,
    CK_APPLY_REPLACE,       /* what does not exist is an error */
    CK_APPLY_REPLACE_FORCE, /* what does not exist is created */
};

enum ck_applied {
    CK_CREATED,
    CK_REPLACED,
    CK_ADDED_KEY,
    CK_KEPT, /* create: an earlier run that was cut off has stored it already */
};

struct ck_apply_step {
    enum ck_applied done;
    enum ck_object_kind kind;
    const char *name; /* the object's */
};
struct ck_apply_result {
    struct ck_apply_step *v; /* in input order; additional objects are not listed */
    size_t n, cap;
    const char *cluster; /* of the last instance group or key, else the last cluster; "" if none */
};

/* Check everything (labels, existence, validation), then write everything; a write that fails takes
 * the earlier ones back. Objects are changed: assignments (create), creation time, generation.
 * Errors: INVALID, NOT_FOUND and EXISTS with kOps' texts; CONFLICT with the three-way view. */
int ck_apply(struct ck_arena *a, const struct ck_store *s, struct ck_inputs *in,
             enum ck_apply_mode mode, struct ck_apply_result *ret, struct ck_err *err);
