/* Reading the journal of a cluster: entries, contents, moments. */
#include "ops/journal/internal.h"

#include "base/clock.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "doc/scalar.h"

#include <stdlib.h>
#include <string.h>

enum { NS = 1000000000, MAX_DEPTH = 4, ID_PREFIX_MIN = 4, ID_RANDOM_AT = 24 };

struct ck_journal_unpacked {
    const struct ck_journal_entry *of;
    struct ck_buf data;
};

/* ---- clusters ---- */

static int add_clusters(struct ck_arena *a, const struct ck_path *dir, const char *name, int depth,
                        struct ck_strv *ret, struct ck_err *err)
{
    struct ck_entries entries = {0}, dirs = {0};
    int r = ck_vfs_list(dir, a, &entries, err);
    for (size_t i = 0; r == 0 && i < entries.n; i++) {
        if (!ck_journal_id_ok(entries.v[i].name))
            continue;
        if (*name)
            ck_strv_push(ret, name);
        break;
    }
    r = r ? r : ck_vfs_list_dirs(dir, a, &dirs, err);
    for (size_t i = 0; r == 0 && depth < MAX_DEPTH && i < dirs.n; i++) {
        struct ck_path below;
        const char *sub = ck_arena_printf(a, "%s%s%s", name, *name ? "/" : "", dirs.v[i].name);
        r = ck_path_join(a, dir, dirs.v[i].name, &below, err);
        r = r ? r : add_clusters(a, &below, sub, depth + 1, ret, err);
    }
    if (r == -(int)CK_NOT_FOUND) {
        ck_err_done(err);
        r = 0;
    }
    return r;
}

int ck_journal_clusters(const struct ck_store *s, struct ck_strv *ret, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_path dir;
    int r = ck_path_join(a, &s->root, CK_JOURNAL_DIR, &dir, err);
    r = r ? r : add_clusters(a, &dir, "", 0, ret, err);
    ck_strv_sort(ret);
    return r;
}

/* ---- entries ---- */

struct loading {
    struct ck_journal_history *h;
    const char **ids, **keys;
    const struct ck_path *dir;
};

static int decode_one(void *arg, size_t i, struct ck_slice data, const struct ck_version *version,
                      struct ck_err *item_err)
{
    const struct loading *l = arg;
    struct ck_journal_history *h = l->h;
    struct ck_path at = {l->dir->vfs, l->keys[i]};
    int r = -(int)item_err->code;
    if (r == -(int)CK_NOT_FOUND) /* deleted meanwhile: the others are complete without it */
        return 0;
    if (r == 0)
        r = ck_journal_decode(h->a, l->ids[i], h->cluster, data, &h->v[i], NULL, item_err);
    if (r == 0)
        return 0;
    h->v[i].id = NULL;
    if (r == -(int)CK_INVALID)
        return ck_fail(item_err, CK_INVALID,
                       "the journal cannot be read: %s: %s; moved elsewhere, this file leaves the "
                       "others readable",
                       ck_path_text(h->a, &at), ck_err_msg(item_err));
    return ck_wrap(item_err, "the journal cannot be read: %s", ck_path_text(h->a, &at));
}

/* read_many() gives its callback the item's own error, which ends with it: it is kept here. */
struct keeping {
    struct loading l;
    struct ck_err err;
};

static int load_one(void *arg, size_t i, struct ck_slice data, const struct ck_version *version,
                    struct ck_err *item_err)
{
    struct keeping *k = arg;
    int r = decode_one(&k->l, i, data, version, item_err);
    return r < 0 ? ck_err_move(&k->err, item_err) : 0;
}

static int by_id(const void *x, const void *y)
{
    const struct ck_journal_entry *a = x, *b = y;
    return strcmp(a->id, b->id);
}

static int by_path_and_time(const void *x, const void *y)
{
    const struct ck_journal_record *a = x, *b = y;
    int c = strcmp(a->file->path, b->file->path);
    if (c == 0)
        c = (a->file->at_ns > b->file->at_ns) - (a->file->at_ns < b->file->at_ns);
    return c ? c : strcmp(a->entry->id, b->entry->id);
}

static void index_records(struct ck_journal_history *h)
{
    size_t n = 0, total = 0;
    for (size_t i = 0; i < h->n; i++)
        if (h->v[i].id)
            h->v[n++] = h->v[i];
    h->n = n;
    if (n > 1)
        qsort(h->v, n, sizeof *h->v, by_id);
    for (size_t i = 0; i < n; i++)
        total += h->v[i].n_files;
    h->records = ck_arena_alloc(h->a, (total + 1) * sizeof *h->records);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < h->v[i].n_files; k++)
            h->records[h->n_records++] = (struct ck_journal_record){&h->v[i].files[k], &h->v[i]};
    if (h->n_records > 1)
        qsort(h->records, h->n_records, sizeof *h->records, by_path_and_time);
}

int ck_journal_load(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                    struct ck_journal_history *ret, struct ck_err *err)
{
    struct ck_path dir;
    struct ck_entries found = {0};
    *ret = (struct ck_journal_history){.a = a, .s = s, .cluster = ck_arena_strdup(a, cluster)};
    int r = ck_journal_dir(a, s, cluster, &dir, err);
    if (r < 0)
        return r;
    r = ck_vfs_list(&dir, a, &found, err);
    if (r == -(int)CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    if (r == 0 && found.n > CK_JOURNAL_ENTRIES_MAX)
        r = ck_fail(err, CK_LIMIT, "%s: more than %d entries; the oldest can be deleted",
                    ck_path_text(a, &dir), CK_JOURNAL_ENTRIES_MAX);
    if (r < 0)
        return r;
    struct keeping k = {{ret, ck_arena_alloc(a, (found.n + 1) * sizeof(char *)),
                         ck_arena_alloc(a, (found.n + 1) * sizeof(char *)), &dir},
                        CK_ERR_INIT};
    for (size_t i = 0; i < found.n; i++) {
        if (!ck_journal_id_ok(found.v[i].name))
            continue;
        k.l.ids[ret->n] = found.v[i].name;
        k.l.keys[ret->n++] = found.v[i].key;
    }
    ret->v = ck_arena_alloc(a, (ret->n + 1) * sizeof *ret->v);
    r = ret->n ? ck_vfs_read_many(&dir, k.l.keys, ret->n, load_one, &k, err) : 0;
    if (k.err.code != CK_OK)
        return ck_err_move(err, &k.err);
    if (r == 0)
        index_records(ret);
    return r;
}

/* ---- contents ---- */

static void forget(void *p)
{
    ck_buf_done(&((struct ck_journal_unpacked *)p)->data);
}

static int unpack(const struct ck_journal_history *h, const struct ck_journal_entry *e,
                  struct ck_buf *out, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf b = {.secret = true};
    struct ck_journal_entry again;
    struct ck_slice packed;
    struct ck_path dir, at;
    int r = ck_journal_dir(a, h->s, h->cluster, &dir, err);
    r = r ? r : ck_path_join(a, &dir, e->id, &at, err);
    r = r ? r : ck_vfs_read(&at, &b, NULL, err);
    r = r ? r : ck_journal_decode(a, e->id, h->cluster, ck_buf_slice(&b), &again, &packed, err);
    if (r == 0 && !ck_gunzip(out, packed, CK_JOURNAL_TOTAL_MAX))
        r = ck_fail(err, CK_INVALID, "its contents are damaged");
    return r < 0 ? ck_wrap(err, "the journal's entry %s", e->id) : 0;
}

static int from_entry(const struct ck_journal_history *h, const struct ck_journal_entry *e,
                      size_t which, struct ck_buf *out, struct ck_err *err)
{
    struct ck_journal_unpacked *u = h->last;
    if (u->of != e) {
        u->of = NULL;
        ck_buf_reset(&u->data);
        int r = unpack(h, e, &u->data, err);
        if (r < 0)
            return r;
        u->of = e;
    }
    size_t at = 0;
    for (size_t i = 0; i < which; i++)
        at += (size_t)e->contents[i].size;
    size_t n = (size_t)e->contents[which].size;
    char sha[CK_JOURNAL_SHA + 1] = "";
    struct ck_slice data = ck_buf_slice(&u->data);
    if (at <= data.len && n <= data.len - at)
        ck_sha256_hex(ck_slice_n(data.ptr + at, n), sha);
    if (strcmp(sha, e->contents[which].sha) != 0)
        return ck_fail(err, CK_INVALID, "the journal's entry %s: its contents are damaged", e->id);
    ck_buf_putn(out, data.ptr + at, n);
    return 0;
}

int ck_journal_content(const struct ck_journal_history *h, const char *sha, struct ck_buf *out,
                       struct ck_err *err)
{
    if (!h->last) { /* the cache is no part of what the history says */
        struct ck_journal_history *mutable = (struct ck_journal_history *)h;
        mutable->last = ck_arena_alloc(h->a, sizeof *h->last);
        mutable->last->data.secret = true;
        ck_arena_on_free(h->a, forget, mutable->last);
    }
    CK_AUTOERR first = CK_ERR_INIT;
    for (size_t i = 0; i < h->n; i++)
        for (size_t k = 0; k < h->v[i].n_contents; k++) {
            if (strcmp(h->v[i].contents[k].sha, sha) != 0)
                continue;
            CK_AUTOERR e = CK_ERR_INIT; /* what one entry has lost another may hold */
            if (from_entry(h, &h->v[i], k, out, &e) == 0)
                return 0;
            if (first.code == CK_OK)
                ck_err_move(&first, &e);
        }
    if (first.code != CK_OK)
        return ck_err_move(err, &first);
    return ck_fail(err, CK_LIMIT, "the journal does not hold the content %.12s…: it was too large",
                   sha);
}

/* ---- states ---- */

/* Index of the first record of the path that is later than `ns`; *ret_first: of the path at all. */
static size_t after_time(const struct ck_journal_history *h, const char *path, int64_t ns,
                         size_t *ret_first)
{
    size_t lo = 0, hi = h->n_records;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (strcmp(h->records[mid].file->path, path) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *ret_first = lo;
    while (lo < h->n_records && strcmp(h->records[lo].file->path, path) == 0 &&
           h->records[lo].file->at_ns <= ns)
        lo++;
    return lo;
}

const char *ck_journal_past(const struct ck_journal_history *h, const char *path, int64_t ns)
{
    size_t first, i = after_time(h, path, ns, &first);
    const struct ck_journal_file *last = i > first ? h->records[i - 1].file : NULL;
    for (size_t k = h->n; k-- > 0;)
        if (h->v[k].snapshot && h->v[k].to_ns <= ns && (!last || h->v[k].to_ns > last->at_ns))
            return ""; /* it would be listed */
    return last ? last->after : NULL;
}

const char *ck_journal_state_at(const struct ck_journal_history *h, const char *path, int64_t ns)
{
    const char *past = ck_journal_past(h, path, ns);
    size_t first, i = after_time(h, path, ns, &first);
    if (past || i == h->n_records || strcmp(h->records[i].file->path, path) != 0)
        return past;
    return h->records[i].file->before;
}

/* ---- moments ---- */

static bool is_named(const struct ck_journal_entry *e, struct ck_slice name)
{
    return (name.len >= ID_PREFIX_MIN && strncmp(e->id, name.ptr, name.len) == 0) ||
           ck_slice_eq_str(name, e->id + ID_RANDOM_AT);
}

static int entry_of(const struct ck_journal_history *h, struct ck_slice name,
                    const struct ck_journal_entry **ret, struct ck_err *err)
{
    *ret = NULL;
    for (size_t i = 0; i < h->n; i++) {
        if (!is_named(&h->v[i], name))
            continue;
        if (*ret)
            return ck_fail(err, CK_INVALID, "\"%.*s\" begins more than one id", CK_SARG(name));
        *ret = &h->v[i];
    }
    return 0;
}

static bool rfc3339(struct ck_slice text, int64_t *ret_ns)
{
    int64_t s, fraction = 0, unit = NS;
    if (!ck_rfc3339_parse(text, &s) || s < 0 || s >= INT64_MAX / NS)
        return false;
    for (size_t i = ck_slice_find(text, '.') + 1; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || unit == 1)
            break;
        unit /= 10;
        fraction += (text.ptr[i] - '0') * unit;
    }
    *ret_ns = s * NS + fraction;
    return true;
}

struct ck_journal_point ck_journal_before(const struct ck_journal_history *h,
                                          const struct ck_journal_entry *e)
{
    /* a snapshot finds what it records */
    return (struct ck_journal_point){.ns = e->snapshot ? e->to_ns : e->from_ns - 1,
                                     .before = e,
                                     .text = ck_arena_printf(h->a, "%s^", e->id)};
}

/* A time against those of the journal. One that is ahead is a mistake, unless it is that of an
 * entry: clocks differ. */
static int place(const struct ck_journal_history *h, struct ck_journal_point *p, struct ck_err *err)
{
    int64_t first = INT64_MAX, last = ck_now_ns();
    for (size_t i = 0; i < h->n; i++) {
        first = h->v[i].from_ns < first ? h->v[i].from_ns : first;
        last = h->v[i].to_ns > last ? h->v[i].to_ns : last;
    }
    p->early = p->ns < first;
    if (p->ns / NS > last / NS)
        return ck_fail(err, CK_INVALID, "\"%.80s\" is in the future", p->text);
    return 0;
}

int ck_journal_point_of(const struct ck_journal_history *h, const char *text,
                        struct ck_journal_point *ret, struct ck_err *err)
{
    CK_AUTOERR ignored = CK_ERR_INIT;
    struct ck_slice t = ck_slice_trim(ck_slice_of(text)), name = t;
    const struct ck_journal_entry *e;
    int64_t ns;
    *ret = (struct ck_journal_point){.text = text};
    if (ck_slice_eq_str(t, "now")) {
        *ret = (struct ck_journal_point){.now = true, .ns = INT64_MAX, .text = "now"};
        return 0;
    }
    bool before = ck_slice_ends(t, "^");
    name.len -= before;
    if (name.len == 0 || entry_of(h, name, &e, err) < 0)
        return name.len ? -(int)err->code : ck_fail(err, CK_INVALID, "a point in time is needed");
    if (e) {
        *ret = before ? ck_journal_before(h, e)
                      : (struct ck_journal_point){.ns = e->to_ns, .text = e->id};
        return 0;
    }
    if (!before && rfc3339(t, &ret->ns))
        return place(h, ret, err);
    if (ck_slice_ends(t, "ago"))
        t = ck_slice_trim(ck_slice_n(t.ptr, t.len - 3));
    if (!before && ck_duration_parse(t, &ns, &ignored) == 0 && ns >= 0) {
        ret->ns = ck_now_ns() - ns;
        return place(h, ret, err);
    }
    return ck_fail(err, CK_INVALID,
                   "\"%.80s\" is no id of this journal, no time (2026-01-02T15:04:05Z, \"2h ago\") "
                   "and not \"now\"",
                   text);
}
