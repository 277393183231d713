/* Address ranges and DNS topology of the cluster (rules 71–80, 93–95). Subnets are in subnet.c.
 * Mirrors validateNetworking and validateTopology of kOps
 * pkg/apis/kops/validation/validation.go. */
#include "spec/validate/network.h"

#include <string.h>

struct net_rules {
    const char *cloud;
    bool network_cidr, subnets, subnet_cidr, regions;
};

static const struct net_rules clouds[] = {
    {"aws", true, true, true, false},        {"azure", true, true, true, true},
    {"gce", false, true, false, true},       {"digitalocean", false, false, false, true},
    {"hetzner", false, false, false, false}, {"linode", false, false, false, true},
    {"alicloud", true, true, true, false},
};
static const struct net_rules other_cloud = {"", false, true, false, false};

static const struct net_rules *rules_of(const struct ck_chk *c)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(clouds); i++)
        if (ck_chk_is_cloud(c, clouds[i].cloud))
            return &clouds[i];
    return &other_cloud;
}

static void add_network(struct ck_networks *nets, const struct ck_ipnet *net)
{
    if (nets->n < CK_ARRAY_LEN(nets->v))
        nets->v[nets->n++] = *net;
}

/* Rule 73: clouds whose network range is private and excludes a shared network. */
static void check_private_network(struct ck_chk *c, struct ck_fld f, const struct ck_ipnet *net)
{
    const char *cloud = ck_chk_is_cloud(c, "digitalocean") ? "DO"
                        : ck_chk_is_cloud(c, "linode")     ? "Akamai (Linode)"
                                                           : NULL;
    if (!cloud)
        return;
    if (net && !ck_ipnet_is_private(net))
        ck_chk_invalid(c, f, "networkCIDR must be within a private IP range");
    if (*ck_spec_str(c, "networkID"))
        ck_chk_forbidden(c, f, "%s doesn't support specifying both NetworkID and NetworkCIDR",
                         cloud);
}

/* Rules 71–74. */
static void check_network_cidrs(struct ck_chk *c, struct ck_fld spec, struct ck_networks *nets)
{
    struct ck_fld f =
        ck_fld_named(ck_fld_at(c, spec, "networkCIDR", NULL), "spec.networking.networkCIDR");
    struct ck_ipnet net;
    if (!ck_fld_set(f)) {
        if (rules_of(c)->network_cidr)
            ck_chk_required(c, f, "Cluster does not have networkCIDR set");
    } else {
        bool ok = ck_chk_cidr(c, f, &net);
        if (ok)
            add_network(nets, &net);
        nets->has_main = ok;
        if (ck_chk_is_cloud(c, "gce"))
            ck_chk_forbidden(c, f, "gce doesn't support networkCIDR");
        check_private_network(c, f, ok ? &net : NULL);
    }
    struct ck_fld more = ck_fld_named(ck_fld_at(c, spec, "additionalNetworkCIDRs", NULL),
                                      "spec.networking.additionalNetworkCIDRs");
    if (ck_len(more.v) && !ck_chk_is_cloud(c, "aws"))
        ck_chk_forbidden(c, more, "%s doesn't support additionalNetworkCIDRs", c->cloud);
    for (size_t i = 0; i < ck_len(more.v); i++)
        if (ck_chk_cidr(c, ck_fld_item(c, more, i), &net))
            add_network(nets, &net);
}

/* Rule 77. With these two plug-ins pods have addresses of the network itself. */
static void check_overlap(struct ck_chk *c, struct ck_fld f, const struct ck_ipnet *masq,
                          const struct ck_networks *nets)
{
    char a[CK_IPNET_TEXT], b[CK_IPNET_TEXT];
    if (!ck_is_null(ck_at(c->spec, "networking.amazonvpc")) ||
        !strcmp(ck_spec_str(c, "networking.cilium.ipam"), "eni"))
        return;
    ck_ipnet_text(masq, a);
    size_t extra = nets->has_main ? 1 : 0;
    for (size_t i = 0; i < nets->n; i++) {
        if (!ck_ipnet_overlap(masq, &nets->v[i]))
            continue;
        ck_ipnet_text(&nets->v[i], b);
        if (i < extra)
            ck_chk_forbidden(
                c, f, "nonMasqueradeCIDR \"%s\" cannot overlap with networkCIDR \"%s\"", a, b);
        else
            ck_chk_forbidden(
                c, f,
                "nonMasqueradeCIDR \"%s\" cannot overlap with additionalNetworkCIDRs[%zu] \"%s\"",
                a, i - extra, b);
    }
}

/* Rules 75–77. */
static void check_non_masquerade(struct ck_chk *c, struct ck_fld spec, struct ck_networks *nets)
{
    struct ck_fld f = ck_fld_named(ck_fld_at(c, spec, "nonMasqueradeCIDR", NULL),
                                   "spec.networking.nonMasqueradeCIDR");
    if (!ck_fld_set(f)) {
        if (!ck_chk_is_cloud(c, "gce"))
            ck_chk_required(c, f, "Cluster does not have nonMasqueradeCIDR set");
        return;
    }
    nets->has_masq = ck_chk_cidr(c, f, &nets->masq);
    if (c->ipv6 && !ck_fld_is(f, "::/0"))
        ck_chk_forbidden(c, f, "IPv6 clusters must have a nonMasqueradeCIDR of \"::/0\"");
    if (nets->has_masq)
        check_overlap(c, f, &nets->masq, nets);
}

/* Rules 78–80. */
static void check_inner_ranges(struct ck_chk *c, struct ck_fld spec, struct ck_networks *nets)
{
    char a[CK_IPNET_TEXT], b[CK_IPNET_TEXT];
    struct ck_fld f = ck_fld_named(ck_fld_at(c, spec, "podCIDR", NULL), "spec.networking.podCIDR");
    if (!ck_fld_set(f)) {
        if (c->strict && !c->ipv6)
            ck_chk_required(c, f, "Cluster did not have podCIDR set");
    } else {
        nets->has_pod = ck_chk_cidr(c, f, &nets->pod);
        if (nets->has_pod && nets->has_masq && !ck_ipnet_within(&nets->masq, &nets->pod)) {
            ck_ipnet_text(&nets->pod, a);
            ck_ipnet_text(&nets->masq, b);
            ck_chk_forbidden(c, f, "podCIDR \"%s\" must be a subnet of nonMasqueradeCIDR \"%s\"", a,
                             b);
        }
    }
    f = ck_fld_named(ck_fld_at(c, spec, "serviceClusterIPRange", NULL),
                     "spec.networking.serviceClusterIPRange");
    if (ck_fld_set(f))
        nets->has_service = ck_chk_cidr(c, f, &nets->service);
    else if (c->strict)
        ck_chk_required(c, f, "Cluster did not have serviceClusterIPRange set");
}

struct dns_support {
    const char *cloud;
    bool none, public, private;
};
static const struct dns_support dns_support[] = {
    {"aws", true, true, true},       {"gce", true, true, true},
    {"openstack", true, true, true}, {"azure", true, false, false},
    {"hetzner", true, false, false}, {"linode", true, false, false},
    {"metal", true, false, false},   {"digitalocean", true, true, false},
    {"scaleway", true, true, false}, {"alicloud", true, true, true},
};

/* Rule 95. */
static void check_dns_support(struct ck_chk *c, struct ck_fld f)
{
    const char *type = ck_fld_str(f);
    for (size_t i = 0; i < CK_ARRAY_LEN(dns_support); i++) {
        const struct dns_support *s = &dns_support[i];
        if (!ck_chk_is_cloud(c, s->cloud))
            continue;
        bool ok = !strcmp(type, "None")      ? s->none
                  : !strcmp(type, "Public")  ? s->public
                  : !strcmp(type, "Private") ? s->private
                                             : true; /* rule 93 has said it */
        char *word = ck_arena_strdup(c->a, type);
        if (*word)
            word[0] = (char)(word[0] | 0x20);
        if (!ok)
            ck_chk_forbidden(c, f, "cloud provider \"%s\" does not support %s dns topology",
                             c->cloud, word);
        return;
    }
    if (*c->cloud)
        ck_chk_forbidden(c, f, "cloud provider \"%s\" has no declared DNS topology support",
                         c->cloud);
}

/* Rules 93–95. */
static void check_topology(struct ck_chk *c, struct ck_fld spec)
{
    if (ck_is_null(ck_get(spec.v, "topology")))
        return;
    struct ck_fld f = ck_fld_named(ck_fld_at(c, spec, "topology.dns.type", NULL),
                                   "spec.networking.topology.dns.type");
    if (!ck_fld_set(f))
        return;
    ck_chk_one_of(c, f, CK_ONE_OF("Public", "Private", "None"));
    if (ck_str_ends(ck_object_name(c->obj), ".k8s.local") && !c->none_dns)
        ck_chk_forbidden(c, f,
                         "gossip DNS support was removed in kOps 1.37; migrate the cluster to "
                         "dns=none or a hosted DNS zone using kOps 1.36 before upgrading (see "
                         "https://kops.sigs.k8s.io/gossip/)");
    check_dns_support(c, f);
}

void ck_chk_network(struct ck_chk *c, struct ck_fld spec)
{
    const struct net_rules *rules = rules_of(c);
    struct ck_networks nets = {.need_subnets = rules->subnets,
                               .need_subnet_cidr = rules->subnet_cidr,
                               .need_region = rules->regions};
    check_network_cidrs(c, spec, &nets);
    check_non_masquerade(c, spec, &nets);
    check_inner_ranges(c, spec, &nets);
    ck_chk_subnets(c, ck_fld_named(ck_fld_at(c, spec, "subnets", NULL), "spec.networking.subnets"),
                   &nets);
    check_topology(c, spec);
}
