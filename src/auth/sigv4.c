/* AWS Signature Version 4: canonical request, signing key, header and query forms.
 *
 * Works on decoded request parts and asks ck_url_* for their wire form, so that what is signed is
 * what is sent. Does not send and does not fetch credentials. kOps leaves this to its SDK. */
#include "auth/sigv4.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/mem.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { STAMP_SIZE = 17, DAY_LEN = 8, MAX_EXPIRES_S = 604800 };

static const char algorithm[] = "AWS4-HMAC-SHA256";
static const char unsigned_payload[] = "UNSIGNED-PAYLOAD";

struct pair {
    const char *name, *value;
    size_t order; /* as given: keeps the sort stable */
};

static int by_name_then_order(const void *x, const void *y)
{
    const struct pair *a = x, *b = y;
    int c = strcmp(a->name, b->name);
    return c ? c : a->order < b->order ? -1 : a->order > b->order;
}

static int by_name_then_value(const void *x, const void *y)
{
    const struct pair *a = x, *b = y;
    int c = strcmp(a->name, b->name);
    return c ? c : strcmp(a->value, b->value);
}

/* ---- canonical path ---- */

/* RFC 3986 §5.2.4 without the dots and with runs of slashes made one; `path` starts with "/". */
static void normalize(struct ck_buf *out, const char *path)
{
    size_t base = out->len;
    ck_buf_putc(out, '/');
    while (*path) {
        path += strspn(path, "/");
        size_t n = strcspn(path, "/");
        bool dot = n == 1 && path[0] == '.';
        bool dots = n == 2 && path[0] == '.' && path[1] == '.';
        if (dots) {
            /* "/a/b/" to "/a/" */
            while (out->len > base + 1 && out->ptr[out->len - 2] != '/')
                out->len--;
            if (out->len > base + 1)
                out->len--;
        } else if (n && !dot) {
            ck_buf_putn(out, path, n);
            if (path[n] == '/')
                ck_buf_putc(out, '/');
        }
        path += n;
    }
    out->ptr[out->len] = '\0';
}

static void put_path(struct ck_buf *out, const struct ck_sigv4 *p, const struct ck_req *r)
{
    if (p->no_double_encode) {
        ck_url_path(out, r);
        return;
    }
    CK_AUTOBUF struct ck_buf wire = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf clean = CK_BUF_INIT;
    ck_url_path(&wire, r);
    normalize(&clean, ck_buf_str(&wire));
    ck_pct_encode(out, ck_buf_slice(&clean), CK_PCT_PATH);
}

/* ---- canonical query ---- */

static const char *encoded(struct ck_arena *a, const char *s)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_pct_encode(&b, ck_slice_of(s ? s : ""), CK_PCT_UNRESERVED);
    return ck_arena_strdup(a, ck_buf_str(&b));
}

static void put_query(struct ck_buf *out, struct ck_arena *a, const struct ck_nvs *q)
{
    struct pair *v = ck_arena_alloc(a, (q->n + 1) * sizeof *v);
    for (size_t i = 0; i < q->n; i++)
        v[i] = (struct pair){encoded(a, q->v[i].name), encoded(a, q->v[i].value), i};
    qsort(v, q->n, sizeof *v, by_name_then_value);
    for (size_t i = 0; i < q->n; i++)
        ck_buf_fmt(out, "%s%s=%s", i ? "&" : "", v[i].name, v[i].value);
}

/* ---- canonical headers ---- */

/* Not signed: the signature itself, and what proxies and transports may change. */
static bool is_signed(const char *name)
{
    static const char *const not [] = {
        "accept-encoding",     "authorization", "connection",        "content-length", "expect",
        "proxy-authorization", "user-agent",    "transfer-encoding", "x-amzn-trace-id"};
    for (size_t i = 0; i < CK_ARRAY_LEN(not ); i++)
        if (strcasecmp(name, not [i]) == 0)
            return false;
    return true;
}

static const char *lower(struct ck_arena *a, const char *s)
{
    char *out = ck_arena_strdup(a, s);
    for (char *p = out; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p | 0x20);
    return out;
}

/* Trimmed, with runs of white space made one space. */
static void put_value(struct ck_buf *out, const char *v)
{
    v += strspn(v, " \t");
    while (*v) {
        size_t n = strcspn(v, " \t");
        ck_buf_putn(out, v, n);
        v += n;
        size_t gap = strspn(v, " \t");
        v += gap;
        if (gap && *v)
            ck_buf_putc(out, ' ');
    }
}

/* The signed headers sorted by name, with the host the transport will send. */
static size_t signed_headers(struct ck_arena *a, const struct ck_req *r, struct pair **ret)
{
    struct pair *v = ck_arena_alloc(a, (r->headers.n + 1) * sizeof *v);
    size_t n = 0;
    for (size_t i = 0; i < r->headers.n; i++) {
        const struct ck_nv *h = &r->headers.v[i];
        if (h->value && is_signed(h->name))
            v[n++] = (struct pair){lower(a, h->name), h->value, i};
    }
    if (!ck_nvs_get(&r->headers, "host")) {
        CK_AUTOBUF struct ck_buf host = CK_BUF_INIT;
        ck_url_host(&host, r);
        v[n++] = (struct pair){"host", ck_arena_strdup(a, ck_buf_str(&host)), 0};
    }
    qsort(v, n, sizeof *v, by_name_then_order);
    *ret = v;
    return n;
}

static void put_headers(struct ck_buf *out, const struct pair *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool same = i && strcmp(v[i].name, v[i - 1].name) == 0;
        bool last = i + 1 == n || strcmp(v[i].name, v[i + 1].name) != 0;
        ck_buf_puts(out, same ? "," : v[i].name);
        if (!same)
            ck_buf_putc(out, ':');
        put_value(out, v[i].value);
        if (last)
            ck_buf_putc(out, '\n');
    }
}

static void put_names(struct ck_buf *out, const struct pair *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(v[i].name, v[i - 1].name) != 0)
            ck_buf_fmt(out, "%s%s", i ? ";" : "", v[i].name);
}

void ck_sigv4_canonical(struct ck_buf *out, const struct ck_sigv4 *p, const struct ck_req *r,
                        const char *payload_hash)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct pair *v;
    size_t n = signed_headers(a, r, &v);
    ck_buf_fmt(out, "%s\n", r->method);
    put_path(out, p, r);
    ck_buf_putc(out, '\n');
    put_query(out, a, &r->query);
    ck_buf_putc(out, '\n');
    put_headers(out, v, n);
    ck_buf_putc(out, '\n');
    put_names(out, v, n);
    ck_buf_fmt(out, "\n%s", payload_hash);
}

/* ---- signature ---- */

struct moment {
    char stamp[STAMP_SIZE]; /* 20150830T123600Z */
    const char *scope;      /* 20150830/us-east-1/service/aws4_request */
};

static struct moment moment_of(struct ck_arena *a, const struct ck_sigv4 *p, int64_t now_s)
{
    struct moment m;
    ck_iso8601_basic(now_s + p->skew_s, m.stamp);
    m.scope =
        ck_arena_printf(a, "%.*s/%s/%s/aws4_request", DAY_LEN, m.stamp, p->region, p->service);
    return m;
}

void ck_sigv4_memo_done(struct ck_sigv4_memo *m)
{
    if (m->secret)
        ck_wipe(m->secret, strlen(m->secret));
    ck_wipe(m->key, sizeof m->key);
    free(m->secret);
    free(m->scope);
    *m = (struct ck_sigv4_memo){0};
}

static void derive_key(const struct ck_sigv4 *p, const char *secret, const char *stamp,
                       unsigned char key[CK_SHA256_LEN])
{
    struct ck_buf first = CK_BUF_INIT;
    ck_buf_fmt(&first, "AWS4%s", secret);
    ck_hmac_sha256(ck_buf_slice(&first), ck_slice_n(stamp, DAY_LEN), key);
    ck_buf_wipe(&first);
    const char *const parts[] = {p->region, p->service, "aws4_request"};
    for (size_t i = 0; i < CK_ARRAY_LEN(parts); i++) {
        unsigned char next[CK_SHA256_LEN];
        ck_hmac_sha256(ck_slice_n((const char *)key, CK_SHA256_LEN), ck_slice_of(parts[i]), next);
        memcpy(key, next, sizeof next);
        ck_wipe(next, sizeof next);
    }
}

static void signing_key(const struct ck_sigv4 *p, const char *secret, const struct moment *at,
                        unsigned char key[CK_SHA256_LEN])
{
    struct ck_sigv4_memo *m = p->memo;
    if (m && m->scope && strcmp(m->scope, at->scope) == 0 && strcmp(m->secret, secret) == 0) {
        memcpy(key, m->key, CK_SHA256_LEN);
        return;
    }
    derive_key(p, secret, at->stamp, key);
    if (!m)
        return;
    ck_sigv4_memo_done(m);
    m->scope = ck_xstrdup(at->scope);
    m->secret = ck_xstrdup(secret);
    memcpy(m->key, key, CK_SHA256_LEN);
}

/* Hex signature of r as it stands. */
static const char *signature(struct ck_arena *a, const struct ck_sigv4 *p, const struct ck_cred *c,
                             const struct moment *m, const struct ck_req *r,
                             const char *payload_hash)
{
    CK_AUTOBUF struct ck_buf canonical = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    char digest[2 * CK_SHA256_LEN + 1];
    ck_sigv4_canonical(&canonical, p, r, payload_hash);
    ck_sha256_hex(ck_buf_slice(&canonical), digest);
    ck_buf_fmt(&text, "%s\n%s\n%s\n%s", algorithm, m->stamp, m->scope, digest);
    unsigned char key[CK_SHA256_LEN], mac[CK_SHA256_LEN];
    signing_key(p, c->secret_key, m, key);
    ck_hmac_sha256(ck_slice_n((const char *)key, sizeof key), ck_buf_slice(&text), mac);
    ck_wipe(key, sizeof key);
    CK_AUTOBUF struct ck_buf hex = CK_BUF_INIT;
    ck_hex_encode(&hex, mac, sizeof mac);
    return ck_arena_strdup(a, ck_buf_str(&hex));
}

static int check(const struct ck_cred *c, struct ck_err *err)
{
    if (!c->access_key || !*c->access_key || !c->secret_key || !*c->secret_key)
        return ck_fail(err, CK_UNAUTHENTICATED, "the credentials are empty");
    return ck_crypto_load(err);
}

static const char *payload_hash_of(struct ck_arena *a, const struct ck_req *r)
{
    char hex[2 * CK_SHA256_LEN + 1];
    ck_sha256_hex(r->body, hex);
    return ck_arena_strdup(a, hex);
}

/* Replace: a request may be signed again with other credentials or at another time. */
static void set(struct ck_arena *a, struct ck_nvs *l, const char *name, const char *value)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        if (strcasecmp(l->v[i].name, name) != 0)
            l->v[n++] = l->v[i];
    l->n = n;
    if (value)
        ck_nvs_add(a, l, name, value);
}

static const char *nonempty(const char *s)
{
    return s && *s ? s : NULL;
}

int ck_sigv4_sign(struct ck_arena *a, const struct ck_sigv4 *p, const struct ck_cred *c,
                  int64_t now_s, struct ck_req *r, struct ck_err *err)
{
    int rc = check(c, err);
    if (rc < 0)
        return rc;
    if (r->raw_query && !r->query.n && *r->raw_query)
        return ck_fail(err, CK_INTERNAL, "a request with an encoded query only cannot be signed");
    struct moment m = moment_of(a, p, now_s);
    const char *hash = ck_nvs_get(&r->headers, "x-amz-content-sha256");
    if (!hash)
        hash = p->unsigned_payload ? unsigned_payload : payload_hash_of(a, r);
    set(a, &r->headers, "x-amz-date", m.stamp);
    if (!p->no_content_sha_header)
        set(a, &r->headers, "x-amz-content-sha256", hash);
    set(a, &r->headers, "x-amz-security-token", nonempty(c->session_token));
    struct pair *v;
    size_t n = signed_headers(a, r, &v);
    CK_AUTOBUF struct ck_buf value = CK_BUF_INIT;
    ck_buf_fmt(&value, "%s Credential=%s/%s, SignedHeaders=", algorithm, c->access_key, m.scope);
    put_names(&value, v, n);
    ck_buf_fmt(&value, ", Signature=%s", signature(a, p, c, &m, r, hash));
    set(a, &r->headers, "authorization", ck_buf_str(&value));
    return 0;
}

int ck_sigv4_presign(struct ck_arena *a, const struct ck_sigv4 *p, const struct ck_cred *c,
                     int64_t now_s, int64_t expires_s, struct ck_req *r, struct ck_err *err)
{
    int rc = check(c, err);
    if (rc < 0)
        return rc;
    if (expires_s < 1 || expires_s > MAX_EXPIRES_S)
        return ck_fail(err, CK_INVALID, "a presigned URL is valid for 1 to %d seconds, not %lld",
                       MAX_EXPIRES_S, (long long)expires_s);
    struct moment m = moment_of(a, p, now_s);
    bool any_payload = p->unsigned_payload || strcmp(p->service, "s3") == 0;
    const char *hash = any_payload ? unsigned_payload : payload_hash_of(a, r);
    struct pair *v;
    size_t n = signed_headers(a, r, &v);
    CK_AUTOBUF struct ck_buf names = CK_BUF_INIT;
    put_names(&names, v, n);
    r->raw_query = NULL;
    set(a, &r->query, "X-Amz-Signature", NULL);
    set(a, &r->query, "X-Amz-Algorithm", algorithm);
    set(a, &r->query, "X-Amz-Credential", ck_arena_printf(a, "%s/%s", c->access_key, m.scope));
    set(a, &r->query, "X-Amz-Date", m.stamp);
    set(a, &r->query, "X-Amz-Expires", ck_arena_printf(a, "%lld", (long long)expires_s));
    set(a, &r->query, "X-Amz-Security-Token", nonempty(c->session_token));
    set(a, &r->query, "X-Amz-SignedHeaders", ck_buf_str(&names));
    set(a, &r->query, "X-Amz-Signature", signature(a, p, c, &m, r, hash));
    return 0;
}
