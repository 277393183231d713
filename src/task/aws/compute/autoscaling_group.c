/* The group that keeps machines running, and the outputs about its role. kOps
 * awstasks/autoscalinggroup.go. */
#include "task/aws/find.h"

#include <stdlib.h>
#include <string.h>

static const struct ck_task_field fields[] = {
    CK_F_STR("Granularity"),
    CK_F_BOOL("InstanceProtection"),
    CK_F_REF("LaunchTemplate"),
    CK_F_REFS("LoadBalancers"),
    CK_F_INT("MaxInstanceLifetime"),
    CK_F_INT("MaxSize"),
    CK_F_SET("Metrics"),
    CK_F_INT("MinSize"),
    CK_F_STRS("MixedInstanceOverrides"),
    CK_F_VAL("InstanceRequirements"), /* {CPUMin, CPUMax, MemoryMin, MemoryMax, Excluded}, MiB */
    CK_F_BOOL("CapacityRebalance"),
    CK_F_STR("MixedOnDemandAllocationStrategy"),
    CK_F_INT("MixedOnDemandBase"),
    CK_F_INT("MixedOnDemandAboveBase"),
    CK_F_STR("MixedSpotAllocationStrategy"),
    CK_F_INT("MixedSpotInstancePools"),
    CK_F_STR("MixedSpotMaxPrice"),
    CK_F_REFS("Subnets"),
    CK_F_SET("SuspendProcesses"),
    CK_F_MAP("Tags"),
    CK_F_REFS("TargetGroups"),
    CK_F_REF("WarmPool"),
    CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_tf_link(tf, "aws_autoscaling_group", t->name, "id");
}

static bool is_mixed(const struct ck_task *t)
{
    static const char *const any[] = {
        "MixedInstanceOverrides", "InstanceRequirements",   "MixedOnDemandAllocationStrategy",
        "MixedOnDemandBase",      "MixedOnDemandAboveBase", "MixedSpotAllocationStrategy",
        "MixedSpotInstancePools", "MixedSpotMaxPrice",
    };
    for (size_t i = 0; i < sizeof any / sizeof *any; i++)
        if (ck_task_has(t, any[i]))
            return true;
    return false;
}

static void template_link(struct ck_tf_block *b, const char *id_key, const struct ck_task *t)
{
    const struct ck_task *template = ck_task_get_ref(t, "LaunchTemplate");
    if (!template)
        return;
    ck_tf_ref(b, id_key, t, "LaunchTemplate");
    ck_tf_expr(b, "version",
               ck_tf_link(b->tf, "aws_launch_template", template->name, "latest_version"));
}

static void range(struct ck_tf_block *b, const char *key, const struct ck_val *v, const char *min,
                  const char *max)
{
    const struct ck_val *lo = ck_get(v, min), *hi = ck_get(v, max);
    if (!lo && !hi)
        return;
    struct ck_tf_block *r = ck_tf_nested(b, key);
    if (hi)
        ck_tf_int(r, "max", hi->i);
    if (lo)
        ck_tf_int(r, "min", lo->i);
}

/* A list of texts, in order of them where `sorted`. */
static void strs(struct ck_tf_block *b, const char *key, const struct ck_val *list, bool sorted)
{
    size_t n = ck_len(list);
    const char **v = ck_arena_alloc(b->tf->a, (n + 1) * sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = ck_tf_quote(b->tf, ck_str_or(ck_item(list, i), ""));
    if (sorted)
        qsort(v, n, sizeof *v, ck_text_cmp);
    ck_tf_exprs(b, key, v, n);
}

static void overrides(struct ck_tf_block *b, const struct ck_task *t)
{
    const struct ck_val *types = ck_task_get(t, "MixedInstanceOverrides");
    for (size_t i = 0; i < ck_len(types); i++)
        ck_tf_str(ck_tf_nested(b, "override"), "instance_type", ck_str_or(ck_item(types, i), ""));
    const struct ck_val *wanted = ck_task_get(t, "InstanceRequirements");
    if (wanted) {
        struct ck_tf_block *r = ck_tf_nested(ck_tf_nested(b, "override"), "instance_requirements");
        range(r, "memory_mib", wanted, "MemoryMin", "MemoryMax");
        range(r, "vcpu_count", wanted, "CPUMin", "CPUMax");
        ck_tf_str(r, "burstable_performance", "included");
        const char *current = "\"current\"";
        ck_tf_exprs(r, "instance_generations", &current, 1);
        strs(r, "excluded_instance_types", ck_get(wanted, "Excluded"), false);
    }
}

static void mixed(struct ck_tf_block *b, const struct ck_task *t)
{
    struct ck_tf_block *policy = ck_tf_nested(b, "mixed_instances_policy");
    struct ck_tf_block *d = ck_tf_nested(policy, "instances_distribution");
    ck_tf_field(d, "on_demand_allocation_strategy", t, "MixedOnDemandAllocationStrategy");
    ck_tf_field(d, "on_demand_base_capacity", t, "MixedOnDemandBase");
    ck_tf_field(d, "on_demand_percentage_above_base_capacity", t, "MixedOnDemandAboveBase");
    ck_tf_field(d, "spot_allocation_strategy", t, "MixedSpotAllocationStrategy");
    ck_tf_field(d, "spot_instance_pools", t, "MixedSpotInstancePools");
    ck_tf_field(d, "spot_max_price", t, "MixedSpotMaxPrice");
    struct ck_tf_block *l = ck_tf_nested(policy, "launch_template");
    template_link(ck_tf_nested(l, "launch_template_specification"), "launch_template_id", t);
    overrides(l, t);
}

static void tags(struct ck_tf_block *b, const struct ck_task *t)
{
    const struct ck_val *map = ck_task_get(t, "Tags");
    size_t n = ck_len(map);
    const struct ck_pair **v = ck_arena_alloc(b->tf->a, (n + 1) * sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = &map->map.v[i];
    qsort(v, n, sizeof *v, ck_pair_cmp);
    for (size_t i = 0; i < n; i++) {
        struct ck_tf_block *tag = ck_tf_nested(b, "tag");
        ck_tf_str(tag, "key", v[i]->key.ptr);
        ck_tf_str(tag, "value", ck_str_or(v[i]->val, ""));
        ck_tf_bool(tag, "propagate_at_launch", true);
    }
}

static void warm_pool(struct ck_tf_block *b, const struct ck_task *t)
{
    const struct ck_task *pool = ck_task_get_ref(t, "WarmPool");
    if (!pool || !ck_task_get_bool(pool, "Enabled", false))
        return;
    struct ck_tf_block *w = ck_tf_nested(b, "warm_pool");
    ck_tf_field(w, "min_size", pool, "MinSize");
    ck_tf_field(w, "max_group_prepared_capacity", pool, "MaxSize");
}

/* Lists by role: "master", "apiserver", "node", "bastion". */
static void outputs(struct ck_tf *tf, const struct ck_task *t)
{
    static const char *const roles[] = {"master", "apiserver", "node", "bastion"};
    const struct ck_val *map = ck_task_get(t, "Tags");
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        if (!ck_get(map, ck_arena_printf(tf->a, "k8s.io/role/%s", roles[i])))
            continue;
        ck_tf_output_add(tf, ck_arena_printf(tf->a, "%s_autoscaling_group_ids", roles[i]),
                         link(tf, t));
        const struct ck_task *template = ck_task_get_ref(t, "LaunchTemplate");
        const struct ck_task_value *groups = ck_task_value(template, "SecurityGroups");
        for (size_t k = 0; k < groups->n_refs; k++)
            ck_tf_output_add(tf, ck_arena_printf(tf->a, "%s_security_group_ids", roles[i]),
                             ck_tf_task(tf, groups->refs[k]));
        if (strcmp(roles[i], "node"))
            return;
        const struct ck_task_value *subnets = ck_task_value(t, "Subnets");
        for (size_t k = 0; k < subnets->n_refs; k++)
            ck_tf_output_add(tf, "node_subnet_ids", ck_tf_task(tf, subnets->refs[k]));
        return;
    }
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_autoscaling_group", t->name);
    if (!ck_task_get_ref(t, "LaunchTemplate"))
        return ck_fail(err, CK_INTERNAL, "%s/%s has no launch template", t->kind->name, t->name);
    ck_tf_str(b, "name", t->name);
    ck_tf_field(b, "max_size", t, "MaxSize");
    ck_tf_field(b, "min_size", t, "MinSize");
    ck_tf_field(b, "max_instance_lifetime", t, "MaxInstanceLifetime");
    ck_tf_field(b, "metrics_granularity", t, "Granularity");
    strs(b, "enabled_metrics", ck_task_get(t, "Metrics"), true);
    ck_tf_field(b, "protect_from_scale_in", t, "InstanceProtection");
    ck_tf_field(b, "capacity_rebalance", t, "CapacityRebalance");
    if (is_mixed(t))
        mixed(b, t);
    else
        template_link(ck_tf_nested(b, "launch_template"), "id", t);
    ck_tf_refs(b, "vpc_zone_identifier", t, "Subnets", false);
    tags(b, t);
    ck_tf_refs(b, "load_balancers", t, "LoadBalancers", true);
    ck_tf_refs(b, "target_group_arns", t, "TargetGroups", true);
    strs(b, "suspended_processes", ck_task_get(t, "SuspendProcesses"), true);
    warm_pool(b, t);
    outputs(tf, t);
    return 0;
}

static struct ck_val *texts(struct ck_aws_read *w, const struct ck_val *items, const char *key)
{
    struct ck_val *list = ck_list(w->a);
    for (size_t i = 0; i < ck_len(items); i++)
        ck_append(w->a, list, ck_str(w->a, ck_str_at(ck_item(items, i), key)));
    return list;
}

static void take_lists(struct ck_aws_read *w, struct ck_task *actual, const struct ck_task *t,
                       const struct ck_val *v)
{
    const struct ck_val *metrics = ck_aws_items(w, v, "EnabledMetrics");
    struct ck_val *subnets = ck_list(w->a);
    struct ck_slice rest = ck_slice_of(ck_str_at(v, "VPCZoneIdentifier")), one;
    while (ck_slice_next(&rest, ',', &one))
        ck_append(w->a, subnets, ck_strn(w->a, one));
    ck_aws_take_refs(w, actual, t, "Subnets", subnets);
    ck_aws_take_refs(w, actual, t, "TargetGroups", ck_aws_items(w, v, "TargetGroupARNs"));
    ck_aws_take_refs(w, actual, t, "LoadBalancers", ck_aws_items(w, v, "LoadBalancerNames"));
    ck_task_val(actual, "Metrics", texts(w, metrics, "Metric"));
    ck_task_val(actual, "SuspendProcesses",
                texts(w, ck_aws_items(w, v, "SuspendedProcesses"), "ProcessName"));
    if (ck_len(metrics))
        ck_aws_take(actual, "Granularity", ck_item(metrics, 0), "Granularity");
}

/* What a policy asks of machines instead of naming types; NULL: nothing. */
static struct ck_val *requirements_of(struct ck_aws_read *w, const struct ck_val *override)
{
    static const struct {
        const char *path, *field;
    } limits[] = {
        {"VCpuCount.Min", "CPUMin"},
        {"VCpuCount.Max", "CPUMax"},
        {"MemoryMiB.Min", "MemoryMin"},
        {"MemoryMiB.Max", "MemoryMax"},
    };
    const struct ck_val *given = ck_get(override, "InstanceRequirements");
    if (!ck_is_map(given))
        return NULL;
    struct ck_val *v = ck_map(w->a), *excluded = ck_list(w->a);
    const struct ck_val *types = ck_aws_items(w, given, "ExcludedInstanceTypes");
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (*ck_str_at(given, limits[i].path))
            ck_set_int(w->a, v, limits[i].field, atoll(ck_str_at(given, limits[i].path)));
    for (size_t i = 0; i < ck_len(types); i++)
        ck_append(w->a, excluded, ck_item(types, i));
    if (ck_len(excluded))
        ck_set(w->a, v, "Excluded", excluded);
    return v;
}

static void take_template(struct ck_aws_read *w, struct ck_task *actual, const struct ck_task *t,
                          const struct ck_val *v)
{
    static const struct {
        const char *field, *key;
    } spread[] = {
        {"MixedOnDemandAllocationStrategy", "OnDemandAllocationStrategy"},
        {"MixedOnDemandBase", "OnDemandBaseCapacity"},
        {"MixedOnDemandAboveBase", "OnDemandPercentageAboveBaseCapacity"},
        {"MixedSpotAllocationStrategy", "SpotAllocationStrategy"},
        {"MixedSpotInstancePools", "SpotInstancePools"},
        {"MixedSpotMaxPrice", "SpotMaxPrice"},
    };
    const struct ck_val *mixed_policy = ck_get(v, "MixedInstancesPolicy");
    const struct ck_val *template = ck_get(v, "LaunchTemplate");
    if (ck_is_map(mixed_policy)) {
        const struct ck_val *types =
            ck_aws_items(w, ck_get(mixed_policy, "LaunchTemplate"), "Overrides");
        template = ck_at(mixed_policy, "LaunchTemplate.LaunchTemplateSpecification");
        struct ck_val *wanted = requirements_of(w, ck_item(types, 0));
        if (wanted)
            ck_task_val(actual, "InstanceRequirements", wanted);
        else if (ck_len(types))
            ck_task_val(actual, "MixedInstanceOverrides", texts(w, types, "InstanceType"));
        for (size_t i = 0; i < sizeof spread / sizeof *spread; i++)
            ck_aws_take(actual, spread[i].field, ck_get(mixed_policy, "InstancesDistribution"),
                        spread[i].key);
    }
    ck_aws_take_ref(w, actual, t, "LaunchTemplate", ck_str_at(template, "LaunchTemplateName"));
    const struct ck_task *pool = ck_task_get_ref(t, "WarmPool");
    if (pool)
        ck_task_ref(actual, "WarmPool", pool->kind, pool->name);
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    int r = CK_AWS_QUERY(w, "autoscaling", "DescribeAutoScalingGroups", &reply, err,
                         "AutoScalingGroupNames.member.1", t->name);
    const struct ck_val *v = r ? NULL : ck_item(ck_aws_items(w, reply, "AutoScalingGroups"), 0);
    if (!v)
        return r;
    struct ck_task *actual = *ret = ck_aws_actual(w, t);
    ck_aws_found(w, t, t->name);
    ck_aws_take(actual, "MaxSize", v, "MaxSize");
    ck_aws_take(actual, "MinSize", v, "MinSize");
    ck_aws_take(actual, "InstanceProtection", v, "NewInstancesProtectedFromScaleIn");
    ck_aws_take(actual, "CapacityRebalance", v, "CapacityRebalance");
    ck_task_int(actual, "MaxInstanceLifetime", atoll(ck_str_at(v, "MaxInstanceLifetime")));
    take_lists(w, actual, t, v);
    take_template(w, actual, t, v);
    ck_aws_take_tags(w, actual, ck_get(v, "Tags"));
    return 0;
}

static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    int r = ck_aws_query(w, "autoscaling", "DescribeAutoScalingGroups", NULL, &reply, err);
    const struct ck_val *list = r ? NULL : ck_aws_items(w, reply, "AutoScalingGroups");
    for (size_t i = 0; i < ck_len(list); i++) {
        const struct ck_val *v = ck_item(list, i);
        const char *name = ck_str_at(v, "AutoScalingGroupName");
        if (ck_aws_owned(w, ck_aws_tag_map(w, ck_get(v, "Tags"))) &&
            !ck_tasks_find(wanted, &ck_aws_autoscaling_group, name))
            ck_extras_add(ret, &ck_aws_autoscaling_group, name, NULL, false);
    }
    return r;
}

const struct ck_task_kind ck_aws_autoscaling_group = {
    .name = "AutoscalingGroup",
    .fields = fields,
    .id_is_name = true,
    .link = link,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
