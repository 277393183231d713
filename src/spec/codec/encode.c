/* Objects out: the YAML kOps stores, JSON in Go's declaration order, YAML in v1alpha3 spelling. */
#include "doc/json.h"
#include "doc/yaml.h"
#include "spec/codec/field.h"

#include <stdlib.h>

static struct ck_object settled(struct ck_arena *a, const struct ck_object *o)
{
    struct ck_object c = ck_object_clone(a, o);
    ck_object_settle(a, &c);
    return c;
}

void ck_object_yaml(struct ck_arena *a, struct ck_buf *out, const struct ck_object *o)
{
    struct ck_object c = settled(a, o);
    ck_yaml_emit(out, c.root);
}

int ck_object_yaml_v1alpha3(struct ck_arena *a, struct ck_buf *out, const struct ck_object *o,
                            struct ck_err *err)
{
    if (o->kind == CK_KIND_OTHER)
        return ck_fail(err, CK_UNSUPPORTED, "not an object of kOps");
    struct ck_object c = settled(a, o);
    ck_yaml_emit(out, ck_spec_to_v3(a, o->kind, c.root));
    return 0;
}

/* ---- JSON ---- */

static struct ck_val *order_struct(struct ck_arena *a, const struct ck_type *t, struct ck_val *v);

static int cmp_pair(const void *x, const void *y)
{
    const struct ck_pair *a = x, *b = y;
    return ck_slice_cmp(a->key, b->key);
}

/* Go writes maps by key. */
static struct ck_val *order_any(struct ck_arena *a, struct ck_val *v)
{
    if (v->kind == CK_LIST) {
        for (uint32_t i = 0; i < v->list.n; i++)
            v->list.v[i] = order_any(a, v->list.v[i]);
    } else if (v->kind == CK_MAP && v->map.n) {
        for (uint32_t i = 0; i < v->map.n; i++)
            v->map.v[i].val = order_any(a, v->map.v[i].val);
        qsort(v->map.v, v->map.n, sizeof *v->map.v, cmp_pair);
    }
    return v;
}

static struct ck_val *order_field(struct ck_arena *a, const struct ck_field *f, struct ck_val *v)
{
    if (f->type != CK_T_STRUCT)
        return order_any(a, v);
    if (v->kind == CK_LIST) {
        for (uint32_t i = 0; i < v->list.n; i++)
            v->list.v[i] = order_struct(a, ck_field_struct(f), v->list.v[i]);
        return v;
    }
    return order_struct(a, ck_field_struct(f), v);
}

static struct ck_val *order_struct(struct ck_arena *a, const struct ck_type *t, struct ck_val *v)
{
    if (v->kind != CK_MAP)
        return v;
    struct ck_val *out = ck_map(a);
    struct ck_pair *at[CK_TYPE_FIELDS_MAX] = {NULL};
    for (uint32_t i = 0; i < v->map.n; i++) {
        const struct ck_field *f = ck_field_find(t, v->map.v[i].key);
        if (f)
            at[f - ck_field_at(t, 0)] = &v->map.v[i];
    }
    for (size_t i = 0; i < t->n; i++)
        if (at[i])
            ck_map_append(a, out, at[i]->key, order_field(a, ck_field_at(t, i), at[i]->val));
    return out;
}

void ck_object_json(struct ck_arena *a, struct ck_buf *out, const struct ck_object *o)
{
    struct ck_object c = settled(a, o);
    struct ck_val *v = c.kind == CK_KIND_OTHER ? order_any(a, c.root)
                                               : order_struct(a, ck_type_of(c.kind, false), c.root);
    ck_json_emit(out, v, (struct ck_json_style){.order = CK_JSON_AS_IS});
    ck_buf_putc(out, '\n');
}
