/* `store unlock`: a lock taken by hand is given back. Also what an interrupted run becomes, to give
 * back its locks (frame/locking.c). */
#include "cmd/frame/locking.h"
#include "cmd/store/storecmd.h"

#include "base/log.h"

enum { SIGNALED = 128 };

struct unlock_opts {
    bool force;
    const char *also;     /* after a signal: a second store with locks to give back */
    int64_t after_signal; /* 0: called by a person */
};

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    return argc > 1 ? 0 : ck_args_cluster(ctx, opts, argc, argv, err);
}

static int not_ours(struct ck_ctx *ctx, const struct ck_store *s, const char *cluster,
                    struct ck_err *err)
{
    struct ck_lock_info i;
    int r = ck_lock_read(ctx->arena, s, cluster, &i, err);
    if (r < 0)
        return r;
    if (!i.held)
        return ck_fail(err, CK_NOT_FOUND, "cluster \"%s\" is not locked", cluster);
    return ck_fail(err, CK_LOCKED,
                   "cluster \"%s\" is locked by %s, and not by you; nothing was changed. To take "
                   "it away: store lock steal %s --yes",
                   cluster, ck_lock_holder_text(ctx->arena, &i), cluster);
}

static int unlock(struct ck_ctx *ctx, const struct ck_store *s, const char *cluster,
                  const struct unlock_opts *o, struct ck_err *err)
{
    const char *given = ck_env_nonempty(&ctx->env, CK_LOCKING_TOKEN_VAR);
    const char *dir = o->after_signal ? NULL : ck_locking_token_dir(ctx);
    char key[CK_LOCK_KEY_SIZE], token[CK_LOCK_TOKEN_SIZE];
    struct ck_lock_opts lo;
    CK_CLEANUP(ck_lock_done) struct ck_lock l = {.a = NULL};
    int r = ck_locking_opts(ctx, true, &lo, err);
    if (r == 0)
        r = ck_lock_key(s, cluster, key, err);
    if (r < 0)
        return r;
    bool have = ck_lock_token_find(given, dir, key, token);
    if (o->force) {
        r = ck_lock_take_by_force(&l, s, cluster, &lo, err);
        if (r == 0)
            r = ck_lock_release(&l, err);
    } else if (have) {
        r = ck_lock_give_back(&l, s, cluster, token, err);
    } else {
        return not_ours(ctx, s, cluster, err);
    }
    /* A lock that was lost is forgotten, too: nothing else would end its refusals. */
    if (have && dir && (r == 0 || r == -(int)CK_LOCKED || r == -(int)CK_NOT_FOUND))
        ck_lock_token_forget(dir, key);
    if (r == 0 && !o->after_signal)
        ck_print(ctx, "Unlocked cluster \"%s\"\n", cluster);
    return r;
}

/* One that cannot be given back keeps the others from nothing; all failures are told. */
static int unlock_all(struct ck_ctx *ctx, const struct ck_store *s, int argc, char **argv,
                      const struct unlock_opts *o, struct ck_err *err)
{
    for (int i = 0; i < argc; i++) {
        CK_AUTOERR e = CK_ERR_INIT;
        if (unlock(ctx, s, argv[i], o, &e) == 0)
            continue;
        if (err->code == CK_OK)
            ck_err_move(err, &e);
        else
            ck_warn("%s", ck_err_msg(&e));
    }
    return -(int)err->code;
}

/* What is not given back ends by itself. */
static void unlock_each(struct ck_ctx *ctx, const struct ck_store *s, int argc, char **argv,
                        const struct unlock_opts *o)
{
    CK_AUTOERR ignored = CK_ERR_INIT;
    for (int i = 0; i < argc; i++)
        (void)unlock(ctx, s, argv[i], o, &ignored);
}

static void unlock_also(struct ck_ctx *ctx, int argc, char **argv, const struct unlock_opts *o)
{
    CK_AUTOERR ignored = CK_ERR_INIT;
    struct ck_env env = {0};
    struct ck_copy_end end;
    struct ck_store s;
    if (ck_store_end(ctx, o->also, &env, &end, &ignored) == 0) {
        struct ck_vfs_ctx vfs = {.env = end.env, .arena = ctx->arena, .profile = end.profile};
        if (ck_store_open(&vfs, end.url, &ctx->features, &s, &ignored) == 0)
            unlock_each(ctx, &s, argc, argv, o);
        ck_vfs_ctx_done(&vfs);
    }
    ck_env_done(&env);
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct unlock_opts *o = opts;
    struct ck_store *s;
    int r = ck_ctx_store(ctx, &s, err);
    if (o->after_signal) {
        ctx->exit_status = SIGNALED + (int)(o->after_signal & 127);
        if (r == 0)
            unlock_each(ctx, s, argc, argv, o);
        if (*o->also)
            unlock_also(ctx, argc, argv, o);
        return 0;
    }
    if (r == 0 && argc <= 1)
        r = unlock(ctx, s, ctx->cluster_name, o, err);
    return r == 0 && argc > 1 ? unlock_all(ctx, s, argc, argv, o, err) : r;
}

#define O(member) .off = offsetof(struct unlock_opts, member), .given_off = CK_OPT_NO_GIVEN
static const struct ck_opt options[] = {
    {.name = "after-signal", .type = CK_OPT_INT, O(after_signal), .flags = CK_OPT_HIDDEN},
    {.name = "also", .type = CK_OPT_STRING, O(also), .flags = CK_OPT_HIDDEN},
    {.name = "force",
     .type = CK_OPT_BOOL,
     O(force),
     .help = "also a lock that someone else holds; that is recorded as a steal"},
    {0},
};

const struct ck_cmd ck_cmd_store_unlock = {
    .name = "unlock",
    .use = "unlock [CLUSTER]...",
    .brief = "Give the lock of a cluster back.",
    .detail = "Gives back what \"store lock\" or \"store lock steal\" took. A lock that one does "
              "not hold is left alone.",
    .example = "ckops store unlock my.example.com",
    .opts = options,
    .opts_size = sizeof(struct unlock_opts),
    .args = args,
    .run = run,
    .complete_args = ck_complete_clusters,
};
