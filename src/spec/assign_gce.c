/* Ranges of a GCE cluster out of 10.0.0.0/8, next to those in use. Mirrors kOps
 * upup/pkg/fi/cloudup/gce/network.go and pkg/util/subnet's CIDRMap. */
#include "spec/assign.h"

#include "spec/ipnet.h"

#include <string.h>

enum { USED_MAX = 1024 };

struct ranges {
    struct ck_ipnet v[USED_MAX];
    size_t n;
};

static void use(struct ranges *r, const char *cidr)
{
    if (r->n < USED_MAX && ck_ipnet_parse(cidr, &r->v[r->n]))
        r->n++;
}

/* The first free block after the very first one, which kOps never hands out. */
static int allocate(struct ranges *r, int len, char out[CK_IPNET_TEXT], struct ck_err *err)
{
    struct ck_ipnet whole, block;
    ck_ipnet_parse("10.0.0.0/8", &whole);
    for (uint64_t i = 1; ck_ipnet_block(&whole, len - whole.len, i, &block); i++) {
        size_t k = 0;
        while (k < r->n && !ck_ipnet_overlap(&r->v[k], &block))
            k++;
        if (k < r->n)
            continue;
        ck_ipnet_text(&block, out);
        use(r, out);
        return 0;
    }
    return ck_fail(err, CK_INVALID, "cannot allocate CIDR of size %d", len);
}

/* Pods, services and nodes get ranges of one subnet (alias addresses). */
static int assign_aliases(struct ck_arena *a, struct ck_val *spec, struct ranges *used,
                          const struct ck_assign_facts *facts, struct ck_err *err)
{
    struct ck_val *subnets = ck_get(spec, "subnets"), *subnet = ck_item(subnets, 0);
    char pods[CK_IPNET_TEXT], services[CK_IPNET_TEXT], nodes[CK_IPNET_TEXT];
    if (ck_len(subnets) != 1)
        return ck_fail(err, CK_INVALID, "expected exactly one subnet for GCE IP Aliases");
    if (!*ck_str_at(spec, "nonMasqueradeCIDR"))
        ck_set_str(a, spec, "nonMasqueradeCIDR", "10.0.0.0/8");
    if (*ck_str_at(spec, "podCIDR") && *ck_str_at(spec, "serviceClusterIPRange") &&
        *ck_str_at(subnet, "cidr"))
        return 0;
    if (allocate(used, 14, pods, err) || allocate(used, 16, services, err) ||
        allocate(used, 19, nodes, err))
        return -(int)(err ? err->code : CK_INVALID);
    ck_set_str(a, subnet, "cidr", nodes);
    ck_set_str(a, spec, "podCIDR", pods);
    ck_set_str(a, spec, "serviceClusterIPRange", services);
    ck_assign_tell(a, facts, "Will use %s for Nodes, %s for Pods and %s for Services", nodes, pods,
                   services);
    return 0;
}

int ck_assign_gce(struct ck_arena *a, struct ck_object *cluster,
                  const struct ck_assign_facts *facts, struct ck_err *err)
{
    struct ck_val *spec = ck_object_spec(cluster), *subnets = ck_get(spec, "subnets");
    struct ranges *used = ck_arena_alloc(a, sizeof *used);
    bool known = facts && facts->used_cidrs;
    for (size_t i = 0; known && facts->used_cidrs[i]; i++)
        use(used, facts->used_cidrs[i]);
    for (size_t i = 0; i < ck_len(subnets); i++)
        use(used, ck_str_at(ck_item(subnets, i), "cidr"));
    if (!known && *ck_str_at(spec, "networkID"))
        ck_assign_skip(a, facts,
                       "spec.subnets: only the cloud knows which ranges of network %s are "
                       "in use",
                       ck_str_at(spec, "networkID"));
    if (!ck_is_null(ck_at(spec, "networking.gce")) ||
        !ck_is_null(ck_at(spec, "networking.kindnet")))
        return assign_aliases(a, spec, used, facts, err);
    for (size_t i = 0; i < ck_len(subnets); i++) {
        struct ck_val *subnet = ck_item(subnets, i);
        char text[CK_IPNET_TEXT];
        if (*ck_str_at(subnet, "cidr") || *ck_str_at(subnet, "id"))
            continue;
        int r = allocate(used, 20, text, err);
        if (r < 0)
            return r;
        ck_set_str(a, subnet, "cidr", text);
        ck_assign_tell(a, facts, "Assigned CIDR %s to subnet %s", text, ck_str_at(subnet, "name"));
    }
    return 0;
}
