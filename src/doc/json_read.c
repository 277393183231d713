/* JSON in: jansson's tree into ours. Depth is checked before jansson recurses; whole numbers
 * between 2^63 and 2^64, which jansson cannot hold, travel through it as marked strings. */
#include "base/buf.h"
#include "doc/json.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 100 };

/* Nesting outside strings; 0 when it never exceeds the limit, else the line where it does. */
static unsigned too_deep(struct ck_slice t)
{
    unsigned depth = 0, line = 1;
    bool in_string = false;
    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];
        if (c == '\n')
            line++;
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > MAX_DEPTH)
                return line;
        } else if ((c == ']' || c == '}') && depth) {
            depth--;
        }
    }
    return 0;
}

/* A private character (U+E0FE) that marks a number written as a string. */
#define MARK "\xEE\x83\xBE"

static bool parse_u64(struct ck_slice digits, uint64_t *ret)
{
    uint64_t v = 0;
    for (size_t i = 0; i < digits.len; i++) {
        uint64_t d = (uint64_t)(digits.ptr[i] - '0');
        if (v > (UINT64_MAX - d) / 10)
            return false;
        v = v * 10 + d;
    }
    *ret = v;
    return v > INT64_MAX;
}

/* Copy the text with large whole numbers marked; false when there is none. */
static bool mark_large(struct ck_slice t, struct ck_buf *out)
{
    bool in_string = false, any = false;
    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];
        size_t n = 0;
        if (in_string) {
            if (c == '\\' && i + 1 < t.len)
                ck_buf_putc(out, t.ptr[i++]);
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else {
            while (i + n < t.len && t.ptr[i + n] >= '0' && t.ptr[i + n] <= '9')
                n++;
        }
        uint64_t v;
        char before = i ? t.ptr[i - 1] : ' ', after = i + n < t.len ? t.ptr[i + n] : ' ';
        if (n > 18 && !strchr("-+.eE", before) && !strchr(".eE", after) &&
            parse_u64(ck_slice_n(t.ptr + i, n), &v)) {
            ck_buf_puts(out, "\"" MARK);
            ck_buf_putn(out, t.ptr + i, n);
            ck_buf_putc(out, '"');
            any = true;
        } else {
            ck_buf_putn(out, t.ptr + i, n ? n : 1);
        }
        if (n)
            i += n - 1;
    }
    return any;
}

/* Whether a run of more than 18 digits is in the text at all: the rare case. */
static bool has_long_number(struct ck_slice t)
{
    size_t run = 0;
    for (size_t i = 0; i < t.len; i++) {
        run = t.ptr[i] >= '0' && t.ptr[i] <= '9' ? run + 1 : 0;
        if (run > 18)
            return true;
    }
    return false;
}

static struct ck_val *real(struct ck_arena *a, double f)
{
    /* With numbers read as doubles, whole ones that fit exactly become integers again. */
    if (f >= -9007199254740992.0 && f <= 9007199254740992.0 && !(floor(f) < f))
        return ck_int(a, (int64_t)f);
    return ck_float(a, f);
}

static struct ck_val *convert(struct ck_arena *a, const json_t *j, bool doubles, bool marked)
{
    const char *key;
    json_t *item;
    size_t i;
    switch (json_typeof(j)) {
    case JSON_OBJECT: {
        struct ck_val *m = ck_map(a);
        json_object_foreach((json_t *)j, key, item)
            ck_map_append(a, m, ck_slice_of(key), convert(a, item, doubles, marked));
        return m;
    }
    case JSON_ARRAY: {
        struct ck_val *l = ck_list(a);
        json_array_foreach(j, i, item) ck_append(a, l, convert(a, item, doubles, marked));
        return l;
    }
    case JSON_STRING: {
        struct ck_slice t = ck_slice_n(json_string_value(j), json_string_length(j));
        uint64_t u;
        if (marked && ck_slice_starts(t, MARK) &&
            parse_u64(ck_slice_n(t.ptr + sizeof MARK - 1, t.len - sizeof MARK + 1), &u))
            return ck_uint(a, u);
        struct ck_val *s = ck_strn(a, t);
        s->quoted = true;
        return s;
    }
    case JSON_INTEGER:
        return ck_int(a, json_integer_value(j));
    case JSON_REAL:
        return doubles ? real(a, json_real_value(j)) : ck_float(a, json_real_value(j));
    case JSON_TRUE:
    case JSON_FALSE:
        return ck_bool(a, json_is_true(j));
    case JSON_NULL:
        break;
    }
    return ck_null(a);
}

int ck_json_parse(struct ck_arena *a, struct ck_slice text, size_t max_bytes, struct ck_val **ret,
                  struct ck_err *err)
{
    if (text.len > max_bytes)
        return ck_fail(err, CK_LIMIT, "JSON is larger than %zu bytes", max_bytes);
    unsigned line = too_deep(text);
    if (line)
        return ck_fail(err, CK_LIMIT, "line %u: JSON is nested more than %d levels deep", line,
                       MAX_DEPTH);
    json_error_t e;
    size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    CK_AUTOBUF struct ck_buf copy = CK_BUF_INIT;
    bool large = has_long_number(text), doubles = false;
    bool marked =
        large && !memmem(text.ptr, text.len, MARK, sizeof MARK - 1) && mark_large(text, &copy);
    if (marked)
        text = ck_buf_slice(&copy);
    json_t *j = json_loadb(text.ptr ? text.ptr : "", text.len, flags, &e);
    if (!j && large) { /* beyond 64 bits: a double is all Go's decoder keeps, too */
        doubles = true;
        j = json_loadb(text.ptr, text.len, flags | JSON_DECODE_INT_AS_REAL, &e);
    }
    if (!j)
        return ck_fail(err, CK_INVALID, "line %d, column %d: %s", e.line, e.column, e.text);
    *ret = convert(a, j, doubles, marked);
    json_decref(j);
    return 0;
}
