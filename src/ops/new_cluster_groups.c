/* Instance groups and etcd clusters of a new cluster: control planes, API servers, other roles,
 * nodes, bastions; their images, machine types and subnets. */
#include "ops/new_cluster_build.h"

#include "base/enc.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "ops/group_defaults.h"

#include <string.h>

enum { MAX_GROUPS = 4096 };

bool ck_new_zoned_groups(const struct ck_new_build *b)
{
    return ck_new_is(b, "gce") || ck_new_is(b, "azure");
}

static struct ck_val *add_group(struct ck_new_build *b, const char *name, const char *role)
{
    if (b->n_igs == b->cap_igs) {
        size_t cap = b->cap_igs ? b->cap_igs * 2 : 16;
        struct ck_object *v = ck_arena_alloc(b->a, cap * sizeof *v);
        if (b->n_igs)
            memcpy(v, b->igs, b->n_igs * sizeof *v);
        b->igs = v;
        b->cap_igs = cap;
    }
    struct ck_object *ig = &b->igs[b->n_igs++];
    *ig = ck_object_new(b->a, CK_KIND_INSTANCE_GROUP, name);
    struct ck_val *spec = ck_object_spec(ig);
    ck_set_str(b->a, spec, "role", role);
    return spec;
}

static void set_size(struct ck_new_build *b, struct ck_val *ig, int64_t n)
{
    ck_set_int(b->a, ig, "minSize", n);
    ck_set_int(b->a, ig, "maxSize", n);
}

static void put_strv(struct ck_new_build *b, struct ck_val *map, const char *key,
                     const struct ck_strv *items)
{
    for (size_t i = 0; i < items->n; i++)
        ck_append_to(b->a, map, key, items->v[i]);
}

static void machine_types(struct ck_new_build *b, struct ck_val *ig, const struct ck_strv *sizes)
{
    if (!sizes->n)
        return;
    ck_set_str(b->a, ig, "machineType", sizes->v[0]);
    if (sizes->n > 1 && ck_new_is(b, "aws"))
        put_strv(b, ck_ensure_map(b->a, ig, "mixedInstancesPolicy"), "instances", sizes);
}

/* ---- etcd ---- */

/* Short member names: without what all groups have in common at the front. */
static char **member_names(struct ck_new_build *b, const char *const *groups, size_t n)
{
    char **names = ck_arena_alloc(b->a, n * sizeof *names);
    for (size_t i = 0; i < n; i++) {
        const char *g = groups[i];
        if (ck_str_starts(g, "control-plane-"))
            g += strlen("control-plane-");
        else if (ck_str_starts(g, "master-"))
            g += strlen("master-");
        names[i] = ck_arena_strdup(b->a, g);
    }
    for (;;) {
        if (!n || strlen(names[0]) <= 1)
            break;
        bool same = true;
        for (size_t i = 1; i < n; i++)
            same = same && names[i][0] == names[0][0];
        if (!same)
            break;
        for (size_t i = 0; i < n; i++)
            names[i]++;
    }
    for (size_t i = 0; i < n; i++)
        if (names[i][0] >= '0' && names[i][0] <= '9')
            names[i] = ck_arena_printf(b->a, "etcd-%s", names[i]);
    return names;
}

static void add_etcd(struct ck_new_build *b, const char *name, const char *const *groups, size_t n)
{
    const struct ck_new_cluster_opts *o = b->o;
    bool encrypt = o->encrypt_etcd_storage_given ? o->encrypt_etcd_storage : ck_new_is(b, "aws");
    char **names = member_names(b, groups, n);
    struct ck_val *e = ck_map(b->a);
    ck_set_str(b->a, e, "name", name);
    ck_set_str(b->a, e, "cpuRequest", strcmp(name, "main") == 0 ? "200m" : "100m");
    ck_set_str(b->a, e, "memoryRequest", "100Mi");
    ck_put(b->a, e, "manager.backupRetentionDays", ck_int(b->a, 90));
    struct ck_val *members = ck_list(b->a);
    for (size_t i = 0; i < n; i++) {
        struct ck_val *m = ck_map(b->a);
        ck_set_str(b->a, m, "name", names[i]);
        ck_set_str(b->a, m, "instanceGroup", groups[i]);
        if (encrypt)
            ck_set_bool(b->a, m, "encryptedVolume", true);
        if (*o->etcd_storage_type)
            ck_set_str(b->a, m, "volumeType", o->etcd_storage_type);
        ck_append(b->a, members, m);
    }
    ck_set(b->a, e, "etcdMembers", members);
    struct ck_val *l = ck_get(b->spec, "etcdClusters");
    if (!l) {
        l = ck_list(b->a);
        ck_set(b->a, b->spec, "etcdClusters", l);
    }
    ck_append(b->a, l, e);
}

static void etcd_clusters(struct ck_new_build *b, const char *const *groups, size_t n)
{
    const struct ck_strv *given = &b->o->etcd_clusters;
    if (!given->n) {
        add_etcd(b, "main", groups, n);
        add_etcd(b, "events", groups, n);
    }
    for (size_t i = 0; i < given->n; i++)
        add_etcd(b, given->v[i], groups, n);
    if (ck_bool_at(b->spec, "networking.cilium.etcdManaged", false))
        add_etcd(b, "cilium", groups, n);
}

/* ---- one group per zone ---- */

static void group_in_zone(struct ck_new_build *b, struct ck_val *ig, const char *zone,
                          bool dualstack)
{
    const char *subnet = ck_new_subnet_of_zone(b, zone);
    if (dualstack)
        subnet = ck_arena_printf(b->a, "dualstack-%s", subnet);
    ck_append_to(b->a, ig, "subnets", subnet);
    if (ck_new_zoned_groups(b))
        ck_append_to(b->a, ig, "zones", zone);
}

static int control_planes(struct ck_new_build *b, struct ck_err *err)
{
    const struct ck_new_cluster_opts *o = b->o;
    const struct ck_strv *zones = o->control_plane_zones.n ? &o->control_plane_zones : &o->zones;
    int64_t count = o->control_plane_count;
    if (count < 0 || count > MAX_GROUPS)
        return ck_fail(err, CK_INVALID, "--control-plane-count must be between 0 and %d",
                       MAX_GROUPS);
    if (count && count < (int64_t)o->control_plane_zones.n)
        return ck_fail(err, CK_INVALID,
                       "specified %zu control-plane zones, but also requested %lld control-plane "
                       "nodes.  If specifying both, the count should match.",
                       o->control_plane_zones.n, (long long)count);
    if (!count)
        count = o->control_plane_zones.n ? (int64_t)o->control_plane_zones.n : 1;
    const char **names = ck_arena_alloc(b->a, (size_t)count * sizeof *names);
    size_t n = zones->n;
    bool numbered = (size_t)count > n || ((size_t)count == n && ck_new_is(b, "digitalocean"));
    for (size_t i = 0; i < (size_t)count; i++) {
        const char *zone = zones->v[i % n];
        names[i] = numbered ? ck_arena_printf(b->a, "control-plane-%s-%zu", zone, 1 + i / n)
                            : ck_arena_printf(b->a, "control-plane-%s", zone);
        struct ck_val *ig = add_group(b, names[i], "Master");
        set_size(b, ig, 1);
        machine_types(b, ig, &o->control_plane_sizes);
        group_in_zone(b, ig, zone, o->ipv6 && b->private_topology);
    }
    etcd_clusters(b, names, (size_t)count);
    return 0;
}

static int spread(struct ck_new_build *b, const char *prefix, const char *role, int64_t total,
                  const struct ck_strv *sizes, bool zones_with_none, struct ck_err *err)
{
    if (total < 0 || total > INT32_MAX)
        return ck_fail(err, CK_INVALID, "the number of %s machines must not be negative", role);
    const struct ck_strv *zones = &b->o->zones;
    for (size_t i = 0; i < zones->n; i++) {
        int64_t share = total / (int64_t)zones->n + ((int64_t)i < total % (int64_t)zones->n);
        if (!share && !zones_with_none)
            continue;
        const char *zone = zones->v[i];
        struct ck_val *ig = add_group(b, ck_arena_printf(b->a, "%s-%s", prefix, zone), role);
        set_size(b, ig, share);
        machine_types(b, ig, sizes);
        bool api_server = strcmp(role, "APIServer") == 0;
        group_in_zone(b, ig, zone, api_server && b->o->ipv6 && b->private_topology);
    }
    return 0;
}

/* With more address ranges, nodes use the zone's further subnets only. */
static void use_further_subnets(struct ck_new_build *b, struct ck_val *ig, const char *zone)
{
    const struct ck_val *l = ck_get(b->spec, "subnets");
    struct ck_val *more = ck_list(b->a);
    const char *first = ck_new_subnet_of_zone(b, zone);
    for (size_t i = 0; i < ck_len(l); i++) {
        const struct ck_val *s = ck_item(l, i);
        const char *name = ck_str_at(s, "name");
        if (ck_is_str(ck_get(s, "zone"), zone) && strcmp(name, first) != 0 && ck_get(s, "cidr"))
            ck_append_str(b->a, more, name);
    }
    if (ck_len(more))
        ck_set(b->a, ig, "subnets", more);
}

static int nodes(struct ck_new_build *b, struct ck_err *err)
{
    const struct ck_new_cluster_opts *o = b->o;
    const char *manager = o->instance_manager;
    if (strcmp(manager, "karpenter") == 0) {
        if (!*o->discovery_store)
            return ck_fail(err, CK_INVALID, "karpenter requires --discovery-store");
        ck_put(b->a, b->spec, "karpenter.enabled", ck_bool(b->a, true));
        struct ck_val *ig = add_group(b, "nodes", "Node");
        ck_set_str(b->a, ig, "manager", "Karpenter");
        machine_types(b, ig, &o->node_sizes);
        return 0;
    }
    if (*manager && strcmp(manager, "cloudgroups") != 0) {
        CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
        const char *const known[] = {"cloudgroups", "karpenter"};
        const char *near = ck_nearest(manager, known, CK_ARRAY_LEN(known));
        ck_goquote(&q, ck_slice_of(manager));
        return ck_fail(err, CK_INVALID, "invalid value %s for --instance-manager%s%s%s",
                       ck_buf_str(&q), near ? "; did you mean " : "", near ? near : "",
                       near ? "?" : "");
    }
    size_t first = b->n_igs;
    int64_t count = o->node_count ? o->node_count : (int64_t)o->zones.n;
    int r = spread(b, "nodes", "Node", count, &o->node_sizes, true, err);
    if (r == 0 && o->network_cidrs.n > 1 && ck_new_is(b, "aws"))
        for (size_t i = first; i < b->n_igs; i++)
            use_further_subnets(b, ck_object_spec(&b->igs[i]), o->zones.v[i - first]);
    return r;
}

static int special_roles(struct ck_new_build *b, struct ck_err *err)
{
    const struct ck_new_cluster_opts *o = b->o;
    const struct {
        const char *prefix, *role;
        int64_t count;
        const struct ck_strv *sizes;
    } roles[] = {
        {"apiserver", "APIServer", o->apiserver_count, &o->apiserver_sizes},
        {"etcd", "Etcd", o->etcd_count, &o->etcd_sizes},
        {"scheduler", "Scheduler", o->scheduler_count, &o->scheduler_sizes},
        {"kcm", "KubeControllerManager", o->kcm_count, &o->kcm_sizes},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(roles); i++) {
        if (!roles[i].count)
            continue;
        int r =
            spread(b, roles[i].prefix, roles[i].role, roles[i].count, roles[i].sizes, true, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static void bastions(struct ck_new_build *b)
{
    if (!b->o->bastion)
        return;
    struct ck_val *ig = add_group(b, "bastions", "Bastion");
    set_size(b, ig, 1);
    if (b->o->ipv6) {
        const struct ck_val *l = ck_get(b->spec, "subnets");
        for (size_t i = 0; i < ck_len(l); i++)
            if (ck_is_str(ck_get(ck_item(l, i), "type"), "DualStack"))
                ck_append_to(b->a, ig, "subnets", ck_str_at(ck_item(l, i), "name"));
    }
    if (ck_new_zoned_groups(b))
        put_strv(b, ig, "zones", &b->zones);
}

/* ---- defaults of every group ---- */

static const char *image_option(const struct ck_new_cluster_opts *o, const char *role)
{
    const char *own = strcmp(role, "Master") == 0    ? o->control_plane_image
                      : strcmp(role, "Bastion") == 0 ? o->bastion_image
                      : strcmp(role, "Node") == 0    ? o->node_image
                                                     : "";
    return *own ? own : o->image;
}

static int finish_group(struct ck_new_build *b, struct ck_object *o, struct ck_err *err)
{
    struct ck_val *ig = ck_object_spec(o);
    const char *name = ck_object_name(o), *role = ck_str_at(ig, "role");
    ck_set_str(b->a, ck_ensure_map(b->a, ig, "nodeLabels"), "kops.k8s.io/instancegroup", name);
    const char *type = ck_str_at(ig, "machineType");
    const char *arch = *type ? ck_facts_architecture(b->env->facts, b->cloud, type) : "amd64";
    const char *image = image_option(b->o, role);
    if (!*image) {
        image = ck_default_image(b->env->channel, b->cloud, arch, &b->kubernetes);
        if (!image) {
            CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
            ck_goquote(&q, ck_slice_of(b->cloud));
            return ck_fail(err, CK_INVALID,
                           "unable to determine default image for cloud provider %s and "
                           "architecture \"%s\"",
                           ck_buf_str(&q), arch);
        }
    }
    ck_set_str(b->a, ig, "image", image);
    if (!*type) {
        type = ck_default_machine_type(b->env->facts, b->cloud, role, arch);
        if (type)
            ck_set_str(b->a, ig, "machineType", type);
        else if (!ck_new_is(b, "metal"))
            return ck_fail(
                err, CK_INVALID,
                "which machine types %s offers is known to the cloud only: name one with "
                "--node-size and --control-plane-size",
                b->cloud);
    }
    return ck_default_subnets(b->a, b->spec, ig, name, err);
}

static void group_options(struct ck_new_build *b, struct ck_val *ig)
{
    const struct ck_new_cluster_opts *o = b->o;
    const char *role = ck_str_at(ig, "role");
    bool cp = strcmp(role, "Master") == 0, node = strcmp(role, "Node") == 0;
    if (o->associate_public_ip_given)
        ck_set_bool(b->a, ig, "associatePublicIp", o->associate_public_ip);
    if (!cp && !node)
        return;
    const char *tenancy = cp ? o->control_plane_tenancy : o->node_tenancy;
    if (*tenancy)
        ck_set_str(b->a, ig, "tenancy", tenancy);
    put_strv(b, ig, "additionalSecurityGroups",
             cp ? &o->control_plane_security_groups : &o->node_security_groups);
    int64_t size = cp ? o->control_plane_volume_size : o->node_volume_size;
    if (size)
        ck_set_int(b->a, ig, "rootVolumeSize", size);
    const char *type = cp ? o->control_plane_volume_type : o->node_volume_type;
    if (*type)
        ck_set_str(b->a, ig, "rootVolumeType", type);
}

int ck_new_groups(struct ck_new_build *b, struct ck_err *err)
{
    int r = control_planes(b, err);
    if (r == 0)
        r = special_roles(b, err);
    if (r == 0)
        r = nodes(b, err);
    if (r < 0)
        return r;
    bastions(b);
    for (size_t i = 0; r == 0 && i < b->n_igs; i++) {
        r = finish_group(b, &b->igs[i], err);
        group_options(b, ck_object_spec(&b->igs[i]));
    }
    return r;
}
