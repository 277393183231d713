/* JSON out with the bytes of Go's encoding/json. */
#include "base/enc.h"
#include "base/mem.h"
#include "doc/gofloat.h"
#include "doc/json.h"

#include <stdlib.h>
#include <string.h>

void ck_json_float(struct ck_buf *out, double f)
{
    ck_gofloat_put(out, f, 64, true);
}

void ck_json_string(struct ck_buf *out, struct ck_slice s, bool raw_html)
{
    ck_buf_putc(out, '"');
    for (size_t i = 0, n; i < s.len; i += n) {
        uint32_t cp = 0;
        n = ck_utf8_decode(s.ptr + i, s.len - i, &cp);
        if (!n) {
            n = 1;
            ck_buf_puts(out, "\\ufffd");
        } else if (cp == '"' || cp == '\\') {
            ck_buf_putc(out, '\\');
            ck_buf_putc(out, (char)cp);
        } else if (cp == '\n') {
            ck_buf_puts(out, "\\n");
        } else if (cp == '\r') {
            ck_buf_puts(out, "\\r");
        } else if (cp == '\t') {
            ck_buf_puts(out, "\\t");
        } else if (cp == '\b') {
            ck_buf_puts(out, "\\b");
        } else if (cp == '\f') {
            ck_buf_puts(out, "\\f");
        } else if (cp < 0x20 || cp == 0x2028 || cp == 0x2029 ||
                   (!raw_html && (cp == '<' || cp == '>' || cp == '&'))) {
            ck_buf_fmt(out, "\\u%04x", (unsigned)cp);
        } else {
            ck_buf_putn(out, s.ptr + i, n);
        }
    }
    ck_buf_putc(out, '"');
}

static void new_line(struct ck_buf *out, struct ck_json_style st, unsigned depth)
{
    if (!st.indent)
        return;
    ck_buf_putc(out, '\n');
    ck_buf_fill(out, ' ', (size_t)st.indent * depth);
}

static void put(struct ck_buf *out, const struct ck_val *v, struct ck_json_style st,
                unsigned depth);

static void put_map(struct ck_buf *out, const struct ck_val *v, struct ck_json_style st,
                    unsigned depth)
{
    size_t n = v->map.n;
    const struct ck_pair **p = ck_xmalloc((n ? n : 1) * sizeof(const struct ck_pair *));
    for (size_t i = 0; i < n; i++)
        p[i] = &v->map.v[i];
    if (st.order == CK_JSON_SORTED && n > 1)
        qsort(p, n, sizeof(const struct ck_pair *), ck_pair_cmp);
    ck_buf_putc(out, '{');
    for (size_t i = 0; i < n; i++) {
        if (i)
            ck_buf_putc(out, ',');
        new_line(out, st, depth + 1);
        ck_json_string(out, p[i]->key, st.raw_html);
        ck_buf_puts(out, st.indent ? ": " : ":");
        put(out, p[i]->val, st, depth + 1);
    }
    if (n)
        new_line(out, st, depth);
    ck_buf_putc(out, '}');
    free(p);
}

static void put(struct ck_buf *out, const struct ck_val *v, struct ck_json_style st, unsigned depth)
{
    switch (v->kind) {
    case CK_NULL:
        ck_buf_puts(out, "null");
        break;
    case CK_BOOL:
        ck_buf_puts(out, v->b ? "true" : "false");
        break;
    case CK_INT:
        ck_buf_fmt(out, "%lld", (long long)v->i);
        break;
    case CK_UINT:
        ck_buf_fmt(out, "%llu", (unsigned long long)v->u);
        break;
    case CK_FLOAT:
        ck_json_float(out, v->f);
        break;
    case CK_STR:
        ck_json_string(out, v->s, st.raw_html);
        break;
    case CK_MAP:
        put_map(out, v, st, depth);
        break;
    case CK_LIST:
        ck_buf_putc(out, '[');
        for (size_t i = 0; i < v->list.n; i++) {
            if (i)
                ck_buf_putc(out, ',');
            new_line(out, st, depth + 1);
            put(out, v->list.v[i], st, depth + 1);
        }
        if (v->list.n)
            new_line(out, st, depth);
        ck_buf_putc(out, ']');
        break;
    }
}

void ck_json_emit(struct ck_buf *out, const struct ck_val *v, struct ck_json_style style)
{
    put(out, v, style, 0);
}
