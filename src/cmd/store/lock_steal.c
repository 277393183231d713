/* `store lock steal`: a lock from whoever holds it; who did, from whom and when stays written. */
#include "cmd/frame/locking.h"
#include "cmd/store/storecmd.h"

struct steal_opts {
    bool yes;
};

static int preview(struct ck_ctx *ctx, const struct ck_store *s, struct ck_err *err)
{
    struct ck_lock_info i;
    CK_AUTOERR why = CK_ERR_INIT;
    int r = ck_lock_read(ctx->arena, s, ctx->cluster_name, &i, &why);
    if (r < 0 && r != -(int)CK_INVALID)
        return ck_err_move(err, &why);
    if (r == 0 && !i.held)
        return ck_fail(err, CK_NOT_FOUND, "cluster \"%s\" is not locked", ctx->cluster_name);
    if (r < 0)
        ck_print(ctx, "%s\n", ck_err_msg(&why));
    else
        ck_print(ctx, "Cluster \"%s\" is locked by %s. What that is doing will be refused.\n",
                 ctx->cluster_name, ck_lock_holder_text(ctx->arena, &i));
    ck_print(ctx, "\nMust specify --yes to steal the lock\n");
    return 0;
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct steal_opts *o = opts;
    struct ck_store *s;
    struct ck_lock_opts lo;
    const char *dir;
    CK_CLEANUP(ck_lock_done) struct ck_lock l = {.a = NULL};
    int r = ck_ctx_store(ctx, &s, err);
    if (r == 0 && !o->yes)
        return preview(ctx, s, err);
    if (r == 0)
        r = ck_locking_opts(ctx, true, &lo, err);
    if (r == 0)
        r = ck_locking_need_token_dir(ctx, &dir, err);
    if (r == 0)
        r = ck_lock_take_by_force(&l, s, ctx->cluster_name, &lo, err);
    return r < 0 ? r : ck_store_lock_keep(ctx, &l, "Stole the lock of", err);
}

static const struct ck_opt options[] = {
    {.shorthand = 'y',
     .name = "yes",
     .type = CK_OPT_BOOL,
     .off = offsetof(struct steal_opts, yes),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "really take it"},
    {0},
};

const struct ck_cmd ck_cmd_store_lock_steal = {
    .name = "steal",
    .use = "steal [CLUSTER]",
    .brief = "Take a lock away from its holder.",
    .detail = "The lock becomes this user's, as by \"store lock\"; further writes of its former "
              "holder are refused.\nThe lock keeps a record, which \"store lock show\" shows.",
    .example = "ckops store lock steal my.example.com --yes",
    .opts = options,
    .opts_size = sizeof(struct steal_opts),
    .args = ck_args_cluster,
    .run = run,
    .complete_args = ck_complete_clusters,
};
