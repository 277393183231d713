/* IP addresses and networks: Go's net.ParseIP and net.ParseCIDR, their texts, and the arithmetic
 * kOps does on them.
 *
 * An IPv4 address written as IPv6 (::ffff:10.0.0.1) is the IPv4 address, as in Go. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ck_ipaddr {
    unsigned char b[16]; /* network order; IPv4 uses the first four, the others are 0 */
    int bits;            /* 32 or 128 */
};

struct ck_cidr {
    struct ck_ipaddr ip;  /* as written */
    struct ck_ipaddr net; /* host bits cleared; decides whether this is an IPv4 network */
    int len;              /* prefix length, 0 … net.bits */
};

/* ---- addresses (scalar/ip.c) ---- */
/* "10.0.0.1", "fd00::1". False for anything else, zones and leading zeros included. */
bool ck_ipaddr_parse(struct ck_slice s, struct ck_ipaddr *ret);
/* Append the address as Go's IP.String does. */
void ck_ipaddr_put(struct ck_buf *out, const struct ck_ipaddr *ip);
bool ck_ipaddr_eq(const struct ck_ipaddr *a, const struct ck_ipaddr *b);
/* Order of the addresses as numbers, IPv4 before IPv6. <0, 0, >0. */
int ck_ipaddr_cmp(const struct ck_ipaddr *a, const struct ck_ipaddr *b);
/* *ip + offset; false when that leaves the family's range. ret may be ip. */
bool ck_ipaddr_add(const struct ck_ipaddr *ip, int64_t offset, struct ck_ipaddr *ret);

/* ---- networks (scalar/cidr.c) ---- */
/* "10.1.2.3/8". Errors: INVALID `invalid CIDR address: X`, Go's text. */
int ck_cidr_parse(struct ck_slice s, struct ck_cidr *ret, struct ck_err *err);
/* Append "10.0.0.0/8": the network, as Go's IPNet.String does. */
void ck_cidr_put(struct ck_buf *out, const struct ck_cidr *c);
/* Whether the address as written is not the network's own (host bits are set). */
bool ck_cidr_has_host_bits(const struct ck_cidr *c);
bool ck_cidr_contains(const struct ck_cidr *c, const struct ck_ipaddr *ip);
/* Whether all of `child` lies in `parent`: kOps' subnet.BelongsTo. */
bool ck_cidr_within(const struct ck_cidr *parent, const struct ck_cidr *child);
/* Whether they share an address: kOps' subnet.Overlap. */
bool ck_cidr_overlap(const struct ck_cidr *a, const struct ck_cidr *b);
/* The index-th network of prefix `len` in c, counted from 0; false when there is none. */
bool ck_cidr_nth(const struct ck_cidr *c, int len, uint64_t index, struct ck_cidr *ret);
/* Cut c into n networks of equal size, in order, into ret[n]; n is a power of two. False when it is
 * not, or when c is too small. */
bool ck_cidr_split(const struct ck_cidr *c, size_t n, struct ck_cidr *ret);
/* The address `offset` behind the network's own, which need not lie in the network; false when
 * there is no such address. */
bool ck_cidr_ip_at(const struct ck_cidr *c, uint32_t offset, struct ck_ipaddr *ret);

/* ---- places in a network still unknown ---- */
/* "/64#1a": prefix length and hexadecimal number of a network to be cut from the IPv6 range a cloud
 * assigns. Errors: INVALID. */
int ck_cidr_place_parse(struct ck_slice s, int *ret_len, uint64_t *ret_index, struct ck_err *err);
/* The network at such a place in `parent`. Errors: INVALID, also when there is no such network. */
int ck_cidr_place(const struct ck_cidr *parent, struct ck_slice place, struct ck_cidr *ret,
                  struct ck_err *err);
