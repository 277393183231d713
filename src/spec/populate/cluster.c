/* The order in which a cluster is completed. kOps runs its builders until nothing changes; here
 * each runs once, after what it reads. Mirrors kOps
 * upup/pkg/fi/cloudup/populate_cluster_spec.go. */
#include "spec/populate/pop.h"

#include "spec/ipnet.h"
#include "spec/validate.h"

#include <string.h>

static int validate(struct ck_pop *p, bool strict, struct ck_err *err)
{
    static const struct ck_feature_flags none;
    struct ck_validate_ctx ctx = {
        .arena = p->a, .features = p->f->features ? p->f->features : &none, .strict = strict};
    struct ck_field_errs errs = {.arena = p->a};
    ck_validate_cluster(&ctx, p->o, &errs);
    int r = ck_field_errs_fail(&errs, err);
    return r < 0 && strict ? ck_wrap(err, "completed cluster failed validation") : r;
}

/* Pods take the upper half of the range that is not masqueraded; services have a fixed range. */
static void assign_ranges(struct ck_pop *p)
{
    struct ck_ipnet masq, half;
    char text[CK_IPNET_TEXT];
    const char *cidr = ck_pop_spec(p, "nonMasqueradeCIDR");
    if (!ck_ipnet_parse(cidr, &masq))
        return;
    if (masq.bits == 32 && ck_ipnet_block(&masq, 1, 1, &half)) {
        ck_ipnet_text(&half, text);
        ck_pop_str(p, p->spec, "podCIDR", text);
    }
    ck_pop_str(p, p->spec, "serviceClusterIPRange",
               masq.bits == 128 ? "fd00:5e4f:ce::/108" : "100.64.0.0/13");
}

static void stores(struct ck_pop *p)
{
    const char *base = ck_pop_spec(p, "configBase");
    ck_pop_str(p, p->spec, "keyStore", ck_arena_printf(p->a, "%s/pki", base));
    ck_pop_str(p, p->spec, "secretStore", ck_arena_printf(p->a, "%s/secrets", base));
}

static void read_facts(struct ck_pop *p)
{
    const char *label = ck_object_label(p->o, "alpha.kops.k8s.io/cloud");
    p->cloud = label && !strcmp(label, "metal") ? label : ck_pop_spec(p, "cloudProvider");
    p->ipv6 = strchr(ck_pop_spec(p, "nonMasqueradeCIDR"), ':') != NULL;
    p->none_dns = !strcmp(ck_pop_spec(p, "topology.dns.type"), "None");
    struct ck_slice text = ck_slice_trim(ck_slice_of(ck_pop_spec(p, "kubernetesVersion")));
    const char *version = ck_arena_strndup(p->a, text.ptr, text.len);
    version += *version == 'v';
    ck_set_str(p->a, p->spec, "kubernetesVersion", version);
    ck_kube_version_parse(version, &p->ver);
    bool url = strstr(version, "://") != NULL; /* images need a version, not an address */
    p->version =
        url ? ck_arena_printf(p->a, "%llu.%llu.%llu", (unsigned long long)p->ver.major,
                              (unsigned long long)p->ver.minor, (unsigned long long)p->ver.patch)
            : version;
}

static int complete(struct ck_pop *p, struct ck_err *err)
{
    int r = ck_pop_api_access(p, err);
    r = r < 0 ? r : ck_pop_dns_zone(p, err);
    if (r < 0)
        return r;
    struct ck_val *kubelet = ck_get(p->spec, "kubelet"), *own = ck_get(p->spec, "masterKubelet");
    struct ck_val *merged = ck_is_map(kubelet) ? ck_val_clone(p->a, kubelet) : ck_map(p->a);
    ck_pop_merge(p->a, merged, own);
    ck_set(p->a, p->spec, "masterKubelet", merged);
    ck_pop_str(p, p->spec, "clusterDNSDomain", "cluster.local");
    r = ck_pop_etcd(p, err);
    r = r < 0 ? r : ck_pop_api_server(p, err);
    r = r < 0 ? r : ck_pop_network(p, err);
    if (r < 0)
        return r;
    ck_pop_containerd(p);
    ck_pop_kubedns(p);
    ck_pop_kubelets(p);
    r = ck_pop_controller_manager(p, err);
    if (r < 0)
        return r;
    ck_pop_scheduler(p);
    ck_pop_proxy(p);
    ck_pop_discovery(p);
    ck_pop_addons(p);
    ck_pop_cloud(p);
    return 0;
}

int ck_populate_cluster(struct ck_arena *a, const struct ck_object *cluster,
                        const struct ck_populate_facts *facts, struct ck_object *ret,
                        struct ck_err *err)
{
    static const struct ck_populate_facts nothing;
    *ret = ck_object_clone(a, cluster);
    struct ck_pop pop = {.a = a, .f = facts ? facts : &nothing, .o = ret};
    struct ck_pop *p = &pop;
    p->spec = ck_object_spec(ret);
    p->name = ck_object_name(ret);
    int r = validate(p, false, err);
    if (r < 0)
        return r;
    assign_ranges(p);
    ck_pop_str(p, p->spec, "topology.dns.type", "Public");
    ck_pop_str(p, p->spec, "channel", "stable");
    r = ck_assign_cluster(a, ret, p->f->assign, err);
    if (r < 0)
        return r;
    if (p->f->config_base_unreadable)
        return ck_fail(err, CK_INVALID, "ConfigStore.Base path is not cluster readable: %s",
                       ck_pop_spec(p, "configBase"));
    stores(p);
    read_facts(p);
    r = complete(p, err);
    return r < 0 ? r : validate(p, true, err);
}
