/* Which DHCP options the VPC uses. kOps awstasks/vpc_dhcpoptions_association.go. */
#include "task/aws/aws.h"

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

const struct ck_task_kind ck_aws_dhcp_association = {
    .name = "VPCDHCPOptionsAssociation",
    .fields = fields,
    .terraform = terraform,
};
