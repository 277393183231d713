/* SSO: the token cache that `aws sso login` leaves, its refresh, and GetRoleCredentials. */
#include "auth/aws.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/file.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "doc/json.h"

#include <string.h>

enum { CACHE_MAX = 64 * 1024, REFRESH_EARLY_S = 300 };

struct sso {
    const char *profile, *session; /* session NULL: the older form */
    const char *start_url, *region, *account, *role;
    const char *cache_path;
    const char *source;
};

static int settings(struct ck_aws *w, const char *profile, struct sso *s, struct ck_err *err)
{
    const struct ck_ini *f = &w->files;
    *s = (struct sso){.profile = profile, .session = ck_ini_get(f, profile, "sso_session")};
    s->source = ck_arena_printf(w->arena, "profile %s (SSO)", profile);
    const char *section = profile;
    if (s->session) {
        section = ck_arena_printf(w->arena, "sso-session %s", s->session);
        if (!ck_ini_has(f, section))
            return ck_fail(err, CK_UNAUTHENTICATED, "%s: there is no section [%s]", s->source,
                           section);
    }
    s->start_url = ck_ini_get(f, section, "sso_start_url");
    s->region = ck_ini_get(f, section, "sso_region");
    s->account = ck_ini_get(f, profile, "sso_account_id");
    s->role = ck_ini_get(f, profile, "sso_role_name");
    const char *missing = !s->start_url ? "sso_start_url"
                          : !s->region  ? "sso_region"
                          : !s->account ? "sso_account_id"
                          : !s->role    ? "sso_role_name"
                                        : NULL;
    if (missing)
        return ck_fail(err, CK_UNAUTHENTICATED, "%s: %s is not set", s->source, missing);
    unsigned char sha[CK_SHA1_LEN];
    ck_sha1(ck_slice_of(s->session ? s->session : s->start_url), sha);
    CK_AUTOBUF struct ck_buf hex = CK_BUF_INIT;
    ck_hex_encode(&hex, sha, sizeof sha);
    s->cache_path =
        ck_aws_home(w, ck_arena_printf(w->arena, ".aws/sso/cache/%s.json", ck_buf_str(&hex)));
    return 0;
}

static int login_again(const struct sso *s, const char *why, struct ck_err *err)
{
    return ck_fail(err, CK_UNAUTHENTICATED, "%s: %s; run: aws sso login --profile %s", s->source,
                   why, s->profile);
}

static int save_token(struct ck_aws *w, const struct sso *s, const struct ck_val *cache,
                      struct ck_err *err)
{
    CK_CLEANUP(ck_buf_wipe) struct ck_buf out = CK_BUF_INIT;
    ck_json_emit(&out, cache, (struct ck_json_style){.order = CK_JSON_AS_IS, .raw_html = true});
    return ck_file_write(s->cache_path, ck_buf_slice(&out), 0600, err);
}

static int refresh(struct ck_aws *w, const struct sso *s, struct ck_val *cache, struct ck_err *err)
{
    const char *needed[] = {"clientId", "clientSecret", "refreshToken"};
    for (size_t i = 0; i < CK_ARRAY_LEN(needed); i++)
        if (!*ck_str_at(cache, needed[i]))
            return login_again(s, "the session has expired", err);
    struct ck_val *body = ck_map(w->arena);
    for (size_t i = 0; i < CK_ARRAY_LEN(needed); i++)
        ck_set(w->arena, body, needed[i], ck_get(cache, needed[i]));
    ck_set_str(w->arena, body, "grantType", "refresh_token");
    CK_CLEANUP(ck_buf_wipe) struct ck_buf text = CK_BUF_INIT;
    ck_json_emit(&text, body, (struct ck_json_style){.order = CK_JSON_AS_IS, .raw_html = true});

    struct ck_req req = {.method = "POST"};
    int r = ck_aws_endpoint(
        w, "SSO_OIDC", ck_arena_printf(w->arena, "oidc.%s.amazonaws.com", s->region), &req, err);
    if (r < 0)
        return r;
    req.path = "/token";
    req.body = ck_buf_slice(&text);
    ck_nvs_add(w->arena, &req.headers, "content-type", "application/json");
    CK_AUTORESP resp = {0};
    r = ck_http_do(w->cfg.http, &req, &resp, err);
    if (r < 0)
        return ck_wrap(err, "%s: refreshing the session", s->source);
    struct ck_val *reply = NULL;
    if (resp.status != 200 ||
        ck_json_parse(w->arena, ck_buf_slice(&resp.body), CACHE_MAX, &reply, NULL) < 0 ||
        !*ck_str_at(reply, "accessToken"))
        return login_again(s, "the session could not be refreshed", err);
    ck_set_str(w->arena, cache, "accessToken", ck_str_at(reply, "accessToken"));
    char until[21];
    ck_rfc3339(ck_now_s() + ck_int_at(reply, "expiresIn", 0), until);
    ck_set_str(w->arena, cache, "expiresAt", until);
    if (*ck_str_at(reply, "refreshToken"))
        ck_set_str(w->arena, cache, "refreshToken", ck_str_at(reply, "refreshToken"));
    /* A cache that cannot be written costs a refresh next time, no more. */
    CK_AUTOERR ignored = CK_ERR_INIT;
    (void)save_token(w, s, cache, &ignored);
    return 0;
}

static int role_credentials(struct ck_aws *w, const struct sso *s, const char *token,
                            struct ck_cred *ret, struct ck_err *err)
{
    struct ck_req req = {.method = "GET", .retry = CK_RETRY_SAFE};
    int r = ck_aws_endpoint(
        w, "SSO", ck_arena_printf(w->arena, "portal.sso.%s.amazonaws.com", s->region), &req, err);
    if (r < 0)
        return r;
    req.path = "/federation/credentials";
    ck_nvs_add(w->arena, &req.query, "role_name", s->role);
    ck_nvs_add(w->arena, &req.query, "account_id", s->account);
    ck_nvs_add(w->arena, &req.headers, "x-amz-sso_bearer_token", token);
    CK_AUTORESP resp = {0};
    r = ck_http_do(w->cfg.http, &req, &resp, err);
    if (r < 0)
        return ck_wrap(err, "%s", s->source);
    if (resp.status == 401)
        return login_again(s, "the session is no longer valid", err);
    struct ck_val *v = NULL;
    r = ck_json_parse(w->arena, ck_buf_slice(&resp.body), CACHE_MAX, &v, NULL);
    if (resp.status != 200 || r < 0)
        return ck_fail(err, CK_UNAUTHENTICATED, "%s: role %s in account %s: %d %.200s", s->source,
                       s->role, s->account, resp.status, r < 0 ? "" : ck_str_at(v, "message"));
    const struct ck_val *c = ck_get(v, "roleCredentials");
    const char *access = ck_str_at(c, "accessKeyId"), *secret = ck_str_at(c, "secretAccessKey");
    if (!*access || !*secret)
        return ck_fail(err, CK_UNAUTHENTICATED, "%s: the reply holds no credentials", s->source);
    *ret = (struct ck_cred){
        .access_key = ck_xstrdup(access),
        .secret_key = ck_xstrdup(secret),
        .session_token = ck_xstrdup(ck_str_at(c, "sessionToken")),
        .expires_s = ck_int_at(c, "expiration", 0) / 1000, /* milliseconds on the wire */
        .source = s->source,
    };
    return 0;
}

int ck_aws_from_sso(struct ck_aws *w, const char *profile, struct ck_cred *ret, struct ck_err *err)
{
    struct sso s;
    int r = settings(w, profile, &s, err);
    if (r < 0)
        return r;
    CK_CLEANUP(ck_buf_wipe) struct ck_buf text = CK_BUF_INIT;
    if (ck_file_read(s.cache_path, CACHE_MAX, &text, NULL) < 0)
        return login_again(&s, "nobody is signed in", err);
    struct ck_val *cache = NULL;
    if (ck_json_parse(w->arena, ck_buf_slice(&text), CACHE_MAX, &cache, NULL) < 0 ||
        !*ck_str_at(cache, "accessToken"))
        return login_again(&s, "the token cache cannot be read", err);
    int64_t expires = 0;
    if (!ck_rfc3339_parse(ck_slice_of(ck_str_at(cache, "expiresAt")), &expires))
        return login_again(&s, "the token cache has no expiry", err);
    if (expires <= ck_now_s() + (s.session ? REFRESH_EARLY_S : 0)) {
        r = s.session ? refresh(w, &s, cache, err)
                      : login_again(&s, "the session has expired", err);
        if (r < 0)
            return r;
    }
    return role_credentials(w, &s, ck_str_at(cache, "accessToken"), ret, err);
}
