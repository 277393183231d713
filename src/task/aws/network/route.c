/* A route of a table to one of seven kinds of target. kOps awstasks/route.go. */
#include "task/aws/find.h"

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

static bool leads_there(const struct ck_task *t, const struct ck_val *route)
{
    const char *v4 = ck_task_get_str(t, "CIDR"), *v6 = ck_task_get_str(t, "IPv6CIDR");
    return *v4 ? ck_is_str(ck_get(route, "destinationCidrBlock"), v4)
               : ck_is_str(ck_get(route, "destinationIpv6CidrBlock"), v6);
}

static struct ck_task *record(struct ck_aws_read *w, const struct ck_task *t,
                              const struct ck_val *route, const char *table)
{
    static const struct {
        const char *field, *key;
    } targets[] = {
        {"Instance", "instanceId"},
        {"EgressOnlyInternetGateway", "egressOnlyInternetGatewayId"},
        {"InternetGateway", "gatewayId"},
        {"NatGateway", "natGatewayId"},
    };
    struct ck_task *actual = ck_aws_actual(w, t);
    ck_aws_take_ref(w, actual, t, "RouteTable", table);
    ck_aws_take(actual, "CIDR", route, "destinationCidrBlock");
    ck_aws_take(actual, "IPv6CIDR", route, "destinationIpv6CidrBlock");
    ck_aws_take(actual, "TransitGatewayID", route, "transitGatewayId");
    ck_aws_take(actual, "VPCPeeringConnectionID", route, "vpcPeeringConnectionId");
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        ck_aws_take_ref(w, actual, t, targets[i].field, ck_str_at(route, targets[i].key));
    return actual;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    const char *table = ck_aws_ref_id(w, t, "RouteTable");
    int r = ck_aws_query(w, "ec2", "DescribeRouteTables", NULL, &reply, err);
    const struct ck_val *tables = r ? NULL : ck_aws_items(w, reply, "routeTableSet");
    for (size_t i = 0; table && i < ck_len(tables); i++) {
        if (!ck_is_str(ck_get(ck_item(tables, i), "routeTableId"), table))
            continue;
        const struct ck_val *routes = ck_aws_items(w, ck_item(tables, i), "routeSet");
        for (size_t k = 0; k < ck_len(routes); k++)
            if (leads_there(t, ck_item(routes, k)))
                *ret = record(w, t, ck_item(routes, k), table);
    }
    return r;
}

/* Through a gateway; other routes are those of the cloud controller (to machines) and of people. */
static bool is_through_gateway(const struct ck_val *route)
{
    return ck_str_starts(ck_str_at(route, "gatewayId"), "igw-") ||
           *ck_str_at(route, "natGatewayId") || *ck_str_at(route, "egressOnlyInternetGatewayId");
}

static bool is_wanted(const struct ck_tasks *wanted, const struct ck_task *table,
                      const struct ck_val *route)
{
    size_t at = 0;
    for (const struct ck_task *t; (t = ck_aws_next(wanted, &ck_aws_route, &at));)
        if (ck_task_get_ref(t, "RouteTable") == table && leads_there(t, route))
            return true;
    return false;
}

static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    int r = ck_aws_query(w, "ec2", "DescribeRouteTables", NULL, &reply, err);
    const struct ck_val *tables = r ? NULL : ck_aws_items(w, reply, "routeTableSet");
    size_t at = 0;
    for (const struct ck_task *t; (t = ck_aws_next(wanted, &ck_aws_route_table, &at));) {
        const char *id = ck_aws_id(w, t);
        for (size_t i = 0; id && !ck_aws_shared(t) && i < ck_len(tables); i++) {
            if (!ck_is_str(ck_get(ck_item(tables, i), "routeTableId"), id))
                continue;
            const struct ck_val *routes = ck_aws_items(w, ck_item(tables, i), "routeSet");
            for (size_t k = 0; k < ck_len(routes); k++) {
                const struct ck_val *v = ck_item(routes, k);
                const char *to = ck_str_at(v, "destinationCidrBlock");
                if (is_through_gateway(v) && !is_wanted(wanted, t, v))
                    ck_extras_add(ret, &ck_aws_route,
                                  *to ? to : ck_str_at(v, "destinationIpv6CidrBlock"), id, false);
            }
        }
    }
    return r;
}

const struct ck_task_kind ck_aws_route = {
    .name = "Route",
    .fields = fields,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
