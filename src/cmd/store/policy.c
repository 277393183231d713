/* `store policy`: the least policy for people and machines that use a store. Everything but options
 * and printing is in ops/storepolicy. kOps has nothing like it; its documentation shows examples.
 */
#include "cmd/store/storecmd.h"

#include "auth/cred.h"
#include "base/log.h"
#include "doc/json.h"
#include "ops/keys/nodepull.h"
#include "ops/storepolicy/storepolicy.h"

#include <string.h>

struct policy_opts {
    const char *who, *cluster, *role, *account, *user, *partition, *kms_key;
    bool kops, acl, history, full, owner_acl, insecure, record;
    bool cluster_given, account_given, user_given;
};

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct policy_opts *o = opts;
    (void)ctx;
    if (!o->record && argc)
        return ck_fail(err, CK_INVALID, "unexpected \"%s\"; --cluster names the cluster", argv[0]);
    if (o->record && !argc)
        return ck_fail(err, CK_INVALID, "--record needs a command, as in --record -- get clusters");
    if (o->record &&
        (*o->cluster || *o->role || *o->kms_key || o->kops || o->acl || o->history || o->full))
        return ck_fail(err, CK_INVALID,
                       "what the command asks for decides: leave out --cluster, --role, --kms-key, "
                       "--kops, --acl, --history and --full");
    /* a script's variable without a value must not widen the policy */
    if ((o->cluster_given && !*o->cluster) || (o->account_given && !*o->account) ||
        (o->user_given && !*o->user))
        return ck_fail(err, CK_INVALID, "--%s is empty",
                       o->cluster_given && !*o->cluster   ? "cluster"
                       : o->account_given && !*o->account ? "cross-account"
                                                          : "user");
    return 0;
}

static int reader(const char *name, enum ck_policy_reader *ret, struct ck_err *err)
{
    const char *known;
    for (size_t i = 0; (known = ck_policy_reader_name(i)); i++)
        if (strcmp(known, name) == 0) {
            *ret = (enum ck_policy_reader)i;
            return 0;
        }
    return ck_fail(err, CK_INVALID, "--for is operator, reader, node, doctor or locate, not \"%s\"",
                   name);
}

static int partition(struct ck_ctx *ctx, const struct policy_opts *o, const char **ret,
                     struct ck_err *err)
{
    const struct ck_aws_config cfg = {.env = &ctx->env, .profile = ctx->vfs.profile};
    const char *region = ck_env_nonempty(&ctx->env, "S3_REGION");
    *ret = o->partition;
    if (**ret)
        return strcmp(*ret, "aws") && strcmp(*ret, "aws-cn") && strcmp(*ret, "aws-us-gov")
                   ? ck_fail(err, CK_INVALID, "--partition is aws, aws-cn or aws-us-gov")
                   : 0;
    int r = region ? 0 : ck_aws_region(ctx->arena, &cfg, &region, err);
    *ret = r ? "" : ck_aws_partition(region);
    return r;
}

/* The words of the command, without the program's own name in front. */
static int record(struct ck_ctx *ctx, struct ck_arena *a, int argc, char **argv,
                  struct ck_recording *ret, struct ck_err *err)
{
    CK_AUTOSTRV words = {0};
    int first = strcmp(argv[0], "ckops") == 0 ? 1 : 0;
    for (int i = first; i < argc; i++)
        ck_strv_push(&words, argv[i]);
    if (ctx->state_given)
        ck_env_set(&ctx->env, "KOPS_STATE_STORE", ctx->opt_state);
    int r = ck_policy_record(a, &ctx->env, &words, ret, err);
    if (!r && ret->status) {
        ck_warn("the command ended with status %d: the policy holds what it asked until then",
                ret->status);
        ctx->exit_status = ret->status;
    }
    return r;
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct policy_opts *o = opts;
    struct ck_store *s;
    struct ck_recording rec;
    const struct ck_val *document = NULL;
    struct ck_policy_opts how = {.cluster = o->cluster,
                                 .role = o->role,
                                 .kops = o->kops,
                                 .acl = o->acl,
                                 .history = o->history,
                                 .kms_key = o->kms_key,
                                 .account = o->account,
                                 .user = o->user,
                                 .full = o->full,
                                 .owner_acl = o->owner_acl,
                                 .insecure = o->insecure};
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    int r = reader(o->who, &how.who, err);
    if (!r)
        r = ck_ctx_store(ctx, &s, err);
    if (!r)
        r = partition(ctx, o, &how.partition, err);
    if (!r && o->record)
        r = ck_policy_check_account(&how, err);
    if (!r && o->record)
        r = record(ctx, a, argc, argv, &rec, err);
    if (!r)
        r = o->record ? ck_policy_of_recording(a, s, &how, &rec, &document, err)
                      : ck_store_policy(a, s, &how, &document, err);
    if (r < 0)
        return r;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_json_emit(&b, document, (struct ck_json_style){.order = CK_JSON_AS_IS, .indent = 2});
    ck_print(ctx, "%s\n", ck_buf_str(&b));
    return 0;
}

#define O(member) .off = offsetof(struct policy_opts, member), .given_off = CK_OPT_NO_GIVEN
#define NOT_EMPTY(member)                                                                          \
    .off = offsetof(struct policy_opts, member),                                                   \
    .given_off = offsetof(struct policy_opts, member##_given)
static const struct ck_opt options[] = {
    {.name = "acl",
     .type = CK_OPT_BOOL,
     O(acl),
     .help = "also what writing with an ACL needs (KOPS_STATE_S3_ACL, public discovery documents)"},
    {.name = "allow-http",
     .type = CK_OPT_BOOL,
     O(insecure),
     .help = "with --cross-account: do not refuse requests without TLS"},
    {.name = "cluster",
     .type = CK_OPT_STRING,
     NOT_EMPTY(cluster),
     .complete = "",
     .help = "limit it to this cluster's files"},
    {.name = "cross-account",
     .type = CK_OPT_STRING,
     NOT_EMPTY(account),
     .complete = "",
     .help = "print a bucket policy that lets this AWS account in"},
    {.name = "for",
     .type = CK_OPT_STRING,
     O(who),
     .dflt = "operator",
     .complete = "operator reader node doctor locate",
     .help = "who it is for: operator, reader, node, doctor or locate"},
    {.name = "full",
     .type = CK_OPT_BOOL,
     O(full),
     .help = "everything on the store instead of the least"},
    {.name = "history",
     .type = CK_OPT_BOOL,
     O(history),
     .help = "also to see and delete former versions, which no command needs"},
    {.name = "kms-key",
     .type = CK_OPT_STRING,
     O(kms_key),
     .complete = "",
     .help = "ARN of the key that the bucket is encrypted with"},
    {.name = "kops",
     .type = CK_OPT_BOOL,
     O(kops),
     .help = "also what kops asks; for nodes: what update cluster gives their role"},
    {.name = "partition",
     .type = CK_OPT_STRING,
     O(partition),
     .complete = "aws aws-cn aws-us-gov",
     .help = "aws, aws-cn or aws-us-gov; by default that of the region"},
    {.name = "record",
     .type = CK_OPT_BOOL,
     O(record),
     .help = "run the command after -- and print the policy of what it asked for"},
    {.name = "require-owner-acl",
     .type = CK_OPT_BOOL,
     O(owner_acl),
     .help =
         "with --cross-account: refuse writes that do not give the bucket's owner full control"},
    {.name = "role",
     .type = CK_OPT_STRING,
     O(role),
     .complete = "control-plane apiserver node bastion",
     .help = "with --for node: its role"},
    {.name = "user",
     .type = CK_OPT_STRING,
     NOT_EMPTY(user),
     .complete = "",
     .help = "with --cross-account: only this user of the account"},
    {0},
};

const struct ck_cmd ck_cmd_store_policy = {
    .name = "policy",
    .use = "policy [-- COMMAND...]",
    .brief = "Print the least policy for those who use a store.",
    .detail = "Prints the least IAM policy with which operators, readers or nodes can use the "
              "store, or the bucket\npolicy that lets another account in. For gs://, azureblob:// "
              "and k8s:// it is a role of that cloud.\nWith --record the command after -- is run, "
              "and the policy holds what it asked for.",
    .example = "ckops store policy --state s3://my-store\n"
               "ckops store policy --for node --role node --cluster my.example.com\n"
               "ckops store policy --cross-account 123456789012\n"
               "ckops store policy --record -- get clusters",
    .opts = options,
    .opts_size = sizeof(struct policy_opts),
    .args = args,
    .run = run,
};
