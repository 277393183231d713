/* JSON web signatures, as token services want them. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "crypto/pki.h"

/* Append base64 of the URL alphabet, without padding (RFC 4648 §5). */
void ck_base64url_encode(struct ck_buf *out, const void *p, size_t n);
/* Append `HEADER.PAYLOAD.SIGNATURE` in compact form, signed by RS256 (RFC 7515, 7518 §3.3). header
 * and payload are JSON texts. INVALID: the key is not RSA. */
int ck_jws_rs256(const struct ck_pki_key *k, struct ck_slice header, struct ck_slice payload,
                 struct ck_buf *out, struct ck_err *err);
