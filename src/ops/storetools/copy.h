/* Copying one store, or a folder of it, into another: first everything is listed and compared, then
 * what is missing or different is read, written conditionally and checked. Nothing is changed
 * before the comparison is complete, and running the same copy again goes on where it ended. kOps
 * has nothing like it; its documentation sends people to the tools of their cloud. */
#pragma once

#include "base/arena.h"
#include "base/env.h"
#include "base/err.h"
#include "base/strv.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ck_shared_watch; /* ops/storelock/shared.h */

/* One end: a store URL or a local folder, and whose credentials reach it. */
struct ck_copy_end {
    const char *url;
    const struct ck_env *env; /* borrowed, not changed meanwhile: all threads read it */
    const char *profile;      /* as in struct ck_vfs_ctx */
    /* Sees what is changed there, for locks and the journal; NULL: nobody does. */
    struct ck_shared_watch *watch;
};

enum ck_copy_what {
    CK_COPY_NEW,     /* not at the destination */
    CK_COPY_CHANGED, /* there with another content */
    CK_COPY_EXTRA,   /* only there; what is in .ckops there does not count */
    CK_COPY_SAME,
};

struct ck_copy_stats {
    uint64_t files;                 /* to be copied or deleted, in all */
    uint64_t copied, deleted, same; /* done so far; `same` needed nothing */
    uint64_t failed;
    uint64_t bytes; /* written so far */
    uint64_t total; /* to be written, as far as listings tell sizes */
    int64_t ms;     /* since the first of them was begun */
};

struct ck_copy_opts {
    struct ck_copy_end from, to;
    /* Patterns of paths below the ends; empty: everything. One without a slash is held against the
     * last element; one that ends in a slash takes all below the folders that fit it, by their
     * names or, with a slash in it, their paths; `*` crosses slashes. */
    const struct ck_strv *include, *exclude;
    unsigned parallel; /* files at a time; 0 means 32 */
    bool overwrite;    /* replace what differs; otherwise that is a refusal before any change */
    bool delete_extra; /* delete what only the destination has */
    bool dry_run;      /* stop after the comparison */
    /* Called from the calling thread, a few times a second and once at the end. Optional. */
    void (*progress)(void *arg, const struct ck_copy_stats *s);
    /* Called from the calling thread, in order of path: what was planned (dry runs), and from any
     * phase what failed. Optional. */
    void (*planned)(void *arg, enum ck_copy_what what, const char *path, int64_t size);
    void (*failed)(void *arg, const char *path, const struct ck_err *why);
    void *arg;
};

/* Errors: INVALID: an end inside the other, nothing to copy, names the destination cannot hold;
 * EXISTS: the destination has other files and `overwrite` is not set (changes nothing); else that
 * of the first file that failed, after all others have been tried. *ret is filled in any case. */
int ck_copy(const struct ck_copy_opts *opts, struct ck_copy_stats *ret, struct ck_err *err);
