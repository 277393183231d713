/* What store and tree agreed on last: exports leave a line in the messages of their last commits.
 *
 *     Ckops-Store: <URL>            all clusters
 *     Ckops-Store: <URL> CLUSTER    this one: the others were not looked at
 */
#include "ops/storegit/internal.h"

#include "base/map.h"

#include <stdlib.h>
#include <string.h>

/* Exports, from the newest on. */
struct exports {
    const char *whole;     /* the commit of the last one of all clusters; "" none */
    struct ck_map commits; /* of clusters that were exported alone since, by name */
};

/* One line of the message of a commit. */
static void take(const struct ck_storegit *g, struct exports *e, const char *commit,
                 struct ck_slice line)
{
    size_t n = strlen(g->mark);
    if (line.len < n || memcmp(line.ptr, g->mark, n) != 0)
        return;
    struct ck_slice cluster = ck_slice_trim(ck_slice_n(line.ptr + n, line.len - n));
    const char *name = ck_arena_strndup(g->a, cluster.ptr, cluster.len);
    if (!*name)
        e->whole = commit;
    else if (!ck_map_has(&e->commits, name))
        ck_map_put(&e->commits, name, (void *)commit);
}

static int find(const struct ck_storegit *g, struct exports *e, struct ck_err *err)
{
    const char *grep = ck_arena_printf(g->a, "--grep=Ckops-Store: %s", g->mark);
    const char *const args[] = {
        "log",   "--fixed-strings",
        grep,    "--format=commit %H%n%(trailers:key=Ckops-Store,valueonly)",
        g->head, NULL};
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    int r = *g->head ? ck_git(g, args, CK_S(""), &out, NULL, err) : 0;
    struct ck_slice all = ck_buf_slice(&out), line;
    const char *commit = "";
    while (r == 0 && all.len && ck_slice_next(&all, '\n', &line)) {
        if (ck_slice_starts(line, "commit ")) {
            if (*e->whole)
                break;
            commit = ck_arena_strndup(g->a, line.ptr + 7, line.len - 7);
        } else {
            take(g, e, commit, line);
        }
    }
    return r;
}

/* Add the files of `commit` that are of `cluster`, or with NULL of those that are in no later
 * export. */
static int add(struct ck_storegit *g, const struct exports *e, const char *commit,
               const char *cluster, struct ck_err *err)
{
    struct ck_journal_view v;
    int r = ck_git_tree(g, commit, &v, err);
    if (r < 0 || !v.n)
        return r;
    struct ck_journal_seen *all = ck_arena_alloc(g->a, (g->agreed.n + v.n) * sizeof *all);
    if (g->agreed.n)
        memcpy(all, g->agreed.v, g->agreed.n * sizeof *all);
    g->agreed.v = all;
    for (size_t i = 0; i < v.n; i++) {
        const char *of, *rest;
        if (ck_storegit_wants(g, v.v[i].path, &of, &rest) &&
            (cluster ? strcmp(of, cluster) == 0 : !ck_map_has(&e->commits, of)))
            all[g->agreed.n++] = v.v[i];
    }
    return 0;
}

static int by_path(const void *x, const void *y)
{
    const struct ck_journal_seen *a = x, *b = y;
    return strcmp(a->path, b->path);
}

int ck_storegit_agreed(struct ck_storegit *g, struct ck_err *err)
{
    struct exports e = {.whole = ""};
    g->agreed = (struct ck_journal_view){.now = true};
    int r = find(g, &e, err);
    g->base = e.whole;
    r = r ? r : add(g, &e, e.whole, NULL, err);
    for (size_t i = 0; r == 0 && i < e.commits.n; i++) {
        const char *name = e.commits.e[i].key, *commit = e.commits.e[i].val;
        g->base = *g->base ? g->base : commit;
        if (g->opts->clusters->n && !ck_strv_has(g->opts->clusters, name))
            continue;
        r = add(g, &e, commit, name, err);
    }
    if (g->agreed.n > 1)
        qsort(g->agreed.v, g->agreed.n, sizeof *g->agreed.v, by_path);
    ck_map_done(&e.commits);
    return r;
}
