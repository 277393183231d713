/* The virtual network. A shared one is read as a data source. kOps awstasks/vpc.go. */
#include "task/aws/find.h"

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

/* One of the two switches of a VPC, each of which takes a call. */
static int attribute(struct ck_aws_read *w, struct ck_task *actual, const char *field,
                     const char *name, struct ck_err *err)
{
    const struct ck_val *reply;
    int r = CK_AWS_QUERY(w, "ec2", "DescribeVpcAttribute", &reply, err, "VpcId",
                         ck_task_get_str(actual, "ID"), "Attribute", name);
    if (!r)
        ck_aws_take(actual, field, reply, ck_arena_printf(w->a, "%s.value", name));
    return r;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *v;
    int r = ck_aws_ec2_one(w, t, "DescribeVpcs", "vpcSet", "vpcId", &v, err);
    if (r || !v)
        return r;
    struct ck_task *actual = *ret = ck_aws_actual(w, t);
    ck_aws_take(actual, "ID", v, "vpcId");
    ck_aws_take(actual, "CIDR", v, "cidrBlock");
    ck_task_bool(actual, "Shared", ck_aws_shared(t));
    ck_aws_take_tags(w, actual, ck_get(v, "tagSet"));
    r = attribute(w, actual, "EnableDNSHostnames", "enableDnsHostnames", err);
    if (!r)
        r = attribute(w, actual, "EnableDNSSupport", "enableDnsSupport", err);
    if (r)
        return r;
    ck_task_bool(actual, "AmazonIPv6",
                 ck_len(ck_aws_items(w, v, "ipv6CidrBlockAssociationSet")) > 0);
    return 0;
}

static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    static const struct ck_aws_ec2_list l = {
        .action = "DescribeVpcs", .set = "vpcSet", .id_key = "vpcId"};
    return ck_aws_ec2_extras(world, wanted, &ck_aws_vpc, &l, ret, err);
}

const struct ck_task_kind ck_aws_vpc = {
    .name = "VPC",
    .fields = fields,
    .link = link,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
