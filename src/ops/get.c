/* What the tables of `get` show of an object, and the completed spec.
 *
 * Printing is the command's. Mirrors cmd/kops/get_cluster.go and get_instancegroups.go. */
#include "ops/get.h"

static const char *joined(struct ck_arena *a, struct ck_strv *zones)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_strv_sort(zones);
    ck_strv_uniq(zones);
    ck_strv_join(zones, ",", &b);
    return ck_arena_strdup(a, ck_buf_str(&b));
}

static void push_nonempty(struct ck_strv *l, const char *s)
{
    if (s[0])
        ck_strv_push(l, s);
}

const char *ck_cluster_cloud(const struct ck_object *cluster)
{
    return ck_str_at(cluster->root, "spec.cloudProvider");
}

const char *ck_cluster_zones(struct ck_arena *a, const struct ck_object *cluster)
{
    CK_AUTOSTRV zones = {0};
    const struct ck_val *subnets = ck_at(cluster->root, "spec.subnets");
    for (size_t i = 0; i < ck_len(subnets); i++)
        push_nonempty(&zones, ck_str_at(ck_item(subnets, i), "zone"));
    return joined(a, &zones);
}

const char *ck_ig_role(const struct ck_object *ig)
{
    const char *role = ck_str_at(ig->root, "spec.role");
    return strcmp(role, "Master") == 0 ? "ControlPlane" : role;
}

const char *ck_ig_size(struct ck_arena *a, const struct ck_object *ig, const char *field)
{
    const struct ck_val *v = ck_get(ck_object_spec(ig), field);
    return v && v->kind == CK_INT ? ck_arena_printf(a, "%lld", (long long)v->i) : "-";
}

static const struct ck_val *subnet_called(const struct ck_val *subnets, const char *name)
{
    for (size_t i = 0; i < ck_len(subnets); i++)
        if (strcmp(ck_str_at(ck_item(subnets, i), "name"), name) == 0)
            return ck_item(subnets, i);
    return NULL;
}

const char *ck_ig_zones(struct ck_arena *a, const struct ck_object *cluster,
                        const struct ck_object *ig, const char **ret_unknown)
{
    CK_AUTOSTRV zones = {0};
    const struct ck_val *own = ck_at(ig->root, "spec.zones");
    const struct ck_val *names = ck_at(ig->root, "spec.subnets");
    const struct ck_val *subnets = ck_at(cluster->root, "spec.subnets");
    if (ret_unknown)
        *ret_unknown = NULL;
    for (size_t i = 0; i < ck_len(own); i++)
        push_nonempty(&zones, ck_str_or(ck_item(own, i), ""));
    for (size_t i = 0; i < ck_len(names); i++) {
        const char *name = ck_str_or(ck_item(names, i), "");
        const struct ck_val *subnet = subnet_called(subnets, name);
        if (!subnet) {
            if (ret_unknown)
                *ret_unknown = name;
            return "";
        }
        push_nonempty(&zones, ck_str_at(subnet, "zone"));
    }
    return joined(a, &zones);
}

int ck_cluster_get_full(struct ck_arena *a, const struct ck_store *s,
                        const struct ck_object *cluster, struct ck_object *ret, struct ck_err *err)
{
    struct ck_path base, path;
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(16 << 20);
    int r = ck_layout_config_base(a, s, cluster, &base, err);
    if (!r)
        r = ck_path_join(a, &base, "cluster-completed.spec", &path, err);
    if (r)
        return r;
    const char *file = ck_path_text(a, &path);
    r = ck_vfs_read(&path, &b, NULL, err);
    if (r == -CK_NOT_FOUND)
        ck_fail(err, CK_NOT_FOUND, "file does not exist");
    if (!r) {
        /* written by a program, possibly a newer one: what we do not know is not shown */
        struct ck_decode_opts opts = {.file = file, .lenient = true};
        r = ck_object_decode(a, ck_arena_slice(a, ck_buf_slice(&b)), &opts, ret, err);
    }
    if (!r && ret->kind != CK_KIND_CLUSTER)
        r = ck_fail(err, CK_INVALID, "not a Cluster");
    return r ? ck_wrap(err, "error loading Cluster \"%s\"", file) : 0;
}
