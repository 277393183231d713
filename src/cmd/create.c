/* `create -f`: the objects of manifests into the state store, all or none. Mirrors
 * cmd/kops/create.go. */
#include "cmd/commands.h"

#include "ops/apply.h"

struct create_opts {
    struct ck_strv files;
};

static void report(struct ck_ctx *ctx, const struct ck_apply_result *res)
{
    ck_print(ctx, "\n");
    for (size_t i = 0; i < res->n; i++) {
        const struct ck_apply_step *s = &res->v[i];
        if (s->done == CK_ADDED_KEY)
            ck_print(ctx, "Added ssh credential\n");
        else
            ck_print(ctx, "%s %s/%s\n", s->done == CK_KEPT ? "Kept" : "Created",
                     s->kind == CK_KIND_CLUSTER ? "cluster" : "instancegroup", s->name);
    }
    ck_print(ctx, "\nTo deploy these resources, run: %s update cluster --name %s --yes\n\n",
             ctx->program, res->cluster);
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct create_opts *o = opts;
    struct ck_store *store;
    struct ck_inputs in;
    struct ck_apply_result res;
    int r = ck_ctx_store(ctx, &store, err);
    if (!r)
        r = ck_inputs_read(ctx->arena, store, &o->files, "error ", &in, err);
    if (!r)
        r = ck_apply(ctx->arena, store, &in, CK_APPLY_CREATE, &res, err);
    if (!r)
        report(ctx, &res);
    return r;
}

static const struct ck_opt options[] = {
    {.shorthand = 'f',
     .name = "filename",
     .type = CK_OPT_STRINGS,
     .off = offsetof(struct create_opts, files),
     .given_off = CK_OPT_NO_GIVEN,
     .flags = CK_OPT_REQUIRED,
     .help = "manifest to read: a file, a URL, or - for standard input"},
    {0},
};

static const struct ck_cmd *const subs[] = {
    &ck_cmd_create_cluster, &ck_cmd_create_instancegroup, &ck_cmd_create_keypair,
    &ck_cmd_create_secret,  &ck_cmd_create_sshpublickey,  NULL,
};

const struct ck_cmd ck_cmd_create = {
    .name = "create",
    .use = "create {-f FILENAME}...",
    .brief = "Put clusters and other objects into the state store.",
    .detail = "Puts the objects of manifests into the state store: all of them, or none when one "
              "cannot be\nstored.",
    .example = "# The objects of a manifest.\n"
               "ckops create -f cluster.yaml\n"
               "\n"
               "# From standard input.\n"
               "cat instancegroup.yaml | ckops create -f -",
    .opts = options,
    .opts_size = sizeof(struct create_opts),
    .subs = subs,
    .args = ck_args_none,
    .run = run,
};
