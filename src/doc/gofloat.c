/* Shortest decimal form of a float, laid out by Go's rules. */
#include "doc/gofloat.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct decimal {
    char digits[24];
    int n, exp; /* value = 0.d1d2… × 10^exp */
};

static bool reads_back(const char *text, double f, int bits)
{
    double back = bits == 32 ? (double)strtof(text, NULL) : strtod(text, NULL);
    double want = bits == 32 ? (double)(float)f : f;
    return !(back < want) && !(back > want);
}

/* The next larger number of as many digits, in place; false when that takes a digit more. */
static bool next_up(char *text)
{
    for (char *p = strchr(text, 'e'); p-- > text;) {
        if (*p == '.')
            continue;
        if (*p != '9') {
            ++*p;
            return true;
        }
        *p = '0';
    }
    return false;
}

static struct decimal shortest(double f, int bits)
{
    char text[48], above[48];
    struct decimal d = {{0}, 0, 0};
    int exponent;
    /* Above a power of two the numbers lie further apart than below: the shortest text may be
     * there although the nearest one is below. */
    bool power = frexp(bits == 32 ? (double)(float)f : f, &exponent) <= 0.5;
    for (int prec = 0; prec < (bits == 32 ? 9 : 17); prec++) {
        snprintf(text, sizeof text, "%.*e", prec, f);
        if (reads_back(text, f, bits))
            break;
        memcpy(above, text, sizeof text);
        if (power && next_up(above) && reads_back(above, f, bits)) {
            memcpy(text, above, sizeof text);
            break;
        }
    }
    char *e = strchr(text, 'e');
    d.exp = (int)strtol(e + 1, NULL, 10) + 1;
    for (char *p = text; p < e; p++)
        if (*p >= '0' && *p <= '9')
            d.digits[d.n++] = *p;
    while (d.n > 1 && d.digits[d.n - 1] == '0')
        d.n--;
    return d;
}

static void put_exponent_form(struct ck_buf *out, const struct decimal *d, bool json)
{
    ck_buf_putc(out, d->digits[0]);
    if (d->n > 1) {
        ck_buf_putc(out, '.');
        ck_buf_putn(out, d->digits + 1, (size_t)d->n - 1);
    }
    int e = d->exp - 1;
    /* encoding/json writes e-9, strconv e-09. */
    if (json && e < 0 && e > -10)
        ck_buf_fmt(out, "e-%d", -e);
    else
        ck_buf_fmt(out, "e%c%02d", e < 0 ? '-' : '+', e < 0 ? -e : e);
}

void ck_gofloat_put(struct ck_buf *out, double f, int bits, bool json)
{
    if (isnan(f)) {
        ck_buf_puts(out, "NaN");
        return;
    }
    if (isinf(f)) {
        ck_buf_puts(out, f > 0 ? "+Inf" : "-Inf");
        return;
    }
    if (signbit(f)) {
        ck_buf_putc(out, '-');
        f = -f;
    }
    if (!(f > 0)) {
        ck_buf_putc(out, '0');
        return;
    }
    struct decimal d = shortest(f, bits);
    int e = d.exp - 1;
    bool exponent = json ? f < 1e-6 || f >= 1e21 : e < -4 || e >= 6;
    if (exponent) {
        put_exponent_form(out, &d, json);
        return;
    }
    if (d.exp <= 0) {
        ck_buf_puts(out, "0.");
        ck_buf_fill(out, '0', (size_t)-d.exp);
        ck_buf_putn(out, d.digits, (size_t)d.n);
        return;
    }
    int whole = d.n < d.exp ? d.n : d.exp;
    ck_buf_putn(out, d.digits, (size_t)whole);
    ck_buf_fill(out, '0', (size_t)(d.exp - whole));
    if (d.n > d.exp) {
        ck_buf_putc(out, '.');
        ck_buf_putn(out, d.digits + d.exp, (size_t)(d.n - d.exp));
    }
}
