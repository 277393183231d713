/* `store lock CLUSTER -- COMMAND`: a command of any kind inside a lock. */
#include "cmd/frame/locking.h"
#include "cmd/store/storecmd.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    RENEWALS_PER_LEASE = 4,
    SIGNALED = 128,
    NOT_STARTED = 127,
    MS = 1000,
    NS_PER_MS = 1000000,
};

struct child {
    pid_t pid;
    int status;
    bool ended;
    sigset_t set, old;
};

static char **environment_of(struct ck_ctx *ctx, const struct ck_lock *l, struct ck_err *err)
{
    char key[CK_LOCK_KEY_SIZE];
    if (ck_lock_key(l->s, l->info.cluster, key, err) < 0)
        return NULL;
    const char *given = ck_env_nonempty(&ctx->env, CK_LOCKING_TOKEN_VAR);
    return ck_locking_environment(ctx->arena, ck_lock_token_add(ctx->arena, given, key, l->token));
}

/* The command dies with this process: nothing may go on working without the lock. */
static void become(const struct child *c, pid_t parent, char **argv, char **envp)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
        _exit(NOT_STARTED);
    sigprocmask(SIG_SETMASK, &c->old, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    execvpe(argv[0], argv, envp);
    dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
    _exit(NOT_STARTED);
}

static void reap(struct child *c, int options)
{
    pid_t r;
    do
        r = waitpid(c->pid, &c->status, options);
    while (r < 0 && errno == EINTR);
    c->ended = c->ended || r == c->pid;
}

/* Wait for the child's end, or for a time: the kernel's, whatever this process's clock says. */
static void wait_ms(struct child *c, int64_t ms)
{
    int64_t until = ck_mono_ms() + ms;
    int sig = 0;
    reap(c, WNOHANG);
    for (; !c->ended && ms > 0 && sig >= 0; ms = until - ck_mono_ms()) {
        struct timespec ts = {.tv_sec = (time_t)(ms / MS), .tv_nsec = (ms % MS) * NS_PER_MS};
        do
            sig = sigtimedwait(&c->set, NULL, &ts);
        while (sig < 0 && errno == EINTR);
        /* a terminal sends SIGINT to both: passing it on would make it two */
        if (sig == SIGTERM || sig == SIGHUP)
            kill(c->pid, sig);
        reap(c, WNOHANG);
    }
}

/* The lock is not ours any more, or soon may not be. */
static void stop(struct child *c, const struct ck_lock *l)
{
    int64_t grace = l->lost ? 0 : ck_lock_left(l) - l->info.lease_ms / RENEWALS_PER_LEASE / 2;
    if (grace > 0) {
        kill(c->pid, SIGTERM);
        wait_ms(c, grace);
    }
    if (!c->ended)
        kill(c->pid, SIGKILL);
    if (!c->ended)
        reap(c, 0);
}

static int guard(struct child *c, struct ck_lock *l, struct ck_err *err)
{
    int64_t pause = l->info.lease_ms / RENEWALS_PER_LEASE;
    for (int failed = 0;;) {
        wait_ms(c, failed ? pause / 2 : l->since_ms + pause - ck_mono_ms());
        if (c->ended)
            return 0;
        int r = ck_lock_prove(l, err);
        if (r == 0) {
            failed = 0;
            continue;
        }
        /* counted, too: a clock that stands still would never tell */
        if (l->lost || ck_lock_left(l) < 2 * pause || ++failed == RENEWALS_PER_LEASE / 2) {
            stop(c, l);
            return ck_wrap(err, "the command was ended");
        }
        ck_warn("%s; trying again", ck_err_msg(err));
        ck_err_done(err);
    }
}

int ck_store_lock_run(struct ck_ctx *ctx, struct ck_lock *l, char **argv, struct ck_err *err)
{
    struct child c = {.pid = -1};
    char **envp = environment_of(ctx, l, err);
    int64_t usual = l->s->vfs->timeout_ms, short_ms = l->info.lease_ms / RENEWALS_PER_LEASE / 2;
    if (!envp || ck_flush(ctx, err) < 0)
        return -(int)err->code;
    sigemptyset(&c.set);
    sigaddset(&c.set, SIGCHLD);
    sigaddset(&c.set, SIGINT);
    sigaddset(&c.set, SIGTERM);
    sigaddset(&c.set, SIGHUP);
    sigprocmask(SIG_BLOCK, &c.set, &c.old);
    pid_t self = getpid();
    c.pid = fork();
    if (c.pid == 0)
        become(&c, self, argv, envp);
    int r = c.pid < 0 ? ck_fail_errno(err, errno, "starting %s", argv[0]) : 0;
    if (r == 0 && (usual <= 0 || usual > short_ms))
        l->s->vfs->timeout_ms = short_ms;
    if (r == 0)
        r = guard(&c, l, err);
    l->s->vfs->timeout_ms = usual;
    sigprocmask(SIG_SETMASK, &c.old, NULL);
    if (r == 0)
        ctx->exit_status =
            WIFEXITED(c.status) ? WEXITSTATUS(c.status) : SIGNALED + WTERMSIG(c.status);
    return r;
}
