/* Credentials of Alibaba Cloud: keys of the environment, or the RAM role of the ECS instance. kOps
 * fetched a role's token once per process and never renewed it. */
#include "auth/alicloud/alicloud.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "doc/json.h"

#include <string.h>

enum {
    DIAL_MS = 500,
    CALL_MS = 1000,
    REPLY_MAX = 64 * 1024,
    REFRESH_EARLY_S = 300,
    YOUNG_S = 10, /* what was found out this recently, good or bad, is not asked again */
};

struct chain {
    struct ck_cred_provider base;
    struct ck_alicloud_config cfg;
    struct ck_arena *arena;
    struct ck_cred role; /* cached */
    int64_t fetched_s;
    bool have;
    int64_t failed_s;     /* when the role could not be had */
    struct ck_buf failed; /* and why; "": it has not been tried, or could */
};

/* ---- the metadata service ---- */

static int request(struct ck_arena *a, const struct ck_env *env, const char *method,
                   const char *path, struct ck_req *ret, struct ck_err *err)
{
    const char *base = ck_env_nonempty(env, "METADATA_ENDPOINT");
    int r = ck_url_parse(a, base ? base : "http://100.100.100.200", ret, err);
    if (r < 0)
        return ck_fail(err, CK_INVALID, "METADATA_ENDPOINT is not an http(s):// URL");
    size_t n = strlen(ret->path);
    while (n && ret->path[n - 1] == '/')
        n--;
    ret->path = ck_arena_printf(a, "%.*s/latest/%s", (int)n, ret->path, path);
    ret->method = method;
    ret->no_proxy = true;
    ret->connect_ms = DIAL_MS;
    ret->timeout_ms = CALL_MS;
    ret->attempts = 2;
    ret->retry = CK_RETRY_SAFE;
    ret->max_reply = REPLY_MAX;
    return 0;
}

/* A session's token; "" where the instance knows none. Every use of the service begins with it. */
static int session(struct ck_arena *a, const struct ck_alicloud_config *cfg, const char **ret,
                   struct ck_err *err)
{
    const char *strict = ck_env_get(cfg->env, "ALIBABA_CLOUD_IMDSV1_DISABLED");
    const char *off = ck_env_get(cfg->env, "ALIBABA_CLOUD_ECS_METADATA_DISABLED");
    if (off && strcmp(off, "true") == 0)
        return ck_fail(err, CK_NOT_FOUND, "ALIBABA_CLOUD_ECS_METADATA_DISABLED is true");
    struct ck_req req = {0};
    int r = request(a, cfg->env, "PUT", "api/token", &req, err);
    if (r < 0)
        return r;
    req.attempts = 1;
    ck_nvs_add(a, &req.headers, "x-aliyun-ecs-metadata-token-ttl-seconds", "300");
    CK_AUTORESP resp = {0};
    r = ck_http_do(cfg->http, &req, &resp, err);
    if (r < 0)
        return r;
    struct ck_slice t = ck_slice_trim(ck_buf_slice(&resp.body));
    *ret = resp.status == 200 ? ck_arena_strndup(a, t.ptr, t.len) : "";
    if (!**ret && strict && strcmp(strict, "true") == 0)
        return ck_fail(err, CK_UNAVAILABLE,
                       "the token request was answered with %d, and "
                       "ALIBABA_CLOUD_IMDSV1_DISABLED is true",
                       resp.status);
    return 0;
}

static int metadata(struct ck_arena *a, const struct ck_alicloud_config *cfg, const char *token,
                    const char *path, const char **ret, struct ck_err *err)
{
    struct ck_req req = {0};
    int r = request(a, cfg->env, "GET", ck_arena_printf(a, "meta-data/%s", path), &req, err);
    if (r < 0)
        return r;
    if (*token)
        ck_nvs_add(a, &req.headers, "x-aliyun-ecs-metadata-token", token);
    CK_AUTORESP resp = {0};
    r = ck_http_do(cfg->http, &req, &resp, err);
    if (r < 0)
        return r;
    if (resp.status != 200)
        return ck_fail(err, resp.status == 404 ? CK_NOT_FOUND : CK_UNAVAILABLE,
                       "the metadata service answered %d for %s", resp.status, path);
    *ret = ck_arena_strndup(a, resp.body.ptr ? resp.body.ptr : "", resp.body.len);
    return 0;
}

int ck_alicloud_instance_region(struct ck_arena *a, const struct ck_alicloud_config *cfg,
                                const char **ret, struct ck_err *err)
{
    const char *token = "", *text = "";
    int r = session(a, cfg, &token, err);
    if (r == 0)
        r = metadata(a, cfg, token, "region-id", &text, err);
    if (r < 0)
        return ck_wrap(err, "can't get region-id from ECS metadata");
    struct ck_slice t = ck_slice_trim(ck_slice_of(text));
    *ret = ck_arena_strndup(a, t.ptr, t.len);
    return 0;
}

/* ---- sources ---- */

static void copy(struct ck_cred *dst, const char *id, const char *secret, const char *token,
                 const char *source)
{
    *dst = (struct ck_cred){
        .access_key = ck_xstrdup(id),
        .secret_key = ck_xstrdup(secret),
        .session_token = token && *token ? ck_xstrdup(token) : NULL,
        .source = source,
    };
}

/* NOT_FOUND: the variables are not set. */
static int from_env(struct chain *c, struct ck_cred *ret, struct ck_err *err)
{
    static const struct {
        const char *id, *secret, *token;
    } sets[] = {
        {"ALIYUN_ACCESS_KEY_ID", "ALIYUN_ACCESS_KEY_SECRET", "ALIYUN_SECURITY_TOKEN"},
        {"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
         "ALIBABA_CLOUD_SECURITY_TOKEN"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(sets); i++) {
        const char *id = ck_env_nonempty(c->cfg.env, sets[i].id);
        const char *secret = ck_env_nonempty(c->cfg.env, sets[i].secret);
        if (!id)
            continue;
        if (!secret)
            return ck_fail(err, CK_UNAUTHENTICATED, "%s cannot be empty", sets[i].secret);
        copy(ret, id, secret, ck_env_get(c->cfg.env, sets[i].token), sets[i].id);
        return 0;
    }
    return -(int)CK_NOT_FOUND;
}

static int role_name(struct chain *c, struct ck_arena *a, const char *token, const char **ret,
                     struct ck_err *err)
{
    const char *text = "";
    *ret = ck_env_nonempty(c->cfg.env, "ALIBABA_CLOUD_ECS_METADATA");
    if (*ret)
        return 0;
    int r = metadata(a, &c->cfg, token, "ram/security-credentials/", &text, err);
    if (r < 0)
        return ck_wrap(err, "Can't find role from ECS metadata");
    struct ck_slice t = ck_slice_of(text);
    t = ck_slice_trim(ck_slice_n(t.ptr, ck_slice_find(t, '\n')));
    if (!t.len)
        return ck_fail(err, CK_NOT_FOUND, "Can't find role from ECS metadata: the list is empty");
    *ret = ck_arena_strndup(a, t.ptr, t.len);
    return 0;
}

static int take_role(struct chain *c, struct ck_arena *a, const char *name, const char *text,
                     struct ck_err *err)
{
    struct ck_val *v = NULL;
    CK_AUTOERR bad = CK_ERR_INIT;
    int64_t expires = 0;
    if (ck_json_parse(a, ck_slice_of(text), REPLY_MAX, &v, &bad) < 0 || !ck_is_map(v))
        return ck_fail(err, CK_UNAUTHENTICATED, "Can't get role token: no JSON");
    const char *id = ck_str_at(v, "AccessKeyId"), *secret = ck_str_at(v, "AccessKeySecret");
    if (!*id || !*secret)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "Can't get role token: no AccessKeyId and AccessKeySecret in it");
    if (!ck_rfc3339_parse(ck_slice_of(ck_str_at(v, "Expiration")), &expires))
        expires = ck_now_s() + 2 * REFRESH_EARLY_S;
    if (expires <= ck_now_s())
        return ck_fail(err, CK_UNAUTHENTICATED, "Can't get role token: it has expired");
    ck_cred_done(&c->role);
    copy(&c->role, id, secret, ck_str_at(v, "SecurityToken"),
         ck_arena_printf(c->arena, "RAM role %.100s", name));
    c->role.expires_s = expires;
    c->fetched_s = ck_now_s();
    c->have = true;
    return 0;
}

static int fetch_role(struct chain *c, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const char *token = "", *name = "", *text = "";
    int r = session(a, &c->cfg, &token, err);
    if (r == 0)
        r = role_name(c, a, token, &name, err);
    if (r < 0)
        return r;
    r = metadata(a, &c->cfg, token, ck_arena_printf(a, "ram/security-credentials/%s", name), &text,
                 err);
    if (r < 0)
        return ck_wrap(err, "Can't get role token");
    return take_role(c, a, name, text, err);
}

static int from_role(struct chain *c, struct ck_cred *ret, struct ck_err *err)
{
    int64_t now = ck_now_s();
    bool renew = !c->have || now >= c->role.expires_s - REFRESH_EARLY_S;
    if (renew && !c->have && c->failed.len && now - c->failed_s < YOUNG_S)
        return ck_fail(err, CK_NOT_FOUND, "%s", ck_buf_str(&c->failed));
    if (renew) {
        CK_AUTOERR why = CK_ERR_INIT;
        int r = fetch_role(c, &why);
        ck_buf_reset(&c->failed);
        if (r < 0) {
            c->failed_s = now;
            ck_buf_puts(&c->failed, ck_err_msg(&why));
        }
        if (r < 0 && !(c->have && now < c->role.expires_s))
            return err ? ck_err_move(err, &why) : r;
        if (r < 0)
            ck_debug(1, "the role's credentials were not renewed: %s", ck_err_msg(&why));
    }
    copy(ret, c->role.access_key, c->role.secret_key, c->role.session_token, c->role.source);
    ret->expires_s = c->role.expires_s;
    return 0;
}

static int chain_get(struct ck_cred_provider *p, struct ck_cred *ret, struct ck_err *err)
{
    struct chain *c = (struct chain *)p;
    CK_AUTOERR why = CK_ERR_INIT;
    int r = from_env(c, ret, &why);
    if (r != -(int)CK_NOT_FOUND)
        return r < 0 && err ? ck_err_move(err, &why) : r;
    r = from_role(c, ret, &why);
    if (r == 0)
        return 0;
    return ck_fail(err, CK_UNAUTHENTICATED,
                   "no Alibaba Cloud credentials were found; tried:\n"
                   "  environment: neither ALIYUN_ACCESS_KEY_ID nor ALIBABA_CLOUD_ACCESS_KEY_ID is "
                   "set\n  RAM role of this instance: %s",
                   ck_err_msg(&why));
}

static void chain_free(struct ck_cred_provider *p)
{
    struct chain *c = (struct chain *)p;
    ck_cred_done(&c->role);
    ck_buf_done(&c->failed);
    ck_arena_free(c->arena);
    free(c);
}

struct ck_cred_provider *ck_alicloud_chain_new(const struct ck_alicloud_config *cfg)
{
    static const struct ck_cred_ops ops = {"alicloud", chain_get, chain_free};
    struct chain *c = ck_xcalloc(1, sizeof *c);
    c->base.ops = &ops;
    c->cfg = *cfg;
    c->arena = ck_arena_new();
    return &c->base;
}

bool ck_alicloud_refused(struct ck_cred_provider *p)
{
    struct chain *c = (struct chain *)p;
    if (!c->have || ck_now_s() - c->fetched_s < YOUNG_S)
        return false;
    ck_cred_done(&c->role);
    c->have = false;
    return true;
}
