/* What runs on every node: containerd, cluster DNS, kubelets. Mirrors kOps
 * pkg/model/components/containerd.go, kubedns.go and kubelet.go. */
#include "spec/populate/pop.h"

#include "spec/ipnet.h"

#include <string.h>

void ck_pop_containerd(struct ck_pop *p)
{
    struct ck_val *containerd = ck_ensure_map(p->a, p->spec, "containerd");
    if (!*ck_str_at(containerd, "version")) {
        ck_set_str(p->a, containerd, "version", "2.3.4");
        ck_pop_str(p, containerd, "runc.version", "1.4.3");
    }
    ck_set_str(p->a, containerd, "logLevel", "info");
    if (!*ck_str_at(containerd, "sandboxImage"))
        ck_set_str(p->a, containerd, "sandboxImage",
                   ck_pop_image(p, "registry.k8s.io/pause:3.10.1"));
}

static const struct ck_dflt dns_defaults[] = {
    CK_DI("cacheMaxSize", 1000),
    CK_DI("cacheMaxConcurrent", 150),
    CK_DS("memoryRequest", "70Mi"),
    CK_DS("cpuRequest", "100m"),
    CK_DS("memoryLimit", "170Mi"),
    CK_DB("nodeLocalDNS.enabled", false),
    CK_DS("nodeLocalDNS.memoryRequest", "5Mi"),
    CK_DS("nodeLocalDNS.cpuRequest", "25m"),
    CK_DS("nodeLocalDNS.image", "registry.k8s.io/dns/k8s-dns-node-cache:1.26.0"),
};

void ck_pop_kubedns(struct ck_pop *p)
{
    struct ck_val *dns = ck_ensure_map(p->a, p->spec, "kubeDNS");
    struct ck_ipnet services;
    char ip[CK_IPNET_TEXT];
    ck_pop_defaults(p, dns, dns_defaults, CK_ARRAY_LEN(dns_defaults));
    if (ck_ipnet_parse(ck_pop_spec(p, "serviceClusterIPRange"), &services)) {
        ck_ipnet_nth_ip(&services, 10, ip);
        ck_pop_str(p, dns, "serverIP", ip);
    }
    ck_pop_str(p, dns, "domain", ck_pop_spec(p, "clusterDNSDomain"));
    const char *amazon = "fd00:ec2::253";
    if (p->ipv6 && ck_pop_is(p, "aws") && !ck_len(ck_get(dns, "upstreamNameservers")))
        ck_set(p->a, dns, "upstreamNameservers", ck_pop_list(p, &amazon, 1));
    if (ck_bool_at(dns, "nodeLocalDNS.enabled", false)) {
        ck_pop_str(p, dns, "nodeLocalDNS.localIP", p->ipv6 ? "fd00:90de:d95::1" : "169.254.20.10");
        ck_pop_bool(p, dns, "nodeLocalDNS.forwardToKubeDNS", false);
    }
    if (p->f->update)
        ck_pop_str(p, dns, "provider", "CoreDNS");
}

static const struct ck_dflt kubelet_always[] = {
    CK_DB("enableDebuggingHandlers", true),
    CK_DS("podManifestPath", "/etc/kubernetes/manifests"),
    CK_DS("kubeconfigPath", "/var/lib/kubelet/kubeconfig"),
    CK_DS("cgroupRoot", "/"),
    CK_DS("cgroupDriver", "systemd"),
};

static const struct ck_dflt kubelet_defaults[] = {
    CK_DI("logLevel", 2),
    CK_DB("protectKernelDefaults", true),
};

#define EVICTION                                                                                   \
    "memory.available<100Mi,nodefs.available<10%,nodefs.inodesFree<5%,imagefs.available<10%,"      \
    "imagefs.inodesFree<5%"

static void shutdown_periods(struct ck_pop *p, struct ck_val *kubelet)
{
    if (ck_pop_has(p, "networking.amazonvpc")) {
        ck_set_str(p->a, kubelet, "shutdownGracePeriod", "0s");
        ck_set_str(p->a, kubelet, "shutdownGracePeriodCriticalPods", "0s");
    } else if (!*ck_str_at(kubelet, "shutdownGracePeriod")) {
        ck_set_str(p->a, kubelet, "shutdownGracePeriod", "30s");
        ck_pop_str(p, kubelet, "shutdownGracePeriodCriticalPods", "10s");
    }
}

static void kubelet(struct ck_pop *p, const char *key)
{
    struct ck_val *k = ck_ensure_map(p->a, p->spec, key);
    ck_pop_always(p, k, kubelet_always, CK_ARRAY_LEN(kubelet_always));
    ck_pop_defaults(p, k, kubelet_defaults, CK_ARRAY_LEN(kubelet_defaults));
    ck_set_str(p->a, k, "clusterDomain", ck_pop_spec(p, "clusterDNSDomain"));
    ck_set_str(p->a, k, "cloudProvider", ck_pop_is(p, "metal") ? "" : "external");
    if (!ck_kube_version_ge(&p->ver, 1, 34))
        ck_set_bool(p->a, k, "registerSchedulable", true);
    bool local = ck_bool_at(p->spec, "kubeDNS.nodeLocalDNS.enabled", false);
    ck_pop_str(p, k, "clusterDNS",
               ck_pop_spec(p, local ? "kubeDNS.nodeLocalDNS.localIP" : "kubeDNS.serverIP"));
    if (ck_is_null(ck_get(k, "evictionHard"))) /* "" is a choice: no eviction */
        ck_set_str(p->a, k, "evictionHard", EVICTION);
    shutdown_periods(p, k);
    if (ck_pop_is(p, "gce"))
        ck_set_str(p->a, k, "hairpinMode", "promiscuous-bridge");
}

void ck_pop_kubelets(struct ck_pop *p)
{
    kubelet(p, "kubelet");
    kubelet(p, "masterKubelet");
    if (ck_pop_is(p, "gce")) {
        ck_pop_bool(p, p->spec, "cloudConfig.multizone", true);
        ck_pop_str(p, p->spec, "cloudConfig.nodeTags",
                   ck_arena_printf(p->a, "%s-k8s-io-role-node", ck_pop_gce_name(p)));
    }
    if (ck_bool_at(p->spec, "isolateMasters", false)) {
        ck_put(p->a, p->spec, "masterKubelet.enableDebuggingHandlers", ck_bool(p->a, false));
        ck_put(p->a, p->spec, "masterKubelet.hairpinMode", ck_str(p->a, "none"));
    }
}
