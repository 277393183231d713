/* Which DHCP options the VPC uses. kOps awstasks/vpc_dhcpoptions_association.go. */
#include "task/aws/find.h"

static const struct ck_task_field fields[] = {
    CK_F_REF("VPC"),
    CK_F_REF("DHCPOptions"),
    CK_F_END,
};

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_vpc_dhcp_options_association", t->name);
    ck_tf_ref(b, "dhcp_options_id", t, "DHCPOptions");
    ck_tf_ref(b, "vpc_id", t, "VPC");
    return 0;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    const char *vpc = ck_aws_ref_id(w, t, "VPC");
    int r = ck_aws_query(w, "ec2", "DescribeVpcs", NULL, &reply, err);
    const struct ck_val *items = r ? NULL : ck_aws_items(w, reply, "vpcSet");
    for (size_t i = 0; vpc && i < ck_len(items); i++) {
        const struct ck_val *v = ck_item(items, i);
        const char *options = ck_str_at(v, "dhcpOptionsId");
        if (!ck_is_str(ck_get(v, "vpcId"), vpc) || !ck_aws_ref_id(w, t, "DHCPOptions"))
            continue;
        *ret = ck_aws_actual(w, t);
        ck_aws_take_ref(w, *ret, t, "VPC", vpc);
        ck_aws_take_ref(w, *ret, t, "DHCPOptions", options);
    }
    return r;
}

const struct ck_task_kind ck_aws_dhcp_association = {
    .name = "VPCDHCPOptionsAssociation",
    .fields = fields,
    .terraform = terraform,
    .find = find,
};
