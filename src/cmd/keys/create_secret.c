/* `create secret dockerconfig|encryptionconfig|ciliumpassword`. One table says how they differ.
 * Mirrors cmd/kops/create_secret_*.go. */
#include "cmd/keys/keys.h"

#include "base/secret.h"
#include "ops/keys/secret.h"
#include "store/secretset.h"

struct secret_opts {
    const char *file;
    bool force;
};

static const struct kind {
    const char *name;
    const char *called; /* in `failed to create the … secret` */
    bool json;          /* a JSON object; otherwise a YAML map */
} KINDS[] = {
    {"dockerconfig", "dockerconfig", true},
    {"encryptionconfig", "encryptionconfig", false},
    {"ciliumpassword", "Cilium IPSec", false},
};

static int check_content(const struct kind *k, const char *file, struct ck_slice text,
                         struct ck_err *err)
{
    int r = k->json ? ck_secret_check_json(text, err) : ck_secret_check_yaml(text, err);
    return r ? ck_wrap(err, "unable to parse %s %s", k->json ? "JSON" : "YAML", file) : 0;
}

static int create(struct ck_ctx *ctx, const struct kind *k, const struct secret_opts *o,
                  struct ck_err *err)
{
    struct ck_store *store;
    struct ck_stored cluster;
    CK_AUTOSECRET data = CK_SECRET_MAX(CK_SECRET_MAX_BYTES);
    int r = ck_ctx_store(ctx, &store, err);
    if (!r)
        r = ck_cluster_get_for_command(ctx->arena, store, ctx->cluster_name, &cluster, err);
    if (r)
        return r;
    if (ck_keys_read_file(o->file, CK_SECRET_MAX_BYTES, ck_secret_sink(&data), err))
        return ck_wrap(err, "reading %s secret %s", k->called, o->file);
    r = check_content(k, o->file, ck_secret_view(&data), err);
    if (!r)
        r = ck_secret_write(ctx->arena, store, &cluster.obj, k->name, ck_secret_view(&data),
                            o->force, err);
    if (r == -CK_EXISTS)
        return ck_fail(err, CK_EXISTS,
                       "failed to create the %s secret as it already exists. Pass the `--force` "
                       "flag to replace an existing secret",
                       k->called);
    return r;
}

static int run_dockerconfig(struct ck_ctx *ctx, void *opts, int argc, char **argv,
                            struct ck_err *err)
{
    return create(ctx, &KINDS[0], opts, err);
}

static int run_encryptionconfig(struct ck_ctx *ctx, void *opts, int argc, char **argv,
                                struct ck_err *err)
{
    return create(ctx, &KINDS[1], opts, err);
}

static int run_ciliumpassword(struct ck_ctx *ctx, void *opts, int argc, char **argv,
                              struct ck_err *err)
{
    return create(ctx, &KINDS[2], opts, err);
}

static const struct ck_opt options[] = {
    {.shorthand = 'f',
     .name = "filename",
     .type = CK_OPT_STRING,
     .off = offsetof(struct secret_opts, file),
     .given_off = CK_OPT_NO_GIVEN,
     .flags = CK_OPT_REQUIRED,
     .help = "file that holds the secret, or - for standard input"},
    {.name = "force",
     .type = CK_OPT_BOOL,
     .off = offsetof(struct secret_opts, force),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "replace the secret that is there"},
    {0},
};

static const struct ck_cmd dockerconfig = {
    .name = "dockerconfig",
    .use = "dockerconfig [CLUSTER] -f FILENAME",
    .brief = "Store the registry logins of the nodes.",
    .example = "ckops create secret dockerconfig -f ~/.docker/config.json --name k8s.example.com",
    .opts = options,
    .opts_size = sizeof(struct secret_opts),
    .args = ck_args_cluster_kubeconfig,
    .run = run_dockerconfig,
    .complete_args = ck_complete_clusters,
};

static const struct ck_cmd encryptionconfig = {
    .name = "encryptionconfig",
    .use = "encryptionconfig [CLUSTER] -f FILENAME",
    .brief = "Store how the API server encrypts its data.",
    .example = "ckops create secret encryptionconfig -f config.yaml --name k8s.example.com",
    .opts = options,
    .opts_size = sizeof(struct secret_opts),
    .args = ck_args_cluster_kubeconfig,
    .run = run_encryptionconfig,
    .complete_args = ck_complete_clusters,
};

static const struct ck_cmd ciliumpassword = {
    .name = "ciliumpassword",
    .use = "ciliumpassword [CLUSTER] -f FILENAME",
    .brief = "Store the keys of Cilium's IPsec encryption.",
    .example = "ckops create secret ciliumpassword -f - --name k8s.example.com",
    .opts = options,
    .opts_size = sizeof(struct secret_opts),
    .args = ck_args_cluster_kubeconfig,
    .run = run_ciliumpassword,
    .complete_args = ck_complete_clusters,
};

static const struct ck_cmd *const subs[] = {
    &ciliumpassword, &dockerconfig, &encryptionconfig, &ck_cmd_create_secret_sshpublickey, NULL,
};

const struct ck_cmd ck_cmd_create_secret = {
    .name = "secret",
    .use = "secret",
    .brief = "Put a secret into the state store.",
    .subs = subs,
};
