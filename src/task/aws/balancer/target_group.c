/* A target group. A shared one is known by its ARN. kOps awstasks/targetgroup.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_REF("VPC"),
    CK_F_MAP("Tags"),
    CK_F_INT("Port"),
    CK_F_STR("Protocol"),
    {"ARN", CK_FIELD_STR, 0},
    CK_F_BOOL("Shared"),
    CK_F_MAP("Attributes"),
    CK_F_INT("Interval"),
    CK_F_INT("HealthyThreshold"),
    CK_F_INT("UnhealthyThreshold"),
    CK_F_STR("HealthCheckProtocol"),
    CK_F_STR("HealthCheckPath"),
    CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_aws_shared(t) ? ck_tf_quote(tf, ck_task_get_str(t, "ARN"))
                            : ck_tf_link(tf, "aws_lb_target_group", t->name, "id");
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    if (ck_aws_shared(t))
        return 0;
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_lb_target_group", t->name);
    const struct ck_val *attributes = ck_task_get(t, "Attributes");
    ck_tf_str(b, "name", t->name);
    ck_tf_field(b, "port", t, "Port");
    ck_tf_field(b, "protocol", t, "Protocol");
    ck_tf_ref(b, "vpc_id", t, "VPC");
    ck_tf_field(b, "tags", t, "Tags");
    ck_tf_str(
        b, "connection_termination",
        ck_str_or(ck_get(attributes, "deregistration_delay.connection_termination.enabled"), NULL));
    ck_tf_str(b, "deregistration_delay",
              ck_str_or(ck_get(attributes, "deregistration_delay.timeout_seconds"), NULL));
    struct ck_tf_block *check = ck_tf_nested(b, "health_check");
    ck_tf_field(check, "healthy_threshold", t, "HealthyThreshold");
    ck_tf_field(check, "unhealthy_threshold", t, "UnhealthyThreshold");
    ck_tf_field(check, "interval", t, "Interval");
    ck_tf_field(check, "protocol", t, "HealthCheckProtocol");
    ck_tf_field(check, "path", t, "HealthCheckPath");
    return 0;
}

const struct ck_task_kind ck_aws_target_group = {
    .name = "TargetGroup",
    .fields = fields,
    .id_is_name = true,
    .link = link,
    .terraform = terraform,
};
