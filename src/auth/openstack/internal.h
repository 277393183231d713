/* Shared between the files of the OpenStack sign-in: its settings and its state. */
#pragma once

#include "auth/openstack/openstack.h"

#include "base/arena.h"
#include "base/buf.h"

enum ck_os_key {
    OS_K_AUTH_URL,
    OS_K_USERNAME,
    OS_K_USER_ID,
    OS_K_PASSWORD,
    OS_K_PASSCODE,
    OS_K_APPCRED_ID,
    OS_K_APPCRED_NAME,
    OS_K_APPCRED_SECRET,
    OS_K_USER_DOMAIN_ID,
    OS_K_USER_DOMAIN_NAME,
    OS_K_PROJECT_ID,
    OS_K_PROJECT_NAME,
    OS_K_PROJECT_DOMAIN_ID,
    OS_K_PROJECT_DOMAIN_NAME,
    OS_K_DOMAIN_ID,
    OS_K_DOMAIN_NAME,
    OS_K_SYSTEM_SCOPE,
    OS_K_AUTH_TYPE,
    OS_K_API_VERSION,
    OS_K_REGION,
    OS_K_INTERFACE,
    OS_K_CACERT,
    OS_K_SERVICE_TYPE,
    OS_K_SERVICE_NAME,
    OS_K_COUNT
};

/* What a source says; NULL: nothing. */
struct ck_os_settings {
    const char *v[OS_K_COUNT];
};

enum ck_os_method { OS_BY_PASSWORD, OS_BY_APPCRED };

struct ck_os {
    struct ck_os_config cfg;
    struct ck_arena *arena; /* wiped: it holds secrets */
    bool loaded;
    struct ck_os_settings set;
    enum ck_os_method method;
    const char *source; /* "the environment", "clouds.yaml (FILE, cloud x)", "FILE" */
    const char *who;
    bool v2, version_known;
    struct ck_tls tls;
    char *token;          /* owned */
    unsigned generation;  /* counts tokens */
    int64_t renew_s;      /* from then on it is renewed; 0: only when it is refused */
    struct ck_err failed; /* the last sign-in, when it failed */
    int64_t failed_ms;
    const char *endpoint;
};

/* ---- settings.c ---- */
/* kOps' checks and texts; 0 when the settings are complete, INVALID otherwise. */
int ck_os_check(const struct ck_os_settings *s, enum ck_os_method *ret, struct ck_err *err);
void ck_os_from_env(struct ck_arena *a, const struct ck_env *env, struct ck_os_settings *ret);

/* ---- files.c ---- */
/* NOT_FOUND when no clouds.yaml exists; INVALID when it cannot be read or lacks the cloud. */
int ck_os_from_clouds(struct ck_arena *a, const struct ck_env *env, const char *cloud,
                      struct ck_os_settings *ret, const char **ret_source, struct ck_err *err);
/* OPENSTACK_CREDENTIAL_FILE or ~/.openstack/config; NOT_FOUND when there is none. */
int ck_os_from_file(struct ck_arena *a, const struct ck_env *env, struct ck_os_settings *ret,
                    const char **ret_source, struct ck_err *err);
/* The names of a setting in clouds.yaml, the first one first; NULL ends the list. */
const char *const *ck_os_cloud_names(enum ck_os_key key);
const char *const *ck_os_env_names(enum ck_os_key key);

/* ---- keystone.c ---- */
int ck_os_sign_in(struct ck_os *os, struct ck_err *err);

/* ---- catalog.c ---- */
struct ck_val;
/* The object store's URL of a v3 ("token.catalog") or v2 ("access.serviceCatalog") reply. */
int ck_os_find_endpoint(struct ck_os *os, const struct ck_val *catalog, const char **ret,
                        struct ck_err *err);
