/* A role, and the outputs that name it. kOps awstasks/iamrole.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_ID,          CK_F_BYTES("RolePolicyDocument"), CK_F_STR("PermissionsBoundary"),
    CK_F_MAP("Tags"), CK_F_STR("ExportWithID"),         CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_tf_link(tf, "aws_iam_role", t->name, "name");
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_iam_role", t->name);
    ck_tf_str(b, "name", t->name);
    ck_tf_file(b, "assume_role_policy", t->name, "policy",
               ck_task_get_bytes(t, "RolePolicyDocument"));
    ck_tf_field(b, "permissions_boundary", t, "PermissionsBoundary");
    ck_tf_field(b, "tags", t, "Tags");
    const char *id = ck_task_get_str(t, "ExportWithID");
    if (*id) {
        ck_tf_output(tf, ck_arena_printf(tf->a, "%s_role_arn", id),
                     ck_tf_link(tf, "aws_iam_role", t->name, "arn"));
        ck_tf_output(tf, ck_arena_printf(tf->a, "%s_role_name", id), link(tf, t));
    }
    return 0;
}

const struct ck_task_kind ck_aws_iam_role = {
    .name = "IAMRole",
    .fields = fields,
    .link = link,
    .terraform = terraform,
};
