/* The record of a migration, kept at the destination outside every cluster's folder:
 *
 *     {"version": 1, "cluster": …, "from": …, "started": …, "completed": …,
 *      "folders": [path, …], "files": {path: [base, pending, …], …}}
 *
 * `base` and `pending` are MD5 sums of contents, "" for none and "-" for no file. The name ends in
 * .json, for kOps takes every file called config for a cluster. */
#include "ops/migrate/internal.h"

#include "base/clock.h"
#include "doc/json.h"

#include <stdio.h>
#include <string.h>

enum { MAX_RECORD = 32 << 20 };

const char *ck_migrate_record_name(struct ck_arena *a, const char *cluster)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_puts(&b, ".ckops/migrate/");
    for (const char *c = cluster; *c; c++) {
        if (*c == '/')
            ck_buf_puts(&b, "%2F"); /* "a" and "a/b" are two clusters, and "a" no folder */
        else
            ck_buf_putc(&b, *c);
    }
    ck_buf_puts(&b, ".json");
    return ck_arena_strdup(a, ck_buf_str(&b));
}

static struct ck_path place(struct ck_arena *a, const struct ck_migrate *m)
{
    return ck_copy_at(a, &m->w.to, ck_migrate_record_name(a, m->o->cluster));
}

/* ---- records ---- */

struct ck_migrate_record *ck_migrate_record(struct ck_migrate *m, const char *name)
{
    return ck_map_get(&m->state.records, name);
}

struct ck_migrate_record *ck_migrate_record_new(struct ck_migrate *m, const char *name)
{
    struct ck_migrate_record *rec = ck_migrate_record(m, name);
    if (!rec) {
        rec = ck_arena_alloc(m->a, sizeof *rec);
        ck_map_put(&m->state.records, name, rec);
    }
    return rec;
}

bool ck_migrate_ours(const struct ck_migrate_record *rec, const char *md5)
{
    if (!rec || !*md5)
        return false;
    for (size_t i = 0; i < rec->n_pending; i++)
        if (strcmp(rec->pending[i], md5) == 0)
            return true;
    return strcmp(rec->base, md5) == 0;
}

void ck_migrate_intend(struct ck_migrate *m, struct ck_migrate_record *rec, const char *md5,
                       const char *now)
{
    if (ck_migrate_ours(rec, md5))
        return;
    if (rec->n_pending == CK_MIGRATE_PENDING) {
        size_t drop = strcmp(rec->pending[0], now) == 0; /* the oldest that is not there now */
        memmove(rec->pending[drop], rec->pending[drop + 1],
                (CK_MIGRATE_PENDING - drop - 1) * sizeof rec->pending[0]);
        rec->n_pending--;
    }
    memcpy(rec->pending[rec->n_pending++], md5, strlen(md5) + 1);
    m->state.dirty = true;
}

void ck_migrate_settle(struct ck_migrate *m, struct ck_migrate_record *rec, const char *md5)
{
    rec->seen = true;
    if (!rec->n_pending && strcmp(rec->base, md5) == 0)
        return;
    memcpy(rec->base, md5, CK_COPY_MD5);
    rec->n_pending = 0;
    m->state.dirty = true;
}

/* ---- reading ---- */

static bool is_md5(const struct ck_val *v)
{
    const char *s = ck_str_or(v, NULL);
    return s && strlen(s) == CK_COPY_MD5 - 1 && strspn(s, "0123456789abcdef") == CK_COPY_MD5 - 1;
}

static bool read_file(struct ck_migrate *m, const struct ck_pair *p)
{
    struct ck_migrate_record *rec = ck_migrate_record_new(m, p->key.ptr);
    size_t n = ck_len(p->val);
    if (!ck_is_list(p->val) || !n || n > CK_MIGRATE_PENDING + 1)
        return false;
    if (is_md5(ck_item(p->val, 0)))
        memcpy(rec->base, ck_item(p->val, 0)->s.ptr, CK_COPY_MD5);
    else if (!ck_is_str(ck_item(p->val, 0), ""))
        return false;
    for (size_t i = 1; i < n; i++) {
        const struct ck_val *v = ck_item(p->val, i);
        if (!is_md5(v) && !ck_is_str(v, CK_MIGRATE_GONE))
            return false;
        memcpy(rec->pending[rec->n_pending++], v->s.ptr, v->s.len + 1);
    }
    return true;
}

static int decode(struct ck_migrate *m, const char *text, struct ck_slice content,
                  struct ck_err *err)
{
    struct ck_migrate_state *s = &m->state;
    struct ck_val *v = NULL;
    int r = ck_json_parse(m->a, content, MAX_RECORD, &v, err);
    const struct ck_val *files = ck_get(v, "files"), *folders = ck_get(v, "folders");
    bool good = r == 0 && ck_int_at(v, "version", 0) == 1 && ck_is_map(files) &&
                ck_is_list(folders) && strcmp(ck_str_at(v, "cluster"), m->o->cluster) == 0;
    for (size_t i = 0; good && i < ck_len(files); i++)
        good = read_file(m, &files->map.v[i]);
    for (size_t i = 0; good && i < ck_len(folders); i++)
        good = *ck_str_or(ck_item(folders, i), "") != '\0';
    if (!good) {
        ck_err_done(err);
        return ck_fail(err, CK_INVALID,
                       "%s is not the record of a migration that this version can read: nothing "
                       "was changed",
                       text);
    }
    if (strcmp(ck_str_at(v, "from"), m->ret->from) != 0)
        return ck_fail(
            err, CK_EXISTS,
            "%s says that cluster \"%s\" comes from %s, not from %s: nothing was changed", text,
            m->o->cluster, ck_str_at(v, "from"), m->ret->from);
    snprintf(s->started, sizeof s->started, "%s", ck_str_at(v, "started"));
    snprintf(s->completed, sizeof s->completed, "%s", ck_str_at(v, "completed"));
    s->rolling_back = ck_bool_at(v, "rollingBack", false);
    s->folders = ck_val_clone(m->a, folders);
    s->there = true;
    return 0;
}

int ck_migrate_load(struct ck_migrate *m, struct ck_err *err)
{
    struct ck_path at = place(m->a, m);
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(MAX_RECORD);
    m->state = (struct ck_migrate_state){.folders = ck_list(m->a)};
    int r = ck_vfs_read(&at, &b, &m->state.version, err);
    if (r == -(int)CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    if (r < 0)
        return ck_wrap(err, "the record of the migration");
    return decode(m, ck_path_text(m->a, &at), ck_buf_slice(&b), err);
}

/* ---- writing ---- */

static void encode(const struct ck_migrate *m, struct ck_arena *a, struct ck_buf *out)
{
    const struct ck_migrate_state *s = &m->state;
    struct ck_val *v = ck_map(a), *files = ck_map(a);
    ck_set_int(a, v, "version", 1);
    ck_set_str(a, v, "cluster", m->o->cluster);
    ck_set_str(a, v, "from", m->ret->from);
    ck_set_str(a, v, "started", s->started);
    if (*s->completed)
        ck_set_str(a, v, "completed", s->completed);
    if (s->rolling_back)
        ck_set_bool(a, v, "rollingBack", true);
    ck_set(a, v, "folders", ck_val_clone(a, s->folders));
    for (size_t i = 0; i < s->records.n; i++) {
        const struct ck_migrate_record *rec = s->records.e[i].val;
        if (!rec)
            continue;
        struct ck_val *l = ck_list(a);
        ck_append_str(a, l, rec->base);
        for (size_t k = 0; k < rec->n_pending; k++)
            ck_append_str(a, l, rec->pending[k]);
        ck_set(a, files, s->records.e[i].key, l);
    }
    ck_set(a, v, "files", files);
    ck_json_emit(out, v, (struct ck_json_style){.order = CK_JSON_AS_IS});
    ck_buf_putc(out, '\n');
}

int ck_migrate_save(struct ck_migrate *m, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_migrate_state *s = &m->state;
    struct ck_path at = place(a, m);
    if (!*s->started)
        ck_rfc3339(ck_now_s(), s->started);
    encode(m, a, &b);
    struct ck_version was = s->version;
    struct ck_write_opts o = {.mode = s->there ? CK_WRITE_IF_UNCHANGED : CK_WRITE_CREATE,
                              .version = s->there ? &was : NULL};
    int r = ck_vfs_write(&at, ck_buf_slice(&b), &o, &s->version, err);
    /* Some stores name a version only when they are asked. */
    if (r == 0 && !*s->version.token) {
        CK_AUTOBUF struct ck_buf back = CK_BUF_INIT;
        r = ck_vfs_read(&at, &back, &s->version, err);
        if (r == 0 && !ck_slice_eq(ck_buf_slice(&back), ck_buf_slice(&b)))
            r = ck_fail(err, CK_CONFLICT, "someone else wrote it meanwhile");
    }
    if (r == -(int)CK_EXISTS)
        err->code = CK_CONFLICT;
    if (r < 0)
        return ck_wrap(err, "the record of the migration");
    s->there = true;
    s->dirty = false;
    return 0;
}

int ck_migrate_forget(struct ck_migrate *m, struct ck_err *err)
{
    struct ck_path at = place(m->a, m);
    int r = ck_vfs_remove(&at, &m->state.version, err);
    if (r == -(int)CK_NOT_FOUND) {
        ck_err_done(err);
        r = 0;
    }
    return r;
}
