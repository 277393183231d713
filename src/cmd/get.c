/* `get`: the group, and its deprecated form `get [CLUSTER]`. Mirrors cmd/kops/get.go. */
#include "cmd/commands.h"
#include "cmd/getout.h"

#include "base/log.h"

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    ck_warn("`%s get [CLUSTER]` is deprecated: use `%s get all [CLUSTER]`", ctx->program,
            ctx->program);
    return ck_cmd_get_all.run(ctx, opts, argc, argv, err);
}

static const struct ck_opt options[] = {
    {.shorthand = 'o',
     .name = "output",
     .type = CK_OPT_STRING,
     .off = offsetof(struct ck_get_opts, output),
     .given_off = CK_OPT_NO_GIVEN,
     .dflt = "table",
     .flags = CK_OPT_PERSISTENT,
     .complete = "table yaml json",
     .help = "form of the output: table, yaml or json"},
    {0},
};

static const struct ck_cmd *const subs[] = {
    &ck_cmd_get_all,
    &ck_cmd_get_clusters,
    &ck_cmd_get_instancegroups,
    &ck_cmd_get_keypairs,
    &ck_cmd_get_instances,
    &ck_cmd_get_secrets,
    &ck_cmd_get_addons,
    &ck_cmd_get_assets,
    &ck_cmd_get_sshpublickeys,
    NULL,
};

static const char *const list[] = {"list", NULL};

const struct ck_cmd ck_cmd_get = {
    .name = "get",
    .suggest_for = list,
    .use = "get",
    .brief = "Show what the state store holds.",
    .example = "# All clusters of a state store.\n"
               "ckops get clusters\n"
               "\n"
               "# A cluster with its instance groups, as a manifest.\n"
               "ckops get all k8s.example.com -o yaml",
    .opts = options,
    .opts_size = sizeof(struct ck_get_opts),
    .subs = subs,
    .args = ck_args_cluster_kubeconfig,
    .run = run,
    .complete_args = ck_complete_clusters,
};
