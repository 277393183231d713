/* A network load balancer. kOps awstasks/networkloadbalancer.go. */
#include "task/aws/find.h"

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

static int attributes(struct ck_aws_read *w, struct ck_task *actual, const char *arn,
                      struct ck_err *err)
{
    const struct ck_val *reply;
    struct ck_val *log = ck_map(w->a);
    int r = CK_AWS_QUERY(w, "elbv2", "DescribeLoadBalancerAttributes", &reply, err,
                         "LoadBalancerArn", arn);
    if (r)
        return r;
    const struct ck_val *list = ck_aws_items(w, reply, "Attributes");
    ck_set_bool(w->a, log, "Enabled", false);
    ck_set(w->a, log, "S3BucketName", ck_null(w->a));
    ck_set(w->a, log, "S3BucketPrefix", ck_null(w->a));
    for (size_t i = 0; i < ck_len(list); i++) {
        const char *key = ck_str_at(ck_item(list, i), "Key");
        const char *value = ck_str_at(ck_item(list, i), "Value");
        if (!strcmp(key, "load_balancing.cross_zone.enabled"))
            ck_task_bool(actual, "CrossZoneLoadBalancing", !strcmp(value, "true"));
        else if (!strcmp(key, "access_logs.s3.enabled"))
            ck_set_bool(w->a, log, "Enabled", !strcmp(value, "true"));
        else if (!strcmp(key, "access_logs.s3.bucket") && *value)
            ck_set_str(w->a, log, "S3BucketName", value);
        else if (!strcmp(key, "access_logs.s3.prefix") && *value)
            ck_set_str(w->a, log, "S3BucketPrefix", value);
    }
    ck_task_val(actual, "AccessLog", log);
    return 0;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    int r = CK_AWS_QUERY(w, "elbv2", "DescribeLoadBalancers", &reply, err, "Names.member.1",
                         ck_task_get_str(t, "LoadBalancerBaseName"));
    if (r)
        return r == -CK_NOT_FOUND ? (ck_err_done(err), 0) : r;
    const struct ck_val *v = ck_item(ck_aws_items(w, reply, "LoadBalancers"), 0);
    if (!v)
        return 0;
    struct ck_task *actual = *ret = ck_aws_actual(w, t);
    const char *arn = ck_str_at(v, "LoadBalancerArn");
    ck_aws_found(w, t, arn);
    ck_aws_take(actual, "LoadBalancerBaseName", v, "LoadBalancerName");
    ck_aws_take(actual, "DNSName", v, "DNSName");
    ck_aws_found_dns(w, t, ck_str_at(v, "DNSName"));
    ck_aws_take(actual, "Scheme", v, "Scheme");
    ck_aws_take(actual, "Type", v, "Type");
    ck_aws_take(actual, "IpAddressType", v, "IpAddressType");
    ck_aws_take_ref(w, actual, t, "VPC", ck_str_at(v, "VpcId"));
    struct ck_val *subnets = ck_list(w->a);
    const struct ck_val *zones = ck_aws_items(w, v, "AvailabilityZones");
    for (size_t i = 0; i < ck_len(zones); i++)
        ck_append(w->a, subnets, ck_get(ck_item(zones, i), "SubnetId"));
    ck_aws_take_refs(w, actual, t, "SubnetMappings", subnets);
    ck_aws_take_refs(w, actual, t, "SecurityGroups", ck_aws_items(w, v, "SecurityGroups"));
    /* Told to nobody: taken as wanted. */
    ck_task_val(actual, "WellKnownServices", ck_task_get(t, "WellKnownServices"));
    ck_task_val(actual, "SubnetSettings", ck_task_get(t, "SubnetSettings"));
    r = attributes(w, actual, arn, err);
    return r ? r : ck_aws_take_elb_tags(w, actual, arn, err);
}

static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    static const struct ck_aws_elb_list l = {"DescribeLoadBalancers", "LoadBalancers",
                                             "LoadBalancerArn", NULL};
    return ck_aws_elb_extras(world, wanted, &ck_aws_network_balancer, &l, ret, err);
}

const struct ck_task_kind ck_aws_network_balancer = {
    .name = "NetworkLoadBalancer",
    .fields = fields,
    .id_is_name = true,
    .link = link,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
