/* The root of the command tree, its global options, and `help`.
 *
 * What the options do is decided where they are used; here they get their names. Mirrors
 * cmd/kops/root.go and the flags klog registers. */
#include "cmd/commands.h"
#include "cmd/frame/opt.h"

#include "base/enc.h"
#include "base/mem.h"

/* klog's leftovers: accepted so that old scripts go on working, without effect. */
static int accept_anything(const char *text, void *value, struct ck_err *err)
{
    return 0;
}

static int parse_level(const char *text, void *value, struct ck_err *err)
{
    return ck_parse_int(text, 10, 32, value, err);
}

static int add_state(const char *text, void *value, struct ck_err *err)
{
    struct ck_ctx *ctx = (void *)((char *)value - offsetof(struct ck_ctx, opt_states));
    ck_strv_push(&ctx->opt_states, text);
    ctx->opt_state = ctx->opt_states.v[ctx->opt_states.n - 1];
    return 0;
}

static int complete_name(struct ck_ctx *ctx, const void *opts, const char *prefix,
                         struct ck_strv *ret, struct ck_err *err)
{
    int directive;
    ctx->opt_name = "";
    return ck_complete_clusters(ctx, opts, 0, NULL, prefix, ret, &directive, err);
}

#define GLOBAL(member) .off = offsetof(struct ck_ctx, member), .flags = CK_OPT_PERSISTENT
#define KLOG(flag, bare_value)                                                                     \
    {                                                                                              \
        .name = flag, .type = CK_OPT_CUSTOM, .parse = accept_anything, .bare = bare_value,         \
        .flags = CK_OPT_PERSISTENT | CK_OPT_HIDDEN, .given_off = CK_OPT_NO_GIVEN, .complete = ""   \
    }

static const struct ck_opt options[] = {
    {.name = "alsologtostderrthreshold",
     .type = CK_OPT_CUSTOM,
     .type_name = "severity",
     .parse = accept_anything,
     .flags = CK_OPT_PERSISTENT,
     .given_off = CK_OPT_NO_GIVEN,
     .complete = "",
     .help = "accepted for compatibility, without effect"},
    {.name = "config",
     .type = CK_OPT_STRING,
     GLOBAL(opt_config),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "YAML configuration file, instead of $HOME/.kops.yaml or $HOME/.kops/config"},
    {.name = "legacy_stderr_threshold_behavior",
     .type = CK_OPT_CUSTOM,
     .parse = accept_anything,
     .bare = "true",
     .flags = CK_OPT_PERSISTENT,
     .given_off = CK_OPT_NO_GIVEN,
     .help = "accepted for compatibility, without effect"},
    {.name = "lenient",
     .type = CK_OPT_BOOL,
     GLOBAL(lenient),
     .given_off = CK_OPT_NO_GIVEN,
     .dflt_env = "CKOPS_LENIENT",
     .help = "read manifests as kops does: unknown fields and duplicate keys are dropped silently"},
    {.name = "lock",
     .type = CK_OPT_BOOL,
     GLOBAL(opt_lock),
     .given_off = offsetof(struct ck_ctx, lock_given),
     .dflt_env = "CKOPS_LOCK",
     .help =
         "take the cluster's lock before changing it; =false: do not, whatever the settings say"},
    {.name = "lock-lease",
     .type = CK_OPT_DURATION,
     GLOBAL(opt_lock_lease_ns),
     .given_off = CK_OPT_NO_GIVEN,
     .complete = "",
     .help = "how long a lock outlives its holder, 2s to 24h (default 1m, 1h for locks by hand)"},
    {.name = "lock-timeout",
     .type = CK_OPT_DURATION,
     GLOBAL(opt_lock_timeout_ns),
     .given_off = CK_OPT_NO_GIVEN,
     .complete = "",
     .help = "how long to wait for a lock that someone else holds"},
    {.name = "name",
     .type = CK_OPT_STRING,
     GLOBAL(opt_name),
     .given_off = offsetof(struct ck_ctx, name_given),
     .dflt_env = "KOPS_CLUSTER_NAME",
     .complete_fn = complete_name,
     .help = "name of the cluster; replaces the variable KOPS_CLUSTER_NAME"},
    {.name = "state",
     .type = CK_OPT_CUSTOM,
     .type_name = "string",
     .parse = add_state,
     GLOBAL(opt_states),
     .given_off = offsetof(struct ck_ctx, state_given),
     .help = "URL of the state store, or @NAME of one in ckops_contexts; replaces the variable "
             "KOPS_STATE_STORE"},
    {.shorthand = 'v',
     .name = "v",
     .type = CK_OPT_CUSTOM,
     .type_name = "Level",
     GLOBAL(verbosity),
     .parse = parse_level,
     .given_off = CK_OPT_NO_GIVEN,
     .complete = "0 1 2 4 6 8 10",
     .help = "how much to tell on standard error"},
    KLOG("add_dir_header", "true"),
    KLOG("alsologtostderr", "true"),
    KLOG("log_backtrace_at", NULL),
    KLOG("log_dir", NULL),
    KLOG("log_file", NULL),
    KLOG("log_file_max_size", NULL),
    KLOG("logtostderr", "true"),
    KLOG("one_output", "true"),
    KLOG("skip_headers", "true"),
    KLOG("skip_log_headers", "true"),
    KLOG("stderrthreshold", NULL),
    KLOG("vmodule", NULL),
    {0},
};

/* ---- help ---- */

static int help_find(struct ck_ctx *ctx, int argc, char **argv, struct ck_parsed *p)
{
    *p = (struct ck_parsed){.path = {&ck_cmd_root}, .depth = 1, .ctx = ctx};
    size_t n = (size_t)argc;
    const char **words = ck_arena_alloc(ctx->arena, (n + 1) * sizeof(*words));
    for (size_t i = 0; i < n; i++)
        words[i] = argv[i];
    ck_parse_find(p, words, &n);
    return (int)n; /* words that name no command */
}

static int help_run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    struct ck_parsed p;
    if (help_find(ctx, argc, argv, &p) > 0) {
        CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
        for (int i = 0; i < argc; i++)
            ck_buf_fmt(&text, "%s%s", i ? " " : "", argv[i]);
        CK_AUTOBUF struct ck_buf quoted = CK_BUF_INIT;
        ck_goquote(&quoted, ck_buf_slice(&text));
        return ck_fail(err, CK_INVALID, "unknown help topic %s", ck_buf_str(&quoted));
    }
    ck_usage_help(&ctx->out, &p);
    ck_parsed_done(&p);
    return 0;
}

static int help_complete(struct ck_ctx *ctx, const void *opts, int argc, char **argv,
                         const char *prefix, struct ck_strv *ret, int *ret_directive,
                         struct ck_err *err)
{
    struct ck_parsed p;
    *ret_directive = CK_COMPLETE_NO_FILE;
    if (help_find(ctx, argc, argv, &p) > 0)
        return 0;
    const struct ck_cmd *const *subs = ck_parsed_cmd(&p)->subs;
    for (size_t i = 0; subs && subs[i]; i++)
        if (!subs[i]->hidden && ck_str_starts(subs[i]->name, prefix))
            ck_strv_push_take(ret, ck_xasprintf("%s\t%s", subs[i]->name, subs[i]->brief));
    return 0;
}

const struct ck_cmd ck_cmd_help = {
    .name = "help",
    .use = "help [command]",
    .brief = "Explain a command.",
    .example = "ckops help get clusters",
    .run = help_run,
    .complete_args = help_complete,
};

/* ---- root ---- */

static const struct ck_cmd *const subs[] = {
    &ck_cmd_completion,
    &ck_cmd_create,
    &ck_cmd_delete,
    &ck_cmd_distrust,
    &ck_cmd_edit,
    &ck_cmd_export,
    &ck_cmd_get,
    &ck_cmd_helpers,
    &ck_cmd_node,
    &ck_cmd_secrets,
    &ck_cmd_help,
    &ck_cmd_plan,
    &ck_cmd_promote,
    &ck_cmd_reconcile,
    &ck_cmd_replace,
    &ck_cmd_rolling_update,
    &ck_cmd_store,
    &ck_cmd_toolbox,
    &ck_cmd_trust,
    &ck_cmd_update,
    &ck_cmd_upgrade,
    &ck_cmd_validate,
    &ck_cmd_version,
    &ck_cmd_complete,
    &ck_cmd_complete_nodesc,
    &ck_cmd_gen_docs,
    NULL,
};

const struct ck_cmd ck_cmd_root = {
    .name = "ckops",
    .use = "ckops",
    .brief = "Clusters from a state store.",
    .detail = "ckops keeps the configuration of Kubernetes clusters in a state store, in the files "
              "and with the\ncommand line of kops, and brings clouds in line with it.",
    .opts = options,
    .subs = subs,
};
