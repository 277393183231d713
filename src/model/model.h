/* What the builders of `update cluster` work on: the completed cluster and its groups, the keysets,
 * and the facts about the world; and what they make: tasks.
 *
 * A builder reads the model, adds tasks to model->tasks and never does I/O of its own: what comes
 * from a cloud, a store or the network is in here. Mirrors kOps pkg/model/context.go. */
#pragma once

#include "cloud/facts.h"
#include "spec/channel.h"
#include "spec/featureflag.h"
#include "spec/object.h"
#include "store/keyset.h"
#include "task/task.h"

struct ck_assets; /* model/assets.h */
struct ck_nodeup; /* model/nodeup/ */

struct ck_model {
    struct ck_arena *a; /* everything made lives here */
    const struct ck_env *env;
    struct ck_vfs_ctx *vfs; /* to parse locations; builders read nothing through it */
    const struct ck_store *store;
    const char *name;               /* of the cluster: "C" in the shared facts */
    const struct ck_object *raw;    /* as stored */
    const struct ck_object *full;   /* completed */
    const struct ck_val *spec;      /* of `full` */
    const struct ck_object *groups; /* completed, by name */
    size_t n_groups;
    const struct ck_object *all_groups; /* also those that filters leave out of this update */
    size_t n_all_groups;
    const struct ck_channel *channel;
    const struct ck_feature_flags *features;
    const struct ck_facts *facts;
    const char *kops_version;                 /* what goes into kops-version.txt and image tags */
    struct ck_semver kubernetes;              /* of spec.kubernetesVersion */
    const char *cloud;                        /* "aws" */
    const char *region, *partition, *account; /* AWS; "" when unknown */
    const struct ck_keyset *keysets;          /* those the cluster has, by name */
    size_t n_keysets;
    const struct ck_ssh_key *ssh_keys;
    size_t n_ssh_keys;
    const struct ck_object *addons; /* additional objects of the store: clusteraddons/default */
    size_t n_addons;
    struct ck_assets *assets;
    bool preview;             /* nothing is made of it: a hash that nobody tells is left open */
    const char *unknown_hash; /* the first such failure, in words; NULL: none */
    struct ck_nodeup *nodeup; /* node configurations made so far; NULL at first */
    /* Names of the secrets in the store; NULL: not looked at. */
    const struct ck_strv *secrets;
    /* URL-safe base64 of the SHA-256 of the secret "encryptionconfig"; NULL: there is none. */
    const char *encryption_config_hash;
    struct ck_tasks *tasks;                       /* what the builders add to */
    enum ck_lifecycle network, security, cluster; /* lifecycles of the three classes of tasks */
};

/* The keyset called so, or NULL. */
const struct ck_keyset *ck_model_keyset(const struct ck_model *m, const char *name);

/* ---- model/names.c: names and hashes (shared facts update-cluster-aws.md §3) ---- */
enum ck_role { CK_ROLE_CONTROL_PLANE, CK_ROLE_API_SERVER, CK_ROLE_NODE, CK_ROLE_BASTION };
enum ck_role ck_model_role(const struct ck_object *group);
/* "ControlPlane", "APIServer", "Node", "Bastion": the internal spelling. */
const char *ck_model_role_name(enum ck_role role);
/* "control-plane", "apiserver", "node", "bastion": as in igconfig/ROLE/. */
const char *ck_model_role_lower(enum ck_role role);
/* Whether groups of this role run an API server. */
bool ck_model_has_apiserver(const struct ck_object *group);
/* "IG.masters.C", "IG.apiservers.C", "IG.C" */
const char *ck_model_group_name(const struct ck_model *m, const struct ck_object *group);
/* `s`, or its first max-7 characters, "-" and six characters of hash. */
const char *ck_model_truncate(struct ck_arena *a, const char *s, size_t max, bool always);
/* Names of balancers and target groups: at most 32 characters, always hashed. */
const char *ck_model_name32(const struct ck_model *m, const char *prefix);
/* "api.internal.C" */
const char *ck_model_internal_api_name(const struct ck_model *m);
bool ck_model_dns_none(const struct ck_model *m);
bool ck_model_ipv6_only(const struct ck_model *m);
bool ck_model_has_api_balancer(const struct ck_model *m);
/* The registry host of Kubernetes' images, and image names rewritten for asset mirrors. */
const char *ck_model_image(const struct ck_model *m, const char *image);
/* All node labels of a completed group, key → value (update-cluster-aws.md §4). */
const struct ck_val *ck_model_node_labels(const struct ck_model *m, const struct ck_object *group);
/* Karpenter makes the group's machines. */
bool ck_model_is_karpenter(const struct ck_object *group);

/* ---- model/warm_pool.c ---- */
/* The group's own settings, then the cluster's, which are for workers only. */
struct ck_warm_pool {
    bool enabled;
    bool hook; /* machines are kept back until they are set up */
    bool has_max;
    int64_t min, max;
    int64_t timeout;             /* of the hook, seconds */
    const struct ck_val *images; /* to be pulled besides the usual ones; NULL: none. Borrowed. */
};
struct ck_warm_pool ck_model_warm_pool(const struct ck_model *m, const struct ck_object *group);

/* Facts by path below the cloud's name ("images"), NULL when not given. */
const struct ck_val *ck_model_fact(const struct ck_model *m, const char *path);
