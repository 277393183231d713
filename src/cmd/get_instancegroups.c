/* `get instancegroups`: one, some or all groups of a cluster. Mirrors
 * cmd/kops/get_instancegroups.go. */
#include "cmd/commands.h"
#include "cmd/getout.h"

#include "base/enc.h"

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    (void)opts;
    (void)argc;
    (void)argv;
    return ck_resolve_name_kubeconfig(ctx, err);
}

static int read_named(struct ck_ctx *ctx, const struct ck_store *store, int argc, char **argv,
                      struct ck_stored_list *ret, struct ck_err *err)
{
    ret->v = ck_arena_alloc(ctx->arena, (size_t)argc * sizeof *ret->v);
    for (int i = 0; i < argc; i++) {
        struct ck_stored *ig = &ret->v[ret->n++];
        int r = ck_ig_get(ctx->arena, store, ctx->cluster_name, argv[i], ig, err);
        if (r == -CK_NOT_FOUND) {
            CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
            ck_goquote(&q, ck_slice_of(argv[i]));
            return ck_fail(err, CK_NOT_FOUND, "instancegroup not found %s", ck_buf_str(&q));
        }
        if (r)
            return r;
    }
    return 0;
}

static void print(struct ck_ctx *ctx, enum ck_get_format format, const struct ck_object *cluster,
                  const struct ck_stored_list *groups)
{
    if (format == CK_GET_TABLE) {
        struct ck_table *t = ck_get_ig_table();
        for (size_t i = 0; i < groups->n; i++)
            ck_get_ig_row(ctx->arena, t, cluster, &groups->v[i].obj);
        ck_get_table_end(ctx, t);
        return;
    }
    struct ck_get_list l = {.ctx = ctx, .format = format, .single = groups->n == 1};
    for (size_t i = 0; i < groups->n; i++)
        ck_get_list_put(&l, &groups->v[i].obj);
    ck_get_list_end(&l, true);
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct ck_get_opts *o = opts;
    struct ck_store *store;
    struct ck_stored cluster;
    struct ck_stored_list groups = {0};
    int r = ck_ctx_store(ctx, &store, err);
    if (r)
        return r;
    if (ck_cluster_get(ctx->arena, store, ctx->cluster_name, &cluster, err))
        return ck_wrap(err, "error fetching cluster \"%s\"", ctx->cluster_name);
    r = argc ? read_named(ctx, store, argc, argv, &groups, err)
             : ck_ig_list(ctx->arena, store, ctx->cluster_name, &groups, err);
    if (r)
        return r;
    if (groups.n == 0)
        return ck_fail(err, CK_NOT_FOUND, "no InstanceGroup objects found");
    enum ck_get_format format = ck_get_format_of(o->output);
    if (format == CK_GET_UNKNOWN)
        return ck_get_bad_format(o->output, err);
    print(ctx, format, &cluster.obj, &groups);
    return 0;
}

int ck_complete_instancegroups(struct ck_ctx *ctx, const void *opts, int argc, char **argv,
                               const char *prefix, struct ck_strv *ret, int *ret_directive,
                               struct ck_err *err)
{
    (void)opts;
    *ret_directive = CK_COMPLETE_NO_FILE;
    struct ck_store *store;
    struct ck_path dir;
    struct ck_entries found = {0};
    int r = ck_resolve_name_kubeconfig(ctx, err);
    if (!r)
        r = ck_ctx_store(ctx, &store, err);
    if (!r)
        r = ck_layout_ig(ctx->arena, store, ctx->cluster_name, NULL, &dir, err);
    if (!r)
        r = ck_vfs_list(&dir, ctx->arena, &found, err);
    for (size_t i = 0; i < found.n && !r; i++) {
        bool skip = !ck_str_starts(found.v[i].name, prefix);
        for (int k = 0; k < argc; k++)
            skip = skip || strcmp(argv[k], found.v[i].name) == 0;
        if (!skip)
            ck_strv_push(ret, found.v[i].name);
    }
    return r;
}

int ck_complete_one_instancegroup(struct ck_ctx *ctx, const void *opts, int argc, char **argv,
                                  const char *prefix, struct ck_strv *ret, int *ret_directive,
                                  struct ck_err *err)
{
    if (argc == 0)
        return ck_complete_instancegroups(ctx, opts, argc, argv, prefix, ret, ret_directive, err);
    *ret_directive = CK_COMPLETE_NO_FILE;
    return 0;
}

static const char *const aliases[] = {"instancegroup", "ig", NULL};

const struct ck_cmd ck_cmd_get_instancegroups = {
    .name = "instancegroups",
    .aliases = aliases,
    .use = "instancegroups [INSTANCE_GROUP]...",
    .brief = "Show one, some or all instance groups.",
    .example = "# All instance groups of a cluster.\n"
               "ckops get instancegroups --name k8s.example.com\n"
               "\n"
               "# One of them, as a manifest.\n"
               "ckops get instancegroups --name k8s.example.com nodes -o yaml",
    .opts_size = sizeof(struct ck_get_opts),
    .args = args,
    .run = run,
    .complete_args = ck_complete_instancegroups,
};
