/* Digests, HMAC and random bytes. The algorithms are libcrypto's, the random bytes the kernel's. */
#include "crypto/hash.h"

#include "base/mem.h"
#include "crypto/openssl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

typedef const EVP_MD *(*algorithm_fn)(void);

/* As for memory: these functions cannot fail in a way their callers could act upon. Who can report
 * an error asks ck_crypto_load() first. */
static CK_NORETURN void give_up(const char *why)
{
    CK_AUTOFREE char *line = ck_xasprintf("Error: %s\n", why);
    ssize_t r = write(2, line, strlen(line));
    (void)r;
    _exit(1);
}

static const struct ck_openssl *ssl(void)
{
    CK_AUTOERR err = CK_ERR_INIT;
    const struct ck_openssl *o = ck_openssl(&err);
    if (!o)
        give_up(ck_err_msg(&err));
    return o;
}

static void refused(void)
{
    give_up("OpenSSL refuses a digest (a policy such as FIPS mode may forbid MD5)");
}

int ck_crypto_load(struct ck_err *err)
{
    return ck_openssl(err) ? 0 : -CK_UNSUPPORTED;
}

static void digest(const EVP_MD *md, struct ck_slice data, unsigned char *out)
{
    if (ssl()->EVP_Digest(data.len ? data.ptr : "", data.len, out, NULL, md, NULL) != 1)
        refused();
}

void ck_sha256(struct ck_slice data, unsigned char out[CK_SHA256_LEN])
{
    digest(ssl()->EVP_sha256(), data, out);
}

void ck_sha1(struct ck_slice data, unsigned char out[CK_SHA1_LEN])
{
    digest(ssl()->EVP_sha1(), data, out);
}

void ck_md5(struct ck_slice data, unsigned char out[CK_MD5_LEN])
{
    digest(ssl()->EVP_md5(), data, out);
}

static void hmac(const EVP_MD *md, struct ck_slice key, struct ck_slice data, unsigned char *out)
{
    unsigned n = 0;
    /* A NULL key would mean "the key of before" to OpenSSL. */
    if (!ssl()->HMAC(md, key.len ? key.ptr : "", (int)key.len,
                     (const unsigned char *)(data.len ? data.ptr : ""), data.len, out, &n))
        refused();
}

void ck_hmac_sha256(struct ck_slice key, struct ck_slice data, unsigned char out[CK_SHA256_LEN])
{
    hmac(ssl()->EVP_sha256(), key, data, out);
}

void ck_hmac_sha1(struct ck_slice key, struct ck_slice data, unsigned char out[CK_SHA1_LEN])
{
    hmac(ssl()->EVP_sha1(), key, data, out);
}

void ck_sha256_hex(struct ck_slice data, char out[2 * CK_SHA256_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[CK_SHA256_LEN];
    ck_sha256(data, raw);
    for (size_t i = 0; i < CK_SHA256_LEN; i++) {
        out[2 * i] = digits[raw[i] >> 4];
        out[2 * i + 1] = digits[raw[i] & 15];
    }
    out[2 * CK_SHA256_LEN] = '\0';
}

/* ---- streaming ---- */

struct ck_digest {
    EVP_MD_CTX *ctx;
};

static algorithm_fn algorithm(const char *name)
{
    if (strcmp(name, "sha256") == 0)
        return ssl()->EVP_sha256;
    if (strcmp(name, "sha1") == 0)
        return ssl()->EVP_sha1;
    if (strcmp(name, "md5") == 0)
        return ssl()->EVP_md5;
    return NULL;
}

struct ck_digest *ck_digest_new(const char *name)
{
    algorithm_fn md = algorithm(name);
    if (!md)
        return NULL;
    struct ck_digest *d = ck_xcalloc(1, sizeof *d);
    d->ctx = ssl()->EVP_MD_CTX_new();
    if (!d->ctx || ssl()->EVP_DigestInit_ex(d->ctx, md(), NULL) != 1)
        refused();
    return d;
}

void ck_digest_add(struct ck_digest *d, struct ck_slice piece)
{
    if (piece.len && ssl()->EVP_DigestUpdate(d->ctx, piece.ptr, piece.len) != 1)
        refused();
}

size_t ck_digest_end(struct ck_digest *d, unsigned char *out)
{
    unsigned n = 0;
    if (!d)
        return 0;
    if (ssl()->EVP_DigestFinal_ex(d->ctx, out, &n) != 1)
        refused();
    ssl()->EVP_MD_CTX_free(d->ctx);
    free(d);
    return n;
}

void ck_random(void *p, size_t n)
{
    unsigned char *at = p;
    while (n) {
        ssize_t r = getrandom(at, n, 0);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            give_up("the kernel gives no random bytes");
        at += r;
        n -= (size_t)r;
    }
}
