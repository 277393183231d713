/* What kOps checks before anything else: required components of a completed cluster, cluster DNS,
 * the components' cloud provider (rules 2–24). Mirrors kOps pkg/apis/kops/validation/legacy.go. */
#include "spec/validate/rules.h"

#include "spec/featureflag.h"
#include "spec/ipnet.h"

#include <string.h>

static void check_configured(struct ck_chk *c, struct ck_fld spec)
{
    static const struct {
        const char *key, *name;
    } parts[] = {
        {"kubelet", "kubelet"},
        {"masterKubelet", "controlPlaneKubelet"},
        {"kubeControllerManager", "kubeControllerManager"},
        {"kubeDNS", "kubeDNS"},
        {"kubeScheduler", "kubeScheduler"},
        {"kubeAPIServer", "kubeAPIServer"},
        {"kubeProxy", "kubeProxy"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(parts) && c->strict; i++) {
        struct ck_fld f = ck_fld_at(c, spec, parts[i].key, parts[i].name);
        if (ck_is_null(f.v))
            ck_chk_required(c, f, ck_arena_printf(c->a, "%s not configured", parts[i].name));
    }
}

/* Rules 9 and 10. */
static void check_cluster_cidr(struct ck_chk *c, struct ck_fld spec)
{
    struct ck_fld f = ck_fld_at(c, spec, "kubeControllerManager.clusterCIDR", NULL);
    struct ck_ipnet net, parent;
    char text[CK_IPNET_TEXT];
    if (!ck_fld_set(f))
        return;
    if (!ck_ipnet_parse(ck_fld_str(f), &net)) {
        ck_chk_invalid(c, f, "cluster had an invalid kubeControllerManager.clusterCIDR");
        return;
    }
    if (!ck_ipnet_parse(ck_spec_str(c, "nonMasqueradeCIDR"), &parent) ||
        ck_ipnet_within(&parent, &net))
        return;
    ck_ipnet_text(&parent, text);
    ck_chk_forbidden(c, f,
                     "kubeControllerManager.clusterCIDR \"%s\" must be a subnet of "
                     "nonMasqueradeCIDR \"%s\"",
                     ck_fld_str(f), text);
}

/* kOps' isExperimentalClusterDNS: a kubelet asks a server that is neither of the cluster's. */
static bool odd_cluster_dns(const struct ck_val *kubelet, const struct ck_val *dns)
{
    const char *asks = ck_str_at(kubelet, "clusterDNS");
    return *asks && strcmp(asks, ck_str_at(dns, "serverIP")) != 0 &&
           !ck_is_null(ck_get(dns, "nodeLocalDNS")) &&
           strcmp(asks, ck_str_at(dns, "nodeLocalDNS.localIP")) != 0;
}

/* Rules 11–14. */
static void check_server_ip(struct ck_chk *c, struct ck_fld spec, struct ck_fld dns)
{
    struct ck_fld f = ck_fld_at(c, dns, "serverIP", NULL);
    struct ck_ipnet ip, range;
    if (!ck_fld_set(f))
        return;
    if (!ck_ip_parse(ck_fld_str(f), &ip)) {
        ck_chk_invalid(c, f, "Cluster had an invalid kubeDNS.serverIP");
        return;
    }
    const char *services = ck_spec_str(c, "serviceClusterIPRange");
    if (ck_ipnet_parse(services, &range) && !ck_ipnet_contains_ip(&range, &ip))
        ck_chk_forbidden(c, f, "ServiceClusterIPRange \"%s\" must contain the DNS Server IP \"%s\"",
                         services, ck_fld_str(f));
    if (c->ctx->features && c->ctx->features->on[CK_FF_EXPERIMENTAL_CLUSTER_DNS])
        return;
    struct ck_fld kubelet = ck_fld_at(c, spec, "kubelet", NULL);
    struct ck_fld cp = ck_fld_at(c, spec, "masterKubelet", "controlPlaneKubelet");
    if (odd_cluster_dns(kubelet.v, dns.v))
        ck_chk_forbidden(c, ck_fld_at(c, kubelet, "clusterDNS", NULL),
                         "Kubelet ClusterDNS did not match cluster kubeDNS.serverIP or "
                         "nodeLocalDNS.localIP");
    if (odd_cluster_dns(cp.v, dns.v))
        ck_chk_forbidden(c, ck_fld_at(c, cp, "clusterDNS", NULL),
                         "ControlPlaneKubelet ClusterDNS did not match cluster kubeDNS.serverIP or "
                         "nodeLocalDNS.localIP");
}

/* Rule 17: where the cache listens on its own address only, kubelets must ask that address. */
static void check_local_clients(struct ck_chk *c, struct ck_fld spec, const char *local)
{
    bool own_address = !strcmp(ck_spec_str(c, "kubeProxy.proxyMode"), "ipvs") ||
                       !ck_is_null(ck_at(c->spec, "networking.cilium"));
    static const struct {
        const char *key, *word;
    } kubelets[] = {{"kubelet", "Kubelet"}, {"masterKubelet", "ControlPlaneKubelet"}};
    for (size_t i = 0; i < CK_ARRAY_LEN(kubelets) && own_address; i++) {
        struct ck_fld f =
            ck_fld_at(c, ck_fld_at(c, spec, kubelets[i].key, NULL), "clusterDNS", NULL);
        if (!ck_fld_set(f) || ck_fld_is(f, local))
            continue;
        ck_chk_forbidden(c, ck_fld_named(f, "spec.spec.kubelet.clusterDNS"),
                         "%s ClusterDNS must be set to the default IP address for LocalIP",
                         kubelets[i].word);
    }
}

/* Rules 15–17. */
static void check_node_local(struct ck_chk *c, struct ck_fld spec, struct ck_fld dns)
{
    if (!ck_bool_at(dns.v, "nodeLocalDNS.enabled", false))
        return;
    struct ck_fld provider = ck_fld_at(c, dns, "provider", NULL);
    if (ck_fld_set(provider) && !ck_fld_is(provider, "CoreDNS"))
        ck_chk_forbidden(
            c, provider,
            "KubeDNS provider must be set to CoreDNS if NodeLocalDNS addon is enabled");
    struct ck_fld local = ck_fld_at(c, dns, "nodeLocalDNS.localIP", NULL);
    struct ck_ipnet ip;
    if (ck_fld_set(local) && !ck_ip_parse(ck_fld_str(local), &ip))
        ck_chk_invalid(c, ck_fld_named(local, "spec.spec.kubeDNS.nodeLocalDNS.localIP"),
                       "Cluster had an invalid kubeDNS.nodeLocalDNS.localIP");
    if (ck_fld_set(local))
        check_local_clients(c, spec, ck_fld_str(local));
}

static void check_nameservers(struct ck_chk *c, struct ck_fld list)
{
    struct ck_ipnet ip;
    for (size_t i = 0; i < ck_len(list.v); i++) {
        struct ck_fld f = ck_fld_item(c, list, i);
        if (!ck_ip_parse(ck_fld_str(f), &ip))
            ck_chk_invalid(c, f, "Invalid nameserver given, should be a valid ip address");
    }
}

void ck_chk_kubedns(struct ck_chk *c, struct ck_fld spec)
{
    struct ck_fld dns = ck_fld_at(c, spec, "kubeDNS", NULL);
    if (ck_is_null(dns.v))
        return;
    check_server_ip(c, spec, dns);
    check_node_local(c, spec, dns);
    check_nameservers(c, ck_fld_at(c, dns, "upstreamNameservers", NULL));
    struct ck_fld stubs = ck_fld_at(c, dns, "stubDomains", NULL);
    const char **domains = ck_sorted_keys(c->a, stubs.v);
    for (size_t i = 0; domains[i]; i++) {
        struct ck_fld f = ck_fld_key(c, stubs, domains[i]);
        if (!ck_len(f.v))
            ck_chk_invalid_str(c, f, domains[i], "No nameservers specified for the stub domain");
        check_nameservers(c, f);
    }
}

/* Rules 21–24. */
static void check_component_cloud(struct ck_chk *c, struct ck_fld spec)
{
    static const struct {
        const char *key, *name;
    } parts[] = {
        {"kubelet", "kubelet"},
        {"masterKubelet", "controlPlaneKubelet"},
        {"kubeAPIServer", "kubeAPIServer"},
        {"kubeControllerManager", "kubeControllerManager"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(parts); i++) {
        if (!strcmp(parts[i].key, "kubeAPIServer") && ck_kube_version_ge(&c->ver, 1, 33))
            continue;
        struct ck_fld part = ck_fld_at(c, spec, parts[i].key, parts[i].name);
        struct ck_fld f = ck_fld_at(c, part, "cloudProvider", NULL);
        bool wanted = ck_fld_set(f) || (c->strict && !ck_chk_is_cloud(c, "metal"));
        if (ck_is_null(part.v) || !wanted || ck_fld_is(f, "external") || ck_fld_is(f, c->cloud))
            continue;
        ck_chk_forbidden(c, f, "Did not match cluster cloudProvider");
    }
}

void ck_chk_legacy(struct ck_chk *c, struct ck_fld spec)
{
    check_configured(c, spec);
    check_cluster_cidr(c, spec);
    ck_chk_kubedns(c, spec);
    check_component_cloud(c, spec);
}
