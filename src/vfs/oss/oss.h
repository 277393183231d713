/* Alibaba Cloud OSS: oss://bucket/key.
 *
 * Shared between the files of the driver: oss.c (locations, objects), client.c (endpoint, signing,
 * errors), lock.c (locks), write.c (conditional writes, removal), list.c (listings, trees). Mirrors
 * kOps' util/pkg/vfs/ossfs.go as it was until 1.23; where it differs docs/differences.md says why.
 */
#pragma once

#include "auth/alicloud/alicloud.h"
#include "vfs/lease.h"
#include "vfs/object/object.h"
#include "vfs/scheme.h"

/* Marks of its writers (vfs/object/marks.h); part of its version. */
#define CK_OSS_MARKS "x-oss-meta-ckops-write"
/* The lock under which it was written. */
#define CK_OSS_LOCK "x-oss-meta-ckops-lock"

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
    /* Monotonic; when a write and a look under way have to end, because a lock does; 0: never. */
    int64_t put_until_ms, look_until_ms;
    const char *put_lock; /* the lock of a write under way; NULL: none */
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

/* ---- lock.c ---- */
/* A turn at one version of one key: everybody who wants to replace that version needs its lock. */
struct ck_oss_turn {
    struct ck_oss *s;
    const char *key, *want;
    bool gone;                      /* seen: the object has another version, or is gone */
    char before[CK_LEASE_NAME_MAX]; /* seen: the lock under which it was written; "" none */
    int64_t waits_since;            /* for that one's end; 0: not yet */
    struct ck_lease lease;
    /* Of the lock that is being taken. Its marks are the same in every sending. */
    char marks[CK_MARKS_LEN];
    unsigned sent; /* its number, from 1; 0: none has been asked for */
    int64_t since; /* of the first sending */
    bool look_first;
    unsigned unanswered; /* sendings without an answer in time */
};

/* 0 while the object is still what is to be replaced, else CONFLICT. */
int ck_oss_unchanged(struct ck_oss_turn *t, struct ck_err *err);
/* Take the lock and make sure that the object is what was read. *ret_left: time to act in; 0 where
 * no locks are made. */
int ck_oss_begin(struct ck_oss_turn *t, int64_t *ret_left, struct ck_err *err);
/* Leave the lock after what has been done under it ended with r. */
void ck_oss_end(struct ck_oss_turn *t, int r);

/* ---- write.c ---- */
/* CONFLICT. */
int ck_oss_changed(const struct ck_oss *s, const char *key, struct ck_err *err);
/* A creation. Where the bucket keeps versions the service overwrites in spite of forbid-overwrite:
 * there what exists already is found by looking first, unless the caller has `looked`, and writers
 * of the same moment by looking again. */
int ck_oss_create(struct ck_vfs *v, const struct ck_object_put *p, bool looked, struct ck_resp *ret,
                  struct ck_err *err);
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
