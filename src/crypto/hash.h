/* Digests and HMAC (OpenSSL). This folder alone includes OpenSSL. */
#pragma once

#include "base/err.h"
#include "base/slice.h"

#include <stddef.h>

enum { CK_SHA256_LEN = 32, CK_SHA1_LEN = 20, CK_MD5_LEN = 16 };

/* Load libcrypto now, so that a missing library is an ordinary error: UNSUPPORTED and one sentence.
 * The functions below load it by themselves, but can only end the process when it is missing. */
int ck_crypto_load(struct ck_err *err);

void ck_sha256(struct ck_slice data, unsigned char out[CK_SHA256_LEN]);
void ck_sha1(struct ck_slice data, unsigned char out[CK_SHA1_LEN]);
void ck_md5(struct ck_slice data, unsigned char out[CK_MD5_LEN]);
void ck_hmac_sha256(struct ck_slice key, struct ck_slice data, unsigned char out[CK_SHA256_LEN]);
void ck_hmac_sha1(struct ck_slice key, struct ck_slice data, unsigned char out[CK_SHA1_LEN]);
void ck_sha256_hex(struct ck_slice data, char out[2 * CK_SHA256_LEN + 1]);

/* Streaming SHA-256 and MD5. */
struct ck_digest;
struct ck_digest *ck_digest_new(const char *name); /* "sha256", "md5", "sha1"; NULL: no such */
void ck_digest_add(struct ck_digest *d, struct ck_slice piece);
size_t ck_digest_end(struct ck_digest *d, unsigned char *out); /* returns the length; frees d */
void ck_random(void *p, size_t n);                             /* cryptographically strong */
