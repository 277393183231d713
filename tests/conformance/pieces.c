/* Objects written and read in pieces. A store that takes whole contents only says so, and nothing
 * has happened. */
#include "conformance.h"

enum { MIB = 1 << 20, PIECE = 100000 };

static char byte_at(uint64_t i, unsigned seed)
{
    return (char)(i * 31 + i / 251 + seed);
}

/* NULL: the store has no writers. */
static struct ck_vfs_writer *begin(const struct ck_path *p, uint64_t size, unsigned seed,
                                   const struct ck_write_opts *o)
{
    struct ck_vfs_writer *w = NULL;
    CK_AUTOERR err = CK_ERR_INIT;
    int r = ck_vfs_writer_open(p, size, o, &w, &err);
    if (r == -(int)CK_UNSUPPORTED)
        return NULL;
    must(r, &err);
    char piece[PIECE];
    for (uint64_t at = 0; at < size; at += PIECE) {
        size_t n = size - at < PIECE ? (size_t)(size - at) : PIECE;
        for (size_t i = 0; i < n; i++)
            piece[i] = byte_at(at + i, seed);
        must(ck_vfs_writer_put(w, ck_slice_n(piece, n), &err), &err);
    }
    return w;
}

static int commit(struct ck_vfs_writer *w)
{
    CK_AUTOERR err = CK_ERR_INIT;
    bool verified;
    int r = ck_vfs_writer_commit(w, NULL, &verified, &err);
    ck_vfs_writer_free(w);
    if (r < 0)
        printf("  %.300s\n", ck_err_msg(&err));
    return r;
}

struct expect {
    uint64_t at;
    unsigned seed;
};

static int compare(void *arg, struct ck_slice piece, struct ck_err *err)
{
    struct expect *e = arg;
    for (size_t i = 0; i < piece.len; i++, e->at++)
        if (piece.ptr[i] != byte_at(e->at, e->seed))
            return ck_fail(err, CK_INTERNAL, "byte %llu differs", (unsigned long long)e->at);
    return 0;
}

static void holds(struct store *s, const char *key, uint64_t size, unsigned seed,
                  struct ck_version *ret)
{
    struct ck_path p = at(s, key);
    struct expect e = {0, seed};
    CK_AUTOERR err = CK_ERR_INIT;
    must(ck_vfs_read_stream(&p, compare, &e, ret, &err), &err);
    assert_int_equal(e.at, size);
}

static void test_pieces_make_one_object(void **state)
{
    static const uint64_t sizes[] = {0, 1, 5 * MIB, 5 * MIB + 1, 17 * MIB + 12345};
    struct store *s = *state;
    const struct ck_write_opts create = {.mode = CK_WRITE_CREATE};
    for (unsigned i = 0; i < CK_ARRAY_LEN(sizes); i++) {
        char key[16];
        snprintf(key, sizeof key, "d/size%u", i);
        struct ck_path p = at(s, key);
        struct ck_vfs_writer *w = begin(&p, sizes[i], i, &create);
        if (!w)
            return;
        assert_int_equal(get(s, key), -CK_NOT_FOUND); /* nothing is seen before the commit */
        assert_int_equal(commit(w), 0);
        struct ck_version streamed, whole;
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        CK_AUTOERR err = CK_ERR_INIT;
        holds(s, key, sizes[i], i, &streamed);
        must(ck_vfs_read(&p, &b, &whole, &err), &err);
        assert_string_equal(streamed.token, whole.token);
    }
}

static void test_a_writer_that_is_dropped_leaves_nothing(void **state)
{
    struct store *s = *state;
    const struct ck_write_opts create = {.mode = CK_WRITE_CREATE};
    struct ck_path p = at(s, "d/x");
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_entries e = {0};
    ck_vfs_writer_free(begin(&p, 6 * MIB, 1, &create));
    assert_int_equal(get(s, "d/x"), -CK_NOT_FOUND);
    if (ck_vfs_tree(&s->root, a, &e, NULL) == 0)
        assert_int_equal(e.n, 0);
}

static void test_the_commit_carries_the_condition(void **state)
{
    struct store *s = *state;
    struct ck_version version;
    struct ck_path p = at(s, "d/x");
    struct ck_write_opts o = {.mode = CK_WRITE_CREATE};
    struct ck_vfs_writer *w = begin(&p, 6 * MIB, 1, &o);
    if (!w)
        return;
    assert_int_equal(put(s, "d/x", "theirs", CK_WRITE_ANY, NULL, NULL), 0);
    assert_int_equal(commit(w), -CK_EXISTS);
    has(s, "d/x", "theirs", &version);

    o = (struct ck_write_opts){.mode = CK_WRITE_IF_UNCHANGED, .version = &version};
    w = begin(&p, 6 * MIB, 2, &o);
    assert_int_equal(put(s, "d/x", "theirs, again", CK_WRITE_ANY, NULL, NULL), 0);
    assert_int_equal(commit(w), -CK_CONFLICT);
    has(s, "d/x", "theirs, again", &version);

    assert_int_equal(commit(begin(&p, 6 * MIB, 3, &o)), 0); /* `version` is the present one */
    holds(s, "d/x", 6 * MIB, 3, &version);
    assert_int_equal(commit(begin(&p, 7 * MIB, 4, &o)), 0); /* of a large one too */
    holds(s, "d/x", 7 * MIB, 4, NULL);
}

int run_pieces(void)
{
    const struct CMUnitTest tests[] = {
        T(test_pieces_make_one_object),
        T(test_a_writer_that_is_dropped_leaves_nothing),
        T(test_the_commit_carries_the_condition),
    };
    return cmocka_run_group_tests_name("pieces", tests, NULL, NULL);
}
