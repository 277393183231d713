/* Who signs requests to Alibaba Cloud, and the signatures of its object store: version 4, and 1 for
 * installations that know no other.
 *
 * Source: shared facts vfs.md §7; Alibaba Cloud OSS, "Include V4 signatures in the Authorization
 * header" and "Include signatures in the Authorization header". */
#pragma once

#include "auth/cred.h"
#include "net/http.h"

struct ck_alicloud_config {
    const struct ck_env *env; /* borrowed */
    struct ck_http *http;     /* borrowed: the metadata service */
};

/* ALIYUN_ACCESS_KEY_ID, then ALIBABA_CLOUD_ACCESS_KEY_ID, then the RAM role of the ECS instance,
 * whose credentials are renewed 5 minutes before they expire. get() fails UNAUTHENTICATED with one
 * line per source when none is configured. */
struct ck_cred_provider *ck_alicloud_chain_new(const struct ck_alicloud_config *cfg);
/* The service has refused the credentials: whether there may be newer ones. They are fetched by the
 * next get(). */
bool ck_alicloud_refused(struct ck_cred_provider *p);
/* The instance's region, like "cn-hangzhou", from the metadata service. Arena-owned. */
int ck_alicloud_instance_region(struct ck_arena *a, const struct ck_alicloud_config *cfg,
                                const char **ret, struct ck_err *err);

struct ck_oss_signer {
    int version;        /* 4 or 1 */
    const char *region; /* "cn-hangzhou"; version 4 */
    const char *bucket; /* in the host's name; NULL: the path begins with it */
    int64_t skew_s;     /* server minus client */
};

/* Sign: adds date, x-oss-date and x-oss-content-sha256 (4), x-oss-security-token and authorization.
 * A bucket's path is "/" or "/bucket/". now_s: seconds since the epoch before skew. */
int ck_oss_sign(struct ck_arena *a, const struct ck_oss_signer *p, const struct ck_cred *c,
                int64_t now_s, struct ck_req *r, struct ck_err *err);
/* The text that is signed, for tests (holds no secret); r has all headers but the signature. */
void ck_oss_string_to_sign(struct ck_buf *out, const struct ck_oss_signer *p,
                           const struct ck_req *r);
