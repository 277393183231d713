/* Checking a value tree against the field schema, and bringing it into the form in which it is
 * written: unknown and retired fields, Go's JSON types, omitempty, canonical text of durations,
 * quantities and times. It knows nothing of the meaning of single fields (see quirks.c).
 *
 * Mirrors encoding/json as apimachinery uses it (case-sensitive, first error reported) and the
 * UnmarshalJSON methods of Duration, Quantity, Time and IntOrString. */
#include "spec/codec/field.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "doc/json.h"
#include "doc/scalar.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_PROBLEMS = 50, MAX_DEPTH = 100 };

/* Where we are: a chain of frames on the stack, turned into text when there is something to say. */
struct frame {
    const struct frame *up;
    struct ck_slice name; /* of the field; empty for the item of a list */
    size_t index;
    const struct ck_type *in; /* the structure that has the field */
    const struct ck_field *f;
    unsigned depth;
};

static void check_struct(struct ck_check *c, const struct ck_type *t, struct ck_val *v,
                         const struct frame *up);

void ck_put_pos(struct ck_buf *out, const struct ck_decode_opts *opts, struct ck_pos pos)
{
    if (opts && opts->file)
        ck_buf_puts(out, opts->file);
    if (pos.line)
        ck_buf_fmt(out, "%s%u:%u", opts && opts->file ? ":" : "", pos.line, pos.col);
}

/* ---- paths ---- */

static void put_path(struct ck_buf *out, const struct frame *fr)
{
    if (!fr)
        return;
    put_path(out, fr->up);
    if (fr->name.ptr) {
        if (fr->up)
            ck_buf_putc(out, '.');
        ck_buf_put(out, fr->name);
    } else {
        ck_buf_fmt(out, "[%zu]", fr->index);
    }
}

/* Field names from the root as encoding/json has them: without indexes and map keys. */
static void put_json_path(struct ck_buf *out, const struct frame *fr)
{
    if (!fr)
        return;
    put_json_path(out, fr->up);
    if (fr->f) {
        if (out->len)
            ck_buf_putc(out, '.');
        ck_buf_puts(out, ck_field_name(fr->f));
    }
}

static const struct frame *field_frame(const struct frame *fr)
{
    while (fr && !fr->f)
        fr = fr->up;
    return fr;
}

/* ---- problems ---- */

/* Begin a line: "FILE:LINE:COL: ". False when there are enough of them, or none is wanted. */
static bool begin_problem(struct ck_check *c, struct ck_pos pos)
{
    if (!c->opts || c->n_problems > MAX_PROBLEMS)
        return false;
    if (c->n_problems)
        ck_buf_putc(&c->problems, '\n');
    if (c->n_problems++ == MAX_PROBLEMS) {
        ck_buf_puts(&c->problems, "and more");
        return false;
    }
    size_t at = c->problems.len;
    ck_put_pos(&c->problems, c->opts, pos);
    if (c->problems.len > at)
        ck_buf_puts(&c->problems, ": ");
    return true;
}

static const char *json_kind(const struct ck_val *v)
{
    switch (v->kind) {
    case CK_BOOL:
        return "bool";
    case CK_STR:
        return "string";
    case CK_LIST:
        return "array";
    case CK_MAP:
        return "object";
    default:
        return "number";
    }
}

static void put_go_type(struct ck_buf *out, const struct ck_check *c, const struct ck_field *f,
                        bool whole)
{
    static const char *const names[] = {
        [CK_T_STRING] = "string",     [CK_T_BOOL] = "bool",
        [CK_T_INT] = "int",           [CK_T_INT16] = "int16",
        [CK_T_INT32] = "int32",       [CK_T_INT64] = "int64",
        [CK_T_UINT8] = "uint8",       [CK_T_UINT32] = "uint32",
        [CK_T_BYTES] = "[]uint8",     [CK_T_TIME] = "string",
        [CK_T_DURATION] = "string",   [CK_T_QUANTITY] = "string",
        [CK_T_INTORSTRING] = "int32", [CK_T_ANY] = "map[string]interface {}",
    };
    if (whole && f->shape != CK_SHAPE_ONE)
        ck_buf_puts(out, f->shape == CK_SHAPE_LIST  ? "[]"
                         : f->shape == CK_SHAPE_MAP ? "map[string]"
                                                    : "map[string][]");
    if (whole && f->shape != CK_SHAPE_ONE && (f->flags & CK_F_ELEM_PTR))
        ck_buf_putc(out, '*');
    const char *name = f->type == CK_T_STRUCT ? ck_field_text(ck_field_struct(f)->go)
                       : f->go                ? ck_field_text(f->go)
                                              : NULL;
    if (!name)
        ck_buf_puts(out, names[f->type]);
    else if (strchr(name, '.'))
        ck_buf_puts(out, name);
    else
        ck_buf_fmt(out, "%s.%s", c->version, name);
}

static const char *struct_name(const struct ck_type *t)
{
    const char *name = ck_field_text(t->go), *dot = strchr(name, '.');
    return dot ? dot + 1 : name;
}

/* Go's text for a value of the wrong JSON type. `whole`: the field's own type, not its items'. */
static void wrong_type(struct ck_check *c, const struct frame *fr, const struct ck_val *v,
                       const struct ck_field *f, bool whole)
{
    if (!c->opts || c->n_problems >= MAX_PROBLEMS)
        return;
    if (c->n_problems++)
        ck_buf_putc(&c->problems, '\n');
    ck_buf_fmt(&c->problems, "json: cannot unmarshal %s", json_kind(v));
    bool is_int = f->type >= CK_T_INT && f->type <= CK_T_UINT32;
    if ((is_int || f->type == CK_T_INTORSTRING) && (!whole || f->shape == CK_SHAPE_ONE) &&
        (v->kind == CK_INT || v->kind == CK_UINT || v->kind == CK_FLOAT)) {
        ck_buf_putc(&c->problems, ' ');
        ck_json_emit(&c->problems, v, (struct ck_json_style){0});
    }
    CK_AUTOBUF struct ck_buf path = CK_BUF_INIT;
    put_json_path(&path, fr);
    const struct frame *at = field_frame(fr);
    ck_buf_fmt(&c->problems, " into Go struct field %s.%s of type ", at ? struct_name(at->in) : "",
               ck_buf_str(&path));
    put_go_type(&c->problems, c, f, whole);
    CK_AUTOBUF struct ck_buf pos = CK_BUF_INIT;
    ck_put_pos(&pos, c->opts, v->pos);
    if (pos.len)
        ck_buf_fmt(&c->problems, " (%s)", ck_buf_str(&pos));
}

/* A value whose text cannot be read: "TEXT (FILE:1:2)", with the field when TEXT does not say it.
 */
static void bad_text(struct ck_check *c, const struct frame *fr, const struct ck_val *v,
                     const char *text)
{
    if (!c->opts || c->n_problems >= MAX_PROBLEMS)
        return;
    if (c->n_problems++)
        ck_buf_putc(&c->problems, '\n');
    ck_buf_puts(&c->problems, text);
    ck_buf_puts(&c->problems, " (");
    size_t at = c->problems.len;
    ck_put_pos(&c->problems, c->opts, v->pos);
    if (c->problems.len > at)
        ck_buf_puts(&c->problems, ": ");
    put_path(&c->problems, fr);
    ck_buf_putc(&c->problems, ')');
}

static void unknown_field(struct ck_check *c, const struct ck_type *t, const struct frame *up,
                          const struct ck_pair *p)
{
    if (!c->opts || c->opts->lenient || !begin_problem(c, p->key_pos))
        return;
    CK_AUTOBUF struct ck_buf path = CK_BUF_INIT;
    put_path(&path, &(struct frame){.up = up, .name = p->key});
    ck_buf_fmt(&c->problems, "%s: unknown field", ck_buf_str(&path));
    bool v3 = strcmp(c->version, "v1alpha3") == 0;
    const char *moved = ck_field_elsewhere(c->arena, c->kind, v3, ck_buf_str(&path));
    if (moved) {
        ck_buf_fmt(&c->problems, "; in %s it is %s", c->version, moved);
        return;
    }
    const char *names[CK_TYPE_FIELDS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < t->n && n < CK_TYPE_FIELDS_MAX; i++)
        if (!ck_field_retired(ck_field_at(t, i)))
            names[n++] = ck_field_name(ck_field_at(t, i));
    const char *near = ck_nearest(p->key.ptr, names, n);
    if (near)
        ck_buf_fmt(&c->problems, ", did you mean \"%s\"?", near);
}

static void dropped_field(struct ck_check *c, const struct frame *fr, struct ck_pos pos)
{
    if (!c->opts || !c->opts->warn)
        return;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_put_pos(&b, c->opts, pos);
    if (b.len)
        ck_buf_puts(&b, ": ");
    put_path(&b, fr);
    ck_buf_puts(&b, " is no longer used; its value is not kept");
    c->opts->warn(c->opts->warn_arg, ck_buf_str(&b));
}

/* ---- scalars ---- */

static void set_text(struct ck_check *c, struct ck_val *v, const struct ck_buf *text)
{
    if (v->kind == CK_STR && ck_slice_eq(v->s, ck_buf_slice(text)))
        return;
    v->kind = CK_STR;
    v->s = ck_arena_slice(c->arena, ck_buf_slice(text));
}

static bool int_fits(uint8_t type, int64_t i)
{
    switch (type) {
    case CK_T_INT16:
        return i >= INT16_MIN && i <= INT16_MAX;
    case CK_T_INT32:
    case CK_T_INTORSTRING:
        return i >= INT32_MIN && i <= INT32_MAX;
    case CK_T_UINT8:
        return i >= 0 && i <= UINT8_MAX;
    case CK_T_UINT32:
        return i >= 0 && i <= UINT32_MAX;
    default:
        return true;
    }
}

/* 2.0 is 2: the way from YAML to JSON loses the fraction of whole numbers. */
static void whole_number(struct ck_val *v)
{
    if (v->kind == CK_FLOAT && fabs(v->f) < 9e15 && v->f == floor(v->f)) {
        v->kind = CK_INT;
        v->i = (int64_t)v->f;
    }
}

static void check_int(struct ck_check *c, const struct frame *fr, const struct ck_field *f,
                      struct ck_val *v)
{
    whole_number(v);
    if (v->kind != CK_INT || !int_fits(f->type, v->i))
        wrong_type(c, fr, v, f, false);
}

static void check_duration(struct ck_check *c, const struct frame *fr, const struct ck_field *f,
                           struct ck_val *v)
{
    if (v->kind != CK_STR) {
        wrong_type(c, fr, v, f, false);
        return;
    }
    CK_AUTOERR err = CK_ERR_INIT;
    int64_t ns;
    if (ck_duration_parse(v->s, &ns, &err)) {
        bad_text(c, fr, v, ck_err_msg(&err));
        return;
    }
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_duration_put(&b, ns);
    set_text(c, v, &b);
}

static void check_quantity(struct ck_check *c, const struct frame *fr, const struct ck_field *f,
                           struct ck_val *v)
{
    CK_AUTOBUF struct ck_buf in = CK_BUF_INIT, out = CK_BUF_INIT;
    if (v->kind == CK_INT || v->kind == CK_UINT || v->kind == CK_FLOAT) {
        ck_json_emit(&in, v, (struct ck_json_style){0});
    } else if (v->kind == CK_STR) {
        ck_buf_put(&in, v->s);
    } else {
        wrong_type(c, fr, v, f, false);
        return;
    }
    CK_AUTOERR err = CK_ERR_INIT;
    if (ck_quantity_canonical(ck_buf_slice(&in), &out, &err))
        bad_text(c, fr, v, ck_err_msg(&err));
    else
        set_text(c, v, &out);
}

static void check_time(struct ck_check *c, const struct frame *fr, const struct ck_field *f,
                       struct ck_val *v)
{
    if (v->kind != CK_STR) {
        wrong_type(c, fr, v, f, false);
        return;
    }
    int64_t s;
    if (!ck_rfc3339_parse(v->s, &s)) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        ck_buf_puts(&b, "parsing time ");
        ck_goquote(&b, v->s);
        ck_buf_puts(&b, " as \"2006-01-02T15:04:05Z07:00\": it is not RFC 3339");
        bad_text(c, fr, v, ck_buf_str(&b));
        return;
    }
    char text[21];
    ck_rfc3339(s, text);
    if (!ck_slice_eq_str(v->s, text))
        v->s = ck_arena_slice(c->arena, ck_slice_of(text));
}

static void check_bytes(struct ck_check *c, const struct frame *fr, const struct ck_field *f,
                        struct ck_val *v)
{
    if (v->kind != CK_STR) {
        wrong_type(c, fr, v, f, false);
        return;
    }
    CK_AUTOBUF struct ck_buf raw = CK_BUF_INIT;
    if (!ck_base64_decode(&raw, v->s)) {
        bad_text(c, fr, v, "illegal base64 data");
    } else if (ck_slice_find(v->s, '\n') < v->s.len || ck_slice_find(v->s, '\r') < v->s.len) {
        CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
        ck_base64_encode(&text, raw.ptr, raw.len);
        set_text(c, v, &text);
        ck_wipe(text.ptr, text.len);
    }
    if (raw.ptr) /* it may be a private key */
        ck_wipe(raw.ptr, raw.len);
}

static void check_one(struct ck_check *c, const struct frame *fr, const struct ck_field *f,
                      struct ck_val *v)
{
    switch (f->type) {
    case CK_T_STRUCT:
        if (v->kind != CK_MAP)
            wrong_type(c, fr, v, f, false);
        else
            check_struct(c, ck_field_struct(f), v, fr);
        break;
    case CK_T_STRING:
        if (v->kind != CK_STR)
            wrong_type(c, fr, v, f, false);
        break;
    case CK_T_BOOL:
        if (v->kind != CK_BOOL)
            wrong_type(c, fr, v, f, false);
        break;
    case CK_T_BYTES:
        check_bytes(c, fr, f, v);
        break;
    case CK_T_TIME:
        check_time(c, fr, f, v);
        break;
    case CK_T_DURATION:
        check_duration(c, fr, f, v);
        break;
    case CK_T_QUANTITY:
        check_quantity(c, fr, f, v);
        break;
    case CK_T_INTORSTRING:
        if (v->kind != CK_STR)
            check_int(c, fr, f, v);
        break;
    case CK_T_ANY:
        break;
    default:
        check_int(c, fr, f, v);
        break;
    }
}

/* ---- lists and maps ---- */

/* Go's zero value of a field's item: what null means inside lists and maps. */
static void make_zero(struct ck_check *c, const struct ck_field *f, struct ck_val *v)
{
    struct ck_pos pos = v->pos;
    memset(v, 0, sizeof *v);
    v->pos = pos;
    switch (f->type) {
    case CK_T_STRUCT:
        v->kind = CK_MAP;
        break;
    case CK_T_BOOL:
        v->kind = CK_BOOL;
        break;
    case CK_T_ANY:
    case CK_T_TIME:
        v->kind = CK_NULL;
        break;
    case CK_T_QUANTITY:
        *v = *ck_str(c->arena, "0");
        break;
    case CK_T_STRING:
    case CK_T_BYTES:
    case CK_T_DURATION:
        *v = *ck_str(c->arena, "");
        break;
    default:
        v->kind = CK_INT;
    }
}

static void check_item(struct ck_check *c, const struct frame *fr, const struct ck_field *f,
                       struct ck_val *v)
{
    if (v->kind != CK_NULL) {
        check_one(c, fr, f, v);
    } else if (!(f->flags & CK_F_ELEM_PTR)) {
        make_zero(c, f, v);
        if (v->kind == CK_MAP)
            check_one(c, fr, f, v);
    }
}

static void check_list(struct ck_check *c, const struct frame *up, const struct ck_field *f,
                       struct ck_val *v)
{
    if (v->kind != CK_LIST) {
        wrong_type(c, up, v, f, true);
        return;
    }
    struct frame fr = {.up = up, .depth = up->depth + 1};
    for (uint32_t i = 0; i < v->list.n; i++) {
        fr.index = i;
        check_item(c, &fr, f, v->list.v[i]);
    }
}

static void check_map(struct ck_check *c, const struct frame *up, const struct ck_field *f,
                      struct ck_val *v)
{
    if (v->kind != CK_MAP) {
        wrong_type(c, up, v, f, true);
        return;
    }
    struct frame fr = {.up = up, .depth = up->depth + 1};
    for (uint32_t i = 0; i < v->map.n; i++) {
        struct ck_val *item = v->map.v[i].val;
        fr.name = v->map.v[i].key;
        if (f->shape == CK_SHAPE_MAP)
            check_item(c, &fr, f, item);
        else if (item->kind != CK_NULL)
            check_list(c, &fr, f, item);
    }
}

/* ---- structures ---- */

static bool is_zero(const struct ck_field *f, const struct ck_val *v)
{
    switch (v->kind) {
    case CK_NULL:
        return true;
    case CK_BOOL:
        return !v->b;
    case CK_INT:
        return v->i == 0;
    case CK_STR:
        return v->s.len == 0;
    case CK_LIST:
        return v->list.n == 0;
    case CK_MAP:
        return f->type != CK_T_STRUCT && v->map.n == 0;
    default:
        return false;
    }
}

/* Check one field; false when it is left out of the output. */
static bool check_field(struct ck_check *c, const struct frame *fr, struct ck_val *v)
{
    const struct ck_field *f = fr->f;
    if (v->kind == CK_NULL) {
        if (!(f->flags & CK_F_REQ))
            return false;
        if (f->shape == CK_SHAPE_ONE)
            make_zero(c, f, v);
        if (v->kind == CK_MAP)
            check_one(c, fr, f, v);
        return true;
    }
    switch (f->shape) {
    case CK_SHAPE_ONE:
        check_one(c, fr, f, v);
        return (f->flags & (CK_F_PTR | CK_F_REQ)) || !is_zero(f, v);
    case CK_SHAPE_LIST:
        check_list(c, fr, f, v);
        break;
    default:
        check_map(c, fr, f, v);
        break;
    }
    return (f->flags & CK_F_REQ) || ck_len(v) > 0 || (v->kind != CK_LIST && v->kind != CK_MAP);
}

static void add_missing(struct ck_check *c, const struct ck_type *t, struct ck_val *v,
                        const struct frame *up, const bool *seen)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct ck_field *f = ck_field_at(t, i);
        if (seen[i] || !(f->flags & CK_F_REQ))
            continue;
        struct ck_slice name = ck_slice_of(ck_field_name(f));
        struct ck_val *item = ck_null(c->arena);
        struct frame fr = {
            .up = up, .name = name, .in = t, .f = f, .depth = up ? up->depth + 1 : 0};
        check_field(c, &fr, item);
        ck_map_append(c->arena, v, name, item);
    }
}

static void check_struct(struct ck_check *c, const struct ck_type *t, struct ck_val *v,
                         const struct frame *up)
{
    bool seen[CK_TYPE_FIELDS_MAX] = {false};
    uint32_t kept = 0, n = v->map.n;
    if (up && up->depth > MAX_DEPTH)
        return;
    for (uint32_t i = 0; i < n; i++) {
        struct ck_pair *p = &v->map.v[i];
        const struct ck_field *f = ck_field_find(t, p->key);
        if (!f) {
            unknown_field(c, t, up, p);
            continue;
        }
        struct frame fr = {
            .up = up, .name = p->key, .in = t, .f = f, .depth = up ? up->depth + 1 : 0};
        if (ck_field_retired(f)) {
            if (p->val->kind != CK_NULL)
                dropped_field(c, &fr, p->key_pos);
            continue;
        }
        if (!check_field(c, &fr, p->val))
            continue;
        seen[f - ck_field_at(t, 0)] = true;
        if (kept != i)
            v->map.v[kept] = *p;
        kept++;
    }
    if (kept != n) { /* positions moved: the index no longer holds */
        v->map.n = kept;
        v->map.index = NULL;
        v->map.nindex = 0;
    }
    if (t->flags & CK_TYPE_ALWAYS)
        add_missing(c, t, v, up, seen);
}

void ck_check_tree(struct ck_check *c, const struct ck_type *root, struct ck_val *v)
{
    check_struct(c, root, v, NULL);
}
