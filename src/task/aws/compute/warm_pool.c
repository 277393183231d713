/* The warm pool of an autoscaling group. Terraform writes it inside the group. kOps
 * awstasks/warmpool.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_BOOL("Enabled"),
    CK_F_INT("MaxSize"),
    CK_F_INT("MinSize"),
    CK_F_REF("AutoscalingGroup"),
    CK_F_END,
};

const struct ck_task_kind ck_aws_warm_pool = {
    .name = "WarmPool",
    .fields = fields,
    .id_is_name = true,
};
