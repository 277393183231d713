/* Redirects: followed only when asked, without credentials for another host. */
#include "http_fixture.h"

static struct ck_req with_secrets(struct fixture *f, const char *url)
{
    struct ck_req r = get(f, url);
    r.follow = true;
    ck_nvs_add(f->arena, &r.headers, "Authorization", "geheim");
    ck_nvs_add(f->arena, &r.headers, "Cookie", "geheim");
    ck_nvs_add(f->arena, &r.headers, "X-Amz-Security-Token", "geheim");
    ck_nvs_add(f->arena, &r.headers, "X-Auth-Token", "geheim");
    ck_nvs_add(f->arena, &r.headers, "x-plain", "1");
    return r;
}

static void redirects_are_replies_unless_asked_to_follow(void **state)
{
    struct fixture *f = open_script("> GET https://h/\n< 307\n< location: https://other/\n");
    struct ck_req r = get(f, "https://h/");
    expect_status(f, &r, 307, 1);
    close_script(f);
}

static void credentials_stay_on_their_host(void **state)
{
    static const char *const elsewhere[] = {"https://other/x", "https://h:8443/x", "//other/x",
                                            "https://h.other/x"};
    for (size_t i = 0; i < CK_ARRAY_LEN(elsewhere); i++) {
        CK_AUTOFREE char *script =
            ck_xasprintf("> GET https://h/a\n> authorization: geheim\n< 302\n< location: %s\n"
                         "> GET *\n> !authorization\n> !cookie\n> !x-amz-security-token\n"
                         "> !x-auth-token\n> x-plain: 1\n< 200\n",
                         elsewhere[i]);
        struct fixture *f = open_script(script);
        struct ck_req r = with_secrets(f, "https://h/a");
        expect_status(f, &r, 200, 2);
        close_script(f);
    }
}

static void a_signer_is_not_used_for_another_host(void **state)
{
    struct fixture *f = open_script("> GET https://h/\n> authorization: signature 1\n< 301\n"
                                    "< location: https://other/\n"
                                    "> GET https://other/\n> !authorization\n< 200\n");
    struct ck_req r = get(f, "https://h/");
    unsigned n = 0;
    r.follow = true;
    r.sign = count_sign;
    r.sign_arg = &n;
    expect_status(f, &r, 200, 2);
    assert_int_equal(n, 1);
    close_script(f);
}

static void credentials_travel_within_their_host(void **state)
{
    static const struct {
        const char *location, *url;
    } t[] = {
        {"https://h/b?c=%2f+d", "https://h/b?c=%2f+d"},
        {"/b%2Fc", "https://h/b%2Fc"},
        {"b", "https://h/dir/b"},
        {"?q", "https://h/dir/a?q"},
        {"https://H:443/b", "https://H/b"},
        {"//h/b#part", "https://h/b"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++) {
        CK_AUTOFREE char *script =
            ck_xasprintf("> GET https://h/dir/a?old=1\n< 308\n< location: %s\n"
                         "> GET %s\n> authorization: geheim\n< 200\n",
                         t[i].location, t[i].url);
        struct fixture *f = open_script(script);
        struct ck_req r = with_secrets(f, "https://h/dir/a?old=1");
        expect_status(f, &r, 200, 2);
        close_script(f);
    }
}

static void a_redirect_to_plain_http_is_refused(void **state)
{
    struct fixture *f = open_script("> GET https://h/\n< 302\n< location: http://h/\n");
    struct ck_req r = with_secrets(f, "https://h/");
    expect_error(f, &r, CK_INVALID, "https to http://h");
    close_script(f);
}

static void a_redirect_to_what_is_no_web_address_is_refused(void **state)
{
    static const char *const bad[] = {"file:///etc/passwd", "ftp://h/", "https://u:p@h/",
                                      "https://"};
    for (size_t i = 0; i < CK_ARRAY_LEN(bad); i++) {
        CK_AUTOFREE char *script =
            ck_xasprintf("> GET https://h/\n< 302\n< location: %s\n", bad[i]);
        struct fixture *f = open_script(script);
        struct ck_req r = with_secrets(f, "https://h/");
        expect_error(f, &r, CK_INVALID, "redirect (302)");
        close_script(f);
    }
}

static void redirects_end_after_ten(void **state)
{
    CK_AUTOBUF struct ck_buf script = CK_BUF_INIT;
    for (int i = 0; i < 11; i++)
        ck_buf_puts(&script, "> GET https://h/\n< 302\n< location: /\n");
    struct fixture *f = open_script(ck_buf_str(&script));
    struct ck_req r = with_secrets(f, "https://h/");
    expect_error(f, &r, CK_INVALID, "10 redirects");
    close_script(f);
}

static void a_redirect_is_not_an_attempt(void **state)
{
    struct fixture *f = open_script("> GET https://h/\n< 302\n< location: /1\n"
                                    "> GET https://h/1\n< 302\n< location: /2\n"
                                    "> GET https://h/2\n< 302\n< location: /3\n"
                                    "> GET https://h/3\n< 503\n< retry-after: 0\n"
                                    "> GET https://h/3\n< 200\n");
    struct ck_req r = with_secrets(f, "https://h/");
    expect_status(f, &r, 200, 5);
    close_script(f);
}

static void a_post_becomes_a_get_where_browsers_do_so(void **state)
{
    static const struct {
        int status;
        const char *method;
    } t[] = {{301, "GET"}, {302, "GET"}, {303, "GET"}, {307, "POST"}, {308, "POST"}};
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++) {
        bool post = t[i].method[0] == 'P';
        CK_AUTOFREE char *script = ck_xasprintf(
            "> POST https://h/\n>= data\n< %d\n< location: /b\n> %s https://h/b\n>= %s\n%s< 200\n",
            t[i].status, t[i].method, post ? "data" : "", post ? "" : "> !content-type\n");
        struct fixture *f = open_script(script);
        struct ck_req r = with_secrets(f, "https://h/");
        r.method = "POST";
        r.body = CK_S("data");
        ck_nvs_add(f->arena, &r.headers, "Content-Type", "text/plain");
        expect_status(f, &r, 200, 2);
        close_script(f);
    }
}

static void a_body_is_not_carried_to_another_host(void **state)
{
    struct fixture *f = open_script("> POST https://h/\n< 307\n< location: https://other/\n");
    struct ck_req r = with_secrets(f, "https://h/");
    r.method = "POST";
    r.body = CK_S("secret");
    expect_status(f, &r, 307, 1);
    close_script(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redirects_are_replies_unless_asked_to_follow),
        cmocka_unit_test(credentials_stay_on_their_host),
        cmocka_unit_test(a_signer_is_not_used_for_another_host),
        cmocka_unit_test(credentials_travel_within_their_host),
        cmocka_unit_test(a_redirect_to_plain_http_is_refused),
        cmocka_unit_test(a_redirect_to_what_is_no_web_address_is_refused),
        cmocka_unit_test(redirects_end_after_ten),
        cmocka_unit_test(a_redirect_is_not_an_attempt),
        cmocka_unit_test(a_post_becomes_a_get_where_browsers_do_so),
        cmocka_unit_test(a_body_is_not_carried_to_another_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
