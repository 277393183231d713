/* Checks of secrets' contents whose errors cannot show the secret.
 *
 * The general readers quote what they choke on, so JSON is scanned here with Go's own sentences
 * (encoding/json scanner.go), and YAML's are cut down to the line. Mirrors the checks of
 * cmd/kops/create_secret_*.go. */
#include "ops/keys/secret.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/enc.h"
#include "doc/yaml.h"

#include <stdio.h>

enum { MAX_DEPTH = 1000 };

struct scan {
    const char *p, *end;
    unsigned depth;
    struct ck_err *err;
};

static int bad(struct scan *s, const char *where)
{
    if (s->p == s->end)
        return ck_fail(s->err, CK_INVALID, "unexpected end of JSON input");
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    char utf8[4], c = *s->p;
    if (c == '\'') {
        ck_buf_puts(&b, "\\'");
    } else if (c == '"') {
        ck_buf_putc(&b, '"');
    } else {
        CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
        ck_goquote(&q, ck_slice_n(utf8, ck_utf8_encode((unsigned char)c, utf8)));
        ck_buf_putn(&b, q.ptr + 1, q.len - 2);
    }
    return ck_fail(s->err, CK_INVALID, "invalid character '%s' %s", ck_buf_str(&b), where);
}

static char peek(const struct scan *s)
{
    return s->p < s->end ? *s->p : '\0';
}

static void space(struct scan *s)
{
    while (s->p < s->end && strchr(" \t\r\n", *s->p) && *s->p)
        s->p++;
}

static int literal(struct scan *s, const char *word)
{
    for (size_t i = 0; word[i]; i++, s->p++) {
        char where[60];
        if (peek(s) == word[i])
            continue;
        snprintf(where, sizeof where, "in literal %s (expecting '%c')", word, word[i]);
        return bad(s, where);
    }
    return 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int digits(struct scan *s, const char *where)
{
    if (!is_digit(peek(s)))
        return bad(s, where);
    while (is_digit(peek(s)))
        s->p++;
    return 0;
}

static int number(struct scan *s)
{
    if (peek(s) == '-')
        s->p++;
    int r = 0;
    if (peek(s) == '0')
        s->p++;
    else
        r = digits(s, "in numeric literal");
    if (!r && peek(s) == '.') {
        s->p++;
        r = digits(s, "after decimal point in numeric literal");
    }
    if (!r && (peek(s) == 'e' || peek(s) == 'E')) {
        s->p++;
        if (peek(s) == '+' || peek(s) == '-')
            s->p++;
        r = digits(s, "in exponent of numeric literal");
    }
    return r;
}

static int escape(struct scan *s)
{
    if (peek(s) != 'u') {
        if (!peek(s) || !strchr("bfnrt\\/\"", *s->p))
            return bad(s, "in string escape code");
        s->p++;
        return 0;
    }
    s->p++;
    for (int i = 0; i < 4; i++, s->p++)
        if (!peek(s) || !strchr("0123456789abcdefABCDEF", *s->p))
            return bad(s, "in \\u hexadecimal character escape");
    return 0;
}

static int string(struct scan *s)
{
    s->p++;
    while (s->p < s->end && *s->p != '"') {
        if ((unsigned char)*s->p < 0x20)
            return bad(s, "in string literal");
        if (*s->p++ != '\\')
            continue;
        int r = escape(s);
        if (r)
            return r;
    }
    if (s->p == s->end)
        return bad(s, "");
    s->p++;
    return 0;
}

static int value(struct scan *s);

static int member(struct scan *s)
{
    space(s);
    if (peek(s) != '"')
        return bad(s, "looking for beginning of object key string");
    int r = string(s);
    if (r)
        return r;
    space(s);
    if (peek(s) != ':')
        return bad(s, "after object key");
    s->p++;
    return value(s);
}

/* The rest of an object or a list, after its bracket. */
static int members(struct scan *s, char close, int (*one)(struct scan *), const char *after)
{
    if (++s->depth > MAX_DEPTH)
        return ck_fail(s->err, CK_LIMIT, "exceeded max depth");
    s->p++;
    space(s);
    while (peek(s) != close) {
        int r = one(s);
        if (r)
            return r;
        space(s);
        if (peek(s) == close)
            break;
        if (peek(s) != ',')
            return bad(s, after);
        s->p++;
        space(s);
        if (peek(s) == close)
            return bad(s, close == '}' ? "looking for beginning of object key string"
                                       : "looking for beginning of value");
    }
    s->p++;
    s->depth--;
    return 0;
}

static int value(struct scan *s)
{
    space(s);
    switch (peek(s)) {
    case '{':
        return members(s, '}', member, "after object key:value pair");
    case '[':
        return members(s, ']', value, "after array element");
    case '"':
        return string(s);
    case 't':
        return literal(s, "true");
    case 'f':
        return literal(s, "false");
    case 'n':
        return literal(s, "null");
    default:
        if (peek(s) == '-' || is_digit(peek(s)))
            return number(s);
        return bad(s, "looking for beginning of value");
    }
}

int ck_secret_check_json(struct ck_slice text, struct ck_err *err)
{
    struct scan s = {text.ptr, text.ptr + text.len, 0, err};
    space(&s);
    char first = peek(&s);
    int r = value(&s);
    if (r)
        return r;
    space(&s);
    if (s.p < s.end)
        return bad(&s, "after top-level value");
    if (first == '{')
        return 0;
    const char *kind = first == '['                   ? "array"
                       : first == '"'                 ? "string"
                       : first == 't' || first == 'f' ? "bool"
                       : first == 'n'                 ? "null"
                                                      : "number";
    return ck_fail(err, CK_INVALID,
                   "json: cannot unmarshal %s into Go value of type map[string]interface {}", kind);
}

int ck_secret_check_yaml(struct ck_slice text, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    CK_AUTOERR e = CK_ERR_INIT;
    struct ck_val *v = NULL;
    struct ck_pos at = {0};
    ck_arena_set_wipe(tmp);
    if (ck_yaml_parse(tmp, text, NULL, &v, &at, &e)) {
        if (at.line)
            return ck_fail(err, CK_INVALID, "line %u is not YAML", at.line);
        return ck_fail(err, CK_INVALID, "it is not YAML");
    }
    if (!ck_is_map(v))
        return ck_fail(err, CK_INVALID, "it is not a map of keys to values");
    return 0;
}
