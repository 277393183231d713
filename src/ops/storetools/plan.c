/* What a copy has to do: both ends listed and laid beside each other. */
#include "ops/storetools/internal.h"

#include "base/enc.h"
#include "base/mem.h"
#include "ops/storelock/shared.h"
#include "store/settings.h"
#include "store/store.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/* What a file's name can have, and how deep local stores are read. */
enum { LOCAL_ELEMENT = 255, LOCAL_DEPTH = 64 };

/* ---- ends ---- */

int ck_copy_open(struct ck_copy_view *v, struct ck_arena *a, const struct ck_copy_end *end,
                 struct ck_err *err)
{
    *v = (struct ck_copy_view){.ctx = {.env = end->env, .arena = a, .profile = end->profile}};
    if (end->watch)
        ck_shared_watch_join(end->watch, &v->ctx);
    return ck_vfs_parse(&v->ctx, end->url, &v->root, err);
}

void ck_copy_close(struct ck_copy_view *v)
{
    ck_vfs_ctx_done(&v->ctx);
}

struct ck_path ck_copy_at(struct ck_arena *a, const struct ck_copy_view *v, const char *name)
{
    const char *root = v->root.key;
    size_t n = strlen(root);
    const char *key = !n                   ? ck_arena_strdup(a, name)
                      : root[n - 1] == '/' ? ck_arena_printf(a, "%s%s", root, name)
                                           : ck_arena_printf(a, "%s/%s", root, name);
    return (struct ck_path){v->root.vfs, key};
}

/* ---- names ---- */

/* One of the folders the file is in: by its name where the pattern is a name, else by its path. */
static bool folder_fits(const char *folder, const char *name)
{
    CK_AUTOBUF struct ck_buf path = CK_BUF_INIT;
    bool by_name = !strchr(folder, '/');
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        ck_buf_putn(&path, name + path.len, (size_t)(slash - name) - path.len);
        const char *last = by_name ? strrchr(ck_buf_str(&path), '/') : NULL;
        if (fnmatch(folder, last ? last + 1 : ck_buf_str(&path), 0) == 0)
            return true;
    }
    return false;
}

static bool fits(const char *pattern, const char *name)
{
    size_t n = strlen(pattern);
    if (n && pattern[n - 1] == '/') {
        CK_AUTOBUF struct ck_buf folder = CK_BUF_INIT;
        ck_buf_putn(&folder, pattern, n - 1);
        return folder_fits(ck_buf_str(&folder), name);
    }
    const char *slash = strrchr(name, '/');
    return fnmatch(pattern, strchr(pattern, '/') || !slash ? name : slash + 1, 0) == 0;
}

static bool any_fits(const struct ck_strv *patterns, const char *name)
{
    for (size_t i = 0; i < patterns->n; i++)
        if (fits(patterns->v[i], name))
            return true;
    return false;
}

bool ck_copy_wanted(const struct ck_copy_opts *o, const char *name)
{
    if (ck_str_starts(name, CK_LAYOUT_LOCKS "/")) /* a copy of a lock would be held by nobody */
        return false;
    if (o->exclude && any_fits(o->exclude, name))
        return false;
    return !o->include || !o->include->n || any_fits(o->include, name);
}

static int refuse(const char *name, const char *why, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(name));
    return ck_fail(err, CK_INVALID, "%.400s %s", ck_buf_str(&q), why);
}

int ck_copy_check_name(const struct ck_copy_plan *p, const char *name, struct ck_err *err)
{
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            return refuse(name, "holds control characters", err);
    struct ck_slice rest = ck_slice_of(name), step;
    unsigned elements = 0;
    while (rest.ptr && ck_slice_next(&rest, '/', &step)) {
        if (ck_slice_eq_str(step, ".."))
            return refuse(name, "leads out of the destination", err);
        if (!p->folder)
            continue;
        if (!step.len || ck_slice_eq_str(step, "."))
            return refuse(name, "is no path of a folder", err);
        if (step.len > LOCAL_ELEMENT)
            return refuse(name, "has an element longer than 255 bytes", err);
        if (++elements > LOCAL_DEPTH + 1)
            return refuse(name, "lies more than 64 folders deep", err);
    }
    if (!*name || name[0] == '/' || name[strlen(name) - 1] == '/')
        return p->folder || !*name ? refuse(name, "is no path of a folder", err) : 0;
    return 0;
}

/* ---- one inside the other ---- */

bool ck_copy_within(const char *inner, const char *outer)
{
    size_t n = strlen(outer);
    while (n && outer[n - 1] == '/')
        n--;
    return n == 0 || (strncmp(inner, outer, n) == 0 && (!inner[n] || inner[n] == '/'));
}

const char *ck_copy_real(struct ck_arena *a, const char *path)
{
    char *rest = ck_arena_strdup(a, path);
    const char *tail = "";
    for (;;) {
        char *r = realpath(*rest ? rest : ".", NULL);
        char *slash = r ? NULL : strrchr(rest, '/');
        const char *whole = r ? ck_arena_printf(a, "%s%s", r, tail) : NULL;
        free(r);
        if (whole)
            return whole;
        const char *last = slash ? slash + 1 : rest;
        tail = ck_arena_printf(a, "/%s%s", last, tail);
        if (slash)
            slash[slash == rest] = '\0';
        else
            rest[0] = '\0';
        if (slash == rest && !last[0])
            return path;
    }
}

/* As far as it can be told without asking, of a folder on another machine: links there cannot. */
static const char *plain_key(struct ck_arena *a, const struct ck_path *p)
{
    if (p->vfs->ops->absolute_keys)
        return ck_copy_real(a, p->key);
    struct ck_path top = {p->vfs, ""}, plain;
    if (!p->vfs->ops->folders || ck_path_join(a, &top, p->key, &plain, NULL) < 0)
        return p->key;
    return plain.key;
}

int ck_copy_check_apart(struct ck_arena *a, const struct ck_copy_opts *o,
                        const struct ck_copy_pair *w, struct ck_err *err)
{
    const struct ck_path *f = &w->from.root, *t = &w->to.root;
    if (!ck_vfs_same_container(a, f, t))
        return 0;
    const char *x = plain_key(a, f), *y = plain_key(a, t);
    if (ck_copy_within(x, y) || ck_copy_within(y, x))
        return ck_fail(err, CK_INVALID, "%s and %s lie within each other: nothing was copied",
                       o->from.url, o->to.url);
    return 0;
}

/* ---- two entries ---- */

void ck_copy_beside(const struct ck_entry *from, const struct ck_entry *to,
                    struct ck_copy_item *ret)
{
    const struct ck_entry *e = from ? from : to;
    *ret = (struct ck_copy_item){.name = e->name, .size = e->size, .what = CK_COPY_EXTRA};
    if (!from)
        return;
    ret->what = to ? CK_COPY_CHANGED : CK_COPY_NEW;
    ret->from_md5 = from->md5;
    if (!to)
        return;
    ret->to_md5 = to->md5;
    bool sizes_differ = from->size >= 0 && to->size >= 0 && from->size != to->size;
    if (from->md5 && to->md5)
        ret->what = strcmp(from->md5, to->md5) == 0 ? CK_COPY_SAME : CK_COPY_CHANGED;
    else
        ret->compare = !sizes_differ;
}

static struct ck_copy_item *add(struct ck_copy_plan *p)
{
    ck_xgrow(&p->v, &p->cap, p->n + 1, sizeof *p->v);
    return &p->v[p->n++];
}

void ck_copy_add_failed(struct ck_copy_plan *p, const char *name, struct ck_err *why)
{
    struct ck_copy_item *it = add(p);
    *it = (struct ck_copy_item){.name = ck_arena_strdup(p->a, name), .state = CK_COPY_FAILED};
    ck_err_move(&it->err, why);
}

/* ---- a plan in memory ---- */

/* What consoles of object stores make for a folder: an empty object whose name ends in a slash. Of
 * the folder that is copied itself the name is empty. */
static bool is_placeholder(const struct ck_copy_plan *p, const struct ck_entry *e)
{
    size_t n = strlen(e->name);
    return e->size == 0 && (!n || (p->folder && e->name[n - 1] == '/'));
}

void ck_copy_merge(struct ck_copy_plan *p, const struct ck_entries *f, const struct ck_entries *t)
{
    size_t i = 0, j = 0;
    while (i < f->n || j < t->n) {
        int c = i == f->n ? 1 : j == t->n ? -1 : strcmp(f->v[i].name, t->v[j].name);
        bool skip = c < 0 && is_placeholder(p, &f->v[i]);
        if (!skip && ck_copy_wanted(p->opts, c <= 0 ? f->v[i].name : t->v[j].name))
            ck_copy_beside(c <= 0 ? &f->v[i] : NULL, c >= 0 ? &t->v[j] : NULL, add(p));
        i += c <= 0;
        j += c >= 0;
    }
}

/* No such folder is an empty one. */
static int forgive(bool may_miss, int r, struct ck_err *err)
{
    if (r != -(int)CK_NOT_FOUND || !may_miss)
        return r;
    ck_err_done(err);
    return 0;
}

int ck_copy_tree(const struct ck_path *at, struct ck_arena *a, bool may_miss,
                 struct ck_entries *ret, struct ck_err *err)
{
    *ret = (struct ck_entries){0};
    return forgive(may_miss, ck_vfs_tree(at, a, ret, err), err);
}

/* ---- the plan of a whole store ---- */

/* One end on its way to disk. */
struct listing {
    const struct ck_copy_opts *opts;
    struct ck_copy_spool rows;
    struct ck_buf last; /* the name before */
    uint64_t n;         /* what patterns leave out included */
    bool disordered;
};

static void put_md5(char ret[CK_COPY_MD5], const char *md5)
{
    ret[0] = '\0';
    if (md5 && strlen(md5) < CK_COPY_MD5)
        memcpy(ret, md5, strlen(md5) + 1);
}

static int list_one(void *arg, const struct ck_entry *e, struct ck_err *err)
{
    struct listing *l = arg;
    if (l->n++ && strcmp(ck_buf_str(&l->last), e->name) >= 0) {
        l->disordered = true;
        return ck_fail(err, CK_CANCELLED, "not in order");
    }
    ck_buf_reset(&l->last);
    ck_buf_puts(&l->last, e->name);
    struct ck_copy_row row = {.size = e->size};
    put_md5(row.from_md5, e->md5);
    return ck_copy_wanted(l->opts, e->name) ? ck_copy_spool_add(&l->rows, &row, e->name, err) : 0;
}

/* Laid down as it comes, when it comes in order; else sorted in memory first. */
static int list_end(const struct ck_path *at, bool may_miss, struct listing *l, struct ck_err *err)
{
    CK_AUTOERR own = CK_ERR_INIT;
    int r = ck_copy_spool_open(l->opts->to.env, &l->rows, &own);
    if (r == 0)
        r = forgive(may_miss, ck_vfs_tree_each(at, list_one, l, &own), &own);
    if (!l->disordered)
        return r < 0 ? ck_err_move(err, &own) : 0;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_entries e = {0};
    r = ck_copy_spool_clear(&l->rows, err);
    if (r == 0)
        r = ck_copy_tree(at, a, may_miss, &e, err);
    for (size_t i = 0; r == 0 && i < e.n; i++) {
        l->n = 0; /* a name may be there twice */
        r = list_one(l, &e.v[i], err);
    }
    l->n = e.n;
    return r;
}

static int list_source(const struct ck_copy_plan *p, const struct ck_copy_pair *w,
                       struct listing *l, struct ck_err *err)
{
    const char *url = p->opts->from.url;
    int r = list_end(&w->from.root, false, l, err);
    if (r == -(int)CK_NOT_FOUND)
        return ck_fail(err, CK_NOT_FOUND, "there is no folder %s: nothing was copied", url);
    return r < 0 ? ck_wrap(err, "%s cannot be listed, so nothing was copied", url) : 0;
}

static struct ck_entry entry_of(const struct ck_copy_reader *r)
{
    const char *md5 = r->row.from_md5;
    return (struct ck_entry){
        .name = ck_buf_str(&r->name), .size = r->row.size, .md5 = *md5 ? md5 : NULL};
}

/* The destination's settings, journal and records of migrations: what tells of its past, and takes
 * it back, is not undone by a source that has nothing of the kind. */
static bool is_own(const struct ck_copy_item *it)
{
    return it->what == CK_COPY_EXTRA && ck_str_starts(it->name, CK_STORE_OWN_DIR "/");
}

/* The next row of the plan, and on with the listings that it came from. */
static int merge_one(struct ck_copy_plan *p, struct ck_copy_reader *f, struct ck_copy_reader *t,
                     int more[2], struct ck_copy_spool *rows, struct ck_err *err)
{
    int c = !more[0] ? 1 : !more[1] ? -1 : strcmp(ck_buf_str(&f->name), ck_buf_str(&t->name));
    struct ck_entry x = entry_of(f), y = entry_of(t);
    struct ck_copy_item it;
    ck_copy_beside(c <= 0 ? &x : NULL, c >= 0 ? &y : NULL, &it);
    CK_AUTOERR why = CK_ERR_INIT;
    bool skip = is_own(&it) || (c <= 0 && is_placeholder(p, &x));
    if (!skip && c <= 0 && ck_copy_check_name(p, it.name, &why) < 0)
        ck_copy_add_failed(p, it.name, &why);
    struct ck_copy_row row = {.size = it.size, .what = (uint8_t)it.what, .compare = it.compare};
    put_md5(row.from_md5, it.from_md5);
    put_md5(row.to_md5, it.to_md5);
    int r = skip ? 0 : ck_copy_spool_add(rows, &row, it.name, err);
    if (r == 0 && c <= 0)
        r = more[0] = ck_copy_reader_next(f, err);
    if (r >= 0 && c >= 0)
        r = more[1] = ck_copy_reader_next(t, err);
    return r;
}

static int merge(struct ck_copy_plan *p, struct listing *from, struct listing *to,
                 struct ck_copy_spool *rows, struct ck_err *err)
{
    struct ck_copy_reader f, t;
    int more[2] = {0};
    int r = ck_copy_spool_rewind(&from->rows, &f, err);
    int q = ck_copy_spool_rewind(&to->rows, &t, r < 0 ? NULL : err);
    r = r < 0 ? r : q;
    if (r == 0)
        r = more[0] = ck_copy_reader_next(&f, err);
    if (r >= 0)
        r = more[1] = ck_copy_reader_next(&t, err);
    while (r >= 0 && (more[0] || more[1]))
        r = merge_one(p, &f, &t, more, rows, err);
    ck_copy_reader_done(&f);
    ck_copy_reader_done(&t);
    return r < 0 ? r : 0;
}

static void listing_done(struct listing *l)
{
    ck_copy_spool_close(&l->rows);
    ck_buf_done(&l->last);
}

int ck_copy_list(struct ck_copy_plan *p, struct ck_copy_spool *rows, struct ck_err *err)
{
    struct ck_copy_pair w = {0};
    struct listing from = {.opts = p->opts, .rows = {.fd = -1}}, to = from;
    int r = ck_copy_open(&w.from, p->a, &p->opts->from, err);
    if (r == 0)
        r = ck_copy_open(&w.to, p->a, &p->opts->to, err);
    if (r == 0) {
        const struct ck_vfs_ops *f = w.from.root.vfs->ops;
        p->local = w.to.root.vfs->ops->absolute_keys;
        p->folder = w.to.root.vfs->ops->folders;
        p->together = p->local && f->read_many && !f->absolute_keys;
        r = ck_copy_check_apart(p->a, p->opts, &w, err);
    }
    if (r == 0)
        r = list_source(p, &w, &from, err);
    if (r == 0 && !from.n)
        r = ck_fail(err, CK_INVALID, "there are no files below %s: nothing was copied",
                    p->opts->from.url);
    if (r == 0)
        r = list_end(&w.to.root, true, &to, err);
    if (r == 0)
        r = merge(p, &from, &to, rows, err);
    listing_done(&from);
    listing_done(&to);
    ck_copy_close(&w.from);
    ck_copy_close(&w.to);
    return r;
}
