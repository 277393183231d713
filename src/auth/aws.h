/* Shared between the files of the AWS credential chain: the state of one chain and its sources.
 *
 * A source returns 0 with credentials, -CK_NOT_FOUND when it is not configured (and says so in the
 * report), or another error when it is configured and fails: then the chain ends with that error.
 */
#pragma once

#include "auth/cred.h"
#include "auth/ini.h"

#include "base/buf.h"

struct ck_aws {
    struct ck_cred_provider base;
    struct ck_aws_config cfg;
    struct ck_arena *arena;
    struct ck_ini files; /* config and credentials merged; loaded on first use */
    bool loaded;
    struct ck_cred cached;
    bool have;
    struct ck_buf report; /* one line per source tried */
};

/* "  source: reason\n" into the report; returns -CK_NOT_FOUND. */
int ck_aws_skip(struct ck_aws *w, const char *source, const char *fmt, ...) CK_PRINTF(3, 4);
int ck_aws_load_files(struct ck_aws *w, struct ck_err *err);
const char *ck_aws_home(struct ck_aws *w, const char *rest); /* $HOME/rest */
/* Region for a service call made inside the chain. */
const char *ck_aws_service_region(struct ck_aws *w, const char *profile);
/* The host part of a service call: the AWS_ENDPOINT_URL_<VAR> override or https://host. */
int ck_aws_endpoint(struct ck_aws *w, const char *var, const char *host, struct ck_req *ret,
                    struct ck_err *err);
/* Fill *ret from the usual JSON shape (AccessKeyId, SecretAccessKey, `token_name`, `expiry_name`).
 */
int ck_aws_cred_of_json(struct ck_aws *w, struct ck_slice text, const char *token_name,
                        const char *expiry_name, const char *source, struct ck_cred *ret,
                        struct ck_err *err);

/* ---- sources, one file each ---- */
int ck_aws_from_profile(struct ck_aws *w, const char *name, bool explicit_name, struct ck_cred *ret,
                        struct ck_err *err);
int ck_aws_from_process(struct ck_aws *w, const char *command, const char *profile,
                        struct ck_cred *ret, struct ck_err *err);
int ck_aws_from_sso(struct ck_aws *w, const char *profile, struct ck_cred *ret, struct ck_err *err);
int ck_aws_from_container(struct ck_aws *w, struct ck_cred *ret, struct ck_err *err);
int ck_aws_from_imds(struct ck_aws *w, struct ck_cred *ret, struct ck_err *err);
int ck_aws_from_env(struct ck_aws *w, struct ck_cred *ret, struct ck_err *err);
/* STS AssumeRoleWithWebIdentity with the token in `file`. */
int ck_aws_from_web_identity(struct ck_aws *w, const char *file, const char *role,
                             const char *session, const char *source, struct ck_cred *ret,
                             struct ck_err *err);
/* STS AssumeRole as `base`, with the settings of the profile. */
int ck_aws_assume_role(struct ck_aws *w, const char *profile, const struct ck_cred *base,
                       struct ck_cred *ret, struct ck_err *err);
