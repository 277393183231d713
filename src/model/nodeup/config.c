/* The configuration nodes read: igconfig/ROLE/GROUP/nodeupconfig.yaml. What control planes need in
 * it is config_control.c's part. Mirrors kOps pkg/apis/nodeup/config.go and
 * pkg/nodemodel/nodeupconfigbuilder.go. */
#include "base/attr.h"
#include "base/enc.h"
#include "crypto/hash.h"
#include "doc/cidr.h"
#include "doc/yaml.h"
#include "model/nodeup/internal.h"
#include "spec/codec/field.h"

#include <string.h>

static void nodeup_done(void *arg)
{
    struct ck_nodeup *n = arg;
    ck_map_done(&n->groups);
}

struct ck_nodeup *ck_nodeup_of(struct ck_model *m)
{
    if (m->nodeup)
        return m->nodeup;
    struct ck_nodeup *n = ck_arena_alloc(m->a, sizeof *n);
    ck_arena_on_free(m->a, nodeup_done, n);
    n->m = m;
    n->internal = ck_get(ck_spec_to_v3(m->a, CK_KIND_CLUSTER, m->full->root), "spec");
    ck_keysets_needed(m->a, m->full, &n->needs, &n->n_needs);
    m->nodeup = n;
    return n;
}

bool ck_nodeup_has_config(const struct ck_object *group)
{
    return ck_model_role(group) != CK_ROLE_BASTION ||
           ck_len(ck_get(ck_object_spec(group), "additionalUserData"));
}

const char *ck_nodeup_folder(const struct ck_model *m, const struct ck_object *group)
{
    return ck_arena_printf(m->a, "igconfig/%s/%s", ck_model_role_lower(ck_model_role(group)),
                           ck_object_name(group));
}

/* ---- assets ---- */

/* "SHA256@URL[,MIRROR…]" */
static const char *compact(struct ck_arena *a, const struct ck_asset *f)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_fmt(&b, "%s@", f->sha256);
    for (size_t i = 0; i < ck_len(f->locations); i++)
        ck_buf_fmt(&b, "%s%s", i ? "," : "", ck_str_or(ck_item(f->locations, i), ""));
    return ck_arena_strdup(a, ck_buf_str(&b));
}

static void put_assets(struct ck_model *m, struct ck_val *config)
{
    static const char *const archs[] = {"amd64", "arm64"};
    struct ck_val *all = ck_map(m->a);
    for (size_t i = 0; i < CK_ARRAY_LEN(archs); i++) {
        const struct ck_asset *f;
        struct ck_val *list = ck_list(m->a);
        for (size_t k = 0; (f = ck_assets_get(m->assets, CK_ASSET_NODE, archs[i], k)); k++)
            ck_append_str(m->a, list, compact(m->a, f));
        ck_set(m->a, all, archs[i], list);
    }
    ck_set(m->a, config, "Assets", all);
}

/* Images that control planes load from files, so that no registry needs to have them. */
static void put_images(struct ck_model *m, const struct ck_object *group, struct ck_val *config)
{
    static const char *const archs[] = {"amd64", "arm64"};
    struct ck_val *all = ck_map(m->a);
    if (ck_model_role(group) != CK_ROLE_CONTROL_PLANE)
        return;
    for (size_t i = 0; i < CK_ARRAY_LEN(archs); i++) {
        const struct ck_asset *f;
        struct ck_val *list = ck_list(m->a);
        for (size_t k = 0; (f = ck_assets_get(m->assets, CK_ASSET_IMAGE, archs[i], k)); k++) {
            struct ck_val *one = ck_map(m->a), *sources = ck_list(m->a);
            ck_append(m->a, sources, ck_item(f->locations, 0));
            ck_set_str(m->a, one, "hash", f->sha256);
            ck_set(m->a, one, "sources", sources);
            ck_append(m->a, list, one);
        }
        if (ck_len(list))
            ck_set(m->a, all, archs[i], list);
    }
    if (ck_len(all))
        ck_set(m->a, config, "images", all);
}

/* ---- keys ---- */

static unsigned reader_of(const struct ck_object *group)
{
    switch (ck_model_role(group)) {
    case CK_ROLE_CONTROL_PLANE:
        return CK_KEYSET_CONTROL_PLANE;
    case CK_ROLE_API_SERVER:
        return CK_KEYSET_APISERVER;
    case CK_ROLE_BASTION:
        return 0;
    default:
        return CK_KEYSET_OTHER;
    }
}

/* Keysets that are not there yet (a preview of a new cluster makes none) are left out. */
static void put_keys(struct ck_model *m, const struct ck_object *group, struct ck_val *config,
                     struct ck_node_files *files)
{
    const struct ck_nodeup *n = ck_nodeup_of(m);
    struct ck_val *cas = ck_map(m->a), *ids = ck_map(m->a);
    unsigned reader = reader_of(group);
    for (size_t i = 0; i < n->n_needs; i++) {
        const struct ck_keyset_need *need = &n->needs[i];
        const struct ck_keyset *k = ck_model_keyset(m, need->name);
        CK_AUTOBUF struct ck_buf bundle = CK_BUF_INIT;
        if (!(need->readers & reader) || !k || !k->primary)
            continue;
        ck_set_str(m->a, ids, need->name, k->primary->id);
        if (!need->bundle)
            continue;
        ck_keyset_bundle(k, &bundle);
        if (!ck_model_has_apiserver(group) && !strcmp(need->name, "kubernetes-ca"))
            files->ca = ck_arena_strdup(n->m->a, ck_buf_str(&bundle));
        else
            ck_set_str(m->a, cas, need->name, ck_buf_str(&bundle));
    }
    ck_set(m->a, config, "CAs", cas);
    ck_set(m->a, config, "KeypairIDs", ids);
}

/* ---- network ---- */

static void put_network(struct ck_model *m, struct ck_val *config)
{
    /* Networks that the node program acts on, and what kOps calls them inside. */
    static const char *const kinds[][2] = {
        {"amazonvpc", "amazonVPC"}, {"calico", "calico"},   {"cilium", "cilium"},
        {"flannel", "flannel"},     {"kindnet", "kindnet"}, {"kuberouter", "kubeRouter"}};
    static const char *const like_kubenet[] = {"kubenet", "external", "kopeio", "gcp"};
    const struct ck_val *net = ck_get(m->spec, "networking");
    const struct ck_val *proxy = ck_get(m->spec, "egressProxy");
    struct ck_val *to = ck_map(m->a);
    for (size_t i = 0; i < CK_ARRAY_LEN(kinds); i++)
        if (ck_is_map(ck_get(net, kinds[i][0])))
            ck_set(m->a, to, kinds[i][1], ck_map(m->a));
    if (ck_is_str(ck_at(net, "cilium.ipam"), "eni"))
        ck_put(m->a, to, "cilium.ipam", ck_str(m->a, "eni"));
    if (ck_bool_at(net, "cni.usesSecondaryIP", false))
        ck_put(m->a, to, "cni.usesSecondaryIP", ck_bool(m->a, true));
    if (proxy)
        ck_set(m->a, to, "egressProxy", ck_val_clone(m->a, proxy));
    ck_set_str(m->a, to, "nonMasqueradeCIDR", ck_str_at(m->spec, "nonMasqueradeCIDR"));
    ck_set_str(m->a, to, "serviceClusterIPRange", ck_str_at(m->spec, "serviceClusterIPRange"));
    ck_set(m->a, config, "Networking", to);
    if (ck_bool_at(net, "cilium.etcdManaged", false))
        ck_set_bool(m->a, config, "UseCiliumEtcd", true);
    for (size_t i = 0; i < CK_ARRAY_LEN(like_kubenet); i++)
        if (ck_is_map(ck_get(net, like_kubenet[i])))
            ck_set_bool(m->a, config, "UsesKubenet", true);
    if (ck_model_installs_cni(m))
        ck_set_bool(m->a, config, "InstallCNIAssets", true);
}

/* The pod network takes addresses of the machine's type. */
static void put_machine_type(struct ck_model *m, const struct ck_object *group,
                             struct ck_val *config)
{
    const struct ck_val *net = ck_get(m->spec, "networking");
    const char *types = ck_str_at(ck_object_spec(group), "machineType");
    if (!ck_is_map(ck_get(net, "amazonvpc")) && !ck_is_str(ck_at(net, "cilium.ipam"), "eni"))
        return;
    ck_set(m->a, config, "DefaultMachineType",
           ck_strn(m->a, ck_slice_n(types, strcspn(types, ","))));
}

const struct ck_val *ck_nodeup_api_addresses(const struct ck_model *m)
{
    const struct ck_val *known = ck_model_fact(m, "apiAddresses");
    const struct ck_val *more = ck_get(m->spec, "additionalNetworkCIDRs");
    struct ck_val *list = ck_list(m->a);
    for (size_t i = 0; i < ck_len(known); i++) {
        const char *text = ck_str_or(ck_item(known, i), "");
        struct ck_ipaddr ip;
        bool inside = false;
        if (!ck_ipaddr_parse(ck_slice_of(text), &ip))
            continue;
        for (size_t k = 0; k <= ck_len(more); k++) {
            struct ck_cidr c;
            const char *range = k < ck_len(more) ? ck_str_or(ck_item(more, k), "")
                                                 : ck_str_at(m->spec, "networkCIDR");
            inside = inside ||
                     (!ck_cidr_parse(ck_slice_of(range), &c, NULL) && ck_cidr_contains(&c, &ip));
        }
        if (inside)
            ck_append_str(m->a, list, text);
    }
    return list;
}

/* ---- kubelet, container runtime ---- */

static void put_kubelet(struct ck_model *m, const struct ck_object *group, struct ck_val *config)
{
    static const char stored[] = "authenticationTokenWebhookCacheTtl";
    const struct ck_val *given = ck_get(ck_object_spec(group), "kubelet");
    struct ck_val *kubelet = ck_is_map(given) ? ck_val_clone(m->a, given) : ck_map(m->a);
    struct ck_val *ttl = ck_get(kubelet, stored);
    if (ttl) {
        ck_set(m->a, kubelet, "authenticationTokenWebhookCacheTTL", ttl);
        ck_unset(kubelet, stored);
    }
    ck_set(m->a, config, "KubeletConfig", kubelet);
}

/* Lay the group's settings over the cluster's; NULL when neither has any. */
static struct ck_val *merged(struct ck_arena *a, const struct ck_val *of_cluster,
                             const struct ck_val *of_group)
{
    if (!ck_is_map(of_cluster) && !ck_is_map(of_group))
        return NULL;
    struct ck_val *to = ck_is_map(of_cluster) ? ck_val_clone(a, of_cluster) : ck_map(a);
    for (size_t i = 0; ck_is_map(of_group) && i < of_group->map.n; i++) {
        const struct ck_pair *p = &of_group->map.v[i];
        struct ck_val *there = ck_getn(to, p->key);
        ck_setn(a, to, p->key,
                ck_is_map(there) && ck_is_map(p->val) ? merged(a, there, p->val)
                                                      : ck_val_clone(a, p->val));
    }
    return to;
}

static void put_runtime(struct ck_model *m, const struct ck_object *group, struct ck_val *config)
{
    static const char driver[] = "nvidia-headless-580-server";
    struct ck_val *c =
        merged(m->a, ck_get(m->spec, "containerd"), ck_get(ck_object_spec(group), "containerd"));
    if (!c)
        return;
    ck_set(m->a, config, "containerdConfig", c);
    const struct ck_val *nvidia = ck_get(c, "nvidiaGPU"), *gvisor = ck_get(c, "gvisor");
    if (ck_is_map(nvidia)) {
        struct ck_val *to = ck_val_clone(m->a, nvidia);
        if (!*ck_str_at(to, "package"))
            ck_set_str(m->a, to, "package", driver);
        ck_set(m->a, config, "NvidiaGPU", to);
    }
    if (ck_is_map(gvisor))
        ck_set(m->a, config, "GVisor", ck_val_clone(m->a, gvisor));
}

/* ---- the whole ---- */

static void put_scalars(struct ck_model *m, const struct ck_object *group, struct ck_val *config)
{
    const char *policy = ck_str_at(ck_object_spec(group), "updatePolicy");
    const char *ports = ck_str_at(m->spec, "kubeAPIServer.serviceNodePortRange");
    const char *version = ck_str_at(m->spec, "kubernetesVersion");
    if (!*policy)
        policy = ck_str_at(m->spec, "updatePolicy");
    ck_set_str(m->a, config, "ClusterName", m->name);
    ck_set_str(m->a, config, "KubernetesVersion", version[0] == 'v' ? version + 1 : version);
    ck_set_str(m->a, config, "UpdatePolicy", *policy ? policy : "automatic");
    ck_set_bool(m->a, config, "usesNoneDNS", ck_model_dns_none(m));
    if (*ports)
        ck_set_str(m->a, config, "ServiceNodePortRange", ports);
    if (!ck_bool_at(m->spec, "ntp.managed", true))
        ck_set_bool(m->a, config, "NTPUnmanaged", true);
    const struct ck_val *proxy = ck_get(ck_nodeup_of(m)->internal, "kubeProxy");
    if (proxy)
        ck_set(m->a, config, "KubeProxy", ck_val_clone(m->a, proxy));
}

/* The text of the configuration. `m` has an arena that dies with the tree. */
static int text_of(struct ck_model *m, const struct ck_object *group, struct ck_node_files *files,
                   struct ck_buf *out, struct ck_err *err)
{
    struct ck_val *config = ck_map(m->a);
    put_scalars(m, group, config);
    put_assets(m, config);
    put_images(m, group, config);
    put_keys(m, group, config, files);
    put_network(m, config);
    put_machine_type(m, group, config);
    put_kubelet(m, group, config);
    put_runtime(m, group, config);
    int r = ck_nodeup_put_control(m, group, config, err);
    ck_nodeup_put_files(m, group, config);
    if (!r)
        r = ck_nodeup_put_warm_pool(m, group, config, err);
    if (r)
        return ck_wrap(err, "instance group \"%s\"", ck_object_name(group));
    ck_yaml_emit(out, config);
    return 0;
}

static int make(struct ck_model *m, const struct ck_object *group, struct ck_node_files *files,
                struct ck_err *err)
{
    unsigned char digest[CK_SHA256_LEN];
    CK_AUTOARENA struct ck_arena *scratch = ck_arena_new();
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT, hash = CK_BUF_INIT;
    struct ck_model with_scratch = *m;
    with_scratch.a = scratch;
    int r = text_of(&with_scratch, group, files, &text, err);
    if (r)
        return r;
    files->config = ck_arena_slice(m->a, ck_buf_slice(&text));
    ck_sha256(files->config, digest);
    ck_base64_encode(&hash, digest, sizeof digest);
    files->hash = ck_arena_strdup(m->a, ck_buf_str(&hash));
    return 0;
}

int ck_nodeup_files(struct ck_model *m, const struct ck_object *group,
                    const struct ck_node_files **ret, struct ck_err *err)
{
    struct ck_nodeup *n = ck_nodeup_of(m);
    struct ck_node_files *files = ck_map_get(&n->groups, ck_object_name(group));
    if (!files) {
        files = ck_arena_alloc(m->a, sizeof *files);
        int r = make(m, group, files, err);
        if (r)
            return r;
        ck_map_put(&n->groups, ck_object_name(group), files);
    }
    *ret = files;
    return 0;
}
