/* Workload identity federation: a token of another issuer, from a file, a URL, a program or AWS, is
 * exchanged at the security token service (RFC 8693), then, if the file says so, for a service
 * account's. */
#include "auth/gcp/adc.h"

#include "base/enc.h"
#include "base/file.h"
#include "doc/json.h"

#include <string.h>

enum { SUBJECT_MAX = 64 * 1024 };

#define GRANT        "urn:ietf:params:oauth:grant-type:token-exchange"
#define ACCESS_TOKEN "urn:ietf:params:oauth:token-type:access_token"

/* The token in what the source gave: the whole text, or a field of a JSON object. */
static int subject_of(struct ck_arena *a, const struct ck_val *source, struct ck_slice text,
                      const char **ret, struct ck_err *err)
{
    const struct ck_val *format = ck_get(source, "format");
    if (!ck_is_str(ck_get(format, "type"), "json")) {
        struct ck_slice t = ck_slice_trim(text);
        *ret = ck_arena_strndup(a, t.ptr, t.len);
    } else {
        const char *field = ck_str_at(format, "subject_token_field_name");
        struct ck_val *v = NULL;
        CK_AUTOERR bad = CK_ERR_INIT;
        if (ck_json_parse(a, text, SUBJECT_MAX, &v, &bad) < 0)
            return ck_fail(err, CK_UNAUTHENTICATED, "the subject token's source is not JSON");
        *ret = ck_str_or(ck_get(v, field), "");
        if (!**ret)
            return ck_fail(err, CK_UNAUTHENTICATED,
                           "the subject token's source has no field \"%s\"", field);
    }
    if (!**ret)
        return ck_fail(err, CK_UNAUTHENTICATED, "the subject token's source is empty");
    return 0;
}

static int subject_from_url(struct ck_gcp *g, struct ck_arena *a, const struct ck_val *source,
                            const char **ret, struct ck_err *err)
{
    struct ck_req req;
    int r = ck_token_request(a, ck_str_at(source, "url"), "subject token", &req, err);
    if (r < 0)
        return r;
    const struct ck_val *headers = ck_get(source, "headers");
    for (size_t i = 0; ck_is_map(headers) && i < headers->map.n; i++)
        ck_nvs_add(a, &req.headers, headers->map.v[i].key.ptr,
                   ck_str_or(headers->map.v[i].val, ""));
    CK_AUTORESP resp = {0};
    r = ck_http_do(g->cfg.http, &req, &resp, err);
    if (r < 0)
        return ck_wrap(err, "subject token");
    if (resp.status != 200)
        return ck_fail(err, resp.status < 500 ? CK_UNAUTHENTICATED : CK_UNAVAILABLE,
                       "subject token: %s answered %d", req.host, resp.status);
    return subject_of(a, source, ck_buf_slice(&resp.body), ret, err);
}

static int subject(struct ck_gcp *g, struct ck_arena *a, const struct ck_val *creds,
                   const char **ret, struct ck_err *err)
{
    const struct ck_val *source = ck_get(creds, "credential_source");
    if (*ck_str_at(source, "environment_id"))
        return ck_gcp_aws(g, a, creds, ret, err);
    if (ck_is_map(ck_get(source, "executable")))
        return ck_gcp_executable(g, a, creds, ret, err);
    const char *file = ck_str_at(source, "file");
    if (*file) {
        CK_AUTOBUF struct ck_buf text = {.secret = true};
        int r = ck_file_read(file, SUBJECT_MAX, &text, err);
        return r < 0 ? ck_wrap(err, "subject token")
                     : subject_of(a, source, ck_buf_slice(&text), ret, err);
    }
    if (*ck_str_at(source, "url"))
        return subject_from_url(g, a, source, ret, err);
    return ck_fail(err, CK_UNAUTHENTICATED,
                   "its credential_source is neither a file, a URL, an executable nor AWS");
}

static void authenticate(struct ck_arena *a, const struct ck_val *file, struct ck_req *req)
{
    const char *id = ck_str_at(file, "client_id"), *secret = ck_str_at(file, "client_secret");
    if (!*id || !*secret)
        return;
    const char *pair = ck_arena_printf(a, "%s:%s", id, secret);
    CK_AUTOBUF struct ck_buf b = {.secret = true};
    ck_buf_puts(&b, "Basic ");
    ck_base64_encode(&b, pair, strlen(pair));
    ck_nvs_add(a, &req->headers, "authorization", ck_arena_strdup(a, ck_buf_str(&b)));
}

static int exchange(struct ck_gcp *g, struct ck_arena *a, const struct ck_val *file,
                    const char *token, const char *scope, struct ck_token *ret, struct ck_err *err)
{
    struct ck_req req;
    struct ck_val *reply;
    int r = ck_token_request(a, ck_str_at(file, "token_url"), "token exchange", &req, err);
    if (r < 0)
        return r;
    CK_AUTOBUF struct ck_buf form = {.secret = true};
    ck_form_add(&form, "grant_type", GRANT);
    ck_form_add(&form, "audience", ck_str_at(file, "audience"));
    ck_form_add(&form, "scope", scope);
    ck_form_add(&form, "requested_token_type", ACCESS_TOKEN);
    ck_form_add(&form, "subject_token", token);
    ck_form_add(&form, "subject_token_type", ck_str_at(file, "subject_token_type"));
    const char *project = ck_str_at(file, "workforce_pool_user_project");
    if (*project && !*ck_str_at(file, "client_id")) {
        CK_AUTOBUF struct ck_buf options = CK_BUF_INIT;
        ck_buf_puts(&options, "{\"userProject\":");
        ck_json_string(&options, ck_slice_of(project), true);
        ck_buf_putc(&options, '}');
        ck_form_add(&form, "options", ck_buf_str(&options));
    }
    req.method = "POST";
    req.body = ck_buf_slice(&form);
    ck_nvs_add(a, &req.headers, "content-type", "application/x-www-form-urlencoded");
    authenticate(a, file, &req);
    r = ck_token_call(g->cfg.http, a, &req, "token exchange", &reply, err);
    return r < 0 ? r : ck_token_take(reply, "token exchange", ret, err);
}

int ck_gcp_external_account(struct ck_gcp *g, struct ck_arena *a, const struct ck_val *file,
                            const char *scope, struct ck_token *ret, struct ck_err *err)
{
    static const char *const needed[] = {"audience", "subject_token_type", "token_url"};
    for (size_t i = 0; i < CK_ARRAY_LEN(needed); i++)
        if (!*ck_str_at(file, needed[i]))
            return ck_fail(err, CK_UNAUTHENTICATED, "it has no %s", needed[i]);
    if (!*g->base.identity)
        g->base.identity = "a federated identity";
    const char *token = NULL, *url = ck_str_at(file, "service_account_impersonation_url");
    int r = subject(g, a, file, &token, err);
    if (r < 0)
        return r;
    if (!*url)
        return exchange(g, a, file, token, scope, ret, err);
    struct ck_token base = {0};
    r = exchange(g, a, file, token, CK_GCP_CLOUD_SCOPE, &base, err);
    if (r < 0)
        return r;
    int64_t life = ck_int_at(file, "service_account_impersonation.token_lifetime_seconds", 0);
    r = ck_gcp_impersonate(g, a, url, base.text, NULL, life, scope, ret, err);
    ck_token_done(&base);
    return r;
}
