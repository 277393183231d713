/* An instance group by itself (rules 180–199). Mirrors ValidateInstanceGroup of kOps
 * pkg/apis/kops/validation/instancegroup.go. */
#include "spec/featureflag.h"
#include "spec/validate/rules.h"

#include <string.h>

/* Rules 181–183. */
static void check_role(struct ck_chk *c, struct ck_fld spec, const char *role)
{
    struct ck_fld f = ck_fld_at(c, spec, "role", NULL);
    if (!*role) {
        ck_chk_required(c, f, "Role must be set");
        return;
    }
    if (!strcmp(role, "ControlPlane")) {
        struct ck_fld subnets = ck_fld_at(c, spec, "subnets", NULL);
        if (!ck_len(subnets.v))
            ck_chk_required(c, subnets,
                            "controlPlane InstanceGroup must specify at least one Subnet");
        if (ck_int_at(spec.v, "minSize", 0) > 1)
            ck_chk_invalid(c, ck_fld_at(c, spec, "minSize", NULL),
                           "controlPlane InstanceGroup must have minSize set to 1");
        if (ck_int_at(spec.v, "maxSize", 0) > 1)
            ck_chk_invalid(c, ck_fld_at(c, spec, "maxSize", NULL),
                           "controlPlane InstanceGroup must have maxSize set to 1, add more "
                           "InstanceGroups instead");
        return;
    }
    static const char *const experimental[] = {"Etcd", "Scheduler", "KubeControllerManager"};
    bool known = !strcmp(role, "Node") || !strcmp(role, "Bastion") || !strcmp(role, "APIServer");
    for (size_t i = 0; i < CK_ARRAY_LEN(experimental); i++)
        known |= c->ctx->features && c->ctx->features->on[CK_FF_EXPERIMENTAL_ROLES] &&
                 !strcmp(role, experimental[i]);
    if (!known)
        ck_chk_unsupported(c, f, role, ck_role_names);
}

/* Rules 185, 186, 188. */
static void check_sizes(struct ck_chk *c, struct ck_fld spec)
{
    struct ck_fld max = ck_fld_at(c, spec, "maxSize", NULL);
    struct ck_fld min = ck_fld_at(c, spec, "minSize", NULL);
    const char *manager = ck_str_at(spec.v, "manager");
    if (c->strict && (!*manager || !strcmp(manager, "CloudGroup"))) {
        if (ck_is_null(max.v))
            ck_chk_forbidden(c, max, "maxSize must be set");
        if (ck_is_null(min.v))
            ck_chk_forbidden(c, min, "minSize must be set");
    }
    if (!ck_is_null(max.v) && ck_int_at(spec.v, "maxSize", 0) < ck_int_at(spec.v, "minSize", 0))
        ck_chk_forbidden(c, max, "maxSize must be greater than or equal to minSize.");
}

/* Rules 187 to 189. */
static void check_machine(struct ck_chk *c, struct ck_fld spec, const char *role)
{
    struct ck_fld gvisor = ck_fld_at(c, spec, "containerd.gvisor", NULL);
    if (ck_bool_at(gvisor.v, "enabled", false) && strcmp(role, "Node") != 0)
        ck_chk_forbidden(c, gvisor, "gVisor can only be enabled on instance groups with role Node");
    struct ck_fld image = ck_fld_at(c, spec, "image", NULL);
    if (c->strict && !ck_fld_set(image))
        ck_chk_forbidden(c, image, "image must be specified.");
    if (ck_int_at(spec.v, "rootVolumeIops", 0) < 0)
        ck_chk_invalid(c, ck_fld_at(c, spec, "rootVolumeIops", "rootVolume.iops"),
                       "IOPS must be greater than 0");
    if (ck_int_at(spec.v, "rootVolumeThroughput", 0) < 0)
        ck_chk_invalid(c, ck_fld_at(c, spec, "rootVolumeThroughput", "rootVolume.throughput"),
                       "Throughput must be greater than 0");
}

static void need(struct ck_chk *c, struct ck_fld parent, const char *key, const char *text)
{
    struct ck_fld f = ck_fld_at(c, parent, key, NULL);
    if (!ck_fld_set(f))
        ck_chk_required(c, f, text);
}

/* Rules 190–192. kOps names no index for user data. */
static void check_attachments(struct ck_chk *c, struct ck_fld spec)
{
    static const char *const types[] = {
        "text/x-include-once-url", "text/x-include-url",  "text/cloud-config-archive",
        "text/upstart-job",        "text/cloud-config",   "text/part-handler",
        "text/x-shellscript",      "text/cloud-boothook", NULL};
    struct ck_fld list = ck_fld_at(c, spec, "additionalUserData", NULL);
    for (size_t i = 0; i < ck_len(list.v); i++) {
        struct ck_fld f = ck_fld_named(ck_fld_item(c, list, i), "additionalUserData");
        need(c, f, "name", "field must be set");
        need(c, f, "content", "field must be set");
        ck_chk_must_be_of(c, ck_fld_at(c, f, "type", NULL), types);
    }
    list = ck_fld_at(c, spec, "volumes", NULL);
    for (size_t i = 0; i < ck_len(list.v); i++) {
        struct ck_fld f = ck_fld_item(c, list, i);
        need(c, f, "device", "device name required");
        int64_t size = ck_int_at(f.v, "size", 0);
        if (size <= 0)
            ck_chk_invalid_int(c, ck_fld_at(c, f, "size", NULL), size, "must be greater than zero");
    }
    list = ck_fld_at(c, spec, "volumeMounts", NULL);
    for (size_t i = 0; i < ck_len(list.v); i++) {
        struct ck_fld f = ck_fld_item(c, list, i);
        need(c, f, "device", "device name required");
        need(c, f, "filesystem", "filesystem type required");
        need(c, f, "path", "mount path required");
        ck_chk_must_be_of(c, ck_fld_at(c, f, "filesystem", NULL), CK_ONE_OF("btfs", "ext4", "xfs"));
    }
}

/* Rules 193–195. */
static void check_identity(struct ck_chk *c, struct ck_fld spec)
{
    static const char own_label[] = "kops.k8s.io/instancegroup";
    struct ck_fld profile = ck_fld_at(c, spec, "iam.profile", NULL);
    const char *why, *resource = ck_arn_resource(ck_fld_str(profile), &why);
    if (!ck_is_null(profile.v) && (!resource || !ck_str_starts(resource, "instance-profile/")))
        ck_chk_invalid(c, profile,
                       "Instance Group IAM Instance Profile must be a valid aws arn such as "
                       "arn:aws:iam::123456789012:instance-profile/KopsExampleRole");
    ck_chk_rolling_update(c, ck_fld_at(c, spec, "rollingUpdate", NULL),
                          !strcmp(ck_role_internal(ck_str_at(spec.v, "role")), "ControlPlane"));
    struct ck_fld labels = ck_fld_at(c, spec, "nodeLabels", NULL);
    const char **keys = ck_sorted_keys(c->a, labels.v);
    for (size_t i = 0; keys[i]; i++) {
        const char *slash = strchr(keys[i], '/');
        if (slash && strchr(slash + 1, '/'))
            ck_chk_invalid_str(c, labels, keys[i], "Node label may only contain a single slash");
    }
    labels = ck_fld_at(c, spec, "cloudLabels", NULL);
    struct ck_fld own = {.path = ck_arena_printf(c->a, "%s.%s", labels.path, own_label),
                         .v = ck_get(labels.v, own_label),
                         .near = labels.near};
    if (own.v && !ck_fld_is(own, ck_object_name(c->obj)))
        ck_chk_invalid(c, own, "value must match instance group name");
    ck_chk_cloud_labels(c, labels, own_label);
}

/* Rule 196. */
static void check_load_balancer(struct ck_chk *c, struct ck_fld f)
{
    struct ck_fld name = ck_fld_at(c, f, "loadBalancerName", NULL);
    struct ck_fld group = ck_fld_at(c, f, "targetGroupArn", "targetGroupARN");
    if (!ck_is_null(name.v) && !ck_is_null(group.v))
        ck_chk_too_many(c, f, 2, 1);
    if (strlen(ck_fld_str(name)) > 32)
        ck_chk_invalid(c, name, "Load Balancer name must have at most 32 characters");
    if (ck_is_null(group.v))
        return;
    const char *why, *resource = ck_arn_resource(ck_fld_str(group), &why);
    if (!resource) {
        ck_chk_invalid(c, group, "Target Group ARN must be a valid AWS ARN: %s", why);
        return;
    }
    const char *first = strchr(resource, '/'), *second = first ? strchr(first + 1, '/') : NULL;
    if (!second || strchr(second + 1, '/')) {
        ck_chk_invalid(c, group,
                       "Target Group ARN resource must be a valid AWS ARN resource such as "
                       "\"targetgroup/tg-name/1234567890123456\"");
        return;
    }
    if (!ck_str_starts(resource, "targetgroup/"))
        ck_chk_invalid(c, group, "Target Group ARN resource type must be \"targetgroup\"");
    if (second - first - 1 > 32)
        ck_chk_invalid(c, group, "Target Group ARN resource name must have at most 32 characters");
}

/* Rule 198: KEY[=VALUE][:EFFECT]; one of each key and effect. */
static bool taint_key(struct ck_chk *c, const char *taint, const char **ret)
{
    const char *colon = strchr(taint, ':');
    size_t n = colon ? (size_t)(colon - taint) : strlen(taint);
    const char *eq = memchr(taint, '=', n);
    if ((colon && strchr(colon + 1, ':')) || !n)
        return false;
    if (eq && memchr(eq + 1, '=', n - (size_t)(eq + 1 - taint)))
        return false;
    *ret = ck_arena_printf(c->a, "%.*s%s", (int)(eq ? (size_t)(eq - taint) : n), taint,
                           colon ? colon : "");
    return true;
}

static void check_taints(struct ck_chk *c, struct ck_fld list)
{
    for (size_t i = 0; i < ck_len(list.v); i++) {
        struct ck_fld f = ck_fld_item(c, list, i);
        const char *key, *other;
        if (!taint_key(c, ck_fld_str(f), &key)) {
            ck_chk_invalid(c, f, "invalid taint value");
            continue;
        }
        for (size_t j = 0; j < i; j++) {
            if (!taint_key(c, ck_str_or(ck_item(list.v, j), ""), &other) || strcmp(key, other) != 0)
                continue;
            ck_chk_duplicate(c, f, key);
            break;
        }
    }
}

void ck_validate_instance_group(const struct ck_validate_ctx *ctx, const struct ck_object *ig,
                                struct ck_field_errs *ret)
{
    struct ck_chk chk = ck_chk_of(ctx, ig, NULL, ret);
    struct ck_chk *c = &chk;
    struct ck_fld meta = ck_fld_root(c, "objectMeta", ck_get(ig->root, "metadata"));
    struct ck_fld spec = ck_fld_root(c, "spec", ck_get(ig->root, "spec"));
    const char *role = ck_role_internal(ck_str_at(spec.v, "role"));
    spec.near = spec.v ? spec.v : ig->root;
    meta.near = meta.v ? meta.v : ig->root;
    need(c, meta, "name", "");
    check_role(c, spec, role);
    ck_chk_one_of_set(c, ck_fld_at(c, spec, "tenancy", NULL),
                      CK_ONE_OF("default", "dedicated", "host"));
    check_sizes(c, spec);
    check_machine(c, spec, role);
    ck_chk_hooks(c, ck_fld_at(c, spec, "hooks", NULL), true);
    ck_chk_file_assets(c, ck_fld_at(c, spec, "fileAssets", NULL));
    check_attachments(c, spec);
    check_identity(c, spec);
    struct ck_fld lbs = ck_fld_at(c, spec, "externalLoadBalancers", NULL);
    for (size_t i = 0; i < ck_len(lbs.v); i++)
        check_load_balancer(c, ck_fld_item(c, lbs, i));
    ck_chk_one_of(c, ck_fld_at(c, spec, "updatePolicy", NULL), CK_ONE_OF("automatic", "external"));
    check_taints(c, ck_fld_at(c, spec, "taints", NULL));
    ck_chk_sysctls(c, ck_fld_at(c, spec, "sysctlParameters", NULL));
}
