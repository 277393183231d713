/* Noting what a command changes, as the store's watch, and writing it down at the end. The content
 * before a change is read before the change is made: afterwards it is gone. */
#include "ops/journal/internal.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "store/keyset.h"

#include <stdlib.h>
#include <string.h>

enum { ID_TRIES = 5 };

/* One file of one cluster, from its first change to its last. */
struct note {
    const char *cluster, *path;
    struct ck_path at;
    struct ck_journal_state *before; /* NULL: not looked at */
    struct ck_journal_state *after;  /* NULL: nothing has changed so far */
    bool unsure;                     /* the store did not say whether it changed */
    int64_t ns, pending_ns;          /* of the last change; of the one under way */
};

struct ck_journal {
    struct ck_vfs_watch watch; /* first: the VFS knows this address only */
    const struct ck_store *s;
    ck_journal_ask_fn ask;
    void *arg;
    bool asked, wanted;
    struct ck_journal_who who;
    struct ck_arena *a;  /* made with the first note: what it holds may be keys */
    struct ck_map notes; /* by path in the store */
    struct note **tree;  /* files of the folder that is being removed */
    size_t n_tree;
    int64_t last_ns;
    size_t kept; /* bytes of contents */
};

struct ck_journal_state *ck_journal_state_of(struct ck_arena *a, struct ck_slice data)
{
    struct ck_journal_state *s = ck_arena_alloc(a, sizeof *s);
    ck_sha256_hex(data, s->sha);
    if (data.len <= CK_JOURNAL_FILE_MAX)
        s->data = ck_arena_slice(a, data);
    return s;
}

static struct ck_journal_state *absent(struct ck_arena *a)
{
    return ck_arena_alloc(a, sizeof(struct ck_journal_state));
}

/* Beyond a run's limit only digests are noted: a copy changes more than memory holds. */
static struct ck_journal_state *state_of(struct ck_journal *j, struct ck_slice data)
{
    struct ck_journal_state *s;
    if (data.len <= CK_JOURNAL_RUN_MAX - j->kept) {
        s = ck_journal_state_of(j->a, data);
    } else {
        s = absent(j->a);
        ck_sha256_hex(data, s->sha);
    }
    j->kept += s->data.len;
    return s;
}

/* ---- noting ---- */

static int wanted(struct ck_journal *j, struct ck_err *err)
{
    if (!j->asked) {
        int r = j->ask(j->arg, &j->wanted, &j->who, err);
        if (r < 0)
            return r;
        j->asked = true;
    }
    if (j->wanted && !j->a)
        j->a = ck_keyset_arena();
    return 0;
}

/* The path below the store, or NULL: somewhere else. By text: a key store may reach the same folder
 * through another container. */
static const char *below_store(const struct ck_journal *j, struct ck_arena *a,
                               const struct ck_path *p)
{
    const char *root = ck_path_text(a, &j->s->root), *text = ck_path_text(a, p);
    size_t n = strlen(root);
    if (strncmp(root, text, n) != 0)
        return NULL;
    if (n && root[n - 1] == '/')
        return text + n;
    return text[n] == '/' ? text + n + 1 : NULL;
}

static struct note *note_of(struct ck_journal *j, const char *rel, const struct ck_path *at)
{
    struct note *n = ck_map_get(&j->notes, rel);
    const char *cluster, *path;
    if (n || !ck_journal_split(j->a, ck_arena_strdup(j->a, rel), &cluster, &path))
        return n;
    n = ck_arena_alloc(j->a, sizeof *n);
    *n = (struct note){
        .cluster = cluster, .path = path, .at = {at->vfs, ck_arena_strdup(j->a, at->key)}};
    ck_map_put(&j->notes, rel, n);
    return n;
}

static int64_t next_ns(struct ck_journal *j)
{
    int64_t now = ck_now_ns();
    j->last_ns = now > j->last_ns ? now : j->last_ns + 1;
    return j->last_ns;
}

/* What is there now. */
static int look(struct ck_journal *j, const struct note *n, struct ck_journal_state **ret,
                struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = {.secret = true};
    int r = ck_vfs_read(&n->at, &b, NULL, err);
    if (r == -(int)CK_NOT_FOUND) {
        ck_err_done(err);
        *ret = absent(j->a);
        return 0;
    }
    if (r < 0)
        return ck_wrap(err, "the journal cannot keep what is there");
    *ret = state_of(j, ck_buf_slice(&b));
    return 0;
}

static int begin(struct ck_journal *j, struct note *n, bool made_only, struct ck_err *err)
{
    n->pending_ns = next_ns(j);
    if (n->after) /* what is there now is ours */
        return 0;
    if (made_only) { /* the store refuses when there is something */
        n->before = absent(j->a);
        return 0;
    }
    return look(j, n, &n->before, err);
}

struct bulk {
    struct ck_journal *j;
    struct note **v;
};

static int one_of_tree(void *arg, size_t i, struct ck_slice data, const struct ck_version *version,
                       struct ck_err *item_err)
{
    const struct bulk *b = arg;
    if (item_err->code == CK_OK)
        b->v[i]->before = state_of(b->j, data);
    else if (item_err->code == CK_NOT_FOUND)
        b->v[i]->before = absent(b->j->a);
    return 0; /* what could not be read is told apart by its missing state */
}

static int begin_tree(struct ck_journal *j, const struct ck_path *p, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_entries found = {0};
    j->n_tree = 0;
    int r = ck_vfs_tree(p, a, &found, err);
    if (r == -(int)CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    if (r < 0)
        return ck_wrap(err, "the journal cannot keep what is there");
    const char **keys = ck_arena_alloc(a, (found.n + 1) * sizeof *keys);
    struct bulk b = {j, ck_arena_alloc(a, (found.n + 1) * sizeof *b.v)};
    size_t n = 0;
    j->tree = ck_arena_alloc(j->a, (found.n + 1) * sizeof(struct note *));
    for (size_t i = 0; i < found.n; i++) {
        struct ck_path at = {p->vfs, found.v[i].key};
        const char *rel = below_store(j, a, &at);
        struct note *x = rel ? note_of(j, rel, &at) : NULL;
        if (!x)
            continue;
        x->pending_ns = next_ns(j);
        j->tree[j->n_tree++] = x;
        if (x->after)
            continue;
        x->before = NULL;
        keys[n] = at.key;
        b.v[n++] = x;
    }
    r = n ? ck_vfs_read_many(p, keys, n, one_of_tree, &b, err) : 0;
    for (size_t i = 0; r == 0 && i < n; i++)
        if (!b.v[i]->before) /* once more, for its error */
            r = look(j, b.v[i], &b.v[i]->before, err);
    return r;
}

static int before(struct ck_vfs_watch *w, const struct ck_vfs_change *c, struct ck_err *err)
{
    struct ck_journal *j = (struct ck_journal *)w;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const char *rel = below_store(j, a, c->path);
    if (!rel || ck_str_starts(rel, CK_STORE_OWN_DIR "/"))
        return 0;
    int r = wanted(j, err);
    if (r < 0 || !j->wanted)
        return r;
    if (c->kind == CK_CHANGE_REMOVE_TREE)
        return begin_tree(j, c->path, err);
    struct note *n = note_of(j, rel, c->path);
    return n ? begin(j, n, c->opts && c->opts->mode == CK_WRITE_CREATE, err) : 0;
}

/* ---- what came of it ---- */

static void settle(struct ck_journal *j, struct note *n, int result, struct ck_journal_state *after)
{
    bool refused =
        result == -(int)CK_CONFLICT || result == -(int)CK_EXISTS || result == -(int)CK_NOT_FOUND;
    if (refused)
        return;
    n->ns = n->pending_ns;
    n->unsure = result < 0;
    n->after = after;
}

static void after(struct ck_vfs_watch *w, const struct ck_vfs_change *c, int result)
{
    struct ck_journal *j = (struct ck_journal *)w;
    if (!j->wanted)
        return;
    if (c->kind == CK_CHANGE_REMOVE_TREE) {
        for (size_t i = 0; i < j->n_tree; i++)
            settle(j, j->tree[i], result, absent(j->a));
        j->n_tree = 0;
        return;
    }
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const char *rel = below_store(j, a, c->path);
    struct note *n = rel ? ck_map_get(&j->notes, rel) : NULL;
    if (n)
        settle(j, n, result, c->kind == CK_CHANGE_WRITE ? state_of(j, c->data) : absent(j->a));
}

/* Only what is not recorded can go by in pieces. */
static bool streams(struct ck_vfs_watch *w, const struct ck_path *p)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const char *rel = below_store((struct ck_journal *)w, a, p), *cluster, *path;
    return !rel || !ck_journal_split(a, rel, &cluster, &path);
}

/* ---- entries ---- */

struct keeping {
    struct ck_arena *a;
    struct ck_journal_entry *e;
    size_t cap;
    struct ck_buf contents;
};

static void keep(struct keeping *k, const struct ck_journal_state *s)
{
    if (!*s->sha || !s->data.ptr || s->data.len > CK_JOURNAL_TOTAL_MAX - k->contents.len)
        return;
    for (size_t i = 0; i < k->e->n_contents; i++)
        if (strcmp(k->e->contents[i].sha, s->sha) == 0)
            return;
    k->e->contents[k->e->n_contents++] = (struct ck_journal_content){s->sha, (int64_t)s->data.len};
    ck_buf_put(&k->contents, s->data);
}

/* Whether exactly these bytes are there: the answer to our own write was lost. */
static bool is_ours(const struct ck_path *p, struct ck_slice data)
{
    CK_AUTOERR ignored = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf b = {.secret = true};
    return ck_vfs_read(p, &b, NULL, &ignored) == 0 && ck_slice_eq(ck_buf_slice(&b), data);
}

static int write_entry(const struct ck_store *s, struct ck_journal_entry *e,
                       struct ck_slice contents, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_path dir, at;
    const struct ck_write_opts opts = {.mode = CK_WRITE_CREATE};
    int r = ck_journal_dir(a, s, e->cluster, &dir, err);
    for (int i = 0; r == 0 && i < ID_TRIES; i++) {
        CK_AUTOBUF struct ck_buf b = {.secret = true};
        char id[40];
        ck_journal_make_id(e->from_ns, id);
        e->id = id;
        ck_journal_encode(e, contents, &b);
        r = ck_path_join(a, &dir, id, &at, err);
        if (r == 0)
            r = ck_vfs_write(&at, ck_buf_slice(&b), &opts, NULL, err);
        e->id = NULL;
        if (r != -(int)CK_EXISTS)
            break;
        ck_err_done(err);
        r = 0;
        if (is_ours(&at, ck_buf_slice(&b)))
            break;
    }
    return r;
}

static int by_path(const void *x, const void *y)
{
    const struct ck_journal_file *a = x, *b = y;
    return strcmp(a->path, b->path);
}

static int by_note_path(const void *x, const void *y)
{
    return strcmp((*(struct note *const *)x)->path, (*(struct note *const *)y)->path);
}

static int write_notes(struct ck_journal *j, const char *cluster, struct note **v, size_t n,
                       struct ck_err *err)
{
    struct ck_journal_entry e = {
        .cluster = cluster, .user = j->who.user, .host = j->who.host, .command = j->who.command};
    e.files = ck_arena_alloc(j->a, n * sizeof *e.files);
    e.contents = ck_arena_alloc(j->a, 2 * n * sizeof *e.contents);
    struct keeping k = {.a = j->a, .e = &e, .contents = {.secret = true}};
    qsort(v, n, sizeof(struct note *), by_note_path);
    for (size_t i = 0; i < n; i++) {
        e.files[e.n_files++] = (struct ck_journal_file){.path = v[i]->path,
                                                        .before = v[i]->before->sha,
                                                        .after = v[i]->after->sha,
                                                        .at_ns = v[i]->ns};
        e.from_ns = i == 0 || v[i]->ns < e.from_ns ? v[i]->ns : e.from_ns;
        e.to_ns = v[i]->ns > e.to_ns ? v[i]->ns : e.to_ns;
        keep(&k, v[i]->before); /* beside each other: the second costs next to nothing */
        keep(&k, v[i]->after);
    }
    int r = write_entry(j->s, &e, ck_buf_slice(&k.contents), err);
    ck_buf_done(&k.contents);
    return r;
}

/* Whether the note has something to say; what the store left open is looked at. */
static int changed(struct ck_journal *j, struct note *n, bool *ret, struct ck_err *err)
{
    int r = n->after && n->unsure ? look(j, n, &n->after, err) : 0;
    n->unsure = n->unsure && r < 0;
    *ret = r == 0 && n->after && n->before && strcmp(n->before->sha, n->after->sha) != 0;
    return r;
}

/* The entry of one cluster, whose first note is the `from`-th. */
static int flush_cluster(struct ck_journal *j, const char *cluster, size_t from, struct ck_err *err)
{
    struct note **v = ck_arena_alloc(j->a, j->notes.n * sizeof(struct note *));
    size_t n = 0;
    for (size_t i = from; i < j->notes.n; i++) {
        struct note *x = j->notes.e[i].val;
        bool has = false;
        if (strcmp(x->cluster, cluster) != 0)
            continue;
        if (changed(j, x, &has, err) < 0)
            return -(int)err->code;
        if (has)
            v[n++] = x;
    }
    return n ? write_notes(j, cluster, v, n, err) : 0;
}

/* One cluster's failure leaves the others their entries; the first is reported. */
static int flush_all(struct ck_journal *j, struct ck_err *err)
{
    struct ck_map clusters = {0};
    int r = 0;
    for (size_t i = 0; i < j->notes.n; i++) {
        struct note *first = j->notes.e[i].val;
        CK_AUTOERR e = CK_ERR_INIT;
        if (ck_map_put(&clusters, first->cluster, first) &&
            flush_cluster(j, first->cluster, i, &e) < 0 && r == 0)
            r = ck_err_move(err, &e);
    }
    ck_map_done(&clusters);
    return r;
}

int ck_journal_flush(struct ck_journal *j, struct ck_err *err)
{
    if (!j->notes.n)
        return 0;
    j->watch.busy = true; /* what is written here is no change of a cluster */
    int r = flush_all(j, err);
    j->watch.busy = false;
    ck_map_done(&j->notes);
    j->notes = (struct ck_map){0};
    return r < 0 ? ck_wrap(err, "the change was made, but could not be recorded in the journal")
                 : 0;
}

struct ck_journal *ck_journal_start(const struct ck_store *s, ck_journal_ask_fn ask, void *arg)
{
    struct ck_journal *j = ck_xcalloc(1, sizeof *j);
    *j = (struct ck_journal){
        .watch = {.before = before, .after = after, .streams = streams, .next = s->vfs->watch},
        .s = s,
        .ask = ask,
        .arg = arg};
    s->vfs->watch = &j->watch;
    return j;
}

void ck_journal_free(struct ck_journal *j)
{
    if (!j)
        return;
    for (struct ck_vfs_watch **w = &j->s->vfs->watch; *w; w = &(*w)->next) {
        if (*w == &j->watch) {
            *w = j->watch.next;
            break;
        }
    }
    ck_map_done(&j->notes);
    ck_arena_free(j->a);
    free(j);
}

/* ---- snapshots ---- */

int ck_journal_snapshot(const struct ck_store *s, const char *cluster,
                        const struct ck_journal_who *who, size_t *ret_files, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_keyset_arena();
    struct ck_journal_view now = {0};
    int64_t ns = ck_now_ns();
    int r = ck_journal_now(a, s, cluster, &now, err);
    if (r < 0)
        return r;
    if (!now.n)
        return ck_fail(err, CK_NOT_FOUND, "cluster \"%s\" has no files in the store", cluster);
    struct ck_journal_entry e = {.cluster = cluster,
                                 .user = who->user,
                                 .host = who->host,
                                 .command = who->command,
                                 .from_ns = ns,
                                 .to_ns = ns,
                                 .snapshot = true};
    e.files = ck_arena_alloc(a, now.n * sizeof *e.files);
    e.contents = ck_arena_alloc(a, now.n * sizeof *e.contents);
    struct keeping k = {.a = a, .e = &e, .contents = {.secret = true}};
    for (size_t i = 0; i < now.n; i++) {
        const struct ck_journal_state *x = ck_journal_state_of(a, now.v[i].data);
        e.files[e.n_files++] =
            (struct ck_journal_file){now.v[i].path, now.v[i].sha, now.v[i].sha, ns};
        keep(&k, x);
    }
    qsort(e.files, e.n_files, sizeof *e.files, by_path);
    r = write_entry(s, &e, ck_buf_slice(&k.contents), err);
    ck_buf_done(&k.contents);
    *ret_files = e.n_files;
    return r;
}
