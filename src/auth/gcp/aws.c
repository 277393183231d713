/* Subject tokens on AWS: a signed request of sts:GetCallerIdentity, which is not sent but handed to
 * Google as JSON, so that it can ask AWS who signed it (Google's "external_account" credentials
 * with environment_id aws1). The header that names the audience is signed too: the token is of no
 * use with another one. */
#include "auth/gcp/adc.h"

#include "auth/sigv4.h"
#include "base/clock.h"
#include "base/enc.h"
#include "doc/json.h"

#include <string.h>

enum { DIAL_MS = 500, CALL_MS = 1500, REPLY_MAX = 64 * 1024 };

#define WHERE "subject token: AWS"

/* What the source of the credentials asks for. */
struct source {
    struct ck_gcp *g;
    struct ck_arena *a;
    const struct ck_val *v; /* credential_source */
    const char *session;    /* of the metadata service; NULL: not asked for yet */
};

/* ---- the metadata service ---- */

/* Its addresses, and this machine; credentials of instances are asked for nowhere else. */
static bool is_metadata_host(const char *host)
{
    return strcmp(host, "169.254.169.254") == 0 || strcmp(host, "fd00:ec2::254") == 0 ||
           ck_host_is_loopback(host);
}

static int ask(struct source *s, const char *method, const char *name, const char *more,
               const char **ret, struct ck_err *err)
{
    const char *url = ck_str_at(s->v, name);
    struct ck_req req = {.max_reply = REPLY_MAX};
    if (!*url)
        return ck_fail(err, CK_UNAUTHENTICATED, WHERE ": its credential_source has no %s", name);
    int r = ck_url_parse(s->a, more ? ck_arena_printf(s->a, "%s/%s", url, more) : url, &req, err);
    if (r < 0)
        return ck_wrap(err, WHERE ": %s", name);
    if (!is_metadata_host(req.host))
        return ck_fail(err, CK_UNAUTHENTICATED,
                       WHERE ": %s is not at AWS' metadata service but at %.100s", name, req.host);
    req.method = method;
    req.no_proxy = true;
    req.connect_ms = DIAL_MS;
    req.timeout_ms = CALL_MS;
    req.retry = CK_RETRY_SAFE;
    if (strcmp(method, "PUT") == 0)
        ck_nvs_add(s->a, &req.headers, "x-aws-ec2-metadata-token-ttl-seconds", "300");
    else if (s->session && *s->session)
        ck_nvs_add(s->a, &req.headers, "x-aws-ec2-metadata-token", s->session);
    CK_AUTORESP resp = {0};
    r = ck_http_do(s->g->cfg.http, &req, &resp, err);
    if (r < 0)
        return ck_wrap(err, WHERE " metadata");
    if (resp.status != 200)
        return ck_fail(err, resp.status < 500 ? CK_UNAUTHENTICATED : CK_UNAVAILABLE,
                       WHERE " metadata: %s answered %d to %s", req.host, resp.status, name);
    struct ck_slice t = ck_slice_trim(ck_buf_slice(&resp.body));
    *ret = ck_arena_strndup(s->a, t.ptr, t.len);
    return 0;
}

/* A session where the credentials name the URL of one, as version 2 of the service wants it. */
static int open_session(struct source *s, struct ck_err *err)
{
    if (s->session)
        return 0;
    s->session = "";
    return *ck_str_at(s->v, "imdsv2_session_token_url")
               ? ask(s, "PUT", "imdsv2_session_token_url", NULL, &s->session, err)
               : 0;
}

/* ---- region and credentials ---- */

static int region_of(struct source *s, const char **ret, struct ck_err *err)
{
    const char *region = ck_env_nonempty(s->g->cfg.env, "AWS_REGION");
    if (!region)
        region = ck_env_nonempty(s->g->cfg.env, "AWS_DEFAULT_REGION");
    int r = 0;
    if (!region) {
        const char *zone = "";
        r = open_session(s, err);
        if (r == 0)
            r = ask(s, "GET", "region_url", NULL, &zone, err);
        size_t n = strlen(zone); /* us-east-1b */
        region = n ? ck_arena_strndup(s->a, zone, n - 1) : "";
    }
    *ret = region;
    if (r == 0 &&
        (!*region || strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(region)))
        r = ck_fail(err, CK_UNAUTHENTICATED, WHERE ": \"%.40s\" is no region", region);
    return r;
}

static int from_metadata(struct source *s, struct ck_cred *ret, struct ck_err *err)
{
    const char *role = "", *text = "";
    struct ck_val *v = NULL;
    CK_AUTOERR bad = CK_ERR_INIT; /* whose message might quote a secret */
    int r = open_session(s, err);
    if (r == 0)
        r = ask(s, "GET", "url", NULL, &role, err);
    if (r == 0 && (!*role || strpbrk(role, "/?#\r\n")))
        r = ck_fail(err, CK_UNAUTHENTICATED, WHERE " metadata: this instance has no role");
    if (r == 0)
        r = ask(s, "GET", "url", role, &text, err);
    if (r < 0)
        return r;
    if (ck_json_parse(s->a, ck_slice_of(text), REPLY_MAX, &v, &bad) < 0)
        return ck_fail(err, CK_UNAUTHENTICATED, WHERE " metadata: the role's reply is not JSON");
    const char *token = ck_str_at(v, "Token");
    ret->access_key = (char *)ck_str_at(v, "AccessKeyId");
    ret->secret_key = (char *)ck_str_at(v, "SecretAccessKey");
    ret->session_token = *token ? (char *)token : NULL;
    if (!*ret->access_key || !*ret->secret_key)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       WHERE " metadata: the role's reply holds no credentials");
    return 0;
}

/* Borrowed from the environment or the arena. */
static int credentials_of(struct source *s, struct ck_cred *ret, struct ck_err *err)
{
    const struct ck_env *env = s->g->cfg.env;
    const char *id = ck_env_nonempty(env, "AWS_ACCESS_KEY_ID");
    const char *secret = ck_env_nonempty(env, "AWS_SECRET_ACCESS_KEY");
    if (!id || !secret)
        return from_metadata(s, ret, err);
    ret->access_key = (char *)id;
    ret->secret_key = (char *)secret;
    ret->session_token = (char *)ck_env_nonempty(env, "AWS_SESSION_TOKEN");
    return 0;
}

/* ---- the token ---- */

static void add_header(struct ck_arena *a, struct ck_val *list, const char *key, const char *value)
{
    if (!value)
        return;
    struct ck_val *v = ck_map(a);
    ck_set_str(a, v, "key", key);
    ck_set_str(a, v, "value", value);
    ck_append(a, list, v);
}

/* As google-auth writes it: JSON with sorted names, percent-encoded but for slashes. */
static const char *serialize(struct ck_arena *a, const char *url, const struct ck_req *req,
                             const struct ck_cred *c)
{
    struct ck_val *v = ck_map(a), *list = ck_list(a);
    add_header(a, list, "Authorization", ck_nvs_get(&req->headers, "authorization"));
    add_header(a, list, "host", req->host);
    add_header(a, list, "x-amz-date", ck_nvs_get(&req->headers, "x-amz-date"));
    add_header(a, list, "x-goog-cloud-target-resource",
               ck_nvs_get(&req->headers, "x-goog-cloud-target-resource"));
    add_header(a, list, "x-amz-security-token", c->session_token);
    ck_set(a, v, "headers", list);
    ck_set_str(a, v, "method", "POST");
    ck_set_str(a, v, "url", url);
    CK_AUTOBUF struct ck_buf json = {.secret = true};
    CK_AUTOBUF struct ck_buf token = {.secret = true};
    ck_json_emit(&json, v, (struct ck_json_style){.order = CK_JSON_AS_IS, .raw_html = true});
    ck_pct_encode(&token, ck_buf_slice(&json), CK_PCT_PATH);
    return ck_arena_strdup(a, ck_buf_str(&token));
}

static const char *with_region(struct ck_arena *a, const char *url, const char *region)
{
    static const char hole[] = "{region}";
    const char *at = strstr(url, hole);
    return at ? ck_arena_printf(a, "%.*s%s%s", (int)(at - url), url, region, at + strlen(hole))
              : url;
}

int ck_gcp_aws(struct ck_gcp *g, struct ck_arena *a, const struct ck_val *file, const char **ret,
               struct ck_err *err)
{
    struct source s = {.g = g, .a = a, .v = ck_get(file, "credential_source")};
    struct ck_cred cred = {0}; /* nothing of it is owned */
    struct ck_req req = {0};
    const char *region = "", *id = ck_str_at(s.v, "environment_id");
    if (strcmp(id, "aws1") != 0)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "its credential_source has environment_id \"%.40s\"; aws1 is supported", id);
    int r = region_of(&s, &region, err);
    if (r == 0)
        r = credentials_of(&s, &cred, err);
    if (r < 0)
        return r;
    const char *url = with_region(a, ck_str_at(s.v, "regional_cred_verification_url"), region);
    r = ck_url_parse(a, url, &req, err);
    if (r < 0)
        return ck_wrap(err, WHERE ": regional_cred_verification_url");
    if (strcmp(req.scheme, "https") != 0)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       WHERE ": regional_cred_verification_url is not https");
    req.method = "POST";
    ck_nvs_add(a, &req.headers, "x-goog-cloud-target-resource", ck_str_at(file, "audience"));
    const struct ck_sigv4 p = {.region = region, .service = "sts", .no_content_sha_header = true};
    r = ck_sigv4_sign(a, &p, &cred, ck_now_s(), &req, err);
    if (r < 0)
        return ck_wrap(err, WHERE);
    *ret = serialize(a, url, &req, &cred);
    return 0;
}
