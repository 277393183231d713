/* Durations, quantities, versions, ranges: chosen cases, and every row of the reference tables. */
#include "reference.h"

#include "doc/scalar.h"

#include <string.h>

struct row {
    const char *in, *want;
};

/* ---- quantities ---- */

static void test_quantities_take_their_canonical_form(void **state)
{
    static const struct row rows[] = {
        {"0", "0"},
        {"0Gi", "0"},
        {"Gi", "0"},
        {"1024Mi", "1Gi"},
        {"100Mi", "100Mi"},
        {"1.5Gi", "1536Mi"},
        {"0.1Ki", "102400m"},
        {"1023Ki", "1023Ki"},
        {"1024", "1024"},
        {"0.5", "500m"},
        {"1000m", "1"},
        {"1500m", "1500m"},
        {"0.5m", "500u"},
        {"2G", "2G"},
        {"2000M", "2G"},
        {"+5", "+5"},
        {"005", "005"},
        {"1.", "1."},
        {"-1.5", "-1500m"},
        {"1e3", "1e3"},
        {"12e6", "12e6"},
        {"1e400", "10e399"},
        {"1e1000000000", "10e999999999"},
        {"1e-10", "1e-9"},
        {"1e-1000000000", "1e-9"},
        {"0.0000000001", "1n"},
        {"-0.0000000001", "-1n"},
        {"9223372036854775808", "9223372036854775808"},
        {"8Ei", "9223372036854775807"},
        {"-8Ei", "-9223372036854775807"},
        {"7Ei", "7Ei"},
        {"100000E", "100000E"}, /* apimachinery loses the unit: "100" */
        /* every digit counts, and what is finer than nano rounds away from zero */
        {"-57.00001931091948992940Pi", "-64176316432192022756923631n"},
        {"+0.00000057491661648550861787449709031Gi", "617312016434n"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        CK_AUTOERR err = CK_ERR_INIT;
        if (ck_quantity_canonical(ck_slice_of(rows[i].in), &b, &err) < 0)
            fail_msg("%s: %s", rows[i].in, ck_err_msg(&err));
        assert_string_equal(ck_buf_str(&b), rows[i].want);
    }
}

static void test_what_is_no_quantity_is_refused(void **state)
{
    static const char format[] = "quantities must match the regular expression "
                                 "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    static const struct row rows[] = {
        {"", format},
        {"1 Gi", format},
        {"1GiB", format},
        {"1.2.3", format},
        {"0x10", format},
        {"1_000", format},
        {"--1", "unable to parse quantity's suffix"},
        {" 1", format},
        {"1mm", "unable to parse quantity's suffix"},
        {"1K", "unable to parse quantity's suffix"},
        {"1e", "unable to parse quantity's suffix"},
        {"1e1.5", format},
        {"1e99999999999999999999", "unable to parse quantity's suffix"},
        {"-Ei", "unable to parse numeric part of quantity"},
        {"e-28", "unable to parse numeric part of quantity"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        CK_AUTOERR err = CK_ERR_INIT;
        assert_int_equal(ck_quantity_canonical(ck_slice_of(rows[i].in), &b, &err), -CK_INVALID);
        assert_string_equal(ck_err_msg(&err), rows[i].want);
        assert_int_equal(b.len, 0);
    }
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    assert_int_equal(ck_quantity_canonical(CK_S("1\0"), &b, NULL), -CK_INVALID);
    assert_int_equal(ck_quantity_canonical(CK_S("1k\0"), &b, NULL), -CK_INVALID);
}

static void test_reference_quantities(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const struct ck_val *rows = reference_table(a, "_scalars/quantity.json");
    assert_true(ck_len(rows) >= 1500);
    for (size_t i = 0; i < ck_len(rows); i++) {
        const struct ck_val *row = ck_item(rows, i);
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        CK_AUTOERR err = CK_ERR_INIT;
        ck_quantity_canonical(text_at(row, 0), &b, &err);
        assert_string_equal(ck_err_msg(&err), text_at(row, 2).ptr);
        assert_string_equal(ck_buf_str(&b), text_at(row, 1).ptr);
    }
}

/* ---- durations ---- */

static void test_durations_print_as_go_prints_them(void **state)
{
    static const struct row rows[] = {
        {"0", "0s"},
        {"-0", "0s"},
        {"90s", "1m30s"},
        {"1500ms", "1.5s"},
        {"48h", "48h0m0s"},
        {"15m", "15m0s"},
        {"-1.5h", "-1h30m0s"},
        {"1us", "1\xC2\xB5s"},
        {"1\xC2\xB5s", "1\xC2\xB5s"},
        {"1\xCE\xBCs", "1\xC2\xB5s"},
        {"48h20m", "48h20m0s"},
        {"+5s", "5s"},
        {".5s", "500ms"},
        {"1.s", "1s"},
        {"1m1m", "2m0s"},
        {"0.1ns", "0s"},
        {"100ns", "100ns"},
        {"1.000000001s", "1.000000001s"},
        {"0.3333333333333333333h", "20m0s"},
        {"9223372036854775807ns", "2562047h47m16.854775807s"},
        {"-9223372036854775808ns", "-2562047h47m16.854775808s"},
        {"100.00000000000000000000000001s", "1m40s"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        CK_AUTOERR err = CK_ERR_INIT;
        int64_t ns;
        if (ck_duration_parse(ck_slice_of(rows[i].in), &ns, &err) < 0)
            fail_msg("%s", ck_err_msg(&err));
        ck_duration_put(&b, ns);
        assert_string_equal(ck_buf_str(&b), rows[i].want);
    }
}

static void test_what_is_no_duration_is_refused(void **state)
{
    static const struct row rows[] = {
        {"", "time: invalid duration \"\""},
        {"+", "time: invalid duration \"+\""},
        {"s", "time: invalid duration \"s\""},
        {".s", "time: invalid duration \".s\""},
        {"1", "time: missing unit in duration \"1\""},
        {"1.2.3s", "time: missing unit in duration \"1.2.3s\""},
        {"1d", "time: unknown unit \"d\" in duration \"1d\""},
        {"1h 30m", "time: unknown unit \"h \" in duration \"1h 30m\""},
        {"1e3s", "time: unknown unit \"e\" in duration \"1e3s\""},
        {"1\"", "time: unknown unit \"\\\"\" in duration \"1\\\"\""},
        {"1\xC3\xA9", "time: unknown unit \"\\xc3\\xa9\" in duration \"1\\xc3\\xa9\""},
        {"1s\n", "time: unknown unit \"s\\x0a\" in duration \"1s\\x0a\""},
        {"--1s", "time: invalid duration \"--1s\""},
        {"9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""},
        {"-9223372036854775809ns", "time: invalid duration \"-9223372036854775809ns\""},
        {"99999999999999999999h", "time: invalid duration \"99999999999999999999h\""},
        {"2562047h48m", "time: invalid duration \"2562047h48m\""},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        CK_AUTOERR err = CK_ERR_INIT;
        int64_t ns;
        assert_int_equal(ck_duration_parse(ck_slice_of(rows[i].in), &ns, &err), -CK_INVALID);
        assert_string_equal(ck_err_msg(&err), rows[i].want);
    }
}

static void test_reference_durations(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const struct ck_val *rows = reference_table(a, "_scalars/duration.json");
    assert_true(ck_len(rows) >= 600);
    for (size_t i = 0; i < ck_len(rows); i++) {
        const struct ck_val *row = ck_item(rows, i);
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        CK_AUTOERR err = CK_ERR_INIT;
        int64_t ns;
        if (ck_duration_parse(text_at(row, 0), &ns, &err) == 0)
            ck_duration_put(&b, ns);
        assert_string_equal(ck_err_msg(&err), text_at(row, 2).ptr);
        assert_string_equal(ck_buf_str(&b), text_at(row, 1).ptr);
    }
}

/* ---- versions ---- */

static void put_version(struct ck_buf *out, const struct ck_semver *v)
{
    ck_buf_fmt(out, "%llu.%llu.%llu%s%s%s%s", (unsigned long long)v->major,
               (unsigned long long)v->minor, (unsigned long long)v->patch, *v->pre ? "-" : "",
               v->pre, *v->build ? "+" : "", v->build);
}

static void test_versions_are_read_tolerantly_where_that_is_asked_for(void **state)
{
    static const struct {
        const char *in, *strict, *tolerant; /* the version, or the error */
    } rows[] = {
        {"1.2.3", "1.2.3", "1.2.3"},
        {"1.37.0-alpha.1", "1.37.0-alpha.1", "1.37.0-alpha.1"},
        {"1.2.3-a.b-c+d.01", "1.2.3-a.b-c+d.01", "1.2.3-a.b-c+d.01"},
        {"1.2.3+b", "1.2.3+b", "1.2.3+b"},
        {"1.2.3+b-a", "1.2.3+b-a", "1.2.3+b-a"},
        {"18446744073709551615.0.0", "18446744073709551615.0.0", "18446744073709551615.0.0"},
        {"v1.30", "No Major.Minor.Patch elements found", "1.30.0"},
        {" 1.30.1\n", "Invalid character(s) found in major number \" 1\"", "1.30.1"},
        {"1", "No Major.Minor.Patch elements found", "1.0.0"},
        {"", "Version string empty", "strconv.ParseUint: parsing \"\": invalid syntax"},
        {"01.02.03", "Major number must not contain leading zeroes \"01\"", "1.2.3"},
        {"1.2.00-a", "Patch number must not contain leading zeroes \"00\"", "1.2.0-a"},
        {"1.2.-a", "strconv.ParseUint: parsing \"\": invalid syntax", "1.2.0-a"},
        {"1.2-a", "No Major.Minor.Patch elements found",
         "Short version cannot contain PreRelease/Build meta data"},
        {"1.2.3.4", "Invalid character(s) found in patch number \"3.4\"",
         "Invalid character(s) found in patch number \"3.4\""},
        {"1.2.3-", "Prerelease is empty", "Prerelease is empty"},
        {"1.2.3-a..b", "Prerelease is empty", "Prerelease is empty"},
        {"1.2.3-01", "Numeric PreRelease version must not contain leading zeroes \"01\"",
         "Numeric PreRelease version must not contain leading zeroes \"01\""},
        {"1.2.3-a_b", "Invalid character(s) found in prerelease \"a_b\"",
         "Invalid character(s) found in prerelease \"a_b\""},
        {"1.2.3+", "Build meta data is empty", "Build meta data is empty"},
        {"18446744073709551616.0.0",
         "strconv.ParseUint: parsing \"18446744073709551616\": value out of range",
         "strconv.ParseUint: parsing \"18446744073709551616\": value out of range"},
        {"vv1.2.3", "Invalid character(s) found in major number \"vv1\"",
         "Invalid character(s) found in major number \"0v1\""},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++)
        for (int tolerant = 0; tolerant < 2; tolerant++) {
            CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
            CK_AUTOERR err = CK_ERR_INIT;
            struct ck_semver v;
            if (ck_semver_read(ck_slice_of(rows[i].in), tolerant, &v, &err) == 0)
                put_version(&b, &v);
            else
                ck_buf_puts(&b, ck_err_msg(&err));
            assert_string_equal(ck_buf_str(&b), tolerant ? rows[i].tolerant : rows[i].strict);
        }
}

static void test_a_version_too_long_to_keep_is_refused(void **state)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_semver v;
    ck_buf_puts(&b, "1.2.3-");
    ck_buf_fill(&b, 'a', 119);
    assert_true(ck_semver_parse(ck_buf_slice(&b), &v));
    assert_true(ck_semver_parse_tolerant(ck_buf_slice(&b), &v));
    ck_buf_putc(&b, 'a');
    assert_false(ck_semver_parse(ck_buf_slice(&b), &v));
    ck_buf_fill(&b, 'a', 100000);
    assert_false(ck_semver_parse_tolerant(ck_buf_slice(&b), &v));
}

static void test_versions_are_ordered_by_precedence(void **state)
{
    static const char *const order[] = {"0.0.1",
                                        "1.0.0-0",
                                        "1.0.0-2",
                                        "1.0.0-10",
                                        "1.0.0--",
                                        "1.0.0-alpha",
                                        "1.0.0-alpha.1",
                                        "1.0.0-alpha.beta",
                                        "1.0.0-beta.2",
                                        "1.0.0-beta.11",
                                        "1.0.0-rc.1",
                                        "1.0.0",
                                        "1.0.1",
                                        "1.2.0",
                                        "1.10.0",
                                        "2.0.0",
                                        "18446744073709551615.0.0"};
    for (size_t i = 0; i < CK_ARRAY_LEN(order); i++)
        for (size_t k = 0; k < CK_ARRAY_LEN(order); k++) {
            struct ck_semver a, b;
            assert_true(ck_semver_parse(ck_slice_of(order[i]), &a));
            assert_true(ck_semver_parse(ck_slice_of(order[k]), &b));
            assert_int_equal(ck_semver_cmp(&a, &b), (i > k) - (i < k));
        }
    struct ck_semver a, b;
    assert_true(ck_semver_parse(CK_S("1.0.0+a"), &a) && ck_semver_parse(CK_S("1.0.0+b"), &b));
    assert_int_equal(ck_semver_cmp(&a, &b), 0);
}

static void test_ranges(void **state)
{
    static const struct {
        const char *version, *range;
        bool in;
    } rows[] = {
        {"1.2.3", "1.2.3", true},
        {"1.2.3", "=1.2.3", true},
        {"1.2.3", "==1.2.4", false},
        {"1.2.3", "!=1.2.4", true},
        {"1.2.3", "!1.2.3", false},
        {"1.2.3", ">1.2.2 <1.2.4", true},
        {"1.2.3", ">1.2.3", false},
        {"1.2.3", ">=1.2.3 <=1.2.3", true},
        {"1.2.3", ">= 1.2.3", true},
        {"1.2.3", "  >=1.0.0   <2.0.0  ", true},
        {"1.2.3", "<1.0.0 || >1.2.0", true},
        {"1.2.3", "<1.0.0 || >1.2.0 <1.2.3", false},
        {"1.2.3", "1.2.x", true},
        {"1.2.3", "1.x", true},
        {"1.2.3", "1.3.x", false},
        {"2.0.0", "1.x", false},
        {"1.2.3", ">1.2.x", false},
        {"1.3.0", ">1.2.x", true},
        {"1.2.3", "<=1.2.x", true},
        {"1.2.3", "<1.2.x", false},
        {"1.2.3", "!=1.x", false}, /* below and above at once: never, as there */
        {"3.0.0", "!=1.x", false},
        {"1.1.9", "1.x.x", false}, /* the last x counts: the family is 1.0 */
        {"1.0.9", "1.x.x", true},
        {"1.32.0-alpha.1", ">=1.32.0", false},
        {"1.32.0-alpha.1", ">=1.32.0-alpha.1", true},
        {"1.37.0", ">=1.36.0 <1.38.0 || 1.40.x", true},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        struct ck_semver v;
        bool in = !rows[i].in;
        assert_true(ck_semver_parse(ck_slice_of(rows[i].version), &v));
        assert_int_equal(ck_semver_in_range(&v, rows[i].range, &in, NULL), 0);
        if (in != rows[i].in)
            fail_msg("%s in %s: %d", rows[i].version, rows[i].range, in);
    }
}

static void test_ranges_that_cannot_be_read_are_refused_with_the_reason(void **state)
{
    static const struct row rows[] = {
        {"", "Last element in range is '||'"},
        {"1", "Last element in range is '||'"},
        {"|| 1.2.3", "First element in range is '||'"},
        {"1.2.3 ||", "Last element in range is '||'"},
        {">x", "Could not get version from string: \">x\""},
        {"abc", "Could not get version from string: \"abc\""},
        {">>1.0.0",
         "Could not parse Range \">>1.0.0\": Could not parse comparator \">>\" in \">>1.0.0\""},
        {"~1.0.0",
         "Could not parse Range \"~1.0.0\": Could not parse comparator \"~\" in \"~1.0.0\""},
        {">=1.2", "Could not parse Range \">=1.2\": Could not parse version \"1.2\" in \">=1.2\": "
                  "No Major.Minor.Patch elements found"},
        {"1.1.X", "Could not parse Range \"1.1.X\": Could not parse version \"1.1.X\" in "
                  "\"1.1.X\": Invalid character(s) found in patch number \"X\""},
        /* even where the answer is known before */
        {"1.2.3 || >>1.0.0",
         "Could not parse Range \">>1.0.0\": Could not parse comparator \">>\" in \">>1.0.0\""},
    };
    struct ck_semver v;
    assert_true(ck_semver_parse(CK_S("1.2.3"), &v));
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        CK_AUTOERR err = CK_ERR_INIT;
        bool in;
        assert_int_equal(ck_semver_in_range(&v, rows[i].in, &in, &err), -CK_INVALID);
        assert_string_equal(ck_err_msg(&err), rows[i].want);
    }
    bool in;
    assert_int_equal(ck_semver_in_range(&v, "1.2.3 || || 1.2.4", &in, NULL), -CK_INVALID);
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    for (int i = 0; i < 1000; i++)
        ck_buf_puts(&b, "1.2.3 || ");
    assert_int_equal(ck_semver_in_range(&v, ck_buf_str(&b), &in, NULL), -CK_LIMIT);
}

static void check_reference_version(const struct ck_val *row)
{
    struct ck_semver strict, v;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    const struct ck_val *match = ck_get(row, "Match");
    struct ck_slice text = ck_slice_of(ck_str_at(row, "Version"));
    assert_int_equal(ck_semver_parse(text, &strict), ck_bool_at(row, "Valid", false));
    bool readable = ck_semver_parse_tolerant(text, &v);
    if (readable)
        put_version(&b, &v);
    assert_string_equal(ck_buf_str(&b), ck_str_at(row, "Tolerant"));
    for (size_t k = 0; readable && k < ck_len(match); k++) {
        bool in;
        assert_int_equal(ck_semver_in_range(&v, match->map.v[k].key.ptr, &in, NULL), 0);
        assert_int_equal(in, match->map.v[k].val->b);
    }
}

static void test_reference_versions(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const struct ck_val *rows = reference_table(a, "_scalars/semver.json");
    assert_true(ck_len(rows) >= 20);
    for (size_t i = 0; i < ck_len(rows); i++)
        check_reference_version(ck_item(rows, i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantities_take_their_canonical_form),
        cmocka_unit_test(test_what_is_no_quantity_is_refused),
        cmocka_unit_test(test_reference_quantities),
        cmocka_unit_test(test_durations_print_as_go_prints_them),
        cmocka_unit_test(test_what_is_no_duration_is_refused),
        cmocka_unit_test(test_reference_durations),
        cmocka_unit_test(test_versions_are_read_tolerantly_where_that_is_asked_for),
        cmocka_unit_test(test_a_version_too_long_to_keep_is_refused),
        cmocka_unit_test(test_versions_are_ordered_by_precedence),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_ranges_that_cannot_be_read_are_refused_with_the_reason),
        cmocka_unit_test(test_reference_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
