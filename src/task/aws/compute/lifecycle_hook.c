/* A lifecycle hook of an autoscaling group; a disabled one goes. kOps
 * awstasks/autoscalinglifecyclehook.go. */
#include "task/aws/find.h"

#include <string.h>

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

static const char *hook_name(const struct ck_task *t)
{
    return ck_task_has(t, "HookName") ? ck_task_get_str(t, "HookName") : t->name;
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    if (!ck_task_get_bool(t, "Enabled", true))
        return 0;
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_autoscaling_lifecycle_hook", t->name);
    ck_tf_str(b, "name", hook_name(t));
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

static int list(struct ck_aws_read *w, const char *group, const struct ck_val **ret,
                struct ck_err *err)
{
    const struct ck_val *reply;
    int r = CK_AWS_QUERY(w, "autoscaling", "DescribeLifecycleHooks", &reply, err,
                         "AutoScalingGroupName", group);
    *ret = r ? NULL : ck_aws_items(w, reply, "LifecycleHooks");
    return r;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *hooks;
    const char *group = ck_aws_ref_id(w, t, "AutoscalingGroup");
    const char *name = hook_name(t);
    if (!group)
        return 0;
    int r = list(w, group, &hooks, err);
    for (size_t i = 0; i < ck_len(hooks); i++) {
        const struct ck_val *v = ck_item(hooks, i);
        if (!ck_is_str(ck_get(v, "LifecycleHookName"), name))
            continue;
        struct ck_task *actual = *ret = ck_aws_actual(w, t);
        ck_task_str(actual, "ID", t->name);
        if (ck_task_has(t, "HookName"))
            ck_task_str(actual, "HookName", name);
        ck_aws_take_ref(w, actual, t, "AutoscalingGroup", group);
        ck_aws_take(actual, "DefaultResult", v, "DefaultResult");
        ck_aws_take(actual, "HeartbeatTimeout", v, "HeartbeatTimeout");
        ck_aws_take(actual, "LifecycleTransition", v, "LifecycleTransition");
        ck_task_bool(actual, "Enabled", true);
    }
    return r;
}

/* Names of hooks that are made here; others are somebody else's. */
static bool is_ours(const char *name)
{
    return !strcmp(name, "kops-warmpool") || ck_str_ends(name, "-NTHLifecycleHook");
}

/* A task that switches a hook off finds it as changed. */
static bool is_known(const struct ck_tasks *wanted, const struct ck_task *group, const char *name)
{
    size_t at = 0;
    for (const struct ck_task *t; (t = ck_aws_next(wanted, &ck_aws_lifecycle_hook, &at));)
        if (ck_task_get_ref(t, "AutoscalingGroup") == group && !strcmp(hook_name(t), name))
            return true;
    return false;
}

static void look(struct ck_aws_read *w, const struct ck_tasks *wanted, const struct ck_task *group,
                 const struct ck_val *item, struct ck_extras *ret)
{
    (void)w;
    const char *name = ck_str_at(item, "LifecycleHookName");
    if (is_ours(name) && !is_known(wanted, group, name))
        ck_extras_add(ret, &ck_aws_lifecycle_hook, name, group->name, false);
}

static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    static const struct ck_aws_children c = {&ck_aws_autoscaling_group, list, look};
    return ck_aws_child_extras(world, wanted, &c, ret, err);
}

const struct ck_task_kind ck_aws_lifecycle_hook = {
    .name = "AutoscalingLifecycleHook",
    .fields = fields,
    .unwanted = unwanted,
    .id_is_name = true,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
