/* Sign-in at Keystone: which version, the request for a token, the reply. Version 3 by password or
 * application credential, version 2 by password. Does not keep tokens in files.
 * Source: Keystone API v3 §"Authentication and token management", v2.0 "tokens". */
#include "auth/openstack/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "doc/json.h"

#include <string.h>

enum { REPLY_MAX = 4 << 20, TOKEN_MAX = 16384, SAID_MAX = 200, RENEW_EARLY_S = 30 };

/* ---- requests ---- */

/* The identity service's URL without version and trailing slashes; `path` is put behind it. */
static int request(struct ck_os *os, struct ck_arena *a, const char *method, const char *path,
                   struct ck_req *ret, struct ck_err *err)
{
    const char *url = os->set.v[OS_K_AUTH_URL];
    *ret = (struct ck_req){0};
    int r = ck_url_parse(a, url, ret, err);
    if (r < 0)
        return ck_wrap(err, "OS_AUTH_URL (from %s)", os->source);
    size_t n = strlen(ret->path);
    while (n && ret->path[n - 1] == '/')
        n--;
    static const char *const versions[] = {"/v3", "/v2.0"};
    for (size_t i = 0; i < CK_ARRAY_LEN(versions); i++) {
        size_t m = strlen(versions[i]);
        if (n >= m && memcmp(ret->path + n - m, versions[i], m) == 0) {
            n -= m;
            break;
        }
    }
    ret->path = ck_arena_printf(a, "%.*s%s", (int)n, ret->path, path);
    ret->raw_path = NULL;
    ret->query = (struct ck_nvs){0};
    ret->method = method;
    ret->retry = CK_RETRY_SAFE;
    ret->max_reply = REPLY_MAX;
    ret->timeout_ms = os->cfg.timeout_ms;
    ck_os_set_tls(os, ret);
    ret->bucket = "keystone";
    ck_nvs_add(a, &ret->headers, "accept", "application/json");
    return 0;
}

/* What Keystone says about a refusal: {"error": {"message": …}}. */
static void put_said(struct ck_buf *b, struct ck_arena *a, const struct ck_resp *resp)
{
    struct ck_val *v = NULL;
    if (ck_json_parse(a, ck_buf_slice(&resp->body), REPLY_MAX, &v, NULL) < 0)
        return;
    struct ck_slice said = ck_slice_trim(ck_slice_of(ck_str_at(v, "error.message")));
    if (said.len)
        ck_buf_fmt(b, ": %.*s", (int)(said.len > SAID_MAX ? SAID_MAX : said.len), said.ptr);
}

static int refused(struct ck_os *os, struct ck_arena *a, const struct ck_req *req,
                   const struct ck_resp *resp, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf url = CK_BUF_INIT;
    ck_url_text(&url, req);
    int s = resp->status;
    bool bad_login = s == 401 || (s == 404 && os->method == OS_BY_APPCRED);
    ck_buf_fmt(&b, "%s refused %s: %d", ck_buf_str(&url), os->who, s);
    size_t silent = b.len;
    put_said(&b, a, resp);
    bool stranger = s == 400 && b.len == silent; /* Keystone says what it does not like */
    if (bad_login && os->method == OS_BY_APPCRED)
        ck_buf_puts(&b, "; the application credential does not exist, has expired, or its secret "
                        "is wrong");
    else if (bad_login)
        ck_buf_puts(&b, "; check user, password, domain and project, and that the user has a role "
                        "in the project");
    else if (s == 404 || (s >= 300 && s < 400) || stranger)
        ck_buf_puts(&b, "; OS_AUTH_URL names no identity service of this version");
    else if (s == 400)
        ck_buf_puts(&b, "; the settings do not fit together");
    enum ck_code code = bad_login || s == 400  ? CK_UNAUTHENTICATED
                        : s == 403             ? CK_DENIED
                        : s >= 500 || s == 429 ? CK_UNAVAILABLE
                                               : CK_INVALID;
    int r = ck_fail(err, code, "%s", ck_buf_str(&b));
    if (err)
        err->http_status = s;
    return r;
}

/* ---- version ---- */

static bool ends_with(const char *url, const char *suffix)
{
    size_t n = strlen(url), m = strlen(suffix);
    while (n && url[n - 1] == '/')
        n--;
    return n >= m && memcmp(url + n - m, suffix, m) == 0;
}

/* {"versions": {"values": [{"id": "v3.14", "status": "stable"}]}} */
static bool offers(const struct ck_val *root, const char *version)
{
    const struct ck_val *values = ck_at(root, "versions.values");
    for (size_t i = 0; i < ck_len(values); i++) {
        const struct ck_val *v = ck_item(values, i);
        const char *status = ck_str_at(v, "status");
        bool usable = strcmp(status, "stable") == 0 || strcmp(status, "current") == 0 ||
                      strcmp(status, "supported") == 0 || strcmp(status, "CURRENT") == 0 ||
                      strcmp(status, "deprecated") == 0;
        if (usable && ck_str_starts(ck_str_at(v, "id"), version))
            return true;
    }
    return false;
}

static int ask_versions(struct ck_os *os, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    int r = request(os, a, "GET", "/", &req, err);
    if (r < 0)
        return r;
    req.follow = true;
    CK_AUTORESP resp = {0};
    r = ck_http_do(os->cfg.http, &req, &resp, err);
    if (r < 0)
        return ck_wrap(err, "cannot sign in");
    struct ck_val *root = NULL;
    if ((resp.status != 200 && resp.status != 300) ||
        ck_json_parse(a, ck_buf_slice(&resp.body), REPLY_MAX, &root, NULL) < 0)
        return refused(os, a, &req, &resp, err);
    os->v2 = !offers(root, "v3");
    if (os->v2 && !offers(root, "v2"))
        return ck_fail(err, CK_UNSUPPORTED,
                       "%s: the identity service offers neither version 3 nor version 2",
                       os->set.v[OS_K_AUTH_URL]);
    return 0;
}

static int find_version(struct ck_os *os, struct ck_err *err)
{
    if (os->version_known)
        return 0;
    const char *url = os->set.v[OS_K_AUTH_URL], *given = os->set.v[OS_K_API_VERSION];
    int r = 0;
    if (ends_with(url, "/v3"))
        os->v2 = false;
    else if (ends_with(url, "/v2.0"))
        os->v2 = true;
    else if (given && (*given == '3' || *given == '2'))
        os->v2 = *given == '2';
    else
        r = ask_versions(os, err);
    os->version_known = r == 0;
    return r;
}

/* ---- bodies ---- */

static struct ck_val *domain(struct ck_arena *a, const char *id, const char *name)
{
    struct ck_val *d = ck_map(a);
    ck_set_str(a, d, id ? "id" : "name", id ? id : name);
    return d;
}

/* The user by id, or by name and domain. */
static struct ck_val *user_of(struct ck_arena *a, const struct ck_os_settings *s)
{
    const char *const *v = s->v;
    struct ck_val *user = ck_map(a);
    if (v[OS_K_USER_ID]) {
        ck_set_str(a, user, "id", v[OS_K_USER_ID]);
        return user;
    }
    ck_set_str(a, user, "name", v[OS_K_USERNAME]);
    bool own = v[OS_K_USER_DOMAIN_ID] || v[OS_K_USER_DOMAIN_NAME];
    ck_set(a, user, "domain",
           own ? domain(a, v[OS_K_USER_DOMAIN_ID], v[OS_K_USER_DOMAIN_NAME])
               : domain(a, v[OS_K_DOMAIN_ID], v[OS_K_DOMAIN_NAME]));
    return user;
}

static struct ck_val *scope_of(struct ck_arena *a, const struct ck_os_settings *s)
{
    const char *const *v = s->v;
    struct ck_val *scope = ck_map(a);
    if (v[OS_K_SYSTEM_SCOPE] && strcmp(v[OS_K_SYSTEM_SCOPE], "all") == 0) {
        ck_put(a, scope, "system.all", ck_bool(a, true));
        return scope;
    }
    if (v[OS_K_PROJECT_ID]) {
        ck_put(a, scope, "project.id", ck_str(a, v[OS_K_PROJECT_ID]));
        return scope;
    }
    if (!v[OS_K_PROJECT_NAME])
        return NULL; /* Keystone takes the user's default project */
    struct ck_val *project = ck_ensure_map(a, scope, "project");
    ck_set_str(a, project, "name", v[OS_K_PROJECT_NAME]);
    bool own = v[OS_K_PROJECT_DOMAIN_ID] || v[OS_K_PROJECT_DOMAIN_NAME];
    bool common = v[OS_K_DOMAIN_ID] || v[OS_K_DOMAIN_NAME];
    ck_set(a, project, "domain",
           own      ? domain(a, v[OS_K_PROJECT_DOMAIN_ID], v[OS_K_PROJECT_DOMAIN_NAME])
           : common ? domain(a, v[OS_K_DOMAIN_ID], v[OS_K_DOMAIN_NAME])
                    : domain(a, v[OS_K_USER_DOMAIN_ID], v[OS_K_USER_DOMAIN_NAME]));
    return scope;
}

static struct ck_val *body_v3(struct ck_arena *a, const struct ck_os *os)
{
    const char *const *v = os->set.v;
    struct ck_val *root = ck_map(a);
    struct ck_val *identity = ck_ensure_map(a, root, "auth.identity");
    struct ck_val *methods = ck_list(a);
    ck_set(a, identity, "methods", methods);
    if (os->method == OS_BY_APPCRED) {
        ck_append_str(a, methods, "application_credential");
        struct ck_val *c = ck_ensure_map(a, identity, "application_credential");
        ck_set_str(a, c, v[OS_K_APPCRED_ID] ? "id" : "name",
                   v[OS_K_APPCRED_ID] ? v[OS_K_APPCRED_ID] : v[OS_K_APPCRED_NAME]);
        ck_set_str(a, c, "secret", v[OS_K_APPCRED_SECRET]);
        if (!v[OS_K_APPCRED_ID])
            ck_set(a, c, "user", user_of(a, &os->set));
        return root; /* it is bound to its project: a scope is refused */
    }
    if (v[OS_K_PASSWORD]) {
        ck_append_str(a, methods, "password");
        struct ck_val *user = user_of(a, &os->set);
        ck_set_str(a, user, "password", v[OS_K_PASSWORD]);
        ck_put(a, identity, "password.user", user);
    }
    if (v[OS_K_PASSCODE]) {
        ck_append_str(a, methods, "totp");
        struct ck_val *user = user_of(a, &os->set);
        ck_set_str(a, user, "passcode", v[OS_K_PASSCODE]);
        ck_put(a, identity, "totp.user", user);
    }
    struct ck_val *scope = scope_of(a, &os->set);
    if (scope)
        ck_put(a, root, "auth.scope", scope);
    return root;
}

static struct ck_val *body_v2(struct ck_arena *a, const struct ck_os *os)
{
    const char *const *v = os->set.v;
    struct ck_val *root = ck_map(a);
    struct ck_val *auth = ck_ensure_map(a, root, "auth");
    struct ck_val *c = ck_ensure_map(a, auth, "passwordCredentials");
    if (v[OS_K_USERNAME])
        ck_set_str(a, c, "username", v[OS_K_USERNAME]);
    else
        ck_set_str(a, c, "userId", v[OS_K_USER_ID]);
    ck_set_str(a, c, "password", v[OS_K_PASSWORD] ? v[OS_K_PASSWORD] : "");
    if (v[OS_K_PROJECT_ID])
        ck_set_str(a, auth, "tenantId", v[OS_K_PROJECT_ID]);
    else if (v[OS_K_PROJECT_NAME])
        ck_set_str(a, auth, "tenantName", v[OS_K_PROJECT_NAME]);
    return root;
}

/* ---- the reply ---- */

static bool token_ok(const char *t)
{
    size_t n = t ? strlen(t) : 0;
    if (!n || n > TOKEN_MAX)
        return false;
    for (; *t; t++)
        if ((unsigned char)*t <= ' ' || (unsigned char)*t >= 0x7F)
            return false;
    return true;
}

static int take_reply(struct ck_os *os, struct ck_arena *a, const struct ck_req *req,
                      const struct ck_resp *resp, struct ck_err *err)
{
    if (resp->status != 200 && resp->status != 201)
        return refused(os, a, req, resp, err);
    CK_AUTOBUF struct ck_buf url = CK_BUF_INIT;
    ck_url_text(&url, req);
    struct ck_val *root = NULL;
    if (ck_json_parse(a, ck_buf_slice(&resp->body), REPLY_MAX, &root, NULL) < 0)
        return ck_fail(err, CK_UNAVAILABLE, "%s: the reply is not JSON: no identity service?",
                       ck_buf_str(&url));
    const char *token =
        os->v2 ? ck_str_at(root, "access.token.id") : ck_nvs_get(&resp->headers, "x-subject-token");
    const char *expires = ck_str_at(root, os->v2 ? "access.token.expires" : "token.expires_at");
    if (!token_ok(token))
        return ck_fail(err, CK_UNAVAILABLE, "%s: the reply holds no token", ck_buf_str(&url));
    const struct ck_val *catalog = ck_at(root, os->v2 ? "access.serviceCatalog" : "token.catalog");
    const char *endpoint = NULL;
    int r = ck_os_find_endpoint(os, catalog, &endpoint, err);
    if (r < 0)
        return r;
    if (!os->endpoint || strcmp(os->endpoint, endpoint) != 0)
        os->endpoint = ck_arena_strdup(os->arena, endpoint);
    os->token = ck_xstrdup(token);
    /* When this machine's clock is so wrong that the token seems to have ended, only a refusal
     * counts. */
    int64_t end = 0, left = 0;
    if (ck_rfc3339_parse(ck_slice_of(expires), &end))
        left = end - ck_now_s();
    os->renew_s = left > 0 ? end - (left / 4 < RENEW_EARLY_S ? left / 4 : RENEW_EARLY_S) : 0;
    ck_debug(4, "signed in at %s as %s; the token ends at %s", ck_buf_str(&url), os->who,
             *expires ? expires : "an unknown time");
    return 0;
}

int ck_os_sign_in(struct ck_os *os, struct ck_err *err)
{
    int r = find_version(os, err);
    if (r < 0)
        return r;
    if (os->v2 && os->method == OS_BY_APPCRED)
        return ck_fail(err, CK_INVALID,
                       "application credentials need version 3 of the identity service, and %s "
                       "is version 2",
                       os->set.v[OS_K_AUTH_URL]);
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    ck_arena_set_wipe(a);
    struct ck_req req;
    r = request(os, a, "POST", os->v2 ? "/v2.0/tokens" : "/v3/auth/tokens", &req, err);
    if (r < 0)
        return r;
    CK_CLEANUP(ck_buf_wipe) struct ck_buf body = CK_BUF_INIT;
    ck_json_emit(&body, os->v2 ? body_v2(a, os) : body_v3(a, os),
                 (struct ck_json_style){.raw_html = true});
    req.body = ck_buf_slice(&body);
    ck_nvs_add(a, &req.headers, "content-type", "application/json");
    CK_AUTORESP resp = {0};
    r = ck_http_do(os->cfg.http, &req, &resp, err);
    if (r < 0)
        return ck_wrap(err, "cannot sign in as %s", os->who);
    return take_reply(os, a, &req, &resp, err);
}
