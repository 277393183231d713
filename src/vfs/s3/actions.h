/* Which permission an S3 request needs: the one table behind the names in messages about denials,
 * in `store doctor`, in the policies of `store policy` and in its recordings.
 *
 * Source: the service's documentation of actions, resources and condition keys; checked against
 * two servers that enforce policies (tests/e2e/test_store_policy.py). */
#pragma once

#include "net/http.h"

/* name, method, sub-resource of the query ("": none), of an object, who uses it, what for. HEAD is
 * as GET. The first row that fits a request is its action. */
#define CK_S3_ACTIONS(X)                                                                           \
    X(LIST_BUCKET_VERSIONS, "s3:ListBucketVersions", "GET", "versions", false, CK_S3_FOR_HISTORY,  \
      "see former versions of files")                                                              \
    X(GET_BUCKET_LOCATION, "s3:GetBucketLocation", "GET", "location", false,                       \
      CK_S3_FOR_KOPS | CK_S3_FOR_LOCATE | CK_S3_FOR_DOCTOR, "find the bucket's region")            \
    X(GET_ENCRYPTION, "s3:GetEncryptionConfiguration", "GET", "encryption", false,                 \
      CK_S3_FOR_KOPS | CK_S3_FOR_DOCTOR, "see the bucket's encryption")                            \
    X(GET_VERSIONING, "s3:GetBucketVersioning", "GET", "versioning", false, CK_S3_FOR_DOCTOR,      \
      "see whether deleted files can be brought back")                                             \
    X(GET_POLICY_STATUS, "s3:GetBucketPolicyStatus", "GET", "policyStatus", false,                 \
      CK_S3_FOR_DOCTOR, "see whether the bucket's policy is public")                               \
    X(GET_PUBLIC_BLOCK, "s3:GetBucketPublicAccessBlock", "GET", "publicAccessBlock", false,        \
      CK_S3_FOR_DOCTOR, "see whether public access is blocked")                                    \
    X(GET_OWNERSHIP, "s3:GetBucketOwnershipControls", "GET", "ownershipControls", false,           \
      CK_S3_FOR_DOCTOR, "see who owns what is written, and whether ACLs are on")                   \
    X(LIST_BUCKET, "s3:ListBucket", "GET", "", false,                                              \
      CK_S3_FOR_OPERATOR | CK_S3_FOR_READER | CK_S3_FOR_NODE | CK_S3_FOR_DOCTOR,                   \
      "list files, and tell missing files from forbidden ones")                                    \
    X(DELETE_OBJECTS, "s3:DeleteObject", "POST", "delete", false, 0, "delete files")               \
    X(GET_OBJECT_ACL, "s3:GetObjectAcl", "GET", "acl", true, 0, "see who can read a file")         \
    X(GET_OBJECT, "s3:GetObject", "GET", "", true,                                                 \
      CK_S3_FOR_OPERATOR | CK_S3_FOR_READER | CK_S3_FOR_NODE | CK_S3_FOR_WORKER, "read files")     \
    X(PUT_OBJECT_ACL, "s3:PutObjectAcl", "PUT", "acl", true, CK_S3_FOR_ACL,                        \
      "write files with an ACL")                                                                   \
    X(PUT_OBJECT, "s3:PutObject", "PUT", "", true, CK_S3_FOR_OPERATOR, "write files")              \
    X(DELETE_VERSION, "s3:DeleteObjectVersion", "DELETE", "versionId", true, CK_S3_FOR_HISTORY,    \
      "delete former versions of files")                                                           \
    X(DELETE_OBJECT, "s3:DeleteObject", "DELETE", "", true, CK_S3_FOR_OPERATOR, "delete files")

enum ck_s3_user {
    CK_S3_FOR_OPERATOR = 1 << 0, /* commands that read and change a store */
    CK_S3_FOR_READER = 1 << 1,   /* commands that only read */
    CK_S3_FOR_NODE = 1 << 2,     /* `node pull` of roles that have keys */
    CK_S3_FOR_WORKER = 1 << 3,   /* `node pull` of roles that have none */
    CK_S3_FOR_DOCTOR = 1 << 4,   /* questions that only `store doctor` asks */
    CK_S3_FOR_KOPS = 1 << 5,     /* what kops asks in addition */
    CK_S3_FOR_LOCATE = 1 << 6,   /* finding the bucket's region, and nothing else */
    CK_S3_FOR_HISTORY = 1 << 7,  /* former versions: no command deletes them, but `store doctor` */
    CK_S3_FOR_ACL = 1 << 8,      /* writing with KOPS_STATE_S3_ACL, and public files */
};

enum ck_s3_action_id {
#define X(id, name, method, query, object, users, purpose) CK_S3_##id,
    CK_S3_ACTIONS(X)
#undef X
        CK_S3_ACTION_COUNT
};

struct ck_s3_action {
    const char *name, *method, *query;
    bool object;    /* its resource is an object; otherwise the bucket */
    unsigned users; /* of enum ck_s3_user */
    const char *purpose;
};
extern const struct ck_s3_action ck_s3_actions[CK_S3_ACTION_COUNT];
#define CK_S3_ACTION(id) (ck_s3_actions[CK_S3_##id].name)

/* The action of a request on a bucket or an object in it. */
const struct ck_s3_action *ck_s3_action_of(const struct ck_req *r, bool object);

/* ---- recordings ---- */

/* Number of a pipe that a program under `store policy --record` inherits. */
#define CK_S3_RECORD_VARIABLE "CKOPS_RECORD_FD"

struct ck_s3;
/* The pipe's descriptor + 1; 0 when the environment names none, or something that is no pipe. */
int ck_s3_record_open(const struct ck_env *env);
/* Write a line "ACTION\tBUCKET[/KEY]" for each action that the request needs. Keys hold no control
 * characters. Best effort: a lost reader is nobody's concern. */
void ck_s3_record(const struct ck_s3 *s, const struct ck_req *r);
