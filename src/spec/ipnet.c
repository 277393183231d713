/* Texts in, texts out; parsing and arithmetic are doc/cidr.h's. */
#include "spec/ipnet.h"

#include "base/attr.h"

#include <string.h>

static void take(const struct ck_cidr *c, struct ck_ipnet *ret)
{
    *ret = (struct ck_ipnet){.cidr = *c, .bits = c->net.bits, .len = c->len};
}

bool ck_ip_parse(const char *text, struct ck_ipnet *ret)
{
    struct ck_cidr c = {0};
    *ret = (struct ck_ipnet){.bits = 32};
    if (!ck_ipaddr_parse(ck_slice_of(text), &c.ip))
        return false;
    c.net = c.ip;
    c.len = c.ip.bits;
    take(&c, ret);
    return true;
}

bool ck_ipnet_parse(const char *text, struct ck_ipnet *ret)
{
    struct ck_cidr c;
    *ret = (struct ck_ipnet){.bits = 32};
    if (ck_cidr_parse(ck_slice_of(text), &c, NULL) < 0)
        return false;
    take(&c, ret);
    return true;
}

bool ck_ipnet_has_host_bits(const struct ck_ipnet *n)
{
    return ck_cidr_has_host_bits(&n->cidr);
}

static void copy(const struct ck_buf *b, char out[CK_IPNET_TEXT])
{
    size_t n = b->len < CK_IPNET_TEXT ? b->len : CK_IPNET_TEXT - 1;
    if (n)
        memcpy(out, b->ptr, n);
    out[n] = 0;
}

static void address_text(const struct ck_ipaddr *ip, char out[CK_IPNET_TEXT])
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_ipaddr_put(&b, ip);
    copy(&b, out);
}

void ck_ip_text(const struct ck_ipnet *n, char out[CK_IPNET_TEXT])
{
    address_text(&n->cidr.net, out);
}

void ck_ipnet_text(const struct ck_ipnet *n, char out[CK_IPNET_TEXT])
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_cidr_put(&b, &n->cidr);
    copy(&b, out);
}

bool ck_ipnet_contains_ip(const struct ck_ipnet *n, const struct ck_ipnet *ip)
{
    return ck_cidr_contains(&n->cidr, &ip->cidr.ip);
}

bool ck_ipnet_within(const struct ck_ipnet *parent, const struct ck_ipnet *child)
{
    return ck_cidr_within(&parent->cidr, &child->cidr);
}

bool ck_ipnet_overlap(const struct ck_ipnet *a, const struct ck_ipnet *b)
{
    return ck_cidr_overlap(&a->cidr, &b->cidr);
}

bool ck_ipnet_is_private(const struct ck_ipnet *n)
{
    static const char *const ranges[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                         "fc00::/7"};
    for (size_t i = 0; i < CK_ARRAY_LEN(ranges); i++) {
        struct ck_ipnet r;
        if (ck_ipnet_parse(ranges[i], &r) && ck_ipnet_contains_ip(&r, n))
            return true;
    }
    return false;
}

bool ck_ipnet_block(const struct ck_ipnet *n, int extra, uint64_t i, struct ck_ipnet *ret)
{
    struct ck_cidr c;
    if (extra < 0 || extra > 63 || !ck_cidr_nth(&n->cidr, n->len + extra, i, &c))
        return false;
    take(&c, ret);
    return true;
}

void ck_ipnet_nth_ip(const struct ck_ipnet *n, uint32_t offset, char out[CK_IPNET_TEXT])
{
    struct ck_ipaddr ip;
    out[0] = 0;
    if (ck_cidr_ip_at(&n->cidr, offset, &ip))
        address_text(&ip, out);
}
