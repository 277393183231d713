/* The API server behind a k8s:// location: requests, and what its refusals mean to a person.
 * Retries of 429, 5xx and broken connections are the HTTP layer's; credentials are auth/kube's. */
#include "vfs/k8s/k8s.h"

#include "crypto/hash.h"
#include "doc/json.h"

#include <string.h>

enum {
    DEFAULT_PARALLEL = 64, /* the server gives one user a few hundred seats at most */
    REPLY_MAX = 64 << 20,
    BODY_ROOM = 1 << 20, /* of a Secret's JSON besides its content */
};

#define PARTIAL(kind) "application/json;as=" kind ";g=meta.k8s.io;v=v1,application/json"

struct ck_http *ck_k8s_http(struct ck_k8s *s)
{
    struct ck_vfs_ctx *ctx = s->base.ctx;
    if (!ctx->http) {
        ctx->http = ck_http_new(ctx->env, NULL, NULL);
        ck_http_set_parallel(ctx->http, ctx->parallel ? ctx->parallel : DEFAULT_PARALLEL);
    }
    return ctx->http;
}

int ck_k8s_prepare(struct ck_k8s *s, struct ck_err *err)
{
    if (s->ready)
        return 0;
    struct ck_vfs_ctx *ctx = s->base.ctx;
    int r = ck_crypto_load(err);
    if (r == 0 && !s->kube)
        r = ck_kube_open(ctx->env, s->context, &s->kube, err);
    if (r < 0)
        return err ? ck_wrap(err, "k8s://%s", s->context) : r;
    const char *ns = s->given_namespace;
    if (!*ns)
        ns = ck_kube_namespace(s->kube);
    if (!*ns)
        ns = "kops-state";
    char near[64];
    if (!ck_k8s_namespace_ok(ns, near))
        return ck_fail(err, CK_INVALID,
                       "the context's namespace \"%.80s\" is no name of a namespace; the nearest "
                       "that works is \"%s\"",
                       ns, near);
    s->namespace_name = ck_arena_strdup(ctx->arena, ns);
    s->secrets = ck_arena_printf(ctx->arena, "/api/v1/namespaces/%s/secrets", ns);
    s->ready = true;
    return 0;
}

/* Content travels as base64 within JSON. */
static size_t reply_max(const struct ck_k8s *s)
{
    size_t max = s->base.ctx->max_object;
    return max ? max / 3 * 4 + BODY_ROOM : REPLY_MAX;
}

void ck_k8s_request(struct ck_arena *a, struct ck_k8s *s, const char *method, const char *name,
                    bool meta, struct ck_req *ret)
{
    const char *path = name ? ck_arena_printf(a, "%s/%s", s->secrets, name) : s->secrets;
    ck_kube_request(a, s->kube, method, path, ret);
    ret->timeout_ms = s->base.ctx->timeout_ms;
    ret->max_reply = reply_max(s);
    ret->retry = CK_RETRY_SAFE;
    ret->bucket = "k8s";
    bool list = !name && strcmp(method, "GET") == 0;
    ck_nvs_add(a, &ret->headers, "accept",
               !meta  ? "application/json"
               : list ? PARTIAL("PartialObjectMetadataList")
                      : PARTIAL("PartialObjectMetadata"));
}

int ck_k8s_send(struct ck_k8s *s, const struct ck_req *r, struct ck_resp *ret, struct ck_err *err)
{
    return ck_http_do(ck_k8s_http(s), r, ret, err);
}

const char *ck_k8s_where(struct ck_k8s *s, const char *key, struct ck_arena *a)
{
    return s->base.ops->text(&s->base, key ? key : "", a);
}

/* ---- replies ---- */

int ck_k8s_body(struct ck_k8s *s, struct ck_arena *a, const struct ck_resp *resp,
                struct ck_val **ret, struct ck_err *err)
{
    ck_arena_set_wipe(a);
    if (resp->body.len && ck_json_parse(a, ck_buf_slice(&resp->body), REPLY_MAX, ret, NULL) == 0 &&
        ck_is_map(*ret) && *ck_str_at(*ret, "kind"))
        return 0;
    return ck_fail(err, CK_UNAVAILABLE, "what answered at %s is no Kubernetes API",
                   ck_kube_server(s->kube));
}

/* The Status object of a refusal; NULL when it is none: a proxy's page, or nothing. */
static const struct ck_val *status_of(struct ck_arena *a, const struct ck_resp *resp)
{
    struct ck_val *v = NULL;
    if (!resp->body.len || ck_json_parse(a, ck_buf_slice(&resp->body), REPLY_MAX, &v, NULL) < 0)
        return NULL;
    return strcmp(ck_str_at(v, "kind"), "Status") == 0 ? v : NULL;
}

bool ck_k8s_reason(const struct ck_resp *resp, const char *reason)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    return strcmp(ck_str_at(status_of(a, resp), "reason"), reason) == 0;
}

static enum ck_code class_of(int status, const struct ck_val *v)
{
    const char *kind = ck_str_at(v, "details.kind");
    /* A missing namespace, or a server that knows no Secrets, is not a missing file. */
    if (status == 404 && !(v && (!*kind || strcmp(kind, "secrets") == 0)))
        return CK_INVALID;
    return status == 410 ? CK_UNAVAILABLE : ck_http_class(status);
}

static void put_hint(struct ck_buf *b, struct ck_k8s *s, int status, const struct ck_val *v)
{
    const char *ns = s->namespace_name;
    if (!v && status != 401 && status != 403)
        ck_buf_fmt(b, "what answered at %s is no Kubernetes API", ck_kube_server(s->kube));
    else if (status == 401 ||
             (status == 403 && strstr(ck_str_at(v, "message"), "\"system:anonymous\"")))
        ck_kube_explain(s->kube, b); /* who is nobody to the server lacks no role */
    else if (status == 403 && strstr(ck_str_at(v, "message"), " cannot "))
        ck_buf_fmt(b,
                   "a role is needed that allows get, list, create, update and delete on secrets "
                   "in namespace %s",
                   ns);
    else if (status == 422 && strstr(ck_str_at(v, "message"), "immutable"))
        ck_buf_puts(b, "it was made by hand, with another type or as immutable: copy its content, "
                       "delete the Secret and write the file again");
    else if (status == 404 && strcmp(ck_str_at(v, "details.kind"), "namespaces") == 0)
        ck_buf_fmt(b, "create it: kubectl create namespace %s", ns);
}

int ck_k8s_fail(struct ck_k8s *s, const struct ck_resp *resp, const char *verb, const char *action,
                const char *key, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const struct ck_val *v = status_of(a, resp);
    struct ck_refusal why = {
        .status = resp->status,
        .class = class_of(resp->status, v),
        .code = ck_str_at(v, "reason"),
        .message = ck_slice_trim(ck_slice_of(ck_str_at(v, "message"))),
    };
    if (ck_slice_eq_str(why.message, why.code))
        why.message = CK_S("");
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT, hint = CK_BUF_INIT;
    ck_buf_fmt(&b, "error %s %s: %s secrets in namespace %s of %s as %s", verb,
               ck_k8s_where(s, key, a), action, s->namespace_name, ck_kube_server(s->kube),
               ck_kube_identity(s->kube));
    put_hint(&hint, s, resp->status, v);
    return ck_refused(&why, ck_buf_str(&b), ck_buf_str(&hint), err);
}

int ck_k8s_wrap(struct ck_k8s *s, const char *verb, const char *action, const char *key,
                struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    return ck_wrap(err, "error %s %s: %s secrets in namespace %s", verb, ck_k8s_where(s, key, a),
                   action, s->namespace_name);
}
