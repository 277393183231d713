/* S3 listings: v2 pages with url-encoded keys, by prefix or by delimiter. */
#include "vfs/s3/s3.h"

#include "base/clock.h"
#include "base/enc.h"
#include "crypto/hash.h"
#include "doc/xml.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_MAX = 16 << 20 };

static void page_request(struct ck_arena *a, const struct ck_object_listing *l, struct ck_req *r)
{
    ck_s3_request(a, (struct ck_s3 *)l->v, "GET", NULL, r);
    r->max_reply = PAGE_MAX;
    if (l->token)
        ck_nvs_add(a, &r->query, "continuation-token", l->token);
    if (l->what != CK_OBJECT_TREE)
        ck_nvs_add(a, &r->query, "delimiter", "/");
    ck_nvs_add(a, &r->query, "encoding-type", "url");
    ck_nvs_add(a, &r->query, "list-type", "2");
    ck_nvs_add(a, &r->query, "prefix", l->prefix);
}

/* In a url-encoded listing a space is "+". Servers that ignore encoding-type do not say they did.
 */
static int key_of(const struct ck_object_listing *l, struct ck_arena *tmp, const char *text,
                  bool encoded, const char **ret, struct ck_err *err)
{
    *ret = text;
    if (!encoded)
        return 0;
    char *plain = ck_arena_strdup(tmp, text);
    for (char *p = plain; *p; p++)
        if (*p == '+')
            *p = ' ';
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    *ret = plain;
    if (!ck_pct_decode(&b, ck_slice_of(plain)))
        return 0;
    *ret = ck_arena_strndup(tmp, ck_buf_str(&b), b.len);
    if (strlen(*ret) == b.len)
        return 0;
    /* Cut off there it would be the name of another object. */
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT, why = CK_BUF_INIT;
    ck_goquote(&q, ck_buf_slice(&b));
    ck_buf_fmt(&why, "the name %.400s holds a NUL byte", ck_buf_str(&q));
    return ck_fail(err, CK_INVALID, "error listing %s: %s", l->v->ops->text(l->v, l->prefix, tmp),
                   ck_buf_str(&why));
}

/* Multipart and encrypted objects have other tags than the MD5. */
static bool md5_of_etag(const char *etag, struct ck_buf *out)
{
    struct ck_slice s = ck_slice_of(etag);
    if (s.len >= 2 && s.ptr[0] == '"')
        s = ck_slice_n(s.ptr + 1, s.len - 2);
    return s.len == 2 * CK_MD5_LEN && strspn(s.ptr, "0123456789abcdef") >= s.len &&
           ck_hex_decode(out, s);
}

static int add_object(struct ck_object_listing *l, struct ck_arena *tmp, const struct ck_val *c,
                      bool encoded, struct ck_err *err)
{
    const char *key;
    int r = key_of(l, tmp, ck_str_at(c, "Key"), encoded, &key, err);
    if (r < 0)
        return r;
    int64_t mtime = 0;
    ck_rfc3339_parse(ck_slice_of(ck_str_at(c, "LastModified")), &mtime);
    CK_AUTOBUF struct ck_buf md5 = CK_BUF_INIT;
    bool has = md5_of_etag(ck_str_at(c, "ETag"), &md5);
    ck_object_add(l, key, strtoll(ck_str_at(c, "Size"), NULL, 10), mtime,
                  has ? (const unsigned char *)md5.ptr : NULL);
    return 0;
}

static int take_page(struct ck_object_listing *l, const struct ck_resp *resp, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_val *root = NULL;
    int r = ck_xml_parse(tmp, ck_buf_slice(&resp->body), PAGE_MAX, &root, err);
    if (r < 0)
        return ck_wrap(err, "error listing %s", l->v->ops->text(l->v, l->prefix, tmp));
    const struct ck_val *page = ck_get(root, "ListBucketResult");
    if (!page)
        return ck_object_bad_page(l, "the reply is not a bucket listing", err);
    bool encoded = strcmp(ck_str_at(page, "EncodingType"), "url") == 0;
    const struct ck_val *dirs = ck_xml_list(tmp, page, "CommonPrefixes");
    const struct ck_val *objects = ck_xml_list(tmp, page, "Contents");
    for (size_t i = 0; r == 0 && i < ck_len(dirs); i++) {
        const char *dir;
        r = key_of(l, tmp, ck_str_at(ck_item(dirs, i), "Prefix"), encoded, &dir, err);
        if (r == 0)
            ck_object_add_dir(l, dir);
    }
    for (size_t i = 0; r == 0 && i < ck_len(objects); i++)
        r = add_object(l, tmp, ck_item(objects, i), encoded, err);
    if (r < 0)
        return r;
    if (strcmp(ck_str_at(page, "IsTruncated"), "true") != 0)
        return ck_object_next_page(l, "", err);
    const char *next = ck_str_at(page, "NextContinuationToken");
    if (!*next)
        return ck_object_bad_page(l, "truncated without a continuation token", err);
    return ck_object_next_page(l, next, err);
}

static int fetch(struct ck_object_listing *l, struct ck_req *req, struct ck_resp *ret,
                 struct ck_err *err)
{
    struct ck_s3 *s = (struct ck_s3 *)l->v;
    int r = ck_s3_send(s, req, ret, err);
    if (r < 0)
        return ck_s3_wrap(s, "listing", CK_S3_ACTION(LIST_BUCKET), l->prefix, err);
    if (ret->status == 200)
        return 0;
    return ck_s3_fail(s, ret, "listing", CK_S3_ACTION(LIST_BUCKET), NULL, err);
}

/* The first page may be there already, since a read that it was announced to follow. */
static bool ahead(const struct ck_object_listing *l, struct ck_resp *ret)
{
    struct ck_s3_ahead *h = &((struct ck_s3 *)l->v)->ahead;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    if (l->what != CK_OBJECT_TREE || h->page.status != 200 ||
        strcmp(ck_object_prefix(a, h->dir), l->prefix) != 0)
        return false;
    *ret = h->page;
    h->page = (struct ck_resp){0};
    return true;
}

static int prepare(struct ck_vfs *v, struct ck_err *err)
{
    return ck_s3_prepare((struct ck_s3 *)v, err);
}

static struct ck_http *http(struct ck_vfs *v)
{
    return ck_s3_http((struct ck_s3 *)v);
}

const struct ck_pages_ops ck_s3_pages = {
    .prepare = prepare,
    .http = http,
    .page = page_request,
    .fetch = fetch,
    .take_page = take_page,
    .ahead = ahead,
};

/* ---- a tree that follows a read ---- */

void ck_s3_tree_follows(struct ck_vfs *v, const char *file, const char *dir)
{
    struct ck_s3_ahead *h = &((struct ck_s3 *)v)->ahead;
    h->file = ck_arena_strdup(v->ctx->arena, file);
    h->dir = ck_arena_strdup(v->ctx->arena, dir);
}

struct pair {
    struct ck_resp *read, *page;
};

/* Whatever is not a plain success is asked for again, alone, and judged there. */
static int keep(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    const struct pair *p = arg;
    if (item_err->code != CK_OK || resp->status != 200)
        return 0;
    *(i == 0 ? p->read : p->page) = *resp;
    *resp = (struct ck_resp){0};
    return 0;
}

bool ck_s3_read_ahead(struct ck_s3 *s, const char *key, struct ck_resp *ret)
{
    struct ck_s3_ahead *h = &s->ahead;
    if (!h->file || strcmp(h->file, key) != 0)
        return false;
    h->file = NULL;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR ignored = CK_ERR_INIT;
    const struct ck_object_listing l = {
        .v = &s->base, .what = CK_OBJECT_TREE, .prefix = ck_object_prefix(a, h->dir)};
    struct ck_req reqs[2];
    ck_s3_request(a, s, "GET", key, &reqs[0]);
    page_request(a, &l, &reqs[1]);
    ck_resp_done(&h->page);
    h->page = (struct ck_resp){0};
    struct pair p = {ret, &h->page};
    return ck_http_all(ck_s3_http(s), reqs, 2, keep, &p, &ignored) == 0 && ret->status == 200;
}
