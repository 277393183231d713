/* `store lock`: a cluster for one user, across commands or around one of any kind. kOps has nothing
 * like it. */
#include "cmd/frame/locking.h"
#include "cmd/store/storecmd.h"

#include "base/clock.h"

#include <string.h>

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    int names = ctx->dash >= 0 ? ctx->dash : argc;
    if (ctx->dash == argc)
        return ck_fail(err, CK_INVALID, "there is no command after --");
    return ck_args_cluster(ctx, opts, names, argv, err);
}

int ck_store_lock_keep(struct ck_ctx *ctx, const struct ck_lock *l, const char *what,
                       struct ck_err *err)
{
    const char *dir = ck_locking_token_dir(ctx);
    char key[CK_LOCK_KEY_SIZE], until[21];
    int r = ck_lock_key(l->s, l->info.cluster, key, err);
    if (r == 0)
        r = ck_lock_token_keep(dir, key, l->token, err);
    if (r < 0)
        return r;
    ck_rfc3339(l->info.expires_s, until);
    ck_print(ctx, "%s cluster \"%s\" until %s. Give it back: %s store unlock %s\n", what,
             l->info.cluster, until, ctx->program, l->info.cluster);
    return 0;
}

/* The lock that this user holds already, or a new one. */
static int get(struct ck_ctx *ctx, struct ck_store *s, bool by_hand, struct ck_lock *l,
               struct ck_err *err)
{
    const char *dir = ck_locking_token_dir(ctx);
    char key[CK_LOCK_KEY_SIZE], token[CK_LOCK_TOKEN_SIZE];
    struct ck_lock_opts o;
    int r = ck_locking_opts(ctx, by_hand, &o, err);
    if (r == 0 && by_hand)
        r = ck_locking_need_token_dir(ctx, &dir, err);
    if (r == 0)
        r = ck_lock_key(s, ctx->cluster_name, key, err);
    if (r < 0)
        return r;
    const char *given = ck_env_nonempty(&ctx->env, CK_LOCKING_TOKEN_VAR);
    if (ck_lock_token_find(given, dir, key, token)) {
        r = ck_lock_adopt(l, s, ctx->cluster_name, token, &o, err);
        if (r != -(int)CK_LOCKED)
            return r;
        /* It is another's, or has ended: whoever asks for it now begins anew. One that has ended
         * and that nobody took since would keep its own holder waiting. */
        ck_err_done(err);
        ck_lock_done(l);
        CK_AUTOERR ignored = CK_ERR_INIT;
        (void)ck_lock_give_back(l, s, ctx->cluster_name, token, &ignored);
        ck_lock_done(l);
    }
    return ck_lock_take(l, s, ctx->cluster_name, &o, err);
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    struct ck_store *s;
    CK_CLEANUP(ck_lock_done) struct ck_lock l = {.a = NULL};
    int r = ck_ctx_store(ctx, &s, err);
    if (r == 0)
        r = ck_store_must_have(ctx, s, ctx->cluster_name, err);
    if (r == 0)
        r = get(ctx, s, ctx->dash < 0, &l, err);
    if (r < 0)
        return r;
    CK_AUTOERR ignored = CK_ERR_INIT;
    if (ctx->dash >= 0) {
        size_t n = (size_t)(argc - ctx->dash);
        char **command =
            ck_arena_alloc(ctx->arena, (n + 1) * sizeof *command); /* NULL at its end */
        memcpy(command, argv + ctx->dash, n * sizeof *command);
        r = ck_store_lock_run(ctx, &l, command, err);
        if (!l.adopted && !l.lost)
            (void)ck_lock_release(&l, &ignored); /* else it ends by itself */
        return r;
    }
    r = ck_store_lock_keep(ctx, &l, l.adopted ? "Prolonged the lock of" : "Locked", err);
    if (r < 0 && !l.adopted)
        (void)ck_lock_release(&l, &ignored);
    return r;
}

static const struct ck_cmd *const subs[] = {
    &ck_cmd_store_lock_show,
    &ck_cmd_store_lock_steal,
    NULL,
};

const struct ck_cmd ck_cmd_store_lock = {
    .name = "lock",
    .use = "lock [CLUSTER] [-- COMMAND...]",
    .brief = "Keep others from changing a cluster.",
    .detail =
        "Takes the lock of a cluster. Commands that use locks (--lock, or the store's settings) "
        "are refused to others\nuntil it is given back or ends; this user's commands go on, and "
        "each of them prolongs it.\nWith a command after --, the lock is held and renewed while "
        "that runs. If the lock is lost, the command is\nended. Its exit status is passed on.\n"
        "kops, and ckops without --lock, know nothing of locks.",
    .example = "ckops store lock my.example.com --lock-lease 2h\n"
               "ckops store lock my.example.com -- ./maintenance.sh\n"
               "ckops store lock show\n"
               "ckops store unlock my.example.com",
    .subs = subs,
    .args = args,
    .run = run,
    .complete_args = ck_complete_clusters,
};
