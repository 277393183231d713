/* From the store to the tree: commits for git fast-import, which takes them all or none. */
#include "ops/storegit/internal.h"

#include "base/clock.h"
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

enum { NS = 1000000000, TEXT_MAX = 1000 };

/* Commits that are not on the branch yet; of this working tree alone. */
static const char PENDING[] = "refs/worktree/ckops-export";

struct file {
    const char *path;
    struct ck_slice data; /* ptr NULL: it goes */
};

struct commit {
    const char *author; /* name and address */
    int64_t ns;
    const char *subject, *entry; /* entry: "CLUSTER ID", or NULL */
    struct file *files;
    size_t n, cap;
};

struct work {
    struct ck_storegit *g;
    struct ck_map state; /* path → SHA-256 of the tree so far, "" when it went */
    struct commit *v;
    size_t n, cap;
};

/* ---- collecting ---- */

/* Without what means something in git's lines, or would leave nothing. */
static const char *plain(struct ck_arena *a, const char *text)
{
    char *copy = ck_arena_strdup(a, *text ? text : "unknown");
    for (char *p = copy; *p; p++)
        if (*p == '<' || *p == '>' || (unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    return copy;
}

static const char *author(struct ck_arena *a, const char *user, const char *host)
{
    const char *name = plain(a, user);
    return ck_arena_printf(a, "%s <%s@%s>", name, name, plain(a, host));
}

static struct commit *add_commit(struct work *w, const struct ck_journal_who *who, int64_t ns,
                                 const char *subject)
{
    struct ck_arena *a = w->g->a;
    if (w->n == w->cap) {
        size_t cap = w->cap ? w->cap * 2 : 64;
        struct commit *v = ck_arena_alloc(a, cap * sizeof *v);
        if (w->n)
            memcpy(v, w->v, w->n * sizeof *v);
        w->v = v;
        w->cap = cap;
    }
    struct commit *c = &w->v[w->n++];
    *c = (struct commit){.author = author(a, who->user, who->host), .ns = ns, .subject = subject};
    return c;
}

static const char *state_of(const struct work *w, const char *path)
{
    const char *sha = ck_map_get(&w->state, path);
    return sha ? sha : "";
}

static void add_file(struct work *w, struct commit *c, const char *path, const char *sha,
                     struct ck_slice data)
{
    if (c->n == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 8;
        struct file *v = ck_arena_alloc(w->g->a, cap * sizeof *v);
        if (c->n)
            memcpy(v, c->files, c->n * sizeof *v);
        c->files = v;
        c->cap = cap;
    }
    c->files[c->n++] = (struct file){path, data};
    ck_map_put(&w->state, path, (void *)sha);
}

/* ---- what the journal tells ---- */

/* One side of the entry's files as a commit, if the tree differs from it. */
static int add_side(struct work *w, const struct ck_journal_history *h,
                    const struct ck_journal_entry *e, bool after, struct ck_err *err)
{
    static const struct ck_journal_who nobody = {"unknown", "unknown", ""};
    struct ck_arena *a = w->g->a;
    const struct ck_journal_who who = {e->user, e->host, e->command};
    struct commit *c = NULL;
    for (size_t i = 0; i < e->n_files; i++) {
        const struct ck_journal_file *f = &e->files[i];
        const char *cluster, *rest, *sha = after ? f->after : f->before;
        const char *path = ck_arena_printf(a, "%s/%s", e->cluster, f->path);
        const char *there = state_of(w, path);
        if (!ck_storegit_wants(w->g, path, &cluster, &rest) || strcmp(there, sha) == 0 ||
            strcmp(there, f->after) == 0)
            continue;
        CK_AUTOBUF struct ck_buf b = {.secret = true};
        if (*sha && ck_journal_content(h, sha, &b, err) == -(int)CK_LIMIT) {
            ck_err_done(
                err); /* too large for the journal: the last commit has what is left of it */
            continue;
        }
        if (err->code != CK_OK)
            return -(int)err->code;
        if (!c)
            c = add_commit(w, after ? &who : &nobody, after ? e->to_ns : e->from_ns,
                           after ? e->command : "Changed without the journal");
        add_file(w, c, path, sha,
                 *sha ? ck_arena_slice(a, ck_buf_slice(&b)) : (struct ck_slice){0});
    }
    if (c && after)
        c->entry = ck_arena_printf(a, "%s %s", e->cluster, e->id);
    return 0;
}

/* Per cluster the id of the entry that was exported last. */
static int exported(const struct ck_storegit *g, struct ck_map *ret, struct ck_err *err)
{
    const char *grep = ck_arena_printf(g->a, "--grep=Ckops-Entry: %s", g->mark);
    const char *const args[] = {"log",   "--fixed-strings",
                                grep,    "--format=%(trailers:key=Ckops-Entry,valueonly)",
                                g->head, NULL};
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    int r = *g->head ? ck_git(g, args, CK_S(""), &out, NULL, err) : 0;
    struct ck_slice all = ck_buf_slice(&out), line;
    while (r == 0 && all.len && ck_slice_next(&all, '\n', &line)) {
        size_t n = strlen(g->mark);
        if (line.len < n + 2 || memcmp(line.ptr, g->mark, n) != 0)
            continue;
        line = ck_slice_n(line.ptr + n + 1, line.len - n - 1);
        size_t space = ck_slice_find(line, ' ');
        if (space == line.len)
            continue;
        const char *cluster = ck_arena_strndup(g->a, line.ptr, space);
        const char *id = ck_arena_strndup(g->a, line.ptr + space + 1, line.len - space - 1);
        const char *before = ck_map_get(ret, cluster);
        if (!before || strcmp(before, id) < 0)
            ck_map_put(ret, cluster, (void *)id);
    }
    return r;
}

struct step {
    const struct ck_journal_history *h;
    const struct ck_journal_entry *e;
};

static int by_id(const void *x, const void *y)
{
    return strcmp(((const struct step *)x)->e->id, ((const struct step *)y)->e->id);
}

static int add_journal(struct work *w, struct ck_err *err)
{
    struct ck_storegit *g = w->g;
    CK_AUTOSTRV clusters = {0};
    struct ck_map last = {0};
    struct step *steps = NULL;
    size_t n = 0, cap = 0;
    int r = ck_journal_clusters(g->s, &clusters, err);
    r = r ? r : exported(g, &last, err);
    for (size_t i = 0; r == 0 && i < clusters.n; i++) {
        if (g->opts->clusters->n && !ck_strv_has(g->opts->clusters, clusters.v[i]))
            continue;
        struct ck_journal_history *h = ck_arena_alloc(g->a, sizeof *h);
        const char *since = ck_map_get(&last, clusters.v[i]);
        r = ck_journal_load(g->a, g->s, clusters.v[i], h, err);
        for (size_t k = 0; r == 0 && k < h->n; k++) {
            if (since && strcmp(h->v[k].id, since) <= 0)
                continue;
            if (n == cap) {
                size_t more = cap ? cap * 2 : 64;
                struct step *v = ck_arena_alloc(g->a, more * sizeof *v);
                if (n)
                    memcpy(v, steps, n * sizeof *v);
                steps = v;
                cap = more;
            }
            steps[n++] = (struct step){h, &h->v[k]};
        }
    }
    if (n > 1)
        qsort(steps, n, sizeof *steps, by_id);
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = add_side(w, steps[i].h, steps[i].e, false, err);
        r = r ? r : add_side(w, steps[i].h, steps[i].e, true, err);
    }
    ck_map_done(&last);
    return r;
}

/* ---- what no entry explains ---- */

static void add_rest(struct work *w)
{
    struct ck_storegit *g = w->g;
    struct commit *c = NULL;
    for (size_t i = 0; i < g->store.n; i++) {
        const struct ck_journal_seen *x = &g->store.v[i];
        if (strcmp(state_of(w, x->path), x->sha) == 0)
            continue;
        c = c ? c : add_commit(w, &g->opts->who, ck_now_ns(), "The store as it is");
        add_file(w, c, x->path, x->sha, x->data);
    }
    for (size_t i = 0; i < w->state.n; i++) {
        const char *path = w->state.e[i].key;
        if (!*(const char *)w->state.e[i].val || ck_journal_find(&g->store, path))
            continue;
        c = c ? c : add_commit(w, &g->opts->who, ck_now_ns(), "The store as it is");
        add_file(w, c, ck_arena_strdup(g->a, path), "", (struct ck_slice){0});
    }
}

/* ---- for git ---- */

static void put_path(struct ck_buf *out, const char *path)
{
    ck_buf_putc(out, '"');
    for (; *path; path++) {
        if (*path == '"' || *path == '\\')
            ck_buf_putc(out, '\\');
        ck_buf_putc(out, *path);
    }
    ck_buf_puts(out, "\"\n");
}

static void put_data(struct ck_buf *out, struct ck_slice data)
{
    ck_buf_fmt(out, "data %zu\n", data.len);
    ck_buf_put(out, data);
    ck_buf_putc(out, '\n');
}

static void put_commit(struct ck_buf *out, const struct ck_storegit *g, const struct commit *c,
                       bool first, bool last)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    ck_buf_fmt(&text, "%.*s\n\n", TEXT_MAX, c->subject);
    if (c->entry)
        ck_buf_fmt(&text, "Ckops-Entry: %s %s\n", g->mark, c->entry);
    if (last && !g->opts->clusters->n)
        ck_buf_fmt(&text, "Ckops-Store: %s\n", g->mark);
    for (size_t i = 0; last && i < g->opts->clusters->n; i++)
        ck_buf_fmt(&text, "Ckops-Store: %s %s\n", g->mark, g->opts->clusters->v[i]);
    ck_buf_fmt(out, "commit %s\n", PENDING);
    ck_buf_fmt(out, "author %s %lld +0000\n", c->author, (long long)(c->ns / NS));
    ck_buf_fmt(out, "committer %s %lld +0000\n", c->author, (long long)(c->ns / NS));
    put_data(out, ck_buf_slice(&text));
    if (first && *g->head)
        ck_buf_fmt(out, "from %s\n", g->head);
    for (size_t i = 0; i < c->n; i++) {
        ck_buf_puts(out, c->files[i].data.ptr ? "M 100644 inline " : "D ");
        put_path(out, c->files[i].path);
        if (c->files[i].data.ptr)
            put_data(out, c->files[i].data);
    }
    ck_buf_putc(out, '\n');
}

/* Index and files first, then the branch: who is interrupted in between finds the store's changes
 * ready to be committed, not their opposite. Files that were edited since they were looked at make
 * git refuse. */
static int check_out(const struct ck_storegit *g, struct ck_err *err)
{
    const char *const refresh[] = {"update-index", "-q", "--refresh", NULL};
    const char *const both[] = {"read-tree", "-m", "-u", "HEAD", PENDING, NULL};
    const char *const first[] = {"read-tree", "-m", "-u", PENDING, NULL};
    const char *const move[] = {"update-ref", g->ref, PENDING, g->head, NULL};
    int edited; /* read-tree knows better */
    int r = ck_git(g, refresh, CK_S(""), NULL, &edited, err);
    r = r ? r : ck_git(g, *g->head ? both : first, CK_S(""), NULL, NULL, err);
    return r ? r : ck_git(g, move, CK_S(""), NULL, NULL, err);
}

static int write_commits(struct work *w, struct ck_err *err)
{
    const struct ck_storegit *g = w->g;
    CK_AUTOERR ignored = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf stream = {.secret = true};
    ck_buf_puts(&stream, "feature done\n");
    for (size_t i = 0; i < w->n; i++)
        put_commit(&stream, g, &w->v[i], i == 0, i + 1 == w->n);
    ck_buf_puts(&stream, "done\n");
    /* forced: an export that was killed may have left the reference */
    const char *const import[] = {"fast-import", "--quiet", "--force", "--date-format=raw", NULL};
    const char *const forget[] = {"update-ref", "-d", PENDING, NULL};
    int r = ck_git(g, import, ck_buf_slice(&stream), NULL, NULL, err);
    if (r < 0)
        return r;
    r = check_out(g, err);
    (void)ck_git(g, forget, CK_S(""), NULL, NULL, &ignored);
    return r;
}

static int refuse_edits(const struct ck_storegit *g, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf names = CK_BUF_INIT;
    for (size_t i = 0; i < g->edits.n && i < 10; i++)
        ck_buf_fmt(&names, "\n  %s", g->edits.v[i].path);
    return ck_fail(err, CK_CONFLICT,
                   "the tree has %zu edits that are not in the store; import them, or take them "
                   "back:%s",
                   g->edits.n, ck_buf_str(&names));
}

int ck_storegit_export(struct ck_storegit *g, size_t *ret_commits, struct ck_err *err)
{
    struct work w = {.g = g};
    struct ck_journal_changes since = {0};
    *ret_commits = 0;
    if (g->edits.n)
        return refuse_edits(g, err);
    for (size_t i = 0; i < g->tree.n; i++)
        ck_map_put(&w.state, g->tree.v[i].path, (void *)g->tree.v[i].sha);
    int r = add_journal(&w, err);
    if (r == 0)
        add_rest(&w);
    ck_journal_compare(g->a, &g->agreed, &g->tree, &since);
    if (r == 0 && !w.n && since.n) /* edits that were imported: from here on both agree */
        add_commit(&w, &g->opts->who, ck_now_ns(), "The store has these edits");
    if (r == 0 && w.n)
        r = write_commits(&w, err);
    ck_map_done(&w.state);
    *ret_commits = r == 0 ? w.n : 0;
    return r;
}
