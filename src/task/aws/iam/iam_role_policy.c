/* What a role may do: an inline document, or managed policies attached. kOps
 * awstasks/iamrolepolicy.go. */
#include "task/aws/find.h"

#include <inttypes.h>

static const struct ck_task_field fields[] = {
    CK_F_ID,
    CK_F_REF("Role"),
    CK_F_BYTES("PolicyDocument"), /* empty: an existing policy goes */
    CK_F_SET("ExternalPolicies"),
    CK_F_BOOL("Managed"),
    CK_F_END,
};

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    const struct ck_val *external = ck_task_get(t, "ExternalPolicies");
    for (size_t i = 0; i < ck_len(external); i++) {
        const char *arn = ck_str_or(ck_item(external, i), "");
        struct ck_tf_block *b =
            ck_tf_resource(tf, "aws_iam_role_policy_attachment",
                           ck_arena_printf(tf->a, "%s-%" PRIu32, t->name,
                                           ck_fnv1a(ck_slice_of(arn)))); /* kOps names them so */
        ck_tf_str(b, "policy_arn", arn);
        ck_tf_ref(b, "role", t, "Role");
    }
    struct ck_slice document = ck_task_get_bytes(t, "PolicyDocument");
    if (!document.len)
        return 0;
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_iam_role_policy", t->name);
    ck_tf_str(b, "name", t->name);
    ck_tf_file(b, "policy", t->name, "policy", document);
    ck_tf_ref(b, "role", t, "Role");
    return 0;
}

/* An empty document and no managed policies: an existing policy goes. */
static bool unwanted(const struct ck_task *t)
{
    return !ck_task_get_bytes(t, "PolicyDocument").len &&
           !ck_len(ck_task_get(t, "ExternalPolicies"));
}

static int managed(struct ck_aws_read *w, const struct ck_task *t, const char *role,
                   struct ck_task **ret, struct ck_err *err)
{
    const struct ck_val *reply;
    struct ck_val *arns = ck_list(w->a);
    int r = CK_AWS_QUERY(w, "iam", "ListAttachedRolePolicies", &reply, err, "RoleName", role);
    if (r)
        return r == -CK_NOT_FOUND ? (ck_err_done(err), 0) : r;
    const struct ck_val *list = ck_aws_items(w, reply, "AttachedPolicies");
    for (size_t i = 0; i < ck_len(list); i++)
        ck_append(w->a, arns, ck_get(ck_item(list, i), "PolicyArn"));
    if (!ck_len(arns))
        return 0;
    *ret = ck_aws_actual(w, t);
    ck_aws_take_ref(w, *ret, t, "Role", role);
    ck_task_bool(*ret, "Managed", true);
    ck_task_val(*ret, "ExternalPolicies", arns);
    return 0;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    const char *role = ck_aws_ref_id(w, t, "Role");
    if (!role)
        return 0;
    if (ck_task_get_bool(t, "Managed", false))
        return managed(w, t, role, ret, err);
    int r = CK_AWS_QUERY(w, "iam", "GetRolePolicy", &reply, err, "RoleName", role, "PolicyName",
                         t->name);
    if (r)
        return r == -CK_NOT_FOUND ? (ck_err_done(err), 0) : r;
    *ret = ck_aws_actual(w, t);
    ck_aws_take_ref(w, *ret, t, "Role", role);
    ck_task_bool(*ret, "Managed", false);
    ck_task_bytes(*ret, "PolicyDocument",
                  ck_aws_same_json(w, t, "PolicyDocument", ck_str_at(reply, "PolicyDocument")));
    return 0;
}

static int list(struct ck_aws_read *w, const char *role, const struct ck_val **ret,
                struct ck_err *err)
{
    const struct ck_val *reply;
    int r = CK_AWS_QUERY(w, "iam", "ListRolePolicies", &reply, err, "RoleName", role);
    *ret = r ? NULL : ck_aws_items(w, reply, "PolicyNames");
    return r;
}

static void look(struct ck_aws_read *w, const struct ck_tasks *wanted, const struct ck_task *role,
                 const struct ck_val *item, struct ck_extras *ret)
{
    (void)w;
    const char *name = ck_str_or(item, "");
    if (!ck_tasks_find(wanted, &ck_aws_iam_role_policy, name))
        ck_extras_add(ret, &ck_aws_iam_role_policy, name, role->name, false);
}

/* Inline documents of the cluster's roles that no task writes. */
static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    static const struct ck_aws_children c = {&ck_aws_iam_role, list, look};
    return ck_aws_child_extras(world, wanted, &c, ret, err);
}

const struct ck_task_kind ck_aws_iam_role_policy = {
    .name = "IAMRolePolicy",
    .fields = fields,
    .unwanted = unwanted,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
