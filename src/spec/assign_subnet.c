/* Cuts the cluster's network into ranges for subnets that have none. Does not touch ranges that are
 * given. Mirrors kOps upup/pkg/fi/cloudup/subnets.go. */
#include "spec/assign.h"

#include "spec/ipnet.h"

#include <string.h>

enum { BLOCKS_MAX = 8 };

struct side { /* big: Public, Private, DualStack; little: Utility */
    struct ck_val **v;
    size_t n;
};

static bool settled(const struct ck_val *subnet)
{
    return *ck_str_at(subnet, "cidr") ||
           (!strcmp(ck_str_at(subnet, "type"), "Private") && *ck_str_at(subnet, "ipv6CIDR"));
}

static bool all_settled(const struct ck_val *subnets)
{
    for (size_t i = 0; i < ck_len(subnets); i++)
        if (!settled(ck_item(subnets, i)))
            return false;
    return true;
}

/* A subnet that exists: its range and, on AWS, its zone are those of the cloud. */
static int take_fact(struct ck_arena *a, const struct ck_val *spec, struct ck_val *subnet,
                     const struct ck_assign_facts *facts, struct ck_err *err)
{
    const char *name = ck_str_at(subnet, "name"), *id = ck_str_at(subnet, "id");
    const struct ck_subnet_fact *found = NULL;
    for (size_t i = 0; i < facts->n_subnets && !found; i++)
        if (!strcmp(facts->subnets[i].id, id))
            found = &facts->subnets[i];
    if (!found)
        return ck_fail(err, CK_INVALID, "Subnet \"%s\" not found in VPC \"%s\"", id,
                       ck_str_at(spec, "networkID"));
    if (found->cidr) {
        const char *have = ck_str_at(subnet, "cidr");
        if (*have && strcmp(have, found->cidr) != 0)
            return ck_fail(err, CK_INVALID,
                           "Subnet \"%s\" has configured CIDR \"%s\", but the actual CIDR found "
                           "was \"%s\"",
                           name, have, found->cidr);
        ck_set_str(a, subnet, "cidr", found->cidr);
    }
    if (found->zone && !strcmp(ck_str_at(spec, "cloudProvider"), "aws")) {
        const char *have = ck_str_at(subnet, "zone");
        if (*have && strcmp(have, found->zone) != 0)
            return ck_fail(err, CK_INVALID,
                           "Subnet \"%s\" has configured Zone \"%s\", but the actual Zone found "
                           "was \"%s\"",
                           name, have, found->zone);
        ck_set_str(a, subnet, "zone", found->zone);
    }
    return 0;
}

/* Ranges of existing subnets. *ret_known is false when they cannot be had. */
static int take_facts(struct ck_arena *a, const struct ck_val *spec, struct ck_val *subnets,
                      const struct ck_assign_facts *facts, bool *ret_known, struct ck_err *err)
{
    *ret_known = true;
    if (!*ck_str_at(spec, "networkID"))
        return 0;
    for (size_t i = 0; i < ck_len(subnets); i++) {
        struct ck_val *subnet = ck_item(subnets, i);
        if (!*ck_str_at(subnet, "id"))
            continue;
        if (!facts || !facts->subnets) {
            ck_assign_skip(a, facts, "spec.subnets: only the cloud knows the range of subnet %s",
                           ck_str_at(subnet, "id"));
            *ret_known = false;
            continue;
        }
        int r = take_fact(a, spec, subnet, facts, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Sort by zone, keeping the order of equal ones. */
static void insert_by_zone(struct side *s, struct ck_val *subnet)
{
    size_t at = s->n++;
    const char *zone = ck_str_at(subnet, "zone");
    for (; at && strcmp(ck_str_at(s->v[at - 1], "zone"), zone) > 0; at--)
        s->v[at] = s->v[at - 1];
    s->v[at] = subnet;
}

/* Subnets in further ranges of the network take no part in cutting up its first one. */
static int sort_sides(struct ck_arena *a, struct ck_val *subnets, const struct ck_ipnet *network,
                      struct side *big, struct side *little, struct ck_err *err)
{
    size_t n = ck_len(subnets);
    big->v = ck_arena_alloc(a, (n + 1) * sizeof *big->v);
    little->v = ck_arena_alloc(a, (n + 1) * sizeof *little->v);
    for (size_t i = 0; i < n; i++) {
        struct ck_val *subnet = ck_item(subnets, i);
        const char *type = ck_str_at(subnet, "type");
        struct ck_ipnet given;
        if (ck_ipnet_parse(ck_str_at(subnet, "cidr"), &given) && !ck_ipnet_within(network, &given))
            continue;
        if (!strcmp(type, "Utility"))
            insert_by_zone(little, subnet);
        else if (!strcmp(type, "Public") || !strcmp(type, "Private") || !strcmp(type, "DualStack"))
            insert_by_zone(big, subnet);
        else
            return ck_fail(err, CK_INVALID, "subnet \"%s\" has unknown type \"%s\"",
                           ck_str_at(subnet, "name"), type);
    }
    return 0;
}

/* Whether a block overlaps a range that is given inside the network. */
static bool reserved(const struct ck_val *subnets, const struct ck_ipnet *network,
                     const struct ck_ipnet *block)
{
    for (size_t i = 0; i < ck_len(subnets); i++) {
        struct ck_ipnet given;
        if (ck_ipnet_parse(ck_str_at(ck_item(subnets, i), "cidr"), &given) &&
            ck_ipnet_within(network, &given) && ck_ipnet_overlap(&given, block))
            return true;
    }
    return false;
}

static int hand_out(struct ck_arena *a, const struct side *s, const struct ck_ipnet *blocks,
                    size_t n, const char *word, const struct ck_assign_facts *facts,
                    struct ck_err *err)
{
    size_t next = 0;
    char text[CK_IPNET_TEXT];
    for (size_t i = 0; i < s->n; i++) {
        const char *name = ck_str_at(s->v[i], "name");
        if (settled(s->v[i]))
            continue;
        if (next == n)
            return ck_fail(err, CK_INVALID,
                           "insufficient (%s) CIDRs remaining for automatic CIDR allocation to "
                           "subnet \"%s\"",
                           word, name);
        ck_ipnet_text(&blocks[next++], text);
        ck_set_str(a, s->v[i], "cidr", text);
        ck_assign_tell(a, facts, "Assigned CIDR %s to subnet %s", text, name);
    }
    return 0;
}

static int cut(struct ck_arena *a, struct ck_val *spec, struct ck_val *subnets,
               const struct ck_assign_facts *facts, struct ck_err *err)
{
    struct ck_ipnet network, blocks[BLOCKS_MAX], small[BLOCKS_MAX];
    struct side big = {0}, little = {0};
    size_t n = 0, n_small = 0, first = 0;
    if (!ck_ipnet_parse(ck_str_at(spec, "networkCIDR"), &network))
        return ck_fail(err, CK_INVALID, "Invalid NetworkCIDR: \"%s\"",
                       ck_str_at(spec, "networkCIDR"));
    int r = sort_sides(a, subnets, &network, &big, &little, err);
    if (r < 0)
        return r;
    size_t count = big.n + (little.n ? 1 : 0);
    int extra = count <= 1 ? 0 : count <= 2 ? 1 : count <= 4 ? 2 : 3;
    for (uint64_t i = 0; i < (uint64_t)1 << extra; i++)
        if (ck_ipnet_block(&network, extra, i, &blocks[n]) &&
            !reserved(subnets, &network, &blocks[n]))
            n++;
    if (!n)
        return ck_fail(err, CK_INVALID,
                       "could not find any non-overlapping CIDRs in parent NetworkCIDR; cannot "
                       "automatically assign CIDR to subnet");
    if (little.n) {
        first = 1;
        for (uint64_t i = 0; i < BLOCKS_MAX; i++)
            if (ck_ipnet_block(&blocks[0], 3, i, &small[n_small]))
                n_small++;
    }
    r = hand_out(a, &little, small, n_small, "little", facts, err);
    return r < 0 ? r : hand_out(a, &big, blocks + first, n - first, "big", facts, err);
}

int ck_assign_subnets(struct ck_arena *a, struct ck_object *cluster,
                      const struct ck_assign_facts *facts, struct ck_err *err)
{
    struct ck_val *spec = ck_object_spec(cluster), *subnets = ck_get(spec, "subnets");
    bool known;
    if (all_settled(subnets))
        return 0;
    int r = take_facts(a, spec, subnets, facts, &known, err);
    if (r < 0 || !known || all_settled(subnets))
        return r;
    if (!*ck_str_at(spec, "networkCIDR") && *ck_str_at(spec, "networkID")) {
        ck_assign_skip(a, facts, "spec.subnets: ranges follow once spec.networkCIDR is known");
        return 0;
    }
    return cut(a, spec, subnets, facts, err);
}
