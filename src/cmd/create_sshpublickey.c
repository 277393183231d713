/* `create sshpublickey`, and its older spelling `create secret sshpublickey [admin]`. Mirrors
 * cmd/kops/create_sshpublickey.go. */
#include "cmd/commands.h"

#include "base/file.h"

enum { MAX_KEY_BYTES = 1 << 20 };

struct sshkey_opts {
    const char *file;
};

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct sshkey_opts *o = opts;
    struct ck_store *store;
    struct ck_stored cluster;
    CK_AUTOBUF struct ck_buf key = CK_BUF_MAX(MAX_KEY_BYTES);
    int r = ck_ctx_store(ctx, &store, err);
    if (!r)
        r = ck_cluster_get_for_command(ctx->arena, store, ctx->cluster_name, &cluster, err);
    if (r)
        return r;
    if (ck_file_read(o->file, MAX_KEY_BYTES, &key, err))
        return ck_wrap(err, "error reading SSH public key %s", o->file);
    if (ck_ssh_add(ctx->arena, store, &cluster.obj, ck_buf_slice(&key), err))
        return ck_wrap(err, "error adding SSH public key");
    return 0;
}

static const struct ck_opt options[] = {
    {.shorthand = 'i',
     .name = "ssh-public-key",
     .type = CK_OPT_STRING,
     .off = offsetof(struct sshkey_opts, file),
     .given_off = CK_OPT_NO_GIVEN,
     .flags = CK_OPT_REQUIRED,
     .help = "file that holds the public key"},
    {.name = "pubkey",
     .type = CK_OPT_STRING,
     .off = offsetof(struct sshkey_opts, file),
     .given_off = CK_OPT_NO_GIVEN,
     .deprecated = "use --ssh-public-key instead",
     .help = "older name of --ssh-public-key"},
    {0},
};

const struct ck_cmd ck_cmd_create_sshpublickey = {
    .name = "sshpublickey",
    .use = "sshpublickey [CLUSTER]",
    .brief = "Add an SSH public key to a cluster.",
    .example = "ckops create sshpublickey k8s.example.com -i ~/.ssh/id_ed25519.pub",
    .opts = options,
    .opts_size = sizeof(struct sshkey_opts),
    .args = ck_args_cluster_kubeconfig,
    .run = run,
    .complete_args = ck_complete_clusters,
};

/* The user in front is always "admin" and may be left out. */
static int secret_args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    bool user = argc > 0 && strcmp(argv[0], "admin") == 0;
    return ck_args_cluster_kubeconfig(ctx, opts, argc - user, argv + user, err);
}

const struct ck_cmd ck_cmd_create_secret_sshpublickey = {
    .name = "sshpublickey",
    .use = "sshpublickey [admin] [CLUSTER]",
    .brief = "Older spelling of `create sshpublickey`.",
    .hidden = true,
    .opts = options,
    .opts_size = sizeof(struct sshkey_opts),
    .args = secret_args,
    .run = run,
    .complete_args = ck_complete_clusters,
};
