/* One store's watches for many threads; see shared.h. */
#include "ops/storelock/shared.h"

/* Of one thread's context. */
struct seat {
    struct ck_vfs_watch watch; /* first: the VFS knows this address only */
    struct ck_shared_watch *hub;
    struct ck_locker_pass pass;
};

/* The same place as the store's own context sees it. */
static struct ck_path seen(const struct ck_shared_watch *h, const struct ck_path *p)
{
    return (struct ck_path){h->s->root.vfs, p->key};
}

static bool is_locker(const struct ck_shared_watch *h, const struct ck_vfs_watch *w)
{
    return h->locker && w == &h->locker->watch;
}

static int ask_all(const struct ck_shared_watch *h, const struct ck_vfs_change *c,
                   struct ck_err *err)
{
    int r = 0;
    for (struct ck_vfs_watch *w = h->s->vfs->watch; r == 0 && w; w = w->next) {
        if (!w->before || is_locker(h, w))
            continue;
        w->busy = true;
        r = w->before(w, c, err);
        w->busy = false;
    }
    return r;
}

static int before(struct ck_vfs_watch *w, const struct ck_vfs_change *c, struct ck_err *err)
{
    struct seat *seat = (struct seat *)w;
    struct ck_shared_watch *h = seat->hub;
    uint64_t arrived = h->locker ? ck_locker_arrive(h->locker) : 0;
    const struct ck_path at = seen(h, c->path);
    struct ck_vfs_change own = *c;
    own.path = &at;
    pthread_mutex_lock(&h->lock);
    int r = ask_all(h, &own, err);
    if (r == 0 && h->locker) {
        h->locker->watch.busy = true; /* the locks' own writes */
        r = ck_locker_enter(h->locker, &at, c->path->vfs->ctx, arrived, &seat->pass, err);
        h->locker->watch.busy = false;
    }
    pthread_mutex_unlock(&h->lock);
    return r;
}

static void after(struct ck_vfs_watch *w, const struct ck_vfs_change *c, int result)
{
    struct seat *seat = (struct seat *)w;
    struct ck_shared_watch *h = seat->hub;
    const struct ck_path at = seen(h, c->path);
    struct ck_vfs_change own = *c;
    own.path = &at;
    pthread_mutex_lock(&h->lock);
    if (h->locker)
        ck_locker_leave(h->locker, &seat->pass);
    for (struct ck_vfs_watch *x = h->s->vfs->watch; x; x = x->next)
        if (x->after && !is_locker(h, x))
            x->after(x, &own, result);
    pthread_mutex_unlock(&h->lock);
}

static bool streams(struct ck_vfs_watch *w, const struct ck_path *p)
{
    struct ck_shared_watch *h = ((struct seat *)w)->hub;
    const struct ck_path at = seen(h, p);
    bool all = true;
    pthread_mutex_lock(&h->lock);
    for (struct ck_vfs_watch *x = h->s->vfs->watch; x; x = x->next)
        all = all && x->streams && x->streams(x, &at);
    pthread_mutex_unlock(&h->lock);
    return all;
}

void ck_shared_watch_init(struct ck_shared_watch *h, const struct ck_store *s,
                          struct ck_locker *locker)
{
    *h = (struct ck_shared_watch){.s = s, .locker = locker};
    pthread_mutex_init(&h->lock, NULL);
}

void ck_shared_watch_done(struct ck_shared_watch *h)
{
    pthread_mutex_destroy(&h->lock);
}

void ck_shared_watch_join(struct ck_shared_watch *h, struct ck_vfs_ctx *ctx)
{
    struct seat *seat = ck_arena_alloc(ctx->arena, sizeof *seat);
    *seat = (struct seat){
        .watch = {.before = before, .after = after, .streams = streams, .next = ctx->watch},
        .hub = h};
    ctx->watch = &seat->watch;
}

int ck_shared_watch_keep(struct ck_shared_watch *h, struct ck_err *err)
{
    if (!h->locker)
        return 0;
    pthread_mutex_lock(&h->lock);
    int r = ck_locker_keep(h->locker, err);
    pthread_mutex_unlock(&h->lock);
    return r;
}

int ck_shared_watch_take(struct ck_shared_watch *h, const char *cluster, struct ck_err *err)
{
    if (!h->locker)
        return 0;
    pthread_mutex_lock(&h->lock);
    int r = ck_locker_take(h->locker, cluster, err);
    pthread_mutex_unlock(&h->lock);
    return r;
}
