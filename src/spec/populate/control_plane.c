/* API server, controller manager, scheduler, proxy and the issuer of service account tokens.
 * Mirrors kOps pkg/model/components/apiserver.go, kubecontrollermanager.go, kubescheduler.go,
 * kubeproxy.go and discovery.go. */
#include "spec/populate/pop.h"

#include <string.h>

static const char *const admission_plugins[] = {"DefaultStorageClass",
                                                "DefaultTolerationSeconds",
                                                "LimitRanger",
                                                "MutatingAdmissionWebhook",
                                                "NamespaceLifecycle",
                                                "NodeRestriction",
                                                "ResourceQuota",
                                                "RuntimeClass",
                                                "ServiceAccount",
                                                "ValidatingAdmissionPolicy",
                                                "ValidatingAdmissionWebhook"};

static const struct ck_val *etcd_named(const struct ck_pop *p, const char *name)
{
    const struct ck_val *list = ck_get(p->spec, "etcdClusters");
    for (size_t i = 0; i < ck_len(list); i++)
        if (!strcmp(ck_str_at(ck_item(list, i), "name"), name))
            return ck_item(list, i);
    return NULL;
}

static void one(struct ck_pop *p, struct ck_val *map, const char *key, const char *item)
{
    ck_set(p->a, map, key, ck_pop_list(p, &item, 1));
}

static void add_etcd_servers(struct ck_pop *p, struct ck_val *api)
{
    struct ck_val *overrides = ck_list(p->a);
    one(p, api, "etcdServers", "https://127.0.0.1:4001");
    if (etcd_named(p, "events"))
        ck_append_str(p->a, overrides, "/events#https://127.0.0.1:4002");
    if (etcd_named(p, "leases"))
        ck_append_str(p->a, overrides, "coordination.k8s.io/leases#https://127.0.0.1:4004");
    if (ck_len(overrides))
        ck_set(p->a, api, "etcdServersOverrides", overrides);
}

static void add_plugins(struct ck_pop *p, struct ck_val *api)
{
    struct ck_val *list = ck_pop_list(p, admission_plugins, CK_ARRAY_LEN(admission_plugins));
    const struct ck_val *more = ck_get(api, "appendAdmissionPlugins");
    for (size_t i = 0; i < ck_len(more); i++)
        ck_append_str(p->a, list, ck_str_or(ck_item(more, i), ""));
    ck_set(p->a, api, "enableAdmissionPlugins", list);
}

static void add_aggregation(struct ck_pop *p, struct ck_val *api)
{
    one(p, api, "requestheaderAllowedNames", "aggregator");
    one(p, api, "requestheaderExtraHeaderPrefixes", "X-Remote-Extra-");
    one(p, api, "requestheaderGroupHeaders", "X-Remote-Group");
    one(p, api, "requestheaderUsernameHeaders", "X-Remote-User");
}

int ck_pop_api_server(struct ck_pop *p, struct ck_err *err)
{
    static const char *const addresses[] = {"InternalIP", "Hostname", "ExternalIP"};
    struct ck_val *api = ck_ensure_map(p->a, p->spec, "kubeAPIServer");
    size_t members = ck_len(ck_get(etcd_named(p, "main"), "etcdMembers"));
    if (ck_is_null(ck_get(api, "apiServerCount"))) {
        if (!members)
            return ck_fail(err, CK_INVALID, "no instance groups found");
        ck_set_int(p->a, api, "apiServerCount", (int64_t)members);
    }
    const char *etcd = ck_str_at(etcd_named(p, "main"), "version");
    ck_pop_str(p, api, "storageBackend",
               ck_arena_printf(p->a, "etcd%.*s", (int)strcspn(etcd + (*etcd == 'v'), "."),
                               etcd + (*etcd == 'v')));
    if (!ck_len(ck_get(api, "kubeletPreferredAddressTypes")))
        ck_set(p->a, api, "kubeletPreferredAddressTypes", ck_pop_list(p, addresses, 3));
    ck_set_str(p->a, api, "authorizationMode",
               ck_pop_has(p, "authorization.alwaysAllow") ? "AlwaysAllow" : "Node,RBAC");
    add_aggregation(p, api);
    ck_set_str(p->a, api, "image", ck_pop_component_image(p, "kube-apiserver"));
    if (!ck_kube_version_ge(&p->ver, 1, 33))
        ck_set_str(p->a, api, "cloudProvider", "external");
    ck_pop_int(p, api, "logLevel", 2);
    const struct ck_dflt fixed[] = {
        CK_DI("securePort", 443), CK_DS("bindAddress", p->ipv6 ? "::" : "0.0.0.0"),
        CK_DB("allowPrivileged", true), CK_DB("anonymousAuth", false),
        CK_DS("serviceClusterIPRange", ck_pop_spec(p, "serviceClusterIPRange"))};
    ck_pop_always(p, api, fixed, CK_ARRAY_LEN(fixed));
    add_etcd_servers(p, api);
    add_plugins(p, api);
    if (ck_bool_at(p->spec, "metricsServer.enabled", false))
        ck_pop_bool(p, api, "enableAggregatorRouting", true);
    return 0;
}

/* Keys v1alpha2 knows for the plug-ins that are still offered. */
static bool has_network(const struct ck_pop *p)
{
    static const char *const kinds[] = {"kubenet", "external", "cni",        "kopeio",    "flannel",
                                        "calico",  "canal",    "kuberouter", "amazonvpc", "cilium",
                                        "gce",     "kindnet",  "weave"};
    for (size_t i = 0; i < CK_ARRAY_LEN(kinds); i++)
        if (!ck_is_null(ck_get(ck_get(p->spec, "networking"), kinds[i])))
            return true;
    return false;
}

int ck_pop_controller_manager(struct ck_pop *p, struct ck_err *err)
{
    struct ck_val *kcm = ck_ensure_map(p->a, p->spec, "kubeControllerManager");
    int64_t period;
    ck_pop_str(p, kcm, "attachDetachReconcileSyncPeriod", "1m0s");
    if (ck_duration_parse(ck_slice_of(ck_str_at(kcm, "attachDetachReconcileSyncPeriod")), &period,
                          NULL) == 0 &&
        period < 1000000000LL)
        return ck_fail(err, CK_INVALID,
                       "AttachDetachReconcileSyncPeriod cannot be set to less than 1 second");
    if (!has_network(p))
        return ck_fail(err, CK_INVALID, "no networking mode set");
    bool gce = ck_pop_has(p, "networking.gce");
    const struct ck_dflt fixed[] = {
        CK_DS("clusterName", p->name),
        CK_DS("cloudProvider", "external"),
        CK_DS("image", ck_pop_component_image(p, "kube-controller-manager")),
        CK_DB("leaderElection.leaderElect", true),
        CK_DB("allocateNodeCIDRs", !p->ipv6 && !gce),
        CK_DB("configureCloudRoutes", ck_pop_has(p, "networking.kubenet")),
    };
    ck_pop_always(p, kcm, fixed, CK_ARRAY_LEN(fixed));
    ck_pop_int(p, kcm, "logLevel", 2);
    if (!p->ipv6)
        ck_pop_str(p, kcm, "clusterCIDR", ck_pop_spec(p, "podCIDR"));
    ck_pop_bool(p, kcm, "useServiceAccountCredentials", true);
    static const char *const controllers[] = {"*", "-nodeipam"};
    if (p->ipv6 && !ck_len(ck_get(kcm, "controllers")))
        ck_set(p->a, kcm, "controllers", ck_pop_list(p, controllers, 2));
    return 0;
}

void ck_pop_scheduler(struct ck_pop *p)
{
    struct ck_val *scheduler = ck_ensure_map(p->a, p->spec, "kubeScheduler");
    ck_pop_int(p, scheduler, "logLevel", 2);
    ck_set_str(p->a, scheduler, "image", ck_pop_component_image(p, "kube-scheduler"));
    ck_pop_bool(p, scheduler, "leaderElection.leaderElect", true);
}

void ck_pop_proxy(struct ck_pop *p)
{
    struct ck_val *proxy = ck_ensure_map(p->a, p->spec, "kubeProxy");
    ck_pop_int(p, proxy, "logLevel", 2);
    ck_pop_str(p, proxy, "cpuRequest", "100m");
    ck_set_str(p->a, proxy, "image", ck_pop_component_image(p, "kube-proxy"));
    if (!p->ipv6 && !ck_pop_has(p, "networking.amazonvpc"))
        ck_pop_str(p, proxy, "clusterCIDR", ck_pop_spec(p, "kubeControllerManager.clusterCIDR"));
}

/* Where tokens say they come from; NULL when only the cloud can tell. */
static const char *issuer(struct ck_pop *p)
{
    static const char memfs[] = "memfs://";
    const char *store = ck_pop_spec(p, "serviceAccountIssuerDiscovery.discoveryStore");
    const char *service = ck_pop_spec(p, "serviceAccountIssuerDiscovery.discoveryService.url");
    if (*store && p->f->discovery_url)
        return p->f->discovery_url;
    if (ck_str_starts(store, memfs))
        return ck_arena_printf(p->a, "https://%s", store + sizeof memfs - 1);
    if (*store) {
        ck_pop_skip(p, "spec.kubeAPIServer.serviceAccountIssuer: the address of %s is not known",
                    store);
        return NULL;
    }
    return *service ? service : ck_arena_printf(p->a, "https://api.internal.%s", p->name);
}

void ck_pop_discovery(struct ck_pop *p)
{
    struct ck_val *api = ck_ensure_map(p->a, p->spec, "kubeAPIServer");
    const char *audience = "kubernetes.svc.default";
    if (!ck_len(ck_get(api, "apiAudiences"))) /* the additional ones join on the nodes */
        ck_set(p->a, api, "apiAudiences", ck_pop_list(p, &audience, 1));
    if (!*ck_str_at(api, "serviceAccountIssuer")) {
        const char *url = issuer(p);
        if (!url)
            return;
        ck_set_str(p->a, api, "serviceAccountIssuer", url);
    }
    ck_set(p->a, api, "serviceAccountJWKSURI",
           ck_strf(p->a, "%s/openid/v1/jwks", ck_str_at(api, "serviceAccountIssuer")));
}
