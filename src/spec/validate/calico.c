/* Calico's options (rules 101, 103–109). Mirrors validateNetworkingCalico of kOps
 * pkg/apis/kops/validation/validation.go. */
#include "spec/validate/rules.h"

#include "spec/ipnet.h"

#include <regex.h>
#include <string.h>

/* Rule 105. */
static void check_encapsulation(struct ck_chk *c, struct ck_fld f)
{
    if (!ck_fld_set(f))
        return;
    ck_chk_one_of(c, f, CK_ONE_OF("ipip", "vxlan", "none"));
    bool none = ck_fld_is(f, "none");
    if (!none && c->ipv6)
        ck_chk_forbidden(c, f, "IPv6 requires an encapsulationMode of \"none\"");
    if (none && !c->ipv6)
        ck_chk_forbidden(c, f, "encapsulationMode \"none\" is only supported for IPv6 clusters");
    if (ck_chk_is_cloud(c, "azure") && !ck_fld_is(f, "vxlan"))
        ck_chk_forbidden(c, f, "Azure requires an encapsulationMode of \"vxlan\"");
}

/* Rule 106. */
static void check_mode(struct ck_chk *c, struct ck_fld calico, const char *key, const char *needs,
                       const char *text)
{
    struct ck_fld f = ck_fld_at(c, calico, key, NULL);
    if (!ck_fld_set(f))
        return;
    ck_chk_one_of(c, f, CK_ONE_OF("Always", "CrossSubnet", "Never"));
    const char *encap = ck_str_at(calico.v, "encapsulationMode");
    if (*encap && strcmp(encap, needs) != 0 && !ck_fld_is(f, "Never"))
        ck_chk_forbidden(c, f, "%s", text);
}

/* The first of the comma-separated regular expressions must not be empty, and all must compile. */
static void check_interfaces(struct ck_chk *c, struct ck_fld f, const char *list)
{
    struct ck_slice rest = ck_slice_of(list), item;
    if (!*list || *list == ',') {
        ck_chk_invalid(c, f,
                       "'interface=' must be followed by a comma separated list of interface "
                       "regular expressions");
        return;
    }
    while (ck_slice_next(&rest, ',', &item)) {
        struct ck_slice trimmed = ck_slice_trim(item);
        const char *text = ck_arena_strndup(c->a, trimmed.ptr, trimmed.len);
        regex_t re;
        if (regcomp(&re, text, REG_EXTENDED | REG_NOSUB) != 0)
            ck_chk_invalid(c, f, "regexp %s does not compile", text);
        else
            regfree(&re);
    }
}

/* Rule 107. */
static void check_autodetection(struct ck_chk *c, struct ck_fld f, int bits)
{
    const char *s = ck_fld_str(f), *value = strchr(s, '=');
    if (!*s || !strcmp(s, "first-found") || !strcmp(s, "kubernetes-internal-ip"))
        return;
    if (!value) {
        ck_chk_invalid(c, f, "malformed autodetection method");
        return;
    }
    struct ck_slice method = ck_slice_n(s, (size_t)(value++ - s));
    struct ck_ipnet net;
    if (ck_slice_eq_str(method, "can-reach")) {
        if (!ck_ip_parse(value, &net) || net.bits != bits)
            ck_chk_invalid(c, f, "must be a valid IPv%d address", bits == 32 ? 4 : 6);
    } else if (ck_slice_eq_str(method, "cidr")) {
        struct ck_slice rest = ck_slice_of(value), item;
        while (ck_slice_next(&rest, ',', &item))
            if (!ck_ipnet_parse(ck_arena_strndup(c->a, item.ptr, item.len), &net))
                ck_chk_invalid(c, f, "Could not be parsed as a CIDR");
    } else if (ck_slice_eq_str(method, "interface") || ck_slice_eq_str(method, "skip-interface")) {
        check_interfaces(c, f, value);
    } else {
        ck_chk_invalid(c, f, "unsupported autodetection method");
    }
}

/* The last of rule 101. */
static void check_bpf(struct ck_chk *c, struct ck_fld f)
{
    if (!ck_bool_at(f.v, "bpfEnabled", false) || ck_is_null(ck_at(c->spec, "kubeProxy")) ||
        !ck_bool_at(c->spec, "kubeProxy.enabled", true))
        return;
    struct ck_fld proxy = {.path = "spec.kubeProxy.enabled", .near = ck_at(c->spec, "kubeProxy")};
    ck_chk_forbidden(c, proxy,
                     "calico in BPF mode (spec.networking.calico.bpfEnabled=true) requires "
                     "kubeProxy to be disabled");
}

void ck_chk_calico(struct ck_chk *c, struct ck_fld f)
{
    struct ck_fld check = ck_fld_at(c, f, "awsSrcDstCheck", NULL);
    if (ck_fld_set(check) && c->ipv6 && !ck_fld_is(check, "DoNothing"))
        ck_chk_forbidden(c, check, "awsSrcDstCheck may only be \"DoNothing\" for IPv6 clusters");
    else
        ck_chk_one_of_set(c, check, CK_ONE_OF("Enable", "Disable", "DoNothing"));
    check_bpf(c, f);
    ck_chk_one_of_set(c, ck_fld_at(c, f, "bpfExternalServiceMode", NULL),
                      CK_ONE_OF("Tunnel", "DSR"));
    ck_chk_one_of_set(c, ck_fld_at(c, f, "bpfLogLevel", NULL), CK_ONE_OF("Off", "Info", "Debug"));
    ck_chk_one_of_set(c, ck_fld_at(c, f, "chainInsertMode", NULL), CK_ONE_OF("insert", "append"));
    check_encapsulation(c, ck_fld_at(c, f, "encapsulationMode", NULL));
    check_mode(c, f, "ipipMode", "ipip",
               "IP-in-IP encapsulation requires use of Calico's \"ipip\" encapsulation mode");
    check_autodetection(c, ck_fld_at(c, f, "ipv4AutoDetectionMethod", NULL), 32);
    check_autodetection(c, ck_fld_at(c, f, "ipv6AutoDetectionMethod", NULL), 128);
    ck_chk_one_of_set(c, ck_fld_at(c, f, "iptablesBackend", NULL),
                      CK_ONE_OF("Auto", "Legacy", "NFT"));
    int64_t replicas = ck_int_at(f.v, "typhaReplicas", 0);
    if (replicas < 0)
        ck_chk_invalid(
            c, ck_fld_at(c, f, "typhaReplicas", NULL),
            "Unable to set number of Typha replicas to less than 0, you've specified %lld",
            (long long)replicas);
    check_mode(c, f, "vxlanMode", "vxlan",
               "VXLAN encapsulation requires use of Calico's \"vxlan\" encapsulation mode");
    if (c->ipv6 && ck_bool_at(f.v, "wireguardEnabled", false))
        ck_chk_forbidden(c, ck_fld_at(c, f, "wireguardEnabled", NULL),
                         "WireGuard is not supported on IPv6 clusters");
}
