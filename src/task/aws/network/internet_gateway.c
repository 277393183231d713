/* The gateway to the internet. kOps awstasks/internetgateway.go. */
#include "task/aws/network/gateway.h"

static const struct ck_task_field fields[] = {CK_AWS_GATEWAY_FIELDS};

static const struct ck_aws_gateway gateway = {
    .resource = "aws_internet_gateway",
    .kind = &ck_aws_internet_gateway,
    .list = {.action = "DescribeInternetGateways",
             .set = "internetGatewaySet",
             .id_key = "internetGatewayId"},
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

const struct ck_task_kind ck_aws_internet_gateway = {
    .name = "InternetGateway",
    .fields = fields,
    .link = link,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
