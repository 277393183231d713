/* The work that the two kinds of gateways share; see gateway.h. */
#include "task/aws/network/gateway.h"

int ck_aws_gateway_terraform(const struct ck_aws_gateway *g, struct ck_tf *tf,
                             const struct ck_task *t)
{
    if (ck_aws_shared(t))
        return 0;
    struct ck_tf_block *b = ck_tf_resource(tf, g->resource, t->name);
    ck_tf_field(b, "tags", t, "Tags");
    ck_tf_ref(b, "vpc_id", t, "VPC");
    return 0;
}

int ck_aws_gateway_find(const struct ck_aws_gateway *g, struct ck_aws_read *w,
                        const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    const struct ck_aws_ec2_list *l = &g->list;
    const struct ck_val *v;
    int r = ck_aws_ec2_one(w, t, l->action, l->set, l->id_key, &v, err);
    if (r || !v)
        return r;
    struct ck_task *actual = *ret = ck_aws_actual(w, t);
    ck_aws_take(actual, "ID", v, l->id_key);
    ck_task_bool(actual, "Shared", ck_aws_shared(t));
    ck_aws_take_tags(w, actual, ck_get(v, "tagSet"));
    const struct ck_val *attached = ck_aws_items(w, v, "attachmentSet");
    ck_aws_take_ref(w, actual, t, "VPC", ck_str_at(ck_item(attached, 0), "vpcId"));
    return 0;
}
