/* Bastions: their security groups and the balancer in front of them.
 *
 * Source: shared facts update-cluster-aws.md §9; kOps pkg/model/awsmodel/bastion.go. */
#include "model/aws/builders.h"

#include <string.h>

enum { SSH_PORT = 22 };

struct bastion {
    struct ck_model *m;
    const char *balancer, *balancer_group; /* tasks */
    bool internal;
    struct ck_aws_sg *groups;
    size_t n_groups;
};

static void security_group(struct ck_model *m, const char *name, const char *id,
                           const char *description)
{
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_security_group, name, m->security);
    struct ck_val *extra = ck_list(m->a);
    ck_append_str(m->a, extra, "port=22");
    ck_task_ref(t, "VPC", &ck_aws_vpc, m->name);
    ck_task_val(t, "RemoveExtraRules", extra);
    if (id) {
        ck_task_str(t, "ID", id);
        ck_task_bool(t, "Shared", true);
    } else {
        ck_task_str(t, "Description", description);
        ck_task_val(t, "Tags", ck_aws_tags(m, name, false));
    }
}

static void between(struct ck_model *m, const char *from, const char *to, const char *protocol,
                    int lo, int hi)
{
    ck_aws_add_rule(
        m, &(struct ck_aws_rule){
               .group = to, .source_group = from, .protocol = protocol, .from = lo, .to = hi});
}

static void to_instances(const struct bastion *b)
{
    static const enum ck_role roles[] = {CK_ROLE_CONTROL_PLANE, CK_ROLE_NODE};
    for (size_t i = 0; i < b->n_groups; i++)
        for (size_t r = 0; r < 2; r++) {
            struct ck_aws_sg *v;
            size_t n = ck_aws_role_groups(b->m, roles[r], &v);
            for (size_t k = 0; k < n; k++)
                between(b->m, b->groups[i].name, v[k].name, "tcp", SSH_PORT, SSH_PORT);
        }
}

static void from_outside(const struct bastion *b, const char *source)
{
    struct ck_model *m = b->m;
    struct ck_aws_rule r = {.group = b->balancer_group, .source = source};
    r.protocol = "tcp";
    r.from = r.to = SSH_PORT;
    ck_aws_add_rule(m, &r);
    r.untagged = true;
    if (!ck_aws_is_ipv6_range(source)) {
        r.name = ck_arena_printf(m->a, "icmp-pmtu-ssh-nlb-%s", source);
        r.protocol = "icmp";
        r.from = 3;
        r.to = 4;
        ck_aws_add_rule(m, &r);
    }
    if (ck_aws_is_ipv6_range(source) || ck_aws_is_prefix_list(source)) {
        r.name = ck_arena_printf(m->a, "icmpv6-pmtu-ssh-nlb-%s", source);
        r.protocol = "icmpv6";
        r.from = r.to = -1;
        ck_aws_add_rule(m, &r);
    }
}

/* The ranges of every subnet the balancer could stand in, then spec.sshAccess. */
static const struct ck_val *sources(const struct bastion *b)
{
    struct ck_model *m = b->m;
    struct ck_val *list = ck_list(m->a);
    const struct ck_val *subnets = ck_get(m->spec, "subnets"), *ssh = ck_get(m->spec, "sshAccess");
    for (size_t i = 0; i < ck_len(subnets); i++) {
        const struct ck_val *s = ck_item(subnets, i);
        bool private_one = ck_aws_subnet_type(s, "Private") || ck_aws_subnet_type(s, "DualStack");
        const char *cidr = ck_str_at(s, "cidr");
        if (private_one == b->internal && *cidr && !ck_list_has_str(list, cidr))
            ck_append_str(m->a, list, cidr);
    }
    for (size_t i = 0; i < ck_len(ssh); i++) {
        const char *from = ck_str_or(ck_item(ssh, i), "");
        if (!ck_list_has_str(list, from))
            ck_append_str(m->a, list, from);
    }
    return list;
}

static bool any_ipv6(const struct ck_model *m)
{
    for (size_t i = 0; i < m->n_groups; i++) {
        const struct ck_val *names = ck_at(m->groups[i].root, "spec.subnets");
        for (size_t k = 0; k < ck_len(names); k++)
            if (*ck_str_at(ck_aws_subnet_of(m, ck_str_or(ck_item(names, k), "")), "ipv6CIDR"))
                return true;
    }
    return false;
}

static void network_balancer(const struct bastion *b)
{
    struct ck_model *m = b->m;
    struct ck_val *log = ck_map(m->a);
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_network_balancer, b->balancer, m->cluster);
    const struct ck_val *subnets = ck_aws_balancer_subnets(m, b->internal);
    const struct ck_val *extra =
        ck_at(m->spec, "topology.bastion.loadBalancer.additionalSecurityGroups");
    ck_task_str(t, "LoadBalancerBaseName", ck_model_name32(m, "bastion"));
    for (size_t i = 0; i < ck_len(subnets); i++)
        ck_task_ref(t, "SubnetMappings", &ck_aws_subnet,
                    ck_aws_subnet_task(m, ck_str_at(ck_item(subnets, i), "name")));
    ck_task_ref(t, "SecurityGroups", &ck_aws_security_group, b->balancer_group);
    for (size_t i = 0; i < ck_len(extra); i++) {
        const char *id = ck_str_or(ck_item(extra, i), "");
        struct ck_task *g = ck_task_ensure(m->tasks, &ck_aws_security_group, id, m->security);
        ck_task_str(g, "ID", id);
        ck_task_bool(g, "Shared", true);
        ck_task_ref(t, "SecurityGroups", &ck_aws_security_group, id);
    }
    ck_task_str(t, "Scheme", b->internal ? "internal" : "internet-facing");
    ck_task_bool(t, "CrossZoneLoadBalancing", false);
    ck_task_str(t, "IpAddressType", any_ipv6(m) ? "dualstack" : "ipv4");
    ck_task_val(t, "Tags", ck_aws_tags(m, b->balancer, false));
    ck_task_str(t, "Type", "network");
    ck_task_ref(t, "VPC", &ck_aws_vpc, m->name);
    ck_set_bool(m->a, log, "Enabled", false);
    ck_set(m->a, log, "S3BucketName", ck_null(m->a));
    ck_set(m->a, log, "S3BucketPrefix", ck_null(m->a));
    ck_task_val(t, "AccessLog", log);
}

static void listener(const struct bastion *b)
{
    struct ck_model *m = b->m;
    const char *group = ck_model_name32(m, "bastion");
    struct ck_task *t =
        ck_task_new(m->tasks, &ck_aws_listener,
                    ck_arena_printf(m->a, "%s-%d", b->balancer, SSH_PORT), m->cluster);
    ck_task_ref(t, "NetworkLoadBalancer", &ck_aws_network_balancer, b->balancer);
    ck_task_int(t, "Port", SSH_PORT);
    ck_task_ref(t, "TargetGroup", &ck_aws_target_group, group);
    ck_aws_add_target_group(m, "bastion", SSH_PORT, "TCP", NULL);
}

int ck_aws_build_bastion(struct ck_model *m, struct ck_err *err)
{
    struct bastion b = {.m = m};
    const char *type = ck_str_at(m->spec, "topology.bastion.loadBalancer.type");
    b.n_groups = ck_aws_role_groups(m, CK_ROLE_BASTION, &b.groups);
    if (!b.n_groups)
        return 0;
    b.balancer = ck_arena_printf(m->a, "bastion.%s", m->name);
    b.balancer_group = ck_arena_printf(m->a, "bastion-elb.%s", m->name);
    b.internal = !strcmp(type, "Internal");
    for (size_t i = 0; i < b.n_groups; i++) {
        security_group(m, b.groups[i].name, b.groups[i].id, "Security group for bastion");
        ck_aws_open_egress(m, b.groups[i].name);
    }
    security_group(m, b.balancer_group, NULL, "Security group for bastion ELB");
    ck_aws_open_egress(m, b.balancer_group);
    to_instances(&b);
    const struct ck_val *from = sources(&b);
    for (size_t i = 0; i < ck_len(from); i++)
        from_outside(&b, ck_str_or(ck_item(from, i), ""));
    for (size_t i = 0; i < b.n_groups; i++) {
        between(m, b.balancer_group, b.groups[i].name, "tcp", SSH_PORT, SSH_PORT);
        between(m, b.balancer_group, b.groups[i].name, "icmp", 3, 4);
        between(m, b.groups[i].name, b.balancer_group, "icmp", 3, 4);
    }
    network_balancer(&b);
    listener(&b);
    return 0;
}
