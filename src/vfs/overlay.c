/* The layer of overlay.h. Each container gets one of its own: a map of what was written or removed
 * over the store's container. No operation of it calls a writing operation of the store. */
#include "vfs/overlay.h"

#include <stdio.h>
#include <string.h>

struct file {
    struct ck_slice data; /* in the context's arena */
    bool gone;
    uint64_t version;
};

struct overlay {
    struct ck_vfs v;
    struct ck_vfs_ops ops; /* the store's flags with the layer's functions */
    struct ck_vfs *base;
    struct ck_map files; /* key → struct file */
    uint64_t clock;
};

static const char ABSENT[] = "file does not exist";

static struct overlay *of(struct ck_vfs *v)
{
    return (struct overlay *)v;
}

static void put_version(const struct file *f, struct ck_version *ret)
{
    if (ret)
        snprintf(ret->token, sizeof ret->token, "layer-%llu", (unsigned long long)f->version);
}

static int read_one(struct ck_vfs *v, const char *key, struct ck_buf *out, struct ck_version *ret,
                    struct ck_err *err)
{
    struct overlay *o = of(v);
    const struct file *f = ck_map_get(&o->files, key);
    struct ck_version ignored;
    if (!f)
        return o->base->ops->read(o->base, key, out, ret ? ret : &ignored, err);
    if (f->gone)
        return ck_fail(err, CK_NOT_FOUND, "%s", ABSENT);
    ck_buf_put(out, f->data);
    put_version(f, ret);
    return 0;
}

/* The version a writer must know: "" when there is nothing. */
static int current(struct overlay *o, const char *key, struct ck_version *ret, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf ignored = CK_BUF_INIT;
    CK_AUTOERR missing = CK_ERR_INIT;
    int r = read_one(&o->v, key, &ignored, ret, &missing);
    if (r == -CK_NOT_FOUND) {
        ret->token[0] = '\0';
        return 0;
    }
    return r ? ck_err_move(err, &missing) : 0;
}

static struct file *put(struct overlay *o, const char *key)
{
    struct file *f = ck_map_get(&o->files, key);
    if (!f) {
        f = ck_arena_alloc(o->v.ctx->arena, sizeof *f);
        ck_map_put(&o->files, key, f);
    }
    f->version = ++o->clock;
    return f;
}

static int write_one(struct ck_vfs *v, const char *key, struct ck_slice data,
                     const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err)
{
    struct overlay *o = of(v);
    struct ck_version now = {""};
    int r = opts->mode == CK_WRITE_ANY ? 0 : current(o, key, &now, err);
    if (r)
        return r;
    if (opts->mode == CK_WRITE_CREATE && now.token[0])
        return ck_fail(err, CK_EXISTS, "file already exists");
    if (opts->mode == CK_WRITE_IF_UNCHANGED && strcmp(now.token, opts->version->token))
        return ck_fail(err, CK_CONFLICT, "%s was changed by someone else since it was read", key);
    struct file *f = put(o, key);
    f->gone = false;
    f->data = ck_arena_slice(v->ctx->arena, data);
    put_version(f, ret);
    return 0;
}

static int remove_one(struct ck_vfs *v, const char *key, const struct ck_version *version,
                      struct ck_err *err)
{
    struct overlay *o = of(v);
    struct ck_version now = {""};
    int r = current(o, key, &now, err);
    if (r)
        return r;
    if (!now.token[0])
        return ck_fail(err, CK_NOT_FOUND, "%s", ABSENT);
    if (version && strcmp(now.token, version->token))
        return ck_fail(err, CK_CONFLICT, "%s was changed by someone else since it was read", key);
    put(o, key)->gone = true;
    return 0;
}

/* ---- listings: the store's, without what is gone, with what is new ---- */

typedef int (*list_fn)(struct ck_vfs *v, const char *key, struct ck_arena *a,
                       struct ck_entries *ret, struct ck_err *err);

/* A store that has no such folder may still get one from the layer. */
static int base_list(struct overlay *o, list_fn fn, const char *key, struct ck_arena *a,
                     struct ck_entries *ret, struct ck_err *err)
{
    CK_AUTOERR missing = CK_ERR_INIT;
    int r = fn(o->base, key, a, ret, &missing);
    if (r == -CK_NOT_FOUND && o->files.n) {
        *ret = (struct ck_entries){0};
        return 0;
    }
    return r ? ck_err_move(err, &missing) : 0;
}

/* The part of a file's key below folder `key`; NULL when it is not below it. */
static const char *below(const char *file, const char *key)
{
    size_t n = strlen(key);
    if (!n)
        return file;
    if (strncmp(file, key, n) || (key[n - 1] != '/' && file[n] != '/'))
        return NULL;
    return file + n + (key[n - 1] != '/');
}

static bool has_key(const struct ck_entries *e, const char *key)
{
    for (size_t i = 0; i < e->n; i++)
        if (!strcmp(e->v[i].key, key))
            return true;
    return false;
}

static void drop_gone(const struct overlay *o, struct ck_entries *e)
{
    size_t kept = 0;
    for (size_t i = 0; i < e->n; i++) {
        const struct file *f = ck_map_get(&o->files, e->v[i].key);
        if (!f || !f->gone)
            e->v[kept++] = e->v[i];
    }
    e->n = kept;
}

enum depth { FILES, FOLDERS, TREE };

static void add_new(const struct overlay *o, const char *key, enum depth depth, struct ck_arena *a,
                    struct ck_entries *e)
{
    for (size_t i = 0; i < o->files.n; i++) {
        const struct file *f = o->files.e[i].val;
        const char *full = o->files.e[i].key, *rel = below(full, key);
        const char *slash = rel ? strchr(rel, '/') : NULL;
        if (!rel || !*rel || f->gone || (depth == FILES && slash) || (depth == FOLDERS && !slash))
            continue;
        const char *name = depth == FOLDERS ? ck_arena_strndup(a, rel, (size_t)(slash - rel))
                                            : ck_arena_strdup(a, rel);
        const char *entry = ck_arena_strndup(a, full, (size_t)(rel - full) + strlen(name));
        if (!has_key(e, entry))
            ck_entries_add(a, e,
                           (struct ck_entry){.key = entry,
                                             .name = name,
                                             .size = depth == FOLDERS ? 0 : (int64_t)f->data.len});
    }
    ck_entries_sort(e);
}

static int list_files(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                      struct ck_err *err)
{
    struct overlay *o = of(v);
    int r = base_list(o, o->base->ops->list, key, a, ret, err);
    if (r)
        return r;
    drop_gone(o, ret);
    add_new(o, key, FILES, a, ret);
    return 0;
}

static int list_folders(struct ck_vfs *v, const char *key, struct ck_arena *a,
                        struct ck_entries *ret, struct ck_err *err)
{
    struct overlay *o = of(v);
    int r = base_list(o, o->base->ops->list_dirs, key, a, ret, err);
    if (!r)
        add_new(o, key, FOLDERS, a, ret);
    return r;
}

static int list_tree(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                     struct ck_err *err)
{
    struct overlay *o = of(v);
    int r = base_list(o, o->base->ops->tree, key, a, ret, err);
    if (r)
        return r;
    drop_gone(o, ret);
    add_new(o, key, TREE, a, ret);
    return 0;
}

/* ---- many at once: the store's way while the layer is empty ---- */

static int read_many(struct ck_vfs *v, const char *const *keys, size_t n, ck_bulk_fn fn, void *arg,
                     struct ck_err *err)
{
    struct overlay *o = of(v);
    if (!o->files.n && o->base->ops->read_many)
        return o->base->ops->read_many(o->base, keys, n, fn, arg, err);
    for (size_t i = 0; i < n; i++) {
        CK_AUTOBUF struct ck_buf data = CK_BUF_INIT;
        CK_AUTOERR item = CK_ERR_INIT;
        struct ck_version version = {""};
        read_one(v, keys[i], &data, &version, &item);
        int r = fn(arg, i, ck_buf_slice(&data), &version, &item);
        if (r < 0)
            return r;
    }
    return 0;
}

static int locate(struct ck_vfs *v, const char *key, bool dualstack, struct ck_arena *a,
                  struct ck_vfs_place *ret, struct ck_err *err)
{
    struct ck_vfs *base = of(v)->base;
    return base->ops->locate ? base->ops->locate(base, key, dualstack, a, ret, err) : 0;
}

static char *text(struct ck_vfs *v, const char *key, struct ck_arena *a)
{
    return of(v)->base->ops->text(of(v)->base, key, a);
}

/* The store's container is closed on its own. */
static void close_layer(struct ck_vfs *v)
{
    ck_map_done(&of(v)->files);
}

void ck_vfs_overlay_start(struct ck_vfs_ctx *ctx)
{
    ctx->overlay = true;
}

struct ck_vfs *ck_vfs_overlay_of(struct ck_vfs_ctx *ctx, struct ck_vfs *base)
{
    if (!ctx->overlay || base->ops->close == close_layer)
        return base;
    for (struct ck_vfs *v = ctx->opened; v; v = v->next)
        if (v->ops->close == close_layer && of(v)->base == base)
            return v;
    struct overlay *o = ck_arena_alloc(ctx->arena, sizeof *o);
    o->base = base;
    o->ops = (struct ck_vfs_ops){
        .scheme = base->ops->scheme,
        .read = read_one,
        .write = write_one,
        .remove = remove_one,
        .list = list_files,
        .list_dirs = list_folders,
        .tree = list_tree,
        .read_many = read_many,
        .locate = locate,
        .text = text,
        .close = close_layer,
        .cluster_readable = base->ops->cluster_readable,
        .terraform = base->ops->terraform,
        .absolute_keys = base->ops->absolute_keys,
        .folders = base->ops->folders,
    };
    o->v = (struct ck_vfs){
        .ops = &o->ops, .ctx = ctx, .container = base->container, .next = ctx->opened};
    ctx->opened = &o->v;
    return &o->v;
}
