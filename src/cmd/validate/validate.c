/* `validate`: manifests against all rules, offline (`-f`). A running cluster is not looked at: the
 * sub-command that does so in kOps says what to do instead. */
#include "cmd/commands.h"

#include "base/log.h"
#include "doc/json.h"
#include "ops/check/check_files.h"

#include <string.h>

struct validate_opts {
    struct ck_strv files;
    const char *output;
};

enum { STATUS_INVALID = 2 };

static void warn(void *arg, const char *text)
{
    (void)arg;
    ck_warn("%s", text);
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void print_text(struct ck_ctx *ctx, const struct ck_findings *f, size_t n_files)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct ck_finding *e = &f->v[i];
        ck_print(ctx, "%s:", e->file);
        if (e->line)
            ck_print(ctx, "%u:%u:", e->line, e->col);
        if (*e->kind)
            ck_print(ctx, " %s/%s:", e->kind, e->name);
        ck_print(ctx, " %s\n", e->text);
    }
    for (size_t i = 0; i < f->n_notes; i++)
        ck_info("%s", f->notes[i]);
    if (f->n)
        ck_print(ctx, "%zu error%s in %zu object%s of %zu file%s\n", f->n, plural(f->n),
                 f->n_objects, plural(f->n_objects), n_files, plural(n_files));
    else
        ck_print(ctx, "%zu object%s of %zu file%s: valid\n", f->n_objects, plural(f->n_objects),
                 n_files, plural(n_files));
}

static void print_json(struct ck_ctx *ctx, const struct ck_findings *f)
{
    struct ck_arena *a = ctx->arena;
    struct ck_val *root = ck_map(a), *errors = ck_list(a), *notes = ck_list(a);
    ck_set_bool(a, root, "valid", f->n == 0);
    ck_set_int(a, root, "objects", (int64_t)f->n_objects);
    for (size_t i = 0; i < f->n; i++) {
        const struct ck_finding *e = &f->v[i];
        struct ck_val *m = ck_map(a);
        ck_set_str(a, m, "file", e->file);
        ck_set_int(a, m, "line", e->line);
        ck_set_int(a, m, "column", e->col);
        ck_set_str(a, m, "kind", e->kind);
        ck_set_str(a, m, "name", e->name);
        ck_set_str(a, m, "field", e->field);
        ck_set_str(a, m, "message", e->text);
        ck_append(a, errors, m);
    }
    for (size_t i = 0; i < f->n_notes; i++)
        ck_append_str(a, notes, f->notes[i]);
    ck_set(a, root, "errors", errors);
    ck_set(a, root, "notes", notes);
    ck_json_emit(&ctx->out, root, (struct ck_json_style){.indent = 2, .raw_html = true});
    ck_print(ctx, "\n");
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct validate_opts *o = opts;
    bool json = strcmp(o->output, "json") == 0;
    if (!json && strcmp(o->output, "text") != 0)
        return ck_fail(err, CK_INVALID, "unknown output format: \"%s\"; it is text or json",
                       o->output);
    const struct ck_store no_store = {
        .vfs = &ctx->vfs, .features = &ctx->features, .lenient = ctx->lenient, .warn = warn};
    struct ck_findings found;
    int r = ck_check_files(ctx->arena, &no_store, &o->files, &found, err);
    if (r < 0)
        return r;
    if (json)
        print_json(ctx, &found);
    else
        print_text(ctx, &found, o->files.n);
    if (found.n)
        ctx->exit_status = STATUS_INVALID;
    return 0;
}

static const struct ck_opt options[] = {
    {.shorthand = 'f',
     .name = "filename",
     .type = CK_OPT_STRINGS,
     .off = offsetof(struct validate_opts, files),
     .given_off = CK_OPT_NO_GIVEN,
     .flags = CK_OPT_REQUIRED,
     .help = "manifest to read: a file, a URL, or - for standard input"},
    {.shorthand = 'o',
     .name = "output",
     .type = CK_OPT_STRING,
     .off = offsetof(struct validate_opts, output),
     .given_off = CK_OPT_NO_GIVEN,
     .dflt = "text",
     .complete = "text json",
     .help = "text or json"},
    {0},
};

static const struct ck_cmd *const subs[] = {&ck_cmd_validate_cluster, NULL};

const struct ck_cmd ck_cmd_validate = {
    .name = "validate",
    .use = "validate {-f FILENAME}...",
    .brief = "Check manifests of clusters and instance groups.",
    .detail =
        "Checks all objects of manifests against all rules, as written and as completed, and "
        "lists every\nerror with its place. Needs neither a state store nor a cloud. The exit "
        "status is 2 when there\nare errors.",
    .example = "# A cluster and its groups, before a review.\n"
               "ckops validate -f cluster.yaml -f nodes.yaml\n"
               "\n"
               "# For a program.\n"
               "ckops validate -f cluster.yaml -o json",
    .opts = options,
    .opts_size = sizeof(struct validate_opts),
    .subs = subs,
    .args = ck_args_none,
    .run = run,
};
