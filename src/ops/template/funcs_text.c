/* Template functions on text: text/template's own and sprig's. */
#include "ops/template/internal.h"

#include "base/enc.h"
#include "crypto/hash.h"
#include "doc/json.h"
#include "doc/yaml.h"

#include <ctype.h>
#include <regex.h>
#include <string.h>

enum { MAX_TEXT = 4 << 20 };

static const char *arg(const struct ck_tcall *c, size_t i)
{
    return ck_tval_text(c->a, c->v[i]);
}

static const char *last(const struct ck_tcall *c)
{
    return arg(c, c->n - 1);
}

static int give(struct ck_tcall *c, struct ck_val **ret, const struct ck_buf *b)
{
    if (b->overflow)
        return ck_fail(c->err, CK_LIMIT, "the text is larger than 4 MiB");
    *ret = ck_strn(c->a, ck_buf_slice(b));
    return 0;
}

static int give_text(struct ck_tcall *c, struct ck_val **ret, const char *s, size_t n)
{
    *ret = ck_strn(c->a, ck_slice_n(s, n));
    return 0;
}

/* ---- letters ---- */

static int map_letters(struct ck_tcall *c, struct ck_val **ret, int (*fn)(int))
{
    char *s = ck_arena_strdup(c->a, arg(c, 0));
    for (char *p = s; *p; p++)
        *p = (char)fn((unsigned char)*p);
    return give_text(c, ret, s, strlen(s));
}

static int f_upper(struct ck_tcall *c, struct ck_val **ret)
{
    return map_letters(c, ret, toupper);
}

static int f_lower(struct ck_tcall *c, struct ck_val **ret)
{
    return map_letters(c, ret, tolower);
}

static int first_letters(struct ck_tcall *c, struct ck_val **ret, int (*fn)(int))
{
    char *s = ck_arena_strdup(c->a, arg(c, 0));
    for (char *p = s; *p; p++)
        if (p == s || isspace((unsigned char)p[-1]))
            *p = (char)fn((unsigned char)*p);
    return give_text(c, ret, s, strlen(s));
}

static int f_title(struct ck_tcall *c, struct ck_val **ret)
{
    return first_letters(c, ret, toupper);
}

static int f_untitle(struct ck_tcall *c, struct ck_val **ret)
{
    return first_letters(c, ret, tolower);
}

/* Words joined by a mark: snakecase, kebabcase; camelcase has none. */
static int f_case(struct ck_tcall *c, struct ck_val **ret, char mark)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(MAX_TEXT);
    const char *s = arg(c, 0);
    bool start = true, lower = false;
    for (const char *p = s; *p; p++) {
        if (!isalnum((unsigned char)*p)) {
            start = true;
            continue;
        }
        bool word = start || (lower && isupper((unsigned char)*p));
        if (word && b.len && mark)
            ck_buf_putc(&b, mark);
        ck_buf_putc(&b, (char)(mark   ? tolower((unsigned char)*p)
                               : word ? toupper((unsigned char)*p)
                                      : *p));
        lower = islower((unsigned char)*p);
        start = false;
    }
    return give(c, ret, &b);
}

static int f_snakecase(struct ck_tcall *c, struct ck_val **ret)
{
    return f_case(c, ret, '_');
}

static int f_kebabcase(struct ck_tcall *c, struct ck_val **ret)
{
    return f_case(c, ret, '-');
}

static int f_camelcase(struct ck_tcall *c, struct ck_val **ret)
{
    return f_case(c, ret, 0);
}

/* ---- trimming and cutting ---- */

static int trim_of(struct ck_tcall *c, struct ck_val **ret, const char *set, bool left, bool right)
{
    const char *s = last(c);
    size_t n = strlen(s);
    while (left && n && strchr(set, *s))
        s++, n--;
    while (right && n && strchr(set, s[n - 1]))
        n--;
    return give_text(c, ret, s, n);
}

static int f_trim(struct ck_tcall *c, struct ck_val **ret)
{
    return trim_of(c, ret, " \t\r\n\v\f", true, true);
}

static int f_trim_all(struct ck_tcall *c, struct ck_val **ret)
{
    return trim_of(c, ret, arg(c, 0), true, true);
}

static int f_trim_prefix(struct ck_tcall *c, struct ck_val **ret)
{
    const char *s = arg(c, 1), *prefix = arg(c, 0);
    if (ck_str_starts(s, prefix))
        s += strlen(prefix);
    return give_text(c, ret, s, strlen(s));
}

static int f_trim_suffix(struct ck_tcall *c, struct ck_val **ret)
{
    const char *s = arg(c, 1), *suffix = arg(c, 0);
    size_t n = strlen(s) - (ck_str_ends(s, suffix) ? strlen(suffix) : 0);
    return give_text(c, ret, s, n);
}

static int f_nospace(struct ck_tcall *c, struct ck_val **ret)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(MAX_TEXT);
    for (const char *p = arg(c, 0); *p; p++)
        if (!isspace((unsigned char)*p))
            ck_buf_putc(&b, *p);
    return give(c, ret, &b);
}

static int f_trunc(struct ck_tcall *c, struct ck_val **ret)
{
    const char *s = arg(c, 1);
    int64_t n = (int64_t)strlen(s), want = ck_tval_int(c->v[0]);
    if (want >= 0)
        return give_text(c, ret, s, (size_t)(want < n ? want : n));
    want = -want < n ? -want : n;
    return give_text(c, ret, s + n - want, (size_t)want);
}

static int f_substr(struct ck_tcall *c, struct ck_val **ret)
{
    const char *s = arg(c, 2);
    int64_t n = (int64_t)strlen(s), from = ck_tval_int(c->v[0]), to = ck_tval_int(c->v[1]);
    if (from < 0)
        from = 0;
    if (to < 0 || to > n)
        to = n;
    return give_text(c, ret, s + (from < to ? from : 0), (size_t)(from < to ? to - from : 0));
}

static int f_repeat(struct ck_tcall *c, struct ck_val **ret)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(MAX_TEXT);
    const char *s = arg(c, 1);
    for (int64_t i = ck_tval_int(c->v[0]); i > 0 && *s && !b.overflow; i--)
        ck_buf_puts(&b, s);
    return give(c, ret, &b);
}

static int f_replace(struct ck_tcall *c, struct ck_val **ret)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(MAX_TEXT);
    const char *from = arg(c, 0), *to = arg(c, 1), *s = arg(c, 2), *p;
    size_t n = strlen(from);
    while (n && (p = strstr(s, from))) {
        ck_buf_putn(&b, s, (size_t)(p - s));
        ck_buf_puts(&b, to);
        s = p + n;
    }
    ck_buf_puts(&b, s);
    return give(c, ret, &b);
}

/* ---- lines ---- */

static int indent_of(struct ck_tcall *c, struct ck_val **ret, bool newline)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(MAX_TEXT);
    int64_t n = ck_tval_int(c->v[0]);
    if (n < 0 || n > 4096)
        return ck_fail(c->err, CK_INVALID, "the indentation must be between 0 and 4096");
    if (newline)
        ck_buf_putc(&b, '\n');
    ck_buf_fill(&b, ' ', (size_t)n);
    for (const char *p = arg(c, 1); *p; p++) {
        ck_buf_putc(&b, *p);
        if (*p == '\n')
            ck_buf_fill(&b, ' ', (size_t)n);
    }
    return give(c, ret, &b);
}

static int f_indent(struct ck_tcall *c, struct ck_val **ret)
{
    return indent_of(c, ret, false);
}

static int f_nindent(struct ck_tcall *c, struct ck_val **ret)
{
    return indent_of(c, ret, true);
}

/* ---- quoting ---- */

static int f_quote(struct ck_tcall *c, struct ck_val **ret)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(MAX_TEXT);
    for (size_t i = 0; i < c->n; i++) {
        if (ck_is_null(c->v[i]))
            continue;
        if (b.len)
            ck_buf_putc(&b, ' ');
        ck_goquote(&b, ck_slice_of(arg(c, i)));
    }
    return give(c, ret, &b);
}

static int f_squote(struct ck_tcall *c, struct ck_val **ret)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(MAX_TEXT);
    for (size_t i = 0; i < c->n; i++)
        if (!ck_is_null(c->v[i]))
            ck_buf_fmt(&b, "%s'%s'", b.len ? " " : "", arg(c, i));
    return give(c, ret, &b);
}

static int f_cat(struct ck_tcall *c, struct ck_val **ret)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(MAX_TEXT);
    for (size_t i = 0; i < c->n; i++)
        if (!ck_is_null(c->v[i]))
            ck_buf_fmt(&b, "%s%s", b.len ? " " : "", arg(c, i));
    return give(c, ret, &b);
}

/* Go's Sprint puts a space between operands when neither is text; Sprintln always. */
static int print_of(struct ck_tcall *c, struct ck_val **ret, bool line)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(MAX_TEXT);
    for (size_t i = 0; i < c->n; i++) {
        bool texts = i && (c->v[i]->kind == CK_STR || c->v[i - 1]->kind == CK_STR);
        if (i && (line || !texts))
            ck_buf_putc(&b, ' ');
        ck_buf_puts(&b, ck_is_null(c->v[i]) ? "<nil>" : arg(c, i));
    }
    if (line)
        ck_buf_putc(&b, '\n');
    return give(c, ret, &b);
}

static int f_print(struct ck_tcall *c, struct ck_val **ret)
{
    return print_of(c, ret, false);
}

static int f_println(struct ck_tcall *c, struct ck_val **ret)
{
    return print_of(c, ret, true);
}

static int f_to_string(struct ck_tcall *c, struct ck_val **ret)
{
    *ret = ck_str(c->a, arg(c, 0));
    return 0;
}

/* ---- asking ---- */

static int give_bool(struct ck_tcall *c, struct ck_val **ret, bool b)
{
    *ret = ck_bool(c->a, b);
    return 0;
}

static int f_contains(struct ck_tcall *c, struct ck_val **ret)
{
    return give_bool(c, ret, strstr(arg(c, 1), arg(c, 0)) != NULL);
}

static int f_has_prefix(struct ck_tcall *c, struct ck_val **ret)
{
    return give_bool(c, ret, ck_str_starts(arg(c, 1), arg(c, 0)));
}

static int f_has_suffix(struct ck_tcall *c, struct ck_val **ret)
{
    return give_bool(c, ret, ck_str_ends(arg(c, 1), arg(c, 0)));
}

/* ---- regular expressions: POSIX extended ones, with Perl's common classes ---- */

static int compile(struct ck_tcall *c, const char *text, regex_t *re)
{
    static const struct {
        char letter;
        const char *set;
    } classes[] = {{'d', "[0-9]"},       {'D', "[^0-9]"},        {'w', "[0-9A-Za-z_]"},
                   {'s', "[ \t\r\n\f]"}, {'W', "[^0-9A-Za-z_]"}, {'S', "[^ \t\r\n\f]"}};
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    for (const char *p = text; *p; p++) {
        const char *set = NULL;
        for (size_t i = 0; *p == '\\' && i < CK_ARRAY_LEN(classes); i++)
            if (p[1] == classes[i].letter)
                set = classes[i].set;
        if (set) {
            ck_buf_puts(&b, set);
            p++;
        } else if (ck_str_starts(p, "(?:")) {
            ck_buf_putc(&b, '(');
            p += 2;
        } else {
            ck_buf_putc(&b, *p);
            if (*p == '\\' && p[1])
                ck_buf_putc(&b, *++p);
        }
    }
    if (strlen(text) > 1024 || regcomp(re, ck_buf_str(&b), REG_EXTENDED) != 0)
        return ck_fail(c->err, CK_INVALID, "the regular expression \"%s\" cannot be read", text);
    return 0;
}

static int f_regex_match(struct ck_tcall *c, struct ck_val **ret)
{
    regex_t re;
    int r = compile(c, arg(c, 0), &re);
    if (r < 0)
        return r;
    r = regexec(&re, arg(c, 1), 0, NULL, 0);
    regfree(&re);
    return give_bool(c, ret, r == 0);
}

static int f_regex_find(struct ck_tcall *c, struct ck_val **ret)
{
    regex_t re;
    regmatch_t m = {0, 0};
    const char *s = arg(c, 1);
    int r = compile(c, arg(c, 0), &re);
    if (r < 0)
        return r;
    if (regexec(&re, s, 1, &m, 0) != 0)
        m.rm_so = m.rm_eo = 0;
    regfree(&re);
    return give_text(c, ret, s + m.rm_so, (size_t)(m.rm_eo - m.rm_so));
}

/* "$1", "${1}" in the replacement. */
static void expand(struct ck_buf *b, const char *to, const char *s, const regmatch_t *m)
{
    for (; *to; to++) {
        size_t skip = to[0] == '$' && to[1] == '{' ? 2 : 1;
        if (*to != '$' || !isdigit((unsigned char)to[skip]) || (skip == 2 && to[3] != '}')) {
            ck_buf_putc(b, *to);
            continue;
        }
        const regmatch_t *g = &m[to[skip] - '0'];
        if (g->rm_so >= 0)
            ck_buf_putn(b, s + g->rm_so, (size_t)(g->rm_eo - g->rm_so));
        to += skip == 2 ? 3 : 1;
    }
}

static int f_regex_replace(struct ck_tcall *c, struct ck_val **ret)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(MAX_TEXT);
    regex_t re;
    regmatch_t m[10];
    const char *s = arg(c, 1), *to = arg(c, 2);
    int r = compile(c, arg(c, 0), &re), flags = 0;
    if (r < 0)
        return r;
    while (*s && !b.overflow && regexec(&re, s, 10, m, flags) == 0) {
        ck_buf_putn(&b, s, (size_t)m[0].rm_so);
        expand(&b, to, s, m);
        if (m[0].rm_eo == m[0].rm_so && s[m[0].rm_eo])
            ck_buf_putc(&b, s[m[0].rm_eo++]);
        s += m[0].rm_eo;
        flags = REG_NOTBOL;
        if (m[0].rm_eo == 0)
            break;
    }
    regfree(&re);
    ck_buf_puts(&b, s);
    return give(c, ret, &b);
}

/* ---- encodings ---- */

static int f_b64enc(struct ck_tcall *c, struct ck_val **ret)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(MAX_TEXT);
    const char *s = arg(c, 0);
    ck_base64_encode(&b, s, strlen(s));
    return give(c, ret, &b);
}

static int f_b64dec(struct ck_tcall *c, struct ck_val **ret)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(MAX_TEXT);
    if (!ck_base64_decode(&b, ck_slice_of(arg(c, 0))))
        return ck_fail(c->err, CK_INVALID, "the text is not base64");
    return give(c, ret, &b);
}

static int f_sha256sum(struct ck_tcall *c, struct ck_val **ret)
{
    char hex[2 * CK_SHA256_LEN + 1];
    if (ck_crypto_load(c->err) < 0)
        return -(int)CK_UNSUPPORTED;
    ck_sha256_hex(ck_slice_of(arg(c, 0)), hex);
    return give_text(c, ret, hex, strlen(hex));
}

static int json_of(struct ck_tcall *c, struct ck_val **ret, unsigned indent)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(MAX_TEXT);
    ck_json_emit(&b, c->v[0], (struct ck_json_style){.order = CK_JSON_SORTED, .indent = indent});
    return give(c, ret, &b);
}

static int f_to_json(struct ck_tcall *c, struct ck_val **ret)
{
    return json_of(c, ret, 0);
}

static int f_to_pretty_json(struct ck_tcall *c, struct ck_val **ret)
{
    return json_of(c, ret, 2);
}

static int f_from_json(struct ck_tcall *c, struct ck_val **ret)
{
    return ck_json_parse(c->a, ck_slice_of(arg(c, 0)), MAX_TEXT, ret, c->err);
}

static int f_to_yaml(struct ck_tcall *c, struct ck_val **ret)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(MAX_TEXT);
    ck_yaml_emit(&b, c->v[0]);
    if (b.len && b.ptr[b.len - 1] == '\n')
        b.len--;
    return give(c, ret, &b);
}

static int f_from_yaml(struct ck_tcall *c, struct ck_val **ret)
{
    return ck_yaml_parse(c->a, ck_slice_of(arg(c, 0)), NULL, ret, NULL, c->err);
}

static int f_fail(struct ck_tcall *c, struct ck_val **ret)
{
    (void)ret;
    return ck_fail(c->err, CK_INVALID, "%s", arg(c, 0));
}

const struct ck_tfunc ck_tfuncs_text[] = {
    {"b64dec", f_b64dec, 1, 1},
    {"b64enc", f_b64enc, 1, 1},
    {"camelcase", f_camelcase, 1, 1},
    {"cat", f_cat, 0, CK_TANY},
    {"contains", f_contains, 2, 2},
    {"fail", f_fail, 1, 1},
    {"fromJson", f_from_json, 1, 1},
    {"fromYaml", f_from_yaml, 1, 1},
    {"hasPrefix", f_has_prefix, 2, 2},
    {"hasSuffix", f_has_suffix, 2, 2},
    {"include", f_fail, 1, 2}, /* the interpreter's own */
    {"indent", f_indent, 2, 2},
    {"kebabcase", f_kebabcase, 1, 1},
    {"lower", f_lower, 1, 1},
    {"nindent", f_nindent, 2, 2},
    {"nospace", f_nospace, 1, 1},
    {"print", f_print, 0, CK_TANY},
    {"printf", ck_tprintf, 1, CK_TANY},
    {"println", f_println, 0, CK_TANY},
    {"quote", f_quote, 0, CK_TANY},
    {"regexFind", f_regex_find, 2, 2},
    {"regexMatch", f_regex_match, 2, 2},
    {"regexReplaceAll", f_regex_replace, 3, 3},
    {"repeat", f_repeat, 2, 2},
    {"replace", f_replace, 3, 3},
    {"sha256sum", f_sha256sum, 1, 1},
    {"snakecase", f_snakecase, 1, 1},
    {"squote", f_squote, 0, CK_TANY},
    {"substr", f_substr, 3, 3},
    {"title", f_title, 1, 1},
    {"toJson", f_to_json, 1, 1},
    {"toPrettyJson", f_to_pretty_json, 1, 1},
    {"toString", f_to_string, 1, 1},
    {"toYaml", f_to_yaml, 1, 1},
    {"trim", f_trim, 1, 1},
    {"trimAll", f_trim_all, 2, 2},
    {"trimPrefix", f_trim_prefix, 2, 2},
    {"trimSuffix", f_trim_suffix, 2, 2},
    {"trunc", f_trunc, 2, 2},
    {"untitle", f_untitle, 1, 1},
    {"upper", f_upper, 1, 1},
    {0},
};
