/* Which route table a subnet uses. kOps awstasks/routetableassociation.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_REF("RouteTable"),
    CK_F_REF("Subnet"),
    CK_F_END,
};

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_route_table_association", t->name);
    ck_tf_ref(b, "route_table_id", t, "RouteTable");
    ck_tf_ref(b, "subnet_id", t, "Subnet");
    return 0;
}

const struct ck_task_kind ck_aws_route_table_association = {
    .name = "RouteTableAssociation",
    .fields = fields,
    .terraform = terraform,
};
