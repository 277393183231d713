/* Networks by their texts, as the spec layer writes and reads them: a thin layer on doc/cidr.h,
 * which does the arithmetic. */
#pragma once

#include "doc/cidr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ck_ipnet {
    struct ck_cidr cidr;
    int bits; /* 32 or 128, of the network */
    int len;  /* prefix length */
};

#define CK_IPNET_TEXT 64
bool ck_ipnet_parse(const char *text, struct ck_ipnet *ret); /* "10.0.0.0/8" */
bool ck_ip_parse(const char *text, struct ck_ipnet *ret);    /* a bare address; len = bits */
bool ck_ipnet_has_host_bits(const struct ck_ipnet *n);
void ck_ipnet_text(const struct ck_ipnet *n, char out[CK_IPNET_TEXT]); /* base/len */
void ck_ip_text(const struct ck_ipnet *n, char out[CK_IPNET_TEXT]);    /* base alone */
bool ck_ipnet_contains_ip(const struct ck_ipnet *n, const struct ck_ipnet *ip);
bool ck_ipnet_overlap(const struct ck_ipnet *a, const struct ck_ipnet *b);
/* Whether child lies wholly in parent (kOps' subnet.BelongsTo). */
bool ck_ipnet_within(const struct ck_ipnet *parent, const struct ck_ipnet *child);
bool ck_ipnet_is_private(const struct ck_ipnet *n); /* RFC 1918, RFC 4193 */
/* The i-th of the blocks of n with prefix n->len + extra; false when it does not exist. */
bool ck_ipnet_block(const struct ck_ipnet *n, int extra, uint64_t i, struct ck_ipnet *ret);
/* base + offset as an address. */
void ck_ipnet_nth_ip(const struct ck_ipnet *n, uint32_t offset, char out[CK_IPNET_TEXT]);
