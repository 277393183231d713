/* Application default credentials of Google Cloud, as a source of bearer tokens.
 *
 * Order (shared facts vfs.md §5.6): the file GOOGLE_APPLICATION_CREDENTIALS names, the file of
 * `gcloud auth application-default login`, the metadata server. The first that is there decides. */
#pragma once

#include "auth/oauth/token.h"

struct ck_gcp_config {
    const struct ck_env *env; /* borrowed */
    struct ck_http *http;     /* borrowed */
    const char *scope;        /* an OAuth scope, for example devstorage.full_control */
};

/* get() fails UNAUTHENTICATED with one line per source when there is none. */
struct ck_token_source *ck_gcp_source_new(const struct ck_gcp_config *cfg);
/* The project that requests are charged to, or NULL: GOOGLE_CLOUD_QUOTA_PROJECT, else
 * quota_project_id of the file. Known after the first token. */
const char *ck_gcp_quota_project(const struct ck_token_source *s);
