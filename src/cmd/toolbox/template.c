/* `toolbox template`: manifests from templates and values. Mirrors cmd/kops/toolbox_template.go. */
#include "cmd/commands.h"

#include "base/file.h"
#include "ops/template/files.h"

#include <string.h>

struct template_opts {
    struct ck_strv values, sets, set_texts, templates, snippets;
    const char *channel, *out, *config_value;
    bool fail_on_missing, format_yaml;
};

static int read_values(struct ck_ctx *ctx, const struct template_opts *o, struct ck_val **ret,
                       struct ck_err *err)
{
    int r = ck_template_values(ctx->arena, &ctx->vfs, &o->values, ret, err);
    for (size_t i = 0; r == 0 && i < o->sets.n; i++)
        r = ck_template_set(ctx->arena, *ret, o->sets.v[i], false, err);
    for (size_t i = 0; r == 0 && i < o->set_texts.n; i++)
        r = ck_template_set(ctx->arena, *ret, o->set_texts.v[i], true, err);
    if (r == 0 && *ctx->cluster_name && !ck_get(*ret, "clusterName"))
        ck_set_str(ctx->arena, *ret, "clusterName", ctx->cluster_name);
    return r;
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct template_opts *o = opts;
    struct ck_val *values = NULL;
    int r = read_values(ctx, o, &values, err);
    if (r < 0)
        return r;
    if (*o->config_value) {
        const struct ck_val *v = ck_get(values, o->config_value);
        if (ck_is_null(v))
            ck_print(ctx, "null");
        else
            ck_template_print(&ctx->out, v);
        ck_print(ctx, "\n");
        return 0;
    }
    if (!o->templates.n)
        return ck_fail(err, CK_INVALID,
                       "name a template with --template, or a value with --config-value");
    struct ck_template_opts t = {.name = "mainTemplate", .missing_is_zero = !o->fail_on_missing};
    struct ck_snippet *snippets = NULL;
    r = ck_template_snippets(ctx->arena, &ctx->vfs, &o->snippets, &snippets, &t.n_snippets, err);
    t.snippets = snippets;
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    if (r == 0)
        r = ck_template_documents(ctx->arena, &ctx->vfs, &o->templates, values, &t, o->format_yaml,
                                  &text, err);
    if (r < 0)
        return r;
    if (!*o->out) {
        ck_print_slice(ctx, ck_buf_slice(&text));
        return 0;
    }
    r = ck_file_write(o->out, ck_buf_slice(&text), 0660, err);
    return r < 0 ? ck_wrap(err, "unable to write %s", o->out) : 0;
}

#define AT(member) .off = offsetof(struct template_opts, member), .given_off = CK_OPT_NO_GIVEN

static const struct ck_opt options[] = {
    {.name = "channel",
     .type = CK_OPT_STRING,
     AT(channel),
     .dflt = "stable",
     .complete = "alpha stable",
     .help = "accepted for compatibility: templates ask no channel"},
    {.name = "config-value",
     .type = CK_OPT_STRING,
     AT(config_value),
     .complete = "",
     .help = "print this one value instead of rendering"},
    {.name = "fail-on-missing",
     .type = CK_OPT_BOOL,
     AT(fail_on_missing),
     .dflt = "true",
     .help = "a value that is not there is an error"},
    {.name = "format-yaml",
     .type = CK_OPT_BOOL,
     AT(format_yaml),
     .help = "read the result as YAML and write it sorted"},
    {.name = "out",
     .type = CK_OPT_STRING,
     AT(out),
     .help = "file to write instead of standard output"},
    {.name = "output", .type = CK_OPT_STRING, AT(out), .deprecated = "use --out instead"},
    {.name = "set",
     .type = CK_OPT_STRARRAY,
     AT(sets),
     .complete = "",
     .help = "value: NAME=VALUE, NAME.NAME=VALUE, NAME[0]=VALUE, NAME={A,B}"},
    {.name = "set-string",
     .type = CK_OPT_STRARRAY,
     AT(set_texts),
     .complete = "",
     .help = "the same, always text"},
    {.name = "snippets",
     .type = CK_OPT_STRINGS,
     AT(snippets),
     .help = "files or folders of templates to include"},
    {.name = "template",
     .type = CK_OPT_STRINGS,
     AT(templates),
     .help = "files or folders of templates to render"},
    {.name = "values",
     .type = CK_OPT_STRINGS,
     AT(values),
     .help = "files or folders of values, in YAML"},
    {0},
};

const struct ck_cmd ck_cmd_toolbox_template = {
    .name = "template",
    .use = "template [CLUSTER]",
    .brief = "Make manifests from templates.",
    .detail = "Renders templates in Go's template language with sprig's common functions. The "
              "result depends on\nthe files and options alone: there are no functions for time, "
              "environment or chance.",
    .example = "# One template, two files of values and one value more.\n"
               "ckops toolbox template --name k8s.example.com --values common.yaml,prod.yaml \\\n"
               "  --set nodes.count=5 --template cluster.tmpl.yaml",
    .opts = options,
    .opts_size = sizeof(struct template_opts),
    .args = ck_args_cluster_kubeconfig,
    .run = run,
    .complete_args = ck_complete_clusters,
};
