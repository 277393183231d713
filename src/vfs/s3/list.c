/* S3 listings: v2 pages with url-encoded keys, by prefix or by delimiter. */
#include "vfs/s3/s3.h"

#include "base/clock.h"
#include "base/enc.h"
#include "doc/xml.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_MAX = 16 << 20, MAX_PAGES = 100000 };

enum what { FILES, DIRS, TREE };

struct listing {
    struct ck_s3 *s;
    struct ck_arena *a;    /* of the entries */
    struct ck_arena *keep; /* of the token */
    enum what what;
    const char *prefix;
    struct ck_entries *out;
    const char *token; /* continuation; NULL: done or first page */
    bool started;      /* the first page has been taken */
};

static const char *prefix_of(struct ck_arena *a, const char *key)
{
    size_t n = strlen(key);
    if (n == 0 || key[n - 1] == '/')
        return ck_arena_strdup(a, key);
    return ck_arena_printf(a, "%s/", key);
}

static void page_request(struct ck_arena *a, const struct listing *l, struct ck_req *r)
{
    ck_s3_request(a, l->s, "GET", NULL, r);
    r->max_reply = PAGE_MAX;
    if (l->token)
        ck_nvs_add(a, &r->query, "continuation-token", l->token);
    if (l->what != TREE)
        ck_nvs_add(a, &r->query, "delimiter", "/");
    ck_nvs_add(a, &r->query, "encoding-type", "url");
    ck_nvs_add(a, &r->query, "list-type", "2");
    ck_nvs_add(a, &r->query, "prefix", l->prefix);
}

/* In a url-encoded listing a space is "+". Servers that ignore encoding-type do not say they did.
 */
static int key_of(const struct listing *l, const struct ck_val *v, bool encoded, const char **ret,
                  struct ck_err *err)
{
    const char *text = ck_str_or(v, "");
    *ret = ck_arena_strdup(l->a, text);
    if (!encoded)
        return 0;
    char *plain = ck_arena_strdup(l->a, text);
    for (char *p = plain; *p; p++)
        if (*p == '+')
            *p = ' ';
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    *ret = plain;
    if (!ck_pct_decode(&b, ck_slice_of(plain)))
        return 0;
    *ret = ck_arena_strndup(l->a, ck_buf_str(&b), b.len);
    if (strlen(*ret) == b.len)
        return 0;
    /* Cut off there it would be the name of another object. */
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_buf_slice(&b));
    return ck_fail(err, CK_INVALID, "error listing %s://%s/%s: the name %.400s holds a NUL byte",
                   l->s->env_scheme, l->s->base.container, l->prefix, ck_buf_str(&q));
}

static const char *md5_of_etag(struct ck_arena *a, const char *etag)
{
    struct ck_slice s = ck_slice_of(etag);
    if (s.len >= 2 && s.ptr[0] == '"')
        s = ck_slice_n(s.ptr + 1, s.len - 2);
    if (s.len != 32 || strspn(s.ptr, "0123456789abcdef") < 32)
        return NULL; /* multipart and encrypted objects have other tags */
    return ck_arena_strndup(a, s.ptr, s.len);
}

static int add_object(struct listing *l, const struct ck_val *c, bool encoded, struct ck_err *err)
{
    const char *key;
    int r = key_of(l, ck_get(c, "Key"), encoded, &key, err);
    size_t plen = strlen(l->prefix);
    if (r < 0 || !ck_str_starts(key, l->prefix))
        return r;
    /* "dir/" itself is a folder made by some console: kOps skips it in directories only. */
    if (l->what == FILES && key[plen] == '\0')
        return 0;
    int64_t mtime = 0;
    ck_rfc3339_parse(ck_slice_of(ck_str_at(c, "LastModified")), &mtime);
    ck_entries_add(l->a, l->out,
                   (struct ck_entry){
                       .key = key,
                       .name = key + plen,
                       .size = strtoll(ck_str_at(c, "Size"), NULL, 10),
                       .mtime_s = mtime,
                       .md5 = md5_of_etag(l->a, ck_str_at(c, "ETag")),
                   });
    return 0;
}

static int add_prefix(struct listing *l, const struct ck_val *p, bool encoded, struct ck_err *err)
{
    const char *key;
    int r = key_of(l, ck_get(p, "Prefix"), encoded, &key, err);
    if (r < 0)
        return r;
    size_t n = strlen(key), plen = strlen(l->prefix);
    if (n <= plen + 1 || !ck_str_starts(key, l->prefix) || key[n - 1] != '/')
        return 0;
    char *dir = ck_arena_strndup(l->a, key, n - 1);
    ck_entries_add(l->a, l->out, (struct ck_entry){.key = dir, .name = dir + plen, .size = -1});
    return 0;
}

static int take_page(struct listing *l, const struct ck_resp *resp, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_val *root = NULL;
    int r = ck_xml_parse(tmp, ck_buf_slice(&resp->body), PAGE_MAX, &root, err);
    if (r < 0)
        return ck_wrap(err, "error listing %s://%s/%s", l->s->env_scheme, l->s->base.container,
                       l->prefix);
    const struct ck_val *page = ck_get(root, "ListBucketResult");
    if (!page)
        return ck_fail(err, CK_UNAVAILABLE,
                       "error listing %s://%s/%s: the reply is not a bucket listing",
                       l->s->env_scheme, l->s->base.container, l->prefix);
    bool encoded = strcmp(ck_str_at(page, "EncodingType"), "url") == 0;
    if (l->what == DIRS) {
        const struct ck_val *dirs = ck_xml_list(tmp, page, "CommonPrefixes");
        for (size_t i = 0; r == 0 && i < ck_len(dirs); i++)
            r = add_prefix(l, ck_item(dirs, i), encoded, err);
    } else {
        const struct ck_val *objects = ck_xml_list(tmp, page, "Contents");
        for (size_t i = 0; r == 0 && i < ck_len(objects); i++)
            r = add_object(l, ck_item(objects, i), encoded, err);
    }
    if (r < 0)
        return r;
    const char *last = l->token;
    l->token = NULL;
    if (strcmp(ck_str_at(page, "IsTruncated"), "true") == 0) {
        const char *next = ck_str_at(page, "NextContinuationToken");
        if (!*next)
            return ck_fail(err, CK_UNAVAILABLE,
                           "error listing %s://%s/%s: truncated without a continuation token",
                           l->s->env_scheme, l->s->base.container, l->prefix);
        if (last && strcmp(next, last) == 0)
            return ck_fail(err, CK_UNAVAILABLE,
                           "error listing %s://%s/%s: the server repeats a continuation token",
                           l->s->env_scheme, l->s->base.container, l->prefix);
        l->token = ck_arena_strdup(l->keep, next);
    }
    return 0;
}

static int one_page(struct listing *l, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_req req;
    page_request(tmp, l, &req);
    CK_AUTORESP resp = {0};
    int r = ck_s3_send(l->s, &req, &resp, err);
    if (r < 0)
        return ck_s3_wrap(l->s, "listing", CK_S3_ACTION(LIST_BUCKET), l->prefix, err);
    if (resp.status != 200) {
        r = ck_s3_fail(l->s, &resp, "listing", CK_S3_ACTION(LIST_BUCKET), NULL, err);
        if (r == -(int)CK_NOT_FOUND) { /* a listing's 404 is the bucket's, whatever its code */
            err->code = CK_INVALID;
            r = -(int)CK_INVALID;
        }
        return r;
    }
    return take_page(l, &resp, err);
}

static int next_page(struct listing *l, unsigned pages, struct ck_err *err)
{
    if (pages > MAX_PAGES)
        return ck_fail(err, CK_LIMIT, "error listing %s://%s/%s: more than %d pages",
                       l->s->env_scheme, l->s->base.container, l->prefix, MAX_PAGES);
    return one_page(l, err);
}

static int rest_of_pages(struct listing *l, struct ck_err *err)
{
    for (unsigned pages = 0; l->token; pages++) {
        int r = next_page(l, pages, err);
        if (r < 0)
            return r;
    }
    ck_entries_sort(l->out);
    return 0;
}

/* The first page may be there already, since a read that it was announced to follow. */
static int first_page(struct listing *l, const char *key, struct ck_err *err)
{
    struct ck_s3_ahead *h = &l->s->ahead;
    if (l->what != TREE || h->page.status != 200 || strcmp(h->dir, key) != 0)
        return one_page(l, err);
    CK_AUTORESP page = h->page;
    h->page = (struct ck_resp){0};
    return take_page(l, &page, err);
}

static int list(struct ck_vfs *v, const char *key, enum what what, struct ck_arena *a,
                struct ck_entries *ret, struct ck_err *err)
{
    struct ck_s3 *s = (struct ck_s3 *)v;
    int r = ck_s3_prepare(s, err);
    if (r < 0)
        return r;
    struct ck_entries out = {0};
    struct listing l = {
        .s = s, .a = a, .keep = a, .what = what, .prefix = prefix_of(a, key), .out = &out};
    r = first_page(&l, key, err);
    if (r == 0)
        r = rest_of_pages(&l, err);
    if (r == 0)
        *ret = out;
    return r;
}

int ck_s3_list(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
               struct ck_err *err)
{
    return list(v, key, FILES, a, ret, err);
}

int ck_s3_list_dirs(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                    struct ck_err *err)
{
    return list(v, key, DIRS, a, ret, err);
}

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
    const struct listing l = {.s = s, .what = TREE, .prefix = prefix_of(a, h->dir)};
    struct ck_req reqs[2];
    ck_s3_request(a, s, "GET", key, &reqs[0]);
    page_request(a, &l, &reqs[1]);
    ck_resp_done(&h->page);
    h->page = (struct ck_resp){0};
    struct pair p = {ret, &h->page};
    return ck_http_all(ck_s3_http(s), reqs, 2, keep, &p, &ignored) == 0 && ret->status == 200;
}

int ck_s3_tree(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
               struct ck_err *err)
{
    return list(v, key, TREE, a, ret, err);
}

/* Pages come in the order of their keys (but not those of directory buckets). */
int ck_s3_tree_each(struct ck_vfs *v, const char *key, ck_entry_fn fn, void *arg,
                    struct ck_err *err)
{
    struct ck_s3 *s = (struct ck_s3 *)v;
    int r = ck_s3_prepare(s, err);
    if (r < 0)
        return r;
    CK_AUTOARENA struct ck_arena *keep = ck_arena_new();
    struct listing l = {.s = s, .keep = keep, .what = TREE, .prefix = prefix_of(keep, key)};
    for (unsigned pages = 0; r == 0 && (!pages || l.token); pages++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        struct ck_entries page = {0};
        l.a = a;
        l.out = &page;
        r = pages ? next_page(&l, pages, err) : first_page(&l, key, err);
        for (size_t i = 0; r == 0 && i < page.n; i++)
            r = fn(arg, &page.v[i], err);
    }
    return r;
}

/* ---- many directories at once ---- */

static int many_done(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    struct listing *l = &((struct listing *)arg)[i];
    if (item_err->code != CK_OK || resp->status != 200)
        return 0; /* tried again alone below, which reports what is wrong */
    CK_AUTOERR e = CK_ERR_INIT;
    l->started = take_page(l, resp, &e) == 0;
    return 0;
}

int ck_s3_list_dirs_many(struct ck_vfs *v, const char *const *keys, size_t n, struct ck_arena *a,
                         struct ck_entries *ret, struct ck_err *err)
{
    struct ck_s3 *s = (struct ck_s3 *)v;
    int r = ck_s3_prepare(s, err);
    if (r < 0 || n == 0)
        return r;
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct listing *l = ck_arena_alloc(tmp, n * sizeof *l);
    struct ck_req *reqs = ck_arena_alloc(tmp, n * sizeof *reqs);
    struct ck_entries *out = ck_arena_alloc(tmp, n * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        l[i] = (struct listing){.s = s,
                                .a = a,
                                .keep = a,
                                .what = DIRS,
                                .prefix = prefix_of(a, keys[i]),
                                .out = &out[i]};
        page_request(tmp, &l[i], &reqs[i]);
    }
    r = ck_http_all(ck_s3_http(s), reqs, n, many_done, l, err);
    for (size_t i = 0; r == 0 && i < n; i++) {
        if (!l[i].started) {
            out[i] = (struct ck_entries){0};
            l[i].token = NULL;
            r = one_page(&l[i], err);
        }
        if (r == 0)
            r = rest_of_pages(&l[i], err);
    }
    if (r == 0)
        memcpy(ret, out, n * sizeof *out);
    return r;
}
