/* Values of the network add-ons but Cilium: their configuration files and variables.
 *
 * Variable names and file formats are the components' public ones. */
#include "doc/json.h"
#include "model/addons/addon.h"

#include <string.h>

static void put(struct ck_addon_ctx *c, const char *key, const char *text)
{
    ck_set_str(c->a, c->vals, key, text);
}

static const char *json(struct ck_arena *a, const struct ck_val *v)
{
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    ck_json_emit(&out, v, (struct ck_json_style){.indent = 2, .raw_html = true});
    ck_buf_putc(&out, '\n');
    return ck_arena_strdup(a, ck_buf_str(&out));
}

void ck_addon_values_flannel(struct ck_addon_ctx *c)
{
    const struct ck_val *conf = ck_at(c->m->spec, "networking.flannel");
    struct ck_val *net = ck_map(c->a);
    const char *backend = ck_str_at(conf, "backend");
    ck_set_str(c->a, net, "Network", ck_str_at(c->m->spec, "podCIDR"));
    ck_set_bool(c->a, net, "EnableNFTables", false);
    ck_put(c->a, net, "Backend.Type", ck_str(c->a, *backend ? backend : "vxlan"));
    put(c, "netConf", json(c->a, net));
}

void ck_addon_values_kindnet(struct ck_addon_ctx *c)
{
    const struct ck_val *conf = ck_at(c->m->spec, "networking.kindnet.masquerade");
    const struct ck_val *list = ck_get(conf, "nonMasqueradeCIDRs");
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    if (ck_bool_at(conf, "enabled", true)) {
        const char *own[] = {"networkCIDR", "podCIDR", "serviceClusterIPRange"};
        for (size_t i = 0; i < ck_len(list); i++)
            ck_buf_fmt(&out, "%s%s", out.len ? "," : "", ck_str_or(ck_item(list, i), ""));
        for (size_t i = 0; !ck_len(list) && i < CK_ARRAY_LEN(own); i++)
            if (*ck_str_at(c->m->spec, own[i]))
                ck_buf_fmt(&out, "%s%s", out.len ? "," : "", ck_str_at(c->m->spec, own[i]));
    }
    put(c, "noMasquerade", ck_buf_str(&out));
}

void ck_addon_values_kuberouter(struct ck_addon_ctx *c)
{
    bool proxy = ck_bool_at(c->m->spec, "kubeProxy.enabled", true);
    ck_set_bool(c->a, c->vals, "serviceProxy", !proxy);
}

struct var {
    const char *name, *value;
};

static void set_vars(struct ck_addon_ctx *c, struct ck_val *env, const struct var *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].value)
            ck_set_str(c->a, env, v[i].name, v[i].value);
}

static void set_field(struct ck_addon_ctx *c, struct ck_val *env, const char *name,
                      const char *path)
{
    struct ck_val *f = ck_map(c->a);
    ck_set_str(c->a, f, "field", path);
    ck_set(c->a, env, name, f);
}

void ck_addon_values_amazonvpc(struct ck_addon_ctx *c)
{
    const struct var vars[] = {
        {"ADDITIONAL_ENI_TAGS", "{}"},
        {"ANNOTATE_POD_IP", "false"},
        {"AWS_VPC_CNI_NODE_PORT_SUPPORT", "true"},
        {"AWS_VPC_ENI_MTU", "9001"},
        {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "false"},
        {"AWS_VPC_K8S_CNI_EXTERNALSNAT", "false"},
        {"AWS_VPC_K8S_CNI_LOGLEVEL", "DEBUG"},
        {"AWS_VPC_K8S_CNI_LOG_FILE", "/host/var/log/aws-routed-eni/ipamd.log"},
        {"AWS_VPC_K8S_CNI_RANDOMIZESNAT", "prng"},
        {"AWS_VPC_K8S_CNI_VETHPREFIX", "eni"},
        {"AWS_VPC_K8S_PLUGIN_LOG_FILE", "/var/log/aws-routed-eni/plugin.log"},
        {"AWS_VPC_K8S_PLUGIN_LOG_LEVEL", "DEBUG"},
        {"CLUSTER_ENDPOINT", ck_arena_printf(c->a, "https://%s", ck_model_internal_api_name(c->m))},
        {"CLUSTER_NAME", c->m->name},
        {"DISABLE_INTROSPECTION", "false"},
        {"DISABLE_METRICS", "false"},
        {"DISABLE_NETWORK_RESOURCE_PROVISIONING", "false"},
        {"ENABLE_IMDS_ONLY_MODE", "false"},
        {"ENABLE_IPv4", "true"},
        {"ENABLE_IPv6", "false"},
        {"ENABLE_MULTI_NIC", "false"},
        {"ENABLE_POD_ENI", "false"},
        {"ENABLE_PREFIX_DELEGATION", "false"},
        {"ENABLE_SUBNET_DISCOVERY", "true"},
        {"NETWORK_POLICY_ENFORCING_MODE", "standard"},
        {"VPC_CNI_VERSION", "v1.23.0"},
        {"WARM_ENI_TARGET", "1"},
        {"WARM_PREFIX_TARGET", "1"},
    };
    const struct var init[] = {{"DISABLE_TCP_EARLY_DEMUX", "false"}, {"ENABLE_IPv6", "false"}};
    struct ck_val *env = ck_map(c->a), *first = ck_map(c->a);
    set_vars(c, env, vars, CK_ARRAY_LEN(vars));
    set_vars(c, first, init, CK_ARRAY_LEN(init));
    set_field(c, env, "MY_NODE_NAME", "spec.nodeName");
    set_field(c, env, "MY_POD_NAME", "metadata.name");
    /* The user's variables win. */
    const struct ck_val *own = ck_at(c->m->spec, "networking.amazonvpc.env");
    for (size_t i = 0; i < ck_len(own); i++) {
        const char *name = ck_str_at(ck_item(own, i), "name");
        ck_set_str(c->a, env, name, ck_str_at(ck_item(own, i), "value"));
        if (ck_get(first, name))
            ck_set_str(c->a, first, name, ck_str_at(ck_item(own, i), "value"));
    }
    ck_set(c->a, c->vals, "env", env);
    ck_set(c->a, c->vals, "initEnv", first);
}

/* ---- Calico ---- */

static const char *yes_no(bool b)
{
    return b ? "true" : "false";
}

/* A setting's text, or the default where it is empty. */
static const char *text_of(const struct ck_val *conf, const char *key, const char *dflt)
{
    const char *s = ck_str_at(conf, key);
    return *s ? s : dflt;
}

static bool is_bird(const struct ck_val *conf, const struct ck_model *m)
{
    return !strcmp(text_of(conf, "encapsulationMode", ""), "ipip") && !ck_model_ipv6_only(m);
}

static const char *calico_cni(struct ck_addon_ctx *c)
{
    /* The node agent writes pod ranges of IPv6 clusters to the nodes; Calico must not choose. */
    const char *ipam =
        ck_model_ipv6_only(c->m)
            ? "{\"type\": \"host-local\", \"ranges\": [[{\"subnet\": \"usePodCidr\"}]]}"
            : "{\"type\": \"calico-ipam\", \"assign_ipv4\": \"true\", \"assign_ipv6\": \"false\"}";
    bool forward = ck_bool_at(c->m->spec, "networking.calico.allowIPForwarding", false);
    return ck_arena_printf(
        c->a,
        "{\n  \"name\": \"k8s-pod-network\",\n  \"cniVersion\": \"0.3.1\",\n  \"plugins\": [\n"
        "    {\"type\": \"calico\", \"log_level\": \"info\",\n"
        "     \"log_file_path\": \"/var/log/calico/cni/cni.log\",\n"
        "     \"datastore_type\": \"kubernetes\", \"nodename\": \"__KUBERNETES_NODE_NAME__\",\n"
        "     \"mtu\": __CNI_MTU__, \"ipam\": %s,\n"
        "     \"container_settings\": {\"allow_ip_forwarding\": %s},\n"
        "     \"policy\": {\"type\": \"k8s\"}, \"kubernetes\": {\"kubeconfig\": "
        "\"__KUBECONFIG_FILEPATH__\"}},\n"
        "    {\"type\": \"portmap\", \"snat\": true, \"capabilities\": {\"portMappings\": true}},\n"
        "    {\"type\": \"bandwidth\", \"capabilities\": {\"bandwidth\": true}}\n  ]\n}\n",
        ipam, yes_no(forward));
}

static struct ck_val *probe(struct ck_addon_ctx *c, const char *felix, const char *bird)
{
    struct ck_val *list = ck_list(c->a);
    ck_append_str(c->a, list, "/bin/calico-node");
    ck_append_str(c->a, list, felix);
    if (bird)
        ck_append_str(c->a, list, bird);
    return list;
}

static void calico_pools(struct ck_addon_ctx *c, struct ck_val *env, const struct ck_val *conf)
{
    bool ipv6 = ck_model_ipv6_only(c->m);
    const char *none = "Never", *cidr = ck_str_at(c->m->spec, "podCIDR");
    const char *encap = text_of(conf, "encapsulationMode", "vxlan");
    const char *ipip = text_of(conf, "ipipMode", strcmp(encap, "ipip") ? none : "CrossSubnet");
    const char *vxlan = text_of(conf, "vxlanMode", strcmp(encap, "vxlan") ? none : "CrossSubnet");
    const struct var vars[] = {
        {"CALICO_IPV4POOL_CIDR", ipv6 ? NULL : cidr},
        {"CALICO_IPV4POOL_IPIP", ipv6 ? NULL : ipip},
        {"CALICO_IPV4POOL_VXLAN", ipv6 ? NULL : vxlan},
        {"IP", ipv6 ? "none" : "autodetect"},
        {"IP6", ipv6 ? "autodetect" : "none"},
        {"IP_AUTODETECTION_METHOD",
         ipv6 ? NULL : text_of(conf, "ipv4AutoDetectionMethod", "first-found")},
        {"IP6_AUTODETECTION_METHOD",
         ipv6 ? text_of(conf, "ipv6AutoDetectionMethod", "first-found") : NULL},
        {"CALICO_ROUTER_ID", ipv6 ? "hash" : NULL},
        {"FELIX_IPV6SUPPORT", yes_no(ipv6)},
        {"NO_DEFAULT_POOLS", ipv6 ? "true" : NULL},
    };
    set_vars(c, env, vars, CK_ARRAY_LEN(vars));
}

static struct ck_val *calico_env(struct ck_addon_ctx *c, const struct ck_val *conf, bool typha)
{
    struct ck_val *env = ck_map(c->a);
    const char *port =
        ck_arena_printf(c->a, "%d", (int)ck_int_at(conf, "prometheusMetricsPort", 9091));
    const struct var vars[] = {
        {"DATASTORE_TYPE", "kubernetes"},
        {"FELIX_TYPHAK8SSERVICENAME", typha ? "calico-typha" : NULL},
        {"WAIT_FOR_DATASTORE", "true"},
        {"CLUSTER_TYPE", is_bird(conf, c->m) ? "kops,bgp" : "kops"},
        {"CALICO_DISABLE_FILE_LOGGING", "true"},
        {"CALICO_MANAGE_CNI", "true"},
        {"FELIX_DEFAULTENDPOINTTOHOSTACTION", "ACCEPT"},
        {"FELIX_HEALTHENABLED", "true"},
        {"FELIX_AWSSRCDSTCHECK", text_of(conf, "awsSrcDstCheck", "Disable")},
        {"FELIX_BPFENABLED", yes_no(ck_bool_at(conf, "bpfEnabled", false))},
        {"FELIX_BPFEXTERNALSERVICEMODE", text_of(conf, "bpfExternalServiceMode", "Tunnel")},
        {"FELIX_BPFKUBEPROXYIPTABLESCLEANUPENABLED",
         yes_no(ck_bool_at(conf, "bpfKubeProxyIptablesCleanupEnabled", false))},
        {"FELIX_BPFLOGLEVEL", text_of(conf, "bpfLogLevel", "Off")},
        {"FELIX_CHAININSERTMODE", text_of(conf, "chainInsertMode", "insert")},
        {"FELIX_IPTABLESBACKEND", text_of(conf, "iptablesBackend", "Auto")},
        {"FELIX_NFTABLESMODE", text_of(conf, "nftablesMode", "Disabled")},
        {"FELIX_LOGSEVERITYSCREEN", text_of(conf, "logSeverityScreen", "info")},
        {"FELIX_PROMETHEUSMETRICSENABLED",
         yes_no(ck_bool_at(conf, "prometheusMetricsEnabled", false))},
        {"FELIX_PROMETHEUSMETRICSPORT", port},
        {"FELIX_PROMETHEUSGOMETRICSENABLED",
         yes_no(ck_bool_at(conf, "prometheusGoMetricsEnabled", false))},
        {"FELIX_PROMETHEUSPROCESSMETRICSENABLED",
         yes_no(ck_bool_at(conf, "prometheusProcessMetricsEnabled", false))},
        {"FELIX_WIREGUARDENABLED", yes_no(ck_bool_at(conf, "wireguardEnabled", false))},
    };
    set_vars(c, env, vars, CK_ARRAY_LEN(vars));
    set_field(c, env, "NODENAME", "spec.nodeName");
    struct ck_val *backend = ck_map(c->a), *mtu = ck_map(c->a);
    ck_put(c->a, backend, "configMapKeyRef.name", ck_str(c->a, "calico-config"));
    ck_put(c->a, backend, "configMapKeyRef.key", ck_str(c->a, "calico_backend"));
    ck_put(c->a, mtu, "configMapKeyRef.name", ck_str(c->a, "calico-config"));
    ck_put(c->a, mtu, "configMapKeyRef.key", ck_str(c->a, "veth_mtu"));
    ck_set(c->a, env, "CALICO_NETWORKING_BACKEND", backend);
    ck_set(c->a, env, "FELIX_IPINIPMTU", mtu);
    ck_set(c->a, env, "FELIX_VXLANMTU", mtu);
    ck_set(c->a, env, "FELIX_WIREGUARDMTU", mtu);
    calico_pools(c, env, conf);
    return env;
}

void ck_addon_values_calico(struct ck_addon_ctx *c)
{
    const struct ck_val *conf = ck_at(c->m->spec, "networking.calico");
    int64_t typha = ck_int_at(conf, "typhaReplicas", 0);
    bool bird = is_bird(conf, c->m), ipv6 = ck_model_ipv6_only(c->m);
    bool none = !strcmp(text_of(conf, "encapsulationMode", "vxlan"), "none");
    const char *registry = text_of(conf, "registry", "docker.io/calico");
    put(c, "registry", ck_arena_strdup(c->a, registry));
    put(c, "calicoTag", text_of(conf, "version", "v3.31.6"));
    put(c, "backend", ipv6 ? "none" : bird || none ? "bird" : "vxlan");
    put(c, "cniConfig", calico_cni(c));
    put(c, "typhaService", typha ? "calico-typha" : "none");
    put(c, "controllers", ipv6 ? "policy,namespace,serviceaccount,workloadendpoint,node" : "node");
    ck_set_int(c->a, c->vals, "typha", typha);
    ck_set(c->a, c->vals, "env", calico_env(c, conf, typha > 0));
    bool routes = (bird || none) && !ipv6;
    ck_set(c->a, c->vals, "live", probe(c, "-felix-live", routes ? "-bird-live" : NULL));
    ck_set(c->a, c->vals, "ready", probe(c, "-felix-ready", routes ? "-bird-ready" : NULL));
}
