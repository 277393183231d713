/* `helpers kubectl-auth`: what kubectl runs for credentials when a kubeconfig was exported with
 * --auth-plugin. Prints a short-lived client certificate and its key, for kubectl alone.
 *
 * Unlike kOps nothing is cached on disk: the private key lives as long as the pipe. Mirrors
 * cmd/kops/helpers_kubectl_auth.go. */
#include "cmd/commands.h"
#include "cmd/export/export.h"
#include "cmd/frame/journal.h"

#include "base/clock.h"
#include "doc/json.h"

#include <stdio.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000, FAILED = 1 };

struct auth_opts {
    const char *api_version, *cluster;
    int64_t lifetime_ns;
};

static int check(const struct auth_opts *o, struct ck_err *err)
{
    static const char *const VERSIONS[] = {"v1", "v1beta1", "v1alpha1"};
    if (!o->cluster[0])
        return ck_fail(err, CK_INVALID, "ClusterName is required");
    if (!o->api_version[0])
        return ck_fail(err, CK_INVALID, "api-version must be specified");
    if (o->lifetime_ns < NS_PER_S)
        return ck_fail(err, CK_INVALID, "--lifetime must be at least one second");
    for (size_t i = 0; i < CK_ARRAY_LEN(VERSIONS); i++)
        if (strcmp(o->api_version, VERSIONS[i]) == 0)
            return 0;
    return ck_fail(err, CK_INVALID, "api-version \"%s\" is not supported", o->api_version);
}

static void print_credential(struct ck_ctx *ctx, struct ck_arena *a, const struct auth_opts *o,
                             const struct ck_kube_access *x)
{
    struct ck_val *v = ck_map(a);
    char ends[21];
    ck_rfc3339(x->cert_ends_s, ends);
    ck_set_str(a, v, "kind", "ExecCredential");
    ck_set(a, v, "apiVersion", ck_strf(a, "client.authentication.k8s.io/%s", o->api_version));
    ck_put(a, v, "status.expirationTimestamp", ck_str(a, ends));
    ck_put(a, v, "status.clientCertificateData", ck_strn(a, x->cert));
    ck_put(a, v, "status.clientKeyData", ck_strn(a, ck_secret_view(&x->key)));
    ctx->out.secret = true;
    ck_json_emit(&ctx->out, v, (struct ck_json_style){CK_JSON_AS_IS, 2, 0});
    ck_buf_putc(&ctx->out, '\n');
}

static int make(struct ck_ctx *ctx, const struct auth_opts *o, struct ck_err *err)
{
    struct ck_store *store;
    struct ck_stored cluster;
    CK_AUTOARENA struct ck_arena *a = ck_keyset_arena();
    CK_AUTOKUBE x = {0};
    struct ck_kube_access_opts want = {
        .api_server = "", .admin_s = o->lifetime_ns / NS_PER_S, .login = ck_ctx_login(ctx)};
    int r = check(o, err);
    if (!r)
        r = ck_ctx_store(ctx, &store, err);
    if (!r)
        r = ck_cluster_get_for_command(ctx->arena, store, o->cluster, &cluster, err);
    if (!r)
        r = ck_kube_access_make(a, store, &cluster.obj, &want, &x, err);
    if (!r)
        print_credential(ctx, a, o, &x);
    return r;
}

/* kubectl shows what comes on standard error; kOps sets it apart by a blank line. */
static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    CK_AUTOERR e = CK_ERR_INIT;
    if (make(ctx, opts, &e)) {
        fprintf(stderr, "\n%s\n", ck_err_msg(&e));
        ctx->exit_status = FAILED;
    }
    return 0;
}

static const struct ck_opt options[] = {
    {.name = "api-version",
     .type = CK_OPT_STRING,
     .off = offsetof(struct auth_opts, api_version),
     .given_off = CK_OPT_NO_GIVEN,
     .dflt = "v1beta1",
     .complete = "v1 v1beta1",
     .help = "version of client.authentication.k8s.io that kubectl speaks"},
    {.name = "cluster",
     .type = CK_OPT_STRING,
     .off = offsetof(struct auth_opts, cluster),
     .given_off = CK_OPT_NO_GIVEN,
     .complete = "",
     .help = "name of the cluster"},
    {.name = "lifetime",
     .type = CK_OPT_DURATION,
     .off = offsetof(struct auth_opts, lifetime_ns),
     .given_off = CK_OPT_NO_GIVEN,
     .dflt = "1h0m0s",
     .help = "how long the certificate is valid"},
    {0},
};

static const struct ck_cmd kubectl_auth = {
    .name = "kubectl-auth",
    .use = "kubectl-auth",
    .brief = "Hand credentials to kubectl.",
    .example = "ckops helpers kubectl-auth --cluster=k8s.example.com --state=s3://my-store",
    .opts = options,
    .opts_size = sizeof(struct auth_opts),
    .run = run,
};

static const struct ck_cmd *const subs[] = {&kubectl_auth, NULL};
const struct ck_cmd ck_cmd_helpers = {
    .name = "helpers",
    .use = "helpers",
    .brief = "Commands for other programs.",
    .subs = subs,
    .hidden = true,
};
