/* Merging options into a stored cluster: only what is named moves. Options that a running cluster
 * cannot follow are refused unless they say what is there already. The promise is that of kOps'
 * first state documents; which options merge follows kOps before commit 2fa3bcc952 (2016). */
#include "ops/create_cluster.h"

#include <string.h>
#include <strings.h>

enum where { CLUSTER, CONTROL_PLANES, NODES, BASTIONS, GROUPS };
enum form { TEXT, LIST_OF, NUMBER, FLAG };

struct rule {
    const char *option, *old_option;
    enum where where;
    enum form form;
    const char *path; /* below spec */
    size_t off;       /* in struct ck_new_cluster_opts */
};

#define O(member) offsetof(struct ck_new_cluster_opts, member)

static const struct rule rules[] = {
    {"admin-access", NULL, CLUSTER, LIST_OF, "kubernetesApiAccess", O(admin_access)},
    {"api-public-name", "master-public-name", CLUSTER, TEXT, "masterPublicName",
     O(api_public_name)},
    {"api-ssl-certificate", NULL, CLUSTER, TEXT, "api.loadBalancer.sslCertificate",
     O(api_ssl_certificate)},
    {"associate-public-ip", NULL, GROUPS, FLAG, "associatePublicIp", O(associate_public_ip)},
    {"bastion-image", NULL, BASTIONS, TEXT, "image", O(bastion_image)},
    {"channel", NULL, CLUSTER, TEXT, "channel", O(channel)},
    {"image", NULL, GROUPS, TEXT, "image", O(image)},
    {"control-plane-image", "master-image", CONTROL_PLANES, TEXT, "image", O(control_plane_image)},
    {"control-plane-security-groups", "master-security-groups", CONTROL_PLANES, LIST_OF,
     "additionalSecurityGroups", O(control_plane_security_groups)},
    {"control-plane-tenancy", "master-tenancy", CONTROL_PLANES, TEXT, "tenancy",
     O(control_plane_tenancy)},
    {"control-plane-volume-size", "master-volume-size", CONTROL_PLANES, NUMBER, "rootVolumeSize",
     O(control_plane_volume_size)},
    {"control-plane-volume-type", NULL, CONTROL_PLANES, TEXT, "rootVolumeType",
     O(control_plane_volume_type)},
    {"disable-subnet-tags", NULL, CLUSTER, FLAG, "DisableSubnetTags", O(disable_subnet_tags)},
    {"dns-zone", NULL, CLUSTER, TEXT, "dnsZone", O(dns_zone)},
    {"gce-service-account", NULL, CLUSTER, TEXT, "cloudConfig.gceServiceAccount",
     O(gce_service_account)},
    {"kubernetes-version", NULL, CLUSTER, TEXT, "kubernetesVersion", O(kubernetes_version)},
    {"node-image", NULL, NODES, TEXT, "image", O(node_image)},
    {"node-security-groups", NULL, NODES, LIST_OF, "additionalSecurityGroups",
     O(node_security_groups)},
    {"node-tenancy", NULL, NODES, TEXT, "tenancy", O(node_tenancy)},
    {"node-volume-size", NULL, NODES, NUMBER, "rootVolumeSize", O(node_volume_size)},
    {"node-volume-type", NULL, NODES, TEXT, "rootVolumeType", O(node_volume_type)},
    {"ssh-access", NULL, CLUSTER, LIST_OF, "sshAccess", O(ssh_access)},
};

/* Options that a running cluster cannot follow, with the reason; and whether they say what is there
 * already, which is no change. */
typedef bool (*same_fn)(const struct ck_merge *m);
static bool same_bastion(const struct ck_merge *m);
static bool same_authorization(const struct ck_merge *m);
static bool same_dns(const struct ck_merge *m);
static bool same_etcd_encryption(const struct ck_merge *m);
static bool same_etcd_clusters(const struct ck_merge *m);
static bool same_etcd_storage(const struct ck_merge *m);
static bool same_manager(const struct ck_merge *m);
static bool same_ipv6(const struct ck_merge *m);
static bool same_discovery_store(const struct ck_merge *m);
static bool same_subnets(const struct ck_merge *m);
static bool same_config_base(const struct ck_merge *m);

static const char by_edit[] = "change the field with edit cluster or --set";
static const char by_group[] = "add the group with create instancegroup";

static const struct {
    const char *option, *why;
    same_fn same;     /* NULL: never, or when the field at `path` has the value */
    const char *path; /* below spec; a text or, with `flag`, a boolean */
    size_t off;
    bool flag;
} refused[] = {
    {"bastion", "add the group with create instancegroup bastions --role bastion", same_bastion,
     NULL, 0, false},
    {"authorization", "change spec.authorization with edit cluster", same_authorization, NULL, 0,
     false},
    {"config-base", "moving the configuration is a migration of its own", same_config_base, NULL, 0,
     false},
    {"discovery-store", "the issuer of service accounts cannot change while tokens are in use",
     same_discovery_store, NULL, 0, false},
    {"discovery-service", "the issuer of service accounts cannot change while tokens are in use",
     NULL, NULL, 0, false},
    {"dns", "the names of the API are in certificates and kubeconfigs", same_dns, NULL, 0, false},
    {"encrypt-etcd-storage", "etcd's volumes exist already", same_etcd_encryption, NULL, 0, false},
    {"etcd-clusters", "etcd clusters cannot be added or removed", same_etcd_clusters, NULL, 0,
     false},
    {"etcd-storage-type", "etcd's volumes exist already", same_etcd_storage, NULL, 0, false},
    {"instance-manager", "set the manager of a group with edit instancegroup", same_manager, NULL,
     0, false},
    {"ipv6", "the address family is fixed when the cluster is created", same_ipv6, NULL, 0, false},
    {"subnets", "subnets that exist cannot be exchanged", same_subnets, NULL, 0, false},
    {"utility-subnets", "subnets that exist cannot be exchanged", same_subnets, NULL, 0, false},
    {"os-network", "the network cannot change", NULL, "networkID", O(os_network), false},
    {"egress", by_edit, NULL, NULL, 0, false},
    {"api-server-count", by_group, NULL, NULL, 0, false},
    {"api-server-size", by_group, NULL, NULL, 0, false},
    {"etcd-count", by_group, NULL, NULL, 0, false},
    {"etcd-size", by_group, NULL, NULL, 0, false},
    {"scheduler-count", by_group, NULL, NULL, 0, false},
    {"scheduler-size", by_group, NULL, NULL, 0, false},
    {"kcm-count", by_group, NULL, NULL, 0, false},
    {"kcm-size", by_group, NULL, NULL, 0, false},
    {"os-ext-net", by_edit, NULL, "cloudConfig.openstack.router.externalNetwork", O(os_ext_net),
     false},
    {"os-ext-subnet", by_edit, NULL, "cloudConfig.openstack.router.externalSubnet",
     O(os_ext_subnet), false},
    {"os-dns-servers", by_edit, NULL, "cloudConfig.openstack.router.dnsServers", O(os_dns_servers),
     false},
    {"os-kubelet-ignore-az", by_edit, NULL, "cloudConfig.openstack.blockStorage.ignore-volume-az",
     O(os_kubelet_ignore_az), true},
    {"os-octavia", by_edit, NULL, "cloudConfig.openstack.loadbalancer.useOctavia", O(os_octavia),
     true},
    {"os-octavia-provider", by_edit, NULL, "cloudConfig.openstack.loadbalancer.provider",
     O(os_octavia_provider), false},
    {"os-lb-floating-subnet", by_edit, NULL, "cloudConfig.openstack.loadbalancer.floatingSubnet",
     O(os_lb_floating_subnet), false},
    {"azure-subscription-id", by_edit, NULL, "cloudConfig.azure.subscriptionId",
     O(azure_subscription_id), false},
    {"azure-tenant-id", by_edit, NULL, "cloudConfig.azure.tenantId", O(azure_tenant_id), false},
    {"azure-resource-group-name", by_edit, NULL, "cloudConfig.azure.resourceGroupName",
     O(azure_resource_group), false},
    {"azure-route-table-name", by_edit, NULL, "cloudConfig.azure.routeTableName",
     O(azure_route_table), false},
    {"azure-admin-user", by_edit, NULL, "cloudConfig.azure.adminUser", O(azure_admin_user), false},
};

static bool given(const struct ck_merge *m, const char *option)
{
    return option && m->o->given && ck_map_has(m->o->given, option);
}

static struct ck_val *spec_of(struct ck_object *o)
{
    return ck_object_spec(o);
}

static const void *member(const struct ck_merge *m, size_t off)
{
    return (const char *)&m->o->n + off;
}

static struct ck_val *value_of(const struct ck_merge *m, const struct rule *r)
{
    const void *p = member(m, r->off);
    switch (r->form) {
    case TEXT:
        return ck_str(m->a, *(const char *const *)p);
    case NUMBER:
        return ck_int(m->a, *(const int64_t *)p);
    case FLAG:
        return ck_bool(m->a, *(const bool *)p);
    case LIST_OF: {
        const struct ck_strv *items = p;
        struct ck_val *l = ck_list(m->a);
        for (size_t i = 0; i < items->n; i++)
            ck_append_str(m->a, l, items->v[i]);
        return l;
    }
    }
    return ck_null(m->a);
}

static bool concerns(const struct ck_object *ig, enum where where)
{
    const char *role = ck_str_at(ck_object_spec(ig), "role");
    switch (where) {
    case GROUPS:
        return true;
    case CONTROL_PLANES:
        return strcmp(role, "Master") == 0;
    case NODES:
        return strcmp(role, "Node") == 0;
    case BASTIONS:
        return strcmp(role, "Bastion") == 0;
    case CLUSTER:
        break;
    }
    return false;
}

static void apply_rule(struct ck_merge *m, const struct rule *r)
{
    if (r->where == CLUSTER) {
        ck_put(m->a, spec_of(m->cluster), r->path, value_of(m, r));
        return;
    }
    for (size_t i = 0; i < m->n_igs; i++)
        if (concerns(&m->igs[i], r->where))
            ck_put(m->a, spec_of(&m->igs[i]), r->path, value_of(m, r));
}

/* ---- options that must say what is there ---- */

static int same_or_refuse(const struct ck_merge *m, const char *option, const char *now,
                          const char *wanted, const char *why, struct ck_err *err)
{
    if (!given(m, option) || !*wanted || strcasecmp(now, wanted) == 0)
        return 0;
    return ck_fail(err, CK_INVALID,
                   "--%s=%s cannot be applied: cluster \"%s\" has %s; %s. Nothing was changed",
                   option, wanted, m->o->n.name, *now ? now : "none", why);
}

static const char *networking_now(const struct ck_merge *m)
{
    const struct ck_val *n = ck_get(spec_of(m->cluster), "networking");
    return ck_is_map(n) && n->map.n ? n->map.v[0].key.ptr : "";
}

static const char *topology_now(const struct ck_merge *m)
{
    const struct ck_val *l = ck_get(spec_of(m->cluster), "subnets");
    for (size_t i = 0; i < ck_len(l); i++)
        if (ck_is_str(ck_get(ck_item(l, i), "type"), "Private"))
            return "private";
    return "public";
}

/* ---- options that cannot change, and say what is there ---- */

static bool same_bastion(const struct ck_merge *m)
{
    bool have = false;
    for (size_t i = 0; i < m->n_igs; i++)
        have = have || concerns(&m->igs[i], BASTIONS);
    return have == m->o->n.bastion;
}

static bool same_authorization(const struct ck_merge *m)
{
    bool rbac = ck_at(spec_of(m->cluster), "authorization.rbac") != NULL;
    return strcasecmp(m->o->n.authorization, rbac ? "RBAC" : "AlwaysAllow") == 0;
}

static bool same_dns(const struct ck_merge *m)
{
    return strcasecmp(ck_str_at(spec_of(m->cluster), "topology.dns.type"), m->o->n.dns) == 0;
}

/* Every member of every etcd cluster, asked one thing. */
static bool all_members(const struct ck_merge *m,
                        bool (*fits)(const struct ck_merge *m, const struct ck_val *member))
{
    const struct ck_val *clusters = ck_get(spec_of(m->cluster), "etcdClusters");
    for (size_t i = 0; i < ck_len(clusters); i++) {
        const struct ck_val *members = ck_get(ck_item(clusters, i), "etcdMembers");
        for (size_t k = 0; k < ck_len(members); k++)
            if (!fits(m, ck_item(members, k)))
                return false;
    }
    return true;
}

static bool encrypted_alike(const struct ck_merge *m, const struct ck_val *member)
{
    return ck_bool_at(member, "encryptedVolume", false) == m->o->n.encrypt_etcd_storage;
}

static bool stored_alike(const struct ck_merge *m, const struct ck_val *member)
{
    return strcmp(ck_str_at(member, "volumeType"), m->o->n.etcd_storage_type) == 0;
}

static bool same_etcd_encryption(const struct ck_merge *m)
{
    return all_members(m, encrypted_alike);
}

static bool same_etcd_storage(const struct ck_merge *m)
{
    return all_members(m, stored_alike);
}

static bool same_etcd_clusters(const struct ck_merge *m)
{
    const struct ck_val *clusters = ck_get(spec_of(m->cluster), "etcdClusters");
    size_t found = 0;
    for (size_t i = 0; i < ck_len(clusters); i++)
        found += ck_strv_has(&m->o->n.etcd_clusters, ck_str_at(ck_item(clusters, i), "name"));
    return found == m->o->n.etcd_clusters.n;
}

static bool same_manager(const struct ck_merge *m)
{
    bool karpenter = ck_bool_at(spec_of(m->cluster), "karpenter.enabled", false);
    return strcmp(m->o->n.instance_manager, karpenter ? "karpenter" : "cloudgroups") == 0;
}

static bool same_ipv6(const struct ck_merge *m)
{
    bool six = strchr(ck_str_at(spec_of(m->cluster), "nonMasqueradeCIDR"), ':') != NULL;
    return six == m->o->n.ipv6;
}

static bool same_discovery_store(const struct ck_merge *m)
{
    const char *now =
        ck_str_at(spec_of(m->cluster), "serviceAccountIssuerDiscovery.discoveryStore");
    const char *wanted = m->o->n.discovery_store;
    size_t n = strlen(wanted);
    return *wanted && strncmp(now, wanted, n) == 0 && (now[n] == '/' || wanted[n - 1] == '/');
}

static bool same_config_base(const struct ck_merge *m)
{
    return strcmp(ck_str_at(spec_of(m->cluster), "configBase"), m->o->n.config_base) == 0;
}

/* All ids given are those of the cluster's subnets. */
static bool same_subnets(const struct ck_merge *m)
{
    const struct ck_val *l = ck_get(spec_of(m->cluster), "subnets");
    const struct ck_strv *given_ids[] = {&m->o->n.subnets, &m->o->n.utility_subnets};
    size_t wanted = 0, found = 0;
    for (size_t k = 0; k < CK_ARRAY_LEN(given_ids); k++) {
        wanted += given_ids[k]->n;
        for (size_t i = 0; i < ck_len(l); i++)
            found += ck_strv_has(given_ids[k], ck_str_at(ck_item(l, i), "id"));
    }
    return found == wanted;
}

static bool says_what_is_there(const struct ck_merge *m, size_t i)
{
    const struct ck_val *spec = spec_of(m->cluster);
    if (refused[i].same)
        return refused[i].same(m);
    if (!refused[i].path)
        return false;
    const void *wanted = member(m, refused[i].off);
    if (refused[i].flag)
        return ck_bool_at(spec, refused[i].path, false) == *(const bool *)wanted;
    return strcmp(ck_str_at(spec, refused[i].path), *(const char *const *)wanted) == 0;
}

static int check_fixed(const struct ck_merge *m, struct ck_err *err)
{
    const struct ck_new_cluster_opts *n = &m->o->n;
    const struct ck_val *spec = spec_of(m->cluster);
    for (size_t i = 0; i < CK_ARRAY_LEN(refused); i++)
        if (given(m, refused[i].option) && !says_what_is_there(m, i))
            return ck_fail(err, CK_INVALID,
                           "--%s cannot be applied to cluster \"%s\", which exists already: %s. "
                           "Nothing was changed",
                           refused[i].option, n->name, refused[i].why);
    int r = same_or_refuse(m, "cloud", ck_str_at(spec, "cloudProvider"), n->cloud,
                           "a cluster does not move between clouds", err);
    if (r == 0)
        r = same_or_refuse(m, "topology", topology_now(m), n->topology,
                           "subnets do not change their type while machines run in them", err);
    if (r == 0)
        r = same_or_refuse(m, "network-id", ck_str_at(spec, "networkID"), n->network_id,
                           "the network cannot change", err);
    if (r == 0)
        r = same_or_refuse(m, "project", ck_str_at(spec, "project"), n->project,
                           "the project cannot change", err);
    const char *now = networking_now(m);
    if (r == 0 && !ck_str_starts(n->networking, now))
        r = same_or_refuse(m, "networking", now, n->networking,
                           "changing the networking provider needs a migration", err);
    if (r == 0 && n->network_cidrs.n)
        r = same_or_refuse(m, "network-cidr", ck_str_at(spec, "networkCIDR"), n->network_cidrs.v[0],
                           "the first range of a network cannot change", err);
    return r;
}

static int check_control_planes(const struct ck_merge *m, struct ck_err *err)
{
    int64_t count = 0;
    for (size_t i = 0; i < m->n_igs; i++)
        count += concerns(&m->igs[i], CONTROL_PLANES);
    bool count_given = given(m, "control-plane-count") || given(m, "master-count");
    if (count_given && m->o->n.control_plane_count != count)
        return ck_fail(err, CK_INVALID,
                       "--control-plane-count=%lld cannot be applied: cluster \"%s\" has %lld; "
                       "changing the number of control planes changes etcd's members. Nothing was "
                       "changed",
                       (long long)m->o->n.control_plane_count, m->o->n.name, (long long)count);
    const struct ck_strv *zones = &m->o->n.control_plane_zones;
    for (size_t z = 0; z < zones->n; z++) {
        bool found = false;
        for (size_t i = 0; i < m->n_igs; i++)
            found = found || (concerns(&m->igs[i], CONTROL_PLANES) &&
                              strstr(ck_object_name(&m->igs[i]), zones->v[z]));
        if (!found)
            return ck_fail(err, CK_INVALID,
                           "--control-plane-zones: no control plane of cluster \"%s\" is in %s; "
                           "etcd's members cannot move. Nothing was changed",
                           m->o->n.name, zones->v[z]);
    }
    return 0;
}

/* ---- options with a logic of their own ---- */

static void set_sizes(struct ck_merge *m, const struct ck_strv *sizes, enum where where)
{
    bool aws = strcmp(ck_str_at(spec_of(m->cluster), "cloudProvider"), "aws") == 0;
    for (size_t i = 0; i < m->n_igs; i++) {
        if (!concerns(&m->igs[i], where))
            continue;
        struct ck_val *spec = spec_of(&m->igs[i]);
        ck_set_str(m->a, spec, "machineType", sizes->v[0]);
        ck_drop(spec, "mixedInstancesPolicy.instances");
        if (sizes->n < 2 || !aws)
            continue;
        struct ck_val *l = ck_list(m->a);
        for (size_t k = 0; k < sizes->n; k++)
            ck_append_str(m->a, l, sizes->v[k]);
        ck_put(m->a, spec, "mixedInstancesPolicy.instances", l);
    }
}

static int node_count(struct ck_merge *m, struct ck_err *err)
{
    int64_t total = m->o->n.node_count, groups = 0, at = 0;
    for (size_t i = 0; i < m->n_igs; i++)
        groups += concerns(&m->igs[i], NODES);
    if (total < 0 || !groups)
        return ck_fail(err, CK_INVALID, "--node-count=%lld cannot be applied: %s", (long long)total,
                       total < 0 ? "it is negative" : "the cluster has no group of nodes");
    for (size_t i = 0; i < m->n_igs; i++) {
        if (!concerns(&m->igs[i], NODES))
            continue;
        int64_t share = total / groups + (at++ < total % groups);
        ck_set_int(m->a, spec_of(&m->igs[i]), "minSize", share);
        ck_set_int(m->a, spec_of(&m->igs[i]), "maxSize", share);
    }
    return 0;
}

static bool has_zone(const struct ck_merge *m, const char *zone)
{
    const struct ck_val *l = ck_get(spec_of(m->cluster), "subnets");
    for (size_t i = 0; i < ck_len(l); i++)
        if (ck_is_str(ck_get(ck_item(l, i), "zone"), zone) ||
            ck_is_str(ck_get(ck_item(l, i), "name"), zone))
            return true;
    for (size_t i = 0; i < m->n_igs; i++) /* where subnets are those of a region */
        if (ck_list_has_str(ck_get(ck_object_spec(&m->igs[i]), "zones"), zone))
            return true;
    return false;
}

static void add_subnet(struct ck_merge *m, const char *name, const char *zone, const char *type)
{
    struct ck_val *s = ck_map(m->a);
    ck_set_str(m->a, s, "name", name);
    ck_set_str(m->a, s, "zone", zone);
    ck_set_str(m->a, s, "type", type);
    ck_append(m->a, ck_get(spec_of(m->cluster), "subnets"), s);
}

static void add_node_group(struct ck_merge *m, const struct ck_object *like, const char *zone)
{
    if (m->n_igs == m->cap_igs) {
        size_t cap = m->cap_igs ? m->cap_igs * 2 : 16;
        struct ck_object *v = ck_arena_alloc(m->a, cap * sizeof *v);
        memcpy(v, m->igs, m->n_igs * sizeof *v);
        m->igs = v;
        m->cap_igs = cap;
    }
    const char *name = ck_arena_printf(m->a, "nodes-%s", zone);
    struct ck_object ig = ck_object_new(m->a, CK_KIND_INSTANCE_GROUP, name);
    ck_set(m->a, ig.root, "spec", ck_val_clone(m->a, ck_object_spec(like)));
    struct ck_val *spec = ck_object_spec(&ig), *subnets = ck_list(m->a);
    ck_append_str(m->a, subnets, zone);
    ck_set(m->a, spec, "subnets", subnets);
    ck_set_int(m->a, spec, "minSize", 1);
    ck_set_int(m->a, spec, "maxSize", 1);
    ck_set_str(m->a, ck_ensure_map(m->a, spec, "nodeLabels"), "kops.k8s.io/instancegroup", name);
    m->igs[m->n_igs++] = ig;
}

static int zones(struct ck_merge *m, struct ck_err *err)
{
    const struct ck_strv *z = &m->o->n.zones;
    const char *cloud = ck_str_at(spec_of(m->cluster), "cloudProvider");
    const char *topology = topology_now(m);
    const struct ck_object *like = NULL;
    for (size_t i = 0; i < m->n_igs && !like; i++)
        if (concerns(&m->igs[i], NODES))
            like = &m->igs[i];
    for (size_t i = 0; i < z->n; i++) {
        if (has_zone(m, z->v[i]))
            continue;
        if (strcmp(cloud, "aws") != 0 && strcmp(cloud, "openstack") != 0)
            return ck_fail(err, CK_INVALID,
                           "--zones: zone %s cannot be added: on %s the zones are fixed when the "
                           "cluster is created. Nothing was changed",
                           z->v[i], cloud);
        if (*ck_str_at(spec_of(m->cluster), "networkID"))
            return ck_fail(err, CK_INVALID,
                           "--zones: zone %s cannot be added to a shared network by an option: add "
                           "its subnet with edit cluster. Nothing was changed",
                           z->v[i]);
        bool private = strcmp(topology, "private") == 0;
        add_subnet(m, z->v[i], z->v[i], private ? "Private" : "Public");
        if (private)
            add_subnet(m, ck_arena_printf(m->a, "utility-%s", z->v[i]), z->v[i], "Utility");
        if (like) {
            struct ck_object copy = *like;
            add_node_group(m, &copy, z->v[i]);
        }
    }
    return 0;
}

static void feature_gates(struct ck_merge *m)
{
    static const char *const components[] = {"kubelet", "kubeAPIServer", "kubeControllerManager",
                                             "kubeProxy", "kubeScheduler"};
    const struct ck_strv *g = &m->o->n.feature_gates;
    for (size_t i = 0; i < g->n; i++)
        for (size_t c = 0; c < CK_ARRAY_LEN(components); c++) {
            const char *name = g->v[i];
            const char *value = *name == '-' ? "false" : "true";
            name += *name == '-' || *name == '+';
            ck_set_str(m->a,
                       ck_ensure_map(m->a, spec_of(m->cluster),
                                     ck_arena_printf(m->a, "%s.featureGates", components[c])),
                       name, value);
        }
}

static int api_load_balancer(struct ck_merge *m, struct ck_err *err)
{
    const char *type = m->o->n.api_lb_type;
    if (strcasecmp(type, "public") != 0 && strcasecmp(type, "internal") != 0)
        return ck_fail(err, CK_INVALID, "unknown api-loadbalancer-type: \"%s\"", type);
    ck_put(m->a, spec_of(m->cluster), "api.loadBalancer.type",
           ck_str(m->a, strcasecmp(type, "public") == 0 ? "Public" : "Internal"));
    return 0;
}

int ck_merge_options(struct ck_merge *m, struct ck_err *err)
{
    const struct ck_new_cluster_opts *n = &m->o->n;
    int r = check_fixed(m, err);
    if (r == 0)
        r = check_control_planes(m, err);
    if (r == 0 && given(m, "zones"))
        r = zones(m, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < CK_ARRAY_LEN(rules); i++)
        if (given(m, rules[i].option) || given(m, rules[i].old_option))
            apply_rule(m, &rules[i]);
    if (n->node_sizes.n)
        set_sizes(m, &n->node_sizes, NODES);
    if (n->control_plane_sizes.n)
        set_sizes(m, &n->control_plane_sizes, CONTROL_PLANES);
    feature_gates(m);
    r = ck_cloud_labels_put(m->a, n->cloud_labels, spec_of(m->cluster), err);
    if (r == 0 && given(m, "node-count"))
        r = node_count(m, err);
    if (r == 0 && given(m, "api-loadbalancer-type"))
        r = api_load_balancer(m, err);
    return r;
}
