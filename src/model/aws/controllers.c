/* What the controllers in a cluster need of AWS, whether through the control plane's role or
 * through roles of their own.
 *
 * Source: shared facts update-cluster-aws.md §10; kOps pkg/model/iam/iam_builder.go. */
#include "model/aws/policy.h"

#include "model/aws/builders.h"

#include <string.h>

/* Making and tagging what carries the cluster's tag: `verbs` make, `kinds` are made. */
static void create_with_tags(struct ck_policy *p, const char *const *verbs, size_t n_verbs,
                             const char *const *kinds, size_t n_kinds)
{
    const struct ck_model *m = p->m;
    struct ck_val *resources = ck_list(m->a), *cluster = ck_str(m->a, m->name);
    for (size_t i = 0; i < n_kinds; i++)
        ck_append_str(m->a, resources, ck_policy_arn(m, "ec2:*:*:%s/*", kinds[i]));
    for (size_t i = 0; i < n_verbs; i++) {
        const char *action = ck_arena_printf(m->a, "ec2:%s", verbs[i]);
        ck_policy_allow(p, CK_POLICY_CREATE, &action, 1);
    }
    struct ck_val *making =
        ck_policy_when(m, NULL, "StringEquals", "aws:RequestTag/KubernetesCluster", cluster);
    ck_policy_when(m, making, "StringEquals", "ec2:CreateAction",
                   ck_policy_list(m, verbs, n_verbs));
    ck_policy_statement(p, ck_str(m->a, "ec2:CreateTags"), making, resources);
    struct ck_val *made =
        ck_policy_when(m, NULL, "Null", "aws:RequestTag/KubernetesCluster", ck_str(m->a, "true"));
    ck_policy_when(m, made, "StringEquals", "aws:ResourceTag/KubernetesCluster", cluster);
    ck_policy_statement(p, CK_POLICY_LIST(m, "ec2:CreateTags", "ec2:DeleteTags"), made, resources);
}

void ck_policy_dns_controller(struct ck_policy *p)
{
    const struct ck_model *m = p->m;
    const char *zone = ck_aws_zone_id(m);
    if (!*zone)
        return;
    const char *zone_arn = ck_policy_arn(m, "route53:::hostedzone/%s", zone);
    const char *change_arn = ck_policy_arn(m, "route53:::change/*");
    ck_policy_statement(p,
                        CK_POLICY_LIST(m, "route53:ChangeResourceRecordSets",
                                       "route53:GetHostedZone", "route53:ListResourceRecordSets"),
                        NULL, ck_policy_list(m, &zone_arn, 1));
    ck_policy_statement(p, CK_POLICY_LIST(m, "route53:GetChange"), NULL,
                        ck_policy_list(m, &change_arn, 1));
    ck_policy_statement(p,
                        CK_POLICY_LIST(m, "route53:ListHostedZones", "route53:ListTagsForResource"),
                        NULL, CK_POLICY_LIST(m, "*"));
}

void ck_policy_external_dns(struct ck_policy *p)
{
    ck_policy_dns_controller(p);
}

static void snapshots(struct ck_policy *p)
{
    static const char *const verbs[] = {"CreateSnapshot"};
    static const char *const kinds[] = {"snapshot", "volume"};
    const struct ck_model *m = p->m;
    create_with_tags(p, verbs, 1, kinds, 2);
    ck_policy_statement(p, ck_str(m->a, "ec2:CreateVolume"),
                        ck_policy_when(m, NULL, "StringEquals", "aws:ResourceTag/KubernetesCluster",
                                       ck_str(m->a, m->name)),
                        ck_str(m->a, ck_policy_arn(m, "ec2:*:*:snapshot/*")));
    CK_POLICY_ALLOW(p, CK_POLICY_ANY, "ec2:CreateSnapshot", "ec2:DescribeAvailabilityZones",
                    "ec2:DescribeSnapshots");
    CK_POLICY_ALLOW(p, CK_POLICY_TAGGED, "ec2:DeleteSnapshot", "ec2:EnableFastSnapshotRestores");
}

void ck_policy_ebs_csi(struct ck_policy *p)
{
    static const char *const verbs[] = {"CopyVolumes", "CreateVolume"};
    static const char *const kinds[] = {"snapshot", "volume"};
    if (ck_bool_at(p->m->spec, "snapshotController.enabled", false))
        snapshots(p);
    create_with_tags(p, verbs, 2, kinds, 2);
    CK_POLICY_ALLOW(p, CK_POLICY_ANY, "ec2:DescribeAvailabilityZones", "ec2:DescribeInstances",
                    "ec2:DescribeInstanceTypes", "ec2:DescribeTags", "ec2:DescribeVolumes",
                    "ec2:DescribeVolumesModifications", "ec2:DescribeVolumeStatus");
    CK_POLICY_ALLOW(p, CK_POLICY_TAGGED, "ec2:AttachVolume", "ec2:DeleteVolume", "ec2:DetachVolume",
                    "ec2:ModifyVolume");
    /* Disks are encrypted with keys of the account. */
    CK_POLICY_ALLOW(p, CK_POLICY_KMS, "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt",
                    "kms:GenerateDataKey*", "kms:ReEncrypt*");
}

static void make_security_groups(struct ck_policy *p)
{
    static const char *const verbs[] = {"CreateSecurityGroup"};
    static const char *const kinds[] = {"security-group"};
    create_with_tags(p, verbs, 1, kinds, 1);
}

void ck_policy_cloud_controller(struct ck_policy *p)
{
    const struct ck_val *spec = p->m->spec;
    make_security_groups(p);
    CK_POLICY_ALLOW(p, CK_POLICY_ANY, "autoscaling:DescribeAutoScalingGroups",
                    "autoscaling:DescribeTags", "ec2:DescribeInstances", "ec2:DescribeRegions",
                    "ec2:DescribeAvailabilityZones", "ec2:DescribeRouteTables",
                    "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
                    "ec2:DescribeInstanceTopology", "elasticloadbalancing:DescribeLoadBalancers",
                    "elasticloadbalancing:DescribeLoadBalancerAttributes",
                    "elasticloadbalancing:DescribeListeners",
                    "elasticloadbalancing:DescribeLoadBalancerPolicies",
                    "elasticloadbalancing:DescribeTargetGroups",
                    "elasticloadbalancing:DescribeTargetGroupAttributes",
                    "elasticloadbalancing:DescribeTargetHealth", "iam:CreateServiceLinkedRole",
                    "kms:DescribeKey");
    CK_POLICY_ALLOW(
        p, CK_POLICY_TAGGED, "ec2:AuthorizeSecurityGroupIngress", "ec2:DeleteSecurityGroup",
        "ec2:ModifyInstanceAttribute", "ec2:RevokeSecurityGroupIngress",
        "elasticloadbalancing:AddTags", "elasticloadbalancing:ApplySecurityGroupsToLoadBalancer",
        "elasticloadbalancing:AttachLoadBalancerToSubnets",
        "elasticloadbalancing:ConfigureHealthCheck",
        "elasticloadbalancing:CreateLoadBalancerListeners",
        "elasticloadbalancing:CreateLoadBalancerPolicy", "elasticloadbalancing:DeleteListener",
        "elasticloadbalancing:DeleteLoadBalancer",
        "elasticloadbalancing:DeleteLoadBalancerListeners",
        "elasticloadbalancing:DeleteTargetGroup",
        "elasticloadbalancing:DeregisterInstancesFromLoadBalancer",
        "elasticloadbalancing:DeregisterTargets",
        "elasticloadbalancing:DetachLoadBalancerFromSubnets", "elasticloadbalancing:ModifyListener",
        "elasticloadbalancing:ModifyLoadBalancerAttributes",
        "elasticloadbalancing:ModifyTargetGroup",
        "elasticloadbalancing:ModifyTargetGroupAttributes",
        "elasticloadbalancing:RegisterInstancesWithLoadBalancer",
        "elasticloadbalancing:RegisterTargets",
        "elasticloadbalancing:SetLoadBalancerPoliciesForBackendServer",
        "elasticloadbalancing:SetLoadBalancerPoliciesOfListener");
    CK_POLICY_ALLOW(p, CK_POLICY_CREATE, "elasticloadbalancing:CreateListener",
                    "elasticloadbalancing:CreateLoadBalancer",
                    "elasticloadbalancing:CreateTargetGroup");
    if (ck_get(ck_get(spec, "networking"), "kubenet"))
        CK_POLICY_ALLOW(p, CK_POLICY_TAGGED, "ec2:CreateRoute", "ec2:DeleteRoute");
    if (!strcmp(ck_str_at(spec, "cloudConfig.nlbSecurityGroupMode"), "Managed"))
        CK_POLICY_ALLOW(p, CK_POLICY_TAGGED, "elasticloadbalancing:SetSecurityGroups");
}

void ck_policy_balancer_controller(struct ck_policy *p)
{
    const struct ck_val *spec = ck_get(p->m->spec, "awsLoadBalancerController");
    make_security_groups(p);
    CK_POLICY_ALLOW(
        p, CK_POLICY_ANY, "acm:DescribeCertificate", "acm:ListCertificates",
        "ec2:DescribeAvailabilityZones", "ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
        "ec2:GetCoipPoolUsage", "ec2:GetSecurityGroupsForVpc",
        "elasticloadbalancing:DescribeListenerAttributes",
        "elasticloadbalancing:DescribeListenerCertificates",
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeRules",
        "elasticloadbalancing:DescribeTags", "elasticloadbalancing:DescribeTargetGroupAttributes",
        "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth",
        "elasticloadbalancing:DescribeTrustStores", "iam:CreateServiceLinkedRole");
    CK_POLICY_ALLOW(
        p, CK_POLICY_TAGGED, "ec2:AuthorizeSecurityGroupIngress", "ec2:DeleteSecurityGroup",
        "ec2:RevokeSecurityGroupIngress", "elasticloadbalancing:AddListenerCertificates",
        "elasticloadbalancing:AddTags", "elasticloadbalancing:CreateRule",
        "elasticloadbalancing:DeleteListener", "elasticloadbalancing:DeleteLoadBalancer",
        "elasticloadbalancing:DeleteRule", "elasticloadbalancing:DeleteTargetGroup",
        "elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:ModifyListener",
        "elasticloadbalancing:ModifyListenerAttributes",
        "elasticloadbalancing:ModifyLoadBalancerAttributes", "elasticloadbalancing:ModifyRule",
        "elasticloadbalancing:ModifyTargetGroup",
        "elasticloadbalancing:ModifyTargetGroupAttributes", "elasticloadbalancing:RegisterTargets",
        "elasticloadbalancing:RemoveListenerCertificates", "elasticloadbalancing:RemoveTags",
        "elasticloadbalancing:SetIpAddressType", "elasticloadbalancing:SetSecurityGroups",
        "elasticloadbalancing:SetSubnets");
    CK_POLICY_ALLOW(p, CK_POLICY_CREATE, "elasticloadbalancing:CreateListener",
                    "elasticloadbalancing:CreateLoadBalancer",
                    "elasticloadbalancing:CreateTargetGroup");
    if (ck_bool_at(spec, "enableWAF", false))
        CK_POLICY_ALLOW(p, CK_POLICY_ANY, "waf-regional:AssociateWebACL",
                        "waf-regional:DisassociateWebACL", "waf-regional:GetWebACL",
                        "waf-regional:GetWebACLForResource");
    if (ck_bool_at(spec, "enableWAFv2", false))
        CK_POLICY_ALLOW(p, CK_POLICY_ANY, "wafv2:AssociateWebACL", "wafv2:DisassociateWebACL",
                        "wafv2:GetWebACL", "wafv2:GetWebACLForResource");
    if (ck_bool_at(spec, "enableShield", false))
        CK_POLICY_ALLOW(p, CK_POLICY_ANY, "shield:CreateProtection", "shield:DeleteProtection",
                        "shield:DescribeProtection", "shield:GetSubscriptionState");
}

void ck_policy_cluster_autoscaler(struct ck_policy *p)
{
    CK_POLICY_ALLOW(
        p, CK_POLICY_ANY, "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeAutoScalingInstances", "autoscaling:DescribeLaunchConfigurations",
        "autoscaling:DescribeScalingActivities", "ec2:DescribeImages",
        "ec2:DescribeLaunchTemplateVersions", "ec2:GetInstanceTypesFromInstanceRequirements");
    if (!ck_bool_at(p->m->spec, "clusterAutoscaler.awsUseStaticInstanceList", false))
        CK_POLICY_ALLOW(p, CK_POLICY_ANY, "ec2:DescribeInstanceTypes");
    CK_POLICY_ALLOW(p, CK_POLICY_TAGGED, "autoscaling:SetDesiredCapacity",
                    "autoscaling:TerminateInstanceInAutoScalingGroup");
}

void ck_policy_termination_handler(struct ck_policy *p)
{
    CK_POLICY_ALLOW(p, CK_POLICY_ANY, "autoscaling:DescribeAutoScalingInstances",
                    "autoscaling:DescribeTags", "ec2:DescribeInstances", "sqs:DeleteMessage",
                    "sqs:ReceiveMessage");
    CK_POLICY_ALLOW(p, CK_POLICY_TAGGED, "autoscaling:CompleteLifecycleAction");
}

/* ---- Karpenter ---- */

static struct ck_val *ec2_arns(const struct ck_model *m, const char *const *kinds, size_t n)
{
    struct ck_val *list = ck_list(m->a);
    for (size_t i = 0; i < n; i++) {
        bool global = !strcmp(kinds[i], "image") || !strcmp(kinds[i], "snapshot");
        ck_append_str(m->a, list,
                      ck_policy_arn(m, global ? "ec2:*::%s/*" : "ec2:*:*:%s/*", kinds[i]));
    }
    return list;
}

/* Of this cluster and of some node pool: tags of the `which` ("Resource", "Request"). */
static struct ck_val *of_node_pool(const struct ck_model *m, const char *which)
{
    struct ck_val *c = ck_policy_when(m, NULL, "StringEquals",
                                      ck_arena_printf(m->a, "aws:%sTag/KubernetesCluster", which),
                                      ck_str(m->a, m->name));
    return ck_policy_when(m, c, "StringLike",
                          ck_arena_printf(m->a, "aws:%sTag/karpenter.sh/nodepool", which),
                          ck_str(m->a, "*"));
}

static void karpenter_tags(struct ck_policy *p, struct ck_val *made)
{
    const struct ck_model *m = p->m;
    struct ck_val *making = of_node_pool(m, "Request");
    ck_policy_when(m, making, "StringEquals", "ec2:CreateAction",
                   CK_POLICY_LIST(m, "CreateFleet", "CreateLaunchTemplate", "RunInstances"));
    ck_policy_statement(p, ck_str(m->a, "ec2:CreateTags"), making, made);
    struct ck_val *later = of_node_pool(m, "Resource");
    ck_policy_when(m, later, "Null", "aws:RequestTag/KubernetesCluster", ck_str(m->a, "true"));
    ck_policy_statement(p, CK_POLICY_LIST(m, "ec2:CreateTags", "ec2:DeleteTags"), later, made);
}

/* Roles that Karpenter may give to machines: those of node groups. */
static void karpenter_roles(struct ck_policy *p)
{
    enum { MAX_ROLE = 64 };
    const struct ck_model *m = p->m;
    const char *role =
        ck_model_truncate(m->a, ck_arena_printf(m->a, "nodes.%s", m->name), MAX_ROLE, false);
    ck_policy_statement(p, ck_str(m->a, "iam:PassRole"),
                        ck_policy_when(m, NULL, "StringEquals", "iam:PassedToService",
                                       ck_str(m->a, "ec2.amazonaws.com")),
                        ck_str(m->a, ck_policy_arn(m, "iam::*:role/%s", role)));
}

void ck_policy_karpenter(struct ck_policy *p)
{
    static const char *const used[] = {"capacity-reservation", "security-group", "subnet", "image",
                                       "snapshot"};
    static const char *const templates[] = {"launch-template"};
    static const char *const made[] = {
        "fleet", "instance", "launch-template", "network-interface", "spot-instances-request",
        "volume"};
    static const char *const ended[] = {"instance", "launch-template"};
    const struct ck_model *m = p->m;
    struct ck_val *made_arns = ec2_arns(m, made, sizeof made / sizeof *made);
    ck_policy_statement(p, CK_POLICY_LIST(m, "ec2:CreateFleet", "ec2:RunInstances"), NULL,
                        ec2_arns(m, used, sizeof used / sizeof *used));
    ck_policy_statement(p, CK_POLICY_LIST(m, "ec2:CreateFleet", "ec2:RunInstances"),
                        of_node_pool(m, "Resource"), ec2_arns(m, templates, 1));
    ck_policy_statement(
        p, CK_POLICY_LIST(m, "ec2:CreateFleet", "ec2:CreateLaunchTemplate", "ec2:RunInstances"),
        of_node_pool(m, "Request"), made_arns);
    karpenter_tags(p, made_arns);
    ck_policy_statement(p, CK_POLICY_LIST(m, "ec2:DeleteLaunchTemplate", "ec2:TerminateInstances"),
                        of_node_pool(m, "Resource"), ec2_arns(m, ended, 2));
    karpenter_roles(p);
    CK_POLICY_ALLOW(p, CK_POLICY_KMS, "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt",
                    "kms:GenerateDataKey*", "kms:ReEncrypt*");
    CK_POLICY_ALLOW(p, CK_POLICY_ANY, "ec2:DescribeCapacityReservations", "ec2:DescribeImages",
                    "ec2:DescribeInstanceStatus", "ec2:DescribeInstanceTypeOfferings",
                    "ec2:DescribeInstanceTypes", "ec2:DescribeInstances",
                    "ec2:DescribeLaunchTemplates", "ec2:DescribePlacementGroups",
                    "ec2:DescribeSecurityGroups", "ec2:DescribeSpotPriceHistory",
                    "ec2:DescribeSubnets", "iam:GetInstanceProfile", "iam:ListInstanceProfiles",
                    "pricing:GetProducts", "ssm:GetParameter");
}
