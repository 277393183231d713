/* What differs between two objects, field by field, in v1alpha2 names. */
#include "spec/codec/field.h"

#include <stdlib.h>

struct diff {
    struct ck_arena *a;
    struct ck_changes *out;
    struct ck_buf path;
};

static void diff_val(struct diff *d, const struct ck_val *x, const struct ck_val *y);

static void add(struct diff *d, const struct ck_val *x, const struct ck_val *y)
{
    struct ck_changes *c = d->out;
    if (c->n == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 8;
        struct ck_change *v = ck_arena_alloc(d->a, cap * sizeof *v);
        if (c->n)
            memcpy(v, c->v, c->n * sizeof *v);
        c->v = v;
        c->cap = cap;
    }
    c->v[c->n++] =
        (struct ck_change){.path = ck_arena_strdup(d->a, ck_buf_str(&d->path)), .from = x, .to = y};
}

static void cut(struct ck_buf *b, size_t len)
{
    b->len = len;
    if (b->ptr)
        b->ptr[len] = '\0';
}

static void diff_key(struct diff *d, struct ck_slice key, const struct ck_val *x,
                     const struct ck_val *y)
{
    size_t len = d->path.len;
    if (len)
        ck_buf_putc(&d->path, '.');
    ck_buf_put(&d->path, key);
    diff_val(d, x, y);
    cut(&d->path, len);
}

static int cmp_key(const void *x, const void *y)
{
    return ck_key_cmp_natural(*(const struct ck_slice *)x, *(const struct ck_slice *)y);
}

static void diff_map(struct diff *d, const struct ck_val *x, const struct ck_val *y)
{
    size_t n = 0;
    struct ck_slice *keys = ck_arena_alloc(d->a, (x->map.n + y->map.n + 1) * sizeof *keys);
    for (uint32_t i = 0; i < x->map.n; i++)
        keys[n++] = x->map.v[i].key;
    for (uint32_t i = 0; i < y->map.n; i++)
        if (!ck_getn(x, y->map.v[i].key))
            keys[n++] = y->map.v[i].key;
    if (n)
        qsort(keys, n, sizeof *keys, cmp_key);
    for (size_t i = 0; i < n; i++)
        diff_key(d, keys[i], ck_getn(x, keys[i]), ck_getn(y, keys[i]));
}

/* Lists of structures of equal length are compared item by item; others are one change. */
static void diff_list(struct diff *d, const struct ck_val *x, const struct ck_val *y)
{
    bool maps = x->list.n == y->list.n;
    for (uint32_t i = 0; maps && i < x->list.n; i++)
        maps = ck_is_map(x->list.v[i]) && ck_is_map(y->list.v[i]);
    if (!maps) {
        add(d, x, y);
        return;
    }
    for (uint32_t i = 0; i < x->list.n; i++) {
        size_t len = d->path.len;
        ck_buf_fmt(&d->path, "[%u]", i);
        diff_val(d, x->list.v[i], y->list.v[i]);
        cut(&d->path, len);
    }
}

static void diff_val(struct diff *d, const struct ck_val *x, const struct ck_val *y)
{
    if (x && y) {
        if (ck_val_eq(x, y))
            return;
        if (ck_is_map(x) && ck_is_map(y)) {
            diff_map(d, x, y);
            return;
        }
        if (ck_is_list(x) && ck_is_list(y)) {
            diff_list(d, x, y);
            return;
        }
    } else if (ck_is_map(x ? x : y) && ck_len(x ? x : y) > 0) {
        /* a structure that came or went: its members say more than the whole */
        static const struct ck_val none = {.kind = CK_MAP};
        diff_map(d, x ? x : &none, y ? y : &none);
        return;
    }
    add(d, x, y);
}

void ck_object_diff(struct ck_arena *a, const struct ck_object *from, const struct ck_object *to,
                    struct ck_changes *ret)
{
    struct ck_object x = ck_object_clone(a, from), y = ck_object_clone(a, to);
    ck_object_settle(a, &x);
    ck_object_settle(a, &y);
    struct diff d = {.a = a, .out = ret};
    diff_val(&d, x.root, y.root);
    ck_buf_done(&d.path);
}
