/* A target group. A shared one is known by its ARN. kOps awstasks/targetgroup.go. */
#include "task/aws/find.h"

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

/* Only those that are wanted: a target group has many. */
static int attributes(struct ck_aws_read *w, struct ck_task *actual, const struct ck_task *t,
                      const char *arn, struct ck_err *err)
{
    const struct ck_val *reply, *wanted = ck_task_get(t, "Attributes");
    struct ck_val *map = ck_map(w->a);
    int r = CK_AWS_QUERY(w, "elbv2", "DescribeTargetGroupAttributes", &reply, err, "TargetGroupArn",
                         arn);
    if (r)
        return r;
    const struct ck_val *list = ck_aws_items(w, reply, "Attributes");
    for (size_t i = 0; i < ck_len(list); i++) {
        const char *key = ck_str_at(ck_item(list, i), "Key");
        if (ck_get(wanted, key))
            ck_set_str(w->a, map, key, ck_str_at(ck_item(list, i), "Value"));
    }
    ck_task_val(actual, "Attributes", map);
    return 0;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    int r =
        CK_AWS_QUERY(w, "elbv2", "DescribeTargetGroups", &reply, err, "Names.member.1", t->name);
    if (r)
        return r == -CK_NOT_FOUND ? (ck_err_done(err), 0) : r;
    const struct ck_val *v = ck_item(ck_aws_items(w, reply, "TargetGroups"), 0);
    if (!v)
        return 0;
    struct ck_task *actual = *ret = ck_aws_actual(w, t);
    const char *arn = ck_str_at(v, "TargetGroupArn");
    ck_aws_found(w, t, arn);
    ck_aws_take_ref(w, actual, t, "VPC", ck_str_at(v, "VpcId"));
    ck_aws_take(actual, "Port", v, "Port");
    ck_aws_take(actual, "Protocol", v, "Protocol");
    ck_aws_take(actual, "ARN", v, "TargetGroupArn");
    ck_task_bool(actual, "Shared", ck_aws_shared(t));
    ck_aws_take(actual, "Interval", v, "HealthCheckIntervalSeconds");
    ck_aws_take(actual, "HealthyThreshold", v, "HealthyThresholdCount");
    ck_aws_take(actual, "UnhealthyThreshold", v, "UnhealthyThresholdCount");
    ck_aws_take(actual, "HealthCheckProtocol", v, "HealthCheckProtocol");
    ck_aws_take(actual, "HealthCheckPath", v, "HealthCheckPath");
    r = attributes(w, actual, t, arn, err);
    return r ? r : ck_aws_take_elb_tags(w, actual, arn, err);
}

static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    static const struct ck_aws_elb_list l = {"DescribeTargetGroups", "TargetGroups",
                                             "TargetGroupArn", "TargetGroupName"};
    return ck_aws_elb_extras(world, wanted, &ck_aws_target_group, &l, ret, err);
}

const struct ck_task_kind ck_aws_target_group = {
    .name = "TargetGroup",
    .fields = fields,
    .id_is_name = true,
    .link = link,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
