/* Locations: which URLs are accepted, with which texts they are refused, joins, relative paths,
 * hashes. No I/O. Numbers are those of the conformance list. */
#include "base/map.h"
#include "vfs/vfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct ck_env env;
    struct ck_arena *a;
    struct ck_vfs_ctx ctx;
};

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){.a = ck_arena_new()};
    f.ctx = (struct ck_vfs_ctx){.env = &f.env, .arena = f.a};
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ck_vfs_ctx_done(&f->ctx);
    ck_env_done(&f->env);
    ck_arena_free(f->a);
    return 0;
}

static struct ck_path parse(struct fixture *f, const char *url)
{
    struct ck_path p = {0};
    CK_AUTOERR err = CK_ERR_INIT;
    if (ck_vfs_parse(&f->ctx, url, &p, &err) < 0)
        fail_msg("%s: %s", url, ck_err_msg(&err));
    return p;
}

static void refused(struct fixture *f, const char *url, const char *text)
{
    struct ck_path p;
    CK_AUTOERR err = CK_ERR_INIT;
    int r = ck_vfs_parse(&f->ctx, url, &p, &err);
    if (r != -CK_INVALID)
        fail_msg("%s: was not refused", url);
    assert_string_equal(ck_err_msg(&err), text);
}

static struct ck_path join(struct fixture *f, struct ck_path base, const char *rel)
{
    struct ck_path p = {0};
    CK_AUTOERR err = CK_ERR_INIT;
    if (ck_path_join(f->a, &base, rel, &p, &err) < 0)
        fail_msg("%s: %s", rel, ck_err_msg(&err));
    return p;
}

static bool joins(struct fixture *f, struct ck_path base, const char *rel)
{
    struct ck_path p;
    CK_AUTOERR err = CK_ERR_INIT;
    int r = ck_path_join(f->a, &base, rel, &p, &err);
    assert_true(r == 0 || r == -CK_INVALID);
    return r == 0;
}

/* ---- URLs ---- */

static void test_V001_a_bucket_alone_has_an_empty_key(void **state)
{
    struct fixture *f = *state;
    struct ck_path p = parse(f, "s3://bucket");
    assert_string_equal(p.vfs->container, "bucket");
    assert_string_equal(p.key, "");
    assert_string_equal(ck_path_text(f->a, &p), "s3://bucket/");
}

static void test_V002_urls_without_a_bucket_are_refused(void **state)
{
    static const char *const cases[][2] = {
        {"s3:///bucket/x", "invalid s3 path: \"s3:///bucket/x\""},
        {"s3://", "invalid s3 path: \"s3://\""},
        {"do:///bucket/x", "invalid spaces path: \"do:///bucket/x\""},
        {"linode://", "invalid Linode object storage path: \"linode://\""},
        {"scw://", "invalid bucket path: \"scw://\""},
    };
    struct fixture *f = *state;
    ck_env_set(&f->env, "S3_ENDPOINT", "https://objects.example.com");
    for (size_t i = 0; i < CK_ARRAY_LEN(cases); i++)
        refused(f, cases[i][0], cases[i][1]);
}

static void test_V003_V005_the_key_is_the_decoded_path(void **state)
{
    static const char *const cases[][2] = {
        {"s3://bucket2/path/subpath", "path/subpath"},
        {"s3://b//x", "/x"},
        {"s3://b/a%20b", "a b"},
        {"s3://b/a+b", "a+b"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(cases); i++)
        assert_string_equal(parse(*state, cases[i][0]).key, cases[i][1]);
}

static void test_V006_query_and_fragment_are_refused(void **state)
{
    static const char *const cases[] = {"s3://b?x=1", "s3://b/a?x#y", "s3://b/a#y?x", "s3://b/a?"};
    CK_AUTOBUF struct ck_buf want = CK_BUF_INIT;
    for (size_t i = 0; i < CK_ARRAY_LEN(cases); i++) {
        ck_buf_reset(&want);
        ck_buf_fmt(&want,
                   "invalid s3 path: \"%s\": a store's URL has no query and no fragment (in a "
                   "name, write ? as %%3F and # as %%23)",
                   cases[i]);
        refused(*state, cases[i], ck_buf_str(&want));
    }
    assert_string_equal(parse(*state, "s3://b/a%3Fx%23y").key, "a?x#y");
}

/* configBase is such a text: what is stored must lead back to the store. */
static void test_a_location_is_read_as_the_same_path_again(void **state)
{
    static const char *const cases[][2] = {
        {"s3://b/100%25/c", "s3://b/100%25/c"},
        {"gs://bkt/a%2520b%3Fx%23y", "gs://bkt/a%2520b%3Fx%23y"},
        {"swift://c/a%20b", "swift://c/a b"},
        {"azureblob://acct/cont/%25", "azureblob://acct/cont/%25"},
        {"oss://bkt/", "oss://bkt/"},
        {"k8s://a%2Fb/ns/%25", "k8s://a%2Fb/ns/%25"},
        {"ssh://h/100%25", "ssh://h/100%25"},
        {"ssh://h/%7Ea/~", "ssh://h/%7Ea/~"},
        {"swift://c/~", "swift://c/~"},
        {"/a%20b?", "/a%20b?"},
        {"memfs://a%zz", "memfs://a%zz"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < CK_ARRAY_LEN(cases); i++) {
        struct ck_path p = parse(f, cases[i][0]), q;
        const char *text = ck_path_location(f->a, &p);
        assert_string_equal(text, cases[i][1]);
        q = parse(f, text);
        assert_ptr_equal(p.vfs, q.vfs);
        assert_string_equal(p.key, q.key);
    }
}

static void test_V002_malformed_urls_are_refused(void **state)
{
    refused(*state, "s3://b/%zz", "invalid s3 path: \"s3://b/%zz\"");
    refused(*state, "s3://b/a%", "invalid s3 path: \"s3://b/a%\"");
    refused(*state, "s3://a b/x", "invalid s3 path: \"s3://a b/x\"");
    refused(*state, "s3://b:port/x", "invalid s3 path: \"s3://b:port/x\"");
}

static void test_V007_unknown_schemes_are_refused(void **state)
{
    refused(*state, "foo://x", "unknown / unhandled path type: \"foo://x\"");
    refused(*state, "://x", "unknown / unhandled path type: \"://x\"");
    refused(*state, "http://x/y", "unknown / unhandled path type: \"http://x/y\"");
    refused(*state, "ftp://x/y", "unknown / unhandled path type: \"ftp://x/y\"");
    static const char *const meant[][2] = {
        {"S3://b/x", "s3://b/x"},
        {"s3:/b", "s3://b"},

        {"gcs://b/x", "gs://b/x"},
        {"Azure://acct/c", "azureblob://acct/c"},
        {"azblob://a/c", "azureblob://a/c"},
        {"aliyun://b", "oss://b"},
        {"sftp://h/f", "ssh://h/f"},
        {"GS://b", "gs://b"},
        {"kubernetes://c/n", "k8s://c/n"},
        {"swfit://c/x", "swift://c/x"},
        {"k8://c/n", "k8s://c/n"},
        {"azurebolb://acct/c", "azureblob://acct/c"},
        {" gs://b", "gs://b"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(meant); i++) {
        CK_AUTOBUF struct ck_buf want = CK_BUF_INIT;
        ck_buf_fmt(&want, "unknown / unhandled path type: \"%s\": the nearest that works is \"%s\"",
                   meant[i][0], meant[i][1]);
        refused(*state, meant[i][0], ck_buf_str(&want));
    }
    refused(*state, "s3:/",
            "unknown / unhandled path type: \"s3:/\": a store's URL needs more than its scheme, as "
            "in s3://NAME");
}

static void test_V014_the_endpoint_is_asked_for_first(void **state)
{
    refused(*state, "do://", "required S3_ENDPOINT env var for path: \"do://\"");
    refused(*state, "scw://b/%zz", "required S3_ENDPOINT env var for path: \"scw://b/%zz\"");
}

static void test_credentials_in_urls_are_refused_and_not_repeated(void **state)
{
    static const char *const urls[] = {"s3://AKIA:hidden@bucket/x", "foo://AKIA:hidden@x",
                                       "s3://hidden@bucket", "do://u:hidden@b",
                                       "k8s://hidden@cluster/ns"};
    struct fixture *f = *state;
    for (size_t i = 0; i < CK_ARRAY_LEN(urls); i++) {
        struct ck_path p;
        CK_AUTOERR err = CK_ERR_INIT;
        assert_int_equal(ck_vfs_parse(&f->ctx, urls[i], &p, &err), -CK_INVALID);
        assert_null(strstr(ck_err_msg(&err), "hidden"));
        assert_non_null(strstr(ck_err_msg(&err), "credentials"));
    }
    refused(f, "k8s://me@c/ns",
            "invalid location k8s://…: credentials do not belong in a URL; an @ in "
            "a context's name is written %40");
    assert_string_equal(parse(f, "s3://b/a@b").key, "a@b"); /* in the key it is a character */
}

static void test_control_characters_are_refused(void **state)
{
    refused(*state, "s3://b/a\nb",
            "invalid location: \"s3://b/a\\nb\": it holds control characters; the nearest that "
            "works is \"s3://b/ab\"");
    refused(*state, "s3://b/a%0Ab",
            "invalid location: \"s3://b/a%0Ab\": it holds control characters; the nearest that "
            "works is \"s3://b/ab\"");
    refused(*state, "/a\x7F",
            "invalid location: \"/a\\x7f\": it holds control characters; the nearest that works is "
            "\"/a\"");
    refused(*state, "s3://b/a%00b", "invalid s3 path: \"s3://b/a%00b\"");
}

static void test_dotdot_in_a_url_is_refused(void **state)
{
    refused(*state, "s3://b/a/../c",
            "invalid location: \"s3://b/a/../c\": \"..\" is not allowed in it");
    refused(*state, "s3://b/%2e%2e/c",
            "invalid location: \"s3://b/%2e%2e/c\": \"..\" is not allowed in it");
    refused(*state, "memfs://..", "memfs path not recognized: \"memfs://..\"");
    refused(*state, "memfs://a/../../b", "memfs path not recognized: \"memfs://a/../../b\"");
    ck_env_set(&((struct fixture *)*state)->env, "CKOPS_MEMFS_ROOT", "/r");
    refused(*state, "memfs://..", "memfs path not recognized: \"memfs://..\"");
    refused(*state, "memfs://a/..", "memfs path not recognized: \"memfs://a/..\"");
}

/* ---- local files and memory ---- */

static void test_V008_V097_local_paths_have_one_spelling(void **state)
{
    static const char *const cases[][2] = {
        {"/a/b", "/a/b"},
        {"file:///a/b/", "/a/b"},
        {"/", "/"},
        {"file:///", "/"},
        {"./state", "state"},
        {"file://state", "state"},
        {"a//b/./c", "a/b/c"},
        {".", "."},
        {"./", "."},
        {"../s", "../s"},
        {"a/../b", "a/../b"},
        {"/a%20b", "/a%20b"},
        {"a@b:c", "a@b:c"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < CK_ARRAY_LEN(cases); i++) {
        struct ck_path p = parse(f, cases[i][0]);
        assert_string_equal(ck_path_text(f->a, &p), cases[i][1]);
    }
    refused(f, "file://", "invalid file path: \"file://\"");
    refused(f, "", "invalid file path: \"\"");
}

static void test_V010_joins_below_local_folders(void **state)
{
    static const char *const cases[][3] = {
        {"/s", "c1/config", "/s/c1/config"},
        {"/", "c1", "/c1"},
        {".", "c1", "c1"},
        {"./s", "c1", "s/c1"},
        {"../s", "c1", "../s/c1"},
        {"a/../b", "c1", "a/../b/c1"},
        {"/s", "/abs//x/", "/s/abs/x"},
        {"/s", "a/../b", "/s/b"},
        {"/s", "", "/s"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < CK_ARRAY_LEN(cases); i++) {
        struct ck_path p = join(f, parse(f, cases[i][0]), cases[i][1]);
        assert_string_equal(ck_path_text(f->a, &p), cases[i][2]);
    }
}

static void test_V011_nothing_climbs_out_of_its_container(void **state)
{
    struct fixture *f = *state;
    static const char *const roots[] = {"/s/t", ".", "../s", "a/../b", "s3://b", "memfs://m"};
    for (size_t i = 0; i < CK_ARRAY_LEN(roots); i++) {
        struct ck_path root = parse(f, roots[i]);
        if (strcmp(root.key, "m") != 0)
            assert_false(joins(f, root, ".."));
        assert_false(joins(f, root, "a/../../../x"));
        assert_false(joins(f, join(f, root, "c1"), "../../../x"));
        assert_true(joins(f, join(f, root, "c1"), "../c2"));
        assert_false(joins(f, root, "a\x01"));
    }
}

static void test_V009_joins_in_a_bucket(void **state)
{
    struct fixture *f = *state;
    struct ck_path k = join(f, parse(f, "s3://b"), "k");
    assert_string_equal(k.key, "k");
    assert_string_equal(join(f, k, "a//b/./c/../d").key, "k/a/b/d");
    assert_string_equal(join(f, parse(f, "s3://b//x"), "y").key, "/x/y");
    assert_string_equal(join(f, parse(f, "s3://b/a/"), "y").key, "a/y");
}

static void test_V012_the_last_element(void **state)
{
    static const char *const cases[][2] = {{"s3://b/foo/bar/", "bar"},
                                           {"s3://b", "."},
                                           {"/a/b", "b"},
                                           {"/", "/"},
                                           {".", "."},
                                           {"x", "x"}};
    struct fixture *f = *state;
    for (size_t i = 0; i < CK_ARRAY_LEN(cases); i++) {
        struct ck_path p = parse(f, cases[i][0]);
        assert_string_equal(ck_path_base(f->a, &p), cases[i][1]);
    }
}

static void test_V013_relative_paths(void **state)
{
    static const char *const roots[] = {"s3://b", "s3://b/x/", "/s", "/", ".", "./s", "memfs://m"};
    struct fixture *f = *state;
    const char *rel;
    CK_AUTOERR err = CK_ERR_INIT;
    for (size_t i = 0; i < CK_ARRAY_LEN(roots); i++) {
        struct ck_path base = parse(f, roots[i]), child = join(f, base, "c1/config");
        assert_int_equal(ck_path_relative(f->a, &base, &child, &rel, &err), 0);
        assert_string_equal(rel, "c1/config");
    }
    struct ck_path c1 = parse(f, "s3://b/c1"), c10 = parse(f, "s3://b/c10/x");
    assert_int_equal(ck_path_relative(f->a, &c1, &c10, &rel, &err), -CK_INVALID);
    assert_string_equal(ck_err_msg(&err), "Path \"s3://b/c10/x\" is not a child of \"s3://b/c1\"");
}

static void test_memfs_paths_have_one_spelling(void **state)
{
    struct fixture *f = *state;
    struct ck_path p = parse(f, "memfs:///a//./b/");
    assert_string_equal(ck_path_text(f->a, &p), "memfs://a/b");
    assert_ptr_equal(p.vfs, parse(f, "memfs://x").vfs);
    ck_env_set(&f->env, "CKOPS_MEMFS_ROOT", "/r/");
    p = parse(f, "memfs:///a//./b/");
    assert_string_equal(p.key, "/r/a/b");
    assert_string_equal(ck_path_text(f->a, &p), "memfs://a/b");
    ck_env_set(&f->env, "CKOPS_MEMFS_ROOT", "/");
    assert_string_equal(parse(f, "memfs://a").key, "/a");
}

/* ---- hashes ---- */

static void test_V109_hash_texts(void **state)
{
    static const char md5[] = "5d41402abc4b2a76b9719d911017c592";
    static const char *const bad[][2] = {
        {"5d41402abc4b2a76b9719d911017c5920", "cannot determine algorithm for hash length: 33"},
        {"md4:00", "unknown hash algorithm: \"md4\""},
        {"sha1:00", "invalid \"sha1\" hash - unexpected length 2"},
        {"zz41402abc4b2a76b9719d911017c592",
         "invalid hash \"zz41402abc4b2a76b9719d911017c592\" - not hex"},
    };
    struct fixture *f = *state;
    struct ck_hash h;
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    assert_int_equal(ck_hash_parse(md5, &h, &err), 0);
    assert_int_equal(h.alg, CK_MD5);
    ck_hash_put(&b, &h);
    assert_string_equal(ck_buf_str(&b), ck_arena_printf(f->a, "md5:%s", md5));
    assert_int_equal(ck_hash_parse(ck_buf_str(&b), &h, &err), 0);
    char sha[65];
    memset(sha, 'a', 64);
    sha[64] = '\0';
    assert_int_equal(ck_hash_parse(sha, &h, &err), 0);
    assert_int_equal(h.alg, CK_SHA256);
    sha[40] = '\0';
    assert_int_equal(ck_hash_parse(sha, &h, &err), 0);
    assert_int_equal(h.alg, CK_SHA1);
    for (size_t i = 0; i < CK_ARRAY_LEN(bad); i++) {
        assert_int_equal(ck_hash_parse(bad[i][0], &h, &err), -CK_INVALID);
        assert_string_equal(ck_err_msg(&err), bad[i][1]);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_V001_a_bucket_alone_has_an_empty_key),
        T(test_V002_urls_without_a_bucket_are_refused),
        T(test_V002_malformed_urls_are_refused),
        T(test_V003_V005_the_key_is_the_decoded_path),
        T(test_V006_query_and_fragment_are_refused),
        T(test_a_location_is_read_as_the_same_path_again),
        T(test_V007_unknown_schemes_are_refused),
        T(test_V014_the_endpoint_is_asked_for_first),
        T(test_credentials_in_urls_are_refused_and_not_repeated),
        T(test_control_characters_are_refused),
        T(test_dotdot_in_a_url_is_refused),
        T(test_V008_V097_local_paths_have_one_spelling),
        T(test_V010_joins_below_local_folders),
        T(test_V011_nothing_climbs_out_of_its_container),
        T(test_V009_joins_in_a_bucket),
        T(test_V012_the_last_element),
        T(test_V013_relative_paths),
        T(test_memfs_paths_have_one_spelling),
        T(test_V109_hash_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
