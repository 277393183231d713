/* Alibaba Cloud OSS: oss://bucket/key.
 *
 * Shared between the files of the driver: oss.c (locations, objects), client.c (endpoint, signing,
 * errors), write.c (conditional writes, removal), list.c (listings, trees). Mirrors kOps'
 * util/pkg/vfs/ossfs.go as it was until 1.23; where it differs docs/differences.md says why. */
#pragma once

#include "auth/alicloud/alicloud.h"
#include "vfs/lease.h"
#include "vfs/object/object.h"
#include "vfs/scheme.h"

/* Marks of its writers (vfs/object/marks.h); part of its version. */
#define CK_OSS_MARKS "x-oss-meta-ckops-write"

/* Whether the bucket keeps versions: forbid-overwrite has no effect there. */
enum ck_oss_versioning { CK_OSS_VERSIONING_UNKNOWN, CK_OSS_VERSIONING_NO, CK_OSS_VERSIONING_YES };

struct ck_oss {
    struct ck_object_store base;
    bool ready, path_style, locks;
    const char *url_scheme, *host; /* host: without the bucket */
    int port;
    const char *region; /* "cn-hangzhou"; "" with an endpoint of one's own */
    const char *ca_file;
    int signature; /* 4 or 1 */
    int64_t skew_s;
    struct ck_cred_provider *creds;
    enum ck_oss_versioning versioning;
    int64_t put_until_ms; /* monotonic; end of the lock on what is being replaced; 0: none */
};

/* ---- client.c ---- */
int ck_oss_prepare(struct ck_vfs *v, struct ck_err *err);
/* A request on the bucket (key NULL) or an object. */
void ck_oss_base(struct ck_arena *a, struct ck_oss *s, const char *method, const char *key,
                 struct ck_req *ret);
const char *ck_oss_code(const struct ck_resp *resp); /* the service's error code, or "" */
int ck_oss_fail(struct ck_vfs *v, enum ck_object_call call, const char *key,
                const struct ck_resp *resp, struct ck_err *err);
void ck_oss_describe(struct ck_vfs *v, enum ck_object_call call, struct ck_buf *out);

/* ---- oss.c ---- */
/* The version of an object by its headers: ETag and marks of its writers, or its time. */
void ck_oss_version(const struct ck_resp *resp, struct ck_version *ret);

/* ---- write.c ---- */
int ck_oss_send_put(struct ck_vfs *v, const struct ck_object_put *p, struct ck_resp *ret,
                    struct ck_err *err);
enum ck_object_verdict ck_oss_judge_put(struct ck_vfs *v, const struct ck_object_put *p,
                                        const struct ck_resp *resp, struct ck_version *ret);
int ck_oss_write(struct ck_vfs *v, const char *key, struct ck_slice data,
                 const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err);
int ck_oss_remove(struct ck_vfs *v, const char *key, const struct ck_version *version,
                  struct ck_err *err);

/* ---- list.c ---- */
void ck_oss_page(struct ck_arena *a, const struct ck_object_listing *l, struct ck_req *ret);
int ck_oss_take_page(struct ck_object_listing *l, const struct ck_resp *resp, struct ck_err *err);
int ck_oss_remove_tree(struct ck_vfs *v, const char *key, struct ck_err *err);
