/* Addresses of S3 for those who come without this program. Source: shared facts vfs.md §2.4. */
#pragma once

#include "base/arena.h"

#include <stdbool.h>

/* The HTTPS address of a key of AWS's S3, without a slash at its end: the bucket is part of the
 * host where a certificate can cover that, else of the path. */
const char *ck_s3_https_url(struct ck_arena *a, const char *bucket, const char *key,
                            const char *region, bool dualstack);
/* A bucket may be a host label of its own only when TLS certificates can cover it. */
bool ck_s3_is_dns_label(const char *bucket);
