/* AWS Signature Version 4 over decoded request parts.
 *
 * Source: AWS "Signature Version 4 signing process"; S3 encodes the path once, other services
 * twice. */
#pragma once

#include "auth/cred.h"
#include "net/http.h"

/* The signing key of a day, region and service, made by three HMACs from a secret: kept for as long
 * as none of them changes. Starts as {0}; of one thread. */
struct ck_sigv4_memo {
    char *scope, *secret;
    unsigned char key[32];
};
void ck_sigv4_memo_done(struct ck_sigv4_memo *m); /* wipes */

struct ck_sigv4 {
    const char *region, *service; /* "us-east-1", "s3" */
    int64_t skew_s;               /* added to the local clock: server minus client */
    bool unsigned_payload;        /* x-amz-content-sha256: UNSIGNED-PAYLOAD */
    bool no_double_encode;        /* S3 */
    bool no_content_sha_header;   /* services other than S3 do not want x-amz-content-sha256 */
    struct ck_sigv4_memo *memo;   /* NULL: the key is made anew */
};

/* Add x-amz-date, x-amz-content-sha256 (S3), x-amz-security-token and authorization to r->headers;
 * `host` is signed as the transport will send it. now_s: seconds since the epoch before skew. */
int ck_sigv4_sign(struct ck_arena *a, const struct ck_sigv4 *p, const struct ck_cred *c,
                  int64_t now_s, struct ck_req *r, struct ck_err *err);
/* Presign: the signature goes into the query. expires_s at most 604,800. */
int ck_sigv4_presign(struct ck_arena *a, const struct ck_sigv4 *p, const struct ck_cred *c,
                     int64_t now_s, int64_t expires_s, struct ck_req *r, struct ck_err *err);
/* The canonical request text, for tests and -v 10 (holds no secret). */
void ck_sigv4_canonical(struct ck_buf *out, const struct ck_sigv4 *p, const struct ck_req *r,
                        const char *payload_hash);
