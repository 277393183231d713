/* What two people did to one object, for a conflict message. */
#pragma once

#include "store/store.h"

/* Append, indented by two spaces: fields both changed differently, fields only the other one
 * changed, fields only the caller changed, each with the value read, theirs and the caller's.
 * `theirs` NULL: the object is gone. */
void ck_threeway(struct ck_arena *a, struct ck_buf *out, const struct ck_object *base,
                 const struct ck_object *theirs, const struct ck_object *yours);
/* Read the object as it is stored now and put the view behind err's message, which is a CONFLICT.
 * Returns err's code. */
int ck_threeway_explain(struct ck_arena *a, const struct ck_store *s, const struct ck_stored *base,
                        const struct ck_object *yours, struct ck_err *err);
