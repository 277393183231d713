/* Running git. No shell, no hooks, no prompts, nothing of the caller's GIT_* variables; input and
 * output go through files in memory, so neither side can block the other. */
#include "ops/storegit/internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "crypto/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    TIMEOUT_MS = 10 * 60 * 1000,
    OUTPUT_MAX = 256 << 20,
    MESSAGE_MAX = 400,
    FILES_MAX = 100000,
    WORDS_MAX = 32,
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define AUTOFD CK_CLEANUP(close_fd) int

/* ---- one run ---- */

static void environment(const struct ck_storegit *g, struct ck_strv *ret)
{
    const struct ck_env *env = g->s->vfs->env;
    for (size_t i = 0; i < env->vars.n; i++)
        if (env->vars.e[i].val && !ck_str_starts(env->vars.e[i].key, "GIT_"))
            ck_strv_push_take(
                ret, ck_xasprintf("%s=%s", env->vars.e[i].key, (const char *)env->vars.e[i].val));
    const char *slash = strrchr(g->dir, '/');
    ck_strv_push(ret, "GIT_TERMINAL_PROMPT=0");
    ck_strv_push(ret, "LC_ALL=C");
    /* not the tree of a folder above */
    ck_strv_push_take(ret, ck_xasprintf("GIT_CEILING_DIRECTORIES=%.*s",
                                        (int)(slash > g->dir ? slash - g->dir : 1), g->dir));
    ck_strv_push(ret, "");
    free(ret->v[--ret->n]);
    ret->v[ret->n] = NULL; /* the list ends as execve() wants it */
}

static int start(const struct ck_storegit *g, const char *const *args, const int fds[3], pid_t *ret)
{
    static const char *const first[] = {
        "git",       "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c",
        "gc.auto=0", "-c", "protocol.allow=never",     "-C"};
    const char *argv[WORDS_MAX + CK_ARRAY_LEN(first) + 2];
    size_t n = 0;
    for (size_t i = 0; i < CK_ARRAY_LEN(first); i++)
        argv[n++] = first[i];
    argv[n++] = g->dir;
    for (size_t i = 0; args[i] && i < WORDS_MAX; i++)
        argv[n++] = args[i];
    argv[n] = NULL;
    CK_AUTOSTRV env = {0};
    environment(g, &env);
    posix_spawn_file_actions_t fa;
    posix_spawn_file_actions_init(&fa);
    for (int i = 0; i < 3; i++)
        posix_spawn_file_actions_adddup2(&fa, fds[i], i);
    mode_t old = umask(077); /* what git makes is for nobody else */
    int r = posix_spawnp(ret, "git", &fa, NULL, (char *const *)argv, env.v);
    umask(old);
    posix_spawn_file_actions_destroy(&fa);
    return r;
}

/* false: it took too long. */
static bool wait_for(pid_t pid, int *ret_status)
{
    int64_t deadline = ck_mono_ms() + TIMEOUT_MS, pause = 1;
    for (;;) {
        pid_t r = waitpid(pid, ret_status, WNOHANG);
        if (r == pid)
            return true;
        if (ck_mono_ms() > deadline)
            break;
        ck_sleep_ms(pause);
        pause = pause < 20 ? pause + 1 : pause;
    }
    kill(pid, SIGKILL);
    while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
        ;
    return false;
}

static int take_back(int fd, size_t max, struct ck_buf *out, struct ck_err *err)
{
    if (lseek(fd, 0, SEEK_SET) < 0)
        return ck_fail_errno(err, errno, "reading what git printed");
    return ck_fd_read_all(fd, max, out, err);
}

static int told(const char *word, int status, int fd, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    CK_AUTOERR ignored = CK_ERR_INIT;
    (void)take_back(fd, 1 << 20, &text, &ignored);
    struct ck_slice t = ck_slice_trim(ck_buf_slice(&text));
    t.len = t.len < MESSAGE_MAX ? t.len : MESSAGE_MAX;
    return ck_fail(err, CK_INVALID, "git %s failed with status %d: %.*s", word, status, CK_SARG(t));
}

int ck_git(const struct ck_storegit *g, const char *const *args, struct ck_slice input,
           struct ck_buf *out, int *ret_status, struct ck_err *err)
{
    AUTOFD in = memfd_create("in", MFD_CLOEXEC);
    AUTOFD printed = memfd_create("out", MFD_CLOEXEC);
    AUTOFD errors = memfd_create("err", MFD_CLOEXEC);
    if (in < 0 || printed < 0 || errors < 0)
        return ck_fail_errno(err, errno, "running git");
    int r = ck_fd_write_all(in, input, err);
    if (r == 0 && lseek(in, 0, SEEK_SET) < 0)
        r = ck_fail_errno(err, errno, "running git");
    if (r < 0)
        return r;
    pid_t pid;
    int e = start(g, args, (const int[]){in, printed, errors}, &pid);
    if (e != 0)
        return ck_fail(err, CK_NOT_FOUND, "the program git cannot be run: %s", strerror(e));
    int status = 0;
    if (!wait_for(pid, &status))
        return ck_fail(err, CK_TIMEOUT, "git %s took more than %d minutes", args[0],
                       TIMEOUT_MS / 60000);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (ret_status)
        *ret_status = code;
    if (code > (ret_status ? 1 : 0))
        return told(args[0], code, errors, err);
    return out ? take_back(printed, OUTPUT_MAX, out, err) : 0;
}

int ck_git_line(const struct ck_storegit *g, const char *const *args, const char **ret,
                struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    int status;
    int r = ck_git(g, args, CK_S(""), &out, &status, err);
    if (r < 0)
        return r;
    struct ck_slice all = ck_buf_slice(&out), line = {"", 0};
    if (status == 0 && all.len)
        line = ck_slice_n(all.ptr, ck_slice_find(all, '\n'));
    *ret = ck_arena_strndup(g->a, line.ptr, line.len);
    return 0;
}

/* ---- files of a commit ---- */

/* "100644 blob OID<TAB>PATH" */
static int list_one(const struct ck_storegit *g, struct ck_slice item, struct ck_journal_view *ret,
                    size_t *cap, struct ck_buf *oids, struct ck_err *err)
{
    size_t tab = ck_slice_find(item, '\t');
    const char *cluster, *rest;
    if (tab == item.len)
        return ck_fail(err, CK_INVALID, "git ls-tree printed what was not expected");
    const char *path = ck_arena_strndup(g->a, item.ptr + tab + 1, item.len - tab - 1);
    struct ck_slice left = ck_slice_n(item.ptr, tab), mode, kind, oid;
    ck_slice_next(&left, ' ', &mode);
    ck_slice_next(&left, ' ', &kind);
    ck_slice_next(&left, ' ', &oid);
    bool plain = ck_slice_starts(mode, "1006") || ck_slice_starts(mode, "1007");
    bool wanted = ck_storegit_wants(g, path, &cluster, &rest);
    /* a link in place of a folder would make its files look removed */
    if (!plain &&
        (wanted || ck_storegit_wants(g, ck_arena_printf(g->a, "%s/x", path), &cluster, &rest)))
        return ck_fail(err, CK_INVALID, "%s is no plain %s in the tree", path,
                       wanted ? "file" : "folder");
    if (!wanted)
        return 0;
    if (ret->n == FILES_MAX)
        return ck_fail(err, CK_LIMIT, "the tree has more than %d files", FILES_MAX);
    if (ret->n == *cap) {
        *cap = *cap ? *cap * 2 : 64;
        struct ck_journal_seen *v = ck_arena_alloc(g->a, *cap * sizeof *v);
        if (ret->n)
            memcpy(v, ret->v, ret->n * sizeof *v);
        ret->v = v;
    }
    ret->v[ret->n++] = (struct ck_journal_seen){.path = path};
    ck_buf_put(oids, oid);
    ck_buf_putc(oids, '\n');
    return 0;
}

/* "OID blob SIZE<LF>content<LF>" */
static int take_content(const struct ck_storegit *g, struct ck_slice *all,
                        struct ck_journal_seen *x, struct ck_err *err)
{
    size_t end = ck_slice_find(*all, '\n');
    struct ck_slice line = ck_slice_n(all->ptr, end), word = {0};
    size_t n = 0;
    while (ck_slice_next(&line, ' ', &word))
        ;
    for (size_t i = 0; i < word.len && word.ptr[i] >= '0' && word.ptr[i] <= '9' && n < OUTPUT_MAX;
         i++)
        n = n * 10 + (size_t)(word.ptr[i] - '0');
    if (end >= all->len || n + 1 > all->len - end - 1)
        return ck_fail(err, CK_INVALID, "git cat-file printed what was not expected");
    char *sha = ck_arena_alloc(g->a, 2 * CK_SHA256_LEN + 1);
    x->data = ck_arena_slice(g->a, ck_slice_n(all->ptr + end + 1, n));
    ck_sha256_hex(x->data, sha);
    x->sha = sha;
    *all = ck_slice_n(all->ptr + end + n + 2, all->len - end - n - 2);
    return 0;
}

static int by_path(const void *x, const void *y)
{
    const struct ck_journal_seen *a = x, *b = y;
    return strcmp(a->path, b->path);
}

int ck_git_tree(const struct ck_storegit *g, const char *commit, struct ck_journal_view *ret,
                struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf list = CK_BUF_INIT, oids = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf contents = {.secret = true};
    const char *const ls[] = {"ls-tree", "-r", "-z", "--full-tree", commit, NULL};
    const char *const cat[] = {"cat-file", "--batch", NULL};
    *ret = (struct ck_journal_view){.now = true};
    if (!*commit)
        return 0;
    int r = ck_git(g, ls, CK_S(""), &list, NULL, err);
    struct ck_slice all = ck_buf_slice(&list), item;
    size_t cap = 0;
    while (r == 0 && all.len && ck_slice_next(&all, '\0', &item))
        if (item.len)
            r = list_one(g, item, ret, &cap, &oids, err);
    if (r == 0 && ret->n)
        r = ck_git(g, cat, ck_buf_slice(&oids), &contents, NULL, err);
    all = ck_buf_slice(&contents);
    for (size_t i = 0; r == 0 && i < ret->n; i++)
        r = take_content(g, &all, &ret->v[i], err);
    if (ret->n > 1)
        qsort(ret->v, ret->n, sizeof *ret->v, by_path);
    return r;
}
