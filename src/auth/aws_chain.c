/* The AWS credential chain: environment, web identity, profile, container, instance metadata, in
 * the SDK's order (shared facts vfs.md §3). The first source that is configured decides. */
#include "auth/aws.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "doc/json.h"

#include <stdarg.h>
#include <string.h>

enum { FILE_MAX = 1 << 20, REFRESH_EARLY_S = 300 };

/* ---- credentials ---- */

static void wipe_free(char *s)
{
    if (s)
        ck_wipe(s, strlen(s));
    free(s);
}

void ck_cred_done(struct ck_cred *c)
{
    wipe_free(c->access_key);
    wipe_free(c->secret_key);
    wipe_free(c->session_token);
    *c = (struct ck_cred){0};
}

static void copy_cred(struct ck_cred *dst, const struct ck_cred *src)
{
    *dst = (struct ck_cred){
        .access_key = ck_xstrdup(src->access_key),
        .secret_key = ck_xstrdup(src->secret_key),
        .session_token = src->session_token ? ck_xstrdup(src->session_token) : NULL,
        .expires_s = src->expires_s,
        .source = src->source,
    };
}

void ck_cred_provider_free(struct ck_cred_provider *p)
{
    if (p)
        p->ops->free(p);
}

/* ---- fixed credentials ---- */

struct fixed {
    struct ck_cred_provider base;
    struct ck_cred cred;
};

static int fixed_get(struct ck_cred_provider *p, struct ck_cred *ret, struct ck_err *err)
{
    copy_cred(ret, &((struct fixed *)p)->cred);
    return 0;
}

static void fixed_free(struct ck_cred_provider *p)
{
    ck_cred_done(&((struct fixed *)p)->cred);
    free(p);
}

struct ck_cred_provider *ck_static_provider_new(const char *access, const char *secret,
                                                const char *token)
{
    static const struct ck_cred_ops ops = {"static", fixed_get, fixed_free};
    struct fixed *f = ck_xcalloc(1, sizeof *f);
    f->base.ops = &ops;
    f->cred = (struct ck_cred){
        .access_key = ck_xstrdup(access),
        .secret_key = ck_xstrdup(secret),
        .session_token = token ? ck_xstrdup(token) : NULL,
        .source = "S3_ACCESS_KEY_ID",
    };
    return &f->base;
}

/* ---- helpers of the sources ---- */

int ck_aws_skip(struct ck_aws *w, const char *source, const char *fmt, ...)
{
    ck_buf_fmt(&w->report, "\n  %s: ", source);
    va_list ap;
    va_start(ap, fmt);
    ck_buf_vfmt(&w->report, fmt, ap);
    va_end(ap);
    return -(int)CK_NOT_FOUND;
}

const char *ck_aws_home(struct ck_aws *w, const char *rest)
{
    const char *home = ck_env_nonempty(w->cfg.env, "HOME");
    return ck_arena_printf(w->arena, "%s/%s", home ? home : "", rest);
}

static int load_file(struct ck_aws *w, const char *variable, const char *dflt, bool config_file,
                     struct ck_err *err)
{
    const char *path = ck_env_nonempty(w->cfg.env, variable);
    if (!path)
        path = ck_aws_home(w, dflt);
    CK_CLEANUP(ck_buf_wipe) struct ck_buf text = CK_BUF_INIT;
    int r = ck_file_read(path, FILE_MAX, &text, err);
    if (r == -(int)CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    if (r == 0)
        r = ck_ini_read(w->arena, &w->files, path, ck_buf_slice(&text), config_file, err);
    return r < 0 ? ck_wrap(err, "error loading AWS config") : 0;
}

int ck_aws_load_files(struct ck_aws *w, struct ck_err *err)
{
    if (w->loaded)
        return 0;
    CK_AUTOERR local = CK_ERR_INIT;
    /* The credentials file comes second: it wins where both have a key. */
    int r = load_file(w, "AWS_CONFIG_FILE", ".aws/config", true, &local);
    if (r == 0)
        r = load_file(w, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", false, &local);
    if (r < 0)
        return ck_err_move(err, &local);
    w->loaded = true;
    return 0;
}

static const char *profile_name(struct ck_aws *w, bool *ret_explicit)
{
    const char *name = w->cfg.profile;
    if (!name)
        name = ck_env_nonempty(w->cfg.env, "AWS_PROFILE");
    if (!name)
        name = ck_env_nonempty(w->cfg.env, "AWS_DEFAULT_PROFILE");
    *ret_explicit = name != NULL;
    return name ? name : "default";
}

const char *ck_aws_service_region(struct ck_aws *w, const char *profile)
{
    const char *r = w->cfg.region;
    if (!r)
        r = ck_env_nonempty(w->cfg.env, "AWS_REGION");
    if (!r)
        r = ck_env_nonempty(w->cfg.env, "AWS_DEFAULT_REGION");
    if (!r && profile && ck_aws_load_files(w, NULL) == 0)
        r = ck_ini_get(&w->files, profile, "region");
    return r ? r : "us-east-1";
}

int ck_aws_endpoint(struct ck_aws *w, const char *var, const char *host, struct ck_req *ret,
                    struct ck_err *err)
{
    const char *name = ck_arena_printf(w->arena, "AWS_ENDPOINT_URL_%s", var);
    const char *url = ck_env_nonempty(w->cfg.env, name);
    if (!url)
        url = ck_env_nonempty(w->cfg.env, name = "AWS_ENDPOINT_URL");
    const char *ignore = ck_env_get(w->cfg.env, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    if (url && !(ignore && strcmp(ignore, "true") == 0)) {
        int r = ck_url_parse(w->arena, url, ret, err);
        if (r < 0)
            return ck_wrap(err, "%s", name);
    } else {
        ret->scheme = "https";
        ret->host = host;
    }
    bool explicit_name;
    ret->ca_file = ck_env_nonempty(w->cfg.env, "AWS_CA_BUNDLE");
    if (!ret->ca_file && ck_aws_load_files(w, NULL) == 0)
        ret->ca_file = ck_ini_get(&w->files, profile_name(w, &explicit_name), "ca_bundle");
    ret->timeout_ms = 20000;
    ret->max_reply = FILE_MAX;
    return 0;
}

int ck_aws_cred_of_json(struct ck_aws *w, struct ck_slice text, const char *token_name,
                        const char *expiry_name, const char *source, struct ck_cred *ret,
                        struct ck_err *err)
{
    struct ck_val *v = NULL;
    int r = ck_json_parse(w->arena, text, FILE_MAX, &v, err);
    if (r < 0)
        return ck_wrap(err, "%s", source);
    const char *access = ck_str_at(v, "AccessKeyId"), *secret = ck_str_at(v, "SecretAccessKey");
    if (!*access || !*secret)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "%s: the reply holds no AccessKeyId and SecretAccessKey", source);
    const char *token = ck_str_at(v, token_name), *expiry = ck_str_at(v, expiry_name);
    int64_t expires = 0;
    if (*expiry && !ck_rfc3339_parse(ck_slice_of(expiry), &expires))
        return ck_fail(err, CK_UNAUTHENTICATED, "%s: %s is not a time: %.40s", source, expiry_name,
                       expiry);
    if (expires && expires <= ck_now_s())
        return ck_fail(err, CK_UNAUTHENTICATED, "%s: the credentials expired at %s", source,
                       expiry);
    *ret = (struct ck_cred){
        .access_key = ck_xstrdup(access),
        .secret_key = ck_xstrdup(secret),
        .session_token = *token ? ck_xstrdup(token) : NULL,
        .expires_s = expires,
        .source = ck_arena_strdup(w->arena, source),
    };
    return 0;
}

/* ---- environment ---- */

int ck_aws_from_env(struct ck_aws *w, struct ck_cred *ret, struct ck_err *err)
{
    const struct ck_env *e = w->cfg.env;
    const char *access = ck_env_nonempty(e, "AWS_ACCESS_KEY_ID");
    const char *secret = ck_env_nonempty(e, "AWS_SECRET_ACCESS_KEY");
    if (!access)
        access = ck_env_nonempty(e, "AWS_ACCESS_KEY");
    if (!secret)
        secret = ck_env_nonempty(e, "AWS_SECRET_KEY");
    if (!access && !secret)
        return ck_aws_skip(w, "environment",
                           "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
    if (!access || !secret)
        return ck_aws_skip(w, "environment", "%s is set but %s is not",
                           access ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                           access ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
    const char *token = ck_env_nonempty(e, "AWS_SESSION_TOKEN");
    *ret = (struct ck_cred){
        .access_key = ck_xstrdup(access),
        .secret_key = ck_xstrdup(secret),
        .session_token = token ? ck_xstrdup(token) : NULL,
        .source = "environment",
    };
    return 0;
}

static int env_web_identity(struct ck_aws *w, struct ck_cred *ret, struct ck_err *err)
{
    const struct ck_env *e = w->cfg.env;
    const char *file = ck_env_nonempty(e, "AWS_WEB_IDENTITY_TOKEN_FILE");
    if (!file)
        return ck_aws_skip(w, "web identity", "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
    const char *role = ck_env_nonempty(e, "AWS_ROLE_ARN");
    if (!role)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "web identity: AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not");
    return ck_aws_from_web_identity(w, file, role, ck_env_nonempty(e, "AWS_ROLE_SESSION_NAME"),
                                    "web identity", ret, err);
}

/* ---- the chain ---- */

static int try_all(struct ck_aws *w, struct ck_cred *ret, struct ck_err *err)
{
    bool explicit_name;
    const char *name = profile_name(w, &explicit_name);
    int r = -(int)CK_NOT_FOUND;
    /* A profile chosen for the store alone is meant: the environment's keys are the cloud's. */
    if (!w->cfg.profile) {
        r = ck_aws_from_env(w, ret, err);
        if (r == -(int)CK_NOT_FOUND)
            r = env_web_identity(w, ret, err);
    }
    if (r == -(int)CK_NOT_FOUND)
        r = ck_aws_from_profile(w, name, explicit_name, ret, err);
    if (r == -(int)CK_NOT_FOUND)
        r = ck_aws_from_container(w, ret, err);
    if (r == -(int)CK_NOT_FOUND)
        r = ck_aws_from_imds(w, ret, err);
    return r;
}

static int chain_get(struct ck_cred_provider *p, struct ck_cred *ret, struct ck_err *err)
{
    struct ck_aws *w = (struct ck_aws *)p;
    if (w->have && (!w->cached.expires_s || ck_now_s() < w->cached.expires_s - REFRESH_EARLY_S)) {
        copy_cred(ret, &w->cached);
        return 0;
    }
    ck_buf_reset(&w->report);
    struct ck_cred fresh = {0};
    int r = try_all(w, &fresh, err);
    if (r < 0) {
        if (r == -(int)CK_NOT_FOUND)
            return ck_fail(err, CK_UNAUTHENTICATED, "no AWS credentials were found; tried:%s",
                           ck_buf_str(&w->report));
        int code = err ? (int)err->code : -r;
        r = ck_wrap(err, "AWS credentials");
        if (err && code != CK_TIMEOUT && code != CK_UNAVAILABLE)
            err->code = CK_UNAUTHENTICATED;
        return err ? -(int)err->code : r;
    }
    ck_cred_done(&w->cached);
    w->cached = fresh;
    w->have = true;
    copy_cred(ret, &w->cached);
    return 0;
}

static void chain_free(struct ck_cred_provider *p)
{
    struct ck_aws *w = (struct ck_aws *)p;
    ck_cred_done(&w->cached);
    ck_ini_done(&w->files);
    ck_buf_done(&w->report);
    ck_arena_free(w->arena);
    free(w);
}

struct ck_cred_provider *ck_aws_chain_new(const struct ck_aws_config *cfg)
{
    static const struct ck_cred_ops ops = {"aws", chain_get, chain_free};
    struct ck_aws *w = ck_xcalloc(1, sizeof *w);
    w->base.ops = &ops;
    w->cfg = *cfg;
    w->arena = ck_arena_new();
    return &w->base;
}

const char *ck_aws_partition(const char *region)
{
    if (ck_str_starts(region, "cn-"))
        return "aws-cn";
    return ck_str_starts(region, "us-gov-") ? "aws-us-gov" : "aws";
}

int ck_aws_region(struct ck_arena *a, const struct ck_aws_config *cfg, const char **ret,
                  struct ck_err *err)
{
    const char *r = ck_env_nonempty(cfg->env, "AWS_REGION");
    if (!r)
        r = ck_env_nonempty(cfg->env, "AWS_DEFAULT_REGION");
    if (r) {
        *ret = r;
        return 0;
    }
    int rc = ck_aws_profile_setting(a, cfg, "region", &r, err);
    *ret = r ? r : "";
    return rc;
}

int ck_aws_profile_setting(struct ck_arena *a, const struct ck_aws_config *cfg, const char *key,
                           const char **ret, struct ck_err *err)
{
    struct ck_aws *w = (struct ck_aws *)ck_aws_chain_new(cfg);
    int rc = ck_aws_load_files(w, err);
    bool explicit_name;
    const char *v = rc == 0 ? ck_ini_get(&w->files, profile_name(w, &explicit_name), key) : NULL;
    *ret = v ? ck_arena_strdup(a, v) : NULL;
    chain_free(&w->base);
    return rc;
}
