/* Durations, quantities, versions, tables: chosen cases, and every row of the reference tables. */
#include "reference.h"

#include "doc/scalar.h"
#include "ui/table.h"

#include <string.h>

static void canonical(const char *in, const char *want)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOERR err = CK_ERR_INIT;
    assert_int_equal(ck_quantity_canonical(ck_slice_of(in), &b, &err), 0);
    assert_string_equal(ck_buf_str(&b), want);
}

static void test_quantities_take_their_canonical_form(void **state)
{
    static const char *const rows[][2] = {
        {"1024Mi", "1Gi"},
        {"0.5", "500m"},
        {"1000m", "1"},
        {"1500m", "1500m"},
        {"2G", "2G"},
        {"1.5Gi", "1536Mi"},
        {"0", "0"},
        {"0Gi", "0"},
        {"1e3", "1e3"},
        {"100Mi", "100Mi"},
        {"0.0000000001", "1n"},
        {"1e400", "10e399"},
        {"8Ei", "9223372036854775807"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++)
        canonical(rows[i][0], rows[i][1]);
}

static void test_durations_print_as_go_prints_them(void **state)
{
    static const char *const rows[][2] = {
        {"90s", "1m30s"}, {"1500ms", "1.5s"},    {"48h", "48h0m0s"},    {"0", "0s"},
        {"15m", "15m0s"}, {"-1.5h", "-1h30m0s"}, {"1us", "1\xC2\xB5s"}, {"48h20m", "48h20m0s"}};
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        int64_t ns;
        assert_int_equal(ck_duration_parse(ck_slice_of(rows[i][0]), &ns, NULL), 0);
        ck_duration_put(&b, ns);
        assert_string_equal(ck_buf_str(&b), rows[i][1]);
    }
    static const char *const bad[] = {"", "1", "s", "1x", "1.2.3s", "9223372036854775808ns", "+"};
    for (size_t i = 0; i < CK_ARRAY_LEN(bad); i++) {
        int64_t ns;
        assert_int_equal(ck_duration_parse(ck_slice_of(bad[i]), &ns, NULL), -CK_INVALID);
    }
}

static void test_versions_compare_and_match_ranges(void **state)
{
    struct ck_semver a, b;
    assert_true(ck_semver_parse(CK_S("1.37.0-alpha.1"), &a));
    assert_true(ck_semver_parse_tolerant(CK_S(" v1.37 "), &b));
    assert_true(ck_semver_cmp(&a, &b) < 0);
    assert_false(ck_semver_parse(CK_S("1.2"), &a));
    assert_false(ck_semver_parse(CK_S("01.2.3"), &a));
    assert_false(ck_semver_parse_tolerant(CK_S("abc"), &a));
    bool in;
    assert_int_equal(ck_semver_in_range(&b, ">=1.36.0 <1.38.0 || 1.40.x", &in, NULL), 0);
    assert_true(in);
    assert_int_equal(ck_semver_in_range(&b, "<1.37.0", &in, NULL), 0);
    assert_false(in);
    assert_int_equal(ck_semver_in_range(&b, ">>1", &in, NULL), -CK_INVALID);
}

static void test_reference_quantities(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const struct ck_val *rows = reference_table(a, "_scalars/quantity.json");
    for (size_t i = 0; i < ck_len(rows); i++) {
        const struct ck_val *row = ck_item(rows, i);
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        CK_AUTOERR err = CK_ERR_INIT;
        if (ck_quantity_canonical(text_at(row, 0), &b, &err) < 0)
            assert_string_equal(ck_err_msg(&err), text_at(row, 2).ptr);
        else
            assert_string_equal(ck_buf_str(&b), text_at(row, 1).ptr);
    }
}

static void test_reference_durations(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const struct ck_val *rows = reference_table(a, "_scalars/duration.json");
    for (size_t i = 0; i < ck_len(rows); i++) {
        const struct ck_val *row = ck_item(rows, i);
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        CK_AUTOERR err = CK_ERR_INIT;
        int64_t ns;
        if (ck_duration_parse(text_at(row, 0), &ns, &err) < 0) {
            assert_string_equal(ck_err_msg(&err), text_at(row, 2).ptr);
        } else {
            ck_duration_put(&b, ns);
            assert_string_equal(ck_buf_str(&b), text_at(row, 1).ptr);
        }
    }
}

static void test_reference_tables(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const struct ck_val *rows = reference_table(a, "_scalars/tables.json");
    for (size_t i = 0; i < ck_len(rows); i++) {
        CK_AUTOBUF struct ck_buf in = CK_BUF_INIT;
        CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
        ck_buf_put(&in, text_at(ck_item(rows, i), 0));
        ck_buf_putc(&in, '\n');
        ck_tabwriter(&out, ck_buf_slice(&in));
        assert_string_equal(ck_buf_str(&out), text_at(ck_item(rows, i), 1).ptr);
    }
}

static void test_reference_versions(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const struct ck_val *rows = reference_table(a, "_scalars/semver.json");
    for (size_t i = 0; i < ck_len(rows); i++) {
        const struct ck_val *row = ck_item(rows, i), *match = ck_get(row, "Match");
        struct ck_semver strict, v;
        bool valid = ck_semver_parse(ck_slice_of(ck_str_at(row, "Version")), &strict);
        assert_int_equal(valid, ck_bool_at(row, "Valid", false));
        if (!ck_semver_parse_tolerant(ck_slice_of(ck_str_at(row, "Version")), &v)) {
            assert_string_equal(ck_str_at(row, "Tolerant"), "");
            continue;
        }
        for (size_t k = 0; k < ck_len(match); k++) {
            bool in;
            assert_int_equal(ck_semver_in_range(&v, match->map.v[k].key.ptr, &in, NULL), 0);
            assert_int_equal(in, match->map.v[k].val->b);
        }
    }
}

static void test_rows_are_sorted_and_columns_padded_with_tabs(void **state)
{
    static const char *const columns[] = {"NAME", "ZONES"};
    static const char *const rows[][2] = {{"minimal-aws.example.com", "a"}, {"a", ""}};
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    struct ck_table *t = ck_table_new(columns, 2);
    ck_table_row(t, rows[0]);
    ck_table_row(t, rows[1]);
    ck_table_render(t, &out);
    ck_table_free(t);
    assert_string_equal(ck_buf_str(&out), "NAME\t\t\tZONES\na\t\t\t\nminimal-aws.example.com\ta\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantities_take_their_canonical_form),
        cmocka_unit_test(test_durations_print_as_go_prints_them),
        cmocka_unit_test(test_versions_compare_and_match_ranges),
        cmocka_unit_test(test_reference_quantities),
        cmocka_unit_test(test_reference_durations),
        cmocka_unit_test(test_reference_tables),
        cmocka_unit_test(test_reference_versions),
        cmocka_unit_test(test_rows_are_sorted_and_columns_padded_with_tabs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
