/* `get addons`: the additional objects of a cluster, that is, those of its manifest that are not
 * kOps' own. A command of ours: kOps shows them in `get all` only. */
#include "cmd/commands.h"
#include "cmd/getout.h"

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct ck_get_opts *o = opts;
    struct ck_store *store;
    struct ck_stored cluster;
    struct ck_object *addons = NULL;
    size_t n = 0;
    int r = ck_ctx_store(ctx, &store, err);
    if (!r)
        r = ck_cluster_get(ctx->arena, store, ctx->cluster_name, &cluster, err);
    if (!r)
        r = ck_addons_read(ctx->arena, store, ctx->cluster_name, &addons, &n, err);
    if (r)
        return r;
    if (n == 0)
        return ck_fail(err, CK_NOT_FOUND, "no additional objects found");
    enum ck_get_format format = ck_get_format_of(o->output);
    if (format == CK_GET_UNKNOWN)
        return ck_get_bad_format(o->output, err);
    struct ck_get_list l = {.ctx = ctx, .format = format};
    struct ck_table *t = format == CK_GET_TABLE ? ck_get_addon_table() : NULL;
    for (size_t i = 0; i < n; i++) {
        if (t)
            ck_get_addon_row(t, &addons[i]);
        else
            ck_get_list_put(&l, &addons[i]);
    }
    if (t)
        ck_get_table_end(ctx, t);
    ck_get_list_end(&l, true);
    return 0;
}

const struct ck_cmd ck_cmd_get_addons = {
    .name = "addons",
    .use = "addons [CLUSTER]",
    .brief = "Show the additional objects of a cluster.",
    .example = "ckops get addons k8s.example.com -o yaml",
    .hidden = true,
    .opts_size = sizeof(struct ck_get_opts),
    .args = ck_args_cluster_kubeconfig,
    .run = run,
    .complete_args = ck_complete_clusters,
};
