/* `create keypair`: a new key for a keyset, made here or brought by the user. Mirrors
 * cmd/kops/create_keypair.go. */
#include "cmd/keys/keys.h"

#include "base/secret.h"

struct keypair_opts {
    const char *cert, *key;
    bool primary;
};

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct keypair_opts *o = opts;
    int r = ck_resolve_name_kubeconfig(ctx, err);
    if (r)
        return r;
    if (argc == 0)
        return ck_fail(err, CK_INVALID, "must specify name of keyset to add keypair to");
    if (argc > 1)
        return ck_fail(err, CK_INVALID, "can only add to one keyset at a time");
    const char *flag = *o->cert ? "--cert" : *o->key ? "--key" : o->primary ? "--primary" : NULL;
    if (strcmp(argv[0], "all") == 0 && flag)
        return ck_fail(err, CK_INVALID, "cannot specify %s with \"all\"", flag);
    return 0;
}

static int read_part(struct ck_ctx *ctx, const char *file, const char *what, struct ck_buf *out,
                     struct ck_slice *ret, struct ck_err *err)
{
    *ret = (struct ck_slice){0};
    if (!*file)
        return 0;
    int r = ck_keys_read_file(file, CK_PKI_MAX_PEM, out, err);
    if (!r && out->len == 0)
        r = ck_fail(err, CK_INVALID, "the file is empty");
    if (r)
        return ck_wrap(err, "error reading user provided %s \"%s\"", what, file);
    ck_print(ctx, "using user provided %s: %s\n", what, file);
    *ret = ck_buf_slice(out);
    return 0;
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct keypair_opts *o = opts;
    struct ck_stored cluster;
    CK_AUTOARENA struct ck_arena *a = ck_keyset_arena();
    CK_AUTOBUF struct ck_buf cert = CK_BUF_MAX(CK_PKI_MAX_PEM);
    CK_AUTOSECRET key = CK_SECRET_MAX(CK_PKI_MAX_PEM);
    struct ck_keypair_run pass = {.arena = a};
    struct ck_keypair_new pair = {.primary = o->primary};
    int r = ck_keys_open(ctx, "error getting cluster", &cluster, &pass, err);
    if (!r && strcmp(argv[0], "all") != 0 && !ck_keypair_rotatable(argv[0]))
        r = ck_fail(err, CK_INVALID, "adding keypair to \"%s\" is not supported", argv[0]);
    if (!r)
        r = read_part(ctx, o->cert, "cert", &cert, &pair.cert, err);
    if (!r)
        r = read_part(ctx, o->key, "private key", ck_secret_sink(&key), &pair.key, err);
    return r ? r : ck_keypair_create(&pass, argv[0], &pair, err);
}

static const struct ck_opt options[] = {
    {.name = "cert",
     .type = CK_OPT_STRING,
     .off = offsetof(struct keypair_opts, cert),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "file with the certificate of an authority, in PEM form"},
    {.name = "key",
     .type = CK_OPT_STRING,
     .off = offsetof(struct keypair_opts, key),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "file with its private key, in PEM form and not encrypted"},
    {.name = "primary",
     .type = CK_OPT_BOOL,
     .off = offsetof(struct keypair_opts, primary),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "let it sign from now on"},
    {0},
};

static int complete(struct ck_ctx *ctx, const void *opts, int argc, char **argv, const char *prefix,
                    struct ck_strv *ret, int *ret_directive, struct ck_err *err)
{
    *ret_directive = CK_COMPLETE_NO_FILE;
    return argc ? 0
                : ck_complete_keyset_ids(ctx, opts, argc, argv, prefix, ret, ret_directive, err);
}

const struct ck_cmd ck_cmd_create_keypair = {
    .name = "keypair",
    .use = "keypair {KEYSET | all}",
    .brief = "Add a keypair to a keyset.",
    .detail = "Adds a keypair to a keyset, or to all of them. It is trusted from the next update "
              "on, and\nsigns nothing until it is promoted.",
    .example = "# The first step of a rotation.\n"
               "ckops create keypair all --name k8s.example.com --state s3://my-store\n"
               "\n"
               "# An authority of your own.\n"
               "ckops create keypair kubernetes-ca --cert ca.pem --key ca-key.pem --name "
               "k8s.example.com",
    .opts = options,
    .opts_size = sizeof(struct keypair_opts),
    .args = args,
    .run = run,
    .complete_args = complete,
};
