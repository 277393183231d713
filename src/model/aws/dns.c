/* The hosted zone and the records that point at balancers.
 *
 * Source: shared facts update-cluster-aws.md §8; kOps pkg/model/awsmodel/dns.go. */
#include "model/aws/builders.h"

#include <string.h>

static bool is_private(const struct ck_model *m)
{
    return ck_is_str(ck_at(m->spec, "topology.dns.type"), "Private");
}

/* What facts say of the zone that the spec names by id or by DNS name; NULL. */
static const struct ck_val *zone_fact(const struct ck_model *m, const char *zone)
{
    const struct ck_val *v = ck_model_fact(m, "hostedZones");
    bool by_name = strchr(zone, '.') != NULL;
    size_t len = strlen(zone);
    for (size_t i = 0; i < ck_len(v); i++) {
        const char *name = ck_str_at(ck_item(v, i), "name");
        if (!by_name && ck_is_str(ck_get(ck_item(v, i), "id"), zone))
            return ck_item(v, i);
        if (by_name && !strncmp(name, zone, len) && (!name[len] || !strcmp(name + len, ".")) &&
            ck_bool_at(ck_item(v, i), "private", false) == is_private(m))
            return ck_item(v, i);
    }
    return NULL;
}

const char *ck_aws_zone_id(const struct ck_model *m)
{
    const char *zone = ck_str_at(m->spec, "dnsZone");
    const char *id = strchr(zone, '.') ? ck_str_at(zone_fact(m, zone), "id") : zone;
    return *id ? id : zone;
}

static bool associated(const struct ck_model *m, const struct ck_val *fact)
{
    const char *vpc = ck_str_at(m->spec, "networkID");
    return *vpc && ck_list_has_str(ck_get(fact, "vpcs"), vpc);
}

static const char *zone_task(struct ck_model *m)
{
    const char *zone = ck_str_at(m->spec, "dnsZone");
    struct ck_task *t = ck_task_ensure(m->tasks, &ck_aws_dns_zone, zone, m->network);
    const struct ck_val *fact = zone_fact(m, zone);
    if (strchr(zone, '.')) {
        ck_task_str(t, "DNSName", zone);
        if (fact)
            ck_task_str(t, "ZoneID", ck_str_at(fact, "id"));
    } else {
        ck_task_str(t, "ZoneID", zone);
    }
    if (is_private(m)) {
        ck_task_bool(t, "Private", true);
        ck_task_ref(t, "PrivateVPC", &ck_aws_vpc, m->name);
        ck_task_bool(t, "Associated", associated(m, fact));
    }
    return zone;
}

static void records(struct ck_model *m, const char *host, const char *balancer)
{
    static const char *const types[] = {"A", "AAAA"};
    const char *zone = zone_task(m);
    for (size_t i = 0; i < 2; i++) {
        const char *name = i ? ck_arena_printf(m->a, "%s-AAAA", host) : host;
        struct ck_task *t = ck_task_ensure(m->tasks, &ck_aws_dns_name, name, m->cluster);
        ck_task_ref(t, "Zone", &ck_aws_dns_zone, zone);
        ck_task_str(t, "ResourceName", host);
        ck_task_str(t, "ResourceType", types[i]);
        ck_task_ref(t, "TargetLoadBalancer", &ck_aws_network_balancer, balancer);
    }
}

int ck_aws_build_dns(struct ck_model *m, struct ck_err *err)
{
    if (ck_model_dns_none(m))
        return 0;
    const char *public_name = ck_str_at(m->spec, "masterPublicName");
    const char *bastion = ck_str_at(m->spec, "topology.bastion.bastionPublicName");
    if (ck_model_has_api_balancer(m)) {
        const char *balancer = ck_arena_printf(m->a, "api.%s", m->name);
        if (*public_name)
            records(m, public_name, balancer);
        if (ck_bool_at(m->spec, "api.loadBalancer.useForInternalApi", false))
            records(m, ck_model_internal_api_name(m), balancer);
    }
    const char *bastion_balancer = ck_arena_printf(m->a, "bastion.%s", m->name);
    if (*bastion && ck_tasks_find(m->tasks, &ck_aws_network_balancer, bastion_balancer))
        records(m, bastion, bastion_balancer);
    if (!ck_model_has_api_balancer(m) && *ck_str_at(m->spec, "dnsZone"))
        zone_task(m);
    return 0;
}
