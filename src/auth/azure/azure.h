/* Who signs requests to Azure Storage: the account's shared key, or a bearer token of Microsoft's
 * identity platform by the order of the "default Azure credential" (shared facts vfs.md §9). */
#pragma once

#include "auth/oauth/token.h"

struct ck_azure_config {
    const struct ck_env *env; /* borrowed */
    struct ck_http *http;     /* borrowed */
    const char *resource;     /* "https://storage.azure.com" */
};

/* Client secret, workload identity, managed identity; narrowed by AZURE_TOKEN_CREDENTIALS. A fetch
 * fails UNAUTHENTICATED with one line per source when none is configured. */
struct ck_token_source *ck_azure_source_new(const struct ck_azure_config *cfg);

/* Sign with the account's key: adds x-ms-date and authorization. The other x-ms-* headers must be
 * there. key is the decoded secret; now_s seconds since the epoch. Source: Azure Storage,
 * "Authorize with Shared Key", version 2015-02-21 and later. */
void ck_azure_sign(struct ck_arena *a, const char *account, struct ck_slice key, int64_t now_s,
                   struct ck_req *r);
/* The text that is signed, for tests (holds no secret). */
void ck_azure_string_to_sign(struct ck_buf *out, const char *account, const struct ck_req *r);
