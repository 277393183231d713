/* The inline policies of control plane, API servers and nodes.
 *
 * Source: shared facts update-cluster-aws.md §10; kOps pkg/model/iam/iam_builder.go. */
#include "model/aws/policy.h"

#include "model/aws/builders.h"
#include "vfs/vfs.h"

#include <stdlib.h>
#include <string.h>

static const struct ck_val *cni(const struct ck_model *m, const char *name)
{
    return ck_get(ck_get(m->spec, "networking"), name);
}

static bool cilium_eni(const struct ck_model *m)
{
    return !strcmp(ck_str_at(cni(m, "cilium"), "ipam"), "eni");
}

static bool has_nvidia(const struct ck_model *m)
{
    if (ck_bool_at(m->spec, "containerd.nvidiaGPU.enabled", false))
        return true;
    for (size_t i = 0; i < m->n_groups; i++)
        if (ck_bool_at(m->groups[i].root, "spec.containerd.nvidiaGPU.enabled", false))
            return true;
    return false;
}

static bool warm_pool_hook(const struct ck_model *m, enum ck_role role)
{
    for (size_t i = 0; i < m->n_all_groups; i++)
        if (ck_model_role(&m->all_groups[i]) == role &&
            ck_model_warm_pool(m, &m->all_groups[i]).hook)
            return true;
    return false;
}

static void nodeup(struct ck_policy *p, enum ck_role role)
{
    const struct ck_model *m = p->m;
    if (has_nvidia(m) || cni(m, "amazonvpc") || cilium_eni(m))
        CK_POLICY_ALLOW(p, CK_POLICY_ANY, "ec2:DescribeInstanceTypes");
    if (role != CK_ROLE_CONTROL_PLANE && warm_pool_hook(m, role)) {
        CK_POLICY_ALLOW(p, CK_POLICY_ANY, "autoscaling:DescribeLifecycleHooks");
        CK_POLICY_ALLOW(p, CK_POLICY_TAGGED, "autoscaling:CompleteLifecycleAction");
    }
    if (ck_model_ipv6_only(m))
        CK_POLICY_ALLOW(p, CK_POLICY_ANY, "ec2:AssignIpv6Addresses");
}

/* ---- what lies in stores ---- */

/* bucket/key of a location, with the stand-in bucket of stores in memory; NULL when nodes do not
 * read this kind of store with a role. */
static const char *bucket_path(const struct ck_model *m, const char *location, const char *stand_in,
                               const char **ret_bucket)
{
    static const char S3[] = "s3://", MEM[] = "memfs://";
    if (ck_str_starts(location, S3)) {
        const char *path = location + strlen(S3);
        *ret_bucket = ck_policy_arn(m, "s3:::%s", ck_arena_strndup(m->a, path, strcspn(path, "/")));
        return ck_policy_arn(m, "s3:::%s", path);
    }
    if (ck_str_starts(location, MEM)) {
        *ret_bucket = ck_policy_arn(m, "s3:::%s", stand_in);
        return ck_arena_printf(m->a, "%s/%s", *ret_bucket, location + strlen(MEM));
    }
    return NULL;
}

static bool nested(const char *inner, const char *outer)
{
    size_t n = strlen(outer);
    return !strncmp(inner, outer, n) && inner[n] == '/';
}

/* Config base, keys and secrets, without those that lie in another, sorted. */
static size_t top_locations(const struct ck_model *m, const char *ret[3])
{
    static const char *const fields[] = {"configBase", "keyStore", "secretStore"};
    const char *all[3];
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < 3; i++)
        if (*ck_str_at(m->spec, fields[i]))
            all[n++] = ck_str_at(m->spec, fields[i]);
    for (size_t i = 0; i < n; i++) {
        bool drop = false;
        for (size_t k = 0; k < n; k++)
            drop = drop || nested(all[i], all[k]) || (k < i && !strcmp(all[i], all[k]));
        if (!drop)
            ret[kept++] = all[i];
    }
    qsort(ret, kept, sizeof *ret, ck_text_cmp);
    return kept;
}

static void read_locations(struct ck_policy *p, struct ck_val *buckets)
{
    const struct ck_model *m = p->m;
    const char *v[3];
    size_t n = top_locations(m, v);
    for (size_t i = 0; i < n; i++) {
        const char *bucket;
        const char *path = bucket_path(m, v[i], "placeholder-read-bucket", &bucket);
        if (!path)
            continue;
        ck_set(m->a, buckets, bucket, ck_null(m->a));
        ck_policy_statement(p, CK_POLICY_LIST(m, "s3:Get*"), NULL, ck_strf(m->a, "%s/*", path));
    }
}

static void write_backups(struct ck_policy *p, struct ck_val *buckets)
{
    const struct ck_model *m = p->m;
    const struct ck_val *clusters = ck_get(m->spec, "etcdClusters");
    struct ck_val *seen = ck_map(m->a);
    for (size_t i = 0; i < ck_len(clusters); i++) {
        const char *location = ck_str_at(ck_item(clusters, i), "backups.backupStore"), *bucket;
        const char *path = bucket_path(m, location, "placeholder-write-bucket", &bucket);
        if (!path || ck_get(seen, path))
            continue;
        ck_set(m->a, seen, path, ck_null(m->a));
        ck_set(m->a, buckets, bucket, ck_null(m->a));
        ck_policy_statement(p,
                            CK_POLICY_LIST(m, "s3:DeleteObject", "s3:DeleteObjectVersion",
                                           "s3:GetObject", "s3:PutObject"),
                            NULL, ck_strf(m->a, "%s/*", path));
    }
}

static void list_buckets(struct ck_policy *p, const struct ck_val *buckets)
{
    const struct ck_model *m = p->m;
    size_t n = ck_len(buckets);
    const char **v = ck_arena_alloc(m->a, (n + 1) * sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = buckets->map.v[i].key.ptr;
    qsort(v, n, sizeof *v, ck_text_cmp);
    for (size_t i = 0; i < n; i++)
        ck_policy_statement(p,
                            CK_POLICY_LIST(m, "s3:GetBucketLocation",
                                           "s3:GetEncryptionConfiguration", "s3:ListBucket",
                                           "s3:ListBucketVersions"),
                            NULL, ck_policy_list(m, &v[i], 1));
}

static void stores(struct ck_policy *p, bool backups)
{
    struct ck_val *buckets = ck_map(p->m->a);
    read_locations(p, buckets);
    if (backups)
        write_backups(p, buckets);
    list_buckets(p, buckets);
}

const struct ck_val *ck_policy_of_stores(const struct ck_model *m, bool backups)
{
    struct ck_policy p;
    ck_policy_init(&p, m);
    stores(&p, backups);
    return p.statements;
}

static void kms(struct ck_policy *p)
{
    bool wide = ck_bool_at(p->m->spec, "encryptionConfig", false);
    CK_POLICY_ALLOW(p, CK_POLICY_KMS, "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt",
                    "kms:GenerateDataKey*", "kms:ReEncrypt*");
    if (wide)
        CK_POLICY_ALLOW(p, CK_POLICY_ANY, "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt",
                        "kms:GenerateDataKey*", "kms:ReEncrypt*");
}

static void registries(struct ck_policy *p)
{
    const struct ck_val *spec = p->m->spec;
    if (ck_bool_at(spec, "iam.allowContainerRegistry", false))
        CK_POLICY_ALLOW(p, CK_POLICY_ANY, "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage",
                        "ecr:DescribeRepositories", "ecr:GetAuthorizationToken",
                        "ecr:GetDownloadUrlForLayer", "ecr:GetRepositoryPolicy", "ecr:ListImages");
    if (ck_bool_at(spec, "containerd.useECRCredentialsForMirrors", false))
        CK_POLICY_ALLOW(p, CK_POLICY_ANY, "ecr:BatchImportUpstreamImage", "ecr:CreateRepository",
                        "ecr:ReplicateImage", "ecr:TagResource");
}

static void amazon_vpc(struct ck_policy *p)
{
    const struct ck_model *m = p->m;
    const char *interfaces = ck_policy_arn(m, "ec2:*:*:network-interface/*");
    ck_policy_statement(p, CK_POLICY_LIST(m, "ec2:CreateTags"), NULL,
                        ck_policy_list(m, &interfaces, 1));
    CK_POLICY_ALLOW(p, CK_POLICY_ANY, "ec2:AssignPrivateIpAddresses", "ec2:AttachNetworkInterface",
                    "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
                    "ec2:DescribeInstances", "ec2:DescribeTags", "ec2:DescribeNetworkInterfaces",
                    "ec2:DescribeInstanceTypes", "ec2:DescribeSecurityGroups",
                    "ec2:DescribeSubnets", "ec2:DetachNetworkInterface",
                    "ec2:ModifyNetworkInterfaceAttribute", "ec2:UnassignPrivateIpAddresses");
}

static void cilium(struct ck_policy *p)
{
    CK_POLICY_ALLOW(p, CK_POLICY_ANY, "ec2:AssignPrivateIpAddresses", "ec2:AttachNetworkInterface",
                    "ec2:CreateNetworkInterface", "ec2:CreateTags", "ec2:DeleteNetworkInterface",
                    "ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces",
                    "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
                    "ec2:DescribeTags", "ec2:DescribeVpcs", "ec2:ModifyNetworkInterfaceAttribute",
                    "ec2:UnassignPrivateIpAddresses");
}

static void networking(struct ck_policy *p, bool control_plane)
{
    const struct ck_model *m = p->m;
    const struct ck_val *calico = cni(m, "calico");
    if (cni(m, "amazonvpc"))
        amazon_vpc(p);
    if (control_plane && cilium_eni(m))
        cilium(p);
    if (calico && strcmp(ck_str_at(calico, "awsSrcDstCheck"), "DoNothing") &&
        !ck_model_ipv6_only(m))
        CK_POLICY_ALLOW(p, CK_POLICY_ANY, "ec2:DescribeInstances",
                        "ec2:ModifyNetworkInterfaceAttribute");
    if (cni(m, "kindnet") || cni(m, "kuberouter"))
        CK_POLICY_ALLOW(p, CK_POLICY_TAGGED, "ec2:ModifyInstanceAttribute");
}

static void etcd(struct ck_policy *p)
{
    const struct ck_model *m = p->m;
    struct ck_val *ours = ck_policy_when(
        m, NULL, "StringEquals", "aws:ResourceTag/KubernetesCluster", ck_str(m->a, m->name));
    ck_policy_when(m, ours, "StringEquals", "aws:ResourceTag/k8s.io/role/master",
                   ck_str(m->a, "1"));
    ck_policy_statement(p, ck_str(m->a, "ec2:AttachVolume"), ours, CK_POLICY_LIST(m, "*"));
    CK_POLICY_ALLOW(p, CK_POLICY_ANY, "ec2:DescribeInstances", "ec2:DescribeVolumes");
}

static void controllers(struct ck_policy *p)
{
    const struct ck_model *m = p->m;
    if (ck_bool_at(m->spec, "iam.useServiceAccountExternalPermissions", false))
        return;
    if (!ck_model_dns_none(m))
        ck_policy_dns_controller(p);
    ck_policy_ebs_csi(p);
    ck_policy_cloud_controller(p);
    if (ck_bool_at(m->spec, "awsLoadBalancerController.enabled", false))
        ck_policy_balancer_controller(p);
    ck_policy_cluster_autoscaler(p);
    if (ck_aws_uses_queue(m))
        ck_policy_termination_handler(p);
}

static void control_plane(struct ck_policy *p)
{
    etcd(p);
    CK_POLICY_ALLOW(p, CK_POLICY_ANY, "ec2:DescribeInstances");
    if (ck_model_ipv6_only(p->m))
        CK_POLICY_ALLOW(p, CK_POLICY_ANY, "ec2:DescribeNetworkInterfaces");
    nodeup(p, CK_ROLE_CONTROL_PLANE);
    stores(p, true);
    kms(p);
    controllers(p);
    registries(p);
    networking(p, true);
}

int ck_policy_of_role(const struct ck_model *m, enum ck_role role, struct ck_slice *ret,
                      struct ck_err *err)
{
    struct ck_policy p;
    ck_policy_init(&p, m);
    if (role == CK_ROLE_CONTROL_PLANE) {
        control_plane(&p);
    } else if (role == CK_ROLE_API_SERVER) {
        nodeup(&p, role);
        stores(&p, false);
        kms(&p);
        registries(&p);
        networking(&p, true);
    } else if (role == CK_ROLE_NODE) {
        nodeup(&p, role);
        registries(&p);
        networking(&p, false);
    }
    *ret = ck_policy_text(&p);
    return 0;
}
