/* The S3 family: s3:// on AWS or a custom endpoint, do:// scw:// linode:// hos://.
 *
 * Shared between the files of the driver: s3.c (locations, reads), write.c (conditional writes,
 * single deletions), client.c (endpoint, region, signing, errors), list.c (listings), stream.c and
 * parts.c (large objects), delete.c (trees and versions), exposure.c (who can read). Mirrors kOps'
 * util/pkg/vfs/s3fs.go and s3context.go; where it differs docs/differences.md says why. */
#pragma once

#include "auth/cred.h"
#include "auth/sigv4.h"
#include "net/http.h"
#include "vfs/object/listing.h"
#include "vfs/object/outcome.h"
#include "vfs/object/refusal.h"
#include "vfs/s3/actions.h"
#include "vfs/scheme.h"
#include "vfs/vfs.h"

#define CK_S3_MARKS "x-amz-meta-ckops-write" /* marks of its writers (vfs/object/marks.h) */

enum ck_s3_conditional { CK_S3_COND_UNKNOWN, CK_S3_COND_YES, CK_S3_COND_NO };

/* A read that is going to be followed by a tree (vfs.h, tree_follows). */
struct ck_s3_ahead {
    const char *file; /* NULL: none, or it has been read */
    const char *dir;
    struct ck_resp page; /* the first of the tree; status 0: none */
};

struct ck_s3 {
    struct ck_vfs base;     /* container: the bucket */
    const char *env_scheme; /* "s3", "do", … */
    bool custom;            /* S3_ENDPOINT mode: static keys, path style, fixed region */
    bool ready;
    bool virtual_host;
    bool endpoint_given; /* AWS mode with AWS_ENDPOINT_URL[_S3] */
    bool dualstack, fips;
    const char *url_scheme; /* "https" */
    const char *host;       /* without the bucket */
    int port;
    const char *base_path; /* of the endpoint, "" or "/x" */
    const char *region;
    const char *ca_file;
    const char *acl, *sse;
    struct ck_cred_provider *creds;
    int64_t skew_s;
    struct ck_sigv4_memo memo;
    enum ck_s3_conditional conditional;
    unsigned generation; /* of the region: counts redirects, so that a loop ends */
    bool located;        /* the bucket said that it is in `region` */
    bool asked_arn;
    const char *arn; /* of the requester; NULL: not known */
    struct ck_s3_ahead ahead;
    int record; /* descriptor + 1 of a recording (vfs/s3/actions.h); 0: none */
};

/* What one S3 reply said when it was not a success. Strings in the response's arena. */
struct ck_s3_error {
    int status;
    const char *code, *message, *region, *request_id;
};

/* ---- client.c ---- */
/* Resolve endpoint, region and credentials once. */
int ck_s3_prepare(struct ck_s3 *s, struct ck_err *err);
/* A request on the bucket (key NULL) or an object. */
void ck_s3_request(struct ck_arena *a, struct ck_s3 *s, const char *method, const char *key,
                   struct ck_req *ret);
/* Send; any reply is success here, redirects to another region have been followed. */
int ck_s3_send(struct ck_s3 *s, struct ck_req *r, struct ck_resp *ret, struct ck_err *err);
/* Whether this reply moved the bucket to another region; then the request is to be made anew. */
bool ck_s3_follow_region(struct ck_s3 *s, const struct ck_resp *resp);
void ck_s3_error_of(const struct ck_resp *resp, struct ck_s3_error *ret);
/* Turn a reply that is not a success into an error that names action, resource, identity, region,
 * status and request id. `verb` is kOps' ("fetching", "writing", …), action like "s3:GetObject". */
int ck_s3_fail(struct ck_s3 *s, const struct ck_resp *resp, const char *verb, const char *action,
               const char *key, struct ck_err *err);
/* What the user can do about a listing that was refused with this code; nothing when that is not
 * known. */
void ck_s3_put_advice(struct ck_buf *out, struct ck_s3 *s, int status, const char *code);
/* A transport failure, worded the same way. */
int ck_s3_wrap(struct ck_s3 *s, const char *verb, const char *action, const char *key,
               struct ck_err *err);
/* Who asks: the ARN where AWS tells, else the access key, and where it comes from. In the arena;
 * errors are those of the credential chain. */
int ck_s3_identity(struct ck_s3 *s, struct ck_arena *a, const char **ret, struct ck_err *err);
/* HTTP client of the context, made on first use. */
struct ck_http *ck_s3_http(struct ck_s3 *s);

/* ---- s3.c ---- */
/* The version of an object: its ETag and its marks (or NULL). ret may be NULL. */
void ck_s3_version(const struct ck_resp *resp, const char *marks, struct ck_version *ret);
/* The same with the marks that the reply tells. */
void ck_s3_version_of(const struct ck_resp *resp, struct ck_version *ret);
/* The MD5 in an ETag; false where the tag is none: objects in parts or encrypted with other keys.
 */
bool ck_s3_md5_of(const struct ck_resp *resp, unsigned char ret[16]);
/* The error of content that is not what its ETag says. */
int ck_s3_damaged(struct ck_s3 *s, const char *key, struct ck_err *err);

/* ---- stream.c ---- */
int ck_s3_read_stream(struct ck_vfs *v, const char *key, ck_sink_fn fn, void *arg,
                      struct ck_version *ret, struct ck_err *err);

/* ---- parts.c ---- */
int ck_s3_writer(struct ck_vfs *v, const char *key, uint64_t size, const struct ck_write_opts *opts,
                 struct ck_vfs_writer **ret, struct ck_err *err);

/* ---- write.c ---- */
int ck_s3_write(struct ck_vfs *v, const char *key, struct ck_slice data,
                const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err);
int ck_s3_remove(struct ck_vfs *v, const char *key, const struct ck_version *version,
                 struct ck_err *err);

/* ---- list.c ---- */
extern const struct ck_pages_ops ck_s3_pages;
void ck_s3_tree_follows(struct ck_vfs *v, const char *file, const char *dir);
/* If a tree is known to follow the reading of `key`: ask for both at once, keep the listing for
 * the tree, and give the reply to the read. False when there is no reply of status 200: then the
 * read has to be sent again, alone. */
bool ck_s3_read_ahead(struct ck_s3 *s, const char *key, struct ck_resp *ret);

/* ---- exposure.c ---- */
enum ck_s3_question {
    CK_S3_ASK_POLICY,
    CK_S3_ASK_BLOCK,
    CK_S3_ASK_OWNERSHIP,
    CK_S3_ASK_ENCRYPTION,
    CK_S3_ASK_VERSIONING,
    CK_S3_ASK_LOCATION,
    CK_S3_ASK_ACL, /* of an object */
    CK_S3_QUESTION_COUNT
};
enum ck_s3_said { CK_S3_NOT_ASKED, CK_S3_SAID, CK_S3_REFUSED, CK_S3_NOT_OFFERED };
struct ck_s3_answers {
    struct ck_arena *a;
    enum ck_s3_said said[CK_S3_QUESTION_COUNT];
    bool public_policy, block_policies, block_acls, public_acl;
    const char *ownership;  /* "BucketOwnerEnforced", …; "" unknown or never set */
    const char *encryption; /* "AES256", "aws:kms", "none"; "" unknown */
    const char *kms_key;    /* "" unknown or none */
    const char *versioning; /* "Enabled", "Suspended", "" */
    const char *location;   /* "" unknown */
};
void ck_s3_answers_init(struct ck_s3_answers *x, struct ck_arena *a);
/* One question about the bucket, or for CK_S3_ASK_ACL about `key`. That it is refused is no error:
 * only failures of transport are. */
int ck_s3_ask(struct ck_s3 *s, const char *key, enum ck_s3_question q, struct ck_s3_answers *x,
              struct ck_err *err);
const char *ck_s3_question_name(enum ck_s3_question q); /* the sub-resource: "encryption" */
void ck_s3_conclude(const struct ck_s3_answers *x, struct ck_exposure *ret);
int ck_s3_locate(struct ck_vfs *v, const char *key, bool dualstack, struct ck_arena *a,
                 struct ck_vfs_place *ret, struct ck_err *err); /* locate.c */
int ck_s3_exposure(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_exposure *ret,
                   struct ck_err *err);

/* ---- delete.c ---- */
int ck_s3_remove_tree(struct ck_vfs *v, const char *key, struct ck_err *err);
int ck_s3_remove_versions(struct ck_vfs *v, const char *key, struct ck_err *err);

/* ---- examine.c ---- */
int ck_s3_examine(struct ck_vfs *v, const char *key, struct ck_exam *x, struct ck_err *err);
