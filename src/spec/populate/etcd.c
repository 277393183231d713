/* Etcd clusters: sanity of their members, versions, where backups go. Mirrors kOps
 * upup/pkg/fi/cloudup/populate_cluster_spec.go and pkg/model/components/etcd.go,
 * etcdmanager/options.go. */
#include "spec/populate/pop.h"

#include <string.h>

/* The newest patch of each line etcd-manager carries. */
static const struct {
    unsigned minor, patch;
    unsigned below_kubernetes; /* recommended for Kubernetes below 1.N; 0: for the rest */
} lines[] = {{5, 31, 34}, {6, 12, 37}, {7, 0, 0}};

static int check_members(const struct ck_val *cluster, struct ck_err *err)
{
    const struct ck_val *members = ck_get(cluster, "etcdMembers");
    const char *name = ck_str_at(cluster, "name");
    size_t n = ck_len(members);
    for (size_t i = 0; i < n; i++) {
        const struct ck_val *m = ck_item(members, i);
        const char *member = ck_str_at(m, "name");
        if (!*member)
            return ck_fail(err, CK_INVALID,
                           "EtcdMember #%zu of etcd-cluster %s did not specify a Name", i, name);
        if (!*ck_str_at(m, "instanceGroup"))
            return ck_fail(err, CK_INVALID, "EtcdMember %s:%s did not specify a InstanceGroup",
                           name, member);
        for (size_t j = 0; j < i; j++)
            if (!strcmp(ck_str_at(ck_item(members, j), "name"), member))
                return ck_fail(err, CK_INVALID,
                               "EtcdMembers found with same name \"%s\" in etcd-cluster \"%s\"",
                               member, name);
    }
    if (n % 2 == 0)
        return ck_fail(err, CK_INVALID,
                       "there should be an odd number of control-plane-zones, for etcd's quorum.  "
                       "Hint: Use --zones and --control-plane-zones to declare worker and control "
                       "plane node zones separately");
    return 0;
}

static const char *recommended(struct ck_pop *p)
{
    size_t i = 0;
    while (lines[i].below_kubernetes && ck_kube_version_ge(&p->ver, 1, lines[i].below_kubernetes))
        i++;
    return ck_arena_printf(p->a, "3.%u.%u", lines[i].minor, lines[i].patch);
}

static bool offered(const char *version)
{
    struct ck_semver v;
    if (!ck_semver_parse(ck_slice_of(*version == 'v' ? version + 1 : version), &v) || v.major != 3)
        return false;
    for (size_t i = 0; i < CK_ARRAY_LEN(lines); i++)
        if (v.minor == lines[i].minor)
            return v.patch <= lines[i].patch;
    return false;
}

int ck_pop_etcd(struct ck_pop *p, struct ck_err *err)
{
    struct ck_val *list = ck_get(p->spec, "etcdClusters");
    for (size_t i = 0; i < ck_len(list); i++) {
        struct ck_val *cluster = ck_item(list, i);
        const char *name = ck_str_at(cluster, "name");
        if (!*name)
            return ck_fail(err, CK_INVALID, "EtcdClusters #%zu did not specify a Name", i);
        int r = check_members(cluster, err);
        if (r < 0)
            return r;
        ck_pop_str(p, cluster, "version", recommended(p));
        ck_pop_str(p, cluster, "backups.backupStore",
                   ck_arena_printf(p->a, "%s/backups/etcd/%s", ck_pop_spec(p, "configBase"), name));
        const char *version = ck_str_at(cluster, "version");
        if (!*ck_str_at(cluster, "image") && !offered(version))
            return ck_fail(err, CK_INVALID,
                           "etcd version \"%s\" is not supported with etcd-manager, please specify "
                           "a supported version, remove the value to use the recommended version, "
                           "or also set the image field to run a custom version",
                           version);
    }
    if (ck_kube_version_ge(&p->ver, 1, 32) && !ck_kube_version_ge(&p->ver, 1, 36))
        ck_pop_str(p, p->spec, "masterKubelet.featureGates.ImageVolume", "true");
    return 0;
}
