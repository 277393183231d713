/* A route of a table to one of seven kinds of target. kOps awstasks/route.go. */
#include "task/aws/aws.h"

static const struct ck_task_field fields[] = {
    CK_F_REF("RouteTable"),
    CK_F_REF("Instance"),
    CK_F_STR("CIDR"),
    CK_F_STR("IPv6CIDR"),
    CK_F_REF("EgressOnlyInternetGateway"),
    CK_F_REF("InternetGateway"),
    CK_F_REF("NatGateway"),
    CK_F_STR("TransitGatewayID"),
    CK_F_STR("VPCPeeringConnectionID"),
    CK_F_END,
};

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    struct ck_tf_block *b =
        ck_tf_resource(tf, "aws_route", ck_arena_printf(tf->a, "route-%s", t->name));
    ck_tf_field(b, "destination_cidr_block", t, "CIDR");
    ck_tf_field(b, "destination_ipv6_cidr_block", t, "IPv6CIDR");
    ck_tf_ref(b, "route_table_id", t, "RouteTable");
    ck_tf_ref(b, "egress_only_gateway_id", t, "EgressOnlyInternetGateway");
    ck_tf_ref(b, "gateway_id", t, "InternetGateway");
    ck_tf_ref(b, "nat_gateway_id", t, "NatGateway");
    ck_tf_ref(b, "instance_id", t, "Instance");
    ck_tf_field(b, "transit_gateway_id", t, "TransitGatewayID");
    ck_tf_field(b, "vpc_peering_connection_id", t, "VPCPeeringConnectionID");
    return 0;
}

const struct ck_task_kind ck_aws_route = {
    .name = "Route",
    .fields = fields,
    .terraform = terraform,
};
