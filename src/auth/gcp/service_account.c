/* A service account's key file: a signed assertion is exchanged for a token (RFC 7523). */
#include "auth/gcp/adc.h"

#include "base/clock.h"
#include "base/mem.h"
#include "crypto/jws.h"
#include "doc/json.h"

enum { LIFETIME_S = 3600, EARLY_S = 10 };

#define GOOGLE_TOKEN_URL "https://oauth2.googleapis.com/token"
#define JWT_BEARER       "urn:ietf:params:oauth:grant-type:jwt-bearer"

static int assertion(struct ck_arena *a, const struct ck_val *file, const char *scope,
                     const char *url, struct ck_buf *out, struct ck_err *err)
{
    const char *pem = ck_str_at(file, "private_key"), *id = ck_str_at(file, "private_key_id");
    CK_AUTOPKIKEY struct ck_pki_key *key = NULL;
    int r = ck_pki_key_read(ck_slice_of(pem), &key, err);
    if (r < 0)
        return ck_wrap(err, "its private_key");
    CK_AUTOBUF struct ck_buf header = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf claims = CK_BUF_INIT;
    struct ck_val *h = ck_map(a), *c = ck_map(a);
    ck_set_str(a, h, "alg", "RS256");
    ck_set_str(a, h, "typ", "JWT");
    if (*id)
        ck_set_str(a, h, "kid", id);
    int64_t now = ck_now_s() - EARLY_S; /* the service's clock may be behind */
    ck_set_str(a, c, "iss", ck_str_at(file, "client_email"));
    ck_set_str(a, c, "scope", scope);
    ck_set_str(a, c, "aud", url);
    ck_set_int(a, c, "iat", now);
    ck_set_int(a, c, "exp", now + LIFETIME_S);
    ck_json_emit(&header, h, (struct ck_json_style){.raw_html = true});
    ck_json_emit(&claims, c, (struct ck_json_style){.raw_html = true});
    return ck_jws_rs256(key, ck_buf_slice(&header), ck_buf_slice(&claims), out, err);
}

int ck_gcp_service_account(struct ck_gcp *g, struct ck_arena *a, const struct ck_val *file,
                           const char *scope, struct ck_token *ret, struct ck_err *err)
{
    const char *email = ck_str_at(file, "client_email"), *url = ck_str_at(file, "token_uri");
    if (!*email || !*ck_str_at(file, "private_key"))
        return ck_fail(err, CK_UNAUTHENTICATED, "it has no %s",
                       *email ? "private_key" : "client_email");
    g->base.identity = ck_arena_strdup(g->arena, email);
    if (!*url)
        url = GOOGLE_TOKEN_URL;
    struct ck_req req;
    struct ck_val *reply;
    int r = ck_token_request(a, url, "token service", &req, err);
    if (r < 0)
        return r;
    CK_AUTOBUF struct ck_buf jwt = {.secret = true};
    CK_AUTOBUF struct ck_buf form = {.secret = true};
    r = assertion(a, file, scope, url, &jwt, err);
    if (r < 0)
        return r;
    ck_form_add(&form, "grant_type", JWT_BEARER);
    ck_form_add(&form, "assertion", ck_buf_str(&jwt));
    req.method = "POST";
    req.body = ck_buf_slice(&form);
    ck_nvs_add(a, &req.headers, "content-type", "application/x-www-form-urlencoded");
    r = ck_token_call(g->cfg.http, a, &req, "token service", &reply, err);
    if (r == -(int)CK_UNAUTHENTICATED)
        ck_wrap(err, "key %.16s of %.128s", ck_str_at(file, "private_key_id"), email);
    return r < 0 ? r : ck_token_take(reply, "token service", ret, err);
}
