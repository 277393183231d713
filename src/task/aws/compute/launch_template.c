/* How the instances of a group start. kOps awstasks/launchtemplate.go,
 * launchtemplate_target_terraform.go. */
#include "task/aws/find.h"

#include "base/enc.h"
#include "doc/xml.h"

#include <stdlib.h>
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

static int by_device(const void *x, const void *y)
{
    const struct ck_val *const *a = x, *const *b = y;
    return strcmp(ck_str_at(*a, "DeviceName"), ck_str_at(*b, "DeviceName"));
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
    size_t n = ck_len(list);
    const struct ck_val **sorted = ck_arena_alloc(b->tf->a, (n + 1) * sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        sorted[i] = ck_item(list, i);
    qsort(sorted, n, sizeof *sorted, by_device);
    for (size_t i = 0; i < n; i++) {
        const struct ck_val *d = sorted[i];
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

static void take_devices(struct ck_aws_read *w, struct ck_task *actual, const struct ck_task *t,
                         const struct ck_val *data)
{
    static const struct {
        const char *field, *key;
    } root[] = {
        {"RootVolumeIops", "iops"},
        {"RootVolumeSize", "volumeSize"},
        {"RootVolumeThroughput", "throughput"},
        {"RootVolumeType", "volumeType"},
        {"RootVolumeEncryption", "encrypted"},
        {"RootVolumeKmsKey", "kmsKeyId"},
    };
    const struct ck_val *devices = ck_aws_items(w, data, "blockDeviceMappingSet");
    for (size_t i = 0; i < ck_len(devices); i++) {
        const struct ck_val *d = ck_item(devices, i), *ebs = ck_get(d, "ebs");
        if (!ck_is_str(ck_get(d, "deviceName"), ck_task_get_str(t, "RootDeviceName")))
            continue;
        ck_aws_take(actual, "RootDeviceName", d, "deviceName");
        for (size_t k = 0; k < sizeof root / sizeof *root; k++)
            ck_aws_take(actual, root[k].field, ebs, root[k].key);
    }
    /* Compared through their root device alone. */
    ck_task_val(actual, "BlockDeviceMappings", ck_task_get(t, "BlockDeviceMappings"));
    ck_task_val(actual, "EphemeralDevices", ck_task_get(t, "EphemeralDevices"));
}

static void take_user_data(struct ck_aws_read *w, struct ck_task *actual, const char *base64)
{
    CK_AUTOBUF struct ck_buf plain = CK_BUF_INIT;
    (void)w;
    if (ck_base64_decode(&plain, ck_slice_of(base64)))
        ck_task_bytes(actual, "UserData", ck_buf_slice(&plain));
}

static void take_data(struct ck_aws_read *w, struct ck_task *actual, const struct ck_task *t,
                      const struct ck_val *data)
{
    const struct ck_val *nic = ck_item(ck_aws_items(w, data, "networkInterfaceSet"), 0);
    const struct ck_val *specs = ck_aws_items(w, data, "tagSpecificationSet");
    const char *market = "instanceMarketOptions.spotOptions.";
    ck_aws_take(actual, "AssociatePublicIP", nic, "associatePublicIpAddress");
    ck_aws_take(actual, "IPv6AddressCount", nic, "ipv6AddressCount");
    if (nic && !ck_task_has(actual, "IPv6AddressCount"))
        ck_task_int(actual, "IPv6AddressCount", 0);
    ck_aws_take_refs(w, actual, t, "SecurityGroups",
                     ck_xml_list(w->a, ck_get(nic, "groupSet"), "groupId"));
    ck_aws_take(actual, "CPUCredits", data, "creditSpecification.cpuCredits");
    ck_aws_take(actual, "HTTPPutResponseHopLimit", data, "metadataOptions.httpPutResponseHopLimit");
    ck_aws_take(actual, "HTTPTokens", data, "metadataOptions.httpTokens");
    ck_aws_take(actual, "HTTPProtocolIPv6", data, "metadataOptions.httpProtocolIpv6");
    ck_aws_take_ref(w, actual, t, "IAMInstanceProfile", ck_str_at(data, "iamInstanceProfile.name"));
    ck_aws_take(actual, "ResolvedImage", data, "imageId");
    /* The spec names images, the template ids: the ids are compared. */
    ck_task_str(actual, "ImageID", ck_task_get_str(t, "ImageID"));
    ck_aws_take(actual, "InstanceMonitoring", data, "monitoring.enabled");
    ck_aws_take(actual, "InstanceType", data, "instanceType");
    ck_aws_take(actual, "RootVolumeOptimization", data, "ebsOptimized");
    ck_aws_take_ref(w, actual, t, "SSHKey", ck_str_at(data, "keyName"));
    ck_aws_take(actual, "Tenancy", data, "placement.tenancy");
    ck_aws_take(actual, "SpotPrice", data, ck_arena_printf(w->a, "%smaxPrice", market));
    ck_aws_take(actual, "InstanceInterruptionBehavior", data,
                ck_arena_printf(w->a, "%sinstanceInterruptionBehavior", market));
    ck_aws_take(actual, "SpotDurationInMinutes", data,
                ck_arena_printf(w->a, "%sblockDurationMinutes", market));
    if (ck_len(specs))
        ck_aws_take_tags(w, actual, ck_get(ck_item(specs, 0), "tagSet"));
    take_user_data(w, actual, ck_str_at(data, "userData"));
    take_devices(w, actual, t, data);
}

static int find(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err)
{
    struct ck_aws_read *w = world;
    const struct ck_val *reply;
    int r = CK_AWS_QUERY(w, "ec2", "DescribeLaunchTemplateVersions", &reply, err,
                         "LaunchTemplateName", t->name, "LaunchTemplateVersion.1", "$Latest");
    if (r)
        return r == -CK_NOT_FOUND ? (ck_err_done(err), 0) : r;
    const struct ck_val *v = ck_item(ck_aws_items(w, reply, "launchTemplateVersionSet"), 0);
    if (!v)
        return 0;
    struct ck_task *actual = *ret = ck_aws_actual(w, t);
    ck_aws_found(w, t, t->name);
    ck_aws_take(actual, "ID", v, "launchTemplateId");
    take_data(w, actual, t, ck_get(v, "launchTemplateData"));
    return 0;
}

static int extras(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err)
{
    static const struct ck_aws_ec2_list l = {.action = "DescribeLaunchTemplates",
                                             .set = "launchTemplates",
                                             .id_key = "launchTemplateId",
                                             .name_key = "launchTemplateName"};
    return ck_aws_ec2_extras(world, wanted, &ck_aws_launch_template, &l, ret, err);
}

const struct ck_task_kind ck_aws_launch_template = {
    .name = "LaunchTemplate",
    .fields = fields,
    .link = link,
    .terraform = terraform,
    .find = find,
    .extras = extras,
};
