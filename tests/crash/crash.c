/* Writers killed at every system call of one write to a local store: afterwards there is the old or
 * the new content, never neither, and no listing shows a stray file. The writer is a child under
 * ptrace; the n-th stop at the entry or exit of a call is its last. What a power cut does is not
 * tested here. */
#include "vfs/fs.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cmocka.h>

#define OLD "old content\n"

enum { NEW_SIZE = 100000, MAX_STOPS = 2000, MIN_STOPS = 12 };

struct scenario {
    const char *key;
    const char *before; /* NULL: the object does not exist */
    enum ck_write_mode mode;
    bool remove;      /* instead of writing */
    bool named_temps; /* as on file systems without unnamed files */
};

/* What was seen over all the kills of one scenario. */
struct seen {
    int stops, old, new, strays;
};

struct store {
    char dir[64];
    struct ck_env env;
    struct ck_arena *a;
    struct ck_vfs_ctx ctx;
    struct ck_path root;
};

static char new_content[NEW_SIZE + 1];

static void must(int r, struct ck_err *err)
{
    if (r < 0)
        fail_msg("%s: %s", ck_code_name(err->code), ck_err_msg(err));
}

static void open_store(struct store *s)
{
    CK_AUTOERR err = CK_ERR_INIT;
    s->env = (struct ck_env){0};
    s->a = ck_arena_new();
    s->ctx = (struct ck_vfs_ctx){.env = &s->env, .arena = s->a, .timeout_ms = 2000};
    must(ck_vfs_parse(&s->ctx, s->dir, &s->root, &err), &err);
}

static void close_store(struct store *s)
{
    ck_vfs_ctx_done(&s->ctx);
    ck_arena_free(s->a);
}

static struct ck_path at(struct store *s, const char *key)
{
    struct ck_path p;
    CK_AUTOERR err = CK_ERR_INIT;
    must(ck_path_join(s->a, &s->root, key, &p, &err), &err);
    return p;
}

static void put(struct store *s, const char *key, const char *text)
{
    struct ck_path p = at(s, key);
    CK_AUTOERR err = CK_ERR_INIT;
    must(ck_vfs_write(&p, ck_slice_of(text), NULL, NULL, &err), &err);
}

/* ---- the writer ---- */

static void write_and_exit(const struct scenario *c, const char *dir)
{
    struct store s = {0};
    struct ck_version version = {""};
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    snprintf(s.dir, sizeof s.dir, "%s", dir);
    open_store(&s);
    struct ck_path p = at(&s, c->key);
    ((struct ck_fs *)p.vfs)->named_temps = c->named_temps;
    if (c->before && ck_vfs_read(&p, &b, &version, NULL) < 0)
        _exit(2);
    const struct ck_write_opts o = {.mode = c->mode, .version = &version};
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
        _exit(77);
    raise(SIGSTOP);
    int r = c->remove ? ck_vfs_remove(&p, &version, NULL)
                      : ck_vfs_write(&p, ck_slice_n(new_content, NEW_SIZE), &o, NULL, NULL);
    _exit(r == 0 ? 0 : 3);
}

/* Run the writer up to its stop number `n` and kill it there; true when it ended before. */
static bool killed_too_late(const struct scenario *c, const char *dir, int n)
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        write_and_exit(c, dir);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("skipped: no ptrace here\n");
        skip();
    }
    assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    assert_int_equal(ptrace(PTRACE_SETOPTIONS, child, NULL,
                            (void *)(intptr_t)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)),
                     0);
    for (int i = 0; i < n; i++) {
        assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            return true;
        }
        assert_true(WIFSTOPPED(status));
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return false;
}

/* ---- afterwards ---- */

static int strays_in(const char *dir)
{
    int n = 0;
    DIR *d = opendir(dir);
    if (!d)
        return 0;
    for (const struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.' && (!e->d_name[1] || e->d_name[1] == '.'))
            continue;
        char path[512];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        n += e->d_type == DT_DIR ? strays_in(path) : ck_fs_is_temporary(e->d_name);
    }
    closedir(d);
    return n;
}

/* The neighbour, the object if it is there, and nothing else. */
static void check_listing(struct store *s, const struct scenario *c, bool there)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_entries e = {0};
    must(ck_vfs_tree(&s->root, a, &e, &err), &err);
    assert_int_equal(e.n, there ? 2 : 1);
    for (size_t i = 0; i < e.n; i++)
        assert_true(strcmp(e.v[i].name, "c/neighbour") == 0 || strcmp(e.v[i].name, c->key) == 0);
    struct ck_path folder = at(s, "c");
    must(ck_vfs_list(&folder, a, &e, &err), &err);
    for (size_t i = 0; i < e.n; i++)
        assert_false(ck_fs_is_temporary(e.v[i].name));
}

static void check_content(struct store *s, const struct scenario *c, struct seen *seen, bool ended)
{
    struct ck_path p = at(s, c->key);
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    int r = ck_vfs_read(&p, &b, NULL, &err);
    bool absent = r == -CK_NOT_FOUND;
    if (!absent)
        must(r, &err);
    bool is_new = c->remove ? absent : !absent && strcmp(ck_buf_str(&b), new_content) == 0;
    bool is_old = c->before ? !absent && strcmp(ck_buf_str(&b), c->before) == 0 : absent;
    if (!is_new && !is_old)
        fail_msg("after stop %d: neither old nor new: %zu bytes", seen->stops, b.len);
    if (is_old && (ended || seen->new))
        fail_msg("after stop %d: old again", seen->stops);
    seen->new += is_new;
    seen->old += is_old;
    check_listing(s, c, !absent);
}

/* The next one must be able to go on: the lock is gone, and removal leaves nothing behind. */
static void check_recovery(struct store *s, const struct scenario *c)
{
    CK_AUTOERR err = CK_ERR_INIT;
    put(s, c->key, "next");
    must(ck_vfs_remove_tree(&s->root, &err), &err);
    assert_int_equal(rmdir(s->dir), 0);
}

static struct seen kill_at_every_stop(const struct scenario *c)
{
    struct seen seen = {0};
    memset(new_content, 'n', NEW_SIZE);
    for (bool ended = false; !ended;) {
        struct store s = {.dir = "/tmp/ckops-crash-XXXXXX"};
        assert_non_null(mkdtemp(s.dir));
        open_store(&s);
        put(&s, "c/neighbour", "x");
        if (c->before)
            put(&s, c->key, c->before);
        ended = killed_too_late(c, s.dir, ++seen.stops);
        seen.strays += strays_in(s.dir) > 0;
        check_content(&s, c, &seen, ended);
        check_recovery(&s, c);
        close_store(&s);
        assert_true(seen.stops < MAX_STOPS);
    }
    print_message("%d stops: %d old, %d new, %d with a stray file\n", seen.stops, seen.old,
                  seen.new, seen.strays);
    /* or nothing was tested */
    assert_true(seen.stops >= MIN_STOPS);
    assert_true(seen.old > 1 && seen.new > 1);
    return seen;
}

/* ---- tests ---- */

static void test_V093_killed_while_replacing(void **state)
{
    struct seen seen = kill_at_every_stop(
        &(const struct scenario){.key = "c/config", .before = OLD, .mode = CK_WRITE_ANY});
    /* between naming the finished file and renaming it, at most */
    assert_true(seen.strays <= 4);
}

static void test_V093_killed_while_replacing_with_named_files(void **state)
{
    struct seen seen = kill_at_every_stop(&(const struct scenario){
        .key = "c/config", .before = OLD, .mode = CK_WRITE_ANY, .named_temps = true});
    assert_true(seen.strays > 0); /* they were there and no listing showed them */
}

static void test_V094_killed_while_creating(void **state)
{
    struct seen seen =
        kill_at_every_stop(&(const struct scenario){.key = "c/config", .mode = CK_WRITE_CREATE});
    assert_int_equal(seen.strays, 0);
}

static void test_V094_killed_while_creating_with_named_files(void **state)
{
    struct seen seen = kill_at_every_stop(
        &(const struct scenario){.key = "c/config", .mode = CK_WRITE_CREATE, .named_temps = true});
    assert_true(seen.strays > 0);
}

static void test_V094_killed_while_creating_with_new_folders(void **state)
{
    kill_at_every_stop(
        &(const struct scenario){.key = "c/pki/private/ca/keyset", .mode = CK_WRITE_CREATE});
}

static void test_killed_while_writing_if_unchanged(void **state)
{
    struct seen seen = kill_at_every_stop(
        &(const struct scenario){.key = "c/config", .before = OLD, .mode = CK_WRITE_IF_UNCHANGED});
    assert_true(seen.strays <= 4);
}

static void test_killed_while_writing_if_unchanged_with_named_files(void **state)
{
    kill_at_every_stop(&(const struct scenario){
        .key = "c/config", .before = OLD, .mode = CK_WRITE_IF_UNCHANGED, .named_temps = true});
}

static void test_killed_while_removing_if_unchanged(void **state)
{
    struct seen seen = kill_at_every_stop(
        &(const struct scenario){.key = "c/config", .before = OLD, .remove = true});
    assert_int_equal(seen.strays, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_V093_killed_while_replacing),
        cmocka_unit_test(test_V093_killed_while_replacing_with_named_files),
        cmocka_unit_test(test_V094_killed_while_creating),
        cmocka_unit_test(test_V094_killed_while_creating_with_named_files),
        cmocka_unit_test(test_V094_killed_while_creating_with_new_folders),
        cmocka_unit_test(test_killed_while_writing_if_unchanged),
        cmocka_unit_test(test_killed_while_writing_if_unchanged_with_named_files),
        cmocka_unit_test(test_killed_while_removing_if_unchanged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
