/* `create instancegroup`. Mirrors cmd/kops/create_instancegroup.go. */
#include "cmd/commands.h"

#include "base/log.h"
#include "ops/create_ig.h"
#include "spec/validate.h"
#include "ui/editor.h"

#include <string.h>
#include <unistd.h>

struct options {
    const char *role, *output;
    struct ck_strv subnets, zones;
    bool dry_run, edit;
};

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    int r = ck_resolve_name_kubeconfig(ctx, err);
    if (r)
        return r;
    if (argc == 0)
        return ck_fail(err, CK_INVALID, "must specify name of instance group to create");
    if (argc > 1)
        return ck_fail(err, CK_INVALID, "can only create one instance group at a time");
    return 0;
}

static void note(void *arg, const char *text)
{
    ck_info("%s", text);
}

static int build(struct ck_ctx *ctx, const struct ck_store *store, const struct ck_object *cluster,
                 const char *name, const struct options *o, struct ck_object *ret,
                 struct ck_err *err)
{
    struct ck_facts facts;
    struct ck_channel channel = {NULL};
    CK_AUTOERR load = CK_ERR_INIT;
    int r = ck_facts_from_env(ctx->arena, &ctx->env, &facts, err);
    if (r < 0)
        return r;
    const char *from = ck_str_at(ck_object_spec(cluster), "channel");
    if (ck_channel_load(ctx->arena, &ctx->vfs, &facts, *from ? from : "stable", note, NULL,
                        &channel, &load) < 0)
        ck_warn("%s", ck_err_msg(&load));
    struct ck_stored old;
    CK_AUTOERR missing = CK_ERR_INIT;
    if (ck_ig_get(ctx->arena, store, ctx->cluster_name, name, &old, &missing) == 0)
        return ck_fail(err, CK_EXISTS, "instance group \"%s\" already exists", name);
    if (missing.code != CK_NOT_FOUND)
        return ck_err_move(err, &missing);
    const char *role = ck_role_parse(ctx->arena, o->role);
    if (!role)
        return ck_fail(err, CK_INVALID, "unknown role \"%s\"", o->role);
    const struct ck_create_ig c = {.name = name,
                                   .role = role,
                                   .subnets = &o->subnets,
                                   .zones = &o->zones,
                                   .facts = &facts,
                                   .channel = &channel};
    return ck_create_ig_build(ctx->arena, cluster, &c, ret, err);
}

static int print(struct ck_ctx *ctx, const struct options *o, struct ck_object *ig,
                 struct ck_err *err)
{
    ck_object_set_label(ctx->arena, ig, CK_LABEL_CLUSTER, ctx->cluster_name);
    if (!*o->output)
        return ck_fail(err, CK_INVALID, "must set output flag; yaml or json");
    if (strcmp(o->output, "yaml") == 0)
        ck_object_yaml(ctx->arena, &ctx->out, ig);
    else if (strcmp(o->output, "json") == 0)
        ck_object_json(ctx->arena, &ctx->out, ig);
    else
        return ck_fail(err, CK_INVALID, "unsupported output type \"%s\"", o->output);
    return 0;
}

/* Let the user have a last look; what comes back is checked against the cluster. */
static int edit(struct ck_ctx *ctx, const struct ck_object *cluster, struct ck_object *ig,
                struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf edited = CK_BUF_INIT;
    const char *path = NULL;
    ck_object_yaml(ctx->arena, &text, ig);
    int r = ck_editor_run(ctx->arena, &ctx->env, ctx->program, ck_buf_slice(&text), 0, &edited,
                          &path, err);
    if (path)
        (void)unlink(path);
    if (r < 0)
        return ck_wrap(err, "error launching editor");
    const struct ck_decode_opts opts = {.file = "the edited text", .lenient = ctx->lenient};
    r = ck_object_decode(ctx->arena, ck_arena_slice(ctx->arena, ck_buf_slice(&edited)), &opts, ig,
                         err);
    if (r < 0)
        return ck_wrap(err, "error parsing yaml");
    if (ig->kind != CK_KIND_INSTANCE_GROUP)
        return ck_fail(err, CK_INVALID, "unexpected object type: the text is no InstanceGroup");
    struct ck_field_errs errs = {.arena = ctx->arena};
    const struct ck_validate_ctx v = {
        .arena = ctx->arena, .features = &ctx->features, .strict = true};
    ck_cross_validate(&v, ig, cluster, &errs);
    return ck_field_errs_fail(&errs, err);
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct options *o = opts;
    struct ck_store *store;
    struct ck_stored cluster;
    struct ck_object ig;
    int r = ck_ctx_store(ctx, &store, err);
    if (r < 0)
        return r;
    r = ck_cluster_get_for_command(ctx->arena, store, ctx->cluster_name, &cluster, err);
    if (r < 0)
        return ck_wrap(err, "error getting cluster: \"%s\"", ctx->cluster_name);
    r = build(ctx, store, &cluster.obj, argv[0], o, &ig, err);
    if (r < 0)
        return r;
    if (o->dry_run)
        return print(ctx, o, &ig, err);
    if (o->edit) {
        r = ck_flush(ctx, err);
        if (r == 0)
            r = edit(ctx, &cluster.obj, &ig, err);
        if (r < 0)
            return r;
    }
    r = ck_ig_create(ctx->arena, store, ctx->cluster_name, &ig, err);
    return r < 0 ? ck_wrap(err, "error storing InstanceGroup") : 0;
}

#define AT(member) .off = offsetof(struct options, member), .given_off = CK_OPT_NO_GIVEN

static const struct ck_opt rows[] = {
    {.name = "dry-run", .type = CK_OPT_BOOL, AT(dry_run), .help = "print the group, store nothing"},
    {.name = "edit",
     .type = CK_OPT_BOOL,
     AT(edit),
     .dflt = "true",
     .help = "open the group in the editor first"},
    {.shorthand = 'o',
     .name = "output",
     .type = CK_OPT_STRING,
     AT(output),
     .complete = "yaml json",
     .help = "with --dry-run: yaml or json"},
    {.name = "role",
     .type = CK_OPT_STRING,
     AT(role),
     .dflt = "node",
     .complete = "apiserver bastion control-plane node",
     .help = "role of the machines"},
    {.name = "subnet",
     .type = CK_OPT_STRINGS,
     AT(subnets),
     .complete = "",
     .help = "subnets of the group"},
    {.name = "zone",
     .type = CK_OPT_STRINGS,
     AT(zones),
     .complete = "",
     .help = "zones of the group"},
    {0},
};

static const char *const aliases[] = {"instancegroups", "ig", NULL};

const struct ck_cmd ck_cmd_create_instancegroup = {
    .name = "instancegroup",
    .aliases = aliases,
    .use = "instancegroup INSTANCE_GROUP",
    .brief = "Create an instance group.",
    .detail = "Create an instance group with the defaults of its role, after a last look in the\n"
              "editor. No cloud is asked.",
    .example = "# A group of nodes, as it comes\n"
               "ckops create instancegroup workers --name k8s.example.com --edit=false\n"
               "\n"
               "# Look at it only\n"
               "ckops create ig workers --name k8s.example.com --dry-run -o yaml",
    .opts = rows,
    .opts_size = sizeof(struct options),
    .args = args,
    .run = run,
};
