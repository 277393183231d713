/* The gateway to the internet. kOps awstasks/internetgateway.go. */
#include "task/aws/find.h"

static const struct ck_task_field fields[] = {
    CK_F_ID, CK_F_REF("VPC"), CK_F_BOOL("Shared"), CK_F_MAP("Tags"), CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_aws_link(tf, t, "aws_internet_gateway");
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    if (ck_aws_shared(t))
        return 0;
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_internet_gateway", t->name);
    ck_tf_field(b, "tags", t, "Tags");
    ck_tf_ref(b, "vpc_id", t, "VPC");
    return 0;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *v;
    int r = ck_aws_ec2_one(w, t, "DescribeInternetGateways", "internetGatewaySet",
                           "internetGatewayId", &v, err);
    if (r || !v)
        return r;
    struct ck_task *actual = *ret = ck_aws_actual(w, t);
    ck_aws_take(actual, "ID", v, "internetGatewayId");
    ck_task_bool(actual, "Shared", ck_aws_shared(t));
    ck_aws_take_tags(w, actual, ck_get(v, "tagSet"));
    const struct ck_val *attached = ck_aws_items(w, v, "attachmentSet");
    ck_aws_take_ref(w, actual, t, "VPC", ck_str_at(ck_item(attached, 0), "vpcId"));
    return 0;
}

static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    static const struct ck_aws_ec2_list l = {.action = "DescribeInternetGateways",
                                             .set = "internetGatewaySet",
                                             .id_key = "internetGatewayId"};
    return ck_aws_ec2_extras(world, wanted, &ck_aws_internet_gateway, &l, ret, err);
}

const struct ck_task_kind ck_aws_internet_gateway = {
    .name = "InternetGateway",
    .fields = fields,
    .link = link,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
