/* `get all`: a cluster, its instance groups and its additional objects. Mirrors
 * cmd/kops/get_all.go.
 */
#include "cmd/commands.h"
#include "cmd/getout.h"

#include "base/log.h"

#include <stdio.h>

struct everything {
    struct ck_stored cluster;
    struct ck_stored_list groups;
    struct ck_object *addons;
    size_t n_addons;
};

static int load(struct ck_ctx *ctx, struct everything *ret, struct ck_err *err)
{
    struct ck_store *store;
    const char *name = ctx->cluster_name;
    int r = ck_ctx_store(ctx, &store, err);
    if (!r)
        r = ck_cluster_get(ctx->arena, store, name, &ret->cluster, err);
    if (!r)
        r = ck_ig_list(ctx->arena, store, name, &ret->groups, err);
    if (!r)
        r = ck_addons_read(ctx->arena, store, name, &ret->addons, &ret->n_addons, err);
    if (!r && ret->groups.n == 0)
        fprintf(stderr, "No instance groups found\n");
    return r;
}

static void print_tables(struct ck_ctx *ctx, const struct everything *e)
{
    struct ck_table *t = ck_get_cluster_table();
    ck_get_cluster_row(ctx->arena, t, &e->cluster.obj);
    ck_print(ctx, "Cluster\n");
    ck_get_table_end(ctx, t);
    t = ck_get_ig_table();
    for (size_t i = 0; i < e->groups.n; i++)
        ck_get_ig_row(ctx->arena, t, &e->cluster.obj, &e->groups.v[i].obj);
    ck_print(ctx, "\nInstance Groups\n");
    ck_get_table_end(ctx, t);
    if (!e->n_addons)
        return;
    t = ck_get_addon_table();
    for (size_t i = 0; i < e->n_addons; i++)
        ck_get_addon_row(t, &e->addons[i]);
    ck_print(ctx, "\nAddon Objects\n");
    ck_get_table_end(ctx, t);
}

static void print_objects(struct ck_ctx *ctx, enum ck_get_format format, const struct everything *e)
{
    struct ck_get_list l = {.ctx = ctx, .format = format};
    ck_get_list_put(&l, &e->cluster.obj);
    for (size_t i = 0; i < e->groups.n; i++)
        ck_get_list_put(&l, &e->groups.v[i].obj);
    for (size_t i = 0; i < e->n_addons; i++)
        ck_get_list_put(&l, &e->addons[i]);
    ck_get_list_end(&l, true);
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct ck_get_opts *o = opts;
    struct everything e = {0};
    int r = load(ctx, &e, err);
    if (r)
        return r;
    enum ck_get_format format = ck_get_format_of(o->output);
    if (format == CK_GET_UNKNOWN)
        return ck_get_bad_format(o->output, err);
    if (format == CK_GET_TABLE)
        print_tables(ctx, &e);
    else
        print_objects(ctx, format, &e);
    return 0;
}

const struct ck_cmd ck_cmd_get_all = {
    .name = "all",
    .use = "all [CLUSTER]",
    .brief = "Show everything of one cluster.",
    .example = "# A cluster, its instance groups and its additional objects.\n"
               "ckops get all k8s.example.com\n"
               "\n"
               "# The same as a manifest that `create -f` takes.\n"
               "ckops get all k8s.example.com -o yaml",
    .opts_size = sizeof(struct ck_get_opts),
    .args = ck_args_cluster_kubeconfig,
    .run = run,
    .complete_args = ck_complete_clusters,
};
