/* `get clusters`: one, some or all clusters of a store.
 *
 * Clusters are read and printed one at a time, so that a large store costs little memory. One that
 * cannot be read is shown as such and makes the exit status 4; kOps leaves it out. Mirrors
 * cmd/kops/get_cluster.go. */
#include "cmd/commands.h"
#include "cmd/get/stores.h"

#include "base/enc.h"
#include "ops/get.h"

#include <stdio.h>

enum { STATUS_PARTIAL = 4 };

struct clusters_opts {
    struct ck_get_opts common;
    bool full;
};

/* One listing under way. */
struct listing {
    struct ck_ctx *ctx;
    struct ck_store *store;
    enum ck_get_format format;
    bool full;
    struct ck_get_list list;
    struct ck_table *table;
    size_t good, bad;
};

/* Above completed specs; kOps' words, because wrappers strip them. */
static const char FULL_NOTICE[] =
    "\n"
    "//\n"
    "//   WARNING: Do not use a '--full' cluster specification to define a Kubernetes "
    "installation.\n"
    "//   You may experience unexpected behavior and other bugs.  Use only the required elements\n"
    "//   and any modifications that you require.\n"
    "//\n"
    "//   Use the following command to retrieve only the required elements:\n"
    "//   $ ckops get cluster -o yaml\n"
    "//\n"
    "\n";

static int show(struct listing *l, struct ck_arena *a, const struct ck_object *cluster,
                struct ck_err *err)
{
    struct ck_object full;
    if (l->full) {
        int r = ck_cluster_get_full(a, l->store, cluster, &full, err);
        if (r)
            return r;
        cluster = &full;
        if (!l->good)
            ck_print(l->ctx, "%s", FULL_NOTICE);
    }
    l->good++;
    if (l->format == CK_GET_TABLE)
        ck_get_cluster_row(a, l->table, cluster);
    else if (l->format != CK_GET_UNKNOWN)
        ck_get_list_put(&l->list, cluster);
    return 0;
}

static void show_unreadable(struct listing *l, const char *name, const struct ck_err *why)
{
    l->bad++;
    ck_get_complain("", name, ck_err_msg(why));
    const char *cells[] = {name, "(unreadable)", ""};
    if (l->format == CK_GET_TABLE)
        ck_table_row(l->table, cells);
}

static int listed(void *arg, const char *dir_name, const struct ck_stored *cluster,
                  struct ck_err *item_err)
{
    struct listing *l = arg;
    CK_AUTOARENA struct ck_arena *once = ck_arena_new();
    CK_AUTOERR e = CK_ERR_INIT;
    if (!cluster)
        show_unreadable(l, dir_name, item_err);
    else if (show(l, once, &cluster->obj, &e))
        show_unreadable(l, dir_name, &e);
    return 0;
}

static int list_all(struct listing *l, struct ck_err *err)
{
    int r = ck_cluster_each(NULL, l->store, listed, l, err);
    if (!r && l->good + l->bad == 0)
        r = ck_fail(err, CK_NOT_FOUND, "no clusters found");
    return r;
}

static int list_named(struct listing *l, const char *const *names, size_t n, struct ck_err *err)
{
    struct ck_stored *v = ck_arena_alloc(l->ctx->arena, n * sizeof *v);
    for (size_t i = 0; i < n; i++) {
        int r = ck_cluster_get(l->ctx->arena, l->store, names[i], &v[i], err);
        if (r == -CK_NOT_FOUND) {
            CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
            ck_goquote(&q, ck_slice_of(names[i]));
            return ck_fail(err, CK_NOT_FOUND, "cluster not found %s", ck_buf_str(&q));
        }
        if (r)
            return r;
    }
    for (size_t i = 0; i < n; i++) {
        int r = show(l, l->ctx->arena, &v[i].obj, err);
        if (r)
            return r;
    }
    return 0;
}

static void end(struct listing *l)
{
    struct ck_table *t = l->table;
    l->table = NULL;
    if (l->format == CK_GET_TABLE)
        ck_get_table_end(l->ctx, t);
    else
        ck_table_free(t);
    ck_get_list_end(&l->list, l->bad > 0);
    if (l->bad)
        l->ctx->exit_status = STATUS_PARTIAL;
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct clusters_opts *o = opts;
    struct listing l = {.ctx = ctx, .full = o->full};
    size_t n = argc ? (size_t)argc : *ctx->opt_name ? 1 : 0;
    const char **names = ck_arena_alloc(ctx->arena, (n + 1) * sizeof *names);
    for (size_t i = 0; i < n; i++)
        names[i] = argc ? argv[i] : ctx->opt_name;
    l.format = ck_get_format_of(o->common.output);
    if (ctx->opt_states.n > 1)
        return l.format == CK_GET_UNKNOWN
                   ? ck_get_bad_format(o->common.output, err)
                   : ck_get_clusters_of_stores(ctx, l.format, o->full, names, n, err);
    int r = ck_ctx_store(ctx, &l.store, err);
    if (r)
        return r;
    l.list = (struct ck_get_list){.ctx = ctx, .format = l.format, .single = n == 1};
    l.table = ck_get_cluster_table();
    r = n ? list_named(&l, names, n, err) : list_all(&l, err);
    if (r) {
        ck_table_free(l.table);
        return r;
    }
    end(&l);
    return l.format == CK_GET_UNKNOWN ? ck_get_bad_format(o->common.output, err) : 0;
}

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    (void)opts;
    (void)argv;
    if (argc && *ctx->opt_name)
        return ck_fail(err, CK_INVALID, "cannot mix --name for cluster with positional arguments");
    return 0;
}

static const struct ck_opt options[] = {
    {.name = "full",
     .type = CK_OPT_BOOL,
     .off = offsetof(struct clusters_opts, full),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "show the completed configuration, as the last update made it"},
    {0},
};

static const char *const aliases[] = {"cluster", NULL};

const struct ck_cmd ck_cmd_get_clusters = {
    .name = "clusters",
    .aliases = aliases,
    .use = "clusters [CLUSTER]...",
    .brief = "Show one, some or all clusters.",
    .example = "# All clusters of a state store.\n"
               "ckops get clusters\n"
               "\n"
               "# The configuration of one cluster, as a manifest.\n"
               "ckops get cluster k8s.example.com -o yaml\n"
               "\n"
               "# The clusters of several stores in one table.\n"
               "ckops get clusters --state s3://production-state --state s3://lab-state",
    .opts = options,
    .opts_size = sizeof(struct clusters_opts),
    .args = args,
    .run = run,
    .complete_args = ck_complete_clusters,
};
