/* Objects in memory: making, copying, names and labels, equality. */
#include "spec/codec/field.h"

void ck_object_settle(struct ck_arena *a, struct ck_object *o)
{
    if (o->kind == CK_KIND_OTHER)
        return;
    struct ck_check c = {.arena = a, .version = "v1alpha2"};
    ck_check_tree(&c, ck_type_of(o->kind, false), o->root);
    ck_spec_canonical(a, o->kind, o->root);
}

struct ck_object ck_object_clone(struct ck_arena *a, const struct ck_object *o)
{
    return (struct ck_object){.kind = o->kind,
                              .root = ck_val_clone(a, o->root),
                              .file = o->file ? ck_arena_strdup(a, o->file) : NULL};
}

struct ck_object ck_object_new(struct ck_arena *a, enum ck_object_kind kind, const char *name)
{
    struct ck_object o = {.kind = kind, .root = ck_map(a)};
    ck_set_str(a, o.root, "apiVersion", "kops.k8s.io/v1alpha2");
    ck_set_str(a, o.root, "kind", ck_kind_name(kind));
    ck_put(a, o.root, "metadata.name", ck_str(a, name));
    ck_set(a, o.root, "spec", ck_map(a));
    return o;
}

const char *ck_object_name(const struct ck_object *o)
{
    return ck_str_at(o->root, "metadata.name");
}

struct ck_val *ck_object_spec(const struct ck_object *o)
{
    return ck_get(o->root, "spec");
}

const char *ck_object_label(const struct ck_object *o, const char *label)
{
    return ck_str_or(ck_get(ck_at(o->root, "metadata.labels"), label), NULL);
}

void ck_object_set_label(struct ck_arena *a, struct ck_object *o, const char *label,
                         const char *value)
{
    ck_set_str(a, ck_ensure_map(a, o->root, "metadata.labels"), label, value);
}

bool ck_object_spec_eq(const struct ck_object *a, const struct ck_object *b)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_object x = ck_object_clone(tmp, a), y = ck_object_clone(tmp, b);
    ck_object_settle(tmp, &x);
    ck_object_settle(tmp, &y);
    return x.kind == y.kind && ck_val_eq(ck_get(x.root, "spec"), ck_get(y.root, "spec"));
}
