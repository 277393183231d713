/* Finds libcrypto and fills the table of its functions, once per process. What is done with them is
 * not here. */
#include "crypto/openssl.h"

#include "crypto/dlnote.h"

#include "base/mem.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char soname[] = "libcrypto.so.3";
CK_DLOPEN_NOTE(dlopen_note,
               "[{\"feature\":\"crypto\",\"description\":\"keys, certificates, signed "
               "requests\",\"priority\":\"required\",\"soname\":[\"libcrypto.so.3\"]}]");

static const struct {
    const char *name;
    size_t offset;
} SYMBOLS[] = {
#define CK_SSL(name) {#name, offsetof(struct ck_openssl, name)},
#include "crypto/openssl_syms.def"
#undef CK_SSL
};

static struct ck_openssl functions;
static bool loaded;
static char problem[400]; /* why not; dlerror's text does not outlive the next call */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* libcrypto gives some encoded keys back to the heap as they are. And where there is no memory it
 * goes on with locks it could not make: the program's own end is better than that crash. */
static void *ssl_malloc(size_t n, const char *file, int line)
{
    return ck_xmalloc(n);
}

static void ssl_free(void *p, const char *file, int line)
{
    if (p)
        ck_wipe(p, malloc_usable_size(p));
    free(p);
}

static void *ssl_realloc(void *p, size_t n, const char *file, int line)
{
    if (!p || n == 0) {
        ssl_free(p, file, line);
        return n ? ck_xmalloc(n) : NULL;
    }
    size_t old = malloc_usable_size(p);
    if (n <= old)
        return p;
    void *q = ck_xmalloc(n);
    memcpy(q, p, old);
    ssl_free(p, file, line);
    return q;
}

static void load(void)
{
    void *lib = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
    if (!lib) {
        const char *why = dlerror();
        snprintf(problem, sizeof problem,
                 "OpenSSL 3 is needed for this and cannot be loaded (%s); install the package "
                 "libssl3 or openssl-libs",
                 why ? why : soname);
        return;
    }
    for (size_t i = 0; i < CK_ARRAY_LEN(SYMBOLS); i++) {
        void *f = dlsym(lib, SYMBOLS[i].name);
        if (!f) {
            snprintf(problem, sizeof problem, "%s is too old: it has no %s", soname,
                     SYMBOLS[i].name);
            return;
        }
        memcpy((char *)&functions + SYMBOLS[i].offset, &f, sizeof f);
    }
    /* Refused when the library is in use already (by curl's TLS): it then keeps its own. */
    (void)functions.CRYPTO_set_mem_functions(ssl_malloc, ssl_realloc, ssl_free);
    loaded = true;
}

const struct ck_openssl *ck_openssl(struct ck_err *err)
{
    pthread_once(&once, load);
    if (loaded)
        return &functions;
    ck_fail(err, CK_UNSUPPORTED, "%s", problem);
    return NULL;
}
