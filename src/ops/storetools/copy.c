/* A copy from its listing to its last file. */
#include "ops/storetools/internal.h"

#include "base/enc.h"
#include "base/mem.h"
#include "crypto/hash.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* The whole copy. `failures` holds what could not be compared or copied, and nothing else. */
struct job {
    const struct ck_copy_opts *opts;
    struct ck_copy_plan failures;
    struct ck_copy_spool rows;
};

static bool applies(const struct job *j, const struct ck_copy_row *row)
{
    return row->what == CK_COPY_NEW || row->what == CK_COPY_CHANGED ||
           (row->what == CK_COPY_EXTRA && j->opts->delete_extra);
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

/* As ck_copy_report, in order of name. */
static int by_name(const void *x, const void *y)
{
    return strcmp(((const struct ck_copy_item *)x)->name, ((const struct ck_copy_item *)y)->name);
}

static int report(struct job *j, const char *verb, struct ck_err *err)
{
    struct ck_copy_plan *p = &j->failures;
    if (p->n > 1)
        qsort(p->v, p->n, sizeof *p->v, by_name);
    return ck_copy_report(p, verb, err);
}

/* ---- going through the rows ---- */

/* What a look at all rows tells. */
struct sums {
    uint64_t n[CK_COPY_SAME + 1]; /* by enum ck_copy_what */
    uint64_t compare;
    uint64_t files, bytes;                 /* to be copied or deleted, to be written */
    struct ck_buf first[CK_COPY_SAME + 1]; /* the first name of each kind */
};

static void sums_done(struct sums *s)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(s->first); i++)
        ck_buf_done(&s->first[i]);
}

static void sum_up(const struct job *j, struct sums *s, const struct ck_copy_reader *r)
{
    const struct ck_copy_row *row = &r->row;
    bool apply = applies(j, row);
    if (!s->n[row->what]++)
        ck_buf_put(&s->first[row->what], ck_buf_slice(&r->name));
    s->compare += row->compare;
    s->files += apply;
    s->bytes += apply && row->what != CK_COPY_EXTRA && row->size > 0 ? (uint64_t)row->size : 0;
}

/* Count, or tell what is planned. */
static int look_through(struct job *j, struct sums *sums, struct ck_err *err)
{
    const struct ck_copy_opts *o = j->opts;
    struct ck_copy_reader r;
    int rc = ck_copy_spool_rewind(&j->rows, &r, err);
    while (rc == 0 && (rc = ck_copy_reader_next(&r, err)) > 0) {
        rc = 0;
        if (sums)
            sum_up(j, sums, &r);
        else if (applies(j, &r.row))
            o->planned(o->arg, (enum ck_copy_what)r.row.what, ck_buf_str(&r.name), r.row.size);
    }
    ck_copy_reader_done(&r);
    return rc < 0 ? rc : 0;
}

/* Rows for the threads: those to be compared, or those to be applied. */
struct supply {
    struct ck_copy_source base;
    struct job *job;
    struct ck_copy_reader reader;
    bool compare;
};

static int next_row(struct ck_copy_source *s, struct ck_copy_room *room, struct ck_copy_item **ret,
                    struct ck_err *err)
{
    struct supply *x = (struct supply *)s;
    int r;
    while ((r = ck_copy_reader_next(&x->reader, err)) > 0)
        if (x->compare ? x->reader.row.compare : applies(x->job, &x->reader.row))
            break;
    *ret = NULL;
    if (r <= 0)
        return r;
    room->row = x->reader.row;
    room->at = x->reader.row_at;
    ck_buf_reset(&room->name);
    ck_buf_put(&room->name, ck_buf_slice(&x->reader.name));
    const struct ck_copy_row *row = &room->row;
    room->item = (struct ck_copy_item){.name = ck_buf_str(&room->name),
                                       .what = (enum ck_copy_what)row->what,
                                       .size = row->size,
                                       .from_md5 = *row->from_md5 ? row->from_md5 : NULL,
                                       .to_md5 = *row->to_md5 ? row->to_md5 : NULL,
                                       .version = x->reader.version};
    *ret = &room->item;
    return 0;
}

static int row_done(struct ck_copy_source *s, struct ck_copy_room *room, struct ck_copy_item *it,
                    struct ck_err *err)
{
    const struct supply *x = (struct supply *)s;
    if (it->state == CK_COPY_FAILED) {
        ck_copy_add_failed(&x->job->failures, it->name, &it->err);
        return 0;
    }
    if (!x->compare)
        return 0;
    room->row.what = (uint8_t)it->what;
    return ck_copy_spool_put(&x->job->rows, room->at, &room->row, &it->version, err);
}

static int run_rows(struct job *j, bool compare, uint64_t n, ck_copy_fn fn,
                    struct ck_copy_stats *stats, struct ck_err *err)
{
    struct supply x = {.base = {next_row, row_done}, .job = j, .compare = compare};
    int r = ck_copy_spool_rewind(&j->rows, &x.reader, err);
    if (r == 0)
        r = ck_copy_run_source(j->opts, &x.base, n, fn, !compare && j->failures.together, stats,
                               err);
    ck_copy_reader_done(&x.reader);
    return r;
}

/* ---- the steps ---- */

static int compare(const struct ck_copy_pair *w, struct ck_copy_item *it, uint64_t *ret_bytes,
                   struct ck_err *err)
{
    *ret_bytes = 0;
    return ck_copy_compare(w, it, err);
}

/* Without leave to overwrite, the destination may hold only what a copy cut short left there. */
static int check_destination(const struct job *j, const struct sums *s, struct ck_err *err)
{
    const struct ck_copy_opts *o = j->opts;
    enum ck_copy_what what = s->n[CK_COPY_CHANGED] ? CK_COPY_CHANGED : CK_COPY_EXTRA;
    if (o->overwrite || !s->n[what])
        return 0;
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_buf_slice(&s->first[what]));
    return ck_fail(err, CK_EXISTS,
                   "%s is not empty: %llu of its files %s, %s for one; nothing was copied (sync "
                   "brings a destination in line)",
                   o->to.url, (unsigned long long)s->n[what],
                   what == CK_COPY_CHANGED ? "differ from those of the source"
                                           : "are not in the source",
                   ck_buf_str(&q));
}

/* Everything that comes before the first change. */
static int compare_all(struct job *j, struct sums *ret, struct ck_err *err)
{
    struct ck_copy_stats none = {0};
    int r = ck_copy_list(&j->failures, &j->rows, err);
    if (r == 0 && report(j, "copied", err) < 0)
        return ck_wrap(err, "nothing was copied");
    if (r == 0)
        r = look_through(j, ret, err);
    if (r < 0 || !ret->compare)
        return r;
    r = run_rows(j, true, ret->compare, compare, &none, err);
    if (r == 0)
        r = report(j, "compared", err);
    sums_done(ret);
    *ret = (struct sums){0};
    return r == 0 ? look_through(j, ret, err) : r;
}

/* New files are durable when the copy says that it is done, not one by one: a power cut before that
 * is an interruption like any other, and the next run compares what it finds. Files that replace
 * others are synced each, for they would be lost. Done even when nothing was copied: the run before
 * may have ended just short of it. */
static int sync_all(const struct job *j, struct ck_err *err)
{
    struct ck_copy_view to;
    int r = ck_copy_open(&to, j->failures.a, &j->opts->to, err);
    if (r == 0)
        r = ck_vfs_sync(&to.root, err);
    ck_copy_close(&to);
    return r;
}

static int apply_all(struct job *j, uint64_t files, struct ck_copy_stats *ret,
                     struct ck_err *unsynced, struct ck_err *err)
{
    struct ck_copy_flush flush;
    if (j->failures.local)
        ck_copy_flush_start(&flush, &j->opts->to);
    int r = run_rows(j, false, files, ck_copy_apply, ret, err);
    if (j->failures.local)
        (void)ck_copy_flush_stop(&flush, unsynced);
    return r;
}

static int run(struct job *j, struct ck_copy_stats *ret, struct ck_err *err)
{
    const struct ck_copy_opts *o = j->opts;
    CK_CLEANUP(sums_done) struct sums sums = {0};
    int r = compare_all(j, &sums, err);
    if (r == 0)
        r = check_destination(j, &sums, err);
    if (r < 0)
        return r;
    ret->same = sums.n[CK_COPY_SAME];
    ret->files = sums.files;
    ret->total = sums.bytes;
    (void)malloc_trim(0); /* what a page of a listing needed, the threads cannot use */
    if (o->dry_run)
        return o->planned ? look_through(j, NULL, err) : 0;
    CK_AUTOERR unsynced = CK_ERR_INIT;
    r = apply_all(j, sums.files, ret, &unsynced, err);
    bool lost = unsynced.code != CK_OK;
    if (!lost && (ret->copied || ret->same))
        lost = sync_all(j, &unsynced) < 0;
    if (r == 0)
        r = report(j, "copied", err);
    if (r == 0 && lost)
        r = ck_err_move(err, &unsynced);
    uint64_t left = ret->files - ret->copied - ret->deleted - ret->failed;
    return r < 0 && left
               ? ck_wrap(err, "given up with %llu files untried", (unsigned long long)left)
               : r;
}

int ck_copy(const struct ck_copy_opts *opts, struct ck_copy_stats *ret, struct ck_err *err)
{
    CK_AUTOERR own = CK_ERR_INIT;
    *ret = (struct ck_copy_stats){0};
    int r = ck_crypto_load(&own);
    struct job j = {
        .opts = opts, .failures = {.opts = opts, .a = ck_arena_new()}, .rows = {.fd = -1}};
    if (r == 0)
        r = ck_copy_spool_open(opts->to.env, &j.rows, &own);
    if (r == 0)
        r = run(&j, ret, &own);
    struct ck_copy_plan *p = &j.failures;
    for (size_t i = 0; i < p->n; i++)
        ck_err_done(&p->v[i].err);
    free(p->v);
    ck_copy_spool_close(&j.rows);
    ck_arena_free(p->a);
    return r < 0 && err ? ck_err_move(err, &own) : r;
}
