/* The completed form of clusters and instance groups: everything a manifest leaves to kOps filled
 * in (`cluster-completed.spec`).
 *
 * Works without a cloud; what only a cloud can tell comes as facts, and what is missing there is
 * left open and reported. Source: shared facts populate-validate.md §3, §5. */
#pragma once

#include "spec/assign.h"
#include "spec/channel.h"
#include "spec/featureflag.h"

struct ck_zone_fact { /* a hosted DNS zone */
    const char *id, *name;
    bool is_private;
};

/* What is known about the world. Every member may be 0. */
struct ck_populate_facts {
    const struct ck_assign_facts *assign;
    const struct ck_feature_flags *features;
    const struct ck_object *groups; /* the cluster's instance groups */
    size_t n_groups;
    bool know_zones; /* `zones` is complete */
    const struct ck_zone_fact *zones;
    size_t n_zones;
    const char *discovery_url; /* https form of spec.serviceAccountIssuerDiscovery.discoveryStore */
    bool config_base_unreadable; /* nodes cannot read spec.configBase */
    bool update;                 /* also what update cluster settles while it builds add-ons */
    /* The digest ("sha256:…") of an image, NULL when unknown or not wanted. */
    const char *(*digest)(void *arg, const char *image);
    void (*skipped)(void *arg, const char *text); /* told what would have needed the cloud */
    void *arg;
};

/* The full cluster into *ret, from a copy: `cluster` stays as it is.
 *
 * Errors: INVALID with kOps' texts: the loose validation's of what was given; etcd members;
 * "completed cluster failed validation: …". */
int ck_populate_cluster(struct ck_arena *a, const struct ck_object *cluster,
                        const struct ck_populate_facts *facts, struct ck_object *ret,
                        struct ck_err *err);

struct ck_group_facts {
    const struct ck_channel *channel; /* for the default image; NULL: none is filled in */
    const char *machine_type;         /* default for the group's role and zones; NULL: the cloud's
                                         table, or none where that takes a look-up */
    const char *arch;                 /* "amd64", "arm64" of the machine type; NULL: amd64 */
    bool gpu;                         /* the machine type has NVIDIA GPUs */
    const struct ck_feature_flags *features;
};

/* The full group into *ret, from a copy. `cluster` may be completed or not; its kubelet settings
 * are the base of the group's.
 * Errors: INVALID with kOps' texts ("failed validating input specs: …"). */
int ck_populate_instance_group(struct ck_arena *a, const struct ck_object *cluster,
                               const struct ck_object *group, const struct ck_group_facts *facts,
                               struct ck_object *ret, struct ck_err *err);

/* The name nodes pull an image by, given the cluster's spec.assets (may be NULL): behind a proxy or
 * from a mirror registry. Mirrors kOps pkg/assets/builder.go. */
const char *ck_populate_image(struct ck_arena *a, const struct ck_val *assets, const char *image);
