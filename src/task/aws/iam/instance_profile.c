/* The profile through which instances get their role. Terraform makes it together with its role.
 * kOps awstasks/iaminstanceprofile.go, iaminstanceprofilerole.go. */
#include "task/aws/aws.h"

static const struct ck_task_field profile_fields[] = {
    CK_F_MAP("Tags"),
    CK_F_ID,
    CK_F_BOOL("Shared"),
    CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_aws_shared(t) ? ck_tf_quote(tf, t->name)
                            : ck_tf_link(tf, "aws_iam_instance_profile", t->name, "id");
}

const struct ck_task_kind ck_aws_instance_profile = {
    .name = "IAMInstanceProfile",
    .fields = profile_fields,
    .id_is_name = true,
    .link = link,
};

static const struct ck_task_field role_fields[] = {
    CK_F_REF("InstanceProfile"),
    CK_F_REF("Role"),
    CK_F_END,
};

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    const struct ck_task *profile = ck_task_get_ref(t, "InstanceProfile");
    if (!profile)
        return ck_fail(err, CK_INTERNAL, "%s/%s has no profile", t->kind->name, t->name);
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_iam_instance_profile", profile->name);
    ck_tf_str(b, "name", profile->name);
    ck_tf_ref(b, "role", t, "Role");
    ck_tf_field(b, "tags", profile, "Tags");
    return 0;
}

const struct ck_task_kind ck_aws_instance_profile_role = {
    .name = "IAMInstanceProfileRole",
    .fields = role_fields,
    .terraform = terraform,
};
