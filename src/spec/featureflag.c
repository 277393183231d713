/* KOPS_FEATURE_FLAGS: names, defaults, parsing. Mirrors kOps pkg/featureflag. */
#include "spec/featureflag.h"

#include "base/attr.h"
#include "base/mem.h"
#include "base/slice.h"

#include <string.h>

static const struct {
    const char *name;
    bool on; /* by default */
} features[_CK_FF_MAX] = {
    [CK_FF_API_SERVER_NODES] = {"APIServerNodes", false},
    [CK_FF_AWS_SINGLE_NODES_INSTANCE_GROUP] = {"AWSSingleNodesInstanceGroup", false},
    [CK_FF_AZURE] = {"Azure", false},
    [CK_FF_AZURE_TERRAFORM] = {"AzureTerraform", false},
    [CK_FF_CACHE_NODEIDENTITY_INFO] = {"CacheNodeidentityInfo", false},
    [CK_FF_CLUSTER_API] = {"ClusterAPI", false},
    [CK_FF_CLUSTER_ADDONS] = {"ClusterAddons", false},
    [CK_FF_DO_TERRAFORM] = {"DOTerraform", false},
    [CK_FF_DISCOVERY_SERVICE] = {"DiscoveryService", false},
    [CK_FF_ENABLE_SEPARATE_CONFIG_BASE] = {"EnableSeparateConfigBase", false},
    [CK_FF_ETCD_EVENTS_HTTP] = {"EtcdEventsHTTP", false},
    [CK_FF_EXPERIMENTAL_CLUSTER_DNS] = {"ExperimentalClusterDNS", false},
    [CK_FF_EXPERIMENTAL_ROLES] = {"ExperimentalRoles", false},
    [CK_FF_GOOGLE_CLOUD_BUCKET_ACL] = {"GoogleCloudBucketAcl", false},
    [CK_FF_IMAGE_DIGEST] = {"ImageDigest", true},
    [CK_FF_LINODE] = {"Linode", false},
    [CK_FF_METAL] = {"Metal", false},
    [CK_FF_SELINUX_MOUNT] = {"SELinuxMount", false},
    [CK_FF_SCALEWAY] = {"Scaleway", false},
    [CK_FF_SPOTINST] = {"Spotinst", false},
    [CK_FF_SPOTINST_CONTROLLER] = {"SpotinstController", true},
    [CK_FF_SPOTINST_HYBRID] = {"SpotinstHybrid", false},
    [CK_FF_SPOTINST_OCEAN] = {"SpotinstOcean", false},
    [CK_FF_SPOTINST_OCEAN_TEMPLATE] = {"SpotinstOceanTemplate", false},
    [CK_FF_TERRAFORM_MANAGED_FILES] = {"TerraformManagedFiles", true},
    [CK_FF_USE_ADDON_OPERATORS] = {"UseAddonOperators", false},
    [CK_FF_VPC_SKIP_ENABLE_DNS_SUPPORT] = {"VPCSkipEnableDNSSupport", false},
};

const char *ck_feature_name(enum ck_feature f)
{
    return f < _CK_FF_MAX ? features[f].name : "";
}

void ck_feature_flags_parse(struct ck_feature_flags *ret, const char *spec,
                            void (*unknown)(void *arg, const char *item), void *arg)
{
    for (size_t i = 0; i < _CK_FF_MAX; i++)
        ret->on[i] = features[i].on;
    struct ck_slice rest = ck_slice_of(spec ? spec : ""), item;
    while (ck_slice_next(&rest, ',', &item)) {
        item = ck_slice_trim(item);
        if (item.len == 0)
            continue;
        bool on = item.ptr[0] != '-';
        if (item.ptr[0] == '-' || item.ptr[0] == '+') {
            item.ptr++;
            item.len--;
        }
        size_t i = 0;
        while (i < _CK_FF_MAX && !ck_slice_eq_str(item, features[i].name))
            i++;
        if (i < _CK_FF_MAX) {
            ret->on[i] = on;
        } else if (unknown) {
            CK_AUTOFREE char *name = ck_xstrndup(item.ptr, item.len);
            unknown(arg, name);
        }
    }
}
