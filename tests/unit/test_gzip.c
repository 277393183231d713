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
    CK_AUTOBUF struct ck_buf ours = CK_BUF_INIT;
    ck_buf_puts(&ours, "before");
    assert_true(ck_gunzip(&ours, ck_buf_slice(&zipped), n));
    assert_int_equal(ours.len, n + 6);
    assert_memory_equal(ours.ptr + 6, p, n);
    if (n)
        assert_false(ck_gunzip(&ours, ck_buf_slice(&zipped), n - 1));
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

/* What the program `gzip` makes of the text with this option. */
static void packed_by_another(const char *option, const struct ck_buf *text, struct ck_buf *ret)
{
    char name[] = "/tmp/gzip-test-XXXXXX", command[64], piece[4096];
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text->ptr, text->len), (ssize_t)text->len);
    close(fd);
    snprintf(command, sizeof command, "gzip -nc %s < %s", option, name);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;)
        ck_buf_putn(ret, piece, n);
    assert_int_equal(pclose(f), 0);
    unlink(name);
}

static void what_another_program_packed_comes_out(void **state)
{
    (void)state;
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    ck_buf_puts(&text, "aaaaaaaaaab"); /* so short that it gets fixed codes */
    uint32_t seed = 7;
    for (int round = 0; round < 3; round++) {
        for (const char *const *o = (const char *const[]){"-1", "-6", "-9", NULL}; *o; o++) {
            CK_AUTOBUF struct ck_buf zipped = CK_BUF_INIT, back = CK_BUF_INIT;
            packed_by_another(*o, &text, &zipped);
            assert_true(ck_gunzip(&back, ck_buf_slice(&zipped), text.len));
            assert_int_equal(back.len, text.len);
            assert_memory_equal(back.ptr, text.ptr, text.len);
        }
        for (int i = 0; i < 100000; i++) { /* noise is stored as it is */
            seed = seed * 1664525 + 1013904223;
            ck_buf_putc(&text, round ? (char)("abcdefgh"[seed >> 29]) : (char)(seed >> 24));
        }
    }
}

static void damage_never_comes_out_as_content(void **state)
{
    (void)state;
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT, zipped = CK_BUF_INIT;
    for (int i = 0; i < 40; i++)
        ck_buf_fmt(&text, "line %d of a file that somebody damaged\n", i * i);
    ck_gzip(&zipped, ck_buf_slice(&text));
    for (size_t n = 0; n < zipped.len; n++) {
        CK_AUTOBUF struct ck_buf back = CK_BUF_INIT;
        CK_AUTOFREE char *cut = ck_xmemdup(zipped.ptr, n ? n : 1); /* of its very size */
        assert_false(ck_gunzip(&back, ck_slice_n(cut, n), 1 << 20));
    }
    for (size_t bit = 0; bit < zipped.len * 8; bit++) {
        CK_AUTOBUF struct ck_buf back = CK_BUF_INIT;
        zipped.ptr[bit / 8] ^= (char)(1 << bit % 8);
        bool took = ck_gunzip(&back, ck_buf_slice(&zipped), 1 << 20);
        zipped.ptr[bit / 8] ^= (char)(1 << bit % 8);
        if (took) { /* the header's time and system, and the padding of the last byte, say nothing
                     */
            assert_int_equal(back.len, text.len);
            assert_memory_equal(back.ptr, text.ptr, text.len);
        }
    }
    ck_buf_putc(&zipped, 'x');
    CK_AUTOBUF struct ck_buf back = CK_BUF_INIT;
    assert_false(ck_gunzip(&back, ck_buf_slice(&zipped), 1 << 20));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_input_comes_back),
        cmocka_unit_test(skewed_input_keeps_codes_within_their_limit),
        cmocka_unit_test(text_gets_smaller),
        cmocka_unit_test(what_another_program_packed_comes_out),
        cmocka_unit_test(damage_never_comes_out_as_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
