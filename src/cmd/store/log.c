/* `store log`: what was changed in a store, when, by whom and with which command. kOps has nothing
 * like it. */
#include "cmd/store/journalout.h"
#include "cmd/store/storecmd.h"

#include "base/clock.h"

#include "ops/journal/journal.h"
#include "store/keyset.h"
#include "ui/table.h"

#include <string.h>

enum { NS = 1000000000 };

struct log_opts {
    const char *output;
    int64_t limit;
};

/* One line: an entry, or what was changed before it without being recorded. */
struct line {
    const char *id, *cluster, *time, *user, *host, *command;
    bool outside, snapshot;
    struct ck_journal_changes files;
};

struct log {
    struct ck_ctx *ctx;
    struct ck_arena *a;
    const struct log_opts *o;
    bool one;           /* of one cluster only */
    struct ck_val *doc; /* NULL: lines of a table */
    struct ck_buf rows;
    size_t uncovered;
};

static const char OUTSIDE[] = "(not recorded: changed without the journal)";

static int args(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    const struct log_opts *o = opts;
    if (ck_journal_check_output(o->output, true, err) < 0)
        return -(int)err->code;
    if (o->limit < 0)
        return ck_fail(err, CK_INVALID, "--limit is a number of entries, 0 for all");
    return ck_args_cluster_optional(ctx, opts, argc, argv, err);
}

static void put_files(struct ck_buf *out, const struct line *l)
{
    if (l->snapshot) {
        ck_buf_fmt(out, "%zu recorded as they are", l->files.n);
        return;
    }
    if (l->files.n > 3) {
        ck_buf_fmt(out, "%zu files", l->files.n);
        return;
    }
    for (size_t i = 0; i < l->files.n; i++)
        ck_buf_fmt(out, "%s%s%s", i ? ", " : "",
                   !*l->files.v[i].from ? "+"
                   : !*l->files.v[i].to ? "-"
                                        : "",
                   l->files.v[i].path);
}

static void put_row(struct log *g, const struct line *l)
{
    ck_buf_fmt(&g->rows, "%s\t", l->id);
    if (!g->one)
        ck_buf_fmt(&g->rows, "%s\t", l->cluster);
    ck_buf_fmt(&g->rows, "%s\t%s%s%s\t%s\t", l->time, l->user, *l->host ? "@" : "", l->host,
               l->command);
    put_files(&g->rows, l);
    ck_buf_puts(&g->rows, "\t\n");
}

static void put_doc(struct log *g, const struct line *l)
{
    struct ck_val *m = ck_map(g->a);
    ck_set_str(g->a, m, "id", l->id);
    ck_set_str(g->a, m, "cluster", l->cluster);
    if (l->outside) {
        ck_set_bool(g->a, m, "outside", true);
    } else {
        ck_set_str(g->a, m, "time", l->time);
        ck_set_str(g->a, m, "user", l->user);
        ck_set_str(g->a, m, "host", l->host);
        ck_set_str(g->a, m, "command", l->command);
    }
    if (l->snapshot)
        ck_set_bool(g->a, m, "snapshot", true);
    ck_set(g->a, m, "files", ck_journal_files_doc(g->a, &l->files));
    ck_append(g->a, g->doc, m);
}

static void put_line(struct log *g, const struct line *l)
{
    if (g->doc)
        put_doc(g, l);
    else
        put_row(g, l);
}

static void put_outside(struct log *g, const struct ck_journal_history *h, size_t i,
                        const struct ck_journal_view *now)
{
    struct line l = {.cluster = h->cluster, .time = "-", .user = "?", .host = "", .outside = true};
    ck_journal_outside(h, i, now, &l.files);
    if (i == h->n)
        g->uncovered += l.files.unknown;
    l.id = i == h->n ? "now" : ck_arena_printf(g->a, "%s^", h->v[i].id);
    l.command = OUTSIDE;
    if (l.files.n)
        put_line(g, &l);
}

static void put_entry(struct log *g, const struct ck_journal_entry *e)
{
    char time[21];
    ck_rfc3339(e->from_ns / NS, time);
    struct line l = {.id = e->id,
                     .cluster = e->cluster,
                     .time = ck_arena_strdup(g->a, time),
                     .user = e->user,
                     .host = e->host,
                     .command = e->command,
                     .snapshot = e->snapshot};
    l.files.v = ck_arena_alloc(g->a, (e->n_files + 1) * sizeof *l.files.v);
    l.files.n = e->n_files;
    for (size_t i = 0; i < e->n_files; i++)
        l.files.v[i] = (struct ck_journal_change){
            .path = e->files[i].path, .from = e->files[i].before, .to = e->files[i].after};
    put_line(g, &l);
}

/* Newest first. */
static int put_cluster(struct log *g, const struct ck_store *s, const char *cluster,
                       struct ck_err *err)
{
    struct ck_journal_history h;
    struct ck_journal_view now;
    int r = ck_journal_load(g->a, s, cluster, &h, err);
    if (r == 0 && h.n == 0)
        return ck_store_must_have(g->ctx, s, cluster, err);
    r = r ? r : ck_journal_now(g->a, s, cluster, &now, err);
    if (r < 0)
        return r;
    put_outside(g, &h, h.n, &now);
    size_t limit = (size_t)g->o->limit;
    for (size_t i = h.n; i-- > 0 && (!limit || h.n - i <= limit);) {
        put_entry(g, &h.v[i]);
        put_outside(g, &h, i, NULL);
    }
    return 0;
}

static void print(struct log *g)
{
    if (g->doc) {
        ck_journal_put_doc(g->ctx, g->doc, g->o->output);
        return;
    }
    if (!g->rows.len) {
        ck_print(g->ctx, "Nothing is recorded.\n");
        return;
    }
    CK_AUTOBUF struct ck_buf all = CK_BUF_INIT, out = CK_BUF_INIT;
    ck_buf_fmt(&all, "ID\t%sTIME\tWHO\tCOMMAND\tFILES\t\n", g->one ? "" : "CLUSTER\t");
    ck_buf_put(&all, ck_buf_slice(&g->rows));
    ck_tabwriter(&out, ck_buf_slice(&all));
    ck_print_slice(g->ctx, ck_buf_slice(&out));
    if (g->uncovered)
        ck_print(g->ctx, "\n%zu files have no record yet: `%s store snapshot` makes one\n",
                 g->uncovered, g->ctx->program);
}

static int run(struct ck_ctx *ctx, void *opts, int argc, char **argv, struct ck_err *err)
{
    struct ck_store *s;
    CK_AUTOSTRV names = {0};
    CK_AUTOARENA struct ck_arena *a = ck_keyset_arena();
    struct log g = {.ctx = ctx, .a = a, .o = opts, .one = *ctx->cluster_name};
    int r = ck_ctx_store(ctx, &s, err);
    if (r == 0 && !g.one)
        r = ck_journal_clusters(s, &names, err);
    if (g.one)
        ck_strv_push(&names, ctx->cluster_name);
    if (strcmp(g.o->output, "table") != 0)
        g.doc = ck_list(a);
    for (size_t i = 0; r == 0 && i < names.n; i++)
        r = put_cluster(&g, s, names.v[i], err);
    if (r == 0)
        print(&g);
    ck_buf_done(&g.rows);
    return r;
}

#define O(member) .off = offsetof(struct log_opts, member), .given_off = CK_OPT_NO_GIVEN
static const struct ck_opt options[] = {
    {.name = "limit",
     .type = CK_OPT_INT,
     O(limit),
     .dflt = "50",
     .complete = "",
     .help = "how many entries of each cluster, the newest; 0: all"},
    {.shorthand = 'o',
     .name = "output",
     .type = CK_OPT_STRING,
     O(output),
     .dflt = "table",
     .complete = "table json yaml",
     .help = "output format: table, json or yaml"},
    {0},
};

const struct ck_cmd ck_cmd_store_log = {
    .name = "log",
    .use = "log [CLUSTER]",
    .brief = "Show the journal of a store.",
    .detail =
        "Shows who changed which files of a cluster, or of all clusters, when and with which "
        "command, the newest\nfirst. Changes that no entry explains (kOps' own, those of a "
        "command that was killed) have a line of\ntheir own, between the entries where they "
        "came to light. The journal is kept when the store's settings\nsay so: store settings "
        "--journal=true.",
    .example = "ckops store log --state s3://my-store\n"
               "ckops store log my.example.com --limit 10 -o json",
    .opts = options,
    .opts_size = sizeof(struct log_opts),
    .args = args,
    .run = run,
    .complete_args = ck_complete_clusters,
};
