/* Credentials of a profile: static keys, source_profile chains, credential_source, web identity,
 * SSO, credential_process, and the role assumed with any of them. */
#include "auth/aws.h"

#include "base/mem.h"

#include <string.h>

enum { MAX_CHAIN = 8 };

struct walk {
    struct ck_aws *w;
    const char *seen[MAX_CHAIN];
    unsigned depth;
};

static int resolve(struct walk *k, const char *name, struct ck_cred *ret, struct ck_err *err);

static const char *get(struct walk *k, const char *profile, const char *key)
{
    return ck_ini_get(&k->w->files, profile, key);
}

static int static_keys(struct walk *k, const char *name, struct ck_cred *ret, struct ck_err *err)
{
    const char *access = get(k, name, "aws_access_key_id");
    const char *secret = get(k, name, "aws_secret_access_key");
    if (!access && !secret)
        return -(int)CK_NOT_FOUND;
    if (!access || !secret)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "profile %s: aws_access_key_id and aws_secret_access_key go together", name);
    const char *token = get(k, name, "aws_session_token");
    *ret = (struct ck_cred){
        .access_key = ck_xstrdup(access),
        .secret_key = ck_xstrdup(secret),
        .session_token = token ? ck_xstrdup(token) : NULL,
        .source = ck_arena_printf(k->w->arena, "profile %s", name),
    };
    return 0;
}

static int credential_source(struct walk *k, const char *name, const char *source,
                             struct ck_cred *ret, struct ck_err *err)
{
    int r;
    if (strcmp(source, "Environment") == 0)
        r = ck_aws_from_env(k->w, ret, err);
    else if (strcmp(source, "Ec2InstanceMetadata") == 0)
        r = ck_aws_from_imds(k->w, ret, err);
    else if (strcmp(source, "EcsContainer") == 0)
        r = ck_aws_from_container(k->w, ret, err);
    else
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "profile %s: credential_source %s is not one of Environment, "
                       "Ec2InstanceMetadata, EcsContainer",
                       name, source);
    if (r == -(int)CK_NOT_FOUND)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "profile %s: credential_source %s has nothing to offer:%s", name, source,
                       ck_buf_str(&k->w->report));
    return r;
}

/* What the profile itself offers before any role is assumed. *ret_done: nothing to assume. */
static int base_of(struct walk *k, const char *name, struct ck_cred *ret, bool *ret_done,
                   struct ck_err *err)
{
    const char *source = get(k, name, "source_profile");
    *ret_done = false;
    if (source && strcmp(source, name) == 0) {
        int r = static_keys(k, name, ret, err);
        return r == -(int)CK_NOT_FOUND
                   ? ck_fail(err, CK_UNAUTHENTICATED,
                             "profile %s: source_profile names itself but holds no keys", name)
                   : r;
    }
    if (source)
        return resolve(k, source, ret, err);
    int r = static_keys(k, name, ret, err);
    if (r != -(int)CK_NOT_FOUND)
        return r;
    const char *from = get(k, name, "credential_source");
    if (from)
        return credential_source(k, name, from, ret, err);
    const char *file = get(k, name, "web_identity_token_file"), *role = get(k, name, "role_arn");
    if (file) {
        *ret_done = true;
        if (!role)
            return ck_fail(err, CK_UNAUTHENTICATED,
                           "profile %s: web_identity_token_file needs role_arn", name);
        return ck_aws_from_web_identity(
            k->w, file, role, get(k, name, "role_session_name"),
            ck_arena_printf(k->w->arena, "profile %s (web identity)", name), ret, err);
    }
    if (get(k, name, "sso_session") || get(k, name, "sso_start_url"))
        return ck_aws_from_sso(k->w, name, ret, err);
    if (get(k, name, "login_session"))
        return ck_fail(err, CK_UNSUPPORTED,
                       "profile %s: login_session is not supported; use sso_session, keys or "
                       "credential_process",
                       name);
    const char *command = get(k, name, "credential_process");
    if (command)
        return ck_aws_from_process(k->w, command, name, ret, err);
    return -(int)CK_NOT_FOUND;
}

static int resolve(struct walk *k, const char *name, struct ck_cred *ret, struct ck_err *err)
{
    for (unsigned i = 0; i < k->depth; i++)
        if (strcmp(k->seen[i], name) == 0)
            return ck_fail(err, CK_UNAUTHENTICATED, "profile %s: source_profile goes in a circle",
                           name);
    if (k->depth == MAX_CHAIN)
        return ck_fail(err, CK_UNAUTHENTICATED, "profile %s: more than %d source profiles", name,
                       MAX_CHAIN);
    k->seen[k->depth++] = name;
    if (!ck_ini_has(&k->w->files, name))
        return ck_fail(err, CK_UNAUTHENTICATED, "profile %s does not exist (looked in %s and %s)",
                       name,
                       ck_env_nonempty(k->w->cfg.env, "AWS_CONFIG_FILE")
                           ? ck_env_nonempty(k->w->cfg.env, "AWS_CONFIG_FILE")
                           : ck_aws_home(k->w, ".aws/config"),
                       ck_env_nonempty(k->w->cfg.env, "AWS_SHARED_CREDENTIALS_FILE")
                           ? ck_env_nonempty(k->w->cfg.env, "AWS_SHARED_CREDENTIALS_FILE")
                           : ck_aws_home(k->w, ".aws/credentials"));
    bool done;
    CK_CLEANUP(ck_cred_done) struct ck_cred base = {0};
    int r = base_of(k, name, &base, &done, err);
    const char *role = get(k, name, "role_arn");
    if (r == -(int)CK_NOT_FOUND && (role || k->depth > 1))
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "profile %s: %s but nothing says with which credentials (source_profile, "
                       "credential_source)",
                       name, role ? "role_arn is given" : "it is a source_profile");
    if (r < 0)
        return r;
    if (role && !done)
        return ck_aws_assume_role(k->w, name, &base, ret, err);
    *ret = base;
    base = (struct ck_cred){0};
    return 0;
}

int ck_aws_from_profile(struct ck_aws *w, const char *name, bool explicit_name, struct ck_cred *ret,
                        struct ck_err *err)
{
    int r = ck_aws_load_files(w, err);
    if (r < 0)
        return r;
    const char *label = ck_arena_printf(w->arena, "profile %s", name);
    if (!ck_ini_has(&w->files, name) && !explicit_name)
        return ck_aws_skip(w, label, "it is in neither %s nor %s",
                           ck_aws_home(w, ".aws/credentials"), ck_aws_home(w, ".aws/config"));
    struct walk k = {.w = w};
    r = resolve(&k, name, ret, err);
    if (r == -(int)CK_NOT_FOUND)
        return ck_aws_skip(w, label, "it holds no keys, role, session or process");
    return r;
}
