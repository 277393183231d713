/* A security group, and the outputs that list those of a role. kOps awstasks/securitygroup.go. */
#include "task/aws/find.h"

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

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    const char *vpc = ck_aws_ref_id(w, t, "VPC"), *id = ck_task_get_str(t, "ID");
    int r = ck_aws_query(w, "ec2", "DescribeSecurityGroups", NULL, &reply, err);
    const struct ck_val *items = r ? NULL : ck_aws_items(w, reply, "securityGroupInfo");
    for (size_t i = 0; i < ck_len(items); i++) {
        const struct ck_val *v = ck_item(items, i);
        bool ours =
            vpc && ck_is_str(ck_get(v, "groupName"), t->name) && ck_is_str(ck_get(v, "vpcId"), vpc);
        if (ck_aws_shared(t) ? !ck_is_str(ck_get(v, "groupId"), id) : !ours)
            continue;
        struct ck_task *actual = *ret = ck_aws_actual(w, t);
        ck_aws_found(w, t, ck_str_at(v, "groupId"));
        ck_aws_take(actual, "ID", v, "groupId");
        ck_aws_take(actual, "Description", v, "groupDescription");
        ck_aws_take_ref(w, actual, t, "VPC", ck_str_at(v, "vpcId"));
        ck_aws_take_tags(w, actual, ck_get(v, "tagSet"));
        ck_task_bool(actual, "Shared", ck_aws_shared(t));
        ck_task_val(actual, "RemoveExtraRules", ck_task_get(t, "RemoveExtraRules"));
    }
    return r;
}

static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    static const struct ck_aws_ec2_list l = {
        .action = "DescribeSecurityGroups", .set = "securityGroupInfo", .id_key = "groupId"};
    return ck_aws_ec2_extras(world, wanted, &ck_aws_security_group, &l, ret, err);
}

const struct ck_task_kind ck_aws_security_group = {
    .name = "SecurityGroup",
    .fields = fields,
    .link = link,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
