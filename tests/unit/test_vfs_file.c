/* Local folders: modes, what is listed, symbolic links, pipes, folders in the place of files,
 * closed folders, locks, removal, finding clusters. Numbers are those of the conformance list. */
#include "base/clock.h"
#include "vfs/fs.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { NOBODY = 65534 };

struct fixture {
    char top[64]; /* working directory of the test */
    struct ck_env env;
    struct ck_arena *a;
    struct ck_vfs_ctx ctx;
    struct ck_path root; /* top/store, not there yet */
    struct ck_err err;
};

static void must(int r, const struct ck_err *err)
{
    if (r < 0)
        fail_msg("%s: %s", ck_code_name(err->code), ck_err_msg(err));
}

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){.top = "/tmp/ckops-file-XXXXXX", .a = ck_arena_new()};
    f.ctx = (struct ck_vfs_ctx){.env = &f.env, .arena = f.a, .timeout_ms = 3000};
    if (!mkdtemp(f.top) || chdir(f.top) < 0 || chmod(f.top, 0755) < 0)
        return -1;
    must(ck_vfs_parse(&f.ctx, ck_arena_printf(f.a, "%s/store", f.top), &f.root, &f.err), &f.err);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    (void)!seteuid(0);
    ck_vfs_ctx_done(&f->ctx);
    ck_err_done(&f->err);
    char *rm = ck_arena_printf(f->a, "chmod -R u+rwx '%s' && rm -rf '%s'", f->top, f->top);
    int r = chdir("/") < 0 ? -1 : system(rm); /* not with the code under test */
    ck_arena_free(f->a);
    return r;
}

static struct ck_path at(struct fixture *f, const char *key)
{
    struct ck_path p;
    must(ck_path_join(f->a, &f->root, key, &p, &f->err), &f->err);
    return p;
}

static int put(struct fixture *f, const char *key, const char *text, enum ck_write_mode mode)
{
    struct ck_path p = at(f, key);
    const struct ck_write_opts o = {.mode = mode};
    ck_err_done(&f->err);
    return ck_vfs_write(&p, ck_slice_of(text), &o, NULL, &f->err);
}

static void write_ok(struct fixture *f, const char *key, const char *text)
{
    must(put(f, key, text, CK_WRITE_ANY), &f->err);
}

static const char *get(struct fixture *f, const char *key, int want)
{
    struct ck_path p = at(f, key);
    struct ck_buf b = CK_BUF_INIT;
    ck_err_done(&f->err);
    int r = ck_vfs_read(&p, &b, NULL, &f->err);
    if (r != want)
        fail_msg("%s: %d instead of %d: %s", key, r, want, ck_err_msg(&f->err));
    const char *text = ck_arena_strdup(f->a, r == 0 ? ck_buf_str(&b) : ck_err_msg(&f->err));
    ck_buf_done(&b);
    return text;
}

enum what { LIST, DIRS, TREE };

static const char *names(struct fixture *f, enum what what, const char *key)
{
    struct ck_entries e = {0};
    struct ck_path p = at(f, key);
    ck_err_done(&f->err);
    int r = what == LIST   ? ck_vfs_list(&p, f->a, &e, &f->err)
            : what == DIRS ? ck_vfs_list_dirs(&p, f->a, &e, &f->err)
                           : ck_vfs_tree(&p, f->a, &e, &f->err);
    if (r < 0)
        return ck_arena_strdup(f->a, ck_err_msg(&f->err));
    const char *text = "";
    for (size_t i = 0; i < e.n; i++)
        text = ck_arena_printf(f->a, "%s%s%s", text, i ? " " : "", e.v[i].name);
    return text;
}

/* A file made by other means than the store. */
static void plant(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

/* ---- files and folders ---- */

static void test_files_are_0600_and_new_folders_0700(void **state)
{
    struct fixture *f = *state;
    mode_t before = umask(0);
    write_ok(f, "c/pki/key", "secret");
    plant("store/c/open", "x", 0644);
    write_ok(f, "c/open", "secret");
    umask(before);
    assert_int_equal(mode_of("store"), 0700);
    assert_int_equal(mode_of("store/c"), 0700);
    assert_int_equal(mode_of("store/c/pki"), 0700);
    assert_int_equal(mode_of("store/c/pki/key"), 0600);
    assert_int_equal(mode_of("store/c/open"), 0600);
}

static void test_V095_a_missing_folder_is_not_found(void **state)
{
    struct fixture *f = *state;
    const char *want = ck_arena_printf(f->a, "open %s/store: no such file or directory", f->top);
    for (enum what w = LIST; w <= TREE; w++) {
        assert_string_equal(names(f, w, ""), want);
        assert_int_equal(f->err.code, CK_NOT_FOUND);
    }
    write_ok(f, "x", "");
    assert_string_equal(
        names(f, TREE, "c1"),
        ck_arena_printf(f->a, "open %s/store/c1: no such file or directory", f->top));
    assert_int_equal(f->err.code, CK_NOT_FOUND);
}

static void test_absent_objects_have_kops_texts(void **state)
{
    struct fixture *f = *state;
    struct ck_path p = at(f, "c/secrets/x");
    assert_string_equal(get(f, "c/secrets/x", -CK_NOT_FOUND), "file does not exist");
    for (int i = 0; i < 2; i++) { /* without and with the folder */
        assert_int_equal(ck_vfs_remove(&p, NULL, &f->err), -CK_NOT_FOUND);
        assert_string_equal(ck_err_msg(&f->err),
                            ck_arena_printf(f->a, "remove %s: no such file or directory", p.key));
        write_ok(f, "c/secrets/y", "");
    }
    assert_int_equal(put(f, "c/secrets/y", "", CK_WRITE_CREATE), -CK_EXISTS);
    assert_string_equal(ck_err_msg(&f->err), "file already exists");
}

static void test_V094_unfinished_files_are_not_listed(void **state)
{
    struct fixture *f = *state;
    static const char *const stray[] = {".ckops-tmp-0011223344556677", "tmp1234567",
                                        "tmp4294967295"};
    static const char *const real[] = {"tmp",        "tmp1",       "tmp-a", "tmp12345678901",
                                       "tmp0123456", "tmpx1234567"};
    write_ok(f, "d/x", "");
    for (size_t i = 0; i < CK_ARRAY_LEN(stray); i++)
        plant(ck_arena_printf(f->a, "store/d/%s", stray[i]), "", 0600);
    for (size_t i = 0; i < CK_ARRAY_LEN(real); i++)
        write_ok(f, ck_arena_printf(f->a, "d/%s", real[i]), "");
    assert_string_equal(names(f, LIST, "d"),
                        "tmp tmp-a tmp0123456 tmp1 tmp12345678901 tmpx1234567 x");
    assert_string_equal(names(f, TREE, "d"), names(f, LIST, "d"));
}

static void test_names_that_would_not_be_listed_are_not_written(void **state)
{
    assert_int_equal(put(*state, "d/tmp1234567", "", CK_WRITE_CREATE), -CK_INVALID);
    assert_int_equal(put(*state, "d/.ckops-tmp-x", "", CK_WRITE_ANY), -CK_INVALID);
}

static void test_the_working_directory_as_a_store(void **state)
{
    struct fixture *f = *state;
    must(ck_vfs_parse(&f->ctx, ".", &f->root, &f->err), &f->err);
    write_ok(f, "c/config", "x");
    assert_string_equal(get(f, "c/config", 0), "x");
    assert_string_equal(names(f, DIRS, ""), "c");
    assert_string_equal(names(f, TREE, ""), "c/config");
    must(ck_vfs_remove_tree(&f->root, &f->err), &f->err);
    assert_string_equal(names(f, DIRS, ""), "");
}

static void test_V097_a_relative_store_finds_its_clusters(void **state)
{
    struct fixture *f = *state;
    CK_AUTOSTRV found = {0};
    write_ok(f, "c/config", "x");
    must(ck_vfs_parse(&f->ctx, ".//store/./", &f->root, &f->err), &f->err);
    must(ck_vfs_find_names(&f->root, "config", &found, &f->err), &f->err);
    assert_int_equal(found.n, 1);
    assert_string_equal(found.v[0], "c");
}

/* ---- links, pipes, folders ---- */

static void test_the_store_itself_may_be_a_link(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mkdir("real", 0700), 0);
    assert_int_equal(symlink("real", "store"), 0);
    write_ok(f, "c/config", "x");
    assert_string_equal(get(f, "c/config", 0), "x");
    assert_string_equal(names(f, DIRS, ""), "c");
    assert_int_equal(access("real/c/config", F_OK), 0);
}

static void linked_folder(struct fixture *f)
{
    assert_int_equal(mkdir("outside", 0700), 0);
    plant("outside/config", "outside", 0600);
    write_ok(f, "real/config", "inside");
    assert_int_equal(symlink("../outside", "store/evil"), 0);
}

static void test_linked_folders_are_refused_by_name(void **state)
{
    struct fixture *f = *state;
    linked_folder(f);
    const char *want = ck_arena_printf(
        f->a, "%s/store/evil is a symbolic link; links inside a store are not followed", f->top);
    struct ck_path p = at(f, "evil/config");
    assert_string_equal(get(f, "evil/config", -CK_DENIED), want);
    assert_int_equal(put(f, "evil/config", "x", CK_WRITE_ANY), -CK_DENIED);
    assert_string_equal(ck_err_msg(&f->err), want);
    assert_int_equal(put(f, "evil/new/x", "x", CK_WRITE_CREATE), -CK_DENIED);
    assert_int_equal(ck_vfs_remove(&p, NULL, &f->err), -CK_DENIED);
    assert_string_equal(names(f, LIST, "evil"), want);
    p = at(f, "evil");
    assert_int_equal(ck_vfs_remove_tree(&p, &f->err), -CK_DENIED);
    assert_string_equal(names(f, LIST, "real"), "config");
    assert_int_equal(access("outside/config", F_OK), 0);
    assert_int_equal(access("outside/new", F_OK), -1);
}

static void test_V095_linked_folders_are_not_descended(void **state)
{
    struct fixture *f = *state;
    CK_AUTOSTRV found = {0};
    linked_folder(f);
    assert_string_equal(names(f, TREE, ""), "evil real/config");
    assert_string_equal(names(f, DIRS, ""), "real");
    must(ck_vfs_find_names(&f->root, "config", &found, &f->err), &f->err);
    assert_int_equal(found.n, 1);
    must(ck_vfs_remove_tree(&f->root, &f->err), &f->err);
    assert_int_equal(access("outside/config", F_OK), 0);
    assert_string_equal(names(f, TREE, ""), "");
}

static void test_linked_files_are_not_read_and_replaced_not_followed(void **state)
{
    struct fixture *f = *state;
    plant("target", "outside", 0600);
    write_ok(f, "c/x", "");
    assert_int_equal(symlink("../../target", "store/c/config"), 0);
    assert_string_equal(get(f, "c/config", -CK_DENIED),
                        ck_arena_printf(f->a,
                                        "%s/store/c/config is a symbolic link; links inside a "
                                        "store are not followed",
                                        f->top));
    assert_int_equal(put(f, "c/config", "x", CK_WRITE_CREATE), -CK_EXISTS);
    write_ok(f, "c/config", "inside");
    assert_string_equal(get(f, "c/config", 0), "inside");
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    must(ck_vfs_read_location(&f->ctx, "target", &b, &f->err), &f->err);
    assert_string_equal(ck_buf_str(&b), "outside");
}

static void test_links_are_refused_without_openat2_too(void **state)
{
    struct fixture *f = *state;
    linked_folder(f);
    ((struct ck_fs *)f->root.vfs)->no_openat2 = true;
    get(f, "evil/config", -CK_DENIED);
    assert_string_equal(get(f, "real/config", 0), "inside");
    get(f, "real/other", -CK_NOT_FOUND);
    get(f, "other/config", -CK_NOT_FOUND);
}

static void test_a_location_that_is_a_link_is_the_users_choice(void **state)
{
    struct fixture *f = *state;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    plant("manifest", "text", 0600);
    assert_int_equal(symlink("manifest", "link"), 0);
    must(ck_vfs_read_location(&f->ctx, "link", &b, &f->err), &f->err);
    assert_string_equal(ck_buf_str(&b), "text");
}

static void test_keys_with_dotdot_do_not_leave_the_store(void **state)
{
    struct fixture *f = *state;
    plant("outside", "outside", 0600);
    write_ok(f, "c/config", "x");
    static const char *const keys[] = {"/../outside", "/c/../../outside", "/c/..", "/.."};
    for (size_t i = 0; i < CK_ARRAY_LEN(keys); i++) { /* past the join, which refuses them */
        struct ck_path p = {f->root.vfs,
                            ck_arena_printf(f->a, "%s%s", f->root.vfs->container, keys[i])};
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        assert_true(ck_vfs_read(&p, &b, NULL, &f->err) < 0);
        assert_int_equal(b.len, 0);
        assert_true(ck_vfs_write(&p, CK_S("x"), NULL, NULL, &f->err) < 0);
        assert_true(ck_vfs_remove(&p, NULL, &f->err) < 0);
        ((struct ck_fs *)f->root.vfs)->no_openat2 = true;
        assert_true(ck_vfs_read(&p, &b, NULL, &f->err) < 0);
        ((struct ck_fs *)f->root.vfs)->no_openat2 = false;
    }
    assert_int_equal(access("outside", F_OK), 0);
}

static void test_a_pipe_in_the_place_of_a_file_does_not_hang(void **state)
{
    struct fixture *f = *state;
    struct ck_path p = at(f, "c/config");
    const struct ck_version v = {"x"};
    write_ok(f, "c/x", "");
    assert_int_equal(mkfifo("store/c/config", 0600), 0);
    alarm(10);
    assert_string_equal(get(f, "c/config", -CK_INVALID),
                        ck_arena_printf(f->a, "read %s: it is not a regular file", p.key));
    assert_int_equal(ck_vfs_remove(&p, &v, &f->err), -CK_INVALID);
    write_ok(f, "c/config", "x");
    alarm(0);
    assert_string_equal(get(f, "c/config", 0), "x");
}

static void test_a_pipe_the_user_names_is_read(void **state)
{
    struct fixture *f = *state;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    assert_int_equal(mkfifo("pipe", 0600), 0);
    pid_t child = fork();
    if (child == 0) {
        int fd = open("pipe", O_WRONLY);
        ck_sleep_ms(20);
        _exit(write(fd, "manifest", 8) != 8);
    }
    alarm(10);
    ck_sleep_ms(50); /* the other end is open: without a writer a pipe is empty */
    int keep = open("pipe", O_RDONLY | O_NONBLOCK);
    must(ck_vfs_read_location(&f->ctx, "pipe", &b, &f->err), &f->err);
    alarm(0);
    close(keep);
    waitpid(child, NULL, 0);
    assert_string_equal(ck_buf_str(&b), "manifest");
}

static void test_folders_in_the_place_of_files(void **state)
{
    struct fixture *f = *state;
    struct ck_path p = at(f, "c/config");
    write_ok(f, "c/config/x", "");
    assert_string_equal(get(f, "c/config", -CK_IO),
                        ck_arena_printf(f->a, "read %s: is a directory", p.key));
    assert_int_equal(put(f, "c/config", "x", CK_WRITE_CREATE), -CK_EXISTS);
    assert_int_equal(put(f, "c/config", "x", CK_WRITE_ANY), -CK_IO);
    assert_int_equal(ck_vfs_remove(&p, NULL, &f->err), -CK_IO);
    assert_string_equal(names(f, TREE, ""), "c/config/x");
}

static void test_files_in_the_place_of_folders(void **state)
{
    struct fixture *f = *state;
    write_ok(f, "c", "file");
    assert_string_equal(get(f, "c/config", -CK_IO),
                        ck_arena_printf(f->a, "open %s/store/c: not a directory", f->top));
    assert_int_equal(put(f, "c/config", "x", CK_WRITE_ANY), -CK_IO);
    assert_string_equal(get(f, "c", 0), "file");
}

static void test_long_names_and_paths_fail_cleanly(void **state)
{
    struct fixture *f = *state;
    char name[4097];
    memset(name, 'n', 4096);
    name[4096] = '\0';
    get(f, name, -CK_NOT_FOUND); /* the store is not there */
    write_ok(f, "x", "");
    get(f, name, -CK_IO);
    assert_int_equal(put(f, name, "x", CK_WRITE_CREATE), -CK_IO);
    for (size_t i = 1; i < sizeof name - 1; i += 2)
        name[i] = '/';
    assert_int_equal(put(f, name, "x", CK_WRITE_CREATE), 0); /* 2,048 folders deep */
    assert_string_equal(get(f, name, 0), "x");
    assert_non_null(strstr(names(f, TREE, ""), "folders deep"));
}

/* ---- sizes and permissions ---- */

static void test_reads_are_limited(void **state)
{
    struct fixture *f = *state;
    f->ctx.max_object = 10;
    write_ok(f, "fits", "0123456789");
    assert_string_equal(get(f, "fits", 0), "0123456789");
    write_ok(f, "big", "0123456789a");
    assert_string_equal(get(f, "big", -CK_LIMIT),
                        ck_arena_printf(f->a, "%s/store/big: more than 10 bytes", f->top));
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    assert_int_equal(ck_vfs_read_location(&f->ctx, "/dev/zero", &b, &f->err), -CK_LIMIT);
}

/* Permissions mean nothing to root. */
static void be_nobody(struct fixture *f)
{
    if (geteuid() != 0)
        return;
    assert_int_equal(system("chown -R 65534 store"), 0);
    assert_int_equal(seteuid(NOBODY), 0);
}

static void test_closed_files_and_folders_are_denied(void **state)
{
    struct fixture *f = *state;
    struct ck_path p = at(f, "d/x");
    write_ok(f, "c/config", "x");
    write_ok(f, "d/x", "x");
    assert_int_equal(chmod("store/c/config", 0), 0);
    assert_int_equal(chmod("store/d", 0500), 0);
    be_nobody(f);
    assert_string_equal(get(f, "c/config", -CK_DENIED),
                        ck_arena_printf(f->a, "open %s/store/c/config: permission denied", f->top));
    assert_int_equal(put(f, "d/y", "x", CK_WRITE_CREATE), -CK_DENIED);
    assert_int_equal(put(f, "d/x", "y", CK_WRITE_ANY), -CK_DENIED);
    assert_int_equal(put(f, "d/e/y", "x", CK_WRITE_ANY), -CK_DENIED);
    assert_string_equal(ck_err_msg(&f->err),
                        ck_arena_printf(f->a,
                                        "error creating directories \"%s/store/d/e\": mkdir "
                                        "%s/store/d/e: permission denied",
                                        f->top, f->top));
    assert_int_equal(ck_vfs_remove(&p, NULL, &f->err), -CK_DENIED);
    assert_string_equal(get(f, "d/x", 0), "x");
}

static int append_name(void *arg, const struct ck_entry *e, struct ck_err *err)
{
    ck_buf_fmt(arg, "%s=%lld ", e->name, (long long)e->size);
    return strcmp(e->name, "stop") == 0 ? ck_fail(err, CK_LIMIT, "enough") : 0;
}

static void test_a_tree_one_by_one_has_the_order_of_whole_names(void **state)
{
    struct fixture *f = *state;
    static const char *const files[] = {"a/x", "a.b", "a-b/y", "a/b/c", "a0", "a/b.c", "B"};
    for (size_t i = 0; i < CK_ARRAY_LEN(files); i++) {
        struct ck_path p = at(f, files[i]);
        must(ck_vfs_write(&p, CK_S("xy"), NULL, NULL, &f->err), &f->err);
    }
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    must(ck_vfs_tree_each(&f->root, append_name, &b, &f->err), &f->err);
    assert_string_equal(ck_buf_str(&b), "B=2 a-b/y=2 a.b=2 a/b.c=2 a/b/c=2 a/x=2 a0=2 ");
    assert_string_equal(names(f, TREE, ""), "B a-b/y a.b a/b.c a/b/c a/x a0");
    struct ck_path stop = at(f, "stop"), missing = at(f, "missing");
    must(ck_vfs_write(&stop, CK_S(""), NULL, NULL, &f->err), &f->err);
    assert_int_equal(ck_vfs_tree_each(&f->root, append_name, &b, &f->err), -CK_LIMIT);
    ck_err_done(&f->err);
    assert_int_equal(ck_vfs_tree_each(&missing, append_name, &b, &f->err), -CK_NOT_FOUND);
}

static void test_what_is_written_is_read_back_when_asked(void **state)
{
    struct fixture *f = *state;
    CK_AUTOBUF struct ck_buf big = CK_BUF_INIT;
    ck_buf_fill(&big, 'x', 100000);
    const struct ck_slice contents[] = {CK_S(""), CK_S("small"), ck_buf_slice(&big)};
    for (size_t i = 0; i < CK_ARRAY_LEN(contents); i++) {
        bool read_back = false;
        const struct ck_write_opts o = {
            .mode = CK_WRITE_CREATE, .sync_later = i % 2 == 0, .read_back = &read_back};
        struct ck_path p = at(f, ck_arena_printf(f->a, "folder/f%zu", i));
        must(ck_vfs_write(&p, contents[i], &o, NULL, &f->err), &f->err);
        assert_true(read_back);
        read_back = false;
        assert_int_equal(ck_vfs_write(&p, contents[i], &o, NULL, &f->err), -CK_EXISTS);
        ck_err_done(&f->err);
    }
}

static void test_removing_a_tree_goes_on_after_a_failure_and_tells(void **state)
{
    struct fixture *f = *state;
    write_ok(f, "c/a/x", "");
    write_ok(f, "c/b/closed", "");
    write_ok(f, "c/z", "");
    assert_int_equal(chmod("store/c/b", 0500), 0);
    be_nobody(f);
    struct ck_path p = at(f, "c");
    assert_int_equal(ck_vfs_remove_tree(&p, &f->err), -CK_DENIED);
    assert_non_null(strstr(ck_err_msg(&f->err), "error removing 1 of 3 files"));
    assert_non_null(strstr(ck_err_msg(&f->err), "store/c/b/closed: permission denied"));
    assert_string_equal(names(f, TREE, "c"), "b/closed");
}

static void test_removing_a_tree_takes_unfinished_files_and_folders_along(void **state)
{
    struct fixture *f = *state;
    write_ok(f, "c/pki/private/ca", "");
    write_ok(f, "c10/config", "");
    plant("store/c/pki/.ckops-tmp-0123", "secret", 0600);
    plant("store/c/tmp123456789", "secret", 0600);
    struct ck_path p = at(f, "c");
    must(ck_vfs_remove_tree(&p, &f->err), &f->err);
    assert_int_equal(access("store/c", F_OK), -1);
    assert_string_equal(names(f, TREE, ""), "c10/config");
    must(ck_vfs_remove_tree(&p, &f->err), &f->err); /* again: nothing to do */
}

/* ---- several processes ---- */

static void test_a_held_lock_is_waited_for_and_then_a_timeout(void **state)
{
    struct fixture *f = *state;
    write_ok(f, "c/config", "x");
    int fd = open("store/c", O_RDONLY | O_DIRECTORY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    f->ctx.timeout_ms = 50;
    int64_t start = ck_mono_ms();
    assert_int_equal(put(f, "c/config", "y", CK_WRITE_ANY), -CK_TIMEOUT);
    assert_in_range(ck_mono_ms() - start, 50, 2000);
    assert_string_equal(get(f, "c/config", 0), "x"); /* readers do not wait */
    close(fd);
    write_ok(f, "c/config", "y");
}

static void test_a_store_that_was_removed_is_made_again(void **state)
{
    struct fixture *f = *state;
    write_ok(f, "c/config", "x");
    assert_int_equal(system("rm -r store"), 0);
    assert_int_equal(put(f, "c/config", "y", CK_WRITE_CREATE), 0);
    assert_string_equal(get(f, "c/config", 0), "y");
}

static void test_writing_while_the_folder_is_removed(void **state)
{
    enum { ROUNDS = 300 };
    struct fixture *f = *state;
    struct ck_path c = at(f, "c");
    write_ok(f, "x", "");
    pid_t child = fork();
    if (child == 0) {
        for (;;)
            if (ck_vfs_remove_tree(&c, NULL) < 0)
                _exit(1);
    }
    for (int i = 0; i < ROUNDS; i++)
        if (put(f, "c/a/b", "x", CK_WRITE_ANY) < 0) {
            kill(child, SIGKILL);
            fail_msg("%s", ck_err_msg(&f->err));
        }
    int status;
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
}

static void test_versions_tell_contents_apart(void **state)
{
    enum { MAX = 64 };
    struct ck_map seen = {0};
    for (size_t len = 0; len <= MAX; len++)
        for (size_t bit = 0; bit <= len * 8; bit++) { /* every single bit, and none */
            char data[MAX + 1] = {0};
            struct ck_version v;
            data[bit / 8] = (char)(1u << (bit % 8));
            ck_fs_version(ck_slice_n(data, len), &v);
            assert_true(ck_map_put(&seen, v.token, &seen));
        }
    assert_true(seen.n > MAX * MAX * 4);
    ck_map_done(&seen);
}

/* ---- finding ---- */

static int note(void *arg, const char *name, struct ck_slice data, const struct ck_version *version,
                struct ck_err *item_err)
{
    ck_buf_fmt(arg, "%s=%s ", name,
               item_err->code ? ck_code_name(item_err->code)
               : data.len     ? data.ptr
                              : "");
    return 0;
}

static const char *find(struct fixture *f)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_err_done(&f->err);
    if (ck_vfs_find(&f->root, "config", note, &b, &f->err) < 0)
        return ck_arena_strdup(f->a, ck_err_msg(&f->err));
    return ck_arena_strdup(f->a, ck_buf_str(&b));
}

static void test_finding_in_a_missing_store(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(find(f),
                        ck_arena_printf(f->a, "open %s/store: no such file or directory", f->top));
    assert_int_equal(f->err.code, CK_NOT_FOUND);
}

static void test_finding_goes_on_beside_what_cannot_be_read(void **state)
{
    struct fixture *f = *state;
    write_ok(f, "a/config", "1");
    write_ok(f, "b/config", "2"); /* closed file */
    write_ok(f, "c/config", "3"); /* closed folder */
    write_ok(f, "d/e/config", "4");
    write_ok(f, "f/x/config", "5");        /* may be entered, not listed */
    write_ok(f, "g/config/h/config", "6"); /* a folder of that name */
    write_ok(f, ".git/config", "7");
    assert_int_equal(chmod("store/b/config", 0), 0);
    assert_int_equal(chmod("store/c", 0), 0);
    assert_int_equal(chmod("store/f", 0100), 0);
    be_nobody(f);
    assert_string_equal(find(f), "a=1 b=denied c=denied d/e=4 f=denied g/config/h=6 ");
}

static void test_finding_ends_at_a_depth(void **state)
{
    struct fixture *f = *state;
    write_ok(f, "1/2/3/4/5/6/7/8/config", "deep");
    write_ok(f, "a/2/3/4/5/6/7/8/9/config", "too deep");
    assert_string_equal(find(f), "1/2/3/4/5/6/7/8=deep ");
}

static void test_finding_many_keeps_the_order(void **state)
{
    struct fixture *f = *state;
    CK_AUTOSTRV found = {0};
    for (int i = 0; i < 1200; i++) /* more than one batch, some of them deeper */
        write_ok(f, ck_arena_printf(f->a, i % 7 ? "c%04d/config" : "c%04d/x/config", i), "x");
    must(ck_vfs_find_names(&f->root, "config", &found, &f->err), &f->err);
    assert_int_equal(found.n, 1200);
    for (size_t i = 1; i < found.n; i++)
        assert_true(strcmp(found.v[i - 1], found.v[i]) < 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_files_are_0600_and_new_folders_0700),
        T(test_V095_a_missing_folder_is_not_found),
        T(test_absent_objects_have_kops_texts),
        T(test_V094_unfinished_files_are_not_listed),
        T(test_names_that_would_not_be_listed_are_not_written),
        T(test_the_working_directory_as_a_store),
        T(test_V097_a_relative_store_finds_its_clusters),
        T(test_the_store_itself_may_be_a_link),
        T(test_linked_folders_are_refused_by_name),
        T(test_V095_linked_folders_are_not_descended),
        T(test_linked_files_are_not_read_and_replaced_not_followed),
        T(test_links_are_refused_without_openat2_too),
        T(test_a_location_that_is_a_link_is_the_users_choice),
        T(test_keys_with_dotdot_do_not_leave_the_store),
        T(test_a_pipe_in_the_place_of_a_file_does_not_hang),
        T(test_a_pipe_the_user_names_is_read),
        T(test_folders_in_the_place_of_files),
        T(test_files_in_the_place_of_folders),
        T(test_long_names_and_paths_fail_cleanly),
        T(test_reads_are_limited),
        T(test_closed_files_and_folders_are_denied),
        T(test_a_tree_one_by_one_has_the_order_of_whole_names),
        T(test_what_is_written_is_read_back_when_asked),
        T(test_removing_a_tree_goes_on_after_a_failure_and_tells),
        T(test_removing_a_tree_takes_unfinished_files_and_folders_along),
        T(test_a_held_lock_is_waited_for_and_then_a_timeout),
        T(test_a_store_that_was_removed_is_made_again),
        T(test_writing_while_the_folder_is_removed),
        T(test_versions_tell_contents_apart),
        T(test_finding_in_a_missing_store),
        T(test_finding_goes_on_beside_what_cannot_be_read),
        T(test_finding_ends_at_a_depth),
        T(test_finding_many_keeps_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
