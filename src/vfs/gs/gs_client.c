/* Endpoint, bearer tokens and error replies of Google Cloud Storage. An authentication problem is
 * reported at once; kOps tries it five times, for eight seconds. */
#include "vfs/gs/gs.h"

#include "base/enc.h"
#include "crypto/hash.h"
#include "doc/json.h"

#include <string.h>

enum { ATTEMPTS = 5, ERROR_MAX = 1 << 20 };

#define SCOPE "https://www.googleapis.com/auth/devstorage.full_control"

/* ---- endpoint ---- */

static bool host_name(const char *s)
{
    return *s && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(s);
}

static int endpoint(struct ck_gs *g, const char *variable, const char *url, bool tokens,
                    struct ck_err *err)
{
    struct ck_arena *a = g->base.base.ctx->arena;
    if (!strstr(url, "://"))
        url = ck_arena_printf(a, "%s://%s", tokens ? "https" : "http", url);
    struct ck_req r = {0};
    CK_AUTOERR why = CK_ERR_INIT;
    if (ck_url_parse(a, url, &r, &why) < 0 || r.query.n)
        return ck_fail(err, CK_INVALID,
                       "%s is not usable: give HOST:PORT or an http(s):// URL without a query",
                       variable);
    if (tokens && strcmp(r.scheme, "https") != 0 && !ck_host_is_loopback(r.host))
        return ck_fail(err, CK_INVALID, "%s: tokens are not sent to %s without TLS", variable,
                       r.host);
    size_t n = strlen(r.path);
    while (n && r.path[n - 1] == '/')
        n--;
    g->url_scheme = r.scheme;
    g->host = r.host;
    g->port = r.port;
    g->base_path = ck_arena_strndup(a, r.path, n);
    return 0;
}

static int choose_endpoint(struct ck_gs *g, bool *ret_tokens, struct ck_err *err)
{
    const struct ck_env *env = g->base.base.ctx->env;
    const char *own = ck_env_nonempty(env, "CKOPS_GS_ENDPOINT");
    const char *emulator = ck_env_nonempty(env, "STORAGE_EMULATOR_HOST");
    const char *universe = ck_env_nonempty(env, "GOOGLE_CLOUD_UNIVERSE_DOMAIN");
    *ret_tokens = own || !emulator;
    if (own)
        return endpoint(g, "CKOPS_GS_ENDPOINT", own, true, err);
    if (emulator)
        return endpoint(g, "STORAGE_EMULATOR_HOST", emulator, false, err);
    if (universe && !host_name(universe))
        return ck_fail(err, CK_INVALID, "GOOGLE_CLOUD_UNIVERSE_DOMAIN is not a domain name");
    g->url_scheme = "https";
    g->host = ck_arena_printf(g->base.base.ctx->arena, "storage.%s",
                              universe ? universe : "googleapis.com");
    g->base_path = "";
    return 0;
}

int ck_gs_prepare(struct ck_vfs *v, struct ck_err *err)
{
    struct ck_gs *g = (struct ck_gs *)v;
    if (g->ready)
        return 0;
    bool tokens;
    int r = ck_crypto_load(err);
    if (r == 0)
        r = choose_endpoint(g, &tokens, err);
    if (r < 0)
        return r;
    g->ca_file = ck_env_nonempty(v->ctx->env, "CKOPS_STORE_CA_BUNDLE");
    if (tokens && !g->tokens) {
        const struct ck_gcp_config cfg = {
            .env = v->ctx->env, .http = ck_object_http(v), .scope = SCOPE};
        g->tokens = ck_gcp_source_new(&cfg);
    }
    g->ready = true;
    return 0;
}

/* ---- requests ---- */

static int sign(void *arg, struct ck_arena *a, struct ck_req *r, struct ck_err *err)
{
    struct ck_gs *g = arg;
    const char *token;
    int rc = ck_token_get(g->tokens, &token, err);
    if (rc < 0)
        return rc;
    ck_nvs_addf(a, &r->headers, "authorization", "Bearer %s", token);
    const char *project = ck_gcp_quota_project(g->tokens);
    if (project)
        ck_nvs_add(a, &r->headers, "x-goog-user-project", project);
    return 0;
}

/* The token may have been taken back before its time; and 408 means "once more" here. */
static bool again(void *arg, struct ck_req *r, const struct ck_resp *resp)
{
    struct ck_gs *g = arg;
    if (resp->attempts > 1)
        return false;
    return resp->status == 408 || (resp->status == 401 && g->tokens && ck_token_refused(g->tokens));
}

void ck_gs_base(struct ck_arena *a, struct ck_gs *g, const char *method, const char *path,
                struct ck_req *ret)
{
    struct ck_vfs_ctx *ctx = g->base.base.ctx;
    *ret = (struct ck_req){
        .method = method,
        .scheme = g->url_scheme,
        .host = g->host,
        .port = g->port,
        .max_reply = CK_OBJECT_PAGE_MAX,
        .timeout_ms = ctx->timeout_ms,
        .retry = CK_RETRY_SAFE,
        .attempts = ATTEMPTS,
        .ca_file = g->ca_file,
        .tls = &ck_vfs_tls,
        .bucket = "gs",
        .sign = g->tokens ? sign : NULL,
        .sign_arg = g,
        .again = again,
        .again_arg = g,
    };
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_pct_encode(&b, ck_slice_of(g->base_path), CK_PCT_PATH);
    ck_buf_puts(&b, path);
    ret->path = ret->raw_path = ck_arena_strdup(a, ck_buf_str(&b));
}

const char *ck_gs_path(struct ck_arena *a, struct ck_gs *g, const char *key)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_puts(&b, "/storage/v1/b/");
    ck_pct_encode(&b, ck_slice_of(g->base.base.container), CK_PCT_UNRESERVED);
    ck_buf_puts(&b, "/o");
    if (key) {
        ck_buf_putc(&b, '/');
        ck_pct_encode(&b, ck_slice_of(key), CK_PCT_UNRESERVED);
    }
    return ck_arena_strdup(a, ck_buf_str(&b));
}

/* ---- errors ---- */

struct reason {
    const char *code, *message;
};

/* {"error": {"message": …, "errors": [{"reason": …}]}}; downloads answer with plain text. */
static struct reason reason_of(const struct ck_resp *resp)
{
    struct reason r = {"", ""};
    struct ck_val *v = NULL;
    CK_AUTOERR bad = CK_ERR_INIT;
    if (!resp->body.len || !resp->arena)
        return r;
    if (ck_json_parse(resp->arena, ck_buf_slice(&resp->body), ERROR_MAX, &v, &bad) == 0) {
        const struct ck_val *e = ck_get(v, "error");
        r.code = ck_str_at(ck_item(ck_get(e, "errors"), 0), "reason");
        r.message = ck_str_at(e, "message");
    } else if (resp->body.ptr[0] != '<') {
        struct ck_slice t = ck_slice_trim(ck_buf_slice(&resp->body));
        r.message = ck_arena_strndup(resp->arena, t.ptr, t.len);
    }
    return r;
}

static enum ck_code class_of(int status, const char *code)
{
    bool rate =
        strcmp(code, "rateLimitExceeded") == 0 || strcmp(code, "userRateLimitExceeded") == 0;
    return status < 300 || (status == 403 && rate) ? CK_UNAVAILABLE : ck_http_class(status);
}

/* Whether a listing of the bucket says that there is none. */
static bool probe_says_missing(struct ck_gs *g)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_gs_base(a, g, "GET", ck_gs_path(a, g, NULL), &req);
    ck_nvs_add(a, &req.query, "fields", "kind");
    ck_nvs_add(a, &req.query, "maxResults", "1");
    CK_AUTORESP resp = {0};
    CK_AUTOERR ignored = CK_ERR_INIT;
    if (ck_http_do(ck_object_http(&g->base.base), &req, &resp, &ignored) < 0)
        return false;
    /* Not allowed to list: the object is all that can be spoken of, now and later. */
    g->base.container_seen = resp.status != 404;
    return resp.status == 404;
}

/* The reply to a call on an object does not always say what is missing: kOps takes a missing bucket
 * for an empty one. */
static bool bucket_is_missing(struct ck_gs *g, enum ck_object_call call, const struct reason *why)
{
    if (call == CK_OBJECT_LIST || call == CK_OBJECT_LIST_VERSIONS || call == CK_OBJECT_WRITE)
        return true;
    if (strstr(why->message, "bucket does not exist"))
        return true;
    if (ck_str_starts(why->message, "No such object") || g->base.container_seen)
        return false;
    return probe_says_missing(g);
}

static const char *permission(enum ck_object_call call)
{
    return ck_permissions_of("gs")->name[ck_object_permission(call)];
}

void ck_gs_describe(struct ck_vfs *v, enum ck_object_call call, struct ck_buf *out)
{
    const struct ck_gs *g = (const struct ck_gs *)v;
    ck_buf_puts(out, permission(call));
    if (g->tokens && *g->tokens->identity)
        ck_buf_fmt(out, " as %s (from %s)", g->tokens->identity, g->tokens->origin);
    else if (g->tokens && *g->tokens->origin)
        ck_buf_fmt(out, " with credentials from %s", g->tokens->origin);
}

static void put_hint(struct ck_buf *b, struct ck_gs *g, enum ck_object_call call,
                     enum ck_code class, bool no_bucket)
{
    const char *bucket = g->base.base.container;
    if (no_bucket)
        ck_buf_fmt(b, "the bucket \"%s\" does not exist at %s", bucket, g->host);
    else if (class == CK_UNAUTHENTICATED)
        ck_buf_puts(b, g->tokens ? "the token is not accepted there"
                                 : "STORAGE_EMULATOR_HOST turns credentials off");
    else if (class == CK_DENIED)
        ck_buf_fmt(b, "allow %s on gs://%s (it is part of roles/storage.objectAdmin)",
                   permission(call), bucket);
}

int ck_gs_fail(struct ck_vfs *v, enum ck_object_call call, const char *key,
               const struct ck_resp *resp, struct ck_err *err)
{
    struct ck_gs *g = (struct ck_gs *)v;
    struct reason said = reason_of(resp);
    bool no_bucket = resp->status == 404 && bucket_is_missing(g, call, &said);
    const struct ck_refusal why = {
        .status = resp->status,
        .class = no_bucket ? CK_INVALID : class_of(resp->status, said.code),
        .code = resp->status == 200 ? "the server stored other content than was sent" : said.code,
        .message = ck_slice_of(said.message),
    };
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT, hint = CK_BUF_INIT;
    ck_object_where(v, call, key, &b);
    put_hint(&hint, g, call, why.class, no_bucket);
    return ck_refused(&why, ck_buf_str(&b), ck_buf_str(&hint), err);
}
