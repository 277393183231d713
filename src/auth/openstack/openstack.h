/* OpenStack sign-in: where the credentials come from, a token of Keystone v3 or v2, the catalog.
 *
 * Source: Keystone's API v3 and v2.0, keystoneauth's clouds.yaml, kOps' environment variables and
 * file (shared facts vfs.md §6.1–6.3). */
#pragma once

#include "base/env.h"
#include "base/err.h"
#include "net/http.h"

struct ck_os;

struct ck_os_config {
    const struct ck_env *env; /* borrowed */
    struct ck_http *http;     /* borrowed */
    const char *cloud;        /* name in clouds.yaml; NULL: OS_CLOUD */
    const char *ca_file;      /* before OS_CACERT and clouds.yaml's; NULL: those */
    int64_t timeout_ms;       /* per request; 0: 30,000 */
};

struct ck_os *ck_os_new(const struct ck_os_config *cfg);
void ck_os_free(struct ck_os *os); /* wipes; NULL is fine */

/* Find the credentials, without any request. UNAUTHENTICATED with one line per source when nothing
 * is configured; another error when what is configured cannot be used. Done once. */
int ck_os_load(struct ck_os *os, struct ck_err *err);
/* The object store's URL from the catalog; signs in when there is no token yet. Borrowed. */
int ck_os_endpoint(struct ck_os *os, const char **ret_url, struct ck_err *err);
/* One request's use of the token; lives as long as the request. */
struct ck_os_use {
    struct ck_os *os;
    unsigned generation; /* of the token it bore last */
    bool renewed;        /* a token of it was refused before */
};
/* For struct ck_req: adds the token, renewed shortly before it ends. arg is a struct ck_os_use. */
int ck_os_sign(void *use, struct ck_arena *a, struct ck_req *r, struct ck_err *err);
/* For struct ck_req: after the first 401 forgets the token that was refused, so that the next
 * attempt signs in anew; of many requests under way only the first one does. */
bool ck_os_again(void *use, struct ck_req *r, const struct ck_resp *resp);

/* For messages: "user demo of project demo (from the environment)"; holds no secret. Borrowed. */
const char *ck_os_who(const struct ck_os *os);
const char *ck_os_region(const struct ck_os *os); /* "" when none was named */
/* How the servers are verified: CA file, and kOps' KOPS_OS_TLS_INSECURE_SKIP_VERIFY. */
void ck_os_set_tls(const struct ck_os *os, struct ck_req *r);
