/* Where SHA-256 sums of files come from. Internal to assets. */
#pragma once

#include "model/assets.h"

/* "URL\tSHA256\n" of released binaries; made from hashes.tsv. */
extern const char ck_assets_known[];
extern const size_t ck_assets_known_len;

struct ck_hash_source {
    struct ck_arena *a;
    struct ck_vfs_ctx *vfs;
    struct ck_slice lists[3]; /* in this order */
    const char *cache;        /* folder of sums asked for earlier; NULL: none */
    bool offline;
};

/* Open the lists: the user's, that of given facts, the built-in one. */
int ck_hash_source_open(struct ck_arena *a, const struct ck_model *m, bool offline,
                        struct ck_hash_source *ret, struct ck_err *err);
/* The SHA-256 of the file known as `canonical`, else of what the n locations say in a file beside
 * theirs. Errors: NOT_FOUND and UNAVAILABLE naming the file and what to do. */
int ck_hash_source_find(const struct ck_hash_source *s, const char *canonical,
                        const struct ck_val *locations, const char **ret, struct ck_err *err);
