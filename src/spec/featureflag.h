/* KOPS_FEATURE_FLAGS (kOps pkg/featureflag). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum ck_feature {
    CK_FF_API_SERVER_NODES,
    CK_FF_AWS_SINGLE_NODES_INSTANCE_GROUP,
    CK_FF_AZURE,
    CK_FF_AZURE_TERRAFORM,
    CK_FF_CACHE_NODEIDENTITY_INFO,
    CK_FF_CLUSTER_API,
    CK_FF_CLUSTER_ADDONS,
    CK_FF_DO_TERRAFORM,
    CK_FF_DISCOVERY_SERVICE,
    CK_FF_ENABLE_SEPARATE_CONFIG_BASE,
    CK_FF_ETCD_EVENTS_HTTP,
    CK_FF_EXPERIMENTAL_CLUSTER_DNS,
    CK_FF_EXPERIMENTAL_ROLES,
    CK_FF_GOOGLE_CLOUD_BUCKET_ACL,
    CK_FF_IMAGE_DIGEST,
    CK_FF_LINODE,
    CK_FF_METAL,
    CK_FF_SELINUX_MOUNT,
    CK_FF_SCALEWAY,
    CK_FF_SPOTINST,
    CK_FF_SPOTINST_CONTROLLER,
    CK_FF_SPOTINST_HYBRID,
    CK_FF_SPOTINST_OCEAN,
    CK_FF_SPOTINST_OCEAN_TEMPLATE,
    CK_FF_TERRAFORM_MANAGED_FILES,
    CK_FF_USE_ADDON_OPERATORS,
    CK_FF_VPC_SKIP_ENABLE_DNS_SUPPORT,
    _CK_FF_MAX
};

struct ck_feature_flags {
    bool on[_CK_FF_MAX];
};

/* Defaults, then the items of `spec` (may be NULL): "+Flag", "Flag", "-Flag", separated by commas.
 * `unknown` (may be NULL) is called with each item that names no flag. */
void ck_feature_flags_parse(struct ck_feature_flags *ret, const char *spec,
                            void (*unknown)(void *arg, const char *item), void *arg);
const char *ck_feature_name(enum ck_feature f);
