/* An instance group within its cluster (rules 200–213). Mirrors CrossValidateInstanceGroup of kOps
 * pkg/apis/kops/validation/instancegroup.go and the instance group part of aws.go and gce.go. What
 * only a look-up in the cloud can tell is not here. */
#include "spec/validate/rules.h"

#include <string.h>

/* Rule 200. */
static void check_etcd_membership(struct ck_chk *c, const char *name)
{
    const struct ck_val *list = ck_get(c->spec, "etcdClusters");
    struct ck_fld f = {.path = "spec.metadata.name", .near = ck_at(c->obj->root, "metadata.name")};
    for (size_t i = 0; i < ck_len(list); i++) {
        const struct ck_val *members = ck_get(ck_item(list, i), "etcdMembers");
        const char *group = "";
        bool found = false;
        for (size_t m = 0; m < ck_len(members) && !found; m++) {
            group = ck_str_at(ck_item(members, m), "instanceGroup");
            found = !strcmp(group, name);
        }
        if (!found)
            ck_chk_forbidden(c, f,
                             "InstanceGroup \"%s\" with role ControlPlane must have a member in "
                             "etcd (IG: \"%s\") cluster \"%s\"",
                             name, group, ck_str_at(ck_item(list, i), "name"));
    }
}

/* Rule 201. */
static void check_api_server(struct ck_chk *c, struct ck_fld role)
{
    if (ck_chk_is_cloud(c, "aws")) {
        if (c->none_dns)
            ck_chk_forbidden(c, role, "APIServer cannot be used with topology.dns.type=None");
    } else if (!ck_chk_is_cloud(c, "gce")) {
        ck_chk_forbidden(c, role, "APIServer role only supported on AWS and GCE");
    }
}

/* Rule 202; the path is kOps'. */
static void check_subnets(struct ck_chk *c, struct ck_fld spec)
{
    const struct ck_val *known = ck_get(c->spec, "subnets");
    struct ck_fld list =
        ck_fld_named(ck_fld_at(c, spec, "subnets", NULL), "spec.networking.subnets");
    for (size_t i = 0; i < ck_len(list.v); i++) {
        struct ck_fld f = ck_fld_item(c, list, i);
        bool found = false;
        for (size_t j = 0; j < ck_len(known) && !found; j++)
            found = ck_fld_is(f, ck_str_at(ck_item(known, j), "name"));
        if (!found)
            ck_chk_not_found(c, f, ck_fld_str(f));
    }
}

/* Rule 204. */
static void check_warm_pool(struct ck_chk *c, struct ck_fld spec, const char *role)
{
    struct ck_fld f = ck_fld_at(c, spec, "warmPool", NULL);
    bool worker = !strcmp(role, "Node") || !strcmp(role, "APIServer");
    bool own = !ck_is_null(f.v), off = own && ck_int_at(f.v, "maxSize", -1) == 0;
    bool inherited = worker && !ck_is_null(ck_get(c->spec, "warmPool")) &&
                     ck_int_at(c->spec, "warmPool.maxSize", -1) != 0;
    if (off || (!own && !inherited))
        return;
    if (!worker)
        ck_chk_forbidden(c, f,
                         "warm pool only allowed on instance groups with role Node or APIServer");
    if (*ck_str_at(spec.v, "maxPrice"))
        ck_chk_forbidden(c, f, "warm pool cannot be used with spot instances");
    ck_chk_warm_pool(c, f);
}

static bool has_feature_gate(const char *gates, const char *gate)
{
    struct ck_slice rest = ck_slice_of(gates), item;
    while (ck_slice_next(&rest, ',', &item))
        if (ck_slice_eq_str(ck_slice_trim(item), gate))
            return true;
    return false;
}

/* Rule 206: "ami-…", "ssm:PARAMETER", "NAME" or "OWNER/NAME". */
static void check_karpenter_image(struct ck_chk *c, struct ck_fld f)
{
    const char *s = ck_fld_str(f), *slash = strchr(s, '/');
    if (!*s || ck_str_starts(s, "ami-"))
        return;
    if (ck_str_starts(s, "ssm:")) {
        if (!s[4])
            ck_chk_invalid(c, f, "ssm image parameter is required");
        return;
    }
    if (slash && (slash == s || !slash[1]))
        ck_chk_invalid(c, f, "must be ami-*, ssm:<parameter>, <name>, or <owner>/<name>");
}

/* Rule 205. A minimum size asks for static capacity. */
static void check_karpenter(struct ck_chk *c, struct ck_fld spec, const char *role)
{
    struct ck_fld manager = ck_fld_at(c, spec, "manager", NULL);
    struct ck_fld max = ck_fld_at(c, spec, "maxSize", NULL);
    struct ck_fld min = ck_fld_at(c, spec, "minSize", NULL);
    if (!ck_chk_is_cloud(c, "aws"))
        ck_chk_forbidden(c, manager, "Karpenter InstanceGroups are only supported on AWS");
    if (strcmp(role, "Node") != 0)
        ck_chk_forbidden(c, ck_fld_at(c, spec, "role", NULL),
                         "Karpenter InstanceGroups must have role Node");
    if (!ck_is_null(max.v) && ck_int_at(spec.v, "maxSize", 0) <= 0)
        ck_chk_invalid(c, max, "must be greater than zero");
    if (!ck_is_null(min.v)) {
        if (ck_int_at(spec.v, "minSize", 0) <= 0)
            ck_chk_invalid(c, min, "must be greater than zero for static capacity");
        if (!has_feature_gate(ck_spec_str(c, "karpenter.featureGates"), "StaticCapacity=true"))
            ck_chk_forbidden(c, min,
                             "static capacity requires StaticCapacity=true in "
                             "cluster.spec.karpenter.featureGates");
    }
    check_karpenter_image(c, ck_fld_at(c, spec, "image", NULL));
}

/* Rules 209–211, without the look-ups. */
static void check_aws_options(struct ck_chk *c, struct ck_fld spec, struct ck_fld named)
{
    struct ck_fld f = ck_fld_at(c, named, "spotDurationInMinutes", NULL);
    static const char *const minutes[] = {"60", "120", "180", "240", "300", "360", NULL};
    if (!ck_is_null(f.v)) {
        int64_t n = ck_int_at(spec.v, "spotDurationInMinutes", 0);
        if (n < 60 || n > 360 || n % 60)
            ck_chk_unsupported(c, f, ck_arena_printf(c->a, "%lld", (long long)n), minutes);
    }
    ck_chk_one_of(c, ck_fld_at(c, named, "instanceInterruptionBehavior", NULL),
                  CK_ONE_OF("hibernate", "stop", "terminate"));
    ck_chk_one_of(c, ck_fld_at(c, spec, "instanceMetadata.httpTokens", NULL),
                  CK_ONE_OF("optional", "required"));
    f = ck_fld_at(c, spec, "instanceMetadata.httpPutResponseHopLimit", NULL);
    int64_t hops = ck_int_at(spec.v, "instanceMetadata.httpPutResponseHopLimit", 1);
    if (!ck_is_null(f.v) && (hops < 1 || hops > 64))
        ck_chk_invalid(c, f, "HTTPPutResponseLimit must be a value between 1 and 64");
    ck_chk_one_of(c, ck_fld_at(c, spec, "cpuCredits", NULL), CK_ONE_OF("standard", "unlimited"));
    f = ck_fld_at(c, named, "maxInstanceLifetime", NULL);
    int64_t ns;
    if (f.v && f.v->kind == CK_STR && ck_duration_parse(f.v->s, &ns, NULL) == 0 && ns != 0 &&
        ns < 86400LL * 1000000000LL)
        ck_chk_invalid(c, f, "max instance lifetime must be greater than 86400 or equal to 0");
}

/* Rule 212, without instance types. */
static void check_mixed(struct ck_chk *c, struct ck_fld spec)
{
    struct ck_fld policy = ck_fld_at(c, spec, "mixedInstancesPolicy", NULL);
    struct ck_fld base = ck_fld_at(c, policy, "onDemandBase", NULL);
    struct ck_fld above = ck_fld_at(c, policy, "onDemandAboveBase", NULL);
    if (ck_int_at(policy.v, "onDemandBase", 0) < 0)
        ck_chk_invalid(c, base, "cannot be less than zero");
    if (!ck_is_null(base.v) &&
        ck_int_at(policy.v, "onDemandBase", 0) > ck_int_at(spec.v, "maxSize", 0))
        ck_chk_invalid(c, base, "cannot be greater than max size");
    if (ck_int_at(policy.v, "onDemandAboveBase", 0) < 0)
        ck_chk_invalid(c, above, "cannot be less than 0");
    if (ck_int_at(policy.v, "onDemandAboveBase", 0) > 100)
        ck_chk_invalid(c, above, "cannot be greater than 100");
    ck_chk_one_of(c, ck_fld_at(c, policy, "spotAllocationStrategy", NULL),
                  CK_ONE_OF("lowest-price", "diversified", "capacity-optimized",
                            "capacity-optimized-prioritized", "price-capacity-optimized"));
}

static void check_with_cloud(struct ck_chk *c, struct ck_fld spec)
{
    if (ck_chk_is_cloud(c, "aws")) {
        struct ck_fld named =
            ck_fld_named(spec, ck_arena_printf(c->a, "%s.spec", ck_object_name(c->obj)));
        check_aws_options(c, spec, named);
        check_mixed(c, spec);
    } else if (ck_chk_is_cloud(c, "gce")) {
        struct ck_fld zones = ck_fld_at(c, spec, "zones", NULL);
        if (!ck_len(zones.v))
            ck_chk_required(c, zones, "zones should be specified");
        ck_chk_one_of(c, ck_fld_at(c, spec, "gcpProvisioningModel", NULL),
                      CK_ONE_OF("STANDARD", "SPOT"));
    }
}

void ck_cross_validate(const struct ck_validate_ctx *ctx, const struct ck_object *ig,
                       const struct ck_object *cluster, struct ck_field_errs *ret)
{
    struct ck_chk chk = ck_chk_of(ctx, ig, cluster, ret);
    struct ck_chk *c = &chk;
    struct ck_fld spec = ck_fld_root(c, "spec", ck_get(ig->root, "spec"));
    const char *role = ck_role_internal(ck_str_at(spec.v, "role"));
    if (ctx->cloud_rules)
        check_with_cloud(c, spec);
    if (!strcmp(role, "ControlPlane"))
        check_etcd_membership(c, ck_object_name(ig));
    if (!strcmp(role, "APIServer"))
        check_api_server(c, ck_fld_at(c, spec, "role", NULL));
    check_subnets(c, spec);
    if (ck_chk_is_cloud(c, "aws")) {
        ck_chk_one_of(c, ck_fld_at(c, spec, "rootVolumeType", "rootVolume.type"),
                      CK_ONE_OF("standard", "gp3", "gp2", "io1", "io2"));
        check_warm_pool(c, spec, role);
    } else if (ck_len(ck_get(spec.v, "volumes"))) {
        ck_chk_forbidden(c, ck_fld_at(c, spec, "volumes", NULL),
                         "instancegroup volumes are only available with aws at present");
    }
    if (!strcmp(ck_str_at(spec.v, "manager"), "Karpenter"))
        check_karpenter(c, spec, role);
    ck_chk_containerd(c, ck_fld_at(c, spec, "containerd", NULL), false);
}
