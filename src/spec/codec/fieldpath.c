/* --set and --unset. Paths are kOps' internal names (v1alpha3, nearly) or v1alpha2 names; the
 * change is made in the v1alpha2 tree.
 *
 * Mirrors kOps util/pkg/reflectutils/access.go and pkg/commands/setters.go; facts in cli.md §8.4.
 */
#include "base/enc.h"
#include "spec/codec/path.h"
#include "spec/codec/setvalue.h"

#include <stdlib.h>

/* Where a path leads in the v1alpha2 tree. */
struct target {
    struct ck_steps steps;
    const struct ck_field *f;  /* of the last name */
    const struct ck_field *f3; /* its v1alpha3 form when the path was in those names; or NULL */
    bool indexed;              /* the last step is an index */
    bool inverted;
};

struct change {
    struct ck_arena *a;
    const struct target *t;
    const char *value; /* NULL: unset */
    unsigned visited;
    struct ck_err *err;
};

/* ---- finding the field ---- */

static bool resolve_v2(struct ck_arena *a, enum ck_object_kind kind, const struct ck_steps *path,
                       struct target *ret)
{
    const struct ck_type *t = ck_type_of(kind, false);
    *ret = (struct target){0};
    for (size_t i = 0; i < path->n; i++) {
        const struct ck_step *s = &path->v[i];
        if (s->name.ptr) {
            const struct ck_field *f = t ? ck_field_find(t, s->name) : NULL;
            if (!f || ck_field_retired(f))
                return false;
            ret->f = f;
            t = f->type == CK_T_STRUCT ? ck_field_struct(f) : NULL;
        } else if (!ret->f || ret->f->shape != CK_SHAPE_LIST || ret->indexed) {
            return false;
        }
        ret->indexed = !s->name.ptr;
        ck_steps_push(a, &ret->steps, *s);
    }
    return ret->f != NULL;
}

/* Turn a path of v1alpha3 names into one of v1alpha2 names. */
static bool resolve_v3(struct ck_arena *a, enum ck_object_kind kind, const struct ck_steps *path,
                       struct target *ret)
{
    const struct ck_type *t = ck_type_of(kind, true);
    const struct ck_field *f = NULL;
    struct ck_steps v2 = {0};
    bool inverted = false;
    for (size_t i = 0; i < path->n; i++) {
        const struct ck_step *s = &path->v[i];
        if (!s->name.ptr) {
            if (!f || f->shape != CK_SHAPE_LIST)
                return false;
            ck_steps_push(a, &v2, *s);
            continue;
        }
        f = t ? ck_field_find(t, s->name) : NULL;
        if (!f)
            return false;
        t = f->type == CK_T_STRUCT ? ck_field_struct(f) : NULL;
        if (f->flags & CK_F_SYNTH)
            continue;
        if (f->flags & CK_F_ABS) {
            v2.n = 0;
            ck_steps_push_names(a, &v2, "spec");
        }
        ck_steps_push_names(a, &v2, ck_field_to(f));
        inverted = f->flags & CK_F_INV;
    }
    if (!f)
        return false;
    if (f->flags & CK_F_SYNTH) {
        *ret = (struct target){.f = f, .f3 = f};
        return true;
    }
    /* The cluster's hooks are inverted one by one, not by their type (see convert.c). */
    if (kind == CK_KIND_CLUSTER && strcmp(ck_field_name(f), "enabled") == 0 && v2.n > 2 &&
        ck_slice_eq_str(v2.v[1].name, "hooks"))
        inverted = true;
    if (!resolve_v2(a, kind, &v2, ret))
        return false;
    ret->f3 = f;
    ret->inverted = inverted;
    return true;
}

static bool resolve(struct ck_arena *a, enum ck_object_kind kind, const struct ck_steps *path,
                    const char *value, struct target *ret)
{
    struct target v2 = {0}, v3 = {0};
    bool has2 = resolve_v2(a, kind, path, &v2), has3 = resolve_v3(a, kind, path, &v3);
    /* cloudProvider is a text in one version and a structure in the other */
    bool prefer2 =
        has2 && has3 && value && value[0] && v3.f->type == CK_T_STRUCT && v2.f->type != CK_T_STRUCT;
    *ret = has3 && !prefer2 ? v3 : v2;
    return has2 || has3;
}

/* ---- walking ---- */

static int change_in(struct change *c, const struct ck_type *t, struct ck_val *map, size_t i);

static int change_item(struct change *c, const struct ck_field *f, struct ck_val *list, size_t at,
                       size_t i)
{
    if (i + 1 == c->t->steps.n) {
        c->visited++;
        if (c->value)
            return ck_set_item(c->a, f, list, at, c->value, c->err);
        list->list.v[at] = f->type == CK_T_STRUCT ? ck_map(c->a) : ck_str(c->a, "");
        return 0;
    }
    if (!ck_is_map(list->list.v[at]))
        return 0;
    return change_in(c, ck_field_struct(f), list->list.v[at], i + 1);
}

/* Step i is an index into the list under f in map. */
static int change_list(struct change *c, const struct ck_field *f, struct ck_val *map, size_t i)
{
    struct ck_val *list = ck_get(map, ck_field_name(f));
    long index = c->t->steps.v[i].index;
    if (!ck_is_list(list)) {
        if (!c->value || index != 0)
            return 0;
        list = ck_list(c->a);
        ck_set(c->a, map, ck_field_name(f), list);
    }
    if (index != CK_INDEX_ALL) {
        size_t at = (size_t)index;
        if (at == ck_len(list) && c->value)
            ck_append(c->a, list, f->type == CK_T_STRUCT ? ck_map(c->a) : ck_str(c->a, ""));
        return at < ck_len(list) ? change_item(c, f, list, at, i) : 0;
    }
    for (size_t at = 0; at < ck_len(list); at++) {
        int rc = change_item(c, f, list, at, i);
        if (rc)
            return rc;
    }
    return 0;
}

static int change_leaf(struct change *c, const struct ck_field *f, struct ck_val *map)
{
    c->visited++;
    /* the provider "none" is written as disable: true */
    if (strcmp(ck_field_name(f), "provider") == 0 && ck_get(map, "disable"))
        ck_unset(map, "disable");
    if (!c->value) {
        ck_unset(map, ck_field_name(f));
        return 0;
    }
    return ck_set_field(c->a, f, map, c->t->f3, c->t->inverted, c->value, c->err);
}

static int change_in(struct change *c, const struct ck_type *t, struct ck_val *map, size_t i)
{
    const struct ck_step *s = &c->t->steps.v[i];
    const struct ck_field *f = ck_field_find(t, s->name);
    if (!f)
        return 0;
    if (i + 1 == c->t->steps.n)
        return change_leaf(c, f, map);
    if (!c->t->steps.v[i + 1].name.ptr)
        return change_list(c, f, map, i + 1);
    if (f->type != CK_T_STRUCT || f->shape != CK_SHAPE_ONE)
        return 0;
    struct ck_val *sub = ck_get(map, ck_field_name(f));
    if (!ck_is_map(sub)) {
        if (!c->value)
            return 0; /* below a nil pointer: not found */
        sub = ck_map(c->a);
        ck_set(c->a, map, ck_field_name(f), sub);
    }
    return change_in(c, ck_field_struct(f), sub, i + 1);
}

/* Unset what the members of a v1alpha3 structure are elsewhere in v1alpha2. */
static void unset_moved(struct ck_val *spec, const struct ck_type *t)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct ck_field *f = ck_field_at(t, i);
        bool deeper = f->type == CK_T_STRUCT && f->shape == CK_SHAPE_ONE &&
                      !(ck_field_struct(f)->flags & CK_TYPE_SAME);
        if (f->flags & CK_F_ABS)
            ck_drop(spec, ck_field_to(f));
        if (deeper)
            unset_moved(spec, ck_field_struct(f));
    }
}

static int not_found(enum ck_object_kind kind, const char *path, struct ck_err *err)
{
    return ck_fail(err, CK_INVALID, "field %s not found in *%s", path, ck_kind_name(kind));
}

static const char *without_prefix(const char *s)
{
    static const char *const prefixes[] = {"cluster.", "instancegroup."};
    for (size_t i = 0; i < CK_ARRAY_LEN(prefixes); i++)
        if (ck_str_starts(s, prefixes[i]))
            return s + strlen(prefixes[i]);
    return s;
}

static int apply(struct ck_arena *a, struct ck_object *o, const char *path, const char *value,
                 struct ck_err *err)
{
    struct ck_steps steps = {0};
    struct target t;
    int rc = ck_path_parse(a, path, &steps, err);
    if (rc)
        return rc;
    if (o->kind == CK_KIND_OTHER || !resolve(a, o->kind, &steps, value, &t))
        return not_found(o->kind, path, err);
    if (t.f->flags & CK_F_SYNTH) {
        if (value && value[0])
            return ck_fail(err, CK_INVALID, "cannot set field \"%s\": unhandled type \"kops.%s\"",
                           path, ck_field_text(ck_field_struct(t.f)->go));
    } else {
        struct change c = {.a = a, .t = &t, .value = value, .err = err};
        rc = change_in(&c, ck_type_of(o->kind, false), o->root, 0);
        if (rc)
            return ck_wrap(err, "cannot set field \"%s\"", path);
        if (!c.visited)
            return not_found(o->kind, path, err);
    }
    if (!value && t.f3 && t.f3->type == CK_T_STRUCT && t.f3->shape == CK_SHAPE_ONE)
        unset_moved(ck_object_spec(o), ck_field_struct(t.f3));
    ck_object_settle(a, o);
    /* An option of another cloud would make the object unreadable. A cloud may come later. */
    bool has_cloud = ck_str_at(o->root, "spec.cloudProvider")[0];
    return value && has_cloud ? ck_spec_refuse(o->kind, o->root, NULL, err) : 0;
}

int ck_object_set(struct ck_arena *a, struct ck_object *o, const char *assignment,
                  struct ck_err *err)
{
    const char *eq = strchr(assignment, '=');
    if (!eq)
        return ck_fail(err, CK_INVALID, "unhandled field: \"%s\"", assignment);
    if (!ck_utf8_valid(ck_slice_of(eq)))
        return ck_fail(err, CK_INVALID, "the value is not valid UTF-8");
    const char *path = ck_arena_strndup(a, assignment, (size_t)(eq - assignment));
    return apply(a, o, without_prefix(path), eq + 1, err);
}

int ck_object_unset(struct ck_arena *a, struct ck_object *o, const char *path, struct ck_err *err)
{
    return apply(a, o, without_prefix(path), NULL, err);
}

/* ---- names ---- */

const char *ck_field_internal_path(struct ck_arena *a, enum ck_object_kind kind, const char *path)
{
    if (kind == CK_KIND_OTHER)
        return path;
    const struct ck_type *t = ck_type_of(kind, false);
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    struct ck_slice rest = ck_slice_of(path), step;
    while (ck_slice_next(&rest, '.', &step)) {
        size_t bracket = ck_slice_find(step, '[');
        struct ck_slice name = ck_slice_n(step.ptr, bracket);
        const struct ck_field *f = t ? ck_field_find(t, name) : NULL;
        t = f && f->type == CK_T_STRUCT ? ck_field_struct(f) : NULL;
        if (f && (f->flags & CK_F_INLINE) && rest.ptr)
            continue;
        if (f && (f->flags & CK_F_ABS)) {
            ck_buf_reset(&out);
            ck_buf_puts(&out, "spec");
        }
        if (out.len)
            ck_buf_putc(&out, '.');
        if (f)
            ck_buf_puts(&out, f->flags & CK_F_INLINE ? ck_field_name(f) : ck_field_to(f));
        else
            ck_buf_put(&out, name);
        ck_buf_put(&out, ck_slice_n(step.ptr + bracket, step.len - bracket));
    }
    return ck_arena_strdup(a, ck_buf_str(&out));
}

static const char *steps_text(struct ck_arena *a, const struct ck_steps *s)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    for (size_t i = 0; i < s->n; i++) {
        if (!s->v[i].name.ptr)
            ck_buf_fmt(&b, "[%ld]", s->v[i].index);
        else
            ck_buf_fmt(&b, "%s%.*s", i ? "." : "", CK_SARG(s->v[i].name));
    }
    return ck_arena_strdup(a, ck_buf_str(&b));
}

const char *ck_field_elsewhere(struct ck_arena *a, enum ck_object_kind kind, bool v3,
                               const char *path)
{
    struct ck_steps steps = {0};
    struct target t;
    if (ck_path_parse(a, path, &steps, NULL))
        return NULL;
    if (v3) {
        if (!resolve_v2(a, kind, &steps, &t) || (t.f->flags & CK_F_NO3))
            return NULL;
        return ck_field_internal_path(a, kind, path);
    }
    if (!resolve_v3(a, kind, &steps, &t) || t.f->flags & CK_F_SYNTH)
        return NULL;
    return steps_text(a, &t.steps);
}
