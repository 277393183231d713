/* One thread per store: they have nothing in common but the caller's function. */
#include "ops/manystores/many.h"

#include "base/mem.h"
#include "crypto/hash.h"

#include <pthread.h>

struct one {
    const struct ck_many_opts *o;
    size_t i;
    struct ck_arena *a;
    struct ck_vfs_ctx ctx;
    struct ck_store store;
    struct ck_err *err;
    pthread_t thread;
    bool started;
};

static int found(void *arg, const char *dir_name, const struct ck_stored *cluster,
                 struct ck_err *item_err)
{
    const struct one *x = arg;
    return x->o->fn(x->o->arg, x->i, &x->store, dir_name, cluster, item_err);
}

static void *work(void *arg)
{
    struct one *x = arg;
    (void)ck_cluster_each(NULL, &x->store, found, x, x->err);
    return NULL;
}

/* Opening does no I/O; it is done before the threads because drivers fill their tables in it. */
static int open_one(struct one *x)
{
    const struct ck_copy_end *e = &x->o->ends[x->i];
    x->a = ck_arena_new();
    x->ctx = (struct ck_vfs_ctx){.env = e->env, .arena = x->a, .profile = e->profile};
    int r = ck_store_open(&x->ctx, e->url, x->o->features, &x->store, x->err);
    x->store.lenient = x->o->lenient;
    x->store.warn = x->o->warn;
    return r;
}

int ck_many_clusters(const struct ck_many_opts *o, struct ck_err *errs, struct ck_err *err)
{
    struct one v[CK_MANY_STORES] = {0};
    if (o->n > CK_MANY_STORES)
        return ck_fail(err, CK_INVALID, "%zu stores at once are too many, %d the most", o->n,
                       CK_MANY_STORES);
    int r = ck_crypto_load(err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < o->n; i++) {
        v[i] = (struct one){.o = o, .i = i, .err = &errs[i]};
        if (open_one(&v[i]) == 0)
            v[i].started = pthread_create(&v[i].thread, NULL, work, &v[i]) == 0;
        if (!v[i].started && errs[i].code == CK_OK)
            ck_fail(&errs[i], CK_INTERNAL, "no thread could be started");
    }
    for (size_t i = 0; i < o->n; i++) {
        if (v[i].started)
            pthread_join(v[i].thread, NULL);
        ck_vfs_ctx_done(&v[i].ctx);
        ck_arena_free(v[i].a);
    }
    return 0;
}
