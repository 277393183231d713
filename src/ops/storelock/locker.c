/* Locks between a command and its store; see locker.h. */
#include "ops/storelock/locker.h"

#include "base/mem.h"
#include "store/settings.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    DEFAULT_TIMEOUT_MS = 30000,
    /* A write is at most this many requests one after the other (write, look, write again), each
     * with the deadline of an operation: together they end before the lease does. */
    REQUESTS_PER_WRITE = 3,
    PROVE_TRIES = 3,
    RATE_MS = 1100,
    MOST_HELD = 64, /* of a run that changes more clusters than that, the first are given back */
};

static struct ck_locker *locker_of(struct ck_vfs_watch *w)
{
    return (struct ck_locker *)w; /* its first member */
}

/* ---- which cluster a change belongs to ---- */

/* What follows a cluster's name in the keys of its files (store/clusterdelete.c). */
static const char *const PARTS[] = {"config",
                                    "cluster.spec",
                                    "cluster-completed.spec",
                                    "kops-version.txt",
                                    "addons",
                                    "clusteraddons",
                                    "pki",
                                    "secrets",
                                    "instancegroup",
                                    "igconfig",
                                    "manifests",
                                    "backups"};

static bool is_part(struct ck_slice element)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(PARTS); i++)
        if (ck_slice_eq_str(element, PARTS[i]))
            return true;
    return false;
}

static bool is_below(const char *rel, const char *dir)
{
    size_t n = strlen(dir);
    return n && strncmp(rel, dir, n) == 0 && (rel[n] == '/' || !rel[n]);
}

/* The folder of the store that holds the first file or folder of a known name. Cluster names may
 * hold slashes. */
static const char *folder_of(struct ck_arena *a, const char *rel)
{
    struct ck_slice rest = ck_slice_of(rel), element;
    for (bool first = true; ck_slice_next(&rest, '/', &element); first = false)
        if (!first && is_part(element))
            return ck_arena_strndup(a, rel, (size_t)(element.ptr - rel) - 1);
    return ck_arena_strndup(a, rel, strcspn(rel, "/"));
}

/* NULL: no cluster's. */
static const char *cluster_of(struct ck_locker *k, struct ck_arena *a, const struct ck_path *p)
{
    CK_AUTOERR ignored = CK_ERR_INIT;
    const char *rel, *ours = k->opts.cluster && *k->opts.cluster ? *k->opts.cluster : "";
    if (ck_path_relative(a, &k->s->root, p, &rel, &ignored) < 0)
        return *ours ? ours : NULL; /* a key or secret store elsewhere */
    if (is_below(rel, CK_STORE_OWN_DIR) || !*rel)
        return NULL;
    return is_below(rel, ours) || (*ours && k->opts.all_of_cluster) ? ours : folder_of(a, rel);
}

/* ---- holding ---- */

static struct ck_locker_held *find(struct ck_locker *k, const char *cluster)
{
    for (size_t i = 0; i < k->n; i++)
        if (strcmp(k->held[i]->lock.info.cluster, cluster) == 0)
            return k->held[i];
    return NULL;
}

static void give_back(struct ck_lock *l,
                      void (*failed)(const struct ck_lock *l, const struct ck_err *why))
{
    CK_AUTOERR err = CK_ERR_INIT;
    if (!l->adopted && !l->lost && ck_lock_release(l, &err) < 0 && failed)
        failed(l, &err);
    ck_lock_done(l);
}

/* Who changes many clusters is done with the first of them, most likely; otherwise their locks are
 * taken again. */
static void make_room(struct ck_locker *k)
{
    for (size_t i = 0; k->n >= MOST_HELD && i < k->n; i++) {
        if (k->held[i]->changing)
            continue;
        give_back(&k->held[i]->lock, NULL);
        memmove(&k->held[i], &k->held[i + 1], (k->n - i - 1) * sizeof k->held[0]);
        k->n--;
        return;
    }
}

static int is_wanted(struct ck_locker *k, bool *ret, struct ck_err *err)
{
    int r = 0;
    if (!k->asked && k->opts.wish == CK_LOCK_AS_STORE_SAYS && k->opts.wanted)
        r = k->opts.wanted(k->opts.arg, &k->wanted, err);
    k->asked = r == 0;
    *ret = k->opts.wish == CK_LOCK_YES || k->wanted;
    return r;
}

/* Whether the user holds, or believes to hold, the lock of this cluster. */
static int find_token(struct ck_locker *k, const char *cluster, char token[CK_LOCK_TOKEN_SIZE],
                      bool *ret, struct ck_err *err)
{
    const char *dir = k->opts.token_dir;
    char key[CK_LOCK_KEY_SIZE];
    *ret = false;
    /* most have no tokens: then no digest is needed, and libcrypto is not loaded */
    if (!k->opts.tokens && !(dir && access(dir, F_OK) == 0))
        return 0;
    int r = ck_lock_key(k->s, cluster, key, err);
    if (r == 0)
        *ret = ck_lock_token_find(k->opts.tokens, dir, key, token);
    return r;
}

static int take(struct ck_locker *k, const char *cluster, struct ck_locker_held **ret,
                struct ck_err *err)
{
    char token[CK_LOCK_TOKEN_SIZE];
    bool have, wanted = false;
    *ret = NULL;
    int r = find_token(k, cluster, token, &have, err);
    if (r == 0 && !have)
        r = is_wanted(k, &wanted, err);
    if (r < 0)
        return r;
    if (!have && !wanted) {
        ck_map_put(&k->free, cluster, k);
        return 0;
    }
    make_room(k);
    struct ck_locker_held *h = ck_arena_alloc(k->a, sizeof *h);
    struct ck_lock *l = &h->lock;
    h->proven = ck_locker_arrive(k);
    r = have ? ck_lock_adopt(l, k->s, cluster, token, &k->opts.lock, err)
             : ck_lock_take(l, k->s, cluster, &k->opts.lock, err);
    if (r < 0) {
        ck_lock_done(l);
        return r;
    }
    if (k->n == k->cap)
        ck_xgrow(&k->held, &k->cap, k->n + 1, sizeof(*k->held));
    k->held[k->n++] = *ret = h;
    if (!have && k->opts.taken)
        k->opts.taken(k->opts.arg);
    return 0;
}

int ck_locker_take(struct ck_locker *k, const char *cluster, struct ck_err *err)
{
    struct ck_locker_held *h;
    if (k->opts.wish == CK_LOCK_NO || find(k, cluster) || ck_map_has(&k->free, cluster))
        return 0;
    k->watch.busy = true; /* the lock's own writes */
    int r = take(k, cluster, &h, err);
    k->watch.busy = false;
    return r;
}

/* ---- proving ---- */

/* Google Cloud Storage takes one write of an object per second: between two renewals, reading must
 * do. A lease is at least two seconds, so it has not ended by then. */
static bool spare_writes(const struct ck_lock *l)
{
    return strcmp(l->s->root.vfs->ops->scheme, "gs") == 0 &&
           l->info.lease_ms - ck_lock_left(l) < RATE_MS && ck_lock_left(l) > l->info.lease_ms / 2;
}

static int prove(struct ck_locker *k, struct ck_locker_held *h, struct ck_err *err)
{
    h->proven = ck_locker_arrive(k);
    return spare_writes(&h->lock) ? ck_lock_prove_by_reading(&h->lock, err)
                                  : ck_lock_prove(&h->lock, err);
}

/* No request of the change may be under way when the lease ends: its deadline is a part of what is
 * left. */
static int let_through(struct ck_locker *k, struct ck_locker_held *h, bool proven,
                       struct ck_vfs_ctx *ctx, struct ck_locker_pass *pass, struct ck_err *err)
{
    for (int tries = 0; tries < PROVE_TRIES; tries++, proven = false) {
        int r = proven ? 0 : prove(k, h, err);
        if (r < 0)
            return r;
        int64_t most = ck_lock_left(&h->lock) / REQUESTS_PER_WRITE;
        if (most <= 0)
            continue; /* the proof took longer than the lease */
        int64_t usual = ctx->timeout_ms > 0 ? ctx->timeout_ms : DEFAULT_TIMEOUT_MS;
        pass->held = h;
        pass->shortened = ctx;
        pass->timeout_ms = ctx->timeout_ms;
        ctx->timeout_ms = usual < most ? usual : most;
        h->changing++;
        k->changing++;
        return 0;
    }
    return ck_fail(err, CK_TIMEOUT,
                   "renewing the lock of cluster \"%s\" takes longer than its lease of %lld ms; "
                   "nothing is written (--lock-lease)",
                   h->lock.info.cluster, (long long)h->lock.info.lease_ms);
}

static int each_held(struct ck_locker *k, bool all, struct ck_err *err)
{
    bool was = k->watch.busy;
    int r = 0;
    k->watch.busy = true; /* the locks' own writes */
    for (size_t i = 0; r == 0 && i < k->n; i++) {
        const struct ck_lock *l = &k->held[i]->lock;
        if (all || ck_lock_left(l) < l->info.lease_ms / 2)
            r = prove(k, k->held[i], err);
    }
    k->watch.busy = was;
    return r;
}

int ck_locker_keep(struct ck_locker *k, struct ck_err *err)
{
    return each_held(k, false, err);
}

int ck_locker_prove(struct ck_locker *k, struct ck_err *err)
{
    return each_held(k, true, err);
}

static int relabel(struct ck_err *err)
{
    if (err)
        err->code = CK_LOCKED;
    return -(int)CK_LOCKED;
}

uint64_t ck_locker_arrive(struct ck_locker *k)
{
    return atomic_fetch_add(&k->moment, 1) + 1;
}

int ck_locker_enter(struct ck_locker *k, const struct ck_path *p, struct ck_vfs_ctx *ctx,
                    uint64_t arrived, struct ck_locker_pass *pass, struct ck_err *err)
{
    if (k->opts.wish == CK_LOCK_NO)
        return 0;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const char *cluster = cluster_of(k, a, p);
    if (!cluster || ck_map_has(&k->free, cluster))
        return 0;
    ck_locker_leave(k, pass);
    struct ck_locker_held *h = find(k, cluster);
    int r = h ? 0 : take(k, cluster, &h, err);
    if (r == 0 && h)
        r = let_through(k, h, h->proven > arrived, ctx, pass, err);
    pass->of = p;
    /* these would be taken for an answer about the object that was to be written */
    if (r == -(int)CK_CONFLICT || r == -(int)CK_EXISTS || r == -(int)CK_NOT_FOUND)
        r = relabel(err);
    return r;
}

void ck_locker_leave(struct ck_locker *k, struct ck_locker_pass *pass)
{
    if (!pass->held)
        return;
    pass->shortened->timeout_ms = pass->timeout_ms;
    pass->held->changing--;
    k->changing--;
    pass->held = NULL;
}

static int before(struct ck_vfs_watch *w, const struct ck_vfs_change *c, struct ck_err *err)
{
    struct ck_locker *k = locker_of(w);
    return ck_locker_enter(k, c->path, c->path->vfs->ctx, ck_locker_arrive(k), &k->pass, err);
}

static void after(struct ck_vfs_watch *w, const struct ck_vfs_change *c, int result)
{
    struct ck_locker *k = locker_of(w);
    /* other watches make changes of their own in between */
    if (k->pass.of == c->path)
        ck_locker_leave(k, &k->pass);
}

/* A lock need not see contents. */
static bool streams(struct ck_vfs_watch *w, const struct ck_path *p)
{
    return true;
}

void ck_locker_start(struct ck_locker *k, const struct ck_store *s,
                     const struct ck_locker_opts *opts)
{
    *k = (struct ck_locker){.watch = {.before = before, .after = after, .streams = streams},
                            .s = s,
                            .opts = *opts,
                            .a = ck_arena_new()};
    struct ck_vfs_watch **at = &s->vfs->watch;
    while (*at)
        at = &(*at)->next;
    *at = &k->watch;
}

void ck_locker_end(struct ck_locker *k,
                   void (*failed)(const struct ck_lock *l, const struct ck_err *why))
{
    if (!k->a)
        return;
    k->watch.busy = true;
    for (size_t i = 0; i < k->n; i++)
        give_back(&k->held[i]->lock, failed);
    free(k->held);
    ck_map_done(&k->free);
    ck_arena_free(k->a);
    struct ck_vfs_watch **at = &k->s->vfs->watch;
    while (*at && *at != &k->watch)
        at = &(*at)->next;
    if (*at)
        *at = k->watch.next;
    *k = (struct ck_locker){.n = 0};
}
