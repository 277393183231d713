/* What every store must do, whatever it is made of. The store is named by CK_STORE_URL; statement
 * numbers are those of the conformance list. Races: CK_RACE_ROUNDS, CK_CAS_WRITERS, CK_CAS_STEPS.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "vfs/vfs.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct store {
    struct ck_env env;
    struct ck_arena *a;
    struct ck_vfs_ctx ctx;
    struct ck_path root; /* a fresh folder below the URL */
};

static const char *url(void)
{
    return getenv("CK_STORE_URL");
}

static bool is(const char *scheme)
{
    return ck_str_starts(url(), scheme);
}

static bool object_store(void)
{
    return !is("file://") && strstr(url(), "://") && !is("memfs://");
}

static long setting(const char *name, long dflt)
{
    const char *v = getenv(name);
    return v ? strtol(v, NULL, 10) : dflt;
}

static void must(int r, struct ck_err *err)
{
    if (r < 0)
        fail_msg("%s: %s", ck_code_name(err->code), ck_err_msg(err));
}

static void open_store(struct store *s, const char *folder)
{
    *s = (struct store){.a = ck_arena_new()};
    ck_env_from_process(&s->env);
    s->ctx = (struct ck_vfs_ctx){.env = &s->env, .arena = s->a};
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_path top;
    must(ck_vfs_parse(&s->ctx, url(), &top, &err), &err);
    must(ck_path_join(s->a, &top, folder, &s->root, &err), &err);
}

static void close_store(struct store *s)
{
    ck_vfs_ctx_done(&s->ctx);
    ck_env_done(&s->env);
    ck_arena_free(s->a);
}

static int setup(void **state)
{
    static unsigned n;
    struct store *s = ck_xcalloc(1, sizeof *s);
    char folder[64];
    snprintf(folder, sizeof folder, "t%ld-%u", (long)getpid(), n++);
    open_store(s, folder);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct store *s = *state;
    ck_vfs_remove_tree(&s->root, NULL);
    close_store(s);
    free(s);
    return 0;
}

static struct ck_path at(struct store *s, const char *key)
{
    struct ck_path p;
    CK_AUTOERR err = CK_ERR_INIT;
    must(ck_path_join(s->a, &s->root, key, &p, &err), &err);
    return p;
}

static int put(struct store *s, const char *key, const char *text, enum ck_write_mode mode,
               const struct ck_version *version, struct ck_version *ret)
{
    struct ck_path p = at(s, key);
    CK_AUTOERR err = CK_ERR_INIT;
    const struct ck_write_opts o = {.mode = mode, .version = version};
    int r = ck_vfs_write(&p, ck_slice_of(text), &o, ret, &err);
    if (r < 0 && err.code != CK_EXISTS && err.code != CK_CONFLICT)
        printf("  %s: %s\n", key, ck_err_msg(&err));
    return r;
}

static void has(struct store *s, const char *key, const char *want, struct ck_version *ret)
{
    struct ck_path p = at(s, key);
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    must(ck_vfs_read(&p, &b, ret, &err), &err);
    assert_string_equal(ck_buf_str(&b), want);
}

static int get(struct store *s, const char *key)
{
    struct ck_path p = at(s, key);
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOERR err = CK_ERR_INIT;
    return ck_vfs_read(&p, &b, NULL, &err);
}

enum what { LIST, DIRS, TREE };

static void lists(struct store *s, enum what what, const char *key, const char *want)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_path p = at(s, key);
    struct ck_entries e = {0};
    int r = what == LIST   ? ck_vfs_list(&p, a, &e, &err)
            : what == DIRS ? ck_vfs_list_dirs(&p, a, &e, &err)
                           : ck_vfs_tree(&p, a, &e, &err);
    must(r, &err);
    for (size_t i = 0; i < e.n; i++)
        ck_buf_fmt(&b, "%s%s", i ? " " : "", e.v[i].name);
    assert_string_equal(ck_buf_str(&b), want);
}

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
        skip();
    ck_hash_put(&text, &h);
    assert_string_equal(
        ck_buf_str(&text),
        h.alg == CK_MD5
            ? "md5:5d41402abc4b2a76b9719d911017c592"
            : "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
}

/* ---- races ---- */

static void skip_in_memory(void)
{
    if (is("memfs://") && !getenv("CKOPS_MEMFS_ROOT"))
        skip(); /* memory is not shared between processes */
}

/* fn in n processes; returns the sum of their results. */
static long in_processes(long n, const char *folder, int (*fn)(struct store *s, long i, void *arg),
                         void *arg)
{
    int *results = mmap(NULL, (size_t)n * sizeof(int), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int gate[2];
    assert_int_equal(pipe(gate), 0);
    fflush(stdout);
    for (long i = 0; i < n; i++) {
        if (fork() != 0)
            continue;
        struct store s;
        char c;
        close(gate[1]);
        open_store(&s, folder);
        while (read(gate[0], &c, 1) > 0)
            ;
        results[i] = fn(&s, i, arg);
        close_store(&s);
        fflush(stdout);
        _exit(0);
    }
    close(gate[1]); /* opens the gate for all at once */
    close(gate[0]);
    for (long i = 0; i < n; i++) {
        int status = 0;
        while (wait(&status) < 0 && errno == EINTR)
            ;
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    long sum = 0;
    for (long i = 0; i < n; i++)
        sum += results[i];
    munmap(results, (size_t)n * sizeof(int));
    return sum;
}

static int create_one(struct store *s, long i, void *arg)
{
    char text[32];
    snprintf(text, sizeof text, "writer %ld", i);
    int r = put(s, arg, text, CK_WRITE_CREATE, NULL, NULL);
    return r == 0 ? 1 : r == -CK_EXISTS ? 0 : 1000;
}

static void race(struct store *s, long processes)
{
    long rounds = setting("CK_RACE_ROUNDS", 100);
    const char *folder = strrchr(s->root.key, '/') ? strrchr(s->root.key, '/') + 1 : s->root.key;
    for (long k = 0; k < rounds; k++) {
        char key[32];
        snprintf(key, sizeof key, "race/%ld", k);
        assert_int_equal(in_processes(processes, folder, create_one, key), 1);
    }
}

static void test_V047_twelve_processes_create_one_object_once(void **state)
{
    skip_in_memory();
    race(*state, 12);
}

static void test_V047_sixty_four_processes_create_one_object_once(void **state)
{
    skip_in_memory();
    race(*state, 64);
}

enum { MAX_WRITERS = 64 };

static void parse_counters(const char *text, long counters[MAX_WRITERS])
{
    for (int i = 0; i < MAX_WRITERS; i++)
        counters[i] = strtol(text, (char **)&text, 10);
}

/* Each writer adds to its own number in an object that all share. */
static int increment(struct store *s, long i, void *arg)
{
    long steps = setting("CK_CAS_STEPS", 200);
    struct ck_path p = at(s, "counter");
    for (long done = 0; done < steps;) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
        CK_AUTOERR err = CK_ERR_INIT;
        struct ck_version v;
        long counters[MAX_WRITERS];
        if (ck_vfs_read(&p, &b, &v, &err) < 0)
            continue;
        parse_counters(ck_buf_str(&b), counters);
        /* Nobody else touches this number: it tells whether an unclear write took effect. */
        done = counters[i];
        if (done >= steps)
            break;
        counters[i]++;
        for (int k = 0; k < MAX_WRITERS; k++)
            ck_buf_fmt(&out, "%ld ", counters[k]);
        const struct ck_write_opts o = {.mode = CK_WRITE_IF_UNCHANGED, .version = &v};
        int r = ck_vfs_write(&p, ck_buf_slice(&out), &o, NULL, &err);
        if (r < 0 && r != -CK_CONFLICT && r != -CK_UNAVAILABLE && r != -CK_TIMEOUT) {
            printf("writer %ld: %s\n", i, ck_err_msg(&err));
            return -1000000;
        }
    }
    return (int)steps;
}

static void test_concurrent_increments_lose_nothing(void **state)
{
    skip_in_memory();
    struct store *s = *state;
    long writers = setting("CK_CAS_WRITERS", 64), steps = setting("CK_CAS_STEPS", 200);
    const char *folder = strrchr(s->root.key, '/') ? strrchr(s->root.key, '/') + 1 : s->root.key;
    CK_AUTOBUF struct ck_buf zero = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOERR err = CK_ERR_INIT;
    for (int i = 0; i < MAX_WRITERS; i++)
        ck_buf_puts(&zero, "0 ");
    assert_int_equal(put(s, "counter", ck_buf_str(&zero), CK_WRITE_CREATE, NULL, NULL), 0);
    assert_int_equal(in_processes(writers, folder, increment, NULL), writers * steps);
    struct ck_path p = at(s, "counter");
    must(ck_vfs_read(&p, &b, NULL, &err), &err);
    long counters[MAX_WRITERS], sum = 0;
    parse_counters(ck_buf_str(&b), counters);
    for (int i = 0; i < MAX_WRITERS; i++)
        sum += counters[i];
    assert_int_equal(sum, writers * steps);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
        T(test_V100_a_prefix_is_not_a_folder),
        T(test_V036_a_missing_folder),
        T(test_V035_listings_of_many_objects_are_complete),
        T(test_find_sees_nested_names_and_nothing_beneath),
        T(test_V039_remove_versions_of_exactly_one_key),
        T(test_hash_is_that_of_the_content),
        T(test_V047_twelve_processes_create_one_object_once),
        T(test_V047_sixty_four_processes_create_one_object_once),
        T(test_concurrent_increments_lose_nothing),
    };
    if (!url()) {
        fprintf(stderr, "CK_STORE_URL names the store to test\n");
        return 2;
    }
    if (getenv("CK_ONLY")) /* a pattern of test names */
        cmocka_set_test_filter(getenv("CK_ONLY"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
