/* The walk over a store: its clusters, what lies beside them, and the findings in order. */
#include "ops/fsck/internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "ops/storetools/internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct ck_fsck_finding *ck_fsck_add(struct ck_arena *a, struct ck_fsck *out,
                                    enum ck_fsck_level level, const char *rule, const char *path,
                                    const char *fmt, ...)
{
    if (out->n == out->cap) {
        size_t cap = out->cap ? out->cap * 2 : 32;
        struct ck_fsck_finding *v = ck_arena_alloc(a, cap * sizeof *v);
        if (out->n)
            memcpy(v, out->v, out->n * sizeof *v);
        out->v = v;
        out->cap = cap;
    }
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    ck_buf_vfmt(&b, fmt, ap);
    va_end(ap);
    struct ck_fsck_finding *f = &out->v[out->n++];
    *f = (struct ck_fsck_finding){.level = level,
                                  .rule = rule,
                                  .path = ck_arena_strdup(a, path),
                                  .text = ck_arena_strdup(a, ck_buf_str(&b))};
    out->count[level]++;
    return f;
}

/* Whether both are one folder, however they are spelled. */
static bool same_folder(struct ck_arena *a, const struct ck_path *x, const struct ck_path *y)
{
    if (!ck_vfs_same_container(a, x, y))
        return false;
    bool local = x->vfs->ops->absolute_keys;
    const char *p = local ? ck_copy_real(a, x->key) : x->key;
    const char *q = local ? ck_copy_real(a, y->key) : y->key;
    return ck_copy_within(p, q) && ck_copy_within(q, p);
}

/* The files of a cluster whose configBase is not its folder. That of a copy is in another store,
 * which need not be open to whoever looks at the copy. */
static int elsewhere(struct ck_fsck_cluster *c, struct ck_err *err)
{
    struct ck_path base;
    CK_AUTOERR why = CK_ERR_INIT;
    const char *own = ck_path_text(c->a, &c->dir);
    if (ck_layout_config_base(c->a, c->s, &c->obj, &base, &why) < 0) {
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "config-base", own, "%s", ck_err_msg(&why));
        return 0;
    }
    const char *text = ck_path_text(c->a, &base);
    size_t before = c->out->files;
    if (same_folder(c->a, &base, &c->dir))
        return 0;
    int r = ck_fsck_files(c, &base, &why);
    c->base_closed = r < 0 && !ck_vfs_same_container(c->a, &base, &c->dir);
    if (r < 0 && !c->base_closed)
        return ck_err_move(err, &why);
    if (r < 0)
        ck_fsck_add(c->a, c->out, CK_FSCK_WARNING, "config-base", own,
                    "its configBase is %s, which could not be looked at: %s", text,
                    ck_err_msg(&why));
    else if (c->out->files == before)
        ck_fsck_add(c->a, c->out, CK_FSCK_WARNING, "config-base", own,
                    "its configBase is %s, where no files are", text);
    return 0;
}

static int one(struct ck_arena *a, const struct ck_store *s, const struct ck_fsck_opts *opts,
               const char *name, struct ck_fsck *out, struct ck_err *err)
{
    struct ck_fsck_cluster c = {
        .a = a, .s = s, .opts = opts, .out = out, .name = name, .groups_whole = true};
    out->clusters++;
    int r = ck_layout_cluster(a, s, name, &c.dir, err);
    if (r == 0)
        r = ck_fsck_files(&c, &c.dir, err);
    if (r == 0 && c.loaded)
        r = elsewhere(&c, err);
    if (r == 0)
        r = ck_fsck_keysets(&c, err);
    if (r == 0)
        ck_fsck_together(&c);
    free(c.groups);
    return r;
}

/* ---- beside the clusters ---- */

static bool in_cluster(const struct ck_strv *names, const char *rel)
{
    for (size_t i = 0; i < names->n; i++) {
        size_t n = strlen(names->v[i]);
        if (strncmp(rel, names->v[i], n) == 0 && rel[n] == '/')
            return true;
    }
    return false;
}

/* Files of no cluster, one finding per folder of the first level. */
static int beside(struct ck_arena *a, const struct ck_store *s, const struct ck_strv *names,
                  struct ck_fsck *out, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_entries e = {0};
    int r = ck_vfs_tree(&s->root, tmp, &e, err);
    const char *said = "";
    for (size_t i = 0; r == 0 && i < e.n; i++) {
        const char *rel = e.v[i].name;
        if (rel[0] == '.' || in_cluster(names, rel))
            continue;
        size_t n = strcspn(rel, "/");
        const char *top = ck_arena_strndup(tmp, rel, n);
        struct ck_path p = {s->root.vfs, e.v[i].key};
        if (!rel[n]) {
            ck_fsck_add(a, out, CK_FSCK_WARNING, "stray-file", ck_path_text(a, &p),
                        "it lies beside the clusters");
        } else if (strcmp(said, top) != 0) {
            said = top;
            ck_fsck_add(a, out, CK_FSCK_WARNING, "no-config", ck_path_text(a, &p),
                        "it is in a folder that is no cluster: there is no config above it");
        }
        out->files++;
    }
    return r;
}

static int in_order(const void *x, const void *y)
{
    const struct ck_fsck_finding *f = x, *g = y;
    int c = strcmp(f->path, g->path);
    if (!c)
        c = strcmp(f->rule, g->rule);
    return c ? c : strcmp(f->text, g->text);
}

int ck_fsck_run(struct ck_arena *a, const struct ck_store *s, const struct ck_fsck_opts *opts,
                struct ck_fsck *ret, struct ck_err *err)
{
    CK_AUTOSTRV names = {0};
    *ret = (struct ck_fsck){0};
    int r = 0;
    if (*opts->cluster) {
        struct ck_path config;
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        r = ck_layout_config(a, s, opts->cluster, &config, err);
        if (r == 0)
            r = ck_vfs_read(&config, &b, NULL, err);
        if (r == -(int)CK_NOT_FOUND)
            return ck_fail(err, CK_NOT_FOUND, "cluster \"%s\" not found", opts->cluster);
        ck_strv_push(&names, opts->cluster);
    } else {
        r = ck_vfs_find_names(&s->root, "config", &names, err);
    }
    for (size_t i = 0; r == 0 && i < names.n; i++)
        r = one(a, s, opts, names.v[i], ret, err);
    if (r == 0 && !*opts->cluster)
        r = beside(a, s, &names, ret, err);
    if (r < 0)
        return r;
    ck_fsck_local(a, &s->root, opts->cluster, opts->now_s, ret);
    if (ret->n)
        qsort(ret->v, ret->n, sizeof *ret->v, in_order);
    return 0;
}
