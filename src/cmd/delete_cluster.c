/* `delete cluster`: the state of a cluster out of the store.
 *
 * Cloud resources are not looked for by this version, so that only --unregister, which leaves them
 * alone, is carried out. Mirrors cmd/kops/delete_cluster.go. */
#include "cmd/commands.h"
#include "cmd/deleteone.h"

#include "base/log.h"
#include "ops/kubeconfig.h"

/* The state is gone already: a kubeconfig that cannot be changed is worth a warning, no more. */
static void forget_in_kubeconfig(struct ck_ctx *ctx, const char *name)
{
    CK_AUTOERR e = CK_ERR_INIT;
    bool any;
    if (ck_kubeconfig_forget(ctx->arena, &ctx->env, name, &any, &e))
        ck_warn("error removing kube config: %s", ck_err_msg(&e));
    else if (any)
        ck_print(ctx, "Deleted kubectl config for %s\n", name);
}

int ck_delete_cluster(struct ck_ctx *ctx, const struct ck_delete_cluster_opts *o, const char *name,
                      struct ck_err *err)
{
    struct ck_store *store;
    struct ck_stored cluster;
    if (o->external && !o->region[0])
        return ck_fail(err, CK_INVALID, "--region is required (when --external)");
    int r = ck_ctx_store(ctx, &store, err);
    if (!r && !o->external)
        r = ck_cluster_get_for_command(ctx->arena, store, name, &cluster, err);
    if (r)
        return r;
    if (o->external || !o->unregister)
        return ck_fail(err, CK_UNSUPPORTED,
                       "this version does not look for cloud resources, and deleting the state of "
                       "\"%s\" would leave them without an owner; nothing was deleted. Use "
                       "--unregister to remove the state alone",
                       name);
    if (!o->yes) {
        ck_print(ctx, "\nMust specify --yes to unregister the cluster\n");
        return 0;
    }
    r = ck_ctx_lock(ctx, name, err);
    if (r)
        return r;
    if (ck_cluster_delete(ctx->arena, store, &cluster, err))
        return ck_wrap(err, "error removing cluster from state store");
    forget_in_kubeconfig(ctx, name);
    ck_print(ctx, "\nDeleted cluster: \"%s\"\n", name);
    return 0;
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    return ck_delete_cluster(ctx, opts, ctx->cluster_name, err);
}

#define FIELD(member) .off = offsetof(struct ck_delete_cluster_opts, member)

static const struct ck_opt options[] = {
    {.name = "count",
     .type = CK_OPT_INT,
     FIELD(count),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "give up after so many attempts in a row without progress"},
    {.name = "external",
     .type = CK_OPT_BOOL,
     FIELD(external),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "delete a cluster that this state store does not hold"},
    {.name = "interval",
     .type = CK_OPT_DURATION,
     FIELD(interval_ns),
     .given_off = CK_OPT_NO_GIVEN,
     .dflt = "10s",
     .help = "time between attempts"},
    {.name = "region",
     .type = CK_OPT_STRING,
     FIELD(region),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "cloud region of an external cluster"},
    {.name = "unregister",
     .type = CK_OPT_BOOL,
     FIELD(unregister),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "leave cloud resources alone, remove the state only"},
    {.name = "wait",
     .type = CK_OPT_DURATION,
     FIELD(wait_ns),
     .given_off = CK_OPT_NO_GIVEN,
     .dflt = "10m0s",
     .help = "how long to try"},
    {.shorthand = 'y',
     .name = "yes",
     .type = CK_OPT_BOOL,
     FIELD(yes),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "really delete"},
    {0},
};

const struct ck_cmd ck_cmd_delete_cluster = {
    .name = "cluster",
    .use = "cluster [CLUSTER]",
    .brief = "Remove a cluster.",
    .example = "ckops delete cluster --name k8s.example.com --unregister --yes",
    .opts = options,
    .opts_size = sizeof(struct ck_delete_cluster_opts),
    .args = ck_args_cluster,
    .run = run,
    .complete_args = ck_complete_clusters,
};
