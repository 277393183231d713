/* Plain scalars: booleans, nulls, numbers and timestamps as go-yaml v2 resolves them. */
#include "doc/resolve.h"

#include "base/attr.h"
#include "base/enc.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NUMBER = 400 };

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool word_of(struct ck_slice s, struct ck_scalar *ret)
{
    static const struct {
        const char *text;
        enum ck_scalar_kind kind;
        bool b;
        double f;
    } words[] = {
        {"y", CK_SCALAR_BOOL, true, 0},
        {"Y", CK_SCALAR_BOOL, true, 0},
        {"yes", CK_SCALAR_BOOL, true, 0},
        {"Yes", CK_SCALAR_BOOL, true, 0},
        {"YES", CK_SCALAR_BOOL, true, 0},
        {"true", CK_SCALAR_BOOL, true, 0},
        {"True", CK_SCALAR_BOOL, true, 0},
        {"TRUE", CK_SCALAR_BOOL, true, 0},
        {"on", CK_SCALAR_BOOL, true, 0},
        {"On", CK_SCALAR_BOOL, true, 0},
        {"ON", CK_SCALAR_BOOL, true, 0},
        {"n", CK_SCALAR_BOOL, false, 0},
        {"N", CK_SCALAR_BOOL, false, 0},
        {"no", CK_SCALAR_BOOL, false, 0},
        {"No", CK_SCALAR_BOOL, false, 0},
        {"NO", CK_SCALAR_BOOL, false, 0},
        {"false", CK_SCALAR_BOOL, false, 0},
        {"False", CK_SCALAR_BOOL, false, 0},
        {"FALSE", CK_SCALAR_BOOL, false, 0},
        {"off", CK_SCALAR_BOOL, false, 0},
        {"Off", CK_SCALAR_BOOL, false, 0},
        {"OFF", CK_SCALAR_BOOL, false, 0},
        {"~", CK_SCALAR_NULL, false, 0},
        {"null", CK_SCALAR_NULL, false, 0},
        {"Null", CK_SCALAR_NULL, false, 0},
        {"NULL", CK_SCALAR_NULL, false, 0},
        {".nan", CK_SCALAR_FLOAT, false, NAN},
        {".NaN", CK_SCALAR_FLOAT, false, NAN},
        {".NAN", CK_SCALAR_FLOAT, false, NAN},
        {".inf", CK_SCALAR_FLOAT, false, INFINITY},
        {".Inf", CK_SCALAR_FLOAT, false, INFINITY},
        {".INF", CK_SCALAR_FLOAT, false, INFINITY},
        {"+.inf", CK_SCALAR_FLOAT, false, INFINITY},
        {"+.Inf", CK_SCALAR_FLOAT, false, INFINITY},
        {"+.INF", CK_SCALAR_FLOAT, false, INFINITY},
        {"-.inf", CK_SCALAR_FLOAT, false, -INFINITY},
        {"-.Inf", CK_SCALAR_FLOAT, false, -INFINITY},
        {"-.INF", CK_SCALAR_FLOAT, false, -INFINITY},
    };
    if (s.len > 5)
        return false;
    for (size_t i = 0; i < CK_ARRAY_LEN(words); i++)
        if (ck_slice_eq_str(s, words[i].text)) {
            *ret = (struct ck_scalar){.kind = words[i].kind, .b = words[i].b, .f = words[i].f};
            return true;
        }
    return false;
}

/* ---- timestamps: YYYY-M-D, optionally with a time (go-yaml's allowedTimestampFormats) ---- */

static size_t digits(const char *p, const char *end, size_t least, size_t most)
{
    size_t n = 0;
    while (p + n < end && n < most && digit(p[n]))
        n++;
    return n >= least ? n : 0;
}

static int two(const char *p, size_t n)
{
    return n == 2 ? (p[0] - '0') * 10 + p[1] - '0' : p[0] - '0';
}

static bool valid_date(int y, int m, int d)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (m < 1 || m > 12 || d < 1)
        return false;
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return d <= days[m - 1] + (m == 2 && leap);
}

static bool zone(const char *p, const char *end)
{
    if (p == end)
        return false;
    if (*p == 'Z')
        return p + 1 == end;
    return end - p == 6 && (*p == '+' || *p == '-') && digit(p[1]) && digit(p[2]) && p[3] == ':' &&
           digit(p[4]) && digit(p[5]) && two(p + 1, 2) <= 24 && two(p + 4, 2) <= 60;
}

static bool is_timestamp(struct ck_slice s)
{
    const char *p = s.ptr, *end = s.ptr + s.len;
    if (digits(p, end, 4, 4) != 4 || s.len < 8 || p[4] != '-')
        return false;
    int y = two(p, 2) * 100 + two(p + 2, 2);
    p += 5;
    size_t n = digits(p, end, 1, 2);
    if (!n || p + n >= end || p[n] != '-')
        return false;
    int m = two(p, n);
    p += n + 1;
    n = digits(p, end, 1, 2);
    if (!n || !valid_date(y, m, two(p, n)))
        return false;
    p += n;
    if (p == end)
        return true;
    bool spaced = *p == ' ';
    if (*p != 'T' && *p != 't' && !spaced)
        return false;
    p++;
    n = digits(p, end, 1, 2);
    if (!n || two(p, n) > 23 || end - p < (long)n + 6 || p[n] != ':' || p[n + 3] != ':')
        return false;
    p += n + 1;
    if (!digit(p[0]) || !digit(p[1]) || two(p, 2) > 59 || !digit(p[3]) || !digit(p[4]) ||
        two(p + 3, 2) > 59)
        return false;
    p += 5;
    if (p < end && (*p == '.' || *p == ',')) {
        n = digits(p + 1, end, 1, LONGEST_NUMBER);
        if (!n)
            return false;
        p += n + 1;
    }
    return spaced ? p == end : zone(p, end);
}

/* ---- numbers ---- */

/* Go's strconv.ParseInt/ParseUint with base 0 on text without underscores: magnitude and base. */
static bool magnitude(const char *p, size_t n, int base, uint64_t *ret)
{
    if (!n)
        return false;
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        int d = digit(p[i])                  ? p[i] - '0'
                : p[i] >= 'a' && p[i] <= 'f' ? p[i] - 'a' + 10
                : p[i] >= 'A' && p[i] <= 'F' ? p[i] - 'A' + 10
                                             : 99;
        if (d >= base || v > (UINT64_MAX - (uint64_t)d) / (uint64_t)base)
            return false;
        v = v * (uint64_t)base + (uint64_t)d;
    }
    *ret = v;
    return true;
}

static bool integer(const char *p, size_t n, struct ck_scalar *ret)
{
    bool neg = false, sign = false;
    if (n && (*p == '+' || *p == '-')) {
        neg = *p == '-';
        sign = true;
        p++;
        n--;
    }
    int base = 10;
    if (n > 1 && p[0] == '0') {
        char c = (char)(p[1] | 0x20);
        base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 8;
        size_t skip = base == 8 && c != 'o' ? 1 : 2;
        p += skip;
        n -= skip;
    }
    uint64_t v;
    if (!magnitude(p, n, base, &v))
        return false;
    if (neg) {
        if (v > (uint64_t)INT64_MAX + 1)
            return false;
        *ret = (struct ck_scalar){.kind = CK_SCALAR_INT, .i = (int64_t)(0 - v)};
    } else if (v <= INT64_MAX) {
        *ret = (struct ck_scalar){.kind = CK_SCALAR_INT, .i = (int64_t)v};
    } else if (!sign) { /* ParseUint takes no sign */
        *ret = (struct ck_scalar){.kind = CK_SCALAR_UINT, .u = v};
    } else {
        return false;
    }
    return true;
}

/* ^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$ */
static bool float_style(const char *p, size_t n)
{
    const char *end = p + n;
    if (p < end && (*p == '+' || *p == '-'))
        p++;
    size_t whole = digits(p, end, 0, n), frac = 0;
    p += whole;
    if (p < end && *p == '.') {
        p++;
        frac = digits(p, end, 0, n);
        p += frac;
    }
    if (!whole && !frac)
        return false;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        size_t e = digits(p, end, 1, n);
        if (!e)
            return false;
        p += e;
    }
    return p == end;
}

static bool to_double(const char *p, struct ck_scalar *ret)
{
    double f = strtod(p, NULL);
    if (isinf(f)) /* Go reports a range error: not a number then */
        return false;
    *ret = (struct ck_scalar){.kind = CK_SCALAR_FLOAT, .f = f};
    return true;
}

static bool number(struct ck_slice s, struct ck_scalar *ret, bool integers)
{
    char plain[LONGEST_NUMBER];
    size_t n = 0;
    if (s.len >= sizeof plain)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != '_')
            plain[n++] = s.ptr[i];
    plain[n] = '\0';
    if (integers && integer(plain, n, ret))
        return true;
    return float_style(plain, n) && to_double(plain, ret);
}

/* A number that starts with a dot goes to Go's ParseFloat as it is, which is stricter here. */
static bool underscores_separate_digits(struct ck_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '_' &&
            (!i || i + 1 == s.len || !digit(s.ptr[i - 1]) || !digit(s.ptr[i + 1])))
            return false;
    return true;
}

struct ck_scalar ck_scalar_resolve(struct ck_slice s)
{
    struct ck_scalar r = {.kind = CK_SCALAR_STR};
    if (!s.len)
        return (struct ck_scalar){.kind = CK_SCALAR_NULL};
    char c = s.ptr[0];
    bool numeric = digit(c) || c == '+' || c == '-';
    if (!numeric && !strchr("yYnNtTfFoO~.", c))
        return r;
    if (word_of(s, &r))
        return r;
    if (numeric) {
        if (is_timestamp(s))
            r.kind = CK_SCALAR_TIME;
        else
            number(s, &r, true);
    } else if (c == '.' && underscores_separate_digits(s)) {
        number(s, &r, false);
    }
    return r;
}

/* ^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$ : YAML 1.1 base 60, which others still read. */
static bool base60(struct ck_slice s)
{
    const char *p = s.ptr, *end = p + s.len;
    if (p < end && (*p == '+' || *p == '-'))
        p++;
    if (p == end || !digit(*p))
        return false;
    while (p < end && (digit(*p) || *p == '_'))
        p++;
    size_t groups = 0;
    while (p < end && *p == ':') {
        p++;
        if (p + 1 < end && *p >= '0' && *p <= '5' && digit(p[1]))
            p += 2;
        else if (p < end && digit(*p))
            p++;
        else
            return false;
        groups++;
    }
    if (p < end && *p == '.') {
        p++;
        while (p < end && (digit(*p) || *p == '_'))
            p++;
    }
    return groups && p == end;
}

bool ck_scalar_plain(struct ck_slice s)
{
    return ck_scalar_resolve(s).kind == CK_SCALAR_STR && !base60(s);
}

void ck_scalar_repair(struct ck_buf *out, struct ck_slice s)
{
    for (size_t i = 0, n; i < s.len; i += n ? n : 1) {
        uint32_t cp;
        n = ck_utf8_decode(s.ptr + i, s.len - i, &cp);
        if (n)
            ck_buf_putn(out, s.ptr + i, n);
        else
            ck_buf_puts(out, "\xEF\xBF\xBD");
    }
}
