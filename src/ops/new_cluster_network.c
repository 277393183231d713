/* Subnets, networking provider, topology and API access of a new cluster. */
#include "ops/new_cluster_build.h"

#include "base/enc.h"
#include "base/nearest.h"
#include "cloud/zones.h"

#include <string.h>
#include <strings.h>

static struct ck_val *subnets_of(struct ck_new_build *b)
{
    struct ck_val *l = ck_get(b->spec, "subnets");
    if (!l) {
        l = ck_list(b->a);
        ck_set(b->a, b->spec, "subnets", l);
    }
    return l;
}

static struct ck_val *add_subnet(struct ck_new_build *b, const char *name, const char *zone,
                                 const char *region, const char *id)
{
    struct ck_val *s = ck_map(b->a);
    ck_set_str(b->a, s, "name", name);
    if (zone)
        ck_set_str(b->a, s, "zone", zone);
    if (region)
        ck_set_str(b->a, s, "region", region);
    if (id)
        ck_set_str(b->a, s, "id", id);
    if (*b->o->egress && (ck_new_is(b, "aws") || ck_new_is(b, "openstack")))
        ck_set_str(b->a, s, "egress", b->o->egress);
    ck_append(b->a, subnets_of(b), s);
    return s;
}

/* "us-test1-a" → "us-test1": everything before the last dash. */
static const char *region_of_zone(struct ck_new_build *b, const char *zone)
{
    const char *dash = strrchr(zone, '-');
    return dash ? ck_arena_strndup(b->a, zone, (size_t)(dash - zone)) : zone;
}

/* The id among `ids` that lies in the zone; NULL when none does. *ret_twice when two do. */
static const char *id_in_zone(struct ck_new_build *b, const struct ck_strv *ids, const char *zone,
                              const char **ret_twice)
{
    const char *found = NULL;
    for (size_t i = 0; i < ids->n; i++) {
        const struct ck_val *s = ck_facts_subnet(b->env->facts, b->cloud, ids->v[i]);
        if (!ck_is_str(ck_get(s, "zone"), zone))
            continue;
        if (found)
            *ret_twice = ids->v[i];
        else
            found = ids->v[i];
    }
    return found;
}

static int check_ids(struct ck_new_build *b, const struct ck_strv *ids, struct ck_err *err)
{
    const char *vpc = ck_str_at(b->spec, "networkID");
    for (size_t i = 0; i < ids->n; i++) {
        const struct ck_val *s = ck_facts_subnet(b->env->facts, b->cloud, ids->v[i]);
        if (s && (!*vpc || !*ck_str_at(s, "vpc") || strcmp(ck_str_at(s, "vpc"), vpc) == 0))
            continue;
        if (!b->env->facts->root)
            return ck_fail(err, CK_INVALID,
                           "which zone subnet %s lies in is known to the cloud only: give facts "
                           "(CKOPS_FIXTURES), or store the subnets with create -f",
                           ids->v[i]);
        return ck_fail(err, CK_INVALID, "subnet %s not found in VPC %s", ids->v[i], vpc);
    }
    return 0;
}

/* Without facts nobody knows all zones: a zone never heard of gets a remark. */
static void remark_on_zones(struct ck_new_build *b)
{
    if (!b->env->note || !ck_zones_listed(b->cloud))
        return;
    CK_AUTOSTRV known = {0};
    ck_zones_known(b->cloud, &known);
    for (size_t i = 0; i < b->zones.n; i++) {
        const char *zone = b->zones.v[i];
        if (ck_zone_is_known(b->cloud, zone))
            continue;
        const char *near = ck_nearest(zone, (const char *const *)known.v, known.n);
        b->env->note(b->env->note_arg,
                     ck_arena_printf(b->a,
                                     "zone %s of %s is not known to this version, and no cloud is "
                                     "asked; the nearest known one is %s",
                                     zone, b->cloud, near ? near : "unlike it"));
    }
}

/* Zones that the facts list are all there are. */
static int check_zones(struct ck_new_build *b, struct ck_err *err)
{
    const struct ck_val *known = ck_facts_zones(b->env->facts, b->cloud);
    size_t n = ck_len(known);
    if (!n || !ck_new_is(b, "aws")) {
        remark_on_zones(b);
        return 0;
    }
    const char **names = ck_arena_alloc(b->a, n * sizeof *names);
    for (size_t i = 0; i < n; i++)
        names[i] = ck_str_or(ck_item(known, i), "");
    for (size_t i = 0; i < b->zones.n; i++) {
        const char *zone = b->zones.v[i];
        if (ck_list_has_str(known, zone))
            continue;
        const char *near = ck_nearest(zone, names, n);
        return ck_fail(err, CK_INVALID,
                       "error Zone is not a recognized AZ: \"%s\" (check you have specified a "
                       "valid zone?)%s%s%s",
                       zone, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    }
    return 0;
}

static int zone_subnets(struct ck_new_build *b, struct ck_err *err)
{
    const struct ck_strv *ids = &b->o->subnets;
    int r = check_ids(b, ids, err);
    for (size_t i = 0; r == 0 && i < b->zones.n; i++) {
        const char *twice = NULL, *zone = b->zones.v[i];
        const char *id = id_in_zone(b, ids, zone, &twice);
        if (twice)
            return ck_fail(err, CK_INVALID, "subnet %s and %s have the same zone", id, twice);
        add_subnet(b, zone, zone, NULL, id);
    }
    /* More address ranges of the VPC become more subnets, in turn over the zones. */
    if (r == 0 && ck_new_is(b, "aws"))
        for (size_t i = 1; i < b->o->network_cidrs.n; i++) {
            const char *zone = b->zones.v[(i - 1) % b->zones.n];
            struct ck_val *s =
                add_subnet(b, ck_arena_printf(b->a, "%s-%zu", zone, i), zone, NULL, NULL);
            ck_set_str(b->a, s, "cidr", b->o->network_cidrs.v[i]);
        }
    return r;
}

static int region_subnets(struct ck_new_build *b, struct ck_err *err)
{
    if (b->o->subnets.n > 1)
        return ck_fail(err, CK_INVALID, "expected exactly one subnet for GCE, got %zu",
                       b->o->subnets.n);
    for (size_t i = 0; i < b->zones.n; i++) {
        const char *region = region_of_zone(b, b->zones.v[i]);
        bool have = false;
        for (size_t k = 0; k < ck_len(ck_get(b->spec, "subnets")); k++)
            have =
                have || ck_is_str(ck_get(ck_item(ck_get(b->spec, "subnets"), k), "name"), region);
        if (!have)
            add_subnet(b, region, NULL, region, b->o->subnets.n ? b->o->subnets.v[0] : NULL);
    }
    return 0;
}

static int single_zone(struct ck_new_build *b, const char *text, bool as_region, struct ck_err *err)
{
    if (b->zones.n > 1)
        return ck_fail(err, CK_INVALID, "%s", text);
    const char *z = b->zones.v[0];
    add_subnet(b, z, z, as_region ? z : NULL, NULL);
    return 0;
}

int ck_new_subnets(struct ck_new_build *b, struct ck_err *err)
{
    int r = check_zones(b, err);
    if (r < 0)
        return r;
    if (ck_new_is(b, "gce"))
        return region_subnets(b, err);
    if (ck_new_is(b, "azure")) {
        add_subnet(b, b->o->name, NULL, region_of_zone(b, b->zones.v[0]), NULL);
        return 0;
    }
    if (ck_new_is(b, "digitalocean"))
        return single_zone(b, "digitalocean cloud provider currently supports one region only.",
                           true, err);
    if (ck_new_is(b, "linode"))
        return single_zone(b, "linode cloud provider currently supports one region only", true,
                           err);
    if (ck_new_is(b, "hetzner"))
        return single_zone(b, "hetzner cloud provider currently supports only one zone (location)",
                           false, err);
    if (ck_new_is(b, "scaleway"))
        return single_zone(
            b, "scaleway cloud provider currently supports only one availability zone", false, err);
    return zone_subnets(b, err);
}

const char *ck_new_subnet_of_zone(struct ck_new_build *b, const char *zone)
{
    const struct ck_val *l = ck_get(b->spec, "subnets");
    const char *region = ck_new_zoned_groups(b) ? region_of_zone(b, zone) : NULL;
    for (size_t i = 0; i < ck_len(l); i++) {
        const struct ck_val *s = ck_item(l, i);
        if (ck_is_str(ck_get(s, "zone"), zone) ||
            (region && ck_is_str(ck_get(s, "region"), region)))
            return ck_str_at(s, "name");
    }
    return "";
}

/* ---- networking ---- */

static void kube_proxy_off(struct ck_new_build *b)
{
    ck_put(b->a, b->spec, "kubeProxy.enabled", ck_bool(b->a, false));
}

static void cilium(struct ck_new_build *b, const char *mode)
{
    struct ck_val *c = ck_ensure_map(b->a, b->spec, "networking.cilium");
    ck_set_bool(b->a, c, "enableNodePort", true);
    kube_proxy_off(b);
    if (strcmp(mode, "cilium-etcd") == 0)
        ck_set_bool(b->a, c, "etcdManaged", true);
    if (strcmp(mode, "cilium-eni") == 0)
        ck_set_str(b->a, c, "ipam", "eni");
}

int ck_new_networking(struct ck_new_build *b, struct ck_err *err)
{
    static const struct {
        const char *mode, *key, *backend;
    } plain[] = {
        {"kubenet", "kubenet", NULL},
        {"external", "external", NULL},
        {"cni", "cni", NULL},
        {"kopeio", "kopeio", NULL},
        {"kopeio-vxlan", "kopeio", NULL},
        {"flannel", "flannel", "vxlan"},
        {"flannel-vxlan", "flannel", "vxlan"},
        {"flannel-udp", "flannel", "udp"},
        {"calico", "calico", NULL},
        {"kube-router", "kuberouter", NULL},
        {"amazonvpc", "amazonvpc", NULL},
        {"amazon-vpc-routed-eni", "amazonvpc", NULL},
        {"gcp", "gce", NULL},
        {"gce", "gce", NULL},
        {"kindnet", "kindnet", NULL},
    };
    const char *mode = b->o->networking;
    if (!*mode || ck_str_starts(mode, "cilium")) {
        if (*mode && strcmp(mode, "cilium") != 0 && strcmp(mode, "cilium-etcd") != 0 &&
            strcmp(mode, "cilium-eni") != 0)
            goto unknown;
        cilium(b, mode);
        return 0;
    }
    for (size_t i = 0; i < CK_ARRAY_LEN(plain); i++) {
        if (strcmp(mode, plain[i].mode) != 0)
            continue;
        struct ck_val *m =
            ck_ensure_map(b->a, b->spec, ck_arena_printf(b->a, "networking.%s", plain[i].key));
        if (plain[i].backend)
            ck_set_str(b->a, m, "backend", plain[i].backend);
        if (strcmp(mode, "kube-router") == 0)
            kube_proxy_off(b);
        return 0;
    }
unknown:;
    const char *names[CK_ARRAY_LEN(plain) + 3] = {"cilium", "cilium-etcd", "cilium-eni"};
    for (size_t i = 0; i < CK_ARRAY_LEN(plain); i++)
        names[i + 3] = plain[i].mode;
    return ck_new_unknown(err, "unknown networking mode ", mode, true, names, CK_ARRAY_LEN(names));
}

/* ---- topology ---- */

static int dns_type(struct ck_new_build *b, struct ck_err *err)
{
    const char *dns = b->o->dns, *type;
    if (!*dns)
        type = *b->o->dns_zone ? "Public" : "None";
    else if (strcasecmp(dns, "public") == 0)
        type = "Public";
    else if (strcasecmp(dns, "private") == 0)
        type = "Private";
    else if (strcasecmp(dns, "none") == 0)
        type = "None";
    else
        return ck_new_unknown(err, "unknown DNSType: ", dns, true,
                              (const char *const[]){"public", "private", "none"}, 3);
    ck_put(b->a, b->spec, "topology.dns.type", ck_str(b->a, type));
    b->dns_published = strcmp(type, "None") != 0;
    return 0;
}

static void append_derived(struct ck_new_build *b, size_t n, const char *prefix, const char *type,
                           const struct ck_strv *ids)
{
    struct ck_val *l = subnets_of(b);
    for (size_t i = 0; i < n; i++) {
        const struct ck_val *from = ck_item(l, i);
        const char *zone = ck_str_or(ck_get(from, "zone"), NULL), *twice = NULL;
        struct ck_val *s = ck_map(b->a);
        ck_set(b->a, s, "name", ck_strf(b->a, "%s-%s", prefix, ck_str_at(from, "name")));
        if (zone)
            ck_set_str(b->a, s, "zone", zone);
        const char *region = ck_str_or(ck_get(from, "region"), NULL);
        if (region)
            ck_set_str(b->a, s, "region", region);
        const char *id = ids && zone ? id_in_zone(b, ids, zone, &twice) : NULL;
        if (id)
            ck_set_str(b->a, s, "id", id);
        ck_set_str(b->a, s, "type", type);
        ck_append(b->a, l, s);
    }
}

static int private_topology(struct ck_new_build *b, struct ck_err *err)
{
    if (ck_at(b->spec, "networking.kubenet"))
        return ck_fail(err, CK_INVALID,
                       "invalid networking option %s. Kubenet does not support private topology",
                       b->o->networking);
    struct ck_val *l = subnets_of(b);
    size_t n = ck_len(l);
    for (size_t i = 0; i < n; i++)
        ck_set_str(b->a, ck_item(l, i), "type", "Private");
    int r = check_ids(b, &b->o->utility_subnets, err);
    if (r < 0)
        return r;
    if (b->o->ipv6)
        append_derived(b, n, "dualstack", "DualStack", NULL);
    if (!ck_new_is(b, "gce"))
        append_derived(b, n, "utility", "Utility", &b->o->utility_subnets);
    b->private_topology = true;
    return 0;
}

static void ipv6(struct ck_new_build *b)
{
    ck_set_str(b->a, b->spec, "nonMasqueradeCIDR", "::/0");
    ck_ensure_map(b->a, b->spec, "cloudControllerManager");
    if (!ck_new_is(b, "aws"))
        return;
    struct ck_val *l = subnets_of(b);
    for (size_t i = 0; i < ck_len(l); i++)
        ck_set(b->a, ck_item(l, i), "ipv6CIDR", ck_strf(b->a, "/64#%zx", i));
}

int ck_new_topology(struct ck_new_build *b, struct ck_err *err)
{
    const char *t = b->o->topology;
    if (!*t)
        t = b->o->ipv6 ? "private" : "public";
    int r = dns_type(b, err);
    if (r < 0)
        return r;
    if (strcmp(t, "public") == 0) {
        if (b->o->bastion)
            return ck_fail(err, CK_INVALID, "bastion supports --topology='private' only");
        struct ck_val *l = subnets_of(b);
        for (size_t i = 0; i < ck_len(l); i++)
            ck_set_str(b->a, ck_item(l, i), "type", "Public");
    } else if (strcmp(t, "private") == 0) {
        r = private_topology(b, err);
        if (r < 0)
            return r;
        if (b->o->bastion && b->dns_published)
            ck_put(b->a, b->spec, "topology.bastion.bastionPublicName",
                   ck_strf(b->a, "bastion.%s", b->o->name));
    } else {
        return ck_new_unknown(err, "invalid topology ", t, false,
                              (const char *const[]){"public", "private"}, 2);
    }
    if (b->o->ipv6)
        ipv6(b);
    return 0;
}

/* ---- API ---- */

int ck_new_api(struct ck_new_build *b, struct ck_err *err)
{
    const struct ck_new_cluster_opts *o = b->o;
    bool lb =
        *o->api_lb_type || *o->api_ssl_certificate || b->private_topology || !b->dns_published;
    if (!lb) {
        ck_put(b->a, b->spec, "api.dns", ck_map(b->a));
        return 0;
    }
    const char *type = "Public";
    if (strcasecmp(o->api_lb_type, "internal") == 0)
        type = "Internal";
    else if (*o->api_lb_type && strcasecmp(o->api_lb_type, "public") != 0)
        return ck_new_unknown(err, "unknown api-loadbalancer-type: ", o->api_lb_type, true,
                              (const char *const[]){"public", "internal"}, 2);
    struct ck_val *m = ck_ensure_map(b->a, b->spec, "api.loadBalancer");
    ck_set_str(b->a, m, "type", type);
    if (ck_new_is(b, "aws"))
        ck_set_str(b->a, m, "class", "Network");
    if (*o->api_ssl_certificate)
        ck_set_str(b->a, m, "sslCertificate", o->api_ssl_certificate);
    return 0;
}
