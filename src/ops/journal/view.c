/* What was there when, and how two moments differ. */
#include "ops/journal/internal.h"

#include "base/map.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

static int by_path(const void *x, const void *y)
{
    const struct ck_journal_seen *a = x, *b = y;
    return strcmp(a->path, b->path);
}

static void sort(struct ck_journal_view *v)
{
    if (v->n > 1)
        qsort(v->v, v->n, sizeof *v->v, by_path);
}

/* ---- now ---- */

struct reading {
    struct ck_arena *a;
    struct ck_journal_view *view;
    struct ck_err err;
};

static int keep(void *arg, size_t i, struct ck_slice data, const struct ck_version *version,
                struct ck_err *item_err)
{
    struct reading *r = arg;
    struct ck_journal_seen *x = &r->view->v[i];
    if (item_err->code == CK_NOT_FOUND) { /* gone since it was listed */
        x->sha = "";
        return 0;
    }
    if (item_err->code != CK_OK)
        return ck_err_move(&r->err, item_err);
    char *sha = ck_arena_alloc(r->a, CK_JOURNAL_SHA + 1);
    ck_sha256_hex(data, sha);
    x->sha = sha;
    x->version = *version;
    x->data = ck_arena_slice(r->a, data);
    return 0;
}

int ck_journal_now(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                   struct ck_journal_view *ret, struct ck_err *err)
{
    struct ck_path dir;
    struct ck_entries found = {0};
    *ret = (struct ck_journal_view){.now = true};
    int r = ck_layout_cluster(a, s, cluster, &dir, err);
    r = r ? r : ck_vfs_tree(&dir, a, &found, err);
    if (r == -(int)CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    if (r < 0)
        return r;
    ret->v = ck_arena_alloc(a, (found.n + 1) * sizeof *ret->v);
    const char **keys = ck_arena_alloc(a, (found.n + 1) * sizeof *keys);
    for (size_t i = 0; i < found.n; i++) {
        if (!ck_journal_covers(found.v[i].name))
            continue;
        keys[ret->n] = found.v[i].key;
        ret->v[ret->n++] = (struct ck_journal_seen){.path = found.v[i].name};
    }
    struct reading reading = {a, ret, CK_ERR_INIT};
    r = ret->n ? ck_vfs_read_many(&dir, keys, ret->n, keep, &reading, err) : 0;
    if (reading.err.code != CK_OK)
        return ck_err_move(err, &reading.err);
    size_t n = 0;
    for (size_t i = 0; i < ret->n; i++)
        if (ret->v[i].sha && *ret->v[i].sha)
            ret->v[n++] = ret->v[i];
    ret->n = n;
    sort(ret);
    return r;
}

/* ---- then ---- */

const struct ck_journal_seen *ck_journal_find(const struct ck_journal_view *v, const char *path)
{
    const struct ck_journal_seen key = {.path = path};
    return v->n ? bsearch(&key, v->v, v->n, sizeof *v->v, by_path) : NULL;
}

static const char *sha_in(const struct ck_journal_view *v, const char *path)
{
    const struct ck_journal_seen *x = ck_journal_find(v, path);
    return x ? x->sha : v->now ? "" : NULL;
}

/* Every path once: of the journal, and of `now` (may be NULL). */
static const char **all_paths(const struct ck_journal_history *h, const struct ck_journal_view *now,
                              size_t *ret_n)
{
    size_t n = 0, extra = now ? now->n : 0;
    const char **v = ck_arena_alloc(h->a, (h->n_records + extra + 1) * sizeof *v);
    for (size_t i = 0; i < h->n_records; i++)
        if (n == 0 || strcmp(v[n - 1], h->records[i].file->path) != 0)
            v[n++] = h->records[i].file->path;
    size_t known = n, k = 0;
    for (size_t i = 0; i < extra; i++) { /* both are sorted */
        while (k < known && strcmp(v[k], now->v[i].path) < 0)
            k++;
        if (k == known || strcmp(v[k], now->v[i].path) != 0)
            v[n++] = now->v[i].path;
    }
    if (n > 1)
        qsort(v, n, sizeof *v, ck_text_cmp);
    *ret_n = n;
    return v;
}

static int by_file_path(const void *x, const void *y)
{
    const struct ck_journal_file *a = x, *b = y;
    return strcmp(a->path, b->path);
}

/* What the entry that the point lies before found; NULL: it has nothing to say of this file. */
static const char *found_by(const struct ck_journal_point *p, const char *path)
{
    const struct ck_journal_file key = {.path = path}, *f = NULL;
    if (p->before && p->before->n_files)
        f = bsearch(&key, p->before->files, p->before->n_files, sizeof key, by_file_path);
    return f ? f->before : NULL;
}

void ck_journal_view_at(const struct ck_journal_history *h, const struct ck_journal_point *p,
                        const struct ck_journal_view *now, struct ck_journal_view *ret)
{
    size_t n;
    const char **paths = all_paths(h, now, &n);
    *ret = (struct ck_journal_view){.v = ck_arena_alloc(h->a, (n + 1) * sizeof *ret->v), .n = n};
    for (size_t i = 0; i < n; i++) {
        const char *sha = found_by(p, paths[i]);
        ret->v[i] = (struct ck_journal_seen){
            .path = paths[i], .sha = sha ? sha : ck_journal_state_at(h, paths[i], p->ns)};
    }
}

int ck_journal_side(const struct ck_journal_history *h, const struct ck_journal_view *v,
                    const char *path, struct ck_buf *out, struct ck_err *err)
{
    const struct ck_journal_seen *x = ck_journal_find(v, path);
    if (!x || !x->sha || !*x->sha)
        return 0;
    if (!v->now)
        return ck_journal_content(h, x->sha, out, err);
    ck_buf_put(out, x->data);
    return 0;
}

/* ---- differences ---- */

static void add(struct ck_arena *a, struct ck_journal_changes *c, const char *path,
                const char *from, const char *to)
{
    if (c->n == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 16;
        struct ck_journal_change *v = ck_arena_alloc(a, cap * sizeof *v);
        if (c->n)
            memcpy(v, c->v, c->n * sizeof *v);
        c->v = v;
        c->cap = cap;
    }
    c->v[c->n++] = (struct ck_journal_change){path, from, to, ck_journal_is_secret(path)};
}

static void compare_one(struct ck_arena *a, struct ck_journal_changes *c, const char *path,
                        const char *from, const char *to)
{
    if (!from || !to)
        c->unknown += !from != !to;
    else if (strcmp(from, to) != 0)
        add(a, c, path, from, to);
}

void ck_journal_compare(struct ck_arena *a, const struct ck_journal_view *from,
                        const struct ck_journal_view *to, struct ck_journal_changes *ret)
{
    *ret = (struct ck_journal_changes){0};
    size_t i = 0, k = 0;
    while (i < from->n || k < to->n) {
        int c = i == from->n ? 1 : k == to->n ? -1 : strcmp(from->v[i].path, to->v[k].path);
        const char *path = c <= 0 ? from->v[i].path : to->v[k].path;
        compare_one(a, ret, path, sha_in(from, path), sha_in(to, path));
        i += c <= 0;
        k += c >= 0;
    }
}

/* ---- what nobody recorded ---- */

static void outside_of_snapshot(const struct ck_journal_history *h,
                                const struct ck_journal_entry *e, struct ck_journal_changes *ret)
{
    size_t n;
    const char **paths = all_paths(h, NULL, &n);
    for (size_t i = 0; i < n; i++) {
        const char *past = ck_journal_past(h, paths[i], e->from_ns - 1);
        const char *then = ck_journal_past(h, paths[i], e->to_ns);
        if (past && strcmp(past, then) != 0)
            add(h->a, ret, paths[i], past, then);
    }
}

void ck_journal_outside(const struct ck_journal_history *h, size_t i,
                        const struct ck_journal_view *now, struct ck_journal_changes *ret)
{
    *ret = (struct ck_journal_changes){0};
    if (i < h->n && h->v[i].snapshot) {
        outside_of_snapshot(h, &h->v[i], ret);
        return;
    }
    if (i < h->n) {
        for (size_t k = 0; k < h->v[i].n_files; k++) {
            const struct ck_journal_file *f = &h->v[i].files[k];
            const char *past = ck_journal_past(h, f->path, f->at_ns - 1);
            if (past && strcmp(past, f->before) != 0)
                add(h->a, ret, f->path, past, f->before);
        }
        return;
    }
    size_t n;
    const char **paths = all_paths(h, now, &n);
    for (size_t k = 0; k < n; k++) {
        const char *past = ck_journal_past(h, paths[k], INT64_MAX), *there = sha_in(now, paths[k]);
        if (!past || !there)
            ret->unknown++;
        else if (strcmp(past, there) != 0)
            add(h->a, ret, paths[k], past, there);
    }
}
