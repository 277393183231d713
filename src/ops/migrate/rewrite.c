/* The fields of a cluster that say where it lies, found and rewritten in place: everything else
 * stays as it was written, comments and order included. */
#include "ops/migrate/internal.h"

#include "doc/yaml.h"

#include <string.h>

/* v1alpha2, and v1alpha3 where it differs. */
static const char *const FIELDS[] = {
    "spec.configBase",           "spec.keyStore",
    "spec.secretStore",          "spec.configStore.base",
    "spec.configStore.keypairs", "spec.configStore.secrets",
};

/* ---- places ---- */

const char *ck_migrate_below(struct ck_arena *a, struct ck_copy_pair *w, const char *value)
{
    struct ck_path p;
    const struct ck_path *root = &w->from.root;
    CK_AUTOERR ignored = CK_ERR_INIT;
    if (!*value || ck_vfs_parse(&w->from.ctx, value, &p, &ignored) < 0 ||
        p.vfs->ops != root->vfs->ops)
        return NULL;
    const char *key = p.key, *base = root->key;
    if (root->vfs->ops->absolute_keys) {
        key = ck_copy_real(a, key);
        base = ck_copy_real(a, base);
    } else if (p.vfs != root->vfs) {
        return NULL;
    }
    if (!ck_copy_within(key, base))
        return NULL;
    const char *rel = key + strlen(base);
    rel += strspn(rel, "/");
    size_t n = strlen(rel);
    while (n && rel[n - 1] == '/')
        n--;
    /* What climbs out of the store again is not below it. */
    if (!n || ck_path_join(a, root, rel, &p, &ignored) < 0)
        return NULL;
    return ck_arena_strndup(a, rel, n);
}

const char *ck_migrate_text(struct ck_arena *a, const struct ck_copy_view *v, const char *rel)
{
    struct ck_path p = *rel ? ck_copy_at(a, v, rel) : v->root;
    if (!p.vfs->ops->absolute_keys) {
        const char *text = ck_path_location(a, &p);
        size_t n = strlen(text);
        bool slash = n > 1 && text[n - 1] == '/' && text[n - 2] != '/'; /* of a bucket's root */
        return slash ? ck_arena_strndup(a, text, n - 1) : text;
    }
    const char *real = ck_copy_real(a, p.key);
    return real[0] == '/' && real[1] == '/' ? real + 1 : real;
}

/* ---- fields ---- */

struct place {
    struct ck_val **at; /* the string's place in the tree */
    const char *path;
};

static struct ck_val **step(struct ck_val **at, const char *key)
{
    struct ck_pair *p = ck_is_map(*at) ? ck_pair_of(*at, ck_slice_of(key)) : NULL;
    return p ? &p->val : NULL;
}

static struct ck_val **walk(struct ck_val **at, const char *path)
{
    struct ck_slice rest = ck_slice_of(path), key;
    char name[64];
    while (at && ck_slice_next(&rest, '.', &key)) {
        memcpy(name, key.ptr, key.len);
        name[key.len] = '\0';
        at = step(at, name);
    }
    return at && (*at)->kind == CK_STR ? at : NULL;
}

/* fn for every field that names a place of the cluster. */
static void each_place(struct ck_arena *a, struct ck_val **root,
                       void (*fn)(void *arg, struct place p), void *arg)
{
    struct ck_val **at;
    for (size_t i = 0; i < CK_ARRAY_LEN(FIELDS); i++)
        if ((at = walk(root, FIELDS[i])))
            fn(arg, (struct place){at, FIELDS[i]});
    const struct ck_val *etcd = ck_at(*root, "spec.etcdClusters");
    for (uint32_t i = 0; ck_is_list(etcd) && i < etcd->list.n; i++)
        if ((at = walk(&etcd->list.v[i], "backups.backupStore")))
            fn(arg, (struct place){
                        at, ck_arena_printf(a, "spec.etcdClusters[%u].backups.backupStore", i)});
}

/* ---- patching ---- */

struct patch {
    struct ck_arena *a;
    struct ck_copy_pair *w;
    struct ck_buf text; /* patched so far; positions before the patch still hold */
    struct ck_slice original;
    size_t done; /* of the original */
    bool whole;  /* every field could be patched in place */
    bool any;
};

/* Where line and column of a value are; false beyond the text, or where columns are not bytes. */
static bool offset_of(struct ck_slice text, struct ck_pos pos, size_t *ret)
{
    size_t at = 0;
    for (uint32_t line = 1; line < pos.line; line++) {
        const char *nl = memchr(text.ptr + at, '\n', text.len - at);
        if (!nl)
            return false;
        at = (size_t)(nl - text.ptr) + 1;
    }
    if (!pos.line || !pos.col || pos.col - 1 > text.len - at)
        return false;
    for (size_t i = 0; i + 1 < pos.col; i++)
        if ((unsigned char)text.ptr[at + i] >= 0x80)
            return false;
    *ret = at + pos.col - 1;
    return true;
}

/* The bytes at `at` that spell the value: plain, or in quotes without escapes. 0: not so. */
static size_t spelled(struct ck_slice text, size_t at, struct ck_slice value)
{
    char quote = at < text.len ? text.ptr[at] : '\0';
    size_t q = quote == '"' || quote == '\'';
    if (text.len - at < value.len + 2 * q || memcmp(text.ptr + at + q, value.ptr, value.len) != 0)
        return 0;
    if (q && text.ptr[at + 1 + value.len] != quote)
        return 0;
    return value.len + 2 * q;
}

static void replace(void *arg, struct place p)
{
    struct patch *x = arg;
    const struct ck_val *old = *p.at;
    const char *rel = ck_migrate_below(x->a, x->w, ck_str_or(old, ""));
    if (!rel)
        return;
    struct ck_val *new = ck_str(x->a, ck_migrate_text(x->a, &x->w->to, rel));
    size_t at = 0, n = 0;
    if (offset_of(x->original, old->pos, &at) && at >= x->done)
        n = spelled(x->original, at, old->s);
    *p.at = new;
    x->any = true;
    x->whole = x->whole && n;
    if (!x->whole)
        return;
    ck_buf_putn(&x->text, x->original.ptr + x->done, at - x->done);
    char quote = x->original.ptr[at];
    if (quote == '"' || quote == '\'')
        ck_buf_fmt(&x->text, "%c%s%c", quote, new->s.ptr, quote);
    else
        ck_buf_puts(&x->text, new->s.ptr);
    x->done = at + n;
}

/* In the order of the text. */
struct sorted {
    struct place v[64];
    size_t n;
};

static void collect(void *arg, struct place p)
{
    struct sorted *s = arg;
    size_t i = s->n;
    if (s->n == CK_ARRAY_LEN(s->v))
        return;
    for (; i; i--) {
        struct ck_pos x = (*s->v[i - 1].at)->pos, y = (*p.at)->pos;
        if (x.line < y.line || (x.line == y.line && x.col <= y.col))
            break;
        s->v[i] = s->v[i - 1];
    }
    s->v[i] = p;
    s->n++;
}

int ck_migrate_rewrite(struct ck_arena *a, struct ck_copy_pair *w, struct ck_slice text,
                       struct ck_slice *ret, struct ck_val **ret_tree, struct ck_err *err)
{
    struct ck_val *tree = NULL, *again = NULL;
    int r = ck_yaml_parse(a, text, NULL, &tree, NULL, err);
    if (r < 0 || !ck_is_map(tree))
        return r < 0 ? r : ck_fail(err, CK_INVALID, "it is not a Kubernetes object");
    if (ret_tree)
        *ret_tree = ck_val_clone(a, tree);
    struct sorted places = {.n = 0};
    struct patch x = {.a = a, .w = w, .original = text, .whole = true};
    each_place(a, &tree, collect, &places);
    for (size_t i = 0; i < places.n; i++)
        replace(&x, places.v[i]);
    ck_buf_putn(&x.text, text.ptr + x.done, text.len - x.done);
    /* What was patched must say what was meant; anything odd is written anew, as kOps would. */
    CK_AUTOERR ignored = CK_ERR_INIT;
    if (x.any &&
        (!x.whole || ck_yaml_parse(a, ck_buf_slice(&x.text), NULL, &again, NULL, &ignored) < 0 ||
         !ck_val_eq(tree, again))) {
        ck_buf_reset(&x.text);
        ck_yaml_emit(&x.text, tree);
    }
    *ret = ck_arena_slice(a, ck_buf_slice(&x.text));
    ck_buf_wipe(&x.text);
    return 0;
}

/* ---- what the user is told ---- */

static void add(struct ck_migrate *m, const char *path, const char *from, const char *to)
{
    struct ck_migrate_result *r = m->ret;
    if (r->n_fields == r->cap_fields) {
        size_t cap = r->cap_fields ? r->cap_fields * 2 : 16;
        struct ck_migrate_field *v = ck_arena_alloc(m->a, cap * sizeof *v);
        if (r->n_fields)
            memcpy(v, r->fields, r->n_fields * sizeof *v);
        r->fields = v;
        r->cap_fields = cap;
    }
    r->fields[r->n_fields++] =
        (struct ck_migrate_field){ck_arena_strdup(m->a, path), ck_arena_strdup(m->a, from),
                                  to ? ck_arena_strdup(m->a, to) : NULL};
}

static bool told(const struct ck_migrate *m, const char *path)
{
    for (size_t i = 0; i < m->ret->n_fields; i++)
        if (strcmp(m->ret->fields[i].path, path) == 0)
            return true;
    return false;
}

static void moving(void *arg, struct place p)
{
    struct ck_migrate *m = arg;
    const char *value = ck_str_or(*p.at, ""), *rel = ck_migrate_below(m->look, &m->w, value);
    if (rel)
        add(m, p.path, value, ck_migrate_text(m->look, &m->w.to, rel));
}

static void staying(struct ck_migrate *m, const char *path, const struct ck_val *v)
{
    for (size_t i = 0; i < ck_len(v); i++) {
        if (v->kind == CK_MAP)
            staying(m, ck_arena_printf(m->look, "%s.%.*s", path, CK_SARG(v->map.v[i].key)),
                    v->map.v[i].val);
        else
            staying(m, ck_arena_printf(m->look, "%s[%zu]", path, i), v->list.v[i]);
    }
    /* Only what looks like a place is parsed as one: a bare word would be a local path. */
    const char *s = ck_str_or(v, "");
    bool place = *s == '/' || strstr(s, "://");
    if (place && !told(m, path) && ck_migrate_below(m->look, &m->w, s))
        add(m, path, s, NULL);
}

void ck_migrate_fields(struct ck_migrate *m, const struct ck_val *tree)
{
    struct ck_val *root = (struct ck_val *)tree;
    m->ret->n_fields = 0;
    each_place(m->look, &root, moving, m);
    staying(m, "spec", ck_get(tree, "spec"));
}
