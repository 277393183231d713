/* The secrets of a cluster: SECRETSTORE/NAME, one line {"Data":"<base64>"}.
 *
 * Source: shared facts statestore.md §7.1; kOps upup/pkg/fi/secrets/vfssecretstore.go. */
#pragma once

#include "store/store.h"

enum { CK_SECRET_MAX_BYTES = 1 << 20 }; /* of a payload */

/* The names, sorted; none is an empty list. */
int ck_secret_list(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                   struct ck_strv *ret, struct ck_err *err);
/* Append the payload; the caller wipes *out. NOT_FOUND; INVALID `parsing secret from "PATH": …`. */
int ck_secret_read(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                   const char *name, struct ck_buf *out, struct ck_err *err);
/* Create it (EXISTS when it is there), or with `replace` overwrite what is there unless it changes
 * at the same time (CONFLICT). */
int ck_secret_write(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                    const char *name, struct ck_slice payload, bool replace, struct ck_err *err);
/* NOT_FOUND where the store can tell. */
int ck_secret_delete(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                     const char *name, struct ck_err *err);
