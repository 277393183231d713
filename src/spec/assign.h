/* Filling in what a cluster's manifest leaves open before it is stored (kOps' PerformAssignments).
 *
 * Works without a cloud: what only a cloud can tell comes as facts, and what is missing there is
 * left as it is and reported. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "spec/object.h"

/* A subnet of a network that is already there. */
struct ck_subnet_fact {
    const char *id, *zone, *cidr;
};

/* What is known about the world. Members may be NULL: unknown. */
struct ck_assign_facts {
    const char *kubernetes_version;       /* recommended by the cluster's channel */
    const char *network_cidr;             /* of the shared network spec.networkID */
    const struct ck_subnet_fact *subnets; /* of that network */
    size_t n_subnets;
    const char *const *used_cidrs;     /* GCE: ranges in use in the network, NULL-terminated */
    const char *azure_storage_account; /* resource id of configBase's storage account */
    /* Told each decision: "Assigned CIDR 172.20.0.0/16 to subnet us-east-1a". */
    void (*assigned)(void *arg, const char *text);
    /* Told what would have needed the cloud. */
    void (*skipped)(void *arg, const char *text);
    void *arg;
};

/* Change `cluster` in place. Fields that are set stay. facts NULL: nothing is known.
 *
 * Errors: INVALID with kOps' texts: networkCIDR that cannot be split, no room for a subnet, a
 * shared network's subnet that differs. Source: shared facts populate-validate.md §2, §4. */
int ck_assign_cluster(struct ck_arena *a, struct ck_object *cluster,
                      const struct ck_assign_facts *facts, struct ck_err *err);

/* ---- parts, for the completed form ---- */
/* Subnet ranges alone (assign_subnet.c). */
int ck_assign_subnets(struct ck_arena *a, struct ck_object *cluster,
                      const struct ck_assign_facts *facts, struct ck_err *err);
/* Ranges on GCE (assign_gce.c). */
int ck_assign_gce(struct ck_arena *a, struct ck_object *cluster,
                  const struct ck_assign_facts *facts, struct ck_err *err);
/* Report through the callbacks; facts may be NULL. */
void ck_assign_tell(struct ck_arena *a, const struct ck_assign_facts *facts, const char *fmt, ...)
    CK_PRINTF(3, 4);
void ck_assign_skip(struct ck_arena *a, const struct ck_assign_facts *facts, const char *fmt, ...)
    CK_PRINTF(3, 4);
