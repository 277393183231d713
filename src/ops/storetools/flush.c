/* New files on their way to the disk while others are still being copied: what is left for the sync
 * at the end, during which nothing else happens, is the last fraction of a second. */
#include "ops/storetools/internal.h"

enum { PAUSE_MS = 250 };

struct timespec ck_copy_in_ms(int ms)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += ms * 1000000L;
    t.tv_sec += t.tv_nsec / 1000000000L;
    t.tv_nsec %= 1000000000L;
    return t;
}

/* Wait for the next turn; false: the copy is over. */
static bool pause_ms(struct ck_copy_flush *f)
{
    struct timespec until = ck_copy_in_ms(PAUSE_MS);
    int timeout = 0;
    pthread_mutex_lock(&f->lock);
    while (!f->over && timeout == 0)
        timeout = pthread_cond_timedwait(&f->ended, &f->lock, &until);
    bool over = f->over;
    pthread_mutex_unlock(&f->lock);
    return !over;
}

/* The kernel tells of a failed write once: who hears of it here has to pass it on. */
static void *work(void *arg)
{
    struct ck_copy_flush *f = arg;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_copy_view to;
    int r = ck_copy_open(&to, a, f->end, &f->err);
    while (r == 0 && pause_ms(f)) {
        CK_AUTOERR e = CK_ERR_INIT;
        r = ck_vfs_sync(&to.root, &e);
        if (r == -(int)CK_NOT_FOUND) /* not a single file so far */
            r = 0;
        if (r < 0)
            ck_err_move(&f->err, &e);
    }
    ck_copy_close(&to);
    return NULL;
}

void ck_copy_flush_start(struct ck_copy_flush *f, const struct ck_copy_end *end)
{
    *f = (struct ck_copy_flush){.end = end};
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->ended, NULL);
    f->started = pthread_create(&f->thread, NULL, work, f) == 0;
}

int ck_copy_flush_stop(struct ck_copy_flush *f, struct ck_err *err)
{
    if (f->started) {
        pthread_mutex_lock(&f->lock);
        f->over = true;
        pthread_cond_signal(&f->ended);
        pthread_mutex_unlock(&f->lock);
        pthread_join(f->thread, NULL);
    }
    pthread_cond_destroy(&f->ended);
    pthread_mutex_destroy(&f->lock);
    return f->err.code == CK_OK ? 0 : ck_err_move(err, &f->err);
}
