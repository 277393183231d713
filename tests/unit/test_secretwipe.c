/* After a command is done with a key or a secret, nothing of it is left in the process's memory:
 * every writable mapping is searched. Needles are kept masked, so that they do not find themselves.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/mem.h"
#include "store/keysneeded.h"
#include "store/secretset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__has_feature)
#define UNDER_ASAN __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#else
#define UNDER_ASAN 0
#endif

enum { NEEDLE_LEN = 24, MOST_NEEDLES = 8, MASK = 0x5a };

struct needles {
    unsigned char v[MOST_NEEDLES][NEEDLE_LEN];
    size_t n;
};
static struct needles needles;
static char folder[] = "/tmp/ckops-wipe-XXXXXX";

static void keep(struct ck_slice text, size_t at)
{
    assert_true(text.len > at + NEEDLE_LEN && needles.n < MOST_NEEDLES);
    for (size_t i = 0; i < NEEDLE_LEN; i++)
        needles.v[needles.n][i] = (unsigned char)text.ptr[at + i] ^ MASK;
    needles.n++;
}

static bool at_needle(const unsigned char *p, const unsigned char *masked)
{
    for (size_t i = 0; i < NEEDLE_LEN; i++)
        if ((p[i] ^ MASK) != masked[i])
            return false;
    return true;
}

static size_t hits_in(const unsigned char *p, const unsigned char *end)
{
    size_t hits = 0;
    for (; p + NEEDLE_LEN <= end; p++)
        for (size_t k = 0; k < needles.n; k++)
            hits += at_needle(p, needles.v[k]);
    return hits;
}

/* Heap and anonymous mappings; stacks hold this function's own words only. */
static size_t search(void)
{
    FILE *f = fopen("/proc/self/maps", "re");
    char line[512], perms[8], name[256];
    size_t hits = 0;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        unsigned long from, to;
        name[0] = '\0';
        if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %255s", &from, &to, perms, name) < 3)
            continue;
        if (perms[0] != 'r' || perms[1] != 'w' || (name[0] && strcmp(name, "[heap]") != 0))
            continue;
        hits += hits_in((const unsigned char *)from, (const unsigned char *)to);
    }
    fclose(f);
    return hits;
}

struct world {
    struct ck_arena *a;
    struct ck_env env;
    struct ck_feature_flags features;
    struct ck_vfs_ctx ctx;
    struct ck_store s;
    struct ck_object cluster;
    struct ck_err err;
};

static void ignore(void *arg, const char *text)
{
    (void)arg, (void)text;
}

static void open_world(struct world *w)
{
    *w = (struct world){.a = ck_keyset_arena()};
    ck_env_set(&w->env, "KOPS_RSA_PRIVATE_KEY_SIZE", "1024");
    w->ctx = (struct ck_vfs_ctx){.env = &w->env, .arena = w->a};
    assert_int_equal(ck_store_open(&w->ctx, folder, &w->features, &w->s, &w->err), 0);
    w->s.warn = ignore;
    w->cluster = ck_object_new(w->a, CK_KIND_CLUSTER, "c");
}

static void close_world(struct world *w)
{
    ck_vfs_ctx_done(&w->ctx);
    ck_err_done(&w->err);
    ck_env_done(&w->env);
    ck_arena_free(w->a);
}

/* A payload that is nowhere in the program's own image. */
static void make_secret(struct ck_buf *out)
{
    uint32_t x = 12345;
    for (unsigned i = 0; i < 600; i++) {
        x = x * 1664525 + 1013904223;
        ck_buf_putc(out, (char)('a' + (x >> 24) % 26));
    }
}

static void note_key(const struct ck_keyset *k)
{
    CK_AUTOSECRET pem = CK_SECRET_INIT;
    CK_AUTOSECRET der = CK_SECRET_INIT;
    struct ck_slice b64 = ck_secret_ref_view(k->primary->key_b64);
    keep(b64, b64.len / 2);
    assert_true(ck_base64_decode(ck_secret_sink(&pem), b64));
    struct ck_slice text = ck_secret_view(&pem);
    size_t body = ck_slice_find(text, '\n') + 1;
    keep(text, body + 65 * 3 + 10);
    size_t end = body;
    while (text.ptr[end] != '-')
        end++;
    assert_true(ck_base64_decode(ck_secret_sink(&der), ck_slice_n(text.ptr + body, end - body)));
    keep(ck_secret_view(&der), ck_secret_view(&der).len / 2);
}

static void keys_leave_nothing_behind(void **state)
{
    (void)state;
    struct world w;
    struct ck_keyset_found *v;
    size_t n;
    needles.n = 0;
    open_world(&w);
    assert_int_equal(ck_keysets_ensure_all(w.a, &w.s, &w.cluster, &v, &n, &w.err), 0);
    note_key(&v[0].keyset);
    assert_true(search() > 0); /* the search sees what is there */
    close_world(&w);
    assert_int_equal(search(), 0);

    open_world(&w);
    struct ck_keyset *all, one;
    assert_int_equal(ck_keyset_list(w.a, &w.s, &w.cluster, &all, &n, &w.err), 0);
    assert_int_equal(n, 4);
    const char *name = all[0].name;
    assert_int_equal(ck_keyset_read(w.a, &w.s, &w.cluster, name, &one, &w.err), 0);
    assert_int_equal(ck_keyset_write(w.a, &w.s, &w.cluster, &one, &w.err), 0);
    close_world(&w);
    assert_int_equal(search(), 0);
}

static void secrets_leave_nothing_behind(void **state)
{
    (void)state;
    struct world w;
    needles.n = 0;
    open_world(&w);
    {
        CK_AUTOSECRET payload = CK_SECRET_INIT;
        CK_AUTOSECRET b64 = CK_SECRET_INIT;
        CK_AUTOSECRET back = CK_SECRET_INIT;
        make_secret(ck_secret_sink(&payload));
        struct ck_slice p = ck_secret_view(&payload);
        ck_base64_encode(ck_secret_sink(&b64), p.ptr, p.len);
        keep(p, 100);
        keep(ck_secret_view(&b64), 200);
        assert_int_equal(ck_secret_write(w.a, &w.s, &w.cluster, "x", p, false, &w.err), 0);
        struct ck_buf *to = ck_secret_sink(&back);
        assert_int_equal(ck_secret_read(w.a, &w.s, &w.cluster, "x", to, &w.err), 0);
        assert_true(ck_slice_eq(ck_secret_view(&back), p));
        assert_true(search() > 0);
    }
    close_world(&w);
    assert_int_equal(search(), 0);
}

static void growing_leaves_no_copy(void **state)
{
    (void)state;
    needles.n = 0;
    {
        CK_AUTOSECRET s = CK_SECRET_INIT;
        make_secret(ck_secret_sink(&s));
        keep(ck_secret_view(&s), 4);
        for (unsigned i = 0; i < 1000; i++)
            ck_buf_fill(ck_secret_sink(&s), 'x', 100);
        assert_int_equal(search(), 1);
    }
    assert_int_equal(search(), 0);
}

int main(void)
{
#if UNDER_ASAN
    puts("skipped: the sanitizer's own memory cannot be searched");
    return 0;
#endif
    if (!mkdtemp(folder))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growing_leaves_no_copy),
        cmocka_unit_test(secrets_leave_nothing_behind),
        cmocka_unit_test(keys_leave_nothing_behind),
    };
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    char *const argv[] = {"rm", "-rf", folder, NULL};
    pid_t child = fork();
    if (child == 0) {
        execvp("rm", argv);
        _exit(1);
    }
    waitpid(child, NULL, 0);
    return r;
}
