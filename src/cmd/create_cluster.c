/* `create cluster`: options into a validated cluster in the store. On a cluster that exists
 * already, the options given are merged into what is stored (ops/merge_cluster.c). The option
 * names, defaults and messages are kOps' (cmd/kops/create_cluster.go). */
#include "cmd/commands.h"
#include "cmd/update/target.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cloud/zones.h"
#include "ops/create_cluster.h"

#include <string.h>
#include <unistd.h>

struct options {
    struct ck_create_cluster_opts c;
    const char *output, *ssh_public_key, *target, *out, *container_runtime;
    struct ck_strv sets, unsets, addons;
    bool dry_run, yes;
};

#define B(member) offsetof(struct options, member)
#define N(member) offsetof(struct options, c.n.member)
#define FLAG(opt_name, kind, at, text, ...)                                                        \
    {                                                                                              \
        .name = (opt_name), .type = (kind), .off = (at), .given_off = CK_OPT_NO_GIVEN,             \
        .help = (text), ##__VA_ARGS__                                                              \
    }
#define STRING(opt_name, at, text, ...) FLAG(opt_name, CK_OPT_STRING, at, text, ##__VA_ARGS__)
#define LIST(opt_name, at, text, ...)   FLAG(opt_name, CK_OPT_STRINGS, at, text, ##__VA_ARGS__)
#define SWITCH(opt_name, at, text, ...) FLAG(opt_name, CK_OPT_BOOL, at, text, ##__VA_ARGS__)
#define COUNT(opt_name, at, text, ...)  FLAG(opt_name, CK_OPT_INT32, at, text, ##__VA_ARGS__)
#define OLD(now)                        .deprecated = "use " now " instead"

static const char networkings[] =
    "external cni calico cilium cilium-eni cilium-etcd kindnet kubenet kopeio flannel kube-router "
    "amazonvpc gcp";

/* All zones of the cloud, behind those that are written already. The shell picks by prefix. */
static int complete_zones(struct ck_ctx *ctx, const void *opts, const char *prefix,
                          struct ck_strv *ret, struct ck_err *err)
{
    (void)ctx;
    (void)err;
    const struct options *o = opts;
    const char *comma = strrchr(prefix, ',');
    CK_AUTOSTRV zones = {0};
    ck_zones_known(o->c.n.cloud, &zones);
    for (size_t i = 0; i < zones.n; i++)
        ck_strv_push_take(
            ret, ck_xasprintf("%.*s%s", comma ? (int)(comma + 1 - prefix) : 0, prefix, zones.v[i]));
    return 0;
}

static const struct ck_opt rows[] = {
    LIST("add", B(addons), "manifests of additional objects for the cluster",
         .flags = CK_OPT_HIDDEN),
    LIST("admin-access", N(admin_access), "CIDRs that may reach the API", .dflt = "0.0.0.0/0,::/0"),
    STRING("api-loadbalancer-type", N(api_lb_type), "load balancer of the API: public or internal",
           .complete = "public internal"),
    STRING("api-public-name", N(api_public_name), "public name of the API"),
    STRING("api-ssl-certificate", N(api_ssl_certificate),
           "certificate ARN of the API's load balancer"),
    COUNT("api-server-count", N(apiserver_count), "number of API server machines",
          .flags = CK_OPT_HIDDEN),
    LIST("api-server-size", N(apiserver_sizes), "machine types of API servers",
         .flags = CK_OPT_HIDDEN),
    {.name = "associate-public-ip",
     .type = CK_OPT_BOOL,
     .off = N(associate_public_ip),
     .given_off = N(associate_public_ip_given),
     .help = "give machines a public address"},
    STRING("authorization", N(authorization), "RBAC or AlwaysAllow", .dflt = "RBAC",
           .complete = "RBAC AlwaysAllow"),
    STRING("azure-admin-user", N(azure_admin_user), "user name on Azure machines",
           .flags = CK_OPT_HIDDEN),
    STRING("azure-resource-group-name", N(azure_resource_group), "Azure resource group",
           .flags = CK_OPT_HIDDEN),
    STRING("azure-route-table-name", N(azure_route_table), "Azure route table",
           .flags = CK_OPT_HIDDEN),
    STRING("azure-subscription-id", N(azure_subscription_id), "Azure subscription",
           .flags = CK_OPT_HIDDEN),
    STRING("azure-tenant-id", N(azure_tenant_id), "Azure tenant", .flags = CK_OPT_HIDDEN),
    SWITCH("bastion", N(bastion), "add a bastion group (private topology)"),
    STRING("bastion-image", N(bastion_image), "image of bastions"),
    STRING("channel", N(channel), "channel for versions and images", .dflt = "stable",
           .complete = "alpha stable"),
    STRING("cloud", N(cloud), "cloud provider; by default inferred from the state store",
           .complete = "aws azure digitalocean gce hetzner linode metal openstack scaleway"),
    STRING("cloud-labels", N(cloud_labels), "labels of every cloud resource: key=value,…"),
    STRING("config-base", N(config_base), "where the cluster reads its configuration",
           .flags = CK_OPT_HIDDEN),
    STRING("container-runtime", B(container_runtime), "ignored",
           .deprecated = "containerd is the only one"),
    COUNT("control-plane-count", N(control_plane_count), "number of control-plane machines"),
    STRING("control-plane-image", N(control_plane_image), "image of control planes"),
    LIST("control-plane-security-groups", N(control_plane_security_groups),
         "more security groups of control planes"),
    LIST("control-plane-size", N(control_plane_sizes), "machine types of control planes"),
    STRING("control-plane-tenancy", N(control_plane_tenancy), "tenancy of control planes"),
    COUNT("control-plane-volume-size", N(control_plane_volume_size),
          "root volume of control planes, GB"),
    STRING("control-plane-volume-type", N(control_plane_volume_type),
           "root volume type of control planes"),
    LIST("control-plane-zones", N(control_plane_zones), "zones of control planes",
         .complete_fn = complete_zones),
    SWITCH("disable-subnet-tags", N(disable_subnet_tags), "do not tag subnets"),
    STRING("discovery-service", N(discovery_service), "URL of a discovery service",
           .flags = CK_OPT_HIDDEN),
    STRING("discovery-store", N(discovery_store), "public store of the OIDC discovery documents"),
    STRING("dns", N(dns), "DNS records: public, private or none",
           .complete = "public private none"),
    STRING("dns-zone", N(dns_zone), "hosted zone"),
    SWITCH("dry-run", B(dry_run), "print the objects and store nothing; needs --output"),
    STRING("egress", N(egress), "NAT gateway or instance for the subnets' outgoing traffic"),
    {.name = "encrypt-etcd-storage",
     .type = CK_OPT_BOOL,
     .off = N(encrypt_etcd_storage),
     .given_off = N(encrypt_etcd_storage_given),
     .help = "encrypt etcd's volumes"},
    LIST("etcd-clusters", N(etcd_clusters), "names of the etcd clusters", .dflt = "main,events"),
    COUNT("etcd-count", N(etcd_count), "number of etcd machines", .flags = CK_OPT_HIDDEN),
    LIST("etcd-size", N(etcd_sizes), "machine types of etcd", .flags = CK_OPT_HIDDEN),
    STRING("etcd-storage-type", N(etcd_storage_type), "volume type of etcd"),
    STRING("gce-service-account", N(gce_service_account), "service account of GCE machines"),
    STRING("image", N(image), "image of all machines"),
    STRING("instance-manager", N(instance_manager), "cloudgroups or karpenter",
           .dflt = "cloudgroups", .complete = "cloudgroups karpenter"),
    SWITCH("ipv6", N(ipv6), "IPv6 for pods and services"),
    COUNT("kcm-count", N(kcm_count), "number of controller manager machines",
          .flags = CK_OPT_HIDDEN),
    LIST("kcm-size", N(kcm_sizes), "machine types of controller managers", .flags = CK_OPT_HIDDEN),
    LIST("kubernetes-feature-gates", N(feature_gates), "feature gates: +Name or -Name"),
    STRING("kubernetes-version", N(kubernetes_version),
           "Kubernetes version; by default the channel's"),
    COUNT("master-count", N(control_plane_count), "", OLD("--control-plane-count")),
    STRING("master-image", N(control_plane_image), "", OLD("--control-plane-image")),
    STRING("master-public-name", N(api_public_name), "", OLD("--api-public-name")),
    LIST("master-security-groups", N(control_plane_security_groups), "",
         OLD("--control-plane-security-groups")),
    LIST("master-size", N(control_plane_sizes), "", OLD("--control-plane-size")),
    STRING("master-tenancy", N(control_plane_tenancy), "", OLD("--control-plane-tenancy")),
    COUNT("master-volume-size", N(control_plane_volume_size), "",
          OLD("--control-plane-volume-size")),
    LIST("master-zones", N(control_plane_zones), "", OLD("--control-plane-zones")),
    LIST("network-cidr", N(network_cidrs), "address ranges of the network"),
    STRING("network-id", N(network_id), "existing network (VPC) to use"),
    STRING("networking", N(networking), "networking provider", .dflt = "cilium",
           .complete = networkings),
    COUNT("node-count", N(node_count), "number of nodes over all zones; by default one per zone"),
    STRING("node-image", N(node_image), "image of nodes"),
    LIST("node-security-groups", N(node_security_groups), "more security groups of nodes"),
    LIST("node-size", N(node_sizes), "machine types of nodes"),
    STRING("node-tenancy", N(node_tenancy), "tenancy of nodes"),
    COUNT("node-volume-size", N(node_volume_size), "root volume of nodes, GB"),
    STRING("node-volume-type", N(node_volume_type), "root volume type of nodes"),
    STRING("os-dns-servers", N(os_dns_servers), "OpenStack: DNS servers"),
    STRING("os-ext-net", N(os_ext_net), "OpenStack: external network"),
    STRING("os-ext-subnet", N(os_ext_subnet), "OpenStack: external subnet"),
    SWITCH("os-kubelet-ignore-az", N(os_kubelet_ignore_az), "OpenStack: volumes of any zone"),
    STRING("os-lb-floating-subnet", N(os_lb_floating_subnet),
           "OpenStack: subnet of load balancers"),
    STRING("os-network", N(os_network), "OpenStack: network"),
    SWITCH("os-octavia", N(os_octavia), "OpenStack: Octavia load balancers"),
    STRING("os-octavia-provider", N(os_octavia_provider), "OpenStack: Octavia provider"),
    STRING("out", B(out), "folder for the update's output"),
    {.shorthand = 'o',
     .name = "output",
     .type = CK_OPT_STRING,
     .off = B(output),
     .given_off = CK_OPT_NO_GIVEN,
     .complete = "yaml json",
     .help = "with --dry-run: yaml or json"},
    LIST("override", B(sets), "", OLD("--set"), .flags = CK_OPT_LAZY_CSV),
    {.name = "project",
     .type = CK_OPT_STRING,
     .off = N(project),
     .given_off = N(project_given),
     .help = "GCE project"},
    COUNT("scheduler-count", N(scheduler_count), "number of scheduler machines",
          .flags = CK_OPT_HIDDEN),
    LIST("scheduler-size", N(scheduler_sizes), "machine types of schedulers",
         .flags = CK_OPT_HIDDEN),
    LIST("set", B(sets), "set a field: PATH=VALUE", .flags = CK_OPT_LAZY_CSV, .complete = ""),
    LIST("ssh-access", N(ssh_access),
         "CIDRs that may reach SSH; by default those of --admin-access"),
    STRING("ssh-public-key", B(ssh_public_key), "public key file for the machines' administrator"),
    LIST("subnets", N(subnets), "existing subnets to use"),
    {.name = "target",
     .type = CK_OPT_CUSTOM,
     .type_name = "target",
     .off = B(target),
     .given_off = CK_OPT_NO_GIVEN,
     .dflt = "direct",
     .parse = ck_target_parse,
     .complete = "direct dryrun terraform",
     .help = "direct, dryrun or terraform"},
    {.shorthand = 't',
     .name = "topology",
     .type = CK_OPT_STRING,
     .off = N(topology),
     .given_off = CK_OPT_NO_GIVEN,
     .complete = "public private",
     .help = "public or private"},
    LIST("unset", B(unsets), "clear a field", .complete = ""),
    LIST("utility-subnets", N(utility_subnets), "existing utility subnets to use"),
    STRING("vpc", N(network_id), "", OLD("--network-id")),
    {.shorthand = 'y',
     .name = "yes",
     .type = CK_OPT_BOOL,
     .off = B(yes),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "also change the cloud; with --target=terraform, write the module"},
    LIST("zones", N(zones), "zones of the cluster", .complete_fn = complete_zones),
    {0},
};

static void on_note(void *arg, const char *text)
{
    ck_info("%s", text);
}

static int print_objects(struct ck_ctx *ctx, const struct options *o,
                         const struct ck_create_cluster_result *r, struct ck_err *err)
{
    bool yaml = strcmp(o->output, "yaml") == 0;
    if (!yaml && strcmp(o->output, "json") != 0) {
        return ck_fail(err, CK_INVALID, "unsupported output type \"%s\"", o->output);
    }
    for (size_t i = 0; i < r->n; i++) {
        if (yaml) {
            if (i)
                ck_print(ctx, "\n---\n\n");
            ck_object_yaml(ctx->arena, &ctx->out, &r->objects[i]);
        } else {
            if (i)
                ck_print(ctx, ",");
            ck_object_json(ctx->arena, &ctx->out, &r->objects[i]);
        }
    }
    return 0;
}

static void print_next_steps(struct ck_ctx *ctx, const struct ck_create_cluster_result *r)
{
    const char *name = ctx->cluster_name;
    if (r->merged && !r->n_changes) {
        ck_print(ctx, "Cluster \"%s\" has these settings already; nothing was changed.\n", name);
        return;
    }
    if (r->merged)
        ck_print(ctx, "%s\n", r->diff);
    ck_print(ctx,
             "%s\n\nSuggestions:\n"
             " * list clusters with: %s get cluster\n"
             " * edit this cluster with: %s edit cluster %s\n",
             r->merged ? "Cluster configuration has been updated."
                       : "Cluster configuration has been created.",
             ctx->program, ctx->program, name);
    if (r->node_group)
        ck_print(ctx, " * edit your node instance group: %s edit ig --name=%s %s\n", ctx->program,
                 name, r->node_group);
    if (r->control_plane_group)
        ck_print(ctx, " * edit your control-plane instance group: %s edit ig --name=%s %s\n",
                 ctx->program, name, r->control_plane_group);
    ck_print(ctx,
             "\nFinally configure your cluster with: %s update cluster --name %s --yes --admin\n\n",
             ctx->program, name);
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    struct options *o = opts;
    if (o->dry_run && !*o->output)
        return ck_fail(err, CK_INVALID, "unable to execute --dry-run without setting --output");
    bool direct = strcmp(o->target, "direct") == 0;
    if (o->yes && direct && !o->dry_run)
        return ck_fail(err, CK_UNSUPPORTED,
                       "creating cloud resources (--yes) is not part of this version: leave it out "
                       "to store the configuration, or give --target=terraform");
    struct ck_store *store;
    int r = ck_ctx_store(ctx, &store, err);
    if (r < 0)
        return r;
    o->c.n.name = ctx->cluster_name;
    o->c.addons = &o->addons;
    o->c.sets = &o->sets;
    o->c.unsets = &o->unsets;
    o->c.dry_run = o->dry_run;
    o->c.ssh_public_key = o->ssh_public_key;
    o->c.env = &ctx->env;
    o->c.kops_version = CK_KOPS_VERSION;
    o->c.note = on_note;
    o->c.color = isatty(STDOUT_FILENO) && !ck_env_nonempty(&ctx->env, "NO_COLOR");
    o->c.given = ctx->given;
    struct ck_create_cluster_result result = {0};
    r = ck_create_cluster(ctx->arena, store, &o->c, &result, err);
    if (r < 0)
        return r;
    if (o->dry_run)
        return print_objects(ctx, o, &result, err);
    if (direct) {
        print_next_steps(ctx, &result);
        return 0;
    }
    if (result.merged && result.n_changes)
        ck_print(ctx, "%s\n", result.diff);
    return ck_update_after_create(ctx, o->target, o->out, err);
}

const struct ck_cmd ck_cmd_create_cluster = {
    .name = "cluster",
    .use = "cluster [CLUSTER]",
    .brief = "Create a cluster's configuration, or merge options into it.",
    .detail =
        "Turn options into the configuration of a cluster and its instance groups, check it, and\n"
        "store it. AWS is asked about a network that is not the cluster's own (--network-id,\n"
        "--subnets), and only then; CKOPS_FIXTURES may name a file of facts instead. What\n"
        "nobody can tell is left out and said so.\n\n"
        "On a cluster that exists, the options given are merged into what is stored; options that\n"
        "are not given change nothing.",
    .example = "# A cluster with three control planes\n"
               "ckops create cluster --name k8s.example.com --cloud aws \\\n"
               "  --zones us-east-1a,us-east-1b,us-east-1c --control-plane-count 3\n"
               "\n"
               "# Look at it first\n"
               "ckops create cluster --name k8s.example.com --cloud aws --zones us-east-1a \\\n"
               "  --dry-run -o yaml\n"
               "\n"
               "# Later: more nodes, nothing else\n"
               "ckops create cluster --name k8s.example.com --node-count 5",
    .opts = rows,
    .opts_size = sizeof(struct options),
    .args = ck_args_cluster,
    .run = run,
};
