/* How the instances of a group start. kOps awstasks/launchtemplate.go,
 * launchtemplate_target_terraform.go. */
#include "task/aws/aws.h"

#include <string.h>

static const struct ck_task_field fields[] = {
    CK_F_BOOL("AssociatePublicIP"),
    {"BlockDeviceMappings", CK_FIELD_VAL, CK_FIELD_SET},
    CK_F_STR("CPUCredits"),
    CK_F_INT("HTTPPutResponseHopLimit"),
    CK_F_STR("HTTPTokens"),
    CK_F_STR("HTTPProtocolIPv6"),
    CK_F_REF("IAMInstanceProfile"),
    CK_F_ID,
    CK_F_STR("ImageID"),
    CK_F_STR("InstanceInterruptionBehavior"),
    CK_F_BOOL("InstanceMonitoring"),
    CK_F_STR("InstanceType"),
    CK_F_INT("IPv6AddressCount"),
    CK_F_INT("RootVolumeIops"),
    CK_F_BOOL("RootVolumeOptimization"),
    CK_F_INT("RootVolumeSize"),
    CK_F_INT("RootVolumeThroughput"),
    CK_F_STR("RootVolumeType"),
    CK_F_BOOL("RootVolumeEncryption"),
    CK_F_STR("RootVolumeKmsKey"),
    CK_F_REF("SSHKey"),
    CK_F_REFS("SecurityGroups"),
    CK_F_INT("SpotDurationInMinutes"),
    CK_F_STR("SpotPrice"),
    CK_F_MAP("Tags"),
    CK_F_STR("Tenancy"),
    CK_F_BYTES("UserData"),
    /* What facts say of the image and of the machine type. */
    CK_F_OURS("ResolvedImage", CK_FIELD_STR),
    CK_F_OURS("RootDeviceName", CK_FIELD_STR),
    CK_F_OURS("EphemeralDevices", CK_FIELD_VAL), /* list of {device_name, virtual_name} */
    CK_F_END,
};

static const char *link(struct ck_tf *tf, const struct ck_task *t)
{
    return ck_tf_link(tf, "aws_launch_template", t->name, "id");
}

/* A string field that is set and not empty; NULL. */
static const char *text(const struct ck_task *t, const char *field)
{
    const char *s = ck_task_get_str(t, field);
    return *s ? s : NULL;
}

static void root_device(struct ck_tf_block *b, const struct ck_task *t)
{
    struct ck_tf_block *m = ck_tf_nested(b, "block_device_mappings");
    ck_tf_field(m, "device_name", t, "RootDeviceName");
    struct ck_tf_block *ebs = ck_tf_nested(m, "ebs");
    ck_tf_bool(ebs, "delete_on_termination", true);
    ck_tf_field(ebs, "encrypted", t, "RootVolumeEncryption");
    ck_tf_field(ebs, "iops", t, "RootVolumeIops");
    ck_tf_str(ebs, "kms_key_id", text(t, "RootVolumeKmsKey"));
    ck_tf_field(ebs, "throughput", t, "RootVolumeThroughput");
    ck_tf_field(ebs, "volume_size", t, "RootVolumeSize");
    ck_tf_field(ebs, "volume_type", t, "RootVolumeType");
}

static void scalar(struct ck_tf_block *b, const char *key, const struct ck_val *v)
{
    if (!v)
        return;
    if (v->kind == CK_INT)
        ck_tf_int(b, key, v->i);
    else if (v->kind == CK_BOOL)
        ck_tf_bool(b, key, v->b);
    else if (v->kind == CK_STR && v->s.len)
        ck_tf_str(b, key, ck_str_or(v, ""));
}

static void extra_devices(struct ck_tf_block *b, const struct ck_val *list)
{
    static const struct {
        const char *key, *field;
    } attrs[] = {
        {"encrypted", "Encrypted"},    {"iops", "Iops"},          {"kms_key_id", "KmsKeyId"},
        {"throughput", "Throughput"},  {"volume_size", "SizeGB"}, {"volume_type", "VolumeType"},
        {"snapshot_id", "SnapshotId"},
    };
    for (size_t i = 0; i < ck_len(list); i++) {
        const struct ck_val *d = ck_item(list, i);
        struct ck_tf_block *m = ck_tf_nested(b, "block_device_mappings");
        scalar(m, "device_name", ck_get(d, "DeviceName"));
        struct ck_tf_block *ebs = ck_tf_nested(m, "ebs");
        /* Also where the spec says otherwise: kOps' module always deletes. */
        ck_tf_bool(ebs, "delete_on_termination", true);
        for (size_t k = 0; k < sizeof attrs / sizeof *attrs; k++)
            scalar(ebs, attrs[k].key, ck_get(d, attrs[k].field));
    }
}

static void ephemeral_devices(struct ck_tf_block *b, const struct ck_val *list)
{
    for (size_t i = 0; i < ck_len(list); i++) {
        struct ck_tf_block *m = ck_tf_nested(b, "block_device_mappings");
        scalar(m, "device_name", ck_get(ck_item(list, i), "device_name"));
        scalar(m, "virtual_name", ck_get(ck_item(list, i), "virtual_name"));
    }
}

static void spot(struct ck_tf_block *b, const struct ck_task *t)
{
    if (!text(t, "SpotPrice"))
        return;
    struct ck_tf_block *m = ck_tf_nested(b, "instance_market_options");
    ck_tf_str(m, "market_type", "spot");
    struct ck_tf_block *o = ck_tf_nested(m, "spot_options");
    ck_tf_field(o, "block_duration_minutes", t, "SpotDurationInMinutes");
    ck_tf_str(o, "instance_interruption_behavior", text(t, "InstanceInterruptionBehavior"));
    ck_tf_str(o, "max_price", text(t, "SpotPrice"));
}

static void metadata(struct ck_tf_block *b, const struct ck_task *t)
{
    struct ck_tf_block *m = ck_tf_nested(b, "metadata_options");
    ck_tf_str(m, "http_endpoint", "enabled");
    ck_tf_field(m, "http_protocol_ipv6", t, "HTTPProtocolIPv6");
    ck_tf_field(m, "http_put_response_hop_limit", t, "HTTPPutResponseHopLimit");
    ck_tf_field(m, "http_tokens", t, "HTTPTokens");
}

static void network(struct ck_tf_block *b, const struct ck_task *t)
{
    struct ck_tf_block *n = ck_tf_nested(b, "network_interfaces");
    ck_tf_field(n, "associate_public_ip_address", t, "AssociatePublicIP");
    ck_tf_bool(n, "delete_on_termination", true);
    ck_tf_field(n, "ipv6_address_count", t, "IPv6AddressCount");
    ck_tf_refs(n, "security_groups", t, "SecurityGroups", false);
}

static void tag_specifications(struct ck_tf_block *b, const struct ck_task *t)
{
    static const char *const types[] = {"instance", "volume", "network-interface"};
    const struct ck_val *tags = ck_task_get(t, "Tags");
    for (size_t i = 0; ck_len(tags) && i < sizeof types / sizeof *types; i++) {
        struct ck_tf_block *s = ck_tf_nested(b, "tag_specifications");
        ck_tf_str(s, "resource_type", types[i]);
        ck_tf_map(s, "tags", tags);
    }
    ck_tf_map(b, "tags", tags);
}

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    if (!text(t, "ResolvedImage"))
        return ck_fail(err, CK_NOT_FOUND,
                       "%s/%s: no image is known under the name \"%s\"; images are looked up in "
                       "the cloud or in given facts, or name one by its id (ami-...)",
                       t->kind->name, t->name, ck_task_get_str(t, "ImageID"));
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_launch_template", t->name);
    root_device(b, t);
    extra_devices(b, ck_task_get(t, "BlockDeviceMappings"));
    ephemeral_devices(b, ck_task_get(t, "EphemeralDevices"));
    if (text(t, "CPUCredits"))
        ck_tf_str(ck_tf_nested(b, "credit_specification"), "cpu_credits", text(t, "CPUCredits"));
    ck_tf_field(b, "ebs_optimized", t, "RootVolumeOptimization");
    ck_tf_ref(ck_tf_nested(b, "iam_instance_profile"), "name", t, "IAMInstanceProfile");
    ck_tf_field(b, "image_id", t, "ResolvedImage");
    spot(b, t);
    ck_tf_field(b, "instance_type", t, "InstanceType");
    ck_tf_ref(b, "key_name", t, "SSHKey");
    ck_tf_bool(ck_tf_nested(b, "lifecycle"), "create_before_destroy", true);
    metadata(b, t);
    ck_tf_field(ck_tf_nested(b, "monitoring"), "enabled", t, "InstanceMonitoring");
    ck_tf_str(b, "name", t->name);
    network(b, t);
    if (text(t, "Tenancy"))
        ck_tf_str(ck_tf_nested(b, "placement"), "tenancy", text(t, "Tenancy"));
    tag_specifications(b, t);
    struct ck_slice data = ck_task_get_bytes(t, "UserData");
    if (data.len)
        ck_tf_file_base64(b, "user_data", t->name, "user_data", data);
    return 0;
}

const struct ck_task_kind ck_aws_launch_template = {
    .name = "LaunchTemplate",
    .fields = fields,
    .link = link,
    .terraform = terraform,
};
