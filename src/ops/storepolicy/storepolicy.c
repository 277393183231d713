/* Least policies, from the tables of actions. */
#include "ops/storepolicy/internal.h"

#include "model/aws/policy.h"
#include "ops/journal/journal.h"
#include "ops/keys/nodepull.h"
#include "ops/migrate/migrate.h"
#include "ops/storepolicy/roles.h"
#include "store/settings.h"
#include "vfs/examine/examine.h"
#include "vfs/s3/actions.h"

#include <stdlib.h>
#include <string.h>

enum { ACCOUNT_DIGITS = 12 };

static const struct reader {
    const char *name;
    unsigned users; /* of enum ck_s3_user */
} READERS[_CK_POLICY_READERS] = {
    [CK_POLICY_OPERATOR] = {"operator", CK_S3_FOR_OPERATOR},
    [CK_POLICY_READER] = {"reader", CK_S3_FOR_READER},
    [CK_POLICY_NODE] = {"node", CK_S3_FOR_NODE},
    [CK_POLICY_DOCTOR] = {"doctor", CK_S3_FOR_DOCTOR},
    [CK_POLICY_LOCATE] = {"locate", CK_S3_FOR_LOCATE},
};

const char *ck_policy_reader_name(size_t i)
{
    return i < _CK_POLICY_READERS ? READERS[i].name : NULL;
}

/* ---- checks ---- */

int ck_policy_check_account(const struct ck_policy_opts *o, struct ck_err *err)
{
    if (!*o->account && (*o->user || o->full || o->owner_acl || o->insecure))
        return ck_fail(err, CK_INVALID,
                       "--user, --full, --require-owner-acl and --allow-http belong to "
                       "--cross-account");
    if (*o->account && (strspn(o->account, "0123456789") != ACCOUNT_DIGITS ||
                        strlen(o->account) != ACCOUNT_DIGITS))
        return ck_fail(err, CK_INVALID, "an AWS account is %d digits, not \"%s\"", ACCOUNT_DIGITS,
                       o->account);
    if (strspn(o->user, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+=,.@_/-") !=
        strlen(o->user))
        return ck_fail(err, CK_INVALID, "\"%s\" is no name of an IAM user", o->user);
    return 0;
}

static int check_key(const struct ck_policy_opts *o, struct ck_err *err)
{
    bool node = o->who == CK_POLICY_NODE && !o->kops;
    if (!*o->kms_key)
        return 0;
    if (!ck_str_starts(o->kms_key, "arn:") || !strstr(o->kms_key, ":kms:") ||
        !strstr(o->kms_key, ":key/"))
        return ck_fail(err, CK_INVALID, "--kms-key is the key's ARN, arn:aws:kms:REGION:…:key/ID");
    if (*o->account)
        return ck_fail(
            err, CK_INVALID,
            "the policy of a bucket cannot grant a key: name account %s in the key's own "
            "policy, and print what it gives its users by --kms-key without "
            "--cross-account",
            o->account);
    if (o->who != CK_POLICY_OPERATOR && o->who != CK_POLICY_READER && !node)
        return ck_fail(err, CK_INVALID,
                       "--kms-key belongs to operators, readers and nodes (without --kops)");
    return ck_policy_literal("--kms-key", o->kms_key, err);
}

/* Options that say opposite things: the wider one must not win. */
static int check_width(const struct ck_policy_opts *o, struct ck_err *err)
{
    if (o->full && (*o->cluster || o->who != CK_POLICY_OPERATOR))
        return ck_fail(err, CK_INVALID,
                       "--full is everything on the whole store: leave out --cluster and --for");
    if (o->who == CK_POLICY_READER && (o->acl || o->history))
        return ck_fail(err, CK_INVALID,
                       "a reader writes and deletes nothing: leave out --acl and --history");
    return 0;
}

static int check(const struct ck_store *s, const struct ck_policy_opts *o, struct ck_err *err)
{
    int r = ck_policy_check_account(o, err);
    if (!r)
        r = check_width(o, err);
    if (!r)
        r = ck_policy_literal("the store's location", s->root.key, err);
    if (!r)
        r = ck_policy_literal("the cluster", o->cluster, err);
    if (!r && (*o->role != '\0') != (o->who == CK_POLICY_NODE))
        r = ck_fail(err, CK_INVALID, "--role belongs to --for node, which needs it");
    if (!r && *o->role && !ck_node_role_known(o->role))
        r = ck_fail(err, CK_INVALID, "there is no role \"%s\"; the roles are %s", o->role,
                    ck_node_roles());
    if (!r && o->who == CK_POLICY_NODE && !*o->cluster)
        r = ck_fail(err, CK_INVALID, "--for node needs --cluster: a node belongs to one");
    return r ? r : check_key(o, err);
}

/* ---- people ---- */

/* Actions of the users, on objects or on the bucket, sorted. */
static struct ck_val *actions(struct ck_arena *a, unsigned users, bool object)
{
    const char *names[CK_S3_ACTION_COUNT];
    struct ck_val *list = ck_list(a);
    size_t n = 0;
    for (size_t i = 0; i < CK_S3_ACTION_COUNT; i++)
        if (ck_s3_actions[i].object == object && (ck_s3_actions[i].users & users))
            names[n++] = ck_s3_actions[i].name;
    if (n)
        qsort(names, n, sizeof *names, ck_text_cmp);
    for (size_t i = 0; i < n; i++)
        ck_append_str(a, list, names[i]);
    return list;
}

static struct ck_val *one(struct ck_arena *a, const char *text)
{
    struct ck_val *list = ck_list(a);
    ck_append_str(a, list, text);
    return list;
}

/* The ARN of the store's folder, or the cluster's in it, with a slash. */
static const char *folder(struct ck_statements *x, const struct ck_store *s, const char *cluster)
{
    const char *key = s->root.key;
    size_t n = strlen(key);
    return ck_statement_arn(x, "%s/%s%s%s%s", s->root.vfs->container, key,
                            n && key[n - 1] != '/' ? "/" : "", cluster, *cluster ? "/" : "");
}

static void keys_statement(struct ck_statements *x)
{
    struct ck_val *list = ck_list(x->a);
    if (!*x->o->kms_key)
        return;
    if (x->o->who == CK_POLICY_OPERATOR)
        ck_append_str(x->a, list, "kms:GenerateDataKey");
    ck_append_str(x->a, list, "kms:Decrypt");
    ck_statement_allow(
        x, "Encryption", list, one(x->a, x->o->kms_key),
        ck_statement_when(x->a, "StringLike", "kms:ViaService", "s3.*.amazonaws.com"));
}

/* Entries of journals hold the keys and secrets that were changed: of this store, and of those that
 * lie in its folders. */
static struct ck_val *journals(struct ck_statements *x, const struct ck_store *s)
{
    return ck_strf(x->a, "%s*" CK_JOURNAL_DIR "/*", folder(x, s, ""));
}

/* What lies beside the clusters and is of one of them. Journals of others hold their keys, and the
 * settings are everybody's. */
static void beside(struct ck_statements *x, const struct ck_store *s, struct ck_val *files)
{
    const char *store = folder(x, s, ""), *name = x->o->cluster;
    ck_append(x->a, files, ck_strf(x->a, "%s" CK_EXAM_FOLDER "/doctor-*", store));
    ck_append(x->a, files, ck_strf(x->a, "%s" CK_JOURNAL_DIR "/%s/*", store, name));
    ck_append(x->a, files, ck_strf(x->a, "%s" CK_LAYOUT_LOCKS "/%s.lock", store, name));
    ck_append(x->a, files, ck_strf(x->a, "%s%s", store, ck_migrate_record_name(x->a, name)));
}

static void people(struct ck_statements *x, const struct ck_store *s)
{
    const struct ck_policy_opts *o = x->o;
    unsigned users = READERS[o->who].users | (o->kops ? CK_S3_FOR_KOPS : 0) |
                     (o->acl ? CK_S3_FOR_ACL : 0) | (o->history ? CK_S3_FOR_HISTORY : 0);
    const char *all = folder(x, s, o->cluster), *bucket = s->root.vfs->container;
    struct ck_val *files = one(x->a, ck_strf(x->a, "%s*", all)->s.ptr);
    bool limited = *o->cluster && o->who == CK_POLICY_OPERATOR;
    if (limited)
        beside(x, s, files);
    ck_statement_allow(x, "Files", actions(x->a, users, true), files, NULL);
    if (limited)
        ck_statement_allow(x, "Settings", one(x->a, CK_S3_ACTION(GET_OBJECT)),
                           one(x->a, ck_arena_printf(x->a, "%s" CK_STORE_OWN_DIR "/settings.yaml",
                                                     folder(x, s, ""))),
                           NULL);
    ck_statement_allow(x, "Bucket", actions(x->a, users, false),
                       one(x->a, ck_statement_arn(x, "%s", bucket)), NULL);
    if (o->who == CK_POLICY_OPERATOR || o->who == CK_POLICY_READER)
        keys_statement(x);
    if (o->who == CK_POLICY_READER) {
        const char *star = *o->cluster ? "" : "*/";
        struct ck_val *kept = ck_list(x->a);
        ck_append(x->a, kept, ck_strf(x->a, "%s%spki/private/*", all, star));
        ck_append(x->a, kept, ck_strf(x->a, "%s%ssecrets/*", all, star));
        if (!*o->cluster)
            ck_append(x->a, kept, journals(x, s));
        ck_statement_deny(x, "NoKeysNoSecrets", NULL, CK_S3_ACTION(GET_OBJECT), kept, NULL);
    }
}

static void everything(struct ck_statements *x, const struct ck_store *s)
{
    struct ck_val *all = ck_list(x->a);
    ck_append_str(x->a, all, ck_statement_arn(x, "%s", s->root.vfs->container));
    ck_append(x->a, all, ck_strf(x->a, "%s*", folder(x, s, "")));
    ck_statement_allow(x, "Everything", one(x->a, "s3:*"), all, NULL);
}

/* ---- nodes ---- */

static int s3_arn(struct ck_statements *x, const struct ck_path *p, const char **ret,
                  struct ck_err *err)
{
    bool wrong_kind = x->o->who == CK_POLICY_NODE && strcmp(p->vfs->ops->scheme, "s3") != 0;
    int r = ck_policy_literal("the location", p->key, err);
    if (!r && wrong_kind)
        r = ck_fail(err, CK_UNSUPPORTED, "%s is not on S3", ck_path_text(x->a, p));
    *ret = ck_statement_arn(x, "%s/%s", p->vfs->container, p->key);
    return r;
}

/* The folders a role reads. A node configuration of another role is not among them. */
static int node_files(struct ck_statements *x, const struct ck_store *s,
                      const struct ck_object *cluster, const struct ck_node_reads *reads,
                      struct ck_val *files, struct ck_err *err)
{
    struct ck_path base, p;
    const char *arn = NULL;
    int r = ck_layout_config_base(x->a, s, cluster, &base, err);
    if (!r)
        r = s3_arn(x, &base, &arn, err);
    if (r)
        return r;
    ck_append(x->a, files, ck_strf(x->a, "%s/igconfig/%s/*", arn, reads->folder));
    if (reads->static_manifests)
        ck_append(x->a, files, ck_strf(x->a, "%s/manifests/static/*", arn));
    if (reads->etcd_manifests)
        ck_append(x->a, files, ck_strf(x->a, "%s/manifests/etcd/*", arn));
    for (size_t i = 0; !r && i < ck_len(reads->keysets); i++) {
        r = ck_layout_keyset(x->a, s, cluster, ck_str_or(ck_item(reads->keysets, i), ""), &p, err);
        if (!r)
            r = s3_arn(x, &p, &arn, err);
        if (!r)
            ck_append(x->a, files, ck_strf(x->a, "%.*s*", (int)(strrchr(arn, '/') + 1 - arn), arn));
    }
    for (size_t i = 0; !r && i < ck_len(reads->secrets); i++) {
        r = ck_layout_secret(x->a, s, cluster, ck_str_or(ck_item(reads->secrets, i), ""), &p, err);
        if (!r)
            r = s3_arn(x, &p, &arn, err);
        if (!r)
            ck_append_str(x->a, files, arn);
    }
    return r;
}

/* What stays shut whatever else the machine's role is allowed. */
static int node_denials(struct ck_statements *x, const struct ck_store *s,
                        const struct ck_object *cluster, struct ck_err *err)
{
    struct ck_path base, keys, secrets;
    const char *arn[3] = {"", "", ""};
    struct ck_val *kept = ck_list(x->a);
    int r = ck_layout_config_base(x->a, s, cluster, &base, err);
    if (!r)
        r = ck_layout_key_store(x->a, s, cluster, &keys, err);
    if (!r)
        r = ck_layout_secret_store(x->a, s, cluster, &secrets, err);
    if (!r)
        r = s3_arn(x, &base, &arn[0], err);
    if (!r)
        r = s3_arn(x, &keys, &arn[1], err);
    if (!r)
        r = s3_arn(x, &secrets, &arn[2], err);
    if (r)
        return r;
    ck_append(x->a, kept, ck_strf(x->a, "%s/igconfig/control-plane/*", arn[0]));
    ck_append(x->a, kept, ck_strf(x->a, "%s/private/*", arn[1]));
    ck_append(x->a, kept, ck_strf(x->a, "%s/*", arn[2]));
    ck_append(x->a, kept, journals(x, s));
    ck_statement_deny(x, "NoKeysNoSecrets", NULL, CK_S3_ACTION(GET_OBJECT), kept, NULL);
    return 0;
}

/* The statements `update cluster` puts into the role's own policy. */
static int kops_node(struct ck_statements *x, const struct ck_store *s,
                     const struct ck_object *cluster, const struct ck_node_reads *reads,
                     struct ck_err *err)
{
    const struct ck_model m = {.a = x->a,
                               .store = s,
                               .name = x->o->cluster,
                               .spec = ck_object_spec(cluster),
                               .partition = x->o->partition};
    bool control = strcmp(reads->folder, "control-plane") == 0;
    if (ck_len(reads->keysets) == 0)
        return ck_fail(err, CK_UNSUPPORTED,
                       "kops gives nodes of role %s nothing of the store: kops-controller hands "
                       "them their configuration",
                       reads->folder);
    const struct ck_val *list = ck_policy_of_stores(&m, control);
    for (size_t i = 0; i < ck_len(list); i++)
        ck_append(x->a, x->list, ck_val_clone(x->a, ck_item(list, i)));
    return 0;
}

static int node(struct ck_statements *x, const struct ck_store *s, struct ck_err *err)
{
    struct ck_stored cluster;
    struct ck_node_reads reads;
    struct ck_val *files = ck_list(x->a);
    if (*x->o->account)
        return ck_fail(err, CK_INVALID,
                       "a node is of the account that runs it: leave "
                       "--cross-account out, and give the account its grant by "
                       "--for operator");
    int r = ck_cluster_get_for_command(x->a, s, x->o->cluster, &cluster, err);
    if (!r)
        r = ck_node_reads(x->a, x->o->role, ck_object_spec(&cluster.obj), &reads, err);
    if (!r && x->o->kops)
        return kops_node(x, s, &cluster.obj, &reads, err);
    if (!r)
        r = node_files(x, s, &cluster.obj, &reads, files, err);
    if (r)
        return r;
    bool keys = ck_len(reads.keysets) > 0;
    unsigned users = keys ? CK_S3_FOR_NODE : CK_S3_FOR_WORKER;
    ck_statement_allow(x, "Files", actions(x->a, users, true), files, NULL);
    ck_statement_allow(x, "Bucket", actions(x->a, users, false),
                       one(x->a, ck_statement_arn(x, "%s", s->root.vfs->container)), NULL);
    keys_statement(x);
    return keys ? 0 : node_denials(x, s, &cluster.obj, err);
}

int ck_store_policy(struct ck_arena *a, const struct ck_store *s, const struct ck_policy_opts *o,
                    const struct ck_val **ret, struct ck_err *err)
{
    struct ck_statements x = ck_statements_new(a, o);
    int r = check(s, o, err);
    if (r < 0)
        return r;
    if (!ck_policy_is_s3(s))
        return ck_policy_of_cloud(a, s, o, ret, err);
    if (o->full)
        everything(&x, s);
    else if (o->who == CK_POLICY_NODE)
        r = node(&x, s, err);
    else
        people(&x, s);
    if (r == 0)
        *ret = ck_statements_done(&x, s->root.vfs->container);
    return r;
}
