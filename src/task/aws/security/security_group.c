/* A security group, and the outputs that list those of a role. kOps awstasks/securitygroup.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_ID,
    CK_F_STR("Description"),
    CK_F_REF("VPC"),
    CK_F_SET("RemoveExtraRules"),
    {"Shared", CK_FIELD_BOOL, CK_FIELD_ZERO_OFF},
    CK_F_MAP("Tags"),
    CK_F_OURS("ExportRole", CK_FIELD_STR),
    CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_aws_link(tf, t, "aws_security_group");
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    if (ck_aws_shared(t))
        return 0;
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_security_group", t->name);
    ck_tf_field(b, "description", t, "Description");
    ck_tf_str(b, "name", t->name);
    ck_tf_field(b, "tags", t, "Tags");
    ck_tf_ref(b, "vpc_id", t, "VPC");
    return 0;
}

const struct ck_task_kind ck_aws_security_group = {
    .name = "SecurityGroup",
    .fields = fields,
    .link = link,
    .terraform = terraform,
};
