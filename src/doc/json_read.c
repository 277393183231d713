/* JSON in: jansson's tree into ours.
 *
 * jansson does the syntax. Depth is checked before it recurses, and a document with whole numbers
 * beyond 64 bits signed, which it refuses, is read again in a form that keeps their digits. Mirrors
 * encoding/json in what is accepted, except that lone surrogates are refused. */
#include "doc/json.h"

#include "base/mem.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_DEPTH = 100,
    MAX_VALUES = 2000000, /* an empty list is two bytes of text and 200 of memory */
};

/* Walks the tokens of a text far enough to tell strings from the rest. */
struct scan {
    struct ck_slice text;
    size_t at;
    unsigned line, col; /* of `at`, from 1 */
};

/* The index behind the string that starts at the quote text.ptr[at]. */
static size_t string_end(struct ck_slice text, size_t at)
{
    for (at++; at < text.len; at++) {
        if (text.ptr[at] == '\\')
            at++;
        else if (text.ptr[at] == '"')
            return at + 1;
    }
    return text.len;
}

static void advance(struct scan *s, size_t to)
{
    for (; s->at < to; s->at++) {
        if (s->text.ptr[s->at] == '\n') {
            s->line++;
            s->col = 1;
        } else {
            s->col++;
        }
    }
}

/* LIMIT when there is too much nesting or too many values outside strings, before memory is spent
 * on them. */
static int check_limits(struct scan *s, struct ck_err *err)
{
    unsigned depth = 0, values = 0;
    while (s->at < s->text.len) {
        char c = s->text.ptr[s->at];
        if (c == '[' || c == '{') {
            if (++depth > MAX_DEPTH)
                return ck_fail(err, CK_LIMIT,
                               "line %u, column %u: JSON is nested more than %d levels deep",
                               s->line, s->col, MAX_DEPTH);
        } else if ((c == ']' || c == '}') && depth) {
            depth--;
        }
        /* Each value but the first of a list is behind a comma, and that is behind a bracket. */
        values += c == '[' || c == '{' || c == ',';
        if (values > MAX_VALUES)
            return ck_fail(err, CK_LIMIT, "JSON has more than %d values", MAX_VALUES);
        advance(s, c == '"' ? string_end(s->text, s->at) : s->at + 1);
    }
    return 0;
}

/* ---- documents with numbers beyond int64 ---- */

/* How a string of the second form begins: jansson keeps strings exactly, so they carry numbers. */
enum { TAG_STRING = 's', TAG_NUMBER = 'n' };

static bool number_byte(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* Whether the text of a number is a whole number outside int64. */
static bool beyond_int64(struct ck_slice num)
{
    char copy[32];
    if (num.len < 19 || memchr(num.ptr, '.', num.len) || memchr(num.ptr, 'e', num.len) ||
        memchr(num.ptr, 'E', num.len))
        return false;
    if (num.len >= sizeof copy)
        return true;
    memcpy(copy, num.ptr, num.len);
    copy[num.len] = '\0';
    errno = 0;
    (void)strtoll(copy, NULL, 10);
    return errno == ERANGE;
}

/* Rewrite a text that is known to be JSON: every string gets a tag in front, and numbers beyond
 * int64 become tagged strings. */
static void tag(struct ck_slice t, struct ck_buf *out)
{
    for (size_t i = 0, end; i < t.len; i = end) {
        if (t.ptr[i] == '"') {
            end = string_end(t, i);
            ck_buf_putc(out, '"');
            ck_buf_putc(out, TAG_STRING);
            ck_buf_putn(out, t.ptr + i + 1, end - i - 1);
            continue;
        }
        for (end = i; end < t.len && number_byte(t.ptr[end]);)
            end++;
        struct ck_slice num = ck_slice_n(t.ptr + i, end - i);
        if (!num.len) {
            ck_buf_putc(out, t.ptr[end++]);
        } else if (beyond_int64(num)) {
            ck_buf_putc(out, '"');
            ck_buf_putc(out, TAG_NUMBER);
            ck_buf_put(out, num);
            ck_buf_putc(out, '"');
        } else {
            ck_buf_put(out, num);
        }
    }
}

/* What does not fit uint64 either is a float, as for encoding/json. */
static struct ck_val *large_number(struct ck_arena *a, const char *digits)
{
    errno = 0;
    unsigned long long u = *digits == '-' ? 0 : strtoull(digits, NULL, 10);
    if (*digits == '-' || errno == ERANGE)
        return ck_float(a, strtod(digits, NULL));
    return ck_uint(a, u);
}

/* ---- conversion ---- */

static struct ck_val *convert_string(struct ck_arena *a, const json_t *j, bool tagged)
{
    struct ck_slice s = ck_slice_n(json_string_value(j), json_string_length(j));
    if (tagged && s.ptr[0] == TAG_NUMBER)
        return large_number(a, s.ptr + 1);
    struct ck_val *v = ck_strn(a, ck_slice_n(s.ptr + tagged, s.len - tagged));
    v->quoted = true;
    return v;
}

static struct ck_val *convert(struct ck_arena *a, const json_t *j, bool tagged)
{
    const char *key;
    json_t *item;
    size_t i;
    switch (json_typeof(j)) {
    case JSON_OBJECT: {
        struct ck_val *m = ck_map(a);
        json_object_foreach((json_t *)j, key, item)
            ck_map_append(a, m, ck_slice_of(key + tagged), convert(a, item, tagged));
        return m;
    }
    case JSON_ARRAY: {
        struct ck_val *l = ck_list(a);
        json_array_foreach(j, i, item) ck_append(a, l, convert(a, item, tagged));
        return l;
    }
    case JSON_STRING:
        return convert_string(a, j, tagged);
    case JSON_INTEGER:
        return ck_int(a, json_integer_value(j));
    case JSON_REAL:
        return ck_float(a, json_real_value(j));
    case JSON_TRUE:
    case JSON_FALSE:
        return ck_bool(a, json_is_true(j));
    case JSON_NULL:
        break;
    }
    return ck_null(a);
}

/* jansson quotes the token it stumbled on; that may be part of a secret, so it is left out. */
static int syntax_error(struct ck_err *err, const json_error_t *e)
{
    struct ck_slice text = ck_slice_of(e->text);
    const char *near = strstr(e->text, " near '");
    if (near)
        text.len = (size_t)(near - e->text);
    return ck_fail(err, CK_INVALID, "line %d, column %d: %.*s", e->line > 0 ? e->line : 1,
                   e->column > 0 ? e->column : 1, CK_SARG(text));
}

int ck_json_parse(struct ck_arena *a, struct ck_slice text, size_t max_bytes, struct ck_val **ret,
                  struct ck_err *err)
{
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    struct scan s = {.text = text, .line = 1, .col = 1};
    json_error_t e;
    if (text.len > max_bytes)
        return ck_fail(err, CK_LIMIT, "JSON is larger than %zu bytes", max_bytes);
    /* A NUL byte would end the text for jansson, whatever follows. */
    const char *nul = text.len ? memchr(text.ptr, '\0', text.len) : NULL;
    if (nul) {
        advance(&s, (size_t)(nul - text.ptr));
        return ck_fail(err, CK_INVALID, "line %u, column %u: NUL byte", s.line, s.col);
    }
    int limit = check_limits(&s, err);
    if (limit < 0)
        return limit;
    if (!text.ptr)
        text = CK_S("");
    bool tagged = false;
    json_t *j = json_loadb(text.ptr, text.len, flags, &e);
    if (!j && json_error_code(&e) == json_error_numeric_overflow) {
        /* Numbers read as doubles tell whether the text is JSON at all, and if not, where. */
        j = json_loadb(text.ptr, text.len, flags | JSON_DECODE_INT_AS_REAL, &e);
        if (j) {
            CK_AUTOBUF struct ck_buf rewritten = CK_BUF_INIT;
            json_decref(j);
            tag(text, &rewritten);
            j = json_loadb(rewritten.ptr, rewritten.len, flags, &e);
            tagged = true;
        }
    }
    if (!j)
        return syntax_error(err, &e);
    *ret = convert(a, j, tagged);
    json_decref(j);
    return 0;
}
