/* Line differences: layout, shortest scripts, bounded work. */
#include "doc/textdiff.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_layout(void **state)
{
    static const struct {
        const char *a, *b, *want;
    } rows[] = {
        {"", "", ""},
        {"a\n", "a\n", ""},
        {"", "a\n", "+ a\n"},
        {"a\n", "", "- a\n"},
        {"a\nb\n", "a\nb\nc\n", "  a\n  b\n+ c\n"},
        {"b\n", "a\nb\n", "+ a\n  b\n"},
        {"a\nb\nc\nd\ne\nf\n", "a\nd\ne\nf\n", "  a\n- b\n- c\n  d\n  e\n...\n"},
        {"a\nb\nc\nd\ne\nf\ng\n", "a\nb\nc\nX\ne\nf\ng\n",
         "...\n  b\n  c\n+ X\n- d\n  e\n  f\n...\n"},
        /* as many new lines as old ones: line by line */
        {"k: 1\nl: 2\n", "k: 3\nl: 4\n", "+ k: 3\n- k: 1\n+ l: 4\n- l: 2\n"},
        {"k: 1\n", "k: 3\nl: 4\n", "+ k: 3\n+ l: 4\n- k: 1\n"},
        {"k: 1\nl: 2\nm\n", "n\nm\n", "+ n\n- k: 1\n- l: 2\n  m\n"},
        /* contexts that meet leave no gap; one line between them is shown as a gap */
        {"1\na\nb\nc\nd\n2\n", "X\na\nb\nc\nd\nY\n", "+ X\n- 1\n  a\n  b\n  c\n  d\n+ Y\n- 2\n"},
        {"1\na\nb\nc\nd\ne\n2\n", "X\na\nb\nc\nd\ne\nY\n",
         "+ X\n- 1\n  a\n  b\n...\n  d\n  e\n+ Y\n- 2\n"},
        /* blank lines are lines */
        {"a\n\nb\n", "a\nb\n", "  a\n- \n  b\n"},
        {"\n", "\n\n", "  \n+ \n"},
        /* the end of the last line */
        {"a", "a\n", "  a\n+ \n"},
        {"a\n", "a", "  a\n- \n"},
        {"a", "b", "+ b\n- a\n"},
        {"x\na", "y\na", "+ y\n- x\n  a\n"},
        {"a\r\n", "a\n", "+ a\n- a\r\n"},
        {"a\nb\na\nb\na\nb\n", "b\na\nb\na\n", "- a\n  b\n  a\n  b\n  a\n- b\n"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
        bool differ = ck_text_diff(&out, ck_slice_of(rows[i].a), ck_slice_of(rows[i].b),
                                   (struct ck_diff_style){.context = 2});
        assert_string_equal(ck_buf_str(&out), rows[i].want);
        assert_int_equal(differ, strcmp(rows[i].a, rows[i].b) != 0);
    }
}

/* The difference that kOps shows for a field it does not know (transcript 137). */
static void test_a_line_more_in_an_object(void **state)
{
    static const char *const head = "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nspec:\n"
                                    "  authorization:\n    rbac: {}\n",
                             *const tail = "  channel: stable\n  cloudProvider: aws\n"
                                           "  configBase: x\n";
    CK_AUTOBUF struct ck_buf a = CK_BUF_INIT, b = CK_BUF_INIT, out = CK_BUF_INIT;
    ck_buf_fmt(&a, "%s%s", head, tail);
    ck_buf_fmt(&b, "%s  bogusField: 1\n%s", head, tail);
    ck_text_diff(&out, ck_buf_slice(&a), ck_buf_slice(&b), (struct ck_diff_style){.context = 2});
    assert_string_equal(ck_buf_str(&out),
                        "...\n    authorization:\n      rbac: {}\n+   bogusField: 1\n"
                        "    channel: stable\n    cloudProvider: aws\n...\n");
}

static void test_context_is_the_callers_choice(void **state)
{
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    ck_text_diff(&out, CK_S("a\nb\nc\n"), CK_S("a\nX\nc\n"), (struct ck_diff_style){.context = 0});
    assert_string_equal(ck_buf_str(&out), "...\n+ X\n- b\n...\n");
}

static void test_colours_are_around_changed_lines_only(void **state)
{
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    ck_text_diff(&out, CK_S("a\nb\n"), CK_S("a\nX\n"),
                 (struct ck_diff_style){.context = 2, .color = true});
    assert_string_equal(ck_buf_str(&out), "  a\n\033[32m+ X\033[0m\n\033[31m- b\033[0m\n");
}

/* Longest common subsequence by the definition. */
static size_t common(const char *a, const char *b)
{
    enum { MOST = 12 };
    size_t t[MOST + 1][MOST + 1] = {{0}}, n = strlen(a), m = strlen(b);
    for (size_t i = n; i-- > 0;)
        for (size_t k = m; k-- > 0;)
            t[i][k] = a[i] == b[k]                ? t[i + 1][k + 1] + 1
                      : t[i + 1][k] > t[i][k + 1] ? t[i + 1][k]
                                                  : t[i][k + 1];
    return t[0][0];
}

static void spell(struct ck_buf *out, const char *letters)
{
    for (; *letters; letters++)
        ck_buf_fmt(out, "%c\n", *letters);
}

static void check_random(unsigned *seed)
{
    char x[13] = "", y[13] = "", from_a[26] = "", from_b[26] = "";
    size_t n[2], changes = 0;
    for (int side = 0; side < 2; side++) {
        n[side] = (*seed = *seed * 1103515245 + 12345) >> 16 & 7;
        for (size_t i = 0; i < n[side]; i++)
            (side ? y : x)[i] = (char)('a' + ((*seed = *seed * 1103515245 + 12345) >> 16) % 3);
    }
    CK_AUTOBUF struct ck_buf a = CK_BUF_INIT, b = CK_BUF_INIT, out = CK_BUF_INIT;
    spell(&a, x);
    spell(&b, y);
    ck_text_diff(&out, ck_buf_slice(&a), ck_buf_slice(&b), (struct ck_diff_style){.context = 99});
    if (!out.len) {
        assert_string_equal(x, y);
        return;
    }
    for (const char *p = out.ptr; *p; p += 4) { /* sign, space, letter, newline */
        changes += *p != ' ';
        if (*p != '+')
            strncat(from_a, p + 2, 1);
        if (*p != '-')
            strncat(from_b, p + 2, 1);
    }
    assert_string_equal(from_a, x);
    assert_string_equal(from_b, y);
    assert_int_equal(changes, n[0] + n[1] - 2 * common(x, y));
}

static void test_scripts_are_right_and_shortest(void **state)
{
    unsigned seed = 1;
    for (int i = 0; i < 20000; i++)
        check_random(&seed);
}

static void test_one_line_in_many_is_found_at_once(void **state)
{
    CK_AUTOBUF struct ck_buf a = CK_BUF_INIT, b = CK_BUF_INIT, out = CK_BUF_INIT;
    for (int i = 0; i < 100000; i++) {
        ck_buf_fmt(&a, "line %d\n", i);
        ck_buf_fmt(&b, i == 200 || i == 99000 ? "changed\n" : "line %d\n", i);
    }
    int64_t start = ck_mono_ms();
    ck_text_diff(&out, ck_buf_slice(&a), ck_buf_slice(&b), (struct ck_diff_style){.context = 1});
    assert_true(ck_mono_ms() - start < 1000);
    assert_string_equal(ck_buf_str(&out),
                        "...\n  line 199\n+ changed\n- line 200\n  line 201\n"
                        "...\n  line 98999\n+ changed\n- line 99000\n  line 99001\n...\n");
}

static void test_texts_with_nothing_in_common_end_in_bounded_work(void **state)
{
    CK_AUTOBUF struct ck_buf a = CK_BUF_INIT, b = CK_BUF_INIT, out = CK_BUF_INIT;
    for (int i = 0; i < 50000; i++) {
        ck_buf_fmt(&a, "x%d\n", i);
        ck_buf_fmt(&b, "y%d\n", i);
    }
    int64_t start = ck_mono_ms();
    assert_true(ck_text_diff(&out, ck_buf_slice(&a), ck_buf_slice(&b),
                             (struct ck_diff_style){.context = 2}));
    assert_true(ck_mono_ms() - start < 5000);
    assert_int_equal(out.len, a.len + b.len + 4 * 50000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_a_line_more_in_an_object),
        cmocka_unit_test(test_context_is_the_callers_choice),
        cmocka_unit_test(test_colours_are_around_changed_lines_only),
        cmocka_unit_test(test_scripts_are_right_and_shortest),
        cmocka_unit_test(test_one_line_in_many_is_found_at_once),
        cmocka_unit_test(test_texts_with_nothing_in_common_end_in_bounded_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
