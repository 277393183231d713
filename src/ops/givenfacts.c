/* The facts of givenfacts.h. */
#include "ops/givenfacts.h"

#include <string.h>

void ck_given_zones(struct ck_arena *a, const struct ck_facts *f, struct ck_populate_facts *ret)
{
    const struct ck_val *zones = ck_at(f->root, "aws.hostedZones");
    struct ck_zone_fact *z = ck_arena_alloc(a, (ck_len(zones) + 1) * sizeof *z);
    for (size_t i = 0; i < ck_len(zones); i++) {
        const struct ck_val *v = ck_item(zones, i);
        const char *name = ck_str_at(v, "name");
        size_t n = strlen(name);
        z[i] = (struct ck_zone_fact){
            .id = ck_str_at(v, "id"),
            .name = ck_arena_strndup(a, name, n && name[n - 1] == '.' ? n - 1 : n),
            .is_private = ck_bool_at(v, "private", false),
        };
    }
    ret->zones = z;
    ret->n_zones = ck_len(zones);
    ret->know_zones = zones != NULL;
}

/* Clouds other than AWS do not tell which network a subnet is of. */
static bool is_of(const struct ck_val *subnet, const char *vpc)
{
    const char *own = ck_str_at(subnet, "vpc");
    return !*own || !*vpc || !strcmp(own, vpc);
}

void ck_given_subnets(struct ck_arena *a, const struct ck_facts *f, const struct ck_val *spec,
                      struct ck_assign_facts *ret)
{
    const char *cloud = ck_str_at(spec, "cloudProvider"), *vpc = ck_str_at(spec, "networkID");
    const struct ck_val *wanted = ck_get(spec, "subnets");
    const struct ck_val *all = ck_get(ck_get(f->root, cloud), "subnets");
    struct ck_subnet_fact *v = ck_arena_alloc(a, (ck_len(wanted) + 1) * sizeof *v);
    bool known = false;
    for (size_t i = 0; *vpc && i < ck_len(all); i++)
        known = known || ck_is_str(ck_get(ck_item(all, i), "vpc"), vpc);
    for (size_t i = 0; i < ck_len(wanted); i++) {
        const char *id = ck_str_at(ck_item(wanted, i), "id");
        const struct ck_val *s = *id ? ck_facts_subnet(f, cloud, id) : NULL;
        if (s && is_of(s, vpc))
            v[ret->n_subnets++] = (struct ck_subnet_fact){id, ck_str_or(ck_get(s, "zone"), NULL),
                                                          ck_str_or(ck_get(s, "cidr"), NULL)};
    }
    ret->subnets = known || ret->n_subnets ? v : NULL;
    ret->network_cidr = *vpc ? ck_facts_vpc_cidr(f, vpc) : NULL;
}
