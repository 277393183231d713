/* Locks around a run; see locking.h.
 *
 * A run that is interrupted gives its locks back by becoming another program: the handler of the
 * signal replaces the process by `ckops store unlock`, because execve() is all that may safely be
 * called there. A run that is killed gives nothing back; its leases end. */
#include "cmd/frame/locking.h"
#include "cmd/frame/journal.h"

#include "base/log.h"
#include "base/mem.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { NS_PER_MS = 1000000, NUMBER_SIZE = 16 };

extern char **environ;

/* ---- interrupts ---- */

/* What the handler executes, prepared beforehand; replaced as a whole. */
struct unlocker {
    char **argv, **envp;
    char number[NUMBER_SIZE]; /* of the signal; its last two digits are filled in */
    const volatile sig_atomic_t *changing[2];
    bool local;         /* a change ends with the process: nothing can be under way afterwards */
    struct ck_arena *a; /* with all of it */
};
static struct unlocker *_Atomic unlocker;

static void unlock_and_end(int sig)
{
    enum { BASE = 10, SIGNALED = 128 };
    struct unlocker *u = unlocker;
    /* A request that has been sent may still be carried out: then the lock has to end by itself. */
    if (u->local || !(*u->changing[0] || *u->changing[1])) {
        u->number[0] = (char)('0' + sig / BASE);
        u->number[1] = (char)('0' + sig % BASE);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(sig, SIG_DFL);
        execve("/proc/self/exe", u->argv, u->envp);
    }
    _exit(SIGNALED + sig);
}

static void catch (int sig)
{
    struct sigaction now = {.sa_handler = unlock_and_end}, old;
    sigfillset(&now.sa_mask);
    if (sigaction(sig, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
        sigaction(sig, &now, NULL);
}

char **ck_locking_environment(struct ck_arena *a, const char *tokens)
{
    size_t n = 0, m = 0;
    while (environ[n])
        n++;
    char **v = ck_arena_alloc(a, (n + 2) * sizeof *v);
    for (size_t i = 0; i < n; i++)
        if (!ck_str_starts(environ[i], CK_LOCKING_TOKEN_VAR "="))
            v[m++] = environ[i];
    v[m] = ck_arena_printf(a, CK_LOCKING_TOKEN_VAR "=%s", tokens);
    return v;
}

/* The words for one store's locks; returns how many. */
static size_t put_store(struct unlocker *u, const struct ck_locker *k, const char *option,
                        const char **argv, struct ck_strv *clusters, const char **tokens)
{
    CK_AUTOERR ignored = CK_ERR_INIT;
    size_t n = 0;
    for (size_t i = 0; i < k->n; i++) {
        const struct ck_lock *l = &k->held[i]->lock;
        char key[CK_LOCK_KEY_SIZE];
        if (l->adopted || ck_lock_key(k->s, l->info.cluster, key, &ignored) < 0)
            continue;
        *tokens = ck_lock_token_add(u->a, *tokens, key, l->token);
        if (!ck_strv_has(clusters, l->info.cluster))
            ck_strv_push(clusters, l->info.cluster);
        n = 1;
    }
    if (n)
        *argv = ck_arena_printf(u->a, "--%s=%s", option, k->s->url);
    return n;
}

static void prepare(void *arg)
{
    enum { FIXED_WORDS = 10 };
    static struct unlocker *last; /* another thread's handler may still read it */
    struct ck_ctx *ctx = arg;
    const struct ck_locker *all[] = {&ctx->locker, ctx->other_locker};
    struct ck_arena *a = ck_arena_new();
    struct unlocker *u = ck_arena_alloc(a, sizeof *u), *before = last;
    struct ck_strv clusters = {0};
    const char *tokens = "";
    *u = (struct unlocker){.a = a, .local = true};
    const char **argv = ck_arena_alloc(a, FIXED_WORDS * sizeof *argv);
    size_t n = 0, stores = 0;
    argv[n++] = ctx->program;
    argv[n++] = "store";
    argv[n++] = "unlock";
    argv[n++] = ck_arena_printf(a, "--config=%s", ctx->opt_config);
    argv[n++] = "--after-signal";
    argv[n++] = u->number;
    for (size_t i = 0; i < CK_ARRAY_LEN(all); i++) {
        u->changing[i] = &(all[i] ? all[i] : &ctx->locker)->changing;
        if (!all[i] ||
            !put_store(u, all[i], stores ? "also" : "state", &argv[n], &clusters, &tokens))
            continue;
        const char *scheme = all[i]->s->root.vfs->ops->scheme;
        u->local = u->local && (strcmp(scheme, "file") == 0 || strcmp(scheme, "memfs") == 0);
        stores++;
        n++;
    }
    argv[n++] = "--";
    const char **words = ck_arena_alloc(a, (n + clusters.n + 1) * sizeof *words);
    memcpy(words, argv, n * sizeof *words);
    for (size_t i = 0; i < clusters.n; i++)
        words[n + i] = ck_arena_strdup(a, clusters.v[i]);
    ck_strv_done(&clusters);
    u->argv = (char **)(uintptr_t)words;
    u->envp = ck_locking_environment(a, tokens);
    last = unlocker;
    unlocker = u;
    if (before)
        ck_arena_free(before->a);
    catch (SIGINT);
    catch (SIGTERM);
    catch (SIGHUP);
}

/* ---- who and how ---- */

const char *ck_locking_token_dir(struct ck_ctx *ctx)
{
    const char *state = ck_env_nonempty(&ctx->env, "XDG_STATE_HOME");
    const char *home = ck_env_nonempty(&ctx->env, "HOME");
    if (state)
        return ck_arena_printf(ctx->arena, "%s/ckops/locks", state);
    return home ? ck_arena_printf(ctx->arena, "%s/.local/state/ckops/locks", home) : NULL;
}

int ck_locking_need_token_dir(struct ck_ctx *ctx, const char **ret, struct ck_err *err)
{
    *ret = ck_locking_token_dir(ctx);
    return *ret ? 0
                : ck_fail(err, CK_INVALID,
                          "neither XDG_STATE_HOME nor HOME says where the lock's token could be "
                          "kept for later commands");
}

static void waiting(void *arg, const struct ck_lock_info *i, bool expired)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    if (expired)
        ck_warn("the lock of %s on cluster \"%s\" has ended; looking whether it is still in use",
                ck_lock_holder_text(a, i), i->cluster);
    else
        ck_warn("waiting for the lock of cluster \"%s\", held by %s", i->cluster,
                ck_lock_holder_text(a, i));
}

int ck_locking_opts(struct ck_ctx *ctx, bool by_hand, struct ck_lock_opts *ret, struct ck_err *err)
{
    int64_t lease = ctx->opt_lock_lease_ns / NS_PER_MS, wait = ctx->opt_lock_timeout_ns / NS_PER_MS;
    if (ctx->opt_lock_lease_ns && (lease < CK_LOCK_LEASE_MIN_MS || lease > CK_LOCK_LEASE_MAX_MS))
        return ck_fail(err, CK_INVALID, "--lock-lease is 2s to 24h");
    if (wait < 0 || wait > CK_LOCK_LEASE_MAX_MS)
        return ck_fail(err, CK_INVALID, "--lock-timeout is 0s to 24h");
    *ret = (struct ck_lock_opts){.who = {.holder = ck_ctx_user(ctx),
                                         .host = ck_ctx_host(ctx),
                                         .command = ctx->cmd_path ? ctx->cmd_path : ctx->program,
                                         .process = (int64_t)getpid()},
                                 .lease_ms = lease,
                                 .wait_ms = wait,
                                 .by_hand = by_hand,
                                 .waiting = waiting};
    return 0;
}

/* ---- the run ---- */

static int wanted(void *arg, bool *ret, struct ck_err *err)
{
    const struct ck_store_settings *s;
    int r = ck_ctx_settings(arg, &s, err);
    *ret = r == 0 && s->lock;
    return r;
}

int ck_locking_locker_opts(struct ck_ctx *ctx, struct ck_locker_opts *ret, struct ck_err *err)
{
    *ret = (struct ck_locker_opts){.wish = ctx->opt_lock     ? CK_LOCK_YES
                                           : ctx->lock_given ? CK_LOCK_NO
                                                             : CK_LOCK_AS_STORE_SAYS,
                                   .taken = prepare,
                                   .arg = ctx,
                                   .tokens = ck_env_nonempty(&ctx->env, CK_LOCKING_TOKEN_VAR),
                                   .token_dir = ck_locking_token_dir(ctx)};
    return ck_locking_opts(ctx, false, &ret->lock, err);
}

int ck_locking_start(struct ck_ctx *ctx, struct ck_err *err)
{
    struct ck_locker_opts o;
    int r = ck_locking_locker_opts(ctx, &o, err);
    o.wanted = wanted;
    o.cluster = &ctx->cluster_name;
    if (r == 0)
        ck_locker_start(&ctx->locker, &ctx->store, &o);
    return r;
}

int ck_ctx_lock(struct ck_ctx *ctx, const char *cluster, struct ck_err *err)
{
    return ck_locker_take(&ctx->locker, cluster, err);
}

void ck_locking_not_released(const struct ck_lock *l, const struct ck_err *why)
{
    ck_warn("%s%s", ck_err_msg(why), l->lost ? "" : "; it ends by itself when its lease is over");
}

void ck_locking_end(struct ck_ctx *ctx)
{
    ck_locker_end(&ctx->locker, ck_locking_not_released);
}
