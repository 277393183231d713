/* A disk of an etcd member. kOps awstasks/ebsvolume.go. */
#include "task/aws/find.h"

#include <ctype.h>

static const struct ck_task_field fields[] = {
    CK_F_STR("AvailabilityZone"),
    CK_F_BOOL("Encrypted"),
    CK_F_ID,
    CK_F_STR("KmsKeyId"),
    CK_F_INT("SizeGB"),
    CK_F_MAP("Tags"),
    CK_F_INT("VolumeIops"),
    CK_F_INT("VolumeThroughput"),
    CK_F_STR("VolumeType"),
    CK_F_END,
};

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    /* Terraform names cannot begin with a digit; volumes had this prefix before others did. */
    const char *name =
        isdigit((unsigned char)t->name[0]) ? ck_arena_printf(tf->a, "ebs-%s", t->name) : t->name;
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_ebs_volume", name);
    ck_tf_field(b, "availability_zone", t, "AvailabilityZone");
    ck_tf_field(b, "size", t, "SizeGB");
    ck_tf_field(b, "type", t, "VolumeType");
    ck_tf_field(b, "iops", t, "VolumeIops");
    ck_tf_field(b, "throughput", t, "VolumeThroughput");
    ck_tf_field(b, "kms_key_id", t, "KmsKeyId");
    ck_tf_field(b, "encrypted", t, "Encrypted");
    ck_tf_field(b, "tags", t, "Tags");
    return 0;
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *v;
    int r = ck_aws_ec2_one(w, t, "DescribeVolumes", "volumeSet", "volumeId", &v, err);
    if (r || !v)
        return r;
    struct ck_task *actual = *ret = ck_aws_actual(w, t);
    ck_aws_take(actual, "ID", v, "volumeId");
    ck_aws_take(actual, "AvailabilityZone", v, "availabilityZone");
    ck_aws_take(actual, "Encrypted", v, "encrypted");
    ck_aws_take(actual, "KmsKeyId", v, "kmsKeyId");
    ck_aws_take(actual, "SizeGB", v, "size");
    ck_aws_take(actual, "VolumeIops", v, "iops");
    ck_aws_take(actual, "VolumeThroughput", v, "throughput");
    ck_aws_take(actual, "VolumeType", v, "volumeType");
    ck_aws_take_tags(w, actual, ck_get(v, "tagSet"));
    return 0;
}

/* The only volumes that are made here. */
static bool is_etcd(const struct ck_val *tags)
{
    for (size_t i = 0; i < ck_len(tags); i++)
        if (ck_slice_starts(tags->map.v[i].key, "k8s.io/etcd/"))
            return true;
    return false;
}

static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    static const struct ck_aws_ec2_list l = {
        .action = "DescribeVolumes", .set = "volumeSet", .id_key = "volumeId", .only = is_etcd};
    return ck_aws_ec2_extras(world, wanted, &ck_aws_ebs_volume, &l, ret, err);
}

const struct ck_task_kind ck_aws_ebs_volume = {
    .name = "EBSVolume",
    .fields = fields,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
