/* HTTP requests as decoded parts, one at a time or many at once.
 *
 * The wire form is made once, from the same parts a signer reads, so that what is signed and what
 * is sent cannot differ. Nothing here knows a cloud. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ck_resp;
struct ck_http; /* transport, connection cache, rate limits; not shared between threads */

struct ck_nv {
    const char *name, *value; /* value NULL: a query parameter without "=" */
};

struct ck_nvs {
    struct ck_nv *v;
    size_t n, cap;
};
void ck_nvs_add(struct ck_arena *a, struct ck_nvs *l, const char *name, const char *value);
void ck_nvs_addf(struct ck_arena *a, struct ck_nvs *l, const char *name, const char *fmt, ...)
    CK_PRINTF(4, 5);
/* Case-insensitive; NULL when absent. */
const char *ck_nvs_get(const struct ck_nvs *l, const char *name);

enum ck_retry_class {
    CK_RETRY_NONE, /* never send twice */
    CK_RETRY_SAFE, /* idempotent: resend after connection loss, 5xx, 429, throttling codes */
};

/* TLS of one server, where it is not the system's; texts are PEM, borrowed until the reply. */
struct ck_tls {
    struct ck_slice ca;        /* authorities instead of the system's; empty: the system's */
    struct ck_slice cert, key; /* client certificate with its chain, and its key; or empty */
    const char *server_name;   /* asked for and checked instead of the URL's host; NULL: the host */
    bool insecure;             /* do not verify the server: only when its configuration says so */
    const char *hint;          /* what to do when the certificate is not trusted; NULL: the usual */
};

struct ck_req {
    const char *method;    /* "GET" */
    const char *scheme;    /* "https" or "http" */
    const char *host;      /* name, or IPv6 without brackets */
    int port;              /* 0: the scheme's default */
    const char *path;      /* decoded, starts with "/" */
    const char *raw_path;  /* already encoded; used instead of `path` when not NULL */
    struct ck_nvs query;   /* decoded */
    const char *raw_query; /* already encoded; sent instead of `query` when not NULL */
    struct ck_nvs headers;
    struct ck_slice body; /* borrowed until the reply */
    size_t max_reply;     /* bytes; 0 means 64 MiB */
    int64_t timeout_ms;   /* whole request with its retries; 0 means 30,000 */
    int64_t connect_ms;   /* 0 means 5,000 */
    unsigned attempts;    /* at most; 0 means 3 */
    enum ck_retry_class retry;
    bool no_proxy;            /* link-local metadata services */
    const char *ca_file;      /* PEM bundle instead of the system's; NULL: default */
    const struct ck_tls *tls; /* NULL: the system's authorities, no client certificate */
    const char *proxy;  /* URL, in place of the environment's; "" for none; NULL: as it says */
    bool follow;        /* follow up to 10 redirects; Authorization, Cookie and x-amz-* headers
                           are dropped when the host changes */
    const char *bucket; /* name of the token bucket that limits this service's rate; NULL: none */
    /* Signs: called before each attempt; may add headers to `r` (attempt-local copy). Optional. */
    int (*sign)(void *arg, struct ck_arena *a, struct ck_req *r, struct ck_err *err);
    void *sign_arg;
    /* Reads a reply and says whether to try again in spite of its status: returns true and may fix
     * the request (clock skew, expired credentials). Optional. */
    bool (*again)(void *arg, struct ck_req *r, const struct ck_resp *resp);
    void *again_arg;
    /* Streamed body: called with each piece when the status is 2xx. Optional. */
    int (*sink)(void *arg, struct ck_slice piece, struct ck_err *err);
    void *sink_arg;
};

struct ck_resp {
    int status;
    struct ck_nvs headers; /* names lower-case */
    struct ck_buf body;    /* freed by ck_resp_done; of a non-2xx reply at most 1 MiB is kept */
    struct ck_arena *arena;
    unsigned attempts; /* how often it was sent */
    int64_t ms;
};
void ck_resp_done(struct ck_resp *r);
#define CK_AUTORESP CK_CLEANUP(ck_resp_done) struct ck_resp

/* One sending of one request, as a transport sees it. */
struct ck_send {
    struct ck_req req; /* complete: signed, checked; timeout_ms is what is left for this sending */
    const char *proxy; /* URL; "" for none */
    const char *ca_path;  /* directory of CA files; "" none, NULL the system's */
    struct ck_resp *resp; /* to be filled: status, headers, body; arena is there */
    struct ck_err *err;   /* or this: reason only, without method and URL */
    size_t got;           /* bytes of body so far; kept by ck_send_body */
    bool sent;            /* set by the transport: the server may have seen the request */
    unsigned resent;      /* set by the transport: how often it wrote the request anew by itself */
    bool final;           /* set by the transport: the error must not lead to another attempt */
};

/* The transport beneath: curl, or a script in tests. It knows nothing of retries. */
struct ck_transport_ops {
    const char *name;
    /* Ask next() for something to send while fewer than `parallel` are under way, and report each
     * end with done(), until next() has nothing and says that nothing will come: it returns NULL
     * and sets *ret_wait_ms to the time after which to ask again, -1 for never. A negative
     * result of done() stops everything and is returned. Both may send through the same transport
     * themselves. */
    int (*send)(void *t, unsigned parallel,
                struct ck_send *(*next)(void *arg, int64_t *ret_wait_ms),
                int (*done)(void *arg, struct ck_send *s), void *arg, struct ck_err *err);
    void (*free)(void *t);
};

/* For transports: the status line and each header of a reply, and each piece of its body. The last
 * one applies the size limits and feeds the sink; negative: stop reading, s->err is filled. */
void ck_send_status(struct ck_send *s, int status);
void ck_send_header(struct ck_send *s, struct ck_slice name, struct ck_slice value);
int ck_send_body(struct ck_send *s, struct ck_slice piece);

/* `env` gives the proxy variables; borrowed. transport NULL: curl, loaded on first use. */
struct ck_http *ck_http_new(const struct ck_env *env, const struct ck_transport_ops *ops,
                            void *transport);
void ck_http_free(struct ck_http *h);
void ck_http_set_parallel(struct ck_http *h, unsigned n);

/* Send one request with retries. Any HTTP status is success here: the caller judges resp->status.
 * Errors: TIMEOUT, UNAVAILABLE (connection), INVALID (TLS verification, bad URL), LIMIT (reply too
 * large), CANCELLED. Messages name method, host and path, never query values or headers. */
int ck_http_do(struct ck_http *h, const struct ck_req *req, struct ck_resp *ret,
               struct ck_err *err);

/* Send many; fn is called once per request as it finishes, in any order; item_err->code != OK when
 * there is no reply. A negative return of fn stops. */
typedef int (*ck_resp_fn)(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err);
int ck_http_all(struct ck_http *h, const struct ck_req *reqs, size_t n, ck_resp_fn fn, void *arg,
                struct ck_err *err);

/* The standard's phrase for a status ("Not Found"; RFC 9110), or one for its hundred. */
const char *ck_http_reason(int status);
/* What a status means where the service says no more: 401 UNAUTHENTICATED, 403 DENIED, 404
 * NOT_FOUND, 409 and 412 CONFLICT, 413 LIMIT; 408, 429 and 500 up UNAVAILABLE; else INVALID. */
enum ck_code ck_http_class(int status);

/* How many requests have been sent through h (tests, bench). */
uint64_t ck_http_count(const struct ck_http *h);

/* The wire form of host, path and query; the one encoder. The host is as in the Host header:
 * brackets around IPv6, the port only where it is not the scheme's own. */
void ck_url_host(struct ck_buf *out, const struct ck_req *r);
void ck_url_path(struct ck_buf *out, const struct ck_req *r);
void ck_url_query(struct ck_buf *out, const struct ck_req *r); /* "a=1&b=2", in the given order */
/* "https://host/path", without the query, for messages. */
void ck_url_text(struct ck_buf *out, const struct ck_req *r);
/* Split an absolute http(s) URL into scheme, host, port, decoded path and query of `ret`
 * (arena-owned; other members stay). raw_path is set when the path holds an encoded slash, which
 * the decoded form cannot tell. In the query "+" is a space. A fragment is dropped.
 * Errors: INVALID: no http(s) URL, credentials in it, bad host, port or escape. */
int ck_url_parse(struct ck_arena *a, const char *url, struct ck_req *ret, struct ck_err *err);

/* This machine: "localhost", or an address of 127.0.0.0/8 or ::1; what it is sent needs no TLS.
 * Names that begin like such an address ("127.0.0.1.example.com") are anybody's. */
bool ck_host_is_loopback(const char *host);
/* An address of 169.254.0.0/16, where metadata services are. */
bool ck_host_is_link_local(const char *host);
