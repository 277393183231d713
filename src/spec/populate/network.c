/* Options of the networking plug-ins. Mirrors kOps pkg/model/components/networking.go, calico.go,
 * cilium.go and kindnet.go. */
#include "spec/populate/pop.h"

#include <string.h>

static const struct ck_dflt cilium_defaults[] = {
    CK_DS("version", "v1.18.12"),
    CK_DB("enableEndpointHealthChecking", true),
    CK_DB("enableHostFirewall", false),
    CK_DS("identityAllocationMode", "crd"),
    CK_DS("identityChangeGracePeriod", "5s"),
    CK_DI("bpfCTGlobalAnyMax", 262144),
    CK_DI("bpfCTGlobalTCPMax", 524288),
    CK_DS("bpfLBAlgorithm", "random"),
    CK_DS("bpfLBMaglevTableSize", "16381"),
    CK_DI("bpfNATGlobalMax", 524288),
    CK_DI("bpfNeighGlobalMax", 524288),
    CK_DI("bpfPolicyMapMax", 16384),
    CK_DI("bpfLBMapMax", 65536),
    CK_DS("clusterName", "default"),
    CK_DS("monitorAggregation", "medium"),
    CK_DS("sidecarIstioProxyImage", "cilium/istio_proxy"),
    CK_DS("toFqdnsDnsRejectResponseCode", "refused"),
    CK_DI("agentPrometheusPort", 9090),
    CK_DS("ipam", "kubernetes"),
    CK_DB("enableRemoteNodeIdentity", true),
    CK_DB("enableUnreachableRoutes", false),
    CK_DB("enableL7Proxy", true),
    CK_DB("enableLocalRedirectPolicy", false),
    CK_DB("disableCNPStatusUpdates", true),
    CK_DS("cpuRequest", "25m"),
    CK_DS("memoryRequest", "128Mi"),
    CK_DB("cniExclusive", true),
};

static void cilium(struct ck_pop *p, struct ck_val *c)
{
    static const char *const parts[] = {"hubble", "ingress", "gatewayAPI"};
    ck_pop_defaults(p, c, cilium_defaults, CK_ARRAY_LEN(cilium_defaults));
    bool eni = !strcmp(ck_str_at(c, "ipam"), "eni");
    ck_pop_bool(p, c, "disableMasquerade", p->ipv6);
    ck_pop_str(p, c, "tunnel", eni || p->ipv6 ? "disabled" : "vxlan");
    ck_pop_bool(p, c, "enableBPFMasquerade", eni);
    if (ck_bool_at(c, "enableEncryption", false))
        ck_pop_str(p, c, "encryptionType", "ipsec");
    for (size_t i = 0; i < CK_ARRAY_LEN(parts); i++) {
        bool asked = !ck_is_null(ck_get(c, parts[i]));
        ck_pop_bool(p, c, ck_arena_printf(p->a, "%s.enabled", parts[i]), asked);
    }
}

static void calico(struct ck_pop *p, struct ck_val *c)
{
    bool azure = ck_pop_is(p, "azure");
    ck_pop_str(p, c, "encapsulationMode", p->ipv6 ? "none" : azure ? "vxlan" : "ipip");
    if (azure)
        ck_pop_str(p, c, "vxlanMode", "Always");
}

static void kindnet(struct ck_pop *p, struct ck_val *k)
{
    static const char *const ranges[] = {"networkCIDR", "podCIDR", "serviceClusterIPRange"};
    ck_pop_str(p, k, "version", "v1.0.1");
    ck_pop_bool(p, k, "masquerade.enabled", !p->ipv6);
    struct ck_val *masquerade = ck_ensure_map(p->a, k, "masquerade");
    if (!p->ipv6 && !ck_len(ck_get(masquerade, "nonMasqueradeCIDRs"))) {
        struct ck_val *list = ck_list(p->a);
        for (size_t i = 0; i < CK_ARRAY_LEN(ranges); i++)
            if (*ck_pop_spec(p, ranges[i]))
                ck_append_str(p->a, list, ck_pop_spec(p, ranges[i]));
        ck_set(p->a, masquerade, "nonMasqueradeCIDRs", list);
    }
    ck_pop_int(p, k, "fastPathThreshold", 0);
    ck_pop_int(p, k, "logLevel", 2);
}

int ck_pop_network(struct ck_pop *p, struct ck_err *err)
{
    struct ck_val *net = ck_get(p->spec, "networking");
    if (!ck_is_null(ck_get(net, "classic")))
        return ck_fail(err, CK_INVALID, "classic networking not supported");
    if (ck_is_map(ck_get(net, "calico")))
        calico(p, ck_get(net, "calico"));
    if (ck_is_map(ck_get(net, "cilium")))
        cilium(p, ck_get(net, "cilium"));
    if (ck_is_map(ck_get(net, "kindnet")))
        kindnet(p, ck_get(net, "kindnet"));
    return 0;
}
