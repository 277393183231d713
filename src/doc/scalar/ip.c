/* IP addresses: reading, writing, counting. Mirrors Go's net.ParseIP and IP.String, which differ
 * from inet_pton and inet_ntop in IPv4 addresses inside IPv6 ones. */
#include "doc/cidr.h"

#include <string.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Four decimal numbers without leading zeros. */
static bool parse_v4(struct ck_slice s, unsigned char out[4])
{
    struct ck_slice part;
    size_t n = 0;
    while (ck_slice_next(&s, '.', &part)) {
        unsigned v = 0;
        if (n == 4 || !part.len || part.len > 3 || (part.len > 1 && part.ptr[0] == '0'))
            return false;
        for (size_t i = 0; i < part.len; i++) {
            if (part.ptr[i] < '0' || part.ptr[i] > '9')
                return false;
            v = v * 10 + (unsigned)(part.ptr[i] - '0');
        }
        if (v > 255)
            return false;
        out[n++] = (unsigned char)v;
    }
    return n == 4;
}

/* Groups separated by single colons, the last one possibly an IPv4 address, into out[]; the number
 * of bytes, or -1. */
static int parse_groups(struct ck_slice s, bool v4_allowed, unsigned char out[16])
{
    struct ck_slice part;
    int n = 0;
    if (!s.len)
        return 0;
    while (ck_slice_next(&s, ':', &part)) {
        unsigned v = 0;
        if (v4_allowed && !s.ptr && ck_slice_find(part, '.') < part.len) {
            if (n > 12 || !parse_v4(part, out + n))
                return -1;
            return n + 4;
        }
        if (!part.len || part.len > 4 || n > 14)
            return -1;
        for (size_t i = 0; i < part.len; i++) {
            int h = hex_value(part.ptr[i]);
            if (h < 0)
                return -1;
            v = v << 4 | (unsigned)h;
        }
        out[n++] = (unsigned char)(v >> 8);
        out[n++] = (unsigned char)v;
    }
    return n;
}

static bool parse_v6(struct ck_slice s, unsigned char out[16])
{
    unsigned char tail[16];
    size_t gap = 0;
    while (gap + 1 < s.len && (s.ptr[gap] != ':' || s.ptr[gap + 1] != ':'))
        gap++;
    if (gap + 1 >= s.len)
        return parse_groups(s, true, out) == 16;
    int head = parse_groups(ck_slice_n(s.ptr, gap), false, out);
    int rest = parse_groups(ck_slice_n(s.ptr + gap + 2, s.len - gap - 2), true, tail);
    /* The gap stands for at least one group. */
    if (head < 0 || rest < 0 || head + rest > 14)
        return false;
    memset(out + head, 0, 16 - (size_t)head);
    memcpy(out + 16 - rest, tail, (size_t)rest);
    return true;
}

bool ck_ipaddr_parse(struct ck_slice s, struct ck_ipaddr *ret)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct ck_ipaddr ip = {.bits = 32};
    if (ck_slice_find(s, ':') == s.len) {
        if (!parse_v4(s, ip.b))
            return false;
        *ret = ip;
        return true;
    }
    ip.bits = 128;
    if (!parse_v6(s, ip.b))
        return false;
    if (memcmp(ip.b, mapped, sizeof mapped) == 0) {
        memmove(ip.b, ip.b + 12, 4);
        memset(ip.b + 4, 0, 12);
        ip.bits = 32;
    }
    *ret = ip;
    return true;
}

static unsigned group(const struct ck_ipaddr *ip, int i)
{
    return (unsigned)ip->b[2 * i] << 8 | ip->b[2 * i + 1];
}

/* The first of the longest runs of zero groups; at least two, else the length is 0. */
static int longest_gap(const struct ck_ipaddr *ip, int *ret_at)
{
    int best = 1;
    *ret_at = -1;
    for (int i = 0; i < 8; i++) {
        int n = 0;
        while (i + n < 8 && group(ip, i + n) == 0)
            n++;
        if (n > best) {
            best = n;
            *ret_at = i;
        }
        i += n;
    }
    return *ret_at < 0 ? 0 : best;
}

void ck_ipaddr_put(struct ck_buf *out, const struct ck_ipaddr *ip)
{
    int at, gap;
    if (ip->bits == 32) {
        ck_buf_fmt(out, "%d.%d.%d.%d", ip->b[0], ip->b[1], ip->b[2], ip->b[3]);
        return;
    }
    gap = longest_gap(ip, &at);
    for (int i = 0; i < 8; i++) {
        if (i == at) {
            ck_buf_puts(out, "::");
            i += gap - 1;
            continue;
        }
        if (i > 0 && i != at + gap)
            ck_buf_putc(out, ':');
        ck_buf_fmt(out, "%x", group(ip, i));
    }
}

int ck_ipaddr_cmp(const struct ck_ipaddr *a, const struct ck_ipaddr *b)
{
    return a->bits != b->bits ? a->bits - b->bits : memcmp(a->b, b->b, sizeof a->b);
}

bool ck_ipaddr_eq(const struct ck_ipaddr *a, const struct ck_ipaddr *b)
{
    return ck_ipaddr_cmp(a, b) == 0;
}

bool ck_ipaddr_add(const struct ck_ipaddr *ip, int64_t offset, struct ck_ipaddr *ret)
{
    struct ck_ipaddr r = *ip;
    bool down = offset < 0;
    uint64_t left = down ? 0 - (uint64_t)offset : (uint64_t)offset;
    int carry = 0;
    for (int i = ip->bits / 8 - 1; i >= 0; i--, left >>= 8) {
        int step = (int)(left & 0xff) + carry;
        int sum = down ? ip->b[i] - step : ip->b[i] + step;
        carry = sum < 0 || sum > 255;
        r.b[i] = (unsigned char)(sum & 0xff);
    }
    if (carry || left)
        return false;
    *ret = r;
    return true;
}
