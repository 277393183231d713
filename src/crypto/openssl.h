/* libcrypto, loaded on first use: commands on local stores never pay for it.
 *
 * openssl_syms.def is the one list of the functions in use; their types come from OpenSSL's own
 * headers. Only files of this folder include this header. */
#pragma once

#include "base/err.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

struct ck_openssl {
#define CK_SSL(name) __typeof__ (&name)(name);
#include "crypto/openssl_syms.def"
#undef CK_SSL
};

/* The functions, e.g. ck_openssl(err)->EVP_sha256(); loads the library the first time, from any
 * thread. NULL with UNSUPPORTED and one sentence when it is missing or too old. */
const struct ck_openssl *ck_openssl(struct ck_err *err);
