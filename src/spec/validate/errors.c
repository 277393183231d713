/* Field errors: their text forms, their positions, and the aggregate. Holds no rule. Mirrors
 * apimachinery's util/validation/field/errors.go and util/errors. */
#include "spec/validate/rules.h"

#include "base/enc.h"
#include "base/mem.h"
#include "doc/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct ck_chk *c, struct ck_fld f, const char *type, const char *value,
                const char *detail)
{
    struct ck_field_errs *e = c->errs;
    if (!e->arena)
        e->arena = c->a;
    if (e->n == e->cap) {
        size_t cap = e->cap ? e->cap * 2 : 8;
        struct ck_field_err *v = ck_arena_alloc(e->arena, cap * sizeof *v);
        if (e->n)
            memcpy(v, e->v, e->n * sizeof *v);
        e->v = v;
        e->cap = cap;
    }
    bool more = detail && *detail;
    e->v[e->n++] = (struct ck_field_err){
        .path = f.path,
        .text = ck_arena_printf(c->a, "%s: %s%s%s%s%s", f.path, type, value ? ": " : "",
                                value ? value : "", more ? ": " : "", more ? detail : ""),
        .pos = f.near ? f.near->pos : (struct ck_pos){0, 0},
        .file = c->obj ? c->obj->file : NULL,
    };
}

static const char *quoted(struct ck_chk *c, const char *s)
{
    struct ck_buf b CK_AUTOBUF = CK_BUF_INIT;
    ck_goquote(&b, ck_slice_of(s));
    return ck_arena_strdup(c->a, ck_buf_str(&b));
}

/* The value as field.Error prints it: strings quoted, the rest as JSON. */
static const char *value_text(struct ck_chk *c, const struct ck_val *v)
{
    if (!v)
        return "\"\"";
    struct ck_buf b CK_AUTOBUF = CK_BUF_INIT;
    if (v->kind == CK_STR)
        ck_goquote(&b, v->s);
    else
        ck_json_emit(&b, v, (struct ck_json_style){.order = CK_JSON_SORTED});
    return ck_arena_strdup(c->a, ck_buf_str(&b));
}

static char *vformat(struct ck_chk *c, const char *fmt, va_list ap)
{
    struct ck_buf b CK_AUTOBUF = CK_BUF_INIT;
    ck_buf_vfmt(&b, fmt, ap);
    return ck_arena_strdup(c->a, ck_buf_str(&b));
}

void ck_chk_required(struct ck_chk *c, struct ck_fld f, const char *detail)
{
    add(c, f, "Required value", NULL, detail);
}

void ck_chk_forbidden(struct ck_chk *c, struct ck_fld f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(c, f, "Forbidden", NULL, vformat(c, fmt, ap));
    va_end(ap);
}

void ck_chk_invalid(struct ck_chk *c, struct ck_fld f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(c, f, "Invalid value", value_text(c, f.v), vformat(c, fmt, ap));
    va_end(ap);
}

void ck_chk_invalid_str(struct ck_chk *c, struct ck_fld f, const char *value, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(c, f, "Invalid value", quoted(c, value), vformat(c, fmt, ap));
    va_end(ap);
}

void ck_chk_invalid_int(struct ck_chk *c, struct ck_fld f, int64_t value, const char *detail)
{
    add(c, f, "Invalid value", ck_arena_printf(c->a, "%lld", (long long)value), detail);
}

void ck_chk_duplicate(struct ck_chk *c, struct ck_fld f, const char *value)
{
    add(c, f, "Duplicate value", quoted(c, value), NULL);
}

void ck_chk_not_found(struct ck_chk *c, struct ck_fld f, const char *value)
{
    add(c, f, "Not found", quoted(c, value), NULL);
}

void ck_chk_too_many(struct ck_chk *c, struct ck_fld f, int have, int max)
{
    add(c, f, "Too many", ck_arena_printf(c->a, "%d", have),
        ck_arena_printf(c->a, "must have at most %d item%s", max, max == 1 ? "" : "s"));
}

void ck_chk_unsupported(struct ck_chk *c, struct ck_fld f, const char *value,
                        const char *const *supported)
{
    struct ck_buf b CK_AUTOBUF = CK_BUF_INIT;
    ck_buf_puts(&b, "supported values: ");
    for (size_t i = 0; supported[i]; i++) {
        if (i)
            ck_buf_puts(&b, ", ");
        ck_goquote(&b, ck_slice_of(supported[i]));
    }
    add(c, f, "Unsupported value", quoted(c, value), ck_buf_str(&b));
}

void ck_chk_must_be_of(struct ck_chk *c, struct ck_fld f, const char *const *supported)
{
    const char *s = ck_fld_str(f);
    for (size_t i = 0; supported[i]; i++)
        if (!strcmp(s, supported[i]))
            return;
    ck_chk_unsupported(c, f, s, supported);
}

void ck_chk_one_of(struct ck_chk *c, struct ck_fld f, const char *const *supported)
{
    if (!ck_is_null(f.v))
        ck_chk_must_be_of(c, f, supported);
}

void ck_chk_one_of_set(struct ck_chk *c, struct ck_fld f, const char *const *supported)
{
    if (ck_fld_set(f))
        ck_chk_must_be_of(c, f, supported);
}

static bool seen_before(const struct ck_field_errs *e, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (!strcmp(e->v[j].text, e->v[i].text))
            return true;
    return false;
}

int ck_field_errs_fail(const struct ck_field_errs *e, struct ck_err *err)
{
    if (!e->n)
        return 0;
    struct ck_buf b CK_AUTOBUF = CK_BUF_INIT;
    size_t distinct = 0;
    for (size_t i = 0; i < e->n; i++) {
        if (seen_before(e, i))
            continue;
        if (distinct++)
            ck_buf_puts(&b, ", ");
        ck_buf_puts(&b, e->v[i].text);
    }
    if (distinct == 1)
        return ck_fail(err, CK_INVALID, "%s", ck_buf_str(&b));
    return ck_fail(err, CK_INVALID, "[%s]", ck_buf_str(&b));
}
