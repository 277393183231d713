/* Who can read what is in a bucket: public policy, public access block, grants of ACLs, encryption.
 *
 * Only questions that need no write permission are asked, and a refused question makes the answer
 * "unknown", never "fine". Policies of the account (IAM) are not visible from here. */
#include "vfs/s3/s3.h"

#include "doc/xml.h"

#include <strings.h>

enum { REPLY_MAX = 1 << 20 };

struct answers {
    struct ck_arena *a;
    bool public_policy, block_policies, block_acls, acls_off, public_acl;
    bool asked_policy, asked_acl; /* the question was answered */
    const char *encryption;
    const char *refused; /* the first question that was not answered */
};

typedef void (*answer_fn)(struct answers *x, const struct ck_val *reply);

static bool is_true(const struct ck_val *v, const char *path)
{
    return strcasecmp(ck_str_at(v, path), "true") == 0;
}

static void on_policy(struct answers *x, const struct ck_val *v)
{
    x->public_policy = is_true(v, "PolicyStatus.IsPublic");
}

static void on_block(struct answers *x, const struct ck_val *v)
{
    x->block_policies = is_true(v, "PublicAccessBlockConfiguration.RestrictPublicBuckets");
    x->block_acls = is_true(v, "PublicAccessBlockConfiguration.IgnorePublicAcls");
}

static void on_ownership(struct answers *x, const struct ck_val *v)
{
    x->acls_off =
        strcmp(ck_str_at(v, "OwnershipControls.Rule.ObjectOwnership"), "BucketOwnerEnforced") == 0;
}

static void on_encryption(struct answers *x, const struct ck_val *v)
{
    const char *name = ck_str_at(v, "ServerSideEncryptionConfiguration.Rule."
                                    "ApplyServerSideEncryptionByDefault.SSEAlgorithm");
    x->encryption = name[0] ? ck_arena_strdup(x->a, name) : "none";
}

static void on_acl(struct answers *x, const struct ck_val *v)
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
} POLICY = {"policyStatus", "NoSuchBucketPolicy", on_policy},
  BLOCK = {"publicAccessBlock", "NoSuchPublicAccessBlockConfiguration", on_block},
  OWNERSHIP = {"ownershipControls", "OwnershipControlsNotFoundError", on_ownership},
  ENCRYPTION = {"encryption", "ServerSideEncryptionConfigurationNotFoundError", on_encryption},
  ACL = {"acl", "", on_acl};

/* Whether it was answered. Transport failures are errors. */
static int ask(struct ck_s3 *s, const char *key, const struct question *q, struct answers *x,
               bool *ret_answered, struct ck_err *err)
{
    struct ck_req req;
    struct ck_resp resp = {0};
    struct ck_val *root = NULL;
    struct ck_s3_error said = {0};
    *ret_answered = false;
    ck_s3_request(x->a, s, "GET", key, &req);
    ck_nvs_add(x->a, &req.query, q->query, "");
    req.attempts = 1; /* many servers answer 501 */
    int r = ck_s3_send(s, &req, &resp, err);
    if (!r && resp.status == 200 &&
        ck_xml_parse(x->a, ck_buf_slice(&resp.body), REPLY_MAX, &root, NULL) == 0) {
        q->fn(x, root);
        *ret_answered = true;
    } else if (!r) {
        ck_s3_error_of(&resp, &said);
        *ret_answered = resp.status == 404 && said.code && strcmp(said.code, q->missing) == 0;
        if (*ret_answered && q->fn == on_encryption)
            x->encryption = "none";
    }
    if (!r && !*ret_answered && !x->refused)
        x->refused = q->query;
    ck_resp_done(&resp);
    return r;
}

static void conclude(const struct answers *x, struct ck_exposure *ret)
{
    bool by_policy = x->public_policy && !x->block_policies;
    bool by_acl = x->public_acl && !x->block_acls && !x->acls_off;
    ret->encryption = x->encryption;
    if (by_policy || by_acl) {
        ret->reach = CK_REACH_EVERYONE;
        ret->readers = by_policy ? "everyone: the bucket's policy is public"
                                 : "everyone: the object's ACL grants it";
    } else if (x->asked_policy && (x->asked_acl || x->acls_off || x->block_acls)) {
        ret->reach = CK_REACH_OWNER;
        ret->readers = "the account, and whom its policies let in";
    } else {
        ret->reach = CK_REACH_UNKNOWN;
        ret->readers = ck_arena_printf(x->a, "unknown: the store does not answer ?%s",
                                       x->refused ? x->refused : "acl");
    }
}

int ck_s3_exposure(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_exposure *ret,
                   struct ck_err *err)
{
    struct ck_s3 *s = (struct ck_s3 *)v;
    struct answers x = {.a = a, .encryption = ""};
    bool any;
    int r = ck_s3_prepare(s, err);
    if (!r)
        r = ask(s, NULL, &POLICY, &x, &x.asked_policy, err);
    if (!r)
        r = ask(s, NULL, &BLOCK, &x, &any, err);
    if (!r)
        r = ask(s, NULL, &OWNERSHIP, &x, &any, err);
    if (!r)
        r = ask(s, NULL, &ENCRYPTION, &x, &any, err);
    ret->of_container = x.acls_off || x.block_acls;
    if (!r && !ret->of_container)
        r = ask(s, key, &ACL, &x, &x.asked_acl, err);
    if (!r)
        conclude(&x, ret);
    return r;
}
