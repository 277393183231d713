/* Roles, their policies and instance profiles, by role of the groups.
 *
 * Source: shared facts update-cluster-aws.md §10; kOps pkg/model/awsmodel/iam.go. */
#include "model/aws/policy.h"

#include "model/aws/builders.h"

#include <stdlib.h>
#include <string.h>

/* spec.externalPolicies and spec.additionalPolicies name roles so. */
static const char *policy_key(enum ck_role role)
{
    static const char *const keys[] = {
        [CK_ROLE_CONTROL_PLANE] = "master",
        [CK_ROLE_API_SERVER] = "apiserver",
        [CK_ROLE_NODE] = "node",
        [CK_ROLE_BASTION] = "bastion",
    };
    return keys[role];
}

static struct ck_slice trust(const struct ck_model *m)
{
    bool china = !strcmp(m->partition, "aws-cn");
    return ck_slice_of(
        ck_arena_printf(m->a,
                        "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n"
                        "      \"Effect\": \"Allow\",\n"
                        "      \"Principal\": { \"Service\": \"ec2.amazonaws.com%s\"},\n"
                        "      \"Action\": \"sts:AssumeRole\"\n    }\n  ]\n}",
                        china ? ".cn" : ""));
}

static const struct ck_val *sorted(const struct ck_model *m, const struct ck_val *list)
{
    size_t n = ck_len(list);
    const char **v = ck_arena_alloc(m->a, (n + 1) * sizeof *v);
    struct ck_val *out = ck_list(m->a);
    for (size_t i = 0; i < n; i++)
        v[i] = ck_str_or(ck_item(list, i), "");
    qsort(v, n, sizeof *v, ck_text_cmp);
    for (size_t i = 0; i < n; i++)
        ck_append_str(m->a, out, v[i]);
    return out;
}

/* Managed policies the user attaches. */
static void external(struct ck_model *m, enum ck_role role, const char *role_task)
{
    const char *key = policy_key(role);
    const struct ck_val *arns = ck_get(ck_get(m->spec, "externalPolicies"), key);
    const char *name = ck_arena_printf(m->a, "%s-policyoverride", key);
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_iam_role_policy, name, m->security);
    ck_task_ref(t, "Role", &ck_aws_iam_role, role_task);
    ck_task_bool(t, "Managed", true);
    ck_task_val(t, "ExternalPolicies", sorted(m, arns));
}

static int additional(struct ck_model *m, enum ck_role role, const char *role_task,
                      struct ck_err *err)
{
    const char *text =
        ck_str_or(ck_get(ck_get(m->spec, "additionalPolicies"), policy_key(role)), "");
    const char *name = ck_arena_printf(m->a, "additional.%s", role_task);
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_iam_role_policy, name, m->security);
    struct ck_slice document = {"", 0};
    ck_task_ref(t, "Role", &ck_aws_iam_role, role_task);
    ck_task_bool(t, "Managed", false);
    if (*text) {
        int r = ck_policy_of_statements(m, text, &document, err);
        if (r)
            return ck_wrap(err, "spec.additionalPolicies[%s]", policy_key(role));
    }
    ck_task_bytes(t, "PolicyDocument", document);
    return 0;
}

static int build_role(struct ck_model *m, enum ck_role role, struct ck_err *err)
{
    const char *name = ck_aws_role_task(m, role);
    const char *boundary = ck_str_at(m->spec, "iam.permissionsBoundary");
    struct ck_slice document;
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_iam_role, name, m->security);
    ck_task_bytes(t, "RolePolicyDocument", trust(m));
    ck_task_str(t, "PermissionsBoundary", *boundary ? boundary : NULL);
    ck_task_val(t, "Tags", ck_aws_tags(m, name, false));
    ck_task_str(t, "ExportWithID", ck_aws_role_plural(role));
    int r = ck_policy_of_role(m, role, &document, err);
    if (r)
        return r;
    t = ck_task_new(m->tasks, &ck_aws_iam_role_policy, name, m->security);
    ck_task_ref(t, "Role", &ck_aws_iam_role, name);
    ck_task_bytes(t, "PolicyDocument", document);
    ck_task_bool(t, "Managed", false);
    t = ck_task_new(m->tasks, &ck_aws_instance_profile, name, m->security);
    ck_task_bool(t, "Shared", false);
    ck_task_val(t, "Tags", ck_aws_tags(m, name, false));
    t = ck_task_new(m->tasks, &ck_aws_instance_profile_role, name, m->security);
    ck_task_ref(t, "InstanceProfile", &ck_aws_instance_profile, name);
    ck_task_ref(t, "Role", &ck_aws_iam_role, name);
    if (ck_len(ck_get(ck_get(m->spec, "externalPolicies"), policy_key(role))))
        external(m, role, name);
    if (ck_get(ck_get(m->spec, "additionalPolicies"), policy_key(role)))
        r = additional(m, role, name, err);
    return r;
}

static int user_profile(struct ck_model *m, const struct ck_object *group, struct ck_err *err)
{
    const char *arn = ck_str_at(group->root, "spec.iam.profile");
    const char *slash = strrchr(arn, '/');
    if (!ck_str_starts(arn, "arn:") || !slash || !slash[1])
        return ck_fail(err, CK_INVALID,
                       "instance group \"%s\": spec.iam.profile: \"%s\" is not the ARN of an "
                       "instance profile (arn:aws:iam::123456789012:instance-profile/NAME)",
                       ck_object_name(group), arn);
    struct ck_task *t = ck_task_ensure(m->tasks, &ck_aws_instance_profile, slash + 1, m->security);
    ck_task_bool(t, "Shared", true);
    return 0;
}

int ck_aws_build_iam(struct ck_model *m, struct ck_err *err)
{
    bool needed[CK_ROLE_BASTION + 1] = {false};
    for (size_t i = 0; i < m->n_all_groups; i++) {
        const struct ck_object *g = &m->all_groups[i];
        int r = 0;
        if (*ck_str_at(g->root, "spec.iam.profile"))
            r = user_profile(m, g, err);
        else
            needed[ck_model_role(g)] = true;
        if (r)
            return r;
    }
    for (enum ck_role role = CK_ROLE_CONTROL_PLANE; role <= CK_ROLE_BASTION; role++) {
        int r = needed[role] ? build_role(m, role, err) : 0;
        if (r)
            return r;
    }
    return 0;
}
