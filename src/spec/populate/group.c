/* The completed form of an instance group: sizes, image, machine type, subnets, and its kubelet
 * with labels and taints. Mirrors kOps upup/pkg/fi/cloudup/populate_instancegroup_spec.go,
 * pkg/nodelabels/builder.go and pkg/kubeconfig's kubelet merging. */
#include "spec/populate/pop.h"

#include "spec/validate.h"

#include <string.h>

struct group {
    struct ck_arena *a;
    const struct ck_group_facts *f;
    const struct ck_val *cluster; /* its spec */
    const char *cloud, *name, *role;
    struct ck_val *spec;
    bool karpenter;
};

static bool has_role(const struct group *g, const char *role)
{
    return !strcmp(g->role, role);
}

static void set_int_if_open(struct group *g, const char *key, int64_t i)
{
    if (ck_is_null(ck_get(g->spec, key)))
        ck_set_int(g->a, g->spec, key, i);
}

static void add_sizes(struct group *g)
{
    bool single = has_role(g, "Master") || has_role(g, "Bastion");
    if (!single && g->karpenter)
        return;
    set_int_if_open(g, "minSize", single ? 1 : 2);
    set_int_if_open(g, "maxSize", single ? 1 : 2);
}

/* Clouds whose default needs no look-up; bastion NULL: the same. */
static const struct {
    const char *cloud, *machine, *bastion;
} machines[] = {
    {"gce", "e2-medium", "e2-micro"}, {"digitalocean", "s-2vcpu-4gb-amd", NULL},
    {"hetzner", "cx23", NULL},        {"azure", "Standard_B2s", NULL},
    {"scaleway", "DEV1-M", NULL},     {"linode", "g6-standard-2", "g6-standard-1"},
};

static void add_machine(struct group *g)
{
    if (*ck_str_at(g->spec, "machineType") || g->karpenter)
        return;
    const char *type = g->f->machine_type;
    for (size_t i = 0; i < CK_ARRAY_LEN(machines) && !type; i++)
        if (!strcmp(machines[i].cloud, g->cloud))
            type = has_role(g, "Bastion") && machines[i].bastion ? machines[i].bastion
                                                                 : machines[i].machine;
    if (type)
        ck_set_str(g->a, g->spec, "machineType", type);
}

static const struct {
    const char *cloud, *image;
} images[] = {
    {"digitalocean", "ubuntu-24-04-x64"}, {"hetzner", "ubuntu-24.04"},
    {"scaleway", "ubuntu_noble"},         {"linode", "linode/ubuntu24.04"},
    {"metal", "dummy-metal-image"},
};

static int add_image(struct group *g, struct ck_err *err)
{
    const char *arch = g->f->arch ? g->f->arch : "amd64", *image = NULL;
    struct ck_semver version;
    if (*ck_str_at(g->spec, "image"))
        return 0;
    if (g->f->channel &&
        ck_kube_version_parse(ck_str_at(g->cluster, "kubernetesVersion"), &version))
        image = ck_channel_image(g->f->channel, g->cloud, arch, &version);
    for (size_t i = 0; i < CK_ARRAY_LEN(images) && !image; i++)
        if (!strcmp(images[i].cloud, g->cloud))
            image = images[i].image;
    if (!image && !g->f->channel)
        return 0;
    if (!image)
        return ck_fail(err, CK_INVALID,
                       "unable to determine default image for cloud provider \"%s\" and "
                       "architecture \"%s\"",
                       g->cloud, arch);
    ck_set_str(g->a, g->spec, "image", image);
    return 0;
}

static int check_tenancy(const struct group *g, struct ck_err *err)
{
    static const char *const shared_only[] = {"t2.nano",   "t2.micro", "t2.small",
                                              "t2.medium", "t2.large", "t2.xlarge"};
    const char *tenancy = ck_str_at(g->spec, "tenancy"), *type = ck_str_at(g->spec, "machineType");
    if (!*tenancy || !strcmp(tenancy, "default"))
        return 0;
    for (size_t i = 0; i < CK_ARRAY_LEN(shared_only); i++)
        if (!strcmp(type, shared_only[i]))
            return ck_fail(err, CK_INVALID, "invalid dedicated instance type: %s", type);
    return 0;
}

/* Names of the cluster's subnets of none of the two types; NULL when there is none. */
static struct ck_val *subnets_but(struct group *g, const char *not1, const char *not2)
{
    const struct ck_val *list = ck_get(g->cluster, "subnets");
    struct ck_val *ret = ck_list(g->a);
    for (size_t i = 0; i < ck_len(list); i++) {
        const char *type = ck_str_at(ck_item(list, i), "type");
        if (strcmp(type, not1) != 0 && strcmp(type, not2) != 0)
            ck_append_str(g->a, ret, ck_str_at(ck_item(list, i), "name"));
    }
    return ck_len(ret) ? ret : NULL;
}

static int add_subnets(struct group *g, struct ck_err *err)
{
    bool ipv6 = strchr(ck_str_at(g->cluster, "nonMasqueradeCIDR"), ':') != NULL;
    if (ck_len(ck_get(g->spec, "subnets")))
        return 0;
    if (has_role(g, "Master"))
        return ck_fail(err, CK_INVALID,
                       "control-plane InstanceGroup %s did not specify any Subnets", g->name);
    struct ck_val *list;
    if (has_role(g, "APIServer") && ipv6)
        list = subnets_but(g, "Private", "Utility");
    else
        list = subnets_but(g, "DualStack", "Utility");
    if (!list)
        list = subnets_but(g, "Utility", "Utility");
    if (!list)
        return ck_fail(err, CK_INVALID, "unable to infer any Subnets for InstanceGroup %s ",
                       g->name);
    ck_set(g->a, g->spec, "subnets", list);
    return 0;
}

static void add_taint(struct group *g, const char *taint)
{
    struct ck_val *list = ck_get(g->spec, "taints");
    if (!ck_is_list(list)) {
        list = ck_list(g->a);
        ck_set(g->a, g->spec, "taints", list);
    }
    if (!ck_list_has_str(list, taint))
        ck_append_str(g->a, list, taint);
}

static void add_special_hardware(struct group *g)
{
    bool nvidia = ck_bool_at(g->cluster, "containerd.nvidiaGPU.enabled", false) ||
                  ck_bool_at(g->spec, "containerd.nvidiaGPU.enabled", false);
    if (nvidia && g->f->gpu) {
        ck_set_str(g->a, ck_ensure_map(g->a, g->spec, "nodeLabels"), "kops.k8s.io/gpu", "1");
        add_taint(g, "nvidia.com/gpu:NoSchedule");
    }
    if (ck_bool_at(g->spec, "containerd.gvisor.enabled", false))
        ck_set_str(g->a, ck_ensure_map(g->a, g->spec, "nodeLabels"), "kops.k8s.io/gvisor", "1");
}

static void add_labels(struct group *g, struct ck_val *kubelet)
{
    static const char *const control_plane[] = {
        "node-role.kubernetes.io/control-plane", "kops.k8s.io/kops-controller-pki",
        "node.kubernetes.io/exclude-from-external-load-balancers"};
    struct ck_val *labels = ck_ensure_map(g->a, kubelet, "nodeLabels");
    const struct ck_val *own = ck_get(g->spec, "nodeLabels");
    for (size_t i = 0; i < CK_ARRAY_LEN(control_plane) && has_role(g, "Master"); i++)
        ck_set_str(g->a, labels, control_plane[i], "");
    if (has_role(g, "APIServer") ||
        (has_role(g, "Master") && g->f->features && g->f->features->on[CK_FF_API_SERVER_NODES]))
        ck_set_str(g->a, labels, "node-role.kubernetes.io/api-server", "");
    if (has_role(g, "Node"))
        ck_set_str(g->a, labels, "node-role.kubernetes.io/node", "");
    ck_pop_merge(g->a, labels, own);
    if (!ck_len(labels))
        ck_unset(kubelet, "nodeLabels");
}

static void collect(struct ck_strv *set, const struct ck_val *list)
{
    for (size_t i = 0; i < ck_len(list); i++)
        ck_strv_push(set, ck_str_or(ck_item(list, i), ""));
}

static void add_taints(struct group *g, struct ck_val *kubelet, const struct ck_val *base)
{
    CK_AUTOSTRV set = {0};
    collect(&set, ck_get(kubelet, "taints"));
    collect(&set, ck_get(g->spec, "taints"));
    collect(&set, ck_get(base, "taints"));
    if (has_role(g, "Master"))
        ck_strv_push(&set, "node-role.kubernetes.io/control-plane=:NoSchedule");
    if (has_role(g, "APIServer"))
        ck_strv_push(&set, "node-role.kubernetes.io/api-server=:NoSchedule");
    if (g->karpenter)
        ck_strv_push(&set, "karpenter.sh/unregistered=:NoExecute");
    ck_strv_sort(&set);
    ck_strv_uniq(&set);
    struct ck_val *list = ck_list(g->a);
    for (size_t i = 0; i < set.n; i++)
        ck_append_str(g->a, list, set.v[i]);
    if (set.n)
        ck_set(g->a, kubelet, "taints", list);
}

static void add_kubelet(struct group *g)
{
    const struct ck_val *base =
        ck_get(g->cluster, has_role(g, "Master") ? "masterKubelet" : "kubelet");
    struct ck_val *kubelet = ck_is_map(base) ? ck_val_clone(g->a, base) : ck_map(g->a);
    if (ck_bool_at(base, "anonymousAuth", false)) /* as kOps has it: never handed down as true */
        ck_set_bool(g->a, kubelet, "anonymousAuth", false);
    ck_pop_merge(g->a, kubelet, ck_get(g->spec, "kubelet"));
    add_labels(g, kubelet);
    add_taints(g, kubelet, base);
    ck_set(g->a, g->spec, "kubelet", kubelet);
}

static int validate(struct ck_arena *a, const struct ck_object *group,
                    const struct ck_group_facts *f, struct ck_err *err)
{
    static const struct ck_feature_flags none;
    struct ck_validate_ctx ctx = {.arena = a, .features = f->features ? f->features : &none};
    struct ck_field_errs errs = {.arena = a};
    ck_validate_instance_group(&ctx, group, &errs);
    int r = ck_field_errs_fail(&errs, err);
    return r < 0 ? ck_wrap(err, "failed validating input specs") : 0;
}

int ck_populate_instance_group(struct ck_arena *a, const struct ck_object *cluster,
                               const struct ck_object *group, const struct ck_group_facts *facts,
                               struct ck_object *ret, struct ck_err *err)
{
    static const struct ck_group_facts nothing;
    struct group g = {.a = a, .f = facts ? facts : &nothing};
    int r = validate(a, group, g.f, err);
    if (r < 0)
        return r;
    *ret = ck_object_clone(a, group);
    const char *label = ck_object_label(cluster, "alpha.kops.k8s.io/cloud");
    g.cluster = ck_get(cluster->root, "spec");
    g.cloud = label && !strcmp(label, "metal") ? label : ck_str_at(g.cluster, "cloudProvider");
    g.name = ck_object_name(ret);
    g.spec = ck_object_spec(ret);
    g.role = ck_str_at(g.spec, "role");
    g.karpenter = !strcmp(ck_str_at(g.spec, "manager"), "Karpenter");
    if (has_role(&g, "APIServer") && !(g.f->features && g.f->features->on[CK_FF_API_SERVER_NODES]))
        return ck_fail(err, CK_INVALID,
                       "apiserver nodes requires the APIServerNodes feature flag to be enabled");
    add_sizes(&g);
    add_machine(&g);
    r = add_image(&g, err);
    r = r < 0 ? r : check_tenancy(&g, err);
    r = r < 0 ? r : add_subnets(&g, err);
    if (r < 0)
        return r;
    if (!*ck_str_at(g.spec, "manager"))
        ck_set_str(a, g.spec, "manager", "CloudGroup");
    add_special_hardware(&g);
    add_kubelet(&g);
    return 0;
}
