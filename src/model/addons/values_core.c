/* Values of the add-ons that run the cluster itself: kops-controller, DNS, the cloud controller,
 * the autoscaler, certificates and identities. */
#include "doc/json.h"
#include "model/addons/addon.h"
#include "model/aws/builders.h"

#include <stdlib.h>
#include <string.h>

static void put(struct ck_addon_ctx *c, const char *key, const char *text)
{
    ck_set_str(c->a, c->vals, key, text);
}

static const char *json(struct ck_arena *a, const struct ck_val *v)
{
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    ck_json_emit(&out, v, (struct ck_json_style){.raw_html = true});
    return ck_arena_strdup(a, ck_buf_str(&out));
}

/* ---- kops-controller ---- */

/* The role a group's machines have: the profile it names, or the one of its kind. */
static const char *role_of(struct ck_addon_ctx *c, const struct ck_object *group)
{
    const char *profile = ck_str_at(ck_object_spec(group), "iam.profile");
    const char *slash = strrchr(profile, '/');
    if (*profile)
        return slash ? slash + 1 : profile;
    return ck_aws_role_task(c->m, ck_model_role(group));
}

static struct ck_val *node_roles(struct ck_addon_ctx *c)
{
    CK_AUTOSTRV names = {0};
    struct ck_val *list = ck_list(c->a);
    for (size_t i = 0; i < c->m->n_groups; i++) {
        enum ck_role role = ck_model_role(&c->m->groups[i]);
        if (role == CK_ROLE_NODE || role == CK_ROLE_API_SERVER)
            ck_strv_push(&names, role_of(c, &c->m->groups[i]));
    }
    ck_strv_sort(&names);
    ck_strv_uniq(&names);
    for (size_t i = 0; i < names.n; i++)
        ck_append_str(c->a, list, names.v[i]);
    return list;
}

static bool has_etcd(const struct ck_model *m, const char *name)
{
    const struct ck_val *clusters = ck_get(m->spec, "etcdClusters");
    for (size_t i = 0; i < ck_len(clusters); i++)
        if (ck_is_str(ck_get(ck_item(clusters, i), "name"), name))
            return true;
    return false;
}

void ck_addon_values_kops_controller(struct ck_addon_ctx *c)
{
    static const char pki[] = "/etc/kubernetes/kops-controller/pki";
    struct ck_arena *a = c->a;
    struct ck_val *conf = ck_map(a), *server = ck_map(a), *cas = ck_list(a), *certs = ck_list(a);
    ck_append_str(a, cas, "kubernetes-ca");
    ck_append_str(a, certs, "kubelet");
    ck_append_str(a, certs, "kubelet-server");
    if (has_etcd(c->m, "cilium")) {
        ck_append_str(a, certs, "etcd-client-cilium");
        ck_append_str(a, cas, "etcd-clients-ca-cilium");
    }
    if (ck_bool_at(c->m->spec, "kubeProxy.enabled", true))
        ck_append_str(a, certs, "kube-proxy");
    if (ck_at(c->m->spec, "networking.kuberouter"))
        ck_append_str(a, certs, "kube-router");
    ck_set_str(a, server, "Listen", ":3988");
    ck_put(a, server, "provider.aws.nodesRoles", node_roles(c));
    ck_put(a, server, "provider.aws.Region", ck_str(a, c->m->region));
    ck_set(a, server, "serverKeyPath", ck_strf(a, "%s/kops-controller.key", pki));
    ck_set(a, server, "serverCertificatePath", ck_strf(a, "%s/kops-controller.crt", pki));
    ck_set_str(a, server, "caBasePath", pki);
    ck_set(a, server, "signingCAs", cas);
    ck_set(a, server, "certNames", certs);
    ck_set_str(a, conf, "clusterName", c->m->name);
    ck_set_str(a, conf, "cloud", c->m->cloud);
    ck_set_str(a, conf, "configBase", ck_str_at(c->m->spec, "configBase"));
    ck_set_str(a, conf, "secretStore", ck_str_at(c->m->spec, "secretStore"));
    ck_set(a, conf, "server", server);
    if (ck_model_ipv6_only(c->m))
        ck_set_bool(a, conf, "enableCloudIPAM", true);
    put(c, "config", ck_arena_printf(a, "%s\n", json(a, conf)));
    ck_set_str(a, ck_get(c->vals, "systemEnv"), "KUBERNETES_SERVICE_HOST", "127.0.0.1");
}

/* ---- DNS ---- */

/* Names that other servers answer for. */
static void stub_domains(struct ck_addon_ctx *c, struct ck_buf *out)
{
    const struct ck_val *stubs = ck_at(c->m->spec, "kubeDNS.stubDomains");
    CK_AUTOSTRV names = {0};
    for (size_t i = 0; i < ck_len(stubs); i++)
        ck_strv_push(&names, stubs->map.v[i].key.ptr);
    ck_strv_sort(&names);
    for (size_t i = 0; i < names.n; i++) {
        const struct ck_val *servers = ck_get(stubs, names.v[i]);
        ck_buf_fmt(out, "%s:53 {\n  errors\n  cache 30\n  forward .", names.v[i]);
        for (size_t k = 0; k < ck_len(servers); k++)
            ck_buf_fmt(out, " %s", ck_str_or(ck_item(servers, k), ""));
        ck_buf_puts(out, "\n}\n");
    }
}

static void upstreams(struct ck_addon_ctx *c, struct ck_buf *out)
{
    const struct ck_val *servers = ck_at(c->m->spec, "kubeDNS.upstreamNameservers");
    for (size_t i = 0; i < ck_len(servers); i++)
        ck_buf_fmt(out, " %s", ck_str_or(ck_item(servers, i), ""));
    if (!ck_len(servers))
        ck_buf_puts(out, " /etc/resolv.conf");
}

void ck_addon_values_coredns(struct ck_addon_ctx *c)
{
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    const char *own = ck_str_at(c->m->spec, "kubeDNS.externalCoreFile");
    const char *domain = ck_str_at(c->m->spec, "kubeDNS.domain");
    if (*own) {
        put(c, "corefile", own);
        return;
    }
    ck_buf_fmt(&out,
               ".:53 {\n  errors\n  health {\n    lameduck 5s\n  }\n  ready\n"
               "  kubernetes %s. in-addr.arpa ip6.arpa {\n    pods insecure\n"
               "    fallthrough in-addr.arpa ip6.arpa\n    ttl 30\n  }\n"
               "  prometheus :9153\n  forward .",
               *domain ? domain : "cluster.local");
    upstreams(c, &out);
    ck_buf_puts(&out, " {\n    max_concurrent 1000\n  }\n  cache 30\n  loop\n  reload\n"
                      "  loadbalance\n}\n");
    stub_domains(c, &out);
    put(c, "corefile", ck_buf_str(&out));
}

void ck_addon_values_nodelocaldns(struct ck_addon_ctx *c)
{
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    const struct ck_val *spec = c->m->spec;
    const char *domain = ck_str_at(spec, "kubeDNS.domain"), *ip = "kubeDNS.nodeLocalDNS.localIP";
    const char *local = ck_str_at(spec, ip), *server = ck_str_at(spec, "kubeDNS.serverIP");
    const char *own = ck_str_at(spec, "kubeDNS.nodeLocalDNS.externalCoreFile");
    const char *more = ck_str_at(spec, "kubeDNS.nodeLocalDNS.additionalConfig");
    /* Without kube-proxy's chains (Cilium's replacement) the service address cannot be taken. */
    bool proxy = ck_bool_at(spec, "kubeProxy.enabled", true);
    const char *listen = proxy ? ck_arena_printf(c->a, "%s %s", local, server) : local;
    if (!*domain)
        domain = "cluster.local";
    const char *zones[] = {domain, "in-addr.arpa", "ip6.arpa", "."};
    bool through = ck_bool_at(spec, "kubeDNS.nodeLocalDNS.forwardToKubeDNS", false);
    for (size_t i = 0; i < CK_ARRAY_LEN(zones); i++) {
        bool cluster = i + 1 < CK_ARRAY_LEN(zones);
        ck_buf_fmt(&out, "%s:53 {\n  errors\n", zones[i]);
        ck_buf_puts(&out, i ? "  cache 30\n"
                            : "  cache {\n    success 9984 30\n    denial 9984 5\n  }\n");
        ck_buf_fmt(
            &out, "  reload\n  loop\n  bind %s\n  forward . %s%s\n  prometheus :9253\n", listen,
            cluster || through ? "__PILLAR__CLUSTER__DNS__" : "__PILLAR__UPSTREAM__SERVERS__",
            cluster ? " {\n    force_tcp\n  }" : "");
        if (!i)
            ck_buf_fmt(&out, "  health %s:3989\n", local);
        ck_buf_puts(&out, "}\n");
    }
    if (*more)
        ck_buf_fmt(&out, "%s\n", more);
    put(c, "corefile", *own ? own : ck_buf_str(&out));
    put(c, "listen", local);
    put(c, "localIPs", proxy ? ck_arena_printf(c->a, "%s,%s", local, server) : local);
    put(c, "setup", proxy ? "true" : "false");
}

void ck_addon_values_dns_controller(struct ck_addon_ctx *c)
{
    const struct ck_val *spec = c->m->spec;
    struct ck_val *args = ck_list(c->a);
    const char *zone = ck_str_at(spec, "dnsZone"),
               *ns = ck_str_at(spec, "externalDns.watchNamespace");
    bool ingress = ck_bool_at(spec, "externalDns.watchIngress", false);
    ck_append(c->a, args, ck_strf(c->a, "--watch-ingress=%s", ingress ? "true" : "false"));
    if (*ns)
        ck_append(c->a, args, ck_strf(c->a, "--watch-namespace=%s", ns));
    ck_append_str(c->a, args, "--dns=aws-route53");
    /* A name is matched by itself, an id within any zone name. */
    if (*zone)
        ck_append(c->a, args, ck_strf(c->a, strchr(zone, '.') ? "--zone=%s" : "--zone=*/%s", zone));
    ck_append_str(c->a, args, "--zone=*/*");
    ck_append_str(c->a, args, ck_model_ipv6_only(c->m) ? "--internal-ipv6" : "--internal-ipv4");
    ck_append_str(c->a, args, "-v=2");
    ck_set(c->a, c->vals, "args", args);
    ck_set_str(c->a, ck_get(c->vals, "systemEnv"), "KUBERNETES_SERVICE_HOST", "127.0.0.1");
}

/* ---- cloud controller manager ---- */

void ck_addon_values_cloud_controller(struct ck_addon_ctx *c)
{
    static const struct {
        const char *flag, *field;
    } flags[] = {
        {"allocate-node-cidrs", "allocateNodeCIDRs"},
        {"cidr-allocator-type", "cidrAllocatorType"},
        {"cluster-cidr", "clusterCIDR"},
        {"cluster-name", "clusterName"},
        {"concurrent-node-syncs", "concurrentNodeSyncs"},
        {"configure-cloud-routes", "configureCloudRoutes"},
        {"enable-leader-migration", "enableLeaderMigration"},
        {"leader-elect", "leaderElection.leaderElect"},
        {"master", "master"},
        {"node-status-update-frequency", "nodeStatusUpdateFrequency"},
        {"allow-untagged-cloud", "allowUntaggedCloud"},
    };
    struct ck_val *args = ck_list(c->a);
    const struct ck_val *conf = ck_get(c->m->spec, "cloudControllerManager");
    for (size_t i = 0; i < CK_ARRAY_LEN(flags); i++) {
        const struct ck_val *v = ck_at(conf, flags[i].field);
        if (ck_is_null(v) || (v->kind == CK_STR && !v->s.len))
            continue;
        if (v->kind == CK_STR)
            ck_append(c->a, args, ck_strf(c->a, "--%s=%.*s", flags[i].flag, CK_SARG(v->s)));
        else if (v->kind == CK_BOOL)
            ck_append(c->a, args, ck_strf(c->a, "--%s=%s", flags[i].flag, v->b ? "true" : "false"));
        else if (v->kind == CK_INT)
            ck_append(c->a, args, ck_strf(c->a, "--%s=%lld", flags[i].flag, (long long)v->i));
    }
    const struct ck_val *controllers = ck_get(conf, "controllers");
    for (size_t i = 0; i < ck_len(controllers); i++)
        ck_append(c->a, args,
                  ck_strf(c->a, "--controllers=%s", ck_str_or(ck_item(controllers, i), "")));
    ck_append_str(c->a, args, "--cloud-config=/etc/kubernetes/cloud.config");
    ck_append_str(c->a, args, "--cloud-provider=aws");
    ck_append(c->a, args,
              ck_strf(c->a, "--use-service-account-credentials=%s",
                      ck_bool_at(conf, "useServiceAccountCredentials", true) ? "true" : "false"));
    ck_append(c->a, args, ck_strf(c->a, "--v=%d", (int)ck_int_at(conf, "logLevel", 2)));
    ck_set(c->a, c->vals, "args", args);
    ck_set_str(c->a, ck_get(c->vals, "systemEnv"), "KUBERNETES_SERVICE_HOST", "127.0.0.1");
}
