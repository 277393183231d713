/* The least policy with which people and machines can use a store: identity policies, bucket
 * policies for another account, and the roles of other clouds. Names of actions come from
 * vfs/examine/. Source: the mission's cross-account section, update-cluster-aws.md §10. */
#pragma once

#include "base/env.h"
#include "base/strv.h"
#include "doc/val.h"
#include "store/store.h"

enum ck_policy_reader {
    CK_POLICY_OPERATOR, /* every command */
    CK_POLICY_READER,   /* `get`, `fsck`, reviews: no keys and no secrets */
    CK_POLICY_NODE,     /* `node pull` of one role of one cluster */
    CK_POLICY_DOCTOR,   /* what `store doctor` asks beyond the others */
    CK_POLICY_LOCATE,   /* finding the bucket's region, and nothing else */
    _CK_POLICY_READERS
};

struct ck_policy_opts {
    enum ck_policy_reader who;
    const char *cluster; /* "": all clusters of the store */
    const char *role;    /* CK_POLICY_NODE: as in `node pull` */
    bool kops;           /* also what kops itself, and nodes that kops made, ask */
    bool acl;            /* writing with an ACL */
    bool history;        /* seeing and deleting former versions */
    const char *kms_key; /* ARN of the key the bucket is encrypted with; "" none of one's own */
    const char *partition;
    /* A bucket policy instead of an identity's: whom it lets in. "" for none. */
    const char *account, *user; /* 12 digits; a user of it, "" all that the account lets */
    bool full;                  /* everything, in place of the least */
    bool owner_acl;             /* refuse writes that do not give the bucket's owner full control */
    bool insecure;              /* leave out the statement that refuses plain HTTP */
};

/* What the names of the readers are on the command line: "operator", …; NULL past the last. */
const char *ck_policy_reader_name(size_t i);

/* INVALID: the account, its user, or what belongs to them cannot be. */
int ck_policy_check_account(const struct ck_policy_opts *o, struct ck_err *err);

/* The document in `a`. `s` is read only for CK_POLICY_NODE: where the cluster keeps keys and
 * secrets. Errors: INVALID (options that do not fit, names with wildcards), UNSUPPORTED (the kind
 * of store has no policies that ckops knows), NOT_FOUND (no such cluster). */
int ck_store_policy(struct ck_arena *a, const struct ck_store *s, const struct ck_policy_opts *o,
                    const struct ck_val **ret, struct ck_err *err);

/* ---- record.c ---- */

/* One permission that a run needed. */
struct ck_recorded {
    const char *action, *bucket;
    const char *key; /* "" the bucket itself */
};
struct ck_recording {
    struct ck_recorded *v; /* sorted, each once */
    size_t n, cap;
    int status; /* how the command ended */
};

/* Run this program again with `words` and note what it asks of S3 stores. Its standard output goes
 * to standard error. Errors: IO. */
int ck_policy_record(struct ck_arena *a, const struct ck_env *env, const struct ck_strv *words,
                     struct ck_recording *ret, struct ck_err *err);
/* The policy of a recording: keys of a cluster stand for the cluster's folder. INVALID when nothing
 * was asked. */
int ck_policy_of_recording(struct ck_arena *a, const struct ck_store *s,
                           const struct ck_policy_opts *o, const struct ck_recording *rec,
                           const struct ck_val **ret, struct ck_err *err);
