/* The gateway to the internet. kOps awstasks/internetgateway.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_ID, CK_F_REF("VPC"), CK_F_BOOL("Shared"), CK_F_MAP("Tags"), CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_aws_link(tf, t, "aws_internet_gateway");
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    if (ck_aws_shared(t))
        return 0;
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_internet_gateway", t->name);
    ck_tf_field(b, "tags", t, "Tags");
    ck_tf_ref(b, "vpc_id", t, "VPC");
    return 0;
}

const struct ck_task_kind ck_aws_internet_gateway = {
    .name = "InternetGateway",
    .fields = fields,
    .link = link,
    .terraform = terraform,
};
