/* JSON in: jansson's tree into ours. Depth is checked before jansson recurses; whole numbers beyond
 * 64 bits signed are found in the text, because jansson keeps them only as doubles. */
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

/* Whether a whole number with more than 18 digits is in the text: the rare case. */
static bool has_long_number(struct ck_slice t)
{
    size_t run = 0;
    bool in_string = false;
    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
            continue;
        }
        in_string = c == '"';
        run = c >= '0' && c <= '9' ? run + 1 : 0;
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

static struct ck_val *convert(struct ck_arena *a, const json_t *j, bool doubles)
{
    const char *key;
    json_t *item;
    size_t i;
    switch (json_typeof(j)) {
    case JSON_OBJECT: {
        struct ck_val *m = ck_map(a);
        json_object_foreach((json_t *)j, key, item)
            ck_map_append(a, m, ck_slice_of(key), convert(a, item, doubles));
        return m;
    }
    case JSON_ARRAY: {
        struct ck_val *l = ck_list(a);
        json_array_foreach(j, i, item) ck_append(a, l, convert(a, item, doubles));
        return l;
    }
    case JSON_STRING: {
        struct ck_val *s = ck_strn(a, ck_slice_n(json_string_value(j), json_string_length(j)));
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
    bool doubles = has_long_number(text);
    json_t *j = json_loadb(text.ptr ? text.ptr : "", text.len, flags, &e);
    if (!j && doubles)
        j = json_loadb(text.ptr, text.len, flags | JSON_DECODE_INT_AS_REAL, &e);
    else
        doubles = false;
    if (!j)
        return ck_fail(err, CK_INVALID, "line %d, column %d: %s", e.line, e.column, e.text);
    *ret = convert(a, j, doubles);
    json_decref(j);
    return 0;
}
