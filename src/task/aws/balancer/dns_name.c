/* A record that is an alias of a load balancer. kOps awstasks/dnsname.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_ID,
    CK_F_REF("Zone"),
    CK_F_STR("ResourceName"),
    CK_F_STR("ResourceType"),
    CK_F_REF("TargetLoadBalancer"),
    CK_F_END,
};

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_route53_record", t->name);
    ck_tf_field(b, "name", t, "ResourceName");
    ck_tf_field(b, "type", t, "ResourceType");
    ck_tf_ref(b, "zone_id", t, "Zone");
    const struct ck_task *balancer = ck_task_get_ref(t, "TargetLoadBalancer");
    if (balancer) {
        const char *name = ck_tf_sanitize(tf->a, balancer->name);
        struct ck_tf_block *alias = ck_tf_nested(b, "alias");
        ck_tf_bool(alias, "evaluate_target_health", false);
        ck_tf_expr(alias, "name", ck_tf_link(tf, "aws_lb", name, "dns_name"));
        ck_tf_expr(alias, "zone_id", ck_tf_link(tf, "aws_lb", name, "zone_id"));
    }
    return 0;
}

const struct ck_task_kind ck_aws_dns_name = {
    .name = "DNSName",
    .fields = fields,
    .terraform = terraform,
};
