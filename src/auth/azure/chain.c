/* The default Azure credential: environment (client secret), workload identity, managed identity.
 * Not here: client certificates, user passwords, App Service and Arc identities, the command line
 * tools. */
#include "auth/azure/azure.h"

#include "base/file.h"
#include "base/mem.h"

#include <string.h>
#include <strings.h>

enum { ASSERTION_MAX = 64 * 1024, DIAL_MS = 500, CALL_MS = 1500 };

#define AUTHORITY      "https://login.microsoftonline.com/"
#define METADATA       "http://169.254.169.254"
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

struct azure {
    struct ck_token_source base;
    struct ck_azure_config cfg;
    struct ck_arena *arena;
};

/* A source: NOT_FOUND with the reason when it is not configured. */
typedef int (*source_fn)(struct azure *z, struct ck_arena *a, struct ck_token *ret,
                         struct ck_err *err);

static const char *env(const struct azure *z, const char *name)
{
    return ck_env_nonempty(z->cfg.env, name);
}

/* The first of the variables that is not set. */
static const char *missing(const struct azure *z, const char *const *names)
{
    for (; *names; names++)
        if (!env(z, *names))
            return *names;
    return NULL;
}

static bool tenant_ok(const char *t)
{
    return strspn(t, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
           strlen(t);
}

/* POST AUTHORITY/TENANT/oauth2/v2.0/token; `form` holds the proof. */
static int client_credentials(struct azure *z, struct ck_arena *a, struct ck_buf *form,
                              const char *what, struct ck_token *ret, struct ck_err *err)
{
    const char *host = env(z, "AZURE_AUTHORITY_HOST"), *tenant = env(z, "AZURE_TENANT_ID");
    const char *client = env(z, "AZURE_CLIENT_ID");
    if (!tenant_ok(tenant))
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "AZURE_TENANT_ID holds characters no tenant's id or domain has");
    if (!host)
        host = AUTHORITY;
    else if (!strstr(host, "://"))
        host = ck_arena_printf(a, "https://%s", host);
    size_t n = strlen(host);
    struct ck_req req;
    struct ck_val *reply;
    int r = ck_token_request(
        a,
        ck_arena_printf(a, "%s%s%s/oauth2/v2.0/token", host, host[n - 1] == '/' ? "" : "/", tenant),
        "sign-in service", &req, err);
    if (r < 0)
        return r;
    z->base.identity = ck_arena_printf(z->arena, "client %s", client);
    z->base.origin = what;
    ck_form_add(form, "client_id", client);
    ck_form_add(form, "grant_type", "client_credentials");
    ck_form_add(form, "scope", ck_arena_printf(a, "%s/.default", z->cfg.resource));
    req.method = "POST";
    req.body = ck_buf_slice(form);
    ck_nvs_add(a, &req.headers, "content-type", "application/x-www-form-urlencoded");
    r = ck_token_call(z->cfg.http, a, &req, "sign-in service", &reply, err);
    if (r < 0)
        return ck_wrap(err, "client %.80s of tenant %.80s", client, tenant);
    return ck_token_take(reply, "sign-in service", ret, err);
}

static int client_secret(struct azure *z, struct ck_arena *a, struct ck_token *ret,
                         struct ck_err *err)
{
    static const char *const needed[] = {"AZURE_TENANT_ID", "AZURE_CLIENT_ID",
                                         "AZURE_CLIENT_SECRET", NULL};
    const char *none = missing(z, needed);
    if (none)
        return ck_fail(err, CK_NOT_FOUND, "%s is not set", none);
    CK_AUTOBUF struct ck_buf form = {.secret = true};
    ck_form_add(&form, "client_secret", env(z, "AZURE_CLIENT_SECRET"));
    return client_credentials(z, a, &form, "AZURE_CLIENT_SECRET", ret, err);
}

static int workload_identity(struct azure *z, struct ck_arena *a, struct ck_token *ret,
                             struct ck_err *err)
{
    static const char *const needed[] = {"AZURE_TENANT_ID", "AZURE_CLIENT_ID",
                                         "AZURE_FEDERATED_TOKEN_FILE", NULL};
    const char *none = missing(z, needed);
    if (none)
        return ck_fail(err, CK_NOT_FOUND, "%s is not set", none);
    CK_AUTOBUF struct ck_buf text = {.secret = true}, form = {.secret = true};
    int r = ck_file_read(env(z, "AZURE_FEDERATED_TOKEN_FILE"), ASSERTION_MAX, &text, err);
    if (r < 0) /* it is configured: not NOT_FOUND */
        return ck_token_fail(err, "AZURE_FEDERATED_TOKEN_FILE");
    struct ck_slice t = ck_slice_trim(ck_buf_slice(&text));
    if (!t.len)
        return ck_fail(err, CK_UNAUTHENTICATED, "AZURE_FEDERATED_TOKEN_FILE is empty");
    ck_form_add(&form, "client_assertion", ck_arena_strndup(a, t.ptr, t.len));
    ck_form_add(&form, "client_assertion_type", ASSERTION_TYPE);
    return client_credentials(z, a, &form, "AZURE_FEDERATED_TOKEN_FILE", ret, err);
}

static int managed_identity(struct azure *z, struct ck_arena *a, struct ck_token *ret,
                            struct ck_err *err)
{
    const char *base = env(z, "AZURE_POD_IDENTITY_AUTHORITY_HOST");
    const char *client = env(z, "AZURE_CLIENT_ID");
    if (env(z, "IDENTITY_ENDPOINT") || env(z, "MSI_ENDPOINT"))
        return ck_fail(err, CK_NOT_FOUND,
                       "IDENTITY_ENDPOINT and MSI_ENDPOINT (App Service, Arc) are not supported");
    struct ck_req req;
    int r = ck_token_request(
        a, ck_arena_printf(a, "%s/metadata/identity/oauth2/token", base ? base : METADATA),
        "metadata service", &req, err);
    if (r < 0)
        return r;
    req.no_proxy = true;
    req.connect_ms = DIAL_MS;
    req.timeout_ms = CALL_MS;
    req.attempts = base ? 3 : 1;
    ck_nvs_add(a, &req.query, "api-version", "2018-02-01");
    if (client)
        ck_nvs_add(a, &req.query, "client_id", client);
    ck_nvs_add(a, &req.query, "resource", z->cfg.resource);
    ck_nvs_add(a, &req.headers, "metadata", "true");
    struct ck_val *reply;
    CK_AUTOERR why = CK_ERR_INIT;
    r = ck_token_call(z->cfg.http, a, &req, "metadata service", &reply, &why);
    if (r < 0 && !why.http_status && !base && why.code != CK_UNAUTHENTICATED)
        return ck_fail(err, CK_NOT_FOUND, "this machine has none (%s)", ck_err_msg(&why));
    if (r < 0)
        return err ? ck_err_move(err, &why) : r;
    z->base.identity =
        client ? ck_arena_printf(z->arena, "managed identity %s", client) : "managed identity";
    z->base.origin = "the metadata service";
    return ck_token_take(reply, "metadata service", ret, err);
}

static const struct source {
    const char *name, *sdk_name; /* sdk_name: as AZURE_TOKEN_CREDENTIALS has it */
    source_fn get;
} sources[] = {
    {"client secret", "EnvironmentCredential", client_secret},
    {"workload identity", "WorkloadIdentityCredential", workload_identity},
    {"managed identity", "ManagedIdentityCredential", managed_identity},
};

/* The sources that are not asked here: whoever has one of them does not come here. */
#define NOT_SET                                                                                    \
    "\n  shared key: AZURE_STORAGE_KEY is not set"                                                 \
    "\n  shared access signature: AZURE_STORAGE_SAS_TOKEN is not set"

static bool wanted(const char *choice, const struct source *s)
{
    return !choice || strcasecmp(choice, "prod") == 0 || strcasecmp(choice, s->sdk_name) == 0;
}

static int fetch(struct ck_token_source *base, struct ck_token *ret, struct ck_err *err)
{
    struct azure *z = (struct azure *)base;
    const char *choice = env(z, "AZURE_TOKEN_CREDENTIALS");
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf report = CK_BUF_INIT;
    ck_arena_set_wipe(a);
    for (size_t i = 0; i < CK_ARRAY_LEN(sources); i++) {
        const struct source *s = &sources[i];
        CK_AUTOERR why = CK_ERR_INIT;
        if (!wanted(choice, s)) {
            ck_buf_fmt(&report, "\n  %s: AZURE_TOKEN_CREDENTIALS is \"%.40s\"", s->name, choice);
            continue;
        }
        int r = s->get(z, a, ret, &why);
        if (r == 0)
            return 0;
        if (r != -(int)CK_NOT_FOUND) {
            CK_AUTOBUF struct ck_buf what = CK_BUF_INIT;
            ck_buf_fmt(&what, "Azure credentials: %s", s->name);
            r = ck_token_fail(&why, ck_buf_str(&what));
            if (!report.len)
                return err ? ck_err_move(err, &why) : r;
            return ck_fail(err, why.code, "%s; passed over:" NOT_SET "%s", ck_err_msg(&why),
                           ck_buf_str(&report));
        }
        ck_buf_fmt(&report, "\n  %s: %s", s->name, ck_err_msg(&why));
    }
    return ck_fail(err, CK_UNAUTHENTICATED, "no Azure credentials were found; tried:" NOT_SET "%s",
                   ck_buf_str(&report));
}

static void azure_free(struct ck_token_source *base)
{
    struct azure *z = (struct azure *)base;
    ck_arena_free(z->arena);
    free(z);
}

struct ck_token_source *ck_azure_source_new(const struct ck_azure_config *cfg)
{
    static const struct ck_token_ops ops = {fetch, azure_free};
    struct azure *z = ck_xcalloc(1, sizeof *z);
    z->base = (struct ck_token_source){.ops = &ops, .identity = "", .origin = ""};
    z->cfg = *cfg;
    z->arena = ck_arena_new();
    return &z->base;
}
