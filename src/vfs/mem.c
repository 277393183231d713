/* memfs://: a store in memory, or, with CKOPS_MEMFS_ROOT, in a folder that gives it a life beyond
 * one process (memfs://a/b is then the file ROOT/a/b). Unlike kOps' test store it has real file
 * semantics: only what was written exists, listings are sorted, memfs:///a is memfs://a. */
#include "base/mem.h"
#include "base/enc.h"
#include "vfs/fs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_MAX = 64 << 20 };

struct object {
    char *data;
    size_t len;
    uint64_t version;
};

struct memory {
    struct ck_vfs base;
    struct ck_map objects; /* key → struct object*; NULL once removed */
    uint64_t clock;
};

static struct object *find(struct ck_vfs *v, const char *key)
{
    return ck_map_get(&((struct memory *)v)->objects, key);
}

static void put_version(const struct object *o, struct ck_version *ret)
{
    if (ret)
        snprintf(ret->token, sizeof ret->token, "%llu", (unsigned long long)o->version);
}

static int mem_read(struct ck_vfs *v, const char *key, struct ck_buf *out, struct ck_version *ret,
                    struct ck_err *err)
{
    const struct object *o = find(v, key);
    if (!o)
        return ck_fail(err, CK_NOT_FOUND, "file does not exist");
    size_t max = v->ctx->max_object ? v->ctx->max_object : DEFAULT_MAX;
    if (o->len > max)
        return ck_fail(err, CK_LIMIT, "memfs://%s: more than %zu bytes", key, max);
    ck_buf_putn(out, o->data, o->len);
    put_version(o, ret);
    return 0;
}

static int check(const struct object *o, const char *key, const struct ck_version *version,
                 struct ck_err *err)
{
    struct ck_version now = {""};
    if (o)
        put_version(o, &now);
    if (o && version && strcmp(now.token, version->token) == 0)
        return 0;
    return ck_fail(err, CK_CONFLICT, "memfs://%s was changed by someone else since it was read",
                   key);
}

static int mem_write(struct ck_vfs *v, const char *key, struct ck_slice data,
                     const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err)
{
    struct memory *m = (struct memory *)v;
    struct object *o = find(v, key);
    if (opts->mode == CK_WRITE_CREATE && o)
        return ck_fail(err, CK_EXISTS, "file already exists");
    if (opts->mode == CK_WRITE_IF_UNCHANGED) {
        int r = check(o, key, opts->version, err);
        if (r < 0)
            return r;
    }
    if (!o) {
        o = ck_xcalloc(1, sizeof *o);
        ck_map_put(&m->objects, key, o);
    }
    free(o->data);
    o->data = ck_xmemdup(data.ptr, data.len);
    o->len = data.len;
    o->version = ++m->clock;
    put_version(o, ret);
    return 0;
}

static void drop(struct memory *m, const char *key, struct object *o)
{
    ck_wipe(o->data, o->len);
    free(o->data);
    free(o);
    ck_map_put(&m->objects, key, NULL);
}

static int mem_remove(struct ck_vfs *v, const char *key, const struct ck_version *version,
                      struct ck_err *err)
{
    struct object *o = find(v, key);
    if (version) {
        int r = check(o, key, version, err);
        if (r < 0)
            return r;
    }
    if (!o)
        return ck_fail(err, CK_NOT_FOUND, "remove memfs://%s: file does not exist", key);
    drop((struct memory *)v, key, o);
    return 0;
}

enum what { FILES, DIRS, TREE };

static int mem_walk(struct ck_vfs *v, const char *key, enum what what, struct ck_arena *a,
                    struct ck_entries *ret)
{
    const struct memory *m = (const struct memory *)v;
    struct ck_entries e = {0};
    struct ck_map seen = {0};
    const char *prefix = *key ? ck_arena_printf(a, "%s/", key) : "";
    size_t n = strlen(prefix);
    for (size_t i = 0; i < m->objects.n; i++) {
        const char *k = m->objects.e[i].key;
        const struct object *o = m->objects.e[i].val;
        if (!o || !ck_str_starts(k, prefix))
            continue;
        const char *slash = strchr(k + n, '/');
        if (what == DIRS && slash) {
            char *dir = ck_arena_strndup(a, k, (size_t)(slash - k));
            if (ck_map_put(&seen, dir, dir))
                ck_entries_add(a, &e, (struct ck_entry){.key = dir, .name = dir + n, .size = -1});
        } else if (what != DIRS && (what == TREE || !slash)) {
            char *copy = ck_arena_strdup(a, k);
            ck_entries_add(
                a, &e, (struct ck_entry){.key = copy, .name = copy + n, .size = (int64_t)o->len});
        }
    }
    ck_map_done(&seen);
    ck_entries_sort(&e);
    *ret = e;
    return 0;
}

static int mem_list(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                    struct ck_err *err)
{
    return mem_walk(v, key, FILES, a, ret);
}

static int mem_list_dirs(struct ck_vfs *v, const char *key, struct ck_arena *a,
                         struct ck_entries *ret, struct ck_err *err)
{
    return mem_walk(v, key, DIRS, a, ret);
}

static int mem_tree(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                    struct ck_err *err)
{
    return mem_walk(v, key, TREE, a, ret);
}

static char *mem_text(struct ck_vfs *v, const char *key, struct ck_arena *a)
{
    return ck_arena_printf(a, "memfs://%s", key);
}

static void mem_close(struct ck_vfs *v)
{
    struct memory *m = (struct memory *)v;
    for (size_t i = 0; i < m->objects.n; i++)
        if (m->objects.e[i].val)
            drop(m, m->objects.e[i].key, m->objects.e[i].val);
    ck_map_done(&m->objects);
}

static const struct ck_vfs_ops memory_ops = {
    .scheme = "memfs",
    .read = mem_read,
    .write = mem_write,
    .remove = mem_remove,
    .list = mem_list,
    .list_dirs = mem_list_dirs,
    .tree = mem_tree,
    .text = mem_text,
    .close = mem_close,
    .preferred_hash = CK_MD5,
    .cluster_readable = true,
    .terraform = true,
};

/* ---- with a folder beneath ---- */

static char *folder_text(struct ck_vfs *v, const char *key, struct ck_arena *a)
{
    size_t n = strlen(v->container);
    if (strncmp(key, v->container, n) == 0)
        key += n;
    while (*key == '/')
        key++;
    return ck_arena_printf(a, "memfs://%s", key);
}

static int refuse(struct ck_err *err, const char *url)
{
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(url));
    return ck_fail(err, CK_INVALID, "memfs path not recognized: %s", ck_buf_str(&q));
}

int ck_vfs_parse_mem(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                     struct ck_err *err)
{
    static struct ck_vfs_ops folder_ops; /* the local driver's, with other texts */
    CK_AUTOBUF struct ck_buf key = CK_BUF_INIT;
    struct ck_slice rest = ck_slice_of(url + strlen("memfs://")), step;
    while (ck_slice_next(&rest, '/', &step)) {
        if (ck_slice_eq_str(step, ".."))
            return refuse(err, url);
        if (!step.len || ck_slice_eq_str(step, "."))
            continue;
        if (key.len)
            ck_buf_putc(&key, '/');
        ck_buf_put(&key, step);
    }
    const char *root = ck_env_nonempty(ctx->env, "CKOPS_MEMFS_ROOT");
    if (!root) {
        bool is_new;
        struct ck_vfs *v = ck_vfs_container(ctx, &memory_ops, "", sizeof(struct memory), &is_new);
        *ret = (struct ck_path){v, ck_arena_strndup(ctx->arena, ck_buf_str(&key), key.len)};
        return 0;
    }
    if (!folder_ops.scheme) {
        folder_ops = ck_fs_ops;
        folder_ops.scheme = "memfs";
        folder_ops.text = folder_text;
        folder_ops.terraform = true;
        folder_ops.exposure = NULL; /* keys are no paths there */
        folder_ops.examine = NULL;
    }
    size_t m = strlen(root);
    while (m > 1 && root[m - 1] == '/')
        m--;
    struct ck_fs *f = ck_fs_container(ctx, &folder_ops, ck_arena_strndup(ctx->arena, root, m));
    const struct ck_path top = {&f->base, f->base.container};
    return ck_path_join(ctx->arena, &top, ck_buf_str(&key), ret, err);
}
