/* A public address that stays. kOps awstasks/elastic_ip.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_ID,
    CK_F_STR("PublicIP"),
    CK_F_MAP("Tags"),
    CK_F_REF("AssociatedNatGatewayRouteTable"),
    CK_F_BOOL("Shared"),
    CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_aws_link(tf, t, "aws_eip");
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    if (ck_aws_shared(t))
        return 0;
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_eip", t->name);
    ck_tf_str(b, "domain", "vpc");
    ck_tf_field(b, "tags", t, "Tags");
    return 0;
}

const struct ck_task_kind ck_aws_elastic_ip = {
    .name = "ElasticIP",
    .fields = fields,
    .link = link,
    .terraform = terraform,
};
