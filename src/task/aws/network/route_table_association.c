/* Which route table a subnet uses. kOps awstasks/routetableassociation.go. */
#include "task/aws/find.h"

#include <string.h>

static const struct ck_task_field fields[] = {
    CK_F_REF("RouteTable"),
    CK_F_REF("Subnet"),
    CK_F_END,
};

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_route_table_association", t->name);
    ck_tf_ref(b, "route_table_id", t, "RouteTable");
    ck_tf_ref(b, "subnet_id", t, "Subnet");
    return 0;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    const char *subnet = ck_aws_ref_id(w, t, "Subnet");
    int r = ck_aws_query(w, "ec2", "DescribeRouteTables", NULL, &reply, err);
    const struct ck_val *tables = r ? NULL : ck_aws_items(w, reply, "routeTableSet");
    for (size_t i = 0; subnet && i < ck_len(tables); i++) {
        const struct ck_val *list = ck_aws_items(w, ck_item(tables, i), "associationSet");
        for (size_t k = 0; k < ck_len(list); k++) {
            if (!ck_is_str(ck_get(ck_item(list, k), "subnetId"), subnet))
                continue;
            *ret = ck_aws_actual(w, t);
            ck_aws_take_ref(w, *ret, t, "Subnet", subnet);
            ck_aws_take_ref(w, *ret, t, "RouteTable",
                            ck_str_at(ck_item(tables, i), "routeTableId"));
        }
    }
    return r;
}

static bool is_wanted(const struct ck_aws_read *w, const struct ck_tasks *wanted,
                      const char *subnet)
{
    size_t at = 0;
    for (const struct ck_task *t;
         (t = ck_aws_next(wanted, &ck_aws_route_table_association, &at));) {
        const char *id = ck_aws_ref_id(w, t, "Subnet");
        if (id && !strcmp(id, subnet))
            return true;
    }
    return false;
}

/* Subnets that use a table of the cluster and should not. */
static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    int r = ck_aws_query(w, "ec2", "DescribeRouteTables", NULL, &reply, err);
    const struct ck_val *tables = r ? NULL : ck_aws_items(w, reply, "routeTableSet");
    for (size_t i = 0; i < ck_len(tables); i++) {
        const struct ck_val *v = ck_item(tables, i);
        const struct ck_val *list = ck_aws_items(w, v, "associationSet");
        if (!ck_aws_owned(w, ck_aws_tag_map(w, ck_get(v, "tagSet"))))
            continue;
        for (size_t k = 0; k < ck_len(list); k++) {
            const char *subnet = ck_str_at(ck_item(list, k), "subnetId");
            if (*subnet && !is_wanted(w, wanted, subnet))
                ck_extras_add(ret, &ck_aws_route_table_association, subnet,
                              ck_str_at(ck_item(list, k), "routeTableAssociationId"), false);
        }
    }
    return r;
}

const struct ck_task_kind ck_aws_route_table_association = {
    .name = "RouteTableAssociation",
    .fields = fields,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
