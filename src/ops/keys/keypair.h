/* Rotating keysets: create, promote, distrust and trust keypairs.
 *
 * Each keyset is written once per call, and only while nobody changed it since it was read.
 * Source: shared facts statestore.md §6.5; kOps cmd/kops/create_keypair.go and its siblings. */
#pragma once

#include "store/keyset.h"

enum ck_keypair_event {
    CK_KEYPAIR_CREATED,
    CK_KEYPAIR_PROMOTED,
    CK_KEYPAIR_NO_NEWER, /* id: the primary */
    CK_KEYPAIR_DISTRUSTED,
    CK_KEYPAIR_NONE_OLDER, /* id: NULL */
    CK_KEYPAIR_TRUSTED,
};
/* Told after the write that made it true. */
typedef void (*ck_keypair_fn)(void *arg, enum ck_keypair_event event, const char *keyset,
                              const char *id);

struct ck_keypair_run {
    struct ck_arena *arena; /* of ck_keyset_arena() */
    const struct ck_store *store;
    const struct ck_object *cluster;
    ck_keypair_fn tell;
    void *arg;
};

struct ck_keypair_new {
    struct ck_slice cert, key; /* PEM of the user; empty: made here */
    bool primary;
};

/* Whether keypairs of a keyset can be rotated: "service-account" or a name with "-ca" in it. */
bool ck_keypair_rotatable(const char *keyset);

/* `keyset` may be "all" in these: every rotatable keyset of the cluster, in order of their names.
 * INVALID with the reason when something is not allowed; NOT_FOUND; CONFLICT. */
int ck_keypair_create(const struct ck_keypair_run *run, const char *keyset,
                      const struct ck_keypair_new *new_pair, struct ck_err *err);
/* id NULL: the newest that can be the primary. */
int ck_keypair_promote(const struct ck_keypair_run *run, const char *keyset, const char *id,
                       struct ck_err *err);
/* No ids: those older than the primary. */
int ck_keypair_distrust(const struct ck_keypair_run *run, const char *keyset,
                        const char *const *ids, size_t n, struct ck_err *err);
int ck_keypair_trust(const struct ck_keypair_run *run, const char *keyset, const char *const *ids,
                     size_t n, struct ck_err *err);
