/* Listings page by page, whatever the store's dialect. */
#include "vfs/object/listing.h"

#include "base/enc.h"

#include <string.h>

enum { MAX_PAGES = 100000 };

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

int ck_object_bad_page(const struct ck_object_listing *l, const char *why, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    return ck_fail(err, CK_UNAVAILABLE, "error listing %s: %s", l->v->ops->text(l->v, l->prefix, a),
                   why);
}

int ck_object_next_page(struct ck_object_listing *l, const char *token, struct ck_err *err)
{
    if (ck_pages_repeat(&l->seen, token))
        return ck_object_bad_page(l, "the server repeats a page", err);
    l->token = *token ? ck_arena_strdup(l->keep, token) : NULL;
    return 0;
}

/* ---- pages ---- */

const char *ck_object_prefix(struct ck_arena *a, const char *key)
{
    size_t n = strlen(key);
    if (n == 0 || key[n - 1] == '/')
        return ck_arena_strdup(a, key);
    return ck_arena_printf(a, "%s/", key);
}

static int take(struct ck_object_listing *l, const struct ck_resp *resp, struct ck_err *err)
{
    const struct ck_pages_ops *ops = l->v->ops->pages;
    int r = resp->status == 200 ? ops->take_page(l, resp, err) : ck_object_next_page(l, "", err);
    l->started |= r == 0;
    return r;
}

static int one_page(struct ck_object_listing *l, struct ck_err *err)
{
    const struct ck_pages_ops *ops = l->v->ops->pages;
    CK_AUTORESP resp = {0};
    if (!l->started && ops->ahead && ops->ahead(l, &resp))
        return take(l, &resp, err);
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_req req;
    ops->page(tmp, l, &req);
    int r = ops->fetch(l, &req, &resp, err);
    if (r == -(int)CK_NOT_FOUND) { /* a listing's 404 is the container's, whatever its code */
        if (err)
            err->code = CK_INVALID;
        return -(int)CK_INVALID;
    }
    return r < 0 ? r : take(l, &resp, err);
}

static int next_page(struct ck_object_listing *l, unsigned pages, struct ck_err *err)
{
    if (pages <= MAX_PAGES)
        return one_page(l, err);
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    return ck_fail(err, CK_LIMIT, "error listing %s: more than %d pages",
                   l->v->ops->text(l->v, l->prefix, a), MAX_PAGES);
}

/* Some servers repeat the folders on every page. */
static void drop_repeated(struct ck_entries *e)
{
    size_t n = 0;
    for (size_t i = 0; i < e->n; i++)
        if (i == 0 || strcmp(e->v[i].key, e->v[n - 1].key) != 0)
            e->v[n++] = e->v[i];
    e->n = n;
}

static int all_pages(struct ck_object_listing *l, struct ck_err *err)
{
    for (unsigned pages = 0; !l->started || l->token; pages++) {
        int r = next_page(l, pages, err);
        if (r < 0)
            return r;
    }
    if (l->what == CK_OBJECT_VERSIONS)
        return 0;
    ck_entries_sort(l->out);
    drop_repeated(l->out);
    return 0;
}

static int list(struct ck_vfs *v, const char *prefix, enum ck_object_what what, struct ck_arena *a,
                struct ck_entries *ret, struct ck_err *err)
{
    int r = v->ops->pages->prepare(v, err);
    if (r < 0)
        return r;
    struct ck_entries out = {0};
    struct ck_object_listing l = {
        .v = v, .a = a, .keep = a, .what = what, .prefix = prefix, .out = &out};
    r = all_pages(&l, err);
    if (r == 0)
        *ret = out;
    return r;
}

int ck_pages_list(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                  struct ck_err *err)
{
    return list(v, ck_object_prefix(a, key), CK_OBJECT_FILES, a, ret, err);
}

int ck_pages_list_dirs(struct ck_vfs *v, const char *key, struct ck_arena *a,
                       struct ck_entries *ret, struct ck_err *err)
{
    return list(v, ck_object_prefix(a, key), CK_OBJECT_DIRS, a, ret, err);
}

int ck_pages_tree(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                  struct ck_err *err)
{
    return list(v, ck_object_prefix(a, key), CK_OBJECT_TREE, a, ret, err);
}

int ck_pages_versions(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                      struct ck_err *err)
{
    return list(v, ck_arena_strdup(a, key), CK_OBJECT_VERSIONS, a, ret, err);
}

int ck_pages_tree_each(struct ck_vfs *v, const char *key, ck_entry_fn fn, void *arg,
                       struct ck_err *err)
{
    int r = v->ops->pages->prepare(v, err);
    if (r < 0)
        return r;
    CK_AUTOARENA struct ck_arena *keep = ck_arena_new();
    struct ck_object_listing l = {
        .v = v, .keep = keep, .what = CK_OBJECT_TREE, .prefix = ck_object_prefix(keep, key)};
    for (unsigned pages = 0; r == 0 && (!l.started || l.token); pages++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        struct ck_entries page = {0};
        l.a = a;
        l.out = &page;
        r = next_page(&l, pages, err);
        for (size_t i = 0; r == 0 && i < page.n; i++)
            r = fn(arg, &page.v[i], err);
    }
    return r;
}

/* ---- many at once ---- */

struct many {
    struct ck_object_listing *l;
    bool *failed;
    size_t *open; /* the listings of this round */
};

static int many_done(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    struct many *m = arg;
    size_t at = m->open[i];
    CK_AUTOERR e = CK_ERR_INIT;
    m->failed[at] = item_err->code != CK_OK || resp->status < 200 || resp->status > 299 ||
                    take(&m->l[at], resp, &e) < 0;
    return 0;
}

/* A page of every listing that is not complete. */
static int round_of_pages(struct many *m, size_t n, size_t *ret_open, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_req *reqs = ck_arena_alloc(tmp, n * sizeof *reqs);
    struct ck_vfs *v = m->l->v;
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (m->failed[i] || (m->l[i].started && !m->l[i].token))
            continue;
        v->ops->pages->page(tmp, &m->l[i], &reqs[k]);
        m->open[k++] = i;
    }
    *ret_open = k;
    return k ? ck_http_all(v->ops->pages->http(v), reqs, k, many_done, m, err) : 0;
}

int ck_pages_list_dirs_many(struct ck_vfs *v, const char *const *keys, size_t n, struct ck_arena *a,
                            struct ck_entries *ret, struct ck_err *err)
{
    int r = v->ops->pages->prepare(v, err);
    if (r < 0 || n == 0)
        return r;
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_entries *out = ck_arena_alloc(tmp, n * sizeof *out);
    struct many m = {.l = ck_arena_alloc(tmp, n * sizeof *m.l),
                     .failed = ck_arena_alloc(tmp, n * sizeof *m.failed),
                     .open = ck_arena_alloc(tmp, n * sizeof *m.open)};
    for (size_t i = 0; i < n; i++)
        m.l[i] = (struct ck_object_listing){.v = v,
                                            .a = a,
                                            .keep = a,
                                            .what = CK_OBJECT_DIRS,
                                            .prefix = ck_object_prefix(a, keys[i]),
                                            .out = &out[i]};
    size_t open = 1;
    for (unsigned pages = 0; r == 0 && open && pages < MAX_PAGES; pages++)
        r = round_of_pages(&m, n, &open, err);
    for (size_t i = 0; r == 0 && i < n; i++) {
        if (m.failed[i]) { /* asked again alone, which reports what is wrong */
            out[i] = (struct ck_entries){0};
            m.l[i].token = NULL;
            m.l[i].started = false;
            m.l[i].seen = (struct ck_pages_seen){0};
        }
        r = all_pages(&m.l[i], err);
    }
    if (r == 0)
        memcpy(ret, out, n * sizeof *out);
    return r;
}
