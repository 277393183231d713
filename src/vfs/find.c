/* Finding clusters: folders, at any depth, that hold a file of a given name. Level by level: list
 * the folders, read the file in each; where there is none look one level further down. What lies
 * beneath a folder that has the file is never looked at. kOps lists the whole store instead. */
#include "base/map.h"
#include "base/mem.h"
#include "vfs/vfs.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 8, AT_ONCE = 2048, MAX_FOUND = 1000000 };

struct found {
    const char *name; /* relative to the root */
    struct ck_slice data;
    struct ck_version version;
    struct ck_err err;
};

struct search {
    struct ck_arena *a;
    const struct ck_path *root;
    const char *leaf;
    ck_find_fn fn;
    void *arg;
    const char **names; /* of the level, relative; sorted */
    size_t n, cap;
    const char **below; /* folders without the file: the next level's parents */
    size_t n_below, cap_below;
    bool names_only;
    /* deeper results wait here so that the whole comes out in order */
    struct found *kept;
    size_t n_kept, cap_kept;
    const char **keys;
    size_t offset;
};

static const char *join(struct ck_arena *a, const char *dir, const char *name)
{
    size_t n = strlen(dir);
    return ck_arena_printf(a, "%s%s%s", dir, n && dir[n - 1] != '/' ? "/" : "", name);
}

static void push(struct ck_arena *a, const char ***v, size_t *n, size_t *cap, const char *s)
{
    if (*n == *cap) {
        size_t c = *cap ? *cap * 2 : 64;
        const char **p = ck_arena_alloc(a, c * sizeof *p);
        if (*n)
            memcpy(p, *v, *n * sizeof *p);
        *v = p;
        *cap = c;
    }
    (*v)[(*n)++] = s;
}

static struct found *add(struct search *s, const char *name, struct ck_err *item_err)
{
    if (s->n_kept == s->cap_kept) {
        size_t c = s->cap_kept ? s->cap_kept * 2 : 64;
        s->kept = ck_xrealloc(s->kept, c * sizeof *s->kept);
        s->cap_kept = c;
    }
    struct found *f = &s->kept[s->n_kept++];
    *f = (struct found){.name = name, .err = *item_err};
    *item_err = (struct ck_err)CK_ERR_INIT;
    return f;
}

static int keep(void *arg, size_t i, struct ck_slice data, const struct ck_version *version,
                struct ck_err *item_err)
{
    struct search *s = arg;
    const char *name = s->names[s->offset + i];
    if (item_err->code == CK_NOT_FOUND) {
        push(s->a, &s->below, &s->n_below, &s->cap_below, name);
        return 0;
    }
    struct found *f = add(s, name, item_err);
    f->version = *version;
    if (f->err.code == CK_OK && !s->names_only)
        f->data = ck_slice_n(ck_xstrndup(data.ptr, data.len), data.len);
    return 0;
}

static int by_name(const void *x, const void *y)
{
    return strcmp(((const struct found *)x)->name, ((const struct found *)y)->name);
}

static void forget(struct search *s, size_t from)
{
    for (size_t i = from; i < s->n_kept; i++) {
        free((void *)s->kept[i].data.ptr);
        ck_err_done(&s->kept[i].err);
    }
    s->n_kept = from;
}

/* Hand over what has been found, in order, and let it go. */
static int deliver(struct search *s, struct ck_err *err)
{
    int r = 0;
    if (s->n_kept)
        qsort(s->kept, s->n_kept, sizeof *s->kept, by_name);
    for (size_t i = 0; r == 0 && i < s->n_kept; i++) {
        struct found *f = &s->kept[i];
        r = s->fn(s->arg, f->name, f->data.ptr ? f->data : CK_S(""), &f->version, &f->err);
        free((void *)f->data.ptr);
        f->data.ptr = NULL;
        if (r < 0 && f->err.code != CK_OK && err)
            ck_err_move(err, &f->err);
    }
    forget(s, 0);
    return r;
}

static int read_level(struct search *s, bool last, struct ck_err *err)
{
    const char *base = s->root->key;
    for (s->offset = 0; s->offset < s->n; s->offset += AT_ONCE) {
        size_t n = s->n - s->offset < AT_ONCE ? s->n - s->offset : AT_ONCE;
        CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
        const char **keys = ck_arena_alloc(tmp, n * sizeof *keys);
        for (size_t i = 0; i < n; i++)
            keys[i] = join(tmp, join(tmp, base, s->names[s->offset + i]), s->leaf);
        size_t before = s->n_below;
        int r = ck_vfs_read_many(s->root, keys, n, keep, s, err);
        if (r < 0)
            return r;
        if (s->n_kept > MAX_FOUND)
            return ck_fail(err, CK_LIMIT, "more than %d clusters", MAX_FOUND);
        /* Results may leave at once while no folder had to be put off: nothing deeper can sort
         * between them. */
        if (!s->n_below && before == 0 && last) {
            r = deliver(s, err);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

static int list_one(struct search *s, const char *key, const char *parent, struct ck_arena *a,
                    struct ck_entries *ret, struct ck_err *err)
{
    int r = s->root->vfs->ops->list_dirs(s->root->vfs, key, a, ret, err);
    if (r == 0 || !*parent)
        return r;
    /* gone since the level above was listed, or closed to us: the others are still there */
    if (r == -(int)CK_DENIED && err)
        add(s, parent, err);
    else if (r != -(int)CK_NOT_FOUND)
        return r;
    ck_err_done(err);
    return 0;
}

static int list_level(struct search *s, const char *const *parents, size_t n, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_entries *dirs = ck_arena_alloc(tmp, (n ? n : 1) * sizeof *dirs);
    const char **keys = ck_arena_alloc(tmp, (n ? n : 1) * sizeof *keys);
    for (size_t i = 0; i < n; i++)
        keys[i] = *parents[i] ? join(tmp, s->root->key, parents[i]) : s->root->key;
    const struct ck_vfs_ops *ops = s->root->vfs->ops;
    int r = 0;
    if (ops->list_dirs_many && n > 1) {
        r = ops->list_dirs_many(s->root->vfs, keys, n, tmp, dirs, err);
    } else {
        for (size_t i = 0; r == 0 && i < n; i++)
            r = list_one(s, keys[i], parents[i], tmp, &dirs[i], err);
    }
    s->names = NULL;
    s->n = s->cap = 0;
    for (size_t i = 0; r == 0 && i < n; i++)
        for (size_t k = 0; k < dirs[i].n; k++) {
            const char *name = dirs[i].v[k].name;
            if (*name == '.') /* .git and our own folder: a cluster's name starts with no dot */
                continue;
            push(s->a, &s->names, &s->n, &s->cap,
                 *parents[i] ? ck_arena_printf(s->a, "%s/%s", parents[i], name)
                             : ck_arena_strdup(s->a, name));
        }
    return r;
}

/* ---- stores that find files by name at once ---- */

/* Whether the listing level by level would get to this folder. */
static bool reachable(const char *name)
{
    unsigned depth = 1;
    for (const char *p = name; p; p = strchr(p, '/'), depth += p != NULL) {
        p += *p == '/';
        if (*p == '.')
            return false;
    }
    return depth <= MAX_DEPTH;
}

static int keep_found(void *arg, const char *dir, struct ck_slice data,
                      const struct ck_version *version, struct ck_err *item_err)
{
    struct search *s = arg;
    if (item_err->code == CK_NOT_FOUND || !reachable(dir))
        return 0;
    if (s->n_kept == MAX_FOUND)
        return ck_fail(item_err, CK_LIMIT, "more than %d clusters", MAX_FOUND);
    struct found *f = add(s, ck_arena_strdup(s->a, dir), item_err);
    f->version = *version;
    if (f->err.code == CK_OK && !s->names_only)
        f->data = ck_slice_n(ck_xstrndup(data.ptr ? data.ptr : "", data.len), data.len);
    return 0;
}

/* Drop what lies beneath a folder that has the file. */
static void prune(struct search *s)
{
    struct ck_map names = {0};
    size_t n = 0;
    for (size_t i = 0; i < s->n_kept; i++)
        ck_map_put(&names, s->kept[i].name, s);
    for (size_t i = 0; i < s->n_kept; i++) {
        struct found *f = &s->kept[i];
        bool beneath = false;
        for (const char *p = strchr(f->name, '/'); p && !beneath; p = strchr(p + 1, '/'))
            beneath = ck_map_getn(&names, ck_slice_n(f->name, (size_t)(p - f->name))) != NULL;
        if (beneath) {
            free((void *)f->data.ptr);
            ck_err_done(&f->err);
        } else {
            s->kept[n++] = *f;
        }
    }
    s->n_kept = n;
    ck_map_done(&names);
}

static int search_at_once(struct search *s, struct ck_err *err)
{
    const struct ck_path *root = s->root;
    int r = root->vfs->ops->find(root->vfs, root->key, s->leaf, !s->names_only, keep_found, s, err);
    if (r < 0)
        return r;
    prune(s);
    return deliver(s, err);
}

static int search(struct search *s, struct ck_err *err)
{
    if (s->root->vfs->ops->find)
        return search_at_once(s, err);
    static const char *const top[] = {""};
    const char *const *parents = top;
    size_t n = 1;
    int r = 0;
    for (unsigned depth = 0; r == 0 && n && depth < MAX_DEPTH; depth++) {
        r = list_level(s, parents, n, err);
        s->below = NULL;
        s->n_below = s->cap_below = 0;
        if (r == 0)
            r = read_level(s, depth == 0, err);
        parents = s->below;
        n = s->n_below;
    }
    return r == 0 ? deliver(s, err) : r;
}

int ck_vfs_find(const struct ck_path *root, const char *leaf, ck_find_fn fn, void *arg,
                struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct search s = {.a = a, .root = root, .leaf = leaf, .fn = fn, .arg = arg};
    int r = search(&s, err);
    forget(&s, 0);
    free(s.kept);
    return r;
}

static int add_name(void *arg, const char *name, struct ck_slice data,
                    const struct ck_version *version, struct ck_err *item_err)
{
    ck_strv_push(arg, name);
    return 0;
}

int ck_vfs_find_names(const struct ck_path *root, const char *leaf, struct ck_strv *ret,
                      struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct search s = {
        .a = a, .root = root, .leaf = leaf, .fn = add_name, .arg = ret, .names_only = true};
    int r = search(&s, err);
    forget(&s, 0);
    free(s.kept);
    return r;
}
