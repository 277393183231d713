/* XML replies as values: shape, text, what is refused. */
#include "doc/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct ck_val *read_text(struct ck_arena *a, const char *text)
{
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_val *v = NULL;
    if (ck_xml_parse(a, ck_slice_of(text), 1 << 20, &v, &err) < 0)
        fail_msg("%s: %s", text, ck_err_msg(&err));
    return v;
}

static void test_elements_become_maps_and_repeated_ones_lists(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const struct ck_val *v = read_text(
        a, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- c --><r xmlns='urn:x' id=\"1\">\n"
           "  <n>1</n>\n  <c><k>a&amp;b</k></c>\n  <c><k>d</k></c>\n  <c/>\n  <e/>\n</r>\n");
    const struct ck_val *r = ck_get(v, "r"), *c = ck_xml_list(a, r, "c");
    assert_int_equal(ck_len(v), 1);
    assert_int_equal(ck_len(r), 3);
    assert_int_equal(ck_len(c), 3);
    assert_string_equal(ck_str_at(ck_item(c, 0), "k"), "a&b");
    assert_string_equal(ck_str_at(ck_item(c, 1), "k"), "d");
    assert_true(ck_is_str(ck_item(c, 2), ""));
    assert_true(ck_is_str(ck_get(r, "e"), ""));
    assert_int_equal(ck_len(ck_xml_list(a, r, "n")), 1);
    assert_int_equal(ck_len(ck_xml_list(a, r, "none")), 0);
    assert_int_equal(ck_len(ck_xml_list(a, ck_get(r, "n"), "none")), 0);
}

static void test_text_is_kept_byte_for_byte(void **state)
{
    static const char *const rows[][2] = {
        {"<k> a\tb\n </k>", " a\tb\n "},
        {"<k>&lt;&gt;&amp;&quot;&apos;</k>", "<>&\"'"},
        {"<k>&#65;&#x42;&#10;&#13;</k>", "AB\n\r"},
        {"<k><![CDATA[<a>&amp;]]></k>", "<a>&amp;"},
        {"<k>x<![CDATA[y]]>z</k>", "xyz"},
        {"<k>a<!-- b -->c<?pi d?>e</k>", "ace"},
        {"<k>\u00e9\u65e5\U0001F600</k>", "\u00e9\u65e5\U0001F600"},
        {"<k>a\r\nb\rc</k>", "a\nb\nc"},
        {"<?xml version='1.0' encoding='ISO-8859-1'?><k>\xe9</k>", "\u00e9"},
        {"<k>true</k>", "true"},
        {"<k>007</k>", "007"},
        {"<k/>", ""},
        {"<s:k xmlns:s='urn:s'>v</s:k>", "v"},
        {"<k a='1' b='2'>v</k>", "v"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        assert_string_equal(ck_str_at(read_text(a, rows[i][0]), "k"), rows[i][1]);
    }
}

static void assert_refused(struct ck_slice text, enum ck_code code, const char *part)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_val *v = NULL;
    int r = ck_xml_parse(a, text, 1 << 20, &v, &err);
    if (r != -(int)code || !strstr(ck_err_msg(&err), part))
        fail_msg("%.*s: %d, %s", CK_SARG(text), r, ck_err_msg(&err));
    assert_null(v);
}

static void test_what_is_not_well_formed_is_refused_with_its_place(void **state)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "text",
                                      "<a>",
                                      "<a></b>",
                                      "<a></a><b/>",
                                      "<a>&</a>",
                                      "<a>&x;</a>",
                                      "<a b=1/>",
                                      "<a b='1' b='2'/>",
                                      "<a><</a>",
                                      "<html><p>502<br></html>",
                                      "<a>\x01</a>",
                                      "<a>\xff</a>",
                                      "<a>&#0;</a>",
                                      "<a>]]></a>",
                                      "<1/>",
                                      "<a/>x",
                                      "<?xml version='2.0'?><?xml?><a/>",
                                      "<x:a/><",
                                      "<a><!-- -- --></a>"};
    for (size_t i = 0; i < CK_ARRAY_LEN(bad); i++)
        assert_refused(ck_slice_of(bad[i]), CK_INVALID, "XML line 1, column ");
    assert_refused(CK_S("<a>\n\n  <b></a>"), CK_INVALID, "XML line 3, column ");
}

static void test_document_types_are_refused_before_anything_is_expanded(void **state)
{
    static const char *const bad[] = {
        "<!DOCTYPE x><x/>",
        "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
        "<!DOCTYPE x SYSTEM 'file:///etc/passwd'><x/>",
        "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>",
        "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><x>&b;</x>",
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(bad); i++)
        assert_refused(ck_slice_of(bad[i]), CK_INVALID, "DOCTYPE");
}

static void nest(struct ck_buf *b, unsigned levels)
{
    for (unsigned i = 1; i < levels; i++)
        ck_buf_puts(b, "<a>");
    ck_buf_puts(b, "<a/>");
    for (unsigned i = 1; i < levels; i++)
        ck_buf_puts(b, "</a>");
}

static void test_nesting_and_size_are_limited(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf good = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf deep = CK_BUF_INIT;
    struct ck_val *v;
    nest(&good, 64);
    nest(&deep, 65);
    assert_int_equal(ck_xml_parse(a, ck_buf_slice(&good), 1 << 20, &v, NULL), 0);
    assert_refused(ck_buf_slice(&deep), CK_LIMIT, "64 levels");
    assert_int_equal(ck_xml_parse(a, CK_S("<a/>"), 3, &v, NULL), -CK_LIMIT);
    assert_int_equal(ck_xml_parse(a, CK_S("<a/>"), 4, &v, NULL), 0);
}

static void test_many_children_are_read_in_order(void **state)
{
    enum { N = 20000 };
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_puts(&b, "<r>");
    for (int i = 0; i < N; i++)
        ck_buf_fmt(&b, "<c>%d</c><u%d/>", i, i);
    ck_buf_puts(&b, "</r>");
    const struct ck_val *r = ck_get(read_text(a, ck_buf_str(&b)), "r"), *c = ck_xml_list(a, r, "c");
    assert_int_equal(ck_len(r), N + 1);
    assert_int_equal(ck_len(c), N);
    assert_true(ck_is_str(ck_item(c, N - 1), "19999"));
}

static void test_escaped_text_is_read_back(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    static const char text[] = "<a href=\"x\">'&amp;'\t\r\n\u00e9</a>]]>";
    ck_buf_puts(&b, "<k>");
    ck_xml_escape(&b, ck_slice_of(text));
    ck_buf_puts(&b, "</k>");
    assert_string_equal(ck_str_at(read_text(a, ck_buf_str(&b)), "k"), text);
    /* In an attribute, too: nothing ends it. */
    assert_null(strchr(ck_buf_str(&b) + 3, '"'));
    assert_null(strchr(ck_buf_str(&b) + 3, '\''));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements_become_maps_and_repeated_ones_lists),
        cmocka_unit_test(test_text_is_kept_byte_for_byte),
        cmocka_unit_test(test_what_is_not_well_formed_is_refused_with_its_place),
        cmocka_unit_test(test_document_types_are_refused_before_anything_is_expanded),
        cmocka_unit_test(test_nesting_and_size_are_limited),
        cmocka_unit_test(test_many_children_are_read_in_order),
        cmocka_unit_test(test_escaped_text_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
