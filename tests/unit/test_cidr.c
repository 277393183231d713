/* Addresses and networks: Go's reading and texts, and kOps' worked examples of cutting networks. */
#include "doc/cidr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct ck_cidr net(const char *text)
{
    struct ck_cidr c;
    if (ck_cidr_parse(ck_slice_of(text), &c, NULL) < 0)
        fail_msg("%s is not a network", text);
    return c;
}

static struct ck_ipaddr ip(const char *text)
{
    struct ck_ipaddr a;
    if (!ck_ipaddr_parse(ck_slice_of(text), &a))
        fail_msg("%s is not an address", text);
    return a;
}

static void assert_net(const struct ck_cidr *c, const char *want)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_cidr_put(&b, c);
    assert_string_equal(ck_buf_str(&b), want);
}

static void assert_ip(const struct ck_ipaddr *a, const char *want)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_ipaddr_put(&b, a);
    assert_string_equal(ck_buf_str(&b), want);
}

static void test_addresses_are_written_as_go_writes_them(void **state)
{
    static const char *const rows[][2] = {
        {"10.0.0.1", "10.0.0.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"fd00:5e4f:00ce::", "fd00:5e4f:ce::"},
        {"FD00::EC2:253", "fd00::ec2:253"},
        {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
        {"1:0:0:2:0:0:3:4", "1::2:0:0:3:4"},
        {"1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        {"::ffff:10.0.0.1", "10.0.0.1"},
        {"::ffff:0a00:1", "10.0.0.1"},
        {"::10.0.0.1", "::a00:1"},
        {"64:ff9b::1.2.3.4", "64:ff9b::102:304"},
        {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        struct ck_ipaddr a = ip(rows[i][0]);
        assert_ip(&a, rows[i][1]);
    }
}

static void test_what_is_no_address_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      ".",
                                      ":",
                                      ":::",
                                      "1",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "1.2.3.256",
                                      "01.2.3.4",
                                      "1.2.3.04",
                                      "1.2.3.4 ",
                                      " 1.2.3.4",
                                      "1.2..4",
                                      "0x1.2.3.4",
                                      "1:2",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1:2:3:4:5:6:7:8::",
                                      "::1::",
                                      "12345::",
                                      "::g",
                                      "fe80::1%eth0",
                                      "1.2.3.4::",
                                      "::1.2.3",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "::1.2.3.4:5",
                                      "1:",
                                      ":1"};
    for (size_t i = 0; i < CK_ARRAY_LEN(bad); i++) {
        struct ck_ipaddr a;
        if (ck_ipaddr_parse(ck_slice_of(bad[i]), &a))
            fail_msg("\"%s\" is taken for an address", bad[i]);
    }
    struct ck_ipaddr a;
    assert_false(ck_ipaddr_parse(ck_slice_n("1.2.3.4\0", 8), &a));
}

static void test_networks_are_read_as_go_reads_them(void **state)
{
    static const char *const rows[][3] = {
        {"10.1.2.3/8", "10.1.2.3", "10.0.0.0/8"},
        {"0.0.0.0/0", "0.0.0.0", "0.0.0.0/0"},
        {"172.20.255.255/19", "172.20.255.255", "172.20.224.0/19"},
        {"1.2.3.4/32", "1.2.3.4", "1.2.3.4/32"},
        {"1.2.3.4/031", "1.2.3.4", "1.2.3.4/31"},
        {"fd00::1/8", "fd00::1", "fd00::/8"},
        {"::/0", "::", "::/0"},
        {"2001:db8:ffff::/33", "2001:db8:ffff::", "2001:db8:8000::/33"},
        {"::ffff:10.0.0.1/104", "10.0.0.1", "10.0.0.0/8"},
        {"::ffff:10.0.0.1/96", "10.0.0.1", "0.0.0.0/0"},
        {"::ffff:10.0.0.1/95", "10.0.0.1", "::fffe:0:0/95"},
        {"::ffff:10.0.0.1/64", "10.0.0.1", "::/64"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        struct ck_cidr c = net(rows[i][0]);
        assert_ip(&c.ip, rows[i][1]);
        assert_net(&c, rows[i][2]);
    }
    static const char *const bad[] = {
        "",         "10.0.0.0", "10.0.0.0/",   "10.0.0.0/33",
        "/8",       "::/129",   "10.0.0.0/-1", "10.0.0.0/+8",
        "10.0.0/8", "::/8a",    "10.0.0.0/8/", "10.0.0.0/99999999999"};
    for (size_t i = 0; i < CK_ARRAY_LEN(bad); i++) {
        CK_AUTOERR err = CK_ERR_INIT;
        CK_AUTOBUF struct ck_buf want = CK_BUF_INIT;
        struct ck_cidr c;
        ck_buf_fmt(&want, "invalid CIDR address: %s", bad[i]);
        assert_int_equal(ck_cidr_parse(ck_slice_of(bad[i]), &c, &err), -CK_INVALID);
        assert_string_equal(ck_err_msg(&err), ck_buf_str(&want));
    }
}

static void test_host_bits_are_noticed(void **state)
{
    struct ck_cidr with = net("10.0.0.1/24"), without = net("10.0.0.0/24"), v6 = net("fd00::1/64");
    assert_true(ck_cidr_has_host_bits(&with));
    assert_false(ck_cidr_has_host_bits(&without));
    assert_true(ck_cidr_has_host_bits(&v6));
}

static void test_containing_and_overlapping(void **state)
{
    static const struct {
        const char *a, *b;
        bool b_within_a, overlap;
    } rows[] = {
        {"10.0.0.0/8", "10.1.0.0/16", true, true},
        {"10.1.0.0/16", "10.0.0.0/8", false, true},
        {"10.0.0.0/8", "10.0.0.0/8", true, true},
        {"10.0.0.0/9", "10.128.0.0/9", false, false},
        {"0.0.0.0/0", "255.255.255.255/32", true, true},
        {"0.0.0.0/0", "::/0", false, false},
        {"::/0", "10.0.0.0/8", false, false},
        {"fd00::/8", "fd00:5e4f:ce::/108", true, true},
        {"fd00::/64", "fd00:0:0:1::/64", false, false},
        {"::ffff:10.0.0.0/104", "10.2.0.0/16", true, true},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        struct ck_cidr a = net(rows[i].a), b = net(rows[i].b);
        assert_int_equal(ck_cidr_within(&a, &b), rows[i].b_within_a);
        assert_int_equal(ck_cidr_overlap(&a, &b), rows[i].overlap);
        assert_int_equal(ck_cidr_overlap(&b, &a), rows[i].overlap);
        assert_int_equal(ck_cidr_contains(&a, &b.net) && a.len <= b.len, rows[i].b_within_a);
    }
    struct ck_cidr c = net("100.64.0.0/10");
    struct ck_ipaddr last = ip("100.127.255.255"), next = ip("100.128.0.0");
    assert_true(ck_cidr_contains(&c, &last));
    assert_false(ck_cidr_contains(&c, &next));
}

/* populate-validate.md §4.1: the network 172.20.0.0/16 in 2^bits blocks, and the first block in
 * eight for utility subnets. */
static void test_a_network_is_cut_as_kops_cuts_it_for_subnets(void **state)
{
    static const struct {
        size_t parts;
        const char *want[8], *utility[4];
    } rows[] = {
        {1, {"172.20.0.0/16"}, {"172.20.0.0/19", "172.20.32.0/19"}},
        {2, {"172.20.0.0/17", "172.20.128.0/17"}, {"172.20.0.0/20", "172.20.16.0/20"}},
        {4,
         {"172.20.0.0/18", "172.20.64.0/18", "172.20.128.0/18", "172.20.192.0/18"},
         {"172.20.0.0/21", "172.20.8.0/21", "172.20.16.0/21"}},
        {8,
         {"172.20.0.0/19", "172.20.32.0/19", "172.20.64.0/19", "172.20.96.0/19", "172.20.128.0/19",
          "172.20.160.0/19", "172.20.192.0/19", "172.20.224.0/19"},
         {"172.20.0.0/22", "172.20.4.0/22", "172.20.8.0/22", "172.20.12.0/22"}},
    };
    struct ck_cidr whole = net("172.20.0.0/16"), part[8], small[8];
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        assert_true(ck_cidr_split(&whole, rows[i].parts, part));
        for (size_t k = 0; k < rows[i].parts; k++)
            assert_net(&part[k], rows[i].want[k]);
        assert_true(ck_cidr_split(&part[0], 8, small));
        for (size_t k = 0; k < 4 && rows[i].utility[k]; k++)
            assert_net(&small[k], rows[i].utility[k]);
    }
}

/* §4.2 and §4.3. */
static void test_ranges_of_pods_services_and_gce_subnets(void **state)
{
    static const struct {
        const char *of;
        int len;
        uint64_t index;
        const char *want;
    } rows[] = {
        {"100.64.0.0/10", 11, 1, "100.96.0.0/11"}, /* the upper half is for pods */
        {"10.0.0.0/8", 9, 1, "10.128.0.0/9"},
        {"100.64.0.0/10", 13, 0, "100.64.0.0/13"},
        {"10.0.0.0/8", 14, 1, "10.4.0.0/14"},
        {"10.0.0.0/8", 20, 4095, "10.255.240.0/20"},
        {"10.1.2.3/8", 32, 5, "10.0.0.5/32"},
        {"fd00::/8", 128, UINT64_MAX, "fd00::ffff:ffff:ffff:ffff/128"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        struct ck_cidr c = net(rows[i].of), r;
        assert_true(ck_cidr_nth(&c, rows[i].len, rows[i].index, &r));
        assert_net(&r, rows[i].want);
        assert_false(ck_cidr_has_host_bits(&r));
    }
    struct ck_cidr services = net("100.64.0.0/13"), v6 = net("fd00:5e4f:ce::/108");
    struct ck_ipaddr dns;
    assert_true(ck_cidr_ip_at(&services, 10, &dns));
    assert_ip(&dns, "100.64.0.10");
    assert_true(ck_cidr_ip_at(&v6, 10, &dns));
    assert_ip(&dns, "fd00:5e4f:ce::a");
}

static void test_blocks_that_do_not_exist_are_refused(void **state)
{
    struct ck_cidr c = net("10.0.0.0/30"), r[8];
    assert_false(ck_cidr_nth(&c, 29, 0, r));
    assert_false(ck_cidr_nth(&c, 33, 0, r));
    assert_false(ck_cidr_nth(&c, 32, 4, r));
    assert_true(ck_cidr_nth(&c, 30, 0, r));
    assert_false(ck_cidr_nth(&c, 30, 1, r));
    assert_false(ck_cidr_split(&c, 8, r));
    assert_false(ck_cidr_split(&c, 3, r));
    assert_false(ck_cidr_split(&c, 0, r));
    assert_true(ck_cidr_split(&c, 4, r));
}

static void test_a_network_may_be_cut_in_its_own_place(void **state)
{
    struct ck_cidr c[2] = {net("10.0.0.0/8")};
    assert_true(ck_cidr_split(&c[0], 2, c));
    assert_net(&c[0], "10.0.0.0/9");
    assert_net(&c[1], "10.128.0.0/9");
}

static void test_addresses_are_counted_across_bytes_and_stop_at_the_ends(void **state)
{
    static const struct {
        const char *from;
        int64_t offset;
        const char *want; /* NULL: there is none */
    } rows[] = {
        {"10.0.0.255", 1, "10.0.1.0"},
        {"10.1.0.0", -1, "10.0.255.255"},
        {"10.0.0.1", 0, "10.0.0.1"},
        {"0.0.0.0", 4294967295, "255.255.255.255"},
        {"0.0.0.0", 4294967296, NULL},
        {"255.255.255.255", 1, NULL},
        {"0.0.0.0", -1, NULL},
        {"255.255.255.255", -4294967295, "0.0.0.0"},
        {"fd00::ffff:ffff:ffff:ffff", 1, "fd00:0:0:1::"},
        {"::", -1, NULL},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, NULL},
        {"::1:0:0:0:0", INT64_MIN, "::8000:0:0:0"},
        {"::", INT64_MAX, "::7fff:ffff:ffff:ffff"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        struct ck_ipaddr a = ip(rows[i].from);
        if (!rows[i].want) {
            assert_false(ck_ipaddr_add(&a, rows[i].offset, &a));
            continue;
        }
        assert_true(ck_ipaddr_add(&a, rows[i].offset, &a));
        assert_ip(&a, rows[i].want);
    }
}

static void test_addresses_are_ordered_as_numbers(void **state)
{
    static const char *const order[] = {"0.0.0.0", "9.255.0.0", "10.0.0.0", "255.0.0.0",
                                        "::",      "::1",       "fd00::"};
    for (size_t i = 0; i < CK_ARRAY_LEN(order); i++)
        for (size_t k = 0; k < CK_ARRAY_LEN(order); k++) {
            struct ck_ipaddr a = ip(order[i]), b = ip(order[k]);
            int r = ck_ipaddr_cmp(&a, &b);
            assert_int_equal((r > 0) - (r < 0), (i > k) - (i < k));
        }
}

static void test_places_in_a_network_of_the_cloud(void **state)
{
    static const char *const rows[][3] = {
        {"2600:1f14:a:bb00::/56", "/64#0", "2600:1f14:a:bb00::/64"},
        {"2600:1f14:a:bb00::/56", "/64#1", "2600:1f14:a:bb01::/64"},
        {"2600:1f14:a:bb00::/56", "/64#ff", "2600:1f14:a:bbff::/64"},
        {"10.0.0.0/8", "/16#a", "10.10.0.0/16"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        struct ck_cidr c = net(rows[i][0]), r;
        assert_int_equal(ck_cidr_place(&c, ck_slice_of(rows[i][1]), &r, NULL), 0);
        assert_net(&r, rows[i][2]);
    }
    static const char *const bad[] = {
        "",       "/64",    "#1",      "/64#",  "/#1",    "64#1",    "/64#g",
        "/64#1 ", "/129#1", "/64#100", "/55#0", "/64#FF", "/64#0x1", "/64#00000000000000001ff"};
    struct ck_cidr c = net("2600:1f14:a:bb00::/56"), r;
    for (size_t i = 0; i < CK_ARRAY_LEN(bad); i++) {
        CK_AUTOERR err = CK_ERR_INIT;
        assert_int_equal(ck_cidr_place(&c, ck_slice_of(bad[i]), &r, &err), -CK_INVALID);
        assert_non_null(strstr(ck_err_msg(&err), bad[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_are_written_as_go_writes_them),
        cmocka_unit_test(test_what_is_no_address_is_refused),
        cmocka_unit_test(test_networks_are_read_as_go_reads_them),
        cmocka_unit_test(test_host_bits_are_noticed),
        cmocka_unit_test(test_containing_and_overlapping),
        cmocka_unit_test(test_a_network_is_cut_as_kops_cuts_it_for_subnets),
        cmocka_unit_test(test_ranges_of_pods_services_and_gce_subnets),
        cmocka_unit_test(test_blocks_that_do_not_exist_are_refused),
        cmocka_unit_test(test_a_network_may_be_cut_in_its_own_place),
        cmocka_unit_test(test_addresses_are_counted_across_bytes_and_stop_at_the_ends),
        cmocka_unit_test(test_addresses_are_ordered_as_numbers),
        cmocka_unit_test(test_places_in_a_network_of_the_cloud),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
