/* Requests through all their attempts: signing, deadlines, retries, redirects, one or many at once.
 *
 * Does not touch the network (a transport does) and knows no cloud. kOps has this spread over its
 * SDKs; the rules are those of the AWS SDK's standard mode, with one deadline over everything. */
#include "net/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <string.h>

enum {
    DEFAULT_TIMEOUT_MS = 30000,
    DEFAULT_CONNECT_MS = 5000,
    DEFAULT_ATTEMPTS = 3,
    DEFAULT_PARALLEL = 32,
    MAX_REDIRECTS = 10,
};

struct ck_http {
    const struct ck_env *env;
    const struct ck_transport_ops *ops;
    void *transport;
    struct ck_tokens *tokens;
    unsigned parallel;
    uint64_t count;
};

/* One request of a batch, from its start to its end. */
struct item {
    struct ck_send send;    /* the attempt under way; first: transports hand back its address */
    struct ck_req req;      /* as given, with what again() and redirects made of it */
    struct ck_arena *arena; /* strings of redirects */
    struct ck_resp resp;
    struct ck_err err;
    size_t i;
    int64_t began, sent_at, deadline, not_before;
    unsigned attempts, sends, hops;
    int cost; /* tokens the last retry took */
    struct item *next;
};

struct batch {
    struct ck_http *h;
    const struct ck_req *reqs;
    size_t n, fresh; /* requests [fresh, n) have not been started */
    ck_resp_fn fn;
    void *arg;
    struct item *waiting;            /* for their next attempt */
    struct item *live;               /* under way, linked by next */
    int64_t progress;                /* when the last reply came */
    const struct ck_req *unsignable; /* the first request that could not be signed, and why */
    struct ck_err unsigned_why;
    int stop; /* what fn returned, when negative */
};

/* ---- handle ---- */

struct ck_http *ck_http_new(const struct ck_env *env, const struct ck_transport_ops *ops,
                            void *transport)
{
    struct ck_http *h = ck_xcalloc(1, sizeof *h);
    *h = (struct ck_http){
        .env = env, .ops = ops, .transport = transport, .parallel = DEFAULT_PARALLEL};
    return h;
}

void ck_http_free(struct ck_http *h)
{
    if (!h)
        return;
    if (h->transport && h->ops->free)
        h->ops->free(h->transport);
    ck_tokens_free(h->tokens);
    free(h);
}

void ck_http_set_parallel(struct ck_http *h, unsigned n)
{
    h->parallel = n ? n : DEFAULT_PARALLEL;
}

uint64_t ck_http_count(const struct ck_http *h)
{
    return h->count;
}

static int load_transport(struct ck_http *h, struct ck_err *err)
{
    if (h->ops)
        return 0;
    h->transport = ck_curl_new(err);
    if (!h->transport)
        return -CK_UNSUPPORTED;
    h->ops = &ck_curl_ops;
    return 0;
}

/* ---- one item ---- */

static void unlink_item(struct item **list, struct item *it)
{
    while (*list && *list != it)
        list = &(*list)->next;
    if (*list)
        *list = it->next;
}

static void push_item(struct item **list, struct item *it)
{
    it->next = *list;
    *list = it;
}

static void free_item(struct item *it)
{
    ck_resp_done(&it->resp);
    ck_err_done(&it->err);
    ck_arena_free(it->arena);
    free(it);
}

static int64_t timeout_of(const struct ck_req *r)
{
    return r->timeout_ms > 0 ? r->timeout_ms : DEFAULT_TIMEOUT_MS;
}

static struct item *new_item(struct batch *b, size_t i)
{
    struct item *it = ck_xcalloc(1, sizeof *it);
    it->req = b->reqs[i];
    if (!it->req.method)
        it->req.method = "GET";
    if (!it->req.scheme)
        it->req.scheme = "https";
    if (!it->req.host)
        it->req.host = "";
    it->i = i;
    it->began = ck_mono_ms();
    it->deadline = it->began + timeout_of(&it->req);
    return it;
}

/* Hand the outcome over. */
static void finish(struct batch *b, struct item *it)
{
    it->resp.attempts = it->sends;
    it->resp.ms = ck_mono_ms() - it->began;
    if (it->err.code != CK_OK) {
        CK_AUTOBUF struct ck_buf url = CK_BUF_INIT;
        ck_url_text(&url, &it->req);
        ck_wrap(&it->err, "%s %s", it->req.method, ck_buf_str(&url));
    }
    int r = b->fn(b->arg, it->i, &it->resp, &it->err);
    if (r < 0)
        b->stop = r;
    free_item(it);
}

static void copy_nvs(struct ck_arena *a, struct ck_nvs *l)
{
    if (l->n)
        l->v = ck_arena_memdup(a, l->v, l->n * sizeof *l->v);
    l->cap = l->n;
}

static void set_ca(struct batch *b, struct ck_send *s)
{
    const struct ck_env *env = b->h->env;
    if (s->req.ca_file) {
        s->ca_path = "";
    } else if (env) {
        /* As Go and OpenSSL have it. */
        s->req.ca_file = ck_env_nonempty(env, "SSL_CERT_FILE");
        s->ca_path = ck_env_nonempty(env, "SSL_CERT_DIR");
    }
}

/* Without credentials the search for them, which may take seconds, is done once per batch and not
 * once per request. */
static int sign(struct batch *b, struct item *it, struct ck_arena *a)
{
    struct ck_req *r = &it->send.req;
    const struct ck_req *before = b->unsignable;
    if (!r->sign)
        return 0;
    if (before && before->sign == r->sign && before->sign_arg == r->sign_arg)
        return ck_fail(&it->err, b->unsigned_why.code, "%s", ck_err_msg(&b->unsigned_why));
    int rc = r->sign(r->sign_arg, a, r, &it->err);
    if (rc == 0)
        return 0;
    if (it->err.code == CK_OK)
        rc = ck_fail(&it->err, CK_INTERNAL, "cannot be signed");
    b->unsignable = &b->reqs[it->i];
    ck_fail(&b->unsigned_why, it->err.code, "%s", ck_err_msg(&it->err));
    return rc;
}

/* Make the next sending: its own copy of the request, signed now. */
static int prepare(struct batch *b, struct item *it)
{
    ck_resp_done(&it->resp);
    ck_err_done(&it->err);
    struct ck_arena *a = it->resp.arena = ck_arena_new();
    struct ck_send *s = &it->send;
    *s = (struct ck_send){.req = it->req, .resp = &it->resp, .err = &it->err, .proxy = ""};
    copy_nvs(a, &s->req.headers);
    copy_nvs(a, &s->req.query);
    int r = sign(b, it, a);
    if (r == 0)
        r = ck_send_check(&s->req, &it->err);
    if (r == 0)
        r = ck_proxy_for(a, b->h->env, &s->req, &s->proxy, &it->err);
    set_ca(b, s);
    if (r < 0)
        return r;
    it->sent_at = ck_mono_ms();
    s->req.timeout_ms = it->deadline - it->sent_at;
    if (s->req.timeout_ms <= 0)
        return ck_fail(&it->err, CK_TIMEOUT, "no time was left to send it");
    if (s->req.connect_ms <= 0)
        s->req.connect_ms = DEFAULT_CONNECT_MS;
    it->attempts++;
    it->sends++;
    b->h->count++;
    ck_trace_request(s, it->sends);
    return 0;
}

/* ---- the next to send ---- */

static struct item *earliest(const struct batch *b)
{
    struct item *best = b->waiting;
    for (struct item *it = best; it; it = it->next)
        if (it->not_before < best->not_before)
            best = it;
    return best;
}

/* A server that answers nothing at all ends the whole batch after one deadline, not each request
 * after its own. */
static struct item *start_fresh(struct batch *b)
{
    struct item *it = new_item(b, b->fresh++);
    if (it->began - b->progress < timeout_of(&it->req))
        return it;
    ck_fail(&it->err, CK_TIMEOUT, "not sent: no other request was answered within %lld ms",
            (long long)timeout_of(&it->req));
    finish(b, it);
    return NULL;
}

static struct ck_send *next_send(void *arg, int64_t *ret_wait_ms)
{
    struct batch *b = arg;
    while (b->stop == 0) {
        int64_t now = ck_mono_ms();
        struct item *it = earliest(b);
        if (it && it->not_before <= now) {
            unlink_item(&b->waiting, it);
        } else if (b->fresh < b->n) {
            it = start_fresh(b);
            if (!it)
                continue;
        } else {
            *ret_wait_ms = it ? it->not_before - now : -1;
            return NULL;
        }
        if (prepare(b, it) == 0) {
            push_item(&b->live, it);
            return &it->send;
        }
        finish(b, it);
    }
    *ret_wait_ms = -1;
    return NULL;
}

/* ---- after a sending ---- */

/* What the outcome costs and how long to wait before the next attempt; -1: there is none. */
static int64_t wait_before_retry(struct item *it, int *ret_cost)
{
    struct ck_req *r = &it->req;
    if (it->attempts >= (r->attempts ? r->attempts : DEFAULT_ATTEMPTS))
        return -1;
    if (it->err.code != CK_OK) {
        bool lost = it->err.code == CK_UNAVAILABLE || it->err.code == CK_TIMEOUT;
        if (!lost || it->send.final || (r->retry == CK_RETRY_NONE && it->send.sent))
            return -1;
        *ret_cost = it->err.code == CK_TIMEOUT ? CK_COST_TIMEOUT : CK_COST_RETRY;
        return ck_retry_wait(it->attempts + 1, NULL);
    }
    it->resp.attempts = it->sends;
    if (r->again && r->again(r->again_arg, r, &it->resp)) {
        *ret_cost = 0;
        return 0;
    }
    if (r->retry == CK_RETRY_NONE || !ck_retry_reply(&it->resp))
        return -1;
    *ret_cost = CK_COST_RETRY;
    return ck_retry_wait(it->attempts + 1, &it->resp);
}

static bool schedule_retry(struct batch *b, struct item *it)
{
    struct ck_tokens *tokens = ck_tokens_of(&b->h->tokens, it->req.bucket);
    int cost = 0;
    int64_t wait = wait_before_retry(it, &cost), now = ck_mono_ms();
    if (wait < 0) {
        if (it->err.code == CK_OK && !ck_retry_reply(&it->resp))
            ck_tokens_give(tokens, it->attempts > 1 ? it->cost : 1);
        return false;
    }
    if (wait >= it->deadline - now)
        return false;
    if (!ck_tokens_take(tokens, cost)) {
        ck_debug(6, "not tried again: too many requests to %s have failed", it->req.bucket);
        return false;
    }
    it->cost = cost;
    it->not_before = now + wait;
    push_item(&b->waiting, it);
    ck_debug(6, "trying again in %lld ms", (long long)wait);
    return true;
}

static bool schedule_redirect(struct batch *b, struct item *it)
{
    if (it->err.code != CK_OK)
        return false;
    if (!it->arena)
        it->arena = ck_arena_new();
    int r = ck_redirect(it->arena, &it->req, &it->resp, &it->err);
    if (r == CK_REDIRECT_NO)
        return false;
    if (r == CK_REDIRECT_FOLLOW && ++it->hops > MAX_REDIRECTS)
        r = ck_fail(&it->err, CK_INVALID, "stopped after %d redirects", MAX_REDIRECTS);
    if (r < 0)
        return false;
    it->attempts = 0;
    it->not_before = ck_mono_ms();
    push_item(&b->waiting, it);
    return true;
}

static int done_send(void *arg, struct ck_send *s)
{
    struct batch *b = arg;
    struct item *it = (struct item *)s;
    int64_t now = ck_mono_ms();
    unlink_item(&b->live, it);
    ck_trace_reply(s, it->sends, now - it->sent_at);
    it->sends += s->resent;
    if (it->err.code != CK_OK)
        it->err.http_status = it->resp.status;
    if (it->err.code != CK_TIMEOUT)
        b->progress = now;
    if ((it->req.follow && schedule_redirect(b, it)) || schedule_retry(b, it))
        return b->stop;
    finish(b, it);
    if (b->progress == now)
        b->progress =
            ck_mono_ms(); /* what the caller does with a reply is not the server's delay */
    return b->stop;
}

static void free_all(struct item *list)
{
    for (struct item *next; list; list = next) {
        next = list->next;
        free_item(list);
    }
}

int ck_http_all(struct ck_http *h, const struct ck_req *reqs, size_t n, ck_resp_fn fn, void *arg,
                struct ck_err *err)
{
    if (n == 0)
        return 0;
    int r = load_transport(h, err);
    if (r < 0)
        return r;
    struct batch b = {.h = h, .reqs = reqs, .n = n, .fn = fn, .arg = arg, .progress = ck_mono_ms()};
    r = h->ops->send(h->transport, h->parallel, next_send, done_send, &b, err);
    free_all(b.waiting);
    free_all(b.live);
    ck_err_done(&b.unsigned_why);
    return b.stop < 0 ? b.stop : r;
}

struct one {
    struct ck_resp *ret;
    struct ck_err *err;
};

static int take_one(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    struct one *o = arg;
    int code = -(int)item_err->code;
    if (code < 0) {
        if (o->err)
            ck_err_move(o->err, item_err);
        return code;
    }
    *o->ret = *resp;
    *resp = (struct ck_resp){0};
    return 0;
}

int ck_http_do(struct ck_http *h, const struct ck_req *req, struct ck_resp *ret, struct ck_err *err)
{
    *ret = (struct ck_resp){0};
    struct one o = {ret, err};
    return ck_http_all(h, req, 1, take_one, &o, err);
}
