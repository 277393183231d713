/* Texts of --set as values. Mirrors kOps util/pkg/reflectutils/access.go (setType). */
#include "spec/codec/setvalue.h"

#include "base/enc.h"
#include "doc/scalar.h"

#include <errno.h>
#include <stdlib.h>

static int cannot(const char *text, const char *type, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_goquote(&b, ck_slice_of(text));
    return ck_fail(err, CK_INVALID, "cannot interpret %s value as %s", ck_buf_str(&b), type);
}

static int unhandled(const struct ck_field *f, struct ck_err *err)
{
    const char *name = f->type == CK_T_STRUCT ? ck_field_text(ck_field_struct(f)->go)
                       : f->type == CK_T_BOOL ? "bool"
                                              : "string";
    const char *shape = f->shape == CK_SHAPE_LIST  ? "[]"
                        : f->shape == CK_SHAPE_MAP ? "map[string]"
                        : f->flags & CK_F_PTR      ? "*"
                                                   : "";
    return ck_fail(err, CK_INVALID, "unhandled type \"%s%s%s\"", shape,
                   f->type == CK_T_STRUCT && !strchr(name, '.') ? "kops." : "", name);
}

/* Go's strconv.ParseBool. */
static int parse_bool(struct ck_arena *a, const char *text, bool inverted, struct ck_val **ret,
                      struct ck_err *err)
{
    static const char *const words[2][6] = {{"0", "f", "F", "false", "FALSE", "False"},
                                            {"1", "t", "T", "true", "TRUE", "True"}};
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 6; j++) {
            if (strcmp(text, words[i][j]) == 0) {
                *ret = ck_bool(a, (i == 1) != inverted);
                return 0;
            }
        }
    }
    return cannot(text, "bool", err);
}

static const struct {
    const char *name;
    int64_t min, max;
} ints[] = {
    [CK_T_INT] = {"integer", INT64_MIN, INT64_MAX},
    [CK_T_INT16] = {"int16", INT16_MIN, INT16_MAX},
    [CK_T_INT32] = {"int32", INT32_MIN, INT32_MAX},
    [CK_T_INT64] = {"int64", INT64_MIN, INT64_MAX},
    [CK_T_UINT8] = {"unsigned integer", 0, UINT8_MAX},
    [CK_T_UINT32] = {"unsigned integer", 0, UINT32_MAX},
};

static int parse_int(struct ck_arena *a, uint8_t type, const char *text, struct ck_val **ret,
                     struct ck_err *err)
{
    const char *digits = text + (*text == '-' || *text == '+');
    size_t n = strspn(digits, "0123456789");
    errno = 0;
    long long i = strtoll(text, NULL, 10);
    if (n == 0 || digits[n] || errno || i < ints[type].min || i > ints[type].max)
        return cannot(text, ints[type].name, err);
    *ret = ck_int(a, i);
    return 0;
}

static int parse_duration(struct ck_arena *a, const char *text, struct ck_val **ret,
                          struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    int64_t ns;
    if (ck_duration_parse(ck_slice_of(text), &ns, NULL))
        return cannot(text, "v1.Duration", err);
    ck_duration_put(&b, ns);
    *ret = ck_strn(a, ck_buf_slice(&b));
    return 0;
}

static int parse_quantity(struct ck_arena *a, const char *text, struct ck_val **ret,
                          struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (ck_quantity_canonical(ck_slice_of(text), &b, NULL))
        return cannot(text, "resource.Quantity", err);
    *ret = ck_strn(a, ck_buf_slice(&b));
    return 0;
}

/* NAME=VALUE of an environment variable. */
static int parse_env(struct ck_arena *a, const char *text, struct ck_val **ret, struct ck_err *err)
{
    const char *eq = strchr(text, '=');
    if (!eq)
        return cannot(text, "EnvVar", err);
    *ret = ck_map(a);
    ck_set(a, *ret, "name", ck_strn(a, ck_slice_n(text, (size_t)(eq - text))));
    ck_set_str(a, *ret, "value", eq + 1);
    return 0;
}

/* One value of the field's item type. */
static int parse_one(struct ck_arena *a, const struct ck_field *f, bool inverted, const char *text,
                     struct ck_val **ret, struct ck_err *err)
{
    switch (f->type) {
    case CK_T_STRING:
        *ret = ck_str(a, text);
        return 0;
    case CK_T_BOOL:
        return parse_bool(a, text, inverted, ret, err);
    case CK_T_DURATION:
        return parse_duration(a, text, ret, err);
    case CK_T_QUANTITY:
        return parse_quantity(a, text, ret, err);
    case CK_T_INTORSTRING:
        if (text[0] && !text[strspn(text, "0123456789")])
            return parse_int(a, CK_T_INT32, text, ret, err);
        *ret = ck_str(a, text);
        return 0;
    case CK_T_STRUCT:
        if (ck_str_ends(ck_field_text(ck_field_struct(f)->go), "EnvVar"))
            return parse_env(a, text, ret, err);
        return unhandled(f, err);
    case CK_T_BYTES:
    case CK_T_TIME:
    case CK_T_ANY:
        return unhandled(f, err);
    default:
        return parse_int(a, f->type, text, ret, err);
    }
}

/* The comma-separated items go to the end of what is there. */
static int grow_list(struct ck_arena *a, const struct ck_field *f, struct ck_val *list,
                     const char *text, struct ck_err *err)
{
    struct ck_slice rest = ck_slice_of(text), token;
    while (text[0] && ck_slice_next(&rest, ',', &token)) {
        struct ck_val *item = NULL;
        int rc = parse_one(a, f, false, ck_arena_strndup(a, token.ptr, token.len), &item, err);
        if (rc)
            return rc;
        ck_append(a, list, item);
    }
    return 0;
}

/* One entry: key=value. */
static int put_entry(struct ck_arena *a, const struct ck_field *f, struct ck_val *map,
                     const char *text, struct ck_err *err)
{
    if (f->type != CK_T_STRING && f->type != CK_T_INTORSTRING)
        return unhandled(f, err);
    const char *eq = strchr(text, '=');
    if (!eq)
        return cannot(text, "key=value", err);
    struct ck_val *item = NULL;
    int rc;
    if (f->shape == CK_SHAPE_MAPLIST) {
        item = ck_list(a);
        rc = grow_list(a, f, item, eq + 1, err);
    } else {
        rc = parse_one(a, f, false, eq + 1, &item, err);
    }
    if (rc == 0)
        ck_setn(a, map, ck_slice_n(text, (size_t)(eq - text)), item);
    return rc;
}

/* The container under f in map, made when it is not there. */
static struct ck_val *container(struct ck_arena *a, const struct ck_field *f, struct ck_val *map,
                                enum ck_kind kind)
{
    struct ck_val *v = ck_get(map, ck_field_name(f));
    if (!v || v->kind != kind) {
        v = kind == CK_LIST ? ck_list(a) : ck_map(a);
        ck_set(a, map, ck_field_name(f), v);
    }
    return v;
}

/* v1alpha3 has a list where v1alpha2 has a text with commas. */
static void grow_text(struct ck_arena *a, const struct ck_field *f, struct ck_val *map,
                      const char *text)
{
    const char *old = ck_str_or(ck_get(map, ck_field_name(f)), "");
    ck_set(a, map, ck_field_name(f), ck_strf(a, "%s%s%s", old, old[0] && text[0] ? "," : "", text));
}

int ck_set_field(struct ck_arena *a, const struct ck_field *f, struct ck_val *map,
                 const struct ck_field *f3, bool inverted, const char *text, struct ck_err *err)
{
    struct ck_val *v = NULL;
    if (f3 && (f3->flags & CK_F_RETYPED) && f->shape == CK_SHAPE_ONE) {
        grow_text(a, f, map, text);
        return 0;
    }
    if (f->shape == CK_SHAPE_LIST)
        return grow_list(a, f, container(a, f, map, CK_LIST), text, err);
    if (f->shape != CK_SHAPE_ONE)
        return text[0] ? put_entry(a, f, container(a, f, map, CK_MAP), text, err) : 0;
    if (f->type == CK_T_STRUCT && !text[0]) {
        container(a, f, map, CK_MAP);
        return 0;
    }
    int rc = parse_one(a, f, inverted, text, &v, err);
    if (rc == 0)
        ck_set(a, map, ck_field_name(f), v);
    return rc;
}

int ck_set_item(struct ck_arena *a, const struct ck_field *f, struct ck_val *list, size_t at,
                const char *text, struct ck_err *err)
{
    struct ck_val *v = NULL;
    if (f->type == CK_T_STRUCT && !text[0])
        return 0;
    int rc = parse_one(a, f, false, text, &v, err);
    if (rc == 0)
        list->list.v[at] = v;
    return rc;
}
