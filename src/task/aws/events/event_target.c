/* The queue as target of an event rule. kOps awstasks/eventbridgetarget.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_ID,
    CK_F_REF("Rule"),
    CK_F_REF("SQSQueue"),
    CK_F_END,
};

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_cloudwatch_event_target", t->name);
    ck_tf_ref(b, "rule", t, "Rule");
    ck_tf_ref(b, "arn", t, "SQSQueue");
    return 0;
}

const struct ck_task_kind ck_aws_event_target = {
    .name = "EventBridgeTarget",
    .fields = fields,
    .terraform = terraform,
};
