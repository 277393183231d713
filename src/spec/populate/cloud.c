/* Cloud configuration, cloud controllers and volume drivers. Mirrors kOps
 * pkg/model/components/cloudconfiguration.go, openstack.go, aws*.go, gcp*.go, azure.go, hetzner.go
 * and linode.go. */
#include "spec/populate/pop.h"

#include <string.h>

static void storage_classes(struct ck_pop *p)
{
    const struct ck_val *create =
        ck_at(p->spec, "cloudConfig.openstack.blockStorage.createStorageClass");
    ck_pop_bool(p, p->spec, "cloudConfig.manageStorageClasses",
                !(create && create->kind == CK_BOOL && !create->b));
}

/* What the controllers of AWS, GCE and Azure have in common. */
static struct ck_val *controller(struct ck_pop *p, const char *image)
{
    struct ck_val *ccm = ck_ensure_map(p->a, p->spec, "cloudControllerManager");
    ck_pop_bool(p, ccm, "leaderElection.leaderElect", true);
    ck_pop_str(p, ccm, "image", image);
    return ccm;
}

static void routes(struct ck_pop *p, struct ck_val *ccm, bool configure)
{
    ck_pop_bool(p, ccm, "allocateNodeCIDRs", !p->ipv6);
    if (!p->ipv6)
        ck_pop_str(p, ccm, "clusterCIDR", ck_pop_spec(p, "podCIDR"));
    ck_pop_bool(p, ccm, "configureCloudRoutes", configure);
}

static void aws(struct ck_pop *p)
{
    static const char *const families[] = {"ipv6", "ipv4"};
    struct ck_val *config = ck_ensure_map(p->a, p->spec, "cloudConfig");
    struct ck_val *ccm =
        controller(p, "registry.k8s.io/provider-aws/cloud-controller-manager:v1.36.1");
    ck_pop_str(p, ccm, "clusterName", p->name);
    routes(p, ccm, ck_pop_has(p, "networking.kubenet"));
    if (p->ipv6 && !ck_len(ck_get(config, "nodeIPFamilies")))
        ck_set(p->a, config, "nodeIPFamilies", ck_pop_list(p, families, 2));
    ck_pop_str(p, config, "awsEBSCSIDriver.version", "v1.58.0");
    ck_drop(config, "awsEBSCSIDriver.enabled"); /* always true; the stored form leaves it out */
}

static void gce(struct ck_pop *p)
{
    const char *all = "*";
    struct ck_val *ccm =
        controller(p, "registry.k8s.io/cloud-provider-gcp/cloud-controller-manager:v35.0.0");
    ck_pop_str(p, ccm, "clusterName", ck_pop_gce_name(p));
    ck_pop_bool(p, ccm, "allocateNodeCIDRs", true);
    ck_pop_str(p, ccm, "cidrAllocatorType", "CloudAllocator");
    ck_pop_str(p, ccm, "clusterCIDR", ck_pop_spec(p, "podCIDR"));
    if (!ck_len(ck_get(ccm, "controllers")))
        ck_set(p->a, ccm, "controllers", ck_pop_list(p, &all, 1));
    const struct ck_dflt csi[] = {
        CK_DB("cloudConfig.gcpPDCSIDriver.enabled", true),
        CK_DS("cloudConfig.gcpPDCSIDriver.defaultStorageClassName", "balanced-csi"),
        CK_DS("cloudConfig.gcpPDCSIDriver.version", "v1.22.1")};
    ck_pop_defaults(p, p->spec, csi, CK_ARRAY_LEN(csi));
}

static void azure(struct ck_pop *p)
{
    static const char image[] =
        "mcr.microsoft.com/oss/v2/kubernetes/azure-cloud-%s-manager:v1.36.2";
    struct ck_val *ccm = controller(p, ck_arena_printf(p->a, image, "controller"));
    ck_pop_str(p, ccm, "azureNodeManagerImage", ck_arena_printf(p->a, image, "node"));
    ck_pop_str(p, ccm, "clusterName", p->name);
    routes(p, ccm, ck_pop_has(p, "networking.kubenet") || ck_pop_has(p, "networking.kindnet"));
}

static void openstack(struct ck_pop *p)
{
    static const struct ck_dflt d[] = {
        CK_DB("cloudConfig.openstack.blockStorage.createStorageClass", true),
        CK_DB("cloudConfig.openstack.metadata.configDrive", false),
        CK_DB("cloudControllerManager.leaderElection.leaderElect", true),
        CK_DS("cloudControllerManager.nodeStatusUpdateFrequency", "1h0m0s")};
    ck_pop_defaults(p, p->spec, d, CK_ARRAY_LEN(d));
}

static void hetzner(struct ck_pop *p)
{
    static const struct ck_dflt d[] = {
        CK_DS("cloudProvider", "hcloud"), CK_DB("allowUntaggedCloud", true),
        CK_DB("leaderElection.leaderElect", false),
        CK_DS("image", "hetznercloud/hcloud-cloud-controller-manager:v1.31.0")};
    ck_pop_defaults(p, ck_ensure_map(p->a, p->spec, "cloudControllerManager"), d, CK_ARRAY_LEN(d));
}

void ck_pop_cloud(struct ck_pop *p)
{
    storage_classes(p);
    if (ck_pop_is(p, "aws"))
        aws(p);
    else if (ck_pop_is(p, "gce"))
        gce(p);
    else if (ck_pop_is(p, "azure"))
        azure(p);
    else if (ck_pop_is(p, "openstack"))
        openstack(p);
    else if (ck_pop_is(p, "hetzner"))
        hetzner(p);
    else if (ck_pop_is(p, "linode"))
        ck_pop_str(p, ck_ensure_map(p->a, p->spec, "cloudControllerManager"), "image",
                   "linode/linode-cloud-controller-manager:v0.9.5");
}
