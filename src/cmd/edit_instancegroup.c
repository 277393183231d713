/* `edit instancegroup`. Mirrors cmd/kops/edit_instancegroup.go. */
#include "cmd/commands.h"
#include "cmd/editloop.h"

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    (void)opts;
    (void)argv;
    int r = ck_resolve_name_kubeconfig(ctx, err);
    if (r)
        return r;
    if (argc == 0)
        return ck_fail(err, CK_INVALID, "must specify the name of the instance group to edit");
    if (argc > 1)
        return ck_fail(err, CK_INVALID, "can only edit one instance group at a time");
    return 0;
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    struct ck_store *store;
    struct ck_stored cluster, ig;
    int r = ck_ctx_store(ctx, &store, err);
    if (!r)
        r = ck_cluster_get_for_command(ctx->arena, store, ctx->cluster_name, &cluster, err);
    if (r)
        return r;
    r = ck_ig_get(ctx->arena, store, ctx->cluster_name, argv[0], &ig, err);
    if (r == -CK_NOT_FOUND)
        ck_wrap(err, "error reading InstanceGroup \"%s\"", argv[0]);
    if (r)
        return r;
    struct ck_edit e = {.a = ctx->arena,
                        .s = store,
                        .cluster = ctx->cluster_name,
                        .owner = &cluster,
                        .old = &ig,
                        .kind = CK_KIND_INSTANCE_GROUP};
    return ck_edit_run(ctx, &e, opts, "InstanceGroup", err);
}

static const char *const aliases[] = {"instancegroups", "ig", NULL};

const struct ck_cmd ck_cmd_edit_instancegroup = {
    .name = "instancegroup",
    .aliases = aliases,
    .use = "instancegroup INSTANCE_GROUP",
    .brief = "Edit an instance group.",
    .example = "# With the editor.\n"
               "ckops edit instancegroup --name k8s.example.com nodes\n"
               "\n"
               "# Without.\n"
               "ckops edit instancegroup --name k8s.example.com nodes --set spec.maxSize=5",
    .opts = ck_edit_options,
    .opts_size = sizeof(struct ck_edit_opts),
    .args = args,
    .run = run,
    .complete_args = ck_complete_one_instancegroup,
};
