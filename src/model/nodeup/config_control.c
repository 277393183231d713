/* What API servers and control planes read besides what every node reads: settings of the
 * components, keys of service accounts, where manifests and stores are. Mirrors kOps
 * pkg/apis/nodeup/config.go, pkg/nodemodel/nodeupconfigbuilder.go and
 * pkg/model/components/kubescheduler. */
#include "base/attr.h"
#include "base/enc.h"
#include "crypto/spki.h"
#include "doc/yaml.h"
#include "model/nodeup/internal.h"

#include <stdlib.h>
#include <string.h>

static const char *in_config_base(const struct ck_model *m, const char *path)
{
    return ck_arena_printf(m->a, "%s/%s", ck_str_at(m->spec, "configBase"), path);
}

/* A copy of settings; empty where a component has none. */
static struct ck_val *settings(struct ck_model *m, const struct ck_val *spec, const char *name)
{
    const struct ck_val *v = ck_get(spec, name);
    return ck_is_map(v) ? ck_val_clone(m->a, v) : ck_map(m->a);
}

/* ---- API servers ---- */

static void put_pem(struct ck_buf *out, const char *label, struct ck_slice der)
{
    enum { LINE = 64 };
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    ck_base64_encode(&text, der.ptr, der.len);
    ck_buf_fmt(out, "-----BEGIN %s-----\n", label);
    for (size_t at = 0; at < text.len; at += LINE)
        ck_buf_fmt(out, "%.*s\n", LINE, text.ptr + at);
    ck_buf_fmt(out, "-----END %s-----\n", label);
}

/* The keys tokens are checked with, oldest first. */
static int service_account_keys(const struct ck_model *m, struct ck_buf *out, struct ck_err *err)
{
    const struct ck_keyset *k = ck_model_keyset(m, "service-account");
    for (size_t i = 0; k && i < k->n; i++) {
        struct ck_spki key;
        if (k->v[i]->distrusted || !k->v[i]->has_cert)
            continue;
        int r = ck_spki_of_cert(k->v[i]->cert.der, &key, err);
        if (r)
            return ck_wrap(err, "keyset \"service-account\", key %s", k->v[i]->id);
        put_pem(out, "RSA PUBLIC KEY", key.der);
    }
    return 0;
}

static struct ck_val *api_spec(struct ck_model *m, const struct ck_val *internal)
{
    struct ck_val *api = ck_map(m->a);
    const struct ck_val *given = ck_get(internal, "api");
    const char *name = ck_str_at(given, "publicName");
    if (*name)
        ck_set_str(m->a, api, "publicName", name);
    if (ck_len(ck_get(given, "additionalSANs")))
        ck_set(m->a, api, "additionalSANs", ck_val_clone(m->a, ck_get(given, "additionalSANs")));
    if (ck_is_map(ck_get(given, "dns")))
        ck_set(m->a, api, "dns", ck_map(m->a));
    if (ck_bool_at(given, "loadBalancer.useForInternalAPI", false))
        ck_put(m->a, api, "loadBalancer.useForInternalAPI", ck_bool(m->a, true));
    return api;
}

static int put_api_server(struct ck_model *m, struct ck_val *config, struct ck_err *err)
{
    const struct ck_val *internal = ck_nodeup_of(m)->internal;
    const struct ck_val *authentication = ck_get(internal, "authentication");
    const struct ck_val *addresses = ck_nodeup_api_addresses(m);
    CK_AUTOBUF struct ck_buf keys = CK_BUF_INIT;
    struct ck_val *c = ck_map(m->a);
    int r = service_account_keys(m, &keys, err);
    if (r)
        return r;
    ck_set(m->a, c, "API", api_spec(m, internal));
    if (ck_is_map(authentication)) {
        struct ck_val *to = ck_val_clone(m->a, authentication);
        if (ck_get(to, "aws")) /* its settings are in the add-on's manifest */
            ck_set(m->a, to, "aws", ck_map(m->a));
        ck_set(m->a, c, "Authentication", to);
    }
    ck_set_str(m->a, c, "ClusterDNSDomain", ck_str_at(m->spec, "clusterDNSDomain"));
    if (m->encryption_config_hash)
        ck_set_str(m->a, c, "EncryptionConfigSecretHash", m->encryption_config_hash);
    ck_set(m->a, c, "KubeAPIServer", settings(m, internal, "kubeAPIServer"));
    ck_set_str(m->a, c, "ServiceAccountPublicKeys", ck_buf_str(&keys));
    ck_set(m->a, config, "APIServerConfig", c);
    if (ck_len(addresses))
        ck_set(m->a, config, "ApiserverAdditionalIPs", ck_val_clone(m->a, addresses));
    struct ck_val *stores = ck_map(m->a);
    ck_set_str(m->a, stores, "keypairs", ck_str_at(m->spec, "keyStore"));
    ck_set_str(m->a, stores, "secrets", ck_str_at(m->spec, "secretStore"));
    ck_set(m->a, config, "configStore", stores);
    const struct ck_val *families = ck_at(m->spec, "cloudConfig.nodeIPFamilies");
    if (ck_len(families))
        ck_set(m->a, config, "nodeIPFamilies", ck_val_clone(m->a, families));
    return 0;
}

/* ---- control planes ---- */

static void put_etcd(struct ck_model *m, const struct ck_object *group, struct ck_val *config)
{
    const struct ck_val *all = ck_get(m->spec, "etcdClusters");
    struct ck_val *names = ck_list(m->a), *manifests = ck_list(m->a);
    for (size_t i = 0; i < ck_len(all); i++) {
        const char *name = ck_str_at(ck_item(all, i), "name");
        const struct ck_val *members = ck_get(ck_item(all, i), "etcdMembers");
        ck_append_str(m->a, names, name);
        for (size_t k = 0; k < ck_len(members); k++) {
            if (!ck_is_str(ck_get(ck_item(members, k), "instanceGroup"), ck_object_name(group)))
                continue;
            const char *file =
                ck_arena_printf(m->a, "manifests/etcd/%s-%s.yaml", name, ck_object_name(group));
            ck_append_str(m->a, manifests, in_config_base(m, file));
        }
    }
    ck_set(m->a, config, "EtcdClusterNames", names);
    if (ck_len(manifests))
        ck_set(m->a, config, "etcdManifests", manifests);
}

/* The one scheduler configuration among the additional objects, or an empty one. */
static int scheduler_object(struct ck_model *m, struct ck_val **ret, struct ck_err *err)
{
    *ret = NULL;
    for (size_t i = 0; i < m->n_addons; i++) {
        const struct ck_val *root = m->addons[i].root;
        if (!ck_is_str(ck_get(root, "kind"), "KubeSchedulerConfiguration") ||
            !ck_str_starts(ck_str_at(root, "apiVersion"), "kubescheduler.config.k8s.io/"))
            continue;
        if (*ret)
            return ck_fail(err, CK_INVALID,
                           "found multiple KubeSchedulerConfiguration objects in cluster "
                           "configuration; expected at most one");
        *ret = ck_val_clone(m->a, root);
    }
    if (*ret)
        return 0;
    *ret = ck_map(m->a);
    ck_set_str(m->a, *ret, "apiVersion", "kubescheduler.config.k8s.io/v1");
    ck_set_str(m->a, *ret, "kind", "KubeSchedulerConfiguration");
    return 0;
}

/* A quantity ("1500m", "2k") as a number. */
static struct ck_val *number_of(struct ck_arena *a, const struct ck_val *quantity)
{
    char *end;
    if (quantity->kind != CK_STR)
        return ck_val_clone(a, quantity);
    double d = strtod(quantity->s.ptr, &end);
    return ck_float(a, *end == 'm' ? d / 1000 : *end == 'k' ? d * 1000 : d);
}

static int put_scheduler_file(struct ck_model *m, struct ck_val *config, struct ck_err *err)
{
    static const char kubeconfig[] = "/var/lib/kube-scheduler/kubeconfig";
    const struct ck_val *given = ck_get(m->spec, "kubeScheduler");
    const struct ck_val *qps = ck_get(given, "qps"), *burst = ck_get(given, "burst");
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    struct ck_val *c;
    int r = scheduler_object(m, &c, err);
    if (r)
        return r;
    ck_put(m->a, c, "clientConnection.kubeconfig", ck_str(m->a, kubeconfig));
    if (burst)
        ck_put(m->a, c, "clientConnection.burst", ck_val_clone(m->a, burst));
    if (qps)
        ck_put(m->a, c, "clientConnection.qps", number_of(m->a, qps));
    ck_yaml_emit(&text, c);
    struct ck_val *file = ck_map(m->a), *list = ck_list(m->a);
    ck_set_str(m->a, file, "content", ck_buf_str(&text));
    ck_set_str(m->a, file, "path", "/var/lib/kube-scheduler/config.yaml");
    ck_append(m->a, list, file);
    ck_set(m->a, config, "FileAssets", list);
    return 0;
}

static int put_control_plane(struct ck_model *m, const struct ck_object *group,
                             struct ck_val *config, struct ck_err *err)
{
    const struct ck_val *internal = ck_nodeup_of(m)->internal;
    struct ck_val *c = ck_map(m->a);
    ck_set(m->a, c, "KubeControllerManager", settings(m, internal, "kubeControllerManager"));
    ck_set(m->a, c, "KubeScheduler", settings(m, internal, "kubeScheduler"));
    ck_set(m->a, config, "ControlPlaneConfig", c);
    if (!ck_model_dns_none(m) && *ck_str_at(m->spec, "dnsZone"))
        ck_set_str(m->a, config, "DNSZone", ck_str_at(m->spec, "dnsZone"));
    ck_set_str(m->a, config, "channelsManifest",
               in_config_base(m, "manifests/channels/kops-channels.yaml"));
    put_etcd(m, group, config);
    return put_scheduler_file(m, config, err);
}

int ck_nodeup_put_control(struct ck_model *m, const struct ck_object *group, struct ck_val *config,
                          struct ck_err *err)
{
    if (!ck_model_has_apiserver(group))
        return 0;
    int r = put_api_server(m, config, err);
    if (!r && ck_model_role(group) == CK_ROLE_CONTROL_PLANE)
        r = put_control_plane(m, group, config, err);
    if (r)
        return r;
    struct ck_val *list = ck_list(m->a), *one = ck_map(m->a);
    ck_set_str(m->a, one, "key", "kube-apiserver-healthcheck");
    ck_set_str(m->a, one, "path", "manifests/static/kube-apiserver-healthcheck.yaml");
    ck_append(m->a, list, one);
    ck_set(m->a, config, "staticManifests", list);
    return 0;
}
