/* A NAT gateway of a zone. kOps awstasks/natgateway.go. */
#include "task/aws/find.h"

static const struct ck_task_field fields[] = {
    CK_F_REF("ElasticIP"),
    CK_F_REF("Subnet"),
    CK_F_ID,
    CK_F_STR("EgressId"),
    CK_F_BOOL("Shared"),
    CK_F_MAP("Tags"),
    CK_F_REF("AssociatedRouteTable"),
    CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_aws_link(tf, t, "aws_nat_gateway");
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    if (ck_aws_shared(t))
        return 0;
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_nat_gateway", t->name);
    ck_tf_ref(b, "allocation_id", t, "ElasticIP");
    ck_tf_ref(b, "subnet_id", t, "Subnet");
    ck_tf_field(b, "tags", t, "Tags");
    return 0;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *v;
    int r = ck_aws_ec2_one(w, t, "DescribeNatGateways", "natGatewaySet", "natGatewayId", &v, err);
    if (r || !v)
        return r;
    struct ck_task *actual = *ret = ck_aws_actual(w, t);
    ck_aws_take(actual, "ID", v, "natGatewayId");
    ck_task_bool(actual, "Shared", ck_aws_shared(t));
    ck_aws_take_tags(w, actual, ck_get(v, "tagSet"));
    ck_aws_take_ref(w, actual, t, "Subnet", ck_str_at(v, "subnetId"));
    const struct ck_val *addresses = ck_aws_items(w, v, "natGatewayAddressSet");
    ck_aws_take_ref(w, actual, t, "ElasticIP", ck_str_at(ck_item(addresses, 0), "allocationId"));
    return 0;
}

static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    static const struct ck_aws_ec2_list l = {
        .action = "DescribeNatGateways", .set = "natGatewaySet", .id_key = "natGatewayId"};
    return ck_aws_ec2_extras(world, wanted, &ck_aws_nat_gateway, &l, ret, err);
}

const struct ck_task_kind ck_aws_nat_gateway = {
    .name = "NatGateway",
    .fields = fields,
    .link = link,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
