/* The locks and the journal of one store over changes that several threads make, each through a
 * context of its own. Threads that ask at the same time are let through by one proof of the lock:
 * one that began after they asked. */
#pragma once

#include "ops/storelock/locker.h"

#include <pthread.h>

struct ck_shared_watch {
    const struct ck_store *s; /* its context's watches are those that are asked */
    struct ck_locker *locker; /* one of them; NULL: there is none */
    pthread_mutex_t lock;     /* around everything that is done through s->vfs */
};

void ck_shared_watch_init(struct ck_shared_watch *h, const struct ck_store *s,
                          struct ck_locker *locker);
void ck_shared_watch_done(struct ck_shared_watch *h);
/* Have the changes that are made through `ctx`, one at a time and below the store, watched. The
 * context's arena keeps what that needs. */
void ck_shared_watch_join(struct ck_shared_watch *h, struct ck_vfs_ctx *ctx);
/* ck_locker_keep() and ck_locker_take() while other threads are at work. */
int ck_shared_watch_keep(struct ck_shared_watch *h, struct ck_err *err);
int ck_shared_watch_take(struct ck_shared_watch *h, const char *cluster, struct ck_err *err);
