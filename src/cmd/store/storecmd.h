/* The rows of `ckops store …`, and what several of them need. */
#pragma once

#include "cmd/cmd.h"
#include "ops/storelock/lock.h"
#include "ops/storetools/copy.h"

extern const struct ck_cmd ck_cmd_store_copy;
extern const struct ck_cmd ck_cmd_store_diff;
extern const struct ck_cmd ck_cmd_store_doctor;
extern const struct ck_cmd ck_cmd_store_export;
extern const struct ck_cmd ck_cmd_store_fsck;
extern const struct ck_cmd ck_cmd_store_import;
extern const struct ck_cmd ck_cmd_store_lock;
extern const struct ck_cmd ck_cmd_store_lock_show;
extern const struct ck_cmd ck_cmd_store_lock_steal;
extern const struct ck_cmd ck_cmd_store_log;
extern const struct ck_cmd ck_cmd_store_migrate;
extern const struct ck_cmd ck_cmd_store_policy;
extern const struct ck_cmd ck_cmd_store_restore;
extern const struct ck_cmd ck_cmd_store_settings;
extern const struct ck_cmd ck_cmd_store_snapshot;
extern const struct ck_cmd ck_cmd_store_sync;
extern const struct ck_cmd ck_cmd_store_undo;
extern const struct ck_cmd ck_cmd_store_unlock;

/* One of two stores that a command works on: the URL `text` cleaned, with the profile and the
 * authorities the configuration file has for it. `env` becomes the environment of that end and is
 * released with ck_env_done, also after an error. INVALID for an illegal URL and for a store in
 * memory that would end with the command. */
int ck_store_end(struct ck_ctx *ctx, const char *text, struct ck_env *env, struct ck_copy_end *ret,
                 struct ck_err *err);

/* ---- store.c ---- */
/* -o of commands that print for people (`plain`: what that is called) or as JSON. */
#define CK_STORE_OUTPUT(struct_, plain)                                                            \
    {                                                                                              \
        .shorthand = 'o', .name = "output", .type = CK_OPT_STRING,                                 \
        .off = offsetof(struct_, output), .given_off = CK_OPT_NO_GIVEN, .dflt = plain,             \
        .complete = plain " json", .help = "form of the result: " plain " or json",                \
    }
/* INVALID unless it is `plain` or json. */
int ck_store_check_output(const char *output, const char *plain, struct ck_err *err);
/* NOT_FOUND: the store has no such cluster. */
int ck_store_must_have(struct ck_ctx *ctx, const struct ck_store *s, const char *cluster,
                       struct ck_err *err);
void ck_store_print_json(struct ck_ctx *ctx, const struct ck_val *v);

/* ---- guard.c ---- */
/* Have the changes at `end`, which the threads of a copy or a migration of `from` will make, locked
 * and recorded as its store's settings and the options of this run ask for. `cluster`: the end is a
 * whole store and every change is this cluster's; NULL: the end may be a
 * folder of a store, and the lock of each cluster is taken when its first file is changed. Errors:
 * LOCKED; those of settings that cannot be read. Close it in any case. */
int ck_store_guard_open(struct ck_ctx *ctx, const struct ck_copy_end *from, struct ck_copy_end *end,
                        const char *cluster, struct ck_err *err);
int ck_store_guard_take(struct ck_ctx *ctx, struct ck_err *err); /* that cluster's lock, now */
/* Write the entries of the journal and give the locks back. Returns `result`, or when that is 0 the
 * error of the journal. Does nothing when none is open. */
int ck_store_guard_close(struct ck_ctx *ctx, int result, struct ck_err *err);
void ck_store_guard_keep(struct ck_ctx *ctx); /* renew the locks; to be called now and then */

/* ---- progress.c ---- */
struct ck_store_progress {
    bool terminal;        /* standard error is one */
    int64_t last_line_ms; /* kept by the functions */
    bool open;            /* the terminal's line has no end yet */
};
/* One line on standard error, rewritten on a terminal, else every five seconds. */
void ck_store_progress(struct ck_store_progress *p, const struct ck_copy_stats *s);
/* Before anything else is written there. */
void ck_store_progress_end(struct ck_store_progress *p);
void ck_store_bytes(struct ck_buf *b, uint64_t n); /* "3.0 MiB" */
/* What a copy or a migration is going to do, and what failed: lines, or lists for its JSON. */
struct ck_store_report {
    struct ck_ctx *ctx;
    struct ck_arena *a;
    bool json;
    struct ck_val *plan, *failures;
};
void ck_store_planned(const struct ck_store_report *r, enum ck_copy_what what, const char *path,
                      int64_t size);
/* Also a line on standard error that begins with `word`. */
void ck_store_failed(const struct ck_store_report *r, const char *word, const char *path,
                     const struct ck_err *why);

/* ---- lock_run.c, lock.c ---- */
/* `lock … -- COMMAND`: run it while `l` is held and renewed; it ends before the lock does. Its exit
 * status becomes the run's. LOCKED: it was taken away meanwhile. */
int ck_store_lock_run(struct ck_ctx *ctx, struct ck_lock *l, char **argv, struct ck_err *err);
/* Remember a lock by hand for this user's later commands, and say so. */
int ck_store_lock_keep(struct ck_ctx *ctx, const struct ck_lock *l, const char *what,
                       struct ck_err *err);
