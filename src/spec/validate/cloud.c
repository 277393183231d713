/* What one cloud demands of a cluster (rules 160–171). Mirrors kOps
 * pkg/apis/kops/validation/aws.go, gce.go and linode.go. */
#include "spec/validate/rules.h"

#include "spec/ipnet.h"

#include <string.h>

static bool blank(const char *s)
{
    return ck_slice_trim(ck_slice_of(s)).len == 0;
}

/* Rules 160 and 161. An unset class is filled in by population. */
static void check_class(struct ck_chk *c, struct ck_fld lb)
{
    struct ck_fld f = ck_fld_at(c, lb, "class", NULL);
    if (ck_fld_is(f, "Classic"))
        ck_chk_forbidden(c, f,
                         "AWS Classic Load Balancer for API is no longer supported; migrate to a "
                         "Network Load Balancer using kOps 1.36 or earlier. See "
                         "https://github.com/kubernetes/kops/blob/master/permalinks/acm_nlb.md");
    else
        ck_chk_one_of_set(c, f, CK_ONE_OF("Network"));
    if (c->none_dns && !ck_fld_is(f, "Network"))
        ck_chk_forbidden(c, ck_fld_at(c, lb, "type", NULL),
                         "topology.dns.type=none requires Network Load Balancer");
}

/* Rules 162 and 163. */
static void check_security_groups(struct ck_chk *c, struct ck_fld lb)
{
    struct ck_fld f = ck_fld_at(c, lb, "securityGroupOverride", NULL);
    if (!ck_is_null(f.v) && blank(ck_fld_str(f)))
        ck_chk_invalid(c, f, "security group override cannot be empty, if specified");
    else if (!ck_is_null(f.v) && !ck_str_starts(ck_fld_str(f), "sg-"))
        ck_chk_invalid(c, f, "security group override does not match the expected AWS format");
    struct ck_fld list = ck_fld_at(c, lb, "additionalSecurityGroups", NULL);
    for (size_t i = 0; i < ck_len(list.v); i++) {
        f = ck_fld_item(c, list, i);
        for (size_t j = 0; j < i; j++)
            if (ck_is_str(ck_item(list.v, j), ck_fld_str(f))) {
                ck_chk_duplicate(c, f, ck_fld_str(f));
                break;
            }
        if (blank(ck_fld_str(f)))
            ck_chk_invalid(c, f, "security group cannot be empty, if specified");
        else if (!ck_str_starts(ck_fld_str(f), "sg-"))
            ck_chk_invalid(c, f, "security group does not match the expected AWS format");
    }
}

/* Rules 164 and 165. */
static void check_lb_options(struct ck_chk *c, struct ck_fld lb)
{
    struct ck_fld f = ck_fld_at(c, lb, "useForInternalApi", "useForInternalAPI");
    bool network = !strcmp(ck_str_at(lb.v, "class"), "Network");
    if (ck_fld_true(f) && network && !strcmp(ck_str_at(lb.v, "type"), "Internal"))
        ck_chk_forbidden(
            c, f,
            "useForInternalAPI cannot be used with internal NLB due lack of hairpinning support");
    f = ck_fld_at(c, lb, "sslPolicy", NULL);
    if (ck_is_null(f.v))
        return;
    if (!network)
        ck_chk_forbidden(c, f, "sslPolicy should be specified with Network Load Balancer");
    if (!*ck_str_at(lb.v, "sslCertificate"))
        ck_chk_forbidden(c, f, "sslPolicy should not be specified without SSLCertificate");
}

static const struct ck_val *subnet_named(const struct ck_chk *c, const char *name)
{
    const struct ck_val *list = ck_get(c->spec, "subnets");
    for (size_t i = 0; i < ck_len(list); i++)
        if (!strcmp(ck_str_at(ck_item(list, i), "name"), name))
            return ck_item(list, i);
    return NULL;
}

/* Rule 166, for one subnet. */
static void check_lb_subnet(struct ck_chk *c, struct ck_fld f, bool network, bool internal)
{
    struct ck_fld name = ck_fld_at(c, f, "name", NULL);
    const struct ck_val *subnet = subnet_named(c, ck_fld_str(name));
    if (!ck_fld_set(name))
        ck_chk_required(c, name, "subnet name can't be empty");
    else if (!subnet)
        ck_chk_not_found(c, name, ck_fld_str(name));
    struct ck_fld addr = ck_fld_at(c, f, "privateIPv4Address", NULL);
    struct ck_ipnet ip, cidr;
    if (!ck_is_null(addr.v)) {
        if (!ck_ip_parse(ck_fld_str(addr), &ip) || ip.bits != 32)
            ck_chk_invalid(c, addr, "privateIPv4Address is not a valid IPv4 address");
        else if (ck_ipnet_parse(ck_str_at(subnet, "cidr"), &cidr) &&
                 !ck_ipnet_contains_ip(&cidr, &ip))
            ck_chk_invalid(c, addr, "privateIPv4Address is not part of the subnet CIDR");
        if (!network || !internal)
            ck_chk_forbidden(c, addr, "privateIPv4Address only allowed for internal NLBs");
    }
    struct ck_fld eip = ck_fld_at(c, f, "allocationId", "allocationID");
    if (!ck_is_null(eip.v) && (!network || internal))
        ck_chk_forbidden(c, eip, "allocationID only allowed for Public NLBs");
}

static void check_aws_lb(struct ck_chk *c, struct ck_fld lb)
{
    if (ck_is_null(lb.v))
        return;
    check_class(c, lb);
    check_security_groups(c, lb);
    check_lb_options(c, lb);
    struct ck_fld subnets = ck_fld_at(c, lb, "subnets", NULL);
    bool network = !strcmp(ck_str_at(lb.v, "class"), "Network");
    bool internal = !strcmp(ck_str_at(lb.v, "type"), "Internal");
    for (size_t i = 0; i < ck_len(subnets.v); i++)
        check_lb_subnet(c, ck_fld_item(c, subnets, i), network, internal);
}

/* Rule 169. */
static void check_authenticator(struct ck_chk *c, struct ck_fld f)
{
    struct ck_fld mode = ck_fld_at(c, f, "backendMode", NULL);
    struct ck_fld list = ck_fld_at(c, f, "identityMappings", NULL);
    if (ck_len(list.v) && !ck_fld_is(mode, "CRD"))
        ck_chk_forbidden(c, mode, "backendMode must be CRD if identityMappings is set");
    for (size_t i = 0; i < ck_len(list.v); i++) {
        struct ck_fld arn = ck_fld_at(c, ck_fld_item(c, list, i), "arn", NULL);
        const char *why, *resource = ck_arn_resource(ck_fld_str(arn), &why);
        if (!resource || (!ck_str_starts(resource, "role/") && !ck_str_starts(resource, "user/")))
            ck_chk_invalid(c, arn,
                           "arn must be a valid IAM Role or User ARN such as "
                           "arn:aws:iam::123456789012:role/KopsExampleRole");
    }
}

static void check_aws(struct ck_chk *c, struct ck_fld spec)
{
    check_aws_lb(c, ck_fld_at(c, spec, "api.loadBalancer", NULL));
    struct ck_fld f = ck_fld_at(c, spec, "cloudConfig.awsEBSCSIDriver.enabled",
                                "cloudProvider.aws.ebsCSIDriver.enabled");
    if (ck_fld_false(f))
        ck_chk_forbidden(c, f, "must not be disabled");
    ck_chk_one_of(c,
                  ck_fld_at(c, spec, "cloudConfig.nlbSecurityGroupMode",
                            "cloudProvider.aws.nlbSecurityGroupMode"),
                  CK_ONE_OF("Managed"));
    f = ck_fld_at(c, spec, "cloudConfig.useIPBasedNodeNames",
                  "cloudProvider.aws.useIPBasedNodeNames");
    if (ck_fld_true(f) && c->ipv6)
        ck_chk_forbidden(c, f, "IP-based node names are not supported on IPv6-only clusters");
    check_authenticator(c, ck_fld_at(c, spec, "authentication.aws", NULL));
}

void ck_chk_cloud(struct ck_chk *c, struct ck_fld spec)
{
    if (ck_chk_is_cloud(c, "aws")) {
        check_aws(c, spec);
    } else if (ck_chk_is_cloud(c, "gce")) {
        struct ck_fld list =
            ck_fld_named(ck_fld_at(c, spec, "subnets", NULL), "spec.networking.subnets");
        for (size_t i = 0; i < ck_len(list.v); i++) {
            struct ck_fld zone = ck_fld_at(c, ck_fld_item(c, list, i), "zone", NULL);
            if (ck_fld_set(zone))
                ck_chk_invalid(c, zone,
                               "zones should not be specified for GCE subnets, as GCE subnets are "
                               "regional");
        }
    } else if (ck_chk_is_cloud(c, "linode") && strlen(ck_object_name(c->obj)) > 32) {
        struct ck_fld name = ck_fld_at(
            c, ck_fld_root(c, "objectMeta", ck_get(c->obj->root, "metadata")), "name", NULL);
        ck_chk_invalid(c, name, "cluster name must be no more than 32 characters long");
    }
}
