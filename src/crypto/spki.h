/* The public key inside a certificate, as its DER form says it. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/* Slices point into the certificate. */
struct ck_spki {
    struct ck_slice der;  /* the SubjectPublicKeyInfo */
    struct ck_slice n, e; /* RSA: modulus and exponent, big end first, without leading zeros */
};

/* The DER form of the first certificate of a PEM text, in `a`, without checking more than its
 * frame and the way to its public key: cheap where ck_cert_read would be too much. False: it must
 * be read properly to say what is wrong. */
bool ck_cert_der(struct ck_arena *a, struct ck_slice pem, struct ck_slice *ret);

/* Find the public key of a DER certificate. n and e are empty where the key is not RSA.
 * INVALID: damaged. */
int ck_spki_of_cert(struct ck_slice der, struct ck_spki *ret, struct ck_err *err);
