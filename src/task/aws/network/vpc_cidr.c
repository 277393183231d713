/* An additional range of the VPC. kOps awstasks/vpc_cidrblock.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_REF("VPC"),
    CK_F_STR("CIDRBlock"),
    CK_F_BOOL("Shared"),
    CK_F_END,
};

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    if (ck_aws_shared(t))
        return 0;
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_vpc_ipv4_cidr_block_association",
                                           ck_arena_printf(tf->a, "cidr-%s", t->name));
    ck_tf_field(b, "cidr_block", t, "CIDRBlock");
    ck_tf_ref(b, "vpc_id", t, "VPC");
    return 0;
}

const struct ck_task_kind ck_aws_vpc_cidr = {
    .name = "VPCCIDRBlock",
    .fields = fields,
    .terraform = terraform,
};
