/* The profile through which instances get their role. Terraform makes it together with its role.
 * kOps awstasks/iaminstanceprofile.go, iaminstanceprofilerole.go. */
#include "task/aws/find.h"

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

/* *ret NULL: there is none. */
static int profile(struct ck_aws_read *w, const char *name, const struct ck_val **ret,
                   struct ck_err *err)
{
    *ret = NULL;
    int r = CK_AWS_QUERY(w, "iam", "GetInstanceProfile", ret, err, "InstanceProfileName", name);
    if (r)
        return r == -CK_NOT_FOUND ? (ck_err_done(err), 0) : r;
    *ret = ck_get(*ret, "InstanceProfile");
    return 0;
}

static int find_profile(void *world, const struct ck_task *t, struct ck_task **ret,
                        struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    int r = profile(w, t->name, &reply, err);
    if (r || !reply)
        return r;
    struct ck_task *actual = *ret = ck_aws_actual(w, t);
    ck_aws_found(w, t, t->name);
    ck_aws_take(actual, "ID", reply, "InstanceProfileId");
    ck_task_bool(actual, "Shared", ck_aws_shared(t));
    ck_aws_take_tags(w, actual, ck_get(reply, "Tags"));
    return 0;
}

const struct ck_task_kind ck_aws_instance_profile = {
    .name = "IAMInstanceProfile",
    .fields = profile_fields,
    .id_is_name = true,
    .link = link,
    .find = find_profile,
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

static int find_role(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    const struct ck_task *owner = ck_task_get_ref(t, "InstanceProfile");
    int r = owner ? profile(w, owner->name, &reply, err) : 0;
    const struct ck_val *role = r || !owner ? NULL : ck_item(ck_aws_items(w, reply, "Roles"), 0);
    if (!role)
        return r;
    *ret = ck_aws_actual(w, t);
    ck_aws_take_ref(w, *ret, t, "InstanceProfile", owner->name);
    ck_aws_take_ref(w, *ret, t, "Role", ck_str_at(role, "RoleName"));
    return 0;
}

const struct ck_task_kind ck_aws_instance_profile_role = {
    .name = "IAMInstanceProfileRole",
    .fields = role_fields,
    .terraform = terraform,
    .find = find_role,
};
