/* `replace -f`: the objects of manifests instead of the stored ones, all or none. Mirrors
 * cmd/kops/replace.go. */
#include "cmd/commands.h"

#include "ops/apply.h"

struct replace_opts {
    struct ck_strv files;
    bool force;
};

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct replace_opts *o = opts;
    struct ck_store *store;
    struct ck_inputs in;
    struct ck_apply_result res;
    int r = ck_ctx_store(ctx, &store, err);
    if (!r)
        r = ck_inputs_read(ctx->arena, store, &o->files, "error ", &in, err);
    if (!r)
        r = ck_apply(ctx->arena, store, &in, o->force ? CK_APPLY_REPLACE_FORCE : CK_APPLY_REPLACE,
                     &res, err);
    return r;
}

static const struct ck_opt options[] = {
    {.shorthand = 'f',
     .name = "filename",
     .type = CK_OPT_STRINGS,
     .off = offsetof(struct replace_opts, files),
     .given_off = CK_OPT_NO_GIVEN,
     .flags = CK_OPT_REQUIRED,
     .help = "manifest to read: a file, a URL, or - for standard input"},
    {.name = "force",
     .type = CK_OPT_BOOL,
     .off = offsetof(struct replace_opts, force),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "create what does not exist"},
    {0},
};

const struct ck_cmd ck_cmd_replace = {
    .name = "replace",
    .use = "replace {-f FILENAME}...",
    .brief = "Replace clusters and instance groups in the state store.",
    .example = "# A cluster and its groups, edited elsewhere.\n"
               "ckops replace -f cluster.yaml\n"
               "\n"
               "# From standard input; what is not there yet is created.\n"
               "cat instancegroup.yaml | ckops replace --force -f -",
    .opts = options,
    .opts_size = sizeof(struct replace_opts),
    .args = ck_args_none,
    .run = run,
};
