/* Add-ons kOps manages and the policies of nodes (rules 121–129, 150–159). Mirrors the
 * per-add-on functions of kOps pkg/apis/kops/validation/validation.go. */
#include "spec/validate/rules.h"

#include "doc/json.h"

#include <string.h>

static const char *const policy_roles[] = {
    "control-plane",         "apiserver", "node", "bastion", "etcd", "scheduler",
    "kubecontrollermanager", NULL};

/* Rule 122. */
static void check_autoscaler(struct ck_chk *c, struct ck_fld f)
{
    struct ck_fld expander = ck_fld_at(c, f, "expander", NULL);
    ck_chk_one_of_set(c, expander,
                      CK_ONE_OF("least-waste", "random", "most-pods", "price", "priority"));
    if (ck_fld_is(expander, "price") && !ck_chk_is_cloud(c, "gce"))
        ck_chk_forbidden(c, expander, "Cluster autoscaler price expander is only supported on GCE");
    if (ck_chk_is_cloud(c, "openstack") && !ck_is_null(f.v))
        ck_chk_forbidden(c, f, "Cluster autoscaler is not supported on OpenStack");
}

/* Rules 123 and 124; stored `disable: true` means provider "none". */
static void check_external_dns(struct ck_chk *c, struct ck_fld f)
{
    struct ck_fld provider = ck_fld_at(c, f, "provider", NULL);
    struct ck_fld ns = ck_fld_at(c, f, "watchNamespace", NULL);
    if (!ck_bool_at(f.v, "disable", false)) {
        ck_chk_one_of(c, provider, CK_ONE_OF("", "dns-controller", "external-dns", "none"));
        if (ck_fld_is(provider, "external-dns") && c->none_dns)
            ck_chk_forbidden(c, provider, "external-dns requires public or private DNS topology");
    }
    if (ck_fld_set(ns) && !ck_fld_is(ns, "kube-system"))
        ck_chk_forbidden(c, ns, "externalDNS must watch either all namespaces or only kube-system");
}

/* Rule 128: the text is a JSON list of statements, each with an effect. */
static void check_additional_policy(struct ck_chk *c, struct ck_fld map, const char *key)
{
    const char *role = strcmp(key, "master") ? key : "control-plane";
    struct ck_fld f = ck_fld_key(c, map, key);
    ck_chk_must_be_of(c, (struct ck_fld){map.path, ck_str(c->a, role), f.near}, policy_roles);
    f.path = ck_arena_printf(c->a, "%s[%s]", map.path, role);
    struct ck_val *list = NULL;
    struct ck_err err CK_CLEANUP(ck_err_done) = CK_ERR_INIT;
    const char *text = ck_fld_str(f);
    if (ck_json_parse(c->a, ck_slice_of(text), (size_t)1 << 20, &list, &err) < 0) {
        ck_chk_invalid(c, f, "policy was not valid JSON: %s", ck_err_msg(&err));
        return;
    }
    if (!ck_is_list(list)) {
        ck_chk_invalid(c, f, "policy was not valid JSON: it is not a list of statements");
        return;
    }
    for (size_t i = 0; i < ck_len(list); i++) {
        const char *effect = ck_str_at(ck_item(list, i), "Effect");
        struct ck_fld e = {.path = ck_arena_printf(c->a, "%s[%zu].Effect", f.path, i),
                           .near = f.near};
        if (!*effect)
            ck_chk_required(c, e, "Effect must be specified for IAM policy");
        else if (strcmp(effect, "Allow") != 0 && strcmp(effect, "Deny") != 0)
            ck_chk_unsupported(c, e, effect, CK_ONE_OF("Allow", "Deny"));
    }
}

/* Rule 129. */
static void check_external_policies(struct ck_chk *c, struct ck_fld map, const char *key)
{
    const char *role = strcmp(key, "master") ? key : "control-plane";
    struct ck_fld list = ck_fld_key(c, map, key);
    ck_chk_must_be_of(c, (struct ck_fld){map.path, ck_str(c->a, role), list.near}, policy_roles);
    for (size_t i = 0; i < ck_len(list.v); i++) {
        struct ck_fld f = ck_fld_item(c, list, i);
        const char *why, *resource = ck_arn_resource(ck_fld_str(f), &why);
        f.path = ck_arena_printf(c->a, "%s.%s", map.path, role);
        if (!resource || !ck_str_starts(resource, "policy/"))
            ck_chk_invalid(c, f,
                           "Policy must be a valid AWS ARN such as "
                           "arn:aws:iam::123456789012:policy/KopsExamplePolicy");
    }
}

void ck_chk_addons(struct ck_chk *c, struct ck_fld spec)
{
    struct ck_fld f = ck_fld_at(c, spec, "nodeAuthorization", NULL);
    if (!ck_is_null(f.v))
        ck_chk_forbidden(c, f,
                         "NodeAuthorization must be empty. The functionality has been "
                         "reimplemented and is enabled on kubernetes >= 1.19.0.");
    check_autoscaler(c, ck_fld_at(c, spec, "clusterAutoscaler", NULL));
    check_external_dns(c, ck_fld_at(c, spec, "externalDns", "externalDNS"));
    f = ck_fld_at(c, spec, "metricsServer", NULL);
    if (ck_bool_at(f.v, "enabled", false) && !ck_bool_at(f.v, "insecure", true) &&
        !ck_chk_cert_manager(c))
        ck_chk_forbidden(c, ck_fld_at(c, f, "insecure", NULL),
                         "Secure metrics server requires that cert manager is enabled");
    f = ck_fld_at(c, spec, "snapshotController.enabled", NULL);
    if (ck_fld_true(f) && !ck_chk_cert_manager(c))
        ck_chk_forbidden(c, f, "Snapshot controller requires that cert manager is enabled");
    f = ck_fld_at(c, spec, "addons", NULL);
    for (size_t i = 0; i < ck_len(f.v); i++) {
        struct ck_fld m = ck_fld_at(c, ck_fld_item(c, f, i), "manifest", NULL);
        if (ck_str_starts(ck_fld_str(m), "file://"))
            ck_chk_invalid(c, m, "file:// addon manifests are not supported");
    }
    f = ck_fld_at(c, spec, "additionalPolicies", NULL);
    const char **keys = ck_sorted_keys(c->a, f.v);
    for (size_t i = 0; keys[i]; i++)
        check_additional_policy(c, f, keys[i]);
    f = ck_fld_at(c, spec, "externalPolicies", NULL);
    keys = ck_sorted_keys(c->a, f.v);
    for (size_t i = 0; keys[i]; i++)
        check_external_policies(c, f, keys[i]);
}

/* Rule 151. */
static void check_permissions(struct ck_chk *c, struct ck_fld list)
{
    for (size_t i = 0; i < ck_len(list.v); i++) {
        const struct ck_val *sa = ck_item(list.v, i);
        const char *ns = ck_str_at(sa, "namespace"), *name = ck_str_at(sa, "name");
        const char *key = ck_arena_printf(c->a, "%s/%s", ns, name);
        struct ck_fld f = {
            .path = ck_arena_printf(c->a, "%s[%s]", list.path, key), .v = sa, .near = sa};
        if (!*ns)
            ck_chk_required(c, ck_fld_at(c, f, "namespace", NULL), "namespace cannot be empty");
        if (!*name)
            ck_chk_required(c, ck_fld_at(c, f, "name", NULL), "name cannot be empty");
        for (size_t j = 0; j < i; j++) {
            const struct ck_val *other = ck_item(list.v, j);
            if (strcmp(ck_str_at(other, "namespace"), ns) != 0 ||
                strcmp(ck_str_at(other, "name"), name) != 0)
                continue;
            ck_chk_duplicate(c, f, key);
            break;
        }
        struct ck_fld aws = ck_fld_at(c, f, "aws", NULL);
        bool arns = ck_len(ck_get(aws.v, "policyARNs")),
             in_line = *ck_str_at(aws.v, "inlinePolicy");
        if (ck_is_null(aws.v))
            ck_chk_required(c, aws, "AWS permissions must be set");
        else if (!arns && !in_line)
            ck_chk_required(c, aws, "either inlinePolicy or policyARN must be set");
        else if (arns && in_line)
            ck_chk_forbidden(c, aws, "cannot set both inlinePolicy and policyARN");
    }
}

void ck_chk_iam(struct ck_chk *c, struct ck_fld spec)
{
    struct ck_fld iam = ck_fld_at(c, spec, "iam", NULL);
    struct ck_fld f = ck_fld_at(c, iam, "legacy", NULL);
    if (ck_fld_true(f))
        ck_chk_forbidden(c, f, "legacy IAM permissions are no longer supported");
    check_permissions(c, ck_fld_at(c, iam, "serviceAccountExternalPermissions", NULL));
    f = ck_fld_at(c, spec, "karpenter.enabled", NULL);
    if (ck_fld_true(f) && !ck_chk_irsa(c))
        ck_chk_forbidden(c, f, "Karpenter requires that service accounts use external permissions");
    f = ck_fld_at(c, spec, "certManager", NULL);
    if (ck_chk_cert_manager(c) && ck_len(ck_get(f.v, "hostedZoneIDs")) && !ck_chk_irsa(c))
        ck_chk_forbidden(c, f,
                         "Cert Manager requires that service accounts use external permissions in "
                         "order to do dns-01 validation");
}

/* Rule 154. */
static void check_termination_handler(struct ck_chk *c, struct ck_fld f)
{
    if (ck_is_null(f.v))
        return;
    if (ck_bool_at(f.v, "enabled", false) && ck_bool_at(c->spec, "karpenter.enabled", false))
        ck_chk_forbidden(c, f,
                         "nodeTerminationHandler cannot be used in conjunction with Karpenter");
    if (!ck_bool_at(f.v, "enableSQSTerminationDraining", true))
        return;
    struct ck_fld spot = ck_fld_at(c, f, "enableSpotInterruptionDraining", NULL);
    if (ck_fld_false(spot))
        ck_chk_forbidden(c, spot,
                         "spot interruption draining cannot be disabled in Queue Processor mode");
    struct ck_fld rebalance = ck_fld_at(c, f, "enableRebalanceMonitoring", NULL);
    if (ck_fld_true(rebalance))
        ck_chk_forbidden(c, rebalance, "rebalance events can only drain in Queue Processor mode");
}

void ck_chk_warm_pool(struct ck_chk *c, struct ck_fld f)
{
    struct ck_fld max = ck_fld_at(c, f, "maxSize", NULL), min = ck_fld_at(c, f, "minSize", NULL);
    int64_t most = ck_int_at(f.v, "maxSize", 0), least = ck_int_at(f.v, "minSize", 0);
    if (!ck_is_null(max.v) && most < 0)
        ck_chk_invalid_int(c, max, most, "warm pool maxSize cannot be negative");
    else if (!ck_is_null(max.v) && least > most)
        ck_chk_invalid_int(c, max, most, "warm pool maxSize cannot be set to lower than minSize");
    if (least < 0)
        ck_chk_invalid_int(c, min, least, "warm pool minSize cannot be negative");
}

/* Rules 157–159; some paths say the field's name twice. */
static void check_discovery(struct ck_chk *c, struct ck_fld spec)
{
    static const char doubled[] =
        "spec.serviceAccountIssuerDiscovery.serviceAccountIssuerDiscovery";
    static const char *const known[] = {"s3://",        "gs://",  "do://",  "swift://",
                                        "azureblob://", "hos://", "scw://", "linode://",
                                        "oss://",       "k8s://", "ssh://"};
    struct ck_fld said = ck_fld_at(c, spec, "serviceAccountIssuerDiscovery", NULL);
    struct ck_fld store = ck_fld_at(c, said, "discoveryStore", NULL);
    struct ck_fld service = ck_fld_at(c, said, "discoveryService", NULL);
    struct ck_fld at = ck_fld_named(store, ck_arena_printf(c->a, "%s.discoveryStore", doubled));
    const char *s = ck_fld_str(store);
    bool other = !strstr(s, "://") || ck_str_starts(s, "file://");
    for (size_t i = 0; i < CK_ARRAY_LEN(known); i++)
        other |= ck_str_starts(s, known[i]);
    if (ck_str_starts(s, "s3://")) {
        if (memchr(s + 5, '.', strcspn(s + 5, "/")))
            ck_chk_invalid(c, at, "Bucket name cannot contain dots");
    } else if (*s && !ck_str_starts(s, "memfs://")) {
        if (!other)
            ck_chk_invalid(c, at, "not a valid VFS path");
        else
            ck_chk_invalid_str(c, at, ck_str_starts(s, "file://") ? s + strlen("file://") : s,
                               "S3 is the only supported VFS for discoveryStore");
    }
    struct ck_fld url = ck_fld_at(c, service, "url", NULL);
    if (!ck_is_null(service.v) && !ck_fld_set(url))
        ck_chk_required(
            c, ck_fld_named(url, ck_arena_printf(c->a, "%s.discoveryService.url", doubled)),
            "discoveryService URL must be specified");
    struct ck_fld oidc = ck_fld_at(c, said, "enableAWSOIDCProvider", NULL);
    if (ck_fld_true(oidc) && !*s && ck_is_null(service.v))
        ck_chk_forbidden(
            c, ck_fld_named(oidc, ck_arena_printf(c->a, "%s.enableAWSOIDCProvider", doubled)),
            "AWS OIDC Provider requires a discoveryStore or discoveryService to be set");
    if (*s && !ck_is_null(service.v))
        ck_chk_forbidden(c, store,
                         "Only one of discoveryStore or discoveryService may be specified");
}

void ck_chk_aws_addons(struct ck_chk *c, struct ck_fld spec)
{
    check_termination_handler(c, ck_fld_at(c, spec, "nodeTerminationHandler",
                                           "cloudProvider.aws.nodeTerminationHandler"));
    struct ck_fld f = ck_fld_at(c, spec, "awsLoadBalancerController",
                                "cloudProvider.aws.awsLoadBalanceController");
    if (ck_bool_at(f.v, "enabled", false) && !ck_chk_cert_manager(c))
        ck_chk_forbidden(c, f,
                         "AWS Load Balancer Controller requires that cert manager is enabled");
    f = ck_fld_at(c, spec, "podIdentityWebhook", "cloudProvider.aws.podIdentityWebhook");
    if (ck_bool_at(f.v, "enabled", false) && !ck_chk_cert_manager(c))
        ck_chk_forbidden(c, f, "EKS Pod Identity Webhook requires that cert manager is enabled");
    f = ck_fld_at(c, spec, "warmPool", "cloudProvider.aws.warmPool");
    ck_chk_warm_pool(c, f);
    struct ck_fld images = ck_fld_at(c, f, "additionalImages", NULL);
    if (ck_len(images.v))
        ck_chk_forbidden(c, images,
                         "warm pool additional images can only be set in the instance group spec");
    check_discovery(c, spec);
}
