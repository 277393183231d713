/* A second store that a command changes, through the threads of a copy: its locks and its journal,
 * as frame/ has them for the store of --state. */
#include "cmd/frame/journal.h"
#include "cmd/frame/locking.h"
#include "cmd/store/storecmd.h"

#include "base/log.h"
#include "ops/journal/journal.h"
#include "ops/storelock/shared.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct ck_store_guard {
    struct ck_ctx *ctx;
    struct ck_copy_end *end;
    struct ck_arena *a;
    struct ck_vfs_ctx vfs;
    struct ck_store store;
    struct ck_store_settings settings;
    struct ck_locker locker;
    struct ck_journal *journal;
    struct ck_journal_who who;
    struct ck_shared_watch shared;
    const char *cluster;
};

/* ---- which store it is ---- */

/* Local folders of others may say what they want. */
static bool is_trusted(const struct ck_path *p)
{
    struct stat st;
    return !p->vfs->ops->absolute_keys || (stat(p->key, &st) == 0 && st.st_uid == geteuid());
}

/* The next folder upwards, within the text of the location; NULL: there is none. */
static const char *above(struct ck_store_guard *g, bool trusted)
{
    struct ck_path p = g->store.root;
    size_t n = strlen(p.key);
    while (n && p.key[n - 1] != '/')
        n--;
    while (n && p.key[n - 1] == '/')
        n--;
    if (!*p.key || (!n && p.vfs->ops->folders))
        return NULL;
    p.key = ck_arena_strndup(g->a, p.key, n);
    const char *url = ck_path_location(g->a, &p);
    if (strcmp(url, "memfs://") == 0) /* all of memory is no store */
        return NULL;
    return trusted || is_trusted(&p) ? url : NULL;
}

static int open_store(struct ck_store_guard *g, const char *url, struct ck_err *err)
{
    ck_vfs_ctx_done(&g->vfs);
    g->vfs = (struct ck_vfs_ctx){.env = g->end->env, .arena = g->a, .profile = g->end->profile};
    g->settings = (struct ck_store_settings){.lock = false};
    return ck_store_open(&g->vfs, url, &g->ctx->features, &g->store, err);
}

/* Whether it has the files of one cluster. */
static bool is_cluster(struct ck_store_guard *g, const struct ck_copy_end *end)
{
    struct ck_vfs_ctx vfs = {.env = end->env, .arena = g->a, .profile = end->profile};
    CK_AUTOERR ignored = CK_ERR_INIT; /* the copy will find it again */
    CK_AUTOBUF struct ck_buf b = {.secret = true};
    struct ck_path root, config;
    bool is = ck_vfs_parse(&vfs, end->url, &root, &ignored) == 0 &&
              ck_path_join(g->a, &root, "config", &config, &ignored) == 0 &&
              ck_vfs_read(&config, &b, NULL, &ignored) == 0;
    ck_vfs_ctx_done(&vfs);
    return is;
}

/* A destination may be a folder of a store, a cluster's for one: the store is the first folder
 * upwards that has settings. Where there are none, it is the destination, or the folder above it
 * when one cluster's files are copied. */
static int find_store(struct ck_store_guard *g, const struct ck_copy_end *from, bool locks,
                      struct ck_err *err)
{
    const char *up = NULL;
    int r = ck_store_settings_read(&g->store, &g->settings, err);
    while (r == 0 && !*g->settings.version.token && (up = above(g, false))) {
        CK_AUTOERR why = CK_ERR_INIT;
        r = open_store(g, up, &why);
        if (r == 0)
            r = ck_store_settings_read(&g->store, &g->settings, &why);
        if (r == -(int)CK_DENIED) /* who may not look there is no user of that store */
            return open_store(g, g->end->url, err);
        if (r < 0)
            ck_err_move(err, &why);
    }
    if (r == 0 && !*g->settings.version.token)
        r = open_store(g, g->end->url, err);
    if (r == 0 && !*g->settings.version.token && locks && (up = above(g, true)) &&
        is_cluster(g, from))
        r = open_store(g, up, err);
    return r;
}

/* ---- what is asked for ---- */

static int wants_lock(void *arg, bool *ret, struct ck_err *err)
{
    const struct ck_store_guard *g = ((struct ck_ctx *)arg)->guard;
    *ret = g->settings.lock;
    return 0;
}

static int wants_journal(void *arg, bool *ret_wanted, struct ck_journal_who *ret_who,
                         struct ck_err *err)
{
    struct ck_store_guard *g = arg;
    *ret_wanted = true;
    *ret_who = g->who;
    return 0;
}

static bool may_need_lock(const struct ck_store_guard *g, const struct ck_locker_opts *o)
{
    bool tokens = o->tokens || (o->token_dir && access(o->token_dir, F_OK) == 0);
    return o->wish == CK_LOCK_YES ||
           (o->wish == CK_LOCK_AS_STORE_SAYS && (g->settings.lock || tokens));
}

int ck_store_guard_open(struct ck_ctx *ctx, const struct ck_copy_end *from, struct ck_copy_end *end,
                        const char *cluster, struct ck_err *err)
{
    struct ck_locker_opts o;
    struct ck_store_guard *g = ck_arena_alloc(ctx->arena, sizeof *g);
    *g = (struct ck_store_guard){.ctx = ctx, .end = end, .a = ck_arena_new(), .cluster = cluster};
    ctx->guard = g;
    int r = ck_locking_locker_opts(ctx, &o, err);
    if (r == 0)
        r = open_store(g, end->url, err);
    if (r == 0)
        r = cluster ? ck_store_settings_read(&g->store, &g->settings, err)
                    : find_store(g, from, may_need_lock(g, &o), err);
    if (r < 0 || (!may_need_lock(g, &o) && !g->settings.journal))
        return r;
    o.wanted = wants_lock;
    o.cluster = &g->cluster;
    o.all_of_cluster = cluster != NULL;
    if (g->settings.journal) {
        ck_ctx_who(ctx, &g->who);
        g->journal = ck_journal_start(&g->store, wants_journal, g);
    }
    if (may_need_lock(g, &o)) {
        ck_locker_start(&g->locker, &g->store, &o);
        ctx->other_locker = &g->locker;
    }
    ck_shared_watch_init(&g->shared, &g->store, ctx->other_locker);
    end->watch = &g->shared;
    return 0;
}

int ck_store_guard_take(struct ck_ctx *ctx, struct ck_err *err)
{
    struct ck_store_guard *g = ctx->guard;
    return g && g->shared.s ? ck_shared_watch_take(&g->shared, g->cluster, err) : 0;
}

int ck_store_guard_close(struct ck_ctx *ctx, int result, struct ck_err *err)
{
    CK_AUTOERR unrecorded = CK_ERR_INIT;
    struct ck_store_guard *g = ctx->guard;
    if (!g)
        return result;
    int r = g->journal ? ck_journal_flush(g->journal, &unrecorded) : 0;
    ck_locker_end(&g->locker, ck_locking_not_released);
    ck_journal_free(g->journal);
    ck_vfs_ctx_done(&g->vfs);
    if (g->shared.s)
        ck_shared_watch_done(&g->shared);
    ck_arena_free(g->a);
    ctx->guard = NULL;
    ctx->other_locker = NULL;
    if (r < 0 && result == 0)
        return ck_err_move(err, &unrecorded);
    if (r < 0)
        ck_warn("%s", ck_err_msg(&unrecorded));
    return result;
}

void ck_store_guard_keep(struct ck_ctx *ctx)
{
    CK_AUTOERR lost = CK_ERR_INIT; /* the next change finds out, and says so */
    if (ctx->guard && ctx->guard->shared.s)
        (void)ck_shared_watch_keep(&ctx->guard->shared, &lost);
}
