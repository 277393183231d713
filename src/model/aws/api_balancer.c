/* The load balancer of the API, its listeners, target groups, security group and records.
 *
 * Source: shared facts update-cluster-aws.md §6-8; kOps pkg/model/awsmodel/{api_loadbalancer,
 * dns}.go. */
#include "model/aws/builders.h"

#include <string.h>

enum { API_PORT = 443, CERTIFICATE_PORT = 8443, CONTROLLER_PORT = 3988, CILIUM_ETCD_PORT = 4003 };

struct balancer {
    struct ck_model *m;
    const struct ck_val *spec;
    const char *name, *group; /* tasks */
    bool certificate, dns_none, cilium_etcd;
};

static bool uses_cilium_etcd(const struct ck_model *m)
{
    return ck_bool_at(m->spec, "networking.cilium.etcdManaged", false);
}

void ck_aws_add_target_group(struct ck_model *m, const char *prefix, int port, const char *protocol,
                             const char *path)
{
    const char *name = ck_model_name32(m, prefix);
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_target_group, name, m->cluster);
    struct ck_val *attributes = ck_map(m->a);
    ck_set_str(m->a, attributes, "deregistration_delay.connection_termination.enabled", "true");
    ck_set_str(m->a, attributes, "deregistration_delay.timeout_seconds", "30");
    ck_task_ref(t, "VPC", &ck_aws_vpc, m->name);
    ck_task_val(t, "Tags", ck_aws_tags(m, name, false));
    ck_task_int(t, "Port", port);
    ck_task_str(t, "Protocol", protocol);
    ck_task_bool(t, "Shared", false);
    ck_task_val(t, "Attributes", attributes);
    ck_task_int(t, "Interval", 10);
    ck_task_int(t, "HealthyThreshold", 2);
    ck_task_int(t, "UnhealthyThreshold", 2);
    ck_task_str(t, "HealthCheckProtocol", path ? "HTTPS" : "TCP");
    ck_task_str(t, "HealthCheckPath", path);
}

static void listener(const struct balancer *b, int port, const char *prefix, bool tls)
{
    struct ck_model *m = b->m;
    const char *policy = ck_str_at(b->spec, "sslPolicy");
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_listener,
                                    ck_arena_printf(m->a, "%s-%d", b->name, port), m->cluster);
    ck_task_ref(t, "NetworkLoadBalancer", &ck_aws_network_balancer, b->name);
    ck_task_int(t, "Port", port);
    ck_task_ref(t, "TargetGroup", &ck_aws_target_group, ck_model_name32(m, prefix));
    ck_task_str(t, "SSLCertificateID", tls ? ck_str_at(b->spec, "sslCertificate") : "");
    ck_task_str(t, "SSLPolicy", !tls ? "" : *policy ? policy : "ELBSecurityPolicy-2016-08");
}

static void listeners(const struct balancer *b)
{
    if (b->certificate) {
        listener(b, API_PORT, "tls", true);
        listener(b, CERTIFICATE_PORT, "tcp", false);
        ck_aws_add_target_group(b->m, "tls", API_PORT, "TLS", NULL);
    } else {
        listener(b, API_PORT, "tcp", false);
    }
    ck_aws_add_target_group(b->m, "tcp", API_PORT, "TCP", NULL);
    if (b->dns_none) {
        listener(b, CONTROLLER_PORT, "kops-controller", false);
        ck_aws_add_target_group(b->m, "kops-controller", CONTROLLER_PORT, "TCP", "/healthz");
    }
    if (b->dns_none && b->cilium_etcd) {
        listener(b, CILIUM_ETCD_PORT, "etcd-cilium", false);
        ck_aws_add_target_group(b->m, "etcd-cilium", CILIUM_ETCD_PORT, "TCP", NULL);
    }
}

static int subnets(const struct balancer *b, struct ck_task *t, bool internal, struct ck_err *err)
{
    struct ck_model *m = b->m;
    const struct ck_val *named = ck_get(b->spec, "subnets");
    struct ck_val *settings = ck_map(m->a);
    for (size_t i = 0; i < ck_len(named); i++) {
        const struct ck_val *n = ck_item(named, i);
        const char *name = ck_str_at(n, "name");
        if (!ck_aws_subnet_of(m, name))
            return ck_fail(err, CK_INVALID,
                           "spec.api.loadBalancer.subnets[%zu].name: the cluster has no subnet "
                           "\"%s\"",
                           i, name);
        struct ck_val *own = ck_map(m->a);
        if (*ck_str_at(n, "allocationId"))
            ck_set_str(m->a, own, "allocation_id", ck_str_at(n, "allocationId"));
        if (*ck_str_at(n, "privateIPv4Address"))
            ck_set_str(m->a, own, "private_ipv4_address", ck_str_at(n, "privateIPv4Address"));
        ck_set(m->a, settings, ck_aws_subnet_task(m, name), own);
        ck_task_ref(t, "SubnetMappings", &ck_aws_subnet, ck_aws_subnet_task(m, name));
    }
    const struct ck_val *picked = ck_len(named) ? NULL : ck_aws_balancer_subnets(m, internal);
    for (size_t i = 0; i < ck_len(picked); i++)
        ck_task_ref(t, "SubnetMappings", &ck_aws_subnet,
                    ck_aws_subnet_task(m, ck_str_at(ck_item(picked, i), "name")));
    ck_task_val(t, "SubnetSettings", settings);
    return 0;
}

static const struct ck_val *access_log(const struct balancer *b)
{
    struct ck_model *m = b->m;
    struct ck_val *log = ck_map(m->a);
    const struct ck_val *spec = ck_get(b->spec, "accessLog");
    const char *bucket = ck_str_at(spec, "bucket"), *prefix = ck_str_at(spec, "bucketPrefix");
    ck_set_bool(m->a, log, "Enabled", *bucket);
    ck_set(m->a, log, "S3BucketName", *bucket ? ck_str(m->a, bucket) : ck_null(m->a));
    ck_set(m->a, log, "S3BucketPrefix", *prefix ? ck_str(m->a, prefix) : ck_null(m->a));
    return log;
}

static void additional_groups(const struct balancer *b, struct ck_task *t)
{
    struct ck_model *m = b->m;
    const struct ck_val *ids = ck_get(b->spec, "additionalSecurityGroups");
    for (size_t i = 0; i < ck_len(ids); i++) {
        const char *id = ck_str_or(ck_item(ids, i), "");
        struct ck_task *g = ck_task_ensure(m->tasks, &ck_aws_security_group, id, m->security);
        ck_task_str(g, "ID", id);
        ck_task_bool(g, "Shared", true);
        ck_task_ref(t, "SecurityGroups", &ck_aws_security_group, id);
    }
}

static int network_balancer(const struct balancer *b, struct ck_err *err)
{
    struct ck_model *m = b->m;
    const char *type = ck_str_at(b->spec, "type");
    bool internal = !strcmp(type, "Internal");
    if (!internal && strcmp(type, "Public"))
        return ck_fail(err, CK_INVALID, "unknown load balancer Type: \"%s\"", type);
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_network_balancer, b->name, m->cluster);
    struct ck_val *services = ck_list(m->a);
    ck_task_str(t, "LoadBalancerBaseName", ck_model_name32(m, "api"));
    int r = subnets(b, t, internal, err);
    if (r)
        return r;
    ck_task_ref(t, "SecurityGroups", &ck_aws_security_group, b->group);
    additional_groups(b, t);
    ck_task_str(t, "Scheme", internal ? "internal" : "internet-facing");
    ck_task_bool(t, "CrossZoneLoadBalancing",
                 b->dns_none || ck_bool_at(b->spec, "crossZoneLoadBalancing", false));
    ck_task_str(t, "IpAddressType", ck_model_ipv6_only(m) ? "dualstack" : "ipv4");
    ck_task_val(t, "Tags", ck_aws_tags(m, b->name, false));
    ck_task_str(t, "Type", "network");
    ck_task_ref(t, "VPC", &ck_aws_vpc, m->name);
    ck_task_val(t, "AccessLog", access_log(b));
    ck_append_str(m->a, services, "kube-apiserver");
    if (b->dns_none)
        ck_append_str(m->a, services, "kops-controller");
    ck_task_val(t, "WellKnownServices", services);
    return 0;
}

static void security_group(const struct balancer *b)
{
    struct ck_model *m = b->m;
    const char *id = ck_str_at(b->spec, "securityGroupOverride");
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_security_group, b->group, m->security);
    struct ck_val *extra = ck_list(m->a);
    ck_append_str(m->a, extra, "port=443");
    if (b->certificate)
        ck_append_str(m->a, extra, "port=8443");
    ck_task_ref(t, "VPC", &ck_aws_vpc, m->name);
    ck_task_str(t, "Description", "Security group for api ELB");
    ck_task_val(t, "RemoveExtraRules", extra);
    ck_task_val(t, "Tags", ck_aws_tags(m, b->group, *id));
    if (*id) {
        ck_task_str(t, "ID", id);
        ck_task_bool(t, "Shared", true);
    }
}

static void from_clients(const struct balancer *b)
{
    struct ck_model *m = b->m;
    const struct ck_val *access = ck_get(m->spec, "kubernetesApiAccess");
    ck_aws_open_egress(m, b->group);
    for (size_t i = 0; i < ck_len(access); i++) {
        const char *from = ck_str_or(ck_item(access, i), "");
        struct ck_aws_rule api = {.group = b->group, .source = from, .protocol = "tcp"};
        api.from = api.to = API_PORT;
        ck_aws_add_rule(m, &api);
        api.from = api.to = CERTIFICATE_PORT;
        if (b->certificate)
            ck_aws_add_rule(m, &api);
        struct ck_aws_rule icmp = {.group = b->group, .source = from, .untagged = true};
        if (!ck_aws_is_ipv6_range(from)) {
            icmp.name = ck_arena_printf(m->a, "icmp-pmtu-api-elb-%s", from);
            icmp.protocol = "icmp";
            icmp.from = 3;
            icmp.to = 4;
            ck_aws_add_rule(m, &icmp);
        }
        if (ck_aws_is_ipv6_range(from) || ck_aws_is_prefix_list(from)) {
            icmp.name = ck_arena_printf(m->a, "icmpv6-pmtu-api-elb-%s", from);
            icmp.protocol = "icmpv6";
            icmp.from = icmp.to = -1;
            ck_aws_add_rule(m, &icmp);
        }
    }
}

/* A rule with a fixed name between the balancer's group and another. */
static void fixed(const struct balancer *b, const char *name, const char *group, const char *source,
                  const char *protocol, int from, int to)
{
    ck_aws_add_rule(b->m, &(struct ck_aws_rule){.name = name,
                                                .untagged = true,
                                                .group = group,
                                                .source_group = source,
                                                .protocol = protocol,
                                                .from = from,
                                                .to = to});
}

static void to_masters(const struct balancer *b)
{
    struct ck_model *m = b->m;
    struct ck_aws_sg *v;
    size_t n = ck_aws_role_groups(m, CK_ROLE_CONTROL_PLANE, &v);
    for (size_t i = 0; i < n; i++) {
        const char *s = v[i].suffix, *g = v[i].name;
        fixed(b, ck_arena_printf(m->a, "https-elb-to-master%s", s), g, b->group, "tcp", API_PORT,
              API_PORT);
        fixed(b, ck_arena_printf(m->a, "icmp-pmtu-elb-to-cp%s", s), g, b->group, "icmp", 3, 4);
        fixed(b, ck_arena_printf(m->a, "icmp-pmtu-cp%s-to-elb", s), b->group, g, "icmp", 3, 4);
        if (b->certificate)
            fixed(b, ck_arena_printf(m->a, "tcp-api-cp%s", s), g, b->group, "tcp", CERTIFICATE_PORT,
                  CERTIFICATE_PORT);
        if (b->dns_none)
            fixed(b, ck_arena_printf(m->a, "kops-controller-elb-to-cp%s", s), g, b->group, "tcp",
                  CONTROLLER_PORT, CONTROLLER_PORT);
        if (b->dns_none && b->cilium_etcd)
            fixed(b, ck_arena_printf(m->a, "etcd-cilium-elb-to-cp%s", s), g, b->group, "tcp",
                  CILIUM_ETCD_PORT, CILIUM_ETCD_PORT);
    }
    if (!b->dns_none)
        return;
    n = ck_aws_role_groups(m, CK_ROLE_NODE, &v);
    for (size_t i = 0; i < n; i++)
        fixed(b, ck_arena_printf(m->a, "node%s-to-elb", v[i].suffix), b->group, v[i].name, NULL, 0,
              0);
}

int ck_aws_build_api_balancer(struct ck_model *m, struct ck_err *err)
{
    if (!ck_model_has_api_balancer(m))
        return 0;
    struct balancer b = {.m = m, .spec = ck_at(m->spec, "api.loadBalancer")};
    b.name = ck_arena_printf(m->a, "api.%s", m->name);
    b.group = ck_arena_printf(m->a, "api-elb.%s", m->name);
    b.certificate = *ck_str_at(b.spec, "sslCertificate");
    b.dns_none = ck_model_dns_none(m);
    b.cilium_etcd = uses_cilium_etcd(m);
    security_group(&b);
    int r = network_balancer(&b, err);
    if (r)
        return r;
    listeners(&b);
    from_clients(&b);
    to_masters(&b);
    return 0;
}
