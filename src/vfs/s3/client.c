/* S3 endpoint, region, signing and errors. Region discovery costs no request of its own: the first
 * reply that names another region moves the bucket there. Mirrors kOps' s3context.go. */
#include "vfs/s3/s3.h"

#include "auth/sigv4.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "doc/xml.h"
#include "vfs/s3/locate.h"

#include <string.h>

enum {
    ERROR_BODY_MAX = 1 << 20,
    MAX_REGION_MOVES = 3,
    MAX_SKEW_S = 7 * 24 * 3600,
    /* At 30 ms a request 10,000 clusters need over 200 at a time to be listed in two seconds; S3
     * takes 5,500 reads a second of one prefix, and slows a client down in the reply if need be. */
    DEFAULT_PARALLEL = 256,
    ARN_TIMEOUT_MS = 2000, /* whom a denial is about is worth a moment, not a deadline */
};

struct ck_http *ck_s3_http(struct ck_s3 *s)
{
    struct ck_vfs_ctx *ctx = s->base.ctx;
    if (!ctx->http) {
        ctx->http = ck_http_new(ctx->env, NULL, NULL);
        ck_http_set_parallel(ctx->http, ctx->parallel ? ctx->parallel : DEFAULT_PARALLEL);
    }
    return ctx->http;
}

/* ---- endpoint ---- */

static bool is_true(const char *v)
{
    return v && (strcmp(v, "true") == 0 || strcmp(v, "True") == 0 || strcmp(v, "1") == 0);
}

/* The regional host of AWS; called again when the region changes. */
static void aws_host(struct ck_s3 *s)
{
    const char *suffix = ck_str_starts(s->region, "cn-") ? "amazonaws.com.cn" : "amazonaws.com";
    s->host = ck_arena_printf(s->base.ctx->arena, "s3%s%s.%s.%s", s->fips ? "-fips" : "",
                              s->dualstack ? ".dualstack" : "", s->region, suffix);
    s->url_scheme = "https";
    s->port = 0;
    s->base_path = "";
}

static int endpoint_url(struct ck_s3 *s, const char *url, const char *variable, struct ck_err *err)
{
    struct ck_arena *a = s->base.ctx->arena;
    /* The providers' own pages show bare host names. */
    if (!strstr(url, "://"))
        url = ck_arena_printf(a, "https://%s", url);
    struct ck_req r = {0};
    int rc = ck_url_parse(a, url, &r, err);
    if (rc < 0 || r.query.n || (strcmp(r.scheme, "http") != 0 && strcmp(r.scheme, "https") != 0))
        return ck_fail(err, CK_INVALID,
                       "%s=%s is not usable: give a host name or an http(s):// URL without a query",
                       variable, url);
    s->url_scheme = r.scheme;
    s->host = r.host;
    s->port = r.port;
    size_t n = strlen(r.path);
    while (n && r.path[n - 1] == '/')
        n--;
    s->base_path = ck_arena_strndup(a, r.path, n);
    return 0;
}

static int prepare_custom(struct ck_s3 *s, struct ck_err *err)
{
    const struct ck_env *env = s->base.ctx->env;
    const char *access = ck_env_nonempty(env, "S3_ACCESS_KEY_ID");
    const char *secret = ck_env_nonempty(env, "S3_SECRET_ACCESS_KEY");
    if (!access)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "S3_ACCESS_KEY_ID cannot be empty when S3_ENDPOINT is not empty");
    if (!secret)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "S3_SECRET_ACCESS_KEY cannot be empty when S3_ENDPOINT is not empty");
    const char *region = ck_env_nonempty(env, "S3_REGION");
    s->region = region ? region : "us-east-1";
    s->creds = ck_static_provider_new(access, secret, ck_env_nonempty(env, "S3_SESSION_TOKEN"));
    return endpoint_url(s, ck_env_nonempty(env, "S3_ENDPOINT"), "S3_ENDPOINT", err);
}

static struct ck_aws_config aws_config(struct ck_s3 *s)
{
    const struct ck_vfs_ctx *ctx = s->base.ctx;
    return (struct ck_aws_config){.env = ctx->env,
                                  .http = ck_s3_http(s),
                                  .profile = ctx->profile,
                                  .mfa = ctx->mfa,
                                  .mfa_arg = ctx->mfa_arg};
}

static int prepare_aws(struct ck_s3 *s, struct ck_err *err)
{
    struct ck_vfs_ctx *ctx = s->base.ctx;
    const struct ck_env *env = ctx->env;
    struct ck_aws_config cfg = aws_config(s);
    int r = ck_aws_region(ctx->arena, &cfg, &s->region, err);
    if (r == 0 && !s->ca_file)
        r = ck_aws_profile_setting(ctx->arena, &cfg, "ca_bundle", &s->ca_file, err);
    if (r < 0)
        return r;
    if (!*s->region)
        s->region = "us-east-1";
    s->creds = ck_aws_chain_new(&cfg);

    const char *name = "AWS_ENDPOINT_URL_S3";
    const char *url = ck_env_nonempty(env, name);
    if (!url)
        url = ck_env_nonempty(env, name = "AWS_ENDPOINT_URL");
    if (url && !is_true(ck_env_get(env, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))) {
        s->endpoint_given = true;
        return endpoint_url(s, url, name, err);
    }
    const char *dual = ck_env_get(env, "AWS_USE_DUALSTACK_ENDPOINT");
    s->dualstack = !(dual && strcmp(dual, "false") == 0);
    s->fips = is_true(ck_env_get(env, "AWS_USE_FIPS_ENDPOINT"));
    s->virtual_host = ck_s3_is_dns_label(s->base.container);
    aws_host(s);
    return 0;
}

int ck_s3_prepare(struct ck_s3 *s, struct ck_err *err)
{
    if (s->ready)
        return 0;
    int loaded = ck_crypto_load(err);
    if (loaded < 0)
        return loaded;
    struct ck_vfs_ctx *ctx = s->base.ctx;
    const struct ck_env *env = ctx->env;
    const char *acl = ck_env_nonempty(env, "KOPS_STATE_S3_ACL");
    if (acl) {
        struct ck_slice t = ck_slice_trim(ck_slice_of(acl));
        s->acl = t.len ? ck_arena_strndup(ctx->arena, t.ptr, t.len) : NULL;
    }
    s->sse = ck_env_nonempty(env, "CKOPS_S3_SSE");
    s->ca_file = ck_env_nonempty(env, "CKOPS_STORE_CA_BUNDLE");
    if (!s->ca_file)
        s->ca_file = ck_env_nonempty(env, "AWS_CA_BUNDLE");
    const char *cond = ck_env_nonempty(env, "CKOPS_S3_CONDITIONAL");
    if (cond && strcmp(cond, "yes") == 0)
        s->conditional = CK_S3_COND_YES;
    else if (cond && strcmp(cond, "no") == 0)
        s->conditional = CK_S3_COND_NO;
    int r = s->custom ? prepare_custom(s, err) : prepare_aws(s, err);
    if (r < 0)
        return r;
    if (!s->custom && !s->endpoint_given && s->conditional == CK_S3_COND_UNKNOWN)
        s->conditional = CK_S3_COND_YES; /* AWS itself, since 2024-08 and 2024-11 */
    s->record = ck_s3_record_open(env);
    s->ready = true;
    return 0;
}

/* ---- requests ---- */

static int sign(void *arg, struct ck_arena *a, struct ck_req *r, struct ck_err *err)
{
    struct ck_s3 *s = arg;
    CK_CLEANUP(ck_cred_done) struct ck_cred cred = {0};
    int rc = s->creds->ops->get(s->creds, &cred, err);
    if (rc < 0)
        return rc;
    const struct ck_sigv4 p = {
        .region = s->region,
        .service = "s3",
        .skew_s = s->skew_s,
        .no_double_encode = true,
        .memo = &s->memo,
    };
    ck_s3_record(s, r);
    return ck_sigv4_sign(a, &p, &cred, ck_now_s(), r, err);
}

/* A server whose clock differs says so; its Date header tells by how much. */
static bool again(void *arg, struct ck_req *r, const struct ck_resp *resp)
{
    struct ck_s3 *s = arg;
    if (resp->status != 403 || resp->attempts > 1)
        return false;
    struct ck_s3_error e;
    ck_s3_error_of(resp, &e);
    if (strcmp(e.code, "RequestTimeTooSkewed") != 0 && strcmp(e.code, "RequestExpired") != 0)
        return false;
    const char *date = ck_nvs_get(&resp->headers, "date");
    int64_t server;
    if (!date || !ck_http_date_parse(date, &server))
        return false;
    int64_t skew = server - ck_now_s();
    if (skew > MAX_SKEW_S || skew < -MAX_SKEW_S)
        return false;
    ck_debug(4, "clock differs from %s by %lld s; correcting", r->host, (long long)skew);
    s->skew_s = skew;
    return true;
}

void ck_s3_request(struct ck_arena *a, struct ck_s3 *s, const char *method, const char *key,
                   struct ck_req *ret)
{
    struct ck_vfs_ctx *ctx = s->base.ctx;
    const char *bucket = s->base.container;
    *ret = (struct ck_req){
        .method = method,
        .scheme = s->url_scheme,
        .host = s->virtual_host ? ck_arena_printf(a, "%s.%s", bucket, s->host) : s->host,
        .port = s->port,
        .max_reply = ctx->max_object,
        .timeout_ms = ctx->timeout_ms,
        .retry = CK_RETRY_SAFE,
        .ca_file = s->ca_file,
        .bucket = "s3",
        .sign = sign,
        .sign_arg = s,
        .again = again,
        .again_arg = s,
    };
    if (s->virtual_host)
        ret->path = ck_arena_printf(a, "%s/%s", s->base_path, key ? key : "");
    else
        ret->path =
            ck_arena_printf(a, "%s/%s%s%s", s->base_path, bucket, key ? "/" : "", key ? key : "");
}

bool ck_s3_follow_region(struct ck_s3 *s, const struct ck_resp *resp)
{
    if (s->custom || resp->status < 300 || resp->status == 404)
        return false;
    struct ck_s3_error e;
    ck_s3_error_of(resp, &e);
    const char *region = ck_nvs_get(&resp->headers, "x-amz-bucket-region");
    if (!region)
        region = *e.region ? e.region : NULL;
    if (!region || strcmp(region, s->region) == 0 || s->generation >= MAX_REGION_MOVES)
        return false;
    /* It becomes part of a host name: nothing but a region's alphabet. */
    if (strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(region) ||
        strlen(region) > 32)
        return false;
    ck_debug(4, "bucket %s is in %s, not %s", s->base.container, region, s->region);
    s->generation++;
    s->region = ck_arena_strdup(s->base.ctx->arena, region);
    if (!s->endpoint_given)
        aws_host(s);
    return true;
}

int ck_s3_send(struct ck_s3 *s, struct ck_req *r, struct ck_resp *ret, struct ck_err *err)
{
    int rc = ck_http_do(ck_s3_http(s), r, ret, err);
    if (rc < 0 || !ck_s3_follow_region(s, ret))
        return rc;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req moved;
    ck_s3_request(a, s, r->method, NULL, &moved);
    r->host = moved.host;
    ck_resp_done(ret);
    return ck_http_do(ck_s3_http(s), r, ret, err);
}

/* ---- errors ---- */

void ck_s3_error_of(const struct ck_resp *resp, struct ck_s3_error *ret)
{
    *ret = (struct ck_s3_error){
        .status = resp->status, .code = "", .message = "", .region = "", .request_id = ""};
    const char *id = ck_nvs_get(&resp->headers, "x-amz-request-id");
    if (id)
        ret->request_id = id;
    struct ck_val *v = NULL;
    /* Proxies and some servers answer with HTML or nothing: the status has to do then. */
    if (resp->body.len == 0 || !resp->arena ||
        ck_xml_parse(resp->arena, ck_buf_slice(&resp->body), ERROR_BODY_MAX, &v, NULL) < 0)
        return;
    const struct ck_val *e = ck_get(v, "Error");
    if (!ck_is_map(e))
        return;
    ret->code = ck_str_at(e, "Code");
    ret->message = ck_str_at(e, "Message");
    ret->region = ck_str_at(e, "Region");
    if (!*ret->request_id)
        ret->request_id = ck_str_at(e, "RequestId");
}

/* What the service's codes mean, where the status does not say it. */
static const struct ck_refusal_code codes[] = {
    {"AuthorizationHeaderMalformed", CK_UNAUTHENTICATED, ""},
    {"ConditionalRequestConflict", CK_CONFLICT, ""},
    {"ExpiredToken", CK_UNAUTHENTICATED, "the session has expired: sign in again"},
    {"InvalidAccessKeyId", CK_UNAUTHENTICATED, "this access key is not known there"},
    {"InvalidToken", CK_UNAUTHENTICATED, ""},
    {"NoSuchBucket", CK_INVALID, ""},
    {"RequestTimeTooSkewed", CK_UNAUTHENTICATED, "set this machine's clock"},
    {"SignatureDoesNotMatch", CK_UNAUTHENTICATED,
     "the secret key does not belong to this access key"},
    {"TokenRefreshRequired", CK_UNAUTHENTICATED, ""},
};

static enum ck_code class_of(int status, const char *code, const char **ret_hint)
{
    enum ck_code class = ck_refusal_class(codes, CK_ARRAY_LEN(codes), status, code, ret_hint);
    /* Of S3's other conflicts none is about the object's version. */
    bool named = strcmp(code, "ConditionalRequestConflict") == 0;
    return status == 409 && class == CK_CONFLICT && !named ? CK_INVALID : class;
}

/* What the user can do about it, where the code does not say it. */
static void put_hint(struct ck_buf *b, struct ck_s3 *s, const char *code, enum ck_code class,
                     const char *action, const char *key)
{
    const char *bucket = s->base.container;
    if (strcmp(code, "NoSuchBucket") == 0)
        ck_buf_fmt(b, "the bucket \"%s\" does not exist at %s", bucket, s->host);
    else if (class == CK_DENIED)
        ck_buf_fmt(b, "allow %s on arn:%s:s3:::%s%s%s", action, ck_aws_partition(s->region), bucket,
                   key ? "/" : "", key ? key : "");
}

void ck_s3_put_advice(struct ck_buf *out, struct ck_s3 *s, int status, const char *code)
{
    const char *hint;
    enum ck_code class = class_of(status, code, &hint);
    if (*hint)
        ck_buf_puts(out, hint);
    else
        put_hint(out, s, code, class, CK_S3_ACTION(LIST_BUCKET), NULL);
}

/* Who asked, by name; once per store, and not where the endpoint is not AWS'. */
static const char *arn_of(struct ck_s3 *s, const struct ck_cred *c)
{
    const struct ck_env *env = s->base.ctx->env;
    if (s->custom || (s->endpoint_given && !ck_env_nonempty(env, "AWS_ENDPOINT_URL_STS")))
        return NULL;
    if (!s->asked_arn) {
        CK_AUTOERR why = CK_ERR_INIT;
        struct ck_aws_config cfg = aws_config(s);
        s->asked_arn = true;
        if (ck_aws_caller_arn(s->base.ctx->arena, &cfg, c, s->region, s->skew_s, ARN_TIMEOUT_MS,
                              &s->arn, &why) < 0) {
            s->arn = NULL;
            ck_debug(4, "whose key this is cannot be told: %s", ck_err_msg(&why));
        }
    }
    return s->arn;
}

static void put_identity(struct ck_buf *b, struct ck_s3 *s, enum ck_code class)
{
    CK_CLEANUP(ck_cred_done) struct ck_cred c = {0};
    if (!s->creds || s->creds->ops->get(s->creds, &c, NULL) != 0)
        return;
    const char *arn = class == CK_DENIED ? arn_of(s, &c) : NULL;
    const char *source = c.source ? c.source : "?";
    if (arn)
        ck_buf_fmt(b, " as %s (%s from %s)", arn, c.access_key, source);
    else
        ck_buf_fmt(b, " as %s (from %s)", c.access_key, source);
}

int ck_s3_identity(struct ck_s3 *s, struct ck_arena *a, const char **ret, struct ck_err *err)
{
    CK_CLEANUP(ck_cred_done) struct ck_cred c = {0};
    int r = s->creds->ops->get(s->creds, &c, err);
    if (r < 0)
        return r;
    const char *arn = arn_of(s, &c), *source = c.source ? c.source : "?";
    *ret = arn ? ck_arena_printf(a, "%s (%s from %s)", arn, c.access_key, source)
               : ck_arena_printf(a, "%s (from %s)", c.access_key, source);
    return 0;
}

static const char *where(struct ck_s3 *s, const char *key, struct ck_buf *b)
{
    ck_buf_fmt(b, "%s://%s/%s", s->env_scheme, s->base.container, key ? key : "");
    return ck_buf_str(b);
}

int ck_s3_fail(struct ck_s3 *s, const struct ck_resp *resp, const char *verb, const char *action,
               const char *key, struct ck_err *err)
{
    struct ck_s3_error e;
    ck_s3_error_of(resp, &e);
    const char *hint;
    const struct ck_refusal why = {
        .status = e.status,
        .class = class_of(e.status, e.code, &hint),
        .code = e.code,
        .message = ck_slice_of(e.message),
        .request_id = e.request_id,
    };
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT, text = CK_BUF_INIT, more = CK_BUF_INIT;
    ck_buf_fmt(&b, "error %s %s: %s", verb, where(s, key, &text), action);
    put_identity(&b, s, why.class);
    ck_buf_fmt(&b, " in %s", s->region);
    if (!*hint)
        put_hint(&more, s, e.code, why.class, action, key);
    return ck_refused(&why, ck_buf_str(&b), *hint ? hint : ck_buf_str(&more), err);
}

int ck_s3_wrap(struct ck_s3 *s, const char *verb, const char *action, const char *key,
               struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    return ck_wrap(err, "error %s %s: %s in %s", verb, where(s, key, &text), action, s->region);
}
