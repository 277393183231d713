/* STS: AssumeRole (with external id and MFA) and AssumeRoleWithWebIdentity. */
#include "auth/aws.h"

#include "auth/sigv4.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/file.h"
#include "base/mem.h"
#include "doc/xml.h"

#include <stdlib.h>
#include <string.h>

enum { TOKEN_MAX = 64 * 1024, REPLY_MAX = 1 << 20, LEAST_DURATION_S = 900 };

static void form_add(struct ck_buf *b, const char *name, const char *value)
{
    if (!value)
        return;
    if (b->len)
        ck_buf_putc(b, '&');
    ck_buf_fmt(b, "%s=", name);
    ck_pct_encode(b, ck_slice_of(value), CK_PCT_UNRESERVED);
}

struct signer {
    const struct ck_cred *cred;
    const char *region;
    int64_t skew_s;
};

static int sign(void *arg, struct ck_arena *a, struct ck_req *r, struct ck_err *err)
{
    const struct signer *s = arg;
    const struct ck_sigv4 p = {
        .region = s->region, .service = "sts", .skew_s = s->skew_s, .no_content_sha_header = true};
    return ck_sigv4_sign(a, &p, s->cred, ck_now_s(), r, err);
}

static int take_reply(struct ck_aws *w, const char *action, const char *source,
                      const struct ck_resp *resp, struct ck_cred *ret, struct ck_err *err)
{
    struct ck_val *v = NULL;
    int r = ck_xml_parse(w->arena, ck_buf_slice(&resp->body), REPLY_MAX, &v, NULL);
    if (resp->status != 200) {
        const char *code = r < 0 ? "" : ck_str_at(v, "ErrorResponse.Error.Code");
        const char *text = r < 0 ? "" : ck_str_at(v, "ErrorResponse.Error.Message");
        return ck_fail(err, CK_UNAUTHENTICATED, "%s: sts:%s: %d %s%s%.300s", source, action,
                       resp->status, code, *text ? ": " : "", text);
    }
    if (r < 0)
        return ck_fail(err, CK_UNAVAILABLE, "%s: sts:%s: the reply is not XML", source, action);
    const char *base = ck_arena_printf(w->arena, "%sResponse.%sResult.Credentials", action, action);
    const struct ck_val *c = ck_at(v, base);
    const char *access = ck_str_at(c, "AccessKeyId"), *secret = ck_str_at(c, "SecretAccessKey");
    int64_t expires = 0;
    if (!*access || !*secret)
        return ck_fail(err, CK_UNAUTHENTICATED, "%s: sts:%s: the reply holds no credentials",
                       source, action);
    ck_rfc3339_parse(ck_slice_of(ck_str_at(c, "Expiration")), &expires);
    *ret = (struct ck_cred){
        .access_key = ck_xstrdup(access),
        .secret_key = ck_xstrdup(secret),
        .session_token = ck_xstrdup(ck_str_at(c, "SessionToken")),
        .expires_s = expires,
        .source = ck_arena_strdup(w->arena, source),
    };
    return 0;
}

/* The request but for its signature and limits. */
static int prepare(struct ck_aws *w, const char *region, struct ck_slice body,
                   const struct signer *s, struct ck_req *ret, struct ck_err *err)
{
    *ret = (struct ck_req){.method = "POST"};
    const char *suffix = ck_str_starts(region, "cn-") ? "amazonaws.com.cn" : "amazonaws.com";
    int r =
        ck_aws_endpoint(w, "STS", ck_arena_printf(w->arena, "sts.%s.%s", region, suffix), ret, err);
    if (r < 0)
        return r;
    ret->path = "/";
    ret->body = body;
    ret->retry = CK_RETRY_SAFE;
    ck_nvs_add(w->arena, &ret->headers, "content-type", "application/x-www-form-urlencoded");
    if (s) {
        ret->sign = sign;
        ret->sign_arg = (void *)s;
    }
    return 0;
}

static int call(struct ck_aws *w, const char *action, const char *region, struct ck_slice body,
                const struct signer *s, const char *source, struct ck_cred *ret, struct ck_err *err)
{
    struct ck_req req;
    int r = prepare(w, region, body, s, &req, err);
    if (r < 0)
        return r;
    CK_AUTORESP resp = {0};
    r = ck_http_do(w->cfg.http, &req, &resp, err);
    if (r < 0)
        return ck_wrap(err, "%s: sts:%s", source, action);
    return take_reply(w, action, source, &resp, ret, err);
}

/* Whether `arn` looks like one: it goes into messages. */
static bool is_arn(const char *arn)
{
    size_t n = strlen(arn);
    return n > 4 && n < 2048 && ck_str_starts(arn, "arn:") &&
           strspn(arn, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/+=,.@_-") ==
               n;
}

int ck_aws_caller_arn(struct ck_arena *a, const struct ck_aws_config *cfg, const struct ck_cred *c,
                      const char *region, int64_t skew_s, int64_t timeout_ms, const char **ret,
                      struct ck_err *err)
{
    struct ck_aws w = {.cfg = *cfg, .arena = a};
    const struct signer s = {c, region, skew_s};
    struct ck_req req;
    CK_AUTORESP resp = {0};
    struct ck_val *v = NULL;
    int r = prepare(&w, region, CK_S("Action=GetCallerIdentity&Version=2011-06-15"), &s, &req, err);
    if (r == 0) {
        req.timeout_ms = timeout_ms;
        req.connect_ms = timeout_ms / 2;
        req.attempts = 1;
        r = ck_http_do(cfg->http, &req, &resp, err);
    }
    ck_ini_done(&w.files);
    if (r < 0)
        return r;
    if (resp.status == 200 && ck_xml_parse(a, ck_buf_slice(&resp.body), REPLY_MAX, &v, NULL) == 0)
        *ret = ck_str_at(v, "GetCallerIdentityResponse.GetCallerIdentityResult.Arn");
    if (!v || !is_arn(*ret))
        return ck_fail(err, CK_UNAVAILABLE, "sts:GetCallerIdentity: %d", resp.status);
    return 0;
}

static const char *session_name(struct ck_aws *w, const char *given)
{
    return given ? given : ck_arena_printf(w->arena, "ckops-%lld", (long long)ck_now_s());
}

int ck_aws_from_web_identity(struct ck_aws *w, const char *file, const char *role,
                             const char *session, const char *source, struct ck_cred *ret,
                             struct ck_err *err)
{
    CK_CLEANUP(ck_buf_wipe) struct ck_buf token = CK_BUF_INIT;
    int r = ck_file_read(file, TOKEN_MAX, &token, err);
    if (r < 0) {
        r = ck_wrap(err, "%s: reading the token", source);
        if (err)
            err->code = CK_UNAUTHENTICATED;
        return -(int)CK_UNAUTHENTICATED;
    }
    struct ck_slice text = ck_slice_trim(ck_buf_slice(&token));
    CK_AUTOFREE char *t = ck_xstrndup(text.ptr, text.len);
    CK_CLEANUP(ck_buf_wipe) struct ck_buf body = CK_BUF_INIT;
    form_add(&body, "Action", "AssumeRoleWithWebIdentity");
    form_add(&body, "RoleArn", role);
    form_add(&body, "RoleSessionName", session_name(w, session));
    form_add(&body, "Version", "2011-06-15");
    form_add(&body, "WebIdentityToken", t);
    ck_wipe(t, text.len);
    return call(w, "AssumeRoleWithWebIdentity", ck_aws_service_region(w, NULL), ck_buf_slice(&body),
                NULL, source, ret, err);
}

static int add_mfa(struct ck_aws *w, const char *profile, const char *serial, struct ck_buf *body,
                   struct ck_err *err)
{
    char code[16] = "";
    if (!w->cfg.mfa)
        return ck_fail(
            err, CK_UNAUTHENTICATED,
            "profile %s: mfa_serial %s asks for a code, and there is no terminal to ask on",
            profile, serial);
    int r = w->cfg.mfa(w->cfg.mfa_arg, serial, code, sizeof code, err);
    if (r < 0)
        return r;
    form_add(body, "SerialNumber", serial);
    form_add(body, "TokenCode", code);
    return 0;
}

int ck_aws_assume_role(struct ck_aws *w, const char *profile, const struct ck_cred *base,
                       struct ck_cred *ret, struct ck_err *err)
{
    const struct ck_ini *f = &w->files;
    const char *region = ck_aws_service_region(w, profile);
    CK_CLEANUP(ck_buf_wipe) struct ck_buf body = CK_BUF_INIT;
    form_add(&body, "Action", "AssumeRole");
    const char *duration = ck_ini_get(f, profile, "duration_seconds");
    if (duration && strtol(duration, NULL, 10) > LEAST_DURATION_S)
        form_add(&body, "DurationSeconds", duration);
    form_add(&body, "ExternalId", ck_ini_get(f, profile, "external_id"));
    form_add(&body, "RoleArn", ck_ini_get(f, profile, "role_arn"));
    form_add(&body, "RoleSessionName",
             session_name(w, ck_ini_get(f, profile, "role_session_name")));
    const char *serial = ck_ini_get(f, profile, "mfa_serial");
    if (serial) {
        int r = add_mfa(w, profile, serial, &body, err);
        if (r < 0)
            return r;
    }
    form_add(&body, "Version", "2011-06-15");
    const struct signer s = {base, region, 0};
    return call(w, "AssumeRole", region, ck_buf_slice(&body), &s,
                ck_arena_printf(w->arena, "profile %s (role %s)", profile,
                                ck_ini_get(f, profile, "role_arn")),
                ret, err);
}
