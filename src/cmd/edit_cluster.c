/* `edit cluster`. Mirrors cmd/kops/edit_cluster.go. */
#include "cmd/commands.h"
#include "cmd/editloop.h"

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    struct ck_store *store;
    struct ck_stored cluster;
    int r = ck_ctx_store(ctx, &store, err);
    if (!r)
        r = ck_cluster_get_for_command(ctx->arena, store, ctx->cluster_name, &cluster, err);
    if (r)
        return r;
    struct ck_edit e = {.a = ctx->arena,
                        .s = store,
                        .cluster = ctx->cluster_name,
                        .owner = &cluster,
                        .old = &cluster,
                        .kind = CK_KIND_CLUSTER};
    return ck_edit_run(ctx, &e, opts, "config", err);
}

const struct ck_cmd ck_cmd_edit_cluster = {
    .name = "cluster",
    .use = "cluster [CLUSTER]",
    .brief = "Edit a cluster.",
    .detail = "Opens a cluster's configuration in an editor: KUBE_EDITOR, else EDITOR, else vi. "
              "With --set or\n--unset no editor is started.",
    .example = "# With the editor.\n"
               "ckops edit cluster k8s.example.com\n"
               "\n"
               "# Without.\n"
               "ckops edit cluster k8s.example.com --set spec.kubernetesVersion=1.34.2",
    .opts = ck_edit_options,
    .opts_size = sizeof(struct ck_edit_opts),
    .args = ck_args_cluster_kubeconfig,
    .run = run,
    .complete_args = ck_complete_clusters,
};
