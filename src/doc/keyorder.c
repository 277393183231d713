/* The order in which kOps prints map keys: go-yaml v2's natural comparison (sorter.go). */
#include "base/enc.h"
#include "doc/val.h"

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

/* Unicode letters, near enough for keys: ASCII exactly, beyond it everything that is not
 * punctuation, symbols, digits or private. */
static bool is_letter(uint32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c == 0xAA || c == 0xB5 || c == 0xBA)
        return true;
    if (c < 0xC0 || c == 0xD7 || c == 0xF7)
        return false;
    if ((c >= 0x2000 && c <= 0x2070) || (c >= 0x20A0 && c <= 0x20FF) ||
        (c >= 0x2190 && c <= 0x2BFF) || (c >= 0x3000 && c <= 0x3004) ||
        (c >= 0x3007 && c <= 0x3030) || (c >= 0xE000 && c <= 0xF8FF) ||
        (c >= 0xFF00 && c <= 0xFF20) || c == 0xFEFF || c >= 0x1F000)
        return false;
    return true;
}

struct runes {
    struct ck_slice s;
    size_t at;
};

static uint32_t next(struct runes *r)
{
    uint32_t cp = 0xFFFD;
    size_t n = ck_utf8_decode(r->s.ptr + r->at, r->s.len - r->at, &cp);
    r->at += n ? n : 1;
    return cp;
}

/* The number that starts at byte `at`, continuing from `v`; *ret_len its digits. */
static int64_t run_value(struct ck_slice s, size_t at, int64_t v, size_t *ret_len)
{
    size_t n = 0;
    for (; at + n < s.len && is_digit((unsigned char)s.ptr[at + n]); n++)
        v = (int64_t)((uint64_t)v * 10 + (uint64_t)(s.ptr[at + n] - '0'));
    *ret_len = n;
    return v;
}

static int compare_runs(struct ck_slice a, struct ck_slice b, size_t at, uint32_t ca, uint32_t cb)
{
    int64_t start = 0;
    if (ca == '0' || cb == '0')
        for (size_t j = at; j-- > 0 && is_digit((unsigned char)a.ptr[j]);)
            if (a.ptr[j] != '0') {
                start = 1; /* inside a number: a zero here is a digit, not padding */
                break;
            }
    size_t la, lb;
    int64_t na = run_value(a, at, start, &la), nb = run_value(b, at, start, &lb);
    if (na != nb)
        return na < nb ? -1 : 1;
    if (la != lb)
        return la < lb ? -1 : 1;
    return ca < cb ? -1 : 1;
}

int ck_key_cmp_natural(struct ck_slice a, struct ck_slice b)
{
    struct runes ra = {a, 0}, rb = {b, 0};
    while (ra.at < a.len && rb.at < b.len) {
        size_t at = ra.at;
        uint32_t ca = next(&ra), cb = next(&rb);
        if (ca == cb)
            continue;
        bool la = is_letter(ca), lb = is_letter(cb);
        if (la && lb)
            return ca < cb ? -1 : 1;
        if (la || lb)
            return lb ? -1 : 1;
        return compare_runs(a, b, at, ca, cb);
    }
    bool more_a = ra.at < a.len, more_b = rb.at < b.len;
    return more_a == more_b ? 0 : more_a ? 1 : -1;
}
