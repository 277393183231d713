/* Shared by the files of this folder: reading one stored object. */
#pragma once

#include "store/store.h"

/* Read and decode the object at *path. NOT_FOUND when it is absent; INVALID "error parsing PATH: …"
 * when it cannot be decoded or is of another kind. A file that only a lenient decoder takes is
 * returned with `lossy` set, and a warning. */
int ck_stored_read(struct ck_arena *a, const struct ck_store *s, const struct ck_path *path,
                   enum ck_object_kind kind, struct ck_stored *ret, struct ck_err *err);
/* The same from bytes that have been read already. */
int ck_stored_decode(struct ck_arena *a, const struct ck_store *s, const struct ck_path *path,
                     struct ck_slice data, enum ck_object_kind kind, struct ck_stored *ret,
                     struct ck_err *err);
/* Refuse to rewrite an object that was read with losses. */
int ck_stored_check_lossy(struct ck_arena *a, const struct ck_store *s, const struct ck_stored *old,
                          struct ck_err *err);
/* metadata.creationTimestamp := now when it is absent, null or zero. */
void ck_stored_stamp(struct ck_arena *a, struct ck_object *o);
/* metadata.generation := that of old + 1 when the specs differ; otherwise it stays as given. */
void ck_stored_generation(struct ck_arena *a, const struct ck_object *old, struct ck_object *now);
struct ck_slice ck_stored_encode(struct ck_arena *a, const struct ck_object *o);
