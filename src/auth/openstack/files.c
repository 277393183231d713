/* OpenStack credentials from files: clouds.yaml with its secure.yaml beside it, and the ini file
 * that kOps reads. clouds.yaml in the working directory, which other clients take, is left alone: a
 * stranger's folder must not choose where secrets go. */
#include "auth/openstack/internal.h"

#include "auth/ini.h"
#include "base/file.h"
#include "base/mem.h"
#include "doc/val.h"
#include "doc/yaml.h"

#include <string.h>

enum { FILE_MAX = 1 << 20 };

static const char *at_home(struct ck_arena *a, const struct ck_env *env, const char *rest)
{
    const char *home = ck_env_nonempty(env, "HOME");
    return home ? ck_arena_printf(a, "%s/%s", home, rest) : NULL;
}

/* ---- clouds.yaml ---- */

/* NOT_FOUND when there is no such file. */
static int read_yaml(struct ck_arena *a, const char *path, struct ck_val **ret, struct ck_err *err)
{
    CK_CLEANUP(ck_buf_wipe) struct ck_buf text = CK_BUF_INIT;
    int r = ck_file_read(path, FILE_MAX, &text, err);
    if (r < 0)
        return r;
    r = ck_yaml_parse(a, ck_buf_slice(&text), NULL, ret, NULL, err);
    return r < 0 ? ck_wrap(err, "%s", path) : 0;
}

static int find_clouds(struct ck_arena *a, const struct ck_env *env, const char **ret_path,
                       struct ck_val **ret, struct ck_err *err)
{
    const char *given = ck_env_nonempty(env, "OS_CLIENT_CONFIG_FILE");
    const char *const paths[] = {given,
                                 given ? NULL : at_home(a, env, ".config/openstack/clouds.yaml"),
                                 given ? NULL : "/etc/openstack/clouds.yaml"};
    for (size_t i = 0; i < CK_ARRAY_LEN(paths); i++) {
        if (!paths[i])
            continue;
        ck_err_done(err);
        int r = read_yaml(a, paths[i], ret, err);
        if (r == -(int)CK_NOT_FOUND && !given)
            continue;
        *ret_path = paths[i];
        if (r == -(int)CK_NOT_FOUND)
            return ck_fail(err, CK_INVALID, "OS_CLIENT_CONFIG_FILE: %s does not exist", given);
        return r;
    }
    return ck_fail(err, CK_NOT_FOUND, "no clouds.yaml");
}

/* Numbers are taken as they are written: a project may be called 1234. */
static const char *scalar(struct ck_arena *a, const struct ck_val *v)
{
    if (!v)
        return NULL;
    if (v->kind == CK_STR)
        return v->s.len ? v->s.ptr : NULL;
    if (v->kind == CK_INT)
        return ck_arena_printf(a, "%lld", (long long)v->i);
    if (v->kind == CK_FLOAT)
        return ck_arena_printf(a, "%g", v->f);
    return NULL;
}

static void take(struct ck_arena *a, const struct ck_val *cloud, struct ck_os_settings *ret)
{
    for (enum ck_os_key k = 0; k < OS_K_COUNT; k++) {
        const char *const *names = ck_os_cloud_names(k);
        for (size_t i = 0; i < 3 && names[i]; i++) {
            const char *v = scalar(a, ck_at(cloud, names[i]));
            if (v) {
                ret->v[k] = v;
                break;
            }
        }
    }
}

int ck_os_from_clouds(struct ck_arena *a, const struct ck_env *env, const char *cloud,
                      struct ck_os_settings *ret, const char **ret_source, struct ck_err *err)
{
    const char *path = "";
    struct ck_val *root = NULL;
    int r = find_clouds(a, env, &path, &root, err);
    if (r < 0)
        return r;
    const struct ck_val *clouds = ck_get(root, "clouds");
    const struct ck_val *found = ck_get(clouds, cloud);
    if (!ck_is_map(found)) {
        CK_AUTOBUF struct ck_buf names = CK_BUF_INIT;
        for (size_t i = 0; ck_is_map(clouds) && i < ck_len(clouds) && i < 20; i++)
            ck_buf_fmt(&names, "%s%s", i ? ", " : "", clouds->map.v[i].key.ptr);
        return ck_fail(err, CK_UNAUTHENTICATED, "%s has no cloud \"%s\"; it has: %s", path, cloud,
                       names.len ? ck_buf_str(&names) : "none");
    }
    take(a, found, ret);
    const char *slash = strrchr(path, '/');
    const char *secure =
        ck_arena_printf(a, "%.*ssecure.yaml", slash ? (int)(slash + 1 - path) : 0, path);
    struct ck_val *more = NULL;
    r = read_yaml(a, secure, &more, err);
    if (r < 0 && r != -(int)CK_NOT_FOUND)
        return r;
    if (r < 0)
        ck_err_done(err);
    else
        take(a, ck_get(ck_get(more, "clouds"), cloud), ret);
    *ret_source = ck_arena_printf(a, "cloud %s of %s", cloud, path);
    return 0;
}

/* ---- kOps' ini file ---- */

static int absent(struct ck_err *err, const char *path, const char *names)
{
    return ck_fail(err, CK_UNAUTHENTICATED,
                   "error loading config file: %s: missing %s in section of Default", path, names);
}

static int take_ini(struct ck_arena *a, const char *path, const struct ck_ini *ini,
                    struct ck_os_settings *ret, struct ck_err *err)
{
    static const struct {
        const char *name, *alternative; /* one of the two is needed */
        enum ck_os_key key, other;
    } needed[] = {
        {"identity", NULL, OS_K_AUTH_URL, 0},
        {"user", "user_id", OS_K_USERNAME, OS_K_USER_ID},
        {"password", NULL, OS_K_PASSWORD, 0},
        {"domain_name", "domain_id", OS_K_DOMAIN_NAME, OS_K_DOMAIN_ID},
        {"tenant_name", "tenant_id", OS_K_PROJECT_NAME, OS_K_PROJECT_ID},
    };
    if (!ck_ini_has(ini, "Default"))
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "error getting section of Default: %s has no such section", path);
    for (size_t i = 0; i < CK_ARRAY_LEN(needed); i++) {
        const char *v = ck_ini_get(ini, "Default", needed[i].name);
        const char *w =
            needed[i].alternative ? ck_ini_get(ini, "Default", needed[i].alternative) : NULL;
        if (!v && !w)
            return absent(err, path,
                          needed[i].alternative ? ck_arena_printf(a, "%s and %s", needed[i].name,
                                                                  needed[i].alternative)
                                                : needed[i].name);
        ret->v[needed[i].key] = v ? ck_arena_strdup(a, v) : ret->v[needed[i].key];
        if (w)
            ret->v[needed[i].other] = ck_arena_strdup(a, w);
    }
    const char *region = ck_ini_get(ini, "Global", "region");
    if (!region)
        region = ck_ini_get(ini, "Swift", "region");
    const char *type = ck_ini_get(ini, "Swift", "service_type");
    const char *name = ck_ini_get(ini, "Swift", "service_name");
    const char *availability = ck_ini_get(ini, "Swift", "availability");
    ret->v[OS_K_REGION] = region ? ck_arena_strdup(a, region) : NULL;
    ret->v[OS_K_SERVICE_TYPE] = type ? ck_arena_strdup(a, type) : NULL;
    ret->v[OS_K_SERVICE_NAME] = name ? ck_arena_strdup(a, name) : NULL;
    ret->v[OS_K_INTERFACE] = availability ? ck_arena_strdup(a, availability) : NULL;
    return 0;
}

int ck_os_from_file(struct ck_arena *a, const struct ck_env *env, struct ck_os_settings *ret,
                    const char **ret_source, struct ck_err *err)
{
    const char *given = ck_env_nonempty(env, "OPENSTACK_CREDENTIAL_FILE");
    const char *path = given ? given : at_home(a, env, ".openstack/config");
    if (!path)
        return ck_fail(err, CK_NOT_FOUND, "can not find home directory");
    CK_CLEANUP(ck_buf_wipe) struct ck_buf text = CK_BUF_INIT;
    int r = ck_file_read(path, FILE_MAX, &text, err);
    if (r == -(int)CK_NOT_FOUND && given)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "error loading config file: OPENSTACK_CREDENTIAL_FILE: %s does not exist",
                       given);
    if (r == -(int)CK_NOT_FOUND)
        return r;
    CK_CLEANUP(ck_ini_done) struct ck_ini ini = {0};
    if (r == 0)
        r = ck_ini_read(a, &ini, path, ck_buf_slice(&text), false, err);
    if (r < 0)
        return ck_wrap(err, "error loading config file");
    *ret_source = path;
    return take_ini(a, path, &ini, ret, err);
}
