/* Add-ons with options of their own: autoscaler, termination handler, problem detector, Karpenter.
 * Mirrors kOps pkg/model/components/addonmanifests' option builders. */
#include "spec/populate/pop.h"

#include <string.h>

static const struct ck_dflt autoscaler_defaults[] = {
    CK_DS("expander", "random"),
    CK_DB("ignoreDaemonSetsUtilization", false),
    CK_DS("scaleDownUtilizationThreshold", "0.5"),
    CK_DB("skipNodesWithCustomControllerPods", true),
    CK_DB("skipNodesWithLocalStorage", true),
    CK_DB("skipNodesWithSystemPods", true),
    CK_DB("balanceSimilarNodeGroups", false),
    CK_DB("emitPerNodegroupMetrics", false),
    CK_DB("awsUseStaticInstanceList", false),
    CK_DS("newPodScaleUpDelay", "0s"),
    CK_DS("scaleDownDelayAfterAdd", "10m0s"),
    CK_DS("scaleDownUnneededTime", "10m0s"),
    CK_DS("scaleDownUnreadyTime", "20m0s"),
    CK_DB("cordonNodeBeforeTerminating", true),
    CK_DS("maxNodeProvisionTime", "15m0s"),
};

/* The autoscaler goes with the Kubernetes minor version. */
static void autoscaler(struct ck_pop *p, struct ck_val *c)
{
    static const struct {
        unsigned minor;
        const char *tag;
    } tags[] = {{36, "v1.36.0"}, {35, "v1.35.0"}, {34, "v1.34.0"}, {33, "v1.33.0"}, {0, "v1.32.7"}};
    size_t i = 0;
    while (!ck_kube_version_ge(&p->ver, 1, tags[i].minor))
        i++;
    ck_pop_str(
        p, c, "image",
        ck_arena_printf(p->a, "registry.k8s.io/autoscaling/cluster-autoscaler:%s", tags[i].tag));
    ck_pop_defaults(p, c, autoscaler_defaults, CK_ARRAY_LEN(autoscaler_defaults));
    if (!strcmp(ck_str_at(c, "expander"), "priority"))
        ck_pop_bool(p, c, "createPriorityExpanderConfig", true);
}

static const struct ck_dflt nth_defaults[] = {
    CK_DB("enabled", true),
    CK_DB("enableSpotInterruptionDraining", true),
    CK_DB("enableScheduledEventDraining", true),
    CK_DB("enableRebalanceMonitoring", false),
    CK_DB("enableRebalanceDraining", false),
    CK_DB("enableOutOfServiceTaint", false),
    CK_DB("prometheusEnable", false),
    CK_DB("excludeFromLoadBalancers", true),
    CK_DS("managedASGTag", "aws-node-termination-handler/managed"),
    CK_DI("podTerminationGracePeriod", -1),
    CK_DB("taintNode", false),
    CK_DB("deleteSQSMsgIfNodeNotFound", false),
    CK_DS("cpuRequest", "50m"),
    CK_DS("memoryRequest", "64Mi"),
    CK_DS("version", "v1.25.5"),
};

static const struct ck_dflt npd_defaults[] = {
    CK_DB("enabled", false),
    CK_DS("cpuRequest", "20m"),
    CK_DS("memoryRequest", "100Mi"),
    CK_DS("memoryLimit", "100Mi"),
    CK_DS("image", "registry.k8s.io/node-problem-detector/node-problem-detector:v0.8.18"),
};

static const struct ck_dflt karpenter_defaults[] = {
    CK_DS("image", "public.ecr.aws/karpenter/controller:1.13.0"),
    CK_DS("logEncoding", "console"),
    CK_DS("logLevel", "debug"),
};

void ck_pop_addons(struct ck_pop *p)
{
    bool karpenter = ck_bool_at(p->spec, "karpenter.enabled", false);
    if (ck_bool_at(p->spec, "clusterAutoscaler.enabled", false))
        autoscaler(p, ck_get(p->spec, "clusterAutoscaler"));
    if (ck_pop_is(p, "aws") && !karpenter)
        ck_pop_defaults(p, ck_ensure_map(p->a, p->spec, "nodeTerminationHandler"), nth_defaults,
                        CK_ARRAY_LEN(nth_defaults));
    if (ck_pop_has(p, "nodeProblemDetector"))
        ck_pop_defaults(p, ck_get(p->spec, "nodeProblemDetector"), npd_defaults,
                        CK_ARRAY_LEN(npd_defaults));
    if (karpenter)
        ck_pop_defaults(p, ck_get(p->spec, "karpenter"), karpenter_defaults,
                        CK_ARRAY_LEN(karpenter_defaults));
}
