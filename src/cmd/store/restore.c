/* `store restore --at`: a cluster's files as they were. kOps has nothing like it. */
#include "cmd/store/journalout.h"
#include "cmd/store/storecmd.h"

#include "ops/journal/journal.h"
#include "store/keyset.h"

struct restore_opts {
    const char *at;
    bool yes, names_only;
};

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct restore_opts *o = opts;
    CK_AUTOARENA struct ck_arena *a = ck_keyset_arena();
    struct ck_journal_history h;
    struct ck_journal_view now, then;
    struct ck_journal_changes changes;
    struct ck_journal_point p;
    int r = ck_journal_open(ctx, a, o->yes, &h, err);
    r = r ? r : ck_journal_moment(&h, o->at, &p, err);
    if (r == 0 && p.now)
        r = ck_fail(err, CK_INVALID, "what is there now needs no restoring");
    r = r ? r : ck_journal_now(a, h.s, h.cluster, &now, err);
    if (r < 0)
        return r;
    ck_journal_view_at(&h, &p, &now, &then);
    ck_journal_compare(a, &now, &then, &changes);
    r = ck_journal_print(ctx, &h, &now, &then, &changes, !o->names_only, err);
    if (r < 0)
        return r;
    if (changes.unknown)
        ck_print(ctx, "%zu files stay as they are: the journal does not know them\n",
                 changes.unknown);
    if (!changes.n) {
        ck_print(ctx, "Nothing to restore\n");
        return 0;
    }
    if (!o->yes) {
        ck_print(ctx, "\nMust specify --yes to restore\n");
        return 0;
    }
    r = ck_journal_apply(&h, &now, &changes, err);
    if (r == 0)
        ck_print(ctx, "\nRestored %zu files of cluster \"%s\" as of %s\n", changes.n, h.cluster,
                 p.text);
    return r;
}

#define O(member) .off = offsetof(struct restore_opts, member), .given_off = CK_OPT_NO_GIVEN
static const struct ck_opt options[] = {
    {.name = "at",
     .type = CK_OPT_STRING,
     O(at),
     .flags = CK_OPT_REQUIRED,
     .complete = "",
     .help = "the moment: an id of `store log`, an id with ^ behind it for before it, a time, or "
             "\"2h ago\""},
    {.name = "names-only",
     .type = CK_OPT_BOOL,
     O(names_only),
     .help = "name the files without showing what differs in them"},
    {.shorthand = 'y', .name = "yes", .type = CK_OPT_BOOL, O(yes), .help = "go ahead"},
    {0},
};

const struct ck_cmd ck_cmd_store_restore = {
    .name = "restore",
    .use = "restore [CLUSTER]",
    .brief = "Bring a cluster's files back to what they were.",
    .detail = "Shows what would change, and with --yes writes back the files of a cluster as they "
              "were at a moment of\nits journal, keys and secrets included; files made since are "
              "removed. Each file is written only while it\nis as shown. Files the journal does "
              "not know stay. The restoring is itself recorded. Cloud resources are\nnot touched: "
              "update cluster is the next step.",
    .example = "ckops store restore my.example.com --at \"2h ago\"\n"
               "ckops store restore my.example.com --at 1a2b3c4d --yes",
    .opts = options,
    .opts_size = sizeof(struct restore_opts),
    .args = ck_args_cluster_optional,
    .run = run,
    .complete_args = ck_complete_clusters,
};
