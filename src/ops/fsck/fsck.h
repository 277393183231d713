/* Checking a state store: every file known and readable, and all of them in agreement. Reads only;
 * what can be mended without a choice is offered as a repair. kOps has nothing like it: it meets a
 * damaged file when it needs it, and deletes nothing while a file is there that it does not know.
 */
#pragma once

#include "store/store.h"

#include <sys/types.h>

enum ck_fsck_level {
    CK_FSCK_NOTE,    /* no fault: pending work, remains of older versions */
    CK_FSCK_WARNING, /* works today, and surprises later */
    CK_FSCK_ERROR,   /* some command will fail, or a cluster is in danger */
};

struct ck_fsck_finding {
    enum ck_fsck_level level;
    const char *rule;   /* short and stable, for scripts: "keyset-no-primary" */
    const char *path;   /* as the store prints it */
    const char *text;   /* what is wrong; never holds content */
    const char *repair; /* what a repair would do; NULL: nothing safe can be done */
    bool repaired;
    int mode;  /* repair of a local file: its new mode; -1: remove it (a temporary file) */
    dev_t dev; /* … and which file that is */
    ino_t ino;
};

struct ck_fsck {
    struct ck_fsck_finding *v; /* by path, then rule */
    size_t n, cap;
    size_t clusters, files; /* looked at */
    size_t count[CK_FSCK_ERROR + 1];
};

struct ck_fsck_opts {
    const char *cluster; /* "": all */
    int64_t now_s;       /* certificates that have ended by then are findings */
};

/* Look at the store. `a` comes from ck_keyset_arena(). Errors: only what keeps the store from being
 * looked at: DENIED, UNAVAILABLE…; NOT_FOUND for a cluster that is not there. */
int ck_fsck_run(struct ck_arena *a, const struct ck_store *s, const struct ck_fsck_opts *opts,
                struct ck_fsck *ret, struct ck_err *err);
/* Do the repairs of *f (local stores only have any), each only to the file that was found; sets
 * `repaired`. The error of the first that failed, after all have been tried. */
int ck_fsck_repair(struct ck_arena *a, struct ck_fsck *f, struct ck_err *err);
