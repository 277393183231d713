/* What is compressed must come out again: decompressed by another program's library. */
#include "base/gzip.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Through `gzip -dc`; the test machine has it. */
static void comes_back(const char *p, size_t n)
{
    CK_AUTOBUF struct ck_buf zipped = CK_BUF_INIT;
    char name[] = "/tmp/gzip-test-XXXXXX", command[64];
    ck_gzip(&zipped, ck_slice_n(p, n));
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, zipped.ptr, zipped.len), (ssize_t)zipped.len);
    close(fd);
    snprintf(command, sizeof command, "gzip -dc < %s", name);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    CK_AUTOFREE char *back = ck_xmalloc(n + 1);
    size_t got = fread(back, 1, n + 1, f);
    assert_int_equal(pclose(f), 0);
    unlink(name);
    assert_int_equal(got, n);
    assert_memory_equal(back, p, n);
}

static void every_kind_of_input_comes_back(void **state)
{
    (void)state;
    comes_back("", 0);
    comes_back("a", 1);
    comes_back("abc", 3);
    CK_AUTOFREE char *same = ck_xmalloc(100000), *noise = ck_xmalloc(100000);
    CK_AUTOFREE char *text = ck_xmalloc(100000);
    uint32_t seed = 1;
    for (size_t i = 0; i < 100000; i++) {
        seed = seed * 1664525 + 1013904223;
        same[i] = 'x';
        noise[i] = (char)(seed >> 24);
        text[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[seed >> 26];
    }
    memcpy(text + 50000, text + 20000, 10000); /* a match beyond nothing, far back */
    comes_back(same, 100000);
    comes_back(noise, 100000);
    comes_back(text, 100000);
}

static void skewed_input_keeps_codes_within_their_limit(void **state)
{
    (void)state;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    for (int c = 0; c < 22; c++) /* frequencies like Fibonacci's make the deepest trees */
        for (int i = 0, n = 1 << c / 2; i < n * (c % 2 ? 3 : 2); i++)
            ck_buf_fmt(&b, "%c%c", 'a' + c, 'A' + (i * 7 + c) % 26);
    comes_back(b.ptr, b.len);
    ck_buf_reset(&b);
    for (unsigned a = 1, z = 1, c = 0; c < 24; c++) {
        ck_buf_fill(&b, (char)('a' + c), 1);
        for (unsigned i = 0; i < a; i++)
            ck_buf_fmt(&b, "%c", (char)(c + (i * 31 % 3) * 30));
        unsigned next = a + z;
        z = a;
        a = next;
    }
    comes_back(b.ptr, b.len);
}

static void text_gets_smaller(void **state)
{
    (void)state;
    CK_AUTOBUF struct ck_buf in = CK_BUF_INIT, out = CK_BUF_INIT;
    for (int i = 0; i < 50; i++)
        ck_buf_fmt(&in, "ClusterName: minimal.example.com\nInstanceGroupName: nodes-%d\n", i);
    ck_gzip(&out, ck_buf_slice(&in));
    assert_true(out.len < in.len / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_input_comes_back),
        cmocka_unit_test(skewed_input_keeps_codes_within_their_limit),
        cmocka_unit_test(text_gets_smaller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
