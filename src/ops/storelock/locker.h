/* The locks of one run: a watch over a store that lets a change of a cluster through only while
 * the cluster's lock is proven to be held. */
#pragma once

#include "base/map.h"
#include "ops/storelock/lock.h"

#include <signal.h>
#include <stdatomic.h>

enum ck_lock_wish {
    CK_LOCK_AS_STORE_SAYS, /* and where the user holds a lock by hand */
    CK_LOCK_YES,
    CK_LOCK_NO,
};

struct ck_locker_opts {
    enum ck_lock_wish wish;
    /* With CK_LOCK_AS_STORE_SAYS, at the first change: what the store's settings say. */
    int (*wanted)(void *arg, bool *ret, struct ck_err *err);
    /* Told after each lock that was taken, not adopted. May be NULL. */
    void (*taken)(void *arg);
    void *arg;
    struct ck_lock_opts lock;
    const char *tokens;         /* "KEY:TOKEN,…" from the environment; NULL none */
    const char *token_dir;      /* tokens of locks taken by hand; NULL: nowhere */
    const char *const *cluster; /* of the command, when it has one; read at each change */
    bool all_of_cluster;        /* every file of the store that is changed is that cluster's */
};

/* A lock that is held, or was. */
struct ck_locker_held {
    struct ck_lock lock;
    uint64_t proven;   /* ck_locker_moment when its last proof began */
    unsigned changing; /* changes under way */
};

/* A change that was let through, until its end. */
struct ck_locker_pass {
    struct ck_locker_held *held; /* NULL: none, or it needed no lock */
    const struct ck_path *of;
    struct ck_vfs_ctx *shortened; /* its deadline is cut for the change … */
    int64_t timeout_ms;           /* … from this */
};

struct ck_locker {
    struct ck_vfs_watch watch;
    const struct ck_store *s;
    struct ck_locker_opts opts;
    struct ck_arena *a;
    struct ck_locker_held **held;
    size_t n, cap;
    bool asked, wanted;
    struct ck_map free;             /* clusters that are changed without a lock */
    struct ck_locker_pass pass;     /* of the watch's change under way */
    volatile sig_atomic_t changing; /* how many changes are under way */
    atomic_uint_fast64_t moment;    /* counts arrivals and proofs */
};

/* Watch the changes of the store's context from now on, after the watches that are there already:
 * nothing may take time between the proof of a lock and the change. `k` must stay where it is.
 * `opts` is copied; what it points to is borrowed. */
void ck_locker_start(struct ck_locker *k, const struct ck_store *s,
                     const struct ck_locker_opts *opts);
/* Take the lock of `cluster` now, if changes of it need one: for commands that read much before
 * they write. */
int ck_locker_take(struct ck_locker *k, const char *cluster, struct ck_err *err);
/* Renew whatever is held and has used up half its lease: for runs that are busy elsewhere for long.
 * LOCKED and others as of ck_lock_prove(). */
int ck_locker_keep(struct ck_locker *k, struct ck_err *err);
/* Prove all that is held. */
int ck_locker_prove(struct ck_locker *k, struct ck_err *err);
/* Give back what was taken (not what was adopted). `failed` hears of locks that could not be given
 * back; they end by themselves. */
void ck_locker_end(struct ck_locker *k,
                   void (*failed)(const struct ck_lock *l, const struct ck_err *why));

/* The watch in two parts, for changes that are made through other contexts (shared.h). A proof that
 * began after `arrived`, the moment the change was asked for, is proof enough; `ctx` makes the
 * change. *pass starts as zeros; one whose change another watch refused is ended by the next. */
uint64_t ck_locker_arrive(struct ck_locker *k); /* from any thread */
int ck_locker_enter(struct ck_locker *k, const struct ck_path *p, struct ck_vfs_ctx *ctx,
                    uint64_t arrived, struct ck_locker_pass *pass, struct ck_err *err);
void ck_locker_leave(struct ck_locker *k, struct ck_locker_pass *pass);
