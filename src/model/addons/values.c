/* Values every add-on's template may use: names of the cluster, yes-or-no facts about it, and
 * what follows from the number of control-plane nodes. */
#include "model/addons/addon.h"
#include "model/aws/builders.h"
#include "spec/kubeversion.h"

#include <string.h>

/* The tag kOps' own images have for a version. */
static const char *image_tag(struct ck_arena *a, const char *version)
{
    char *tag = ck_arena_strdup(a, version);
    for (char *p = tag; *p; p++)
        if (*p == '+')
            *p = '-';
    return tag;
}

/* Any group, or the cluster, with the setting on. */
static bool any_on(const struct ck_model *m, const char *path)
{
    if (ck_bool_at(m->spec, path, false))
        return true;
    for (size_t i = 0; i < m->n_groups; i++)
        if (ck_bool_at(ck_object_spec(&m->groups[i]), path, false))
            return true;
    return false;
}

static void set(struct ck_addon_ctx *c, const char *key, bool b)
{
    ck_set_bool(c->a, c->vals, key, b);
}

static bool on(const struct ck_addon_ctx *c, const char *path)
{
    return ck_bool_at(c->m->spec, path, false);
}

/* Two replicas need two control-plane nodes. */
static int64_t replicas(const struct ck_model *m)
{
    int64_t nodes = 0;
    for (size_t i = 0; i < m->n_groups; i++)
        if (ck_model_role(&m->groups[i]) == CK_ROLE_CONTROL_PLANE)
            nodes += ck_int_at(ck_object_spec(&m->groups[i]), "minSize", 1);
    return nodes > 1 ? 2 : 1;
}

/* "KubernetesCluster=C,key=value": the labels of the cluster's cloud objects. */
static const char *tag_list(struct ck_addon_ctx *c)
{
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    CK_AUTOSTRV keys = {0};
    const struct ck_val *labels = ck_get(c->m->spec, "cloudLabels");
    ck_buf_fmt(&out, "KubernetesCluster=%s", c->m->name);
    for (size_t i = 0; i < ck_len(labels); i++)
        ck_strv_push(&keys, labels->map.v[i].key.ptr);
    ck_strv_sort(&keys);
    for (size_t i = 0; i < keys.n; i++)
        ck_buf_fmt(&out, ",%s=%s", keys.v[i], ck_str_or(ck_get(labels, keys.v[i]), ""));
    return ck_arena_strdup(c->a, ck_buf_str(&out));
}

/* Environment of components that talk to the cloud from a node's network. */
static struct ck_val *system_env(struct ck_addon_ctx *c)
{
    struct ck_val *env = ck_map(c->a);
    ck_set_str(c->a, env, "AWS_REGION", c->m->region);
    const char *host = ck_str_at(c->m->spec, "egressProxy.httpProxy.host");
    int64_t port = ck_int_at(c->m->spec, "egressProxy.httpProxy.port", 0);
    if (!*host)
        return env;
    const char *url = port ? ck_arena_printf(c->a, "http://%s:%d", host, (int)port)
                           : ck_arena_printf(c->a, "http://%s", host);
    const char *none = ck_str_at(c->m->spec, "egressProxy.excludes");
    ck_set_str(c->a, env, "http_proxy", url);
    ck_set_str(c->a, env, "https_proxy", url);
    ck_set_str(c->a, env, "NO_PROXY", none);
    ck_set_str(c->a, env, "no_proxy", none);
    return env;
}

/* Where the termination handler reads its queue. */
static const char *queue_url(struct ck_addon_ctx *c)
{
    const char *suffix = ck_str_starts(c->m->region, "cn-") ? ".cn" : "";
    return ck_arena_printf(c->a, "https://sqs.%s.amazonaws.com%s/%s/%s", c->m->region, suffix,
                           c->m->account, ck_aws_queue_name(c->m));
}

void ck_addon_values(struct ck_addon_ctx *c)
{
    const struct ck_model *m = c->m;
    c->vals = ck_map(c->a);
    const char *const texts[][2] = {
        {"name", m->name},
        {"region", m->region},
        {"partition", m->partition},
        {"account", m->account},
        {"tag", image_tag(c->a, m->kops_version)},
        {"apiInternal", ck_model_internal_api_name(m)},
        {"tagList", tag_list(c)},
        {"nthQueueURL", queue_url(c)},
        {"vpcID", ck_str_at(m->spec, "networkID")},
        {"loopback", ck_model_ipv6_only(m) ? "::1" : "127.0.0.1"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(texts); i++)
        ck_set_str(c->a, c->vals, texts[i][0], texts[i][1]);
    ck_set_int(c->a, c->vals, "cpReplicas", replicas(m));
    ck_set(c->a, c->vals, "systemEnv", system_env(c));
    bool insecure = ck_bool_at(m->spec, "metricsServer.insecure", true);
    set(c, "yes", true);
    set(c, "dns", !ck_model_dns_none(m));
    set(c, "ipv6", ck_model_ipv6_only(m));
    set(c, "irsa", on(c, "iam.useServiceAccountExternalPermissions"));
    set(c, "gpu", any_on(m, "containerd.nvidiaGPU.enabled"));
    set(c, "gvisor", any_on(m, "containerd.gvisor.enabled"));
    set(c, "additional", m->n_addons > 0);
    set(c, "metricsInsecure", insecure);
    ck_set_str(c->a, c->vals, "addressTypes", insecure ? "InternalIP" : "Hostname");
    set(c, "nthQueue", ck_aws_uses_queue(m));
    /* Volume attributes classes are on by default from Kubernetes 1.34. */
    set(c, "volumeAttributesClass", ck_kube_version_ge(&m->kubernetes, 1, 34));
    set(c, "ebsCSI",
        ck_bool_at(m->spec, "cloudConfig.awsEBSCSIDriver.enabled", true) &&
            ck_bool_at(m->spec, "cloudConfig.awsEBSCSIDriver.managed", true));
}
