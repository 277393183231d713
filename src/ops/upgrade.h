/* `upgrade cluster`: what the channel recommends for a stored cluster, as a plan and carried out.
 */
#pragma once

#include "base/env.h"
#include "store/store.h"

struct ck_upgrade_opts {
    const char *name;
    const char *channel;            /* "" for the cluster's own */
    const char *kubernetes_version; /* "" for the channel's recommendation */
    const char *kops_version;
    const struct ck_env *env;
    void (*note)(void *arg, const char *text); /* what was left as it is, and why; may be NULL */
    void (*warn)(void *arg, const char *text); /* may be NULL */
    void *arg;
};

struct ck_upgrade_step {
    const char *item;     /* "Cluster", "InstanceGroup/nodes" */
    const char *property; /* "Channel", "KubernetesVersion", "Image" */
    const char *from, *to;
};
struct ck_upgrade {
    struct ck_upgrade_step *v; /* in the arena */
    size_t n, cap;
    struct ck_stored old;
    struct ck_stored_list old_groups;
    struct ck_object cluster; /* with the steps carried out */
    struct ck_object *groups;
};

/* Read the cluster, its groups and the channel, and say what would change; nothing is stored.
 * Never proposes an older version. Errors: the store's, the channel's, INVALID. Source: kOps
 * cmd/kops/upgrade_cluster.go. */
int ck_upgrade_plan(struct ck_arena *a, const struct ck_store *s, const struct ck_upgrade_opts *o,
                    struct ck_upgrade *ret, struct ck_err *err);
/* Check the upgraded objects and store all of them or none. Errors: INVALID, CONFLICT. */
int ck_upgrade_apply(struct ck_arena *a, const struct ck_store *s, const struct ck_upgrade_opts *o,
                     struct ck_upgrade *u, struct ck_err *err);
