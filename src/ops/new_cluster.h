/* From the options of `create cluster` to a cluster and its instance groups (kOps'
 * upup/pkg/fi/cloudup/new_cluster.go). Pure: reads no store, no cloud and no clock. */
#pragma once

#include "base/strv.h"
#include "cloud/facts.h"
#include "spec/channel.h"
#include "spec/featureflag.h"
#include "spec/object.h"

/* One member per option; strings are "" and lists empty when not given. */
struct ck_new_cluster_opts {
    const char *name, *config_base, *channel, *kubernetes_version, *cloud;
    const char *authorization, *networking, *topology, *dns, *dns_zone;
    const char *api_lb_type, *api_ssl_certificate, *api_public_name;
    const char *image, *control_plane_image, *node_image, *bastion_image;
    const char *cloud_labels, *instance_manager, *discovery_store, *discovery_service, *egress;
    const char *control_plane_tenancy, *node_tenancy;
    const char *control_plane_volume_type, *node_volume_type, *etcd_storage_type;
    const char *network_id, *os_network, *project, *gce_service_account;
    const char *os_ext_net, *os_ext_subnet, *os_dns_servers, *os_octavia_provider,
        *os_lb_floating_subnet;
    const char *azure_subscription_id, *azure_tenant_id, *azure_resource_group, *azure_route_table,
        *azure_admin_user;
    struct ck_strv zones, control_plane_zones, admin_access, ssh_access, feature_gates;
    struct ck_strv control_plane_sizes, node_sizes, apiserver_sizes, etcd_sizes, scheduler_sizes,
        kcm_sizes;
    struct ck_strv control_plane_security_groups, node_security_groups;
    struct ck_strv network_cidrs, subnets, utility_subnets, etcd_clusters;
    int64_t control_plane_count, node_count, apiserver_count, etcd_count, scheduler_count,
        kcm_count;
    int64_t control_plane_volume_size, node_volume_size;
    bool bastion, ipv6, associate_public_ip, associate_public_ip_given, disable_subnet_tags;
    bool encrypt_etcd_storage, encrypt_etcd_storage_given, os_octavia, os_kubelet_ignore_az;
    bool project_given;
};

struct ck_new_cluster_env {
    const struct ck_facts *facts;
    const struct ck_channel *channel;
    const struct ck_feature_flags *features;
    const char *kops_version;
    const char *state_url;  /* for guessing the cloud and for messages */
    const char *state_text; /* canonical text of STORE/NAME */
    bool hcloud_token, linode_token;
    void (*note)(void *arg, const char *text); /* told what was assumed; may be NULL */
    void *note_arg;
};

struct ck_new_cluster {
    struct ck_object cluster;
    struct ck_object *igs; /* control planes, API servers, other roles, nodes, bastions */
    size_t n_igs;
};

/* "a=b,\"c\"=d" into spec.cloudLabels. Errors: INVALID with kOps' text. */
int ck_cloud_labels_put(struct ck_arena *a, const char *text, struct ck_val *spec,
                        struct ck_err *err);
/* Build; objects live in `a`. Errors: INVALID with kOps' texts. */
int ck_new_cluster_build(struct ck_arena *a, const struct ck_new_cluster_opts *o,
                         const struct ck_new_cluster_env *env, struct ck_new_cluster *ret,
                         struct ck_err *err);
