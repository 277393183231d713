/* `delete instancegroup`: one group out of the store, after a question. Mirrors
 * cmd/kops/delete_instancegroup.go. */
#include "cmd/commands.h"
#include "cmd/deleteone.h"

#include "base/log.h"
#include "ops/remove.h"

#include <errno.h>
#include <strings.h>
#include <unistd.h>

enum { MAX_QUESTIONS = 3 };

struct ig_opts {
    bool yes;
};

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_OTHER };

static int read_line(struct ck_buf *out, struct ck_err *err)
{
    char piece[4096];
    while (ck_slice_find(ck_buf_slice(out), '\n') == out->len) {
        ssize_t n = read(STDIN_FILENO, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ck_fail_errno(err, errno, "error reading from input");
        if (n == 0 || out->overflow)
            return ck_fail(err, CK_INVALID, "error reading from input: EOF");
        ck_buf_putn(out, piece, (size_t)n);
    }
    out->len = ck_slice_find(ck_buf_slice(out), '\n');
    out->ptr[out->len] = 0;
    return 0;
}

static int ask(struct ck_ctx *ctx, const char *name, enum answer *ret, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf line = CK_BUF_MAX(64 * 1024);
    ck_print(ctx,
             "Do you really want to delete instance group \"%s\"? This action cannot be undone. "
             "(y/N)\n",
             name);
    int r = ck_flush(ctx, err);
    if (!r)
        r = read_line(&line, err);
    if (r)
        return r;
    struct ck_slice answer = ck_slice_trim(ck_buf_slice(&line));
    if (ck_slice_ieq_str(answer, "y") || ck_slice_ieq_str(answer, "yes"))
        *ret = ANSWER_YES;
    else if (answer.len == 0 || ck_slice_ieq_str(answer, "n") || ck_slice_ieq_str(answer, "no"))
        *ret = ANSWER_NO;
    else {
        *ret = ANSWER_OTHER;
        ck_print(ctx, "invalid response: %.*s\n\n", CK_SARG(answer));
    }
    return 0;
}

static int confirm(struct ck_ctx *ctx, const char *name, bool *ret, struct ck_err *err)
{
    enum answer a = ANSWER_OTHER;
    for (int i = 0; i < MAX_QUESTIONS && a == ANSWER_OTHER; i++) {
        int r = ask(ctx, name, &a, err);
        if (r)
            return r;
    }
    *ret = a == ANSWER_YES;
    return 0;
}

int ck_delete_ig(struct ck_ctx *ctx, const char *cluster, const char *name, bool yes,
                 struct ck_err *err)
{
    struct ck_store *store;
    struct ck_stored owner, ig;
    int r = ck_ctx_store(ctx, &store, err);
    if (!r && yes)
        r = ck_ctx_lock(ctx, cluster, err);
    if (!r)
        r = ck_cluster_get_for_command(ctx->arena, store, cluster, &owner, err);
    if (r)
        return r;
    r = ck_ig_get(ctx->arena, store, cluster, name, &ig, err);
    if (r == -CK_NOT_FOUND)
        ck_wrap(err, "error reading InstanceGroup \"%s\"", name);
    if (r)
        return r;
    ck_print(ctx, "InstanceGroup \"%s\" found for deletion\n", name);
    r = ck_ig_check_removable(ctx->arena, store, cluster, &ig, err);
    if (r)
        return r;
    if (!yes) {
        ck_print(ctx, "\nMust specify --yes to delete instancegroup\n");
        return 0;
    }
    ck_warn("cloud resources of the instance group are not looked for by this version");
    r = ck_ig_delete(ctx->arena, store, cluster, &ig, err);
    if (r)
        return r;
    ck_print(ctx, "\nDeleted InstanceGroup: \"%s\"\n", name);
    return 0;
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct ig_opts *o = opts;
    bool yes = o->yes;
    int r = yes ? 0 : confirm(ctx, argv[0], &yes, err);
    if (r)
        return r;
    if (!yes) {
        ctx->exit_status = 1;
        return 0;
    }
    return ck_delete_ig(ctx, ctx->cluster_name, argv[0], true, err);
}

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    (void)opts;
    (void)argv;
    int r = ck_resolve_name_kubeconfig(ctx, err);
    if (r)
        return r;
    if (argc == 0)
        return ck_fail(err, CK_INVALID, "must specify the name of the instance group to delete");
    if (argc > 1)
        return ck_fail(err, CK_INVALID, "can only delete one instance group at a time");
    return 0;
}

static const struct ck_opt options[] = {
    {.shorthand = 'y',
     .name = "yes",
     .type = CK_OPT_BOOL,
     .off = offsetof(struct ig_opts, yes),
     .given_off = CK_OPT_NO_GIVEN,
     .help = "do not ask"},
    {0},
};

static const char *const aliases[] = {"instancegroups", "ig", NULL};

const struct ck_cmd ck_cmd_delete_instancegroup = {
    .name = "instancegroup",
    .aliases = aliases,
    .use = "instancegroup INSTANCE_GROUP",
    .brief = "Remove an instance group.",
    .example = "ckops delete instancegroup --name k8s.example.com nodes --yes",
    .opts = options,
    .opts_size = sizeof(struct ig_opts),
    .args = args,
    .run = run,
    .complete_args = ck_complete_one_instancegroup,
};
