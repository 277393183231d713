/* A lifecycle hook of an autoscaling group; a disabled one goes. kOps
 * awstasks/autoscalinglifecyclehook.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_ID,
    CK_F_STR("HookName"),
    CK_F_REF("AutoscalingGroup"),
    CK_F_STR("DefaultResult"),
    CK_F_INT("HeartbeatTimeout"),
    CK_F_STR("LifecycleTransition"),
    CK_F_BOOL("Enabled"),
    CK_F_END,
};

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    if (!ck_task_get_bool(t, "Enabled", true))
        return 0;
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_autoscaling_lifecycle_hook", t->name);
    ck_tf_str(b, "name", ck_task_has(t, "HookName") ? ck_task_get_str(t, "HookName") : t->name);
    ck_tf_ref(b, "autoscaling_group_name", t, "AutoscalingGroup");
    ck_tf_field(b, "default_result", t, "DefaultResult");
    ck_tf_field(b, "heartbeat_timeout", t, "HeartbeatTimeout");
    ck_tf_field(b, "lifecycle_transition", t, "LifecycleTransition");
    return 0;
}

static bool unwanted(const struct ck_task *t)
{
    return !ck_task_get_bool(t, "Enabled", true);
}

const struct ck_task_kind ck_aws_lifecycle_hook = {
    .name = "AutoscalingLifecycleHook",
    .fields = fields,
    .unwanted = unwanted,
    .id_is_name = true,
    .terraform = terraform,
};
