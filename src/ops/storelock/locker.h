/* The locks of one run: a watch over a store that lets a change of a cluster through only while
 * the cluster's lock is proven to be held. */
#pragma once

#include "ops/storelock/lock.h"

#include <signal.h>

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
};

struct ck_locker {
    struct ck_vfs_watch watch;
    const struct ck_store *s;
    struct ck_locker_opts opts;
    struct ck_arena *a;
    struct ck_lock **held;
    size_t n, cap;
    bool asked, wanted;
    struct ck_strv free;            /* clusters that are changed without a lock */
    struct ck_vfs_ctx *shortened;   /* its deadline is cut for the change under way … */
    int64_t timeout_ms;             /* … from this */
    const struct ck_path *current;  /* what the change under way is of */
    volatile sig_atomic_t changing; /* there is one */
};

/* Watch the changes of the store's context from now on, after the watches that are there already:
 * nothing may take time between the proof of a lock and the change. `k` must stay where it is.
 * `opts` is copied; what it points to is borrowed. */
void ck_locker_start(struct ck_locker *k, const struct ck_store *s,
                     const struct ck_locker_opts *opts);
/* Take the lock of `cluster` now, if changes of it need one: for commands that read much before
 * they write. */
int ck_locker_take(struct ck_locker *k, const char *cluster, struct ck_err *err);
/* Give back what was taken (not what was adopted). `failed` hears of locks that could not be given
 * back; they end by themselves. */
void ck_locker_end(struct ck_locker *k,
                   void (*failed)(const struct ck_lock *l, const struct ck_err *why));
