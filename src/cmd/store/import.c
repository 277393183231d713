/* `store import --git`: edits of a git tree into the store. kOps has nothing like it. */
#include "cmd/frame/journal.h"
#include "cmd/store/gitout.h"
#include "cmd/store/journalout.h"
#include "cmd/store/storecmd.h"

#include "doc/textdiff.h"
#include "store/keyset.h"

enum { CONTEXT = 3 };

struct import_opts {
    const char *dir;
    bool yes;
};

static struct ck_slice text_in(const struct ck_journal_view *v, const char *path)
{
    const struct ck_journal_seen *x = ck_journal_find(v, path);
    return x && x->data.ptr ? x->data : CK_S("");
}

static void print_edits(struct ck_ctx *ctx, const struct ck_storegit *g)
{
    for (size_t i = 0; i < g->edits.n; i++) {
        const struct ck_journal_change *c = &g->edits.v[i];
        CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
        ck_print(ctx, "%s: %s\n", c->path, !*c->from ? "new" : !*c->to ? "removed" : "changed");
        if (!c->secret)
            ck_text_diff(&text, text_in(&g->agreed, c->path), text_in(&g->tree, c->path),
                         (struct ck_diff_style){.context = CONTEXT});
        ck_journal_print_text(ctx, ck_buf_slice(&text));
    }
}

/* The tree learns that the store has its edits now. */
static int mark(struct ck_storegit *g, struct ck_arena *a, struct ck_err *err)
{
    struct ck_storegit again;
    size_t commits;
    int r = ck_storegit_open(a, g->s, g->opts, &again, err);
    r = r ? r : ck_storegit_export(&again, &commits, err);
    return r < 0 ? ck_wrap(err, "the store has the edits, but the tree was not brought up to date")
                 : 0;
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct import_opts *o = opts;
    struct ck_store *s;
    CK_AUTOARENA struct ck_arena *a = ck_keyset_arena();
    CK_AUTOSTRV clusters = {0};
    struct ck_storegit g;
    struct ck_storegit_opts open = {.dir = o->dir, .clusters = &clusters};
    ck_git_clusters(ctx, argc, argv, &clusters);
    int r = ck_ctx_store(ctx, &s, err);
    if (r < 0)
        return r;
    ck_ctx_who(ctx, &open.who);
    r = ck_storegit_open(a, s, &open, &g, err);
    if (r < 0)
        return r;
    print_edits(ctx, &g);
    r = ck_storegit_import(&g, !o->yes, err);
    if (r < 0)
        return r;
    if (!g.edits.n)
        ck_print(ctx, "Nothing to import\n");
    else if (!o->yes)
        ck_print(ctx, "\nMust specify --yes to import\n");
    else
        ck_print(ctx, "\nImported %zu files\n", g.edits.n);
    if (!g.edits.n || !o->yes)
        return 0;
    r = ck_ctx_journal_flush(ctx, err);
    return r ? r : mark(&g, a, err);
}

#define O(member) .off = offsetof(struct import_opts, member), .given_off = CK_OPT_NO_GIVEN
static const struct ck_opt options[] = {
    {.name = "git",
     .type = CK_OPT_STRING,
     O(dir),
     .flags = CK_OPT_REQUIRED,
     .help = "folder of the git tree"},
    {.shorthand = 'y', .name = "yes", .type = CK_OPT_BOOL, O(yes), .help = "go ahead"},
    {0},
};

const struct ck_cmd ck_cmd_store_import = {
    .name = "import",
    .use = "import --git DIR [CLUSTER]...",
    .brief = "Bring edits of a git tree into the store.",
    .detail = "Shows what was committed to a tree of `store export` since store and tree agreed, "
              "and with --yes writes it:\nall of it or nothing, and only where the store still has "
              "what was exported. Edits are checked as replace\nchecks manifests. Configuration, "
              "instance groups and add-ons only.",
    .example = "ckops store import --git ./clusters --state s3://my-store\n"
               "ckops store import --git ./clusters --yes",
    .opts = options,
    .opts_size = sizeof(struct import_opts),
    .run = run,
    .complete_args = ck_complete_clusters,
};
