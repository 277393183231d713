/* Both ends of a migration side by side, and doing what the comparison says. */
#include "ops/migrate/internal.h"

#include "base/enc.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

/* Contents are keys often enough: wiped. */
#define CONTENT CK_CLEANUP(ck_buf_wipe) struct ck_buf

enum { FROM, TO };

enum { FEW = 4 }; /* files that need no threads */

/* ---- what is compared ---- */

/* Whoever can edit this cluster must not have another one's secrets copied along. */
static int check_own(struct ck_migrate *m, const char *rel, const char *field, struct ck_err *err)
{
    size_t len = strlen(rel);
    for (size_t n = 1; n <= len && !ck_copy_within(rel, m->o->cluster); n++) {
        if (rel[n] && rel[n] != '/')
            continue;
        const char *name = ck_arena_strndup(m->look, rel, n);
        struct ck_path at =
            ck_copy_at(m->look, &m->w.from, ck_arena_printf(m->look, "%s/config", name));
        CONTENT b = CK_BUF_INIT;
        int r = ck_vfs_read(&at, &b, NULL, err);
        if (r == 0)
            return ck_fail(err, CK_INVALID,
                           "%s of cluster \"%s\" is %s, which belongs to cluster \"%s\": nothing "
                           "was changed",
                           field, m->o->cluster, rel, name);
        if (r != -(int)CK_NOT_FOUND)
            return r;
        ck_err_done(err);
    }
    return 0;
}

static int add_folder(struct ck_migrate *m, const char *rel, const char *field, struct ck_err *err)
{
    if (ck_copy_within(m->o->cluster, rel) && strcmp(m->o->cluster, rel) != 0)
        return ck_fail(err, CK_INVALID,
                       "%s of cluster \"%s\" is %s, which holds the cluster itself: nothing was "
                       "changed",
                       field, m->o->cluster, rel);
    if (ck_list_has_str(m->folders, rel))
        return 0;
    int r = check_own(m, rel, field, err);
    if (r < 0)
        return r;
    ck_append_str(m->look, m->folders, rel);
    if (ck_list_has_str(m->state.folders, rel))
        return 0;
    ck_append_str(m->a, m->state.folders, rel);
    m->state.dirty = true;
    return 0;
}

/* Where the cluster lies, from its configuration. */
static int find_folders(struct ck_migrate *m, const struct ck_val *tree, struct ck_err *err)
{
    const char *base = ck_str_at(tree, "spec.configBase");
    if (!*base)
        base = ck_str_at(tree, "spec.configStore.base");
    const char *rel = *base ? ck_migrate_below(m->look, &m->w, base) : m->o->cluster;
    if (!rel)
        return ck_fail(
            err, CK_INVALID,
            "configBase of cluster \"%s\" is %s, which is not in %s: --state must be the "
            "store that holds the cluster; nothing was changed",
            m->o->cluster, base, m->ret->from);
    m->spec = ck_arena_printf(m->a, "%s/cluster-completed.spec", rel);
    ck_migrate_fields(m, tree);
    int r = add_folder(m, m->o->cluster, "", err);
    for (size_t i = 0; r == 0 && i < m->ret->n_fields; i++) {
        const struct ck_migrate_field *f = &m->ret->fields[i];
        rel = f->to ? ck_migrate_below(m->look, &m->w, f->from) : NULL;
        if (rel)
            r = add_folder(m, rel, f->path, err);
    }
    return r;
}

static int read_config(struct ck_migrate *m, struct ck_err *err)
{
    struct ck_store s = {.vfs = &m->w.from.ctx, .root = m->w.from.root};
    struct ck_path at;
    struct ck_slice out;
    struct ck_val *tree = NULL;
    CONTENT b = CK_BUF_INIT;
    int r = ck_layout_config(m->look, &s, m->o->cluster, &at, err);
    if (r == 0)
        r = ck_vfs_read(&at, &b, NULL, err);
    if (r == -(int)CK_NOT_FOUND)
        return ck_fail(err, CK_NOT_FOUND, "cluster \"%s\" not found in %s", m->o->cluster,
                       m->ret->from);
    if (r == 0 && ck_migrate_rewrite(m->look, &m->w, ck_buf_slice(&b), &out, &tree, err) < 0)
        r = ck_wrap(err, "error reading cluster configuration \"%s\"", m->o->cluster);
    return r < 0 ? r : find_folders(m, tree, err);
}

static void put_below(struct ck_arena *a, const char *folder, struct ck_entries *e)
{
    for (size_t i = 0; i < e->n; i++)
        e->v[i].name = ck_arena_printf(a, "%s/%s", folder, e->v[i].name);
}

/* One folder that lies in no other of the list. */
static int list_folder(struct ck_migrate *m, const char *rel, struct ck_err *err)
{
    struct ck_entries from = {0}, to = {0};
    struct ck_path f = ck_copy_at(m->look, &m->w.from, rel);
    struct ck_path t = ck_copy_at(m->look, &m->w.to, rel);
    int r = ck_copy_check_name(&m->plan, rel, err);
    if (r == 0)
        r = ck_copy_tree(&f, m->look, true, &from, err);
    if (r == 0)
        r = ck_copy_tree(&t, m->look, true, &to, err);
    if (r < 0)
        return r;
    put_below(m->look, rel, &from);
    put_below(m->look, rel, &to);
    ck_copy_merge(&m->plan, &from, &to);
    return 0;
}

/* What the record says more than the configuration is only taken back, never copied: whoever can
 * write the new store could name another cluster there. */
static int list_all(struct ck_migrate *m, struct ck_err *err)
{
    const struct ck_val *l =
        m->state.rolling_back || m->o->rollback ? m->state.folders : m->folders;
    int r = 0;
    for (size_t i = 0; r == 0 && i < ck_len(l); i++) {
        const char *rel = ck_str_or(ck_item(l, i), "");
        bool inside = false;
        for (size_t k = 0; k < ck_len(l); k++)
            inside = inside || (k != i && ck_copy_within(rel, ck_str_or(ck_item(l, k), "")));
        if (!inside)
            r = list_folder(m, rel, err);
    }
    return r;
}

static void take_up(struct ck_migrate *m, size_t i)
{
    struct ck_copy_item *it = &m->plan.v[i];
    struct ck_migrate_file *f = &m->files[i];
    bool config = strcmp(it->name, m->config) == 0;
    *f = (struct ck_migrate_file){.m = m,
                                  .item = it,
                                  .config = config,
                                  .translate = config || strcmp(it->name, m->spec) == 0,
                                  .there = {it->what != CK_COPY_EXTRA, it->what != CK_COPY_NEW}};
    const char *md5[] = {f->translate ? NULL : it->from_md5, it->to_md5};
    for (int end = FROM; end <= TO; end++) {
        f->known[end] = !f->there[end] || md5[end];
        if (f->there[end] && md5[end])
            memcpy(f->md5[end], md5[end], CK_COPY_MD5);
    }
    it->own = f;
}

/* ---- looking at contents ---- */

/* A completed specification that cannot be read is copied as it is. */
static int translated(struct ck_arena *a, const struct ck_copy_pair *w,
                      const struct ck_migrate_file *f, struct ck_slice text, struct ck_slice *ret,
                      struct ck_err *err)
{
    struct ck_copy_pair *ends = (struct ck_copy_pair *)w; /* parsing a location notes its store */
    CK_AUTOERR odd = CK_ERR_INIT;
    *ret = text;
    int r = ck_migrate_rewrite(a, ends, text, ret, NULL, &odd);
    return r < 0 && f->config ? ck_err_move(err, &odd) : 0;
}

static int read_from(const struct ck_copy_pair *w, struct ck_arena *a,
                     const struct ck_migrate_file *f, struct ck_buf *out, struct ck_err *err)
{
    struct ck_path at = ck_copy_at(a, &w->from, f->item->name);
    struct ck_slice text;
    int r = ck_vfs_read(&at, out, NULL, err);
    if (r == 0 && f->translate)
        r = translated(a, w, f, ck_buf_slice(out), &text, err);
    if (r < 0 || !f->translate)
        return r;
    text = ck_arena_slice(a, text);
    ck_buf_wipe(out);
    ck_buf_put(out, text);
    return 0;
}

/* Goes by in pieces. */
static bool is_large(const struct ck_migrate_file *f)
{
    return !f->translate && ck_copy_is_large(f->item);
}

static int md5_of(const struct ck_path *at, char ret[CK_COPY_MD5], struct ck_version *ret_version,
                  struct ck_err *err)
{
    struct ck_copy_digest d;
    CK_AUTOBUF struct ck_buf hex = CK_BUF_INIT;
    int r = ck_copy_digest(at, true, &d, ret_version, err);
    if (r < 0)
        return r;
    ck_hex_encode(&hex, d.bytes, d.len);
    memcpy(ret, ck_buf_str(&hex), CK_COPY_MD5);
    return 0;
}

/* One end's files whose digests no listing told. */
struct reading {
    struct ck_migrate *m;
    int end;
    struct ck_migrate_file **files;
    const char **keys;
    size_t n;
};

static int take_digest(struct reading *r, struct ck_migrate_file *f, struct ck_slice data,
                       struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    ck_arena_set_wipe(a);
    int result = 0;
    if (r->end == FROM && f->translate)
        result = translated(a, &r->m->w, f, data, &data, err);
    ck_copy_md5(data, f->md5[r->end]);
    return result;
}

/* Gone between listing and reading: not there. Whatever else fails is said of the file. */
static int arrived(void *arg, size_t i, struct ck_slice data, const struct ck_version *version,
                   struct ck_err *item_err)
{
    struct reading *r = arg;
    struct ck_migrate_file *f = r->files[i];
    f->known[r->end] = true;
    if (item_err && item_err->code == CK_NOT_FOUND) {
        f->there[r->end] = false;
        return 0;
    }
    CK_AUTOERR own = CK_ERR_INIT;
    if (item_err && item_err->code)
        ck_fail(&own, item_err->code, "%s", ck_err_msg(item_err));
    else
        take_digest(r, f, data, &own);
    if (own.code) {
        f->item->state = CK_COPY_FAILED;
        ck_err_move(&f->item->err, &own);
    }
    return 0;
}

/* Without holding it; gone since the listing: not there. */
static void digest_large(struct ck_migrate_file *f, const struct ck_path *at, int end)
{
    struct ck_err *err = &f->item->err;
    int r = md5_of(at, f->md5[end], NULL, err);
    f->known[end] = true;
    f->there[end] = r != -(int)CK_NOT_FOUND;
    if (r < 0 && f->there[end])
        f->item->state = CK_COPY_FAILED;
    else
        ck_err_done(err);
}

/* On this thread's connections, several at a time where that helps. */
static int digest(struct ck_migrate *m, int end, struct ck_err *err)
{
    const struct ck_copy_view *v = end == FROM ? &m->w.from : &m->w.to;
    size_t max = m->plan.n + 1;
    struct reading r = {.m = m,
                        .end = end,
                        .files = ck_arena_alloc(m->look, max * sizeof *r.files),
                        .keys = ck_arena_alloc(m->look, max * sizeof *r.keys)};
    for (size_t i = 0; i < m->plan.n; i++) {
        struct ck_path at = ck_copy_at(m->look, v, m->plan.v[i].name);
        if (m->files[i].known[end])
            continue;
        if (is_large(&m->files[i])) {
            digest_large(&m->files[i], &at, end);
            continue;
        }
        r.files[r.n] = &m->files[i];
        r.keys[r.n++] = at.key;
    }
    return r.n ? ck_vfs_read_many(&v->root, r.keys, r.n, arrived, &r, err) : 0;
}

static int check_names(struct ck_migrate *m, struct ck_err *err)
{
    bool bad = false;
    for (size_t i = 0; i < m->plan.n; i++) {
        struct ck_copy_item *it = &m->plan.v[i];
        if (!m->files[i].there[FROM] || ck_copy_check_name(&m->plan, it->name, &it->err) == 0)
            continue;
        it->state = CK_COPY_FAILED;
        bad = true;
    }
    return bad ? ck_copy_report(&m->plan, "copied", err) : 0;
}

int ck_migrate_look(struct ck_migrate *m, struct ck_err *err)
{
    ck_migrate_look_done(m);
    m->look = ck_arena_new();
    ck_arena_set_wipe(m->look); /* a configuration may hold secrets */
    m->folders = ck_list(m->look);
    m->plan = (struct ck_copy_plan){
        .opts = &m->copy, .a = m->look, .folder = m->w.to.root.vfs->ops->folders};
    int r = read_config(m, err);
    if (r == 0)
        r = list_all(m, err);
    if (r < 0)
        return r;
    m->files = ck_arena_alloc(m->look, (m->plan.n + 1) * sizeof *m->files);
    for (size_t i = 0; i < m->plan.n; i++)
        take_up(m, i);
    r = check_names(m, err);
    if (r == 0)
        r = digest(m, FROM, err);
    if (r == 0)
        r = digest(m, TO, err);
    return r < 0 ? r : ck_copy_report(&m->plan, "compared", err);
}

void ck_migrate_look_done(struct ck_migrate *m)
{
    for (size_t i = 0; i < m->plan.n; i++)
        ck_err_done(&m->plan.v[i].err);
    free(m->plan.v);
    m->plan = (struct ck_copy_plan){0};
    m->files = NULL;
    ck_arena_free(m->look);
    m->look = NULL;
}

/* ---- doing ---- */

/* What is at the destination, if it is still what was compared. */
static bool still(const struct ck_path *to, const struct ck_migrate_file *f,
                  struct ck_version *ret_version, int *ret, struct ck_err *err)
{
    char md5[CK_COPY_MD5];
    *ret = md5_of(to, md5, ret_version, err);
    return *ret == 0 && strcmp(md5, f->md5[TO]) == 0;
}

static bool overtaken(int r)
{
    return r == -(int)CK_NOT_FOUND || r == -(int)CK_CONFLICT || r == -(int)CK_EXISTS;
}

static int delete_file(const struct ck_path *to, struct ck_migrate_file *f, struct ck_err *err)
{
    struct ck_version version = {""};
    int r;
    if (!still(to, f, &version, &r, err)) {
        f->unsettled = true;
        return r;
    }
    return ck_vfs_remove(to, &version, err);
}

/* What no listing showed is a file that came late, or no file. */
static int in_the_way(const struct ck_path *to, struct ck_err *err)
{
    char md5[CK_COPY_MD5];
    ck_err_done(err);
    int r = md5_of(to, md5, NULL, err);
    return r < 0 ? r : ck_fail(err, CK_EXISTS, "someone else wrote it meanwhile");
}

/* In pieces; UNSUPPORTED where the destination takes whole contents only. */
static int write_large(const struct ck_copy_pair *w, struct ck_arena *a, const struct ck_path *to,
                       const struct ck_migrate_file *f, const struct ck_write_opts *o,
                       uint64_t *ret_bytes, struct ck_err *err)
{
    struct ck_path from = ck_copy_at(a, &w->from, f->item->name);
    uint64_t bytes = 0;
    int r = ck_copy_stream(&from, to, f->item->size, f->md5[FROM], o, w->live, &bytes, err);
    *ret_bytes = r == 0 ? bytes : 0;
    return r;
}

static int write_whole(const struct ck_copy_pair *w, struct ck_arena *a, const struct ck_path *to,
                       struct ck_migrate_file *f, const struct ck_write_opts *o,
                       uint64_t *ret_bytes, struct ck_err *err)
{
    CONTENT content = CK_BUF_INIT;
    struct ck_version now = {""};
    char md5[CK_COPY_MD5];
    int r = read_from(w, a, f, &content, err);
    if (r < 0)
        return r;
    ck_copy_md5(ck_buf_slice(&content), md5);
    f->unsettled = strcmp(md5, f->md5[FROM]) != 0; /* edited since: only what is recorded is sent */
    if (f->unsettled)
        return 0;
    r = ck_vfs_write(to, ck_buf_slice(&content), o, &now, err);
    if (r == 0)
        r = ck_copy_verify(to, ck_buf_slice(&content), &now, err);
    *ret_bytes = r == 0 ? content.len : 0;
    return r;
}

static int write_file(const struct ck_copy_pair *w, struct ck_arena *a, const struct ck_path *to,
                      struct ck_migrate_file *f, uint64_t *ret_bytes, struct ck_err *err)
{
    struct ck_version was = {""};
    struct ck_write_opts o = {.mode = CK_WRITE_CREATE};
    int r = -(int)CK_UNSUPPORTED;
    if (f->there[TO]) {
        o = (struct ck_write_opts){.mode = CK_WRITE_IF_UNCHANGED, .version = &was};
        int looked = 0;
        f->unsettled = !still(to, f, &was, &looked, err);
        if (f->unsettled)
            return looked;
    }
    if (is_large(f))
        r = write_large(w, a, to, f, &o, ret_bytes, err);
    if (r == -(int)CK_UNSUPPORTED) {
        ck_err_done(err);
        r = write_whole(w, a, to, f, &o, ret_bytes, err);
    }
    return r == -(int)CK_EXISTS ? in_the_way(to, err) : r;
}

static int apply(const struct ck_copy_pair *w, struct ck_copy_item *it, uint64_t *ret_bytes,
                 struct ck_err *err)
{
    struct ck_migrate_file *f = it->own;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    ck_arena_set_wipe(a);
    struct ck_path to = ck_copy_at(a, &w->to, it->name);
    *ret_bytes = 0;
    int r = f->action == CK_MIGRATE_DELETE ? delete_file(&to, f, err)
                                           : write_file(w, a, &to, f, ret_bytes, err);
    if (!overtaken(r))
        return r;
    ck_err_done(err);
    f->unsettled = true;
    return 0;
}

static bool is_now(const struct ck_copy_plan *p, const struct ck_copy_item *it)
{
    const struct ck_migrate_file *f = it->own;
    return f->now;
}

/* Threads have connections of their own, which cost more than a few files do. */
static int apply_few(struct ck_migrate *m, struct ck_copy_stats *stats)
{
    for (size_t i = 0; i < m->plan.n; i++) {
        struct ck_copy_item *it = &m->plan.v[i];
        uint64_t bytes = 0;
        if (!m->files[i].now)
            continue;
        it->state = apply(&m->w, it, &bytes, &it->err) < 0 ? CK_COPY_FAILED : CK_COPY_DONE;
        stats->bytes += bytes;
    }
    return 0;
}

int ck_migrate_apply(struct ck_migrate *m, const char *verb, struct ck_err *err)
{
    struct ck_copy_stats stats = {0};
    for (size_t i = 0; i < m->plan.n; i++) {
        stats.files += m->files[i].now;
        m->plan.v[i].state = CK_COPY_TODO;
        m->plan.v[i].what =
            m->files[i].action == CK_MIGRATE_DELETE ? CK_COPY_EXTRA : CK_COPY_CHANGED;
    }
    int r = stats.files > FEW ? ck_copy_run(&m->plan, is_now, apply, &stats, err)
                              : apply_few(m, &stats);
    m->ret->bytes += stats.bytes;
    for (size_t i = 0; i < m->plan.n; i++) {
        const struct ck_migrate_file *f = &m->files[i];
        if (!f->now || f->unsettled || m->plan.v[i].state != CK_COPY_DONE)
            continue;
        *(f->action == CK_MIGRATE_DELETE ? &m->ret->deleted
          : f->there[TO]                 ? &m->ret->replaced
                                         : &m->ret->copied) += 1;
    }
    return r < 0 ? r : ck_copy_report(&m->plan, verb, err);
}

int ck_migrate_clashes(struct ck_migrate *m, const char *what, struct ck_err *err)
{
    size_t n = 0;
    const struct ck_migrate_file *first = NULL;
    for (size_t i = 0; i < m->plan.n; i++) {
        const struct ck_migrate_file *f = &m->files[i];
        if (f->action != CK_MIGRATE_CLASH)
            continue;
        CK_AUTOERR why = CK_ERR_INIT;
        ck_fail(&why, CK_CONFLICT, "%s", f->why);
        if (m->o->failed)
            m->o->failed(m->o->arg, f->item->name, &why);
        if (!n++)
            first = f;
    }
    if (!n)
        return 0;
    if (n == 1)
        return ck_fail(err, CK_CONFLICT, "%s %s: %s", first->item->name, first->why, what);
    return ck_fail(err, CK_CONFLICT, "%zu files are in the way, %s for one, which %s: %s", n,
                   first->item->name, first->why, what);
}
