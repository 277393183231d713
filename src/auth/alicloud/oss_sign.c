/* The signatures of Alibaba Cloud's object store, from the same decoded parts that are sent. kOps
 * had version 1 alone. */
#include "auth/alicloud/alicloud.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/mem.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DAY_LEN = 8 };

static const char algorithm[] = "OSS4-HMAC-SHA256";
static const char payload[] = "UNSIGNED-PAYLOAD";

static int by_name(const void *x, const void *y)
{
    const struct ck_nv *a = x, *b = y;
    int r = strcmp(a->name, b->name);
    return r ? r : strcmp(a->value ? a->value : "", b->value ? b->value : "");
}

static const char *lower(struct ck_arena *a, const char *s)
{
    char *out = ck_arena_strdup(a, s);
    for (char *p = out; *p; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p;
    return out;
}

static bool signed_header(int version, const char *name)
{
    return ck_str_starts(name, "x-oss-") || (version == 4 && (strcmp(name, "content-type") == 0 ||
                                                              strcmp(name, "content-md5") == 0));
}

static void put_headers(struct ck_buf *out, struct ck_arena *a, int version, const struct ck_req *r)
{
    struct ck_nv *v = ck_arena_alloc(a, (r->headers.n + 1) * sizeof *v);
    size_t n = 0;
    for (size_t i = 0; i < r->headers.n; i++) {
        const char *name = lower(a, r->headers.v[i].name);
        if (signed_header(version, name))
            v[n++] = (struct ck_nv){name, r->headers.v[i].value};
    }
    qsort(v, n, sizeof *v, by_name);
    for (size_t i = 0; i < n; i++) {
        ck_buf_fmt(out, "%s:", v[i].name);
        ck_buf_put(out, ck_slice_trim(ck_slice_of(v[i].value)));
        ck_buf_putc(out, '\n');
    }
}

/* "/bucket/key", decoded. */
static const char *resource(struct ck_arena *a, const struct ck_oss_signer *p,
                            const struct ck_req *r)
{
    return p->bucket ? ck_arena_printf(a, "/%s%s", p->bucket, r->path) : r->path;
}

/* ---- version 4 ---- */

static const char *encoded(struct ck_arena *a, const char *s)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_pct_encode(&b, ck_slice_of(s), CK_PCT_UNRESERVED);
    return ck_arena_strdup(a, ck_buf_str(&b));
}

static void put_query(struct ck_buf *out, struct ck_arena *a, const struct ck_req *r)
{
    size_t n = r->query.n;
    struct ck_nv *v = ck_arena_alloc(a, (n + 1) * sizeof *v);
    for (size_t i = 0; i < n; i++) {
        const char *value = r->query.v[i].value;
        v[i] = (struct ck_nv){encoded(a, r->query.v[i].name),
                              value && *value ? encoded(a, value) : NULL};
    }
    qsort(v, n, sizeof *v, by_name);
    for (size_t i = 0; i < n; i++)
        ck_buf_fmt(out, "%s%s%s%s", i ? "&" : "", v[i].name, v[i].value ? "=" : "",
                   v[i].value ? v[i].value : "");
}

static const char *header(const struct ck_req *r, const char *name)
{
    const char *v = ck_nvs_get(&r->headers, name);
    return v ? v : "";
}

static void string_4(struct ck_buf *out, const struct ck_oss_signer *p, const struct ck_req *r)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    char digest[2 * CK_SHA256_LEN + 1];
    ck_buf_fmt(&b, "%s\n", r->method);
    ck_pct_encode(&b, ck_slice_of(resource(a, p, r)), CK_PCT_PATH);
    ck_buf_putc(&b, '\n');
    put_query(&b, a, r);
    ck_buf_putc(&b, '\n');
    put_headers(&b, a, 4, r);
    ck_buf_fmt(&b, "\n\n%s", header(r, "x-oss-content-sha256")); /* no additional headers */
    ck_sha256_hex(ck_buf_slice(&b), digest);
    const char *date = header(r, "x-oss-date");
    ck_buf_fmt(out, "%s\n%s\n%.*s/%s/oss/aliyun_v4_request\n%s", algorithm, date, DAY_LEN, date,
               p->region, digest);
}

static void sign_4(struct ck_arena *a, const struct ck_oss_signer *p, const struct ck_cred *c,
                   struct ck_req *r)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf hex = CK_BUF_INIT;
    CK_CLEANUP(ck_buf_wipe) struct ck_buf first = CK_BUF_INIT;
    unsigned char key[CK_SHA256_LEN], next[CK_SHA256_LEN];
    const char *date = header(r, "x-oss-date");
    string_4(&text, p, r);
    ck_buf_fmt(&first, "aliyun_v4%s", c->secret_key);
    ck_hmac_sha256(ck_buf_slice(&first), ck_slice_n(date, DAY_LEN), key);
    const char *const parts[] = {p->region, "oss", "aliyun_v4_request", ck_buf_str(&text)};
    for (size_t i = 0; i < CK_ARRAY_LEN(parts); i++) {
        ck_hmac_sha256(ck_slice_n((const char *)key, sizeof key), ck_slice_of(parts[i]), next);
        memcpy(key, next, sizeof key);
    }
    ck_hex_encode(&hex, key, sizeof key);
    ck_wipe(next, sizeof next);
    ck_nvs_addf(a, &r->headers, "authorization",
                "%s Credential=%s/%.*s/%s/oss/aliyun_v4_request,Signature=%s", algorithm,
                c->access_key, DAY_LEN, date, p->region, ck_buf_str(&hex));
}

/* ---- version 1 ---- */

/* Of the query only what names a part of the resource is signed; the list holds what is sent here.
 */
static bool is_subresource(const char *name)
{
    static const char *const list[] = {"acl",       "continuation-token", "delete",  "location",
                                       "versionId", "versioning",         "versions"};
    for (size_t i = 0; i < CK_ARRAY_LEN(list); i++)
        if (strcmp(name, list[i]) == 0)
            return true;
    return false;
}

static void string_1(struct ck_buf *out, const struct ck_oss_signer *p, const struct ck_req *r)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_nv *v = ck_arena_alloc(a, (r->query.n + 1) * sizeof *v);
    size_t n = 0;
    ck_buf_fmt(out, "%s\n%s\n%s\n%s\n", r->method, header(r, "content-md5"),
               header(r, "content-type"), header(r, "date"));
    put_headers(out, a, 1, r);
    ck_buf_puts(out, resource(a, p, r));
    for (size_t i = 0; i < r->query.n; i++)
        if (is_subresource(r->query.v[i].name))
            v[n++] = r->query.v[i];
    qsort(v, n, sizeof *v, by_name);
    for (size_t i = 0; i < n; i++) {
        bool value = v[i].value && *v[i].value;
        ck_buf_fmt(out, "%c%s%s%s", i ? '&' : '?', v[i].name, value ? "=" : "",
                   value ? v[i].value : "");
    }
}

static void sign_1(struct ck_arena *a, const struct ck_oss_signer *p, const struct ck_cred *c,
                   struct ck_req *r)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf b64 = CK_BUF_INIT;
    unsigned char mac[CK_SHA1_LEN];
    string_1(&text, p, r);
    ck_hmac_sha1(ck_slice_of(c->secret_key), ck_buf_slice(&text), mac);
    ck_base64_encode(&b64, mac, sizeof mac);
    ck_nvs_addf(a, &r->headers, "authorization", "OSS %s:%s", c->access_key, ck_buf_str(&b64));
}

/* ---- both ---- */

void ck_oss_string_to_sign(struct ck_buf *out, const struct ck_oss_signer *p,
                           const struct ck_req *r)
{
    if (p->version == 1)
        string_1(out, p, r);
    else
        string_4(out, p, r);
}

static bool header_of_signature(const char *name)
{
    static const char *const list[] = {"authorization", "date", "x-oss-date",
                                       "x-oss-content-sha256", "x-oss-security-token"};
    for (size_t i = 0; i < CK_ARRAY_LEN(list); i++)
        if (strcasecmp(name, list[i]) == 0)
            return true;
    return false;
}

int ck_oss_sign(struct ck_arena *a, const struct ck_oss_signer *p, const struct ck_cred *c,
                int64_t now_s, struct ck_req *r, struct ck_err *err)
{
    if (!c->access_key || !*c->access_key || !c->secret_key || !*c->secret_key)
        return ck_fail(err, CK_UNAUTHENTICATED, "the credentials are empty");
    int rc = ck_crypto_load(err);
    if (rc < 0)
        return rc;
    char stamp[17], date[30];
    size_t n = 0;
    /* a request may be signed again with other credentials or at another time */
    for (size_t i = 0; i < r->headers.n; i++)
        if (!header_of_signature(r->headers.v[i].name))
            r->headers.v[n++] = r->headers.v[i];
    r->headers.n = n;
    ck_http_date(now_s + p->skew_s, date);
    ck_nvs_addf(a, &r->headers, "date", "%s", date);
    if (c->session_token && *c->session_token)
        ck_nvs_addf(a, &r->headers, "x-oss-security-token", "%s", c->session_token);
    if (p->version == 1) {
        sign_1(a, p, c, r);
        return 0;
    }
    ck_iso8601_basic(now_s + p->skew_s, stamp);
    ck_nvs_addf(a, &r->headers, "x-oss-date", "%s", stamp);
    ck_nvs_add(a, &r->headers, "x-oss-content-sha256", payload);
    sign_4(a, p, c, r);
    return 0;
}
