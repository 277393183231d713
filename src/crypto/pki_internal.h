/* Shared by pki.c and cert.c: the key's insides and PEM blocks. */
#pragma once

#include "crypto/openssl.h"
#include "crypto/pki.h"

struct ck_pki_key {
    const struct ck_openssl *ssl;
    EVP_PKEY *pkey;
};

struct ck_pem_block {
    const struct ck_openssl *ssl;
    unsigned char *data; /* DER; NULL: none was found */
    size_t len;
};
void ck_pem_done(struct ck_pem_block *b); /* wipes */
#define CK_AUTOPEM CK_CLEANUP(ck_pem_done)

/* The first block whose name `want` accepts. INVALID when it (or a key before it) is encrypted. */
typedef bool (*ck_pem_want_fn)(const char *name);
int ck_pem_find(const struct ck_openssl *ssl, struct ck_slice pem, ck_pem_want_fn want,
                struct ck_pem_block *ret, struct ck_err *err);
void ck_pem_put(struct ck_buf *out, const char *name, const void *der, size_t len);
