/* Going back: what a moment held is written again, each file only while it is what was compared. */
#include "ops/journal/internal.h"

#include <string.h>

static bool is_config(const struct ck_journal_change *c)
{
    return strcmp(c->path, "config") == 0;
}

static int add_write(const struct ck_journal_history *h, const struct ck_journal_view *now,
                     const struct ck_path *dir, const struct ck_journal_change *c,
                     struct ck_batch *b, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf content = {.secret = true};
    const struct ck_journal_seen *old = ck_journal_find(now, c->path);
    struct ck_path at;
    int r = ck_journal_content(h, c->to, &content, err);
    r = r ? r : ck_path_join(h->a, dir, c->path, &at, err);
    if (r < 0)
        return ck_wrap(err, "%s", c->path);
    struct ck_batch_item *it = ck_batch_add(h->a, b);
    it->what = c->path;
    it->path = at;
    it->data = ck_arena_slice(h->a, ck_buf_slice(&content));
    it->replaces = old != NULL;
    if (old) {
        it->version = old->version;
        it->before = old->data;
    }
    return 0;
}

static int remove_one(const struct ck_journal_history *h, const struct ck_journal_view *now,
                      const struct ck_path *dir, const struct ck_journal_change *c,
                      struct ck_err *err)
{
    const struct ck_journal_seen *old = ck_journal_find(now, c->path);
    struct ck_path at;
    int r = ck_path_join(h->a, dir, c->path, &at, err);
    r = r ? r : ck_vfs_remove(&at, old ? &old->version : NULL, err);
    if (r == -(int)CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    if (r == -(int)CK_CONFLICT)
        return ck_fail(err, CK_CONFLICT,
                       "%s was changed by someone else since it was read; it "
                       "and what follows it were not removed",
                       c->path);
    return r;
}

/* A cluster's `config` is written first and removed last: without it the rest is no cluster. */
int ck_journal_apply(const struct ck_journal_history *h, const struct ck_journal_view *now,
                     const struct ck_journal_changes *changes, struct ck_err *err)
{
    struct ck_path dir;
    struct ck_batch batch = {0};
    int r = ck_layout_cluster(h->a, h->s, h->cluster, &dir, err);
    for (int config = 1; config >= 0; config--)
        for (size_t i = 0; r == 0 && i < changes->n; i++)
            if (*changes->v[i].to && is_config(&changes->v[i]) == config)
                r = add_write(h, now, &dir, &changes->v[i], &batch, err);
    r = r ? r : ck_batch_commit(h->a, h->s, &batch, NULL, err);
    for (int config = 0; config <= 1; config++)
        for (size_t i = 0; r == 0 && i < changes->n; i++)
            if (!*changes->v[i].to && is_config(&changes->v[i]) == config)
                r = remove_one(h, now, &dir, &changes->v[i], err);
    return r;
}

int ck_journal_undo(const struct ck_journal_history *h, const struct ck_journal_view *now,
                    const struct ck_journal_entry **ret_entry, struct ck_journal_changes *ret,
                    struct ck_err *err)
{
    const struct ck_journal_entry *e = NULL;
    for (size_t i = 0; i < h->n; i++)
        if (!h->v[i].snapshot && (!e || h->v[i].to_ns > e->to_ns))
            e = &h->v[i];
    if (!e)
        return ck_fail(err, CK_NOT_FOUND, "nothing is recorded for cluster \"%s\"", h->cluster);
    *ret_entry = e;
    struct ck_journal_view before = {.v = ck_arena_alloc(h->a, (e->n_files + 1) * sizeof *before.v),
                                     .n = e->n_files};
    struct ck_journal_view there = before;
    there.v = ck_arena_alloc(h->a, (e->n_files + 1) * sizeof *there.v);
    for (size_t i = 0; i < e->n_files; i++) {
        const struct ck_journal_file *f = &e->files[i];
        const struct ck_journal_seen *x = ck_journal_find(now, f->path);
        if (strcmp(x ? x->sha : "", f->after) != 0)
            return ck_fail(err, CK_CONFLICT,
                           "%s is not what the last entry, %s, wrote: it was changed since without "
                           "being recorded; `store restore --at %s^` goes back all the same",
                           f->path, e->id, e->id);
        before.v[i] = (struct ck_journal_seen){.path = f->path, .sha = f->before};
        there.v[i] = (struct ck_journal_seen){.path = f->path, .sha = f->after};
    }
    ck_journal_compare(h->a, &there, &before, ret);
    return 0;
}
