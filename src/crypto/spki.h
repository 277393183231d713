/* The public key inside a certificate, as its DER form says it. */
#pragma once

#include "base/err.h"
#include "base/slice.h"

/* Slices point into the certificate. */
struct ck_spki {
    struct ck_slice der;  /* the SubjectPublicKeyInfo */
    struct ck_slice n, e; /* RSA: modulus and exponent, big end first, without leading zeros */
};

/* Find the public key of a DER certificate. n and e are empty where the key is not RSA.
 * INVALID: damaged. */
int ck_spki_of_cert(struct ck_slice der, struct ck_spki *ret, struct ck_err *err);
