/* API server, controller manager, scheduler and proxy (rules 41–55). Kubelets are in kubelet.c.
 * Mirrors the validateKube… functions of kOps pkg/apis/kops/validation/validation.go. */
#include "spec/validate/rules.h"

#include "spec/ipnet.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void check_plugins(struct ck_chk *c, struct ck_fld api, const char *key)
{
    struct ck_fld f = ck_fld_at(c, api, key, NULL);
    if (ck_list_has_str(f.v, "PodSecurityPolicy"))
        ck_chk_forbidden(c, f, "PodSecurityPolicy has been removed from Kubernetes 1.25");
}

static bool has_oidc(const struct ck_val *api)
{
    static const char *const keys[] = {"oidcClientID",       "oidcIssuerURL",   "oidcUsernameClaim",
                                       "oidcUsernamePrefix", "oidcGroupsClaim", "oidcGroupsPrefix",
                                       "oidcRequiredClaim",  "oidcCAFile"};
    for (size_t i = 0; i < CK_ARRAY_LEN(keys); i++)
        if (!ck_is_null(ck_get(api, keys[i])))
            return true;
    return false;
}

/* Go's strconv.Atoi as far as its error text goes; true when s is an integer. */
static bool atoi_text(struct ck_chk *c, struct ck_slice s, long *ret, const char **ret_why)
{
    char *text = ck_arena_strndup(c->a, s.ptr, s.len), *end;
    *ret = strtol(text, &end, 10);
    if (*text && !*end && !isspace((unsigned char)*text) && s.len < 18)
        return true;
    *ret_why = ck_arena_printf(c->a, "strconv.Atoi: parsing \"%s\": invalid syntax", text);
    return false;
}

/* The text of apimachinery's PortRange.Set error, or NULL when the range is right. */
static const char *port_range_error(struct ck_chk *c, const char *value)
{
    struct ck_slice v = ck_slice_trim(ck_slice_of(value));
    size_t minus = ck_slice_find(v, '-'), plus = ck_slice_find(v, '+');
    long low = 0, high = 0;
    const char *why = NULL;
    if (!v.len)
        return NULL;
    if (minus < v.len && plus < v.len)
        return ck_arena_printf(c->a, "unable to parse port range: %.*s", CK_SARG(v));
    size_t cut = minus < v.len ? minus : plus;
    if (!atoi_text(c, ck_slice_n(v.ptr, cut), &low, &why))
        return why;
    high = low;
    if (cut < v.len && !atoi_text(c, ck_slice_n(v.ptr + cut + 1, v.len - cut - 1), &high, &why))
        return why;
    if (plus < v.len)
        high += low;
    if (low > 65535 || high > 65535)
        return ck_arena_printf(c->a, "the port range cannot be greater than 65535: %.*s",
                               CK_SARG(v));
    if (high < low)
        return ck_arena_printf(c->a, "end port cannot be less than start port: %.*s", CK_SARG(v));
    return NULL;
}

/* Rules 47 and 48. */
static void check_authorization(struct ck_chk *c, struct ck_fld api)
{
    static const char *const known[] = {"ABAC",        "Webhook",    "Node", "RBAC",
                                        "AlwaysAllow", "AlwaysDeny", NULL};
    struct ck_fld f = ck_fld_at(c, api, "authorizationMode", NULL);
    if (ck_is_null(f.v))
        return;
    struct ck_fld hook = ck_fld_at(c, api, "authorizationWebhookConfigFile", NULL);
    if (strstr(ck_fld_str(f), "Webhook") && ck_is_null(hook.v))
        ck_chk_required(c, hook,
                        "Authorization mode Webhook requires authorizationWebhookConfigFile to be "
                        "specified");
    bool node = false, rbac = false, allow = false;
    struct ck_slice rest = ck_slice_of(ck_fld_str(f)), mode;
    while (ck_slice_next(&rest, ',', &mode)) {
        const char *word = ck_arena_strndup(c->a, mode.ptr, mode.len);
        node |= !strcmp(word, "Node");
        rbac |= !strcmp(word, "RBAC");
        allow |= !strcmp(word, "AlwaysAllow");
        bool ok = false;
        for (size_t i = 0; known[i]; i++)
            ok |= !strcmp(known[i], word);
        if (!ok)
            ck_chk_unsupported(c, f, word, known);
    }
    /* The completed form of `authorization: alwaysAllow` carries this mode on AWS too. */
    bool by_option = allow && !ck_is_null(ck_at(c->spec, "authorization.alwaysAllow"));
    if (ck_chk_is_cloud(c, "aws") && !(node && rbac) && !by_option)
        ck_chk_required(
            c, f, "As of kubernetes 1.19 on AWS, authorizationMode must include RBAC and Node");
}

static size_t dir_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

/* Rule 50. */
static void check_audit(struct ck_chk *c, struct ck_fld api)
{
    struct ck_fld f = ck_fld_at(c, api, "auditWebhookConfigFile", NULL);
    const char *hook = ck_fld_str(f), *policy = ck_str_at(api.v, "auditPolicyFile");
    if (!*hook)
        return;
    if (!*policy)
        ck_chk_invalid(c, f, "an audit policy is required for the audit webhook config");
    else if (dir_len(hook) != dir_len(policy) || strncmp(hook, policy, dir_len(hook)) != 0)
        ck_chk_invalid(
            c, f,
            "the audit webhook config must be placed in the same directory as the audit policy");
}

static void check_api_server(struct ck_chk *c, struct ck_fld api)
{
    struct ck_fld f = ck_fld_at(c, api, "authenticationConfigFile", NULL);
    if (ck_fld_set(f) && has_oidc(api.v))
        ck_chk_forbidden(c, f,
                         "authenticationConfigFile is mutually exclusive with OIDC options, remove "
                         "all existing OIDC options to use authenticationConfigFile");
    f = ck_fld_at(c, api, "enableBootstrapTokenAuth", NULL);
    if (ck_fld_true(f))
        ck_chk_forbidden(c, f, "bootstrap tokens are not supported");
    f = ck_fld_at(c, api, "admissionControl", NULL);
    if (ck_len(f.v))
        ck_chk_forbidden(c, f, "admissionControl has been replaced with enableAdmissionPlugins");
    check_plugins(c, api, "enableAdmissionPlugins");
    check_plugins(c, api, "admissionControl");
    if (ck_is_null(ck_get(api.v, "proxyClientCertFile")) !=
        ck_is_null(ck_get(api.v, "proxyClientKeyFile")))
        ck_chk_forbidden(
            c, api,
            "proxyClientCertFile and proxyClientKeyFile must both be specified (or neither)");
    f = ck_fld_at(c, api, "serviceNodePortRange", NULL);
    const char *why = port_range_error(c, ck_fld_str(f));
    if (why)
        ck_chk_invalid(c, f, "%s", why);
    check_authorization(c, api);
    ck_chk_one_of_set(c, ck_fld_at(c, api, "logFormat", NULL), CK_ONE_OF("text", "json"));
    check_audit(c, api);
    f = ck_fld_at(c, api, "serviceClusterIPRange", NULL);
    if ((c->strict || ck_fld_set(f)) &&
        strcmp(ck_fld_str(f), ck_spec_str(c, "serviceClusterIPRange")) != 0)
        ck_chk_forbidden(
            c, f,
            "kubeAPIServer serviceClusterIPRange did not match cluster serviceClusterIPRange");
}

static bool is_url(const char *s)
{
    const char *colon = strstr(s, "://");
    return colon && colon != s && colon[3] && colon[3] != '/' && isalpha((unsigned char)*s);
}

static void check_proxy(struct ck_chk *c, struct ck_fld proxy)
{
    struct ck_fld list = ck_fld_at(c, proxy, "ipvsExcludeCidrs", "ipvsExcludeCIDRs");
    struct ck_ipnet net;
    for (size_t i = 0; i < ck_len(list.v); i++) {
        struct ck_fld f = ck_fld_item(c, list, i);
        if (!ck_ipnet_parse(ck_fld_str(f), &net))
            ck_chk_invalid(c, f, "Invalid network CIDR");
    }
    struct ck_fld master = ck_fld_at(c, proxy, "master", NULL);
    if (ck_fld_set(master) && !is_url(ck_fld_str(master)))
        ck_chk_invalid(c, master, "Not a valid APIServer URL");
}

void ck_chk_components(struct ck_chk *c, struct ck_fld spec)
{
    struct ck_fld api = ck_fld_at(c, spec, "kubeAPIServer", NULL);
    if (!ck_is_null(api.v))
        check_api_server(c, api);
    struct ck_fld f =
        ck_fld_at(c, spec, "kubeControllerManager.experimentalClusterSigningDuration", NULL);
    if (!ck_is_null(f.v))
        ck_chk_forbidden(c, f,
                         "experimentalClusterSigningDuration has been replaced with "
                         "clusterSigningDuration as of kubernetes 1.25");
    f = ck_fld_at(c, spec, "kubeScheduler.usePolicyConfigMap", NULL);
    if (!ck_is_null(f.v))
        ck_chk_forbidden(c, f, "usePolicyConfigMap is deprecated, use KubeSchedulerConfiguration");
    check_proxy(c, ck_fld_at(c, spec, "kubeProxy", NULL));
}
