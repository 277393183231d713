/* Option values: text to bool, integers, durations and lists, with Go's error texts.
 *
 * Which options exist is the tables' business and how a command line is cut is parse.c's. Mirrors
 * pflag's value types, strconv and encoding/csv. */
#include "cmd/frame/opt.h"

#include "base/enc.h"
#include "doc/scalar.h"

#include <string.h>

int ck_parse_bool(const char *text, bool *ret, struct ck_err *err)
{
    static const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True"};
    static const char *const no[] = {"0", "f", "F", "FALSE", "false", "False"};
    for (size_t i = 0; i < CK_ARRAY_LEN(yes); i++) {
        if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
            *ret = strcmp(text, yes[i]) == 0;
            return 0;
        }
    }
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(text));
    return ck_fail(err, CK_INVALID, "strconv.ParseBool: parsing %s: invalid syntax",
                   ck_buf_str(&q));
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* Take a base prefix off *s. Go takes a lone "0" as the prefix of octal. */
static int int_base(const char **s, bool *ret_prefixed)
{
    const char *p = *s;
    *ret_prefixed = false;
    if (p[0] != '0' || p[1] == '\0')
        return 10;
    *ret_prefixed = true;
    char c = (char)(p[1] | 0x20);
    int base = c == 'x' ? 16 : c == 'b' ? 2 : c == 'o' ? 8 : 0;
    *s = base ? p + 2 : p + 1;
    return base ? base : 8;
}

/* Digits with Go's underscore rule: only in base 0, each between two digits (or after a prefix).
 * 0, or 's' for a syntax error, 'r' for a value above `max`. */
static char digits(const char *s, int base, bool underscores, bool prefixed, uint64_t max,
                   uint64_t *ret)
{
    uint64_t n = 0;
    bool any = false, after_digit = prefixed, range = false;
    for (; *s; s++) {
        if (*s == '_') {
            if (!underscores || !after_digit || s[1] == '\0')
                return 's';
            after_digit = false;
            continue;
        }
        int d = digit_of(*s);
        if (d >= base)
            return 's';
        any = after_digit = true;
        range = range || n > (max - (uint64_t)d) / (uint64_t)base;
        if (!range)
            n = n * (uint64_t)base + (uint64_t)d;
    }
    *ret = n;
    return !any ? 's' : range ? 'r' : 0;
}

int ck_parse_int(const char *text, int base, int bits, int64_t *ret, struct ck_err *err)
{
    const char *s = text;
    bool neg = *s == '-', prefixed = false;
    if (*s == '-' || *s == '+')
        s++;
    bool auto_base = base == 0;
    if (auto_base)
        base = int_base(&s, &prefixed);
    uint64_t max = ((uint64_t)1 << (bits - 1)) - (neg ? 0 : 1), n = 0;
    char bad = digits(s, base, auto_base, prefixed, max, &n);
    if (!bad) {
        *ret = neg ? (int64_t)(0 - n) : (int64_t)n;
        return 0;
    }
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(text));
    return ck_fail(err, CK_INVALID, "strconv.ParseInt: parsing %s: %s", ck_buf_str(&q),
                   bad == 's' ? "invalid syntax" : "value out of range");
}

/* ---- CSV ---- */

struct csv {
    const char *line, *end; /* unread part of the record; its text may hold newlines in quotes */
    const char *line_start; /* for columns */
    size_t start_line, at_line;
    bool lazy;
};

static int csv_fail(const struct csv *c, const char *at, const char *what, struct ck_err *err)
{
    size_t col = (size_t)(at - c->line_start) + 1;
    if (c->start_line != c->at_line)
        return ck_fail(err, CK_INVALID,
                       "record on line %zu; parse error on line %zu, column %zu: %s", c->start_line,
                       c->at_line, col, what);
    return ck_fail(err, CK_INVALID, "parse error on line %zu, column %zu: %s", c->at_line, col,
                   what);
}

/* An unquoted field, up to the comma or the end of the line. */
static int csv_bare(struct csv *c, struct ck_buf *out, struct ck_err *err)
{
    while (c->line < c->end && *c->line != ',' && *c->line != '\n') {
        if (*c->line == '"' && !c->lazy)
            return csv_fail(c, c->line, "bare \" in non-quoted-field", err);
        ck_buf_putc(out, *c->line++);
    }
    return 0;
}

static int csv_quoted(struct csv *c, struct ck_buf *out, struct ck_err *err)
{
    static const char bad[] = "extraneous or missing \" in quoted-field";
    for (c->line++; c->line < c->end; c->line++) {
        if (*c->line == '\n') {
            ck_buf_putc(out, '\n');
            if (c->line + 1 < c->end) {
                c->at_line++;
                c->line_start = c->line + 1;
            }
            continue;
        }
        if (*c->line != '"') {
            ck_buf_putc(out, *c->line);
            continue;
        }
        const char *next = c->line + 1;
        if (next < c->end && *next == '"') {
            ck_buf_putc(out, '"');
            c->line++;
        } else if (next == c->end || *next == ',' || *next == '\n') {
            c->line = next;
            return 0;
        } else if (c->lazy) {
            ck_buf_putc(out, '"');
        } else {
            return csv_fail(c, c->line, bad, err);
        }
    }
    return c->lazy ? 0 : csv_fail(c, c->line, bad, err);
}

int ck_csv_split(const char *text, bool lazy_quotes, struct ck_strv *ret, struct ck_err *err)
{
    if (*text == '\0')
        return 0;
    /* Go's reader turns CRLF into LF first and drops a final CR. */
    CK_AUTOBUF struct ck_buf lf = CK_BUF_INIT;
    for (const char *p = text; *p; p++)
        if (*p != '\r' || (p[1] != '\n' && p[1] != '\0'))
            ck_buf_putc(&lf, *p);
    struct csv c = {.line = ck_buf_str(&lf), .at_line = 1, .lazy = lazy_quotes};
    c.end = c.line + lf.len;
    for (; c.line < c.end && *c.line == '\n'; c.line++)
        c.at_line++;
    if (c.line == c.end)
        return ck_fail(err, CK_INVALID, "EOF");
    c.start_line = c.at_line;
    c.line_start = c.line;
    for (;;) {
        CK_AUTOBUF struct ck_buf field = CK_BUF_INIT;
        bool quoted = c.line < c.end && *c.line == '"';
        int r = quoted ? csv_quoted(&c, &field, err) : csv_bare(&c, &field, err);
        if (r < 0)
            return r;
        ck_strv_pushn(ret, ck_buf_str(&field), field.len);
        if (c.line == c.end || *c.line != ',')
            return 0;
        c.line++;
    }
}

/* ---- setting ---- */

static void free_list(void *p)
{
    ck_strv_done(p);
}

static int set_list(const struct ck_opt *o, struct ck_strv *list, const char *text, bool first,
                    struct ck_err *err)
{
    CK_AUTOSTRV items = {0};
    if (o->type == CK_OPT_STRARRAY)
        ck_strv_push(&items, text);
    else if (ck_csv_split(text, o->flags & CK_OPT_LAZY_CSV, &items, err) < 0)
        return -(int)CK_INVALID;
    if (first)
        ck_strv_clear(list);
    for (size_t i = 0; i < items.n; i++)
        ck_strv_push(list, items.v[i]);
    return 0;
}

int ck_opt_set(struct ck_arena *a, const struct ck_opt *o, void *base, const char *text, bool first,
               struct ck_err *err)
{
    char *value = (char *)base + o->off;
    int r = 0;
    switch (o->type) {
    case CK_OPT_BOOL:
        r = ck_parse_bool(text, (bool *)value, err);
        break;
    case CK_OPT_STRING:
        *(const char **)(void *)value = ck_arena_strdup(a, text);
        break;
    case CK_OPT_STRINGS:
    case CK_OPT_STRARRAY:
        r = set_list(o, (struct ck_strv *)(void *)value, text, first, err);
        break;
    case CK_OPT_INT:
    case CK_OPT_INT32:
        r = ck_parse_int(text, 0, o->type == CK_OPT_INT ? 64 : 32, (int64_t *)(void *)value, err);
        break;
    case CK_OPT_DURATION:
        r = ck_duration_parse(ck_slice_of(text), (int64_t *)(void *)value, err);
        break;
    case CK_OPT_CUSTOM:
        r = o->parse(text, value, err);
        break;
    }
    if (r == 0 && o->given_off != CK_OPT_NO_GIVEN && first)
        *(bool *)((char *)base + o->given_off) = true;
    return r;
}

int ck_opt_set_default(struct ck_arena *a, const struct ck_opt *o, void *base, const char *env_dflt,
                       struct ck_err *err)
{
    char *value = (char *)base + o->off;
    if (o->type == CK_OPT_STRINGS || o->type == CK_OPT_STRARRAY)
        ck_arena_on_free(a, free_list, value);
    const char *text = env_dflt ? env_dflt : o->dflt;
    if (!text && o->type == CK_OPT_STRING)
        text = "";
    if (!text)
        return 0;
    struct ck_opt plain = *o; /* a default is not "given on the command line" */
    plain.given_off = CK_OPT_NO_GIVEN;
    return ck_opt_set(a, &plain, base, text, true, err);
}
