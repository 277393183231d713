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

/* Profiles of the cluster that no task wants: reports each, or the role in each. */
static int left_over(struct ck_aws_read *w, const struct ck_tasks *wanted, bool roles,
                     struct ck_extras *ret, struct ck_err *err)
{
    const struct ck_val *reply, *one;
    const char *end = ck_arena_printf(w->a, ".%s", w->cluster);
    int r = ck_aws_query(w, "iam", "ListInstanceProfiles", NULL, &reply, err);
    const struct ck_val *list = r ? NULL : ck_aws_items(w, reply, "InstanceProfiles");
    for (size_t i = 0; i < ck_len(list) && !r; i++) {
        const char *name = ck_str_at(ck_item(list, i), "InstanceProfileName");
        if (!ck_str_ends(name, end) || ck_tasks_find(wanted, &ck_aws_instance_profile, name))
            continue;
        r = profile(w, name, &one, err);
        if (r || !ck_aws_owned(w, ck_aws_tag_map(w, ck_get(one, "Tags"))))
            continue;
        const struct ck_val *role = ck_item(ck_aws_items(w, one, "Roles"), 0);
        if (!roles)
            ck_extras_add(ret, &ck_aws_instance_profile, name, NULL, false);
        else if (role)
            ck_extras_add(ret, &ck_aws_instance_profile_role, name, ck_str_at(role, "RoleName"),
                          false);
    }
    return r;
}

static int profile_extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                          struct ck_err *err)
{
    return left_over(world, wanted, false, ret, err);
}

const struct ck_task_kind ck_aws_instance_profile = {
    .name = "IAMInstanceProfile",
    .fields = profile_fields,
    .id_is_name = true,
    .link = link,
    .find = find_profile,
    .extras = profile_extras,
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

static int role_extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                       struct ck_err *err)
{
    return left_over(world, wanted, true, ret, err);
}

const struct ck_task_kind ck_aws_instance_profile_role = {
    .name = "IAMInstanceProfileRole",
    .fields = role_fields,
    .terraform = terraform,
    .find = find_role,
    .extras = role_extras,
};
