/* `get sshpublickeys`: the SSH keys that nodes of a cluster accept. Mirrors
 * cmd/kops/get_sshpublickeys.go. */
#include "cmd/commands.h"
#include "cmd/getout.h"

#include "doc/json.h"
#include "doc/yaml.h"

static const char *const COLUMNS[] = {"ID"};

static int print_table(struct ck_ctx *ctx, const struct ck_ssh_key *keys, size_t n,
                       struct ck_err *err)
{
    if (n == 0)
        return ck_fail(err, CK_NOT_FOUND, "no SSH public key found");
    struct ck_table *t = ck_table_new(COLUMNS, CK_ARRAY_LEN(COLUMNS));
    for (size_t i = 0; i < n; i++)
        ck_table_row(t, &keys[i].id);
    ck_get_table_end(ctx, t);
    return 0;
}

/* An empty list is "null" here, as kOps' nil slice. */
static const struct ck_val *as_list(struct ck_arena *a, const struct ck_ssh_key *keys, size_t n)
{
    if (n == 0)
        return ck_null(a);
    struct ck_val *l = ck_list(a);
    for (size_t i = 0; i < n; i++) {
        struct ck_val *m = ck_map(a);
        ck_set_str(a, m, "id", keys[i].id);
        ck_set_str(a, m, "publicKey", keys[i].text);
        ck_append(a, l, m);
    }
    return l;
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct ck_get_opts *o = opts;
    struct ck_store *store;
    struct ck_stored cluster;
    struct ck_ssh_key *keys = NULL;
    size_t n = 0;
    int r = ck_ctx_store(ctx, &store, err);
    if (!r)
        r = ck_cluster_get(ctx->arena, store, ctx->cluster_name, &cluster, err);
    if (!r)
        r = ck_ssh_list(ctx->arena, store, &cluster.obj, &keys, &n, err);
    if (r)
        return r;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    switch (ck_get_format_of(o->output)) {
    case CK_GET_TABLE:
        return print_table(ctx, keys, n, err);
    case CK_GET_YAML:
        ck_yaml_emit(&b, as_list(ctx->arena, keys, n));
        break;
    case CK_GET_JSON:
        ck_json_emit(&b, as_list(ctx->arena, keys, n), (struct ck_json_style){CK_JSON_AS_IS, 0, 0});
        break;
    case CK_GET_UNKNOWN:
        return ck_get_bad_format(o->output, err);
    }
    ck_print_slice(ctx, ck_buf_slice(&b));
    return 0;
}

static const char *const aliases[] = {"sshpublickey", "ssh", NULL};

const struct ck_cmd ck_cmd_get_sshpublickeys = {
    .name = "sshpublickeys",
    .aliases = aliases,
    .use = "sshpublickeys [CLUSTER]",
    .brief = "Show the SSH public keys of a cluster.",
    .example = "ckops get sshpublickeys k8s.example.com",
    .opts_size = sizeof(struct ck_get_opts),
    .args = ck_args_cluster_kubeconfig,
    .run = run,
    .complete_args = ck_complete_clusters,
};
