/* An additional range of the VPC. kOps awstasks/vpc_cidrblock.go. */
#include "task/aws/find.h"

#include <string.h>

static const struct ck_task_field fields[] = {
    CK_F_REF("VPC"),
    CK_F_STR("CIDRBlock"),
    CK_F_BOOL("Shared"),
    CK_F_END,
};

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    if (ck_aws_shared(t))
        return 0;
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_vpc_ipv4_cidr_block_association",
                                           ck_arena_printf(tf->a, "cidr-%s", t->name));
    ck_tf_field(b, "cidr_block", t, "CIDRBlock");
    ck_tf_ref(b, "vpc_id", t, "VPC");
    return 0;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    const char *vpc = ck_aws_ref_id(w, t, "VPC"), *cidr = ck_task_get_str(t, "CIDRBlock");
    int r = ck_aws_query(w, "ec2", "DescribeVpcs", NULL, &reply, err);
    const struct ck_val *items = r ? NULL : ck_aws_items(w, reply, "vpcSet");
    for (size_t i = 0; vpc && i < ck_len(items); i++) {
        const struct ck_val *blocks = ck_aws_items(w, ck_item(items, i), "cidrBlockAssociationSet");
        for (size_t k = 0; k < ck_len(blocks); k++) {
            if (!ck_is_str(ck_get(ck_item(items, i), "vpcId"), vpc) ||
                !ck_is_str(ck_get(ck_item(blocks, k), "cidrBlock"), cidr))
                continue;
            *ret = ck_aws_actual(w, t);
            ck_aws_take_ref(w, *ret, t, "VPC", vpc);
            ck_task_str(*ret, "CIDRBlock", cidr);
            ck_task_bool(*ret, "Shared", ck_aws_shared(t));
        }
    }
    return r;
}

/* Ranges of the cluster's own VPC beyond its first. */
static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    int r = ck_aws_query(w, "ec2", "DescribeVpcs", NULL, &reply, err);
    const struct ck_val *items = r ? NULL : ck_aws_items(w, reply, "vpcSet");
    for (size_t i = 0; i < ck_len(items); i++) {
        const struct ck_val *v = ck_item(items, i);
        const struct ck_val *blocks = ck_aws_items(w, v, "cidrBlockAssociationSet");
        const struct ck_val *tags = ck_aws_tag_map(w, ck_get(v, "tagSet"));
        if (!ck_aws_owned(w, tags) || !ck_tasks_find(wanted, &ck_aws_vpc, ck_str_at(tags, "Name")))
            continue;
        for (size_t k = 0; k < ck_len(blocks); k++) {
            const struct ck_val *b = ck_item(blocks, k);
            const char *cidr = ck_str_at(b, "cidrBlock");
            const char *state = ck_str_at(b, "cidrBlockState.state");
            if (strcmp(cidr, ck_str_at(v, "cidrBlock")) && !ck_str_starts(state, "disassociat") &&
                !ck_tasks_find(wanted, &ck_aws_vpc_cidr, cidr))
                ck_extras_add(ret, &ck_aws_vpc_cidr, cidr, ck_str_at(b, "associationId"), false);
        }
    }
    return r;
}

const struct ck_task_kind ck_aws_vpc_cidr = {
    .name = "VPCCIDRBlock",
    .fields = fields,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
