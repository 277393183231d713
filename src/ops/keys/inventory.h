/* What lies in a store that an attacker would want: keys, certificates, secrets, backups of etcd.
 * Contents of secrets and backups are not read. */
#pragma once

#include "store/keyset.h"

struct ck_inventory_item {
    const char *cluster;
    const char *kind; /* "keypair", "certificate", "secret", "backup", "file" */
    const char *name; /* of the keyset, secret, etcd cluster or file */
    const char *id;   /* of a keypair; "" otherwise */
    const char *path; /* where it lies */
    bool primary, distrusted, has_key;
    int64_t created_s, expires_s; /* seconds since the epoch; 0 unknown, or never */
    size_t files;                 /* of a backup */
    struct ck_exposure exposure;
    const char **findings; /* what someone should do something about */
    size_t n_findings;
};

struct ck_inventory {
    struct ck_inventory_item *v; /* by cluster, kind, name, id */
    size_t n, cap;
    size_t n_findings;
};

struct ck_inventory_opts {
    int64_t now_s, warn_s; /* certificates that end within warn_s are findings */
};

/* Add what one cluster has; `a` comes from ck_keyset_arena(). Keysets that cannot be read are
 * findings; a store that cannot be listed is an error. */
int ck_inventory_cluster(struct ck_arena *a, const struct ck_store *s,
                         const struct ck_object *cluster, const struct ck_inventory_opts *opts,
                         struct ck_inventory *ret, struct ck_err *err);
