/* A copy from its listing to its last file. */
#include "ops/storetools/internal.h"

#include "base/enc.h"
#include "base/mem.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

static bool to_compare(const struct ck_copy_plan *p, const struct ck_copy_item *it)
{
    return it->compare;
}

static bool to_apply(const struct ck_copy_plan *p, const struct ck_copy_item *it)
{
    return it->what == CK_COPY_NEW || it->what == CK_COPY_CHANGED ||
           (it->what == CK_COPY_EXTRA && p->opts->delete_extra);
}

static int compare(const struct ck_copy_pair *w, struct ck_copy_item *it, uint64_t *ret_bytes,
                   struct ck_err *err)
{
    *ret_bytes = 0;
    return ck_copy_compare(w, it, err);
}

static size_t count(const struct ck_copy_plan *p, enum ck_copy_what what, const char **ret_first)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        if (p->v[i].what == what && !n++ && ret_first)
            *ret_first = p->v[i].name;
    return n;
}

int ck_copy_report(const struct ck_copy_plan *p, const char *verb, struct ck_err *err)
{
    size_t n = 0;
    const struct ck_copy_item *first = NULL;
    for (size_t i = 0; i < p->n; i++) {
        if (p->v[i].state != CK_COPY_FAILED)
            continue;
        if (!n++)
            first = &p->v[i];
        if (p->opts->failed)
            p->opts->failed(p->opts->arg, p->v[i].name, &p->v[i].err);
    }
    if (!first)
        return 0;
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(first->name));
    if (n == 1)
        return ck_fail(err, first->err.code, "%s could not be %s: %s", ck_buf_str(&q), verb,
                       ck_err_msg(&first->err));
    return ck_fail(err, first->err.code, "%zu files could not be %s; the first is %s: %s", n, verb,
                   ck_buf_str(&q), ck_err_msg(&first->err));
}

/* Left alone after too many failures. */
static size_t untried(const struct ck_copy_plan *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        n += to_apply(p, &p->v[i]) && p->v[i].state == CK_COPY_TODO;
    return n;
}

static int check_names(struct ck_copy_plan *p, struct ck_err *err)
{
    size_t bad = 0;
    for (size_t i = 0; i < p->n; i++) {
        struct ck_copy_item *it = &p->v[i];
        if (it->what == CK_COPY_EXTRA || ck_copy_check_name(p, it->name, &it->err) == 0)
            continue;
        it->state = CK_COPY_FAILED;
        bad++;
    }
    if (!bad)
        return 0;
    ck_copy_report(p, "copied", err);
    return ck_wrap(err, "nothing was copied");
}

/* Without leave to overwrite, the destination may hold only what a copy cut short left there. */
static int check_destination(const struct ck_copy_plan *p, struct ck_err *err)
{
    const char *name = "";
    const struct ck_copy_opts *o = p->opts;
    size_t changed = count(p, CK_COPY_CHANGED, &name);
    size_t extra = changed ? 0 : count(p, CK_COPY_EXTRA, &name);
    if (o->overwrite || (!changed && !extra))
        return 0;
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(name));
    return ck_fail(err, CK_EXISTS,
                   "%s is not empty: %zu of its files %s, %s for one; nothing was copied (sync "
                   "brings a destination in line)",
                   o->to.url, changed ? changed : extra,
                   changed ? "differ from those of the source" : "are not in the source",
                   ck_buf_str(&q));
}

static void tell_plan(const struct ck_copy_plan *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (to_apply(p, &p->v[i]))
            p->opts->planned(p->opts->arg, p->v[i].what, p->v[i].name, p->v[i].size);
}

/* New files are durable when the copy says that it is done, not one by one: a power cut before that
 * is an interruption like any other, and the next run compares what it finds. Files that replace
 * others are synced each, for they would be lost. Done even when nothing was copied: the run before
 * may have ended just short of it. */
static int sync_all(const struct ck_copy_plan *p, struct ck_err *err)
{
    struct ck_copy_view to;
    int r = ck_copy_open(&to, p->a, &p->opts->to, err);
    if (r == 0)
        r = ck_vfs_sync(&to.root, err);
    ck_copy_close(&to);
    return r;
}

static int run(struct ck_copy_plan *p, struct ck_copy_stats *ret, struct ck_err *err)
{
    const struct ck_copy_opts *o = p->opts;
    struct ck_copy_stats none = {0};
    int r = ck_copy_list(p, err);
    if (r == 0)
        r = check_names(p, err);
    if (r == 0)
        r = ck_copy_run(p, to_compare, compare, &none, err);
    if (r == 0)
        r = ck_copy_report(p, "compared", err);
    if (r == 0)
        r = check_destination(p, err);
    if (r < 0)
        return r;
    ret->same = count(p, CK_COPY_SAME, NULL);
    for (size_t i = 0; i < p->n; i++) {
        const struct ck_copy_item *it = &p->v[i];
        bool written = to_apply(p, it) && it->what != CK_COPY_EXTRA && it->size > 0;
        ret->files += to_apply(p, it);
        ret->total += written ? (uint64_t)it->size : 0;
    }
    if (o->dry_run) {
        if (o->planned)
            tell_plan(p);
        return 0;
    }
    for (size_t i = 0; i < p->n; i++)
        p->v[i].state = CK_COPY_TODO;
    r = ck_copy_run(p, to_apply, ck_copy_apply, ret, err);
    CK_AUTOERR unsynced = CK_ERR_INIT;
    bool lost = (ret->copied || ret->same) && sync_all(p, &unsynced) < 0;
    if (r == 0)
        r = ck_copy_report(p, "copied", err);
    if (r == 0 && lost)
        r = ck_err_move(err, &unsynced);
    size_t left = r < 0 ? untried(p) : 0;
    return left ? ck_wrap(err, "given up with %zu files untried", left) : r;
}

int ck_copy(const struct ck_copy_opts *opts, struct ck_copy_stats *ret, struct ck_err *err)
{
    CK_AUTOERR own = CK_ERR_INIT;
    *ret = (struct ck_copy_stats){0};
    int r = ck_crypto_load(&own);
    struct ck_copy_plan p = {.opts = opts, .a = ck_arena_new()};
    if (r == 0)
        r = run(&p, ret, &own);
    for (size_t i = 0; i < p.n; i++)
        ck_err_done(&p.v[i].err);
    free(p.v);
    ck_arena_free(p.a);
    return r < 0 && err ? ck_err_move(err, &own) : r;
}
