/* `upgrade cluster`: the channel's recommendations as a table, stored with --yes. Mirrors
 * cmd/kops/upgrade_cluster.go. */
#include "cmd/commands.h"

#include "base/log.h"
#include "ops/upgrade.h"
#include "ui/table.h"

#include <stdio.h>

struct upgrade_opts {
    const char *channel, *kubernetes_version;
    bool yes;
};

static void on_note(void *arg, const char *text)
{
    (void)arg;
    ck_info("%s", text);
}

static void on_warn(void *arg, const char *text)
{
    (void)arg;
    ck_warn("%s", text);
}

static void print_plan(struct ck_ctx *ctx, const struct ck_upgrade *u)
{
    static const char *const columns[] = {"ITEM", "PROPERTY", "OLD", "NEW"};
    struct ck_table *t = ck_table_new(columns, 4);
    for (size_t i = 0; i < u->n; i++)
        ck_table_row(
            t, (const char *const[]){u->v[i].item, u->v[i].property, u->v[i].from, u->v[i].to});
    ck_table_render(t, &ctx->out);
    ck_table_free(t);
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct upgrade_opts *o = opts;
    struct ck_store *store;
    struct ck_upgrade plan;
    int r = ck_ctx_store(ctx, &store, err);
    if (r == 0 && o->yes)
        r = ck_ctx_lock(ctx, ctx->cluster_name, err);
    if (r < 0)
        return r;
    const struct ck_upgrade_opts u = {.name = ctx->cluster_name,
                                      .channel = o->channel,
                                      .kubernetes_version = o->kubernetes_version,
                                      .kops_version = CK_KOPS_VERSION,
                                      .env = &ctx->env,
                                      .note = on_note,
                                      .warn = on_warn};
    r = ck_upgrade_plan(ctx->arena, store, &u, &plan, err);
    if (r < 0)
        return r;
    if (!plan.n) {
        fprintf(stderr, "\nNo upgrade required\n");
        return 0;
    }
    print_plan(ctx, &plan);
    if (!o->yes) {
        ck_print(ctx, "\nMust specify --yes to perform upgrade\n");
        return 0;
    }
    r = ck_upgrade_apply(ctx->arena, store, &u, &plan, err);
    if (r < 0)
        return r;
    ck_print(ctx,
             "\nUpdates applied to configuration.\n"
             "You can now apply these changes, using `%s update cluster %s`\n",
             ctx->program, ctx->cluster_name);
    return 0;
}

#define AT(member) .off = offsetof(struct upgrade_opts, member), .given_off = CK_OPT_NO_GIVEN

static const struct ck_opt options[] = {
    {.name = "channel",
     .type = CK_OPT_STRING,
     AT(channel),
     .complete = "alpha stable",
     .help = "channel to follow; by default the cluster's own"},
    {.name = "kubernetes-version",
     .type = CK_OPT_STRING,
     AT(kubernetes_version),
     .complete = "",
     .help = "Kubernetes version to go to; by default the channel's recommendation"},
    {.shorthand = 'y', .name = "yes", .type = CK_OPT_BOOL, AT(yes), .help = "store the changes"},
    {0},
};

static const struct ck_cmd upgrade_cluster = {
    .name = "cluster",
    .use = "cluster [CLUSTER]",
    .brief = "Move a cluster to newer versions.",
    .detail =
        "Shows what the channel recommends for the cluster: a newer Kubernetes version, newer "
        "images of its\ninstance groups. With --yes the configuration is changed; machines "
        "are not.",
    .example = "# What would change?\n"
               "ckops upgrade cluster k8s.example.com\n"
               "\n"
               "# Change it.\n"
               "ckops upgrade cluster k8s.example.com --yes",
    .opts = options,
    .opts_size = sizeof(struct upgrade_opts),
    .args = ck_args_cluster_kubeconfig,
    .run = run,
    .complete_args = ck_complete_clusters,
};

static const struct ck_cmd *const subs[] = {&upgrade_cluster, NULL};

const struct ck_cmd ck_cmd_upgrade = {
    .name = "upgrade",
    .use = "upgrade",
    .brief = "Move clusters to newer versions.",
    .subs = subs,
};
