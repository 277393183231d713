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
    return is_below(rel, ours) ? ours : folder_of(a, rel);
}

/* ---- holding ---- */

static struct ck_lock *find(struct ck_locker *k, const char *cluster)
{
    for (size_t i = 0; i < k->n; i++)
        if (strcmp(k->held[i]->info.cluster, cluster) == 0)
            return k->held[i];
    return NULL;
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

static int take(struct ck_locker *k, const char *cluster, struct ck_lock **ret, struct ck_err *err)
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
        ck_strv_push(&k->free, cluster);
        return 0;
    }
    struct ck_lock *l = ck_arena_alloc(k->a, sizeof *l);
    r = have ? ck_lock_adopt(l, k->s, cluster, token, &k->opts.lock, err)
             : ck_lock_take(l, k->s, cluster, &k->opts.lock, err);
    if (r < 0) {
        ck_lock_done(l);
        return r;
    }
    if (k->n == k->cap)
        ck_xgrow(&k->held, &k->cap, k->n + 1, sizeof(*k->held));
    k->held[k->n++] = *ret = l;
    if (!have && k->opts.taken)
        k->opts.taken(k->opts.arg);
    return 0;
}

int ck_locker_take(struct ck_locker *k, const char *cluster, struct ck_err *err)
{
    struct ck_lock *l;
    if (k->opts.wish == CK_LOCK_NO || find(k, cluster) || ck_strv_has(&k->free, cluster))
        return 0;
    k->watch.busy = true; /* the lock's own writes */
    int r = take(k, cluster, &l, err);
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

/* No request of the change may be under way when the lease ends: its deadline is a part of what is
 * left. */
static int prove(struct ck_locker *k, struct ck_lock *l, bool proven, struct ck_vfs_ctx *ctx,
                 struct ck_err *err)
{
    for (int tries = 0; tries < PROVE_TRIES; tries++, proven = false) {
        int r = 0;
        if (!proven)
            r = spare_writes(l) ? ck_lock_prove_by_reading(l, err) : ck_lock_prove(l, err);
        if (r < 0)
            return r;
        int64_t most = ck_lock_left(l) / REQUESTS_PER_WRITE;
        if (most <= 0)
            continue; /* the proof took longer than the lease */
        int64_t usual = ctx->timeout_ms > 0 ? ctx->timeout_ms : DEFAULT_TIMEOUT_MS;
        k->timeout_ms = ctx->timeout_ms;
        k->shortened = ctx;
        ctx->timeout_ms = usual < most ? usual : most;
        return 0;
    }
    return ck_fail(err, CK_TIMEOUT,
                   "renewing the lock of cluster \"%s\" takes longer than its lease of %lld ms; "
                   "nothing is written (--lock-lease)",
                   l->info.cluster, (long long)l->info.lease_ms);
}

static void end_change(struct ck_locker *k)
{
    if (k->shortened)
        k->shortened->timeout_ms = k->timeout_ms;
    k->shortened = NULL;
    k->current = NULL;
    k->changing = 0;
}

static int relabel(struct ck_err *err)
{
    if (err)
        err->code = CK_LOCKED;
    return -(int)CK_LOCKED;
}

static int before(struct ck_vfs_watch *w, const struct ck_vfs_change *c, struct ck_err *err)
{
    struct ck_locker *k = locker_of(w);
    if (k->opts.wish == CK_LOCK_NO)
        return 0;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const char *cluster = cluster_of(k, a, c->path);
    if (!cluster || ck_strv_has(&k->free, cluster))
        return 0;
    end_change(k); /* of a change that another watch refused */
    struct ck_lock *held = find(k, cluster), *l = held;
    int r = held ? 0 : take(k, cluster, &l, err);
    if (r == 0 && l)
        r = prove(k, l, !held, c->path->vfs->ctx, err);
    k->changing = r == 0 && l;
    k->current = k->changing ? c->path : NULL;
    /* these would be taken for an answer about the object that was to be written */
    if (r == -(int)CK_CONFLICT || r == -(int)CK_EXISTS || r == -(int)CK_NOT_FOUND)
        r = relabel(err);
    return r;
}

static void after(struct ck_vfs_watch *w, const struct ck_vfs_change *c, int result)
{
    /* other watches make changes of their own in between */
    if (locker_of(w)->current == c->path)
        end_change(locker_of(w));
}

void ck_locker_start(struct ck_locker *k, const struct ck_store *s,
                     const struct ck_locker_opts *opts)
{
    *k = (struct ck_locker){
        .watch = {.before = before, .after = after}, .s = s, .opts = *opts, .a = ck_arena_new()};
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
    for (size_t i = 0; i < k->n; i++) {
        struct ck_lock *l = k->held[i];
        CK_AUTOERR err = CK_ERR_INIT;
        if (!l->adopted && !l->lost && ck_lock_release(l, &err) < 0 && failed)
            failed(l, &err);
        ck_lock_done(l);
    }
    free(k->held);
    ck_strv_done(&k->free);
    ck_arena_free(k->a);
    struct ck_vfs_watch **at = &k->s->vfs->watch;
    while (*at && *at != &k->watch)
        at = &(*at)->next;
    if (*at)
        *at = k->watch.next;
    *k = (struct ck_locker){.n = 0};
}
