/* `store diff A B`: what differs between two moments of a cluster. kOps has nothing like it. */
#include "cmd/store/journalout.h"
#include "cmd/store/storecmd.h"

#include "ops/journal/journal.h"
#include "store/keyset.h"

#include <string.h>

enum { DIFFERENT = 2 };

struct diff_opts {
    const char *output;
    bool detailed_exitcode, names_only;
};

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct diff_opts *o = opts;
    if (argc < 1 || argc > 2)
        return ck_fail(err, CK_INVALID,
                       "expected one moment, or two: an id of `store log`, a time, or now");
    ctx->cluster_name = ctx->opt_name;
    return ck_journal_check_output(o->output, false, err);
}

static int view_of(const struct ck_journal_history *h, const char *text,
                   const struct ck_journal_view *now, struct ck_journal_view *ret,
                   struct ck_err *err)
{
    struct ck_journal_point p;
    int r = ck_journal_moment(h, text, &p, err);
    if (r < 0)
        return r;
    if (p.now)
        *ret = *now;
    else
        ck_journal_view_at(h, &p, now, ret);
    return 0;
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct diff_opts *o = opts;
    CK_AUTOARENA struct ck_arena *a = ck_keyset_arena();
    struct ck_journal_history h;
    struct ck_journal_view now, from, to;
    struct ck_journal_changes changes;
    int r = ck_journal_open(ctx, a, false, &h, err);
    r = r ? r : ck_journal_now(a, h.s, h.cluster, &now, err);
    r = r ? r : view_of(&h, argv[0], &now, &from, err);
    r = r ? r : view_of(&h, argc > 1 ? argv[1] : "now", &now, &to, err);
    if (r < 0)
        return r;
    ck_journal_compare(a, &from, &to, &changes);
    if (*o->output)
        ck_journal_put_doc(ctx, ck_journal_files_doc(a, &changes), o->output);
    else
        r = ck_journal_print(ctx, &h, &from, &to, &changes, !o->names_only, err);
    if (r == 0 && changes.n && o->detailed_exitcode)
        ctx->exit_status = DIFFERENT;
    return r;
}

#define O(member) .off = offsetof(struct diff_opts, member), .given_off = CK_OPT_NO_GIVEN
static const struct ck_opt options[] = {
    {.name = "detailed-exitcode",
     .type = CK_OPT_BOOL,
     O(detailed_exitcode),
     .help = "exit status 2 when something differs"},
    {.name = "names-only",
     .type = CK_OPT_BOOL,
     O(names_only),
     .help = "name the files without showing what differs in them"},
    {.shorthand = 'o',
     .name = "output",
     .type = CK_OPT_STRING,
     O(output),
     .complete = "json yaml",
     .help = "output format: json or yaml; text when not given"},
    {0},
};

const struct ck_cmd ck_cmd_store_diff = {
    .name = "diff",
    .use = "diff A [B]",
    .brief = "Show what differs between two moments of a cluster.",
    .detail = "Shows the files of a cluster that differ between two moments of its journal; "
              "without B, between A and\nnow. A moment is an id of `store log` (after that "
              "entry), an id with ^ behind it (before it), a time\n(2026-01-02T15:04:05Z, \"2h "
              "ago\"), or now. Of keys and secrets only the digests are shown.",
    .example = "ckops store diff \"2h ago\" --name my.example.com\n"
               "ckops store diff 1a2b3c4d^ 1a2b3c4d --name my.example.com",
    .opts = options,
    .opts_size = sizeof(struct diff_opts),
    .args = args,
    .run = run,
};
