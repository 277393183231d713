/* VPC, subnets, routes and gateways.
 *
 * Source: shared facts update-cluster-aws.md §5; kOps pkg/model/awsmodel/network.go. */
#include "model/aws/builders.h"

#include "doc/cidr.h"

#include <string.h>

/* What one zone needs for its private side. */
struct zone {
    const char *name;
    struct ck_val *private_subnets;     /* managed private and dual-stack ones */
    struct ck_val *ipv6_public_subnets; /* of IPv6-only clusters */
    bool all_shared;
};

struct network {
    struct ck_model *m;
    const struct ck_val *subnets;
    bool shared_vpc, all_unmanaged, all_shared, ipv6_only;
    struct zone *zones;
    size_t n_zones;
    struct ck_err *err;
};

static bool is_private(const struct ck_val *s)
{
    return ck_aws_subnet_type(s, "Private") || ck_aws_subnet_type(s, "DualStack");
}

static bool is_shared(const struct ck_val *s)
{
    return *ck_str_at(s, "id");
}

static bool is_unmanaged(const struct ck_val *s)
{
    return ck_is_str(ck_get(s, "egress"), "External");
}

static bool is_managed(const struct ck_val *s)
{
    return !is_shared(s) && !is_unmanaged(s);
}

static struct zone *zone_of(struct network *n, const char *name)
{
    for (size_t i = 0; i < n->n_zones; i++)
        if (!strcmp(n->zones[i].name, name))
            return &n->zones[i];
    n->zones[n->n_zones] = (struct zone){name, ck_list(n->m->a), ck_list(n->m->a), true};
    return &n->zones[n->n_zones++];
}

static struct ck_task *new_task(struct network *n, const struct ck_task_kind *kind,
                                const char *name)
{
    return ck_task_new(n->m->tasks, kind, name, n->m->network);
}

static const char *vpc_id(const struct ck_model *m)
{
    const char *id = ck_str_at(m->spec, "networkID");
    return *id ? id : NULL;
}

static void vpc(struct network *n)
{
    struct ck_model *m = n->m;
    struct ck_task *t = new_task(n, &ck_aws_vpc, m->name);
    ck_task_bool(t, "Shared", n->shared_vpc);
    ck_task_bool(t, "EnableDNSSupport", true);
    ck_task_str(t, "ID", vpc_id(m));
    if (*ck_str_at(m->spec, "networkCIDR"))
        ck_task_str(t, "CIDR", ck_str_at(m->spec, "networkCIDR"));
    if (n->shared_vpc)
        return;
    ck_task_bool(t, "EnableDNSHostnames", true);
    ck_task_bool(t, "AmazonIPv6", true);
    ck_task_val(t, "Tags", ck_aws_tags(m, m->name, false));
    t = new_task(n, &ck_aws_vpc_ipv6, "AmazonIPv6");
    ck_task_ref(t, "VPC", &ck_aws_vpc, m->name);
    ck_task_bool(t, "Shared", false);
    const struct ck_val *extra = ck_get(m->spec, "additionalNetworkCIDRs");
    for (size_t i = 0; i < ck_len(extra); i++) {
        const char *cidr = ck_str_or(ck_item(extra, i), "");
        t = new_task(n, &ck_aws_vpc_cidr, cidr);
        ck_task_ref(t, "VPC", &ck_aws_vpc, m->name);
        ck_task_str(t, "CIDRBlock", cidr);
        ck_task_bool(t, "Shared", false);
    }
}

static void dhcp(struct network *n)
{
    struct ck_model *m = n->m;
    if (n->shared_vpc)
        return;
    struct ck_task *t = new_task(n, &ck_aws_dhcp_options, m->name);
    ck_task_str(t, "DomainNameServers", "AmazonProvidedDNS");
    ck_task_str(t, "DomainName",
                strcmp(m->region, "us-east-1")
                    ? ck_arena_printf(m->a, "%s.compute.internal", m->region)
                    : "ec2.internal");
    ck_task_val(t, "Tags", ck_aws_tags(m, m->name, false));
    ck_task_bool(t, "Shared", false);
    t = new_task(n, &ck_aws_dhcp_association, m->name);
    ck_task_ref(t, "VPC", &ck_aws_vpc, m->name);
    ck_task_ref(t, "DHCPOptions", &ck_aws_dhcp_options, m->name);
}

static struct ck_task *route_table(struct network *n, const char *name, const char *role,
                                   bool shared)
{
    struct ck_task *t = new_task(n, &ck_aws_route_table, name);
    struct ck_val *tags = ck_aws_tags(n->m, name, shared);
    ck_set_str(n->m->a, tags, "kubernetes.io/kops/role", role);
    ck_task_ref(t, "VPC", &ck_aws_vpc, n->m->name);
    ck_task_val(t, "Tags", tags);
    ck_task_bool(t, "Shared", shared);
    return t;
}

/* A route to `cidr`, an IPv4 or IPv6 range. The caller sets where it leads. */
static struct ck_task *route(struct network *n, const char *name, const char *table,
                             const char *cidr)
{
    struct ck_task *t = new_task(n, &ck_aws_route, name);
    ck_task_ref(t, "RouteTable", &ck_aws_route_table, table);
    ck_task_str(t, strchr(cidr, ':') ? "IPv6CIDR" : "CIDR", cidr);
    return t;
}

/* The gateway attached to a shared VPC, as facts tell it. */
static const char *attached(const struct ck_model *m, const char *list)
{
    const struct ck_val *v = ck_model_fact(m, list);
    for (size_t i = 0; vpc_id(m) && i < ck_len(v); i++)
        if (ck_is_str(ck_get(ck_item(v, i), "vpc"), vpc_id(m)))
            return ck_str_at(ck_item(v, i), "id");
    return NULL;
}

static void public_side(struct network *n)
{
    struct ck_model *m = n->m;
    if (n->all_unmanaged)
        return;
    struct ck_task *t = new_task(n, &ck_aws_internet_gateway, m->name);
    ck_task_ref(t, "VPC", &ck_aws_vpc, m->name);
    ck_task_bool(t, "Shared", n->shared_vpc);
    ck_task_val(t, "Tags", ck_aws_tags(m, m->name, n->shared_vpc));
    if (n->shared_vpc)
        ck_task_str(t, "ID", attached(m, "internetGateways"));
    if (n->all_shared)
        return;
    route_table(n, m->name, "public", false);
    t = route(n, "0.0.0.0/0", m->name, "0.0.0.0/0");
    ck_task_ref(t, "InternetGateway", &ck_aws_internet_gateway, m->name);
    t = route(n, "::/0", m->name, "::/0");
    ck_task_ref(t, "InternetGateway", &ck_aws_internet_gateway, m->name);
}

static bool any_type(const struct network *n, const char *zone, const char *type)
{
    for (size_t i = 0; i < ck_len(n->subnets); i++)
        if (ck_aws_subnet_type(ck_item(n->subnets, i), type) &&
            (!zone || ck_is_str(ck_get(ck_item(n->subnets, i), "zone"), zone)))
            return true;
    return false;
}

static void karpenter_tags(const struct ck_model *m, const char *subnet, struct ck_val *tags)
{
    for (size_t i = 0; i < m->n_groups; i++)
        if (ck_model_is_karpenter(&m->groups[i]) &&
            ck_list_has_str(ck_at(m->groups[i].root, "spec.subnets"), subnet))
            ck_set_str(m->a, tags,
                       ck_arena_printf(m->a, "kops.k8s.io/instance-group/%s",
                                       ck_object_name(&m->groups[i])),
                       "true");
}

static const struct ck_val *subnet_tags(const struct network *n, const struct ck_val *s)
{
    struct ck_model *m = n->m;
    if (ck_bool_at(m->spec, "DisableSubnetTags", false))
        return NULL;
    const char *name = ck_str_at(s, "name");
    struct ck_val *tags = ck_aws_tags(m, ck_aws_subnet_task(m, name), is_shared(s));
    ck_set_str(m->a, tags, "SubnetType", ck_str_at(s, "type"));
    bool internal;
    if (is_private(s)) {
        internal =
            ck_aws_subnet_type(s, "DualStack") || !any_type(n, ck_str_at(s, "zone"), "DualStack");
    } else {
        ck_set_str(m->a, tags, "kubernetes.io/role/elb", "1");
        internal =
            !any_type(n, NULL, "Private") && !any_type(n, NULL, "DualStack") && !n->ipv6_only;
    }
    if (internal)
        ck_set_str(m->a, tags, "kubernetes.io/role/internal-elb", "1");
    karpenter_tags(m, name, tags);
    return tags;
}

/* A subnet cut from an additional range comes after the range. */
static void after_extra_range(const struct network *n, struct ck_task *t, const char *cidr)
{
    const struct ck_val *extra = ck_get(n->m->spec, "additionalNetworkCIDRs");
    struct ck_cidr own, range;
    if (n->shared_vpc || ck_cidr_parse(ck_slice_of(cidr), &own, NULL))
        return;
    for (size_t i = 0; i < ck_len(extra); i++) {
        const char *text = ck_str_or(ck_item(extra, i), "");
        struct ck_task *block = ck_tasks_find(n->m->tasks, &ck_aws_vpc_cidr, text);
        if (block && !ck_cidr_parse(ck_slice_of(text), &range, NULL) &&
            ck_cidr_within(&range, &own))
            ck_task_after(t, block);
    }
}

static void associate(struct network *n, const char *prefix, const char *subnet, const char *table)
{
    struct ck_model *m = n->m;
    struct ck_task *t = new_task(n, &ck_aws_route_table_association,
                                 ck_arena_printf(m->a, "%s%s.%s", prefix, subnet, m->name));
    ck_task_ref(t, "RouteTable", &ck_aws_route_table, table);
    ck_task_ref(t, "Subnet", &ck_aws_subnet, ck_aws_subnet_task(m, subnet));
}

static const char *zone_table(const struct network *n, const char *side, const char *zone)
{
    return ck_arena_printf(n->m->a, "%s-%s.%s", side, zone, n->m->name);
}

static void subnet(struct network *n, struct ck_val *s)
{
    struct ck_model *m = n->m;
    const char *name = ck_str_at(s, "name"), *zone = ck_str_at(s, "zone");
    const char *v4 = ck_str_at(s, "cidr"), *v6 = ck_str_at(s, "ipv6CIDR");
    struct ck_task *t = new_task(n, &ck_aws_subnet, ck_aws_subnet_task(m, name));
    ck_task_str(t, "ShortName", name);
    ck_task_str(t, "ID", is_shared(s) ? ck_str_at(s, "id") : NULL);
    ck_task_ref(t, "VPC", &ck_aws_vpc, m->name);
    ck_task_str(t, "AvailabilityZone", zone);
    ck_task_str(t, "CIDR", *v4 ? v4 : NULL);
    ck_task_str(t, "IPv6CIDR", *v6 ? v6 : NULL);
    if (*v6 && !n->shared_vpc)
        ck_task_ref(t, "AmazonIPv6CIDR", &ck_aws_vpc_ipv6, "AmazonIPv6");
    ck_task_bool(t, "ResourceBasedNaming",
                 !ck_bool_at(m->spec, "cloudConfig.useIPBasedNodeNames", false));
    ck_task_bool(t, "AssignIPv6AddressOnCreation", *v6);
    ck_task_bool(t, "Shared", is_shared(s));
    ck_task_val(t, "Tags", subnet_tags(n, s));
    after_extra_range(n, t, v4);
    struct zone *z = zone_of(n, zone);
    z->all_shared = z->all_shared && is_shared(s);
    if (!is_managed(s))
        return;
    if (is_private(s)) {
        associate(n, "private-", name, zone_table(n, "private", zone));
        ck_append(m->a, z->private_subnets, s);
    } else if (n->ipv6_only && *v6 && ck_aws_subnet_type(s, "Public")) {
        associate(n, "public-", name, zone_table(n, "public", zone));
        ck_append(m->a, z->ipv6_public_subnets, s);
    } else {
        associate(n, "", name, m->name);
    }
}

/* ---- the private side of a zone ---- */

/* Where a private table's default route leads: exactly one is set. */
struct egress {
    const char *nat, *instance, *transit;
};

static void lead(struct ck_task *t, const struct egress *e)
{
    if (e->nat)
        ck_task_ref(t, "NatGateway", &ck_aws_nat_gateway, e->nat);
    if (e->instance)
        ck_task_ref(t, "Instance", &ck_aws_instance, e->instance);
    ck_task_str(t, "TransitGatewayID", e->transit);
}

/* The one utility (or public) subnet of a zone, where its NAT gateway stands. */
static const char *nat_subnet(struct network *n, const char *zone, const char *type)
{
    const char *found = NULL;
    for (size_t i = 0; i < ck_len(n->subnets); i++) {
        const struct ck_val *s = ck_item(n->subnets, i);
        if (!ck_is_str(ck_get(s, "zone"), zone) || !ck_aws_subnet_type(s, type))
            continue;
        if (found) {
            ck_fail(n->err, CK_INVALID,
                    "zone \"%s\" has several %s subnets: a NAT gateway cannot tell in which to "
                    "stand; keep one, or name an egress in the private subnets",
                    zone, type);
            return NULL;
        }
        found = ck_str_at(s, "name");
    }
    if (!found)
        ck_fail(n->err, CK_INVALID,
                "zone \"%s\" has private subnets but no %s subnet for its NAT gateway", zone, type);
    return found;
}

static const char *allocation_of(const struct ck_model *m, const char *public_ip)
{
    const struct ck_val *v = ck_model_fact(m, "elasticIPs");
    for (size_t i = 0; i < ck_len(v); i++)
        if (ck_is_str(ck_get(ck_item(v, i), "publicIP"), public_ip))
            return ck_str_at(ck_item(v, i), "allocationID");
    return NULL;
}

static int nat_gateway(struct network *n, const struct zone *z, const char *allocation,
                       const char *public_ip, const char *name)
{
    struct ck_model *m = n->m;
    const char *where = nat_subnet(n, z->name, ck_len(z->private_subnets) ? "Utility" : "Public");
    if (!where)
        return -CK_INVALID;
    struct ck_task *ip = new_task(n, &ck_aws_elastic_ip, name);
    bool shared = allocation || *public_ip;
    if (*public_ip) {
        ck_task_str(ip, "PublicIP", public_ip);
        allocation = allocation_of(m, public_ip);
    }
    ck_task_str(ip, "ID", allocation);
    ck_task_bool(ip, "Shared", shared);
    ck_task_val(ip, "Tags", ck_aws_tags(m, name, shared));
    struct ck_task *t = new_task(n, &ck_aws_nat_gateway, name);
    ck_task_ref(t, "Subnet", &ck_aws_subnet, ck_aws_subnet_task(m, where));
    ck_task_ref(t, "ElasticIP", &ck_aws_elastic_ip, name);
    ck_task_val(t, "Tags", ck_aws_tags(m, name, false));
    ck_task_bool(t, "Shared", false);
    return 0;
}

static void shared_object(struct network *n, const struct ck_task_kind *kind, const char *name,
                          const char *id)
{
    struct ck_task *t = ck_task_ensure(n->m->tasks, kind, name, n->m->network);
    ck_task_str(t, "ID", id);
    ck_task_bool(t, "Shared", true);
}

static int zone_egress(struct network *n, const struct zone *z, const char *egress,
                       const char *public_ip, struct egress *ret)
{
    struct ck_model *m = n->m;
    const char *name = ck_arena_printf(m->a, "%s.%s", z->name, m->name);
    *ret = (struct egress){0};
    if (ck_str_starts(egress, "nat-")) {
        shared_object(n, &ck_aws_nat_gateway, name, egress);
        ret->nat = name;
    } else if (ck_str_starts(egress, "i-")) {
        shared_object(n, &ck_aws_instance, egress, egress);
        ret->instance = egress;
    } else if (ck_str_starts(egress, "tgw-")) {
        ret->transit = egress;
    } else if (!*egress || ck_str_starts(egress, "eipalloc-")) {
        ret->nat = name;
        return nat_gateway(n, z, *egress ? egress : NULL, public_ip, name);
    } else {
        return ck_fail(n->err, CK_INVALID, "unhandled egress type \"%s\" in zone \"%s\"", egress,
                       z->name);
    }
    return 0;
}

static int additional_route(struct network *n, const char *subnet_name, const struct ck_val *r,
                            const char *table)
{
    struct ck_model *m = n->m;
    const char *cidr = ck_str_at(r, "cidr"), *target = ck_str_at(r, "target");
    struct ck_task *t = route(n, ck_arena_printf(m->a, "%s.%s", subnet_name, cidr), table, cidr);
    static const struct {
        const char *prefix, *field;
        const struct ck_task_kind *kind; /* NULL: a plain id */
    } kinds[] = {
        {"pcx-", "VPCPeeringConnectionID", NULL},
        {"tgw-", "TransitGatewayID", NULL},
        {"i-", "Instance", &ck_aws_instance},
        {"nat-", "NatGateway", &ck_aws_nat_gateway},
        {"igw-", "InternetGateway", &ck_aws_internet_gateway},
        {"eigw-", "EgressOnlyInternetGateway", &ck_aws_egress_gateway},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!ck_str_starts(target, kinds[i].prefix))
            continue;
        if (!kinds[i].kind) {
            ck_task_str(t, kinds[i].field, target);
        } else {
            shared_object(n, kinds[i].kind, target, target);
            ck_task_ref(t, kinds[i].field, kinds[i].kind, target);
        }
        return 0;
    }
    return ck_fail(n->err, CK_INVALID, "unknown route target \"%s\" of subnet \"%s\"", target,
                   subnet_name);
}

static int private_table(struct network *n, const struct zone *z, const struct egress *e)
{
    struct ck_model *m = n->m;
    const char *role = ck_arena_printf(m->a, "private-%s", z->name);
    const char *table = zone_table(n, "private", z->name);
    route_table(n, table, role, z->all_shared);
    lead(route(n, ck_arena_printf(m->a, "%s-0.0.0.0/0", role), table, "0.0.0.0/0"), e);
    if (n->ipv6_only) {
        lead(route(n, ck_arena_printf(m->a, "%s-64:ff9b::/96", role), table, "64:ff9b::/96"), e);
        struct ck_task *t = route(n, ck_arena_printf(m->a, "%s-::/0", role), table, "::/0");
        ck_task_ref(t, "EgressOnlyInternetGateway", &ck_aws_egress_gateway, m->name);
    }
    for (size_t i = 0; i < ck_len(z->private_subnets); i++) {
        const struct ck_val *s = ck_item(z->private_subnets, i);
        const struct ck_val *routes = ck_get(s, "additionalRoutes");
        for (size_t k = 0; k < ck_len(routes); k++) {
            int r = additional_route(n, ck_str_at(s, "name"), ck_item(routes, k), table);
            if (r)
                return r;
        }
    }
    return 0;
}

static void public_table(struct network *n, const struct zone *z, const struct egress *e)
{
    struct ck_model *m = n->m;
    const char *role = ck_arena_printf(m->a, "public-%s", z->name);
    const char *table = zone_table(n, "public", z->name);
    route_table(n, table, role, z->all_shared);
    static const char *const open[] = {"0.0.0.0/0", "::/0"};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        struct ck_task *t = route(n, ck_arena_printf(m->a, "%s-%s", role, open[i]), table, open[i]);
        ck_task_ref(t, "InternetGateway", &ck_aws_internet_gateway, m->name);
    }
    lead(route(n, ck_arena_printf(m->a, "%s-64:ff9b::/96", role), table, "64:ff9b::/96"), e);
}

/* All subnets that share the zone's way out must agree on it. */
static int agree(struct network *n, const struct zone *z, const struct ck_val *list,
                 const char **egress, const char **public_ip)
{
    for (size_t i = 0; i < ck_len(list); i++) {
        const char *e = ck_str_at(ck_item(list, i), "egress");
        const char *p = ck_str_at(ck_item(list, i), "publicIP");
        if (!*egress) {
            *egress = e;
            *public_ip = p;
        } else if (strcmp(*egress, e) || strcmp(*public_ip, p)) {
            return ck_fail(n->err, CK_INVALID,
                           "subnets of zone \"%s\" have different values of egress or publicIP: "
                           "one NAT gateway serves them all",
                           z->name);
        }
    }
    return 0;
}

static int zone_tables(struct network *n, const struct zone *z)
{
    const char *egress = NULL, *public_ip = "";
    int r = agree(n, z, z->private_subnets, &egress, &public_ip);
    if (!r)
        r = agree(n, z, z->ipv6_public_subnets, &egress, &public_ip);
    if (r || !egress)
        return r;
    struct egress e;
    r = zone_egress(n, z, egress, public_ip, &e);
    if (!r && ck_len(z->private_subnets))
        r = private_table(n, z, &e);
    if (!r && ck_len(z->ipv6_public_subnets))
        public_table(n, z, &e);
    return r;
}

static void egress_gateway(struct network *n)
{
    struct ck_model *m = n->m;
    bool needed = false;
    for (size_t i = 0; i < ck_len(n->subnets); i++)
        needed =
            needed || (is_private(ck_item(n->subnets, i)) && is_managed(ck_item(n->subnets, i)));
    if (!needed || !n->ipv6_only)
        return;
    struct ck_task *t = new_task(n, &ck_aws_egress_gateway, m->name);
    ck_task_ref(t, "VPC", &ck_aws_vpc, m->name);
    ck_task_bool(t, "Shared", n->shared_vpc);
    ck_task_val(t, "Tags", ck_aws_tags(m, m->name, n->shared_vpc));
    if (n->shared_vpc)
        ck_task_str(t, "ID", attached(m, "egressOnlyInternetGateways"));
}

int ck_aws_build_network(struct ck_model *m, struct ck_err *err)
{
    struct network n = {.m = m, .err = err, .all_unmanaged = true, .all_shared = true};
    n.subnets = ck_get(m->spec, "subnets");
    n.shared_vpc = vpc_id(m) != NULL;
    n.ipv6_only = ck_model_ipv6_only(m);
    n.zones = ck_arena_alloc(m->a, (ck_len(n.subnets) + 1) * sizeof *n.zones);
    for (size_t i = 0; i < ck_len(n.subnets); i++) {
        const struct ck_val *s = ck_item(n.subnets, i);
        n.all_unmanaged = n.all_unmanaged && is_unmanaged(s);
        n.all_shared = n.all_shared && is_shared(s);
    }
    vpc(&n);
    dhcp(&n);
    public_side(&n);
    for (size_t i = 0; i < ck_len(n.subnets); i++)
        subnet(&n, ck_item(n.subnets, i));
    egress_gateway(&n);
    for (size_t i = 0; i < n.n_zones; i++) {
        int r = zone_tables(&n, &n.zones[i]);
        if (r)
            return r;
    }
    return 0;
}
