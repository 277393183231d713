/* The identity provider for service accounts, and their roles.
 *
 * Source: shared facts update-cluster-aws.md §11; kOps pkg/model/awsmodel/oidc_provider.go, iam.go,
 * pkg/model/iam/subject.go. */
#include "model/aws/builders.h"

#include "doc/json.h"
#include "model/aws/policy.h"

#include <string.h>

/* Roots of the certificates that AWS trusts for S3 and the like. */
static const char *const THUMBPRINTS[] = {
    "9e99a48a9960b14926bb7f3b02e22da2b0ab7280",
    "a9d53002e97e00e043244f3d170d6f4c414104fd",
};

static const char *issuer(const struct ck_model *m)
{
    return ck_str_at(m->spec, "kubeAPIServer.serviceAccountIssuer");
}

static void provider(struct ck_model *m)
{
    const struct ck_val *extra =
        ck_at(m->spec, "serviceAccountIssuerDiscovery.additionalAudiences");
    struct ck_val *clients = CK_POLICY_LIST(m, "amazonaws.com");
    for (size_t i = 0; i < ck_len(extra); i++)
        ck_append(m->a, clients, ck_item(extra, i));
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_oidc_provider, m->name, m->security);
    ck_task_val(t, "ClientIDs", clients);
    ck_task_val(t, "Thumbprints", ck_policy_list(m, THUMBPRINTS, 2));
    ck_task_str(t, "URL", issuer(m));
    ck_task_val(t, "Tags", ck_aws_tags(m, m->name, false));
}

static struct ck_slice trust(const struct ck_model *m, const char *account, const char *namespace)
{
    const char *url = issuer(m);
    const char *bare = ck_str_starts(url, "https://") ? url + strlen("https://") : url;
    struct ck_val *s = ck_map(m->a), *who = ck_map(m->a), *document = ck_map(m->a);
    struct ck_val *list = ck_list(m->a);
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    ck_set_str(m->a, who, "Federated",
               ck_policy_arn(m, "iam::%s:oidc-provider/%s", m->account, bare));
    ck_set_str(m->a, s, "Action", "sts:AssumeRoleWithWebIdentity");
    ck_set(m->a, s, "Condition",
           ck_policy_when(m, NULL, strchr(namespace, '*') ? "StringLike" : "StringEquals",
                          ck_arena_printf(m->a, "%s:sub", bare),
                          ck_strf(m->a, "system:serviceaccount:%s:%s", namespace, account)));
    ck_set_str(m->a, s, "Effect", "Allow");
    ck_set(m->a, s, "Principal", who);
    ck_append(m->a, list, s);
    ck_set(m->a, document, "Statement", list);
    ck_set_str(m->a, document, "Version", "2012-10-17");
    ck_json_emit(&text, document, (struct ck_json_style){.order = CK_JSON_SORTED, .indent = 2});
    return ck_arena_slice(m->a, ck_buf_slice(&text));
}

/* "*" → "wildcard" */
static const char *plain_namespace(const struct ck_model *m, const char *namespace)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    for (; *namespace; namespace ++) {
        if (*namespace == '*')
            ck_buf_puts(&b, "wildcard");
        else
            ck_buf_putc(&b, *namespace);
    }
    return ck_arena_strdup(m->a, ck_buf_str(&b));
}

/* The role of a service account; returns its task name. */
static const char *role(struct ck_model *m, const char *account, const char *namespace)
{
    enum { MAX_ROLE = 64 };
    const char *plain = plain_namespace(m, namespace);
    const char *boundary = ck_str_at(m->spec, "iam.permissionsBoundary");
    const char *name = ck_model_truncate(
        m->a, ck_arena_printf(m->a, "%s.%s.sa.%s", account, plain, m->name), MAX_ROLE, false);
    struct ck_val *tags = ck_aws_tags(m, name, false);
    ck_set_str(m->a, tags, "service-account.kops.k8s.io/name", account);
    ck_set_str(m->a, tags, "service-account.kops.k8s.io/namespace", plain);
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_iam_role, name, m->security);
    ck_task_bytes(t, "RolePolicyDocument", trust(m, account, namespace));
    ck_task_str(t, "PermissionsBoundary", *boundary ? boundary : NULL);
    ck_task_val(t, "Tags", tags);
    ck_task_str(t, "ExportWithID", ck_arena_printf(m->a, "%s-%s", plain, account));
    return name;
}

static void inline_policy(struct ck_model *m, const char *role_task, struct ck_slice document)
{
    struct ck_task *t = ck_task_new(m->tasks, &ck_aws_iam_role_policy, role_task, m->security);
    ck_task_ref(t, "Role", &ck_aws_iam_role, role_task);
    ck_task_bytes(t, "PolicyDocument", document);
    ck_task_bool(t, "Managed", false);
}

static bool always(const struct ck_model *m)
{
    return true;
}

static bool dns_provider_is(const struct ck_model *m, const char *name)
{
    return !ck_model_dns_none(m) && !strcmp(ck_str_at(m->spec, "externalDns.provider"), name);
}

static bool uses_dns_controller(const struct ck_model *m)
{
    return dns_provider_is(m, "dns-controller");
}

static bool uses_external_dns(const struct ck_model *m)
{
    return dns_provider_is(m, "external-dns");
}

static bool uses_ebs_csi(const struct ck_model *m)
{
    return ck_bool_at(m->spec, "cloudConfig.awsEBSCSIDriver.enabled", true);
}

static bool uses_balancer_controller(const struct ck_model *m)
{
    return ck_bool_at(m->spec, "awsLoadBalancerController.enabled", false);
}

static bool uses_autoscaler(const struct ck_model *m)
{
    return ck_bool_at(m->spec, "clusterAutoscaler.enabled", false);
}

static bool uses_karpenter(const struct ck_model *m)
{
    return ck_bool_at(m->spec, "karpenter.enabled", false);
}

static const struct {
    const char *account;
    bool (*used)(const struct ck_model *m);
    void (*policy)(struct ck_policy *p);
} CONTROLLERS[] = {
    {"dns-controller", uses_dns_controller, ck_policy_dns_controller},
    {"external-dns", uses_external_dns, ck_policy_external_dns},
    {"ebs-csi-controller-sa", uses_ebs_csi, ck_policy_ebs_csi},
    {"aws-cloud-controller-manager", always, ck_policy_cloud_controller},
    {"aws-load-balancer-controller", uses_balancer_controller, ck_policy_balancer_controller},
    {"cluster-autoscaler", uses_autoscaler, ck_policy_cluster_autoscaler},
    {"aws-node-termination-handler", ck_aws_uses_queue, ck_policy_termination_handler},
    {"karpenter", uses_karpenter, ck_policy_karpenter},
};

static void controllers(struct ck_model *m)
{
    if (!ck_bool_at(m->spec, "iam.useServiceAccountExternalPermissions", false))
        return;
    for (size_t i = 0; i < sizeof CONTROLLERS / sizeof *CONTROLLERS; i++) {
        if (!CONTROLLERS[i].used(m))
            continue;
        struct ck_policy p;
        ck_policy_init(&p, m);
        CONTROLLERS[i].policy(&p);
        inline_policy(m, role(m, CONTROLLERS[i].account, "kube-system"), ck_policy_text(&p));
    }
}

static int user_account(struct ck_model *m, const struct ck_val *s, struct ck_err *err)
{
    const char *account = ck_str_at(s, "name"), *json = ck_str_at(s, "aws.inlinePolicy");
    const char *task = role(m, account, ck_str_at(s, "namespace"));
    const struct ck_val *arns = ck_at(s, "aws.policyARNs");
    struct ck_slice document = {"", 0};
    if (*json) {
        int r = ck_policy_of_statements(m, json, &document, err);
        if (r)
            return ck_wrap(err, "spec.iam.serviceAccountExternalPermissions[%s].aws.inlinePolicy",
                           account);
        inline_policy(m, task, document);
    }
    if (ck_len(arns)) {
        struct ck_task *t = ck_task_new(m->tasks, &ck_aws_iam_role_policy,
                                        ck_arena_printf(m->a, "external-%s", task), m->security);
        ck_task_ref(t, "Role", &ck_aws_iam_role, task);
        ck_task_bool(t, "Managed", true);
        ck_task_val(t, "ExternalPolicies", arns);
    }
    return 0;
}

int ck_aws_build_oidc(struct ck_model *m, struct ck_err *err)
{
    const struct ck_val *accounts = ck_at(m->spec, "iam.serviceAccountExternalPermissions");
    if (ck_bool_at(m->spec, "serviceAccountIssuerDiscovery.enableAWSOIDCProvider", false))
        provider(m);
    controllers(m);
    for (size_t i = 0; i < ck_len(accounts); i++) {
        int r = user_account(m, ck_item(accounts, i), err);
        if (r)
            return r;
    }
    return 0;
}
