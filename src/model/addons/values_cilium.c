/* Values of Cilium: the agent's configuration from the cluster's settings.
 *
 * Option names are Cilium's public ones. */
#include "model/addons/addon.h"

#include <string.h>

struct cfg {
    struct ck_addon_ctx *c;
    const struct ck_val *spec; /* networking.cilium */
    struct ck_val *out;
};

static void put(struct cfg *f, const char *key, const char *text)
{
    ck_set_str(f->c->a, f->out, key, text);
}

static void put_bool(struct cfg *f, const char *key, bool b)
{
    put(f, key, b ? "true" : "false");
}

static bool on(const struct cfg *f, const char *field, bool dflt)
{
    return ck_bool_at(f->spec, field, dflt);
}

static const char *text(const struct cfg *f, const char *field, const char *dflt)
{
    const char *s = ck_str_at(f->spec, field);
    return *s ? s : dflt;
}

/* Settings that are options under another name. */
static void copy(struct cfg *f)
{
    static const struct {
        const char *option, *field, *dflt;
    } rows[] = {
        {"bpf-ct-global-any-max", "bpfCTGlobalAnyMax", "262144"},
        {"bpf-ct-global-tcp-max", "bpfCTGlobalTCPMax", "524288"},
        {"bpf-lb-algorithm", "bpfLBAlgorithm", "random"},
        {"bpf-lb-maglev-table-size", "bpfLBMaglevTableSize", "16381"},
        {"bpf-lb-map-max", "bpfLBMapMax", "65536"},
        {"bpf-lb-sock", "bpfLBSock", "false"},
        {"bpf-lb-sock-hostns-only", "bpfLBSockHostNSOnly", "false"},
        {"bpf-nat-global-max", "bpfNATGlobalMax", "524288"},
        {"bpf-neigh-global-max", "bpfNeighGlobalMax", "524288"},
        {"bpf-policy-map-max", "bpfPolicyMapMax", "16384"},
        {"cluster-id", "clusterID", "0"},
        {"cluster-name", "clusterName", "default"},
        {"cni-exclusive", "cniExclusive", "true"},
        {"debug", "debug", "false"},
        {"disable-endpoint-crd", "disableEndpointCRD", "false"},
        {"enable-bpf-masquerade", "enableBPFMasquerade", "false"},
        {"enable-endpoint-health-checking", "enableEndpointHealthChecking", "true"},
        {"enable-host-firewall", "enableHostFirewall", "false"},
        {"enable-l7-proxy", "enableL7Proxy", "true"},
        {"enable-local-redirect-policy", "enableLocalRedirectPolicy", "false"},
        {"enable-node-port", "enableNodePort", "false"},
        {"enable-policy", "enablePolicy", "default"},
        {"enable-remote-node-identity", "enableRemoteNodeIdentity", "true"},
        {"enable-service-topology", "enableServiceTopology", "false"},
        {"enable-unreachable-routes", "enableUnreachableRoutes", "false"},
        {"identity-allocation-mode", "identityAllocationMode", "crd"},
        {"identity-change-grace-period", "identityChangeGracePeriod", "5s"},
        {"monitor-aggregation", "monitorAggregation", "medium"},
        {"preallocate-bpf-maps", "preallocateBPFMaps", "false"},
        {"sidecar-istio-proxy-image", "sidecarIstioProxyImage", "cilium/istio_proxy"},
        {"tofqdns-dns-reject-response-code", "toFqdnsDnsRejectResponseCode", "refused"},
        {"tofqdns-enable-poller", "toFqdnsEnablePoller", "false"},
        {"auto-direct-node-routes", "autoDirectNodeRoutes", "false"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        const struct ck_val *v = ck_get(f->spec, rows[i].field);
        if (ck_is_null(v) || (v->kind == CK_STR && !v->s.len))
            put(f, rows[i].option, rows[i].dflt);
        else
            ck_set(f->c->a, f->out, rows[i].option, ck_val_clone(f->c->a, v));
    }
}

static void addressing(struct cfg *f)
{
    bool ipv6 = ck_model_ipv6_only(f->c->m), eni = !strcmp(text(f, "ipam", ""), "eni");
    const char *tunnel = text(f, "tunnel", "vxlan"),
               *none = ck_str_at(f->c->m->spec, "networkCIDR");
    bool native = !strcmp(tunnel, "disabled");
    bool masquerade = !on(f, "disableMasquerade", false);
    put_bool(f, "enable-ipv4", !ipv6);
    put_bool(f, "enable-ipv6", ipv6);
    put_bool(f, "enable-ipv4-masquerade", masquerade && !ipv6);
    put_bool(f, "enable-ipv6-masquerade", false);
    put(f, "routing-mode", native ? "native" : "tunnel");
    if (!native)
        put(f, "tunnel-protocol", tunnel);
    if (native && !ipv6 && !eni)
        put(f, "ipv4-native-routing-cidr",
            *none ? none : ck_str_at(f->c->m->spec, "nonMasqueradeCIDR"));
    put(f, "ipam", text(f, "ipam", "kubernetes"));
    if (eni) {
        put_bool(f, "enable-endpoint-routes", true);
        put_bool(f, "auto-create-cilium-node-resource", true);
        put_bool(f, "blacklist-conflicting-routes", false);
    }
    bool proxy = ck_bool_at(f->c->m->spec, "kubeProxy.enabled", true);
    put_bool(f, "kube-proxy-replacement", on(f, "enableNodePort", false) || !proxy);
    put_bool(f, "install-iptables-rules", !on(f, "IPTablesRulesNoinstall", false));
    put(f, "cni-chaining-mode", text(f, "chainingMode", "none"));
}

static void encryption(struct cfg *f)
{
    if (!on(f, "enableEncryption", false))
        return;
    if (!strcmp(text(f, "encryptionType", "ipsec"), "wireguard")) {
        put_bool(f, "enable-wireguard", true);
    } else {
        put_bool(f, "enable-ipsec", true);
        put(f, "ipsec-key-file", "/etc/ipsec/keys");
    }
    put_bool(f, "encrypt-node", on(f, "nodeEncryption", false));
}

static void gateways(struct cfg *f)
{
    bool ingress = on(f, "ingress.enabled", false), gateway = on(f, "gatewayAPI.enabled", false);
    put_bool(f, "enable-ingress-controller", ingress);
    put_bool(f, "enable-gateway-api", gateway);
    if (ingress || gateway)
        put_bool(f, "enable-envoy-config", true);
    if (ingress) {
        put_bool(f, "enforce-ingress-https", on(f, "ingress.enforceHttps", true));
        put_bool(f, "enable-ingress-secrets-sync", on(f, "ingress.enableSecretsSync", true));
        put(f, "ingress-secrets-namespace", "kube-system");
        put(f, "ingress-lb-annotation-prefixes",
            text(f, "ingress.loadBalancerAnnotationPrefixes",
                 "service.beta.kubernetes.io service.kubernetes.io cloud.google.com"));
        put(f, "ingress-default-lb-mode", text(f, "ingress.defaultLoadBalancerMode", "dedicated"));
        put(f, "ingress-shared-lb-service-name",
            text(f, "ingress.sharedLoadBalancerServiceName", "cilium-ingress"));
    }
    if (gateway) {
        put_bool(f, "enable-gateway-api-secrets-sync", on(f, "gatewayAPI.enableSecretsSync", true));
        put(f, "gateway-api-secrets-namespace", "kube-system");
    }
}

static void joined(struct cfg *f, const char *key, const struct ck_val *list)
{
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    for (size_t i = 0; i < ck_len(list); i++)
        ck_buf_fmt(&out, "%s%s", i ? " " : "", ck_str_or(ck_item(list, i), ""));
    if (out.len)
        put(f, key, ck_buf_str(&out));
}

static void metrics(struct cfg *f)
{
    int64_t port = ck_int_at(f->spec, "agentPrometheusPort", 9090);
    if (on(f, "enablePrometheusMetrics", false)) {
        put(f, "prometheus-serve-addr", ck_arena_printf(f->c->a, ":%d", (int)port));
        put(f, "operator-prometheus-serve-addr", ":6942");
        put_bool(f, "enable-metrics", true);
        joined(f, "metrics", ck_get(f->spec, "metrics"));
    }
    bool hubble = on(f, "hubble.enabled", false);
    put_bool(f, "enable-hubble", hubble);
    if (!hubble)
        return;
    put(f, "hubble-socket-path", "/var/run/cilium/hubble.sock");
    put(f, "hubble-listen-address", ":4244");
    put_bool(f, "hubble-disable-tls", false);
    put(f, "hubble-tls-cert-file", "/var/lib/cilium/tls/hubble/tls.crt");
    put(f, "hubble-tls-key-file", "/var/lib/cilium/tls/hubble/tls.key");
    put(f, "hubble-tls-client-ca-files", "/var/lib/cilium/tls/hubble/ca.crt");
    joined(f, "hubble-metrics", ck_at(f->spec, "hubble.metrics"));
    if (ck_len(ck_at(f->spec, "hubble.metrics")))
        put(f, "hubble-metrics-server", ":9091");
}

static void etcd(struct cfg *f)
{
    if (!on(f, "etcdManaged", false))
        return;
    put(f, "kvstore", "etcd");
    put(f, "kvstore-opt", "{\"etcd.config\": \"/var/lib/etcd-config/etcd.config\"}");
    put(f, "etcd-config",
        ck_arena_printf(f->c->a,
                        "---\nendpoints:\n- https://%s:4003\n"
                        "trusted-ca-file: '/var/lib/etcd-secrets/etcd-ca.crt'\n"
                        "key-file: '/var/lib/etcd-secrets/etcd-client-cilium.key'\n"
                        "cert-file: '/var/lib/etcd-secrets/etcd-client-cilium.crt'\n",
                        ck_model_internal_api_name(f->c->m)));
}

static struct ck_val *config(struct cfg *f)
{
    static const char *const fixed[][2] = {
        {"agent-not-ready-taint-key", "node.cilium.io/agent-not-ready"},
        {"bpf-root", "/sys/fs/bpf"},
        {"cgroup-root", "/run/cilium/cgroupv2"},
        {"cilium-endpoint-gc-interval", "5m0s"},
        {"custom-cni-conf", "false"},
        {"egress-gateway-reconciliation-trigger-interval", "1s"},
        {"enable-xt-socket-fallback", "true"},
        {"nodes-gc-interval", "5m0s"},
        {"operator-api-serve-addr", "127.0.0.1:9234"},
        {"remove-cilium-node-taints", "true"},
        {"set-cilium-is-up-condition", "true"},
        {"set-cilium-node-taints", "true"},
        {"unmanaged-pod-watcher-interval", "15"},
        {"write-cni-conf-when-ready", "/host/etc/cni/net.d/05-cilium.conflist"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(fixed); i++)
        put(f, fixed[i][0], fixed[i][1]);
    if (ck_model_ipv6_only(f->c->m))
        put(f, "operator-api-serve-addr", "[::1]:9234");
    copy(f);
    addressing(f);
    encryption(f);
    gateways(f);
    metrics(f);
    etcd(f);
    /* The user's own options win. */
    const struct ck_val *own = ck_get(f->spec, "extraConfig");
    for (size_t i = 0; i < ck_len(own); i++)
        ck_setn(f->c->a, f->out, own->map.v[i].key, ck_val_clone(f->c->a, own->map.v[i].val));
    return f->out;
}

void ck_addon_values_cilium(struct ck_addon_ctx *c)
{
    struct cfg f = {c, ck_at(c->m->spec, "networking.cilium"), ck_map(c->a)};
    struct ck_val *vals = c->vals;
    bool ingress = on(&f, "ingress.enabled", false), gateway = on(&f, "gatewayAPI.enabled", false);
    bool sync = on(&f, "ingress.enableSecretsSync", true),
         gateway_sync = on(&f, "gatewayAPI.enableSecretsSync", true);
    bool encrypted = on(&f, "enableEncryption", false);
    ck_set(c->a, vals, "config", config(&f));
    ck_set_str(c->a, vals, "registry", text(&f, "registry", "quay.io/cilium"));
    ck_set_str(c->a, vals, "ciliumTag", text(&f, "version", "v1.18.12"));
    ck_set_bool(c->a, vals, "hubble", on(&f, "hubble.enabled", false));
    ck_set_bool(c->a, vals, "ingress", ingress);
    ck_set_bool(c->a, vals, "secretsSync", sync);
    ck_set_bool(c->a, vals, "gateway", gateway);
    ck_set_bool(c->a, vals, "gatewaySync", gateway_sync);
    ck_set_bool(c->a, vals, "envoySecrets", (ingress && sync) || (gateway && gateway_sync));
    ck_set_bool(c->a, vals, "ciliumEtcd", on(&f, "etcdManaged", false));
    ck_set_bool(c->a, vals, "eni", !strcmp(text(&f, "ipam", ""), "eni"));
    ck_set_bool(c->a, vals, "ipsec",
                encrypted && strcmp(text(&f, "encryptionType", "ipsec"), "wireguard") != 0);
    ck_set_int(c->a, vals, "hubblePort", 4244);
    ck_set_int(c->a, vals, "hubbleMetricsPort", 9091);
    struct ck_val *notes = ck_get(f.spec, "agentPodAnnotations");
    notes = notes ? ck_val_clone(c->a, notes) : ck_map(c->a);
    if (on(&f, "enablePrometheusMetrics", false)) {
        ck_set_str(c->a, notes, "prometheus.io/scrape", "true");
        ck_set(c->a, notes, "prometheus.io/port",
               ck_strf(c->a, "%d", (int)ck_int_at(f.spec, "agentPrometheusPort", 9090)));
    }
    ck_set(c->a, vals, "agentAnnotations", notes);
}
