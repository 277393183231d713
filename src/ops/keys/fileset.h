/* A set of files that appears in a folder all at once.
 *
 * DIR/current is a symbolic link to a folder that holds one complete set; a new set is written
 * beside it and the link is replaced by one rename. Who reads through the link never sees a mixture
 * of two sets. Folders have mode 0700, files 0600, whatever the umask says. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/secret.h"

struct ck_fileset_item {
    const char *path;          /* relative to the set */
    struct ck_secret_ref data; /* borrowed */
};

struct ck_fileset {
    struct ck_fileset_item *v;
    size_t n, cap;
};

/* Both are copied into `a`. INVALID when `path` would leave the set or is there already. */
int ck_fileset_add(struct ck_arena *a, struct ck_fileset *s, const char *path, struct ck_slice data,
                   struct ck_err *err);
/* Make DIR/current this set. *ret_changed: whether it was another one before. Older sets are
 * removed; the one before, which someone may be reading, with the next call.
 * Errors: DENIED when others may write to DIR, EXISTS when another process does this now, IO. */
int ck_fileset_install(struct ck_arena *a, const char *dir, const struct ck_fileset *s,
                       bool *ret_changed, struct ck_err *err);
