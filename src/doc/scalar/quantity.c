/* Kubernetes resource quantities: parse and print the canonical form. Values are held as decimal
 * digits, so nothing overflows. Mirrors apimachinery's resource.ParseQuantity and Quantity.String;
 * arithmetic on quantities is not offered. */
#include "doc/scalar.h"

#include <string.h>

/* Limits of this program: apimachinery has none. */
enum { LONGEST = 4096, MAX_EXPONENT = INT32_MAX };

static const char wrong_format[] = "quantities must match the regular expression "
                                   "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

enum form { DECIMAL_SI, DECIMAL_EXPONENT, BINARY_SI };

struct suffix {
    const char *text;
    enum form form;
    int exponent; /* of 10, or of 2 for BINARY_SI */
};

static const struct suffix suffixes[] = {
    {"n", DECIMAL_SI, -9}, {"u", DECIMAL_SI, -6}, {"m", DECIMAL_SI, -3}, {"", DECIMAL_SI, 0},
    {"k", DECIMAL_SI, 3},  {"M", DECIMAL_SI, 6},  {"G", DECIMAL_SI, 9},  {"T", DECIMAL_SI, 12},
    {"P", DECIMAL_SI, 15}, {"E", DECIMAL_SI, 18}, {"Ki", BINARY_SI, 10}, {"Mi", BINARY_SI, 20},
    {"Gi", BINARY_SI, 30}, {"Ti", BINARY_SI, 40}, {"Pi", BINARY_SI, 50}, {"Ei", BINARY_SI, 60},
};

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool suffix_letter(char c)
{
    return c && strchr("eEinumkKMGTP", c);
}

/* Whether the text has the shape number, suffix letters, sign, digits. */
static bool split(struct ck_slice s, bool *ret_neg, struct ck_slice *ret_num,
                  struct ck_slice *ret_frac, struct ck_slice *ret_suffix)
{
    const char *p = s.ptr, *end = p + s.len;
    *ret_neg = false;
    if (p < end && (*p == '+' || *p == '-'))
        *ret_neg = *p++ == '-';
    const char *num = p;
    while (p < end && digit(*p))
        p++;
    *ret_num = ck_slice_n(num, (size_t)(p - num));
    *ret_frac = ck_slice_n(p, 0);
    if (p < end && *p == '.') {
        const char *frac = ++p;
        while (p < end && digit(*p))
            p++;
        *ret_frac = ck_slice_n(frac, (size_t)(p - frac));
    }
    const char *suffix = p;
    while (p < end && suffix_letter(*p))
        p++;
    if (p < end && (*p == '+' || *p == '-'))
        p++;
    while (p < end && digit(*p))
        p++;
    *ret_suffix = ck_slice_n(suffix, (size_t)(p - suffix));
    return p == end;
}

static bool exponent_suffix(struct ck_slice s, int *ret)
{
    if (s.len < 2 || (s.ptr[0] != 'e' && s.ptr[0] != 'E'))
        return false;
    size_t i = 1;
    bool neg = false;
    if (s.ptr[i] == '+' || s.ptr[i] == '-')
        neg = s.ptr[i++] == '-';
    if (i == s.len)
        return false;
    long v = 0;
    for (; i < s.len; i++) {
        if (!digit(s.ptr[i]))
            return false;
        v = v * 10 + (s.ptr[i] - '0');
        if (v > MAX_EXPONENT)
            return false;
    }
    *ret = (int)(neg ? -v : v);
    return true;
}

static bool find_suffix(struct ck_slice s, enum form *ret_form, int *ret_exp)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(suffixes); i++)
        if (ck_slice_eq_str(s, suffixes[i].text)) {
            *ret_form = suffixes[i].form;
            *ret_exp = suffixes[i].exponent;
            return true;
        }
    *ret_form = DECIMAL_EXPONENT;
    return exponent_suffix(s, ret_exp);
}

/* A decimal number as digits and a power of ten. */
struct decimal {
    struct ck_buf digits;
    long exp;
};

static void decimal_done(struct decimal *d)
{
    ck_buf_done(&d->digits);
}

static void increment(struct ck_buf *digits)
{
    size_t i = digits->len;
    while (i > 0 && digits->ptr[i - 1] == '9')
        digits->ptr[--i] = '0';
    if (i > 0) {
        digits->ptr[i - 1]++;
        return;
    }
    ck_buf_putc(digits, '0');
    digits->ptr[0] = '1';
}

/* Nothing finer than nano: what lies below rounds away from zero. */
static void round_to_nano(struct decimal *d)
{
    if (d->exp >= -9)
        return;
    size_t cut = (size_t)(-9 - d->exp);
    bool rest = false;
    size_t keep = d->digits.len > cut ? d->digits.len - cut : 0;
    for (size_t i = keep; i < d->digits.len; i++)
        rest = rest || d->digits.ptr[i] != '0';
    d->digits.len = keep;
    if (!keep)
        ck_buf_putc(&d->digits, '0');
    if (rest)
        increment(&d->digits);
    d->exp = -9;
}

static bool is_zero(const struct ck_buf *digits)
{
    for (size_t i = 0; i < digits->len; i++)
        if (digits->ptr[i] != '0')
            return false;
    return true;
}

/* Double the number in `digits` n times. */
static void shift_left(struct ck_buf *digits, int n)
{
    for (; n > 0; n--) {
        int carry = 0;
        for (size_t i = digits->len; i-- > 0;) {
            int d = (digits->ptr[i] - '0') * 2 + carry;
            digits->ptr[i] = (char)('0' + d % 10);
            carry = d / 10;
        }
        if (carry) {
            ck_buf_putc(digits, '0');
            memmove(digits->ptr + 1, digits->ptr, digits->len - 1);
            digits->ptr[0] = (char)('0' + carry);
        }
    }
}

/* The value when it is whole and fits int64: *ret_over tells when it is above. */
static bool whole(const struct decimal *d, uint64_t *ret, bool *ret_over)
{
    size_t cut = d->exp < 0 ? (size_t)-d->exp : 0;
    size_t keep = d->digits.len > cut ? d->digits.len - cut : 0;
    uint64_t v = 0;
    bool exact = true, over = false;
    for (size_t i = 0; i < keep && !over; i++)
        over = __builtin_mul_overflow(v, 10, &v) ||
               __builtin_add_overflow(v, (uint64_t)(d->digits.ptr[i] - '0'), &v) || v > INT64_MAX;
    for (size_t i = keep; i < d->digits.len; i++)
        exact = exact && d->digits.ptr[i] == '0';
    /* The largest quantity with a binary suffix is the largest int64. */
    *ret_over = over || (v == INT64_MAX && !exact);
    *ret = *ret_over ? INT64_MAX : v;
    return exact || *ret_over;
}

static const char *suffix_for(enum form form, int exponent)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(suffixes); i++)
        if (suffixes[i].form == form && suffixes[i].exponent == exponent)
            return suffixes[i].text;
    return "";
}

static void put_decimal(struct ck_buf *out, struct decimal *d, enum form form)
{
    while (d->digits.len > 1 && d->digits.ptr[d->digits.len - 1] == '0') {
        d->digits.len--;
        d->exp++;
    }
    while (d->exp % 3 || (form == DECIMAL_SI && d->exp > 18)) {
        ck_buf_putc(&d->digits, '0');
        d->exp--;
    }
    size_t lead = 0;
    while (lead + 1 < d->digits.len && d->digits.ptr[lead] == '0')
        lead++;
    ck_buf_putn(out, d->digits.ptr + lead, d->digits.len - lead);
    if (form == DECIMAL_SI)
        ck_buf_puts(out, suffix_for(DECIMAL_SI, (int)d->exp));
    else if (d->exp)
        ck_buf_fmt(out, "e%ld", d->exp);
}

/* apimachinery reads numbers of moderate length in int64 arithmetic, the others as big decimals,
 * and the two ways differ in details. */
static bool read_fast(struct ck_slice num, struct ck_slice frac, enum form form, int exp)
{
    enum { EXACT_DIGITS = 18, BINARY_DIGITS = 15 };
    if (form == BINARY_SI)
        return !frac.len && BINARY_DIGITS - (long)num.len - (long)((float)exp * 3 / 10) - 1 >= 0;
    return num.len + frac.len <= EXACT_DIGITS && exp - (long)frac.len >= -9;
}

/* The cases in which the text is remembered as it was given. */
static bool kept_as_given(struct ck_slice num, struct ck_slice frac, enum form form, int exp)
{
    if (!read_fast(num, frac, form, exp))
        return false;
    if (form == BINARY_SI) {
        uint64_t v = 0;
        for (size_t i = 0; i < num.len; i++)
            v = v * 10 + (uint64_t)(num.ptr[i] - '0');
        return (v & 7) != 0;
    }
    if ((exp - (long)frac.len) % 3)
        return false;
    CK_AUTOBUF struct ck_buf shifted = CK_BUF_INIT;
    ck_buf_put(&shifted, num);
    ck_buf_put(&shifted, frac);
    return shifted.ptr[0] != '0' && !ck_slice_ends(ck_buf_slice(&shifted), "000");
}

static void put_binary(struct ck_buf *out, uint64_t v)
{
    int bits = 0;
    while (v % 1024 == 0 && bits < 60) {
        v /= 1024;
        bits += 10;
    }
    ck_buf_fmt(out, "%llu%s", (unsigned long long)v, suffix_for(BINARY_SI, bits));
}

static void put_canonical(struct ck_buf *out, bool neg, struct ck_slice num, struct ck_slice frac,
                          enum form form, int exp)
{
    CK_CLEANUP(decimal_done) struct decimal d = {.digits = CK_BUF_INIT};
    uint64_t v;
    bool over;
    ck_buf_put(&d.digits, num);
    ck_buf_put(&d.digits, frac);
    d.exp = -(long)frac.len;
    if (form == BINARY_SI)
        shift_left(&d.digits, exp);
    else
        d.exp += exp;
    round_to_nano(&d);
    if (is_zero(&d.digits)) {
        ck_buf_putc(out, '0');
        return;
    }
    if (neg)
        ck_buf_putc(out, '-');
    /* What is small or not whole loses its binary suffix rather than precision. */
    if (form == BINARY_SI && whole(&d, &v, &over) && v >= 1024)
        put_binary(out, v);
    else
        put_decimal(out, &d, form == BINARY_SI ? DECIMAL_SI : form);
}

int ck_quantity_canonical(struct ck_slice s, struct ck_buf *out, struct ck_err *err)
{
    bool neg;
    struct ck_slice num, frac, suffix;
    if (!s.len || s.len > LONGEST || !split(s, &neg, &num, &frac, &suffix))
        return ck_fail(err, CK_INVALID, "%s", wrong_format);
    enum form form;
    int exp = 0;
    if (!find_suffix(suffix, &form, &exp))
        return ck_fail(err, CK_INVALID, "unable to parse quantity's suffix");
    bool no_digits = !num.len && !frac.len;
    while (num.len && num.ptr[0] == '0')
        num = ck_slice_n(num.ptr + 1, num.len - 1);
    if (!num.len)
        num = CK_S("0");
    if (no_digits && !read_fast(num, frac, form, exp))
        return ck_fail(err, CK_INVALID, "unable to parse numeric part of quantity");
    if (kept_as_given(num, frac, form, exp))
        ck_buf_put(out, s);
    else
        put_canonical(out, neg, num, frac, form, exp);
    return 0;
}
