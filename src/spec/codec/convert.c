/* v1alpha3 documents to v1alpha2 and back. Fields move as the schema says; the few values whose
 * meaning changes with the version are at the end of the file.
 *
 * Mirrors pkg/apis/kops/v1alpha{2,3}/conversion.go; facts in api-objects.md §5 and §6. */
#include "spec/codec/field.h"

#include <stdlib.h>

struct move {
    struct ck_arena *a;
    struct ck_val *spec; /* of the result: where absolute paths begin */
};

/* ---- values whose type differs ---- */

static struct ck_val *split_list(struct ck_arena *a, const struct ck_val *v)
{
    struct ck_val *list = ck_list(a);
    struct ck_slice rest = ck_slice_of(ck_str_or(v, "")), item;
    while (ck_slice_next(&rest, ',', &item))
        ck_append(a, list, ck_strn(a, item));
    list->pos = v->pos;
    return list;
}

static struct ck_val *join_list(struct ck_arena *a, const struct ck_val *v)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    for (size_t i = 0; i < ck_len(v); i++)
        ck_buf_fmt(&b, "%s%s", i ? "," : "", ck_str_or(ck_item(v, i), ""));
    struct ck_val *s = ck_strn(a, ck_buf_slice(&b));
    s->pos = v->pos;
    return s;
}

static struct ck_val *pairs_to_map(struct ck_arena *a, const struct ck_val *v)
{
    struct ck_val *map = ck_map(a);
    for (size_t i = 0; i < ck_len(v); i++) {
        struct ck_slice rest = ck_slice_of(ck_str_or(ck_item(v, i), "")), key;
        ck_slice_next(&rest, '=', &key);
        ck_setn(a, map, key, ck_strn(a, rest.ptr ? rest : CK_S("")));
    }
    map->pos = v->pos;
    return map;
}

static struct ck_val *map_to_pairs(struct ck_arena *a, const struct ck_val *v)
{
    struct ck_val *list = ck_list(a); /* sorted by ck_spec_canonical */
    for (uint32_t i = 0; v->kind == CK_MAP && i < v->map.n; i++)
        ck_append(a, list,
                  ck_strf(a, "%s=%s", v->map.v[i].key.ptr, ck_str_or(v->map.v[i].val, "")));
    list->pos = v->pos;
    return list;
}

static struct ck_val *other_value(struct ck_arena *a, const struct ck_field *f, struct ck_val *v)
{
    if ((f->flags & CK_F_INV) && v->kind == CK_BOOL) {
        struct ck_val *b = ck_bool(a, !v->b);
        b->pos = v->pos;
        return b;
    }
    if (!(f->flags & CK_F_RETYPED))
        return v;
    switch (v->kind) {
    case CK_STR:
        return split_list(a, v);
    case CK_MAP:
        return map_to_pairs(a, v);
    default:
        /* Two fields: in v1alpha2 claims are a list of pairs, groups in v1alpha3 a list of names.
         */
        return f->shape == CK_SHAPE_LIST && strstr(ck_field_name(f), "laims") ? join_list(a, v)
                                                                              : pairs_to_map(a, v);
    }
}

/* ---- moving ---- */

static void move_struct(struct move *m, const struct ck_type *t, const struct ck_val *from,
                        struct ck_val *to);

static void move_field(struct move *m, const struct ck_field *f, struct ck_val *v,
                       struct ck_val *to)
{
    if (ck_field_retired(f) || (f->flags & CK_F_NO3))
        return;
    if (f->flags & (CK_F_SYNTH | CK_F_INLINE)) {
        move_struct(m, ck_field_struct(f), v, to);
        return;
    }
    struct ck_val *base = f->flags & CK_F_ABS ? m->spec : to;
    const char *path = ck_field_to(f);
    if (f->type != CK_T_STRUCT || (ck_field_struct(f)->flags & CK_TYPE_SAME)) {
        ck_put(m->a, base, path, other_value(m->a, f, v));
    } else if (f->shape == CK_SHAPE_ONE) {
        struct ck_val *sub = ck_ensure_map(m->a, base, path);
        sub->pos = v->pos;
        move_struct(m, ck_field_struct(f), v, sub);
    } else {
        struct ck_val *list = ck_list(m->a);
        list->pos = v->pos;
        for (size_t i = 0; i < ck_len(v); i++) {
            struct ck_val *sub = ck_map(m->a);
            sub->pos = ck_item(v, i)->pos;
            move_struct(m, ck_field_struct(f), ck_item(v, i), sub);
            ck_append(m->a, list, sub);
        }
        ck_put(m->a, base, path, list);
    }
}

static void move_struct(struct move *m, const struct ck_type *t, const struct ck_val *from,
                        struct ck_val *to)
{
    for (uint32_t i = 0; from && from->kind == CK_MAP && i < from->map.n; i++) {
        const struct ck_field *f = ck_field_find(t, from->map.v[i].key);
        if (f)
            move_field(m, f, from->map.v[i].val, to);
    }
}

static struct ck_val *move_root(struct ck_arena *a, const struct ck_type *t,
                                const struct ck_val *from)
{
    struct ck_val *to = ck_map(a);
    struct move m = {a, ck_ensure_map(a, to, "spec")};
    move_struct(&m, t, from, to);
    return to;
}

/* ---- hooks, roles, policies, clouds ---- */

/* The cluster's hooks say the opposite in v1alpha2; those of instance groups do not, in kOps. */
static void invert_hooks(struct ck_arena *a, struct ck_val *spec, const char *name)
{
    struct ck_val *hooks = ck_get(spec, "hooks");
    for (size_t i = 0; i < ck_len(hooks); i++) {
        struct ck_val *on = ck_get(ck_item(hooks, i), name);
        if (on && on->kind == CK_BOOL)
            ck_set_bool(a, ck_item(hooks, i), name, !on->b);
    }
}

static void master_to_control_plane(struct ck_arena *a, struct ck_val *v)
{
    if (ck_is_str(v, "Master"))
        v->s = ck_arena_slice(a, CK_S("ControlPlane"));
}

static void rename_policies(struct ck_arena *a, struct ck_val *policies)
{
    struct ck_val *v = ck_get(policies, "master");
    if (v) {
        ck_unset(policies, "master");
        ck_set(a, policies, "control-plane", v);
    }
}

static int cloud_from_v3(struct ck_arena *a, const struct ck_val *clouds, struct ck_val *spec,
                         struct ck_err *err)
{
    if (ck_len(clouds) == 0)
        return 0;
    if (ck_len(clouds) > 1)
        return ck_fail(err, CK_INVALID,
                       "spec.cloudProvider: Forbidden: only one cloud provider may be given, "
                       "found \"%s\" and \"%s\"",
                       clouds->map.v[0].key.ptr, clouds->map.v[1].key.ptr);
    const char *name = clouds->map.v[0].key.ptr;
    ck_set_str(a, spec, "cloudProvider", strcmp(name, "do") == 0 ? "digitalocean" : name);
    ck_get(spec, "cloudProvider")->pos = clouds->map.v[0].key_pos;
    return 0;
}

static int no_master_role(const struct ck_val *spec, struct ck_err *err)
{
    if (!ck_is_str(ck_get(spec, "role"), "Master"))
        return 0;
    return ck_fail(err, CK_INVALID,
                   "spec.role: Unsupported value: \"Master\": supported values: \"ControlPlane\", "
                   "\"APIServer\", \"Node\", \"Bastion\", \"Etcd\", \"Scheduler\", "
                   "\"KubeControllerManager\"");
}

int ck_spec_from_v3(struct ck_arena *a, enum ck_object_kind kind, struct ck_val *root,
                    struct ck_val **ret, struct ck_err *err)
{
    struct ck_val *to = move_root(a, ck_type_of(kind, true), root), *spec = ck_get(to, "spec");
    int rc = 0;
    if (kind == CK_KIND_CLUSTER) {
        rc = cloud_from_v3(a, ck_at(root, "spec.cloudProvider"), spec, err);
        invert_hooks(a, spec, "disabled");
    } else if (kind == CK_KIND_INSTANCE_GROUP) {
        rc = no_master_role(spec, err);
    }
    struct ck_check c = {.arena = a, .version = "v1alpha2"};
    ck_check_tree(&c, ck_type_of(kind, false), to); /* adds what v1alpha2 writes always */
    *ret = to;
    return rc;
}

struct ck_val *ck_spec_to_v3(struct ck_arena *a, enum ck_object_kind kind,
                             const struct ck_val *root)
{
    struct ck_val *to = move_root(a, ck_type_of(kind, false), root), *spec = ck_get(to, "spec");
    ck_set_str(a, to, "apiVersion", "kops.k8s.io/v1alpha3");
    struct ck_val *hooks = ck_get(spec, "hooks");
    for (size_t i = 0; i < ck_len(hooks); i++) {
        struct ck_val *roles = ck_get(ck_item(hooks, i), "roles");
        for (size_t j = 0; j < ck_len(roles); j++)
            master_to_control_plane(a, ck_item(roles, j));
    }
    if (kind == CK_KIND_INSTANCE_GROUP)
        master_to_control_plane(a, ck_get(spec, "role"));
    if (kind != CK_KIND_CLUSTER)
        return to;
    invert_hooks(a, spec, "enabled");
    rename_policies(a, ck_get(spec, "additionalPolicies"));
    rename_policies(a, ck_get(spec, "externalPolicies"));
    if (ck_bool_at(root, "spec.externalDns.disable", false))
        ck_put(a, spec, "externalDNS.provider", ck_str(a, "none"));
    const char *cloud = ck_str_at(root, "spec.cloudProvider");
    if (strcmp(cloud, "digitalocean") == 0)
        cloud = "do";
    if (cloud[0])
        ck_ensure_map(a, ck_ensure_map(a, spec, "cloudProvider"), cloud);
    return to;
}
