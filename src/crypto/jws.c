/* JSON web signatures with RSA keys: what service accounts prove themselves with. kOps leaves this
 * to the Google and Azure SDKs. */
#include "crypto/jws.h"

#include "base/enc.h"
#include "base/mem.h"
#include "crypto/pki_internal.h"

enum { MAX_SIGNATURE = CK_PKI_MAX_RSA_BITS / 8 };

void ck_base64url_encode(struct ck_buf *out, const void *p, size_t n)
{
    size_t from = out->len;
    ck_base64_encode(out, p, n);
    while (out->len > from && out->ptr[out->len - 1] == '=')
        out->ptr[--out->len] = '\0';
    for (size_t i = from; i < out->len; i++)
        out->ptr[i] = out->ptr[i] == '+' ? '-' : out->ptr[i] == '/' ? '_' : out->ptr[i];
}

static bool sign(const struct ck_pki_key *k, EVP_MD_CTX *ctx, struct ck_slice text,
                 unsigned char *out, size_t *len)
{
    return ctx && k->ssl->EVP_DigestSignInit(ctx, NULL, k->ssl->EVP_sha256(), NULL, k->pkey) == 1 &&
           k->ssl->EVP_DigestSign(ctx, out, len, (const unsigned char *)text.ptr, text.len) == 1;
}

int ck_jws_rs256(const struct ck_pki_key *k, struct ck_slice header, struct ck_slice payload,
                 struct ck_buf *out, struct ck_err *err)
{
    if (k->ssl->EVP_PKEY_get_base_id(k->pkey) != EVP_PKEY_RSA)
        return ck_fail(err, CK_INVALID, "the private key is not an RSA key");
    size_t from = out->len;
    ck_base64url_encode(out, header.ptr, header.len);
    ck_buf_putc(out, '.');
    ck_base64url_encode(out, payload.ptr, payload.len);
    unsigned char signature[MAX_SIGNATURE];
    size_t len = sizeof signature;
    EVP_MD_CTX *ctx = k->ssl->EVP_MD_CTX_new();
    bool ok = sign(k, ctx, ck_slice_n(out->ptr + from, out->len - from), signature, &len);
    k->ssl->EVP_MD_CTX_free(ctx);
    if (!ok)
        return ck_fail(err, CK_INTERNAL, "OpenSSL refuses to sign");
    ck_buf_putc(out, '.');
    ck_base64url_encode(out, signature, len);
    return 0;
}
