/* URLs: parts to wire form and back. */
#include "base/mem.h"
#include "net/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char *wire(struct ck_arena *a, const struct ck_req *r)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_url_text(&b, r);
    if (r->query.n || r->raw_query)
        ck_buf_putc(&b, '?');
    ck_url_query(&b, r);
    return ck_arena_strdup(a, ck_buf_str(&b));
}

static void path_keeps_slashes_and_escapes_everything_not_unreserved(void **state)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_req r = {.path = "/a b/../+=:@!$&'()*,;é~-._%\x01"};
    ck_url_path(&b, &r);
    assert_string_equal(ck_buf_str(&b),
                        "/a%20b/../%2B%3D%3A%40%21%24%26%27%28%29%2A%2C%3B%C3%A9~-._%25%01");
    ck_buf_reset(&b);
    ck_url_path(&b, &(struct ck_req){0});
    assert_string_equal(ck_buf_str(&b), "/");
    ck_buf_reset(&b);
    ck_url_path(&b, &(struct ck_req){.path = "/x", .raw_path = "/a%2fb"});
    assert_string_equal(ck_buf_str(&b), "/a%2fb");
}

static void query_keeps_order_duplicates_and_missing_values(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req r = {0};
    ck_nvs_add(a, &r.query, "b", "x/y z+&=");
    ck_nvs_add(a, &r.query, "acl", NULL);
    ck_nvs_add(a, &r.query, "b", "");
    ck_nvs_addf(a, &r.query, "n", "%d", 7);
    ck_nvs_add(a, &r.query, "", NULL);
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_url_query(&b, &r);
    assert_string_equal(ck_buf_str(&b), "b=x%2Fy%20z%2B%26%3D&acl&b=&n=7&=");
}

static void host_shows_only_foreign_ports_and_brackets_ipv6(void **state)
{
    static const struct {
        const char *scheme, *host;
        int port;
        const char *want;
    } t[] = {
        {"https", "h", 0, "h"},
        {"https", "h", 443, "h"},
        {"https", "h", 80, "h:80"},
        {"http", "h", 80, "h"},
        {"http", "h", 443, "h:443"},
        {"http", "::1", 9000, "[::1]:9000"},
        {"https", "fe80::1%eth0", 0, "[fe80::1%25eth0]"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        ck_url_host(&b,
                    &(struct ck_req){.scheme = t[i].scheme, .host = t[i].host, .port = t[i].port});
        assert_string_equal(ck_buf_str(&b), t[i].want);
    }
}

static void a_url_is_taken_apart_and_decoded(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req r = {.method = "PUT"};
    assert_int_equal(
        ck_url_parse(a, "HTTPS://Example.com:8443/a%20b/%C3%A9?x=1+2&y&z=%2b&&=#f?g", &r, NULL), 0);
    assert_string_equal(r.method, "PUT");
    assert_string_equal(r.scheme, "https");
    assert_string_equal(r.host, "Example.com");
    assert_int_equal(r.port, 8443);
    assert_string_equal(r.path, "/a b/\xc3\xa9");
    assert_null(r.raw_path);
    assert_int_equal(r.query.n, 4);
    assert_string_equal(r.query.v[0].value, "1 2");
    assert_null(r.query.v[1].value);
    assert_string_equal(r.query.v[2].value, "+");
    assert_string_equal(r.query.v[3].name, "");
}

static void parsed_and_written_again_urls_are_equal(void **state)
{
    static const char *const urls[] = {
        "https://h/",
        "http://h:8080/a/b/",
        "http://[::1]:9000/k?list-type=2&prefix=a%2Fb",
        "https://h/a//b/../c/.?x",
        "https://h/%25%2B?%25=%26",
        "https://h/a%2Fb%2fc",
        "http://[fe80::1%25eth0]/",
        "https://h/?versions",
        "https://a_b-c.example./x",
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(urls); i++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        struct ck_req r = {0};
        assert_int_equal(ck_url_parse(a, urls[i], &r, NULL), 0);
        assert_string_equal(wire(a, &r), urls[i]);
    }
}

static void an_encoded_slash_is_kept_apart_from_a_real_one(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req r = {0};
    assert_int_equal(ck_url_parse(a, "https://h/a%2Fb", &r, NULL), 0);
    assert_string_equal(r.path, "/a/b");
    assert_string_equal(r.raw_path, "/a%2Fb");
}

static void unusable_urls_are_refused(void **state)
{
    static const char *const urls[] = {
        "",
        "h",
        "ftp://h/",
        "https:/h",
        "https://",
        "https:///x",
        "https://h:0/",
        "https://h:65536/",
        "https://h:8a/",
        "https://h:123456/",
        "https://[::1",
        "https://[::1]x/",
        "https://[zz]/",
        "https://[fe80::1%25]/",
        "https://u:p@h/",
        "https://h/%",
        "https://h/%zz",
        "https://h/%00",
        "https://h/?a=%0",
        "https://h/?a=%00",
        "https://h /",
        "https://h/a b",
        "https://h/a\nb",
        "https://h\xc3\xa9/",
        "https://h%41/",
        "https://.h/",
        "https://[127.0.0.1]/",
        "//h/x",
        "http://?x",
        "http://:80/",
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(urls); i++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        struct ck_req r = {.host = "before"};
        if (ck_url_parse(a, urls[i], &r, NULL) != -CK_INVALID)
            fail_msg("accepted: %s", urls[i]);
        assert_string_equal(r.host, "before");
    }
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_puts(&b, "https://h/");
    ck_buf_fill(&b, 'a', 70000);
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req r = {0};
    assert_int_equal(ck_url_parse(a, ck_buf_str(&b), &r, NULL), -CK_INVALID);
}

static void an_error_shows_neither_credentials_nor_query(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_req r = {0};
    assert_int_equal(ck_url_parse(a, "https://user:geheim@h/", &r, &err), -CK_INVALID);
    assert_null(strstr(ck_err_msg(&err), "geheim"));
    assert_int_equal(ck_url_parse(a, "https://h/%zz?X-Amz-Signature=geheim", &r, &err),
                     -CK_INVALID);
    assert_null(strstr(ck_err_msg(&err), "geheim"));
    assert_non_null(strstr(ck_err_msg(&err), "https://h/%zz"));
}

static void names_are_found_in_any_case(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_nvs l = {0};
    for (int i = 0; i < 20; i++)
        ck_nvs_addf(a, &l, "Name", "%d", i);
    ck_nvs_add(a, &l, "ETag", "x");
    assert_int_equal(l.n, 21);
    assert_string_equal(ck_nvs_get(&l, "etag"), "x");
    assert_string_equal(ck_nvs_get(&l, "NAME"), "0");
    assert_null(ck_nvs_get(&l, "nam"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_keeps_slashes_and_escapes_everything_not_unreserved),
        cmocka_unit_test(query_keeps_order_duplicates_and_missing_values),
        cmocka_unit_test(host_shows_only_foreign_ports_and_brackets_ipv6),
        cmocka_unit_test(a_url_is_taken_apart_and_decoded),
        cmocka_unit_test(parsed_and_written_again_urls_are_equal),
        cmocka_unit_test(an_encoded_slash_is_kept_apart_from_a_real_one),
        cmocka_unit_test(unusable_urls_are_refused),
        cmocka_unit_test(an_error_shows_neither_credentials_nor_query),
        cmocka_unit_test(names_are_found_in_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
