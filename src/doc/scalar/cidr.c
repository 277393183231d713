/* Networks: reading, writing, containment, cutting up. Which ranges a cluster gets is decided
 * elsewhere. Mirrors Go's net.ParseCIDR and kOps' pkg/util/subnet. */
#include "doc/cidr.h"
#include "base/enc.h"

#include <string.h>

static void clear_host_bits(struct ck_ipaddr *ip, int len)
{
    for (int i = 0; i < 16; i++) {
        int keep = len - i * 8;
        if (keep <= 0)
            ip->b[i] = 0;
        else if (keep < 8)
            ip->b[i] = (unsigned char)(ip->b[i] & (0xff << (8 - keep)));
    }
}

/* A prefix length: digits only, leading zeros allowed as in Go. */
static bool parse_len(struct ck_slice s, int *ret)
{
    int v = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        v = v * 10 + (s.ptr[i] - '0');
        if (v > 128)
            return false;
    }
    *ret = v;
    return s.len > 0;
}

/* An IPv4 network written with an IPv6 address: its length counts from the start of the IPv6
 * address, and one that is too short makes it an IPv6 network. */
static void from_mapped(struct ck_cidr *c)
{
    enum { PREFIX = 96 };
    if (c->len >= PREFIX) {
        c->len -= PREFIX;
        return;
    }
    unsigned char v4[4];
    memcpy(v4, c->ip.b, 4);
    c->net = (struct ck_ipaddr){.bits = 128, .b = {[10] = 0xff, [11] = 0xff}};
    memcpy(c->net.b + 12, v4, 4);
}

int ck_cidr_parse(struct ck_slice s, struct ck_cidr *ret, struct ck_err *err)
{
    struct ck_cidr c;
    size_t slash = ck_slice_find(s, '/');
    struct ck_slice addr = ck_slice_n(s.ptr, slash);
    bool v6 = ck_slice_find(addr, ':') < addr.len;
    if (slash == s.len || !ck_ipaddr_parse(addr, &c.ip) ||
        !parse_len(ck_slice_n(s.ptr + slash + 1, s.len - slash - 1), &c.len) ||
        c.len > (v6 ? 128 : 32))
        return ck_fail(err, CK_INVALID, "invalid CIDR address: %.*s", CK_SARG(s));
    c.net = c.ip;
    if (v6 && c.ip.bits == 32)
        from_mapped(&c);
    clear_host_bits(&c.net, c.len);
    *ret = c;
    return 0;
}

void ck_cidr_put(struct ck_buf *out, const struct ck_cidr *c)
{
    ck_ipaddr_put(out, &c->net);
    ck_buf_fmt(out, "/%d", c->len);
}

bool ck_cidr_has_host_bits(const struct ck_cidr *c)
{
    return !ck_ipaddr_eq(&c->ip, &c->net);
}

bool ck_cidr_contains(const struct ck_cidr *c, const struct ck_ipaddr *ip)
{
    struct ck_ipaddr r = *ip;
    clear_host_bits(&r, c->len);
    return ck_ipaddr_eq(&r, &c->net);
}

bool ck_cidr_within(const struct ck_cidr *parent, const struct ck_cidr *child)
{
    return parent->len <= child->len && ck_cidr_contains(parent, &child->net);
}

bool ck_cidr_overlap(const struct ck_cidr *a, const struct ck_cidr *b)
{
    return ck_cidr_contains(a, &b->net) || ck_cidr_contains(b, &a->net);
}

bool ck_cidr_nth(const struct ck_cidr *c, int len, uint64_t index, struct ck_cidr *ret)
{
    int extra = len - c->len;
    if (extra < 0 || len > c->net.bits || (extra < 64 && index >> extra))
        return false;
    struct ck_cidr r = {.net = c->net, .len = len};
    for (int bit = len - 1; index; bit--, index >>= 1)
        if (index & 1)
            r.net.b[bit / 8] = (unsigned char)(r.net.b[bit / 8] | 0x80 >> bit % 8);
    r.ip = r.net;
    *ret = r;
    return true;
}

bool ck_cidr_split(const struct ck_cidr *c, size_t n, struct ck_cidr *ret)
{
    int extra = 0;
    if (!n || (n & (n - 1)))
        return false;
    while (n >> extra > 1)
        extra++;
    const struct ck_cidr whole = *c;
    if (whole.len + extra > whole.net.bits)
        return false;
    for (size_t i = 0; i < n; i++)
        ck_cidr_nth(&whole, whole.len + extra, i, &ret[i]);
    return true;
}

bool ck_cidr_ip_at(const struct ck_cidr *c, uint32_t offset, struct ck_ipaddr *ret)
{
    return ck_ipaddr_add(&c->net, offset, ret);
}

/* Hexadecimal digits, lower case as kOps writes them. */
static bool parse_index(struct ck_slice s, uint64_t *ret)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.len; i++) {
        const char *digits = "0123456789abcdef", *at = memchr(digits, s.ptr[i], 16);
        if (!at || v >> 60)
            return false;
        v = v << 4 | (uint64_t)(at - digits);
    }
    *ret = v;
    return s.len > 0;
}

static int bad_place(struct ck_slice s, const char *problem, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, s);
    return ck_fail(err, CK_INVALID, "%s %s", problem, ck_buf_str(&q));
}

int ck_cidr_place_parse(struct ck_slice s, int *ret_len, uint64_t *ret_index, struct ck_err *err)
{
    size_t mark = ck_slice_find(s, '#');
    if (mark == s.len || s.ptr[0] != '/' || !parse_len(ck_slice_n(s.ptr + 1, mark - 1), ret_len) ||
        !parse_index(ck_slice_n(s.ptr + mark + 1, s.len - mark - 1), ret_index))
        return bad_place(s, "not of the form /LENGTH#HEX:", err);
    return 0;
}

int ck_cidr_place(const struct ck_cidr *parent, struct ck_slice place, struct ck_cidr *ret,
                  struct ck_err *err)
{
    int len;
    uint64_t index;
    int r = ck_cidr_place_parse(place, &len, &index, err);
    if (r < 0)
        return r;
    if (!ck_cidr_nth(parent, len, index, ret)) {
        CK_AUTOBUF struct ck_buf what = CK_BUF_INIT;
        ck_cidr_put(&what, parent);
        ck_buf_puts(&what, " has no network");
        return bad_place(place, ck_buf_str(&what), err);
    }
    return 0;
}
