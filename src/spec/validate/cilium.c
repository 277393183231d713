/* Cilium's options (rules 101, 110–119). Mirrors validateNetworkingCilium of kOps
 * pkg/apis/kops/validation/validation.go. */
#include "spec/validate/rules.h"

#include <string.h>

/* Rules 110 and 111; false when nothing more can be said. */
static bool check_version(struct ck_chk *c, struct ck_fld f)
{
    struct ck_fld version = ck_fld_at(c, f, "version", NULL);
    const char *s = ck_fld_str(version);
    struct ck_semver v = {0};
    if (!*s)
        return true;
    if (*s != 'v') {
        ck_chk_invalid(c, version, "Cilium version must be prefixed with 'v'");
        return false;
    }
    bool ok = ck_semver_parse(ck_slice_of(s + 1), &v);
    if (!ok)
        ck_chk_invalid(c, version, "Could not parse as semantic version");
    if (!ok || v.major != 1 || v.minor != 18)
        ck_chk_invalid(c, version, "Only version 1.18 is supported");
    if (ck_bool_at(f.v, "hubble.enabled", false) && !ck_chk_cert_manager(c))
        ck_chk_forbidden(c, ck_fld_at(c, f, "hubble.enabled", NULL),
                         "Hubble requires that cert manager is enabled");
    return true;
}

/* Rules 113 and 118. */
static void check_etcd(struct ck_chk *c, struct ck_fld f)
{
    const struct ck_val *etcd = ck_at(c->spec, "etcdClusters");
    if (!ck_bool_at(f.v, "etcdManaged", false))
        return;
    for (size_t i = 0; i < ck_len(etcd); i++)
        if (!strcmp(ck_str_at(ck_item(etcd, i), "name"), "cilium"))
            return;
    struct ck_fld list = {.path = "spec.etcdClusters", .near = etcd ? etcd : f.near};
    ck_chk_required(c, list, "Cilium with managed etcd requires a dedicated etcd cluster");
}

/* Rule 115. */
static void check_encryption(struct ck_chk *c, struct ck_fld f)
{
    struct ck_fld on = ck_fld_at(c, f, "enableEncryption", NULL);
    struct ck_fld type = ck_fld_at(c, f, "encryptionType", NULL);
    if (ck_fld_true(on) && c->ipv6)
        ck_chk_forbidden(c, on, "encryption is not supported on IPv6 clusters");
    if (!ck_fld_set(type))
        return;
    if (!ck_fld_true(on))
        ck_chk_forbidden(c, type, "encryptionType requires enableEncryption");
    ck_chk_one_of(c, type, CK_ONE_OF("ipsec", "wireguard"));
}

/* Rule 117. */
static void check_ipam(struct ck_chk *c, struct ck_fld f)
{
    if (!ck_fld_set(f))
        return;
    ck_chk_one_of(c, f, CK_ONE_OF("hostscope", "kubernetes", "crd", "eni"));
    if (!ck_fld_is(f, "eni"))
        return;
    if (!ck_chk_is_cloud(c, "aws"))
        ck_chk_forbidden(c, f, "Cilum ENI IPAM is supported only in AWS"); /* kOps' spelling */
    if (c->ipv6)
        ck_chk_forbidden(c, f, "Cilium ENI IPAM does not support IPv6");
}

static void check_node_port(struct ck_chk *c, struct ck_fld f)
{
    if (!ck_bool_at(f.v, "enableNodePort", false) || ck_is_null(ck_at(c->spec, "kubeProxy")) ||
        !ck_bool_at(c->spec, "kubeProxy.enabled", true))
        return;
    struct ck_fld proxy = {.path = "spec.spec.kubeProxy.enabled",
                           .near = ck_at(c->spec, "kubeProxy")};
    ck_chk_forbidden(c, proxy, "When Cilium NodePort is enabled, kubeProxy must be disabled");
    (void)f;
}

void ck_chk_cilium(struct ck_chk *c, struct ck_fld f)
{
    if (!check_version(c, f))
        return;
    check_node_port(c, f);
    ck_chk_one_of_set(c, ck_fld_at(c, f, "enablePolicy", NULL),
                      CK_ONE_OF("default", "always", "never"));
    ck_chk_one_of_set(c, ck_fld_at(c, f, "tunnel", NULL), CK_ONE_OF("vxlan", "geneve", "disabled"));
    ck_chk_one_of_set(c, ck_fld_at(c, f, "monitorAggregation", NULL),
                      CK_ONE_OF("low", "medium", "maximum"));
    struct ck_fld mode = ck_fld_at(c, f, "identityAllocationMode", NULL);
    ck_chk_one_of_set(c, mode, CK_ONE_OF("crd", "kvstore"));
    if (ck_fld_is(mode, "kvstore") && !ck_bool_at(f.v, "etcdManaged", false))
        ck_chk_forbidden(c, mode,
                         "Cilium requires managed etcd to allocate identities on kvstore mode");
    ck_chk_one_of_set(c, ck_fld_at(c, f, "bpfLBAlgorithm", NULL), CK_ONE_OF("random", "maglev"));
    if (ck_bool_at(f.v, "bpfLBSockHostNSOnly", false) && !ck_bool_at(f.v, "bpfLBSock", false))
        ck_chk_forbidden(c, ck_fld_at(c, f, "bpfLBSockHostNSOnly", NULL),
                         "bpfLBSockHostNSOnly requires bpfLBSock to be enabled");
    check_encryption(c, f);
    if (ck_bool_at(f.v, "enableL7Proxy", false) && ck_bool_at(f.v, "IPTablesRulesNoinstall", false))
        ck_chk_forbidden(c, ck_fld_at(c, f, "enableL7Proxy", NULL),
                         "Cilium L7 Proxy requires installIptablesRules.");
    check_ipam(c, ck_fld_at(c, f, "ipam", NULL));
    check_etcd(c, f);
    if (ck_bool_at(f.v, "ingress.enabled", false))
        ck_chk_one_of_set(c, ck_fld_at(c, f, "ingress.defaultLoadBalancerMode", NULL),
                          CK_ONE_OF("shared", "dedicated"));
}
