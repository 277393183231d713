/* Running a command and noting which permissions it needed; a policy of what was noted.
 *
 * The command is this program again. It inherits a pipe, whose number the environment tells, and
 * its S3 drivers write a line for each request (vfs/s3/actions.h). */
#include "ops/storepolicy/internal.h"

#include "ops/journal/journal.h"
#include "ops/storepolicy/roles.h"
#include "vfs/examine/examine.h"
#include "vfs/s3/actions.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_FD = 3, PIECE = 8192, LOOK_MS = 100, MAX_LINE = 4096, MAX_RECORDS = 100000 };

/* ---- lines ---- */

static int order(const void *x, const void *y)
{
    const struct ck_recorded *a = x, *b = y;
    int by = strcmp(a->bucket, b->bucket);
    by = by ? by : strcmp(a->action, b->action);
    return by ? by : strcmp(a->key, b->key);
}

static void add(struct ck_arena *a, struct ck_recording *rec, struct ck_recorded one)
{
    if (rec->n == rec->cap) {
        size_t cap = rec->cap ? rec->cap * 2 : 64;
        struct ck_recorded *v = ck_arena_alloc(a, cap * sizeof *v);
        if (rec->n)
            memcpy(v, rec->v, rec->n * sizeof *v);
        rec->v = v;
        rec->cap = cap;
    }
    rec->v[rec->n++] = one;
}

static void sort_once(struct ck_recording *rec)
{
    size_t kept = 0;
    if (rec->n)
        qsort(rec->v, rec->n, sizeof *rec->v, order);
    for (size_t i = 0; i < rec->n; i++)
        if (kept == 0 || order(&rec->v[kept - 1], &rec->v[i]) != 0)
            rec->v[kept++] = rec->v[i];
    rec->n = kept;
}

static void take_line(struct ck_arena *a, struct ck_recording *rec, struct ck_slice line)
{
    size_t tab = ck_slice_find(line, '\t');
    if (tab == line.len)
        return;
    struct ck_slice what = ck_slice_n(line.ptr + tab + 1, line.len - tab - 1);
    size_t slash = ck_slice_find(what, '/');
    bool key = slash < what.len;
    add(a, rec,
        (struct ck_recorded){
            .action = ck_arena_strndup(a, line.ptr, tab),
            .bucket = ck_arena_strndup(a, what.ptr, slash),
            .key = key ? ck_arena_strndup(a, what.ptr + slash + 1, what.len - slash - 1) : ""});
    if (rec->n >= MAX_RECORDS) /* the same few thousand keys again and again */
        sort_once(rec);
}

/* All complete lines of `b`; what is left of the last one stays. */
static void take_lines(struct ck_arena *a, struct ck_recording *rec, struct ck_buf *b)
{
    struct ck_slice rest = ck_buf_slice(b);
    for (size_t end; (end = ck_slice_find(rest, '\n')) < rest.len;) {
        take_line(a, rec, ck_slice_n(rest.ptr, end));
        rest = ck_slice_n(rest.ptr + end + 1, rest.len - end - 1);
    }
    if (rest.len > MAX_LINE) /* nothing of ours */
        rest.len = 0;
    memmove(b->ptr, rest.ptr, rest.len);
    b->len = rest.len;
}

/* ---- the command ---- */

static int start(struct ck_arena *a, const struct ck_env *env, const struct ck_strv *words, int fd,
                 pid_t *ret, struct ck_err *err)
{
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t attr;
    sigset_t defaults;
    char **argv = ck_arena_alloc(a, (words->n + 2) * sizeof *argv);
    size_t n = 0;
    argv[n++] = ck_arena_strdup(a, "ckops");
    for (size_t i = 0; i < words->n; i++)
        argv[n++] = ck_arena_strdup(a, words->v[i]);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigdefault(&attr, &defaults);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, STDERR_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&fa, fd, CHILD_FD);
    int r = posix_spawn(ret, "/proc/self/exe", &fa, &attr, argv, ck_env_vector(a, env));
    posix_spawn_file_actions_destroy(&fa);
    posix_spawnattr_destroy(&attr);
    return r ? ck_fail_errno(err, r, "starting the command") : 0;
}

/* Until the command has ended and the pipe is empty: programs that it left running may hold the
 * pipe open. */
static void collect(struct ck_arena *a, int fd, pid_t pid, struct ck_recording *rec)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    int status = 0;
    for (bool ended = false, empty = false; !ended || !empty;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        empty = poll(&p, 1, ended ? 0 : LOOK_MS) <= 0;
        if (!empty) {
            ck_buf_reserve(&b, PIECE);
            ssize_t n = read(fd, b.ptr + b.len, PIECE);
            empty = n <= 0;
            b.len += n > 0 ? (size_t)n : 0;
            take_lines(a, rec, &b);
            if (n == 0 && !ended) { /* nobody can write any more */
                while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                    ;
                ended = true;
            }
        } else if (!ended) {
            ended = waitpid(pid, &status, WNOHANG) == pid;
            empty = false; /* what came between looking and ending */
        }
    }
    rec->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int ck_policy_record(struct ck_arena *a, const struct ck_env *env, const struct ck_strv *words,
                     struct ck_recording *ret, struct ck_err *err)
{
    CK_CLEANUP(ck_env_done) struct ck_env own = {0};
    int fds[2];
    pid_t pid = 0;
    *ret = (struct ck_recording){0};
    if (pipe2(fds, O_CLOEXEC) < 0)
        return ck_fail_errno(err, errno, "pipe");
    for (size_t i = 0; i < env->vars.n; i++)
        if (env->vars.e[i].val)
            ck_env_set(&own, env->vars.e[i].key, env->vars.e[i].val);
    ck_env_set(&own, CK_S3_RECORD_VARIABLE, ck_arena_printf(a, "%d", CHILD_FD));
    int r = start(a, &own, words, fds[1], &pid, err);
    close(fds[1]);
    if (r == 0)
        collect(a, fds[0], pid, ret);
    close(fds[0]);
    sort_once(ret);
    return r;
}

/* ---- the policy ---- */

/* What a key of the store's own folder stands for: a cluster's journal, the doctor's probes, which
 * have a name only once, or itself. */
static const char *own(struct ck_statements *x, const struct ck_recorded *r, const char *rel)
{
    size_t n = strlen(r->key);
    bool all = true;
    if (ck_str_starts(rel, CK_JOURNAL_DIR "/"))
        n = (size_t)(strrchr(rel, '/') + 1 - r->key);
    else if (ck_str_starts(rel, CK_EXAM_FOLDER "/doctor-"))
        n = (size_t)(rel - r->key) + strlen(CK_EXAM_FOLDER "/doctor-");
    else
        all = false;
    return ck_statement_arn(x, "%s/%.*s%s", r->bucket, (int)n, r->key, all ? "*" : "");
}

/* The resource that a recorded key stands for: its cluster's folder, or outside the store the key's
 * folder. */
static const char *resource(struct ck_statements *x, const struct ck_store *s,
                            const struct ck_recorded *r)
{
    const char *root = s->root.key;
    size_t n = strlen(root), slash;
    bool here = strcmp(r->bucket, s->root.vfs->container) == 0;
    if (!*r->key)
        return ck_statement_arn(x, "%s", r->bucket);
    if (here && n && root[n - 1] != '/' && ck_str_starts(r->key, root) && r->key[n] == '/')
        n++;
    else if (here && n && !ck_str_starts(r->key, root))
        here = false;
    if (here && ck_str_starts(r->key + n, CK_EXAM_FOLDER "/"))
        return own(x, r, r->key + n);
    if (here) {
        slash = strcspn(r->key + n, "/");
        if (r->key[n + slash])
            return ck_statement_arn(x, "%s/%.*s/*", r->bucket, (int)(n + slash), r->key);
        return ck_statement_arn(x, "%s/%s", r->bucket, r->key);
    }
    const char *last = strrchr(r->key, '/');
    return ck_statement_arn(x, "%s/%.*s*", r->bucket, last ? (int)(last + 1 - r->key) : 0, r->key);
}

static bool same(const struct ck_val *x, const struct ck_val *y)
{
    bool equal = ck_len(x) == ck_len(y);
    for (size_t i = 0; equal && i < ck_len(x); i++)
        equal = strcmp(x->map.v[i].key.ptr, y->map.v[i].key.ptr) == 0;
    return equal;
}

static struct ck_val *keys_of(struct ck_arena *a, const struct ck_val *map)
{
    struct ck_val *list = ck_list(a);
    for (size_t i = 0; i < ck_len(map); i++)
        ck_append_str(a, list, map->map.v[i].key.ptr);
    return list;
}

/* Actions with the same resources share a statement. */
static void statements(struct ck_statements *x, const struct ck_val *by_action)
{
    struct ck_val *done = ck_map(x->a);
    size_t number = 0;
    for (size_t i = 0; i < ck_len(by_action); i++) {
        const struct ck_val *resources = ck_get(by_action, by_action->map.v[i].key.ptr);
        struct ck_val *actions = ck_list(x->a);
        for (size_t k = i; k < ck_len(by_action); k++) {
            const char *name = by_action->map.v[k].key.ptr;
            if (ck_get(done, name) || !same(resources, ck_get(by_action, name)))
                continue;
            ck_set(x->a, done, name, ck_null(x->a));
            ck_append_str(x->a, actions, name);
        }
        if (ck_len(actions))
            ck_statement_allow(x, ck_arena_printf(x->a, "Recorded%zu", ++number), actions,
                               keys_of(x->a, resources), NULL);
    }
}

int ck_policy_of_recording(struct ck_arena *a, const struct ck_store *s,
                           const struct ck_policy_opts *o, const struct ck_recording *rec,
                           const struct ck_val **ret, struct ck_err *err)
{
    struct ck_statements x = ck_statements_new(a, o);
    struct ck_val *by_action = ck_map(a);
    if (!rec->n)
        return ck_fail(err, CK_INVALID, "the command asked nothing of a store on S3");
    for (size_t i = 0; i < rec->n; i++) {
        int r = ck_policy_literal("the key", rec->v[i].key, err);
        if (r < 0)
            return r;
        struct ck_val *resources = ck_get(by_action, rec->v[i].action);
        if (!resources) {
            resources = ck_map(a);
            ck_set(a, by_action, rec->v[i].action, resources);
        }
        ck_set(a, resources, resource(&x, s, &rec->v[i]), ck_null(a));
    }
    statements(&x, by_action);
    *ret = ck_statements_done(&x, s->root.vfs->container);
    return 0;
}
