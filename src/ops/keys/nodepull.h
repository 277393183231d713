/* The machine side of a store: what a node of a role reads from it, as files.
 *
 * Source: shared facts statestore.md §4, §6.4, §8 and update-cluster-aws.md §19; kOps nodeup
 * (upup/pkg/fi/nodeup, nodeup/pkg/model: context.go, secrets.go, etcd_manager_tls.go). */
#pragma once

#include "ops/keys/fileset.h"
#include "store/keyset.h"

struct ck_node_pull {
    const struct ck_store *store;
    const char *cluster;     /* name */
    const char *config_base; /* "": STORE/CLUSTER */
    const char *role, *group;
    const char *config_hash; /* "" or base64 of the SHA-256 the configuration must have */
    struct ck_slice ca;      /* PEM of the cluster's authority, from the boot data; may be empty */
    const char *const *addresses; /* of this machine, for the API server's certificate */
    size_t n_addresses;
    const char *dir; /* where the set of the last pull is: certificates that still fit are kept */
    void (*note)(void *arg, const char *text); /* what was left out, and why; may be NULL */
    void *arg;
};

/* Whether kOps has such a role; the names are those of igconfig folders and of instance groups. */
bool ck_node_role_known(const char *role);
/* The folder names of all roles, separated by spaces: for help and completion. */
const char *ck_node_roles(void);

/* What a role reads of a store, by the same table. */
struct ck_node_reads {
    const char *folder;               /* below igconfig/ */
    bool static_manifests;            /* pods' files below manifests/static/ */
    bool etcd_manifests;              /* and below manifests/etcd/ */
    struct ck_val *keysets, *secrets; /* names */
};
/* For a cluster of this specification. INVALID: no such role. */
int ck_node_reads(struct ck_arena *a, const char *role, const struct ck_val *spec,
                  struct ck_node_reads *ret, struct ck_err *err);

/* Read everything the node needs into *ret; `a` comes from ck_keyset_arena(). The keys are those
 * that the node configuration names, so that two reads at different times fit together.
 * Errors: NOT_FOUND (the cluster has not been updated, no such group); DENIED with what the role
 * needs and the identity may not read; INVALID (a configuration that does not fit). */
int ck_node_pull_read(struct ck_arena *a, const struct ck_node_pull *p, struct ck_fileset *ret,
                      struct ck_err *err);
