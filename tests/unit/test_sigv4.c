/* Signature Version 4 against the published test suite and the examples of the S3 documentation.
 * The expected values were checked with botocore as well; tests/oracle/sigv4_verifier.py checks
 * random requests. */
#include "auth/sigv4.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SUITE_NOW = 1440938160, S3_NOW = 1369353600 }; /* 2015-08-30T12:36:00Z, 2013-05-24 */

#define UNRESERVED "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define STS_TOKEN                                                                                  \
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSP" \
    "fIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT" \
    "7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlz" \
    "m8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

struct vector {
    const char *name, *method, *path;
    bool once; /* path encoded once, not normalized */
    struct ck_nv query[3], headers[4];
    const char *body, *token, *signature;
};

/* aws4_testsuite. Its paths are given undecoded, so those with other than plain characters are
 * signed with a single encoding. */
static const struct vector SUITE[] = {
    {"get-vanilla",
     "GET",
     "/",
     false,
     {{0}},
     {{0}},
     "",
     NULL,
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-vanilla-empty-query-key",
     "GET",
     "/",
     false,
     {{"Param1", "value1"}},
     {{0}},
     "",
     NULL,
     "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"get-vanilla-query-order-key",
     "GET",
     "/",
     false,
     {{"Param1", "value2"}, {"Param1", "Value1"}},
     {{0}},
     "",
     NULL,
     "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1"},
    {"get-vanilla-query-order-key-case",
     "GET",
     "/",
     false,
     {{"Param2", "value2"}, {"Param1", "value1"}},
     {{0}},
     "",
     NULL,
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-vanilla-query-order-value",
     "GET",
     "/",
     false,
     {{"Param1", "value2"}, {"Param1", "value1"}},
     {{0}},
     "",
     NULL,
     "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"},
    {"get-vanilla-query-unreserved",
     "GET",
     "/",
     false,
     {{UNRESERVED, UNRESERVED}},
     {{0}},
     "",
     NULL,
     "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
    {"get-vanilla-utf8-query",
     "GET",
     "/",
     false,
     {{"\u1234", "bar"}},
     {{0}},
     "",
     NULL,
     "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {"get-unreserved",
     "GET",
     "/" UNRESERVED,
     false,
     {{0}},
     {{0}},
     "",
     NULL,
     "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
    {"get-utf8",
     "GET",
     "/\u1234",
     true,
     {{0}},
     {{0}},
     "",
     NULL,
     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-space",
     "GET",
     "/example space/",
     true,
     {{0}},
     {{0}},
     "",
     NULL,
     "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {"get-relative",
     "GET",
     "/example/..",
     false,
     {{0}},
     {{0}},
     "",
     NULL,
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-relative-relative",
     "GET",
     "/example1/example2/../..",
     false,
     {{0}},
     {{0}},
     "",
     NULL,
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slash",
     "GET",
     "//",
     false,
     {{0}},
     {{0}},
     "",
     NULL,
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slash-dot-slash",
     "GET",
     "/./",
     false,
     {{0}},
     {{0}},
     "",
     NULL,
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slash-pointless-dot",
     "GET",
     "/./example",
     false,
     {{0}},
     {{0}},
     "",
     NULL,
     "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
    {"get-slashes",
     "GET",
     "//example//",
     false,
     {{0}},
     {{0}},
     "",
     NULL,
     "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
    {"get-header-key-duplicate",
     "GET",
     "/",
     false,
     {{0}},
     {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
     "",
     NULL,
     "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {"get-header-value-order",
     "GET",
     "/",
     false,
     {{0}},
     {{"My-Header1", "value4"},
      {"My-Header1", "value1"},
      {"My-Header1", "value3"},
      {"My-Header1", "value2"}},
     "",
     NULL,
     "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
    {"get-header-value-trim",
     "GET",
     "/",
     false,
     {{0}},
     {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
     "",
     NULL,
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"post-vanilla",
     "POST",
     "/",
     false,
     {{0}},
     {{0}},
     "",
     NULL,
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-header-key-sort",
     "POST",
     "/",
     false,
     {{0}},
     {{"My-Header1", "value1"}},
     "",
     NULL,
     "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
    {"post-header-value-case",
     "POST",
     "/",
     false,
     {{0}},
     {{"My-Header1", "VALUE1"}},
     "",
     NULL,
     "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
    {"post-vanilla-query",
     "POST",
     "/",
     false,
     {{"Param1", "value1"}},
     {{0}},
     "",
     NULL,
     "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
    {"post-x-www-form-urlencoded",
     "POST",
     "/",
     false,
     {{0}},
     {{"Content-Type", "application/x-www-form-urlencoded"}},
     "Param1=value1",
     NULL,
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
    {"post-x-www-form-urlencoded-parameters",
     "POST",
     "/",
     false,
     {{0}},
     {{"Content-Type", "application/x-www-form-urlencoded; charset=utf8"}},
     "Param1=value1",
     NULL,
     "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"},
    {"post-sts-header-before",
     "POST",
     "/",
     false,
     {{0}},
     {{0}},
     "",
     STS_TOKEN,
     "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
    {"double encoding (botocore)",
     "GET",
     "/2015-02-01/a b:c+d/\u00e9=1",
     false,
     {{"q", "a/b c"}},
     {{0}},
     "",
     NULL,
     "cb07c832739dad51526c673263623ecb84bab374c51d404ce740148a87e46933"},
};

/* The examples of the S3 API reference. */
static const struct vector S3[] = {
    {"get object",
     "GET",
     "/test.txt",
     true,
     {{0}},
     {{"Range", "bytes=0-9"}},
     "",
     NULL,
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"put object",
     "PUT",
     "/test$file.text",
     true,
     {{0}},
     {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
     "Welcome to Amazon S3.",
     NULL,
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {"get bucket lifecycle",
     "GET",
     "/",
     true,
     {{"lifecycle", NULL}},
     {{0}},
     "",
     NULL,
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"list objects",
     "GET",
     "/",
     true,
     {{"max-keys", "2"}, {"prefix", "J"}},
     {{0}},
     "",
     NULL,
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

static const struct ck_cred SUITE_CRED = {.access_key = (char *)"AKIDEXAMPLE",
                                          .secret_key =
                                              (char *)"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
static const struct ck_cred S3_CRED = {.access_key = (char *)"AKIAIOSFODNN7EXAMPLE",
                                       .secret_key =
                                           (char *)"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
static const struct ck_sigv4 S3_PARAMS = {
    .region = "us-east-1", .service = "s3", .no_double_encode = true};

static struct ck_req request_of(struct ck_arena *a, const struct vector *v, const char *host)
{
    struct ck_req r = {.method = v->method,
                       .scheme = "https",
                       .host = host,
                       .path = v->path,
                       .body = ck_slice_of(v->body)};
    for (size_t i = 0; i < CK_ARRAY_LEN(v->query) && v->query[i].name; i++)
        ck_nvs_add(a, &r.query, v->query[i].name, v->query[i].value);
    for (size_t i = 0; i < CK_ARRAY_LEN(v->headers) && v->headers[i].name; i++)
        ck_nvs_add(a, &r.headers, v->headers[i].name, v->headers[i].value);
    return r;
}

static const char *signature_of(const struct ck_req *r)
{
    const char *h = ck_nvs_get(&r->headers, "authorization");
    assert_non_null(h);
    const char *at = strstr(h, "Signature=");
    assert_non_null(at);
    return at + strlen("Signature=");
}

static void expect_signature(const struct vector *v, const char *got)
{
    if (strcmp(got, v->signature) != 0)
        fail_msg("%s: signature %s, expected %s", v->name, got, v->signature);
}

static void the_published_suite_is_reproduced(void **state)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(SUITE); i++) {
        const struct vector *v = &SUITE[i];
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        struct ck_req r = request_of(a, v, "example.amazonaws.com");
        struct ck_sigv4 p = {.region = "us-east-1",
                             .service = "service",
                             .no_double_encode = v->once,
                             .no_content_sha_header = true};
        struct ck_cred c = SUITE_CRED;
        c.session_token = (char *)v->token;
        assert_int_equal(ck_sigv4_sign(a, &p, &c, SUITE_NOW, &r, NULL), 0);
        expect_signature(v, signature_of(&r));
        assert_null(ck_nvs_get(&r.headers, "x-amz-content-sha256"));
    }
}

static void the_s3_examples_are_reproduced(void **state)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(S3); i++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        struct ck_req r = request_of(a, &S3[i], "examplebucket.s3.amazonaws.com");
        assert_int_equal(ck_sigv4_sign(a, &S3_PARAMS, &S3_CRED, S3_NOW, &r, NULL), 0);
        expect_signature(&S3[i], signature_of(&r));
    }
}

static void hostile_key_port_and_token_are_signed_as_botocore_does(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    const struct vector v = {"hostile",
                             "GET",
                             "/b/a//../+ =\u00e9~*'%",
                             true,
                             {{"prefix", "a/b+c d"}, {"acl", NULL}},
                             {{0}},
                             "",
                             NULL,
                             "ed063f4c507b19c3feb7265c5d1f84ea4d180dc0d2da6186322c72ee18665b0d"};
    struct ck_req r = request_of(a, &v, "localhost");
    r.port = 9000;
    struct ck_cred c = S3_CRED;
    c.session_token = (char *)"TOKEN/+=";
    assert_int_equal(ck_sigv4_sign(a, &S3_PARAMS, &c, S3_NOW, &r, NULL), 0);
    expect_signature(&v, signature_of(&r));
    const struct vector v6 = {
        "ipv6", "GET", "/k",
        true,   {{0}}, {{0}},
        "",     NULL,  "592bd45297dd192de852229b88d44d60de4fb1dca0e0627d0c4be9d784dca1df"};
    r = request_of(a, &v6, "::1");
    r.port = 9000;
    assert_int_equal(ck_sigv4_sign(a, &S3_PARAMS, &S3_CRED, S3_NOW, &r, NULL), 0);
    expect_signature(&v6, signature_of(&r));
}

static void presigned_url_matches_the_documentation(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req r = {.method = "GET",
                       .scheme = "https",
                       .host = "examplebucket.s3.amazonaws.com",
                       .path = "/test.txt"};
    assert_int_equal(ck_sigv4_presign(a, &S3_PARAMS, &S3_CRED, S3_NOW, 86400, &r, NULL), 0);
    assert_string_equal(ck_nvs_get(&r.query, "X-Amz-Signature"),
                        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    assert_null(ck_nvs_get(&r.headers, "authorization"));
    CK_AUTOERR err = CK_ERR_INIT;
    assert_int_equal(ck_sigv4_presign(a, &S3_PARAMS, &S3_CRED, S3_NOW, 604801, &r, &err),
                     -CK_INVALID);
    assert_int_equal(ck_sigv4_presign(a, &S3_PARAMS, &S3_CRED, S3_NOW, 0, &r, NULL), -CK_INVALID);
}

static void a_presigned_url_carries_the_session_token(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req r = {.method = "GET",
                       .scheme = "https",
                       .host = "examplebucket.s3.amazonaws.com",
                       .path = "/test.txt"};
    struct ck_cred c = S3_CRED;
    c.session_token = (char *)"TOKEN/+=";
    assert_int_equal(ck_sigv4_presign(a, &S3_PARAMS, &c, S3_NOW, 86400, &r, NULL), 0);
    assert_string_equal(ck_nvs_get(&r.query, "X-Amz-Security-Token"), "TOKEN/+=");
    assert_string_equal(ck_nvs_get(&r.query, "X-Amz-Signature"),
                        "603fbf8d0b8f0c03bc7cf46acc287b26cf81b305669f73c7a08291f68b7d1f8d");
}

static void signing_again_replaces_the_first_signature(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req r = request_of(a, &S3[0], "examplebucket.s3.amazonaws.com");
    struct ck_cred c = SUITE_CRED;
    c.session_token = (char *)"old";
    assert_int_equal(ck_sigv4_sign(a, &S3_PARAMS, &c, SUITE_NOW, &r, NULL), 0);
    assert_int_equal(ck_sigv4_sign(a, &S3_PARAMS, &S3_CRED, S3_NOW, &r, NULL), 0);
    expect_signature(&S3[0], signature_of(&r));
    assert_null(ck_nvs_get(&r.headers, "x-amz-security-token"));
    assert_int_equal(r.headers.n, 4); /* Range, date, hash, authorization */
}

static void skew_moves_the_date(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req r = request_of(a, &S3[0], "examplebucket.s3.amazonaws.com");
    struct ck_sigv4 p = S3_PARAMS;
    p.skew_s = 900;
    assert_int_equal(ck_sigv4_sign(a, &p, &S3_CRED, S3_NOW - 900, &r, NULL), 0);
    assert_string_equal(ck_nvs_get(&r.headers, "x-amz-date"), "20130524T000000Z");
    expect_signature(&S3[0], signature_of(&r));
}

static void unsigned_payload_is_announced(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req r = request_of(a, &S3[1], "examplebucket.s3.amazonaws.com");
    struct ck_sigv4 p = S3_PARAMS;
    p.unsigned_payload = true;
    assert_int_equal(ck_sigv4_sign(a, &p, &S3_CRED, S3_NOW, &r, NULL), 0);
    assert_string_equal(ck_nvs_get(&r.headers, "x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
}

static void empty_credentials_are_refused(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_req r = request_of(a, &S3[0], "h");
    struct ck_cred c = {.access_key = (char *)"", .secret_key = (char *)"x"};
    assert_int_equal(ck_sigv4_sign(a, &S3_PARAMS, &c, S3_NOW, &r, &err), -CK_UNAUTHENTICATED);
}

static const char *signed_with(struct ck_arena *a, const struct ck_sigv4 *p, struct ck_cred c,
                               int64_t now_s)
{
    struct ck_req r = request_of(a, &S3[0], "h");
    assert_int_equal(ck_sigv4_sign(a, p, &c, now_s, &r, NULL), 0);
    return ck_nvs_get(&r.headers, "authorization");
}

/* Day, region, service, secret: one after the other changes, and changes back. */
static void a_kept_signing_key_is_only_used_for_what_it_was_made_for(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_CLEANUP(ck_sigv4_memo_done) struct ck_sigv4_memo memo = {0};
    struct ck_cred c = {.access_key = (char *)"AKID", .secret_key = (char *)"secret"};
    for (unsigned i = 0; i < 32; i++) {
        struct ck_sigv4 plain = S3_PARAMS;
        plain.region = i & 1 ? "eu-west-1" : "us-east-1";
        plain.service = i & 2 ? "s3" : "sts";
        c.secret_key = (char *)(i & 4 ? "secret" : "other");
        int64_t now_s = S3_NOW + (i & 8 ? 86400 : 0);
        struct ck_sigv4 kept = plain;
        kept.memo = &memo;
        const char *want = signed_with(a, &plain, c, now_s);
        assert_string_equal(signed_with(a, &kept, c, now_s), want);
        assert_string_equal(signed_with(a, &kept, c, now_s), want);
        assert_non_null(memo.scope);
    }
}

static void canonical_request_sorts_merges_and_leaves_out(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req r = {.method = "GET", .scheme = "http", .host = "h", .port = 80, .path = "/a b"};
    ck_nvs_add(a, &r.query, "b", NULL);
    ck_nvs_add(a, &r.query, "a-b", "2");
    ck_nvs_add(a, &r.query, "a", "z");
    ck_nvs_add(a, &r.query, "a", "\xc3\xa9");
    ck_nvs_add(a, &r.headers, "X-Amz-Meta-A-B", "2");
    ck_nvs_add(a, &r.headers, "x-amz-meta-a", "1 \t 1");
    ck_nvs_add(a, &r.headers, "X-Amz-Meta-A", "");
    ck_nvs_add(a, &r.headers, "User-Agent", "u");
    ck_nvs_add(a, &r.headers, "Accept-Encoding", "identity");
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_sigv4_canonical(&b, &S3_PARAMS, &r, "HASH");
    assert_string_equal(ck_buf_str(&b), "GET\n/a%20b\na=%C3%A9&a=z&a-b=2&b=\nhost:h\n"
                                        "x-amz-meta-a:1 1,\nx-amz-meta-a-b:2\n\n"
                                        "host;x-amz-meta-a;x-amz-meta-a-b\nHASH");
    const struct ck_sigv4 other = {.region = "r", .service = "iam"};
    ck_buf_reset(&b);
    ck_sigv4_canonical(&b, &other, &r, "HASH");
    assert_true(ck_str_starts(ck_buf_str(&b), "GET\n/a%2520b\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_suite_is_reproduced),
        cmocka_unit_test(the_s3_examples_are_reproduced),
        cmocka_unit_test(hostile_key_port_and_token_are_signed_as_botocore_does),
        cmocka_unit_test(presigned_url_matches_the_documentation),
        cmocka_unit_test(a_presigned_url_carries_the_session_token),
        cmocka_unit_test(signing_again_replaces_the_first_signature),
        cmocka_unit_test(skew_moves_the_date),
        cmocka_unit_test(unsigned_payload_is_announced),
        cmocka_unit_test(empty_credentials_are_refused),
        cmocka_unit_test(a_kept_signing_key_is_only_used_for_what_it_was_made_for),
        cmocka_unit_test(canonical_request_sorts_merges_and_leaves_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
