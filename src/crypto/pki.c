/* Private keys: making, reading and writing them, PEM blocks, serial numbers.
 *
 * Certificates are in cert.c. Mirrors kOps pkg/pki (privatekey.go, csr.go). */
#include "crypto/pki_internal.h"

#include "base/enc.h"
#include "base/mem.h"
#include "crypto/hash.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

/* ---- PEM ---- */

int ck_pem_find(const struct ck_openssl *ssl, struct ck_slice pem, ck_pem_want_fn want,
                struct ck_pem_block *ret, struct ck_err *err)
{
    *ret = (struct ck_pem_block){0};
    if (pem.len > CK_PKI_MAX_PEM)
        return ck_fail(err, CK_LIMIT, "the PEM text is larger than 1 MiB");
    BIO *in = ssl->BIO_new_mem_buf(pem.ptr, (int)pem.len);
    char *name, *header;
    unsigned char *data;
    long len;
    int r = 0;
    while (!ret->data && !r && in && ssl->PEM_read_bio(in, &name, &header, &data, &len) == 1) {
        bool wanted = want(name);
        if (strcmp(name, "ENCRYPTED PRIVATE KEY") == 0 || (wanted && strstr(header, "ENCRYPTED")))
            r = ck_fail(err, CK_INVALID, "the key is encrypted; decrypt it first");
        if (wanted && !r)
            *ret = (struct ck_pem_block){ssl, data, (size_t)len};
        else
            ssl->CRYPTO_clear_free(data, (size_t)len, __FILE__, __LINE__);
        ssl->CRYPTO_free(name, __FILE__, __LINE__);
        ssl->CRYPTO_free(header, __FILE__, __LINE__);
    }
    ssl->BIO_free(in);
    ssl->ERR_clear_error();
    return r;
}

void ck_pem_done(struct ck_pem_block *b)
{
    if (b->data)
        b->ssl->CRYPTO_clear_free(b->data, b->len, __FILE__, __LINE__);
    b->data = NULL;
}

void ck_pem_put(struct ck_buf *out, const char *name, const void *der, size_t len)
{
    enum { BYTES_PER_LINE = 48 };
    const unsigned char *p = der;
    /* Reserved at once: a buffer that grows leaves copies behind. */
    ck_buf_reserve(out, len / BYTES_PER_LINE * 65 + 2 * strlen(name) + 160);
    ck_buf_fmt(out, "-----BEGIN %s-----\n", name);
    for (size_t i = 0; i < len; i += BYTES_PER_LINE) {
        ck_base64_encode(out, p + i, len - i < BYTES_PER_LINE ? len - i : BYTES_PER_LINE);
        ck_buf_putc(out, '\n');
    }
    ck_buf_fmt(out, "-----END %s-----\n", name);
}

/* ---- keys ---- */

void ck_pki_key_free(struct ck_pki_key *k)
{
    if (!k)
        return;
    k->ssl->EVP_PKEY_free(k->pkey);
    free(k);
}

static int wrap_key(const struct ck_openssl *ssl, EVP_PKEY *pkey, const char *what,
                    struct ck_pki_key **ret, struct ck_err *err)
{
    if (!pkey) {
        ssl->ERR_clear_error();
        return ck_fail(err, CK_INVALID, "%s", what);
    }
    *ret = ck_xmalloc(sizeof **ret);
    **ret = (struct ck_pki_key){ssl, pkey};
    return 0;
}

int ck_pki_key_new_rsa(unsigned bits, struct ck_pki_key **ret, struct ck_err *err)
{
    *ret = NULL;
    if (bits < CK_PKI_MIN_RSA_BITS || bits > CK_PKI_MAX_RSA_BITS)
        return ck_fail(err, CK_INVALID, "RSA keys of %u bits are not made: %d to %d are possible",
                       bits, CK_PKI_MIN_RSA_BITS, CK_PKI_MAX_RSA_BITS);
    const struct ck_openssl *ssl = ck_openssl(err);
    if (!ssl)
        return -(int)CK_UNSUPPORTED;
    return wrap_key(ssl, ssl->EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits),
                    "the RSA key could not be made", ret, err);
}

int ck_pki_key_new_ec(const char *curve, struct ck_pki_key **ret, struct ck_err *err)
{
    *ret = NULL;
    const struct ck_openssl *ssl = ck_openssl(err);
    if (!ssl)
        return -(int)CK_UNSUPPORTED;
    return wrap_key(ssl, ssl->EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve),
                    "the EC key could not be made", ret, err);
}

struct making {
    pthread_mutex_t lock;
    unsigned bits;
    size_t n, next;
    struct ck_pki_key **ret;
    struct ck_err *err; /* the first failure */
};

static void *make_keys(void *arg)
{
    struct making *m = arg;
    for (;;) {
        pthread_mutex_lock(&m->lock);
        size_t i = m->err->code ? m->n : m->next++;
        pthread_mutex_unlock(&m->lock);
        if (i >= m->n)
            return NULL;
        CK_AUTOERR e = CK_ERR_INIT;
        if (ck_pki_key_new_rsa(m->bits, &m->ret[i], &e)) {
            pthread_mutex_lock(&m->lock);
            ck_err_move(m->err, &e);
            pthread_mutex_unlock(&m->lock);
        }
    }
}

/* Those this process may use, as containers restrict them. */
static size_t processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return (size_t)CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (size_t)n : 1;
}

int ck_pki_keys_new_rsa(unsigned bits, size_t n, struct ck_pki_key **ret, struct ck_err *err)
{
    enum { MOST = 64 };
    CK_AUTOERR failed = CK_ERR_INIT;
    struct making m = {PTHREAD_MUTEX_INITIALIZER, bits, n, 0, ret, &failed};
    for (size_t i = 0; i < n; i++)
        ret[i] = NULL;
    pthread_t threads[MOST];
    size_t started = 0, helpers = processors() - 1;
    while (started < helpers && started + 1 < n && started < MOST &&
           pthread_create(&threads[started], NULL, make_keys, &m) == 0)
        started++;
    make_keys(&m);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (!failed.code)
        return 0;
    for (size_t i = 0; i < n; i++) {
        ck_pki_key_free(ret[i]);
        ret[i] = NULL;
    }
    return ck_err_move(err, &failed);
}

static bool is_key(const char *name)
{
    return strcmp(name, "RSA PRIVATE KEY") == 0 || strcmp(name, "EC PRIVATE KEY") == 0 ||
           strcmp(name, "PRIVATE KEY") == 0;
}

int ck_pki_key_read(struct ck_slice pem, struct ck_pki_key **ret, struct ck_err *err)
{
    *ret = NULL;
    const struct ck_openssl *ssl = ck_openssl(err);
    if (!ssl)
        return -(int)CK_UNSUPPORTED;
    CK_AUTOPEM struct ck_pem_block b;
    int r = ck_pem_find(ssl, pem, is_key, &b, err);
    if (r)
        return r;
    if (!b.data)
        return ck_fail(err, CK_INVALID, "there is no private key in PEM form");
    const unsigned char *p = b.data;
    EVP_PKEY *pkey = ssl->d2i_AutoPrivateKey(NULL, &p, (long)b.len);
    r = wrap_key(ssl, pkey, "the private key is damaged", ret, err);
    int kind = r ? 0 : ssl->EVP_PKEY_get_base_id(pkey);
    if (r || kind == EVP_PKEY_RSA || kind == EVP_PKEY_EC)
        return r;
    ck_pki_key_free(*ret);
    *ret = NULL;
    return ck_fail(err, CK_INVALID, "unknown private key type: only RSA and EC keys can be stored");
}

int ck_pki_key_write(const struct ck_pki_key *k, struct ck_buf *out, struct ck_err *err)
{
    bool rsa = k->ssl->EVP_PKEY_get_base_id(k->pkey) == EVP_PKEY_RSA;
    unsigned char *der = NULL;
    int len = k->ssl->i2d_PrivateKey(k->pkey, &der);
    if (len <= 0) {
        k->ssl->ERR_clear_error();
        return ck_fail(err, CK_INTERNAL, "the private key could not be encoded");
    }
    ck_pem_put(out, rsa ? "RSA PRIVATE KEY" : "EC PRIVATE KEY", der, (size_t)len);
    k->ssl->CRYPTO_clear_free(der, (size_t)len, __FILE__, __LINE__);
    return 0;
}

/* ---- serials and ids ---- */

void ck_pki_serial(int64_t now_ns, char ret[CK_PKI_SERIAL_SIZE])
{
    uint32_t low;
    ck_random(&low, sizeof low);
    unsigned __int128 v = (unsigned __int128)(uint64_t)now_ns << 32 | low;
    char digits[CK_PKI_SERIAL_SIZE];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + (int)(v % 10));
        v /= 10;
    } while (v);
    for (size_t i = 0; i < n; i++)
        ret[i] = digits[n - 1 - i];
    ret[n] = 0;
}

bool ck_pki_id_is_number(const char *id)
{
    return *id && id[strspn(id, "0123456789")] == 0;
}

int ck_pki_id_cmp(const char *a, const char *b)
{
    bool na = ck_pki_id_is_number(a), nb = ck_pki_id_is_number(b);
    if (na != nb)
        return na ? 1 : -1;
    if (!na)
        return strcmp(a, b);
    a += strspn(a, "0");
    b += strspn(b, "0");
    size_t la = strlen(a), lb = strlen(b);
    if (la != lb)
        return la < lb ? -1 : 1;
    return strcmp(a, b);
}
