/* One rule of a security group. kOps awstasks/securitygrouprule.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_ID,
    CK_F_REF("SecurityGroup"),
    CK_F_STR("CIDR"),
    CK_F_STR("IPv6CIDR"),
    CK_F_STR("PrefixList"),
    CK_F_STR("Protocol"),
    CK_F_INT("FromPort"),
    CK_F_INT("ToPort"),
    CK_F_REF("SourceGroup"),
    CK_F_BOOL("Egress"),
    CK_F_MAP("Tags"),
    CK_F_END,
};

enum { ALL_PORTS = 65535 };

static void list_of_one(struct ck_tf_block *b, const char *key, const struct ck_task *t,
                        const char *field)
{
    if (!ck_task_has(t, field))
        return;
    const char *one = ck_tf_quote(b->tf, ck_task_get_str(t, field));
    ck_tf_exprs(b, key, &one, 1);
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_security_group_rule", t->name);
    bool any = !ck_task_has(t, "Protocol");
    ck_tf_str(b, "type", ck_task_get_bool(t, "Egress", false) ? "egress" : "ingress");
    ck_tf_ref(b, "security_group_id", t, "SecurityGroup");
    ck_tf_ref(b, "source_security_group_id", t, "SourceGroup");
    ck_tf_str(b, "protocol", any ? "-1" : ck_task_get_str(t, "Protocol"));
    ck_tf_int(b, "from_port", any ? 0 : ck_task_get_int(t, "FromPort", 0));
    ck_tf_int(b, "to_port", any ? 0 : ck_task_get_int(t, "ToPort", ALL_PORTS));
    list_of_one(b, "cidr_blocks", t, "CIDR");
    list_of_one(b, "ipv6_cidr_blocks", t, "IPv6CIDR");
    list_of_one(b, "prefix_list_ids", t, "PrefixList");
    return 0;
}

const struct ck_task_kind ck_aws_security_group_rule = {
    .name = "SecurityGroupRule",
    .fields = fields,
    .terraform = terraform,
};
