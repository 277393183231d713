/* A subnet, and the outputs that name it. kOps awstasks/subnet.go. */
#include "task/aws/find.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct ck_task_field fields[] = {
    CK_F_STR("ShortName"),
    CK_F_ID,
    CK_F_REF("VPC"),
    CK_F_REF("AmazonIPv6CIDR"),
    CK_F_STR("AvailabilityZone"),
    CK_F_STR("CIDR"),
    CK_F_STR("IPv6CIDR"),
    CK_F_BOOL("ResourceBasedNaming"),
    CK_F_BOOL("AssignIPv6AddressOnCreation"),
    CK_F_BOOL("Shared"),
    CK_F_MAP("Tags"),
    CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_aws_link(tf, t, "aws_subnet");
}

/* "/64#N" is the N-th (in hexadecimal) /64 of the range that AWS will give the VPC. */
static void ipv6_block(struct ck_tf *tf, struct ck_tf_block *b, const char *cidr)
{
    if (cidr[0] != '/') {
        ck_tf_str(b, "ipv6_cidr_block", cidr);
        return;
    }
    const char *hash = strchr(cidr, '#');
    unsigned long long nth = hash ? strtoull(hash + 1, NULL, 16) : 0;
    ck_tf_expr(b, "ipv6_cidr_block",
               ck_arena_printf(tf->a,
                               "cidrsubnet(local.vpc_ipv6_cidr_block, %ld - "
                               "local.vpc_ipv6_cidr_length, %llu)",
                               strtol(cidr + 1, NULL, 10), nth));
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    const char *short_name = ck_task_get_str(t, "ShortName");
    ck_tf_output(tf, ck_arena_printf(tf->a, "subnet_%s_id", short_name), link(tf, t));
    if (ck_aws_shared(t)) {
        ck_tf_output_add(tf, "subnet_ids", link(tf, t));
        return 0;
    }
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_subnet", t->name);
    bool v4 = ck_task_has(t, "CIDR"), v6 = ck_task_has(t, "IPv6CIDR");
    bool named = ck_task_get_bool(t, "ResourceBasedNaming", false);
    ck_tf_field(b, "availability_zone", t, "AvailabilityZone");
    ck_tf_field(b, "cidr_block", t, "CIDR");
    if (v6) {
        ck_tf_field(b, "assign_ipv6_address_on_creation", t, "AssignIPv6AddressOnCreation");
        ipv6_block(tf, b, ck_task_get_str(t, "IPv6CIDR"));
    }
    if (!v4) {
        ck_tf_bool(b, "enable_dns64", true);
        ck_tf_bool(b, "ipv6_native", true);
    }
    if (ck_task_has(t, "ResourceBasedNaming")) {
        ck_tf_str(b, "private_dns_hostname_type_on_launch", named ? "resource-name" : "ip-name");
        if (v4)
            ck_tf_bool(b, "enable_resource_name_dns_a_record_on_launch", named);
        if (v6)
            ck_tf_bool(b, "enable_resource_name_dns_aaaa_record_on_launch", named);
    }
    ck_tf_field(b, "tags", t, "Tags");
    ck_tf_ref(b, "vpc_id", t, "VPC");
    return 0;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *v;
    int r = ck_aws_ec2_one(w, t, "DescribeSubnets", "subnetSet", "subnetId", &v, err);
    if (r || !v)
        return r;
    struct ck_task *actual = *ret = ck_aws_actual(w, t);
    ck_aws_take(actual, "ID", v, "subnetId");
    ck_aws_take(actual, "AvailabilityZone", v, "availabilityZone");
    ck_aws_take(actual, "CIDR", v, "cidrBlock");
    ck_task_bool(actual, "Shared", ck_aws_shared(t));
    ck_aws_take_tags(w, actual, ck_get(v, "tagSet"));
    ck_aws_take_ref(w, actual, t, "VPC", ck_str_at(v, "vpcId"));
    /* What is not told the same way: taken as wanted. */
    ck_task_str(actual, "ShortName", ck_task_get_str(t, "ShortName"));
    ck_aws_take(actual, "AssignIPv6AddressOnCreation", v, "assignIpv6AddressOnCreation");
    const char *naming = ck_str_at(v, "privateDnsNameOptionsOnLaunch.hostnameType");
    if (*naming)
        ck_task_bool(actual, "ResourceBasedNaming", !strcmp(naming, "resource-name"));
    const struct ck_val *v6 = ck_aws_items(w, v, "ipv6CidrBlockAssociationSet");
    if (ck_len(v6)) {
        ck_aws_take(actual, "IPv6CIDR", ck_item(v6, 0), "ipv6CidrBlock");
        /* "/64#1" is a place: the range AWS gave is not compared with it. */
        if (ck_str_starts(ck_task_get_str(t, "IPv6CIDR"), "/"))
            ck_task_str(actual, "IPv6CIDR", ck_task_get_str(t, "IPv6CIDR"));
        const struct ck_task *block = ck_task_get_ref(t, "AmazonIPv6CIDR");
        if (block)
            ck_task_ref(actual, "AmazonIPv6CIDR", block->kind, block->name);
    }
    return 0;
}

static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    static const struct ck_aws_ec2_list l = {
        .action = "DescribeSubnets", .set = "subnetSet", .id_key = "subnetId"};
    return ck_aws_ec2_extras(world, wanted, &ck_aws_subnet, &l, ret, err);
}

const struct ck_task_kind ck_aws_subnet = {
    .name = "Subnet",
    .fields = fields,
    .link = link,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
