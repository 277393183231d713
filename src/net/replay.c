/* The scripted transport: reads the script, compares requests with it, plays replies and faults.
 *
 * No network, no retries. Nothing of kOps; only tests use it. */
#include "net/replay.h"

#include "base/clock.h"
#include "base/mem.h"

#include <string.h>
#include <strings.h>

enum fault { NONE, REFUSE, CONNECT_TIMEOUT, RESET, STALL, TRUNCATE, GARBAGE };

static const char *const FAULTS[] = {
    [NONE] = "none",      [REFUSE] = "refuse", [CONNECT_TIMEOUT] = "connect-timeout",
    [RESET] = "reset",    [STALL] = "stall",   [TRUNCATE] = "truncate",
    [GARBAGE] = "garbage"};

struct exchange {
    struct exchange *next;
    int line;
    const char *method, *url;
    struct ck_nvs headers; /* value NULL: must be absent */
    struct ck_buf body, reply;
    bool has_body, has_reply, used;
    int status;
    struct ck_nvs reply_headers;
    enum fault fault;
    int64_t delay_ms;
};

struct ck_replay {
    struct ck_arena *arena;
    struct exchange *first, **end;
    struct ck_err mismatch; /* the first one */
};

/* ---- reading the script ---- */

static bool header_line(struct ck_arena *a, struct ck_slice text, struct ck_nvs *l)
{
    size_t colon = ck_slice_find(text, ':');
    if (colon == 0 || colon == text.len)
        return false;
    struct ck_slice v = ck_slice_trim(ck_slice_n(text.ptr + colon + 1, text.len - colon - 1));
    ck_nvs_add(a, l, ck_arena_strndup(a, text.ptr, colon), ck_arena_strndup(a, v.ptr, v.len));
    return true;
}

static bool number(struct ck_slice s, int *ret)
{
    int v = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9' || i > 6)
            return false;
        v = v * 10 + (s.ptr[i] - '0');
    }
    *ret = v;
    return s.len != 0;
}

static void add_line(struct ck_buf *b, bool *has, struct ck_slice text)
{
    if (*has)
        ck_buf_putc(b, '\n');
    *has = true;
    ck_buf_put(b, text);
}

static void free_exchange(void *p)
{
    struct exchange *x = p;
    ck_buf_done(&x->body);
    ck_buf_done(&x->reply);
}

static bool request_line(struct ck_replay *r, struct ck_slice text, int line)
{
    size_t space = ck_slice_find(text, ' ');
    if (space == 0 || space >= text.len)
        return false;
    struct exchange *x = ck_arena_alloc(r->arena, sizeof *x);
    x->line = line;
    x->method = ck_arena_strndup(r->arena, text.ptr, space);
    x->url = ck_arena_strndup(r->arena, text.ptr + space + 1, text.len - space - 1);
    *r->end = x;
    r->end = &x->next;
    ck_arena_on_free(r->arena, free_exchange, x);
    return true;
}

static bool fault_line(struct exchange *x, struct ck_slice text)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(FAULTS); i++)
        if (ck_slice_eq_str(text, FAULTS[i])) {
            x->fault = (enum fault)i;
            return true;
        }
    return false;
}

/* Lines about the exchange under way. */
static bool detail_line(struct ck_arena *a, struct exchange *x, char kind, bool body,
                        struct ck_slice text)
{
    int ms;
    if (kind == '>' && body) {
        add_line(&x->body, &x->has_body, text);
        return true;
    }
    if (kind == '<' && body) {
        add_line(&x->reply, &x->has_reply, text);
        return true;
    }
    switch (kind) {
    case '>':
        if (text.len > 1 && text.ptr[0] == '!') {
            ck_nvs_add(a, &x->headers, ck_arena_strndup(a, text.ptr + 1, text.len - 1), NULL);
            return true;
        }
        return header_line(a, text, &x->headers);
    case '<':
        return x->status ? header_line(a, text, &x->reply_headers) : number(text, &x->status);
    case '~':
        if (!number(text, &ms))
            return false;
        x->delay_ms = ms;
        return true;
    case '!':
        return fault_line(x, text);
    default:
        return false;
    }
}

/* "> METHOD URL" as opposed to "> name: value". */
static bool is_request_line(struct ck_slice text)
{
    size_t space = ck_slice_find(text, ' '), colon = ck_slice_find(text, ':');
    return space < text.len && space < colon;
}

static bool script_line(struct ck_replay *r, struct exchange **current, struct ck_slice line,
                        int number_of_line)
{
    if (line.len == 0 || line.ptr[0] == '#')
        return true;
    bool body = line.len > 1 && line.ptr[1] == '=';
    size_t skip = body ? 2 : 1;
    struct ck_slice text = ck_slice_n(line.ptr + skip, line.len - skip);
    if (text.len && text.ptr[0] == ' ')
        text = ck_slice_n(text.ptr + 1, text.len - 1);
    if (line.ptr[0] == '>' && !body && is_request_line(text)) {
        struct exchange **at = r->end;
        bool ok = request_line(r, text, number_of_line);
        *current = *at;
        return ok;
    }
    return *current && detail_line(r->arena, *current, line.ptr[0], body, text);
}

struct ck_replay *ck_replay_new(const char *script, struct ck_err *err)
{
    struct ck_replay *r = ck_xcalloc(1, sizeof *r);
    r->arena = ck_arena_new();
    r->end = &r->first;
    struct exchange *current = NULL;
    struct ck_slice rest = ck_slice_of(script), line;
    for (int n = 1; rest.ptr && ck_slice_next(&rest, '\n', &line); n++)
        if (!script_line(r, &current, line, n)) {
            ck_fail(err, CK_INVALID, "line %d: not understood: %.*s", n, CK_SARG(line));
            ck_replay_ops.free(r);
            return NULL;
        }
    return r;
}

/* ---- comparing ---- */

/* "*" is any run of bytes; everything else is itself. */
static bool fits(const char *pattern, const char *text)
{
    const char *star = NULL, *retry = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = ++retry;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == '\0';
}

static struct exchange *find(const struct ck_replay *r, const char *method, const char *url)
{
    for (struct exchange *x = r->first; x; x = x->next)
        if (!x->used && strcmp(x->method, method) == 0 && fits(x->url, url))
            return x;
    return NULL;
}

static bool header_fits(const struct ck_nvs *have, const struct ck_nv *want)
{
    bool found = false;
    for (size_t i = 0; i < have->n; i++) {
        if (strcasecmp(have->v[i].name, want->name) != 0)
            continue;
        found = true;
        if (want->value && fits(want->value, have->v[i].value))
            return true;
    }
    return !want->value && !found;
}

static int compare(const struct exchange *x, const struct ck_send *s)
{
    for (size_t i = 0; i < x->headers.n; i++) {
        const struct ck_nv *want = &x->headers.v[i];
        if (header_fits(&s->req.headers, want))
            continue;
        const char *have = ck_nvs_get(&s->req.headers, want->name);
        return ck_fail(s->err, CK_INTERNAL, "script line %d: header %s is \"%s\", expected \"%s\"",
                       x->line, want->name, have ? have : "(absent)",
                       want->value ? want->value : "(absent)");
    }
    CK_AUTOBUF struct ck_buf body = CK_BUF_INIT;
    ck_buf_put(&body, s->req.body.len ? s->req.body : CK_S(""));
    if (x->has_body && !fits(ck_buf_str(&x->body), ck_buf_str(&body)))
        return ck_fail(s->err, CK_INTERNAL, "script line %d: body is \"%s\", expected \"%s\"",
                       x->line, ck_buf_str(&body), ck_buf_str(&x->body));
    return 0;
}

/* ---- playing ---- */

static void play_reply(const struct exchange *x, struct ck_send *s)
{
    s->sent = true;
    ck_send_status(s, x->status);
    for (size_t i = 0; i < x->reply_headers.n; i++)
        ck_send_header(s, ck_slice_of(x->reply_headers.v[i].name),
                       ck_slice_of(x->reply_headers.v[i].value));
    struct ck_slice body = ck_buf_slice(&x->reply);
    if (x->fault == TRUNCATE)
        body.len /= 2;
    if (strcmp(s->req.method, "HEAD") == 0)
        body.len = 0;
    /* In pieces, as a network delivers. */
    while (body.len) {
        size_t n = body.len > 1000 ? 1000 : body.len;
        if (ck_send_body(s, ck_slice_n(body.ptr, n)) < 0)
            return;
        body = ck_slice_n(body.ptr + n, body.len - n);
    }
    if (x->fault == TRUNCATE)
        ck_fail(s->err, CK_UNAVAILABLE, "the connection broke before the reply was complete");
}

static void play(const struct exchange *x, struct ck_send *s)
{
    int64_t delay = x->fault == STALL ? s->req.timeout_ms + 1 : x->delay_ms;
    bool late = delay >= s->req.timeout_ms;
    ck_sleep_ms(late ? s->req.timeout_ms : delay);
    s->sent = x->fault != REFUSE && x->fault != CONNECT_TIMEOUT;
    if (late)
        ck_fail(s->err, CK_TIMEOUT, "no reply within %lld ms", (long long)s->req.timeout_ms);
    else if (x->fault == REFUSE)
        ck_fail(s->err, CK_UNAVAILABLE, "cannot connect: connection refused");
    else if (x->fault == CONNECT_TIMEOUT)
        ck_fail(s->err, CK_TIMEOUT, "cannot connect: no answer");
    else if (x->fault == RESET)
        ck_fail(s->err, CK_UNAVAILABLE, "the connection broke before the reply");
    else if (x->fault == GARBAGE)
        ck_fail(s->err, CK_UNAVAILABLE, "what answered does not speak HTTP/1.1");
    else
        play_reply(x, s);
}

static void answer(void *t, struct ck_send *s)
{
    struct ck_replay *r = t;
    CK_AUTOBUF struct ck_buf url = CK_BUF_INIT;
    ck_url_text(&url, &s->req);
    if (s->req.raw_query || s->req.query.n) {
        ck_buf_putc(&url, '?');
        ck_url_query(&url, &s->req);
    }
    struct exchange *x = find(r, s->req.method, ck_buf_str(&url));
    if (!x)
        ck_fail(s->err, CK_INTERNAL, "the script expects no %s %s", s->req.method,
                ck_buf_str(&url));
    if (x && compare(x, s) == 0) {
        x->used = true;
        play(x, s);
        return;
    }
    if (r->mismatch.code == CK_OK)
        ck_fail(&r->mismatch, CK_INTERNAL, "%s", ck_err_msg(s->err));
}

int ck_replay_one_by_one(void (*reply)(void *t, struct ck_send *s), void *t,
                         struct ck_send *(*next)(void *arg, int64_t *ret_wait_ms),
                         int (*done)(void *arg, struct ck_send *s), void *arg)
{
    for (;;) {
        int64_t wait = 0;
        struct ck_send *s = next(arg, &wait);
        if (!s && wait < 0)
            return 0;
        if (!s) {
            ck_sleep_ms(wait);
            continue;
        }
        reply(t, s);
        int r = done(arg, s);
        if (r < 0)
            return r;
    }
}

static int replay_send(void *t, unsigned parallel,
                       struct ck_send *(*next)(void *arg, int64_t *ret_wait_ms),
                       int (*done)(void *arg, struct ck_send *s), void *arg, struct ck_err *err)
{
    return ck_replay_one_by_one(answer, t, next, done, arg);
}

static void replay_free(void *t)
{
    struct ck_replay *r = t;
    ck_err_done(&r->mismatch);
    ck_arena_free(r->arena);
    free(r);
}

const struct ck_transport_ops ck_replay_ops = {
    .name = "replay",
    .send = replay_send,
    .free = replay_free,
};

int ck_replay_finished(const struct ck_replay *r, struct ck_err *err)
{
    if (r->mismatch.code != CK_OK)
        return ck_fail(err, CK_INTERNAL, "%s", ck_err_msg(&r->mismatch));
    for (const struct exchange *x = r->first; x; x = x->next)
        if (!x->used)
            return ck_fail(err, CK_INTERNAL, "script line %d: %s %s was not asked for", x->line,
                           x->method, x->url);
    return 0;
}
