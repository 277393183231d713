/* Endpoint, signatures and error replies of Azure Blob Storage. */
#include "vfs/azure/azure.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "doc/xml.h"

#include <string.h>

enum { ATTEMPTS = 5, ERROR_MAX = 1 << 20, MAX_SKEW_S = 7 * 24 * 3600, SKEW_S = 60 };

#define API_VERSION "2023-11-03"
#define RESOURCE    "https://storage.azure.com"

/* ---- endpoint and identity ---- */

static int endpoint(struct ck_azure *z, struct ck_err *err)
{
    struct ck_arena *a = z->base.base.ctx->arena;
    const char *url = ck_env_nonempty(z->base.base.ctx->env, "CKOPS_AZURE_ENDPOINT");
    if (!url) {
        z->url_scheme = "https";
        z->host = ck_arena_printf(a, "%s.blob.core.windows.net", z->account);
        z->base_path = "";
        return 0;
    }
    struct ck_req r = {0};
    CK_AUTOERR why = CK_ERR_INIT;
    if (ck_url_parse(a, url, &r, &why) < 0 || r.query.n)
        return ck_fail(err, CK_INVALID,
                       "CKOPS_AZURE_ENDPOINT is not usable: give the http(s):// URL of the "
                       "account's blob service");
    if (z->auth != CK_AZURE_KEY && strcmp(r.scheme, "https") != 0 && !ck_host_is_loopback(r.host))
        return ck_fail(err, CK_INVALID,
                       "CKOPS_AZURE_ENDPOINT: tokens are not sent to %s without TLS", r.host);
    size_t n = strlen(r.path);
    while (n && r.path[n - 1] == '/')
        n--;
    z->url_scheme = r.scheme;
    z->host = r.host;
    z->port = r.port;
    z->base_path = ck_arena_strndup(a, r.path, n);
    return 0;
}

static int take_sas(struct ck_azure *z, const char *text, struct ck_err *err)
{
    struct ck_arena *a = z->base.base.ctx->arena;
    struct ck_req r = {0};
    CK_AUTOERR why = CK_ERR_INIT; /* which might show the signature */
    const char *query = text + (*text == '?');
    if (ck_url_parse(a, ck_arena_printf(a, "https://sas/?%s", query), &r, &why) < 0 ||
        !ck_nvs_get(&r.query, "sig"))
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "AZURE_STORAGE_SAS_TOKEN is no shared access signature: it has no sig=");
    z->sas = r.query;
    return 0;
}

/* The account's key, then a shared access signature, then a token. */
static int identity(struct ck_azure *z, struct ck_err *err)
{
    const struct ck_env *env = z->base.base.ctx->env;
    const char *key = ck_env_nonempty(env, "AZURE_STORAGE_KEY");
    const char *sas = ck_env_nonempty(env, "AZURE_STORAGE_SAS_TOKEN");
    if (key) {
        z->auth = CK_AZURE_KEY;
        ck_secret_done(&z->key);
        z->key = CK_SECRET_INIT;
        if (!ck_base64_decode(ck_secret_sink(&z->key), ck_slice_trim(ck_slice_of(key))))
            return ck_fail(err, CK_UNAUTHENTICATED, "AZURE_STORAGE_KEY is not base64");
        return 0;
    }
    z->auth = sas ? CK_AZURE_SAS : CK_AZURE_TOKEN;
    if (sas)
        return take_sas(z, sas, err);
    const struct ck_azure_config cfg = {
        .env = env, .http = ck_object_http(&z->base.base), .resource = RESOURCE};
    if (!z->tokens)
        z->tokens = ck_azure_source_new(&cfg);
    return 0;
}

int ck_azure_prepare(struct ck_vfs *v, struct ck_err *err)
{
    struct ck_azure *z = (struct ck_azure *)v;
    if (z->ready)
        return 0;
    int r = ck_crypto_load(err);
    if (r == 0)
        r = identity(z, err);
    if (r == 0)
        r = endpoint(z, err);
    z->create_container = false;
    if (r == 0)
        r = ck_vfs_switch(v->ctx->env, "CKOPS_AZURE_CREATE_CONTAINER", &z->create_container, err);
    if (r < 0)
        return r;
    z->ca_file = ck_env_nonempty(v->ctx->env, "CKOPS_STORE_CA_BUNDLE");
    z->ready = true;
    return 0;
}

/* ---- requests ---- */

static int sign(void *arg, struct ck_arena *a, struct ck_req *r, struct ck_err *err)
{
    struct ck_azure *z = arg;
    const char *token;
    if (z->auth == CK_AZURE_KEY) {
        ck_azure_sign(a, z->account, ck_secret_view(&z->key), ck_now_s() + z->skew_s, r);
        return 0;
    }
    if (z->auth == CK_AZURE_SAS) {
        for (size_t i = 0; i < z->sas.n; i++)
            ck_nvs_add(a, &r->query, z->sas.v[i].name, z->sas.v[i].value);
        return 0;
    }
    int rc = ck_token_get(z->tokens, &token, err);
    if (rc == 0)
        ck_nvs_addf(a, &r->headers, "authorization", "Bearer %s", token);
    return rc;
}

/* A signature is refused when the clocks differ by more than 15 minutes; the server's Date header
 * tells by how much. */
static bool correct_clock(struct ck_azure *z, const struct ck_resp *resp)
{
    const char *date = ck_nvs_get(&resp->headers, "date");
    int64_t server;
    if (z->auth != CK_AZURE_KEY || !date || !ck_http_date_parse(date, &server))
        return false;
    int64_t skew = server - ck_now_s(), change = skew - z->skew_s;
    if ((change < SKEW_S && change > -SKEW_S) || skew > MAX_SKEW_S || skew < -MAX_SKEW_S)
        return false;
    ck_debug(4, "clock differs from %s by %lld s; correcting", z->host, (long long)skew);
    z->skew_s = skew;
    return true;
}

static bool again(void *arg, struct ck_req *r, const struct ck_resp *resp)
{
    struct ck_azure *z = arg;
    if (resp->attempts > 1)
        return false;
    if (resp->status == 403)
        return correct_clock(z, resp);
    return resp->status == 401 && z->tokens && ck_token_refused(z->tokens);
}

void ck_azure_base(struct ck_arena *a, struct ck_azure *z, const char *method, const char *key,
                   struct ck_req *ret)
{
    struct ck_vfs_ctx *ctx = z->base.base.ctx;
    *ret = (struct ck_req){
        .method = method,
        .scheme = z->url_scheme,
        .host = z->host,
        .port = z->port,
        .path =
            ck_arena_printf(a, "%s/%s%s%s", z->base_path, z->blobs, key ? "/" : "", key ? key : ""),
        .max_reply = CK_OBJECT_PAGE_MAX,
        .timeout_ms = ctx->timeout_ms,
        .retry = CK_RETRY_SAFE,
        .attempts = ATTEMPTS,
        .ca_file = z->ca_file,
        .tls = &ck_vfs_tls,
        .bucket = "azure",
        .sign = sign,
        .sign_arg = z,
        .again = again,
        .again_arg = z,
    };
    ck_nvs_add(a, &ret->headers, "x-ms-version", API_VERSION);
}

/* ---- errors ---- */

static const struct ck_val *error_body(const struct ck_resp *resp)
{
    struct ck_val *v = NULL;
    CK_AUTOERR bad = CK_ERR_INIT;
    if (!resp->body.len || !resp->arena ||
        ck_xml_parse(resp->arena, ck_buf_slice(&resp->body), ERROR_MAX, &v, &bad) < 0)
        return NULL;
    return ck_get(v, "Error");
}

const char *ck_azure_code(const struct ck_resp *resp)
{
    const char *code = ck_nvs_get(&resp->headers, "x-ms-error-code");
    return code ? code : ck_str_or(ck_get(error_body(resp), "Code"), "");
}

static const struct ck_refusal_code codes[] = {
    {"AccountIsDisabled", CK_DENIED, "the storage account is disabled"},
    {"AuthenticationFailed", CK_UNAUTHENTICATED, "the key, signature or token is not accepted"},
    {"AuthorizationFailure", CK_DENIED, "the account's network rules or the key do not allow this"},
    {"AuthorizationPermissionMismatch", CK_DENIED,
     "assign the role Storage Blob Data Contributor on the container"},
    {"BlobNotFound", CK_NOT_FOUND, ""},
    {"ContainerBeingDeleted", CK_UNAVAILABLE, "the container is being deleted"},
    {"ContainerNotFound", CK_INVALID, ""},
    {"InvalidAuthenticationInfo", CK_UNAUTHENTICATED,
     "the key, signature or token is not accepted"},
    {"KeyBasedAuthenticationNotPermitted", CK_DENIED,
     "the account accepts no keys: unset AZURE_STORAGE_KEY and sign in"},
    {"LeaseIdMissing", CK_DENIED, "somebody holds a lease on it"},
    {"NoAuthenticationInformation", CK_UNAUTHENTICATED, ""},
    {"PublicAccessNotPermitted", CK_UNAUTHENTICATED, ""},
    {"ResourceNotFound", CK_INVALID, ""},
};

void ck_azure_describe(struct ck_vfs *v, enum ck_object_call call, struct ck_buf *out)
{
    static const char *const names[] = {
        [CK_OBJECT_READ] = "blobs/read",        [CK_OBJECT_FACTS] = "blobs/read",
        [CK_OBJECT_WRITE] = "blobs/write",      [CK_OBJECT_REMOVE] = "blobs/delete",
        [CK_OBJECT_LIST] = "blobs/read (list)", [CK_OBJECT_LIST_VERSIONS] = "blobs/read (list)",
    };
    const struct ck_azure *z = (const struct ck_azure *)v;
    ck_buf_puts(out, names[call]);
    if (z->auth == CK_AZURE_KEY)
        ck_buf_puts(out, " with AZURE_STORAGE_KEY");
    else if (z->auth == CK_AZURE_SAS)
        ck_buf_puts(out, " with AZURE_STORAGE_SAS_TOKEN");
    else if (z->tokens && *z->tokens->identity)
        ck_buf_fmt(out, " as %s (from %s)", z->tokens->identity, z->tokens->origin);
}

int ck_azure_fail(struct ck_vfs *v, enum ck_object_call call, const char *key,
                  const struct ck_resp *resp, struct ck_err *err)
{
    struct ck_azure *z = (struct ck_azure *)v;
    const char *code = ck_azure_code(resp), *hint;
    enum ck_code class = ck_refusal_class(codes, CK_ARRAY_LEN(codes), resp->status, code, &hint);
    if (resp->status == 401 && !*hint)
        hint = "the key, signature or token is not accepted";
    bool no_container = strcmp(code, "ContainerNotFound") == 0 ||
                        strcmp(code, "ResourceNotFound") == 0 ||
                        (resp->status == 404 && !*code && call == CK_OBJECT_WRITE);
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT, missing = CK_BUF_INIT;
    ck_object_where(v, call, key, &b);
    ck_buf_fmt(&missing, "the container \"%s\" does not exist at %s", z->blobs, z->host);
    const struct ck_refusal why = {
        .status = resp->status,
        .class = no_container ? CK_INVALID : class,
        .code = code,
        .message = ck_slice_of(ck_str_or(ck_get(error_body(resp), "Message"), "")),
        .request_id = ck_nvs_get(&resp->headers, "x-ms-request-id"),
    };
    return ck_refused(&why, ck_buf_str(&b), no_container ? ck_buf_str(&missing) : hint, err);
}
