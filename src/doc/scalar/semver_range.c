/* Ranges of versions, ">=1.20.0 <1.30.0 || 1.31.x". Mirrors blang/semver's ParseRange step by step,
 * because channel files are written against its reading of white space and wildcards: words are
 * cut apart, wildcards become one or two plain comparisons, then each is read. */
#include "base/enc.h"
#include "base/mem.h"
#include "base/strv.h"
#include "doc/scalar.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST = 1024 };

static int quoted_error(struct ck_err *err, const char *what, const char *s)
{
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(s));
    return ck_fail(err, CK_INVALID, "%s %s", what, ck_buf_str(&q));
}

/* A blank ends a word unless an operator has just begun; words of one byte are lost, as there. */
static void words(struct ck_slice s, struct ck_strv *ret)
{
    size_t last = 0;
    char before = 0;
    CK_AUTOBUF struct ck_buf w = CK_BUF_INIT;
    for (size_t i = 0; i <= s.len; i++) {
        bool end = i == s.len;
        if (!end && s.ptr[i] != ' ') {
            before = s.ptr[i];
            continue;
        }
        if (!end && before && strchr("><=", before))
            continue;
        if (last + 1 < i) {
            ck_buf_reset(&w);
            for (size_t k = last; k < i; k++)
                if (s.ptr[k] != ' ')
                    ck_buf_putc(&w, s.ptr[k]);
            ck_strv_push(ret, ck_buf_str(&w));
        }
        last = i + 1;
    }
}

/* The version begins at the first digit. */
static int split_comparator(const char *word, struct ck_buf *ret_op, const char **ret_version,
                            struct ck_err *err)
{
    size_t n = strcspn(word, "0123456789");
    if (!word[n])
        return quoted_error(err, "Could not get version from string:", word);
    ck_buf_reset(ret_op);
    ck_buf_put(ret_op, ck_slice_trim(ck_slice_n(word, n)));
    *ret_version = word + n;
    return 0;
}

static void replace_first(struct ck_buf *s, const char *from, const char *to)
{
    char *at = s->len ? strstr(s->ptr, from) : NULL;
    if (!at)
        return;
    size_t head = (size_t)(at - s->ptr);
    CK_AUTOBUF struct ck_buf r = CK_BUF_INIT;
    ck_buf_putn(&r, s->ptr, head);
    ck_buf_puts(&r, to);
    ck_buf_puts(&r, at + strlen(from));
    ck_buf_reset(s);
    ck_buf_put(s, ck_buf_slice(&r));
}

/* How many dots a text has. */
static size_t dots(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += *s == '.';
    return n;
}

/* "1.2.x" becomes "1.2.0". */
static void flatten(const char *version, struct ck_buf *ret)
{
    ck_buf_reset(ret);
    ck_buf_puts(ret, version);
    replace_first(ret, ".x.x", ".x");
    replace_first(ret, ".x", ".0");
    if (dots(ck_buf_str(ret)) == 1)
        ck_buf_puts(ret, ".0");
}

/* The first version after those a wildcard stands for; "" when there is no such wildcard. Only the
 * number is replaced; what is around it stays, wrong or not, and is judged later. */
static void after(const char *version, const char *flat, struct ck_buf *ret)
{
    ck_buf_reset(ret);
    size_t n = dots(version);
    if (!ck_str_ends(version, ".x") || (n != 1 && n != 2))
        return;
    const char *number = n == 2 ? strchr(flat, '.') + 1 : flat;
    size_t len = strspn(number, "0123456789");
    if (!len || len > 18 || number[len] != '.')
        return;
    ck_buf_putn(ret, flat, (size_t)(number - flat));
    ck_buf_fmt(ret, "%llu%s", strtoull(number, NULL, 10) + 1, number + len);
}

/* A word with an "x" as plain comparisons, appended to *ret. */
static int expand(const char *word, struct ck_strv *ret, struct ck_err *err)
{
    static const struct {
        const char *op;
        const char *also; /* a comparison with the first version, before the main one */
        const char *main;
        bool next; /* the main comparison is with the first version after the family */
    } rules[] = {
        {">", NULL, ">=", true}, {">=", NULL, ">=", false}, {"<", NULL, "<", false},
        {"<=", NULL, "<", true}, {"", ">=", "<", true},     {"=", ">=", "<", true},
        {"==", ">=", "<", true}, {"!=", "<", ">=", true},   {"!", "<", ">=", true},
    };
    CK_AUTOBUF struct ck_buf op = CK_BUF_INIT, flat = CK_BUF_INIT, next = CK_BUF_INIT;
    const char *version, *main = "";
    int r = split_comparator(word, &op, &version, err);
    if (r < 0)
        return r;
    flatten(version, &flat);
    after(version, ck_buf_str(&flat), &next);
    const char *bound = ck_buf_str(&flat);
    for (size_t i = 0; i < CK_ARRAY_LEN(rules); i++) {
        if (strcmp(ck_buf_str(&op), rules[i].op) != 0)
            continue;
        if (rules[i].also)
            ck_strv_push_take(ret, ck_xasprintf("%s%s", rules[i].also, ck_buf_str(&flat)));
        main = rules[i].main;
        if (rules[i].next)
            bound = ck_buf_str(&next);
    }
    ck_strv_push_take(ret, ck_xasprintf("%s%s", main, bound));
    return 0;
}

static bool holds(const char *op, int c, bool *ret)
{
    static const struct {
        const char *op;
        bool less, equal, more;
    } ops[] = {
        {"", 0, 1, 0},  {"=", 0, 1, 0},  {"==", 0, 1, 0}, {"!", 1, 0, 1},  {"!=", 1, 0, 1},
        {">", 0, 0, 1}, {">=", 0, 1, 1}, {"<", 1, 0, 0},  {"<=", 1, 1, 0},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(ops); i++)
        if (strcmp(op, ops[i].op) == 0) {
            *ret = c < 0 ? ops[i].less : c > 0 ? ops[i].more : ops[i].equal;
            return true;
        }
    return false;
}

/* "Could not parse Range WORD: Could not parse WHAT PART in COMPARISON: WHY". */
static int bad_comparison(struct ck_err *err, const char *word, const char *op, const char *what,
                          const char *part, const char *why)
{
    CK_AUTOBUF struct ck_buf w = CK_BUF_INIT, p = CK_BUF_INIT, whole = CK_BUF_INIT, c = CK_BUF_INIT;
    ck_buf_fmt(&whole, "%s%s", op, word + strcspn(word, "0123456789"));
    ck_goquote(&w, ck_slice_of(word));
    ck_goquote(&p, ck_slice_of(part));
    ck_goquote(&c, ck_buf_slice(&whole));
    return ck_fail(err, CK_INVALID, "Could not parse Range %s: Could not parse %s %s in %s%s%s",
                   ck_buf_str(&w), what, ck_buf_str(&p), ck_buf_str(&c), *why ? ": " : "", why);
}

static int compare(const struct ck_semver *v, const char *word, bool *ret, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf op = CK_BUF_INIT;
    CK_AUTOERR why = CK_ERR_INIT;
    const char *text;
    struct ck_semver bound;
    int r = split_comparator(word, &op, &text, err);
    if (r < 0)
        return r;
    if (!holds(ck_buf_str(&op), 0, ret))
        return bad_comparison(err, word, ck_buf_str(&op), "comparator", ck_buf_str(&op), "");
    if (ck_semver_read(ck_slice_of(text), false, &bound, &why) < 0)
        return bad_comparison(err, word, ck_buf_str(&op), "version", text, ck_err_msg(&why));
    holds(ck_buf_str(&op), ck_semver_cmp(v, &bound), ret);
    return 0;
}

/* The words with wildcards written out; "||" stays between alternatives. */
static int read_range(const char *range, struct ck_strv *ret, struct ck_err *err)
{
    CK_AUTOSTRV w = {0};
    words(ck_slice_of(range), &w);
    for (size_t i = 0; i < w.n; i++)
        if (strcmp(w.v[i], "||") == 0 && i == 0)
            return ck_fail(err, CK_INVALID, "First element in range is '||'");
    if (!w.n || strcmp(w.v[w.n - 1], "||") == 0)
        return ck_fail(err, CK_INVALID, "Last element in range is '||'");
    for (size_t i = 0; i < w.n; i++) {
        if (!strchr(w.v[i], 'x')) {
            ck_strv_push(ret, w.v[i]);
            continue;
        }
        int r = expand(w.v[i], ret, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int ck_semver_in_range(const struct ck_semver *v, const char *range, bool *ret, struct ck_err *err)
{
    CK_AUTOSTRV w = {0};
    bool any = false, all = true, empty = true;
    if (strlen(range) > LONGEST)
        return ck_fail(err, CK_LIMIT, "the version range is longer than %d bytes", LONGEST);
    int r = read_range(range, &w, err);
    if (r < 0)
        return r;
    /* Every word is read even when the answer is known: the range may be wrong further on. */
    for (size_t i = 0; i < w.n; i++) {
        bool in = false;
        if (strcmp(w.v[i], "||") == 0) {
            if (empty)
                return ck_fail(err, CK_INVALID, "Empty alternative between '||'");
            any = any || all;
            all = empty = true;
            continue;
        }
        r = compare(v, w.v[i], &in, err);
        if (r < 0)
            return r;
        all = all && in;
        empty = false;
    }
    *ret = any || all;
    return 0;
}
