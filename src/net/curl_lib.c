/* Finds libcurl, checks its age and fills the table of its functions, once per process. */
#include "net/curl_lib.h"

#include "base/mem.h"
#include "crypto/dlnote.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Either build serves: both have the same interface. */
static const char *const SONAMES[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};

CK_DLOPEN_NOTE(
    dlopen_note,
    "[{\"feature\":\"http\",\"description\":\"state stores and clouds over the network\","
    "\"priority\":\"required\",\"soname\":[\"libcurl.so.4\",\"libcurl-gnutls.so.4\"]}]");

enum { OLDEST = 0x075500 }; /* 7.85: CURLOPT_PROTOCOLS_STR */

static const struct {
    const char *name;
    size_t offset;
} SYMBOLS[] = {
#define CK_CURL(name) {#name, offsetof(struct ck_curl, name)},
#include "net/curl_syms.def"
#undef CK_CURL
};

static struct ck_curl functions;
static bool loaded;
static char problem[400];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void *open_any(void)
{
    void *lib = NULL;
    for (size_t i = 0; !lib && i < CK_ARRAY_LEN(SONAMES); i++) {
        lib = dlopen(SONAMES[i], RTLD_NOW | RTLD_LOCAL);
        if (!lib && !*problem) {
            const char *why = dlerror();
            snprintf(problem, sizeof problem,
                     "libcurl is needed for this and cannot be loaded (%s); install the package "
                     "libcurl4 or libcurl",
                     why ? why : SONAMES[i]);
        }
    }
    return lib;
}

static void load(void)
{
    void *lib = open_any();
    if (!lib)
        return;
    for (size_t i = 0; i < CK_ARRAY_LEN(SYMBOLS); i++) {
        void *f = dlsym(lib, SYMBOLS[i].name);
        if (!f) {
            snprintf(problem, sizeof problem, "libcurl is too old: it has no %s", SYMBOLS[i].name);
            return;
        }
        memcpy((char *)&functions + SYMBOLS[i].offset, &f, sizeof f);
    }
    const curl_version_info_data *v = functions.curl_version_info(CURLVERSION_NOW);
    if (v->version_num < OLDEST)
        snprintf(problem, sizeof problem, "libcurl %s is too old: 7.85 or newer is needed",
                 v->version);
    else if (!(v->features & CURL_VERSION_SSL))
        snprintf(problem, sizeof problem, "libcurl %s is built without TLS", v->version);
    else if (functions.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        snprintf(problem, sizeof problem, "libcurl %s cannot be initialised", v->version);
    else
        loaded = true;
}

const struct ck_curl *ck_curl_load(struct ck_err *err)
{
    pthread_once(&once, load);
    if (loaded)
        return &functions;
    ck_fail(err, CK_UNSUPPORTED, "%s", problem);
    return NULL;
}
