/* The keysets a cluster needs, and making those it has not got: what `update cluster` asks for.
 *
 * Source: shared facts statestore.md §6.4; kOps pkg/model/pki.go, components/etcdmanager/model.go
 * and upup/pkg/fi/fitasks/keypair.go. */
#pragma once

#include "store/keyset.h"

/* Whose node configuration names a keyset (bits). */
enum ck_keyset_reader {
    CK_KEYSET_CONTROL_PLANE = 1 << 0,
    CK_KEYSET_APISERVER = 1 << 1,
    CK_KEYSET_OTHER = 1 << 2, /* every other role but bastions */
    CK_KEYSET_EVERYONE = CK_KEYSET_CONTROL_PLANE | CK_KEYSET_APISERVER | CK_KEYSET_OTHER,
};

struct ck_keyset_need {
    const char *name;    /* of the keyset, and the common name of its certificates */
    const char *subject; /* "cn=NAME" */
    const char *issuer;  /* "": each certificate signs itself */
    const char *type;    /* "ca" */
    bool bundle;         /* its certificates belong into `CAs`; false: only its keys are used */
    unsigned readers;    /* of enum ck_keyset_reader */
};

/* What the cluster needs, sorted by name, in `a`. No I/O. */
void ck_keysets_needed(struct ck_arena *a, const struct ck_object *cluster,
                       struct ck_keyset_need **ret, size_t *ret_n);

/* One needed keyset and what the store has of it. */
struct ck_keyset_found {
    struct ck_keyset_need need;
    struct ck_keyset keyset; /* without keys while it is missing */
    bool missing;            /* there is none; keyset.legacy: to be written in today's form */
    bool made;               /* set by ck_keysets_ensure: this call made it */
};

/* Look all of them up in the store at once, without decoding keys; nothing is written. `a` comes
 * from ck_keyset_arena(). INVALID when one is there but cannot be used. */
int ck_keysets_look(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                    struct ck_keyset_found **ret, size_t *ret_n, struct ck_err *err);

/* Make and write those of v[] that are missing, and rewrite the legacy ones. Keys are made on all
 * processors; every write is create-only (or if-unchanged), and a keyset someone else made
 * meanwhile is taken over instead. v[] then says what the store holds, `made` what this call
 * added. KOPS_RSA_PRIVATE_KEY_SIZE decides the size of keys. What was written before an error
 * stays: a second call goes on from there. */
int ck_keysets_ensure(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                      struct ck_keyset_found *v, size_t n, struct ck_err *err);

/* Look and ensure in one call. */
int ck_keysets_ensure_all(struct ck_arena *a, const struct ck_store *s,
                          const struct ck_object *cluster, struct ck_keyset_found **ret,
                          size_t *ret_n, struct ck_err *err);

/* The size of new RSA keys: KOPS_RSA_PRIVATE_KEY_SIZE, else 2048. INVALID when it is no number. */
int ck_keysets_rsa_bits(const struct ck_store *s, unsigned *ret, struct ck_err *err);

/* Append the PEM certificates of the trusted keys, oldest first (the `CAs` of node configurations
 * and certificate-authority-data of kubeconfigs). */
void ck_keyset_bundle(const struct ck_keyset *k, struct ck_buf *out);
