/* `store export --git`: a store's configuration as a git tree. kOps has nothing like it. */
#include "cmd/frame/journal.h"
#include "cmd/store/gitout.h"
#include "cmd/store/storecmd.h"

#include "store/keyset.h"

enum { DIFFERENT = 2 };

struct export_opts {
    const char *dir;
    bool check, detailed_exitcode, secrets;
};

int ck_git_print(struct ck_ctx *ctx, const struct ck_journal_changes *changes, const char *what)
{
    for (size_t i = 0; i < changes->n; i++)
        ck_print(ctx, "%s: %s\n", changes->v[i].path,
                 !*changes->v[i].from ? "new"
                 : !*changes->v[i].to ? "removed"
                                      : "changed");
    ck_print(ctx, "%zu files %s\n", changes->n, what);
    return 0;
}

void ck_git_clusters(struct ck_ctx *ctx, int argc, char **argv, struct ck_strv *ret)
{
    for (int i = 0; i < argc; i++)
        ck_strv_push(ret, argv[i]);
    if (!argc && *ctx->opt_name)
        ck_strv_push(ret, ctx->opt_name);
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct export_opts *o = opts;
    struct ck_store *s;
    CK_AUTOARENA struct ck_arena *a = ck_keyset_arena();
    CK_AUTOSTRV clusters = {0};
    struct ck_storegit g;
    struct ck_storegit_opts open = {
        .dir = o->dir, .clusters = &clusters, .secrets = o->secrets, .create = !o->check};
    ck_git_clusters(ctx, argc, argv, &clusters);
    int r = ck_ctx_store(ctx, &s, err);
    if (r < 0)
        return r;
    ck_ctx_who(ctx, &open.who);
    r = ck_storegit_open(a, s, &open, &g, err);
    if (r < 0)
        return r;
    if (o->detailed_exitcode && g.drift.n)
        ctx->exit_status = DIFFERENT;
    if (o->check)
        return ck_git_print(ctx, &g.drift, "differ in the store");
    size_t commits = 0;
    r = ck_storegit_export(&g, &commits, err);
    if (r == 0)
        ck_print(ctx, "%zu commit%s, %zu file%s changed in %s\n", commits, commits == 1 ? "" : "s",
                 g.drift.n, g.drift.n == 1 ? "" : "s", o->dir);
    return r;
}

#define O(member) .off = offsetof(struct export_opts, member), .given_off = CK_OPT_NO_GIVEN
static const struct ck_opt options[] = {
    {.name = "check",
     .type = CK_OPT_BOOL,
     O(check),
     .help = "only show which files differ between tree and store"},
    {.name = "detailed-exitcode",
     .type = CK_OPT_BOOL,
     O(detailed_exitcode),
     .help = "exit status 2 when tree and store differed"},
    {.name = "git",
     .type = CK_OPT_STRING,
     O(dir),
     .flags = CK_OPT_REQUIRED,
     .help = "folder of the git tree; made when it is not there"},
    {.name = "include-secrets",
     .type = CK_OPT_BOOL,
     O(secrets),
     .help = "also private keys and secrets, in clear text: git keeps them for good"},
    {0},
};

const struct ck_cmd ck_cmd_store_export = {
    .name = "export",
    .use = "export --git DIR [CLUSTER]...",
    .brief = "Keep a store's configuration in a git tree.",
    .detail = "Brings a git tree to the configuration of the store: clusters, instance groups, "
              "add-ons and SSH keys. Each\nentry of the journal becomes a commit by who made the "
              "change, at its time; what no entry explains is one\ncommit more. Refused while "
              "the tree has edits that are not in the store: store import brings them there.",
    .example = "ckops store export --git ./clusters --state s3://my-store\n"
               "ckops store export --git ./clusters --check --detailed-exitcode",
    .opts = options,
    .opts_size = sizeof(struct export_opts),
    .run = run,
    .complete_args = ck_complete_clusters,
};
