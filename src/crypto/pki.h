/* Private keys and certificates of a cluster's authorities: making, reading, writing them.
 *
 * Everything is kept as PEM; what is private lives in buffers that the caller wipes and in
 * libcrypto's own memory. Nothing here is ever part of an error text but names and numbers. Source:
 * shared facts statestore.md §6; kOps pkg/pki. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CK_PKI_DEFAULT_RSA_BITS = 2048,
    CK_PKI_MIN_RSA_BITS = 1024,
    CK_PKI_MAX_RSA_BITS = 16384,
    CK_PKI_MAX_PEM = 1 << 20, /* bytes of a PEM text that is read */
    CK_PKI_SERIAL_SIZE = 48,  /* decimal text of a serial and its NUL */
};

/* A private key (RSA or EC). */
struct ck_pki_key;
void ck_pki_key_free(struct ck_pki_key *k); /* NULL is fine; the material is wiped */
static inline void ck_cleanup_pki_key(struct ck_pki_key **k)
{
    ck_pki_key_free(*k);
}
#define CK_AUTOPKIKEY CK_CLEANUP(ck_cleanup_pki_key)

/* Make an RSA key with exponent 65537. INVALID when bits is out of range. */
int ck_pki_key_new_rsa(unsigned bits, struct ck_pki_key **ret, struct ck_err *err);
/* Make n RSA keys on all processors; ret[0…n-1] are all set, or none (then they're NULL). */
int ck_pki_keys_new_rsa(unsigned bits, size_t n, struct ck_pki_key **ret, struct ck_err *err);
/* Make an EC key; curve is a name OpenSSL knows, such as "P-256". */
int ck_pki_key_new_ec(const char *curve, struct ck_pki_key **ret, struct ck_err *err);
/* The first private key of a PEM text: PKCS#1, SEC1 or PKCS#8; other blocks are skipped.
 * INVALID: no key, an encrypted key, a damaged key, a kind other than RSA and EC. */
int ck_pki_key_read(struct ck_slice pem, struct ck_pki_key **ret, struct ck_err *err);
/* Append the key as "RSA PRIVATE KEY" or "EC PRIVATE KEY". The caller wipes *out. */
int ck_pki_key_write(const struct ck_pki_key *k, struct ck_buf *out, struct ck_err *err);

/* What a certificate says. Strings live in the arena given to ck_cert_read. */
struct ck_cert {
    const char *subject, *issuer; /* `SERIALNUMBER=N,CN=x`: as Go's pkix.Name prints it */
    const char *serial;           /* decimal */
    int64_t not_before_s, not_after_s;
    const char *const *alt_names; /* DNS names, mail addresses, IP addresses */
    size_t n_alt_names;
    bool is_ca;
    int key_bits;
    struct ck_slice der;
};
/* The first certificate of a PEM text; other blocks are skipped. INVALID: none, or a damaged one.
 */
int ck_cert_read(struct ck_arena *a, struct ck_slice pem, struct ck_cert *ret, struct ck_err *err);
void ck_cert_write(const struct ck_cert *c, struct ck_buf *out); /* append as PEM */
/* INVALID `the certificate and the private key do not belong together`. */
int ck_cert_check_key(const struct ck_cert *c, const struct ck_pki_key *k, struct ck_err *err);

/* A self-signed authority as kOps makes them: valid from 48 hours ago for ten years. */
struct ck_cert_ca {
    const char *common_name;
    const char *serial;     /* decimal */
    bool serial_in_subject; /* `create keypair` does that, `update cluster` does not */
    int64_t now_s;
};
/* Append the certificate of `k` as PEM. */
int ck_cert_issue_ca(const struct ck_cert_ca *ca, const struct ck_pki_key *k, struct ck_buf *out,
                     struct ck_err *err);

/* A certificate for a client or a server, as kOps issues them: valid from 48 hours ago, with a
 * random serial. */
enum ck_cert_use { CK_CERT_CLIENT, CK_CERT_SERVER, CK_CERT_CLIENT_SERVER };
struct ck_cert_leaf {
    enum ck_cert_use use;
    const char *common_name;
    const char *organization;     /* NULL: none */
    const char *const *alt_names; /* IP addresses and DNS names */
    size_t n_alt_names;
    int64_t now_s, lifetime_s; /* it ends lifetime_s after now */
};
/* Append as PEM the certificate of `k`, signed by the authority `ca` with its key.
 * INVALID when the authority has expired, is none, or the key is not its own. */
int ck_cert_issue_leaf(const struct ck_cert_leaf *leaf, const struct ck_pki_key *k,
                       const struct ck_cert *ca, const struct ck_pki_key *ca_key,
                       struct ck_buf *out, struct ck_err *err);

/* Whether `c` carries a signature of `ca`'s key (dates are not looked at). */
bool ck_cert_is_signed_by(const struct ck_cert *c, const struct ck_cert *ca);

/* A fresh serial: nanoseconds since the epoch << 32 | 32 random bits, in decimal. */
void ck_pki_serial(int64_t now_ns, char ret[CK_PKI_SERIAL_SIZE]);
/* Whether `id` is a non-negative decimal number; leading zeros are accepted. */
bool ck_pki_id_is_number(const char *id);
/* Order of key ids: numbers by value, others before them bytewise. <0, 0, >0. */
int ck_pki_id_cmp(const char *a, const char *b);
