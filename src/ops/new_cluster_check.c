/* Options that cannot be right, or that have no effect: said before anything is built. kOps takes
 * most of them silently. */
#include "ops/new_cluster_build.h"

#include <string.h>

static int check_list(const char *option, const struct ck_strv *items, struct ck_err *err)
{
    for (size_t i = 0; i < items->n; i++) {
        if (!*items->v[i])
            return ck_fail(err, CK_INVALID, "--%s holds an empty name", option);
        for (size_t k = 0; k < i; k++)
            if (strcmp(items->v[i], items->v[k]) == 0)
                return ck_fail(err, CK_INVALID, "--%s names %s twice", option, items->v[i]);
    }
    return 0;
}

static int check_lists(const struct ck_new_cluster_opts *o, struct ck_err *err)
{
    const struct {
        const char *option;
        const struct ck_strv *items;
    } lists[] = {{"zones", &o->zones},
                 {"control-plane-zones", &o->control_plane_zones},
                 {"node-size", &o->node_sizes},
                 {"control-plane-size", &o->control_plane_sizes},
                 {"subnets", &o->subnets},
                 {"utility-subnets", &o->utility_subnets},
                 {"network-cidr", &o->network_cidrs},
                 {"etcd-clusters", &o->etcd_clusters}};
    int r = 0;
    for (size_t i = 0; r == 0 && i < CK_ARRAY_LEN(lists); i++)
        r = check_list(lists[i].option, lists[i].items, err);
    for (size_t i = 0; r == 0 && i < o->feature_gates.n; i++) {
        const char *gate = o->feature_gates.v[i];
        gate += *gate == '+' || *gate == '-';
        if (!*gate || strpbrk(gate, " =\t"))
            r = ck_fail(
                err, CK_INVALID,
                "--kubernetes-feature-gates: \"%s\" is no feature gate; write +Name or -Name",
                o->feature_gates.v[i]);
    }
    return r;
}

static int check_numbers(const struct ck_new_cluster_opts *o, struct ck_err *err)
{
    const struct {
        const char *option;
        int64_t value;
    } numbers[] = {{"control-plane-volume-size", o->control_plane_volume_size},
                   {"node-volume-size", o->node_volume_size}};
    for (size_t i = 0; i < CK_ARRAY_LEN(numbers); i++)
        if (numbers[i].value < 0)
            return ck_fail(err, CK_INVALID, "--%s must not be negative", numbers[i].option);
    return 0;
}

int ck_new_check_options(struct ck_new_build *b, struct ck_err *err)
{
    int r = check_lists(b->o, err);
    return r < 0 ? r : check_numbers(b->o, err);
}

/* ---- remarks ---- */

static void remark(struct ck_new_build *b, const char *text)
{
    if (b->env->note)
        b->env->note(b->env->note_arg, text);
}

static void remark_on_version(struct ck_new_build *b)
{
    struct ck_semver kops;
    const struct ck_semver *v = &b->kubernetes;
    if (!ck_semver_parse_tolerant(ck_slice_of(b->env->kops_version), &kops) || v->major != 1)
        return;
    if (v->minor > kops.minor)
        remark(b, ck_arena_printf(b->a,
                                  "Kubernetes %s is newer than what kops %s knows: update cluster "
                                  "will ask for a newer kops",
                                  v->text, b->env->kops_version));
    else if (v->minor + 5 < kops.minor)
        remark(b, ck_arena_printf(b->a,
                                  "Kubernetes %s is older than what kops %s supports: update "
                                  "cluster will ask for a newer version",
                                  v->text, b->env->kops_version));
}

void ck_new_remarks(struct ck_new_build *b)
{
    const struct ck_new_cluster_opts *o = b->o;
    const struct {
        bool given;
        const char *option, *cloud;
    } of_cloud[] = {
        {*o->gce_service_account != 0, "gce-service-account", "gce"},
        {o->project_given, "project", "gce"},
        {*o->os_ext_net != 0, "os-ext-net", "openstack"},
        {*o->os_ext_subnet != 0, "os-ext-subnet", "openstack"},
        {*o->os_dns_servers != 0, "os-dns-servers", "openstack"},
        {*o->os_lb_floating_subnet != 0, "os-lb-floating-subnet", "openstack"},
        {*o->os_network != 0, "os-network", "openstack"},
        {*o->os_octavia_provider != 0, "os-octavia-provider", "openstack"},
        {o->os_octavia, "os-octavia", "openstack"},
        {o->os_kubelet_ignore_az, "os-kubelet-ignore-az", "openstack"},
        {*o->azure_resource_group != 0, "azure-resource-group-name", "azure"},
        {*o->azure_route_table != 0, "azure-route-table-name", "azure"},
        {*o->azure_tenant_id != 0, "azure-tenant-id", "azure"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(of_cloud); i++)
        if (of_cloud[i].given && !ck_new_is(b, of_cloud[i].cloud))
            remark(b, ck_arena_printf(b->a, "--%s has no effect on %s: it is for %s",
                                      of_cloud[i].option, b->cloud, of_cloud[i].cloud));
    if (o->utility_subnets.n && !b->private_topology)
        remark(b, "--utility-subnets has no effect with a public topology");
    if (*o->os_octavia_provider && !*o->api_lb_type && ck_new_is(b, "openstack"))
        remark(b, "--os-octavia-provider has no effect without --api-loadbalancer-type");
    remark_on_version(b);
}
