/* `delete -f`: what manifests name, out of the state store. Mirrors cmd/kops/delete.go. */
#include "cmd/commands.h"
#include "cmd/deleteone.h"

#include "ops/manifest.h"

struct delete_opts {
    struct ck_strv files;
    bool yes;
};

static int label_of(const struct ck_object *o, const char *what, const char **ret,
                    struct ck_err *err)
{
    *ret = ck_object_label(o, CK_LABEL_CLUSTER);
    if (*ret && (*ret)[0])
        return 0;
    return ck_fail(err, CK_INVALID, "must specify \"%s\" label with cluster name to delete %s",
                   CK_LABEL_CLUSTER, what);
}

static int delete_one(struct ck_ctx *ctx, const struct ck_input *in, bool yes, struct ck_strv *gone,
                      struct ck_err *err)
{
    const struct ck_object *o = &in->obj;
    const char *cluster = ck_object_name(o);
    int r;
    switch (o->kind) {
    case CK_KIND_CLUSTER: {
        struct ck_delete_cluster_opts c = {.yes = yes, .region = ""};
        r = ck_delete_cluster(ctx, &c, cluster, err);
        if (r)
            return ck_wrap(err, "file \"%s\"", in->file);
        ck_strv_push(gone, cluster);
        return 0;
    }
    case CK_KIND_INSTANCE_GROUP:
        r = label_of(o, "instanceGroup", &cluster, err);
        if (!r && !ck_strv_has(gone, cluster)) /* its groups went with it */
            r = ck_delete_ig(ctx, cluster, ck_object_name(o), yes, err);
        return r ? ck_wrap(err, "file \"%s\"", in->file) : 0;
    case CK_KIND_SSH_CREDENTIAL:
        r = label_of(o, "SSHCredential", &cluster, err);
        if (!r && !ck_strv_has(gone, cluster))
            r = ck_delete_ssh(ctx, cluster, err);
        return r ? ck_wrap(err, "file \"%s\"", in->file) : 0;
    case CK_KIND_KEYSET:
    case CK_KIND_HOST:
    case CK_KIND_OTHER:
        break;
    }
    return ck_fail(err, CK_UNSUPPORTED, "unhandled kind \"%s\" in %s", ck_object_gvk(ctx->arena, o),
                   in->file);
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct delete_opts *o = opts;
    struct ck_store *store;
    struct ck_inputs in;
    CK_AUTOSTRV gone = {0};
    int r = ck_ctx_store(ctx, &store, err);
    if (!r)
        r = ck_inputs_read(ctx->arena, store, &o->files, "", &in, err);
    for (size_t i = 0; !r && i < in.n; i++)
        r = delete_one(ctx, &in.v[i], o->yes, &gone, err);
    return r;
}

static const struct ck_opt options[] = {
    {.shorthand = 'f',
     .name = "filename",
     .type = CK_OPT_STRINGS,
     .off = offsetof(struct delete_opts, files),
     .given_off = CK_OPT_NO_GIVEN,
     .flags = CK_OPT_REQUIRED,
     .help = "manifest to read: a file, a URL, or - for standard input"},
    {.shorthand = 'y',
     .name = "yes",
     .type = CK_OPT_BOOL,
     .off = offsetof(struct delete_opts, yes),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "really delete"},
    {0},
};

static const struct ck_cmd *const subs[] = {
    &ck_cmd_delete_cluster, &ck_cmd_delete_instance,     &ck_cmd_delete_instancegroup,
    &ck_cmd_delete_secret,  &ck_cmd_delete_sshpublickey, NULL,
};

static const char *const rm[] = {"rm", NULL};

const struct ck_cmd ck_cmd_delete = {
    .name = "delete",
    .suggest_for = rm,
    .use = "delete {-f FILENAME}...",
    .brief = "Remove clusters, instance groups and other objects.",
    .example = "# What a manifest names.\n"
               "ckops delete -f cluster.yaml --yes",
    .opts = options,
    .opts_size = sizeof(struct delete_opts),
    .subs = subs,
    .args = ck_args_none,
    .run = run,
};
