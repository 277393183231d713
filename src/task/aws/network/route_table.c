/* A route table, and the output that names it. kOps awstasks/routetable.go. */
#include "task/aws/find.h"

static const struct ck_task_field fields[] = {
    CK_F_ID, CK_F_REF("VPC"), CK_F_BOOL("Shared"), CK_F_MAP("Tags"), CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_aws_link(tf, t, "aws_route_table");
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    if (ck_aws_shared(t))
        return 0;
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_route_table", t->name);
    ck_tf_field(b, "tags", t, "Tags");
    ck_tf_ref(b, "vpc_id", t, "VPC");
    const char *role = ck_str_or(ck_get(ck_task_get(t, "Tags"), "kubernetes.io/kops/role"), NULL);
    if (role)
        ck_tf_output(tf, ck_arena_printf(tf->a, "route_table_%s_id", role), link(tf, t));
    return 0;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *v;
    int r = ck_aws_ec2_one(w, t, "DescribeRouteTables", "routeTableSet", "routeTableId", &v, err);
    if (r || !v)
        return r;
    struct ck_task *actual = *ret = ck_aws_actual(w, t);
    ck_aws_take(actual, "ID", v, "routeTableId");
    ck_task_bool(actual, "Shared", ck_aws_shared(t));
    ck_aws_take_tags(w, actual, ck_get(v, "tagSet"));
    ck_aws_take_ref(w, actual, t, "VPC", ck_str_at(v, "vpcId"));
    return 0;
}

static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    static const struct ck_aws_ec2_list l = {
        .action = "DescribeRouteTables", .set = "routeTableSet", .id_key = "routeTableId"};
    return ck_aws_ec2_extras(world, wanted, &ck_aws_route_table, &l, ret, err);
}

const struct ck_task_kind ck_aws_route_table = {
    .name = "RouteTable",
    .fields = fields,
    .link = link,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
