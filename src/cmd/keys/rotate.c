/* `promote keypair`, `distrust keypair`, `trust keypair` and the groups they are in. Mirrors
 * cmd/kops/{promote,distrust,trust}_keypair.go. */
#include "cmd/keys/keys.h"

static int check(struct ck_ctx *ctx, int argc, char **argv, const char *what, struct ck_err *err)
{
    int r = ck_resolve_name_kubeconfig(ctx, err);
    if (r)
        return r;
    if (argc == 0)
        return ck_fail(err, CK_INVALID, "must specify name of keyset %s", what);
    if (argc > 1 && strcmp(argv[0], "all") == 0)
        return ck_fail(err, CK_INVALID, "cannot specify additional arguments with \"all\"");
    return 0;
}

/* ---- promote ---- */

static int promote_args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    int r = check(ctx, argc, argv, "to promote keypair in", err);
    if (!r && argc > 2)
        r = ck_fail(err, CK_INVALID, "can only promote to one keypair at a time");
    return r;
}

static int promote(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    struct ck_stored cluster;
    CK_AUTOARENA struct ck_arena *a = ck_keyset_arena();
    struct ck_keypair_run pass = {.arena = a};
    int r = ck_keys_open(ctx, "getting cluster", &cluster, &pass, err);
    return r ? r : ck_keypair_promote(&pass, argv[0], argc > 1 ? argv[1] : NULL, err);
}

static int complete_promote(struct ck_ctx *ctx, const void *opts, int argc, char **argv,
                            const char *prefix, struct ck_strv *ret, int *ret_directive,
                            struct ck_err *err)
{
    *ret_directive = CK_COMPLETE_NO_FILE;
    return argc > 1
               ? 0
               : ck_complete_keyset_ids(ctx, opts, argc, argv, prefix, ret, ret_directive, err);
}

static const struct ck_cmd promote_keypair = {
    .name = "keypair",
    .use = "keypair {KEYSET [ID] | all}",
    .brief = "Let another keypair of a keyset sign.",
    .detail = "Makes a keypair the primary one of its keyset: the one that signs. Without an id "
              "that is the\nnewest which is trusted and has its private key.",
    .example = "ckops promote keypair all --name k8s.example.com",
    .args = promote_args,
    .run = promote,
    .complete_args = complete_promote,
};

static const struct ck_cmd *const promote_subs[] = {&promote_keypair, NULL};
const struct ck_cmd ck_cmd_promote = {
    .name = "promote",
    .use = "promote",
    .brief = "Promote a resource.",
    .subs = promote_subs,
};

/* ---- distrust ---- */

static int distrust_args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    return check(ctx, argc, argv, "to distrust keypair in", err);
}

static int distrust(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    struct ck_stored cluster;
    CK_AUTOARENA struct ck_arena *a = ck_keyset_arena();
    struct ck_keypair_run pass = {.arena = a};
    int r = ck_keys_open(ctx, "getting cluster", &cluster, &pass, err);
    return r ? r
             : ck_keypair_distrust(&pass, argv[0], (const char *const *)argv + 1, (size_t)argc - 1,
                                   err);
}

static const struct ck_cmd distrust_keypair = {
    .name = "keypair",
    .use = "keypair {KEYSET [ID]... | all}",
    .brief = "Stop trusting keypairs of a keyset.",
    .detail = "Marks keypairs as distrusted: what they signed is refused after the next update. "
              "Without ids\nthose older than the primary are meant.",
    .example = "ckops distrust keypair all --name k8s.example.com",
    .args = distrust_args,
    .run = distrust,
    .complete_args = ck_complete_keyset_ids,
};

static const struct ck_cmd *const distrust_subs[] = {&distrust_keypair, NULL};
const struct ck_cmd ck_cmd_distrust = {
    .name = "distrust",
    .use = "distrust",
    .brief = "Distrust keypairs.",
    .subs = distrust_subs,
};

/* ---- trust ---- */

static int trust_args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    int r = ck_resolve_name_kubeconfig(ctx, err);
    if (!r && argc == 0)
        r = ck_fail(err, CK_INVALID, "must specify name of keyset to trust keypair in");
    if (!r && argc == 1)
        r = ck_fail(err, CK_INVALID, "must specify names of keypairs to trust keypair in");
    return r;
}

static int trust(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    struct ck_stored cluster;
    CK_AUTOARENA struct ck_arena *a = ck_keyset_arena();
    struct ck_keypair_run pass = {.arena = a};
    int r = ck_keys_open(ctx, "getting cluster", &cluster, &pass, err);
    return r ? r
             : ck_keypair_trust(&pass, argv[0], (const char *const *)argv + 1, (size_t)argc - 1,
                                err);
}

static const struct ck_cmd trust_keypair = {
    .name = "keypair",
    .use = "keypair KEYSET ID...",
    .brief = "Trust keypairs of a keyset again.",
    .example = "ckops trust keypair service-account 6977545226837259959403993899 --name "
               "k8s.example.com",
    .args = trust_args,
    .run = trust,
    .complete_args = ck_complete_keyset_ids,
};

static const struct ck_cmd *const trust_subs[] = {&trust_keypair, NULL};
const struct ck_cmd ck_cmd_trust = {
    .name = "trust",
    .use = "trust",
    .brief = "Trust keypairs.",
    .subs = trust_subs,
};
