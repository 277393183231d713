/* `version`: what this program is, and which kops last updated a cluster.
 *
 * Never fails for what it finds in the store. Mirrors cmd/kops/version.go. */
#include "cmd/commands.h"
#include "cmd/frame/config.h"

struct version_opts {
    bool server, only_number;
};

/* Why the version last applied is not known, in kOps' words, or NULL and the version in *ret. */
static const char *last_applied(struct ck_ctx *ctx, struct ck_buf *ret, struct ck_err *err)
{
    struct ck_store *store = NULL;
    struct ck_stored cluster = {0};
    struct ck_path base, file;
    if (!*ctx->cluster_name)
        ctx->cluster_name = ck_kube_current_cluster(ctx);
    if (!*ctx->cluster_name || ck_ctx_store(ctx, &store, err) < 0 ||
        ck_cluster_get_for_command(ctx->arena, store, ctx->cluster_name, &cluster, err) < 0)
        return "could not fetch cluster";
    if (ck_layout_config_base(ctx->arena, store, &cluster.obj, &base, err) < 0 ||
        ck_path_join(ctx->arena, &base, "kops-version.txt", &file, err) < 0)
        return "could not talk to vfs";
    if (ck_vfs_read(&file, ret, NULL, err) < 0)
        return "could get cluster version";
    return NULL;
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct version_opts *o = opts;
    if (o->only_number)
        ck_print(ctx, "%s\n", CK_KOPS_VERSION);
    else
        ck_print(ctx, "Client version: %s (ckops-%s)\n", CK_KOPS_VERSION, CK_VERSION);
    if (!o->server)
        return 0;
    CK_AUTOERR why = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf text = CK_BUF_MAX(4096);
    const char *problem = last_applied(ctx, &text, &why);
    struct ck_slice version = problem ? ck_slice_of(problem) : ck_slice_trim(ck_buf_slice(&text));
    ck_print(ctx, "%s%.*s\n",
             o->only_number ? "" : "Last applied server version: ", CK_SARG(version));
    return 0;
}

static const struct ck_opt options[] = {
    {.name = "server",
     .type = CK_OPT_BOOL,
     .off = offsetof(struct version_opts, server),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "also print the version that last updated the cluster"},
    {.name = "short",
     .type = CK_OPT_BOOL,
     .off = offsetof(struct version_opts, only_number),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "print only the version number of kops this program is compatible with"},
    {0},
};

const struct ck_cmd ck_cmd_version = {
    .name = "version",
    .use = "version",
    .brief = "Print the version of this program.",
    .detail = "Print the version of this program and of the kops release it is compatible with.\n"
              "Scripts that read `kops version --short` get that release's number.",
    .example = "# The version of this program\n"
               "ckops version\n"
               "\n"
               "# The number alone\n"
               "ckops version --short\n"
               "\n"
               "# Also the version that last updated a cluster\n"
               "ckops version --server --name k8s-cluster.example.com",
    .opts = options,
    .opts_size = sizeof(struct version_opts),
    .args = ck_args_cluster_optional,
    .run = run,
    .complete_args = ck_complete_clusters,
};
