/* Tokens of another service account (IAM credentials, generateAccessToken). */
#include "auth/gcp/adc.h"

#include "base/clock.h"
#include "base/mem.h"
#include "doc/json.h"

#include <string.h>

enum { LIFETIME_S = 3600 };

/* …/serviceAccounts/EMAIL:generateAccessToken */
static void take_identity(struct ck_gcp *g, const char *url)
{
    const char *p = strrchr(url, '/');
    if (p && strchr(p, '@'))
        g->base.identity = ck_arena_strndup(g->arena, p + 1, strcspn(p + 1, ":"));
}

static void body(struct ck_arena *a, const struct ck_val *delegates, int64_t lifetime_s,
                 const char *scope, struct ck_buf *out)
{
    struct ck_val *v = ck_map(a), *scopes = ck_list(a);
    ck_append_str(a, scopes, scope);
    ck_set(a, v, "scope", scopes);
    if (ck_len(delegates))
        ck_set(a, v, "delegates", ck_val_clone(a, delegates));
    ck_set(a, v, "lifetime", ck_strf(a, "%llds", (long long)lifetime_s));
    ck_json_emit(out, v, (struct ck_json_style){.raw_html = true});
}

int ck_gcp_impersonate(struct ck_gcp *g, struct ck_arena *a, const char *url, const char *base,
                       const struct ck_val *delegates, int64_t lifetime_s, const char *scope,
                       struct ck_token *ret, struct ck_err *err)
{
    struct ck_req req;
    struct ck_val *reply;
    if (!*url)
        return ck_fail(err, CK_UNAUTHENTICATED, "it has no service_account_impersonation_url");
    int r = ck_token_request(a, url, "impersonation", &req, err);
    if (r < 0)
        return r;
    take_identity(g, url);
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    body(a, delegates, lifetime_s > 0 ? lifetime_s : LIFETIME_S, scope, &text);
    req.method = "POST";
    req.body = ck_buf_slice(&text);
    ck_nvs_add(a, &req.headers, "content-type", "application/json");
    ck_nvs_addf(a, &req.headers, "authorization", "Bearer %s", base);
    r = ck_token_call(g->cfg.http, a, &req, "impersonation", &reply, err);
    if (r < 0)
        return r;
    int64_t expires;
    const char *token = ck_str_at(reply, "accessToken");
    if (!*token || !ck_rfc3339_parse(ck_slice_of(ck_str_at(reply, "expireTime")), &expires))
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "impersonation: the reply holds no accessToken and expireTime");
    int64_t life = expires - ck_now_s();
    *ret = (struct ck_token){.text = ck_xstrdup(token), .lifetime_s = life > 0 ? life : 1};
    return 0;
}
