/* Swift listings: JSON pages by marker, by prefix and, for one level, by delimiter. A listing ends
 * at an empty page, never at a short one: servers may give fewer names than were asked for. */
#include "vfs/swift/swift.h"

#include "base/clock.h"
#include "doc/json.h"

#include <string.h>

enum { PAGE_MAX = 64 << 20, MAX_PAGES = 100000 };

enum what { FILES, DIRS, TREE };

struct listing {
    struct ck_swift *s;
    struct ck_arena *a; /* of the entries */
    enum what what;
    const char *prefix;
    struct ck_entries *out;
    const char *marker; /* of the next page; NULL: the first one */
    bool done, failed;
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
    ck_swift_request(a, l->s, "GET", l->s->base.container, NULL, r);
    r->max_reply = PAGE_MAX;
    ck_nvs_add(a, &r->headers, "accept", "application/json");
    ck_nvs_add(a, &r->query, "format", "json");
    if (*l->prefix)
        ck_nvs_add(a, &r->query, "prefix", l->prefix);
    if (l->what != TREE)
        ck_nvs_add(a, &r->query, "delimiter", "/");
    if (l->marker)
        ck_nvs_add(a, &r->query, "marker", l->marker);
}

static const char *md5_of(struct ck_arena *a, const struct ck_val *row)
{
    const char *hash = ck_str_at(row, "hash");
    if (strlen(hash) != 32 || strspn(hash, "0123456789abcdef") != 32 || ck_get(row, "slo_etag"))
        return NULL;
    return ck_arena_strdup(a, hash);
}

/* "2026-11-21T10:18:52.967180", in UTC without saying so. */
static int64_t time_of(const struct ck_val *row)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    const char *text = ck_str_at(row, "last_modified");
    int64_t t = 0;
    ck_buf_fmt(&b, "%.40s%s", text, ck_str_ends(text, "Z") ? "" : "Z");
    ck_rfc3339_parse(ck_buf_slice(&b), &t);
    return t;
}

static void add_object(struct listing *l, const struct ck_val *row, const char *name)
{
    size_t plen = strlen(l->prefix);
    if (l->what == DIRS || !ck_str_starts(name, l->prefix))
        return;
    /* "dir/" itself is a folder made by some console. */
    if (l->what == FILES && name[plen] == '\0')
        return;
    char *key = ck_arena_strdup(l->a, name);
    ck_entries_add(l->a, l->out,
                   (struct ck_entry){.key = key,
                                     .name = key + plen,
                                     .size = ck_int_at(row, "bytes", -1),
                                     .mtime_s = time_of(row),
                                     .md5 = md5_of(l->a, row)});
}

static void add_dir(struct listing *l, const char *subdir)
{
    size_t n = strlen(subdir), plen = strlen(l->prefix);
    if (l->what != DIRS || n <= plen + 1 || !ck_str_starts(subdir, l->prefix))
        return;
    char *dir = ck_arena_strndup(l->a, subdir, n - 1);
    ck_entries_add(l->a, l->out, (struct ck_entry){.key = dir, .name = dir + plen, .size = -1});
}

static int bad_page(const struct listing *l, struct ck_err *err, const char *why)
{
    return ck_fail(err, CK_UNAVAILABLE, "error listing swift://%s/%s: %s", l->s->base.container,
                   l->prefix, why);
}

static int take_page(struct listing *l, const struct ck_resp *resp, struct ck_err *err)
{
    if (resp->status == 204) { /* nothing there, said without a body */
        l->done = true;
        return 0;
    }
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_val *rows = NULL;
    if (ck_json_parse(tmp, ck_buf_slice(&resp->body), PAGE_MAX, &rows, NULL) < 0 ||
        !ck_is_list(rows))
        return bad_page(l, err, "the reply is not a container listing");
    const char *last = NULL;
    for (size_t i = 0; i < ck_len(rows); i++) {
        const struct ck_val *row = ck_item(rows, i);
        const char *subdir = ck_str_or(ck_get(row, "subdir"), NULL);
        const char *name = subdir ? subdir : ck_str_or(ck_get(row, "name"), NULL);
        if (!name || !*name)
            return bad_page(l, err, "a row of the listing has no name");
        if (subdir)
            add_dir(l, subdir);
        else
            add_object(l, row, name);
        last = name;
    }
    l->done = !last;
    if (last && l->marker && strcmp(last, l->marker) == 0)
        return bad_page(l, err, "the server repeats a page");
    if (last)
        l->marker = ck_arena_strdup(l->a, last);
    return 0;
}

static int one_page(struct listing *l, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_req req;
    page_request(tmp, l, &req);
    CK_AUTORESP resp = {0};
    int r = ck_swift_send(l->s, &req, &resp, err);
    if (r < 0)
        return ck_swift_wrap(l->s, "listing", l->prefix, err);
    if (resp.status == 404) {
        /* A listing's 404 is the container's. */
        l->s->container_seen = false;
        r = ck_swift_check_container(l->s, "listing", l->prefix, err);
        l->done = true;
        return r < 0 || l->s->create_container
                   ? r
                   : bad_page(l, err, "404, although the container is there");
    }
    if (resp.status != 200 && resp.status != 204)
        return ck_swift_fail(l->s, &resp, "listing", l->prefix, err);
    l->s->container_seen = true;
    return take_page(l, &resp, err);
}

static int rest_of_pages(struct listing *l, struct ck_err *err)
{
    for (unsigned pages = 0; !l->done; pages++) {
        if (pages > MAX_PAGES)
            return ck_fail(err, CK_LIMIT, "error listing swift://%s/%s: more than %d pages",
                           l->s->base.container, l->prefix, MAX_PAGES);
        int r = one_page(l, err);
        if (r < 0)
            return r;
    }
    ck_entries_sort(l->out);
    return 0;
}

static int list(struct ck_vfs *v, const char *key, enum what what, struct ck_arena *a,
                struct ck_entries *ret, struct ck_err *err)
{
    struct ck_swift *s = (struct ck_swift *)v;
    int r = ck_swift_prepare(s, err);
    if (r < 0)
        return r;
    struct ck_entries out = {0};
    struct listing l = {.s = s, .a = a, .what = what, .prefix = prefix_of(a, key), .out = &out};
    r = rest_of_pages(&l, err);
    if (r == 0)
        *ret = out;
    return r;
}

int ck_swift_list(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                  struct ck_err *err)
{
    return list(v, key, FILES, a, ret, err);
}

int ck_swift_list_dirs(struct ck_vfs *v, const char *key, struct ck_arena *a,
                       struct ck_entries *ret, struct ck_err *err)
{
    return list(v, key, DIRS, a, ret, err);
}

int ck_swift_tree(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                  struct ck_err *err)
{
    return list(v, key, TREE, a, ret, err);
}

/* ---- many directories at once ---- */

struct many {
    struct listing *l;
    size_t *open; /* the listings of this round */
};

static int many_done(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    struct many *m = arg;
    struct listing *l = &m->l[m->open[i]];
    CK_AUTOERR e = CK_ERR_INIT;
    if (item_err->code == CK_OK && (resp->status == 200 || resp->status == 204) &&
        take_page(l, resp, &e) == 0)
        return 0;
    l->failed = l->done = true; /* tried again alone, which reports what is wrong */
    return 0;
}

/* One page of every listing that is not complete. */
static int round_of_pages(struct ck_swift *s, struct many *m, size_t n, size_t *ret_open,
                          struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_req *reqs = ck_arena_alloc(tmp, n * sizeof *reqs);
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (m->l[i].done)
            continue;
        page_request(tmp, &m->l[i], &reqs[k]);
        m->open[k++] = i;
    }
    *ret_open = k;
    return k ? ck_http_all(ck_swift_http(s), reqs, k, many_done, m, err) : 0;
}

int ck_swift_list_dirs_many(struct ck_vfs *v, const char *const *keys, size_t n, struct ck_arena *a,
                            struct ck_entries *ret, struct ck_err *err)
{
    struct ck_swift *s = (struct ck_swift *)v;
    int r = ck_swift_prepare(s, err);
    if (r < 0 || n == 0)
        return r;
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_entries *out = ck_arena_alloc(tmp, n * sizeof *out);
    struct many m = {.l = ck_arena_alloc(tmp, n * sizeof *m.l),
                     .open = ck_arena_alloc(tmp, n * sizeof *m.open)};
    for (size_t i = 0; i < n; i++)
        m.l[i] = (struct listing){
            .s = s, .a = a, .what = DIRS, .prefix = prefix_of(a, keys[i]), .out = &out[i]};
    size_t open = 1;
    for (unsigned pages = 0; r == 0 && open && pages < MAX_PAGES; pages++)
        r = round_of_pages(s, &m, n, &open, err);
    for (size_t i = 0; r == 0 && i < n; i++) {
        if (m.l[i].failed) {
            out[i] = (struct ck_entries){0};
            m.l[i].marker = NULL;
            m.l[i].done = false;
        }
        r = rest_of_pages(&m.l[i], err);
    }
    if (r == 0)
        memcpy(ret, out, n * sizeof *out);
    return r;
}
