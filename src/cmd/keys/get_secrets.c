/* `get secrets`: their names, and on request what they hold. Mirrors cmd/kops/get_secrets.go. */
#include "cmd/keys/keys.h"

#include "cmd/getout.h"

#include "base/secret.h"
#include "store/secretset.h"

struct secrets_opts {
    struct ck_get_opts get; /* first: -o is inherited */
    const char *type;
};

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    return ck_resolve_name_kubeconfig(ctx, err);
}

static int check_type(const char *type, struct ck_err *err)
{
    if (!*type || strcmp(type, "secret") == 0)
        return 0;
    if (strcmp(type, "sshpublickey") == 0)
        return ck_fail(err, CK_INVALID, "use 'kops get sshpublickey' instead");
    if (strcmp(type, "keypair") == 0)
        return ck_fail(err, CK_INVALID, "use 'kops get keypairs' instead");
    return ck_fail(err, CK_INVALID, "unknown secret type \"%s\"", type);
}

static void print_table(struct ck_ctx *ctx, const struct ck_strv *names)
{
    static const char *const COLUMNS[] = {"NAME"};
    struct ck_table *t = ck_table_new(COLUMNS, CK_ARRAY_LEN(COLUMNS));
    for (size_t i = 0; i < names->n; i++) {
        const char *name = names->v[i];
        ck_table_row(t, &name);
    }
    ck_get_table_end(ctx, t);
}

/* Every secret is read before the first is printed: a failure prints nothing. */
static int print_plain(struct ck_ctx *ctx, const struct ck_store *store,
                       const struct ck_object *cluster, const struct ck_strv *names,
                       struct ck_err *err)
{
    CK_AUTOSECRET all = CK_SECRET_INIT;
    for (size_t i = 0; i < names->n; i++) {
        CK_AUTOSECRET one = CK_SECRET_MAX(CK_SECRET_MAX_BYTES);
        if (ck_secret_read(ctx->arena, store, cluster, names->v[i], ck_secret_sink(&one), err))
            return ck_wrap(err, "error getting secret \"%s\"", names->v[i]);
        ck_buf_put(ck_secret_sink(&all), ck_secret_view(&one));
        ck_buf_putc(ck_secret_sink(&all), '\n');
    }
    ctx->out.secret = true;
    ck_print_slice(ctx, ck_secret_view(&all));
    return ck_flush(ctx, err);
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct secrets_opts *o = opts;
    struct ck_store *store;
    struct ck_stored cluster;
    CK_AUTOSTRV all = {0};
    CK_AUTOSTRV names = {0};
    int r = check_type(o->type, err);
    if (!r)
        r = ck_ctx_store(ctx, &store, err);
    if (!r)
        r = ck_cluster_get_for_command(ctx->arena, store, ctx->cluster_name, &cluster, err);
    if (!r)
        r = ck_secret_list(ctx->arena, store, &cluster.obj, &all, err);
    if (r)
        return r;
    for (size_t i = 0; i < all.n; i++) {
        bool wanted = argc == 0;
        for (int k = 0; k < argc; k++)
            wanted = wanted || strcmp(argv[k], all.v[i]) == 0;
        if (wanted)
            ck_strv_push(&names, all.v[i]);
    }
    if (names.n == 0)
        return ck_fail(err, CK_NOT_FOUND, "no secrets found");
    if (strcmp(o->get.output, "plaintext") == 0)
        return print_plain(ctx, store, &cluster.obj, &names, err);
    switch (ck_get_format_of(o->get.output)) {
    case CK_GET_TABLE:
        print_table(ctx, &names);
        return 0;
    case CK_GET_YAML:
    case CK_GET_JSON:
        return ck_fail(err, CK_UNSUPPORTED,
                       "%s output format is not (currently) supported for secrets", o->get.output);
    case CK_GET_UNKNOWN:
        break;
    }
    return ck_get_bad_format(o->get.output, err);
}

static const struct ck_opt options[] = {
    {.name = "type",
     .type = CK_OPT_STRING,
     .off = offsetof(struct secrets_opts, type),
     .given_off = CK_OPT_NO_GIVEN,
     .flags = CK_OPT_HIDDEN,
     .complete = "secret",
     .help = "kind of secrets: only \"secret\" is left"},
    {0},
};

static const char *const aliases[] = {"secret", NULL};

const struct ck_cmd ck_cmd_get_secrets = {
    .name = "secrets",
    .aliases = aliases,
    .use = "secrets [NAME]...",
    .brief = "Show the secrets of a cluster.",
    .example = "# Their names.\n"
               "ckops get secrets --name k8s.example.com\n"
               "\n"
               "# What one of them holds.\n"
               "ckops get secrets dockerconfig -o plaintext --name k8s.example.com",
    .opts = options,
    .opts_size = sizeof(struct secrets_opts),
    .args = args,
    .run = run,
    .complete_args = ck_complete_secrets,
};
