/* How the API is reached: load balancer or DNS, the hosted zone, who writes records. Mirrors kOps
 * upup/pkg/fi/cloudup/populate_cluster_spec.go and upup/pkg/fi/cloudup/dns.go. */
#include "spec/populate/pop.h"

#include <string.h>

static const char *subnet_type(const struct ck_pop *p, const char *name)
{
    const struct ck_val *list = ck_get(p->spec, "subnets");
    for (size_t i = 0; i < ck_len(list); i++)
        if (!strcmp(ck_str_at(ck_item(list, i), "name"), name))
            return ck_str_at(ck_item(list, i), "type");
    return "";
}

/* Whether groups of the role have subnets of the type; *ret_any: there are groups of the role. */
static bool role_uses(const struct ck_pop *p, const char *role, const char *type, bool *ret_any)
{
    bool found = false;
    *ret_any = false;
    for (size_t i = 0; i < p->f->n_groups; i++) {
        const struct ck_val *spec = ck_get(p->f->groups[i].root, "spec");
        const struct ck_val *subnets = ck_get(spec, "subnets");
        if (strcmp(ck_str_at(spec, "role"), role) != 0)
            continue;
        *ret_any = true;
        for (size_t k = 0; k < ck_len(subnets); k++)
            found |= !strcmp(subnet_type(p, ck_str_or(ck_item(subnets, k), "")), type);
    }
    return found;
}

int ck_pop_api_access(struct ck_pop *p, struct ck_err *err)
{
    bool any, open = ck_pop_has(p, "api.dns") || ck_pop_has(p, "api.loadBalancer");
    (void)err;
    if (!ck_pop_is(p, "openstack") && !open) {
        role_uses(p, "APIServer", "", &any);
        const char *role = any ? "APIServer" : "Master";
        if (role_uses(p, role, "Private", &any))
            ck_ensure_map(p->a, p->spec, "api.loadBalancer");
        else if (role_uses(p, role, "Public", &any))
            ck_ensure_map(p->a, p->spec, "api.dns");
    }
    if (ck_pop_has(p, "api.loadBalancer")) {
        ck_pop_str(p, p->spec, "api.loadBalancer.type", "Public");
        if (ck_pop_is(p, "aws"))
            ck_pop_str(p, p->spec, "api.loadBalancer.class", "Classic");
    }
    return 0;
}

static size_t zone_len(const struct ck_zone_fact *z)
{
    size_t n = strlen(z->name);
    return n && z->name[n - 1] == '.' ? n - 1 : n;
}

/* The zone's length when the cluster's name lies below it, else 0. */
static size_t zone_match(const char *name, const struct ck_zone_fact *z)
{
    size_t n = strlen(name), k = zone_len(z);
    if (!k || k > n || strncmp(name + n - k, z->name, k) != 0)
        return 0;
    return k == n || name[n - k - 1] == '.' ? k : 0;
}

static int find_zone(struct ck_pop *p, const char **ret, struct ck_err *err)
{
    bool want_private = !strcmp(ck_pop_spec(p, "topology.dns.type"), "Private");
    size_t longest = 0, n = 0, n_kind = 0;
    const char *of_kind = NULL;
    for (size_t i = 0; i < p->f->n_zones; i++)
        if (zone_match(p->name, &p->f->zones[i]) > longest)
            longest = zone_match(p->name, &p->f->zones[i]);
    for (size_t i = 0; i < p->f->n_zones && longest; i++) {
        if (zone_match(p->name, &p->f->zones[i]) != longest)
            continue;
        n++;
        *ret = p->f->zones[i].id;
        if (p->f->zones[i].is_private == want_private) {
            n_kind++;
            of_kind = p->f->zones[i].id;
        }
    }
    if (n > 1 && n_kind == 1)
        *ret = of_kind;
    if (n > 1 && n_kind != 1)
        return ck_fail(err, CK_INVALID,
                       "Found multiple hosted zones matching cluster \".%s\"; please specify the "
                       "ID of the zone to use",
                       p->name);
    if (n)
        return 0;
    const char *tail = strrchr(p->name, '.');
    while (tail && tail > p->name && tail[-1] != '.')
        tail--;
    return ck_fail(err, CK_INVALID,
                   "No matching hosted zones found for \".%s\"; please create one (e.g. \"%s\") "
                   "first",
                   p->name, tail ? tail : p->name);
}

int ck_pop_dns_zone(struct ck_pop *p, struct ck_err *err)
{
    if (p->none_dns)
        return 0;
    if (!*ck_pop_spec(p, "dnsZone")) {
        const char *zone = NULL;
        if (!p->f->know_zones) {
            ck_pop_skip(p, "spec.dnsZone: only the cloud knows the hosted zones");
        } else {
            int r = find_zone(p, &zone, err);
            if (r < 0)
                return r;
            ck_set_str(p->a, p->spec, "dnsZone", zone);
        }
    }
    if (*ck_pop_spec(p, "dnsZone"))
        ck_pop_str(p, p->spec, "masterPublicName", ck_arena_printf(p->a, "api.%s", p->name));
    if (!ck_bool_at(p->spec, "externalDns.disable", false))
        ck_pop_str(p, p->spec, "externalDns.provider", "dns-controller");
    return 0;
}
