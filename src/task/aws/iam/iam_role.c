/* A role, and the outputs that name it. kOps awstasks/iamrole.go. */
#include "task/aws/find.h"

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

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    int r = CK_AWS_QUERY(w, "iam", "GetRole", &reply, err, "RoleName", t->name);
    if (r)
        return r == -CK_NOT_FOUND ? (ck_err_done(err), 0) : r;
    const struct ck_val *v = ck_get(reply, "Role");
    struct ck_task *actual = *ret = ck_aws_actual(w, t);
    ck_aws_found(w, t, t->name);
    ck_aws_take(actual, "ID", v, "RoleId");
    ck_aws_take(actual, "PermissionsBoundary", v, "PermissionsBoundary.PermissionsBoundaryArn");
    ck_task_bytes(
        actual, "RolePolicyDocument",
        ck_aws_same_json(w, t, "RolePolicyDocument", ck_str_at(v, "AssumeRolePolicyDocument")));
    ck_task_str(actual, "ExportWithID", ck_task_get_str(t, "ExportWithID"));
    ck_aws_take_tags(w, actual, ck_get(v, "Tags"));
    return 0;
}

const struct ck_task_kind ck_aws_iam_role = {
    .name = "IAMRole",
    .fields = fields,
    .link = link,
    .terraform = terraform,
    .find = find,
};
