/* The cluster's subnets, each alone and all together (rules 81–92). Mirrors validateSubnets of kOps
 * pkg/apis/kops/validation/validation.go and validateAdditionalRoutes of aws.go. */
#include "spec/validate/network.h"

#include "base/map.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Rule 84. */
static void check_inside(struct ck_chk *c, struct ck_fld f, const char *name,
                         const struct ck_ipnet *cidr, const struct ck_networks *nets)
{
    bool found = !nets->n;
    for (size_t i = 0; i < nets->n; i++)
        found |= ck_ipnet_within(&nets->v[i], cidr);
    if (!found)
        ck_chk_forbidden(c, f,
                         "subnet \"%s\" cidr \"%s\" is not a subnet of the networkCIDR \"%s\"%s",
                         name, ck_fld_str(f), ck_spec_str(c, "networkCIDR"),
                         nets->n > 1 ? " or an additionalNetworkCIDR" : "");
}

/* Rules 83–85. */
static void check_cidr(struct ck_chk *c, struct ck_fld subnet, const struct ck_networks *nets)
{
    struct ck_fld f = ck_fld_at(c, subnet, "cidr", NULL);
    const char *name = ck_str_at(subnet.v, "name");
    struct ck_ipnet cidr;
    if (!ck_fld_set(f)) {
        bool by_v6 = c->ipv6 && *ck_str_at(subnet.v, "ipv6CIDR");
        if (nets->need_subnet_cidr && c->strict && !by_v6)
            ck_chk_required(c, f, "subnet does not have a cidr set");
        return;
    }
    if (!ck_chk_cidr(c, f, &cidr))
        return;
    check_inside(c, f, name, &cidr, nets);
    /* Plug-ins that give pods addresses of the subnets themselves overlap by design. */
    bool native = !ck_is_null(ck_at(c->spec, "networking.amazonvpc")) ||
                  !strcmp(ck_spec_str(c, "networking.cilium.ipam"), "eni");
    if (nets->has_pod && !native && ck_ipnet_overlap(&nets->pod, &cidr))
        ck_chk_forbidden(c, f, "subnet \"%s\" cidr \"%s\" must not overlap podCIDR \"%s\"", name,
                         ck_fld_str(f), ck_spec_str(c, "podCIDR"));
    if (nets->has_service && ck_ipnet_overlap(&nets->service, &cidr))
        ck_chk_forbidden(c, f,
                         "subnet \"%s\" cidr \"%s\" must not overlap serviceClusterIPRange \"%s\"",
                         name, ck_fld_str(f), ck_spec_str(c, "serviceClusterIPRange"));
}

/* "/64#1a": size in decimal, number in hexadecimal. NULL when it can be read, else why not. */
static const char *notation_error(const char *s, long *ret_size)
{
    char *end;
    if (!isdigit((unsigned char)s[1]))
        return "the size is not a number";
    *ret_size = strtol(s + 1, &end, 10);
    if (*end != '#')
        return "the form is /SIZE#NUMBER";
    if (!isxdigit((unsigned char)end[1]))
        return "the subnet number is not hexadecimal";
    strtol(end + 1, &end, 16);
    return *end ? "the subnet number is not hexadecimal" : NULL;
}

/* Rule 86. */
static void check_ipv6_cidr(struct ck_chk *c, struct ck_fld f, const struct ck_networks *nets)
{
    const char *s = ck_fld_str(f);
    struct ck_ipnet cidr;
    if (!*s)
        return;
    if (*s == '/') {
        long size = 0;
        const char *why = notation_error(s, &size);
        if (why)
            ck_chk_invalid(c, f, "IPv6 CIDR subnet is not parsable: %s", why);
        else if (size < 0 || size > 128)
            ck_chk_invalid(c, f, "IPv6 CIDR subnet size must be a value between 0 and 128");
        return;
    }
    if (!ck_chk_cidr(c, f, &cidr))
        return;
    if (cidr.bits != 128)
        ck_chk_invalid(c, f, "Network is not an IPv6 CIDR");
    if (nets->has_service && ck_ipnet_overlap(&nets->service, &cidr))
        ck_chk_forbidden(c, f, "ipv6CIDR \"%s\" must not overlap serviceClusterIPRange \"%s\"", s,
                         ck_spec_str(c, "serviceClusterIPRange"));
}

/* Rules 87 and 88. */
static void check_egress(struct ck_chk *c, struct ck_fld subnet, const char *type)
{
    static const char *const kinds[] = {"nat", "eipalloc", "i", "tgw", "External"};
    struct ck_fld f = ck_fld_at(c, subnet, "egress", NULL);
    const char *s = ck_fld_str(f);
    if (!*s)
        return;
    size_t n = strcspn(s, "-");
    bool known = false;
    for (size_t i = 0; i < CK_ARRAY_LEN(kinds); i++)
        known |= strlen(kinds[i]) == n && !strncmp(kinds[i], s, n);
    if (!known)
        ck_chk_invalid(c, f,
                       "egress must be of type NAT Gateway, NAT Gateway with existing ElasticIP, "
                       "NAT EC2 Instance, Transit Gateway, or External");
    bool v6_public = !strcmp(type, "Public") && *ck_str_at(subnet.v, "ipv6CIDR");
    if (strcmp(s, "External") != 0 && strcmp(type, "DualStack") != 0 &&
        strcmp(type, "Private") != 0 && !v6_public)
        ck_chk_forbidden(c, f,
                         "egress can only be specified for private or IPv6-capable public subnets");
}

/* Rule 89. */
static void check_type(struct ck_chk *c, struct ck_fld subnet)
{
    struct ck_fld f = ck_fld_at(c, subnet, "type", NULL);
    ck_chk_must_be_of(c, f, CK_ONE_OF("Public", "Private", "DualStack", "Utility"));
    if (ck_fld_is(f, "DualStack") && !c->ipv6)
        ck_chk_forbidden(c, f, "subnet type DualStack may only be used in IPv6 clusters");
    if (ck_fld_is(f, "Public") && ck_chk_is_cloud(c, "openstack") &&
        ck_is_null(ck_at(c->spec, "cloudConfig.openstack.router.externalNetwork")))
        ck_chk_forbidden(c, f, "subnet type Public requires an external network");
}

static bool route_target_known(const char *target)
{
    static const char *const prefixes[] = {"pcx-", "i-", "nat-", "tgw-", "igw-", "eigw-"};
    for (size_t i = 0; i < CK_ARRAY_LEN(prefixes); i++)
        if (ck_str_starts(target, prefixes[i]))
            return true;
    return false;
}

/* Rule 90. */
static void check_routes(struct ck_chk *c, struct ck_fld subnet, const char *type)
{
    struct ck_fld list = ck_fld_at(c, subnet, "additionalRoutes", NULL);
    if (!ck_len(list.v) || !ck_chk_is_cloud(c, "aws"))
        return;
    if (*ck_str_at(subnet.v, "id"))
        ck_chk_forbidden(c, list, "additional routes cannot be added if the subnet is shared");
    if (strcmp(type, "Private") != 0)
        ck_chk_forbidden(c, list, "additional routes can only be added on private subnets");
    for (size_t i = 0; i < ck_len(list.v); i++) {
        struct ck_fld route = ck_fld_item(c, list, i);
        struct ck_fld target = ck_fld_at(c, route, "target", NULL);
        struct ck_fld cidr = ck_fld_at(c, route, "cidr", NULL);
        struct ck_ipnet net;
        ck_chk_cidr(c, cidr, &net);
        if (!route_target_known(ck_fld_str(target)))
            ck_chk_invalid(c, target, "unknown target type for route");
        for (size_t j = 0; j < i; j++) {
            if (strcmp(ck_str_at(ck_item(list.v, j), "cidr"), ck_fld_str(cidr)) != 0)
                continue;
            ck_chk_duplicate(c, cidr, ck_fld_str(cidr));
            break;
        }
    }
}

static void check_subnet(struct ck_chk *c, struct ck_fld subnet, const struct ck_networks *nets)
{
    const char *type = ck_str_at(subnet.v, "type");
    struct ck_fld name = ck_fld_at(c, subnet, "name", NULL);
    if (!ck_fld_set(name))
        ck_chk_required(c, name, "");
    check_cidr(c, subnet, nets);
    check_ipv6_cidr(c, ck_fld_at(c, subnet, "ipv6CIDR", NULL), nets);
    check_egress(c, subnet, type);
    check_type(c, subnet);
    check_routes(c, subnet, type);
}

static void check_names(struct ck_chk *c, struct ck_fld subnets)
{
    struct ck_map seen = {0};
    for (size_t i = 0; i < ck_len(subnets.v); i++) {
        struct ck_fld f = ck_fld_at(c, ck_fld_item(c, subnets, i), "name", NULL);
        if (!ck_map_put(&seen, ck_fld_str(f), &seen))
            ck_chk_duplicate(c, f, ck_fld_str(f));
    }
    ck_map_done(&seen);
}

/* Rules 91, 92 and the last of 86. */
static void check_together(struct ck_chk *c, struct ck_fld subnets, const struct ck_networks *nets)
{
    bool with_id = *ck_str_at(ck_item(subnets.v, 0), "id");
    const char *region = "";
    for (size_t i = 0; i < ck_len(subnets.v); i++) {
        struct ck_fld f = ck_fld_at(c, ck_fld_item(c, subnets, i), "id", NULL);
        if (ck_fld_set(f) != with_id)
            ck_chk_forbidden(c, f, "cannot mix subnets with specified ID and unspecified ID");
    }
    for (size_t i = 0; i < ck_len(subnets.v) && !ck_chk_is_cloud(c, "aws"); i++) {
        struct ck_fld f = ck_fld_at(c, ck_fld_item(c, subnets, i), "ipv6CIDR", NULL);
        if (ck_fld_set(f))
            ck_chk_forbidden(c, f, "ipv6CIDR can only be specified for AWS");
    }
    for (size_t i = 0; i < ck_len(subnets.v) && nets->need_region; i++) {
        struct ck_fld f = ck_fld_at(c, ck_fld_item(c, subnets, i), "region", NULL);
        if (!ck_fld_set(f))
            ck_chk_required(c, f, "region must be specified");
        else if (!*region)
            region = ck_fld_str(f);
        else if (!ck_fld_is(f, region))
            ck_chk_forbidden(c, f, "clusters cannot span regions");
    }
}

void ck_chk_subnets(struct ck_chk *c, struct ck_fld subnets, const struct ck_networks *nets)
{
    size_t n = ck_len(subnets.v);
    if (nets->need_subnets && !n)
        ck_chk_required(c, subnets, "must configure at least one subnet (use --zones)");
    for (size_t i = 0; i < n; i++)
        check_subnet(c, ck_fld_item(c, subnets, i), nets);
    check_names(c, subnets);
    if (n)
        check_together(c, subnets, nets);
}
