/* Reading tree and store, and what differs between them. */
#include "ops/storegit/internal.h"

#include "base/file.h"
#include "ops/storetools/internal.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what belongs to it ---- */

static bool is_configuration(const char *rest)
{
    return strcmp(rest, "config") == 0 || ck_str_starts(rest, "instancegroup/") ||
           ck_str_starts(rest, "clusteraddons/") || ck_str_starts(rest, "pki/ssh/");
}

/* Names that mean something to git, on some file system or other. */
static bool is_gits(const char *path)
{
    struct ck_slice rest = ck_slice_of(path), part;
    while (ck_slice_next(&rest, '/', &part))
        if (part.len >= 4 &&
            (strncasecmp(part.ptr, ".git", 4) == 0 || strncasecmp(part.ptr, "git~", 4) == 0))
            return true;
    return false;
}

bool ck_storegit_wants(const struct ck_storegit *g, const char *path, const char **ret_cluster,
                       const char **ret_rest)
{
    if (!ck_journal_split(g->a, path, ret_cluster, ret_rest) || is_gits(path))
        return false;
    if (g->opts->clusters->n && !ck_strv_has(g->opts->clusters, *ret_cluster))
        return false;
    return is_configuration(*ret_rest) || (g->opts->secrets && ck_journal_is_secret(*ret_rest));
}

/* ---- the folder ---- */

static bool is_empty(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *e = NULL;
    bool empty = d != NULL;
    while (d && (e = readdir(d)) != NULL)
        empty &= strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    if (d)
        closedir(d);
    return empty;
}

/* A tree in the store would be taken for clusters of it. */
static int refuse_inside(const struct ck_storegit *g, struct ck_err *err)
{
    const struct ck_path *root = &g->s->root;
    if (!root->vfs->ops->absolute_keys ||
        !ck_copy_within(ck_copy_real(g->a, g->opts->dir), ck_copy_real(g->a, root->key)))
        return 0;
    return ck_fail(err, CK_INVALID, "%s lies in the store %s: a tree has a folder of its own",
                   g->opts->dir, g->s->url);
}

static int open_folder(struct ck_storegit *g, struct ck_err *err)
{
    const char *dir = g->opts->dir;
    char resolved[PATH_MAX];
    struct stat st;
    int r = *dir ? refuse_inside(g, err) : ck_fail(err, CK_INVALID, "--git is empty");
    bool made = r == 0 && g->opts->create && stat(dir, &st) < 0 && errno == ENOENT;
    if (made)
        r = ck_mkdirs(dir, 0700, err);
    if (r == 0 && !realpath(dir, resolved))
        r = ck_fail_errno(err, errno, "%s", dir);
    if (r < 0)
        return r;
    g->dir = ck_arena_strdup(g->a, resolved);
    if (lstat(ck_arena_printf(g->a, "%s/.git", g->dir), &st) == 0)
        return 0;
    if (!g->opts->create || !is_empty(g->dir))
        return ck_fail(err, CK_INVALID, "%s is no git tree%s", dir,
                       g->opts->create ? ", and not empty" : "");
    r = ck_git(g, (const char *const[]){"init", "-q", NULL}, CK_S(""), NULL, NULL, err);
    if (r < 0 && made)
        (void)rmdir(g->dir);
    return r;
}

static int open_tree(struct ck_storegit *g, struct ck_err *err)
{
    const char *changed = NULL;
    int r = open_folder(g, err);
    r = r ? r
          : ck_git_line(g, (const char *const[]){"symbolic-ref", "-q", "HEAD", NULL}, &g->ref, err);
    if (r == 0 && !ck_str_starts(g->ref, "refs/heads/"))
        return ck_fail(err, CK_INVALID, "%s is on no branch", g->opts->dir);
    r = r ? r
          : ck_git_line(g,
                        (const char *const[]){"rev-parse", "-q", "--verify", "HEAD^{commit}", NULL},
                        &g->head, err);
    /* whatever the user's configuration says: what it does not show would be overwritten */
    r = r ? r
          : ck_git_line(
                g, (const char *const[]){"status", "--porcelain", "--untracked-files=normal", NULL},
                &changed, err);
    if (r == 0 && *changed)
        return ck_fail(err, CK_INVALID, "%s has changes that are not committed: %.100s",
                       g->opts->dir, changed);
    return r;
}

/* ---- the store ---- */

static void add_cluster(struct ck_storegit *g, const char *name, const struct ck_journal_view *now,
                        size_t *cap)
{
    struct ck_journal_view *all = &g->store;
    for (size_t i = 0; i < now->n; i++) {
        const char *cluster, *rest;
        const char *path = ck_arena_printf(g->a, "%s/%s", name, now->v[i].path);
        if (!ck_storegit_wants(g, path, &cluster, &rest))
            continue;
        if (all->n == *cap) {
            *cap = *cap ? *cap * 2 : 64;
            struct ck_journal_seen *v = ck_arena_alloc(g->a, *cap * sizeof *v);
            if (all->n)
                memcpy(v, all->v, all->n * sizeof *v);
            all->v = v;
        }
        all->v[all->n] = now->v[i];
        all->v[all->n++].path = path;
    }
}

static int by_path(const void *x, const void *y)
{
    const struct ck_journal_seen *a = x, *b = y;
    return strcmp(a->path, b->path);
}

static bool in_tree(const struct ck_storegit *g, const char *cluster)
{
    size_t n = strlen(cluster);
    for (size_t i = 0; i < g->tree.n; i++)
        if (strncmp(g->tree.v[i].path, cluster, n) == 0 && g->tree.v[i].path[n] == '/')
            return true;
    return false;
}

static int read_store(struct ck_storegit *g, struct ck_err *err)
{
    CK_AUTOSTRV names = {0};
    size_t cap = 0;
    int r = 0;
    g->store = (struct ck_journal_view){.now = true};
    if (g->opts->clusters->n == 0)
        r = ck_cluster_names(g->s, &names, err);
    for (size_t i = 0; i < g->opts->clusters->n; i++)
        ck_strv_push(&names, g->opts->clusters->v[i]);
    for (size_t i = 0; r == 0 && i < names.n; i++) {
        struct ck_journal_view now;
        r = ck_journal_now(g->a, g->s, names.v[i], &now, err);
        if (r == 0 && now.n == 0 && !in_tree(g, names.v[i]))
            r = ck_fail(err, CK_NOT_FOUND, "cluster \"%s\" is neither in the store nor in the tree",
                        names.v[i]);
        if (r == 0)
            add_cluster(g, names.v[i], &now, &cap);
    }
    if (g->store.n > 1)
        qsort(g->store.v, g->store.n, sizeof *g->store.v, by_path);
    return r;
}

/* Edits of the tree that the store does not have. */
static void find_edits(struct ck_storegit *g)
{
    size_t n = 0;
    ck_journal_compare(g->a, &g->agreed, &g->tree, &g->edits);
    for (size_t i = 0; i < g->edits.n; i++) {
        const struct ck_journal_seen *x = ck_journal_find(&g->store, g->edits.v[i].path);
        if (strcmp(x ? x->sha : "", g->edits.v[i].to) != 0)
            g->edits.v[n++] = g->edits.v[i];
    }
    g->edits.n = n;
}

int ck_storegit_open(struct ck_arena *a, const struct ck_store *s,
                     const struct ck_storegit_opts *opts, struct ck_storegit *ret,
                     struct ck_err *err)
{
    *ret = (struct ck_storegit){.a = a, .s = s, .opts = opts, .head = "", .dir = "/"};
    /* one name for a folder, however it is written */
    ret->mark = ck_arena_printf(a, "<%s>",
                                s->root.vfs->ops->absolute_keys ? ck_copy_real(a, s->root.key)
                                                                : ck_path_text(a, &s->root));
    int r = open_tree(ret, err);
    r = r ? r : ck_git_tree(ret, ret->head, &ret->tree, err);
    r = r ? r : ck_storegit_agreed(ret, err);
    r = r ? r : read_store(ret, err);
    if (r < 0)
        return r;
    ck_journal_compare(a, &ret->tree, &ret->store, &ret->drift);
    find_edits(ret);
    return 0;
}
