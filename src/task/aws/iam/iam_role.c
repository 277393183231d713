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

/* Roles of a cluster end with its name; their tags are told one by one. */
static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply, *one;
    const char *end = ck_arena_printf(w->a, ".%s", w->cluster);
    int r = ck_aws_query(w, "iam", "ListRoles", NULL, &reply, err);
    const struct ck_val *list = r ? NULL : ck_aws_items(w, reply, "Roles");
    for (size_t i = 0; i < ck_len(list) && !r; i++) {
        const char *name = ck_str_at(ck_item(list, i), "RoleName");
        if (!ck_str_ends(name, end) || ck_tasks_find(wanted, &ck_aws_iam_role, name))
            continue;
        r = CK_AWS_QUERY(w, "iam", "GetRole", &one, err, "RoleName", name);
        if (!r && ck_aws_owned(w, ck_aws_tag_map(w, ck_at(one, "Role.Tags"))))
            ck_extras_add(ret, &ck_aws_iam_role, name, NULL, false);
    }
    return r;
}

const struct ck_task_kind ck_aws_iam_role = {
    .name = "IAMRole",
    .fields = fields,
    .link = link,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
