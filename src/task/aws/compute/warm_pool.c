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

static bool unwanted(const struct ck_task *t)
{
    return !ck_task_get_bool(t, "Enabled", true);
}

const struct ck_task_kind ck_aws_warm_pool = {
    .name = "WarmPool",
    .fields = fields,
    .unwanted = unwanted,
    .id_is_name = true,
};
