/* One sending of a request: the check before it and what every transport does with a reply.
 *
 * Knows neither curl nor retries. Size limits are enforced here, while the reply arrives. */
#include "net/internal.h"

#include "base/mem.h"

#include <string.h>

enum {
    DEFAULT_MAX_REPLY = 64 << 20,
    MAX_ERROR_BODY = 1 << 20,
    MAX_HEADERS = 200,
    MAX_HEADER_VALUE = 64 * 1024,
};

/* ---- before ---- */

static bool is_token(struct ck_slice s)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool alnum = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!alnum && (!c || !strchr(others, c)))
            return false;
    }
    return s.len != 0;
}

static bool is_field_value(const char *v)
{
    for (; *v; v++)
        if (((unsigned char)*v < ' ' && *v != '\t') || *v == 0x7F)
            return false;
    return true;
}

static bool is_visible(const char *s)
{
    for (; s && *s; s++)
        if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7F)
            return false;
    return true;
}

int ck_send_check(const struct ck_req *r, struct ck_err *err)
{
    if (!is_token(ck_slice_of(r->method)))
        return ck_fail(err, CK_INVALID, "not a method");
    if (strcmp(r->scheme, "http") != 0 && strcmp(r->scheme, "https") != 0)
        return ck_fail(err, CK_INVALID, "only http and https are spoken");
    if (!*r->host || !is_visible(r->host) || strpbrk(r->host, "/?#@[]\\"))
        return ck_fail(err, CK_INVALID, "not a host name");
    if (!is_visible(r->raw_path) || !is_visible(r->raw_query))
        return ck_fail(err, CK_INVALID, "the URL holds bytes that need encoding");
    for (size_t i = 0; i < r->headers.n; i++) {
        const struct ck_nv *h = &r->headers.v[i];
        if (!is_token(ck_slice_of(h->name)))
            return ck_fail(err, CK_INVALID, "a header has a name that cannot be sent");
        if (!h->value || !is_field_value(h->value))
            return ck_fail(err, CK_INVALID, "the header %s holds control characters", h->name);
    }
    return 0;
}

/* ---- the reply ---- */

void ck_send_status(struct ck_send *s, int status)
{
    /* An interim reply (1xx) may have come before: only the last one counts. */
    s->resp->status = status;
    s->resp->headers.n = 0;
}

void ck_send_header(struct ck_send *s, struct ck_slice name, struct ck_slice value)
{
    value = ck_slice_trim(value);
    if (s->resp->headers.n >= MAX_HEADERS || value.len > MAX_HEADER_VALUE || !is_token(name))
        return;
    char *lower = ck_arena_strndup(s->resp->arena, name.ptr, name.len);
    for (char *p = lower; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p | 0x20);
    char *text = ck_arena_strndup(s->resp->arena, value.ptr, value.len);
    ck_nvs_add(s->resp->arena, &s->resp->headers, lower, text);
}

int ck_send_body(struct ck_send *s, struct ck_slice piece)
{
    struct ck_buf *body = &s->resp->body;
    body->secret = true; /* stores hold keys */
    size_t max = s->req.max_reply ? s->req.max_reply : DEFAULT_MAX_REPLY;
    bool ok = s->resp->status >= 200 && s->resp->status < 300;
    if (!ok) {
        size_t room = body->len < MAX_ERROR_BODY ? MAX_ERROR_BODY - body->len : 0;
        ck_buf_putn(body, piece.ptr, piece.len < room ? piece.len : room);
    }
    s->got += piece.len;
    if (s->got > max && (ok || s->got > MAX_ERROR_BODY)) {
        s->final = true;
        return ck_fail(s->err, CK_LIMIT, "the reply is larger than %zu bytes", max);
    }
    if (!ok)
        return 0;
    if (!s->req.sink) {
        ck_buf_putn(body, piece.ptr, piece.len);
        return 0;
    }
    s->final = true; /* the sink has seen a part: it cannot be given the same part again */
    int r = s->req.sink(s->req.sink_arg, piece, s->err);
    if (r < 0 && s->err->code == CK_OK)
        ck_fail(s->err, CK_CANCELLED, "reading was stopped");
    return r;
}

void ck_resp_done(struct ck_resp *r)
{
    ck_buf_done(&r->body);
    ck_arena_free(r->arena);
    *r = (struct ck_resp){0};
}
