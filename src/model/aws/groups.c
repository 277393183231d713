/* Launch templates, autoscaling groups and warm pools of the instance groups.
 *
 * Source: shared facts update-cluster-aws.md §14-16; kOps pkg/model/awsmodel/autoscalinggroup.go.
 */
#include "model/aws/builders.h"

#include "model/aws/images.h"
#include "model/nodeup.h"

#include <stdlib.h>
#include <string.h>

enum { GP3_IOPS = 3000, GP3_THROUGHPUT = 125, IO_IOPS = 100 };

struct group {
    struct ck_model *m;
    const struct ck_object *obj;
    const struct ck_val *spec;
    const char *name; /* of the tasks */
    enum ck_role role;
    const char *subnet_type;
    bool ipv6; /* some subnet has an IPv6 range */
    struct ck_err *err;
};

static int64_t at_least(int64_t given, int64_t least)
{
    return given > least ? given : least;
}

static const char *or_null(const char *s)
{
    return *s ? s : NULL;
}

static bool is_provisioned(const char *type)
{
    return !strcmp(type, "io1") || !strcmp(type, "io2");
}

/* ---- what subnets say ---- */

static int look_at_subnets(struct group *g)
{
    const struct ck_val *names = ck_get(g->spec, "subnets");
    for (size_t i = 0; i < ck_len(names); i++) {
        const char *name = ck_str_or(ck_item(names, i), "");
        const struct ck_val *s = ck_aws_subnet_of(g->m, name);
        if (!s)
            return ck_fail(g->err, CK_INVALID,
                           "instance group \"%s\": spec.subnets[%zu]: the cluster has no subnet "
                           "\"%s\"",
                           ck_object_name(g->obj), i, name);
        const char *type = ck_str_at(s, "type");
        if (g->subnet_type && strcmp(g->subnet_type, type))
            return ck_fail(g->err, CK_INVALID,
                           "instance group \"%s\" cannot be in subnets of type %s and %s at once",
                           ck_object_name(g->obj), g->subnet_type, type);
        g->subnet_type = type;
        g->ipv6 = g->ipv6 || *ck_str_at(s, "ipv6CIDR");
    }
    if (!g->subnet_type)
        return ck_fail(g->err, CK_INVALID, "instance group \"%s\" must have at least one subnet",
                       ck_object_name(g->obj));
    return 0;
}

static bool public_address(const struct group *g)
{
    bool by_type = !strcmp(g->subnet_type, "Public") || !strcmp(g->subnet_type, "Utility");
    return by_type ? ck_bool_at(g->spec, "associatePublicIp", true) : false;
}

/* ---- launch templates ---- */

static void root_volume(const struct group *g, struct ck_task *t)
{
    static const int sizes[] = {
        [CK_ROLE_CONTROL_PLANE] = 64,
        [CK_ROLE_API_SERVER] = 128,
        [CK_ROLE_NODE] = 128,
        [CK_ROLE_BASTION] = 32,
    };
    const char *type = ck_str_at(g->spec, "rootVolumeType");
    const struct ck_val *encrypted = ck_get(g->spec, "rootVolumeEncryption");
    int64_t size = ck_int_at(g->spec, "rootVolumeSize", 0);
    int64_t iops = ck_int_at(g->spec, "rootVolumeIops", 0);
    type = *type ? type : "gp3";
    ck_task_int(t, "RootVolumeSize", size > 0 ? size : sizes[g->role]);
    ck_task_str(t, "RootVolumeType", type);
    if (is_provisioned(type)) {
        ck_task_int(t, "RootVolumeIops", at_least(iops, IO_IOPS));
    } else if (!strcmp(type, "gp3")) {
        ck_task_int(t, "RootVolumeIops", at_least(iops, GP3_IOPS));
        ck_task_int(t, "RootVolumeThroughput",
                    at_least(ck_int_at(g->spec, "rootVolumeThroughput", 0), GP3_THROUGHPUT));
    }
    if (ck_get(g->spec, "rootVolumeOptimization"))
        ck_task_bool(t, "RootVolumeOptimization",
                     ck_bool_at(g->spec, "rootVolumeOptimization", false));
    ck_task_bool(t, "RootVolumeEncryption", ck_bool_at(g->spec, "rootVolumeEncryption", true));
    ck_task_str(t, "RootVolumeKmsKey",
                encrypted && encrypted->kind == CK_BOOL && encrypted->b
                    ? ck_str_at(g->spec, "rootVolumeEncryptionKey")
                    : "");
}

static void extra_volumes(const struct group *g, struct ck_task *t)
{
    struct ck_arena *a = g->m->a;
    const struct ck_val *volumes = ck_get(g->spec, "volumes");
    struct ck_val *list = ck_list(a);
    for (size_t i = 0; i < ck_len(volumes); i++) {
        const struct ck_val *v = ck_item(volumes, i);
        struct ck_val *d = ck_map(a);
        const char *type = ck_str_at(v, "type");
        int64_t iops = ck_int_at(v, "iops", 0), throughput = ck_int_at(v, "throughput", 0);
        type = *type ? type : "gp3";
        ck_set_str(a, d, "DeviceName", ck_str_at(v, "device"));
        ck_set_bool(a, d, "DeleteOnTermination", ck_bool_at(v, "deleteOnTermination", true));
        ck_set_bool(a, d, "Encrypted", ck_bool_at(v, "encrypted", true));
        if (*ck_str_at(v, "key"))
            ck_set_str(a, d, "KmsKeyId", ck_str_at(v, "key"));
        if (!strcmp(type, "gp3")) {
            ck_set_int(a, d, "Iops", at_least(iops, GP3_IOPS));
            ck_set_int(a, d, "Throughput", at_least(throughput, GP3_THROUGHPUT));
        } else if (is_provisioned(type)) {
            ck_set_int(a, d, "Iops", at_least(iops, IO_IOPS));
        }
        ck_set_int(a, d, "SizeGB", ck_int_at(v, "size", 0));
        ck_set_str(a, d, "VolumeType", type);
        ck_append(a, list, d);
    }
    if (ck_len(list))
        ck_task_val(t, "BlockDeviceMappings", list);
}

static void shared_group(struct ck_model *m, struct ck_task *t, const char *id)
{
    struct ck_task *s = ck_task_ensure(m->tasks, &ck_aws_security_group, id, m->security);
    ck_task_str(s, "ID", id);
    ck_task_bool(s, "Shared", true);
    ck_task_ref(t, "SecurityGroups", &ck_aws_security_group, id);
}

static void security_groups(const struct group *g, struct ck_task *t)
{
    struct ck_model *m = g->m;
    ck_task_ref(t, "SecurityGroups", &ck_aws_security_group, ck_aws_group_sg(m, g->obj));
    const struct ck_val *api = ck_at(m->spec, "api.loadBalancer.additionalSecurityGroups");
    for (size_t i = 0; ck_model_has_apiserver(g->obj) && i < ck_len(api); i++)
        shared_group(m, t, ck_str_or(ck_item(api, i), ""));
    const struct ck_val *own = ck_get(g->spec, "additionalSecurityGroups");
    for (size_t i = 0; i < ck_len(own); i++)
        shared_group(m, t, ck_str_or(ck_item(own, i), ""));
}

/* An ARN's last part; the profile is the user's. */
static const char *profile(const struct group *g)
{
    const char *arn = ck_str_at(g->spec, "iam.profile");
    const char *slash = strrchr(arn, '/');
    if (!*arn)
        return ck_aws_role_task(g->m, g->role);
    return slash ? slash + 1 : arn;
}

static void ssh_key(const struct group *g, struct ck_task *t)
{
    const struct ck_tasks *s = g->m->tasks;
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i]->kind == &ck_aws_ssh_key)
            ck_task_ref(t, "SSHKey", &ck_aws_ssh_key, s->v[i]->name);
}

static const char *first_type(const struct group *g)
{
    struct ck_slice rest = ck_slice_of(ck_str_at(g->spec, "machineType")), one = {0};
    ck_slice_next(&rest, ',', &one);
    return ck_arena_strndup(g->m->a, one.ptr ? one.ptr : "", one.len);
}

static void image(const struct group *g, struct ck_task *t)
{
    struct ck_aws_image found;
    const char *name = ck_str_at(g->spec, "image");
    ck_task_str(t, "ImageID", name);
    if (!ck_aws_image_find(g->m, name, &found))
        return;
    ck_task_str(t, "ResolvedImage", found.id);
    ck_task_str(t, "RootDeviceName", found.root_device);
    ck_task_val(t, "EphemeralDevices", ck_aws_ephemeral_devices(g->m, first_type(g)));
}

static void spot(const struct group *g, struct ck_task *t)
{
    bool single = !ck_get(g->spec, "mixedInstancesPolicy");
    ck_task_str(t, "SpotPrice", single ? ck_str_at(g->spec, "maxPrice") : "");
    if (!single)
        return;
    if (ck_int_at(g->spec, "spotDurationInMinutes", 0))
        ck_task_int(t, "SpotDurationInMinutes", ck_int_at(g->spec, "spotDurationInMinutes", 0));
    ck_task_str(t, "InstanceInterruptionBehavior",
                or_null(ck_str_at(g->spec, "instanceInterruptionBehavior")));
}

static int launch_template(const struct group *g)
{
    struct ck_model *m = g->m;
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_launch_template, g->name, m->cluster);
    const char *tokens = ck_str_at(g->spec, "instanceMetadata.httpTokens");
    ck_task_bool(t, "AssociatePublicIP", public_address(g));
    extra_volumes(g, t);
    ck_task_str(t, "CPUCredits", ck_str_at(g->spec, "cpuCredits"));
    ck_task_int(t, "HTTPPutResponseHopLimit",
                ck_int_at(g->spec, "instanceMetadata.httpPutResponseHopLimit", 1));
    ck_task_str(t, "HTTPTokens", *tokens ? tokens : "required");
    ck_task_str(t, "HTTPProtocolIPv6", g->ipv6 ? "enabled" : "disabled");
    ck_task_ref(t, "IAMInstanceProfile", &ck_aws_instance_profile, profile(g));
    image(g, t);
    ck_task_bool(t, "InstanceMonitoring", ck_bool_at(g->spec, "detailedInstanceMonitoring", false));
    ck_task_str(t, "InstanceType", first_type(g));
    ck_task_int(t, "IPv6AddressCount", g->ipv6 ? 1 : 0);
    root_volume(g, t);
    ssh_key(g, t);
    security_groups(g, t);
    spot(g, t);
    ck_task_val(t, "Tags", ck_aws_group_tags(m, g->obj));
    ck_task_str(t, "Tenancy", or_null(ck_str_at(g->spec, "tenancy")));
    CK_AUTOBUF struct ck_buf data = CK_BUF_INIT;
    int r = ck_model_user_data(m, g->obj, &data, g->err);
    if (!r && data.len)
        ck_task_bytes(t, "UserData", ck_buf_slice(&data));
    return r;
}

/* ---- warm pools ---- */

static void warm_pool(const struct group *g, const struct ck_warm_pool *w)
{
    struct ck_model *m = g->m;
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_warm_pool, g->name, m->cluster);
    ck_task_bool(t, "Enabled", w->enabled);
    if (w->enabled) {
        if (w->has_max)
            ck_task_int(t, "MaxSize", w->max);
        ck_task_int(t, "MinSize", w->min);
    }
    if (!w->enabled)
        return;
    const char *name = ck_arena_printf(m->a, "kops-warmpool-%s", ck_object_name(g->obj));
    t = ck_task_new(m->tasks, &ck_aws_lifecycle_hook, name, m->cluster);
    ck_task_str(t, "ID", name);
    ck_task_str(t, "HookName", "kops-warmpool");
    ck_task_ref(t, "AutoscalingGroup", &ck_aws_autoscaling_group, g->name);
    ck_task_str(t, "DefaultResult", "ABANDON");
    ck_task_int(t, "HeartbeatTimeout", w->timeout);
    ck_task_str(t, "LifecycleTransition", "autoscaling:EC2_INSTANCE_LAUNCHING");
    ck_task_bool(t, "Enabled", w->hook);
}

/* ---- autoscaling groups ---- */

static const struct ck_val *metrics(const struct group *g, bool warm)
{
    static const char *const plain[] = {
        "GroupDesiredCapacity",
        "GroupInServiceInstances",
        "GroupMaxSize",
        "GroupMinSize",
        "GroupPendingInstances",
        "GroupStandbyInstances",
        "GroupTerminatingInstances",
        "GroupTotalInstances",
    };
    static const char *const pool[] = {
        "WarmPoolMinSize",
        "WarmPoolDesiredCapacity",
        "WarmPoolPendingCapacity",
        "WarmPoolTerminatingCapacity",
        "WarmPoolWarmedCapacity",
        "WarmPoolTotalCapacity",
        "GroupAndWarmPoolDesiredCapacity",
        "GroupAndWarmPoolTotalCapacity",
    };
    struct ck_val *list = ck_list(g->m->a);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        ck_append_str(g->m->a, list, plain[i]);
    for (size_t i = 0; warm && i < sizeof pool / sizeof *pool; i++)
        ck_append_str(g->m->a, list, pool[i]);
    return list;
}

/* A share of a unit counts as one; no limit below is 0, which AWS wants to be told. */
static void requirements(const struct group *g, struct ck_task *t, const struct ck_val *wanted)
{
    static const struct {
        const char *path, *field;
        int64_t unit; /* memory is told in millions of bytes */
        bool always;
    } limits[] = {
        {"cpu.min", "CPUMin", 1, true},
        {"cpu.max", "CPUMax", 1, false},
        {"memory.min", "MemoryMin", 1000000, true},
        {"memory.max", "MemoryMax", 1000000, false},
    };
    struct ck_val *v = ck_map(g->m->a);
    const struct ck_val *excluded = ck_get(wanted, "excludedInstanceTypes");
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        int64_t n = ck_aws_quantity(ck_at(wanted, limits[i].path)), unit = limits[i].unit;
        if (n || limits[i].always)
            ck_set_int(g->m->a, v, limits[i].field, n / unit + (n % unit != 0));
    }
    if (ck_len(excluded))
        ck_set(g->m->a, v, "Excluded", ck_val_clone(g->m->a, excluded));
    ck_task_val(t, "InstanceRequirements", v);
}

static void mixed(const struct group *g, struct ck_task *t)
{
    const struct ck_val *p = ck_get(g->spec, "mixedInstancesPolicy");
    static const struct {
        const char *name, *field;
    } fields[] = {
        {"onDemandAllocationStrategy", "MixedOnDemandAllocationStrategy"},
        {"onDemandBase", "MixedOnDemandBase"},
        {"onDemandAboveBase", "MixedOnDemandAboveBase"},
        {"spotAllocationStrategy", "MixedSpotAllocationStrategy"},
        {"spotInstancePools", "MixedSpotInstancePools"},
    };
    if (!p)
        return;
    if (ck_len(ck_get(p, "instances")))
        ck_task_val(t, "MixedInstanceOverrides", ck_get(p, "instances"));
    if (ck_get(p, "instanceRequirements"))
        requirements(g, t, ck_get(p, "instanceRequirements"));
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (ck_get(p, fields[i].name))
            ck_task_val(t, fields[i].field, ck_get(p, fields[i].name));
    /* An empty price is the on-demand price. */
    ck_task_str(t, "MixedSpotMaxPrice", ck_str_at(g->spec, "maxPrice"));
}

/* Names of target groups, to be put in by name. */
struct names {
    const char **v;
    size_t n;
};

static void target_group(const struct group *g, struct names *names, const char *prefix)
{
    const char *name = ck_model_name32(g->m, prefix);
    if (ck_tasks_find(g->m->tasks, &ck_aws_target_group, name))
        names->v[names->n++] = name;
}

/* "…:targetgroup/NAME/ID" → NAME */
static const char *arn_name(const struct group *g, const char *arn)
{
    const char *from = strchr(arn, '/');
    const char *to = from ? strchr(from + 1, '/') : NULL;
    return to ? ck_arena_strndup(g->m->a, from + 1, (size_t)(to - from - 1)) : arn;
}

static void external_balancers(const struct group *g, struct ck_task *t, struct names *names)
{
    struct ck_model *m = g->m;
    const struct ck_val *list = ck_get(g->spec, "externalLoadBalancers");
    for (size_t i = 0; i < ck_len(list); i++) {
        const char *classic = ck_str_at(ck_item(list, i), "loadBalancerName");
        const char *arn = ck_str_at(ck_item(list, i), "targetGroupArn");
        if (*classic) {
            const char *name = ck_arena_printf(m->a, "external-%s", classic);
            struct ck_task *b =
                ck_task_ensure(m->tasks, &ck_aws_classic_balancer, name, m->cluster);
            ck_task_str(b, "LoadBalancerName", classic);
            ck_task_bool(b, "Shared", true);
            ck_task_ref(t, "LoadBalancers", &ck_aws_classic_balancer, name);
        }
        if (*arn) {
            const char *name = arn_name(g, arn);
            struct ck_task *b = ck_task_ensure(m->tasks, &ck_aws_target_group, name, m->cluster);
            ck_task_str(b, "ARN", arn);
            ck_task_bool(b, "Shared", true);
            names->v[names->n++] = name;
        }
    }
}

static void balancers(const struct group *g, struct ck_task *t)
{
    enum { OWN = 8 };
    struct names names = {0};
    size_t n = ck_len(ck_get(g->spec, "externalLoadBalancers"));
    names.v = ck_arena_alloc(g->m->a, (n + OWN) * sizeof *names.v);
    ck_task_refs_none(t, "LoadBalancers");
    ck_task_refs_none(t, "TargetGroups");
    if (ck_model_has_api_balancer(g->m) && ck_model_has_apiserver(g->obj)) {
        target_group(g, &names, "tcp");
        target_group(g, &names, "tls");
    }
    if (g->role == CK_ROLE_CONTROL_PLANE) {
        target_group(g, &names, "kops-controller");
        target_group(g, &names, "etcd-cilium");
    }
    if (g->role == CK_ROLE_BASTION)
        target_group(g, &names, "bastion");
    external_balancers(g, t, &names);
    qsort(names.v, names.n, sizeof *names.v, ck_text_cmp);
    for (size_t i = 0; i < names.n; i++)
        ck_task_ref(t, "TargetGroups", &ck_aws_target_group, names.v[i]);
}

static int64_t seconds_of(const struct ck_val *v)
{
    int64_t ns = ck_aws_duration(v);
    return ns / 1000000000;
}

static void autoscaling_group(const struct group *g, const struct ck_warm_pool *w)
{
    struct ck_model *m = g->m;
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_autoscaling_group, g->name, m->cluster);
    const struct ck_val *names = ck_get(g->spec, "subnets");
    const struct ck_val *suspended = ck_get(g->spec, "suspendProcesses");
    int64_t dflt = g->role == CK_ROLE_NODE ? 2 : 1;
    ck_task_str(t, "Granularity", "1Minute");
    ck_task_bool(t, "InstanceProtection", ck_bool_at(g->spec, "instanceProtection", false));
    ck_task_ref(t, "LaunchTemplate", &ck_aws_launch_template, g->name);
    ck_task_int(t, "MaxInstanceLifetime", seconds_of(ck_get(g->spec, "maxInstanceLifetime")));
    ck_task_int(t, "MaxSize", ck_int_at(g->spec, "maxSize", dflt));
    ck_task_val(t, "Metrics", metrics(g, w->enabled));
    ck_task_int(t, "MinSize", ck_int_at(g->spec, "minSize", dflt));
    if (ck_get(g->spec, "capacityRebalance"))
        ck_task_bool(t, "CapacityRebalance", ck_bool_at(g->spec, "capacityRebalance", false));
    mixed(g, t);
    for (size_t i = 0; i < ck_len(names); i++)
        ck_task_ref(t, "Subnets", &ck_aws_subnet,
                    ck_aws_subnet_task(m, ck_str_or(ck_item(names, i), "")));
    ck_task_val(t, "SuspendProcesses", suspended ? suspended : ck_list(m->a));
    ck_task_val(t, "Tags", ck_aws_group_tags(m, g->obj));
    balancers(g, t);
    if (w->enabled)
        ck_task_ref(t, "WarmPool", &ck_aws_warm_pool, g->name);
}

int ck_aws_build_groups(struct ck_model *m, struct ck_err *err)
{
    for (size_t i = 0; i < m->n_groups; i++) {
        struct group g = {.m = m, .obj = &m->groups[i], .err = err};
        g.spec = ck_object_spec(g.obj);
        g.role = ck_model_role(g.obj);
        g.name = ck_model_group_name(m, g.obj);
        int r = ck_model_is_karpenter(g.obj) ? 0 : look_at_subnets(&g);
        if (r)
            return r;
        if (ck_model_is_karpenter(g.obj))
            continue;
        struct ck_warm_pool w = ck_model_warm_pool(m, g.obj);
        r = launch_template(&g);
        if (r)
            return r;
        warm_pool(&g, &w);
        autoscaling_group(&g, &w);
    }
    return 0;
}
