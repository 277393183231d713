/* `store undo`: the last recorded change taken back. kOps has nothing like it. */
#include "cmd/store/journalout.h"
#include "cmd/store/storecmd.h"

#include "ops/journal/journal.h"
#include "store/keyset.h"

struct undo_opts {
    bool yes;
};

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct undo_opts *o = opts;
    CK_AUTOARENA struct ck_arena *a = ck_keyset_arena();
    struct ck_journal_history h;
    struct ck_journal_view now, then;
    struct ck_journal_changes changes;
    const struct ck_journal_entry *last;
    int r = ck_journal_open(ctx, a, o->yes, &h, err);
    r = r ? r : ck_journal_now(a, h.s, h.cluster, &now, err);
    r = r ? r : ck_journal_undo(&h, &now, &last, &changes, err);
    if (r < 0)
        return r;
    ck_print(ctx, "%s: %s@%s: %s\n", last->id, last->user, last->host, last->command);
    const struct ck_journal_point p = ck_journal_before(&h, last);
    ck_journal_view_at(&h, &p, &now, &then);
    r = ck_journal_print(ctx, &h, &now, &then, &changes, true, err);
    if (r < 0)
        return r;
    if (!o->yes) {
        ck_print(ctx, "\nMust specify --yes to take this back\n");
        return 0;
    }
    r = ck_journal_apply(&h, &now, &changes, err);
    if (r == 0)
        ck_print(ctx, "\nTook it back: %zu files of cluster \"%s\"\n", changes.n, h.cluster);
    return r;
}

#define O(member) .off = offsetof(struct undo_opts, member), .given_off = CK_OPT_NO_GIVEN
static const struct ck_opt options[] = {
    {.shorthand = 'y', .name = "yes", .type = CK_OPT_BOOL, O(yes), .help = "go ahead"},
    {0},
};

const struct ck_cmd ck_cmd_store_undo = {
    .name = "undo",
    .use = "undo [CLUSTER]",
    .brief = "Take back the last change of a cluster.",
    .detail = "Shows the last entry of a cluster's journal the other way round, and with --yes "
              "takes it back. Refused\nwhen its files were changed since. Taking back is itself "
              "an entry: undoing it does the change again.",
    .example = "ckops store undo my.example.com --yes",
    .opts = options,
    .opts_size = sizeof(struct undo_opts),
    .args = ck_args_cluster_optional,
    .run = run,
    .complete_args = ck_complete_clusters,
};
