/* `update cluster`: what has to change in the cloud, as a preview or as a Terraform module. Mirrors
 * cmd/kops/update_cluster.go. */
#include "cmd/commands.h"
#include "cmd/export/export.h"
#include "cmd/update/pictures.h"
#include "cmd/update/target.h"

#include "base/enc.h"
#include "base/log.h"
#include "ops/update/update.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct update_opts {
    struct ck_export_opts export;
    const char *target, *out, *phase, *ssh_public_key, *output, *graph, *graph_tasks;
    struct ck_strv groups, roles, overrides;
    bool yes, create_kubeconfig, kubeconfig_given, allow_downgrade, ignore_skew, prune, offline,
        detailed_exitcode, use_kubeconfig;
};

enum { EXIT_CHANGES = 2 };

static void on_note(void *arg, const char *text)
{
    (void)arg;
    ck_warn("%s", text);
}

int ck_target_parse(const char *text, void *value, struct ck_err *err)
{
    static const char *const names[] = {"direct", "dryrun", "terraform"};
    for (size_t i = 0; i < CK_ARRAY_LEN(names); i++)
        if (strcmp(names[i], text) == 0) {
            *(const char **)value = names[i];
            return 0;
        }
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(text));
    return ck_fail(err, CK_INVALID, "invalid target: %s", ck_buf_str(&q));
}

/* ---- the preview ---- */

static void warn_all(const struct ck_plan *p)
{
    for (size_t i = 0; i < ck_len(p->warnings); i++)
        ck_warn("%s", ck_str_or(ck_item(p->warnings, i), ""));
}

static int preview(struct ck_ctx *ctx, const struct update_opts *o, struct ck_update *u,
                   struct ck_err *err)
{
    struct ck_plan plan;
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    bool json = !strcmp(o->output, "json");
    struct ck_world *world;
    int r = ck_update_world(u, &world, err);
    if (!r)
        r = ck_plan_make(ctx->arena, u->order, u->tasks.n, world, &plan, err);
    /* With a part of the tasks, what belongs to the others would look left over. */
    if (!r && !*o->phase && !o->groups.n && !o->roles.n)
        r = ck_plan_extras(ctx->arena, &plan, world, &u->tasks, err);
    if (r)
        return r;
    warn_all(&plan);
    r = ck_update_pictures(ctx, u, &plan, o->graph, o->graph_tasks, err);
    if (r)
        return r;
    if (json)
        ck_plan_json(ctx->arena, &plan, &text);
    else
        ck_plan_print(&plan, o->prune,
                      isatty(STDOUT_FILENO) && !ck_env_nonempty(&ctx->env, "NO_COLOR"), &text);
    ck_print_slice(ctx, ck_buf_slice(&text));
    if (!json)
        ck_print(ctx, "%s\n",
                 ck_plan_any(&plan) ? "Must specify --yes to apply changes"
                                    : "No changes need to be applied");
    if (o->detailed_exitcode && ck_plan_any(&plan))
        ctx->exit_status = EXIT_CHANGES;
    return 0;
}

/* ---- Terraform ---- */

static void suggestions(struct ck_ctx *ctx)
{
    ck_print(ctx,
             "Suggestions:\n"
             " * validate cluster: %s validate cluster --wait 10m\n"
             " * list nodes: kubectl get nodes --show-labels\n"
             " * ssh to a control-plane node: ssh -i ~/.ssh/id_rsa ubuntu@\n"
             " * the ubuntu user is specific to Ubuntu. If not using Ubuntu please use the "
             "appropriate user based on your OS.\n"
             " * read about installing addons at: https://kops.sigs.k8s.io/addons.\n\n",
             ctx->program);
}

static int terraform(struct ck_ctx *ctx, const struct update_opts *o, const struct ck_store *store,
                     struct ck_update *u, struct ck_err *err)
{
    const char *out = *o->out ? o->out : "out/terraform";
    const char *module = ck_arena_printf(ctx->arena, "%s/kubernetes.tf", out);
    bool first = access(module, F_OK) != 0;
    struct ck_export_opts export = o->export;
    export.file = "";
    int r = ck_update_terraform(u, out, err);
    if (!r && o->create_kubeconfig)
        r = ck_export_cluster(ctx, store, &u->cluster.obj, &export, err);
    if (r)
        return r;
    ck_print(ctx, "\nTerraform output has been placed into %s\n", out);
    if (!first)
        return 0;
    ck_print(ctx,
             "Run these commands to apply the configuration:\n"
             "   cd %s\n   terraform plan\n   terraform apply\n\n",
             out);
    suggestions(ctx);
    return 0;
}

static int refuse_direct(const struct ck_store *store, struct ck_err *err)
{
    const char *scheme = store->root.vfs->ops->scheme;
    if (!strcmp(scheme, "file") || !strcmp(scheme, "memfs"))
        return ck_fail(err, CK_UNSUPPORTED,
                       "a cluster cannot run from the store %s: its machines read keys and "
                       "configuration from there and cannot reach it. It is for reviewing changes: "
                       "apply them with the cluster's own store",
                       store->url);
    return ck_fail(err, CK_UNSUPPORTED,
                   "changing the cloud directly is not offered yet: use --target=terraform, or "
                   "kOps with the same store");
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct update_opts *o = opts;
    struct ck_store *store;
    struct ck_update u;
    bool module = !strcmp(o->target, "terraform");
    bool direct = !strcmp(o->target, "direct") && o->yes;
    const struct ck_update_opts options = {
        .name = ctx->cluster_name,
        .phase = o->phase,
        .plan_only = !module,
        .overrides = &o->overrides,
        .groups = &o->groups,
        .roles = &o->roles,
        .allow_downgrade = o->allow_downgrade,
        .offline = o->offline,
        .env = &ctx->env,
        .note = on_note,
    };
    if (*o->output && strcmp(o->output, "json"))
        return ck_fail(err, CK_INVALID, "unknown output format: \"%s\"; json is the only one",
                       o->output);
    int r = ck_export_check(&o->export, err);
    if (!r)
        r = ck_ctx_store(ctx, &store, err);
    if (!r && direct)
        r = refuse_direct(store, err);
    if (r)
        return r;
    if (*o->ssh_public_key)
        return ck_fail(err, CK_UNSUPPORTED,
                       "--ssh-public-key is deprecated and not offered: store the key with `%s "
                       "create sshpublickey %s -i %s`",
                       ctx->program, ctx->cluster_name, o->ssh_public_key);
    if (module) /* writes to the store */
        r = ck_ctx_lock(ctx, ctx->cluster_name, err);
    if (r)
        return r;
    r = ck_update_load(ctx->arena, store, &options, &u, err);
    if (!r)
        r = module ? terraform(ctx, o, store, &u, err) : preview(ctx, o, &u, err);
    ck_update_done(&u);
    return r;
}

int ck_update_after_create(struct ck_ctx *ctx, const char *target, const char *out,
                           struct ck_err *err)
{
    static const int64_t admin_ns =
        18LL * 3600 * 1000000000; /* kOps' DefaultKubecfgAdminLifetime */
    struct update_opts o = {
        .export = {.file = "", .user = "", .api_server = "", .admin_ns = admin_ns},
        .target = target,
        .out = out,
        .phase = "",
        .ssh_public_key = "",
        .output = "",
        .graph = "",
        .graph_tasks = "",
        .create_kubeconfig = true,
    };
    return run(ctx, &o, 0, NULL, err);
}

#define O(field) offsetof(struct update_opts, field)
#define NONE     .given_off = CK_OPT_NO_GIVEN
static const struct ck_opt options[] = {
    {.name = "admin",
     .type = CK_OPT_DURATION,
     .off = O(export.admin_ns),
     NONE,
     .bare = "18h0m0s",
     .help = "add a certificate with all rights to the kubeconfig, valid for so long"},
    {.name = "allow-kops-downgrade",
     .type = CK_OPT_BOOL,
     .off = O(allow_downgrade),
     NONE,
     .help = "go on although a newer version updated the cluster last"},
    {.name = "api-server",
     .type = CK_OPT_STRING,
     .off = O(export.api_server),
     NONE,
     .complete = "",
     .help = "address of the API server for the kubeconfig"},
    {.name = "create-kube-config",
     .type = CK_OPT_BOOL,
     .off = O(create_kubeconfig),
     NONE,
     .dflt = "true",
     .help = "write a kubeconfig as well"},
    {.name = "detailed-exitcode",
     .type = CK_OPT_BOOL,
     .off = O(detailed_exitcode),
     NONE,
     .help = "exit with 2 when there is something to change"},
    {.name = "graph",
     .type = CK_OPT_STRING,
     .off = O(graph),
     NONE,
     .help = "draw the cluster into this file (.dot, or .svg where Graphviz is installed)"},
    {.name = "graph-tasks",
     .type = CK_OPT_STRING,
     .off = O(graph_tasks),
     NONE,
     .help = "draw the tasks and what they wait for"},
    {.name = "ignore-kubelet-version-skew",
     .type = CK_OPT_BOOL,
     .off = O(ignore_skew),
     NONE,
     .help = "do not hold workers back at the version of the running control plane"},
    {.name = "instance-group",
     .type = CK_OPT_STRINGS,
     .off = O(groups),
     NONE,
     .complete = "",
     .help = "only these instance groups"},
    {.name = "instance-group-roles",
     .type = CK_OPT_STRINGS,
     .off = O(roles),
     NONE,
     .complete = "control-plane apiserver node bastion",
     .help = "only instance groups of these roles"},
    {.name = "internal",
     .type = CK_OPT_BOOL,
     .off = O(export.internal),
     NONE,
     .help = "use the cluster's internal DNS name in the kubeconfig"},
    {.name = "lifecycle-overrides",
     .type = CK_OPT_STRINGS,
     .off = O(overrides),
     NONE,
     .complete = "",
     .help = "what may be done with tasks of a kind: TASK=LIFECYCLE"},
    {.name = "offline",
     .type = CK_OPT_BOOL,
     .off = O(offline),
     NONE,
     .help = "fetch nothing: hashes of files come from tables and caches"},
    {.name = "out", .type = CK_OPT_STRING, .off = O(out), NONE, .help = "folder for the module"},
    {.shorthand = 'o',
     .name = "output",
     .type = CK_OPT_STRING,
     .off = O(output),
     NONE,
     .complete = "json",
     .help = "form of the preview: json"},
    {.name = "phase",
     .type = CK_OPT_STRING,
     .off = O(phase),
     NONE,
     .complete = "cluster network security",
     .help = "only a part: network, security or cluster"},
    {.name = "prune",
     .type = CK_OPT_BOOL,
     .off = O(prune),
     NONE,
     .help = "also delete what is only deleted on request"},
    {.name = "ssh-public-key",
     .type = CK_OPT_STRING,
     .off = O(ssh_public_key),
     NONE,
     .help = "not offered: store the key first"},
    {.name = "target",
     .type = CK_OPT_CUSTOM,
     .type_name = "target",
     .parse = ck_target_parse,
     .off = O(target),
     NONE,
     .dflt = "direct",
     .complete = "direct dryrun terraform",
     .help = "where changes go: direct, terraform, dryrun"},
    {.name = "use-kubeconfig",
     .type = CK_OPT_BOOL,
     .off = O(use_kubeconfig),
     NONE,
     .help = "take the API server's address from the kubeconfig"},
    {.name = "user",
     .type = CK_OPT_STRING,
     .off = O(export.user),
     NONE,
     .complete = "",
     .help = "existing user of the kubeconfig to use"},
    {.shorthand = 'y',
     .name = "yes",
     .type = CK_OPT_BOOL,
     .off = O(yes),
     NONE,
     .help = "make the changes; without it they are only shown"},
    {0},
};

static const struct ck_cmd update_cluster = {
    .name = "cluster",
    .use = "cluster [CLUSTER]",
    .brief = "Show or write what a cluster needs in the cloud.",
    .detail = "Builds every resource the stored configuration asks for. Without --target the "
              "resources are listed;\nwith --target=terraform they become a Terraform module. A "
              "preview changes nothing anywhere.",
    .example = "# What does the cluster need?\n"
               "ckops update cluster k8s.example.com\n"
               "\n"
               "# Write a Terraform module.\n"
               "ckops update cluster k8s.example.com --target=terraform --out=module",
    .opts = options,
    .opts_size = sizeof(struct update_opts),
    .args = ck_args_cluster_kubeconfig,
    .run = run,
    .complete_args = ck_complete_clusters,
};

static const struct ck_cmd *const subs[] = {&update_cluster, NULL};

const struct ck_cmd ck_cmd_update = {
    .name = "update",
    .use = "update",
    .brief = "Bring clouds in line with the stored configuration.",
    .subs = subs,
};
