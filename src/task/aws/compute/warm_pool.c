/* The warm pool of an autoscaling group. Terraform writes it inside the group. kOps
 * awstasks/warmpool.go. */
#include "task/aws/find.h"

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

/* The group of the same name tells. A pool that should not be is found as enabled, and so shown as
 * changed. */
static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    int r = CK_AWS_QUERY(w, "autoscaling", "DescribeAutoScalingGroups", &reply, err,
                         "AutoScalingGroupNames.member.1", t->name);
    const struct ck_val *group = r ? NULL : ck_item(ck_aws_items(w, reply, "AutoScalingGroups"), 0);
    const struct ck_val *v = ck_get(group, "WarmPoolConfiguration");
    if (!ck_is_map(v) || ck_is_str(ck_get(v, "Status"), "PendingDelete"))
        return r;
    struct ck_task *actual = *ret = ck_aws_actual(w, t);
    ck_task_bool(actual, "Enabled", true);
    ck_aws_take(actual, "MinSize", v, "MinSize");
    ck_aws_take(actual, "MaxSize", v, "MaxGroupPreparedCapacity");
    return 0;
}

const struct ck_task_kind ck_aws_warm_pool = {
    .name = "WarmPool",
    .fields = fields,
    .unwanted = unwanted,
    .id_is_name = true,
    .find = find,
};
