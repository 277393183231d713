/* `export kubeconfig`: lets kubectl reach clusters. Mirrors cmd/kops/export_kubeconfig.go. */
#include "cmd/commands.h"
#include "cmd/export/export.h"

struct kubeconfig_opts {
    struct ck_export_opts export;
    bool all;
};

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct kubeconfig_opts *o = opts;
    int r = ck_export_check(&o->export, err);
    if (r)
        return r;
    if (!o->all)
        return ck_args_cluster_kubeconfig(ctx, opts, argc, argv, err);
    if (argc)
        return ck_fail(err, CK_INVALID, "cannot use both --all flag and positional arguments");
    return 0;
}

struct walk {
    struct ck_ctx *ctx;
    const struct ck_store *store;
    const struct ck_export_opts *export;
    unsigned n;
    struct ck_err failed;
};

/* A cluster that cannot be read must not pass for one that is not there. */
static int one(void *arg, const char *dir, const struct ck_stored *cluster, struct ck_err *item_err)
{
    struct walk *w = arg;
    w->n++;
    if (item_err->code)
        ck_wrap(item_err, "cluster \"%s\"", dir);
    else if (ck_export_cluster(w->ctx, w->store, &cluster->obj, w->export, &w->failed))
        ck_wrap(&w->failed, "cluster \"%s\"", dir);
    if (item_err->code)
        ck_err_move(&w->failed, item_err);
    return -(int)w->failed.code;
}

static int export_all(struct ck_ctx *ctx, const struct ck_store *store,
                      const struct ck_export_opts *o, struct ck_err *err)
{
    struct walk w = {ctx, store, o, 0, CK_ERR_INIT};
    int r = ck_cluster_each(NULL, store, one, &w, err);
    if (w.failed.code)
        return ck_err_move(err, &w.failed);
    if (!r && w.n == 0)
        r = ck_fail(err, CK_NOT_FOUND, "no clusters found");
    return r;
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct kubeconfig_opts *o = opts;
    struct ck_store *store;
    struct ck_stored cluster;
    int r = ck_ctx_store(ctx, &store, err);
    if (!r && o->all)
        return export_all(ctx, store, &o->export, err);
    if (!r)
        r = ck_cluster_get_for_command(ctx->arena, store, ctx->cluster_name, &cluster, err);
    return r ? r : ck_export_cluster(ctx, store, &cluster.obj, &o->export, err);
}

#define O(field) offsetof(struct kubeconfig_opts, field)
static const struct ck_opt options[] = {
    {.name = "admin",
     .type = CK_OPT_DURATION,
     .off = O(export.admin_ns),
     .given_off = CK_OPT_NO_GIVEN,
     .bare = "18h0m0s",
     .help = "Add a certificate with all rights that is valid for so long"},
    {.name = "all",
     .type = CK_OPT_BOOL,
     .off = O(all),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "Every cluster of the state store"},
    {.name = "api-server",
     .type = CK_OPT_STRING,
     .off = O(export.api_server),
     .given_off = CK_OPT_NO_GIVEN,
     .complete = "",
     .help = "URL of the API server, instead of the one derived from the cluster"},
    {.name = "auth-plugin",
     .type = CK_OPT_BOOL,
     .off = O(export.auth_plugin),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "Let kubectl ask this program for credentials each time"},
    {.name = "internal",
     .type = CK_OPT_BOOL,
     .off = O(export.internal),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "Use the name that is known inside the cluster's network"},
    {.name = "kubeconfig",
     .type = CK_OPT_STRING,
     .off = O(export.file),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "File to write instead of the usual kubeconfig"},
    {.name = "user",
     .type = CK_OPT_STRING,
     .off = O(export.user),
     .given_off = CK_OPT_NO_GIVEN,
     .complete = "",
     .help = "User of the kubeconfig that the context shall use"},
    {0},
};

static const char *const aliases[] = {"kubecfg", NULL};

static const struct ck_cmd export_kubeconfig = {
    .name = "kubeconfig",
    .aliases = aliases,
    .use = "kubeconfig [CLUSTER | --all]",
    .brief = "Let kubectl reach a cluster.",
    .detail = "Puts a cluster into the kubeconfig: its address, its authority and, when asked for, "
              "credentials.\nWhat else is in the file stays as it is.",
    .example = "# With a certificate for the next eight hours.\n"
               "ckops export kubeconfig k8s.example.com --admin=8h\n"
               "\n"
               "# For a user that is in the kubeconfig already.\n"
               "ckops export kubeconfig k8s.example.com --user my-oidc-user\n"
               "\n"
               "# Every cluster of a store, into a file of its own.\n"
               "ckops export kubeconfig --all --kubeconfig clusters.yaml --state s3://my-store",
    .opts = options,
    .opts_size = sizeof(struct kubeconfig_opts),
    .args = args,
    .run = run,
    .complete_args = ck_complete_clusters,
};

static const struct ck_cmd *const subs[] = {&export_kubeconfig, NULL};
const struct ck_cmd ck_cmd_export = {
    .name = "export",
    .use = "export",
    .brief = "Export configuration.",
    .subs = subs,
};
