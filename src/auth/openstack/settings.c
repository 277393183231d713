/* Which OpenStack credentials to use: a cloud of clouds.yaml when one is named, else the
 * environment when it is complete, else kOps' file. Mixes sources only where the table says so.
 * Mirrors the checks of kOps' util/pkg/vfs/swiftfs.go and their texts. */
#include "auth/openstack/internal.h"

#include "base/mem.h"

#include <string.h>

enum { MAX_NAMES = 4 };

/* One row per setting: its variables, and its names in clouds.yaml (auth.x lies below "auth"). */
static const struct row {
    const char *env[MAX_NAMES], *cloud[MAX_NAMES];
    bool fills; /* a variable also fills a gap of a named cloud */
} rows[OS_K_COUNT] = {
    [OS_K_AUTH_URL] = {{"OS_AUTH_URL"}, {"auth.auth_url"}, false},
    [OS_K_USERNAME] = {{"OS_USERNAME"}, {"auth.username"}, false},
    [OS_K_USER_ID] = {{"OS_USERID", "OS_USER_ID"}, {"auth.user_id"}, false},
    [OS_K_PASSWORD] = {{"OS_PASSWORD"}, {"auth.password"}, true},
    [OS_K_PASSCODE] = {{"OS_PASSCODE"}, {"auth.passcode"}, true},
    [OS_K_APPCRED_ID] = {{"OS_APPLICATION_CREDENTIAL_ID"},
                         {"auth.application_credential_id"},
                         false},
    [OS_K_APPCRED_NAME] = {{"OS_APPLICATION_CREDENTIAL_NAME"},
                           {"auth.application_credential_name"},
                           false},
    [OS_K_APPCRED_SECRET] = {{"OS_APPLICATION_CREDENTIAL_SECRET"},
                             {"auth.application_credential_secret"},
                             true},
    [OS_K_USER_DOMAIN_ID] = {{"OS_USER_DOMAIN_ID"}, {"auth.user_domain_id"}, false},
    [OS_K_USER_DOMAIN_NAME] = {{"OS_USER_DOMAIN_NAME"}, {"auth.user_domain_name"}, false},
    [OS_K_PROJECT_ID] = {{"OS_PROJECT_ID", "OS_TENANT_ID"},
                         {"auth.project_id", "auth.tenant_id"},
                         false},
    [OS_K_PROJECT_NAME] = {{"OS_PROJECT_NAME", "OS_TENANT_NAME"},
                           {"auth.project_name", "auth.tenant_name"},
                           false},
    [OS_K_PROJECT_DOMAIN_ID] = {{"OS_PROJECT_DOMAIN_ID"}, {"auth.project_domain_id"}, false},
    [OS_K_PROJECT_DOMAIN_NAME] = {{"OS_PROJECT_DOMAIN_NAME"}, {"auth.project_domain_name"}, false},
    [OS_K_DOMAIN_ID] = {{"OS_DOMAIN_ID", "OS_DEFAULT_DOMAIN_ID", "OS_DEFAULT_DOMAIN"},
                        {"auth.domain_id", "auth.default_domain_id", "auth.default_domain"},
                        false},
    [OS_K_DOMAIN_NAME] = {{"OS_DOMAIN_NAME", "OS_DEFAULT_DOMAIN_NAME"},
                          {"auth.domain_name", "auth.default_domain_name"},
                          false},
    [OS_K_SYSTEM_SCOPE] = {{"OS_SYSTEM_SCOPE"}, {"auth.system_scope"}, false},
    [OS_K_AUTH_TYPE] = {{"OS_AUTH_TYPE"}, {"auth_type"}, false},
    [OS_K_API_VERSION] = {{"OS_IDENTITY_API_VERSION"}, {"identity_api_version"}, false},
    [OS_K_REGION] = {{"OS_REGION_NAME"}, {"region_name"}, true},
    [OS_K_INTERFACE] = {{"OS_INTERFACE", "OS_ENDPOINT_TYPE"}, {"interface", "endpoint_type"}, true},
    [OS_K_CACERT] = {{"OS_CACERT"}, {"cacert"}, true},
    [OS_K_SERVICE_TYPE] = {{NULL}, {"object_store_service_type"}, false},
    [OS_K_SERVICE_NAME] = {{NULL}, {"object_store_service_name"}, false},
};

const char *const *ck_os_cloud_names(enum ck_os_key key)
{
    return rows[key].cloud;
}

const char *const *ck_os_env_names(enum ck_os_key key)
{
    return rows[key].env;
}

/* 'RegionOne' with its quotes, as some tools write environment files. */
static const char *unquoted(struct ck_arena *a, const char *v)
{
    size_t n = strlen(v);
    if (n >= 2 && (v[0] == '\'' || v[0] == '"') && v[n - 1] == v[0])
        return ck_arena_strndup(a, v + 1, n - 2);
    return v;
}

static const char *from_env(struct ck_arena *a, const struct ck_env *env, enum ck_os_key key)
{
    for (size_t i = 0; i < MAX_NAMES && rows[key].env[i]; i++) {
        const char *v = ck_env_nonempty(env, rows[key].env[i]);
        if (v)
            return key == OS_K_REGION ? unquoted(a, v) : v;
    }
    return NULL;
}

void ck_os_from_env(struct ck_arena *a, const struct ck_env *env, struct ck_os_settings *ret)
{
    for (enum ck_os_key k = 0; k < OS_K_COUNT; k++)
        ret->v[k] = from_env(a, env, k);
}

/* ---- completeness ---- */

static int missing(struct ck_err *err, const char *names)
{
    return ck_fail(err, CK_INVALID, "Missing environment variable [%s]", names);
}

static int method_of(const struct ck_os_settings *s, enum ck_os_method *ret, struct ck_err *err)
{
    const char *type = s->v[OS_K_AUTH_TYPE];
    *ret = s->v[OS_K_PASSWORD] || s->v[OS_K_PASSCODE] ? OS_BY_PASSWORD : OS_BY_APPCRED;
    if (!type)
        return 0;
    if (strcmp(type, "v3applicationcredential") == 0)
        *ret = OS_BY_APPCRED;
    else if (strcmp(type, "password") == 0 || strcmp(type, "v3password") == 0 ||
             strcmp(type, "v2password") == 0)
        *ret = OS_BY_PASSWORD;
    else
        return ck_fail(err, CK_UNSUPPORTED,
                       "the auth type \"%s\" is not offered; use password or "
                       "v3applicationcredential",
                       type);
    return 0;
}

int ck_os_check(const struct ck_os_settings *s, enum ck_os_method *ret, struct ck_err *err)
{
    const char *const *v = s->v;
    bool appcred = v[OS_K_APPCRED_ID] || v[OS_K_APPCRED_NAME];
    bool user = v[OS_K_USERNAME] || v[OS_K_USER_ID];
    bool any_domain = v[OS_K_DOMAIN_ID] || v[OS_K_DOMAIN_NAME];
    bool user_domain = any_domain || v[OS_K_USER_DOMAIN_ID] || v[OS_K_USER_DOMAIN_NAME];
    bool project_domain = user_domain || v[OS_K_PROJECT_DOMAIN_ID] || v[OS_K_PROJECT_DOMAIN_NAME];
    bool v2 = v[OS_K_API_VERSION] && *v[OS_K_API_VERSION] == '2';
    v2 = v2 || (v[OS_K_AUTH_URL] && strstr(v[OS_K_AUTH_URL], "/v2.0"));
    int r = method_of(s, ret, err);
    if (r < 0)
        return r;
    if (!v[OS_K_AUTH_URL])
        return missing(err, "OS_AUTH_URL");
    if (!user && !v[OS_K_APPCRED_ID] && !v[OS_K_APPCRED_SECRET])
        return ck_fail(err, CK_INVALID,
                       "Missing one of the following environment variables [OS_USERID, "
                       "OS_USERNAME]");
    if (!v[OS_K_PASSWORD] && !v[OS_K_PASSCODE] && !appcred)
        return missing(err, "OS_PASSWORD");
    if (*ret == OS_BY_APPCRED && !appcred)
        return missing(err, "OS_APPLICATION_CREDENTIAL_ID");
    if (*ret == OS_BY_PASSWORD && !v[OS_K_PASSWORD] && !v[OS_K_PASSCODE])
        return missing(err, "OS_PASSWORD");
    if (appcred && !v[OS_K_APPCRED_SECRET])
        return missing(err, "OS_APPLICATION_CREDENTIAL_SECRET");
    if (*ret == OS_BY_APPCRED) {
        if (v[OS_K_APPCRED_ID])
            return 0;
        if (!user)
            return ck_fail(err, CK_INVALID,
                           "Missing one of the following environment variables [OS_USERID, "
                           "OS_USERNAME]");
        return v[OS_K_USER_ID] || user_domain ? 0 : missing(err, "OS_USER_DOMAIN_NAME");
    }
    if (!user)
        return ck_fail(err, CK_INVALID,
                       "Missing one of the following environment variables [OS_USERID, "
                       "OS_USERNAME]");
    if (v2)
        return 0;
    if (v[OS_K_PROJECT_NAME] && !v[OS_K_PROJECT_ID] && !project_domain)
        return ck_fail(err, CK_INVALID,
                       "Missing environment variable [OS_PROJECT_ID]: a project's name is not "
                       "enough without OS_PROJECT_DOMAIN_NAME or OS_PROJECT_DOMAIN_ID");
    if (!v[OS_K_USER_ID] && !user_domain)
        return missing(err, "OS_USER_DOMAIN_NAME");
    return 0;
}

/* ---- the search ---- */

static const char *describe(struct ck_os *os)
{
    const char *const *v = os->set.v;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (os->method == OS_BY_APPCRED)
        ck_buf_fmt(&b, "application credential %s",
                   v[OS_K_APPCRED_ID] ? v[OS_K_APPCRED_ID] : v[OS_K_APPCRED_NAME]);
    else
        ck_buf_fmt(&b, "user %s", v[OS_K_USER_ID] ? v[OS_K_USER_ID] : v[OS_K_USERNAME]);
    const char *project = v[OS_K_PROJECT_ID] ? v[OS_K_PROJECT_ID] : v[OS_K_PROJECT_NAME];
    if (os->method == OS_BY_PASSWORD && project)
        ck_buf_fmt(&b, " of project %s", project);
    ck_buf_fmt(&b, " (from %s)", os->source);
    return ck_arena_strdup(os->arena, ck_buf_str(&b));
}

static int load_cloud(struct ck_os *os, const char *cloud, struct ck_err *err)
{
    int r = ck_os_from_clouds(os->arena, os->cfg.env, cloud, &os->set, &os->source, err);
    if (r == -(int)CK_NOT_FOUND)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "the cloud \"%s\" is named, but there is no clouds.yaml: neither "
                       "OS_CLIENT_CONFIG_FILE nor ~/.config/openstack/clouds.yaml nor "
                       "/etc/openstack/clouds.yaml",
                       cloud);
    if (r < 0)
        return r;
    for (enum ck_os_key k = 0; k < OS_K_COUNT; k++)
        if (!os->set.v[k] && rows[k].fills)
            os->set.v[k] = from_env(os->arena, os->cfg.env, k);
    r = ck_os_check(&os->set, &os->method, err);
    if (r == -(int)CK_INVALID) {
        err->code = CK_UNAUTHENTICATED;
        return ck_wrap(err,
                       "%s is incomplete (below \"auth\" names are those of the variables without "
                       "OS_, in small letters)",
                       os->source);
    }
    return r;
}

/* Whether somebody meant the environment to hold credentials. */
static bool is_begun(const struct ck_os_settings *s)
{
    static const enum ck_os_key any[] = {OS_K_AUTH_URL,      OS_K_USERNAME,   OS_K_USER_ID,
                                         OS_K_PASSWORD,      OS_K_APPCRED_ID, OS_K_APPCRED_NAME,
                                         OS_K_APPCRED_SECRET};
    for (size_t i = 0; i < CK_ARRAY_LEN(any); i++)
        if (s->v[any[i]])
            return true;
    return false;
}

static int load_env_or_file(struct ck_os *os, struct ck_err *err)
{
    CK_AUTOERR env_err = CK_ERR_INIT;
    ck_os_from_env(os->arena, os->cfg.env, &os->set);
    int r = ck_os_check(&os->set, &os->method, &env_err);
    if (r == 0) {
        os->source = "the environment";
        return 0;
    }
    if (r != -(int)CK_INVALID)
        return ck_err_move(err, &env_err);
    struct ck_os_settings from_file = {{NULL}};
    CK_AUTOERR file_err = CK_ERR_INIT;
    r = ck_os_from_file(os->arena, os->cfg.env, &from_file, &os->source, &file_err);
    if (r == -(int)CK_NOT_FOUND)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "no OpenStack credentials were found; tried:\n  OS_CLOUD: not set\n  "
                       "environment: %s\n  file: %s",
                       ck_err_msg(&env_err), ck_err_msg(&file_err));
    if (r < 0)
        return ck_err_move(err, &file_err);
    if (is_begun(&os->set)) /* kOps warns; here it is said with whatever fails */
        os->source = ck_arena_printf(os->arena, "%s; the environment is incomplete: %s", os->source,
                                     ck_err_msg(&env_err));
    /* What the file has no word for may still come from the environment. */
    static const enum ck_os_key more[] = {OS_K_REGION, OS_K_INTERFACE, OS_K_CACERT,
                                          OS_K_API_VERSION};
    for (size_t i = 0; i < CK_ARRAY_LEN(more); i++)
        if (os->set.v[more[i]])
            from_file.v[more[i]] = os->set.v[more[i]];
    os->set = from_file;
    os->method = OS_BY_PASSWORD;
    return 0;
}

int ck_os_load(struct ck_os *os, struct ck_err *err)
{
    if (os->loaded)
        return 0;
    const char *cloud = os->cfg.cloud ? os->cfg.cloud : ck_env_nonempty(os->cfg.env, "OS_CLOUD");
    os->set = (struct ck_os_settings){{NULL}};
    int r = cloud ? load_cloud(os, cloud, err) : load_env_or_file(os, err);
    if (r < 0)
        return r;
    if (os->cfg.ca_file)
        os->set.v[OS_K_CACERT] = os->cfg.ca_file;
    const char *skip = ck_env_get(os->cfg.env, "KOPS_OS_TLS_INSECURE_SKIP_VERIFY");
    os->tls.insecure = skip && (strcmp(skip, "true") == 0 || strcmp(skip, "1") == 0);
    os->tls.hint = "if it comes from an authority of your own, name a file with that authority's "
                   "certificate in OS_CACERT, CKOPS_STORE_CA_BUNDLE or SSL_CERT_FILE";
    os->who = describe(os);
    os->loaded = true;
    return 0;
}
