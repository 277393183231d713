/* Runs the user's editor on a text.
 *
 * Writes the file, starts the editor as kOps does (directly, split at spaces, or through the
 * shell), waits, reads the file back; what the change means is the caller's business. Mirrors
 * kubectl's editor package as kOps uses it. */
#include "ui/editor.h"

#include "base/enc.h"
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_MAX = 16 * 1024 * 1024, TRIES = 100 };

/* A fresh file that only the user can read: a cluster's text may name secrets. */
static int write_temp(struct ck_arena *a, const struct ck_env *env, const char *program,
                      struct ck_slice text, const char **ret_path, struct ck_err *err)
{
    const char *dir = ck_env_nonempty(env, "TMPDIR");
    dir = dir ? dir : "/tmp";
    int fd = -1;
    for (int i = 0; fd < 0 && i < TRIES; i++) {
        uint32_t n = 0;
        if (getrandom(&n, sizeof(n), 0) != (ssize_t)sizeof(n))
            return ck_fail_errno(err, errno, "random number");
        *ret_path = ck_arena_printf(a, "%s/%s-edit-%uyaml", dir, program, n);
        fd = open(*ret_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    if (fd < 0)
        return ck_fail_errno(err, errno, "open %s", *ret_path);
    int r = ck_fd_write_all(fd, text, err);
    if (close(fd) < 0 && r == 0)
        r = ck_fail_errno(err, errno, "write %s", *ret_path);
    if (r < 0)
        unlink(*ret_path);
    return r;
}

static const char *editor_string(const struct ck_env *env)
{
    const char *e = ck_env_nonempty(env, "KUBE_EDITOR");
    e = e ? e : ck_env_nonempty(env, "EDITOR");
    return e ? e : "vi";
}

/* Whether the editor understands "+LINE" in front of the file. */
static bool knows_line(const char *command)
{
    static const char *const names[] = {"vi",    "vim",         "nvim", "nano",
                                        "emacs", "emacsclient", "micro"};
    const char *slash = strrchr(command, '/'), *base = slash ? slash + 1 : command;
    for (size_t i = 0; i < CK_ARRAY_LEN(names); i++)
        if (strcmp(base, names[i]) == 0)
            return true;
    return false;
}

/* 'path' with quotes around it, for the shell: a folder's name is not code. */
static const char *shell_quoted(struct ck_arena *a, const char *path)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_putc(&b, '\'');
    for (; *path; path++)
        ck_buf_puts(&b, *path == '\'' ? "'\\''" : (char[]){*path, '\0'});
    ck_buf_putc(&b, '\'');
    return ck_arena_strdup(a, ck_buf_str(&b));
}

/* The argument vector; its strings live in the arena. */
static char **editor_argv(struct ck_arena *a, const struct ck_env *env, const char *path,
                          unsigned line)
{
    const char *editor = editor_string(env);
    char **argv = ck_arena_alloc(a, (strlen(editor) + 4) * sizeof(*argv));
    size_t n = 0;
    if (strpbrk(editor, "\"'\\")) {
        const char *shell = ck_env_nonempty(env, "SHELL");
        argv[n++] = ck_arena_strdup(a, shell ? shell : "/bin/bash");
        argv[n++] = ck_arena_strdup(a, "-c");
        argv[n++] = ck_arena_printf(a, "%s %s", editor, shell_quoted(a, path));
        return argv;
    }
    struct ck_slice rest = ck_slice_of(editor), word;
    while (ck_slice_next(&rest, ' ', &word))
        if (word.len)
            argv[n++] = ck_arena_strndup(a, word.ptr, word.len);
    if (n == 0)
        argv[n++] = ck_arena_strdup(a, "vi");
    if (line > 1 && knows_line(argv[0]))
        argv[n++] = ck_arena_printf(a, "+%u", line);
    argv[n++] = ck_arena_strdup(a, path);
    return argv;
}

/* Start and wait. While the editor has the terminal, Ctrl-C and Ctrl-\ are for it alone. 0 when it
 * ended well. */
static int spawn_and_wait(char **argv, char **envp)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old_int, old_quit;
    posix_spawnattr_t attr;
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGINT);
    sigaddset(&defaults, SIGQUIT);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGXFSZ);
    if (posix_spawnattr_init(&attr) != 0)
        return -1;
    posix_spawnattr_setsigdefault(&attr, &defaults);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
    sigaction(SIGINT, &ignore, &old_int);
    sigaction(SIGQUIT, &ignore, &old_quit);
    pid_t pid = 0;
    int status = -1;
    if (posix_spawnp(&pid, argv[0], NULL, &attr, argv, envp) == 0)
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    sigaction(SIGINT, &old_int, NULL);
    sigaction(SIGQUIT, &old_quit, NULL);
    posix_spawnattr_destroy(&attr);
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

int ck_editor_run(struct ck_arena *a, const struct ck_env *env, const char *program,
                  struct ck_slice text, unsigned line, struct ck_buf *ret_text,
                  const char **ret_path, struct ck_err *err)
{
    *ret_path = NULL;
    int r = write_temp(a, env, program, text, ret_path, err);
    if (r < 0) {
        *ret_path = NULL;
        return r;
    }
    if (spawn_and_wait(editor_argv(a, env, *ret_path, line), ck_env_vector(a, env)) < 0) {
        CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
        ck_goquote(&q, ck_slice_of(editor_string(env)));
        return ck_fail(err, CK_INVALID, "there was a problem with the editor %s", ck_buf_str(&q));
    }
    r = ck_file_read(*ret_path, TEXT_MAX, ret_text, err);
    return r < 0 ? ck_wrap(err, "reading the edited text") : 0;
}
