/* The IPv6 range that AWS gives the VPC. Terraform gets it with the VPC itself. kOps
 * awstasks/vpc_amazonipv6cidrblock.go. */
#include "task/aws/find.h"

static const struct ck_task_field fields[] = {
    CK_F_REF("VPC"),
    CK_F_STR("CIDRBlock"),
    CK_F_BOOL("Shared"),
    CK_F_END,
};

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    const char *vpc = ck_aws_ref_id(w, t, "VPC");
    int r = ck_aws_query(w, "ec2", "DescribeVpcs", NULL, &reply, err);
    const struct ck_val *items = r ? NULL : ck_aws_items(w, reply, "vpcSet");
    for (size_t i = 0; vpc && i < ck_len(items); i++) {
        const struct ck_val *v = ck_item(items, i);
        if (!ck_is_str(ck_get(v, "vpcId"), vpc) ||
            !ck_len(ck_aws_items(w, v, "ipv6CidrBlockAssociationSet")))
            continue;
        *ret = ck_aws_actual(w, t);
        ck_aws_take_ref(w, *ret, t, "VPC", vpc);
        ck_task_bool(*ret, "Shared", ck_aws_shared(t));
    }
    return r;
}

const struct ck_task_kind ck_aws_vpc_ipv6 = {
    .name = "VPCAmazonIPv6CIDRBlock",
    .fields = fields,
    .find = find,
};
