/* YAML against tables made with kOps' library, and against hostile input. */
#include "reference.h"

#include "base/clock.h"
#include "doc/yaml.h"

#include <string.h>

static void emits(const char *text, const char *want)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_val *m = ck_map(a);
    ck_set_str(a, m, "k", text);
    ck_yaml_emit(&b, m);
    assert_string_equal(ck_buf_str(&b), want);
}

static void test_strings_are_quoted_as_kops_quotes_them(void **state)
{
    static const char *const rows[][2] = {
        {"plain", "k: plain\n"},
        {"", "k: \"\"\n"},
        {"yes", "k: \"yes\"\n"},
        {"n", "k: \"n\"\n"},
        {"null", "k: \"null\"\n"},
        {"~", "k: \"~\"\n"},
        {"1", "k: \"1\"\n"},
        {"1e3", "k: \"1e3\"\n"},
        {"0x1f", "k: \"0x1f\"\n"},
        {"0o17", "k: \"0o17\"\n"},
        {"1_000", "k: \"1_000\"\n"},
        {"12:30:45", "k: \"12:30:45\"\n"},
        {"2020-01-01", "k: \"2020-01-01\"\n"},
        {"2016-12-10T22:42:27Z", "k: \"2016-12-10T22:42:27Z\"\n"},
        {".inf", "k: \".inf\"\n"},
        {"<<", "k: <<\n"},
        {"=", "k: =\n"},
        {"-", "k: '-'\n"},
        {"- a", "k: '- a'\n"},
        {"-a", "k: -a\n"},
        {"a: b", "k: 'a: b'\n"},
        {"a:b", "k: a:b\n"},
        {"a #b", "k: 'a #b'\n"},
        {"#x", "k: '#x'\n"},
        {"it's", "k: it's\n"},
        {"'x", "k: '''x'\n"},
        {" x", "k: ' x'\n"},
        {"x ", "k: 'x '\n"},
        {"{x", "k: '{x'\n"},
        {"x}", "k: x}\n"},
        {"@x", "k: '@x'\n"},
        {"a\tb", "k: \"a\\tb\"\n"},
        {"a\nb", "k: |-\n  a\n  b\n"},
        {"a\nb\n", "k: |\n  a\n  b\n"},
        {"a\n\n", "k: |+\n  a\n\n"},
        {"\na", "k: |2-\n\n  a\n"},
        {"a \nb", "k: \"a \\nb\"\n"},
        {"\xC3\xA9", "k: \xC3\xA9\n"},
        {"25%", "k: 25%\n"},
        {"\x01", "k: \"\\x01\"\n"},
        {"0.0.0.0/0", "k: 0.0.0.0/0\n"},
        {"::/0", "k: ::/0\n"},
        {"---", "k: '---'\n"},
        {"*", "k: '*'\n"},
        {"&a", "k: '&a'\n"},
        {"!x", "k: '!x'\n"},
        {"%x", "k: '%x'\n"},
        {"on", "k: \"on\"\n"},
        {"OFF", "k: \"OFF\"\n"},
        {"0777", "k: \"0777\"\n"},
        {"1.34.0", "k: 1.34.0\n"},
        {"1.30", "k: \"1.30\"\n"},
        {"v1.30", "k: v1.30\n"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++)
        emits(rows[i][0], rows[i][1]);
}

static void test_long_lines_fold_at_the_first_space_after_column_80(void **state)
{
    emits(
        "aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa b",
        "k: aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa aaaaaaaaaa "
        "aaaaaaaaaa\n"
        "  b\n");
}

static void test_byte_order_mark_and_private_characters_survive(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_val *m = ck_map(a);
    ck_set_str(a, m, "a", "\xEF\xBB\xBFx");
    ck_set_str(a, m, "b", "\xEE\x83\xBE 41 \xEE\x83\xBF");
    ck_yaml_emit(&b, m);
    assert_string_equal(ck_buf_str(&b), "a: \"\\uFEFF\\x78\"\nb: \xEE\x83\xBE 41 \xEE\x83\xBF\n");
}

static void test_keys_sort_naturally(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    static const char *const keys[] = {
        "kubelet", "on", "a10", "a9", "A", "10", "9", "a_b", "1", "kubeDNS", "DisableSubnetTags"};
    struct ck_val *m = ck_map(a);
    for (size_t i = 0; i < CK_ARRAY_LEN(keys); i++)
        ck_set_int(a, m, keys[i], 1);
    ck_yaml_emit(&b, m);
    assert_string_equal(ck_buf_str(&b),
                        "\"1\": 1\n\"9\": 1\n\"10\": 1\nA: 1\nDisableSubnetTags: 1\n"
                        "a_b: 1\na9: 1\na10: 1\nkubeDNS: 1\nkubelet: 1\n\"on\": 1\n");
}

static void test_values_carry_their_position(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_val *v = NULL;
    assert_int_equal(ck_yaml_parse(a, CK_S("a: 1\nb:\n  c: x\n"), NULL, &v, NULL, NULL), 0);
    const struct ck_pair *p = ck_pair_of(ck_get(v, "b"), CK_S("c"));
    assert_int_equal(p->key_pos.line, 3);
    assert_int_equal(p->key_pos.col, 3);
    assert_int_equal(p->val->pos.col, 6);
}

/* A limit that only an explosion exceeds, sanitizers and busy machines included. */
enum { LONG_MS = 2000 };

static void refused(struct ck_slice text, enum ck_code code)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_val *v = NULL;
    int64_t start = ck_mono_ms();
    assert_int_equal(ck_yaml_parse(a, text, NULL, &v, NULL, &err), -(int)code);
    assert_true(err.msg && *err.msg);
    assert_true(ck_mono_ms() - start < LONG_MS);
}

static void test_aliases_that_explode_are_refused(void **state)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_puts(&b, "a: &a [x,x,x,x,x,x,x,x,x]\n");
    for (char c = 'b'; c < 'k'; c++) {
        ck_buf_fmt(&b, "%c: &%c [", c, c);
        for (int i = 0; i < 9; i++)
            ck_buf_fmt(&b, "%s*%c", i ? "," : "", c - 1);
        ck_buf_puts(&b, "]\n");
    }
    refused(ck_buf_slice(&b), CK_LIMIT);
    refused(CK_S("a: &a [*a]\n"), CK_INVALID);
    refused(CK_S("a: *nope\n"), CK_INVALID);
}

static void test_few_aliases_of_a_long_string_do_not_fill_the_memory(void **state)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_puts(&b, "a: &a ");
    ck_buf_fill(&b, 'x', 1 << 20);
    ck_buf_puts(&b, "\nb: [");
    for (int i = 0; i < 1000; i++)
        ck_buf_puts(&b, "*a,");
    ck_buf_puts(&b, "]\n");
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_val *v = NULL;
    assert_int_equal(ck_yaml_parse(a, ck_buf_slice(&b), NULL, &v, NULL, &err), -CK_LIMIT);
    assert_true(ck_arena_bytes(a) < 32 << 20);
}

static void test_nesting_of_every_form_is_limited(void **state)
{
    static const char *const forms[] = {"[", "{a: ", "- ", "? "};
    for (size_t i = 0; i < CK_ARRAY_LEN(forms); i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        for (int k = 0; k < 100000; k++)
            ck_buf_puts(&b, forms[i]);
        refused(ck_buf_slice(&b), CK_LIMIT);
    }
}

static void test_floods_of_keys_and_directives_are_refused(void **state)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_puts(&b, "? ");
    ck_buf_fill(&b, 'k', 1 << 20);
    ck_buf_puts(&b, "\n: v\n");
    refused(ck_buf_slice(&b), CK_LIMIT);
    ck_buf_reset(&b);
    ck_buf_fill(&b, 'k', 1 << 20);
    ck_buf_puts(&b, ": v\n");
    refused(ck_buf_slice(&b), CK_INVALID); /* without "?" too long for a key */
    ck_buf_reset(&b);
    for (int i = 0; i < 100000; i++)
        ck_buf_fmt(&b, "%%TAG !a%d! x\n", i);
    ck_buf_puts(&b, "---\na: 1\n");
    refused(ck_buf_slice(&b), CK_LIMIT);
}

static void test_damaged_text_is_refused(void **state)
{
    refused(ck_slice_n("a: b\0c\n", 7), CK_INVALID);
    refused(CK_S("a: \xff\xfe\n"), CK_INVALID);
    refused(CK_S("a: \xc0\x80\n"), CK_INVALID);
    refused(CK_S("a: \xed\xa0\x80\n"), CK_INVALID);
    refused(CK_S("a: [\n"), CK_INVALID);
    refused(ck_slice_n("\xff\xfe"
                       "a\0:\0 \0b",
                       9),
            CK_INVALID);
}

static void reads_as(struct ck_slice text, const char *want)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_val *v = NULL;
    if (ck_yaml_parse(a, text, NULL, &v, NULL, &err) < 0)
        ck_buf_puts(&b, ck_err_msg(&err));
    else
        ck_json_emit(&b, v, (struct ck_json_style){.order = CK_JSON_SORTED, .raw_html = true});
    assert_string_equal(ck_buf_str(&b), want);
}

static void test_marked_text_is_read(void **state)
{
    reads_as(CK_S("\xEF\xBB\xBF"
                  "a: b\n"),
             "{\"a\":\"b\"}");
    reads_as(ck_slice_n("\xff\xfe"
                        "a\0:\0 \0b\0",
                        10),
             "{\"a\":\"b\"}");
}

static void test_values_mean_what_they_mean_to_kops(void **state)
{
    static const char *const rows[][2] = {
        {"", "null"},
        {"a:", "{\"a\":null}"},
        {"a: 0777", "{\"a\":511}"},
        {"a: 0o17", "{\"a\":15}"},
        {"a: 0b11", "{\"a\":3}"},
        {"a: 1_000", "{\"a\":1000}"},
        {"a: 1:30", "{\"a\":\"1:30\"}"},
        {"a: 1.0", "{\"a\":1}"},
        {"a: on", "{\"a\":true}"},
        {"a: 'on'", "{\"a\":\"on\"}"},
        {"a: 2020-01-01", "{\"a\":\"2020-01-01\"}"},
        {"a: 18446744073709551615", "{\"a\":18446744073709551615}"},
        {"y: 1", "{\"true\":1}"},
        {"1: a", "{\"1\":\"a\"}"},
        {"1.5: a", "{\"1.5\":\"a\"}"},
        {".inf: a", "{\".inf\":\"a\"}"},
        {"a: !!str 5", "{\"a\":\"5\"}"},
        {"a: !!int \"5\"", "{\"a\":5}"},
        {"a: !!float 3", "{\"a\":3}"},
        {"a: !mine 5", "{\"a\":\"5\"}"},
        {"a: !!binary aGk=", "{\"a\":\"hi\"}"},
        {"a: !!binary /w==", "{\"a\":\"\xEF\xBF\xBD\"}"},
        {"a: &x {b: 1}\nc:\n  <<: *x\n  d: 2", "{\"a\":{\"b\":1},\"c\":{\"b\":1,\"d\":2}}"},
        {"a: &x {b: 1}\nc: {<<: [*x, {b: 2, e: 3}]}", "{\"a\":{\"b\":1},\"c\":{\"b\":1,\"e\":3}}"},
        {"a: .inf", "json: unsupported value: +Inf"},
        {"a: !!int x", "yaml: cannot decode !!str `x` as a !!int"},
        {"a: !!int 1.5", "yaml: cannot decode !!float `1.5` as a !!int"},
        {"a: 1\n  b: 2", "yaml: line 2: mapping values are not allowed in this context"},
        {"? [a]\n: b", "yaml: invalid map key: []interface {}{\"a\"}"},
        {"a: .inf\nb: [", "yaml: line 2: did not find expected node content"},
        {"a: 1\n<<: x", "yaml: map merge requires map or sequence of maps as the value"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++)
        reads_as(ck_slice_of(rows[i][0]), rows[i][1]);
}

static void test_wrong_bytes_are_replaced_and_lose_nothing_else(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_val *m = ck_map(a);
    ck_set_str(a, m, "a", "1st");
    ck_set_str(a, m, "b", "x\xffy");
    ck_set_str(a, m, "c\xc3", "last");
    ck_yaml_emit(&b, m);
    assert_true(ck_buf_ok(&b));
    assert_string_equal(ck_buf_str(&b), "a: 1st\nb: x\xEF\xBF\xBDy\nc\xEF\xBF\xBD: last\n");
}

static void test_duplicate_keys_are_errors_only_when_strict(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_val *v = NULL;
    const struct ck_yaml_opts strict = {.strict = true};
    assert_int_equal(ck_yaml_parse(a, CK_S("a: 1\na: 2\n"), NULL, &v, NULL, &err), 0);
    assert_int_equal(ck_int_at(v, "a", 0), 2);
    assert_true(ck_yaml_parse(a, CK_S("a: 1\na: 2\n"), &strict, &v, NULL, &err) < 0);
    assert_string_equal(ck_err_msg(&err),
                        "yaml: unmarshal errors:\n  line 2: key \"a\" already set in map");
    assert_true(ck_yaml_parse(a, CK_S("1: a\n1: b\n"), &strict, &v, NULL, &err) < 0);
    assert_string_equal(ck_err_msg(&err),
                        "yaml: unmarshal errors:\n  line 2: key 1 already set in map");
}

static int read_strictly(struct ck_arena *a, const char *text, struct ck_val **ret)
{
    const struct ck_yaml_opts strict = {.strict = true};
    return ck_yaml_parse(a, ck_slice_of(text), &strict, ret, NULL, NULL);
}

static void test_a_merged_key_may_be_written_again_once(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_val *v = NULL;
    assert_int_equal(read_strictly(a, "b: &b {x: 1}\nc:\n  <<: *b\n  x: 2\n", &v), 0);
    assert_int_equal(ck_int_at(v, "c.x", 0), 2);
    assert_int_equal(read_strictly(a, "b: &b {x: 1}\nc: {<<: [*b, *b]}\n", &v), 0);
    assert_true(read_strictly(a, "b: &b {x: 1}\nc:\n  <<: *b\n  x: 2\n  x: 3\n", &v) < 0);
    /* What is merged later would win over what is written: never silently. */
    assert_true(read_strictly(a, "b: &b {x: 1}\nc:\n  x: 2\n  <<: *b\n", &v) < 0);
}

/* ---- reference tables ---- */

static void test_reference_strings_come_out_byte_equal(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const struct ck_val *rows = reference_table(a, "_yaml/emit-strings.json");
    assert_true(ck_len(rows) >= 4000);
    for (size_t i = 0; i < ck_len(rows); i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        struct ck_val *m = ck_map(a);
        ck_set(a, m, "k", ck_item(ck_item(rows, i), 0));
        ck_yaml_emit(&b, m);
        if (!ck_slice_eq(ck_buf_slice(&b), text_at(ck_item(rows, i), 1)))
            fail_msg("row %zu: %s", i, ck_buf_str(&b));
    }
}

static void test_reference_documents_come_out_byte_equal(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const struct ck_val *rows = reference_table(a, "_yaml/emit-docs.json");
    for (size_t i = 0; i < ck_len(rows); i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        struct ck_val *v = NULL;
        assert_int_equal(ck_json_parse(a, text_at(ck_item(rows, i), 0), 1 << 20, &v, NULL), 0);
        ck_yaml_emit(&b, v);
        if (!ck_slice_eq(ck_buf_slice(&b), text_at(ck_item(rows, i), 1)))
            fail_msg("row %zu: %s", i, ck_buf_str(&b));
    }
}

/* Scanner details in which go-yaml's copy of libyaml and Debian's libyaml have drifted apart: tags
 * ending at a comma, "?" and a final ":" inside flow collections. */
enum { KNOWN_SCANNER_DIFFERENCES = 34 };

static bool as_reference(struct ck_arena *a, const struct ck_val *row)
{
    struct ck_slice want = text_at(row, 1), error = text_at(row, 2);
    bool strict = ck_slice_starts(error, "strict: ");
    const struct ck_yaml_opts opts = {.strict = strict};
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_val *v = NULL, *expected = NULL;
    int r = ck_yaml_parse(a, text_at(row, 0), &opts, &v, NULL, &err);
    if (error.len)
        return r < 0 && strcmp(ck_err_msg(&err), error.ptr + (strict ? 8 : 0)) == 0;
    if (r < 0 || ck_json_parse(a, want, 1 << 20, &expected, NULL) < 0)
        return false;
    CK_AUTOBUF struct ck_buf x = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf y = CK_BUF_INIT;
    ck_json_emit(&x, v, (struct ck_json_style){.order = CK_JSON_SORTED});
    ck_json_emit(&y, expected, (struct ck_json_style){.order = CK_JSON_SORTED});
    return ck_slice_eq(ck_buf_slice(&x), ck_buf_slice(&y));
}

static void test_reference_documents_are_read_alike(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const struct ck_val *rows = reference_table(a, "_yaml/decode.json");
    unsigned other = 0;
    for (size_t i = 0; i < ck_len(rows); i++)
        if (!as_reference(a, ck_item(rows, i))) {
            other++;
            printf("  %s", text_at(ck_item(rows, i), 0).ptr);
        }
    printf("different: %u of %zu documents\n", other, ck_len(rows));
    assert_true(other <= KNOWN_SCANNER_DIFFERENCES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings_are_quoted_as_kops_quotes_them),
        cmocka_unit_test(test_long_lines_fold_at_the_first_space_after_column_80),
        cmocka_unit_test(test_byte_order_mark_and_private_characters_survive),
        cmocka_unit_test(test_keys_sort_naturally),
        cmocka_unit_test(test_values_carry_their_position),
        cmocka_unit_test(test_aliases_that_explode_are_refused),
        cmocka_unit_test(test_few_aliases_of_a_long_string_do_not_fill_the_memory),
        cmocka_unit_test(test_nesting_of_every_form_is_limited),
        cmocka_unit_test(test_floods_of_keys_and_directives_are_refused),
        cmocka_unit_test(test_damaged_text_is_refused),
        cmocka_unit_test(test_marked_text_is_read),
        cmocka_unit_test(test_values_mean_what_they_mean_to_kops),
        cmocka_unit_test(test_wrong_bytes_are_replaced_and_lose_nothing_else),
        cmocka_unit_test(test_a_merged_key_may_be_written_again_once),
        cmocka_unit_test(test_duplicate_keys_are_errors_only_when_strict),
        cmocka_unit_test(test_reference_strings_come_out_byte_equal),
        cmocka_unit_test(test_reference_documents_come_out_byte_equal),
        cmocka_unit_test(test_reference_documents_are_read_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
