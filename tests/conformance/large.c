/* Files beyond what one object of a store may hold, on the store named by CK_STORE_URL: sizes
 * around the limits, conditional writes, readers during a replacement, writers that are killed. */
#include "conformance.h"

#include "base/mem.h"

#include <signal.h>
#include <sys/wait.h>

enum { MIB = 1 << 20 };

static void fill(struct ck_buf *b, size_t n, unsigned seed)
{
    ck_buf_reset(b);
    ck_buf_reserve(b, n);
    for (size_t i = 0; i < n; i++)
        ck_buf_putc(b, (char)(i * 31 + i / 251 + seed));
}

static int put_size(struct store *s, const char *key, size_t n, unsigned seed,
                    enum ck_write_mode mode, const struct ck_version *v, struct ck_version *ret)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_path p = at(s, key);
    const struct ck_write_opts o = {.mode = mode, .version = v};
    fill(&b, n, seed);
    int r = ck_vfs_write(&p, ck_buf_slice(&b), &o, ret, &err);
    if (r < 0)
        printf("  %s of %zu: %.300s\n", key, n, ck_err_msg(&err));
    return r;
}

static void holds(struct store *s, const char *key, size_t n, unsigned seed, struct ck_version *ret)
{
    CK_AUTOBUF struct ck_buf want = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_path p = at(s, key);
    fill(&want, n, seed);
    must(ck_vfs_read(&p, &b, ret, &err), &err);
    assert_int_equal(b.len, n);
    assert_memory_equal(b.ptr, want.ptr, n);
}

static void test_sizes_around_the_limits(void **state)
{
    static const size_t sizes[] = {MIB - 1, MIB, MIB + 1, 2 * MIB, 2 * MIB + 1, 5 * MIB + 12345};
    struct store *s = *state;
    for (unsigned i = 0; i < CK_ARRAY_LEN(sizes); i++) {
        char key[16];
        snprintf(key, sizeof key, "size%u", i);
        assert_int_equal(put_size(s, key, sizes[i], i, CK_WRITE_CREATE, NULL, NULL), 0);
        holds(s, key, sizes[i], i, NULL);
    }
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_entries e = {0};
    must(ck_vfs_tree(&s->root, a, &e, &err), &err);
    assert_int_equal(e.n, CK_ARRAY_LEN(sizes)); /* parts are no files */
    assert_true(e.v[5].size == -1 || e.v[5].size == 5 * MIB + 12345);
}

static void test_conditional_writes_of_large_files(void **state)
{
    struct store *s = *state;
    struct ck_version first, second;
    assert_int_equal(put_size(s, "x", 3 * MIB, 1, CK_WRITE_CREATE, NULL, NULL), 0);
    assert_int_equal(put_size(s, "x", 3 * MIB, 2, CK_WRITE_CREATE, NULL, NULL), -CK_EXISTS);
    holds(s, "x", 3 * MIB, 1, &first);
    assert_int_equal(put_size(s, "x", 2 * MIB + 1, 3, CK_WRITE_IF_UNCHANGED, &first, &second), 0);
    assert_int_equal(put_size(s, "x", 3 * MIB, 4, CK_WRITE_IF_UNCHANGED, &first, NULL),
                     -CK_CONFLICT);
    holds(s, "x", 2 * MIB + 1, 3, &first);
    assert_string_equal(first.token, second.token);
    /* large to small and back */
    assert_int_equal(put_size(s, "x", 10, 5, CK_WRITE_IF_UNCHANGED, &first, &second), 0);
    holds(s, "x", 10, 5, NULL);
    assert_int_equal(put_size(s, "x", 2 * MIB, 6, CK_WRITE_ANY, NULL, NULL), 0);
    holds(s, "x", 2 * MIB, 6, &first);
    struct ck_path p = at(s, "x");
    CK_AUTOERR err = CK_ERR_INIT;
    assert_int_equal(ck_vfs_remove(&p, &second, NULL), -CK_CONFLICT);
    must(ck_vfs_remove(&p, &first, &err), &err);
    assert_int_equal(get(s, "x"), -CK_NOT_FOUND);
}

CK_NORETURN static void replace_for_ever(const char *folder)
{
    struct store s;
    open_store(&s, folder);
    for (unsigned i = 0;; i++)
        put_size(&s, "big", 2 * MIB + (i % 26), i, CK_WRITE_ANY, NULL, NULL);
}

static void test_readers_see_the_old_or_the_new_file(void **state)
{
    struct store *s = *state;
    const char *folder = strrchr(s->root.key, '/') ? strrchr(s->root.key, '/') + 1 : s->root.key;
    assert_int_equal(put_size(s, "big", 2 * MIB, 0, CK_WRITE_ANY, NULL, NULL), 0);
    fflush(stdout);
    unsigned changes = 0;
    size_t last = 0;
    for (unsigned kill_round = 0; kill_round < 3; kill_round++) {
        pid_t child = fork();
        if (child == 0)
            replace_for_ever(folder);
        for (long i = 0; i < setting("CK_LARGE_READS", 10); i++) {
            CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
            CK_AUTOBUF struct ck_buf want = CK_BUF_INIT;
            CK_AUTOERR err = CK_ERR_INIT;
            struct ck_path p = at(s, "big");
            if (ck_vfs_read(&p, &b, NULL, &err) < 0) {
                assert_int_equal(err.code, CK_UNAVAILABLE);
                continue;
            }
            fill(&want, b.len, (unsigned char)b.ptr[0]);
            assert_true(b.len >= 2 * MIB);
            assert_memory_equal(b.ptr, want.ptr, b.len);
            changes += b.len != last;
            last = b.len;
        }
        kill(child, SIGKILL); /* wherever it is: what is there stays whole */
        waitpid(child, NULL, 0);
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        CK_AUTOERR err = CK_ERR_INIT;
        struct ck_path p = at(s, "big");
        must(ck_vfs_read(&p, &b, NULL, &err), &err);
        assert_true(b.len >= 2 * MIB);
    }
    assert_true(changes > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_sizes_around_the_limits),
        T(test_conditional_writes_of_large_files),
        T(test_readers_see_the_old_or_the_new_file),
    };
    if (!url()) {
        fprintf(stderr, "CK_STORE_URL names the store to test\n");
        return 2;
    }
    return cmocka_run_group_tests_name("large", tests, NULL, NULL);
}
