/* Certificates: what they say, issuing self-signed authorities and what these sign.
 *
 * Names are printed as Go's crypto/x509/pkix does. Mirrors kOps pkg/pki (certificate.go,
 * issue.go). */
#include "crypto/pki_internal.h"

#include "base/clock.h"
#include "base/enc.h"
#include "crypto/hash.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* ---- names ---- */

/* The attributes Go knows, in the order it writes them. */
static const struct {
    int nid;
    const char *name;
} ATTRIBUTES[] = {
    {NID_countryName, "C"},
    {NID_organizationName, "O"},
    {NID_organizationalUnitName, "OU"},
    {NID_localityName, "L"},
    {NID_stateOrProvinceName, "ST"},
    {NID_streetAddress, "STREET"},
    {NID_postalCode, "POSTALCODE"},
    {NID_commonName, "CN"},
    {NID_serialNumber, "SERIALNUMBER"},
};

/* Only the last CN and serial number count in Go; the others may have several values. */
static bool is_single(int nid)
{
    return nid == NID_commonName || nid == NID_serialNumber;
}

static void put_value(struct ck_buf *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool edge = (i == 0 && (s[i] == ' ' || s[i] == '#')) || (i + 1 == n && s[i] == ' ');
        if (edge || strchr(",+\"\\<>;", s[i]))
            ck_buf_putc(out, '\\');
        ck_buf_putc(out, s[i]);
    }
}

/* The values of one attribute joined by "+", in front of what is in *out already. */
static void put_attribute(const struct ck_openssl *ssl, const X509_NAME *name, size_t which,
                          struct ck_buf *out)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    for (int i = 0; i < ssl->X509_NAME_entry_count(name); i++) {
        const X509_NAME_ENTRY *e = ssl->X509_NAME_get_entry(name, i);
        if (ssl->OBJ_obj2nid(ssl->X509_NAME_ENTRY_get_object(e)) != ATTRIBUTES[which].nid)
            continue;
        unsigned char *utf8 = NULL;
        int n = ssl->ASN1_STRING_to_UTF8(&utf8, ssl->X509_NAME_ENTRY_get_data(e));
        if (n < 0)
            continue;
        if (is_single(ATTRIBUTES[which].nid))
            ck_buf_reset(&b);
        ck_buf_fmt(&b, "%s%s=", b.len ? "+" : "", ATTRIBUTES[which].name);
        put_value(&b, (const char *)utf8, (size_t)n);
        ssl->CRYPTO_free(utf8, __FILE__, __LINE__);
    }
    if (b.len == 0)
        return;
    ck_buf_puts(out, out->len ? "," : "");
    ck_buf_put(out, ck_buf_slice(&b));
}

/* Attributes Go does not know come last, by their numbers. */
static void put_others(const struct ck_openssl *ssl, const X509_NAME *name, struct ck_buf *out)
{
    for (int i = ssl->X509_NAME_entry_count(name); i-- > 0;) {
        const X509_NAME_ENTRY *e = ssl->X509_NAME_get_entry(name, i);
        int nid = ssl->OBJ_obj2nid(ssl->X509_NAME_ENTRY_get_object(e));
        bool known = false;
        for (size_t k = 0; k < CK_ARRAY_LEN(ATTRIBUTES); k++)
            known = known || ATTRIBUTES[k].nid == nid;
        if (known)
            continue;
        char oid[128];
        ssl->OBJ_obj2txt(oid, sizeof oid, ssl->X509_NAME_ENTRY_get_object(e), 1);
        const ASN1_STRING *v = ssl->X509_NAME_ENTRY_get_data(e);
        ck_buf_fmt(out, "%s%s=", out->len ? "," : "", oid);
        put_value(out, (const char *)ssl->ASN1_STRING_get0_data(v),
                  (size_t)ssl->ASN1_STRING_length(v));
    }
}

static const char *name_text(struct ck_arena *a, const struct ck_openssl *ssl,
                             const X509_NAME *name)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(64 * 1024);
    for (size_t i = CK_ARRAY_LEN(ATTRIBUTES); i-- > 0;)
        put_attribute(ssl, name, i, &b);
    put_others(ssl, name, &b);
    return ck_arena_strndup(a, b.ptr ? b.ptr : "", b.len);
}

/* ---- reading ---- */

static bool is_certificate(const char *name)
{
    return strcmp(name, "CERTIFICATE") == 0;
}

static bool seconds_of(const struct ck_openssl *ssl, const ASN1_TIME *t, int64_t *ret)
{
    struct tm tm;
    if (!t || !ssl->ASN1_TIME_to_tm(t, &tm))
        return false;
    *ret = (int64_t)timegm(&tm);
    return true;
}

static const char *address_text(struct ck_arena *a, const ASN1_OCTET_STRING *ip,
                                const struct ck_openssl *ssl)
{
    char text[INET6_ADDRSTRLEN];
    const unsigned char *p = ssl->ASN1_STRING_get0_data(ip);
    int n = ssl->ASN1_STRING_length(ip);
    if ((n != 4 && n != 16) || !inet_ntop(n == 4 ? AF_INET : AF_INET6, p, text, sizeof text))
        return NULL;
    return ck_arena_strdup(a, text);
}

static const char *alt_name(struct ck_arena *a, const struct ck_openssl *ssl, const GENERAL_NAME *g,
                            int type)
{
    if (g->type != type)
        return NULL;
    if (type == GEN_IPADD)
        return address_text(a, g->d.iPAddress, ssl);
    return ck_arena_strndup(a, (const char *)ssl->ASN1_STRING_get0_data(g->d.ia5),
                            (size_t)ssl->ASN1_STRING_length(g->d.ia5));
}

static void read_alt_names(struct ck_arena *a, const struct ck_openssl *ssl, const X509 *x,
                           struct ck_cert *ret)
{
    static const int TYPES[] = {GEN_DNS, GEN_EMAIL, GEN_IPADD};
    GENERAL_NAMES *names = ssl->X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    if (!names)
        return;
    int n = ssl->OPENSSL_sk_num((const OPENSSL_STACK *)names);
    const char **v = ck_arena_alloc(a, ((size_t)n + 1) * sizeof *v);
    for (size_t t = 0; t < CK_ARRAY_LEN(TYPES); t++)
        for (int i = 0; i < n; i++) {
            const GENERAL_NAME *g = ssl->OPENSSL_sk_value((const OPENSSL_STACK *)names, i);
            const char *text = alt_name(a, ssl, g, TYPES[t]);
            if (text)
                v[ret->n_alt_names++] = text;
        }
    ret->alt_names = v;
    ssl->GENERAL_NAMES_free(names);
}

static int read_facts(struct ck_arena *a, const struct ck_openssl *ssl, const X509 *x,
                      struct ck_cert *ret, struct ck_err *err)
{
    ret->subject = name_text(a, ssl, ssl->X509_get_subject_name(x));
    ret->issuer = name_text(a, ssl, ssl->X509_get_issuer_name(x));
    BIGNUM *serial = ssl->ASN1_INTEGER_to_BN(ssl->X509_get0_serialNumber(x), NULL);
    char *digits = serial ? ssl->BN_bn2dec(serial) : NULL;
    ret->serial = ck_arena_strdup(a, digits ? digits : "0");
    ssl->CRYPTO_free(digits, __FILE__, __LINE__);
    ssl->BN_free(serial);
    EVP_PKEY *key = ssl->X509_get0_pubkey(x);
    if (!key || !seconds_of(ssl, ssl->X509_get0_notBefore(x), &ret->not_before_s) ||
        !seconds_of(ssl, ssl->X509_get0_notAfter(x), &ret->not_after_s))
        return ck_fail(err, CK_INVALID, "the certificate is damaged");
    ret->key_bits = ssl->EVP_PKEY_get_bits(key);
    BASIC_CONSTRAINTS *bc = ssl->X509_get_ext_d2i(x, NID_basic_constraints, NULL, NULL);
    ret->is_ca = bc && bc->ca;
    ssl->BASIC_CONSTRAINTS_free(bc);
    read_alt_names(a, ssl, x, ret);
    return 0;
}

int ck_cert_read(struct ck_arena *a, struct ck_slice pem, struct ck_cert *ret, struct ck_err *err)
{
    *ret = (struct ck_cert){0};
    const struct ck_openssl *ssl = ck_openssl(err);
    if (!ssl)
        return -(int)CK_UNSUPPORTED;
    CK_AUTOPEM struct ck_pem_block b;
    int r = ck_pem_find(ssl, pem, is_certificate, &b, err);
    if (r)
        return r;
    if (!b.data)
        return ck_fail(err, CK_INVALID, "there is no certificate in PEM form");
    const unsigned char *p = b.data;
    X509 *x = ssl->d2i_X509(NULL, &p, (long)b.len);
    if (!x || p != b.data + b.len)
        r = ck_fail(err, CK_INVALID, "the certificate is damaged");
    else
        r = read_facts(a, ssl, x, ret, err);
    ssl->X509_free(x);
    ssl->ERR_clear_error();
    if (!r)
        ret->der = ck_arena_slice(a, ck_slice_n((const char *)b.data, b.len));
    return r;
}

void ck_cert_write(const struct ck_cert *c, struct ck_buf *out)
{
    ck_pem_put(out, "CERTIFICATE", c->der.ptr, c->der.len);
}

int ck_cert_check_key(const struct ck_cert *c, const struct ck_pki_key *k, struct ck_err *err)
{
    const unsigned char *p = (const unsigned char *)c->der.ptr;
    X509 *x = k->ssl->d2i_X509(NULL, &p, (long)c->der.len);
    EVP_PKEY *pub = x ? k->ssl->X509_get0_pubkey(x) : NULL;
    bool same = pub && k->ssl->EVP_PKEY_eq(pub, k->pkey) == 1;
    k->ssl->X509_free(x);
    k->ssl->ERR_clear_error();
    if (same)
        return 0;
    return ck_fail(err, CK_INVALID, "the certificate and the private key do not belong together");
}

bool ck_cert_is_signed_by(const struct ck_cert *c, const struct ck_cert *ca)
{
    const struct ck_openssl *ssl = ck_openssl(NULL);
    if (!ssl)
        return false;
    const unsigned char *p = (const unsigned char *)c->der.ptr, *q;
    X509 *x = ssl->d2i_X509(NULL, &p, (long)c->der.len);
    q = (const unsigned char *)ca->der.ptr;
    X509 *issuer = ssl->d2i_X509(NULL, &q, (long)ca->der.len);
    EVP_PKEY *key = issuer ? ssl->X509_get0_pubkey(issuer) : NULL;
    bool ok = x && key && ssl->X509_verify(x, key) == 1;
    ssl->X509_free(x);
    ssl->X509_free(issuer);
    ssl->ERR_clear_error();
    return ok;
}

/* ---- issuing ---- */

static bool is_printable(const char *s)
{
    for (; *s; s++)
        if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
              strchr(" '()+,-./:=?", *s)))
            return false;
    return true;
}

static bool add_name(const struct ck_openssl *ssl, X509_NAME *name, int nid, const char *text)
{
    int type = is_printable(text) ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING;
    return ssl->X509_NAME_add_entry_by_NID(name, nid, type, (const unsigned char *)text,
                                           (int)strlen(text), -1, 0) == 1;
}

static bool set_names(const struct ck_openssl *ssl, X509 *x, const struct ck_cert_ca *ca)
{
    X509_NAME *name = ssl->X509_NAME_new();
    bool ok = name && add_name(ssl, name, NID_commonName, ca->common_name);
    if (ok && ca->serial_in_subject)
        ok = add_name(ssl, name, NID_serialNumber, ca->serial);
    ok = ok && ssl->X509_set_subject_name(x, name) && ssl->X509_set_issuer_name(x, name);
    ssl->X509_NAME_free(name);
    return ok;
}

static bool set_time(const struct ck_openssl *ssl, X509 *x, bool start, int64_t at_s)
{
    char stamp[17], text[17];
    ck_iso8601_basic(at_s, stamp); /* 20060102T150405Z */
    snprintf(text, sizeof text, "%.8s%.7s", stamp, stamp + 9);
    ASN1_TIME *t = ssl->ASN1_TIME_new();
    /* Two-digit years until 2049, as RFC 5280 wants. */
    bool ok = t && ssl->ASN1_TIME_set_string_X509(t, text);
    if (ok)
        ok = start ? ssl->X509_set1_notBefore(x, t) : ssl->X509_set1_notAfter(x, t);
    ssl->ASN1_TIME_free(t);
    return ok;
}

static bool set_serial(const struct ck_openssl *ssl, X509 *x, const char *decimal)
{
    BIGNUM *n = NULL;
    bool ok = ssl->BN_dec2bn(&n, decimal) > 0;
    ASN1_INTEGER *i = ok ? ssl->BN_to_ASN1_INTEGER(n, NULL) : NULL;
    ok = i && ssl->X509_set_serialNumber(x, i);
    ssl->ASN1_INTEGER_free(i);
    ssl->BN_free(n);
    return ok;
}

static bool add_extension(const struct ck_openssl *ssl, X509 *x, int nid, bool critical,
                          const void *der, size_t len)
{
    ASN1_OCTET_STRING *value = ssl->ASN1_OCTET_STRING_new();
    bool ok = value && ssl->ASN1_OCTET_STRING_set(value, der, (int)len);
    X509_EXTENSION *e = ok ? ssl->X509_EXTENSION_create_by_NID(NULL, nid, critical, value) : NULL;
    ok = e && ssl->X509_add_ext(x, e, -1);
    ssl->X509_EXTENSION_free(e);
    ssl->ASN1_OCTET_STRING_free(value);
    return ok;
}

static bool add_authority_extensions(const struct ck_openssl *ssl, X509 *x)
{
    static const unsigned char USAGE[] = {0x03, 0x02, 0x01, 0x06}; /* keyCertSign, cRLSign */
    static const unsigned char CA_TRUE[] = {0x30, 0x03, 0x01, 0x01, 0xff};
    enum { ID_LEN = 20 };
    const ASN1_BIT_STRING *bits = ssl->X509_get0_pubkey_bitstr(x);
    unsigned char sum[CK_SHA256_LEN], id[2 + ID_LEN] = {0x04, ID_LEN};
    ck_sha256(ck_slice_n((const char *)ssl->ASN1_STRING_get0_data(bits),
                         (size_t)ssl->ASN1_STRING_length(bits)),
              sum);
    memcpy(id + 2, sum, ID_LEN);
    return add_extension(ssl, x, NID_key_usage, true, USAGE, sizeof USAGE) &&
           add_extension(ssl, x, NID_basic_constraints, true, CA_TRUE, sizeof CA_TRUE) &&
           add_extension(ssl, x, NID_subject_key_identifier, false, id, sizeof id);
}

/* Go signs with SHA-256, and with more for the longer curves. */
static const EVP_MD *digest_of(const struct ck_pki_key *k)
{
    enum { LONGEST_256 = 256, LONGEST_384 = 384 };
    int bits = k->ssl->EVP_PKEY_get_bits(k->pkey);
    if (k->ssl->EVP_PKEY_get_base_id(k->pkey) != EVP_PKEY_EC || bits <= LONGEST_256)
        return k->ssl->EVP_sha256();
    return bits <= LONGEST_384 ? k->ssl->EVP_sha384() : k->ssl->EVP_sha512();
}

/* Takes x. */
static int sign(const struct ck_pki_key *signer, X509 *x, bool ok, const char *name,
                struct ck_buf *out, struct ck_err *err)
{
    const struct ck_openssl *ssl = signer->ssl;
    unsigned char *der = NULL;
    ok = ok && ssl->X509_sign(x, signer->pkey, digest_of(signer));
    int len = ok ? ssl->i2d_X509(x, &der) : 0;
    ssl->X509_free(x);
    ssl->ERR_clear_error();
    if (len <= 0)
        return ck_fail(err, CK_INTERNAL, "the certificate \"%s\" could not be made", name);
    ck_pem_put(out, "CERTIFICATE", der, (size_t)len);
    ssl->CRYPTO_free(der, __FILE__, __LINE__);
    return 0;
}

enum { HOUR_S = 3600, EARLIER_H = 48, VERSION_3 = 2 };

int ck_cert_issue_ca(const struct ck_cert_ca *ca, const struct ck_pki_key *k, struct ck_buf *out,
                     struct ck_err *err)
{
    enum { VALID_H = 10 * 365 * 24 };
    const struct ck_openssl *ssl = k->ssl;
    X509 *x = ssl->X509_new();
    bool ok = x && ssl->X509_set_version(x, VERSION_3) && set_serial(ssl, x, ca->serial) &&
              set_names(ssl, x, ca) &&
              set_time(ssl, x, true, ca->now_s - (int64_t)EARLIER_H * HOUR_S) &&
              set_time(ssl, x, false, ca->now_s + (int64_t)VALID_H * HOUR_S) &&
              ssl->X509_set_pubkey(x, k->pkey) && add_authority_extensions(ssl, x);
    return sign(k, x, ok, ca->common_name, out, err);
}

/* ---- leaves ---- */

/* A DER element whose content is shorter than 64 KiB. */
static void put_der(struct ck_buf *out, unsigned char tag, const void *p, size_t n)
{
    enum { SHORT = 0x80, ONE = 0x81, TWO = 0x82, BYTE = 0x100 };
    ck_buf_putc(out, (char)tag);
    if (n >= BYTE) {
        ck_buf_putc(out, (char)TWO);
        ck_buf_putc(out, (char)(n >> 8));
    } else if (n >= SHORT) {
        ck_buf_putc(out, (char)ONE);
    }
    ck_buf_putc(out, (char)n);
    ck_buf_putn(out, p, n);
}

static bool add_built(const struct ck_openssl *ssl, X509 *x, int nid, const struct ck_buf *content)
{
    enum { SEQUENCE = 0x30, LONGEST = 0xffff };
    CK_AUTOBUF struct ck_buf der = CK_BUF_INIT;
    if (content->len > LONGEST)
        return false;
    put_der(&der, SEQUENCE, ck_buf_str(content), content->len);
    return add_extension(ssl, x, nid, false, der.ptr, der.len);
}

static bool add_alt_names(const struct ck_openssl *ssl, X509 *x, const struct ck_cert_leaf *leaf)
{
    enum { DNS = 0x82, ADDRESS = 0x87, V4_LEN = 4, V6_LEN = 16 };
    CK_AUTOBUF struct ck_buf names = CK_BUF_INIT;
    for (size_t i = 0; i < leaf->n_alt_names; i++) {
        unsigned char ip[V6_LEN];
        const char *name = leaf->alt_names[i];
        if (inet_pton(AF_INET, name, ip) == 1)
            put_der(&names, ADDRESS, ip, V4_LEN);
        else if (inet_pton(AF_INET6, name, ip) == 1)
            put_der(&names, ADDRESS, ip, V6_LEN);
        else
            put_der(&names, DNS, name, strlen(name));
    }
    return leaf->n_alt_names == 0 || add_built(ssl, x, NID_subject_alt_name, &names);
}

static bool add_issuer_id(const struct ck_openssl *ssl, X509 *x, X509 *issuer)
{
    enum { KEY_ID = 0x80 };
    const ASN1_OCTET_STRING *id = ssl->X509_get0_subject_key_id(issuer);
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (!id)
        return true;
    put_der(&b, KEY_ID, ssl->ASN1_STRING_get0_data(id), (size_t)ssl->ASN1_STRING_length(id));
    return add_built(ssl, x, NID_authority_key_identifier, &b);
}

static bool add_leaf_extensions(const struct ck_openssl *ssl, X509 *x, X509 *issuer,
                                const struct ck_cert_leaf *leaf)
{
    static const unsigned char SIGNS[] = {0x03, 0x02, 0x07, 0x80};     /* digitalSignature */
    static const unsigned char ENCIPHERS[] = {0x03, 0x02, 0x05, 0xa0}; /* and keyEncipherment */
    static const unsigned char NO_CA[] = {0x30, 0x00};
    static const unsigned char CLIENT[] = {0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 2};
    static const unsigned char SERVER[] = {0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1};
    CK_AUTOBUF struct ck_buf uses = CK_BUF_INIT;
    if (leaf->use != CK_CERT_SERVER)
        ck_buf_putn(&uses, CLIENT, sizeof CLIENT);
    if (leaf->use != CK_CERT_CLIENT)
        ck_buf_putn(&uses, SERVER, sizeof SERVER);
    return add_extension(ssl, x, NID_key_usage, true,
                         leaf->use == CK_CERT_CLIENT ? SIGNS : ENCIPHERS, sizeof SIGNS) &&
           add_built(ssl, x, NID_ext_key_usage, &uses) &&
           add_extension(ssl, x, NID_basic_constraints, true, NO_CA, sizeof NO_CA) &&
           add_issuer_id(ssl, x, issuer) && add_alt_names(ssl, x, leaf);
}

static bool set_leaf_names(const struct ck_openssl *ssl, X509 *x, X509 *issuer,
                           const struct ck_cert_leaf *leaf)
{
    X509_NAME *name = ssl->X509_NAME_new();
    bool ok = name && ssl->X509_set_issuer_name(x, ssl->X509_get_subject_name(issuer));
    if (ok && leaf->organization)
        ok = add_name(ssl, name, NID_organizationName, leaf->organization);
    ok = ok && add_name(ssl, name, NID_commonName, leaf->common_name) &&
         ssl->X509_set_subject_name(x, name);
    ssl->X509_NAME_free(name);
    return ok;
}

static bool set_random_serial(const struct ck_openssl *ssl, X509 *x)
{
    enum { SERIAL_LEN = 16 };
    unsigned char random[SERIAL_LEN];
    ck_random(random, sizeof random);
    BIGNUM *n = ssl->BN_bin2bn(random, sizeof random, NULL);
    ASN1_INTEGER *i = n ? ssl->BN_to_ASN1_INTEGER(n, NULL) : NULL;
    bool ok = i && ssl->X509_set_serialNumber(x, i);
    ssl->ASN1_INTEGER_free(i);
    ssl->BN_free(n);
    return ok;
}

static int check_authority(const struct ck_cert_leaf *leaf, const struct ck_cert *ca,
                           const struct ck_pki_key *ca_key, struct ck_err *err)
{
    if (!ca->is_ca)
        return ck_fail(err, CK_INVALID, "%s is not the certificate of an authority", ca->subject);
    if (ca->not_after_s <= leaf->now_s) {
        char stamp[21];
        ck_rfc3339(ca->not_after_s, stamp);
        return ck_fail(err, CK_INVALID, "the authority %s expired on %s", ca->subject, stamp);
    }
    return ck_cert_check_key(ca, ca_key, err);
}

int ck_cert_issue_leaf(const struct ck_cert_leaf *leaf, const struct ck_pki_key *k,
                       const struct ck_cert *ca, const struct ck_pki_key *ca_key,
                       struct ck_buf *out, struct ck_err *err)
{
    const struct ck_openssl *ssl = k->ssl;
    int r = check_authority(leaf, ca, ca_key, err);
    if (r)
        return r;
    const unsigned char *p = (const unsigned char *)ca->der.ptr;
    X509 *issuer = ssl->d2i_X509(NULL, &p, (long)ca->der.len), *x = ssl->X509_new();
    bool ok = issuer && x && ssl->X509_set_version(x, VERSION_3) && set_random_serial(ssl, x) &&
              set_leaf_names(ssl, x, issuer, leaf) &&
              set_time(ssl, x, true, leaf->now_s - (int64_t)EARLIER_H * HOUR_S) &&
              set_time(ssl, x, false, leaf->now_s + leaf->lifetime_s) &&
              ssl->X509_set_pubkey(x, k->pkey) && add_leaf_extensions(ssl, x, issuer, leaf);
    ssl->X509_free(issuer);
    return sign(ca_key, x, ok, leaf->common_name, out, err);
}
