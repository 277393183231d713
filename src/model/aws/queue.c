/* The queue of the node termination handler and the events that go there.
 *
 * Source: shared facts update-cluster-aws.md §17; kOps
 * pkg/model/awsmodel/nodeterminationhandler.go. */
#include "model/aws/builders.h"

#include <string.h>

enum { RETENTION_SECONDS = 300, MAX_RULE = 40, HOOK_SECONDS = 300 };

/* Literal texts: kOps compares and writes them as they are. */
static const struct {
    const char *name, *pattern;
} EVENTS[] = {
    {"ASGLifecycle",
     "{\"source\":[\"aws.autoscaling\"],\"detail-type\":[\"EC2 Instance-terminate Lifecycle "
     "Action\"]}"},
    {"SpotInterruption",
     "{\"source\": [\"aws.ec2\"],\"detail-type\": [\"EC2 Spot Instance Interruption Warning\"]}"},
    {"InstanceStateChange",
     "{\"source\": [\"aws.ec2\"],\"detail-type\": [\"EC2 Instance State-change Notification\"]}"},
    {"InstanceScheduledChange",
     "{\"source\": [\"aws.health\"],\"detail-type\": [\"AWS Health Event\"],\"detail\": "
     "{\"service\": [\"EC2\"],\"eventTypeCategory\": [\"scheduledChange\"]}}"},
    {"RebalanceRecommendation",
     "{\"source\": [\"aws.ec2\"],\"detail-type\": [\"EC2 Instance Rebalance Recommendation\"]}"},
};
enum { N_EVENTS = sizeof EVENTS / sizeof *EVENTS };

static struct ck_slice policy(const struct ck_model *m, const char *queue)
{
    return ck_slice_of(
        ck_arena_printf(m->a,
                        "{\n  \"Statement\": [\n    {\n      \"Action\": \"sqs:SendMessage\",\n"
                        "      \"Effect\": \"Allow\",\n      \"Principal\": {\n"
                        "        \"Service\": [\n          \"events.amazonaws.com\",\n"
                        "          \"sqs.amazonaws.com\"\n        ]\n      },\n"
                        "      \"Resource\": \"arn:%s:sqs:%s:%s:%s\"\n    }\n  ],\n"
                        "  \"Version\": \"2012-10-17\"\n}",
                        m->partition, m->region, m->account, queue));
}

static void events(struct ck_model *m, const char *queue)
{
    bool rebalance = ck_bool_at(m->spec, "nodeTerminationHandler.enableRebalanceDraining", false);
    const char *prefix = ck_model_truncate(m->a, m->name, MAX_RULE, false);
    for (size_t i = 0; i < N_EVENTS; i++) {
        if (!strcmp(EVENTS[i].name, "RebalanceRecommendation") && !rebalance)
            continue;
        const char *name = ck_arena_printf(m->a, "%s-%s", prefix, EVENTS[i].name);
        struct ck_task *t = ck_task_new(m->tasks, &ck_aws_event_rule, name, m->cluster);
        ck_task_str(t, "EventPattern", EVENTS[i].pattern);
        ck_task_ref(t, "SQSQueue", &ck_aws_sqs, queue);
        ck_task_val(t, "Tags", ck_aws_tags(m, name, false));
        t = ck_task_new(m->tasks, &ck_aws_event_target, ck_arena_printf(m->a, "%s-Target", name),
                        m->cluster);
        ck_task_ref(t, "Rule", &ck_aws_event_rule, name);
        ck_task_ref(t, "SQSQueue", &ck_aws_sqs, queue);
    }
}

static void hook(struct ck_model *m, const struct ck_object *group)
{
    const char *name = ck_arena_printf(m->a, "%s-NTHLifecycleHook", ck_object_name(group));
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_lifecycle_hook, name, m->cluster);
    ck_task_str(t, "ID", name);
    ck_task_ref(t, "AutoscalingGroup", &ck_aws_autoscaling_group, ck_model_group_name(m, group));
    ck_task_str(t, "DefaultResult", "CONTINUE");
    ck_task_int(t, "HeartbeatTimeout", HOOK_SECONDS);
    ck_task_str(t, "LifecycleTransition", "autoscaling:EC2_INSTANCE_TERMINATING");
    ck_task_bool(t, "Enabled", true);
}

int ck_aws_build_termination_queue(struct ck_model *m, struct ck_err *err)
{
    if (!ck_aws_uses_queue(m))
        return 0;
    for (size_t i = 0; i < m->n_groups; i++)
        if (!ck_model_is_karpenter(&m->groups[i]))
            hook(m, &m->groups[i]);
    const char *queue = ck_aws_queue_name(m);
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_sqs, queue, m->cluster);
    ck_task_int(t, "MessageRetentionPeriod", RETENTION_SECONDS);
    ck_task_bytes(t, "Policy", policy(m, queue));
    ck_task_val(t, "Tags", ck_aws_tags(m, queue, false));
    events(m, queue);
    return 0;
}
