/* Locks, their tokens, and a store's settings, over a store in memory. */
#include "base/clock.h"
#include "base/mem.h"
#include "ops/storelock/locker.h"
#include "store/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define A "a.example.com"

struct world {
    struct ck_env env;
    struct ck_vfs_ctx vfs;
    struct ck_feature_flags features;
    struct ck_store store;
};

static int make(void **state)
{
    struct world *w = ck_xcalloc(1, sizeof *w);
    w->vfs = (struct ck_vfs_ctx){.env = &w->env, .arena = ck_arena_new()};
    assert_int_equal(0, ck_store_open(&w->vfs, "memfs://store", &w->features, &w->store, NULL));
    *state = w;
    return 0;
}

static int drop(void **state)
{
    struct world *w = *state;
    ck_clock_set_ns(0);
    ck_vfs_ctx_done(&w->vfs);
    ck_arena_free(w->vfs.arena);
    ck_env_done(&w->env);
    free(w);
    return 0;
}

static struct ck_lock_opts by(const char *name)
{
    return (struct ck_lock_opts){
        .who = {.holder = name, .host = "h", .command = "test", .process = 1},
        .lease_ms = CK_LOCK_LEASE_MIN_MS};
}

static struct ck_lock_info seen(struct world *w, const char *cluster)
{
    struct ck_lock_info i;
    assert_int_equal(0, ck_lock_read(w->vfs.arena, &w->store, cluster, &i, NULL));
    return i;
}

static int put(struct world *w, const char *rel)
{
    struct ck_path p;
    CK_AUTOERR err = CK_ERR_INIT;
    assert_int_equal(0, ck_path_join(w->vfs.arena, &w->store.root, rel, &p, NULL));
    return ck_vfs_write(&p, CK_S("x"), NULL, NULL, &err);
}

/* ---- one lock ---- */

static void a_lock_has_one_holder_until_it_is_given_back(void **state)
{
    struct world *w = *state;
    struct ck_lock_opts ann = by("ann"), bob = by("bob");
    struct ck_lock a, b;
    CK_AUTOERR err = CK_ERR_INIT;
    assert_int_equal(0, ck_lock_take(&a, &w->store, A, &ann, NULL));
    assert_int_equal(-CK_LOCKED, ck_lock_take(&b, &w->store, A, &bob, &err));
    assert_non_null(strstr(ck_err_msg(&err), "ann on h (process 1, test)"));
    ck_lock_done(&b);
    assert_int_equal(0, ck_lock_prove(&a, NULL));
    assert_int_equal(0, ck_lock_release(&a, NULL));
    assert_false(seen(w, A).held);
    assert_int_equal(0, ck_lock_take(&b, &w->store, A, &bob, NULL));
    assert_int_equal(-CK_LOCKED, ck_lock_prove(&a, NULL));
    assert_string_equal("bob", seen(w, A).holder);
    ck_lock_done(&a);
    ck_lock_done(&b);
}

static void a_former_holder_cannot_give_back_what_another_took(void **state)
{
    struct world *w = *state;
    struct ck_lock_opts ann = by("ann"), bob = by("bob");
    struct ck_lock a, b;
    assert_int_equal(0, ck_lock_take(&a, &w->store, A, &ann, NULL));
    assert_int_equal(0, ck_lock_take_by_force(&b, &w->store, A, &bob, NULL));
    assert_int_equal(-CK_LOCKED, ck_lock_release(&a, NULL));
    struct ck_lock_info i = seen(w, A);
    assert_true(i.held);
    assert_int_equal(1, i.n_steals);
    assert_string_equal("ann on h (process 1, test)", i.steals[0].from);
    ck_lock_done(&a);
    ck_lock_done(&b);
}

static void only_the_last_steals_are_remembered(void **state)
{
    struct world *w = *state;
    struct ck_lock_opts o = by("ann");
    struct ck_lock l;
    assert_int_equal(0, ck_lock_take(&l, &w->store, A, &o, NULL));
    ck_lock_done(&l);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(0, ck_lock_take_by_force(&l, &w->store, A, &o, NULL));
        ck_lock_done(&l);
    }
    assert_int_equal(8, seen(w, A).n_steals);
}

static void a_wrong_clock_alone_does_not_take_a_lock_that_is_in_use(void **state)
{
    struct world *w = *state;
    struct ck_lock_opts ann = by("ann"), bob = by("bob");
    struct ck_lock a, b;
    assert_int_equal(0, ck_lock_take(&a, &w->store, A, &ann, NULL));
    /* a little late is not late enough */
    ck_clock_set_ns(ck_now_ns() + (int64_t)20 * 1000000000);
    assert_int_equal(-CK_LOCKED, ck_lock_take(&b, &w->store, A, &bob, NULL));
    ck_lock_done(&b);
    ck_clock_set_ns(ck_now_ns() + (int64_t)3600 * 1000000000);
    int64_t before = ck_mono_ms();
    assert_int_equal(0, ck_lock_take(&b, &w->store, A, &bob, NULL));
    assert_true(ck_mono_ms() - before >= CK_LOCK_LEASE_MIN_MS);
    assert_int_equal(-CK_LOCKED, ck_lock_prove(&a, NULL));
    ck_lock_done(&a);
    ck_lock_done(&b);
}

static void a_holder_whose_clock_stands_still_is_refused_by_the_version(void **state)
{
    struct world *w = *state;
    struct ck_lock_opts ann = by("ann"), bob = by("bob");
    struct ck_lock a, b;
    ck_clock_set_ns((int64_t)1800000000 * 1000000000);
    assert_int_equal(0, ck_lock_take(&a, &w->store, A, &ann, NULL));
    bob.wait_ms = 60000;
    assert_int_equal(0, ck_lock_take(&b, &w->store, A, &bob, NULL));
    assert_int_equal(0, ck_lock_release(&b, NULL));
    /* free again, but not as the holder left it */
    assert_int_equal(-CK_LOCKED, ck_lock_prove(&a, NULL));
    assert_int_equal(-CK_LOCKED, ck_lock_prove(&a, NULL));
    ck_lock_done(&a);
    ck_lock_done(&b);
}

/* ---- the watch ---- */

static const char *no_cluster = "";

static void start(struct world *w, struct ck_locker *k, enum ck_lock_wish wish,
                  const char *const *cluster)
{
    const struct ck_locker_opts o = {.wish = wish, .lock = by("ann"), .cluster = cluster};
    ck_locker_start(k, &w->store, &o);
}

static void every_change_belongs_to_a_cluster(void **state)
{
    static const char *const cases[][2] = {
        {A "/config", A},
        {A "/pki/private/ca/keyset.yaml", A},
        {"x/b.example.com/instancegroup/nodes", "x/b.example.com"},
        {"c.example.com/something", "c.example.com"},
        {"pki/config", "pki"},
    };
    struct world *w = *state;
    for (size_t i = 0; i < CK_ARRAY_LEN(cases); i++) {
        struct ck_locker k;
        start(w, &k, CK_LOCK_YES, &no_cluster);
        assert_int_equal(0, put(w, cases[i][0]));
        assert_int_equal(1, k.n);
        assert_string_equal(cases[i][1], k.held[0]->lock.info.cluster);
        assert_true(seen(w, cases[i][1]).held);
        ck_locker_end(&k, NULL);
        assert_true(seen(w, cases[i][1]).there && !seen(w, cases[i][1]).held);
    }
}

static void our_own_folder_needs_no_lock(void **state)
{
    struct world *w = *state;
    struct ck_locker k;
    start(w, &k, CK_LOCK_YES, &no_cluster);
    assert_int_equal(0, put(w, ".ckops/settings.yaml"));
    assert_int_equal(0, k.n);
    ck_locker_end(&k, NULL);
    assert_null(w->vfs.watch);
}

static void what_lies_outside_the_store_belongs_to_the_commands_cluster(void **state)
{
    struct world *w = *state;
    struct ck_locker k;
    struct ck_path p;
    static const char *const name = A;
    start(w, &k, CK_LOCK_YES, &name);
    assert_int_equal(0, ck_vfs_parse(&w->vfs, "memfs://keys/x", &p, NULL));
    assert_int_equal(0, ck_vfs_write(&p, CK_S("x"), NULL, NULL, NULL));
    assert_int_equal(1, k.n);
    assert_string_equal(A, k.held[0]->lock.info.cluster);
    ck_locker_end(&k, NULL);
}

static void a_change_without_the_lock_is_not_made(void **state)
{
    struct world *w = *state;
    struct ck_locker k;
    struct ck_lock thief;
    struct ck_lock_opts bob = by("bob");
    struct ck_path p;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    start(w, &k, CK_LOCK_YES, &no_cluster);
    assert_int_equal(0, put(w, A "/config"));
    assert_int_equal(0, ck_lock_take_by_force(&thief, &w->store, A, &bob, NULL));
    assert_int_equal(-CK_LOCKED, put(w, A "/other"));
    assert_int_equal(0, ck_path_join(w->vfs.arena, &w->store.root, A "/other", &p, NULL));
    assert_int_equal(-CK_NOT_FOUND, ck_vfs_read(&p, &b, NULL, NULL));
    ck_locker_end(&k, NULL);
    assert_string_equal("bob", seen(w, A).holder);
    assert_true(seen(w, A).held);
    ck_lock_done(&thief);
}

static void the_deadline_of_a_change_ends_before_the_lease(void **state)
{
    struct world *w = *state;
    struct ck_locker k;
    struct ck_path p;
    start(w, &k, CK_LOCK_YES, &no_cluster);
    assert_int_equal(0, ck_path_join(w->vfs.arena, &w->store.root, A "/config", &p, NULL));
    const struct ck_vfs_change c = {.kind = CK_CHANGE_WRITE, .path = &p};
    w->vfs.timeout_ms = 7777;
    k.watch.busy = true; /* as the VFS calls it */
    assert_int_equal(0, k.watch.before(&k.watch, &c, NULL));
    assert_true(k.changing);
    assert_in_range(w->vfs.timeout_ms, 1, CK_LOCK_LEASE_MIN_MS / 3);
    k.watch.after(&k.watch, &c, 0);
    assert_false(k.changing);
    assert_int_equal(7777, w->vfs.timeout_ms);
    k.watch.busy = false;
    ck_locker_end(&k, NULL);
}

static int yes(void *arg, bool *ret, struct ck_err *err)
{
    ++*(int *)arg;
    *ret = true;
    return 0;
}

static void the_store_is_asked_once_and_by_changes_only(void **state)
{
    struct world *w = *state;
    int asked = 0;
    struct ck_locker k;
    const struct ck_locker_opts o = {.wanted = yes, .arg = &asked, .lock = by("ann")};
    ck_locker_start(&k, &w->store, &o);
    assert_int_equal(0, asked);
    assert_int_equal(0, put(w, A "/config"));
    assert_int_equal(0, put(w, A "/config"));
    assert_int_equal(0, put(w, "b.example.com/config"));
    assert_int_equal(1, asked);
    assert_int_equal(2, k.n);
    ck_locker_end(&k, NULL);
}

/* ---- tokens ---- */

static void tokens_are_found_by_their_lock(void **state)
{
    static const char good[] =
        "k1:00112233445566778899aabbccddeeff,k2:ffeeddccbbaa99887766554433221100";
    char token[CK_LOCK_TOKEN_SIZE];
    assert_true(ck_lock_token_find(good, NULL, "k2", token));
    assert_string_equal("ffeeddccbbaa99887766554433221100", token);
    assert_false(ck_lock_token_find(good, NULL, "k3", token));
    assert_false(ck_lock_token_find(NULL, NULL, "k1", token));
    /* a damaged one fits no lock, but says that there was one */
    assert_true(ck_lock_token_find("k1:xyz", NULL, "k1", token));
    assert_string_equal("00000000000000000000000000000000", token);
}

/* ---- settings ---- */

static void settings_are_written_only_over_what_was_read(void **state)
{
    struct world *w = *state;
    struct ck_store_settings a, b;
    assert_int_equal(0, ck_store_settings_read(&w->store, &a, NULL));
    assert_false(a.lock || a.journal || *a.version.token);
    b = a;
    a.lock = true;
    assert_int_equal(0, ck_store_settings_write(&w->store, &a, NULL));
    b.journal = true;
    assert_int_equal(-CK_CONFLICT, ck_store_settings_write(&w->store, &b, NULL));
    assert_int_equal(0, ck_store_settings_read(&w->store, &b, NULL));
    assert_true(b.lock && !b.journal);
    b.journal = true;
    assert_int_equal(0, ck_store_settings_write(&w->store, &b, NULL));
    assert_int_equal(-CK_CONFLICT, ck_store_settings_write(&w->store, &a, NULL));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_lock_has_one_holder_until_it_is_given_back),
        TEST(a_former_holder_cannot_give_back_what_another_took),
        TEST(only_the_last_steals_are_remembered),
        TEST(a_wrong_clock_alone_does_not_take_a_lock_that_is_in_use),
        TEST(a_holder_whose_clock_stands_still_is_refused_by_the_version),
        TEST(every_change_belongs_to_a_cluster),
        TEST(our_own_folder_needs_no_lock),
        TEST(what_lies_outside_the_store_belongs_to_the_commands_cluster),
        TEST(a_change_without_the_lock_is_not_made),
        TEST(the_deadline_of_a_change_ends_before_the_lease),
        TEST(the_store_is_asked_once_and_by_changes_only),
        TEST(tokens_are_found_by_their_lock),
        TEST(settings_are_written_only_over_what_was_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
