/* Listings of object stores: pages of files, folders, trees and versions below a prefix that ends
 * in a slash, one listing or many at once. */
#include "vfs/object/object.h"

#include "base/enc.h"

#include <string.h>

enum { MAX_PAGES = 100000 };

static const struct ck_object_ops *dialect(struct ck_vfs *v)
{
    return ((struct ck_object_store *)v)->dialect;
}

/* ---- what a page holds ---- */

void ck_object_add(struct ck_object_listing *l, const char *key, int64_t size, int64_t mtime_s,
                   const unsigned char *md5)
{
    size_t plen = strlen(l->prefix);
    if (l->what == CK_OBJECT_DIRS || !ck_str_starts(key, l->prefix))
        return;
    /* "dir/" itself is a folder made by some console: kOps skips it in directories only. */
    if (l->what == CK_OBJECT_FILES && key[plen] == '\0')
        return;
    const char *copy = ck_arena_strdup(l->a, key), *hex = NULL;
    if (md5) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        ck_hex_encode(&b, md5, 16);
        hex = ck_arena_strdup(l->a, ck_buf_str(&b));
    }
    ck_entries_add(
        l->a, l->out,
        (struct ck_entry){
            .key = copy, .name = copy + plen, .size = size, .mtime_s = mtime_s, .md5 = hex});
}

void ck_object_add_version(struct ck_object_listing *l, const char *key, const char *id)
{
    /* The prefix also matches longer keys. */
    if (strcmp(key, l->prefix) == 0)
        ck_entries_add(l->a, l->out,
                       (struct ck_entry){.key = l->prefix, .name = ck_arena_strdup(l->a, id)});
}

void ck_object_add_dir(struct ck_object_listing *l, const char *prefix)
{
    size_t n = strlen(prefix), plen = strlen(l->prefix);
    if (l->what != CK_OBJECT_DIRS || n <= plen + 1 || prefix[n - 1] != '/' ||
        !ck_str_starts(prefix, l->prefix))
        return;
    char *dir = ck_arena_strndup(l->a, prefix, n - 1);
    ck_entries_add(l->a, l->out, (struct ck_entry){.key = dir, .name = dir + plen, .size = -1});
}

static int failed(struct ck_object_listing *l, struct ck_err *err, const char *why)
{
    return ck_fail(err, CK_UNAVAILABLE, "error listing %s://%s/%s: %s", l->v->ops->scheme,
                   l->v->container, l->prefix, why);
}

int ck_object_next_page(struct ck_object_listing *l, const char *token, struct ck_err *err)
{
    if (*token && l->token && strcmp(l->token, token) == 0)
        return failed(l, err, "the server repeats a page");
    l->token = *token ? ck_arena_strdup(l->a, token) : NULL;
    return 0;
}

/* ---- pages ---- */

static int take_page(struct ck_object_listing *l, const struct ck_resp *resp, struct ck_err *err)
{
    int r = dialect(l->v)->take_page(l, resp, err);
    if (r < 0)
        return r;
    l->started = true;
    ((struct ck_object_store *)l->v)->container_seen = true;
    return 0;
}

static int one_page(struct ck_object_listing *l, struct ck_err *err)
{
    enum ck_object_call call =
        l->what == CK_OBJECT_VERSIONS ? CK_OBJECT_LIST_VERSIONS : CK_OBJECT_LIST;
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_req req;
    dialect(l->v)->page(tmp, l, &req);
    CK_AUTORESP resp = {0};
    int r = ck_http_do(ck_object_http(l->v), &req, &resp, err);
    if (r < 0) {
        CK_AUTOBUF struct ck_buf where = CK_BUF_INIT;
        ck_object_where(l->v, call, l->prefix, &where);
        return ck_wrap(err, "%s", ck_buf_str(&where));
    }
    if (resp.status != 200) {
        r = dialect(l->v)->fail(l->v, call, NULL, &resp, err);
        if (r == -(int)CK_NOT_FOUND && err) /* a listing's 404 is the container's */
            err->code = CK_INVALID;
        return r == -(int)CK_NOT_FOUND ? -(int)CK_INVALID : r;
    }
    return take_page(l, &resp, err);
}

static int same(const struct ck_entry *a, const struct ck_entry *b)
{
    return strcmp(a->key, b->key) == 0;
}

/* Some servers repeat the folders on every page. */
static void drop_repeated(struct ck_entries *e)
{
    size_t n = 0;
    for (size_t i = 0; i < e->n; i++)
        if (i == 0 || !same(&e->v[i], &e->v[n - 1]))
            e->v[n++] = e->v[i];
    e->n = n;
}

static int rest_of_pages(struct ck_object_listing *l, struct ck_err *err)
{
    for (unsigned pages = 0; l->token; pages++) {
        if (pages > MAX_PAGES)
            return ck_fail(err, CK_LIMIT, "error listing %s://%s/%s: more than %d pages",
                           l->v->ops->scheme, l->v->container, l->prefix, MAX_PAGES);
        int r = one_page(l, err);
        if (r < 0)
            return r;
    }
    if (l->what == CK_OBJECT_VERSIONS)
        return 0;
    ck_entries_sort(l->out);
    drop_repeated(l->out);
    return 0;
}

static const char *prefix_of(struct ck_arena *a, const char *key)
{
    size_t n = strlen(key);
    if (n == 0 || key[n - 1] == '/')
        return ck_arena_strdup(a, key);
    return ck_arena_printf(a, "%s/", key);
}

static int list(struct ck_vfs *v, const char *prefix, enum ck_object_what what, struct ck_arena *a,
                struct ck_entries *ret, struct ck_err *err)
{
    int r = dialect(v)->prepare(v, err);
    if (r < 0)
        return r;
    struct ck_entries out = {0};
    struct ck_object_listing l = {.v = v, .a = a, .what = what, .prefix = prefix, .out = &out};
    r = one_page(&l, err);
    if (r == 0)
        r = rest_of_pages(&l, err);
    if (r == 0)
        *ret = out;
    return r;
}

int ck_object_list(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                   struct ck_err *err)
{
    return list(v, prefix_of(a, key), CK_OBJECT_FILES, a, ret, err);
}

int ck_object_list_dirs(struct ck_vfs *v, const char *key, struct ck_arena *a,
                        struct ck_entries *ret, struct ck_err *err)
{
    return list(v, prefix_of(a, key), CK_OBJECT_DIRS, a, ret, err);
}

int ck_object_tree(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                   struct ck_err *err)
{
    return list(v, prefix_of(a, key), CK_OBJECT_TREE, a, ret, err);
}

int ck_object_versions(struct ck_vfs *v, const char *key, struct ck_arena *a,
                       struct ck_entries *ret, struct ck_err *err)
{
    return list(v, ck_arena_strdup(a, key), CK_OBJECT_VERSIONS, a, ret, err);
}

/* ---- many directories at once ---- */

static int many_done(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    struct ck_object_listing *l = &((struct ck_object_listing *)arg)[i];
    if (item_err->code != CK_OK || resp->status != 200)
        return 0; /* tried again alone below, which reports what is wrong */
    CK_AUTOERR e = CK_ERR_INIT;
    take_page(l, resp, &e);
    return 0;
}

int ck_object_list_dirs_many(struct ck_vfs *v, const char *const *keys, size_t n,
                             struct ck_arena *a, struct ck_entries *ret, struct ck_err *err)
{
    int r = dialect(v)->prepare(v, err);
    if (r < 0 || n == 0)
        return r;
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_object_listing *l = ck_arena_alloc(tmp, n * sizeof *l);
    struct ck_req *reqs = ck_arena_alloc(tmp, n * sizeof *reqs);
    struct ck_entries *out = ck_arena_alloc(tmp, n * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        l[i] = (struct ck_object_listing){.v = v,
                                          .a = a,
                                          .what = CK_OBJECT_DIRS,
                                          .prefix = prefix_of(a, keys[i]),
                                          .out = &out[i]};
        dialect(v)->page(tmp, &l[i], &reqs[i]);
    }
    r = ck_http_all(ck_object_http(v), reqs, n, many_done, l, err);
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
