/* Kubernetes resource quantities: parse and print the canonical form (apimachinery's
 * resource.ParseQuantity and Quantity.String). Values are held in units of 10^-9. */
#include "doc/scalar.h"

#include <string.h>

typedef __int128 nano;

#define NANO ((nano)1000000000)
#define CAP  ((nano)INT64_MAX * NANO)

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
    while (p < end && strchr("eEinumkKMGTP", *p))
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
    int v = 0;
    for (; i < s.len; i++) {
        if (!digit(s.ptr[i]))
            return false;
        if (v < 10000)
            v = v * 10 + (s.ptr[i] - '0');
    }
    *ret = neg ? -v : v;
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

/* The number × 2^bits in nanos; rounded away from zero, capped at the largest int64 as apimachinery
 * caps binary quantities. */
static nano binary_value(struct ck_slice num, struct ck_slice frac, int bits)
{
    nano v = 0;
    bool rest = false;
    for (size_t i = 0; i < num.len + frac.len; i++) {
        int d = (i < num.len ? num.ptr[i] : frac.ptr[i - num.len]) - '0';
        if (!d)
            continue;
        nano unit = ((nano)1 << bits) * NANO;
        for (size_t up = i < num.len ? num.len - 1 - i : 0; up > 0; up--) {
            if (unit > CAP)
                return CAP;
            unit *= 10;
        }
        for (size_t down = i < num.len ? 0 : i - num.len + 1; down > 0 && unit; down--) {
            rest = rest || unit * d % 10;
            unit /= 10;
        }
        v += unit * d;
        if (v > CAP)
            return CAP;
    }
    return v + rest;
}

/* A decimal number as digits and a power of ten. */
struct decimal {
    struct ck_buf digits;
    long exp;
};

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

static void put_u64(struct ck_buf *out, nano v)
{
    char text[48];
    size_t n = sizeof text;
    do {
        text[--n] = (char)('0' + (int)(v % 10));
        v /= 10;
    } while (v);
    ck_buf_putn(out, text + n, sizeof text - n);
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

/* The cases in which apimachinery remembers the text it was given. */
static bool kept_as_given(struct ck_slice num, struct ck_slice frac, enum form form, int exp)
{
    enum { EXACT_DIGITS = 18 };
    if (form == BINARY_SI) {
        int precision = 15 - (int)num.len - (int)((float)exp * 3 / 10) - 1;
        uint64_t v = 0;
        if (frac.len || precision < 0)
            return false;
        for (size_t i = 0; i < num.len; i++)
            v = v * 10 + (uint64_t)(num.ptr[i] - '0');
        return (v & 7) != 0;
    }
    long scale = exp - (long)frac.len;
    if (num.len + frac.len > EXACT_DIGITS || scale < -9 || scale % 3)
        return false;
    CK_AUTOBUF struct ck_buf shifted = CK_BUF_INIT;
    ck_buf_put(&shifted, num);
    ck_buf_put(&shifted, frac);
    return shifted.len && shifted.ptr[0] != '0' && !ck_slice_ends(ck_buf_slice(&shifted), "000");
}

static void put_binary(struct ck_buf *out, nano v)
{
    v /= NANO;
    int bits = 0;
    while (v % 1024 == 0 && bits < 60) {
        v /= 1024;
        bits += 10;
    }
    put_u64(out, v);
    ck_buf_puts(out, suffix_for(BINARY_SI, bits));
}

static void put_canonical(struct ck_buf *out, bool neg, struct ck_slice num, struct ck_slice frac,
                          enum form form, int exp)
{
    CK_CLEANUP(ck_buf_done) struct ck_buf owned = CK_BUF_INIT;
    struct decimal d = {.digits = owned, .exp = -9};
    nano v = 0;
    if (form == BINARY_SI) {
        v = binary_value(num, frac, exp);
        put_u64(&d.digits, v);
    } else {
        ck_buf_put(&d.digits, num);
        ck_buf_put(&d.digits, frac);
        d.exp = (long)exp - (long)frac.len;
        round_to_nano(&d);
    }
    if (is_zero(&d.digits)) {
        ck_buf_putc(out, '0');
    } else {
        if (neg)
            ck_buf_putc(out, '-');
        if (form == BINARY_SI && v >= 1024 * NANO && v % NANO == 0)
            put_binary(out, v);
        else
            put_decimal(out, &d, form == BINARY_SI ? DECIMAL_SI : form);
    }
    owned = d.digits;
}

int ck_quantity_canonical(struct ck_slice s, struct ck_buf *out, struct ck_err *err)
{
    enum { LONGEST = 200 };
    bool neg;
    struct ck_slice num, frac, suffix;
    if (!s.len || s.len > LONGEST || !split(s, &neg, &num, &frac, &suffix))
        return ck_fail(err, CK_INVALID, "%s", wrong_format);
    enum form form;
    int exp = 0;
    if (!find_suffix(suffix, &form, &exp))
        return ck_fail(err, CK_INVALID, "unable to parse quantity's suffix");
    while (num.len && num.ptr[0] == '0')
        num = ck_slice_n(num.ptr + 1, num.len - 1);
    if (!num.len)
        num = CK_S("0");
    if (kept_as_given(num, frac, form, exp))
        ck_buf_put(out, s);
    else
        put_canonical(out, neg, num, frac, form, exp);
    return 0;
}
