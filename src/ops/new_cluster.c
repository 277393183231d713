/* Building a new cluster's specification from options: the order of steps is kOps', because later
 * ones look at what earlier ones set. */
#include "ops/new_cluster.h"

#include "base/enc.h"
#include "base/nearest.h"
#include "ops/new_cluster_build.h"

#include <string.h>
#include <strings.h>

static const char *const clouds[] = {"alicloud", "aws",    "azure", "digitalocean", "gce",
                                     "hetzner",  "linode", "metal", "openstack",    "scaleway"};

static int quoted(struct ck_err *err, const char *what, const char *value)
{
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(value));
    return ck_fail(err, CK_INVALID, "%s %s", what, ck_buf_str(&q));
}

int ck_new_unknown(struct ck_err *err, const char *lead, const char *value, bool quote,
                   const char *const *known, size_t n)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    const char *near = ck_nearest(value, known, n);
    ck_buf_puts(&b, lead);
    if (quote)
        ck_goquote(&b, ck_slice_of(value));
    else
        ck_buf_puts(&b, value);
    if (near)
        ck_buf_fmt(&b, "; did you mean %s?", near);
    return ck_fail(err, CK_INVALID, "%s", ck_buf_str(&b));
}

/* ---- cloud ---- */

static int guess_cloud(struct ck_new_build *b, struct ck_err *err)
{
    static const struct {
        const char *prefix, *cloud;
    } schemes[] = {{"azureblob://", "azure"}, {"do://", "digitalocean"}, {"hos://", "hetzner"},
                   {"gs://", "gce"},          {"linode://", "linode"},   {"scw://", "scaleway"},
                   {"swift://", "openstack"}, {"oss://", "alicloud"}};
    const char *url = b->env->state_url;
    for (size_t i = 0; i < CK_ARRAY_LEN(schemes); i++)
        if (ck_str_starts(url, schemes[i].prefix)) {
            b->cloud = schemes[i].cloud;
            return 0;
        }
    if (ck_str_starts(url, "s3://")) {
        b->cloud = b->env->hcloud_token ? "hetzner" : b->env->linode_token ? "linode" : "aws";
        return 0;
    }
    return quoted(
        err,
        "pass in the cloud provider explicitly using --cloud: cannot infer cloud provider "
        "from path:",
        b->env->state_text);
}

static int feature_for_cloud(const struct ck_new_build *b, struct ck_err *err)
{
    static const struct {
        const char *cloud;
        enum ck_feature flag;
    } gated[] = {{"azure", CK_FF_AZURE},
                 {"linode", CK_FF_LINODE},
                 {"metal", CK_FF_METAL},
                 {"scaleway", CK_FF_SCALEWAY}};
    for (size_t i = 0; i < CK_ARRAY_LEN(gated); i++)
        if (ck_new_is(b, gated[i].cloud) && !b->env->features->on[gated[i].flag])
            return ck_fail(err, CK_INVALID,
                           "support for %s is currently alpha and requires the %s feature flag: "
                           "export KOPS_FEATURE_FLAGS=%s",
                           b->cloud, ck_feature_name(gated[i].flag),
                           ck_feature_name(gated[i].flag));
    return 0;
}

/* Options that kOps offers only with a feature flag. */
static int feature_for_options(const struct ck_new_build *b, struct ck_err *err)
{
    const struct ck_new_cluster_opts *o = b->o;
    const struct {
        bool given;
        const char *option;
        enum ck_feature flag;
    } gated[] = {
        {o->apiserver_count != 0, "api-server-count", CK_FF_API_SERVER_NODES},
        {o->apiserver_sizes.n != 0, "api-server-size", CK_FF_API_SERVER_NODES},
        {o->etcd_count != 0, "etcd-count", CK_FF_EXPERIMENTAL_ROLES},
        {o->scheduler_count != 0, "scheduler-count", CK_FF_EXPERIMENTAL_ROLES},
        {o->kcm_count != 0, "kcm-count", CK_FF_EXPERIMENTAL_ROLES},
        {*o->config_base != 0, "config-base", CK_FF_ENABLE_SEPARATE_CONFIG_BASE},
        {*o->discovery_service != 0, "discovery-service", CK_FF_DISCOVERY_SERVICE},
        {*o->azure_subscription_id != 0, "azure-subscription-id", CK_FF_AZURE},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(gated); i++)
        if (gated[i].given && !b->env->features->on[gated[i].flag])
            return ck_fail(
                err, CK_INVALID, "--%s requires the %s feature flag: export KOPS_FEATURE_FLAGS=%s",
                gated[i].option, ck_feature_name(gated[i].flag), ck_feature_name(gated[i].flag));
    return 0;
}

static int choose_cloud(struct ck_new_build *b, struct ck_err *err)
{
    int r = 0;
    b->cloud = b->o->cloud;
    if (!*b->cloud)
        r = guess_cloud(b, err);
    if (r < 0)
        return r;
    bool known = false;
    for (size_t i = 0; i < CK_ARRAY_LEN(clouds); i++)
        known = known || ck_new_is(b, clouds[i]);
    if (!known)
        return ck_new_unknown(err, "unsupported cloud provider ", b->cloud, false, clouds,
                              CK_ARRAY_LEN(clouds));
    if (ck_new_is(b, "alicloud") && b->env->note)
        b->env->note(b->env->note_arg,
                     "AliCloud is deprecated: the configuration is stored as kops did until 1.23, "
                     "but nothing is created in that cloud");
    r = feature_for_cloud(b, err);
    if (r < 0)
        return r;
    if (ck_new_is(b, "metal"))
        ck_object_set_label(b->a, &b->cluster, "alpha.kops.k8s.io/cloud", "metal");
    else
        ck_set_str(b->a, b->spec, "cloudProvider", b->cloud);
    return 0;
}

/* ---- plain options ---- */

static void put_list(struct ck_new_build *b, const char *path, const struct ck_strv *items)
{
    if (!items->n)
        return;
    struct ck_val *l = ck_list(b->a);
    for (size_t i = 0; i < items->n; i++)
        ck_append_str(b->a, l, items->v[i]);
    ck_put(b->a, b->spec, path, l);
}

static int kubernetes_version(struct ck_new_build *b, struct ck_err *err)
{
    const char *v = b->o->kubernetes_version;
    if (!*v) {
        struct ck_semver kops;
        ck_semver_parse_tolerant(ck_slice_of(b->env->kops_version), &kops);
        v = ck_channel_recommended_kubernetes(b->env->channel, &kops);
        if (!v)
            return ck_fail(err, CK_INVALID,
                           "the channel recommends no Kubernetes version: name one with "
                           "--kubernetes-version");
    }
    if (!ck_semver_parse_tolerant(ck_slice_of(v), &b->kubernetes)) {
        CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
        ck_goquote(&q, ck_slice_of(v));
        return ck_fail(err, CK_INVALID,
                       "cannot parse KubernetesVersion %s: unable to parse kubernetes version %s",
                       ck_buf_str(&q), ck_buf_str(&q));
    }
    ck_set_str(b->a, b->spec, "kubernetesVersion", v);
    return 0;
}

static int authorization(struct ck_new_build *b, struct ck_err *err)
{
    const char *mode = b->o->authorization;
    if (!*mode || strcasecmp(mode, "RBAC") == 0)
        ck_put(b->a, b->spec, "authorization.rbac", ck_map(b->a));
    else if (strcasecmp(mode, "AlwaysAllow") == 0)
        ck_put(b->a, b->spec, "authorization.alwaysAllow", ck_map(b->a));
    else
        return ck_new_unknown(err, "unknown authorization mode ", mode, true,
                              (const char *const[]){"RBAC", "AlwaysAllow"}, 2);
    return 0;
}

static void feature_gates(struct ck_new_build *b)
{
    static const char *const components[] = {"kubelet", "kubeAPIServer", "kubeControllerManager",
                                             "kubeProxy", "kubeScheduler"};
    for (size_t i = 0; i < b->o->feature_gates.n; i++) {
        const char *gate = b->o->feature_gates.v[i];
        bool on = *gate != '-';
        if (*gate == '+' || *gate == '-')
            gate++;
        for (size_t c = 0; c < CK_ARRAY_LEN(components); c++) {
            struct ck_val *m = ck_ensure_map(
                b->a, b->spec, ck_arena_printf(b->a, "%s.featureGates", components[c]));
            ck_set_str(b->a, m, gate, on ? "true" : "false");
        }
    }
}

static void access(struct ck_new_build *b)
{
    struct ck_strv any = {0};
    ck_strv_push(&any, "0.0.0.0/0");
    ck_strv_push(&any, "::/0");
    const struct ck_strv *admin = b->o->admin_access.n ? &b->o->admin_access : &any;
    put_list(b, "kubernetesApiAccess", admin);
    put_list(b, "sshAccess", b->o->ssh_access.n ? &b->o->ssh_access : admin);
    ck_strv_done(&any);
}

static int zones(struct ck_new_build *b, struct ck_err *err)
{
    const struct ck_new_cluster_opts *o = b->o;
    if (!o->zones.n)
        return ck_fail(err, CK_INVALID,
                       "must specify at least one zone for the cluster (use --zones)");
    for (size_t i = 0; i < o->zones.n; i++)
        ck_strv_push(&b->zones, o->zones.v[i]);
    for (size_t i = 0; i < o->control_plane_zones.n; i++)
        ck_strv_push(&b->zones, o->control_plane_zones.v[i]);
    ck_strv_sort(&b->zones);
    ck_strv_uniq(&b->zones);
    return 0;
}

static void discovery(struct ck_new_build *b)
{
    if (*b->o->discovery_service)
        ck_put(b->a, b->spec, "serviceAccountIssuerDiscovery.discoveryService.url",
               ck_str(b->a, b->o->discovery_service));
    if (!*b->o->discovery_store)
        return;
    const char *base = b->o->discovery_store;
    if (ck_str_starts(base, "file://"))
        base += strlen("file://");
    size_t n = strlen(base);
    while (n && base[n - 1] == '/')
        n--;
    ck_put(b->a, b->spec, "serviceAccountIssuerDiscovery.discoveryStore",
           ck_strf(b->a, "%.*s/%s", (int)n, base, b->o->name));
    if (!ck_new_is(b, "aws"))
        return;
    ck_put(b->a, b->spec, "serviceAccountIssuerDiscovery.enableAWSOIDCProvider",
           ck_bool(b->a, true));
    ck_put(b->a, b->spec, "iam.useServiceAccountExternalPermissions", ck_bool(b->a, true));
}

/* ---- what is particular to a cloud ---- */

static void openstack_load_balancer(struct ck_new_build *b, struct ck_val *os)
{
    const struct ck_new_cluster_opts *o = b->o;
    struct ck_val *lb = ck_ensure_map(b->a, os, "loadbalancer");
    const char *provider = *o->os_octavia_provider ? o->os_octavia_provider
                           : o->os_octavia         ? "octavia"
                                                   : "haproxy";
    ck_set_str(b->a, lb, "floatingNetwork", o->os_ext_net);
    ck_set_str(b->a, lb, "method", strcmp(provider, "ovn") == 0 ? "SOURCE_IP_PORT" : "ROUND_ROBIN");
    ck_set_str(b->a, lb, "provider", provider);
    ck_set_bool(b->a, lb, "useOctavia", o->os_octavia);
    if (*o->os_lb_floating_subnet)
        ck_set_str(b->a, lb, "floatingSubnet", o->os_lb_floating_subnet);
}

static void openstack(struct ck_new_build *b)
{
    const struct ck_new_cluster_opts *o = b->o;
    struct ck_val *os = ck_ensure_map(b->a, b->spec, "cloudConfig.openstack");
    ck_put(b->a, os, "router.externalNetwork", ck_str(b->a, o->os_ext_net));
    if (*o->os_dns_servers)
        ck_put(b->a, os, "router.dnsServers", ck_str(b->a, o->os_dns_servers));
    if (*o->os_ext_subnet)
        ck_put(b->a, os, "router.externalSubnet", ck_str(b->a, o->os_ext_subnet));
    ck_put(b->a, os, "blockStorage.bs-version", ck_str(b->a, "v3"));
    ck_put(b->a, os, "blockStorage.clusterName", ck_str(b->a, o->name));
    ck_put(b->a, os, "blockStorage.ignore-volume-az", ck_bool(b->a, o->os_kubelet_ignore_az));
    ck_put(b->a, os, "monitor.delay", ck_str(b->a, "15s"));
    ck_put(b->a, os, "monitor.timeout", ck_str(b->a, "10s"));
    ck_put(b->a, os, "monitor.maxRetries", ck_int(b->a, 3));
    if (*o->api_lb_type)
        openstack_load_balancer(b, os);
    ck_put(b->a, b->spec, "cloudControllerManager.clusterName", ck_str(b->a, o->name));
}

static void azure(struct ck_new_build *b)
{
    const struct ck_new_cluster_opts *o = b->o;
    struct ck_val *az = ck_ensure_map(b->a, b->spec, "cloudConfig.azure");
    ck_set_str(b->a, az, "subscriptionId", o->azure_subscription_id);
    ck_set_str(b->a, az, "tenantId", o->azure_tenant_id);
    if (*o->azure_resource_group)
        ck_set_str(b->a, az, "resourceGroupName", o->azure_resource_group);
    if (*o->azure_route_table)
        ck_set_str(b->a, az, "routeTableName", o->azure_route_table);
    ck_set_str(b->a, az, "adminUser", *o->azure_admin_user ? o->azure_admin_user : "kops");
}

static int gce(struct ck_new_build *b, struct ck_err *err)
{
    const char *project = b->o->project;
    if (!*project && b->o->project_given)
        return ck_fail(err, CK_INVALID,
                       "--project cannot be empty; specify a project or omit the flag to use the "
                       "gcloud default project");
    if (!*project) {
        const char *given = ck_facts_project(b->env->facts);
        project = given ? given : "";
    }
    if (!*project)
        return ck_fail(err, CK_INVALID,
                       "project is required for GCE - try gcloud config get-value project");
    ck_set_str(b->a, b->spec, "project", project);
    struct ck_val *config = ck_ensure_map(b->a, b->spec, "cloudConfig");
    if (*b->o->gce_service_account)
        ck_set_str(b->a, config, "gceServiceAccount", b->o->gce_service_account);
    return 0;
}

/* The VPC of the subnets given, when no VPC is named. */
static void infer_network_id(struct ck_new_build *b, const char **ret)
{
    const struct ck_strv *ids = b->o->subnets.n ? &b->o->subnets : &b->o->utility_subnets;
    if (**ret || !ids->n)
        return;
    const char *vpc = ck_str_at(ck_facts_subnet(b->env->facts, b->cloud, ids->v[0]), "vpc");
    if (*vpc)
        *ret = vpc;
}

static int network_and_cloud(struct ck_new_build *b, struct ck_err *err)
{
    const char *id = b->o->network_id;
    if (ck_new_is(b, "openstack") && *b->o->os_network)
        id = b->o->os_network;
    if (ck_new_is(b, "aws"))
        infer_network_id(b, &id);
    if (*id)
        ck_set_str(b->a, b->spec, "networkID", id);
    if (ck_new_is(b, "gce"))
        return gce(b, err);
    if (ck_new_is(b, "openstack"))
        openstack(b);
    if (ck_new_is(b, "azure"))
        azure(b);
    return 0;
}

/* ---- options that come after the topology ---- */

int ck_cloud_labels_put(struct ck_arena *a, const char *text, struct ck_val *spec,
                        struct ck_err *err)
{
    const char *p = text;
    if (!*p)
        return 0;
    struct ck_val *labels = ck_ensure_map(a, spec, "cloudLabels");
    while (*p) {
        CK_AUTOBUF struct ck_buf key = CK_BUF_INIT;
        CK_AUTOBUF struct ck_buf value = CK_BUF_INIT;
        struct ck_buf *into = &key;
        while (*p == ' ')
            p++;
        bool has_value = false, in_quotes = false;
        for (; *p && (in_quotes || *p != ','); p++) {
            if (*p == '"')
                in_quotes = !in_quotes;
            else if (*p == '=' && !has_value && !in_quotes)
                has_value = true, into = &value;
            else
                ck_buf_putc(into, *p);
        }
        if (!has_value || !key.len || in_quotes)
            return ck_fail(err, CK_INVALID,
                           "error parsing global cloud labels: one or more key=value pairs are "
                           "malformed:\n%s\n:record on line 1: wrong number of fields",
                           text);
        ck_set_str(a, labels, ck_buf_str(&key), ck_buf_str(&value));
        if (*p == ',')
            p++;
    }
    return 0;
}

static void late_options(struct ck_new_build *b)
{
    const struct ck_new_cluster_opts *o = b->o;
    if (*o->dns_zone)
        ck_set_str(b->a, b->spec, "dnsZone", o->dns_zone);
    if (o->network_cidrs.n) {
        ck_set_str(b->a, b->spec, "networkCIDR", o->network_cidrs.v[0]);
        for (size_t i = 1; i < o->network_cidrs.n; i++) {
            if (i == 1)
                ck_set(b->a, b->spec, "additionalNetworkCIDRs", ck_list(b->a));
            ck_append_str(b->a, ck_get(b->spec, "additionalNetworkCIDRs"), o->network_cidrs.v[i]);
        }
    }
    if (o->disable_subnet_tags)
        ck_set_bool(b->a, b->spec, "DisableSubnetTags", true);
    if (*o->api_public_name)
        ck_set_str(b->a, b->spec, "masterPublicName", o->api_public_name);
}

static int steps(struct ck_new_build *b, struct ck_err *err)
{
    const struct ck_new_cluster_opts *o = b->o;
    int r = feature_for_options(b, err);
    if (r == 0)
        r = ck_new_check_options(b, err);
    if (r == 0)
        r = kubernetes_version(b, err);
    if (r < 0)
        return r;
    ck_set_str(b->a, b->spec, "channel", *o->channel ? o->channel : "stable");
    ck_set_str(b->a, b->spec, "configBase", *o->config_base ? o->config_base : b->env->state_text);
    if ((r = authorization(b, err)) < 0)
        return r;
    ck_put(b->a, b->spec, "iam.allowContainerRegistry", ck_bool(b->a, true));
    ck_put(b->a, b->spec, "iam.legacy", ck_bool(b->a, false));
    ck_put(b->a, b->spec, "kubelet.anonymousAuth", ck_bool(b->a, false));
    feature_gates(b);
    access(b);
    if ((r = zones(b, err)) < 0 || (r = choose_cloud(b, err)) < 0)
        return r;
    discovery(b);
    if ((r = network_and_cloud(b, err)) < 0 || (r = ck_new_subnets(b, err)) < 0 ||
        (r = ck_new_networking(b, err)) < 0 || (r = ck_new_topology(b, err)) < 0 ||
        (r = ck_new_groups(b, err)) < 0 || (r = ck_new_api(b, err)) < 0 ||
        (r = ck_cloud_labels_put(b->a, o->cloud_labels, b->spec, err)) < 0)
        return r;
    late_options(b);
    ck_new_remarks(b);
    return 0;
}

int ck_new_cluster_build(struct ck_arena *a, const struct ck_new_cluster_opts *o,
                         const struct ck_new_cluster_env *env, struct ck_new_cluster *ret,
                         struct ck_err *err)
{
    if (!*o->name)
        return ck_fail(err, CK_INVALID, "--name is required");
    struct ck_new_build b = {.a = a, .o = o, .env = env};
    b.cluster = ck_object_new(a, CK_KIND_CLUSTER, o->name);
    b.spec = ck_object_spec(&b.cluster);
    int r = steps(&b, err);
    ck_strv_done(&b.zones);
    if (r < 0)
        return r;
    *ret = (struct ck_new_cluster){.cluster = b.cluster, .igs = b.igs, .n_igs = b.n_igs};
    return 0;
}
