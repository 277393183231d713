/* Listings: labels find the Secrets, metadata pages bring them, the path annotation decides. */
#include "vfs/k8s/k8s.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "vfs/object/pages.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAGE = 500,
    MAX_PAGES = 100000,
    RESTARTS = 3,
    META_PAGE_MAX = 64 << 20,
    MAX_ENTRIES = 10000000,
    FOUND_MAX = 16, /* contents that a search holds, in multiples of the largest one allowed */
};

/* ---- pages ---- */

struct pages {
    struct ck_k8s *s;
    const char *selector, *key;
    bool meta;
    unsigned limit;
    struct ck_buf token;
    struct ck_pages_seen seen;
    ck_k8s_item_fn fn;
    void *arg;
    bool expired; /* the token was: start over */
};

static int take_page(struct pages *p, const struct ck_resp *resp, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_val *v = NULL;
    int r = ck_k8s_body(p->s, a, resp, &v, err);
    const struct ck_val *items = ck_get(v, "items");
    if (r == 0 && !ck_str_ends(ck_str_at(v, "kind"), "List"))
        r = ck_fail(err, CK_UNAVAILABLE, "the reply is no list of Secrets");
    for (size_t i = 0; r == 0 && ck_is_list(items) && i < ck_len(items); i++)
        r = p->fn(p->arg, ck_item(items, i), err);
    if (r < 0)
        return r;
    const char *next = ck_str_at(v, "metadata.continue");
    if (ck_pages_repeat(&p->seen, next))
        return ck_fail(err, CK_UNAVAILABLE, "the server repeats a page");
    ck_buf_reset(&p->token);
    ck_buf_puts(&p->token, next);
    return 0;
}

static int one_page(struct pages *p, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_k8s_request(a, p->s, "GET", NULL, p->meta, &req);
    req.max_reply = META_PAGE_MAX;
    if (p->token.len)
        ck_nvs_add(a, &req.query, "continue", ck_arena_strdup(a, ck_buf_str(&p->token)));
    ck_nvs_add(a, &req.query, "labelSelector", p->selector);
    ck_nvs_addf(a, &req.query, "limit", "%u", p->limit);
    CK_AUTORESP resp = {0};
    int r = ck_k8s_send(p->s, &req, &resp, err);
    if (r == -(int)CK_LIMIT && p->limit > 1) {
        p->limit /= 8; /* large files: fewer of them at once */
        p->limit += p->limit == 0;
        ck_err_done(err);
        return one_page(p, err);
    }
    if (r < 0)
        return ck_k8s_wrap(p->s, "listing", "list", p->key, err);
    if (resp.status == 410) {
        p->expired = true;
        return 0;
    }
    if (resp.status != 200) {
        r = ck_k8s_fail(p->s, &resp, "listing", "list", p->key, err);
        if (r == -(int)CK_NOT_FOUND) /* a listing's 404 is not a file's */
            r = -(int)(err->code = CK_INVALID);
        return r;
    }
    const char *date = ck_nvs_get(&resp.headers, "date");
    if (!date || !ck_http_date_parse(date, &p->s->listed_s))
        p->s->listed_s = 0;
    r = take_page(p, &resp, err);
    return r < 0 ? ck_k8s_wrap(p->s, "listing", "list", p->key, err) : 0;
}

/* Back to the first page. */
static void start_over(struct pages *p)
{
    ck_buf_reset(&p->token);
    p->seen = (struct ck_pages_seen){0};
}

static int all_pages(struct pages *p, struct ck_err *err)
{
    unsigned restarts = 0;
    for (unsigned n = 0; n < MAX_PAGES; n++) {
        p->expired = false;
        int r = one_page(p, err);
        if (r < 0)
            return r;
        if (p->expired) {
            if (restarts++ == RESTARTS)
                return ck_fail(err, CK_UNAVAILABLE,
                               "error listing: the pages expired %d times before the end",
                               RESTARTS);
            start_over(p);
            r = p->fn(p->arg, NULL, err);
            if (r < 0)
                return r;
        } else if (!p->token.len) {
            return 0;
        }
    }
    return ck_fail(err, CK_LIMIT, "error listing: more than %d pages", MAX_PAGES);
}

int ck_k8s_each(struct ck_k8s *s, const char *selector, bool meta, const char *key,
                ck_k8s_item_fn fn, void *arg, struct ck_err *err)
{
    struct pages p = {.s = s,
                      .selector = selector,
                      .key = key,
                      .meta = meta,
                      .limit = PAGE,
                      .fn = fn,
                      .arg = arg};
    CK_AUTOERR own = CK_ERR_INIT;
    int r = all_pages(&p, &own);
    ck_buf_done(&p.token);
    return r < 0 && err ? ck_err_move(err, &own) : r;
}

/* ---- folders ---- */

/* A folder as the layout has it: without its last slash. */
static const char *folder(struct ck_arena *a, const char *key)
{
    size_t n = strlen(key);
    return ck_arena_strndup(a, key, n && key[n - 1] == '/' ? n - 1 : n);
}

/* "ckops.dev/in-N=HASH": everything below the folder, to within its 16th level. */
static const char *selector_below(struct ck_arena *a, const char *dir)
{
    if (!*dir)
        return "ckops.dev/dir";
    unsigned level = 1;
    size_t end = strlen(dir);
    for (size_t i = 0; dir[i]; i++)
        if (dir[i] == '/' && level++ == CK_K8S_LEVELS) {
            level = CK_K8S_LEVELS;
            end = i;
            break;
        }
    char hex[CK_K8S_HASH];
    ck_k8s_hash(ck_slice_n(dir, end), hex);
    return ck_arena_printf(a, "ckops.dev/in-%u=%s", level, hex);
}

/* The path below dir; NULL when it is not. */
static const char *path_below(const char *path, const char *dir)
{
    size_t n = strlen(dir);
    if (!n)
        return path;
    return strncmp(path, dir, n) == 0 && path[n] == '/' && path[n + 1] ? path + n + 1 : NULL;
}

enum what { FILES, DIRS, TREE }; /* DIRS only of folders deeper than there are labels */

struct listing {
    enum what what;
    struct ck_arena *a;
    const char *dir;
    struct ck_entries *out;
};

static int add(void *arg, const struct ck_val *v, struct ck_err *err)
{
    struct listing *l = arg;
    if (!v) {
        l->out->n = 0;
        return 0;
    }
    struct ck_k8s_meta m;
    int r = ck_k8s_meta_of(v, &m, err);
    if (r == -(int)CK_UNSUPPORTED) { /* listed all the same */
        ck_err_done(err);
        r = 0;
    }
    if (r < 0)
        return r;
    const char *rel = path_below(m.path, l->dir);
    if (!rel || (l->what == FILES && strchr(rel, '/')))
        return 0;
    if (l->out->n >= MAX_ENTRIES)
        return ck_fail(err, CK_LIMIT, "more than %d files", MAX_ENTRIES);
    size_t skip = (size_t)(rel - m.path), len = strlen(m.path);
    if (l->what == DIRS) {
        size_t n = strcspn(rel, "/");
        if (!rel[n] || !n)
            return 0;
        len = skip + n;
    }
    const char *key = ck_arena_strndup(l->a, m.path, len);
    bool file = l->what != DIRS;
    ck_entries_add(l->a, l->out,
                   (struct ck_entry){
                       .key = key,
                       .name = key + skip,
                       .size = file ? m.size : -1,
                       .md5 = file && strlen(m.md5) == 32 ? ck_arena_strdup(l->a, m.md5) : NULL,
                   });
    return 0;
}

static void drop_repeats(struct ck_entries *e)
{
    size_t n = 0;
    for (size_t i = 0; i < e->n; i++)
        if (!n || strcmp(e->v[n - 1].key, e->v[i].key) != 0)
            e->v[n++] = e->v[i];
    e->n = n;
}

static int list(struct ck_vfs *v, const char *key, enum what what, struct ck_arena *a,
                struct ck_entries *ret, struct ck_err *err)
{
    struct ck_k8s *s = (struct ck_k8s *)v;
    int r = ck_k8s_prepare(s, err);
    if (r < 0)
        return r;
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_entries out = {0};
    struct listing l = {.what = what, .a = a, .dir = folder(tmp, key), .out = &out};
    const char *selector = selector_below(tmp, l.dir);
    if (what == FILES) {
        char hex[CK_K8S_HASH];
        ck_k8s_hash(ck_slice_of(l.dir), hex);
        selector = ck_arena_printf(tmp, "ckops.dev/dir=%s", hex);
    }
    r = ck_k8s_each(s, selector, true, key, add, &l, err);
    if (r < 0)
        return r;
    ck_entries_sort(&out);
    drop_repeats(&out);
    *ret = out;
    return 0;
}

int ck_k8s_list(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                struct ck_err *err)
{
    return list(v, key, FILES, a, ret, err);
}

int ck_k8s_tree(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                struct ck_err *err)
{
    return list(v, key, TREE, a, ret, err);
}

/* ---- folders of a folder ---- */

/* A listing brings files, not folders, in no order of theirs. When a page shows mostly folders that
 * are known already, it starts anew without them (their labels are excluded), so that what it costs
 * depends on how many folders there are and not on how much lies in them. */

enum { EXCLUDED_MAX = 300 }; /* 6 KB of a URL */

struct subfolder {
    const char *name;
    char hash[CK_K8S_HASH]; /* its label's value */
    size_t files;           /* of it, as seen so far */
};

struct subfolders {
    struct ck_arena *a;
    const char *dir;
    unsigned level;   /* of the label that tells them apart */
    struct ck_map by; /* name -> struct subfolder */
    size_t files, known, excluded;
};

static int add_subfolder(void *arg, const struct ck_val *v, struct ck_err *err)
{
    struct subfolders *f = arg;
    struct ck_k8s_meta m;
    int r = ck_k8s_meta_of(v, &m, err);
    if (r == -(int)CK_UNSUPPORTED) {
        ck_err_done(err);
        r = 0;
    }
    const char *rel = r == 0 ? path_below(m.path, f->dir) : NULL;
    size_t n = rel ? strcspn(rel, "/") : 0;
    if (!n || !rel[n])
        return r;
    f->files++;
    struct subfolder *one = ck_map_getn(&f->by, ck_slice_n(rel, n));
    if (one) {
        one->files++;
        f->known++;
        return 0;
    }
    if (f->by.n >= MAX_ENTRIES)
        return ck_fail(err, CK_LIMIT, "more than %d folders", MAX_ENTRIES);
    one = ck_arena_alloc(f->a, sizeof *one);
    *one = (struct subfolder){.name = ck_arena_strndup(f->a, rel, n), .files = 1};
    ck_k8s_hash(ck_slice_n(m.path, (size_t)(rel - m.path) + n), one->hash);
    ck_map_putn(&f->by, ck_slice_n(rel, n), one);
    return 0;
}

static int by_files(const void *x, const void *y)
{
    const struct subfolder *a = *(const struct subfolder *const *)x;
    const struct subfolder *b = *(const struct subfolder *const *)y;
    return a->files == b->files ? strcmp(a->name, b->name) : a->files < b->files ? 1 : -1;
}

/* All below the folder but what lies in the largest subfolders seen so far. */
static const char *selector_of_others(struct subfolders *f, struct ck_arena *a)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (*f->dir)
        ck_buf_fmt(&b, "%s,", selector_below(a, f->dir));
    ck_buf_fmt(&b, "ckops.dev/in-%u", f->level);
    size_t n = f->by.n < EXCLUDED_MAX ? f->by.n : EXCLUDED_MAX;
    const struct subfolder **largest = ck_arena_alloc(a, (f->by.n + 1) * sizeof *largest);
    for (size_t i = 0; i < f->by.n; i++)
        largest[i] = f->by.e[i].val;
    if (f->by.n)
        qsort(largest, f->by.n, sizeof *largest, by_files);
    for (size_t i = 0; i < n; i++)
        ck_buf_fmt(&b, "%s%s", i ? "," : ck_arena_printf(a, ",ckops.dev/in-%u notin (", f->level),
                   largest[i]->hash);
    if (n)
        ck_buf_putc(&b, ')');
    f->excluded = n;
    return ck_arena_strdup(a, ck_buf_str(&b));
}

static int all_subfolders(struct subfolders *f, struct pages *p, struct ck_arena *a,
                          struct ck_err *err)
{
    p->selector = selector_of_others(f, a);
    for (unsigned n = 0, restarts = 0; n < MAX_PAGES; n++) {
        p->expired = false;
        f->files = f->known = 0;
        int r = one_page(p, err);
        if (r < 0)
            return r;
        if (p->expired && restarts++ == RESTARTS)
            break;
        if (!p->expired && !p->token.len)
            return 0;
        bool more = f->excluded < EXCLUDED_MAX && f->by.n > f->excluded;
        if (p->expired || (more && 2 * f->known > f->files)) {
            p->selector = selector_of_others(f, a);
            start_over(p);
        }
    }
    return ck_fail(err, CK_UNAVAILABLE, "error listing: the pages have no end");
}

int ck_k8s_list_dirs(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                     struct ck_err *err)
{
    struct ck_k8s *s = (struct ck_k8s *)v;
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct subfolders f = {.a = tmp, .dir = folder(tmp, key), .level = 1};
    for (const char *p = f.dir; *p; p = strchr(p, '/') ? strchr(p, '/') + 1 : "")
        f.level++;
    if (f.level > CK_K8S_LEVELS)
        return list(v, key, DIRS, a, ret, err);
    int r = ck_k8s_prepare(s, err);
    if (r < 0)
        return r;
    struct pages p = {
        .s = s, .key = key, .meta = true, .limit = PAGE, .fn = add_subfolder, .arg = &f};
    CK_AUTOERR own = CK_ERR_INIT;
    r = all_subfolders(&f, &p, tmp, &own);
    struct ck_entries out = {0};
    for (size_t i = 0; r == 0 && i < f.by.n; i++) {
        const char *full = ck_arena_printf(a, "%s%s%s", f.dir, *f.dir ? "/" : "", f.by.e[i].key);
        ck_entries_add(a, &out,
                       (struct ck_entry){.key = full,
                                         .name = full + strlen(full) - strlen(f.by.e[i].key),
                                         .size = -1});
    }
    ck_map_done(&f.by);
    ck_buf_done(&p.token);
    if (r < 0)
        return err ? ck_err_move(err, &own) : r;
    ck_entries_sort(&out);
    *ret = out;
    return 0;
}

/* ---- removing a tree ---- */

struct victims {
    struct ck_arena *a;
    const char *dir;
    const char **names, **keys;
    struct ck_k8s_meta *chunked;
    size_t n, cap, n_chunked, cap_chunked;
};

static int add_victim(void *arg, const struct ck_val *v, struct ck_err *err)
{
    struct victims *l = arg;
    struct ck_k8s_meta m;
    if (!v) {
        l->n = l->n_chunked = 0;
        return 0;
    }
    int r = ck_k8s_meta_of(v, &m, err);
    if (r == -(int)CK_UNSUPPORTED) {
        ck_err_done(err);
        r = 0;
    }
    if (r < 0 || !path_below(m.path, l->dir))
        return r;
    const char *name = ck_str_at(v, "metadata.name");
    if (!*name || strchr(name, '/'))
        return ck_fail(err, CK_UNAVAILABLE, "the list has a Secret without a name");
    if (l->n >= MAX_ENTRIES)
        return ck_fail(err, CK_LIMIT, "more than %d files", MAX_ENTRIES);
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 64;
        const char **names = ck_arena_alloc(l->a, 2 * cap * sizeof *names);
        if (l->n) {
            memcpy(names, l->names, l->n * sizeof *names);
            memcpy(names + cap, l->keys, l->n * sizeof *names);
        }
        l->names = names;
        l->keys = names + cap;
        l->cap = cap;
    }
    l->names[l->n] = ck_arena_strdup(l->a, name);
    l->keys[l->n++] = m.path = ck_arena_strdup(l->a, m.path);
    if (!m.parts)
        return 0;
    if (l->n_chunked == l->cap_chunked) {
        size_t cap = l->cap_chunked ? l->cap_chunked * 2 : 16;
        struct ck_k8s_meta *c = ck_arena_alloc(l->a, cap * sizeof *c);
        if (l->n_chunked)
            memcpy(c, l->chunked, l->n_chunked * sizeof *c);
        l->chunked = c;
        l->cap_chunked = cap;
    }
    l->chunked[l->n_chunked++] = m;
    return 0;
}

int ck_k8s_remove_tree(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    struct ck_k8s *s = (struct ck_k8s *)v;
    int r = ck_k8s_prepare(s, err);
    if (r < 0)
        return r;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct victims l = {.a = a, .dir = folder(a, key)};
    r = ck_k8s_each(s, selector_below(a, l.dir), true, key, add_victim, &l, err);
    if (r == 0)
        r = ck_k8s_delete_names(s, l.names, l.keys, l.n, err);
    for (size_t i = 0; r == 0 && i < l.n_chunked; i++)
        ck_k8s_parts_drop(s, l.chunked[i].path, l.chunked[i].gen, l.chunked[i].parts);
    if (r == 0 && l.n)
        ck_k8s_parts_sweep(s, l.dir, true, "");
    return r;
}

/* ---- finding ---- */

struct search {
    struct ck_k8s *s;
    const char *dir, *leaf;
    bool content;
    ck_found_fn fn;
    void *arg;
    struct ck_arena *a;
    struct found {
        const char *rel;
        struct ck_buf data;
        struct ck_version version;
        struct ck_err err;
    } * v;
    size_t n, cap, bytes; /* bytes: of content */
};

static void forget(struct search *f)
{
    for (size_t i = 0; i < f->n; i++) {
        ck_buf_wipe(&f->v[i].data);
        ck_err_done(&f->v[i].err);
    }
    f->n = f->bytes = 0;
}

static int add_found(void *arg, const struct ck_val *v, struct ck_err *err)
{
    struct search *f = arg;
    if (!v) {
        forget(f);
        return 0;
    }
    const char *path =
        ck_str_or(ck_get(ck_get(ck_get(v, "metadata"), "annotations"), "ckops.dev/path"), "");
    const char *rel = path_below(path, f->dir);
    size_t n = rel ? strlen(rel) : 0, leaf = strlen(f->leaf);
    if (n <= leaf + 1 || rel[n - leaf - 1] != '/' || strcmp(rel + n - leaf, f->leaf) != 0)
        return 0;
    ck_xgrow(&f->v, &f->cap, f->n + 1, sizeof *f->v);
    struct found *x = &f->v[f->n++];
    *x = (struct found){.rel = ck_arena_strndup(f->a, rel, n - leaf - 1)};
    struct ck_k8s_meta m;
    int r = ck_k8s_meta_of(v, &m, &x->err);
    if (r == 0 && !f->content)
        ck_k8s_version(&m, &x->version);
    else if (r == 0)
        r = ck_k8s_take(f->s, v, path, &x->data, &x->version, &x->err);
    if (r == -(int)CK_NOT_FOUND) { /* its parts went while the page was under way */
        ck_err_done(&x->err);
        ck_k8s_read(&f->s->base, path, &x->data, &x->version, &x->err);
    } else if (r < 0) {
        ck_k8s_wrap(f->s, "reading", "list", path, &x->err);
    }
    size_t max = f->s->base.ctx->max_object ? f->s->base.ctx->max_object : 64u << 20;
    f->bytes += x->data.len;
    if (f->n > MAX_ENTRIES || f->bytes / FOUND_MAX > max)
        return ck_fail(err, CK_LIMIT, "more files, or larger ones, than fit in memory");
    return 0;
}

int ck_k8s_find(struct ck_vfs *v, const char *key, const char *leaf, bool content, ck_found_fn fn,
                void *arg, struct ck_err *err)
{
    struct ck_k8s *s = (struct ck_k8s *)v;
    int r = ck_k8s_prepare(s, err);
    if (r < 0)
        return r;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct search f = {.s = s,
                       .dir = folder(a, key),
                       .leaf = leaf,
                       .content = content,
                       .fn = fn,
                       .arg = arg,
                       .a = a};
    const char *label = ck_k8s_label(a, ck_slice_of(leaf));
    const char *selector =
        *f.dir ? ck_arena_printf(a, "ckops.dev/file=%s,%s", label, selector_below(a, f.dir))
               : ck_arena_printf(a, "ckops.dev/file=%s", label);
    r = ck_k8s_each(s, selector, !content, key, add_found, &f, err);
    for (size_t i = 0; r == 0 && i < f.n; i++) {
        struct found *x = &f.v[i];
        r = fn(arg, x->rel, ck_buf_slice(&x->data), &x->version, &x->err);
        if (r < 0 && err)
            ck_err_move(err, &x->err);
    }
    forget(&f);
    free(f.v);
    return r;
}
