/* What a copy has to do: both ends listed and laid beside each other. */
#include "ops/storetools/internal.h"

#include "base/enc.h"
#include "base/mem.h"
#include "ops/storelock/shared.h"
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

static bool fits(const char *pattern, const char *name)
{
    size_t n = strlen(pattern);
    if (n && pattern[n - 1] == '/')
        return strncmp(name, pattern, n) == 0;
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
        if (!p->local)
            continue;
        if (!step.len || ck_slice_eq_str(step, "."))
            return refuse(name, "is no path of a folder", err);
        if (step.len > LOCAL_ELEMENT)
            return refuse(name, "has an element longer than 255 bytes", err);
        if (++elements > LOCAL_DEPTH + 1)
            return refuse(name, "lies more than 64 folders deep", err);
    }
    if (!*name || name[0] == '/' || name[strlen(name) - 1] == '/')
        return p->local || !*name ? refuse(name, "is no path of a folder", err) : 0;
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

int ck_copy_check_apart(struct ck_arena *a, const struct ck_copy_opts *o,
                        const struct ck_copy_pair *w, struct ck_err *err)
{
    const struct ck_path *f = &w->from.root, *t = &w->to.root;
    if (f->vfs->ops != t->vfs->ops)
        return 0;
    const char *x = f->key, *y = t->key;
    if (f->vfs->ops->absolute_keys) {
        x = ck_copy_real(a, x);
        y = ck_copy_real(a, y);
    } else if (strcmp(f->vfs->container, t->vfs->container) != 0) {
        return 0;
    }
    if (ck_copy_within(x, y) || ck_copy_within(y, x))
        return ck_fail(err, CK_INVALID, "%s and %s lie within each other: nothing was copied",
                       o->from.url, o->to.url);
    return 0;
}

/* ---- the plan ---- */

static struct ck_copy_item *add(struct ck_copy_plan *p, const char *name, enum ck_copy_what what)
{
    ck_xgrow(&p->v, &p->cap, p->n + 1, sizeof *p->v);
    struct ck_copy_item *it = &p->v[p->n++];
    *it = (struct ck_copy_item){.name = name, .what = what, .size = -1};
    return it;
}

static void add_new(struct ck_copy_plan *p, const struct ck_entry *e)
{
    struct ck_copy_item *it = add(p, e->name, CK_COPY_NEW);
    it->size = e->size;
    it->from_md5 = e->md5;
}

static void add_both(struct ck_copy_plan *p, const struct ck_entry *from, const struct ck_entry *to)
{
    struct ck_copy_item *it = add(p, from->name, CK_COPY_CHANGED);
    it->size = from->size;
    it->from_md5 = from->md5;
    it->to_md5 = to->md5;
    bool sizes_differ = from->size >= 0 && to->size >= 0 && from->size != to->size;
    if (from->md5 && to->md5)
        it->what = strcmp(from->md5, to->md5) == 0 ? CK_COPY_SAME : CK_COPY_CHANGED;
    else
        it->compare = !sizes_differ;
}

void ck_copy_merge(struct ck_copy_plan *p, const struct ck_entries *f, const struct ck_entries *t)
{
    size_t i = 0, j = 0;
    while (i < f->n || j < t->n) {
        int c = i == f->n ? 1 : j == t->n ? -1 : strcmp(f->v[i].name, t->v[j].name);
        const char *name = c <= 0 ? f->v[i].name : t->v[j].name;
        if (ck_copy_wanted(p->opts, name)) {
            if (c < 0)
                add_new(p, &f->v[i]);
            else if (c == 0)
                add_both(p, &f->v[i], &t->v[j]);
            else
                add(p, name, CK_COPY_EXTRA)->size = t->v[j].size;
        }
        i += c <= 0;
        j += c >= 0;
    }
}

int ck_copy_tree(const struct ck_path *at, struct ck_arena *a, bool may_miss,
                 struct ck_entries *ret, struct ck_err *err)
{
    int r = ck_vfs_tree(at, a, ret, err);
    if (r != -(int)CK_NOT_FOUND || !may_miss)
        return r;
    ck_err_done(err);
    *ret = (struct ck_entries){0};
    return 0;
}

static int list_source(const struct ck_copy_plan *p, const struct ck_copy_pair *w,
                       struct ck_entries *ret, struct ck_err *err)
{
    const char *url = p->opts->from.url;
    int r = ck_copy_tree(&w->from.root, p->a, false, ret, err);
    if (r == -(int)CK_NOT_FOUND)
        return ck_fail(err, CK_NOT_FOUND, "there is no folder %s: nothing was copied", url);
    return r < 0 ? ck_wrap(err, "%s cannot be listed, so nothing was copied", url) : 0;
}

int ck_copy_list(struct ck_copy_plan *p, struct ck_err *err)
{
    struct ck_copy_pair w = {0};
    struct ck_entries from = {0}, to = {0};
    int r = ck_copy_open(&w.from, p->a, &p->opts->from, err);
    if (r == 0)
        r = ck_copy_open(&w.to, p->a, &p->opts->to, err);
    if (r == 0) {
        p->local = w.to.root.vfs->ops->absolute_keys;
        r = ck_copy_check_apart(p->a, p->opts, &w, err);
    }
    if (r == 0)
        r = list_source(p, &w, &from, err);
    if (r == 0 && !from.n)
        r = ck_fail(err, CK_INVALID, "there are no files below %s: nothing was copied",
                    p->opts->from.url);
    if (r == 0)
        r = ck_copy_tree(&w.to.root, p->a, true, &to, err);
    if (r == 0)
        ck_copy_merge(p, &from, &to);
    ck_copy_close(&w.from);
    ck_copy_close(&w.to);
    return r;
}
