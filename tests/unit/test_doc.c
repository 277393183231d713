/* JSON, XML and line differences. */
#include "reference.h"

#include "doc/textdiff.h"
#include "doc/xml.h"

#include <string.h>

static void json_round(const char *in, const char *want)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_val *v = NULL;
    assert_int_equal(ck_json_parse(a, ck_slice_of(in), 1 << 20, &v, NULL), 0);
    ck_json_emit(&b, v, (struct ck_json_style){.order = CK_JSON_AS_IS});
    assert_string_equal(ck_buf_str(&b), want);
}

static void test_json_has_gos_bytes(void **state)
{
    json_round("{\"b\":1,\"a\":[true,null]}", "{\"b\":1,\"a\":[true,null]}");
    json_round("\"<a&b>\\u2028\"", "\"\\u003ca\\u0026b\\u003e\\u2028\"");
    json_round("9223372036854775807", "9223372036854775807");
    json_round("[9223372036854775808,18446744073709551615,\"9223372036854775808\"]",
               "[9223372036854775808,18446744073709551615,\"9223372036854775808\"]");
    json_round("[1.5,0.1,1e21,1e-7,100.0]", "[1.5,0.1,1e+21,1e-7,100]");
}

static void test_json_refuses_what_is_not_json(void **state)
{
    static const char *const bad[] = {"", "{", "[1,]", "{\"a\":1}x", "nul", "\"\\x\"", "[1 2]"};
    for (size_t i = 0; i < CK_ARRAY_LEN(bad); i++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        CK_AUTOERR err = CK_ERR_INIT;
        struct ck_val *v;
        assert_int_equal(ck_json_parse(a, ck_slice_of(bad[i]), 1 << 20, &v, &err), -CK_INVALID);
        assert_non_null(strstr(ck_err_msg(&err), "line "));
    }
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf deep = CK_BUF_INIT;
    struct ck_val *v;
    ck_buf_fill(&deep, '[', 100000);
    assert_int_equal(ck_json_parse(a, ck_buf_slice(&deep), 1 << 20, &v, NULL), -CK_LIMIT);
    assert_int_equal(ck_json_parse(a, CK_S("[1]"), 2, &v, NULL), -CK_LIMIT);
}

static void test_xml_becomes_maps_and_lists(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_val *v = NULL;
    assert_int_equal(
        ck_xml_parse(a, CK_S("<r xmlns='u'><n>1</n><c><k>a&amp;b</k></c><c><k>d</k></c><e/></r>"),
                     1000, &v, NULL),
        0);
    const struct ck_val *c = ck_xml_list(a, ck_get(v, "r"), "c");
    assert_int_equal(ck_len(c), 2);
    assert_string_equal(ck_str_at(ck_item(c, 0), "k"), "a&b");
    assert_string_equal(ck_str_at(v, "r.e"), "");
    assert_int_equal(ck_len(ck_xml_list(a, ck_get(v, "r"), "n")), 1);
    assert_int_equal(ck_len(ck_xml_list(a, ck_get(v, "r"), "none")), 0);
}

static void test_xml_refuses_document_types_and_depth(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf deep = CK_BUF_INIT;
    struct ck_val *v;
    assert_true(ck_xml_parse(a, CK_S("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"), 1000, &v, NULL) <
                0);
    for (int i = 0; i < 100; i++)
        ck_buf_puts(&deep, "<a>");
    assert_true(ck_xml_parse(a, ck_buf_slice(&deep), 1000, &v, NULL) < 0);
    assert_true(ck_xml_parse(a, CK_S("<html><p>502<br></html>"), 1000, &v, NULL) < 0);
    assert_true(ck_xml_parse(a, CK_S(""), 1000, &v, NULL) < 0);
}

static void diff_is(const char *x, const char *y, const char *want)
{
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    ck_text_diff(&out, ck_slice_of(x), ck_slice_of(y), (struct ck_diff_style){.context = 2});
    assert_string_equal(ck_buf_str(&out), want);
}

static void test_differences_show_two_lines_of_context(void **state)
{
    diff_is("a\nb\nc\nd\ne\nf\ng", "a\nb\nc\nX\ne\nf\ng",
            "...\n  b\n  c\n+ X\n- d\n  e\n  f\n...\n");
    diff_is("a\nb", "a\nb\nc", "  a\n  b\n+ c\n");
    diff_is("a", "a", "");
    diff_is("b", "a\nb", "+ a\n  b\n");
}

static void test_large_different_texts_end_in_bounded_work(void **state)
{
    CK_AUTOBUF struct ck_buf x = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf y = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    for (int i = 0; i < 20000; i++) {
        ck_buf_fmt(&x, "x%d\n", i);
        ck_buf_fmt(&y, "y%d\n", i);
    }
    assert_true(ck_text_diff(&out, ck_buf_slice(&x), ck_buf_slice(&y),
                             (struct ck_diff_style){.context = 2}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_has_gos_bytes),
        cmocka_unit_test(test_json_refuses_what_is_not_json),
        cmocka_unit_test(test_xml_becomes_maps_and_lists),
        cmocka_unit_test(test_xml_refuses_document_types_and_depth),
        cmocka_unit_test(test_differences_show_two_lines_of_context),
        cmocka_unit_test(test_large_different_texts_end_in_bounded_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
