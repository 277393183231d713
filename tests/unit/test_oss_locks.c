/* The locks of oss:// in a store that keeps what is sent, on a network that delivers some of it
 * late, twice or without a reply: at most one of those who want to replace a version may. */
#include "store_wire.h"

#include "answering.h"

enum { MAX_OBJECTS = 64, MAX_HELD = 64, LOST_REPLY = 1, TWICE = 2 };

struct object {
    char key[128], marks[320];
};

/* A request as it went over the wire. */
struct request {
    char method[8], key[128], marks[320];
    bool exclusive;
};

struct world {
    struct object objects[MAX_OBJECTS]; /* key "": free */
    bool denied;                        /* writing k is refused */
    int making;                         /* what happens to the next lock that is made */
    bool recording;                     /* what is sent to locks after a refused write of k … */
    bool deaf;                          /* … and does not arrive either */
    struct request held[MAX_HELD];
    unsigned n_held, requests;
    int64_t changes_ms; /* monotonic: when somebody else replaces k; 0: nobody does */
    void (*before_put)(struct world *w); /* of k; once */
    int nested;                          /* result of what before_put has tried */
};

#define LOCKS  ".ckops/locks/"
#define OLD    "\"E\" aa.bb"
#define MARKED "x-oss-meta-ckops-write"

static bool is_lock(const char *key)
{
    return strncmp(key, LOCKS, strlen(LOCKS)) == 0;
}

static struct object *find(struct world *w, const char *key)
{
    for (size_t i = 0; i < MAX_OBJECTS; i++)
        if (strcmp(w->objects[i].key, key) == 0)
            return &w->objects[i];
    return NULL;
}

static unsigned locks_left(const struct world *w)
{
    unsigned n = 0;
    for (size_t i = 0; i < MAX_OBJECTS; i++)
        n += is_lock(w->objects[i].key);
    return n;
}

/* The request takes effect; the status of its reply. */
static int deliver(struct world *w, const struct request *r)
{
    struct object *o = find(w, r->key);
    if (strcmp(r->method, "HEAD") == 0)
        return o ? 200 : 404;
    if (strcmp(r->method, "DELETE") == 0) {
        if (o)
            o->key[0] = '\0';
        return 204;
    }
    assert_string_equal(r->method, "PUT");
    if (o && r->exclusive)
        return 409;
    o = o ? o : find(w, "");
    assert_non_null(o);
    snprintf(o->key, sizeof o->key, "%s", r->key);
    snprintf(o->marks, sizeof o->marks, "%s", r->marks);
    return 200;
}

static void record(struct world *w, const struct request *r)
{
    assert_true(w->n_held < MAX_HELD);
    w->held[w->n_held++] = *r;
}

static void deliver_held(struct world *w)
{
    for (unsigned i = 0; i < w->n_held; i++)
        deliver(w, &w->held[i]);
}

static int status_of(struct world *w, const struct request *r)
{
    bool head = strcmp(r->method, "HEAD") == 0;
    if (!is_lock(r->key)) {
        void (*hook)(struct world *) = head ? NULL : w->before_put;
        w->before_put = head ? w->before_put : NULL;
        if (hook)
            hook(w);
        return w->denied && !head ? 403 : deliver(w, r);
    }
    if (!head && w->recording && (w->denied && !r->exclusive)) {
        record(w, r);
        if (w->deaf)
            return 200;
    }
    if (r->exclusive && w->making) {
        int how = w->making;
        w->making = 0;
        deliver(w, r);
        return how == TWICE ? deliver(w, r) : 0;
    }
    return deliver(w, r);
}

static void answer(void *arg, struct ck_send *s)
{
    struct world *w = arg;
    struct request r = {.exclusive = ck_nvs_get(&s->req.headers, "x-oss-forbid-overwrite") != NULL};
    const char *marks = ck_nvs_get(&s->req.headers, MARKED);
    snprintf(r.method, sizeof r.method, "%s", s->req.method);
    snprintf(r.key, sizeof r.key, "%s", s->req.path + 1);
    snprintf(r.marks, sizeof r.marks, "%s", marks ? marks : "");
    w->requests++;
    if (w->changes_ms && ck_mono_ms() >= w->changes_ms && find(w, "k"))
        snprintf(find(w, "k")->marks, sizeof w->objects[0].marks, "cc.aa.bb");
    int status = status_of(w, &r);
    if (!status) {
        ck_fail(s->err, CK_UNAVAILABLE, "the connection broke before the reply");
        return;
    }
    ck_send_status(s, status);
    ck_send_header(s, CK_S("etag"), CK_S("\"E\""));
    const struct object *o = find(w, r.key);
    if (strcmp(r.method, "HEAD") == 0 && o && *o->marks)
        ck_send_header(s, CK_S(MARKED), ck_slice_of(o->marks));
    if (status == 409)
        ck_send_body(s, CK_S("<Error><Code>FileAlreadyExists</Code></Error>"));
}

static struct world new_world(void)
{
    struct world w = {.nested = 1};
    snprintf(w.objects[0].key, sizeof w.objects[0].key, "k");
    snprintf(w.objects[0].marks, sizeof w.objects[0].marks, "aa.bb");
    return w;
}

/* One writer, a process of its own: wants to replace the old version. */
static int update(struct world *w, int64_t timeout_ms)
{
    const struct wire_store store = {.url = "oss://bkt/k", .old = OLD};
    struct answering answering = {answer, w};
    struct ck_env env = {0};
    ck_env_set(&env, "OSS_REGION", "cn-x");
    ck_env_set(&env, "ALIYUN_ACCESS_KEY_ID", "id");
    ck_env_set(&env, "ALIYUN_ACCESS_KEY_SECRET", "secret");
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    struct ck_vfs_ctx ctx = {.env = &env, .arena = a, .timeout_ms = timeout_ms};
    ctx.http = ck_http_new(&env, &answering_ops, &answering);
    struct ck_path p;
    assert_int_equal(ck_vfs_parse(&ctx, store.url, &p, &err), 0);
    int r = wire_run(&store, UPDATE, &p, a, &out, &err);
    ck_vfs_ctx_done(&ctx);
    ck_env_done(&env);
    return r;
}

/* ---- whose lock it is ---- */

static void a_lock_whose_making_got_no_answer_is_known_as_ones_own(void **state)
{
    for (int how = LOST_REPLY; how <= TWICE; how++) {
        struct world w = new_world();
        w.making = how;
        int64_t began = ck_mono_ms();
        assert_int_equal(update(&w, 30000), 0);
        assert_in_range(ck_mono_ms() - began, 0, 10000); /* nobody waited for a dead writer */
        assert_int_equal(w.making, 0);
        assert_int_equal(locks_left(&w), 0);
    }
}

/* ---- what arrives late ---- */

static void another_tries_while_late_requests_arrive(struct world *w)
{
    deliver_held(w);
    w->nested = update(w, 4000);
}

/* A writer was refused; the requests by which it left its lock arrive (again) while the next one
 * holds the lock: then nobody else may get in. `deaf`: they arrive only then. */
static void leaving_a_lock_late_or_twice_lets_nobody_in(void **state)
{
    for (int deaf = 0; deaf <= 1; deaf++) {
        struct world w = new_world();
        w.denied = w.recording = true;
        w.deaf = deaf;
        assert_int_equal(update(&w, 30000), -CK_DENIED);
        assert_true(w.n_held > 0);
        w.denied = false;
        w.before_put = another_tries_while_late_requests_arrive;
        assert_int_equal(update(&w, 60000), 0);
        assert_null(w.before_put);
        assert_int_equal(w.nested, -CK_TIMEOUT); /* it has waited for the lock, and got none */
        assert_int_equal(locks_left(&w), 0);
    }
}

static void a_lock_that_was_given_back_costs_no_wait(void **state)
{
    struct world w = new_world();
    w.denied = true;
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(update(&w, 30000), -CK_DENIED);
    w.denied = false;
    w.requests = 0;
    int64_t began = ck_mono_ms();
    assert_int_equal(update(&w, 30000), 0);
    assert_in_range(ck_mono_ms() - began, 0, 3000);
    assert_int_equal(locks_left(&w), 0);
    /* HEAD and PUT of two numbers at most, the object, 21 locks removed. */
    assert_in_range(w.requests, 1, 6 + 21);
}

/* ---- when nobody answers ---- */

static void a_lock_of_a_dead_writer_is_passed_over(void **state)
{
    struct world w = new_world();
    w.denied = w.recording = w.deaf = true;
    assert_int_equal(update(&w, 30000), -CK_DENIED); /* leaves its lock, and that is all */
    w.denied = false;
    int64_t began = ck_mono_ms();
    assert_int_equal(update(&w, 30000), 0);
    assert_in_range(ck_mono_ms() - began, 15000, 20000);
    assert_int_equal(locks_left(&w), 0);
}

/* Staying away after a conflict is for stores that answer slowly, not for locks that were held
 * long. */
static void waiting_for_a_lock_does_not_make_the_loser_stay_away(void **state)
{
    for (unsigned i = 0; i < 4; i++) {
        struct world w = new_world();
        w.denied = w.recording = w.deaf = true;
        assert_int_equal(update(&w, 30000), -CK_DENIED); /* leaves a lock behind */
        int64_t began = ck_mono_ms();
        w.changes_ms = began + 8000;
        assert_int_equal(update(&w, 30000), -CK_CONFLICT);
        assert_in_range(ck_mono_ms() - began, 8000, 10000);
    }
}

int main(void)
{
    ck_clock_skip_sleeps();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lock_whose_making_got_no_answer_is_known_as_ones_own),
        cmocka_unit_test(leaving_a_lock_late_or_twice_lets_nobody_in),
        cmocka_unit_test(a_lock_that_was_given_back_costs_no_wait),
        cmocka_unit_test(a_lock_of_a_dead_writer_is_passed_over),
        cmocka_unit_test(waiting_for_a_lock_does_not_make_the_loser_stay_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
