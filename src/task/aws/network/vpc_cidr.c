/* An additional range of the VPC. kOps awstasks/vpc_cidrblock.go. */
#include "task/aws/find.h"

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

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    const char *vpc = ck_aws_ref_id(w, t, "VPC"), *cidr = ck_task_get_str(t, "CIDRBlock");
    int r = ck_aws_query(w, "ec2", "DescribeVpcs", NULL, &reply, err);
    const struct ck_val *items = r ? NULL : ck_aws_items(w, reply, "vpcSet");
    for (size_t i = 0; vpc && i < ck_len(items); i++) {
        const struct ck_val *blocks = ck_aws_items(w, ck_item(items, i), "cidrBlockAssociationSet");
        for (size_t k = 0; k < ck_len(blocks); k++) {
            if (!ck_is_str(ck_get(ck_item(items, i), "vpcId"), vpc) ||
                !ck_is_str(ck_get(ck_item(blocks, k), "cidrBlock"), cidr))
                continue;
            *ret = ck_aws_actual(w, t);
            ck_aws_take_ref(w, *ret, t, "VPC", vpc);
            ck_task_str(*ret, "CIDRBlock", cidr);
            ck_task_bool(*ret, "Shared", ck_aws_shared(t));
        }
    }
    return r;
}

const struct ck_task_kind ck_aws_vpc_cidr = {
    .name = "VPCCIDRBlock",
    .fields = fields,
    .terraform = terraform,
    .find = find,
};
