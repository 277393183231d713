/* The egress-only gateway of IPv6. kOps awstasks/egressonlyinternetgateway.go. */
#include "task/aws/network/gateway.h"

static const struct ck_task_field fields[] = {CK_AWS_GATEWAY_FIELDS};

static const struct ck_aws_gateway gateway = {
    .resource = "aws_egress_only_internet_gateway",
    .kind = &ck_aws_egress_gateway,
    .list = {.action = "DescribeEgressOnlyInternetGateways",
             .set = "egressOnlyInternetGatewaySet",
             .id_key = "egressOnlyInternetGatewayId"},
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_aws_link(tf, t, gateway.resource);
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    return ck_aws_gateway_terraform(&gateway, tf, t);
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    return ck_aws_gateway_find(&gateway, world, t, ret, err);
}

static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    return ck_aws_ec2_extras(world, wanted, gateway.kind, &gateway.list, ret, err);
}

const struct ck_task_kind ck_aws_egress_gateway = {
    .name = "EgressOnlyInternetGateway",
    .fields = fields,
    .link = link,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
