/* Buffers, encodings, errors, clocks, maps, strings. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/env.h"
#include "base/err.h"
#include "base/map.h"
#include "base/strv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_buffer_stops_at_its_ceiling_and_says_so(void **state)
{
    struct ck_buf b = CK_BUF_MAX(8);
    ck_buf_puts(&b, "12345");
    assert_true(ck_buf_ok(&b));
    ck_buf_puts(&b, "6789");
    assert_false(ck_buf_ok(&b));
    assert_string_equal(ck_buf_str(&b), "12345");
    ck_buf_fmt(&b, "%d", 678);
    assert_string_equal(ck_buf_str(&b), "12345678");
    ck_buf_done(&b);
}

static void test_base64_both_ways(void **state)
{
    static const char *const rows[][2] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        CK_AUTOBUF struct ck_buf enc = CK_BUF_INIT;
        CK_AUTOBUF struct ck_buf dec = CK_BUF_INIT;
        ck_base64_encode(&enc, rows[i][0], strlen(rows[i][0]));
        assert_string_equal(ck_buf_str(&enc), rows[i][1]);
        assert_true(ck_base64_decode(&dec, ck_slice_of(rows[i][1])));
        assert_string_equal(ck_buf_str(&dec), rows[i][0]);
    }
    static const char *const bad[] = {
        "Z", "Zg", "Zg=", "Zg===", "Z===", "Zm9v!", "=Zg=", "Zg==Zg=="};
    for (size_t i = 0; i < CK_ARRAY_LEN(bad); i++) {
        CK_AUTOBUF struct ck_buf dec = CK_BUF_INIT;
        assert_false(ck_base64_decode(&dec, ck_slice_of(bad[i])));
    }
}

static void test_percent_encoding_keeps_what_is_unreserved(void **state)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_pct_encode(&b, CK_S("a b/\xC3\xA9~+"), CK_PCT_PATH);
    assert_string_equal(ck_buf_str(&b), "a%20b/%C3%A9~%2B");
    CK_AUTOBUF struct ck_buf d = CK_BUF_INIT;
    assert_true(ck_pct_decode(&d, ck_buf_slice(&b)));
    assert_string_equal(ck_buf_str(&d), "a b/\xC3\xA9~+");
    assert_false(ck_pct_decode(&d, CK_S("%4")));
    assert_false(ck_pct_decode(&d, CK_S("%zz")));
}

static void test_quoting_follows_go(void **state)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_goquote(&b, CK_S("a\"\\\n\x01\x7f\xC3\xA9\xff"));
    assert_string_equal(ck_buf_str(&b), "\"a\\\"\\\\\\n\\x01\\x7f\xC3\xA9\\xff\"");
}

static void test_a_word_of_a_shell_is_quoted_where_it_has_to_be(void **state)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_shquote(&b, CK_S("s3://b-1/a_b.c"));
    ck_buf_putc(&b, ' ');
    ck_shquote(&b, CK_S("/it's; x"));
    ck_buf_putc(&b, ' ');
    ck_shquote(&b, CK_S(""));
    assert_string_equal(ck_buf_str(&b), "s3://b-1/a_b.c '/it'\\''s; x' ''");
}

static void test_control_characters_are_shown_and_not_sent(void **state)
{
    static const char text[] = "a\x1b[1m\x7f\n\t\xC2\x9B\xC3\xA9\xC2";
    CK_AUTOBUF struct ck_buf lines = CK_BUF_INIT, one = CK_BUF_INIT;
    ck_put_printable(&lines, CK_S(text), false);
    assert_string_equal(ck_buf_str(&lines), "a\\x1b[1m\\x7f\n\t\\x9b\xC3\xA9\xC2");
    ck_put_printable(&one, CK_S(text), true);
    assert_string_equal(ck_buf_str(&one), "a\\x1b[1m\\x7f\\x0a\\x09\\x9b\xC3\xA9\xC2");
}

static void test_utf8_refuses_overlong_surrogates_and_cut_sequences(void **state)
{
    static const char *const bad[] = {
        "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xC3", "\x80", "\xFF"};
    for (size_t i = 0; i < CK_ARRAY_LEN(bad); i++)
        assert_false(ck_utf8_valid(ck_slice_of(bad[i])));
    assert_true(ck_utf8_valid(CK_S("\xF0\x9F\x98\x80 a\xC3\xA9")));
    assert_int_equal(ck_utf8_len(CK_S("\xC3\xA9\xF0\x9F\x98\x80")), 2);
}

static void test_times_read_and_write_rfc3339(void **state)
{
    int64_t s;
    char text[21];
    assert_true(ck_rfc3339_parse(CK_S("2016-12-10T22:42:27Z"), &s));
    ck_rfc3339(s, text);
    assert_string_equal(text, "2016-12-10T22:42:27Z");
    assert_true(ck_rfc3339_parse(CK_S("2016-12-10T23:42:27.5+01:00"), &s));
    ck_rfc3339(s, text);
    assert_string_equal(text, "2016-12-10T22:42:27Z");
    static const char *const bad[] = {"2016-13-10T22:42:27Z", "2016-02-30T22:42:27Z", "2016-12-10",
                                      "2016-12-10T24:00:00Z", "2016-12-10T22:42:27",  "x"};
    for (size_t i = 0; i < CK_ARRAY_LEN(bad); i++)
        assert_false(ck_rfc3339_parse(ck_slice_of(bad[i]), &s));
    assert_true(ck_http_date_parse("Sun, 06 Nov 1994 08:49:37 GMT", &s));
    assert_int_equal(s, 784111777);
    assert_false(ck_http_date_parse("yesterday", &s));
    for (int64_t day = -800000; day < 800000; day += 997) {
        int64_t y;
        int m, d;
        ck_civil_from_days(day, &y, &m, &d);
        assert_int_equal(ck_days_from_civil(y, m, d), day);
    }
}

static void test_errors_are_wrapped_from_the_inside_out(void **state)
{
    CK_AUTOERR err = CK_ERR_INIT;
    assert_int_equal(ck_fail(&err, CK_NOT_FOUND, "file %s", "x"), -CK_NOT_FOUND);
    assert_int_equal(ck_wrap(&err, "reading %s", "y"), -CK_NOT_FOUND);
    assert_string_equal(ck_err_msg(&err), "reading y: file x");
    ck_fail(&err, CK_INVALID, "again: %s", ck_err_msg(&err));
    assert_string_equal(ck_err_msg(&err), "again: reading y: file x");
    assert_int_equal(ck_fail(NULL, CK_IO, "x"), -CK_IO);
}

static void test_map_keeps_insertion_order(void **state)
{
    struct ck_map m = {0};
    static int v[1000];
    char key[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "k%d", (i * 7919) % 1000);
        assert_true(ck_map_put(&m, key, &v[i]));
    }
    assert_false(ck_map_put(&m, "k0", NULL));
    assert_int_equal(m.n, 1000);
    assert_string_equal(m.e[1].key, "k919");
    assert_ptr_equal(ck_map_get(&m, "k919"), &v[1]);
    assert_null(ck_map_get(&m, "nothing"));
    ck_map_done(&m);
}

static void test_environment_is_a_value(void **state)
{
    struct ck_env e = {0};
    ck_env_set(&e, "A", "1");
    ck_env_set(&e, "A", "2");
    ck_env_set(&e, "EMPTY", "");
    assert_string_equal(ck_env_get(&e, "A"), "2");
    assert_null(ck_env_nonempty(&e, "EMPTY"));
    ck_env_set(&e, "A", NULL);
    assert_null(ck_env_get(&e, "A"));
    ck_env_done(&e);
}

static void test_strings_sort_and_lose_repeats(void **state)
{
    CK_AUTOSTRV s = {0};
    static const char *const in[] = {"b", "a", "b", "c", "a"};
    for (size_t i = 0; i < CK_ARRAY_LEN(in); i++)
        ck_strv_push(&s, in[i]);
    ck_strv_sort(&s);
    ck_strv_uniq(&s);
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_strv_join(&s, ",", &b);
    assert_string_equal(ck_buf_str(&b), "a,b,c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buffer_stops_at_its_ceiling_and_says_so),
        cmocka_unit_test(test_base64_both_ways),
        cmocka_unit_test(test_percent_encoding_keeps_what_is_unreserved),
        cmocka_unit_test(test_quoting_follows_go),
        cmocka_unit_test(test_a_word_of_a_shell_is_quoted_where_it_has_to_be),
        cmocka_unit_test(test_control_characters_are_shown_and_not_sent),
        cmocka_unit_test(test_utf8_refuses_overlong_surrogates_and_cut_sequences),
        cmocka_unit_test(test_times_read_and_write_rfc3339),
        cmocka_unit_test(test_errors_are_wrapped_from_the_inside_out),
        cmocka_unit_test(test_map_keeps_insertion_order),
        cmocka_unit_test(test_environment_is_a_value),
        cmocka_unit_test(test_strings_sort_and_lose_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
