/* Tables and the tab alignment below them. */
#include "reference.h"

#include "ui/table.h"

#include <string.h>

static void test_rows_are_sorted_by_their_cells_in_byte_order(void **state)
{
    static const char *const columns[] = {"NAME", "ZONES"};
    static const char *const rows[][2] = {
        {"minimal-aws.example.com", "a"}, {"b", "2"}, {"a", ""}, {"b", "10"}, {"B", NULL}};
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    struct ck_table *t = ck_table_new(columns, 2);
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++)
        ck_table_row(t, rows[i]);
    ck_table_render(t, &out);
    ck_table_free(t);
    assert_string_equal(ck_buf_str(&out), "NAME\t\t\tZONES\nB\t\t\t\na\t\t\t\nb\t\t\t10\nb\t\t\t2\n"
                                          "minimal-aws.example.com\ta\n");
}

static void test_a_table_without_rows_is_its_header(void **state)
{
    static const char *const columns[] = {"TYPE", "NAME", "ID"};
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    struct ck_table *t = ck_table_new(columns, 3);
    ck_table_render(t, &out);
    ck_table_free(t);
    ck_table_free(NULL);
    assert_string_equal(ck_buf_str(&out), "TYPE\tNAME\tID\n");
}

static void test_a_table_may_be_rendered_twice(void **state)
{
    static const char *const columns[] = {"ID"};
    static const char *const row[] = {"x"};
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    struct ck_table *t = ck_table_new(columns, 1);
    ck_table_row(t, row);
    ck_table_render(t, &out);
    ck_table_render(t, &out);
    ck_table_free(t);
    assert_string_equal(ck_buf_str(&out), "ID\nx\nID\nx\n");
}

static void test_cells_are_padded_to_multiples_of_eight_characters(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"a\n", "a\n"},
        {"a\tb\n", "a\tb\n"},
        {"1234567\tb\n", "1234567\tb\n"},
        {"12345678\tb\n", "12345678\tb\n"},
        {"12345678\tb\n1\tc\n", "12345678\tb\n1\t\tc\n"},
        {"1234567\tb\n1\tc\n", "1234567\tb\n1\tc\n"},
        {"\tb\n", "\tb\n"},
        {"\t\tb\n\t\tc\n", "\t\tb\n\t\tc\n"},
        /* width counts characters, not bytes */
        {"\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\tb\n1\tc\n",
         "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\tb\n1\tc\n"},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\tb\n1\tc\n",
         "\xff\xff\xff\xff\xff\xff\xff\xff\tb\n1\t\tc\n"},
        /* the last cell of a line is not part of a column */
        {"a\t123456789\nb\tc\n", "a\t123456789\nb\tc\n"},
        {"a\t123456789\t\nb\tc\t\n", "a\t123456789\t\nb\tc\t\t\n"},
        /* a line without the column ends the block */
        {"123456789\tb\n1\tc\nx\n1\td\n", "123456789\tb\n1\t\tc\nx\n1\td\n"},
        {"123456789\tb\n\n1\tc\n", "123456789\tb\n\n1\tc\n"},
        {"a\tb\tc\n123456789\tx\ny\t123456789\tz\n",
         "a\t\tb\tc\n123456789\tx\ny\t\t123456789\tz\n"},
        /* without a newline at the end */
        {"a\tb", "a\tb"},
        {"a\t", "a"},
        {"\t", ""},
        {"a\nb\t\t", "a\nb\t"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
        ck_tabwriter(&out, ck_slice_of(rows[i][0]));
        assert_string_equal(ck_buf_str(&out), rows[i][1]);
    }
}

static void test_very_many_columns_lose_nothing(void **state)
{
    CK_AUTOBUF struct ck_buf in = CK_BUF_INIT, out = CK_BUF_INIT;
    for (int l = 0; l < 3; l++) {
        for (int i = 0; i < 100000; i++)
            ck_buf_puts(&in, "x\t");
        ck_buf_putc(&in, '\n');
    }
    ck_tabwriter(&out, ck_buf_slice(&in));
    assert_true(ck_slice_eq(ck_buf_slice(&out), ck_buf_slice(&in)));
}

static void test_reference_tables(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const struct ck_val *rows = reference_table(a, "_scalars/tables.json");
    assert_true(ck_len(rows) >= 300);
    for (size_t i = 0; i < ck_len(rows); i++) {
        CK_AUTOBUF struct ck_buf in = CK_BUF_INIT;
        CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
        ck_buf_put(&in, text_at(ck_item(rows, i), 0));
        ck_buf_putc(&in, '\n');
        ck_tabwriter(&out, ck_buf_slice(&in));
        assert_string_equal(ck_buf_str(&out), text_at(ck_item(rows, i), 1).ptr);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_sorted_by_their_cells_in_byte_order),
        cmocka_unit_test(test_a_table_without_rows_is_its_header),
        cmocka_unit_test(test_a_table_may_be_rendered_twice),
        cmocka_unit_test(test_cells_are_padded_to_multiples_of_eight_characters),
        cmocka_unit_test(test_very_many_columns_lose_nothing),
        cmocka_unit_test(test_reference_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
