/* What must hold when many processes use one store at once. Rounds, writers and steps come from the
 * environment, so that slow stores run less: CK_RACE_ROUNDS, CK_CAS_WRITERS, CK_CAS_STEPS,
 * CK_READ_ROUNDS. */
#include "conformance.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

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

/* The folder of this test, as open_store() takes it. */
static const char *folder_of(const struct store *s)
{
    const char *slash = strrchr(s->root.key, '/');
    return slash ? slash + 1 : s->root.key;
}

static void race(struct store *s, long processes)
{
    long rounds = setting("CK_RACE_ROUNDS", 100);
    const char *folder = folder_of(s);
    for (long k = 0; k < rounds; k++) {
        char key[32];
        snprintf(key, sizeof key, "race/%ld", k);
        assert_int_equal(in_processes(processes, folder, create_one, key), 1);
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        CK_AUTOERR err = CK_ERR_INIT;
        struct ck_path p = at(s, key);
        must(ck_vfs_read(&p, &b, NULL, &err), &err);
        assert_true(ck_str_starts(ck_buf_str(&b), "writer "));
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
    const char *folder = folder_of(s);
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

/* Half of the processes replace what they read, half remove it; only one may succeed. */
static int change_or_remove(struct store *s, long i, void *arg)
{
    const struct ck_version *v = arg;
    struct ck_path p = at(s, "x");
    int r =
        i % 2 ? ck_vfs_remove(&p, v, NULL) : put(s, "x", "changed", CK_WRITE_IF_UNCHANGED, v, NULL);
    return r == 0 ? 1 : r == -CK_CONFLICT || r == -CK_NOT_FOUND ? 0 : 1000;
}

static void test_an_update_and_a_removal_do_not_both_succeed(void **state)
{
    skip_in_memory();
    if (object_store())
        skip(); /* not every store has conditional removal */
    struct store *s = *state;
    for (long k = 0; k < setting("CK_RACE_ROUNDS", 100); k++) {
        struct ck_version v;
        assert_int_equal(put(s, "x", "one", CK_WRITE_ANY, NULL, NULL), 0);
        has(s, "x", "one", &v);
        assert_int_equal(in_processes(8, folder_of(s), change_or_remove, &v), 1);
    }
}

enum { BIG = 300000 };

CK_NORETURN static void replace_for_ever(struct store *s)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_path p = at(s, "big");
    for (char c = 'a';; c = c == 'z' ? 'a' : (char)(c + 1)) {
        CK_AUTOERR err = CK_ERR_INIT;
        ck_buf_reset(&b);
        ck_buf_fill(&b, c, BIG - (size_t)(c - 'a'));
        if (ck_vfs_write(&p, ck_buf_slice(&b), NULL, NULL, &err) < 0)
            printf("writer: %s\n", ck_err_msg(&err));
    }
}

static void test_V093_readers_never_see_a_part(void **state)
{
    skip_in_memory();
    struct store *s = *state;
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_path p = at(s, "big");
    ck_buf_fill(&b, 'a', BIG);
    must(ck_vfs_write(&p, ck_buf_slice(&b), NULL, NULL, &err), &err);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct store mine;
        open_store(&mine, folder_of(s));
        replace_for_ever(&mine);
    }
    bool whole = true;
    unsigned changes = 0;
    char last = 'a';
    long rounds = setting("CK_READ_ROUNDS", object_store() ? 100 : 1000);
    for (long i = 0; whole && (i < rounds || !changes) && i < 100 * rounds; i++) {
        ck_buf_reset(&b);
        int r = ck_vfs_read(&p, &b, NULL, &err);
        if (r < 0 && object_store())
            continue; /* a server that mixes old and new was found out: no part was seen */
        whole = r == 0 && b.len >= BIG - 25 && b.len == BIG - (size_t)(b.ptr[0] - 'a') &&
                memcmp(b.ptr, b.ptr + 1, b.len - 1) == 0;
        changes += whole && b.ptr[0] != last;
        last = b.len ? b.ptr[0] : last;
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    if (!whole)
        fail_msg("%zu bytes: %s", b.len, ck_err_msg(&err));
    assert_true(changes > 0);
}

int run_races(void)
{
    const struct CMUnitTest tests[] = {
        T(test_V047_twelve_processes_create_one_object_once),
        T(test_V047_sixty_four_processes_create_one_object_once),
        T(test_concurrent_increments_lose_nothing),
        T(test_an_update_and_a_removal_do_not_both_succeed),
        T(test_V093_readers_never_see_a_part),
    };
    return cmocka_run_group_tests_name("races", tests, NULL, NULL);
}
