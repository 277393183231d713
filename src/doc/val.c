/* Value tree: construction, look-up, comparison. */
#include "doc/val.h"

#include "base/buf.h"

#include <stdarg.h>
#include <string.h>

enum { INDEX_FROM = 24 }; /* maps smaller than this are searched in order */

static struct ck_val *make(struct ck_arena *a, enum ck_kind kind)
{
    struct ck_val *v = ck_arena_alloc(a, sizeof *v);
    v->kind = kind;
    return v;
}

struct ck_val *ck_null(struct ck_arena *a)
{
    return make(a, CK_NULL);
}

struct ck_val *ck_bool(struct ck_arena *a, bool b)
{
    struct ck_val *v = make(a, CK_BOOL);
    v->b = b;
    return v;
}

struct ck_val *ck_int(struct ck_arena *a, int64_t i)
{
    struct ck_val *v = make(a, CK_INT);
    v->i = i;
    return v;
}

struct ck_val *ck_uint(struct ck_arena *a, uint64_t u)
{
    if (u <= INT64_MAX)
        return ck_int(a, (int64_t)u);
    struct ck_val *v = make(a, CK_UINT);
    v->u = u;
    return v;
}

struct ck_val *ck_float(struct ck_arena *a, double f)
{
    struct ck_val *v = make(a, CK_FLOAT);
    v->f = f;
    return v;
}

struct ck_val *ck_strn(struct ck_arena *a, struct ck_slice s)
{
    struct ck_val *v = make(a, CK_STR);
    v->s = ck_arena_slice(a, s);
    return v;
}

struct ck_val *ck_str(struct ck_arena *a, const char *s)
{
    return ck_strn(a, ck_slice_of(s));
}

struct ck_val *ck_strf(struct ck_arena *a, const char *fmt, ...)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    ck_buf_vfmt(&b, fmt, ap);
    va_end(ap);
    return ck_strn(a, ck_buf_slice(&b));
}

struct ck_val *ck_list(struct ck_arena *a)
{
    return make(a, CK_LIST);
}

struct ck_val *ck_map(struct ck_arena *a)
{
    return make(a, CK_MAP);
}

struct ck_val *ck_val_clone(struct ck_arena *a, const struct ck_val *v)
{
    if (!v)
        return NULL;
    struct ck_val *c = ck_arena_memdup(a, v, sizeof *v);
    switch (v->kind) {
    case CK_STR:
        c->s = ck_arena_slice(a, v->s);
        break;
    case CK_LIST:
        c->list.v = NULL;
        c->list.n = c->list.cap = 0;
        for (uint32_t i = 0; i < v->list.n; i++)
            ck_append(a, c, ck_val_clone(a, v->list.v[i]));
        break;
    case CK_MAP:
        c->map.v = NULL;
        c->map.index = NULL;
        c->map.n = c->map.cap = c->map.nindex = 0;
        for (uint32_t i = 0; i < v->map.n; i++) {
            const struct ck_pair *p = &v->map.v[i];
            ck_map_append(a, c, p->key, ck_val_clone(a, p->val))->key_pos = p->key_pos;
        }
        break;
    default:
        break;
    }
    return c;
}

/* ---- maps ---- */

static uint32_t hash(struct ck_slice k)
{
    uint32_t h = ck_fnv1a(k);
    return h ^ (h >> 15);
}

static uint32_t *index_slot(const struct ck_val *m, struct ck_slice key)
{
    uint32_t mask = m->map.nindex - 1;
    for (uint32_t i = hash(key) & mask;; i = (i + 1) & mask) {
        uint32_t at = m->map.index[i];
        if (at == 0 || ck_slice_eq(m->map.v[at - 1].key, key))
            return &m->map.index[i];
    }
}

static void reindex(struct ck_arena *a, struct ck_val *m)
{
    uint32_t n = 64;
    while (n < m->map.n * 4)
        n *= 2;
    m->map.index = ck_arena_alloc(a, n * sizeof *m->map.index);
    m->map.nindex = n;
    for (uint32_t i = 0; i < m->map.n; i++) {
        uint32_t *slot = index_slot(m, m->map.v[i].key);
        if (*slot == 0)
            *slot = i + 1;
    }
}

struct ck_pair *ck_pair_of(const struct ck_val *v, struct ck_slice key)
{
    if (!v || v->kind != CK_MAP)
        return NULL;
    if (v->map.index) {
        uint32_t at = *index_slot(v, key);
        return at ? &v->map.v[at - 1] : NULL;
    }
    for (uint32_t i = 0; i < v->map.n; i++)
        if (ck_slice_eq(v->map.v[i].key, key))
            return &v->map.v[i];
    return NULL;
}

struct ck_val *ck_getn(const struct ck_val *v, struct ck_slice key)
{
    struct ck_pair *p = ck_pair_of(v, key);
    return p ? p->val : NULL;
}

struct ck_val *ck_get(const struct ck_val *v, const char *key)
{
    return ck_getn(v, ck_slice_of(key));
}

struct ck_pair *ck_map_append(struct ck_arena *a, struct ck_val *m, struct ck_slice key,
                              struct ck_val *val)
{
    if (m->map.n == m->map.cap) {
        uint32_t cap = m->map.cap ? m->map.cap * 2 : 4;
        struct ck_pair *v = ck_arena_alloc(a, cap * sizeof *v);
        if (m->map.n)
            memcpy(v, m->map.v, m->map.n * sizeof *v);
        m->map.v = v;
        m->map.cap = cap;
    }
    struct ck_pair *p = &m->map.v[m->map.n++];
    *p = (struct ck_pair){.key = ck_arena_slice(a, key), .val = val};
    if (m->map.index && m->map.n * 2 <= m->map.nindex) {
        uint32_t *slot = index_slot(m, key);
        if (*slot == 0)
            *slot = m->map.n;
    } else if (m->map.n >= INDEX_FROM) {
        reindex(a, m);
    }
    return p;
}

void ck_setn(struct ck_arena *a, struct ck_val *m, struct ck_slice key, struct ck_val *val)
{
    struct ck_pair *p = ck_pair_of(m, key);
    if (p)
        p->val = val;
    else
        ck_map_append(a, m, key, val);
}

void ck_set(struct ck_arena *a, struct ck_val *m, const char *key, struct ck_val *val)
{
    ck_setn(a, m, ck_slice_of(key), val);
}

void ck_set_str(struct ck_arena *a, struct ck_val *m, const char *key, const char *s)
{
    ck_set(a, m, key, ck_str(a, s));
}

void ck_set_int(struct ck_arena *a, struct ck_val *m, const char *key, int64_t i)
{
    ck_set(a, m, key, ck_int(a, i));
}

void ck_set_bool(struct ck_arena *a, struct ck_val *m, const char *key, bool b)
{
    ck_set(a, m, key, ck_bool(a, b));
}

bool ck_unset(struct ck_val *m, const char *key)
{
    struct ck_pair *p = ck_pair_of(m, ck_slice_of(key));
    if (!p)
        return false;
    size_t i = (size_t)(p - m->map.v);
    memmove(p, p + 1, (m->map.n - i - 1) * sizeof *p);
    m->map.n--;
    /* Positions moved: search in order until the next append rebuilds the index. */
    m->map.index = NULL;
    m->map.nindex = 0;
    return true;
}

/* ---- lists ---- */

size_t ck_len(const struct ck_val *v)
{
    if (!v)
        return 0;
    return v->kind == CK_LIST ? v->list.n : v->kind == CK_MAP ? v->map.n : 0;
}

struct ck_val *ck_item(const struct ck_val *v, size_t i)
{
    return v && v->kind == CK_LIST && i < v->list.n ? v->list.v[i] : NULL;
}

void ck_append(struct ck_arena *a, struct ck_val *l, struct ck_val *item)
{
    if (l->list.n == l->list.cap) {
        uint32_t cap = l->list.cap ? l->list.cap * 2 : 4;
        struct ck_val **v = ck_arena_alloc(a, cap * sizeof(struct ck_val *));
        if (l->list.n)
            memcpy(v, l->list.v, l->list.n * sizeof(struct ck_val *));
        l->list.v = v;
        l->list.cap = cap;
    }
    l->list.v[l->list.n++] = item;
}

void ck_append_str(struct ck_arena *a, struct ck_val *list, const char *s)
{
    ck_append(a, list, ck_str(a, s));
}

void ck_list_remove(struct ck_val *l, size_t i)
{
    memmove(&l->list.v[i], &l->list.v[i + 1], (l->list.n - i - 1) * sizeof(struct ck_val *));
    l->list.n--;
}

/* ---- paths ---- */

struct ck_val *ck_at(const struct ck_val *v, const char *path)
{
    struct ck_slice rest = ck_slice_of(path), step;
    while (v && ck_slice_next(&rest, '.', &step))
        v = ck_getn(v, step);
    return (struct ck_val *)v;
}

static struct ck_val *child_map(struct ck_arena *a, struct ck_val *v, struct ck_slice step)
{
    struct ck_val *c = ck_getn(v, step);
    if (!c || c->kind != CK_MAP) {
        c = ck_map(a);
        ck_setn(a, v, step, c);
    }
    return c;
}

struct ck_val *ck_ensure_map(struct ck_arena *a, struct ck_val *v, const char *path)
{
    struct ck_slice rest = ck_slice_of(path), step;
    while (ck_slice_next(&rest, '.', &step))
        v = child_map(a, v, step);
    return v;
}

void ck_put(struct ck_arena *a, struct ck_val *v, const char *path, struct ck_val *val)
{
    struct ck_slice rest = ck_slice_of(path), step;
    while (ck_slice_next(&rest, '.', &step)) {
        if (!rest.ptr)
            ck_setn(a, v, step, val);
        else
            v = child_map(a, v, step);
    }
}

bool ck_drop(struct ck_val *v, const char *path)
{
    const char *dot = strrchr(path, '.');
    if (!dot)
        return ck_unset(v, path);
    struct ck_slice rest = ck_slice_n(path, (size_t)(dot - path)), step;
    while (v && ck_slice_next(&rest, '.', &step))
        v = ck_getn(v, step);
    return v && ck_unset(v, dot + 1);
}

/* ---- scalars ---- */

const char *ck_str_or(const struct ck_val *v, const char *dflt)
{
    return v && v->kind == CK_STR ? v->s.ptr : dflt;
}

const char *ck_str_at(const struct ck_val *v, const char *path)
{
    return ck_str_or(ck_at(v, path), "");
}

bool ck_bool_at(const struct ck_val *v, const char *path, bool dflt)
{
    const struct ck_val *x = ck_at(v, path);
    return x && x->kind == CK_BOOL ? x->b : dflt;
}

int64_t ck_int_at(const struct ck_val *v, const char *path, int64_t dflt)
{
    const struct ck_val *x = ck_at(v, path);
    return x && x->kind == CK_INT ? x->i : dflt;
}

bool ck_is_str(const struct ck_val *v, const char *s)
{
    return v && v->kind == CK_STR && ck_slice_eq_str(v->s, s);
}

bool ck_is_map(const struct ck_val *v)
{
    return v && v->kind == CK_MAP;
}

bool ck_is_list(const struct ck_val *v)
{
    return v && v->kind == CK_LIST;
}

bool ck_is_null(const struct ck_val *v)
{
    return !v || v->kind == CK_NULL;
}

bool ck_list_has_str(const struct ck_val *list, const char *s)
{
    for (size_t i = 0; i < ck_len(list); i++)
        if (ck_is_str(ck_item(list, i), s))
            return true;
    return false;
}

/* ---- comparing ---- */

static bool maps_eq(const struct ck_val *a, const struct ck_val *b)
{
    if (a->map.n != b->map.n)
        return false;
    for (uint32_t i = 0; i < a->map.n; i++) {
        const struct ck_pair *p = ck_pair_of(b, a->map.v[i].key);
        if (!p || !ck_val_eq(a->map.v[i].val, p->val))
            return false;
    }
    return true;
}

static bool lists_eq(const struct ck_val *a, const struct ck_val *b)
{
    if (a->list.n != b->list.n)
        return false;
    for (uint32_t i = 0; i < a->list.n; i++)
        if (!ck_val_eq(a->list.v[i], b->list.v[i]))
            return false;
    return true;
}

bool ck_val_eq(const struct ck_val *a, const struct ck_val *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case CK_NULL:
        return true;
    case CK_BOOL:
        return a->b == b->b;
    case CK_INT:
        return a->i == b->i;
    case CK_UINT:
        return a->u == b->u;
    case CK_FLOAT:
        return !(a->f < b->f) && !(a->f > b->f);
    case CK_STR:
        return ck_slice_eq(a->s, b->s);
    case CK_LIST:
        return lists_eq(a, b);
    case CK_MAP:
        return maps_eq(a, b);
    }
    return false;
}

int ck_pair_cmp(const void *a, const void *b)
{
    const struct ck_pair *const *x = a, *const *y = b;
    return ck_slice_cmp((*x)->key, (*y)->key);
}
