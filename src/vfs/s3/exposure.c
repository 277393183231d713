/* Who can read what is in a bucket: public policy, public access block, grants of ACLs, encryption.
 *
 * Only questions that need no write permission are asked, and a refused question makes the answer
 * "unknown", never "fine". Policies of the account (IAM) are not visible from here. */
#include "vfs/s3/s3.h"

#include "doc/xml.h"

#include <strings.h>

enum { REPLY_MAX = 1 << 20 };

typedef void (*answer_fn)(struct ck_s3_answers *x, const struct ck_val *reply);

static bool is_true(const struct ck_val *v, const char *path)
{
    return strcasecmp(ck_str_at(v, path), "true") == 0;
}

static void on_policy(struct ck_s3_answers *x, const struct ck_val *v)
{
    x->public_policy = is_true(v, "PolicyStatus.IsPublic");
}

static void on_block(struct ck_s3_answers *x, const struct ck_val *v)
{
    x->block_policies = is_true(v, "PublicAccessBlockConfiguration.RestrictPublicBuckets");
    x->block_acls = is_true(v, "PublicAccessBlockConfiguration.IgnorePublicAcls");
}

static void on_ownership(struct ck_s3_answers *x, const struct ck_val *v)
{
    x->ownership = ck_arena_strdup(x->a, ck_str_at(v, "OwnershipControls.Rule.ObjectOwnership"));
}

static void on_encryption(struct ck_s3_answers *x, const struct ck_val *v)
{
    const struct ck_val *rule =
        ck_at(v, "ServerSideEncryptionConfiguration.Rule.ApplyServerSideEncryptionByDefault");
    const char *name = ck_str_at(rule, "SSEAlgorithm");
    x->encryption = name[0] ? ck_arena_strdup(x->a, name) : "none";
    x->kms_key = ck_arena_strdup(x->a, ck_str_at(rule, "KMSMasterKeyID"));
}

static void on_versioning(struct ck_s3_answers *x, const struct ck_val *v)
{
    x->versioning = ck_arena_strdup(x->a, ck_str_at(v, "VersioningConfiguration.Status"));
}

/* us-east-1 is told as nothing, and eu-west-1 of old buckets as EU. */
static void on_location(struct ck_s3_answers *x, const struct ck_val *v)
{
    const char *name = ck_str_at(v, "LocationConstraint");
    if (strcmp(name, "EU") == 0)
        name = "eu-west-1";
    x->location = *name ? ck_arena_strdup(x->a, name) : "us-east-1";
}

static void on_acl(struct ck_s3_answers *x, const struct ck_val *v)
{
    const struct ck_val *list = ck_at(v, "AccessControlPolicy.AccessControlList");
    const struct ck_val *grants = ck_xml_list(x->a, list, "Grant");
    for (size_t i = 0; i < ck_len(grants); i++) {
        const char *uri = ck_str_at(ck_item(grants, i), "Grantee.URI");
        const char *what = ck_str_at(ck_item(grants, i), "Permission");
        bool everyone = ck_str_ends(uri, "/AllUsers") || ck_str_ends(uri, "/AuthenticatedUsers");
        bool reads = strcmp(what, "READ") == 0 || strcmp(what, "FULL_CONTROL") == 0;
        x->public_acl = x->public_acl || (everyone && reads);
    }
}

/* `missing` codes mean "nothing is set", which is an answer. */
static const struct question {
    const char *query, *missing;
    answer_fn fn;
} QUESTIONS[CK_S3_QUESTION_COUNT] = {
    [CK_S3_ASK_POLICY] = {"policyStatus", "NoSuchBucketPolicy", on_policy},
    [CK_S3_ASK_BLOCK] = {"publicAccessBlock", "NoSuchPublicAccessBlockConfiguration", on_block},
    [CK_S3_ASK_OWNERSHIP] = {"ownershipControls", "OwnershipControlsNotFoundError", on_ownership},
    [CK_S3_ASK_ENCRYPTION] = {"encryption", "ServerSideEncryptionConfigurationNotFoundError",
                              on_encryption},
    [CK_S3_ASK_VERSIONING] = {"versioning", "", on_versioning},
    [CK_S3_ASK_LOCATION] = {"location", "", on_location},
    [CK_S3_ASK_ACL] = {"acl", "", on_acl},
};

const char *ck_s3_question_name(enum ck_s3_question q)
{
    return QUESTIONS[q].query;
}

void ck_s3_answers_init(struct ck_s3_answers *x, struct ck_arena *a)
{
    *x = (struct ck_s3_answers){
        .a = a, .ownership = "", .encryption = "", .kms_key = "", .versioning = "", .location = ""};
}

int ck_s3_ask(struct ck_s3 *s, const char *key, enum ck_s3_question q, struct ck_s3_answers *x,
              struct ck_err *err)
{
    struct ck_req req;
    struct ck_resp resp = {0};
    struct ck_val *root = NULL;
    struct ck_s3_error e = {0};
    ck_s3_request(x->a, s, "GET", q == CK_S3_ASK_ACL ? key : NULL, &req);
    ck_nvs_add(x->a, &req.query, QUESTIONS[q].query, "");
    req.attempts = 1; /* many servers answer 501 */
    int r = ck_s3_send(s, &req, &resp, err);
    if (!r && resp.status == 200 &&
        ck_xml_parse(x->a, ck_buf_slice(&resp.body), REPLY_MAX, &root, NULL) == 0) {
        QUESTIONS[q].fn(x, root);
        x->said[q] = CK_S3_SAID;
    } else if (!r) {
        ck_s3_error_of(&resp, &e);
        bool unset = resp.status == 404 && e.code && strcmp(e.code, QUESTIONS[q].missing) == 0;
        x->said[q] = unset ? CK_S3_SAID : resp.status == 403 ? CK_S3_REFUSED : CK_S3_NOT_OFFERED;
        if (unset && q == CK_S3_ASK_ENCRYPTION)
            x->encryption = "none";
    }
    ck_resp_done(&resp);
    return r;
}

static bool acls_off(const struct ck_s3_answers *x)
{
    return strcmp(x->ownership, "BucketOwnerEnforced") == 0;
}

/* The first question that was asked and not answered. */
static const char *refused(const struct ck_s3_answers *x)
{
    for (int q = 0; q < CK_S3_QUESTION_COUNT; q++)
        if (x->said[q] == CK_S3_REFUSED || x->said[q] == CK_S3_NOT_OFFERED)
            return QUESTIONS[q].query;
    return "acl";
}

void ck_s3_conclude(const struct ck_s3_answers *x, struct ck_exposure *ret)
{
    bool by_policy = x->public_policy && !x->block_policies;
    bool by_acl = x->public_acl && !x->block_acls && !acls_off(x);
    ret->encryption = x->encryption;
    if (by_policy || by_acl) {
        ret->reach = CK_REACH_EVERYONE;
        ret->readers = by_policy ? "everyone: the bucket's policy is public"
                                 : "everyone: the object's ACL grants it";
    } else if (x->said[CK_S3_ASK_POLICY] == CK_S3_SAID &&
               (x->said[CK_S3_ASK_ACL] == CK_S3_SAID || acls_off(x) || x->block_acls)) {
        ret->reach = CK_REACH_OWNER;
        ret->readers = "the account, and whom its policies let in";
    } else {
        ret->reach = CK_REACH_UNKNOWN;
        ret->readers = ck_arena_printf(x->a, "unknown: the store does not answer ?%s", refused(x));
    }
}

int ck_s3_exposure(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_exposure *ret,
                   struct ck_err *err)
{
    static const enum ck_s3_question about_bucket[] = {CK_S3_ASK_POLICY, CK_S3_ASK_BLOCK,
                                                       CK_S3_ASK_OWNERSHIP, CK_S3_ASK_ENCRYPTION};
    struct ck_s3 *s = (struct ck_s3 *)v;
    struct ck_s3_answers x;
    ck_s3_answers_init(&x, a);
    int r = ck_s3_prepare(s, err);
    for (size_t i = 0; i < CK_ARRAY_LEN(about_bucket) && !r; i++)
        r = ck_s3_ask(s, NULL, about_bucket[i], &x, err);
    ret->of_container = acls_off(&x) || x.block_acls;
    if (!r && !ret->of_container)
        r = ck_s3_ask(s, key, CK_S3_ASK_ACL, &x, err);
    if (!r)
        ck_s3_conclude(&x, ret);
    return r;
}
