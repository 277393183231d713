/* `delete sshpublickey`: all SSH public keys of a cluster. Mirrors cmd/kops/delete_sshpublickey.go.
 */
#include "cmd/commands.h"
#include "cmd/deleteone.h"

int ck_delete_ssh(struct ck_ctx *ctx, const char *cluster, struct ck_err *err)
{
    struct ck_store *store;
    struct ck_stored owner;
    int r = ck_ctx_store(ctx, &store, err);
    if (!r)
        r = ck_cluster_get_for_command(ctx->arena, store, cluster, &owner, err);
    return r ? r : ck_ssh_delete_all(ctx->arena, store, &owner.obj, err);
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    return ck_delete_ssh(ctx, ctx->cluster_name, err);
}

const struct ck_cmd ck_cmd_delete_sshpublickey = {
    .name = "sshpublickey",
    .use = "sshpublickey [CLUSTER]",
    .brief = "Remove the SSH public keys of a cluster.",
    .example = "ckops delete sshpublickey k8s.example.com",
    .args = ck_args_cluster_kubeconfig,
    .run = run,
    .complete_args = ck_complete_clusters,
};
