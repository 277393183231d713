/* Shared between the files of Google's default credentials: their state and the flows. */
#pragma once

#include "auth/gcp/gcp.h"

#define CK_GCP_CLOUD_SCOPE "https://www.googleapis.com/auth/cloud-platform"

struct ck_gcp {
    struct ck_token_source base;
    struct ck_gcp_config cfg;
    struct ck_arena *arena;    /* overwritten at the end: holds the file */
    const struct ck_val *file; /* the credentials file; NULL: the metadata server */
    bool searched;
};

/* One token by what `file` says, for `scope`. Temporary values go to `a`, which is wiped. `depth`
 * counts files within files. */
int ck_gcp_fetch(struct ck_gcp *g, struct ck_arena *a, const struct ck_val *file, const char *scope,
                 unsigned depth, struct ck_token *ret, struct ck_err *err);

/* ---- flows, one file each ---- */
int ck_gcp_service_account(struct ck_gcp *g, struct ck_arena *a, const struct ck_val *file,
                           const char *scope, struct ck_token *ret, struct ck_err *err);
int ck_gcp_external_account(struct ck_gcp *g, struct ck_arena *a, const struct ck_val *file,
                            const char *scope, struct ck_token *ret, struct ck_err *err);
/* Subject tokens of an external account from a program, and on AWS; arena-owned. */
int ck_gcp_executable(struct ck_gcp *g, struct ck_arena *a, const struct ck_val *file,
                      const char **ret, struct ck_err *err);
int ck_gcp_aws(struct ck_gcp *g, struct ck_arena *a, const struct ck_val *file, const char **ret,
               struct ck_err *err);
/* Exchange `base` for a token of another service account; url is its generateAccessToken. */
int ck_gcp_impersonate(struct ck_gcp *g, struct ck_arena *a, const char *url, const char *base,
                       const struct ck_val *delegates, int64_t lifetime_s, const char *scope,
                       struct ck_token *ret, struct ck_err *err);
/* NOT_FOUND with the reason: this machine has no metadata server. */
int ck_gcp_metadata(struct ck_gcp *g, struct ck_arena *a, const char *scope, struct ck_token *ret,
                    struct ck_err *err);
