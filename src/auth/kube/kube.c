/* A Kubernetes API as this process sees it: the configuration found first, credentials on each
 * request, renewed before they end and once when the server refuses them. */
#include "auth/kube/internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
    TOKEN_MAX = 1 << 20,
    REREAD_MS = 60000, /* token files are rotated: as client-go */
    EARLY_S = 2,       /* before a plug-in's credentials end */
    FORCED_PAUSE_MS = 1000,
};

#define POD_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

/* ---- in a pod ---- */

static int from_pod(struct ck_kube *k, struct ck_buf *tried, struct ck_err *err)
{
    const char *host = ck_env_nonempty(k->env, "KUBERNETES_SERVICE_HOST");
    const char *port = ck_env_nonempty(k->env, "KUBERNETES_SERVICE_PORT");
    const char *dir = ck_env_nonempty(k->env, "CKOPS_SERVICE_ACCOUNT_DIR");
    if (!host || !port) {
        ck_buf_puts(tried, "  service account of a pod: KUBERNETES_SERVICE_HOST and "
                           "KUBERNETES_SERVICE_PORT are not set");
        return -(int)CK_NOT_FOUND;
    }
    dir = dir ? dir : POD_DIR;
    k->source = dir;
    k->context = k->cluster = k->user = "";
    k->token_file = ck_arena_printf(k->arena, "%s/token", dir);
    k->identity = "the pod's service account";
    bool v6 = strchr(host, ':') != NULL && *host != '[';
    int r = ck_kube_set_server(
        k, ck_arena_printf(k->arena, "https://%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port),
        "KUBERNETES_SERVICE_HOST", err);
    if (r < 0)
        return r;
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    r = ck_file_read(ck_arena_printf(k->arena, "%s/ca.crt", dir), TOKEN_MAX, &text, err);
    if (r < 0)
        return ck_fail(err, CK_UNAUTHENTICATED, "the pod's service account has no usable %s/ca.crt",
                       dir);
    k->tls.ca = ck_arena_slice(k->arena, ck_buf_slice(&text));
    k->tls.hint = "the service account's ca.crt does not belong to this server";
    ck_buf_reset(&text);
    if (ck_file_read(ck_arena_printf(k->arena, "%s/namespace", dir), 256, &text, NULL) == 0) {
        struct ck_slice t = ck_slice_trim(ck_buf_slice(&text));
        k->namespace_name = ck_arena_strndup(k->arena, t.ptr, t.len);
    }
    return 0;
}

static const char *listed(struct ck_buf *tried)
{
    while (tried->len && tried->ptr[tried->len - 1] == '\n')
        tried->ptr[--tried->len] = '\0';
    return ck_buf_str(tried);
}

static int find(struct ck_kube *k, const char *context, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf tried = CK_BUF_INIT;
    int r = ck_crypto_load(err);
    if (r == 0)
        r = ck_kube_from_files(k, context, &tried, err);
    if (r != -(int)CK_NOT_FOUND)
        return r;
    if (*context)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "there is no kubeconfig to look for context \"%s\" in; tried:\n%s", context,
                       listed(&tried));
    r = from_pod(k, &tried, err);
    if (r == -(int)CK_NOT_FOUND)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "no way to reach a Kubernetes API was found; tried:\n%s", listed(&tried));
    return r;
}

int ck_kube_open(const struct ck_env *env, const char *context, struct ck_kube **ret,
                 struct ck_err *err)
{
    CK_AUTOERR own = CK_ERR_INIT;
    struct ck_kube *k = ck_xcalloc(1, sizeof *k);
    k->env = env;
    k->arena = ck_arena_new();
    ck_arena_set_wipe(k->arena);
    k->context = k->cluster = k->user = k->namespace_name = k->token = k->token_file = "";
    k->identity = k->server = "";
    int r = find(k, context, &own);
    if (r < 0) {
        ck_kube_free(k);
        return err ? ck_err_move(err, &own) : r;
    }
    *ret = k;
    return 0;
}

void ck_kube_free(struct ck_kube *k)
{
    if (!k)
        return;
    ck_buf_wipe(&k->live);
    ck_buf_wipe(&k->cert);
    ck_buf_wipe(&k->key);
    ck_arena_free(k->arena);
    free(k);
}

const char *ck_kube_namespace(const struct ck_kube *k)
{
    return k->namespace_name;
}

const char *ck_kube_server(const struct ck_kube *k)
{
    return k->server;
}

const char *ck_kube_identity(const struct ck_kube *k)
{
    return k->identity;
}

/* ---- credentials of a request ---- */

/* The token file's content; the last one that could be read stays good, as in client-go. */
static int read_token(struct ck_kube *k, bool *ret_changed, struct ck_err *err)
{
    CK_CLEANUP(ck_buf_wipe) struct ck_buf text = CK_BUF_INIT;
    int r = ck_file_read(k->token_file, TOKEN_MAX, &text, err);
    struct ck_slice t = ck_slice_trim(ck_buf_slice(&text));
    k->read_at_ms = ck_mono_ms();
    *ret_changed = false;
    if (r < 0 || !t.len || memchr(t.ptr, '\n', t.len)) {
        const char *fallback = k->live.len ? ck_buf_str(&k->live) : k->token;
        if (!*fallback)
            return r < 0 ? ck_fail(err, CK_UNAUTHENTICATED, "%s: its token file %s cannot be read",
                                   k->identity, k->token_file)
                         : ck_fail(err, CK_UNAUTHENTICATED, "%s: there is no token in %s",
                                   k->identity, k->token_file);
        if (err)
            ck_err_done(err);
        if (!k->live.len)
            ck_buf_puts(&k->live, fallback);
        return 0;
    }
    *ret_changed = !ck_slice_eq(t, ck_buf_slice(&k->live));
    ck_buf_wipe(&k->live);
    ck_buf_put(&k->live, t);
    return 0;
}

/* Make k->live good for a request made now. */
static int renew(struct ck_kube *k, struct ck_err *err)
{
    int64_t now = ck_mono_ms();
    bool changed;
    if (*k->token_file) {
        if (k->have && !k->forced && now - k->read_at_ms < REREAD_MS)
            return 0;
        int r = read_token(k, &changed, err);
        if (r < 0)
            return r;
    } else if (k->has_exec) {
        bool ended = k->live_until_s && ck_now_s() + EARLY_S >= k->live_until_s;
        if (k->have && !k->forced && !ended)
            return 0;
        ck_debug(4, "running the exec plug-in %s", k->exec.command);
        int r = ck_kube_run_exec(k, err);
        if (r < 0)
            return r;
    } else if (!k->have) {
        ck_buf_puts(&k->live, k->token);
    }
    k->have = true;
    k->forced = false;
    return 0;
}

static int sign(void *arg, struct ck_arena *a, struct ck_req *r, struct ck_err *err)
{
    struct ck_kube *k = arg;
    int rc = renew(k, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < k->as.n; i++)
        ck_nvs_add(a, &r->headers, k->as.v[i].name, k->as.v[i].value);
    if (!k->live.len && !k->basic)
        return 0;
    if (strcmp(r->scheme, "http") == 0 && !ck_host_is_loopback(r->host))
        return ck_fail(err, CK_INVALID,
                       "%s: its credentials are not sent to %s without TLS; give the server an "
                       "https:// URL",
                       k->identity, k->server);
    if (k->live.len)
        ck_nvs_addf(a, &r->headers, "authorization", "Bearer %s", ck_buf_str(&k->live));
    else
        ck_nvs_addf(a, &r->headers, "authorization", "Basic %s", k->basic);
    return 0;
}

/* Refused: once more with what the token file or the plug-in gives now. Many requests may be
 * refused at once, so one renewal serves all of a second. */
static bool again(void *arg, struct ck_req *r, const struct ck_resp *resp)
{
    struct ck_kube *k = arg;
    if (resp->status != 401 || resp->attempts > 1)
        return false;
    int64_t now = ck_mono_ms();
    bool recent = k->forced_at_ms && now - k->forced_at_ms < FORCED_PAUSE_MS;
    if (*k->token_file) {
        bool changed = false;
        CK_AUTOERR err = CK_ERR_INIT;
        k->forced_at_ms = now;
        return read_token(k, &changed, &err) == 0 && (changed || recent);
    }
    if (!k->has_exec)
        return false;
    if (!recent) {
        k->forced = true;
        k->forced_at_ms = now;
    }
    return true;
}

void ck_kube_request(struct ck_arena *a, struct ck_kube *k, const char *method, const char *path,
                     struct ck_req *ret)
{
    *ret = k->base;
    ret->method = method;
    ret->raw_path = NULL;
    ret->path = ck_arena_printf(a, "%s%s", k->base.path, path);
    ret->tls = &k->tls;
    ret->proxy = k->proxy;
    ret->sign = sign;
    ret->sign_arg = k;
    ret->again = again;
    ret->again_arg = k;
}

void ck_kube_explain(struct ck_kube *k, struct ck_buf *out)
{
    if (k->cert_expires_s && k->cert_expires_s < ck_now_s()) {
        char when[21];
        ck_rfc3339(k->cert_expires_s, when);
        ck_buf_fmt(out, "its client certificate ended at %s", when);
    } else if (*k->token_file) {
        ck_buf_fmt(out, "the token in %s is not accepted there", k->token_file);
    } else if (k->has_exec) {
        ck_buf_fmt(out, "what the exec plug-in %s gives is not accepted there", k->exec.command);
    } else if (*k->token) {
        ck_buf_puts(out, "its token is not accepted there");
    } else if (k->basic) {
        ck_buf_puts(out, "its user name and password are not accepted there");
    } else if (k->tls.cert.len) {
        ck_buf_puts(out, "its client certificate is not accepted there");
    } else {
        ck_buf_puts(out, "the kubeconfig has no credentials for it");
    }
}
