/* The reference of all fields, written from the schema as Markdown. */
#include "spec/codec/field.h"

static const char *const type_names[] = {
    [CK_T_STRUCT] = "",           [CK_T_STRING] = "string",
    [CK_T_BOOL] = "boolean",      [CK_T_INT] = "integer",
    [CK_T_INT16] = "integer",     [CK_T_INT32] = "integer",
    [CK_T_INT64] = "integer",     [CK_T_UINT8] = "integer",
    [CK_T_UINT32] = "integer",    [CK_T_BYTES] = "base64",
    [CK_T_TIME] = "time",         [CK_T_DURATION] = "duration",
    [CK_T_QUANTITY] = "quantity", [CK_T_INTORSTRING] = "integer or string",
    [CK_T_ANY] = "any",
};

static void put_type(struct ck_buf *out, const struct ck_field *f)
{
    static const char *const shapes[] = {"", "list of ", "map of ", "map of lists of "};
    ck_buf_puts(out, shapes[f->shape]);
    ck_buf_puts(out, f->type == CK_T_STRUCT ? "object" : type_names[f->type]);
}

static void put_note(struct ck_buf *out, const char *text)
{
    if (out->len && out->ptr[out->len - 1] != ' ')
        ck_buf_puts(out, ". ");
    ck_buf_puts(out, text);
}

static void put_notes(struct ck_buf *out, const struct ck_field *f)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_puts(&b, ck_field_docs_text + f->doc);
    if (f->enums) {
        put_note(&b, "One of `");
        struct ck_slice rest = ck_slice_of(ck_field_text(f->enums)), v;
        for (bool first = true; ck_slice_next(&rest, ',', &v); first = false)
            ck_buf_fmt(&b, "%s%.*s", first ? "" : "`, `", CK_SARG(v));
        ck_buf_putc(&b, '`');
    }
    if (ck_field_retired(f))
        put_note(&b, "No longer used: accepted, not kept");
    else if (f->flags & CK_F_NO3)
        put_note(&b, "Not in v1alpha3");
    if (f->flags & CK_F_INV)
        put_note(&b, "v1alpha3 says the opposite");
    ck_buf_put(out, ck_buf_slice(&b));
}

static void put_struct(struct ck_buf *out, enum ck_object_kind kind, const struct ck_type *t,
                       const char *path, struct ck_arena *a)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct ck_field *f = ck_field_at(t, i);
        const char *own =
            ck_arena_printf(a, "%s%s%s%s", path, path[0] ? "." : "", ck_field_name(f),
                            f->shape == CK_SHAPE_LIST && f->type == CK_T_STRUCT ? "[]" : "");
        const char *v3 = ck_field_internal_path(a, kind, own);
        bool has3 = !ck_field_retired(f) && !(f->flags & CK_F_NO3);
        ck_buf_fmt(out, "| `%s` | ", own);
        put_type(out, f);
        ck_buf_puts(out, " | ");
        if (has3 && strcmp(v3, own) != 0)
            ck_buf_fmt(out, "`%s`", v3);
        ck_buf_puts(out, " | ");
        put_notes(out, f);
        ck_buf_puts(out, " |\n");
        if (f->type == CK_T_STRUCT && !ck_field_retired(f))
            put_struct(out, kind, ck_field_struct(f), own, a);
    }
}

void ck_field_docs(struct ck_buf *out, enum ck_object_kind kind)
{
    if (kind == CK_KIND_OTHER)
        return;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    ck_buf_puts(out, "| field | type | in v1alpha3 | meaning |\n|---|---|---|---|\n");
    put_struct(out, kind, ck_type_of(kind, false), "", a);
}
