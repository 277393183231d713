/* The queue of the node termination handler. kOps awstasks/sqs.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_STR("URL"),      CK_F_STR("ARN"),  CK_F_INT("MessageRetentionPeriod"),
    CK_F_BYTES("Policy"), CK_F_MAP("Tags"), CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_tf_link(tf, "aws_sqs_queue", t->name, "arn");
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_sqs_queue", t->name);
    ck_tf_str(b, "name", t->name);
    ck_tf_field(b, "message_retention_seconds", t, "MessageRetentionPeriod");
    ck_tf_file(b, "policy", t->name, "policy", ck_task_get_bytes(t, "Policy"));
    ck_tf_field(b, "tags", t, "Tags");
    return 0;
}

const struct ck_task_kind ck_aws_sqs = {
    .name = "SQS",
    .fields = fields,
    .link = link,
    .terraform = terraform,
};
