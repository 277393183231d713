/* Address arithmetic for validation, assignment and population. Only what those need; parsing
 * follows Go's net package (no leading zeros in IPv4, no zones). Mirrors kOps pkg/util/subnet. */
#include "spec/ipnet.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool ck_ip_parse(const char *text, struct ck_ipnet *ret)
{
    *ret = (struct ck_ipnet){.bits = strchr(text, ':') ? 128 : 32};
    if (inet_pton(ret->bits == 128 ? AF_INET6 : AF_INET, text, ret->ip) != 1)
        return false;
    memcpy(ret->base, ret->ip, sizeof ret->base);
    ret->len = ret->bits;
    return true;
}

static void mask(unsigned char *p, int len)
{
    for (int i = 0; i < 16; i++) {
        int keep = len - i * 8;
        if (keep >= 8)
            continue;
        p[i] = keep <= 0 ? 0 : (unsigned char)(p[i] & (0xff << (8 - keep)));
    }
}

bool ck_ipnet_parse(const char *text, struct ck_ipnet *ret)
{
    char addr[CK_IPNET_TEXT];
    const char *slash = strchr(text, '/');
    if (!slash || (size_t)(slash - text) >= sizeof addr)
        return false;
    memcpy(addr, text, (size_t)(slash - text));
    addr[slash - text] = 0;
    int len = 0;
    const char *p = slash + 1;
    if (!*p)
        return false;
    for (; *p; p++) {
        if (*p < '0' || *p > '9' || len > 128)
            return false;
        len = len * 10 + (*p - '0');
    }
    if (!ck_ip_parse(addr, ret) || len > ret->bits)
        return false;
    ret->len = len;
    mask(ret->base, len);
    return true;
}

bool ck_ipnet_has_host_bits(const struct ck_ipnet *n)
{
    return memcmp(n->ip, n->base, sizeof n->ip) != 0;
}

void ck_ip_text(const struct ck_ipnet *n, char out[CK_IPNET_TEXT])
{
    out[0] = 0;
    inet_ntop(n->bits == 128 ? AF_INET6 : AF_INET, n->base, out, CK_IPNET_TEXT);
}

void ck_ipnet_text(const struct ck_ipnet *n, char out[CK_IPNET_TEXT])
{
    ck_ip_text(n, out);
    size_t l = strlen(out);
    snprintf(out + l, CK_IPNET_TEXT - l, "/%d", n->len);
}

bool ck_ipnet_contains_ip(const struct ck_ipnet *n, const struct ck_ipnet *ip)
{
    if (n->bits != ip->bits)
        return false;
    unsigned char b[16];
    memcpy(b, ip->ip, sizeof b);
    mask(b, n->len);
    return memcmp(b, n->base, sizeof b) == 0;
}

bool ck_ipnet_within(const struct ck_ipnet *parent, const struct ck_ipnet *child)
{
    struct ck_ipnet c = *child;
    memcpy(c.ip, c.base, sizeof c.ip);
    return parent->len <= child->len && ck_ipnet_contains_ip(parent, &c);
}

bool ck_ipnet_overlap(const struct ck_ipnet *a, const struct ck_ipnet *b)
{
    return ck_ipnet_within(a, b) || ck_ipnet_within(b, a);
}

bool ck_ipnet_is_private(const struct ck_ipnet *n)
{
    static const char *const ranges[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                         "fc00::/7"};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        struct ck_ipnet r;
        if (ck_ipnet_parse(ranges[i], &r) && ck_ipnet_contains_ip(&r, n))
            return true;
    }
    return false;
}

bool ck_ipnet_block(const struct ck_ipnet *n, int extra, uint64_t i, struct ck_ipnet *ret)
{
    int len = n->len + extra;
    if (len > n->bits || extra < 0 || extra > 63 || i >= (uint64_t)1 << extra)
        return false;
    *ret = *n;
    ret->len = len;
    for (int bit = 0; bit < extra; bit++) {
        int at = len - 1 - bit;
        if (i >> bit & 1)
            ret->base[at / 8] = (unsigned char)(ret->base[at / 8] | 0x80 >> at % 8);
    }
    memcpy(ret->ip, ret->base, sizeof ret->ip);
    return true;
}

void ck_ipnet_nth_ip(const struct ck_ipnet *n, uint32_t offset, char out[CK_IPNET_TEXT])
{
    struct ck_ipnet r = *n;
    uint32_t carry = offset;
    for (int i = n->bits / 8 - 1; i >= 0 && carry; i--) {
        uint32_t sum = r.base[i] + (carry & 0xff);
        r.base[i] = (unsigned char)sum;
        carry = (carry >> 8) + (sum >> 8);
    }
    ck_ip_text(&r, out);
}
