/* The disks of etcd's members.
 *
 * Source: shared facts update-cluster-aws.md §13; kOps pkg/model/master_volumes.go. */
#include "model/aws/builders.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_GIB = 20, GP3_IOPS = 3000, GP3_THROUGHPUT = 125, IO_IOPS = 100 };

static const struct ck_object *group_of(const struct ck_model *m, const char *name)
{
    for (size_t i = 0; i < m->n_all_groups; i++)
        if (!strcmp(ck_object_name(&m->all_groups[i]), name))
            return &m->all_groups[i];
    return NULL;
}

/* The only zone of the member's group. */
static int zone_of(const struct ck_model *m, const struct ck_val *member, const char **ret,
                   struct ck_err *err)
{
    const char *name = ck_str_at(member, "instanceGroup");
    const struct ck_object *group = group_of(m, name);
    if (!group)
        return ck_fail(err, CK_INVALID, "InstanceGroup not found (for etcd %s): \"%s\"",
                       ck_str_at(member, "name"), name);
    const struct ck_val *subnets = ck_at(group->root, "spec.subnets");
    const struct ck_val *zones = ck_at(group->root, "spec.zones");
    const char *zone = ck_len(zones) ? ck_str_or(ck_item(zones, 0), "") : NULL;
    for (size_t i = 0; i < ck_len(subnets); i++) {
        const char *s = ck_str_or(ck_item(subnets, i), "");
        const struct ck_val *subnet = ck_aws_subnet_of(m, s);
        if (!subnet)
            return ck_fail(err, CK_INVALID,
                           "instance group \"%s\" names subnet \"%s\", which the "
                           "cluster does not have",
                           name, s);
        const char *z = ck_str_at(subnet, "zone");
        if (zone && strcmp(zone, z))
            return ck_fail(err, CK_INVALID,
                           "instance group \"%s\" of etcd member \"%s\" is in several zones; a "
                           "member's disk lies in one",
                           name, ck_str_at(member, "name"));
        zone = z;
    }
    if (!zone)
        return ck_fail(err, CK_INVALID, "instance group \"%s\" of etcd member \"%s\" has no zone",
                       name, ck_str_at(member, "name"));
    *ret = zone;
    return 0;
}

/* "a,b,c": all members, sorted. */
static const char *all_members(const struct ck_model *m, const struct ck_val *members)
{
    size_t n = ck_len(members);
    const char **v = ck_arena_alloc(m->a, (n + 1) * sizeof *v);
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    for (size_t i = 0; i < n; i++)
        v[i] = ck_str_at(ck_item(members, i), "name");
    qsort(v, n, sizeof *v, ck_text_cmp);
    for (size_t i = 0; i < n; i++)
        ck_buf_fmt(&b, "%s%s", i ? "," : "", v[i]);
    return ck_arena_strdup(m->a, ck_buf_str(&b));
}

static int64_t at_least(int64_t given, int64_t least)
{
    return given > least ? given : least;
}

static int performance(struct ck_task *t, const struct ck_val *member, const char *type,
                       int64_t gib, struct ck_err *err)
{
    int64_t iops = ck_int_at(member, "volumeIops", 0);
    int64_t throughput = ck_int_at(member, "volumeThroughput", 0);
    int64_t ratio = 0;
    if (!strcmp(type, "io1") || !strcmp(type, "io2")) {
        iops = at_least(iops, IO_IOPS);
        ratio = !strcmp(type, "io1") ? 50 : 500;
    } else if (!strcmp(type, "gp3")) {
        iops = at_least(iops, GP3_IOPS);
        throughput = at_least(throughput, GP3_THROUGHPUT);
        ratio = iops > GP3_IOPS ? 500 : 0;
        if (throughput * 4 > iops)
            return ck_fail(err, CK_INVALID,
                           "volumeThroughput to volumeIops ratio must not exceed 0.25: %s has "
                           "%lld and %lld",
                           t->name, (long long)throughput, (long long)iops);
        ck_task_int(t, "VolumeThroughput", throughput);
    } else {
        return 0;
    }
    if (ratio && iops > ratio * gib)
        return ck_fail(err, CK_INVALID,
                       "volumeIops to volumeSize ratio must not exceed %lld for %s volumes: %s has "
                       "%lld and %lld GiB",
                       (long long)ratio, type, t->name, (long long)iops, (long long)gib);
    ck_task_int(t, "VolumeIops", iops);
    return 0;
}

static int volume(struct ck_model *m, const char *etcd, const struct ck_val *member,
                  const char *members, struct ck_err *err)
{
    const char *zone = NULL, *type = ck_str_at(member, "volumeType"),
               *key = ck_str_at(member, "kmsKeyId");
    const char *member_name = ck_str_at(member, "name");
    int64_t gib = ck_int_at(member, "volumeSize", 0);
    int r = zone_of(m, member, &zone, err);
    if (r)
        return r;
    const char *name = ck_arena_printf(m->a, "%s.etcd-%s.%s", member_name, etcd, m->name);
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_ebs_volume, name, m->cluster);
    struct ck_val *tags = ck_aws_tags(m, name, false);
    type = *type ? type : "gp3";
    gib = gib ? gib : DEFAULT_GIB;
    ck_set_str(m->a, tags, ck_arena_printf(m->a, "k8s.io/etcd/%s", etcd),
               ck_arena_printf(m->a, "%s/%s", member_name, members));
    ck_set_str(m->a, tags, "k8s.io/role/control-plane", "1");
    ck_set_str(m->a, tags, "k8s.io/role/master", "1");
    ck_task_str(t, "AvailabilityZone", zone);
    ck_task_bool(t, "Encrypted", ck_bool_at(member, "encryptedVolume", false));
    ck_task_str(t, "KmsKeyId", *key ? key : NULL);
    ck_task_int(t, "SizeGB", gib);
    ck_task_val(t, "Tags", tags);
    ck_task_str(t, "VolumeType", type);
    return performance(t, member, type, gib, err);
}

int ck_aws_build_volumes(struct ck_model *m, struct ck_err *err)
{
    const struct ck_val *clusters = ck_get(m->spec, "etcdClusters");
    for (size_t i = 0; i < ck_len(clusters); i++) {
        const struct ck_val *e = ck_item(clusters, i), *members = ck_get(e, "etcdMembers");
        const char *all = all_members(m, members);
        for (size_t k = 0; k < ck_len(members); k++) {
            int r = volume(m, ck_str_at(e, "name"), ck_item(members, k), all, err);
            if (r)
                return r;
        }
    }
    return 0;
}
