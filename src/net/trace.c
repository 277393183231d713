/* Debug lines about requests: one line each at -v 6, headers at -v 8. Bodies never; values that are
 * or hold secrets are masked. */
#include "net/internal.h"

#include "base/enc.h"
#include "base/log.h"
#include "base/mem.h"

#include <string.h>
#include <strings.h>

enum { LINE = 6, HEADERS = 8 };

static const char *const SECRET_HEADERS[] = {
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
    "x-amz-security-token",
    "x-auth-token",
    "x-aws-ec2-metadata-token",
    "x-amz-sso_bearer_token",
    "x-amz-server-side-encryption-customer-key",
    "x-goog-iam-authorization-token",
    "x-oss-security-token",
    "x-subject-token",
};

static const char *const SECRET_PARAMETERS[] = {
    "AWSAccessKeyId",
    "OSSAccessKeyId",
    "Signature",
    "SAMLAssertion",
    "WebIdentityToken",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Goog-Credential",
    "X-Goog-Signature",
    "access_token",
    "client_secret",
    "code",
    "id_token",
    "password",
    "refresh_token",
    "security-token",
    "sig",
    "token",
    "x-oss-credential",
    "x-oss-security-token",
    "x-oss-signature",
};

static bool listed(struct ck_slice name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ck_slice_ieq_str(name, list[i]))
            return true;
    return false;
}

static void put_query(struct ck_buf *b, const struct ck_req *r)
{
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_url_query(&q, r);
    struct ck_slice rest = ck_buf_slice(&q), pair;
    char sep = '?';
    while (rest.len && ck_slice_next(&rest, '&', &pair)) {
        size_t eq = ck_slice_find(pair, '=');
        ck_buf_putc(b, sep);
        sep = '&';
        if (listed(ck_slice_n(pair.ptr, eq), SECRET_PARAMETERS, CK_ARRAY_LEN(SECRET_PARAMETERS)))
            ck_buf_fmt(b, "%.*s=***", (int)eq, pair.ptr);
        else
            ck_buf_put(b, pair);
    }
}

/* A value as it may be shown: URLs inside (Location, Referer) lose their query. */
static void put_value(struct ck_buf *b, const char *name, const char *value)
{
    if (listed(ck_slice_of(name), SECRET_HEADERS, CK_ARRAY_LEN(SECRET_HEADERS))) {
        ck_buf_puts(b, "***");
        return;
    }
    struct ck_slice v = ck_slice_of(value ? value : "");
    bool url = strcasecmp(name, "location") == 0 || strcasecmp(name, "referer") == 0 ||
               strcasecmp(name, "content-location") == 0;
    size_t end = url ? ck_slice_find(v, '?') : v.len;
    ck_goquote(b, ck_slice_n(v.ptr, end));
    if (end < v.len)
        ck_buf_puts(b, "?***");
}

static void trace_headers(char direction, const struct ck_nvs *h)
{
    for (size_t i = 0; i < h->n; i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        put_value(&b, h->v[i].name, h->v[i].value);
        ck_debug(HEADERS, "%c %s: %s", direction, h->v[i].name, ck_buf_str(&b));
    }
}

void ck_trace_request(const struct ck_send *s, unsigned attempt)
{
    if (ck_log_verbosity() < HEADERS)
        return;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_url_text(&b, &s->req);
    put_query(&b, &s->req);
    ck_debug(HEADERS, "> %s %s (attempt %u, %zu bytes%s)", s->req.method, ck_buf_str(&b), attempt,
             s->req.body.len, *s->proxy ? ", by proxy" : "");
    trace_headers('>', &s->req.headers);
}

void ck_trace_reply(const struct ck_send *s, unsigned attempt, int64_t ms)
{
    if (ck_log_verbosity() < LINE)
        return;
    CK_AUTOBUF struct ck_buf url = CK_BUF_INIT;
    ck_url_text(&url, &s->req);
    if (s->err->code != CK_OK)
        ck_debug(LINE, "%s %s %s in %lld ms (attempt %u): %s", s->req.method, ck_buf_str(&url),
                 ck_code_name(s->err->code), (long long)ms, attempt, ck_err_msg(s->err));
    else
        ck_debug(LINE, "%s %s %d in %lld ms (attempt %u)", s->req.method, ck_buf_str(&url),
                 s->resp->status, (long long)ms, attempt);
    if (s->err->code == CK_OK && ck_log_verbosity() >= HEADERS)
        trace_headers('<', &s->resp->headers);
}
