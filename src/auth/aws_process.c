/* credential_process: a command that prints credentials as JSON (Version 1). */
#include "auth/aws.h"

#include "base/clock.h"
#include "base/log.h"
#include "doc/json.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMEOUT_MS = 60000, OUTPUT_MAX = 64 * 1024 };

extern char **environ;

static int start(const char *command, int out, pid_t *ret)
{
    posix_spawn_file_actions_t fa;
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, out, 1);
    posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
    char *const argv[] = {"sh", "-c", (char *)command, NULL};
    int r = posix_spawn(ret, "/bin/sh", &fa, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&fa);
    return r;
}

/* false: the time or the size limit was met. */
static bool drain(int fd, struct ck_buf *out)
{
    int64_t deadline = ck_mono_ms() + TIMEOUT_MS;
    for (;;) {
        int64_t left = deadline - ck_mono_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (left <= 0 || poll(&p, 1, (int)left) == 0)
            return false;
        ck_buf_reserve(out, 4096);
        ssize_t n = read(fd, out->ptr + out->len, 4096);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0)
            return true;
        out->len += (size_t)n;
        out->ptr[out->len] = '\0';
        if (out->len > OUTPUT_MAX)
            return false;
    }
}

int ck_aws_from_process(struct ck_aws *w, const char *command, const char *profile,
                        struct ck_cred *ret, struct ck_err *err)
{
    const char *source = ck_arena_printf(w->arena, "profile %s (credential_process)", profile);
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return ck_fail_errno(err, errno, "%s", source);
    pid_t pid;
    int r = start(command, fds[1], &pid);
    close(fds[1]);
    if (r != 0) {
        close(fds[0]);
        return ck_fail_errno(err, r, "%s", source);
    }
    CK_CLEANUP(ck_buf_wipe) struct ck_buf out = CK_BUF_INIT;
    bool ok = drain(fds[0], &out);
    close(fds[0]);
    if (!ok)
        kill(pid, SIGKILL);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!ok)
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "%s: it took more than %d s or printed more than %d bytes", source,
                       TIMEOUT_MS / 1000, OUTPUT_MAX);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return ck_fail(err, CK_UNAUTHENTICATED, "%s: the command failed with status %d", source,
                       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    struct ck_val *v = NULL;
    r = ck_json_parse(w->arena, ck_buf_slice(&out), OUTPUT_MAX, &v, NULL);
    if (r < 0)
        return ck_fail(err, CK_UNAUTHENTICATED, "%s: the command did not print JSON", source);
    if (ck_int_at(v, "Version", 0) != 1)
        return ck_fail(err, CK_UNAUTHENTICATED, "%s: Version is not 1", source);
    return ck_aws_cred_of_json(w, ck_buf_slice(&out), "SessionToken", "Expiration", source, ret,
                               err);
}
