/* The command table: one row per command drives parsing, usage, help, completion and man pages. */
#pragma once

#include "base/arena.h"
#include "base/env.h"
#include "base/err.h"
#include "base/strv.h"
#include "base/version.h"
#include "ops/storelock/locker.h"
#include "spec/featureflag.h"
#include "store/settings.h"
#include "store/store.h"
#include "vfs/vfs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ck_ctx;

enum ck_opt_type {
    CK_OPT_BOOL,     /* bool */
    CK_OPT_STRING,   /* const char *, never NULL after parsing ("" by default) */
    CK_OPT_STRINGS,  /* struct ck_strv: CSV, accumulating; the first use replaces the default */
    CK_OPT_STRARRAY, /* struct ck_strv: one value per use, no CSV */
    CK_OPT_INT,      /* int64_t, shown as "int" */
    CK_OPT_INT32,    /* int64_t, range-checked, shown as "int32" */
    CK_OPT_DURATION, /* int64_t nanoseconds, Go syntax */
    CK_OPT_CUSTOM,   /* parse() decides; type_name is shown */
};

enum {
    CK_OPT_HIDDEN = 1 << 0,
    CK_OPT_REQUIRED = 1 << 1,   /* `required flag(s) "x" not set` */
    CK_OPT_LAZY_CSV = 1 << 2,   /* a bare quote inside a field is kept (--set) */
    CK_OPT_PERSISTENT = 1 << 3, /* inherited by sub-commands; offsets are into the same struct, so
                                   sub-commands of such a parent start with the parent's struct */
};

struct ck_opt {
    char shorthand; /* 0: none */
    const char *name;
    enum ck_opt_type type;
    size_t off;       /* of the value in the command's options struct */
    size_t given_off; /* of a bool that says "given on the command line"; SIZE_MAX: none */
    const char *dflt; /* text form of the default; NULL: zero value */
    const char *bare; /* value of `--name` without `=` (bool: "true"); NULL: needs one */
    unsigned flags;
    const char *type_name; /* for usage, CK_OPT_CUSTOM only */
    const char
        *deprecated; /* hint printed after "Flag --x has been deprecated, "; implies hidden */
    const char *help;
    int (*parse)(const char *text, void *value, struct ck_err *err); /* CK_OPT_CUSTOM */
    /* Candidates for shell completion; NULL: files, "": none, or names separated by spaces. */
    const char *complete;
    int (*complete_fn)(struct ck_ctx *ctx, const void *opts, const char *prefix,
                       struct ck_strv *ret, struct ck_err *err);
    const char *dflt_env; /* environment variable whose value is the default; may be NULL */
};
#define CK_OPT_NO_GIVEN ((size_t)-1)

enum ck_complete_directive {
    CK_COMPLETE_DEFAULT = 0,
    CK_COMPLETE_ERROR = 1,
    CK_COMPLETE_NO_SPACE = 2,
    CK_COMPLETE_NO_FILE = 4,
    CK_COMPLETE_FILTER_EXT = 8,
};

struct ck_cmd {
    const char *name;
    const char *const *aliases;       /* NULL-terminated, may be NULL */
    const char *const *suggest_for;   /* NULL-terminated, may be NULL */
    const char *use;                  /* "clusters [CLUSTER]..." — first word is the name */
    const char *brief;                /* one line */
    const char *detail;               /* longer help; NULL: brief */
    const char *example;              /* lines without the two-space indent; may be NULL */
    const struct ck_opt *opts;        /* ended by name == NULL; may be NULL */
    size_t opts_size;                 /* of the options struct; 0: none */
    const struct ck_cmd *const *subs; /* NULL-terminated, may be NULL */
    bool hidden;
    const char *deprecated;
    /* Check the positional arguments before run; an error here prints the usage. May be NULL. */
    int (*args)(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err);
    /* NULL: a group; without a sub-command it prints its help. */
    int (*run)(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err);
    int (*complete_args)(struct ck_ctx *ctx, const void *opts, int argc, char **argv,
                         const char *prefix, struct ck_strv *ret, int *ret_directive,
                         struct ck_err *err);
    bool raw_args; /* what follows the command's name is not parsed for flags */
};

/* The state of one run of the program. */
struct ck_ctx {
    const struct ck_cmd *cmd;
    const char *cmd_path;        /* "ckops get clusters" */
    const struct ck_map *given;  /* names of the options on the command line → struct ck_opt */
    const struct ck_strv *words; /* positional arguments */
    const void *opts;            /* options struct of the command */
    struct ck_arena *arena;      /* lives as long as the run */
    struct ck_env env;
    struct ck_feature_flags features;
    struct ck_vfs_ctx vfs;
    struct ck_buf out;   /* standard output, flushed at the end and before prompts */
    int out_errno;       /* why standard output cannot be written; 0: it can */
    const char *program; /* "ckops" */
    /* global flags */
    struct ck_strv opt_states; /* every --state, for commands that read several stores */
    const char *opt_state;     /* the last of them */
    const char *opt_name, *opt_config;
    bool state_given, name_given;
    int64_t verbosity;
    bool lenient;
    bool opt_lock, lock_given;
    int64_t opt_lock_timeout_ns, opt_lock_lease_ns;
    int dash;        /* how many positional arguments come before "--"; -1: there is none */
    int exit_status; /* set by a command that ends well but not with 0 */
    const char *cluster_name; /* resolved by the argument policies below */
    struct ck_store store;
    bool store_open;
    struct ck_store_settings settings; /* of the store; ck_ctx_settings() reads them */
    bool settings_read;
    struct ck_locker locker;        /* works once the store is open */
    struct ck_locker *other_locker; /* of a second store that the command works on; or NULL */
    struct ck_store_guard *guard;   /* cmd/store/guard.c */
    struct ck_journal *journal;     /* notes what changes in the store, once that is open */
};

extern const struct ck_cmd ck_cmd_root;

/* Standard output. Buffered in ctx->out. */
void ck_print(struct ck_ctx *ctx, const char *fmt, ...) CK_PRINTF(2, 3);
void ck_print_slice(struct ck_ctx *ctx, struct ck_slice s);
int ck_flush(struct ck_ctx *ctx, struct ck_err *err); /* IO when standard output is broken */

/* The state store of this run, opened at the first call (cli.md §1.3, §1.5). */
int ck_ctx_store(struct ck_ctx *ctx, struct ck_store **ret, struct ck_err *err);
/* What the store asks of commands that change something, read at the first call (of an open store).
 * When it cannot be read, nothing may be changed: the caller fails. */
int ck_ctx_settings(struct ck_ctx *ctx, const struct ck_store_settings **ret, struct ck_err *err);

/* Take the lock of a cluster now, where changes of it need one (frame/locking.c). Without this call
 * the first change takes it; a command that decides by much that it reads calls it before. */
int ck_ctx_lock(struct ck_ctx *ctx, const char *cluster, struct ck_err *err);

/* Argument policies of cli.md §1.4; all set ctx->cluster_name. */
int ck_args_cluster_kubeconfig(struct ck_ctx *ctx, void *opts, int argc, char **argv,
                               struct ck_err *err); /* A */
int ck_args_cluster(struct ck_ctx *ctx, void *opts, int argc, char **argv,
                    struct ck_err *err); /* B */
/* C: positionals mean something else; call from a command's own args function. */
int ck_resolve_name_kubeconfig(struct ck_ctx *ctx, struct ck_err *err);
int ck_args_cluster_optional(struct ck_ctx *ctx, void *opts, int argc, char **argv,
                             struct ck_err *err); /* D */
int ck_args_none(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err);

/* Run the program; returns its exit status. argv[0] is the program's name. */
int ck_main(int argc, char **argv);

/* Exit status of an error (DECISIONS §6): 1, or 3 for CONFLICT, 130 for an interrupt. */
int ck_exit_status(const struct ck_err *err);

/* Completion candidates shared by commands. */
int ck_complete_clusters(struct ck_ctx *ctx, const void *opts, int argc, char **argv,
                         const char *prefix, struct ck_strv *ret, int *ret_directive,
                         struct ck_err *err);
/* Instance groups of the cluster that --name (or kubectl's context) says; the second for commands
 * that take one only. */
int ck_complete_instancegroups(struct ck_ctx *ctx, const void *opts, int argc, char **argv,
                               const char *prefix, struct ck_strv *ret, int *ret_directive,
                               struct ck_err *err);
int ck_complete_one_instancegroup(struct ck_ctx *ctx, const void *opts, int argc, char **argv,
                                  const char *prefix, struct ck_strv *ret, int *ret_directive,
                                  struct ck_err *err);
