/* What every store must do, whatever it is made of. The store is named by CK_STORE_URL; statement
 * numbers are those of the conformance list. */
#include "conformance.h"

/* ---- paths ---- */

static void test_V009_join_cleans_the_path(void **state)
{
    struct store *s = *state;
    struct ck_path k = at(s, "k"), p;
    CK_AUTOERR err = CK_ERR_INIT;
    must(ck_path_join(s->a, &k, "a//b/./c/../d", &p, &err), &err);
    assert_true(ck_str_ends(p.key, "k/a/b/d"));
}

static void test_V011_join_refuses_to_climb_out(void **state)
{
    struct store *s = *state;
    struct ck_path k = at(s, "k"), p;
    CK_AUTOERR err = CK_ERR_INIT;
    assert_int_equal(ck_path_join(s->a, &k, "../../../../../../../../../x", &p, &err), -CK_INVALID);
    assert_int_equal(ck_path_join(s->a, &k, "a\nb", &p, &err), -CK_INVALID);
}

static void test_V012_base_is_the_last_element(void **state)
{
    struct store *s = *state;
    struct ck_path p = at(s, "foo/bar");
    assert_string_equal(ck_path_base(s->a, &p), "bar");
}

static void test_V013_relative_path_below_a_base(void **state)
{
    struct store *s = *state;
    struct ck_path p = at(s, "foo/bar"), q = at(s, "other");
    const char *rel;
    CK_AUTOERR err = CK_ERR_INIT;
    must(ck_path_relative(s->a, &s->root, &p, &rel, &err), &err);
    assert_string_equal(rel, "foo/bar");
    assert_int_equal(ck_path_relative(s->a, &q, &p, &rel, &err), -CK_INVALID);
    assert_non_null(strstr(ck_err_msg(&err), "is not a child of"));
}

/* ---- objects ---- */

static void test_V027_absent_objects_are_not_found(void **state)
{
    assert_int_equal(get(*state, "nothing"), -CK_NOT_FOUND);
    assert_int_equal(get(*state, "no/folder/nothing"), -CK_NOT_FOUND);
}

static void test_V093_what_was_written_is_read(void **state)
{
    struct store *s = *state;
    assert_int_equal(put(s, "a/b/c", "one", CK_WRITE_ANY, NULL, NULL), 0);
    has(s, "a/b/c", "one", NULL);
    assert_int_equal(put(s, "a/b/c", "two", CK_WRITE_ANY, NULL, NULL), 0);
    has(s, "a/b/c", "two", NULL);
}

static void test_V098_second_create_fails_and_changes_nothing(void **state)
{
    struct store *s = *state;
    assert_int_equal(put(s, "x", "one", CK_WRITE_CREATE, NULL, NULL), 0);
    assert_int_equal(put(s, "x", "two", CK_WRITE_CREATE, NULL, NULL), -CK_EXISTS);
    has(s, "x", "one", NULL);
    assert_int_equal(put(s, "empty", "", CK_WRITE_CREATE, NULL, NULL), 0);
    assert_int_equal(put(s, "empty", "x", CK_WRITE_CREATE, NULL, NULL), -CK_EXISTS);
    has(s, "empty", "", NULL);
}

static void test_V048_stale_version_is_a_conflict(void **state)
{
    struct store *s = *state;
    struct ck_version first, second, third;
    assert_int_equal(put(s, "x", "one", CK_WRITE_ANY, NULL, NULL), 0);
    has(s, "x", "one", &first);
    assert_int_equal(put(s, "x", "two", CK_WRITE_IF_UNCHANGED, &first, &second), 0);
    assert_int_equal(put(s, "x", "lost", CK_WRITE_IF_UNCHANGED, &first, NULL), -CK_CONFLICT);
    has(s, "x", "two", &third);
    assert_string_equal(second.token, third.token);
    assert_int_equal(put(s, "x", "three", CK_WRITE_IF_UNCHANGED, &second, NULL), 0);
}

static void test_update_of_a_removed_object_is_a_conflict(void **state)
{
    struct store *s = *state;
    struct ck_version v;
    struct ck_path p = at(s, "d/x");
    assert_int_equal(put(s, "d/x", "one", CK_WRITE_ANY, NULL, NULL), 0);
    has(s, "d/x", "one", &v);
    assert_int_equal(ck_vfs_remove(&p, NULL, NULL), 0);
    assert_int_equal(put(s, "d/x", "two", CK_WRITE_IF_UNCHANGED, &v, NULL), -CK_CONFLICT);
    assert_int_equal(get(s, "d/x"), -CK_NOT_FOUND);
}

static void test_update_without_a_version_fails_closed(void **state)
{
    const struct ck_version none = {""};
    assert_int_equal(put(*state, "x", "one", CK_WRITE_ANY, NULL, NULL), 0);
    assert_int_equal(put(*state, "x", "two", CK_WRITE_IF_UNCHANGED, &none, NULL), -CK_CONFLICT);
    has(*state, "x", "one", NULL);
}

static void test_V031_remove_of_an_absent_object(void **state)
{
    struct ck_path p = at(*state, "nothing");
    int r = ck_vfs_remove(&p, NULL, NULL);
    assert_true(object_store() ? r == 0 : r == -CK_NOT_FOUND);
}

static void test_remove_with_a_stale_version_is_a_conflict(void **state)
{
    struct store *s = *state;
    struct ck_version v;
    struct ck_path p = at(s, "x");
    assert_int_equal(put(s, "x", "one", CK_WRITE_ANY, NULL, NULL), 0);
    has(s, "x", "one", &v);
    assert_int_equal(put(s, "x", "two", CK_WRITE_ANY, NULL, NULL), 0);
    assert_int_equal(ck_vfs_remove(&p, &v, NULL), -CK_CONFLICT);
    has(s, "x", "two", &v);
    assert_int_equal(ck_vfs_remove(&p, &v, NULL), 0);
    assert_int_equal(get(s, "x"), -CK_NOT_FOUND);
}

static void test_binary_content_survives(void **state)
{
    struct store *s = *state;
    struct ck_path p = at(s, "bin");
    char data[65536];
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 31 + i / 256);
    must(ck_vfs_write(&p, ck_slice_n(data, sizeof data), NULL, NULL, &err), &err);
    must(ck_vfs_read(&p, &b, NULL, &err), &err);
    assert_int_equal(b.len, sizeof data);
    assert_memory_equal(b.ptr, data, sizeof data);
}

static void test_reads_beyond_the_limit_are_refused(void **state)
{
    struct store *s = *state;
    struct ck_path p = at(s, "big");
    CK_AUTOBUF struct ck_buf big = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOERR err = CK_ERR_INIT;
    ck_buf_fill(&big, 'x', 200000);
    must(ck_vfs_write(&p, ck_buf_slice(&big), NULL, NULL, &err), &err);
    s->ctx.max_object = 100000;
    int r = ck_vfs_read(&p, &b, NULL, &err);
    s->ctx.max_object = 0;
    if (!is("memfs://") || getenv("CKOPS_MEMFS_ROOT"))
        assert_int_equal(r, -CK_LIMIT);
}

static void test_V005_keys_with_special_characters(void **state)
{
    static const char *const keys[] = {"a b",    "a+b",      "a%20b",  "a=b&c",      "a?b",
                                       "a#b",    "\xC3\xA9", "a'b\"c", "system:dns", "a@b",
                                       "(x)*~!", "a;b,c",    "<a>"};
    struct store *s = *state;
    for (size_t i = 0; i < CK_ARRAY_LEN(keys); i++) {
        assert_int_equal(put(s, keys[i], keys[i], CK_WRITE_CREATE, NULL, NULL), 0);
        has(s, keys[i], keys[i], NULL);
    }
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_entries e = {0};
    CK_AUTOERR err = CK_ERR_INIT;
    must(ck_vfs_list(&s->root, a, &e, &err), &err);
    assert_int_equal(e.n, CK_ARRAY_LEN(keys));
    for (size_t i = 0; i < CK_ARRAY_LEN(keys); i++) {
        bool found = false;
        for (size_t k = 0; k < e.n; k++)
            found = found || strcmp(e.v[k].name, keys[i]) == 0;
        assert_true(found);
    }
}

/* ---- listings ---- */

static void fill(struct store *s)
{
    static const char *const keys[] = {"config", "instancegroup/b", "instancegroup/a", "pki/x/y/z"};
    for (size_t i = 0; i < CK_ARRAY_LEN(keys); i++)
        assert_int_equal(put(s, keys[i], "x", CK_WRITE_ANY, NULL, NULL), 0);
}

static void test_V032_list_gives_files_only_sorted(void **state)
{
    fill(*state);
    lists(*state, LIST, ".", "config");
    lists(*state, LIST, "instancegroup", "a b");
}

static void test_list_dirs_gives_folders_only(void **state)
{
    fill(*state);
    lists(*state, DIRS, ".", "instancegroup pki");
    lists(*state, DIRS, "instancegroup", "");
}

static void test_tree_gives_everything_below(void **state)
{
    fill(*state);
    lists(*state, TREE, ".", "config instancegroup/a instancegroup/b pki/x/y/z");
}

static int join_name(void *arg, const struct ck_entry *e, struct ck_err *err)
{
    ck_buf_fmt(arg, "%s ", e->name);
    return 0;
}

static void test_a_tree_one_by_one_has_the_same_files(void **state)
{
    fill(*state);
    struct ck_path p = at(*state, ".");
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOERR err = CK_ERR_INIT;
    assert_int_equal(ck_vfs_tree_each(&p, join_name, &b, &err), 0);
    assert_string_equal(ck_buf_str(&b), "config instancegroup/a instancegroup/b pki/x/y/z ");
}

static void test_V100_a_prefix_is_not_a_folder(void **state)
{
    struct store *s = *state;
    assert_int_equal(put(s, "c1/config", "x", CK_WRITE_ANY, NULL, NULL), 0);
    assert_int_equal(put(s, "c10/config", "y", CK_WRITE_ANY, NULL, NULL), 0);
    lists(s, TREE, "c1", "config");
    struct ck_path p = at(s, "c1");
    assert_int_equal(ck_vfs_remove_tree(&p, NULL), 0);
    assert_int_equal(get(s, "c1/config"), -CK_NOT_FOUND);
    has(s, "c10/config", "y", NULL);
}

static void test_V036_a_missing_folder(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_path p = at(*state, "missing");
    struct ck_entries e = {0};
    CK_AUTOERR err = CK_ERR_INIT;
    int r = ck_vfs_list(&p, a, &e, &err);
    assert_true(r == 0 ? e.n == 0 : r == -CK_NOT_FOUND);
    assert_int_equal(ck_vfs_remove_tree(&p, NULL), 0);
}

static void test_V035_listings_of_many_objects_are_complete(void **state)
{
    struct store *s = *state;
    long n = setting("CK_MANY", 2500);
    for (long i = 0; i < n; i++) {
        char key[32];
        snprintf(key, sizeof key, "many/%05ld", i);
        assert_int_equal(put(s, key, "x", CK_WRITE_ANY, NULL, NULL), 0);
    }
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_path p = at(s, "many");
    struct ck_entries e = {0};
    CK_AUTOERR err = CK_ERR_INIT;
    must(ck_vfs_list(&p, a, &e, &err), &err);
    assert_int_equal(e.n, n);
    assert_string_equal(e.v[0].name, "00000");
    must(ck_vfs_remove_tree(&p, &err), &err);
    e = (struct ck_entries){0};
    if (ck_vfs_tree(&p, a, &e, &err) == 0)
        assert_int_equal(e.n, 0);
}

struct finds {
    struct ck_buf text;
};

static int note(void *arg, const char *name, struct ck_slice data, const struct ck_version *version,
                struct ck_err *item_err)
{
    struct finds *f = arg;
    ck_buf_fmt(&f->text, "%s=%.*s ", name, item_err->code ? 1 : (int)data.len,
               item_err->code ? "!" : data.ptr);
    return 0;
}

static void test_find_sees_nested_names_and_nothing_beneath(void **state)
{
    struct store *s = *state;
    static const char *const keys[] = {"b.example.com/config",
                                       "a.example.com/config",
                                       "team/c.example.com/config",
                                       "team/deep/d/config",
                                       "b.example.com/backups/etcd/main/config",
                                       "loose"};
    for (size_t i = 0; i < CK_ARRAY_LEN(keys); i++)
        assert_int_equal(put(s, keys[i], "x", CK_WRITE_ANY, NULL, NULL), 0);
    struct finds f = {CK_BUF_INIT};
    CK_AUTOERR err = CK_ERR_INIT;
    must(ck_vfs_find(&s->root, "config", note, &f, &err), &err);
    assert_string_equal(ck_buf_str(&f.text), "a.example.com=x b.example.com=x team/c.example.com=x "
                                             "team/deep/d=x ");
    ck_buf_done(&f.text);
    CK_AUTOSTRV names = {0};
    must(ck_vfs_find_names(&s->root, "config", &names, &err), &err);
    assert_int_equal(names.n, 4);
    assert_string_equal(names.v[2], "team/c.example.com");
}

static void test_V039_remove_versions_of_exactly_one_key(void **state)
{
    struct store *s = *state;
    struct ck_path p = at(s, "a");
    CK_AUTOERR err = CK_ERR_INIT;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(put(s, "a", "x", CK_WRITE_ANY, NULL, NULL), 0);
        assert_int_equal(put(s, "ab", "y", CK_WRITE_ANY, NULL, NULL), 0);
    }
    must(ck_vfs_remove_versions(&p, &err), &err);
    assert_int_equal(get(s, "a"), -CK_NOT_FOUND);
    has(s, "ab", "y", NULL);
    assert_int_equal(ck_vfs_remove_versions(&p, &err), -CK_NOT_FOUND);
}

static void test_hash_is_that_of_the_content(void **state)
{
    struct store *s = *state;
    struct ck_path p = at(s, "x");
    struct ck_hash h;
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    assert_int_equal(put(s, "x", "hello", CK_WRITE_ANY, NULL, NULL), 0);
    must(ck_vfs_hash(&p, s->root.vfs->ops->preferred_hash, &h, &err), &err);
    if (!h.len)
        leave_out("the store knows no hash without reading");
    ck_hash_put(&text, &h);
    assert_string_equal(
        ck_buf_str(&text),
        h.alg == CK_MD5
            ? "md5:5d41402abc4b2a76b9719d911017c592"
            : "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
}

/* ---- more than one at a time, odd names ---- */

static int collect(void *arg, struct ck_slice piece, struct ck_err *err)
{
    ck_buf_put(arg, piece);
    return 0;
}

static int stop(void *arg, struct ck_slice piece, struct ck_err *err)
{
    return ck_fail(err, CK_CANCELLED, "enough");
}

static void test_streamed_reads_give_the_same(void **state)
{
    struct store *s = *state;
    struct ck_path p = at(s, "x"), q = at(s, "y");
    struct ck_version whole, streamed;
    CK_AUTOBUF struct ck_buf big = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOERR err = CK_ERR_INIT;
    for (int i = 0; i < 50000; i++)
        ck_buf_fmt(&big, "%d ", i);
    must(ck_vfs_write(&p, ck_buf_slice(&big), NULL, NULL, &err), &err);
    has(s, "x", ck_buf_str(&big), &whole);
    must(ck_vfs_read_stream(&p, collect, &b, &streamed, &err), &err);
    assert_string_equal(ck_buf_str(&b), ck_buf_str(&big));
    assert_string_equal(streamed.token, whole.token);
    assert_int_equal(ck_vfs_read_stream(&p, stop, NULL, NULL, &err), -CK_CANCELLED);
    assert_int_equal(ck_vfs_read_stream(&q, collect, &b, NULL, &err), -CK_NOT_FOUND);
}

enum { BULK = 40 };

struct bulk {
    unsigned seen[BULK], found;
};

static int bulk_item(void *arg, size_t i, struct ck_slice data, const struct ck_version *version,
                     struct ck_err *item_err)
{
    struct bulk *b = arg;
    char want[16];
    snprintf(want, sizeof want, "%zu", i);
    b->seen[i]++;
    if (i % 3 == 0) {
        assert_int_equal(item_err->code, CK_NOT_FOUND);
        return 0;
    }
    assert_int_equal(item_err->code, CK_OK);
    assert_true(ck_slice_eq_str(data, want));
    assert_true(*version->token);
    b->found++;
    return 0;
}

static int bulk_stop(void *arg, size_t i, struct ck_slice data, const struct ck_version *version,
                     struct ck_err *item_err)
{
    ++*(unsigned *)arg;
    return ck_fail(item_err, CK_CANCELLED, "not item %zu", i);
}

static void test_bulk_reads_report_every_item_once(void **state)
{
    struct store *s = *state;
    const char *keys[BULK];
    struct bulk b = {0};
    unsigned calls = 0;
    CK_AUTOERR err = CK_ERR_INIT;
    for (size_t i = 0; i < BULK; i++) {
        char name[16], text[16];
        snprintf(name, sizeof name, "k%zu", i);
        snprintf(text, sizeof text, "%zu", i);
        keys[i] = at(s, name).key;
        if (i % 3)
            assert_int_equal(put(s, name, text, CK_WRITE_ANY, NULL, NULL), 0);
    }
    must(ck_vfs_read_many(&s->root, keys, BULK, bulk_item, &b, &err), &err);
    for (size_t i = 0; i < BULK; i++)
        assert_int_equal(b.seen[i], 1);
    assert_int_equal(b.found, BULK - (BULK + 2) / 3);
    assert_int_equal(ck_vfs_read_many(&s->root, keys, BULK, bulk_stop, &calls, &err),
                     -CK_CANCELLED);
    assert_int_equal(calls, 1);
    assert_int_equal(err.code, CK_CANCELLED);
    assert_true(ck_str_starts(ck_err_msg(&err), "not item "));
}

static void test_an_object_in_the_place_of_a_folder_is_not_harmed(void **state)
{
    struct store *s = *state;
    assert_int_equal(put(s, "a", "object", CK_WRITE_ANY, NULL, NULL), 0);
    int r = put(s, "a/b", "below", CK_WRITE_CREATE, NULL, NULL);
    assert_true(r != -CK_EXISTS && r != -CK_NOT_FOUND);
    has(s, "a", "object", NULL);
    if (r == 0)
        has(s, "a/b", "below", NULL);
}

static void test_very_long_names_work_or_fail_cleanly(void **state)
{
    struct store *s = *state;
    CK_AUTOBUF struct ck_buf name = CK_BUF_INIT;
    ck_buf_fill(&name, 'n', 4096);
    if (put(s, ck_buf_str(&name), "x", CK_WRITE_CREATE, NULL, NULL) == 0)
        has(s, ck_buf_str(&name), "x", NULL);
    else
        assert_true(get(s, ck_buf_str(&name)) < 0);
}

static void test_empty_objects(void **state)
{
    struct store *s = *state;
    struct ck_version v;
    assert_int_equal(put(s, "e", "", CK_WRITE_ANY, NULL, NULL), 0);
    has(s, "e", "", &v);
    assert_true(*v.token);
    lists(s, LIST, ".", "e");
    assert_int_equal(put(s, "e", "full", CK_WRITE_IF_UNCHANGED, &v, NULL), 0);
    has(s, "e", "full", NULL);
    assert_int_equal(put(s, "e", "", CK_WRITE_IF_UNCHANGED, &v, NULL), -CK_CONFLICT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_V009_join_cleans_the_path),
        T(test_V011_join_refuses_to_climb_out),
        T(test_V012_base_is_the_last_element),
        T(test_V013_relative_path_below_a_base),
        T(test_V027_absent_objects_are_not_found),
        T(test_V093_what_was_written_is_read),
        T(test_V098_second_create_fails_and_changes_nothing),
        T(test_V048_stale_version_is_a_conflict),
        T(test_update_of_a_removed_object_is_a_conflict),
        T(test_update_without_a_version_fails_closed),
        T(test_V031_remove_of_an_absent_object),
        T(test_remove_with_a_stale_version_is_a_conflict),
        T(test_binary_content_survives),
        T(test_reads_beyond_the_limit_are_refused),
        T(test_V005_keys_with_special_characters),
        T(test_V032_list_gives_files_only_sorted),
        T(test_list_dirs_gives_folders_only),
        T(test_tree_gives_everything_below),
        T(test_a_tree_one_by_one_has_the_same_files),
        T(test_V100_a_prefix_is_not_a_folder),
        T(test_V036_a_missing_folder),
        T(test_V035_listings_of_many_objects_are_complete),
        T(test_find_sees_nested_names_and_nothing_beneath),
        T(test_V039_remove_versions_of_exactly_one_key),
        T(test_hash_is_that_of_the_content),
        T(test_streamed_reads_give_the_same),
        T(test_bulk_reads_report_every_item_once),
        T(test_an_object_in_the_place_of_a_folder_is_not_harmed),
        T(test_very_long_names_work_or_fail_cleanly),
        T(test_empty_objects),
    };
    if (!url()) {
        fprintf(stderr, "CK_STORE_URL names the store to test\n");
        return 2;
    }
    if (getenv("CK_ONLY")) /* a pattern of test names */
        cmocka_set_test_filter(getenv("CK_ONLY"));
    if (getenv("CK_WITHOUT"))
        cmocka_set_skip_filter(getenv("CK_WITHOUT"));
    int failed = cmocka_run_group_tests_name("store", tests, NULL, NULL);
    failed += run_pieces();
    return failed + run_races();
}
