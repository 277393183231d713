/* Which networking plug-in, and where it works (rules 96–102, 120). Calico and Cilium have files of
 * their own. Mirrors validateNetworking of kOps pkg/apis/kops/validation/validation.go. */
#include "spec/validate/rules.h"

#include <stdlib.h>
#include <string.h>

struct cni {
    const char *key, *name;        /* v1alpha2 and internal */
    const char *no_ipv6;           /* text when IPv6 does not work with it */
    const char *gone;              /* text when it is not offered any more */
    unsigned gone_minor;           /* from this Kubernetes 1.N on; 0: always */
    const char *cloud, *elsewhere; /* works on one cloud only */
    bool counts;                   /* among "only one networking option permitted" */
    void (*check)(struct ck_chk *c, struct ck_fld f);
};

/* Rule 100. */
static void check_flannel(struct ck_chk *c, struct ck_fld f)
{
    struct ck_fld backend = ck_fld_at(c, f, "backend", NULL);
    if (!ck_fld_set(backend))
        ck_chk_required(c, backend, "Flannel backend must be specified");
    else
        ck_chk_one_of(c, backend, CK_ONE_OF("udp", "vxlan"));
}

/* Rule 101; kOps says "spec" twice here. */
static void check_kube_router(struct ck_chk *c, struct ck_fld f)
{
    if (ck_is_null(ck_at(c->spec, "kubeProxy")) || !ck_bool_at(c->spec, "kubeProxy.enabled", true))
        return;
    struct ck_fld proxy = {.path = "spec.spec.kubeProxy.enabled", .near = f.near};
    ck_chk_forbidden(c, proxy, "kube-router requires kubeProxy to be disabled");
}

static const struct cni cnis[] = {
    {.key = "kubenet", .no_ipv6 = "Kubenet does not support IPv6", .counts = true},
    {.key = "external",
     .gone = "external is not supported for Kubernetes >= 1.26",
     .gone_minor = 26,
     .counts = true},
    {.key = "kopeio", .no_ipv6 = "Kopeio does not support IPv6", .counts = true},
    {.key = "cni", .counts = true},
    {.key = "weave", .gone = "Weave is no longer supported", .counts = true},
    {.key = "flannel",
     .no_ipv6 = "Flannel does not support IPv6",
     .counts = true,
     .check = check_flannel},
    {.key = "calico", .counts = true, .check = ck_chk_calico},
    {.key = "canal", .gone = "Canal is not supported for Kubernetes >= 1.28", .gone_minor = 28},
    {.key = "kuberouter",
     .name = "kubeRouter",
     .no_ipv6 = "kube-router does not support IPv6",
     .counts = true,
     .check = check_kube_router},
    {.key = "romana", .gone = "support for Romana has been removed"},
    {.key = "amazonvpc",
     .name = "amazonVPC",
     .no_ipv6 = "amazon-vpc-routed-eni networking does not support IPv6",
     .cloud = "aws",
     .elsewhere = "amazon-vpc-routed-eni networking is supported only in AWS",
     .counts = true},
    {.key = "cilium", .counts = true, .check = ck_chk_cilium},
    {.key = "lyftvpc", .gone = "support for LyftVPC has been removed"},
    {.key = "gce",
     .name = "gcp",
     .no_ipv6 = "GCP networking does not support IPv6",
     .cloud = "gce",
     .elsewhere = "GCP networking is supported only when on GCP",
     .counts = true},
    {.key = "kindnet", .counts = true},
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct ck_fld *)a)->path, ((const struct ck_fld *)b)->path);
}

/* Rule 120: one error for each of the plug-ins found. */
static void check_single(struct ck_chk *c, struct ck_fld *found, size_t n)
{
    if (n < 2)
        return;
    qsort(found, n, sizeof *found, by_name);
    struct ck_buf names CK_AUTOBUF = CK_BUF_INIT;
    for (size_t i = 0; i < n; i++) {
        if (i)
            ck_buf_puts(&names, ", ");
        ck_buf_puts(&names, strrchr(found[i].path, '.') + 1);
    }
    for (size_t i = 0; i < n; i++)
        ck_chk_forbidden(c, found[i], "only one networking option permitted, found %s",
                         ck_buf_str(&names));
}

void ck_chk_cni(struct ck_chk *c, struct ck_fld spec)
{
    struct ck_fld net = ck_fld_at(c, spec, "networking", NULL);
    struct ck_fld found[CK_ARRAY_LEN(cnis)];
    size_t n = 0;
    if (!ck_is_null(ck_get(net.v, "classic")))
        ck_chk_invalid_str(c, net, "classic", "classic networking is not supported");
    for (size_t i = 0; i < CK_ARRAY_LEN(cnis); i++) {
        const struct cni *k = &cnis[i];
        struct ck_fld f = ck_fld_at(c, net, k->key, k->name);
        if (ck_is_null(f.v))
            continue;
        if (k->counts)
            found[n++] = f;
        if (k->gone && ck_kube_version_ge(&c->ver, 1, k->gone_minor))
            ck_chk_forbidden(c, f, "%s", k->gone);
        if (k->cloud && !ck_chk_is_cloud(c, k->cloud))
            ck_chk_forbidden(c, f, "%s", k->elsewhere);
        if (k->no_ipv6 && c->ipv6)
            ck_chk_forbidden(c, f, "%s", k->no_ipv6);
        if (k->check)
            k->check(c, f);
    }
    check_single(c, found, n);
}
