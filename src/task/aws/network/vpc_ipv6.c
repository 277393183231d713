/* The IPv6 range that AWS gives the VPC. Terraform gets it with the VPC itself. kOps
 * awstasks/vpc_amazonipv6cidrblock.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_REF("VPC"),
    CK_F_STR("CIDRBlock"),
    CK_F_BOOL("Shared"),
    CK_F_END,
};

const struct ck_task_kind ck_aws_vpc_ipv6 = {
    .name = "VPCAmazonIPv6CIDRBlock",
    .fields = fields,
};
