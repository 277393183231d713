/* Walks the DER of a certificate to its public key. Nothing is verified and no size of key is
 * refused, so that what an authority once issued can always be listed. RFC 5280 §4.1, RFC 8017
 * A.1.1. */
#include "crypto/spki.h"

#include "base/enc.h"

#include <stddef.h>
#include <string.h>

enum {
    TAG_INTEGER = 0x02,
    TAG_BIT_STRING = 0x03,
    TAG_OID = 0x06,
    TAG_SEQUENCE = 0x30,
    TAG_VERSION = 0xa0,
    LENGTH_LONG = 0x80,
};

/* Take the next element off *in; *whole has its header, *body has not. */
static bool take(struct ck_slice *in, int *tag, struct ck_slice *whole, struct ck_slice *body)
{
    const unsigned char *p = (const unsigned char *)in->ptr;
    size_t at = 2, len;
    if (in->len < 2)
        return false;
    *tag = p[0];
    len = p[1];
    if (len & LENGTH_LONG) {
        size_t digits = len & 0x7f;
        if (digits == 0 || digits > 4 || in->len < 2 + digits)
            return false;
        for (len = 0; at < 2 + digits; at++)
            len = len << 8 | p[at];
    }
    if (len > in->len - at)
        return false;
    *whole = ck_slice_n(in->ptr, at + len);
    *body = ck_slice_n(in->ptr + at, len);
    *in = ck_slice_n(in->ptr + at + len, in->len - at - len);
    return true;
}

static bool take_of(struct ck_slice *in, int want, struct ck_slice *body)
{
    int tag;
    struct ck_slice whole;
    return take(in, &tag, &whole, body) && tag == want;
}

/* An INTEGER without the zero byte that only says "not negative". */
static bool take_integer(struct ck_slice *in, struct ck_slice *ret)
{
    if (!take_of(in, TAG_INTEGER, ret))
        return false;
    while (ret->len > 1 && ret->ptr[0] == '\0')
        *ret = ck_slice_n(ret->ptr + 1, ret->len - 1);
    return true;
}

/* Down to the seventh member of the TBSCertificate; its version may be absent. */
static bool find(struct ck_slice der, struct ck_slice *ret_whole, struct ck_slice *ret_body)
{
    enum { BEFORE_KEY = 5 }; /* serial, algorithm, issuer, validity, subject */
    int tag;
    struct ck_slice cert, tbs, whole, body;
    if (!take_of(&der, TAG_SEQUENCE, &cert) || !take_of(&cert, TAG_SEQUENCE, &tbs))
        return false;
    struct ck_slice rest = tbs;
    if (take(&rest, &tag, &whole, &body) && tag == TAG_VERSION)
        tbs = rest;
    for (int i = 0; i < BEFORE_KEY; i++)
        if (!take(&tbs, &tag, &whole, &body))
            return false;
    return take(&tbs, &tag, ret_whole, ret_body) && tag == TAG_SEQUENCE;
}

static bool rsa(struct ck_slice spki, struct ck_spki *ret)
{
    static const char rsa_encryption[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
    struct ck_slice algorithm, oid, bits, key;
    if (!take_of(&spki, TAG_SEQUENCE, &algorithm) || !take_of(&algorithm, TAG_OID, &oid) ||
        !take_of(&spki, TAG_BIT_STRING, &bits))
        return false;
    if (!ck_slice_eq(oid, CK_S(rsa_encryption)))
        return true;
    if (bits.len < 1 || bits.ptr[0] != '\0')
        return false;
    bits = ck_slice_n(bits.ptr + 1, bits.len - 1);
    return take_of(&bits, TAG_SEQUENCE, &key) && take_integer(&key, &ret->n) &&
           take_integer(&key, &ret->e);
}

int ck_spki_of_cert(struct ck_slice der, struct ck_spki *ret, struct ck_err *err)
{
    struct ck_slice body;
    *ret = (struct ck_spki){0};
    if (!find(der, &ret->der, &body) || !rsa(body, ret))
        return ck_fail(err, CK_INVALID, "the certificate's public key cannot be read");
    return 0;
}

bool ck_cert_der(struct ck_arena *a, struct ck_slice pem, struct ck_slice *ret)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
    CK_AUTOBUF struct ck_buf der = CK_BUF_INIT;
    CK_AUTOERR none = CK_ERR_INIT;
    struct ck_spki key;
    const char *from = memmem(pem.ptr, pem.len, begin, sizeof begin - 1);
    if (!from)
        return false;
    from += sizeof begin - 1;
    const char *to = memmem(from, (size_t)(pem.ptr + pem.len - from), end, sizeof end - 1);
    if (!to || !ck_base64_decode(&der, ck_slice_n(from, (size_t)(to - from))) ||
        ck_spki_of_cert(ck_buf_slice(&der), &key, &none))
        return false;
    *ret = ck_arena_slice(a, ck_buf_slice(&der));
    return true;
}
