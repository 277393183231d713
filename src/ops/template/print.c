/* Values as text, numbers and truths: what Go's fmt and sprig's conversions make of them. */
#include "ops/template/internal.h"

#include "base/enc.h"
#include "doc/gofloat.h"

#include <stdlib.h>
#include <string.h>

static void print_inner(struct ck_buf *out, const struct ck_val *v);

static void print_map(struct ck_buf *out, const struct ck_val *v)
{
    size_t n = ck_len(v);
    const struct ck_pair **sorted = calloc(n + 1, sizeof(void *));
    for (size_t i = 0; sorted && i < n; i++)
        sorted[i] = &v->map.v[i];
    if (sorted && n)
        qsort(sorted, n, sizeof(void *), ck_pair_cmp);
    ck_buf_puts(out, "map[");
    for (size_t i = 0; sorted && i < n; i++) {
        ck_buf_puts(out, i ? " " : "");
        ck_buf_put(out, sorted[i]->key);
        ck_buf_putc(out, ':');
        print_inner(out, sorted[i]->val);
    }
    ck_buf_putc(out, ']');
    free(sorted);
}

static void print_inner(struct ck_buf *out, const struct ck_val *v)
{
    if (ck_is_null(v))
        ck_buf_puts(out, "<nil>");
    else
        ck_template_print(out, v);
}

void ck_template_print(struct ck_buf *out, const struct ck_val *v)
{
    switch (v ? v->kind : CK_NULL) {
    case CK_NULL:
        ck_buf_puts(out, "<no value>");
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
        ck_gofloat_put(out, v->f, 64, false);
        break;
    case CK_STR:
        ck_buf_put(out, v->s);
        break;
    case CK_LIST:
        ck_buf_putc(out, '[');
        for (size_t i = 0; i < ck_len(v); i++) {
            ck_buf_puts(out, i ? " " : "");
            print_inner(out, ck_item(v, i));
        }
        ck_buf_putc(out, ']');
        break;
    case CK_MAP:
        print_map(out, v);
        break;
    }
}

const char *ck_tval_text(struct ck_arena *a, const struct ck_val *v)
{
    if (ck_is_null(v))
        return "";
    if (v->kind == CK_STR)
        return v->s.ptr;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_template_print(&b, v);
    return ck_arena_strndup(a, ck_buf_str(&b), b.len);
}

bool ck_tval_true(const struct ck_val *v)
{
    switch (v ? v->kind : CK_NULL) {
    case CK_NULL:
        return false;
    case CK_BOOL:
        return v->b;
    case CK_INT:
        return v->i != 0;
    case CK_UINT:
        return true;
    case CK_FLOAT:
        return v->f < 0 || v->f > 0;
    case CK_STR:
        return v->s.len != 0;
    case CK_LIST:
    case CK_MAP:
        return ck_len(v) != 0;
    }
    return false;
}

int64_t ck_tval_int(const struct ck_val *v)
{
    switch (v ? v->kind : CK_NULL) {
    case CK_INT:
        return v->i;
    case CK_BOOL:
        return v->b;
    case CK_FLOAT:
        return v->f < -9.2e18 || v->f > 9.2e18 ? 0 : (int64_t)v->f;
    case CK_STR: {
        char *end;
        long long i = strtoll(v->s.ptr, &end, 0);
        return *end ? (int64_t)strtod(v->s.ptr, NULL) : i;
    }
    default:
        return 0;
    }
}

double ck_tval_float(const struct ck_val *v)
{
    if (v && v->kind == CK_FLOAT)
        return v->f;
    if (v && v->kind == CK_STR)
        return strtod(v->s.ptr, NULL);
    return (double)ck_tval_int(v);
}

const char *ck_tval_type(const struct ck_val *v)
{
    static const char *const names[] = {[CK_NULL] = "<nil>",
                                        [CK_BOOL] = "bool",
                                        [CK_INT] = "int",
                                        [CK_UINT] = "uint64",
                                        [CK_FLOAT] = "float64",
                                        [CK_STR] = "string",
                                        [CK_LIST] = "[]interface {}",
                                        [CK_MAP] = "map[string]interface {}"};
    return names[v ? v->kind : CK_NULL];
}

static bool is_number(const struct ck_val *v)
{
    return v && (v->kind == CK_INT || v->kind == CK_FLOAT || v->kind == CK_UINT);
}

int ck_tval_cmp(const struct ck_val *a, const struct ck_val *b, bool *ret_ok)
{
    *ret_ok = true;
    if (a && b && a->kind == CK_INT && b->kind == CK_INT)
        return (a->i > b->i) - (a->i < b->i);
    if (is_number(a) && is_number(b)) {
        double x = ck_tval_float(a), y = ck_tval_float(b);
        return (x > y) - (x < y);
    }
    if (a && b && a->kind == CK_STR && b->kind == CK_STR)
        return strcmp(a->s.ptr, b->s.ptr);
    *ret_ok = false;
    return 0;
}

/* ---- printf ---- */

static void pad(struct ck_buf *out, const char *flags, int width, const char *text)
{
    int n = (int)strlen(text), missing = width > n ? width - n : 0;
    bool left = strchr(flags, '-') != NULL;
    char fill = strchr(flags, '0') && !left ? '0' : ' ';
    for (int i = 0; !left && i < missing; i++)
        ck_buf_putc(out, fill);
    ck_buf_puts(out, text);
    for (int i = 0; left && i < missing; i++)
        ck_buf_putc(out, ' ');
}

static void format_one(struct ck_tcall *c, struct ck_buf *b, char verb, int precision,
                       const struct ck_val *v)
{
    const char *text = ck_tval_text(c->a, v);
    bool number = is_number(v);
    if (verb == 'q')
        ck_goquote(b, ck_slice_of(text));
    else if (verb == 'd' && number)
        ck_buf_fmt(b, "%lld", (long long)ck_tval_int(v));
    else if ((verb == 'x' || verb == 'X') && number)
        ck_buf_fmt(b, verb == 'x' ? "%llx" : "%llX", (unsigned long long)ck_tval_int(v));
    else if (verb == 'f' && number)
        ck_buf_fmt(b, "%.*f", precision < 0 ? 6 : precision, ck_tval_float(v));
    else if (verb == 's' || verb == 'v' || verb == 'g' || (verb == 't' && v && v->kind == CK_BOOL))
        ck_buf_fmt(b, "%.*s", precision < 0 ? (int)strlen(text) : precision,
                   ck_is_null(v) ? "<nil>" : text);
    else
        ck_buf_fmt(b, "%%!%c(%s=%s)", verb, ck_tval_type(v), text);
}

int ck_tprintf(struct ck_tcall *c, struct ck_val **ret)
{
    CK_AUTOBUF struct ck_buf out = CK_BUF_MAX(1 << 20);
    size_t next = 1;
    for (const char *p = ck_tval_text(c->a, c->v[0]); *p; p++) {
        if (*p != '%') {
            ck_buf_putc(&out, *p);
            continue;
        }
        size_t n = strspn(++p, "-+# 0");
        const char *flags = ck_arena_strndup(c->a, p, n);
        char *end;
        long width = strtol(p + n, &end, 10), precision = -1;
        if (*end == '.')
            precision = strtol(end + 1, &end, 10);
        p = end;
        if (!*p || width < 0 || width > 4096 || precision > 4096)
            return ck_fail(c->err, CK_INVALID, "the format cannot be read");
        if (*p == '%') {
            ck_buf_putc(&out, '%');
            continue;
        }
        CK_AUTOBUF struct ck_buf one = CK_BUF_INIT;
        if (next < c->n)
            format_one(c, &one, *p, (int)precision, c->v[next]);
        else
            ck_buf_fmt(&one, "%%!%c(MISSING)", *p);
        next++;
        pad(&out, flags, (int)width, ck_buf_str(&one));
    }
    *ret = ck_strn(c->a, ck_buf_slice(&out));
    return 0;
}
