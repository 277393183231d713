/* The user's ssh program as a child: its configuration, agent, known hosts and jump hosts apply.
 * Started without a shell, here or there; the environment is the one that was given. */
#include "vfs/ssh/ssh.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAID_MAX = 4096, MAX_ARGS = 56, END_MS = 200 };

/* ---- the command ---- */

static void add_words(struct ck_arena *a, const char **argv, size_t *n, const char *text)
{
    struct ck_slice rest = ck_slice_of(text), word;
    while (*n < MAX_ARGS - 24 && ck_slice_next(&rest, ' ', &word))
        if (word.len)
            argv[(*n)++] = ck_arena_strndup(a, word.ptr, word.len);
}

static void add_sharing(struct ck_arena *a, const char **argv, size_t *n,
                        const struct ck_ssh_share *share)
{
    if (!share || !share->on)
        return;
    argv[(*n)++] = "-oControlMaster=auto";
    argv[(*n)++] = ck_arena_printf(a, "-oControlPath=%s", share->path);
    argv[(*n)++] = ck_arena_printf(a, "-oControlPersist=%d", CK_SSH_PERSIST_S);
}

/* CKOPS_SSH may name another program and options, which then come first and so win. */
static const char **command(struct ck_arena *a, const struct ck_env *env, const char *target,
                            const struct ck_ssh_share *share, bool options)
{
    const char **argv = ck_arena_alloc(a, MAX_ARGS * sizeof *argv);
    const char *given = ck_env_nonempty(env, "CKOPS_SSH"), *at = strrchr(target, '@');
    size_t n = 0;
    add_words(a, argv, &n, given ? given : "");
    if (!n)
        argv[n++] = "ssh";
    static const char *const fixed[] = {"-T",
                                        "-x",
                                        "-a",
                                        "-oClearAllForwardings=yes",
                                        "-oBatchMode=yes",
                                        "-oPermitLocalCommand=no"};
    for (size_t i = 0; i < CK_ARRAY_LEN(fixed); i++)
        argv[n++] = fixed[i];
    add_sharing(a, argv, &n, share);
    const char *host = at ? at + 1 : target;
    if (at)
        argv[n++] = ck_arena_printf(a, "-oUser=%.*s", (int)(at - target), target);
    const char *colon = strrchr(host, ':');
    const char *bracket = *host == '[' ? strchr(host, ']') : NULL; /* IPv6 */
    if (bracket)
        colon = bracket[1] == ':' ? bracket + 1 : NULL;
    if (colon)
        argv[n++] = ck_arena_printf(a, "-oPort=%s", colon + 1);
    struct ck_slice name = ck_slice_n(host, colon ? (size_t)(colon - host) : strlen(host));
    if (bracket)
        name = ck_slice_n(name.ptr + 1, name.len - 2);
    argv[n++] = options ? "-G" : "-s";
    argv[n++] = "--";
    argv[n++] = ck_arena_strndup(a, name.ptr, name.len);
    argv[n++] = options ? NULL : "sftp";
    argv[n] = NULL;
    return argv;
}

/* ---- start ---- */

static void close_pair(int p[2])
{
    for (int i = 0; i < 2; i++)
        if (p[i] >= 0)
            close(p[i]);
}

/* The terminal's interrupt is for ckops, which finishes its write first. */
static int spawn(const char *const *argv, char *const *envp, int in, int out, int errors,
                 pid_t *ret)
{
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t attr;
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    posix_spawn_file_actions_init(&fa);
    posix_spawnattr_init(&attr);
    posix_spawn_file_actions_adddup2(&fa, in, 0);
    posix_spawn_file_actions_adddup2(&fa, out, 1);
    posix_spawn_file_actions_adddup2(&fa, errors, 2);
    posix_spawnattr_setsigmask(&attr, &blocked);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
    int r = posix_spawnp(ret, argv[0], &fa, &attr, (char *const *)argv, envp);
    posix_spawn_file_actions_destroy(&fa);
    posix_spawnattr_destroy(&attr);
    return r;
}

int ck_ssh_spawn(struct ck_ssh_child *c, const struct ck_env *env, const char *target,
                 const struct ck_ssh_share *share, bool options, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    int in[2] = {-1, -1}, out[2] = {-1, -1}, errors[2] = {-1, -1};
    const char **argv = command(a, env, target, share, options);
    int r = 0;
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0)
        r = errno;
    else
        r = spawn(argv, ck_env_vector(a, env), in[0], out[1], errors[1], &c->pid);
    if (r != 0) {
        c->pid = 0;
        close_pair(in);
        close_pair(out);
        close_pair(errors);
        return r == ENOENT ? ck_fail(err, CK_UNSUPPORTED,
                                     "the program %s is not installed; ssh:// needs it", argv[0])
                           : ck_fail_errno(err, r, "cannot start %s", argv[0]);
    }
    close(in[0]);
    close(out[1]);
    close(errors[1]);
    c->ours = share && share->on;
    c->in = in[1];
    c->out = out[0];
    c->errors = errors[0];
    fcntl(c->in, F_SETFL, O_NONBLOCK);
    fcntl(c->out, F_SETFL, O_NONBLOCK);
    fcntl(c->errors, F_SETFL, O_NONBLOCK);
    ck_debug(6, "started %s for %s", argv[0], target);
    return 0;
}

/* ---- what it says, its end ---- */

void ck_ssh_listen(struct ck_ssh_child *c)
{
    char piece[1024];
    ssize_t n;
    while ((n = read(c->errors, piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR)) {
        if (n < 0)
            continue;
        if (c->said.len + (size_t)n > SAID_MAX)
            ck_buf_reset(&c->said);
        ck_buf_putn(&c->said, piece, (size_t)n);
    }
}

static bool ended(struct ck_ssh_child *c, int *ret_status)
{
    pid_t r = 0;
    for (int i = 0; i < END_MS / 10 && (r = waitpid(c->pid, ret_status, WNOHANG)) == 0; i++)
        poll(NULL, 0, i < 10 ? 1 : 10);
    return r != 0;
}

void ck_ssh_end(struct ck_ssh_child *c, bool done, int *ret_status)
{
    *ret_status = 0;
    if (!c->pid)
        return;
    close(c->in); /* tells it to end */
    close(c->out);
    if (done && c->ours)
        kill(c->pid, SIGTERM);
    bool over = ended(c, ret_status) || (done && !c->ours);
    if (!over) {
        kill(c->pid, SIGTERM);
        over = ended(c, ret_status);
    }
    if (!over) {
        kill(c->pid, SIGKILL);
        while (waitpid(c->pid, ret_status, 0) < 0 && errno == EINTR)
            ;
    }
    ck_ssh_listen(c);
    close(c->errors);
    c->pid = 0;
}

/* The last line that is not empty, but none after the one with `text`, without what terminals obey:
 * a jump host's complaint is followed by others. */
static void put_said(struct ck_buf *b, const struct ck_ssh_child *c, const char *text)
{
    const char *all = ck_buf_str(&c->said), *found = text ? strstr(all, text) : NULL;
    struct ck_slice rest = ck_slice_of(all), line, last = CK_S("");
    while (ck_slice_next(&rest, '\n', &line) && (!found || line.ptr <= found))
        if (ck_slice_trim(line).len)
            last = ck_slice_trim(line);
    for (size_t i = 0; i < last.len && i < 300; i++)
        ck_buf_putc(b, (unsigned char)last.ptr[i] < ' ' || last.ptr[i] == 0x7F ? ' ' : last.ptr[i]);
}

int ck_ssh_explain(const struct ck_ssh_child *c, const char *target, int status, struct ck_err *err)
{
    static const struct {
        const char *text;
        enum ck_code code;
        const char *hint;
    } known[] = {
        /* before "verification failed", which ssh says of this too */
        {"has changed and you have requested strict checking", CK_UNAUTHENTICATED,
         "; it may have a new key, or something else answers in its place: ask whoever runs it, "
         "before the old key is taken out of known_hosts"},
        {"Permission denied", CK_UNAUTHENTICATED,
         "; does `ssh TARGET` work without asking for anything? A key needs an agent, or a file "
         "without a passphrase"},
        {"Host key verification failed", CK_UNAUTHENTICATED,
         "; connect once by hand and compare the host's key, or put it into known_hosts"},
        {"Too many authentication failures", CK_UNAUTHENTICATED, ""},
        {"Could not resolve hostname", CK_UNAVAILABLE, ""},
        {"subsystem request failed", CK_UNSUPPORTED, "; the server offers no SFTP"},
        {"Bad configuration option", CK_INVALID, ""},
    };
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    enum ck_code code = CK_UNAVAILABLE;
    const char *hint = "", *text = NULL;
    for (size_t i = 0; i < CK_ARRAY_LEN(known); i++)
        if (strstr(ck_buf_str(&c->said), known[i].text)) {
            code = known[i].code;
            hint = known[i].hint;
            text = known[i].text;
            break;
        }
    put_said(&b, c, text);
    if (!b.len && WIFSIGNALED(status))
        ck_buf_fmt(&b, "ended by signal %d", WTERMSIG(status));
    else if (!b.len)
        ck_buf_fmt(&b, "the connection ended (status %d)",
                   WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    const char *word = strstr(hint, "TARGET");
    if (word)
        return ck_fail(err, code, "ssh to %s: %s%.*s%s%s", target, ck_buf_str(&b),
                       (int)(word - hint), hint, target, word + strlen("TARGET"));
    return ck_fail(err, code, "ssh to %s: %s%s", target, ck_buf_str(&b), hint);
}
