/* The transport over libcurl's multi interface: connections are kept and shared by all requests of
 * one ck_http.
 *
 * Sends what it is given, once: no retries, no redirects, no proxy or cookie of curl's own
 * choosing. */
#include "base/clock.h"
#include "base/mem.h"
#include "net/curl_lib.h"
#include "net/internal.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum {
    MAX_NESTING = 8,
    POLL_MS = 1000,
    MAX_IDLE_S = 55, /* below the idle limits of the usual load balancers */
};

/* One easy handle and the request on it. */
struct flight {
    CURL *easy;
    struct ck_send *send;
    struct curl_slist *headers, *connect_to;
    bool unsupported; /* this libcurl cannot do what the request's TLS asks for */
    struct ck_buf url;
    char reason[CURL_ERROR_SIZE];
    unsigned starts; /* how often curl was about to write the request */
    bool twice;      /* it wanted to do so again on another connection */
    bool head_ended; /* the final status and all headers have come */
    const struct ck_curl *c;
    struct flight *next;
};

struct transport {
    const struct ck_curl *c;
    /* A callback may send through the same transport: each level has its own multi handle. */
    CURLM *multi[MAX_NESTING];
    unsigned depth;
    struct flight *idle;
};

/* One call of send(). */
struct round {
    struct transport *t;
    CURLM *multi;
    struct flight *active;
    unsigned n_active;
};

/* ---- callbacks ---- */

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct flight *f = arg;
    struct ck_slice line = {p, size * n};
    /* The first final status counts; what looks like one in a trailer does not. */
    if (f->send->resp->status < 200 && ck_slice_starts(line, "HTTP/")) {
        size_t space = ck_slice_find(line, ' ');
        int status = 0;
        for (size_t i = space + 1; i < line.len && i < space + 4; i++)
            status = line.ptr[i] >= '0' && line.ptr[i] <= '9' ? status * 10 + line.ptr[i] - '0' : 0;
        ck_send_status(f->send, status);
        return size * n;
    }
    if (f->send->resp->status >= 200 && !ck_slice_trim(line).len)
        f->head_ended = true;
    size_t colon = ck_slice_find(line, ':');
    if (colon < line.len)
        ck_send_header(f->send, ck_slice_n(p, colon),
                       ck_slice_n(p + colon + 1, line.len - colon - 1));
    return size * n;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct flight *f = arg;
    return ck_send_body(f->send, ck_slice_n(p, size * n)) < 0 ? CURL_WRITEFUNC_ERROR : size * n;
}

/* Called when a connection is there and the request is about to be written. When a kept connection
 * turns out to be dead, curl takes a new one and asks again: not for what must not be sent twice.
 */
static int on_start(void *arg, char *ip, char *local_ip, int port, int local_port)
{
    struct flight *f = arg;
    if (f->starts++) {
        if (f->send->req.retry == CK_RETRY_NONE) {
            f->twice = true;
            return CURL_PREREQFUNC_ABORT;
        }
        f->send->resent++;
    }
    f->send->sent = true;
    return CURL_PREREQFUNC_OK;
}

/* ---- setting up ---- */

static void add_header(struct flight *f, const char *line)
{
    struct curl_slist *l = f->c->curl_slist_append(f->headers, line);
    if (l)
        f->headers = l;
}

static void set_headers(struct flight *f)
{
    const struct ck_nvs *h = &f->send->req.headers;
    CK_AUTOBUF struct ck_buf line = CK_BUF_INIT;
    for (size_t i = 0; i < h->n; i++) {
        struct ck_slice value = ck_slice_trim(ck_slice_of(h->v[i].value));
        ck_buf_reset(&line);
        /* "Name;" is how curl is told to send an empty value; blanks would remove the header. */
        ck_buf_fmt(&line, value.len ? "%s: %.*s" : "%s;", h->v[i].name, CK_SARG(value));
        add_header(f, ck_buf_str(&line));
    }
    /* What curl would add by itself and no signer knows of. */
    static const char *const unwanted[] = {"Expect", "Accept", "Content-Type"};
    for (size_t i = 0; i < CK_ARRAY_LEN(unwanted); i++) {
        if (ck_nvs_get(h, unwanted[i]))
            continue;
        ck_buf_reset(&line);
        ck_buf_fmt(&line, "%s:", unwanted[i]);
        add_header(f, ck_buf_str(&line));
    }
    if (!ck_nvs_get(h, "Accept-Encoding"))
        add_header(f, "Accept-Encoding: identity");
    if (!ck_nvs_get(h, "User-Agent"))
        add_header(f, "User-Agent: ckops/" CK_VERSION);
    f->c->curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, f->headers);
}

static void set_method(struct flight *f)
{
    const struct ck_curl *c = f->c;
    const struct ck_req *r = &f->send->req;
    bool body = r->body.len || strcmp(r->method, "POST") == 0 || strcmp(r->method, "PUT") == 0 ||
                strcmp(r->method, "PATCH") == 0;
    if (strcmp(r->method, "HEAD") == 0) {
        c->curl_easy_setopt(f->easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (body) {
        c->curl_easy_setopt(f->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
        c->curl_easy_setopt(f->easy, CURLOPT_POSTFIELDS, r->body.len ? r->body.ptr : "");
    } else {
        c->curl_easy_setopt(f->easy, CURLOPT_HTTPGET, 1L);
    }
    c->curl_easy_setopt(f->easy, CURLOPT_CUSTOMREQUEST, r->method);
}

static void set_blob(struct flight *f, CURLoption option, struct ck_slice text)
{
    struct curl_blob blob = {(void *)(uintptr_t)text.ptr, text.len, CURL_BLOB_COPY};
    if (text.len && f->c->curl_easy_setopt(f->easy, option, &blob) != CURLE_OK)
        f->unsupported = true;
}

/* Another name for TLS: it stands in the URL, the connection goes to the real host, and so does the
 * Host header. */
static void set_server_name(struct flight *f, const char *name)
{
    struct ck_req r = f->send->req;
    CK_AUTOBUF struct ck_buf to = CK_BUF_INIT;
    bool v6 = strchr(r.host, ':') != NULL;
    ck_buf_fmt(&to, "::%s%s%s:%d", v6 ? "[" : "", r.host, v6 ? "]" : "", r.port ? r.port : 443);
    f->connect_to = f->c->curl_slist_append(NULL, ck_buf_str(&to));
    f->c->curl_easy_setopt(f->easy, CURLOPT_CONNECT_TO, f->connect_to);
    ck_buf_reset(&to);
    ck_buf_puts(&to, "Host: ");
    ck_url_host(&to, &r);
    add_header(f, ck_buf_str(&to));
    r.host = name;
    CK_AUTOBUF struct ck_buf url = CK_BUF_INIT;
    ck_url_text(&url, &r);
    ck_buf_put(&url, ck_slice_of(strchr(ck_buf_str(&f->url), '?')));
    f->c->curl_easy_setopt(f->easy, CURLOPT_URL, ck_buf_str(&url));
}

static void set_server(struct flight *f, const struct ck_tls *t)
{
    const struct ck_curl *c = f->c;
    set_blob(f, CURLOPT_CAINFO_BLOB, t->ca);
    set_blob(f, CURLOPT_SSLCERT_BLOB, t->cert);
    set_blob(f, CURLOPT_SSLKEY_BLOB, t->key);
    if (t->ca.len)
        c->curl_easy_setopt(f->easy, CURLOPT_CAPATH, NULL);
    if (t->insecure) {
        c->curl_easy_setopt(f->easy, CURLOPT_SSL_VERIFYPEER, 0L);
        c->curl_easy_setopt(f->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (t->server_name && strcmp(f->send->req.scheme, "https") == 0)
        set_server_name(f, t->server_name);
}

static void set_tls(struct flight *f)
{
    const struct ck_curl *c = f->c;
    const struct ck_send *s = f->send;
    static const CURLoption peer[] = {CURLOPT_SSL_VERIFYPEER, CURLOPT_PROXY_SSL_VERIFYPEER};
    static const CURLoption host[] = {CURLOPT_SSL_VERIFYHOST, CURLOPT_PROXY_SSL_VERIFYHOST};
    static const CURLoption version[] = {CURLOPT_SSLVERSION, CURLOPT_PROXY_SSLVERSION};
    static const CURLoption file[] = {CURLOPT_CAINFO, CURLOPT_PROXY_CAINFO};
    static const CURLoption path[] = {CURLOPT_CAPATH, CURLOPT_PROXY_CAPATH};
    for (size_t i = 0; i < 2; i++) {
        c->curl_easy_setopt(f->easy, peer[i], 1L);
        c->curl_easy_setopt(f->easy, host[i], 2L);
        c->curl_easy_setopt(f->easy, version[i], (long)CURL_SSLVERSION_TLSv1_2);
        if (s->req.ca_file)
            c->curl_easy_setopt(f->easy, file[i], s->req.ca_file);
        if (s->ca_path)
            c->curl_easy_setopt(f->easy, path[i], *s->ca_path ? s->ca_path : NULL);
    }
    if (s->req.tls)
        set_server(f, s->req.tls);
}

static void set_limits(struct flight *f)
{
    const struct ck_curl *c = f->c;
    const struct ck_req *r = &f->send->req;
    int64_t connect = r->connect_ms < r->timeout_ms ? r->connect_ms : r->timeout_ms;
    c->curl_easy_setopt(f->easy, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
    c->curl_easy_setopt(f->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect);
    c->curl_easy_setopt(f->easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Do not wait for a name server that does not answer; older libraries refuse the option. */
    c->curl_easy_setopt(f->easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    c->curl_easy_setopt(f->easy, CURLOPT_MAXAGE_CONN, (long)MAX_IDLE_S);
}

static void set_protocol(struct flight *f)
{
    const struct ck_curl *c = f->c;
    c->curl_easy_setopt(f->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    c->curl_easy_setopt(f->easy, CURLOPT_FOLLOWLOCATION, 0L);
    c->curl_easy_setopt(f->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    c->curl_easy_setopt(f->easy, CURLOPT_HTTP09_ALLOWED, 0L);
    c->curl_easy_setopt(f->easy, CURLOPT_PATH_AS_IS, 1L);
    c->curl_easy_setopt(f->easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    c->curl_easy_setopt(f->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    c->curl_easy_setopt(f->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    /* Both are given, even when empty: curl would look into the environment otherwise. */
    c->curl_easy_setopt(f->easy, CURLOPT_PROXY, f->send->proxy);
    c->curl_easy_setopt(f->easy, CURLOPT_NOPROXY, "");
    c->curl_easy_setopt(f->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (strcmp(f->send->req.scheme, "https") == 0)
        c->curl_easy_setopt(f->easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
}

static void set_up(struct flight *f)
{
    const struct ck_curl *c = f->c;
    ck_buf_reset(&f->url);
    ck_url_text(&f->url, &f->send->req);
    if (f->send->req.raw_query || f->send->req.query.n) {
        ck_buf_putc(&f->url, '?');
        ck_url_query(&f->url, &f->send->req);
    }
    c->curl_easy_setopt(f->easy, CURLOPT_URL, ck_buf_str(&f->url));
    c->curl_easy_setopt(f->easy, CURLOPT_ERRORBUFFER, f->reason);
    c->curl_easy_setopt(f->easy, CURLOPT_PRIVATE, f);
    c->curl_easy_setopt(f->easy, CURLOPT_HEADERFUNCTION, on_header);
    c->curl_easy_setopt(f->easy, CURLOPT_HEADERDATA, f);
    c->curl_easy_setopt(f->easy, CURLOPT_WRITEFUNCTION, on_body);
    c->curl_easy_setopt(f->easy, CURLOPT_WRITEDATA, f);
    c->curl_easy_setopt(f->easy, CURLOPT_PREREQFUNCTION, on_start);
    c->curl_easy_setopt(f->easy, CURLOPT_PREREQDATA, f);
    set_protocol(f);
    set_limits(f);
    set_tls(f);
    set_method(f);
    set_headers(f);
}

/* ---- outcomes ---- */

/* Where the proxy is, without its user name and password. */
static const char *proxy_host(const struct ck_send *s)
{
    const char *at = strrchr(s->proxy, '@'), *scheme = strstr(s->proxy, "://");
    return at ? at + 1 : scheme ? scheme + 3 : s->proxy;
}

static int fail_connect(struct flight *f, enum ck_code code)
{
    struct ck_send *s = f->send;
    long number = 0;
    f->c->curl_easy_getinfo(f->easy, CURLINFO_OS_ERRNO, &number);
    const char *why = "no answer";
    if (code != CK_TIMEOUT)
        why = number == ECONNREFUSED ? "connection refused"
              : number               ? strerror((int)number)
                                     : "refused";
    if (*s->proxy)
        return ck_fail(s->err, code, "cannot connect to the proxy %s: %s", proxy_host(s), why);
    return ck_fail(s->err, code, "cannot connect to %s port %d: %s", s->req.host,
                   s->req.port                          ? s->req.port
                   : strcmp(s->req.scheme, "http") == 0 ? 80
                                                        : 443,
                   why);
}

static int fail_timeout(struct flight *f)
{
    struct ck_send *s = f->send;
    if (!s->sent && strstr(f->reason, "SSL"))
        return ck_fail(s->err, CK_TIMEOUT, "the TLS handshake was not completed in time");
    if (!s->sent)
        return fail_connect(f, CK_TIMEOUT);
    return ck_fail(s->err, CK_TIMEOUT, "%s within %lld ms",
                   s->resp->status ? "the reply was not complete" : "no reply",
                   (long long)s->req.timeout_ms);
}

/* libcurl's reason, with OpenSSL or GnuTLS, for a certificate whose authority does not matter. */
static bool is_about_time(const char *reason)
{
    static const char *const texts[] = {"has expired", "not yet valid", "expiration date",
                                        "not activated"};
    for (size_t i = 0; i < CK_ARRAY_LEN(texts); i++)
        if (strstr(reason, texts[i]))
            return true;
    return false;
}

static int fail_certificate(struct flight *f)
{
    struct ck_send *s = f->send;
    s->final = true;
    const char *hint = s->req.tls ? s->req.tls->hint : NULL;
    if (is_about_time(f->reason))
        hint = "is this machine's clock right? Else the certificate must be renewed there";
    return ck_fail(s->err, CK_INVALID, "the certificate of %s is not trusted (%s); %s",
                   *s->proxy ? "the proxy or the server" : s->req.host, f->reason,
                   hint ? hint
                        : "if it comes from an authority of your own, name a file with that "
                          "authority's certificate in CKOPS_STORE_CA_BUNDLE, AWS_CA_BUNDLE or "
                          "SSL_CERT_FILE");
}

/* A refused CONNECT shows as a failed read; its status tells more. */
static int fail_broken(struct flight *f)
{
    struct ck_send *s = f->send;
    long status = 0;
    f->c->curl_easy_getinfo(f->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    if (*s->proxy && status == 407) {
        s->final = true;
        return ck_fail(s->err, CK_UNAUTHENTICATED,
                       "the proxy %s wants a user name and password (407)", proxy_host(s));
    }
    if (*s->proxy && status >= 300)
        return ck_fail(s->err, CK_UNAVAILABLE, "the proxy %s refused the connection (%ld)",
                       proxy_host(s), status);
    return ck_fail(s->err, CK_UNAVAILABLE, "%s",
                   s->resp->status ? "the connection broke before the reply was complete"
                   : s->sent       ? "the connection broke before the reply"
                                   : "the connection broke before the request was sent");
}

static int fail_with(struct flight *f, CURLcode code)
{
    struct ck_send *s = f->send;
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return ck_fail(s->err, CK_UNAVAILABLE, "the name %s cannot be resolved", s->req.host);
    case CURLE_COULDNT_RESOLVE_PROXY:
        return ck_fail(s->err, CK_UNAVAILABLE, "the proxy's name in %s cannot be resolved",
                       proxy_host(s));
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
        return fail_connect(f, CK_UNAVAILABLE);
    case CURLE_OPERATION_TIMEDOUT:
        return fail_timeout(f);
    case CURLE_PEER_FAILED_VERIFICATION:
        return fail_certificate(f);
    case CURLE_SSL_CERTPROBLEM:
        s->final = true;
        return ck_fail(s->err, CK_INVALID, "the client certificate cannot be used: %s", f->reason);
    case CURLE_SSL_CACERT_BADFILE:
        s->final = true;
        return ck_fail(s->err, CK_INVALID, "the file of trusted authorities cannot be read: %s",
                       s->req.ca_file ? s->req.ca_file : f->reason);
    case CURLE_URL_MALFORMAT:
        return ck_fail(s->err, CK_INVALID, "the URL cannot be used");
    case CURLE_SSL_CONNECT_ERROR:
        return ck_fail(s->err, CK_UNAVAILABLE, "no TLS connection: %s", f->reason);
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return ck_fail(s->err, CK_UNAVAILABLE, "what answered does not speak HTTP/1.1");
    case CURLE_OUT_OF_MEMORY:
        return ck_fail(s->err, CK_INTERNAL, "curl ran out of memory");
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        return fail_broken(f);
    default:
        return ck_fail(s->err, CK_UNAVAILABLE, "%s",
                       *f->reason ? f->reason : f->c->curl_easy_strerror(code));
    }
}

static void judge(struct flight *f, CURLcode code)
{
    struct ck_send *s = f->send;
    if (s->err->code != CK_OK)
        return; /* the limit or the sink has spoken already */
    /* curl takes a head that was cut off for a whole one when no body is due: of a HEAD, a 204. */
    if (code == CURLE_OK && !f->head_ended)
        code = CURLE_PARTIAL_FILE;
    if (code == CURLE_OK)
        return;
    if (f->twice)
        ck_fail(s->err, CK_UNAVAILABLE,
                "the connection broke and the request may or may not have been carried out");
    else
        fail_with(f, code);
}

/* ---- sending ---- */

static struct flight *take_flight(struct round *r)
{
    struct transport *t = r->t;
    struct flight *f = t->idle;
    if (f) {
        t->idle = f->next;
        t->c->curl_easy_reset(f->easy);
    } else {
        CURL *easy = t->c->curl_easy_init();
        if (!easy)
            return NULL;
        f = ck_xcalloc(1, sizeof *f);
        f->easy = easy;
        f->c = t->c;
    }
    f->starts = 0;
    f->twice = f->unsupported = f->head_ended = false;
    f->reason[0] = '\0';
    f->next = r->active;
    r->active = f;
    r->n_active++;
    return f;
}

/* Take the flight off the wire; its handle is kept for the next request. */
static void land(struct round *r, struct flight *f)
{
    struct flight **at = &r->active;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    r->n_active--;
    f->c->curl_multi_remove_handle(r->multi, f->easy);
    f->c->curl_slist_free_all(f->headers);
    f->c->curl_slist_free_all(f->connect_to);
    f->headers = f->connect_to = NULL;
    f->send = NULL;
    f->next = r->t->idle;
    r->t->idle = f;
}

static int launch(struct round *r, struct ck_send *s)
{
    struct flight *f = take_flight(r);
    if (!f)
        return ck_fail(s->err, CK_INTERNAL, "curl ran out of memory");
    f->send = s;
    set_up(f);
    if (!f->unsupported && f->c->curl_multi_add_handle(r->multi, f->easy) == CURLM_OK)
        return 0;
    bool unsupported = f->unsupported;
    land(r, f);
    if (unsupported)
        return ck_fail(s->err, CK_UNSUPPORTED,
                       "certificates given as text need a libcurl that was built with OpenSSL");
    return ck_fail(s->err, CK_INTERNAL, "curl does not take the request");
}

/* Report what has ended. Returns done()'s negative result; *ret_any tells whether anything had. */
static int collect(struct round *r, int (*done)(void *arg, struct ck_send *s), void *arg,
                   bool *ret_any)
{
    const struct ck_curl *c = r->t->c;
    int left;
    *ret_any = false;
    for (CURLMsg *m; (m = c->curl_multi_info_read(r->multi, &left));) {
        if (m->msg != CURLMSG_DONE)
            continue;
        struct flight *f = NULL;
        CURLcode code = m->data.result;
        c->curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &f);
        judge(f, code);
        struct ck_send *s = f->send;
        land(r, f);
        *ret_any = true;
        int rc = done(arg, s);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int run(struct round *r, unsigned parallel,
               struct ck_send *(*next)(void *arg, int64_t *ret_wait_ms),
               int (*done)(void *arg, struct ck_send *s), void *arg, struct ck_err *err)
{
    const struct ck_curl *c = r->t->c;
    for (;;) {
        int64_t wait = POLL_MS;
        struct ck_send *s;
        while (r->n_active < parallel && (s = next(arg, &wait))) {
            wait = POLL_MS;
            int rc = launch(r, s) < 0 ? done(arg, s) : 0;
            if (rc < 0)
                return rc;
        }
        if (!r->n_active && wait < 0)
            return 0;
        int running;
        bool any;
        if (c->curl_multi_perform(r->multi, &running) != CURLM_OK)
            return ck_fail(err, CK_INTERNAL, "curl's event loop failed");
        int rc = collect(r, done, arg, &any);
        if (rc < 0)
            return rc;
        if (any)
            continue;
        if (wait < 0 || wait > POLL_MS)
            wait = POLL_MS;
        if (c->curl_multi_poll(r->multi, NULL, 0, (int)wait, NULL) != CURLM_OK)
            return ck_fail(err, CK_INTERNAL, "curl's event loop failed");
    }
}

static int send_all(void *arg_t, unsigned parallel,
                    struct ck_send *(*next)(void *arg, int64_t *ret_wait_ms),
                    int (*done)(void *arg, struct ck_send *s), void *arg, struct ck_err *err)
{
    struct transport *t = arg_t;
    if (t->depth == MAX_NESTING)
        return ck_fail(err, CK_INTERNAL, "requests within requests are nested too deeply");
    CURLM **multi = &t->multi[t->depth];
    if (!*multi && !(*multi = t->c->curl_multi_init()))
        return ck_fail(err, CK_INTERNAL, "curl ran out of memory");
    t->c->curl_multi_setopt(*multi, CURLMOPT_MAXCONNECTS, (long)parallel);
    t->c->curl_multi_setopt(*multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)parallel);
    struct round r = {.t = t, .multi = *multi};
    t->depth++;
    int rc = run(&r, parallel, next, done, arg, err);
    while (r.active)
        land(&r, r.active);
    t->depth--;
    return rc;
}

static void free_transport(void *arg)
{
    struct transport *t = arg;
    for (struct flight *f = t->idle, *next; f; f = next) {
        next = f->next;
        t->c->curl_easy_cleanup(f->easy);
        ck_buf_done(&f->url);
        free(f);
    }
    for (unsigned i = 0; i < MAX_NESTING; i++)
        if (t->multi[i])
            t->c->curl_multi_cleanup(t->multi[i]);
    free(t);
}

const struct ck_transport_ops ck_curl_ops = {
    .name = "curl",
    .send = send_all,
    .free = free_transport,
};

void *ck_curl_new(struct ck_err *err)
{
    const struct ck_curl *c = ck_curl_load(err);
    if (!c)
        return NULL;
    struct transport *t = ck_xcalloc(1, sizeof *t);
    t->c = c;
    return t;
}
