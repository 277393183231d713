/* Go durations: time.ParseDuration and Duration.String. */
#include "doc/scalar.h"

#include <string.h>

/* The package time quotes in a way of its own: bytes outside ASCII and below space as \xNN. */
static void quote(struct ck_buf *out, struct ck_slice s)
{
    ck_buf_putc(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c >= 0x80 || c < ' ') {
            ck_buf_fmt(out, "\\x%02x", c);
            continue;
        }
        if (c == '"' || c == '\\')
            ck_buf_putc(out, '\\');
        ck_buf_putc(out, (char)c);
    }
    ck_buf_putc(out, '"');
}

static int bad(struct ck_err *err, const char *what, struct ck_slice s)
{
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    quote(&q, s);
    return ck_fail(err, CK_INVALID, "time: %s %s", what, ck_buf_str(&q));
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool unit_of(struct ck_slice u, uint64_t *ret)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {{"ns", 1},           {"us", 1000},      {"\xC2\xB5s", 1000}, /* U+00B5 */
                 {"\xCE\xBCs", 1000},                                         /* U+03BC */
                 {"ms", 1000000},     {"s", 1000000000}, {"m", 60000000000},  {"h", 3600000000000}};
    for (size_t i = 0; i < CK_ARRAY_LEN(units); i++)
        if (ck_slice_eq_str(u, units[i].name)) {
            *ret = units[i].ns;
            return true;
        }
    return false;
}

struct fraction {
    uint64_t value;
    double scale;
    bool any;
};

static struct fraction read_fraction(const char **p, const char *end)
{
    struct fraction f = {0, 1, false};
    bool overflow = false;
    for (; *p < end && digit(**p); (*p)++) {
        f.any = true;
        if (overflow)
            continue;
        if (f.value > (UINT64_MAX / 2) / 10) {
            overflow = true;
            continue;
        }
        uint64_t y = f.value * 10 + (uint64_t)(**p - '0');
        if (y > (uint64_t)1 << 63) {
            overflow = true;
            continue;
        }
        f.value = y;
        f.scale *= 10;
    }
    return f;
}

/* One "12.5s"; negative on error: -1 invalid, -2 missing unit, -3 unknown unit (*ret_unit). */
static int read_term(const char **p, const char *end, uint64_t *total, struct ck_slice *ret_unit)
{
    uint64_t v = 0;
    bool any = false;
    const uint64_t limit = (uint64_t)1 << 63;
    for (; *p < end && digit(**p); (*p)++) {
        any = true;
        if (v > limit / 10)
            return -1;
        v = v * 10 + (uint64_t)(**p - '0');
        if (v > limit)
            return -1;
    }
    struct fraction f = {0, 1, false};
    if (*p < end && **p == '.') {
        (*p)++;
        f = read_fraction(p, end);
    }
    if (!any && !f.any)
        return -1;
    const char *u = *p;
    while (*p < end && **p != '.' && !digit(**p))
        (*p)++;
    uint64_t unit;
    *ret_unit = ck_slice_n(u, (size_t)(*p - u));
    if (!ret_unit->len)
        return -2;
    if (!unit_of(*ret_unit, &unit))
        return -3;
    if (v > limit / unit)
        return -1;
    v *= unit;
    if (f.value)
        v += (uint64_t)((double)f.value * ((double)unit / f.scale));
    if (v > limit || *total > limit - v)
        return -1;
    *total += v;
    return 0;
}

int ck_duration_parse(struct ck_slice s, int64_t *ret_ns, struct ck_err *err)
{
    const char *p = s.ptr, *end = s.ptr + s.len;
    bool neg = false;
    if (p < end && (*p == '-' || *p == '+'))
        neg = *p++ == '-';
    if (end - p == 1 && *p == '0') {
        *ret_ns = 0;
        return 0;
    }
    if (p == end)
        return bad(err, "invalid duration", s);
    uint64_t total = 0;
    while (p < end) {
        struct ck_slice unit;
        if (*p != '.' && !digit(*p))
            return bad(err, "invalid duration", s);
        int r = read_term(&p, end, &total, &unit);
        if (r == -1)
            return bad(err, "invalid duration", s);
        if (r == -2)
            return bad(err, "missing unit in duration", s);
        if (r == -3) {
            CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
            ck_buf_puts(&q, "unknown unit ");
            quote(&q, unit);
            ck_buf_puts(&q, " in duration");
            return bad(err, ck_buf_str(&q), s);
        }
    }
    if (!neg && total > INT64_MAX)
        return bad(err, "invalid duration", s);
    *ret_ns = neg ? (int64_t)(0 - total) : (int64_t)total;
    return 0;
}

/* v in units of 10^digits, without trailing zeros. */
static void put_decimal(struct ck_buf *out, uint64_t v, unsigned digits)
{
    uint64_t scale = 1;
    for (unsigned i = 0; i < digits; i++)
        scale *= 10;
    ck_buf_fmt(out, "%llu", (unsigned long long)(v / scale));
    uint64_t rest = v % scale;
    if (!rest)
        return;
    char text[24];
    for (unsigned i = digits; i-- > 0; rest /= 10)
        text[i] = (char)('0' + rest % 10);
    while (digits && text[digits - 1] == '0')
        digits--;
    ck_buf_putc(out, '.');
    ck_buf_putn(out, text, digits);
}

void ck_duration_put(struct ck_buf *out, int64_t ns)
{
    uint64_t u = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    if (!u) {
        ck_buf_puts(out, "0s");
        return;
    }
    if (ns < 0)
        ck_buf_putc(out, '-');
    if (u < 1000) {
        ck_buf_fmt(out, "%lluns", (unsigned long long)u);
    } else if (u < 1000000) {
        put_decimal(out, u, 3);
        ck_buf_puts(out, "\xC2\xB5s");
    } else if (u < 1000000000) {
        put_decimal(out, u, 6);
        ck_buf_puts(out, "ms");
    } else {
        uint64_t minutes = u / 60000000000, hours = minutes / 60;
        if (hours)
            ck_buf_fmt(out, "%lluh", (unsigned long long)hours);
        if (minutes)
            ck_buf_fmt(out, "%llum", (unsigned long long)(minutes % 60));
        put_decimal(out, u % 60000000000, 9);
        ck_buf_putc(out, 's');
    }
}
