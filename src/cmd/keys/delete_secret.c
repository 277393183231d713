/* `delete secret`. Mirrors cmd/kops/delete_secret.go. */
#include "cmd/keys/keys.h"

#include "store/secretset.h"

/* The older form had the kind of secret in front. */
static const char *name_of(int argc, char **argv)
{
    return argv[argc - 1];
}

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    int r = ck_resolve_name_kubeconfig(ctx, err);
    if (r)
        return r;
    bool kind = argc > 0 && strcmp(argv[0], "secret") == 0;
    if (argc - kind < 1)
        return ck_fail(err, CK_INVALID, "secret name is required");
    if (argc - kind > 1)
        return ck_fail(err, CK_INVALID, "too many arguments");
    return 0;
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    struct ck_store *store;
    struct ck_stored cluster;
    int r = ck_ctx_store(ctx, &store, err);
    if (!r)
        r = ck_cluster_get_for_command(ctx->arena, store, ctx->cluster_name, &cluster, err);
    return r ? r : ck_secret_delete(ctx->arena, store, &cluster.obj, name_of(argc, argv), err);
}

const struct ck_cmd ck_cmd_delete_secret = {
    .name = "secret",
    .use = "secret NAME",
    .brief = "Remove a secret of a cluster.",
    .example = "ckops delete secret dockerconfig --name k8s.example.com",
    .args = args,
    .run = run,
    .complete_args = ck_complete_secrets,
};
