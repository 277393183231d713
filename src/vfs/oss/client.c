/* Endpoint, signatures and error replies of Alibaba Cloud OSS. */
#include "vfs/oss/oss.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "doc/xml.h"

#include <string.h>

enum { ATTEMPTS = 4, ERROR_MAX = 1 << 20, MAX_SKEW_S = 7 * 24 * 3600, SKEW_S = 60 };

/* ---- endpoint ---- */

static bool is_address(const char *host)
{
    return strchr(host, ':') || strspn(host, "0123456789.") == strlen(host) ||
           strcmp(host, "localhost") == 0;
}

/* An installation of one's own, or a server for tests: there the path holds the bucket. */
static int own_endpoint(struct ck_oss *s, const char *url, struct ck_err *err)
{
    struct ck_arena *a = s->base.base.ctx->arena;
    struct ck_req r = {0};
    CK_AUTOERR why = CK_ERR_INIT;
    if (!strstr(url, "://"))
        url = ck_arena_printf(a, "https://%s", url);
    if (ck_url_parse(a, url, &r, &why) < 0 || r.query.n || strcmp(r.path, "/") != 0)
        return ck_fail(err, CK_INVALID,
                       "CKOPS_OSS_ENDPOINT is not usable: give a host name or an http(s):// URL "
                       "without a path");
    s->url_scheme = r.scheme;
    s->host = r.host;
    s->port = r.port;
    s->path_style = is_address(r.host);
    return 0;
}

/* "cn-hangzhou" of "oss-cn-hangzhou-internal". */
static int take_region(struct ck_oss *s, const char *text, bool *internal, struct ck_err *err)
{
    static const char inside[] = "-internal";
    size_t n = strlen(text);
    if (ck_str_starts(text, "oss-")) {
        text += 4;
        n -= 4;
    }
    if (ck_str_ends(text, inside)) {
        n -= strlen(inside);
        *internal = true;
    }
    s->region = ck_arena_strndup(s->base.base.ctx->arena, text, n);
    if (!n || n > 40 || strspn(s->region, "abcdefghijklmnopqrstuvwxyz0123456789-") != n)
        return ck_fail(err, CK_INVALID,
                       "error building aliyun oss client: OSS_REGION is no region: give one like "
                       "cn-hangzhou");
    return 0;
}

static int endpoint(struct ck_oss *s, struct ck_err *err)
{
    struct ck_vfs_ctx *ctx = s->base.base.ctx;
    const char *region = ck_env_nonempty(ctx->env, "OSS_REGION");
    const char *own = ck_env_nonempty(ctx->env, "CKOPS_OSS_ENDPOINT");
    /* kOps takes any value for yes, and so do the scripts made for it. */
    bool internal = ck_env_nonempty(ctx->env, "ALIYUN_OSS_INTERNAL") != NULL;
    int r = 0;
    if (!region && !own) {
        const struct ck_alicloud_config cfg = {ctx->env, ck_object_http(&s->base.base)};
        r = ck_alicloud_instance_region(ctx->arena, &cfg, &region, err);
        if (r < 0)
            return ck_wrap(err, "error building aliyun oss client: OSS_REGION is not set");
    }
    s->region = "";
    if (region)
        r = take_region(s, region, &internal, err);
    if (r < 0)
        return r;
    if (own)
        return own_endpoint(s, own, err);
    s->url_scheme = "https";
    s->host = ck_arena_printf(ctx->arena, "oss-%s%s.aliyuncs.com", s->region,
                              internal ? "-internal" : "");
    return 0;
}

int ck_oss_prepare(struct ck_vfs *v, struct ck_err *err)
{
    struct ck_oss *s = (struct ck_oss *)v;
    const struct ck_env *env = v->ctx->env;
    if (s->ready)
        return 0;
    int r = ck_crypto_load(err);
    if (r == 0)
        r = endpoint(s, err);
    if (r < 0)
        return r;
    const char *signature = ck_env_nonempty(env, "CKOPS_OSS_SIGNATURE");
    if (signature && strcmp(signature, "v1") != 0 && strcmp(signature, "v4") != 0)
        return ck_fail(err, CK_INVALID, "CKOPS_OSS_SIGNATURE is neither v4 nor v1");
    /* version 4 names the region */
    s->signature = (signature && strcmp(signature, "v1") == 0) || !*s->region ? 1 : 4;
    s->locks = true;
    r = ck_vfs_switch(env, "CKOPS_OSS_LOCKS", &s->locks, err);
    if (r < 0)
        return r;
    s->ca_file = ck_env_nonempty(env, "CKOPS_STORE_CA_BUNDLE");
    const struct ck_alicloud_config cfg = {env, ck_object_http(v)};
    s->creds = ck_alicloud_chain_new(&cfg);
    s->ready = true;
    return 0;
}

/* ---- requests ---- */

static int sign(void *arg, struct ck_arena *a, struct ck_req *r, struct ck_err *err)
{
    struct ck_oss *s = arg;
    CK_CLEANUP(ck_cred_done) struct ck_cred cred = {0};
    const struct ck_oss_signer p = {.version = s->signature,
                                    .region = s->region,
                                    .bucket = s->path_style ? NULL : s->base.base.container,
                                    .skew_s = s->skew_s};
    int rc = s->creds->ops->get(s->creds, &cred, err);
    if (rc < 0)
        return ck_wrap(err, "error building aliyun oss client");
    return ck_oss_sign(a, &p, &cred, ck_now_s(), r, err);
}

static bool correct_clock(struct ck_oss *s, const struct ck_resp *resp)
{
    const char *date = ck_nvs_get(&resp->headers, "date");
    int64_t server;
    if (!date || !ck_http_date_parse(date, &server))
        return false;
    int64_t skew = server - ck_now_s(), change = skew - s->skew_s;
    if ((change < SKEW_S && change > -SKEW_S) || skew > MAX_SKEW_S || skew < -MAX_SKEW_S)
        return false;
    ck_debug(4, "clock differs from %s by %lld s; correcting", s->host, (long long)skew);
    s->skew_s = skew;
    return true;
}

static const struct ck_val *error_body(const struct ck_resp *resp)
{
    struct ck_val *v = NULL;
    CK_AUTOERR bad = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_slice text = ck_buf_slice(&resp->body);
    const char *coded = ck_nvs_get(&resp->headers, "x-oss-err"); /* of replies to HEAD */
    if (!text.len && coded && ck_base64_decode(&b, ck_slice_of(coded)))
        text = ck_buf_slice(&b);
    if (!text.len || !resp->arena ||
        ck_xml_parse(resp->arena, ck_arena_slice(resp->arena, text), ERROR_MAX, &v, &bad) < 0)
        return NULL;
    return ck_get(v, "Error");
}

const char *ck_oss_code(const struct ck_resp *resp)
{
    return ck_str_or(ck_get(error_body(resp), "Code"), "");
}

static bool again(void *arg, struct ck_req *r, const struct ck_resp *resp)
{
    struct ck_oss *s = arg;
    (void)r;
    if ((resp->status != 403 && resp->status != 400) || resp->attempts > 1)
        return false;
    const char *code = ck_oss_code(resp);
    if (strcmp(code, "RequestTimeTooSkewed") == 0)
        return correct_clock(s, resp);
    if (strcmp(code, "SecurityTokenExpired") == 0 || strcmp(code, "InvalidSecurityToken") == 0 ||
        strcmp(code, "InvalidAccessKeyId") == 0)
        return ck_alicloud_refused(s->creds);
    const char *text = ck_str_or(ck_get(error_body(resp), "Message"), "");
    if (s->signature == 4 && strcmp(code, "InvalidArgument") == 0 && strstr(text, "uthorization")) {
        ck_debug(1, "%s does not know signatures of version 4; using version 1", s->host);
        s->signature = 1;
        return true;
    }
    return false;
}

void ck_oss_base(struct ck_arena *a, struct ck_oss *s, const char *method, const char *key,
                 struct ck_req *ret)
{
    const char *bucket = s->base.base.container;
    *ret = (struct ck_req){
        .method = method,
        .scheme = s->url_scheme,
        .host = s->path_style ? s->host : ck_arena_printf(a, "%s.%s", bucket, s->host),
        .port = s->port,
        .path = s->path_style ? ck_arena_printf(a, "/%s/%s", bucket, key ? key : "")
                              : ck_arena_printf(a, "/%s", key ? key : ""),
        .timeout_ms = s->base.base.ctx->timeout_ms,
        .attempts = ATTEMPTS,
        .retry = CK_RETRY_SAFE,
        .ca_file = s->ca_file,
        .tls = &ck_vfs_tls,
        .max_reply = CK_OBJECT_PAGE_MAX,
        .bucket = "oss",
        .sign = sign,
        .sign_arg = s,
        .again = again,
        .again_arg = s,
    };
}

/* ---- errors ---- */

static const struct ck_refusal_code codes[] = {
    {"FileImmutable", CK_DENIED, "the bucket's retention policy forbids it"},
    {"InvalidAccessKeyId", CK_UNAUTHENTICATED, "this access key is not known there"},
    {"InvalidSecurityToken", CK_UNAUTHENTICATED, "the security token is not accepted"},
    {"NoSuchBucket", CK_INVALID, ""},
    {"RequestTimeTooSkewed", CK_UNAUTHENTICATED, "set this machine's clock"},
    {"SecurityTokenExpired", CK_UNAUTHENTICATED, "the session has expired: sign in again"},
    {"SignatureDoesNotMatch", CK_UNAUTHENTICATED,
     "the secret key does not belong to this access key"},
    {"UserDisable", CK_DENIED, "the account is disabled or in arrears"},
};

static const char *action_of(enum ck_object_call call)
{
    if (call == CK_OBJECT_LIST_VERSIONS)
        return "oss:ListObjectVersions";
    return ck_permissions_of("oss")->name[ck_object_permission(call)];
}

void ck_oss_describe(struct ck_vfs *v, enum ck_object_call call, struct ck_buf *out)
{
    const struct ck_oss *s = (const struct ck_oss *)v;
    CK_CLEANUP(ck_cred_done) struct ck_cred c = {0};
    CK_AUTOERR ignored = CK_ERR_INIT;
    ck_buf_puts(out, action_of(call));
    if (s->creds && s->creds->ops->get(s->creds, &c, &ignored) == 0)
        ck_buf_fmt(out, " as %s (from %s)", c.access_key, c.source ? c.source : "?");
}

static void put_hint(struct ck_buf *b, const struct ck_oss *s, const char *code,
                     enum ck_object_call call, const char *key, const struct ck_resp *resp)
{
    const char *bucket = s->base.base.container;
    const char *endpoint = ck_str_or(ck_get(error_body(resp), "Endpoint"), "");
    if (strcmp(code, "NoSuchBucket") == 0)
        ck_buf_fmt(b, "the bucket \"%s\" does not exist at %s", bucket, s->host);
    else if (*endpoint)
        ck_buf_fmt(b, "the bucket is at %.100s, not %s: set OSS_REGION", endpoint, s->host);
    else if (resp->status == 403)
        ck_buf_fmt(b, "allow %s on acs:oss:*:*:%s%s%s", action_of(call), bucket, key ? "/" : "",
                   key ? key : "");
}

int ck_oss_fail(struct ck_vfs *v, enum ck_object_call call, const char *key,
                const struct ck_resp *resp, struct ck_err *err)
{
    struct ck_oss *s = (struct ck_oss *)v;
    const struct ck_val *body = error_body(resp);
    const char *hint;
    struct ck_refusal why = {
        .status = resp->status,
        .code = ck_str_or(ck_get(body, "Code"), ""),
        .message = ck_slice_of(ck_str_or(ck_get(body, "Message"), "")),
        .request_id = ck_nvs_get(&resp->headers, "x-oss-request-id"),
    };
    why.class = ck_refusal_class(codes, CK_ARRAY_LEN(codes), why.status, why.code, &hint);
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT, more = CK_BUF_INIT;
    ck_object_where(v, call, key, &b);
    if (!*hint)
        put_hint(&more, s, why.code, call, key, resp);
    return ck_refused(&why, ck_buf_str(&b), *hint ? hint : ck_buf_str(&more), err);
}
