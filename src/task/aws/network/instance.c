/* A NAT instance that the user brought: only ever referred to. kOps awstasks/instance.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_ID,
    CK_F_BOOL("Shared"),
    CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_aws_link(tf, t, "aws_instance");
}

const struct ck_task_kind ck_aws_instance = {
    .name = "Instance",
    .fields = fields,
    .link = link,
};
