/* AWS credentials and the providers that yield them. */
#pragma once

#include "base/arena.h"
#include "base/env.h"
#include "base/err.h"
#include "net/http.h"

#include <stdint.h>

struct ck_cred {
    char *access_key, *secret_key, *session_token; /* owned; session_token may be NULL */
    int64_t expires_s;                             /* seconds since the epoch; 0: never */
    const char *source; /* "environment", "profile x (file)", … in arena */
};
void ck_cred_done(struct ck_cred *c); /* wipes */

struct ck_cred_provider;

struct ck_cred_ops {
    const char *name;
    /* Fill *ret (owned strings). NOT_FOUND: this source is not configured, try the next;
     * anything else: it is configured and fails. */
    int (*get)(struct ck_cred_provider *p, struct ck_cred *ret, struct ck_err *err);
    void (*free)(struct ck_cred_provider *p);
};

struct ck_cred_provider {
    const struct ck_cred_ops *ops;
};

struct ck_aws_config {
    const struct ck_env *env; /* borrowed */
    struct ck_http *http;     /* borrowed: STS, SSO, metadata */
    const char *profile;      /* NULL: AWS_PROFILE, then "default" */
    const char *region;       /* for STS; NULL: from env and profile */
    /* Asks the user for an MFA code; NULL: MFA profiles fail with a message. */
    int (*mfa)(void *arg, const char *serial, char *code, size_t size, struct ck_err *err);
    void *mfa_arg;
};

/* The whole chain in the SDK's order; first success is remembered and refreshed 5 minutes before it
 * expires. When nothing works, get() fails UNAUTHENTICATED with one line per source: what was
 * tried and why it did not serve. */
struct ck_cred_provider *ck_aws_chain_new(const struct ck_aws_config *cfg);
struct ck_cred_provider *ck_static_provider_new(const char *access, const char *secret,
                                                const char *token);
void ck_cred_provider_free(struct ck_cred_provider *p);
/* A setting of the profile in use, like "ca_bundle"; NULL when it has none. Arena-owned. */
int ck_aws_profile_setting(struct ck_arena *a, const struct ck_aws_config *cfg, const char *key,
                           const char **ret, struct ck_err *err);
/* The ARN of whom `c` belongs to, by STS GetCallerIdentity in `region`, within timeout_ms. Needs no
 * permission. skew_s as in struct ck_sigv4. Arena-owned. */
int ck_aws_caller_arn(struct ck_arena *a, const struct ck_aws_config *cfg, const struct ck_cred *c,
                      const char *region, int64_t skew_s, int64_t timeout_ms, const char **ret,
                      struct ck_err *err);
/* The partition of a region, as ARNs name it: "aws", "aws-cn", "aws-us-gov". */
const char *ck_aws_partition(const char *region);
/* Region from AWS_REGION, AWS_DEFAULT_REGION, profile; "" when none says. Arena-owned. */
int ck_aws_region(struct ck_arena *a, const struct ck_aws_config *cfg, const char **ret,
                  struct ck_err *err);
