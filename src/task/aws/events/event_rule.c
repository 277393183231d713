/* Which events go to the queue. kOps awstasks/eventbridgerule.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_ID, CK_F_STR("EventPattern"), CK_F_REF("SQSQueue"), CK_F_MAP("Tags"), CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_tf_link(tf, "aws_cloudwatch_event_rule", t->name, "id");
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_cloudwatch_event_rule", t->name);
    ck_tf_str(b, "name", t->name);
    ck_tf_file(b, "event_pattern", t->name, "event_pattern",
               ck_slice_of(ck_task_get_str(t, "EventPattern")));
    ck_tf_field(b, "tags", t, "Tags");
    return 0;
}

const struct ck_task_kind ck_aws_event_rule = {
    .name = "EventBridgeRule",
    .fields = fields,
    .id_is_name = true,
    .link = link,
    .terraform = terraform,
};
