/* Running programs that print credentials; see program.h. */
#include "auth/program.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_MS = 10 };

extern char **environ;

static int start(const struct ck_program *p, int out, pid_t *ret)
{
    posix_spawn_file_actions_t fa;
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, out, 1);
    posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
    int r = posix_spawn(ret, p->path, &fa, NULL, (char *const *)p->argv, p->env ? p->env : environ);
    posix_spawn_file_actions_destroy(&fa);
    return r;
}

/* A program that has been started. */
struct child {
    pid_t pid;
    bool ended;
    int status;
};

static bool has_ended(struct child *c)
{
    if (!c->ended) {
        pid_t r = waitpid(c->pid, &c->status, WNOHANG);
        c->ended = r == c->pid || (r < 0 && errno != EINTR);
    }
    return c->ended;
}

/* Whether there is something to read, the end included; false: the time is over, or the program has
 * ended and what it printed has been read, though something it has started still holds the pipe. */
static bool readable(int fd, struct child *c, int64_t deadline)
{
    for (;;) {
        bool last = has_ended(c);
        int64_t left = deadline - ck_mono_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int n = left > 0 ? poll(&p, 1, last ? 0 : left < LOOK_MS ? (int)left : LOOK_MS) : 0;
        if (n > 0)
            return true;
        if (left <= 0 || (n == 0 && last))
            return false;
    }
}

/* false: the time or the size limit was met. */
static bool drain(int fd, struct child *c, int64_t deadline, size_t most, struct ck_buf *out)
{
    char piece[4096];
    size_t before = out->len;
    ssize_t n = 1;
    while (n != 0 && out->len - before <= most && readable(fd, c, deadline)) {
        n = read(fd, piece, sizeof piece);
        if (n > 0)
            ck_buf_putn(out, piece, (size_t)n);
        else if (n < 0 && errno != EINTR && errno != EAGAIN)
            break;
    }
    ck_wipe(piece, sizeof piece);
    return out->len - before <= most && ck_mono_ms() < deadline;
}

/* Who has closed its output may still run. */
static bool ends(struct child *c, int64_t deadline)
{
    while (!has_ended(c)) {
        if (ck_mono_ms() >= deadline)
            return false;
        ck_sleep_ms(LOOK_MS);
    }
    return true;
}

int ck_program_run(const struct ck_program *p, struct ck_buf *out, struct ck_err *err)
{
    int fds[2];
    struct child c = {0};
    if (pipe2(fds, O_CLOEXEC) < 0)
        return ck_fail_errno(err, errno, "%s", p->where);
    int r = start(p, fds[1], &c.pid);
    close(fds[1]);
    if (r != 0) {
        close(fds[0]);
        return ck_fail(err, CK_UNAUTHENTICATED, "%s cannot be run: %s", p->where, strerror(r));
    }
    int64_t deadline = ck_mono_ms() + p->timeout_ms;
    bool ok = drain(fds[0], &c, deadline, p->output_max, out);
    close(fds[0]);
    if (!ok || !ends(&c, deadline)) {
        if (!c.ended)
            kill(c.pid, SIGKILL);
        while (!c.ended && waitpid(c.pid, &c.status, 0) < 0 && errno == EINTR)
            ;
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "%s took more than %lld s or printed more than %zu bytes", p->where,
                       (long long)(p->timeout_ms / 1000), p->output_max);
    }
    if (!WIFEXITED(c.status) || WEXITSTATUS(c.status) != 0)
        return ck_fail(err, CK_UNAUTHENTICATED, "%s failed with status %d", p->where,
                       WIFEXITED(c.status) ? WEXITSTATUS(c.status) : 128 + WTERMSIG(c.status));
    return 0;
}

const char *ck_program_find(struct ck_arena *a, const struct ck_env *env, const char *name)
{
    if (strchr(name, '/'))
        return access(name, X_OK) == 0 ? name : NULL;
    const char *search = ck_env_nonempty(env, "PATH");
    struct ck_slice rest = ck_slice_of(search ? search : ""), dir;
    while (rest.len && ck_slice_next(&rest, ':', &dir)) {
        if (!dir.len || dir.ptr[0] != '/')
            continue; /* never from the working directory */
        const char *path = ck_arena_printf(a, "%.*s/%s", CK_SARG(dir), name);
        if (access(path, X_OK) == 0)
            return path;
    }
    return NULL;
}

/* One word at *s, unquoted, into `out`; false: a quote stays open. */
static bool word(const char **s, struct ck_buf *out)
{
    char quote = 0;
    for (const char *p = *s;; p++) {
        bool escape = *p == '\\' && quote != '\'' &&
                      (!quote || p[1] == '"' || p[1] == '\\' || p[1] == '$' || p[1] == '`');
        if (!*p || (!quote && strchr(" \t\r\n", *p))) {
            *s = p;
            return !quote;
        }
        if (escape && p[1])
            ck_buf_putc(out, *++p);
        else if (quote ? *p == quote : *p == '"' || *p == '\'')
            quote = quote ? 0 : *p;
        else
            ck_buf_putc(out, *p);
    }
}

const char **ck_program_words(struct ck_arena *a, const char *text)
{
    const char **v = ck_arena_alloc(a, (strlen(text) / 2 + 2) * sizeof *v);
    size_t n = 0;
    for (text += strspn(text, " \t\r\n"); *text; text += strspn(text, " \t\r\n")) {
        CK_AUTOBUF struct ck_buf b = {.secret = true};
        if (!word(&text, &b))
            return NULL;
        v[n++] = ck_arena_strdup(a, ck_buf_str(&b));
    }
    v[n] = NULL;
    return n ? v : NULL;
}

void ck_program_env(const struct ck_env *env, struct ck_env *ret)
{
    for (size_t i = 0; i < env->vars.n; i++)
        if (env->vars.e[i].val)
            ck_env_set(ret, env->vars.e[i].key, env->vars.e[i].val);
}
