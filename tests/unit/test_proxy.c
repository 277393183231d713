/* Which proxy a request goes through. */
#include "http_fixture.h"
#include "net/internal.h"

struct proxy_case {
    const char *no_proxy, *url;
    bool direct;
};

static void no_proxy_covers_names_ports_addresses_and_networks(void **state)
{
    static const struct proxy_case t[] = {
        {"", "https://h/", false},
        {"*", "https://h/", true},
        {"a,*", "https://h/", true},
        {"example.com", "https://example.com/", true},
        {"example.com", "https://EXAMPLE.com./", true},
        {"example.com", "https://a.example.com/", true},
        {"example.com", "https://badexample.com/", false},
        {"example.com", "https://example.com.evil/", false},
        {".example.com", "https://a.example.com/", true},
        {".example.com", "https://example.com/", false},
        {"*.example.com", "https://a.b.example.com/", true},
        {"*.example.com", "https://example.com/", false},
        {"x, example.com", "https://example.com/", true},
        {"x example.com", "https://example.com/", true},
        {"example.com:8443", "https://example.com:8443/", true},
        {"example.com:8443", "https://example.com/", false},
        {"example.com:443", "https://example.com/", true},
        {"example.com:80", "http://example.com/", true},
        {"10.0.0.0/8", "https://10.1.2.3/", true},
        {"10.0.0.0/8", "https://11.1.2.3/", false},
        {"10.0.0.0/8", "https://10.example.com/", false},
        {"10.1.0.0/20", "https://10.1.15.255/", true},
        {"10.1.0.0/20", "https://10.1.16.0/", false},
        {"0.0.0.0/0", "https://8.8.8.8/", true},
        {"10.0.0.0/33", "https://10.0.0.1/", false},
        {"10.0.0.0/x", "https://10.0.0.1/", false},
        {"10.1.2.3", "https://10.1.2.3/", true},
        {"10.1.2.3", "https://10.1.2.30/", false},
        {"10.1.2.3:443", "https://10.1.2.3/", true},
        {"10.1.2.3:80", "https://10.1.2.3/", false},
        {"2001:db8::/32", "https://[2001:db8::5]/", true},
        {"2001:db8::/32", "https://[2001:db9::5]/", false},
        {"2001:db8::5", "https://[2001:DB8:0::5]/", true},
        {"[2001:db8::5]:8443", "https://[2001:db8::5]:8443/", true},
        {"[2001:db8::5]:8443", "https://[2001:db8::5]/", false},
        {"[2001:db8::5]", "https://[2001:db8::5]/", true},
        {"1.2.3", "https://11.2.3/", false},
        {"2.3.4", "https://1.2.3.4/", false},
        {"", "https://localhost/", true},
        {"", "https://127.8.9.1/", true},
        {"", "https://[::1]/", true},
        {"", "http://169.254.169.254/", true},
        {"", "http://[fd00:ec2::254]/", true},
        {"", "http://[fe80::1]/", true},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        struct ck_env env = {0};
        ck_env_set(&env, "ALL_PROXY", "http://proxy:3128");
        ck_env_set(&env, "NO_PROXY", t[i].no_proxy);
        struct ck_req r = {0};
        const char *proxy = NULL;
        assert_int_equal(ck_url_parse(a, t[i].url, &r, NULL), 0);
        assert_int_equal(ck_proxy_for(a, &env, &r, &proxy, NULL), 0);
        if (t[i].direct != (*proxy == '\0'))
            fail_msg("NO_PROXY=%s %s: proxy \"%s\"", t[i].no_proxy, t[i].url, proxy);
        ck_env_done(&env);
    }
}

static void the_proxy_variable_of_the_scheme_wins(void **state)
{
    static const struct {
        const char *vars[6], *url, *want;
    } t[] = {
        {{"HTTPS_PROXY", "http://s:1", "HTTP_PROXY", "http://p:2"}, "https://h/", "http://s:1"},
        {{"HTTPS_PROXY", "http://s:1", "HTTP_PROXY", "http://p:2"}, "http://h/", "http://p:2"},
        {{"https_proxy", "http://s:1"}, "https://h/", "http://s:1"},
        {{"https_proxy", "http://s:1"}, "http://h/", ""},
        {{"http_proxy", "p:2"}, "http://h/", "http://p:2"},
        {{"ALL_PROXY", "socks5://a:3"}, "https://h/", "socks5://a:3"},
        {{"all_proxy", "socks5h://a:3", "HTTPS_PROXY", ""}, "https://h/", "socks5h://a:3"},
        {{"HTTPS_PROXY", "https://u:p@s:1", "NO_PROXY", "x"}, "https://h/", "https://u:p@s:1"},
        {{"HTTPS_PROXY", "http://s:1", "no_proxy", "h"}, "https://h/", ""},
        {{"HTTP_PROXY", "http://p:2", "REQUEST_METHOD", "GET"}, "http://h/", ""},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(t); i++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        struct ck_env env = {0};
        for (size_t k = 0; k < 6 && t[i].vars[k]; k += 2)
            ck_env_set(&env, t[i].vars[k], t[i].vars[k + 1]);
        struct ck_req r = {0};
        const char *proxy = NULL;
        assert_int_equal(ck_url_parse(a, t[i].url, &r, NULL), 0);
        assert_int_equal(ck_proxy_for(a, &env, &r, &proxy, NULL), 0);
        assert_string_equal(proxy, t[i].want);
        ck_env_done(&env);
    }
}

static void an_unknown_kind_of_proxy_is_refused_without_its_password(void **state)
{
    struct fixture *f = open_script("");
    ck_env_set(&f->env, "HTTPS_PROXY", "ftp://user:geheim@p/");
    struct ck_req r = get(f, "https://h/");
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTORESP resp = {0};
    assert_int_equal(ck_http_do(f->http, &r, &resp, &err), -CK_INVALID);
    assert_non_null(strstr(ck_err_msg(&err), "HTTPS_PROXY"));
    assert_null(strstr(ck_err_msg(&err), "geheim"));
    r.no_proxy = true;
    assert_int_equal(ck_proxy_for(f->arena, &f->env, &r, &(const char *){0}, NULL), 0);
    close_script(f);
}

static void names_that_look_like_this_machine_are_others(void **state)
{
    static const char *const own[] = {"localhost",       "LOCALHOST", "127.0.0.1",
                                      "127.255.255.254", "::1",       "::ffff:127.0.0.1"};
    static const char *const others[] = {
        "127.0.0.1.example.com", "127.example.com", "localhost.example.com", "128.0.0.1", "::2", "",
        "169.254.169.254"};
    for (size_t i = 0; i < CK_ARRAY_LEN(own); i++)
        assert_true(ck_host_is_loopback(own[i]));
    for (size_t i = 0; i < CK_ARRAY_LEN(others); i++)
        assert_false(ck_host_is_loopback(others[i]));
    assert_true(ck_host_is_link_local("169.254.169.254"));
    assert_false(ck_host_is_link_local("169.254.example.com"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_proxy_covers_names_ports_addresses_and_networks),
        cmocka_unit_test(the_proxy_variable_of_the_scheme_wins),
        cmocka_unit_test(names_that_look_like_this_machine_are_others),
        cmocka_unit_test(an_unknown_kind_of_proxy_is_refused_without_its_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
