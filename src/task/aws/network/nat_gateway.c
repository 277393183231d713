/* A NAT gateway of a zone. kOps awstasks/natgateway.go. */
#include "task/aws/aws.h"

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

const struct ck_task_kind ck_aws_nat_gateway = {
    .name = "NatGateway",
    .fields = fields,
    .link = link,
    .terraform = terraform,
};
