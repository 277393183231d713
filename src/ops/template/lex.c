/* Taking a template apart: text, actions with their trim marks, and the words inside an action.
 * Mirrors Go's text/template/parse/lex.go. */
#include "ops/template/internal.h"

#include "base/enc.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static bool space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int ck_tfail_at(const struct ck_tsource *s, const char *at, bool column, struct ck_err *err,
                const char *fmt, ...)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    size_t line = 1, start = 0, n = at ? (size_t)(at - s->text.ptr) : s->text.len;
    for (size_t i = 0; i < n && i < s->text.len; i++)
        if (s->text.ptr[i] == '\n') {
            line++;
            start = i + 1;
        }
    ck_buf_fmt(&b, "template: %s:%zu", s->name, line);
    if (column)
        ck_buf_fmt(&b, ":%zu", n - start);
    ck_buf_puts(&b, ": ");
    va_list ap;
    va_start(ap, fmt);
    ck_buf_vfmt(&b, fmt, ap);
    va_end(ap);
    return ck_fail(err, CK_INVALID, "%s", ck_buf_str(&b));
}

static const char *find(const char *p, const char *end, const char *what)
{
    size_t n = strlen(what);
    for (; p + n <= end; p++)
        if (memcmp(p, what, n) == 0)
            return p;
    return NULL;
}

/* Where the action that starts at p ends; quotes hide the closing mark. */
static const char *action_end(const char *p, const char *end, const char **ret_problem)
{
    for (; p + 1 < end; p++) {
        if (p[0] == '}' && p[1] == '}')
            return p;
        if (*p != '"' && *p != '`' && *p != '\'')
            continue;
        char quote = *p;
        for (p++; p < end && *p != quote; p++)
            if (*p == '\\' && quote != '`' && p + 1 < end)
                p++;
        if (p >= end)
            *ret_problem = quote == '"'   ? "unterminated quoted string"
                           : quote == '`' ? "unterminated raw quoted string"
                                          : "unterminated character constant";
    }
    return NULL;
}

static struct ck_slice trim_left(struct ck_slice s)
{
    while (s.len && space(*s.ptr))
        s = ck_slice_n(s.ptr + 1, s.len - 1);
    return s;
}

static struct ck_slice trim_right(struct ck_slice s)
{
    while (s.len && space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* A comment's inside becomes empty. */
static const char *comment_end(const char *p, const char *end, const char **ret_problem)
{
    const char *close = find(p + 2, end, "*/");
    if (!close) {
        *ret_problem = "unclosed comment";
        return NULL;
    }
    close += 2;
    if (close + 2 < end && space(*close) && close[1] == '-')
        close += 2;
    if (close + 1 < end && close[0] == '}' && close[1] == '}')
        return close;
    *ret_problem = "comment ends before closing delimiter";
    return NULL;
}

bool ck_tlex_action(const struct ck_tsource *s, size_t *at, bool *trim_next,
                    struct ck_slice *ret_text, struct ck_slice *ret_inside,
                    const char **ret_problem)
{
    const char *begin = s->text.ptr + *at, *end = s->text.ptr + s->text.len;
    const char *open = find(begin, end, "{{");
    *ret_text = ck_slice_n(begin, (size_t)((open ? open : end) - begin));
    *ret_inside = (struct ck_slice){open ? open : end, 0};
    *ret_problem = NULL;
    if (*trim_next)
        *ret_text = trim_left(*ret_text);
    *trim_next = false;
    if (!open)
        return false;
    const char *p = open + 2;
    if (p + 1 < end && *p == '-' && space(p[1])) {
        *ret_text = trim_right(*ret_text);
        p += 2;
    }
    bool comment = p + 1 < end && p[0] == '/' && p[1] == '*';
    const char *close =
        comment ? comment_end(p, end, ret_problem) : action_end(p, end, ret_problem);
    if (!close) {
        if (!*ret_problem)
            *ret_problem = "unclosed action";
        return true;
    }
    *ret_inside = ck_slice_n(p, (size_t)(close - p));
    *at = (size_t)(close + 2 - s->text.ptr);
    if (ret_inside->len >= 2 && close[-1] == '-' && space(close[-2])) {
        *trim_next = true;
        ret_inside->len--;
    }
    if (comment)
        ret_inside->len = 0;
    return true;
}

/* ---- words ---- */

static bool word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static void word(struct ck_tlex *l, const char *p, const char *end)
{
    const char *q = p + 1;
    while (q < end && word_char(*q))
        q++;
    l->src = ck_slice_n(p, (size_t)(q - p));
}

static void bad(struct ck_tlex *l, const char *problem)
{
    l->tok = CK_TT_BAD;
    l->problem = problem;
}

static void raw_string(struct ck_arena *a, struct ck_tlex *l, const char *p, const char *end)
{
    const char *q = memchr(p + 1, '`', (size_t)(end - p - 1));
    if (!q) {
        bad(l, "unterminated raw quoted string");
        return;
    }
    l->tok = CK_TT_STRING;
    l->src = ck_slice_n(p, (size_t)(q + 1 - p));
    l->value = ck_strn(a, ck_slice_n(p + 1, (size_t)(q - p - 1)));
}

static bool escape(struct ck_buf *b, const char **p, const char *end)
{
    static const char from[] = "abfnrtv\\\"'", to[] = "\a\b\f\n\r\t\v\\\"'";
    const char *at = **p ? strchr(from, **p) : NULL;
    if (at) {
        ck_buf_putc(b, to[at - from]);
        return true;
    }
    if (**p != 'x' || end - *p < 3)
        return false;
    char hex[3] = {(*p)[1], (*p)[2], 0}, *stop;
    long v = strtol(hex, &stop, 16);
    *p += 2;
    ck_buf_putc(b, (char)v);
    return !*stop;
}

static void quoted_string(struct ck_arena *a, struct ck_tlex *l, const char *p, const char *end)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    const char *q = p + 1;
    for (; q < end && *q != *p && *q != '\n'; q++) {
        if (*q != '\\') {
            ck_buf_putc(&b, *q);
            continue;
        }
        q++;
        if (q >= end || !escape(&b, &q, end)) {
            bad(l, "unknown escape in a string");
            return;
        }
    }
    if (q >= end || *q != *p) {
        bad(l, *p == '"' ? "unterminated quoted string" : "unterminated character constant");
        return;
    }
    l->src = ck_slice_n(p, (size_t)(q + 1 - p));
    l->tok = *p == '"' ? CK_TT_STRING : CK_TT_NUMBER;
    l->value = *p == '"' ? ck_strn(a, ck_buf_slice(&b))
                         : ck_int(a, b.len ? (unsigned char)ck_buf_str(&b)[0] : 0);
}

static void number(struct ck_arena *a, struct ck_tlex *l, const char *p, const char *end)
{
    const char *q = p + 1;
    while (q < end && (word_char(*q) || *q == '.' ||
                       ((*q == '+' || *q == '-') && (q[-1] == 'e' || q[-1] == 'E'))))
        q++;
    l->src = ck_slice_n(p, (size_t)(q - p));
    l->tok = CK_TT_NUMBER;
    const char *text = ck_arena_strndup(a, p, (size_t)(q - p));
    char *stop;
    errno = 0;
    long long i = strtoll(text, &stop, 0);
    if (!*stop && !errno) {
        l->value = ck_int(a, i);
        return;
    }
    double d = strtod(text, &stop);
    if (*stop)
        bad(l, "bad number syntax");
    l->value = ck_float(a, d);
}

static void punctuation(struct ck_tlex *l, const char *p, const char *end)
{
    static const struct {
        const char *text;
        enum ck_ttok tok;
    } marks[] = {{":=", CK_TT_DECLARE}, {"=", CK_TT_ASSIGN}, {"|", CK_TT_PIPE},
                 {",", CK_TT_COMMA},    {"(", CK_TT_LPAREN}, {")", CK_TT_RPAREN}};
    for (size_t i = 0; i < CK_ARRAY_LEN(marks); i++) {
        size_t n = strlen(marks[i].text);
        if ((size_t)(end - p) >= n && memcmp(p, marks[i].text, n) == 0) {
            l->tok = marks[i].tok;
            l->src = ck_slice_n(p, n);
            return;
        }
    }
    bad(l, NULL);
}

void ck_tlex_next(struct ck_arena *a, struct ck_tlex *l)
{
    const char *p = l->source->text.ptr + l->at, *end = l->source->text.ptr + l->end;
    const char *start = p;
    while (p < end && space(*p))
        p++;
    l->spaced = p > start;
    l->value = NULL;
    l->src = ck_slice_n(p, 0);
    if (p >= end) {
        l->tok = CK_TT_END;
        l->at = l->end;
        return;
    }
    bool more = p + 1 < end;
    if (*p == '.' && more && word_char(p[1]) && !isdigit((unsigned char)p[1])) {
        word(l, p, end);
        l->tok = CK_TT_FIELD;
    } else if (*p == '.' && !(more && isdigit((unsigned char)p[1]))) {
        l->src = ck_slice_n(p, 1);
        l->tok = CK_TT_DOT;
    } else if (*p == '$') {
        word(l, p, end);
        l->tok = CK_TT_VAR;
    } else if (*p == '"' || *p == '\'') {
        quoted_string(a, l, p, end);
    } else if (*p == '`') {
        raw_string(a, l, p, end);
    } else if (isdigit((unsigned char)*p) || *p == '.' ||
               ((*p == '-' || *p == '+') && more && isdigit((unsigned char)p[1]))) {
        number(a, l, p, end);
    } else if (word_char(*p)) {
        word(l, p, end);
        l->tok = CK_TT_IDENT;
    } else {
        punctuation(l, p, end);
    }
    l->at = (size_t)(p - l->source->text.ptr) + l->src.len;
}
