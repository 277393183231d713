/* A network load balancer. kOps awstasks/networkloadbalancer.go. */
#include "task/aws/aws.h"

#include <string.h>

static const struct ck_task_field fields[] = {
    CK_F_STR("LoadBalancerBaseName"),
    CK_F_ID,
    CK_F_STR("DNSName"),
    CK_F_REFS("SubnetMappings"),
    CK_F_REFS("SecurityGroups"),
    CK_F_STR("Scheme"),
    CK_F_BOOL("CrossZoneLoadBalancing"),
    CK_F_STR("IpAddressType"),
    CK_F_MAP("Tags"),
    CK_F_STR("Type"),
    CK_F_REF("VPC"),
    CK_F_VAL("AccessLog"),
    CK_F_STRS("WellKnownServices"),
    /* subnet's task name → {allocation_id, private_ipv4_address} */
    CK_F_OURS("SubnetSettings", CK_FIELD_VAL),
    CK_F_END,
};

static const char *tf_name(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_tf_sanitize(tf->a, t->name);
}

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_tf_link(tf, "aws_lb", tf_name(tf, t), "id");
}

static void mappings(struct ck_tf_block *b, const struct ck_task *t)
{
    const struct ck_task_value *subnets = ck_task_value(t, "SubnetMappings");
    const struct ck_val *settings = ck_task_get(t, "SubnetSettings");
    for (size_t i = 0; i < subnets->n_refs; i++) {
        const struct ck_val *own = ck_get(settings, subnets->refs[i]->name);
        struct ck_tf_block *m = ck_tf_nested(b, "subnet_mapping");
        ck_tf_expr(m, "subnet_id", ck_tf_task(b->tf, subnets->refs[i]));
        ck_tf_str(m, "allocation_id", ck_str_or(ck_get(own, "allocation_id"), NULL));
        ck_tf_str(m, "private_ipv4_address", ck_str_or(ck_get(own, "private_ipv4_address"), NULL));
    }
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_lb", tf_name(tf, t));
    const struct ck_val *log = ck_task_get(t, "AccessLog");
    ck_tf_field(b, "name", t, "LoadBalancerBaseName");
    ck_tf_bool(b, "internal", !strcmp(ck_task_get_str(t, "Scheme"), "internal"));
    ck_tf_field(b, "load_balancer_type", t, "Type");
    ck_tf_field(b, "enable_cross_zone_load_balancing", t, "CrossZoneLoadBalancing");
    ck_tf_refs(b, "security_groups", t, "SecurityGroups", true);
    if (!strcmp(ck_task_get_str(t, "IpAddressType"), "dualstack"))
        ck_tf_str(b, "ip_address_type", "dualstack");
    mappings(b, t);
    if (ck_bool_at(log, "Enabled", false)) {
        struct ck_tf_block *l = ck_tf_nested(b, "access_logs");
        ck_tf_bool(l, "enabled", true);
        ck_tf_str(l, "bucket", ck_str_or(ck_get(log, "S3BucketName"), NULL));
        ck_tf_str(l, "prefix", ck_str_or(ck_get(log, "S3BucketPrefix"), NULL));
    }
    ck_tf_field(b, "tags", t, "Tags");
    return 0;
}

const struct ck_task_kind ck_aws_network_balancer = {
    .name = "NetworkLoadBalancer",
    .fields = fields,
    .id_is_name = true,
    .link = link,
    .terraform = terraform,
};
