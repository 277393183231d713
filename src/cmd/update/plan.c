/* `plan`: what a change of manifests means for configuration and resources, without writing
 * anywhere. The store is read through a layer in memory; the manifests are applied to the layer.
 * kOps has no such command: there, the review takes a second store and four commands. */
#include "cmd/commands.h"

#include "base/log.h"
#include "doc/json.h"
#include "ops/apply.h"
#include "ops/update/update.h"
#include "vfs/overlay.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct plan_opts {
    struct ck_strv files, none;
    const char *store_from, *output, *cluster;
    bool detailed_exitcode, offline;
};

enum { EXIT_CHANGES = 2 };

struct review {
    struct ck_ctx *ctx;
    const struct plan_opts *o;
    struct ck_store *store;
    struct ck_inputs in;
    const char *name;
    bool existed;
    struct ck_update before, after;
    struct ck_stored_list groups_before, groups_after;
    struct ck_plan plan;
    struct ck_val *changes; /* [{object, changes: [{path, from, to}]}] */
};

static void on_note(void *arg, const char *text)
{
    (void)arg;
    ck_warn("%s", text);
}

/* The one cluster the manifests are about. */
static int find_name(struct review *v, int argc, char **argv, struct ck_err *err)
{
    const char *name = argc ? argv[0] : *v->ctx->opt_name ? v->ctx->opt_name : NULL;
    for (size_t i = 0; i < v->in.n; i++) {
        const struct ck_object *obj = &v->in.v[i].obj;
        const char *own = obj->kind == CK_KIND_CLUSTER ? ck_object_name(obj)
                                                       : ck_object_label(obj, CK_LABEL_CLUSTER);
        if (!own)
            continue;
        if (name && strcmp(name, own))
            return ck_fail(err, CK_INVALID,
                           "the manifests are about several clusters (\"%s\", \"%s\"); plan one at "
                           "a time",
                           name, own);
        name = own;
    }
    if (!name)
        return ck_fail(err, CK_INVALID,
                       "which cluster? Name it: ckops plan NAME -f FILE, or put a Cluster or a "
                       "%s label into the manifests",
                       CK_LABEL_CLUSTER);
    v->name = name;
    return 0;
}

static int load(struct review *v, struct ck_update *u, struct ck_err *err)
{
    const struct ck_update_opts options = {
        .name = v->name,
        .phase = "",
        .plan_only = true,
        .overrides = &v->o->none,
        .groups = &v->o->none,
        .roles = &v->o->none,
        .offline = v->o->offline,
        .env = &v->ctx->env,
        .note = on_note,
    };
    return ck_update_load(v->ctx->arena, v->store, &options, u, err);
}

/* ---- the configuration's changes ---- */

static void put_changes(struct review *v, const char *what, const struct ck_object *from,
                        const struct ck_object *to)
{
    struct ck_arena *a = v->ctx->arena;
    struct ck_val *o = ck_map(a), *list = ck_list(a);
    struct ck_changes c = {0};
    if (from && to)
        ck_object_diff(a, from, to, &c);
    /* Counters that every write moves say nothing about the change. */
    size_t kept = 0;
    for (size_t i = 0; i < c.n; i++)
        if (strcmp(c.v[i].path, "metadata.generation"))
            c.v[kept++] = c.v[i];
    c.n = kept;
    if (from && to && !c.n)
        return;
    ck_set_str(a, o, "object", what);
    ck_set_str(a, o, "action", !from ? "create" : !to ? "delete" : "modify");
    for (size_t i = 0; i < c.n; i++) {
        struct ck_val *one = ck_map(a);
        ck_set_str(a, one, "path", c.v[i].path);
        ck_set(a, one, "from", c.v[i].from ? ck_val_clone(a, c.v[i].from) : ck_null(a));
        ck_set(a, one, "to", c.v[i].to ? ck_val_clone(a, c.v[i].to) : ck_null(a));
        ck_append(a, list, one);
    }
    ck_set(a, o, "changes", list);
    ck_append(a, v->changes, o);
}

static const struct ck_object *group_of(const struct ck_stored_list *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (!strcmp(ck_object_name(&l->v[i].obj), name))
            return &l->v[i].obj;
    return NULL;
}

static void configuration(struct review *v)
{
    struct ck_arena *a = v->ctx->arena;
    v->changes = ck_list(a);
    put_changes(v, ck_arena_printf(a, "Cluster/%s", v->name),
                v->existed ? &v->before.cluster.obj : NULL, &v->after.cluster.obj);
    for (size_t i = 0; i < v->groups_after.n; i++) {
        const char *name = ck_object_name(&v->groups_after.v[i].obj);
        put_changes(v, ck_arena_printf(a, "InstanceGroup/%s", name),
                    group_of(&v->groups_before, name), &v->groups_after.v[i].obj);
    }
}

static const char *value_text(struct ck_arena *a, const struct ck_val *v)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (ck_is_null(v))
        return "(none)";
    if (v->kind == CK_STR)
        return ck_str_or(v, "");
    ck_json_emit(&b, v, (struct ck_json_style){.order = CK_JSON_SORTED, .raw_html = true});
    return ck_arena_strdup(a, ck_buf_str(&b));
}

static void print_configuration(const struct review *v)
{
    struct ck_ctx *ctx = v->ctx;
    if (!ck_len(v->changes))
        return;
    ck_print(ctx, "Will change the configuration:\n");
    for (size_t i = 0; i < ck_len(v->changes); i++) {
        const struct ck_val *o = ck_item(v->changes, i), *list = ck_get(o, "changes");
        bool created = ck_is_str(ck_get(o, "action"), "create");
        ck_print(ctx, "  %s%s\n", ck_str_at(o, "object"), created ? " (new)" : "");
        for (size_t k = 0; k < ck_len(list); k++) {
            const struct ck_val *c = ck_item(list, k);
            ck_print(ctx, "  \t%s: %s -> %s\n", ck_str_at(c, "path"),
                     value_text(ctx->arena, ck_get(c, "from")),
                     value_text(ctx->arena, ck_get(c, "to")));
        }
        ck_print(ctx, "\n");
    }
}

/* ---- the command ---- */

static int make_plan(struct review *v, struct ck_err *err)
{
    struct ck_arena *a = v->ctx->arena;
    struct ck_world *world;
    int r = ck_update_world(&v->after, &world, err);
    if (r)
        return r;
    bool compare = !world && v->existed;
    if (compare)
        world = ck_world_of_tasks(a, &v->before.tasks);
    r = ck_plan_make(a, v->after.order, v->after.tasks.n, world, &v->plan, err);
    if (!r && compare)
        ck_plan_removed(a, &v->plan, &v->before.tasks, &v->after.tasks);
    return r;
}

static int apply(struct review *v, struct ck_err *err)
{
    struct ck_apply_result res;
    CK_AUTOERR missing = CK_ERR_INIT;
    struct ck_stored cluster;
    struct ck_arena *a = v->ctx->arena;
    int r = ck_cluster_get(a, v->store, v->name, &cluster, &missing);
    v->existed = r == 0;
    if (r && r != -CK_NOT_FOUND)
        return ck_err_move(err, &missing);
    if (v->existed)
        r = load(v, &v->before, err);
    if (v->existed && !r)
        r = ck_ig_list(a, v->store, v->name, &v->groups_before, err);
    else if (!v->existed)
        r = 0;
    if (!r && v->in.n)
        r = ck_apply(a, v->store, &v->in, CK_APPLY_REPLACE_FORCE, &res, err);
    if (!r)
        r = load(v, &v->after, err);
    return r ? r : ck_ig_list(a, v->store, v->name, &v->groups_after, err);
}

static void print(const struct review *v)
{
    struct ck_ctx *ctx = v->ctx;
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    if (*v->o->output) {
        struct ck_val *root = ck_plan_val(ctx->arena, &v->plan);
        ck_set(ctx->arena, root, "configuration", v->changes);
        ck_json_emit(&text, root, (struct ck_json_style){.order = CK_JSON_AS_IS, .indent = 2});
        ck_print(ctx, "%s\n", ck_buf_str(&text));
        return;
    }
    print_configuration(v);
    ck_plan_print(&v->plan, false, isatty(STDOUT_FILENO) && !ck_env_nonempty(&ctx->env, "NO_COLOR"),
                  &text);
    ck_print_slice(ctx, ck_buf_slice(&text));
    if (!ck_plan_any(&v->plan) && !ck_len(v->changes))
        ck_print(ctx, "No changes\n");
    else
        ck_print(ctx, "Nothing was written\n");
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct plan_opts *o = opts;
    struct review v = {.ctx = ctx, .o = o};
    if (*o->output && strcmp(o->output, "json"))
        return ck_fail(err, CK_INVALID, "unknown output format: \"%s\"; json is the only one",
                       o->output);
    ck_vfs_overlay_start(&ctx->vfs);
    if (*o->store_from)
        ctx->opt_state = o->store_from;
    int r = ck_ctx_store(ctx, &v.store, err);
    if (!r && o->files.n)
        r = ck_inputs_read(ctx->arena, v.store, &o->files, "error ", &v.in, err);
    if (!r)
        r = find_name(&v, argc, argv, err);
    if (!r)
        r = apply(&v, err);
    if (!r) {
        configuration(&v);
        r = make_plan(&v, err);
    }
    if (!r)
        print(&v);
    if (!r && o->detailed_exitcode && (ck_plan_any(&v.plan) || ck_len(v.changes)))
        ctx->exit_status = EXIT_CHANGES;
    ck_update_done(&v.before);
    ck_update_done(&v.after);
    return r;
}

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    (void)ctx;
    (void)opts;
    (void)argv;
    if (argc > 1)
        return ck_fail(err, CK_INVALID, "accepts at most 1 arg(s), received %d", argc);
    return 0;
}

#define AT(member) .off = offsetof(struct plan_opts, member), .given_off = CK_OPT_NO_GIVEN
static const struct ck_opt options[] = {
    {.name = "detailed-exitcode",
     .type = CK_OPT_BOOL,
     AT(detailed_exitcode),
     .help = "exit with 2 when there is something to change"},
    {.shorthand = 'f',
     .name = "filename",
     .type = CK_OPT_STRINGS,
     AT(files),
     .help = "changed manifest: a file, a URL, or - for standard input"},
    {.name = "offline",
     .type = CK_OPT_BOOL,
     AT(offline),
     .help = "fetch nothing: hashes of files come from tables and caches"},
    {.shorthand = 'o',
     .name = "output",
     .type = CK_OPT_STRING,
     AT(output),
     .complete = "json",
     .help = "json"},
    {.name = "store-from",
     .type = CK_OPT_STRING,
     AT(store_from),
     .help = "state store to read, instead of --state"},
    {0},
};

const struct ck_cmd ck_cmd_plan = {
    .name = "plan",
    .use = "plan [CLUSTER] [-f FILENAME]...",
    .brief = "Show what changed manifests would change; nothing is written.",
    .detail = "Reads the store through a layer in memory, applies the manifests there, and shows "
              "what changes in\nthe configuration and in the resources. What is there now comes "
              "from given facts, else from the\nstored configuration.",
    .example = "# What would this change do in production?\n"
               "ckops plan -f cluster.yaml --store-from s3://company-kops-state\n"
               "\n"
               "# For a pipeline: exit status 2 when something changes.\n"
               "ckops plan -f cluster.yaml -o json --detailed-exitcode",
    .opts = options,
    .opts_size = sizeof(struct plan_opts),
    .args = args,
    .run = run,
    .complete_args = ck_complete_clusters,
};
