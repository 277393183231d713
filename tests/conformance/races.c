/* What must hold when many processes use one store at once. Rounds, writers and steps come from the
 * environment, so that slow stores run less: CK_RACE_ROUNDS, CK_CAS_WRITERS, CK_CAS_STEPS,
 * CK_READ_ROUNDS; CK_TIMEOUT_MS: how long an operation may take. */
#include "conformance.h"

#include "base/clock.h"
#include "crypto/hash.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static void skip_in_memory(void)
{
    if (is("memfs://") && !getenv("CKOPS_MEMFS_ROOT"))
        leave_out("memory is not shared between processes");
}

/* fn in n processes; returns the sum of their results. ret_each: the result of each, or NULL. */
static long in_processes(long n, const char *folder, int (*fn)(struct store *s, long i, void *arg),
                         void *arg, int *ret_each)
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
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* writers go on until they succeed */
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
    if (ret_each)
        memcpy(ret_each, results, (size_t)n * sizeof(int));
    munmap(results, (size_t)n * sizeof(int));
    return sum;
}

enum { LOST, WON, UNCLEAR, BAD, MAX_CREATORS = 64 };

static int create_one(struct store *s, long i, void *arg)
{
    char text[32];
    snprintf(text, sizeof text, "writer %ld", i);
    switch (-put(s, arg, text, CK_WRITE_CREATE, NULL, NULL)) {
    case CK_OK:
        return WON;
    case CK_EXISTS:
        return LOST;
    case CK_UNAVAILABLE:
    case CK_TIMEOUT:
        return UNCLEAR; /* only on a bad network */
    default:
        return BAD;
    }
}

static bool no_answer(int r)
{
    return r == -CK_UNAVAILABLE || r == -CK_TIMEOUT;
}

/* A read that outlasts a bad network. */
static int read_after_all(struct store *s, const char *key, struct ck_buf *out, struct ck_err *err)
{
    struct ck_path p = at(s, key);
    int r = ck_vfs_read(&p, out, NULL, err);
    for (int tries = 0; tries < 10 && no_answer(r); tries++) {
        ck_err_done(err);
        r = ck_vfs_read(&p, out, NULL, err);
    }
    return r;
}

/* The object is the work of one writer, who knows it, or has been told that nobody knows. What
 * they were told is added to `total`. */
static void check_creator(struct store *s, const char *key, const int *results, long n,
                          long total[BAD + 1])
{
    long count[BAD + 1] = {0};
    for (long i = 0; i < n; i++)
        count[results[i]]++;
    for (int i = 0; i <= BAD; i++)
        total[i] += count[i];
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOERR err = CK_ERR_INIT;
    int r = read_after_all(s, key, &b, &err);
    if (r == -CK_NOT_FOUND && count[UNCLEAR] == n)
        return;
    must(r, &err);
    long writer = -1;
    assert_int_equal(sscanf(ck_buf_str(&b), "writer %ld", &writer), 1);
    assert_in_range(writer, 0, n - 1);
    if (results[writer] != WON && results[writer] != UNCLEAR)
        fail_msg("the object is that of writer %ld, who was refused", writer);
    assert_int_equal(count[WON], results[writer] == WON);
    assert_int_equal(count[BAD], 0);
    if (count[UNCLEAR] && !getenv("CK_TIMEOUT_MS"))
        fail_msg("%ld writers got no answer", count[UNCLEAR]);
}

/* The folder of this test, as open_store() takes it. */
static const char *folder_of(const struct store *s)
{
    const char *slash = strrchr(s->root.key, '/');
    return slash ? slash + 1 : s->root.key;
}

static void race(struct store *s, long processes)
{
    long rounds = setting("CK_RACE_ROUNDS", 100), total[BAD + 1] = {0};
    const char *folder = folder_of(s);
    for (long k = 0; k < rounds; k++) {
        char key[32];
        snprintf(key, sizeof key, "race/%ld", k);
        int results[MAX_CREATORS];
        in_processes(processes, folder, create_one, key, results);
        check_creator(s, key, results, processes, total);
    }
    printf("of %ld creators in %ld rounds %ld were told that they were first, %ld that they were "
           "not, %ld got no answer\n",
           processes, rounds, total[WON], total[LOST], total[UNCLEAR]);
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

/* One writer's view of its own number, which nobody else touches: so it tells whether the store's
 * answers were true. */
struct writer {
    long number, want;        /* whose; what it must be */
    bool open;                /* a write without an answer may still take effect … */
    struct ck_version before; /* … while the object has this version */
    long unclear, took_effect;
};

/* What is there against what the answers so far were; false: one of them was not true. */
static bool answers_were_true(struct writer *w, long there, const struct ck_version *v)
{
    if (w->open && there == w->want + 1) {
        w->want++;
        w->took_effect++;
        w->open = false;
    }
    w->open = w->open && strcmp(v->token, w->before.token) == 0;
    if (there != w->want)
        printf("writer %ld: %ld where %ld was written\n", w->number, there, w->want);
    return there == w->want;
}

/* Whoever gets no answer does not ask again at once: 64 that do keep a slow server from ever
 * answering in time. */
static void pause_a_while(void)
{
    unsigned char random;
    ck_random(&random, 1);
    ck_sleep_ms(4 * random);
}

/* One read and one conditional write; negative: something that must not be. */
static int step(const struct ck_path *p, struct writer *w, long steps)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_version v;
    long counters[MAX_WRITERS];
    if (ck_vfs_read(p, &b, &v, &err) < 0) {
        pause_a_while();
        return 0;
    }
    parse_counters(ck_buf_str(&b), counters);
    if (!answers_were_true(w, counters[w->number], &v))
        return -1;
    if (w->want >= steps)
        return 0;
    counters[w->number]++;
    for (int k = 0; k < MAX_WRITERS; k++)
        ck_buf_fmt(&out, "%ld ", counters[k]);
    const struct ck_write_opts o = {.mode = CK_WRITE_IF_UNCHANGED, .version = &v};
    int r = ck_vfs_write(p, ck_buf_slice(&out), &o, NULL, &err);
    if (r == 0) {
        w->want++;
        w->open = false;
    } else if (no_answer(r)) {
        pause_a_while();
        w->open = true;
        w->before = v;
        w->unclear++;
    } else if (r != -CK_CONFLICT) {
        printf("writer %ld: %s\n", w->number, ck_err_msg(&err));
        return -1;
    }
    return 0;
}

/* Each writer adds to its own number in an object that all share. Who loses goes on at once:
 * letting others pass is the store's business. */
static int increment(struct store *s, long i, void *arg)
{
    long steps = setting("CK_CAS_STEPS", 200);
    struct ck_path p = at(s, "counter");
    struct writer w = {.number = i};
    while (w.want < steps)
        if (step(&p, &w, steps) < 0)
            return -1000000;
    if (w.unclear)
        printf("writer %ld: %ld writes without an answer, %ld took effect\n", i, w.unclear,
               w.took_effect);
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
    int made;
    do
        made = put(s, "counter", ck_buf_str(&zero), CK_WRITE_CREATE, NULL, NULL);
    while (no_answer(made));
    assert_true(made == 0 || made == -CK_EXISTS); /* nobody else is there yet */
    assert_int_equal(in_processes(writers, folder, increment, NULL, NULL), writers * steps);
    must(read_after_all(s, "counter", &b, &err), &err);
    long counters[MAX_WRITERS], sum = 0;
    parse_counters(ck_buf_str(&b), counters);
    for (int i = 0; i < MAX_WRITERS; i++)
        sum += counters[i];
    assert_int_equal(sum, writers * steps);
    for (long i = 0; i < writers; i++)
        assert_int_equal(counters[i], steps);
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
        leave_out("not every object store removes a version only");
    struct store *s = *state;
    for (long k = 0; k < setting("CK_RACE_ROUNDS", 100); k++) {
        struct ck_version v;
        assert_int_equal(put(s, "x", "one", CK_WRITE_ANY, NULL, NULL), 0);
        has(s, "x", "one", &v);
        assert_int_equal(in_processes(8, folder_of(s), change_or_remove, &v, NULL), 1);
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
