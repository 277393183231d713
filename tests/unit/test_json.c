/* JSON in and out: exact numbers, what is refused and where, Go's bytes. */
#include "doc/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct ck_val *read_text(struct ck_arena *a, const char *text)
{
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_val *v = NULL;
    if (ck_json_parse(a, ck_slice_of(text), 1 << 20, &v, &err) < 0)
        fail_msg("%s: %s", text, ck_err_msg(&err));
    return v;
}

static void assert_written(const struct ck_val *v, struct ck_json_style style, const char *want)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_json_emit(&b, v, style);
    assert_string_equal(ck_buf_str(&b), want);
}

static void test_what_is_read_is_written_as_go_writes_it(void **state)
{
    static const char *const rows[][2] = {
        {"{\"b\":1,\"a\":[true,null]}", "{\"b\":1,\"a\":[true,null]}"},
        {" [ 1 , \"x\" ]\r\n\t", "[1,\"x\"]"},
        {"\"<a&b>\\u2028\\u2029\"", "\"\\u003ca\\u0026b\\u003e\\u2028\\u2029\""},
        {"\"\\u2027\\u202a\"", "\"\u2027\u202a\""},
        {"\"\\b\\f\\n\\r\\t\\/\\\\\\\"\"", "\"\\b\\f\\n\\r\\t/\\\\\\\"\""},
        {"\"\\u0000\\u001f\\u007f\"", "\"\\u0000\\u001f\x7f\""},
        {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
        {"\"\u00e9\"", "\"\u00e9\""},
        {"[1.5,0.1,1e21,1e-7,100.0]", "[1.5,0.1,1e+21,1e-7,100]"},
        {"[1e20,0.000001,0.0000001,1e-10]", "[100000000000000000000,0.000001,1e-7,1e-10]"},
        {"[0.30000000000000004,1.7976931348623157e308,5e-324]",
         "[0.30000000000000004,1.7976931348623157e+308,5e-324]"},
        {"[-0.0,-1.25]", "[-0,-1.25]"},
        /* a power of two: the shortest text is not the nearest of its length */
        {"[7.120236347223045e-307]", "[7.120236347223045e-307]"},
        {"{\"a\":1,\"a\":2}", "{\"a\":2}"},
        {"{\"\":{},\"e\":[]}", "{\"\":{},\"e\":[]}"},
        {"null", "null"},
        {"false", "false"},
        {"\"\"", "\"\""},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        assert_written(read_text(a, rows[i][0]), (struct ck_json_style){.order = CK_JSON_AS_IS},
                       rows[i][1]);
    }
}

static void test_whole_numbers_keep_every_digit(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const struct ck_val *v = read_text(
        a, "[9223372036854775807,-9223372036854775808,9223372036854775808,18446744073709551615,"
           "9007199254740993,\"9223372036854775808\",\"s\",{\"n1\":1},1.5]");
    assert_int_equal(ck_item(v, 0)->kind, CK_INT);
    assert_true(ck_item(v, 0)->i == INT64_MAX);
    assert_true(ck_item(v, 1)->i == INT64_MIN);
    assert_int_equal(ck_item(v, 2)->kind, CK_UINT);
    assert_true(ck_item(v, 2)->u == (uint64_t)INT64_MAX + 1);
    assert_true(ck_item(v, 3)->u == UINT64_MAX);
    /* A large number elsewhere changes nothing for the others. */
    assert_int_equal(ck_item(v, 4)->kind, CK_INT);
    assert_true(ck_item(v, 4)->i == 9007199254740993);
    assert_true(ck_is_str(ck_item(v, 5), "9223372036854775808"));
    assert_true(ck_is_str(ck_item(v, 6), "s"));
    assert_int_equal(ck_int_at(ck_item(v, 7), "n1", 0), 1);
    assert_int_equal(ck_item(v, 8)->kind, CK_FLOAT);
}

static void test_whole_numbers_beyond_64_bits_are_floats(void **state)
{
    static const char *const rows[] = {"18446744073709551616", "-9223372036854775809",
                                       "123456789012345678901234567890"};
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        const struct ck_val *v = read_text(a, rows[i]);
        assert_int_equal(v->kind, CK_FLOAT);
        assert_true(v->f >= strtod(rows[i], NULL) && v->f <= strtod(rows[i], NULL));
    }
}

static void test_strings_may_hold_nul(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const struct ck_val *v = read_text(a, "\"a\\u0000b\"");
    assert_int_equal(v->s.len, 3);
    assert_memory_equal(v->s.ptr, "a\0b", 4);
    assert_true(v->quoted);
}

static void test_what_is_not_json_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text;
        size_t len; /* 0: strlen */
        const char *place;
    } rows[] = {
        {"", 0, "line 1, column 1: "},
        {"{", 0, "line 1, column 1: "},
        {"[1,]", 0, "line 1, column 4: "},
        {"{\"a\":1}x", 0, "line 1, column 8: "},
        {"[1]\n]", 0, "line 2, column 1: "},
        {"nul", 0, "line 1, "},
        {"\"\\x\"", 0, "line 1, "},
        {"[1 2]", 0, "line 1, column 4: "},
        {"{\n\"a\" 1}", 0, "line 2, column 5: "},
        {"[01]", 0, "line 1, "},
        {"[1.]", 0, "line 1, "},
        {"[.5]", 0, "line 1, "},
        {"[+1]", 0, "line 1, "},
        {"[1e999]", 0, "line 1, "},
        {"{a:1}", 0, "line 1, "},
        {"['a']", 0, "line 1, "},
        {"[\"a\nb\"]", 0, "line 1, "},
        {"[NaN]", 0, "line 1, "},
        {"\"\\ud800\"", 0, "line 1, "},
        {"\"\xff\"", 0, "line 1, "},
        {"\"\xc0\x80\"", 0, "line 1, "},
        {"\"\xed\xa0\x80\"", 0, "line 1, "},
        {"\xef\xbb\xbf[]", 0, "line 1, "},
        {"[]/* */", 0, "line 1, "},
        {"1\0", 2, "line 1, column 2: NUL byte"},
        {"[]\n \0x", 6, "line 2, column 2: NUL byte"},
        {"\"a\0b\"", 5, "line 1, column 3: NUL byte"},
        {"[18446744073709551615,]", 0, "line 1, column 23: "},
        {"{\"\\u0000\":1}", 0, "line 1, "},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        CK_AUTOERR err = CK_ERR_INIT;
        struct ck_val *v;
        size_t len = rows[i].len ? rows[i].len : strlen(rows[i].text);
        if (ck_json_parse(a, ck_slice_n(rows[i].text, len), 1 << 20, &v, &err) != -CK_INVALID)
            fail_msg("row %zu, \"%s\", is taken for JSON", i, rows[i].text);
        if (!ck_str_starts(ck_err_msg(&err), rows[i].place))
            fail_msg("row %zu: %s", i, ck_err_msg(&err));
    }
}

static void test_errors_do_not_repeat_the_text(void **state)
{
    static const char *const rows[] = {"{\"auth\":\"hunter2\\x\"}", "{\"auth\":hunter2}",
                                       "{\"auth\" \"hunter2\"}", "{\"auth\":\"hunter2"};
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        CK_AUTOERR err = CK_ERR_INIT;
        struct ck_val *v;
        assert_int_equal(ck_json_parse(a, ck_slice_of(rows[i]), 1000, &v, &err), -CK_INVALID);
        assert_null(strstr(ck_err_msg(&err), "hunter2"));
    }
}

static int nested(unsigned levels, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_val *v;
    for (unsigned i = 0; i < levels; i++)
        ck_buf_puts(&b, i % 2 ? "{\"k\":" : "[");
    ck_buf_puts(&b, "\"[[[[\\\"{{{{\"");
    for (unsigned i = levels; i-- > 0;)
        ck_buf_putc(&b, i % 2 ? '}' : ']');
    return ck_json_parse(a, ck_buf_slice(&b), 1 << 20, &v, err);
}

static void test_nesting_ends_at_a_hundred_levels(void **state)
{
    CK_AUTOERR err = CK_ERR_INIT;
    assert_int_equal(nested(100, &err), 0);
    assert_int_equal(nested(101, &err), -CK_LIMIT);
    assert_non_null(strstr(ck_err_msg(&err), "line 1, column "));
    assert_int_equal(nested(20000, &err), -CK_LIMIT);
}

/* As many bytes, of empty lists and of text. */
static void test_values_are_limited_and_text_is_not(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_val *v;
    for (int quotes = 0; quotes < 2; quotes++) {
        ck_buf_reset(&b);
        ck_buf_puts(&b, quotes ? "[\"" : "[");
        for (unsigned i = 0; i < 1000001; i++)
            ck_buf_puts(&b, "[],");
        ck_buf_puts(&b, quotes ? "\"]" : "0]");
        int r = ck_json_parse(a, ck_buf_slice(&b), 64 << 20, &v, &err);
        assert_int_equal(r, quotes ? 0 : -CK_LIMIT);
        ck_err_done(&err);
    }
}

static void test_size_is_limited(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_val *v;
    assert_int_equal(ck_json_parse(a, CK_S("[1]"), 2, &v, NULL), -CK_LIMIT);
    assert_int_equal(ck_json_parse(a, CK_S("[1]"), 3, &v, NULL), 0);
    assert_int_equal(ck_json_parse(a, (struct ck_slice){NULL, 0}, 3, &v, NULL), -CK_INVALID);
}

static void test_indented_form_is_that_of_marshal_indent(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const struct ck_val *v = read_text(a, "{\"b\":[1,{\"x\":[]}],\"a\":{},\"c\":[[]]}");
    assert_written(v, (struct ck_json_style){.order = CK_JSON_AS_IS, .indent = 2},
                   "{\n  \"b\": [\n    1,\n    {\n      \"x\": []\n    }\n  ],\n"
                   "  \"a\": {},\n  \"c\": [\n    []\n  ]\n}");
    assert_written(v, (struct ck_json_style){.order = CK_JSON_SORTED, .indent = 4},
                   "{\n    \"a\": {},\n    \"b\": [\n        1,\n        {\n"
                   "            \"x\": []\n        }\n    ],\n    \"c\": [\n        []\n    ]\n}");
    assert_written(ck_list(a), (struct ck_json_style){.indent = 2}, "[]");
}

static void test_keys_are_sorted_by_bytes(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    assert_written(read_text(a, "{\"b\":1,\"a10\":2,\"B\":3,\"a2\":4,\"\u00e9\":5,\"a\":6}"),
                   (struct ck_json_style){.order = CK_JSON_SORTED},
                   "{\"B\":3,\"a\":6,\"a10\":2,\"a2\":4,\"b\":1,\"\u00e9\":5}");
}

static void test_html_characters_may_stay(void **state)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_json_string(&b, CK_S("<&>\u2028"), true);
    assert_string_equal(ck_buf_str(&b), "\"<&>\\u2028\"");
}

static void test_bytes_that_are_not_utf8_are_replaced(void **state)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_json_string(&b, CK_S("a\xff\xc3z\xed\xa0\x80"), false);
    assert_string_equal(ck_buf_str(&b), "\"a\\ufffd\\ufffdz\\ufffd\\ufffd\\ufffd\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_read_is_written_as_go_writes_it),
        cmocka_unit_test(test_whole_numbers_keep_every_digit),
        cmocka_unit_test(test_whole_numbers_beyond_64_bits_are_floats),
        cmocka_unit_test(test_strings_may_hold_nul),
        cmocka_unit_test(test_what_is_not_json_is_refused_with_its_place),
        cmocka_unit_test(test_errors_do_not_repeat_the_text),
        cmocka_unit_test(test_nesting_ends_at_a_hundred_levels),
        cmocka_unit_test(test_values_are_limited_and_text_is_not),
        cmocka_unit_test(test_size_is_limited),
        cmocka_unit_test(test_indented_form_is_that_of_marshal_indent),
        cmocka_unit_test(test_keys_are_sorted_by_bytes),
        cmocka_unit_test(test_html_characters_may_stay),
        cmocka_unit_test(test_bytes_that_are_not_utf8_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
