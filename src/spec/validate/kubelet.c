/* Kubelet options that went away or must hold together (rules 56–70), for workers and control
 * plane. Mirrors validateKubelet of kOps pkg/apis/kops/validation/validation.go. */
#include "spec/validate/rules.h"

#include <string.h>

enum when { WHEN_PRESENT, WHEN_TRUE, WHEN_SET };

struct removed {
    const char *key, *name;
    enum when when;
    const char *text;
};

#define GONE_124(what) #what " has been removed on Kubernetes >=1.24"

static void check_removed(struct ck_chk *c, struct ck_fld k, const struct removed *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct ck_fld f = ck_fld_at(c, k, list[i].key, list[i].name);
        bool hit = list[i].when == WHEN_PRESENT ? !ck_is_null(f.v)
                   : list[i].when == WHEN_TRUE
                       ? ck_fld_true(f)
                       : ck_fld_set(f) && !(ck_is_list(f.v) && !ck_len(f.v));
        if (hit)
            ck_chk_forbidden(c, f, "%s", list[i].text);
    }
}

static const struct removed before_policy[] = {
    {"configureCbr0", "ConfigureCBR0", WHEN_PRESENT, "configure-cbr0 flag was removed in 1.5"},
    {"apiServers", NULL, WHEN_SET, "api-servers flag was removed in 1.6"},
    {"podInfraContainerImage", NULL, WHEN_SET,
     "pod-infra-container-image flag was deprecated in 1.24 and removed in 1.35, use "
     "containerd.sandboxImage instead"},
    {"requireKubeconfig", NULL, WHEN_PRESENT,
     "require-kubeconfig flag was removed in 1.10.  (Please be sure you are not using a cluster "
     "config from `kops get cluster --full`)"},
    {"experimentalAllowedUnsafeSysctls", NULL, WHEN_SET,
     "experimentalAllowedUnsafeSysctls was renamed in k8s 1.11; please use allowedUnsafeSysctls "
     "instead"},
    {"bootstrapKubeconfig", NULL, WHEN_SET, "bootstrap tokens are not supported"},
};

static const struct removed after_log_format[] = {
    {"cpuCFSQuotaPeriod", NULL, WHEN_PRESENT,
     "cpuCFSQuotaPeriod has been removed on Kubernetes >=1.20"},
    {"networkPluginName", NULL, WHEN_PRESENT, GONE_124(networkPluginName)},
    {"networkPluginMTU", NULL, WHEN_PRESENT, GONE_124(networkPluginMTU)},
    {"nonMasqueradeCIDR", NULL, WHEN_PRESENT, GONE_124(nonMasqueradeCIDR)},
};

static bool duration_of(const struct ck_val *v, int64_t *ret_ns)
{
    return v && v->kind == CK_STR && ck_duration_parse(v->s, ret_ns, NULL) == 0;
}

/* kOps prints Go's debugging form of the duration here. */
static const char *duration_debug(struct ck_chk *c, int64_t ns)
{
    struct ck_buf b CK_AUTOBUF = CK_BUF_INIT;
    ck_buf_puts(&b, "&Duration{Duration:");
    ck_duration_put(&b, ns);
    ck_buf_puts(&b, ",}");
    return ck_arena_strdup(c->a, ck_buf_str(&b));
}

/* Rules 67–69. */
static void check_durations(struct ck_chk *c, struct ck_fld k)
{
    struct ck_fld f = ck_fld_at(c, k, "shutdownGracePeriodCriticalPods", NULL);
    int64_t critical = 0, whole = 0, period = 0;
    bool has_whole = duration_of(ck_get(k.v, "shutdownGracePeriod"), &whole);
    if (duration_of(f.v, &critical)) {
        if (!has_whole)
            ck_chk_forbidden(c, f, "shutdownGracePeriodCriticalPods require shutdownGracePeriod");
        else if (critical > whole)
            ck_chk_invalid_str(
                c, f, duration_debug(c, critical),
                "shutdownGracePeriodCriticalPods cannot be greater than shutdownGracePeriod");
    }
    f = ck_fld_at(c, k, "crashLoopBackOffMaxContainerRestartPeriod", NULL);
    if (duration_of(f.v, &period) && (period < 1000000000LL || period > 300000000000LL))
        ck_chk_invalid_str(c, f, duration_debug(c, period),
                           "crashLoopBackOffMaxContainerRestartPeriod must be a value between 1s "
                           "and 300s");
}

static void check_kubelet(struct ck_chk *c, struct ck_fld k)
{
    check_removed(c, k, before_policy, CK_ARRAY_LEN(before_policy));
    ck_chk_one_of_set(c, ck_fld_at(c, k, "topologyManagerPolicy", NULL),
                      CK_ONE_OF("none", "best-effort", "restricted", "single-numa-node"));
    struct ck_fld f = ck_fld_at(c, k, "enableCadvisorJsonEndpoints", NULL);
    if (!ck_is_null(f.v))
        ck_chk_forbidden(c, f, "enableCadvisorJsonEndpoints requires Kubernetes 1.18-1.20");
    ck_chk_one_of_set(c, ck_fld_at(c, k, "logFormat", NULL), CK_ONE_OF("text", "json"));
    check_removed(c, k, after_log_format, CK_ARRAY_LEN(after_log_format));
    check_durations(c, k);
    ck_chk_one_of_set(c, ck_fld_at(c, k, "memorySwapBehavior", NULL),
                      CK_ONE_OF("LimitedSwap", "UnlimitedSwap"));
}

void ck_chk_kubelets(struct ck_chk *c, struct ck_fld spec)
{
    struct ck_fld k = ck_fld_at(c, spec, "kubelet", NULL);
    if (!ck_is_null(k.v))
        check_kubelet(c, k);
    k = ck_fld_at(c, spec, "masterKubelet", "controlPlaneKubelet");
    if (!ck_is_null(k.v))
        check_kubelet(c, k);
}
