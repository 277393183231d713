/* The keysets of a cluster: KEYSTORE/private/NAME/keyset.yaml.
 *
 * A keyset is read whole, changed in memory and written back only when nobody changed it since.
 * Source: shared facts statestore.md §6; kOps upup/pkg/fi/vfs_castore.go, ca.go. */
#pragma once

#include "base/secret.h"
#include "crypto/pki.h"
#include "store/store.h"

struct ck_keyset_item {
    const char *id;
    bool distrusted;
    int64_t distrusted_s; /* seconds since the epoch */
    bool has_cert, has_key;
    struct ck_cert cert;          /* with has_cert */
    struct ck_slice cert_b64;     /* base64 of PEM as stored */
    struct ck_secret_ref key_b64; /* the same of the private key */
};

struct ck_keyset {
    const char *name;
    struct ck_keyset_item **v; /* by id, ascending */
    size_t n, cap;
    struct ck_keyset_item *primary; /* NULL: no trusted key can be it */
    bool legacy;                    /* of an older form or under an older name */
    bool exists;                    /* `stored` was read from where it is written to */
    bool brief;                     /* read without looking into keys (ck_keyset_read_named) */
    struct ck_stored stored;
};

/* Make an arena whose contents are wiped: keysets belong into one. */
struct ck_arena *ck_keyset_arena(void);

/* Read one keyset into `a`; an older name is looked up when the new one is absent. NOT_FOUND
 * `keyset not found`; INVALID with the reason when it, or one of its keys, cannot be read. */
int ck_keyset_read(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                   const char *name, struct ck_keyset *ret, struct ck_err *err);
/* Several at once: ret[i] is that of names[i], or an empty one (n 0, not `exists`) where there is
 * none. Costs one round trip, and one more for names that had another name once. Errors as
 * ck_keyset_read; one that cannot be read fails the call.
 *
 * With `brief`, which costs a tenth of the time, certificates have nothing but their DER form and
 * private keys are seen to be there, not decoded: enough to name and to bundle them. */
int ck_keyset_read_named(struct ck_arena *a, const struct ck_store *s,
                         const struct ck_object *cluster, const char *const *names, size_t n,
                         bool brief, struct ck_keyset *ret, struct ck_err *err);
/* The cluster will be read next, and its keysets listed then: both may be asked for at once, where
 * the keysets lie at their usual place. */
void ck_keyset_list_follows(struct ck_arena *a, const struct ck_store *s, const char *cluster);
/* All keysets by name. Those that cannot be read are left out with a warning. */
int ck_keyset_list(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                   struct ck_keyset **ret, size_t *ret_n, struct ck_err *err);
/* Names alone, without reading; sorted. */
int ck_keyset_names(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                    struct ck_strv *ret, struct ck_err *err);
/* An empty keyset that is not in the store yet. */
struct ck_keyset ck_keyset_new(struct ck_arena *a, const char *name);

struct ck_keyset_item *ck_keyset_find(const struct ck_keyset *k, const char *id); /* or NULL */
/* The private key of an item, to sign with. NOT_FOUND when only its certificate is stored. */
int ck_keyset_item_key(const struct ck_keyset_item *it, struct ck_pki_key **ret,
                       struct ck_err *err);
/* Insert a key in its place. Texts are copied as base64 into `a`; key_pem may be empty.
 * EXISTS when the id is taken. */
int ck_keyset_add(struct ck_arena *a, struct ck_keyset *k, const char *id, struct ck_slice cert_pem,
                  struct ck_slice key_pem, struct ck_keyset_item **ret, struct ck_err *err);
/* Write it: create-only when it was new, otherwise only while it is what was read.
 * CONFLICT when someone else was faster; INVALID when it has no usable primary key. */
int ck_keyset_write(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                    struct ck_keyset *k, struct ck_err *err);
