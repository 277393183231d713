/* The virtual network. A shared one is read as a data source. kOps awstasks/vpc.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_ID,
    CK_F_STR("CIDR"),
    CK_F_BOOL("AmazonIPv6"),
    CK_F_STR("IPv6CIDR"),
    CK_F_BOOL("EnableDNSHostnames"),
    CK_F_BOOL("EnableDNSSupport"),
    CK_F_BOOL("Shared"),
    CK_F_MAP("Tags"),
    {"AssociateExtraCIDRBlocks", CK_FIELD_STRS, CK_FIELD_HIDDEN},
    CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_aws_link(tf, t, "aws_vpc");
}

/* The three outputs about ranges, from the resource or from the data source. */
static void outputs(struct ck_tf *tf, const struct ck_task *t, const char *prefix)
{
    const char *name = ck_tf_sanitize(tf->a, t->name);
    ck_tf_output(tf, "vpc_id", link(tf, t));
    ck_tf_output(tf, "vpc_cidr_block",
                 ck_arena_printf(tf->a, "%saws_vpc.%s.cidr_block", prefix, name));
    ck_tf_output(tf, "vpc_ipv6_cidr_block",
                 ck_arena_printf(tf->a, "%saws_vpc.%s.ipv6_cidr_block", prefix, name));
    ck_tf_output(tf, "vpc_ipv6_cidr_length",
                 "local.vpc_ipv6_cidr_block == \"\" ? null : "
                 "tonumber(regex(\".*/(\\\\d+)\", local.vpc_ipv6_cidr_block)[0])");
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    if (ck_aws_shared(t)) {
        outputs(tf, t, "data.");
        ck_tf_field(ck_tf_data(tf, "aws_vpc", t->name), "id", t, "ID");
        return 0;
    }
    outputs(tf, t, "");
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_vpc", t->name);
    ck_tf_field(b, "assign_generated_ipv6_cidr_block", t, "AmazonIPv6");
    ck_tf_field(b, "cidr_block", t, "CIDR");
    ck_tf_field(b, "enable_dns_hostnames", t, "EnableDNSHostnames");
    ck_tf_field(b, "enable_dns_support", t, "EnableDNSSupport");
    ck_tf_field(b, "tags", t, "Tags");
    return 0;
}

const struct ck_task_kind ck_aws_vpc = {
    .name = "VPC",
    .fields = fields,
    .link = link,
    .terraform = terraform,
};
