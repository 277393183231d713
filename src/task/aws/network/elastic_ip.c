/* A public address that stays. kOps awstasks/elastic_ip.go. */
#include "task/aws/find.h"

static const struct ck_task_field fields[] = {
    CK_F_ID,
    CK_F_STR("PublicIP"),
    CK_F_MAP("Tags"),
    CK_F_REF("AssociatedNatGatewayRouteTable"),
    CK_F_BOOL("Shared"),
    CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_aws_link(tf, t, "aws_eip");
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    if (ck_aws_shared(t))
        return 0;
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_eip", t->name);
    ck_tf_str(b, "domain", "vpc");
    ck_tf_field(b, "tags", t, "Tags");
    return 0;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *v;
    int r = ck_aws_ec2_one(w, t, "DescribeAddresses", "addressesSet", "allocationId", &v, err);
    if (r || !v)
        return r;
    struct ck_task *actual = *ret = ck_aws_actual(w, t);
    ck_aws_take(actual, "ID", v, "allocationId");
    ck_aws_take(actual, "PublicIP", v, "publicIp");
    ck_task_bool(actual, "Shared", ck_aws_shared(t));
    ck_aws_take_tags(w, actual, ck_get(v, "tagSet"));
    return 0;
}

static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    static const struct ck_aws_ec2_list l = {
        .action = "DescribeAddresses", .set = "addressesSet", .id_key = "allocationId"};
    return ck_aws_ec2_extras(world, wanted, &ck_aws_elastic_ip, &l, ret, err);
}

const struct ck_task_kind ck_aws_elastic_ip = {
    .name = "ElasticIP",
    .fields = fields,
    .link = link,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
