/* The threads of a copy. Each has its own connections to both ends; items are taken in order, and
 * the calling thread reports. */
#include "ops/storetools/internal.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 32, MAX_THREADS = 64, REPORT_MS = 200, STACK = 512 * 1024, GIVE_UP = 100 };

/* Against a server that answers at once, more than a few threads per processor only get into each
 * other's way, and the server's: the others join when files are seen to wait. */
enum { PER_PROCESSOR = 4, LEAST = 8, SLOW_MS = 5, SLOW_FILES = 8 };

/* A thread that reads many files at once waits for none of them: two per processor are enough. */
enum { LOAD = 64, LOAD_NEED = 768 * 1024, LOADS_PER_PROCESSOR = 2, MOST_LOADS = 8 };

/* What a thread takes at a time: files that are read together, then perhaps one alone. */
struct load {
    struct ck_copy_room rooms[LOAD + 1];
    struct ck_copy_item *together[LOAD], *alone;
    size_t n, need;
    unsigned each; /* how many of them at once */
};

struct pool {
    const struct ck_copy_opts *opts;
    struct ck_copy_source *src;
    struct ck_err broken; /* why the source gives no more */
    ck_copy_fn fn;
    bool together;
    unsigned threads;
    struct ck_copy_budget budget;
    atomic_uint_fast64_t live; /* bytes of large files under way */
    atomic_uint_fast64_t bytes, copied, deleted, failed, done;
    pthread_mutex_t lock; /* of the source and what follows */
    pthread_cond_t ended, joined;
    unsigned running;
    unsigned at_work; /* how many of the threads may take items */
    unsigned begun;   /* threads */
    unsigned slow;    /* files that took long, less those that did not */
    bool over;        /* there are no more items */
};

static bool goes_together(const struct pool *p, const struct ck_copy_item *it)
{
    return p->together && it->what == CK_COPY_NEW && ck_copy_need(it) <= LOAD_NEED;
}

/* Called with the lock held. */
static struct ck_copy_item *take_one(struct pool *p, struct ck_copy_room *room)
{
    struct ck_copy_item *it = NULL;
    if (atomic_load(&p->failed) < GIVE_UP && p->broken.code == CK_OK)
        (void)p->src->next(p->src, room, &it, &p->broken);
    if (!it && !p->over) {
        p->over = true;
        pthread_cond_broadcast(&p->joined);
    }
    return it;
}

/* False when there is nothing left. */
static bool take(struct pool *p, struct load *l)
{
    l->n = l->need = 0;
    l->alone = NULL;
    pthread_mutex_lock(&p->lock);
    l->each = p->at_work < p->threads ? p->threads / p->at_work : 1;
    while (l->n < LOAD && l->need < LOAD_NEED && !l->alone) {
        struct ck_copy_item *it = take_one(p, &l->rooms[l->n]);
        if (!it)
            break;
        if (goes_together(p, it)) {
            l->together[l->n++] = it;
            l->need += ck_copy_need(it);
        } else {
            l->alone = it;
        }
    }
    pthread_mutex_unlock(&p->lock);
    return l->n || l->alone;
}

/* Wait to be needed; false: there is nothing left to do. */
static bool join_in(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    unsigned number = p->begun++;
    while (number >= p->at_work && !p->over)
        pthread_cond_wait(&p->joined, &p->lock);
    bool needed = !p->over;
    pthread_mutex_unlock(&p->lock);
    return needed;
}

/* Called with the lock held. Files read together are under way in such numbers anyway. */
static void count_slow(struct pool *p, int64_t took_ms)
{
    if (took_ms >= SLOW_MS)
        p->slow++;
    else if (p->slow)
        p->slow--;
    if (p->slow < SLOW_FILES || p->at_work >= MAX_THREADS)
        return;
    p->at_work = MAX_THREADS;
    pthread_cond_broadcast(&p->joined);
}

static void count(struct pool *p, struct ck_copy_item *it, int r, uint64_t bytes)
{
    it->state = r < 0 ? CK_COPY_FAILED : CK_COPY_DONE;
    atomic_fetch_add(&p->done, 1);
    atomic_fetch_add(&p->bytes, bytes);
    atomic_fetch_add(r < 0 ? &p->failed : it->what == CK_COPY_EXTRA ? &p->deleted : &p->copied, 1);
}

static void one(struct pool *p, const struct ck_copy_pair *w, struct ck_copy_item *it)
{
    uint64_t bytes = 0;
    size_t need = ck_copy_need(it);
    ck_copy_budget_take(&p->budget, need);
    int r = p->fn(w, it, &bytes, &it->err);
    ck_copy_budget_give(&p->budget, need);
    count(p, it, r, bytes);
}

static void put(struct pool *p, struct ck_copy_room *room, struct ck_copy_item *it)
{
    CK_AUTOERR ignored = CK_ERR_INIT; /* one reason is enough */
    if (p->src->done)
        (void)p->src->done(p->src, room, it, p->broken.code == CK_OK ? &p->broken : &ignored);
}

static void done_of_many(void *arg, struct ck_copy_item *it, int r, uint64_t bytes)
{
    count(arg, it, r, bytes);
}

static void carry(struct pool *p, struct ck_copy_pair *w, struct load *l)
{
    int64_t took_ms = 0;
    if (l->n) {
        ck_copy_budget_take(&p->budget, l->need);
        ck_copy_apply_many(w, l->together, l->n, l->each, done_of_many, p);
        ck_copy_budget_give(&p->budget, l->need);
    }
    if (l->alone) {
        took_ms = ck_mono_ms();
        one(p, w, l->alone);
        took_ms = ck_mono_ms() - took_ms;
    }
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < l->n; i++)
        put(p, &l->rooms[i], l->together[i]);
    if (l->alone) {
        put(p, &l->rooms[l->n], l->alone);
        count_slow(p, took_ms);
    }
    pthread_mutex_unlock(&p->lock);
}

static void carry_all(struct pool *p, struct ck_copy_pair *w)
{
    struct load *l = ck_xcalloc(1, sizeof *l);
    while (take(p, l))
        carry(p, w, l);
    for (size_t i = 0; i < CK_ARRAY_LEN(l->rooms); i++)
        ck_buf_done(&l->rooms[i].name);
    free(l);
}

static void *work(void *arg)
{
    struct pool *p = arg;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_copy_pair w = {.live = &p->live};
    CK_AUTOERR err = CK_ERR_INIT;
    bool needed = join_in(p);
    int r = needed ? ck_copy_open(&w.from, a, &p->opts->from, &err) : -1;
    if (r == 0)
        r = ck_copy_open(&w.to, a, &p->opts->to, &err);
    if (r == 0)
        carry_all(p, &w);
    ck_copy_close(&w.from);
    ck_copy_close(&w.to);
    pthread_mutex_lock(&p->lock);
    p->running--;
    p->at_work++; /* who could not open its stores leaves its place to the next */
    pthread_cond_broadcast(&p->joined);
    pthread_cond_signal(&p->ended);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void report(struct pool *p, struct ck_copy_stats *s, int64_t began)
{
    const struct ck_copy_opts *o = p->opts;
    s->bytes = atomic_load(&p->bytes) + atomic_load(&p->live);
    s->copied = atomic_load(&p->copied);
    s->deleted = atomic_load(&p->deleted);
    s->failed = atomic_load(&p->failed);
    s->ms = ck_mono_ms() - began;
    if (o->progress && s->files)
        o->progress(o->arg, s);
}

/* Wait for all of them, and tell how far they are: once more after the last has ended. */
static void watch(struct pool *p, struct ck_copy_stats *s)
{
    int64_t began = ck_mono_ms();
    bool over = false;
    while (!over) {
        struct timespec until = ck_copy_in_ms(REPORT_MS);
        pthread_mutex_lock(&p->lock);
        if (p->running)
            pthread_cond_timedwait(&p->ended, &p->lock, &until);
        over = p->running == 0;
        pthread_mutex_unlock(&p->lock);
        report(p, s, began);
    }
}

static unsigned first_threads(bool together)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN) * (together ? LOADS_PER_PROCESSOR : PER_PROCESSOR);
    long least = together ? 1 : LEAST, most = together ? MOST_LOADS : MAX_THREADS;
    return (unsigned)(n < least ? least : n > most ? most : n);
}

static unsigned threads_for(const struct ck_copy_opts *o, size_t n)
{
    unsigned threads = o->parallel ? o->parallel : THREADS;
    if (threads > MAX_THREADS)
        threads = MAX_THREADS;
    return threads > n ? (unsigned)n : threads;
}

int ck_copy_run_source(const struct ck_copy_opts *o, struct ck_copy_source *src, size_t n,
                       ck_copy_fn fn, bool together, struct ck_copy_stats *stats,
                       struct ck_err *err)
{
    unsigned threads = threads_for(o, n);
    struct pool p = {.opts = o,
                     .src = src,
                     .fn = fn,
                     .together = together,
                     .threads = threads,
                     .at_work = first_threads(together)};
    if (!n)
        return 0;
    pthread_t ids[MAX_THREADS];
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    ck_copy_budget_init(&p.budget);
    pthread_mutex_init(&p.lock, NULL);
    pthread_cond_init(&p.ended, NULL);
    pthread_cond_init(&p.joined, NULL);
    p.running = threads;
    unsigned started = 0;
    while (started < threads && pthread_create(&ids[started], &attr, work, &p) == 0)
        started++;
    pthread_mutex_lock(&p.lock);
    p.running -= threads - started;
    pthread_mutex_unlock(&p.lock);
    if (started)
        watch(&p, stats);
    for (unsigned i = 0; i < started; i++)
        pthread_join(ids[i], NULL);
    pthread_attr_destroy(&attr);
    pthread_cond_destroy(&p.joined);
    pthread_cond_destroy(&p.ended);
    pthread_mutex_destroy(&p.lock);
    ck_copy_budget_done(&p.budget);
    if (!started)
        return ck_fail(err, CK_INTERNAL, "no thread could be started");
    if (p.broken.code != CK_OK)
        return ck_err_move(err, &p.broken);
    /* All of them, or those that failed say why it was given up. */
    return atomic_load(&p.failed) || atomic_load(&p.done) == n
               ? 0
               : ck_fail(err, CK_INTERNAL, "the threads of the copy ended early");
}

/* ---- a plan in memory ---- */

struct planned {
    struct ck_copy_source base;
    struct ck_copy_plan *plan;
    bool (*wants)(const struct ck_copy_plan *p, const struct ck_copy_item *it);
    size_t i;
};

static int next_planned(struct ck_copy_source *s, struct ck_copy_room *room,
                        struct ck_copy_item **ret, struct ck_err *err)
{
    struct planned *x = (struct planned *)s;
    while (x->i < x->plan->n && !x->wants(x->plan, &x->plan->v[x->i]))
        x->i++;
    *ret = x->i < x->plan->n ? &x->plan->v[x->i++] : NULL;
    return 0;
}

int ck_copy_run(struct ck_copy_plan *plan,
                bool (*wants)(const struct ck_copy_plan *p, const struct ck_copy_item *it),
                ck_copy_fn fn, struct ck_copy_stats *stats, struct ck_err *err)
{
    struct planned x = {.base = {.next = next_planned}, .plan = plan, .wants = wants};
    size_t n = 0;
    for (size_t i = 0; i < plan->n; i++)
        n += wants(plan, &plan->v[i]);
    return ck_copy_run_source(plan->opts, &x.base, n, fn, false, stats, err);
}
