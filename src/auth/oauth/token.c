/* Keeping bearer tokens, and talking to token services. Renewal follows the Google and Azure SDKs
 * that kOps uses: minutes before the end, so that a long command never meets an expired token. */
#include "auth/oauth/token.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/mem.h"
#include "doc/json.h"

#include <stdlib.h>
#include <string.h>

enum {
    UNKNOWN_LIFETIME_S = 3600,
    RENEW_EARLY_S = 225,
    RENEW_AGAIN_S = 10,
    FRESH_MS = 5000,
    MAX_TOKEN = 64 * 1024,
    SHOWN = 300,
};

void ck_token_done(struct ck_token *t)
{
    if (t->text)
        ck_wipe(t->text, strlen(t->text));
    free(t->text);
    *t = (struct ck_token){0};
}

static void keep(struct ck_token_source *s, struct ck_token *fresh)
{
    ck_token_done(&s->token);
    s->token = *fresh;
    int64_t life = fresh->lifetime_s > 0 ? fresh->lifetime_s : UNKNOWN_LIFETIME_S;
    int64_t early = life / 4 < RENEW_EARLY_S ? life / 4 : RENEW_EARLY_S;
    s->expires_s = ck_now_s() + life;
    s->renew_at_s = s->expires_s - early;
    s->fetched_ms = ck_mono_ms();
}

int ck_token_get(struct ck_token_source *s, const char **ret, struct ck_err *err)
{
    if (!s->token.text || ck_now_s() >= s->renew_at_s) {
        struct ck_token fresh = {0};
        CK_AUTOERR why = CK_ERR_INIT;
        int r = s->ops->fetch(s, &fresh, &why);
        if (r == 0)
            keep(s, &fresh);
        else if (s->token.text && ck_now_s() < s->expires_s)
            s->renew_at_s = ck_now_s() + RENEW_AGAIN_S; /* the old one is still good */
        else
            return err ? ck_err_move(err, &why) : r;
    }
    *ret = s->token.text;
    return 0;
}

bool ck_token_refused(struct ck_token_source *s)
{
    if (!s->token.text)
        return false;
    if (ck_mono_ms() - s->fetched_ms < FRESH_MS)
        return s->replaced;
    ck_token_done(&s->token);
    s->replaced = true;
    return true;
}

void ck_token_source_free(struct ck_token_source *s)
{
    if (!s)
        return;
    ck_token_done(&s->token);
    s->ops->free(s);
}

/* ---- token services ---- */

void ck_form_add(struct ck_buf *form, const char *name, const char *value)
{
    if (form->len)
        ck_buf_putc(form, '&');
    ck_buf_fmt(form, "%s=", name);
    ck_pct_encode(form, ck_slice_of(value), CK_PCT_UNRESERVED);
}

/* Nothing on the way could listen: this machine and the link-local services of clouds. */
static bool nearby(const char *host)
{
    return ck_host_is_loopback(host) || ck_host_is_link_local(host);
}

int ck_token_request(struct ck_arena *a, const char *url, const char *what, struct ck_req *ret,
                     struct ck_err *err)
{
    /* Settings of a store are not for the services that give tokens. */
    static const struct ck_tls tls = {
        .hint = "if it comes from an authority of your own, name a file with that authority's "
                "certificate in SSL_CERT_FILE"};
    *ret = (struct ck_req){.method = "GET",
                           .tls = &tls,
                           .timeout_ms = CK_TOKEN_CALL_MS,
                           .max_reply = CK_TOKEN_REPLY_MAX,
                           .retry = CK_RETRY_SAFE};
    int r = ck_url_parse(a, url, ret, err);
    if (r < 0)
        return ck_wrap(err, "%s", what);
    /* The path exactly as it was written: "…:generateAccessToken" is none with an encoded colon. */
    const char *rest = strstr(url, "://") + 3;
    rest += strcspn(rest, "/?#");
    size_t n = strcspn(rest, "?#");
    ret->raw_path = n ? ck_arena_strndup(a, rest, n) : "/";
    ret->no_proxy = nearby(ret->host);
    if (strcmp(ret->scheme, "https") != 0 && !ret->no_proxy)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "%s: credentials are not sent to %s without TLS; the URL must be https",
                       what, ret->host);
    return 0;
}

/* The service's own words: {"error": "code", "error_description": "text"} (RFC 6749 §5.2), or
 * Google's {"error": {"status": …, "message": …}}. Nothing else of the reply is repeated. */
static void put_reason(struct ck_buf *b, const struct ck_val *v)
{
    const struct ck_val *e = ck_get(v, "error");
    const char *code = ck_str_or(e, ""), *text = ck_str_at(v, "error_description");
    if (ck_is_map(e)) {
        code = ck_str_at(e, "status");
        text = ck_str_at(e, "message");
    }
    size_t n = strcspn(text, "\r\n");
    if (*code)
        ck_buf_fmt(b, " %.80s", code);
    if (n)
        ck_buf_fmt(b, ": %.*s", (int)(n > SHOWN ? SHOWN : n), text);
}

int ck_token_call(struct ck_http *http, struct ck_arena *a, const struct ck_req *req,
                  const char *what, struct ck_val **ret, struct ck_err *err)
{
    CK_AUTORESP resp = {0};
    int r = ck_http_do(http, req, &resp, err);
    if (r < 0)
        return ck_wrap(err, "%s", what);
    *ret = NULL;
    CK_AUTOERR bad = CK_ERR_INIT;
    ck_json_parse(a, ck_buf_slice(&resp.body), CK_TOKEN_REPLY_MAX, ret, &bad);
    if (resp.body.len) /* it held a secret */
        ck_wipe(resp.body.ptr, resp.body.len);
    if (resp.status != 200) {
        CK_AUTOBUF struct ck_buf reason = CK_BUF_INIT;
        if (!bad.code)
            put_reason(&reason, *ret);
        bool ours = resp.status >= 400 && resp.status < 500 && resp.status != 429;
        return ck_fail(err, ours ? CK_UNAUTHENTICATED : CK_UNAVAILABLE, "%s: %s answered %d%s",
                       what, req->host, resp.status, ck_buf_str(&reason));
    }
    if (bad.code || !ck_is_map(*ret))
        return ck_fail(err, CK_UNAUTHENTICATED, "%s: the reply of %s is not a JSON object", what,
                       req->host);
    return 0;
}

static bool usable(const char *token)
{
    size_t n = strlen(token);
    for (const char *p = token; *p; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7F)
            return false;
    return n > 0 && n <= MAX_TOKEN;
}

/* A number, or, as some services have it, its text. */
static int64_t seconds(const struct ck_val *v)
{
    if (v && v->kind == CK_INT)
        return v->i;
    return strtoll(ck_str_or(v, "0"), NULL, 10);
}

int ck_token_take(const struct ck_val *reply, const char *what, struct ck_token *ret,
                  struct ck_err *err)
{
    const char *token = ck_str_at(reply, "access_token");
    if (!usable(token))
        return ck_fail(err, CK_UNAUTHENTICATED, "%s: the reply holds no usable access_token", what);
    *ret = (struct ck_token){.text = ck_xstrdup(token),
                             .lifetime_s = seconds(ck_get(reply, "expires_in"))};
    return 0;
}

int ck_token_fail(struct ck_err *err, const char *what)
{
    ck_wrap(err, "%s", what);
    if (err && err->code != CK_UNAVAILABLE && err->code != CK_TIMEOUT)
        err->code = CK_UNAUTHENTICATED;
    return err ? -(int)err->code : -(int)CK_UNAUTHENTICATED;
}
