/* What a role may do: an inline document, or managed policies attached. kOps
 * awstasks/iamrolepolicy.go. */
#include "task/aws/aws.h"

#include <inttypes.h>

static const struct ck_task_field fields[] = {
    CK_F_ID,
    CK_F_REF("Role"),
    CK_F_BYTES("PolicyDocument"), /* empty: an existing policy goes */
    CK_F_STRS("ExternalPolicies"),
    CK_F_BOOL("Managed"),
    CK_F_END,
};

/* FNV-1a of 32 bits, in decimal: kOps names attachments so. */
static uint32_t hash_of(const char *s)
{
    uint32_t h = 2166136261U;
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 16777619U;
    return h;
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    const struct ck_val *external = ck_task_get(t, "ExternalPolicies");
    for (size_t i = 0; i < ck_len(external); i++) {
        const char *arn = ck_str_or(ck_item(external, i), "");
        struct ck_tf_block *b =
            ck_tf_resource(tf, "aws_iam_role_policy_attachment",
                           ck_arena_printf(tf->a, "%s-%" PRIu32, t->name, hash_of(arn)));
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

const struct ck_task_kind ck_aws_iam_role_policy = {
    .name = "IAMRolePolicy",
    .fields = fields,
    .unwanted = unwanted,
    .terraform = terraform,
};
