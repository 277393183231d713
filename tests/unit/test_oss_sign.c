/* The signatures of Alibaba Cloud OSS against vectors that the vendor's two client libraries agree
 * on (shared/servers/oss_vectors.jsonl). They are repeated here so that the test needs nothing
 * else. */
#include "auth/alicloud/alicloud.h"

#include "base/clock.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct vector {
    int version;
    const char *method, *path;
    const char *query[12]; /* names and values; value "" is none */
    const char *headers[8];
    const char *text, *authorization;
};

static const struct vector vectors[] = {
    {1,
     "PUT",
     "/a/k1",
     {NULL},
     {"Content-Type", "application/octet-stream", "x-oss-object-acl", "private",
      "x-oss-forbid-overwrite", "true", NULL},
     "PUT\n\napplication/octet-stream\nTue, 02 Jan 2024 03:04:05 "
     "GMT\nx-oss-forbid-overwrite:true\nx-oss-object-acl:private\n/bkt1/a/k1",
     "OSS testid:02gkxSytvccpnUkTte/Z0RyEnSs="},
    {4,
     "PUT",
     "/a/k1",
     {NULL},
     {"Content-Type", "application/octet-stream", "x-oss-object-acl", "private",
      "x-oss-forbid-overwrite", "true", NULL},
     "OSS4-HMAC-SHA256\n20240102T030405Z\n20240102/cn-hangzhou/oss/"
     "aliyun_v4_request\neca33e179c00cddaa5ef73edb50a77c8719bd1511f1366c05c5c417e75891a8f",
     "OSS4-HMAC-SHA256 "
     "Credential=testid/20240102/cn-hangzhou/oss/"
     "aliyun_v4_request,Signature="
     "0290d1da4cd34fec296d6954abbf9514e4d89df34d9b548b30d79b4667b5cfb2"},
    {1,
     "GET",
     "/",
     {"list-type", "2", "prefix", "a b/+\xc3\xbc/", "delimiter", "/", "max-keys", "1000",
      "continuation-token", "ab+/=", NULL},
     {NULL},
     "GET\n\n\nTue, 02 Jan 2024 03:04:05 GMT\n/bkt1/?continuation-token=ab+/=",
     "OSS testid:axRzkzBnZWGonFGstX19CBfmYps="},
    {4,
     "GET",
     "/",
     {"list-type", "2", "prefix", "a b/+\xc3\xbc/", "delimiter", "/", "max-keys", "1000",
      "continuation-token", "ab+/=", NULL},
     {NULL},
     "OSS4-HMAC-SHA256\n20240102T030405Z\n20240102/cn-hangzhou/oss/"
     "aliyun_v4_request\n5fee6765442267c9abe8d3e74ed463c2e0b15782614c0d65ebce1089187b7761",
     "OSS4-HMAC-SHA256 "
     "Credential=testid/20240102/cn-hangzhou/oss/"
     "aliyun_v4_request,Signature="
     "0e6caec6cce017b2708c5136bd85f9170b11b93cd91b88b10f639fabaa2689da"},
    {1,
     "POST",
     "/",
     {"delete", "", NULL},
     {"Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg==", "Content-Type", "application/xml", NULL},
     "POST\n1B2M2Y8AsgTpgAmY7PhCfg==\napplication/xml\nTue, 02 Jan 2024 03:04:05 "
     "GMT\n/bkt1/?delete",
     "OSS testid:FQwbdYNQfhjqdcuU5N5v1zfBO/E="},
    {4,
     "POST",
     "/",
     {"delete", "", NULL},
     {"Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg==", "Content-Type", "application/xml", NULL},
     "OSS4-HMAC-SHA256\n20240102T030405Z\n20240102/cn-hangzhou/oss/"
     "aliyun_v4_request\n5dfd467e49fe6165b42f9cb833f5aee3cd513258986f4cd10895349453bf8f79",
     "OSS4-HMAC-SHA256 "
     "Credential=testid/20240102/cn-hangzhou/oss/"
     "aliyun_v4_request,Signature="
     "d22d0bf7ea9398680536b91d8391bee1a9075800afe8daee27ffb06e26087970"},
    {1,
     "GET",
     "/sp ace/plus+/pct%25/\xc3\xbc/'()*!~",
     {NULL},
     {NULL},
     "GET\n\n\nTue, 02 Jan 2024 03:04:05 GMT\n/bkt1/sp ace/plus+/pct%25/\xc3\xbc/'()*!~",
     "OSS testid:JohrGqdvDnI9OcFnAa33tHds434="},
    {4,
     "GET",
     "/sp ace/plus+/pct%25/\xc3\xbc/'()*!~",
     {NULL},
     {NULL},
     "OSS4-HMAC-SHA256\n20240102T030405Z\n20240102/cn-hangzhou/oss/"
     "aliyun_v4_request\na6f59e90402e6d6ce9bd9d38ac25c93644ac14bef3bbd402bbad9d088d9e9cd8",
     "OSS4-HMAC-SHA256 "
     "Credential=testid/20240102/cn-hangzhou/oss/"
     "aliyun_v4_request,Signature="
     "7523dab9af2bb9727e67a629168041d8a5703f44cb19a7737b309decd435de98"},
    {1,
     "PUT",
     "/a/k1",
     {"acl", "", NULL},
     {"x-oss-object-acl", "public-read", NULL},
     "PUT\n\n\nTue, 02 Jan 2024 03:04:05 GMT\nx-oss-object-acl:public-read\n/bkt1/a/k1?acl",
     "OSS testid:+rUyO1Glj6JANYwOe4TZOqBdk7g="},
    {4,
     "PUT",
     "/a/k1",
     {"acl", "", NULL},
     {"x-oss-object-acl", "public-read", NULL},
     "OSS4-HMAC-SHA256\n20240102T030405Z\n20240102/cn-hangzhou/oss/"
     "aliyun_v4_request\n0928c2354a9e74d3c467e71b32a76e122f643b41f97bf214eb18fdb870ae97c1",
     "OSS4-HMAC-SHA256 "
     "Credential=testid/20240102/cn-hangzhou/oss/"
     "aliyun_v4_request,Signature="
     "0315780039cc183d740d11c9ea65d7c0120a64b12e34838fe8ea943558169db8"},
};

/* Tue, 02 Jan 2024 03:04:05 GMT */
enum { WHEN = 1704164645 };

static struct ck_req request_of(struct ck_arena *a, const struct vector *v, const char *prefix)
{
    struct ck_req r = {.method = v->method,
                       .scheme = "https",
                       .host = "h",
                       .path = ck_arena_printf(a, "%s%s", prefix, v->path)};
    for (size_t i = 0; v->query[i]; i += 2)
        ck_nvs_add(a, &r.query, v->query[i], *v->query[i + 1] ? v->query[i + 1] : NULL);
    for (size_t i = 0; v->headers[i]; i += 2)
        ck_nvs_add(a, &r.headers, v->headers[i], v->headers[i + 1]);
    return r;
}

static void check(const struct vector *v, bool path_style)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    const struct ck_oss_signer p = {
        .version = v->version, .region = "cn-hangzhou", .bucket = path_style ? NULL : "bkt1"};
    const struct ck_cred c = {.access_key = (char[]){"testid"},
                              .secret_key = (char[]){"testsecret"}};
    struct ck_req r = request_of(a, v, path_style ? "/bkt1" : "");
    assert_int_equal(ck_oss_sign(a, &p, &c, WHEN, &r, &err), 0);
    assert_string_equal(ck_nvs_get(&r.headers, "authorization"), v->authorization);
    assert_string_equal(ck_nvs_get(&r.headers, "date"), "Tue, 02 Jan 2024 03:04:05 GMT");
    ck_oss_string_to_sign(&text, &p, &r);
    assert_string_equal(ck_buf_str(&text), v->text);
    /* signing again replaces, and the clock's difference counts */
    const struct ck_oss_signer late = {
        .version = v->version, .region = p.region, .bucket = p.bucket, .skew_s = 10};
    size_t n = r.headers.n;
    assert_int_equal(ck_oss_sign(a, &late, &c, WHEN - 10, &r, &err), 0);
    assert_int_equal(r.headers.n, n);
    assert_string_equal(ck_nvs_get(&r.headers, "authorization"), v->authorization);
}

static void the_vendors_vectors(void **state)
{
    assert_int_equal(CK_ARRAY_LEN(vectors), 10);
    for (size_t i = 0; i < CK_ARRAY_LEN(vectors); i++) {
        check(&vectors[i], false);
        check(&vectors[i], true);
    }
}

static void a_session_token_is_sent_and_signed(void **state)
{
    for (int version = 1; version <= 4; version += 3) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        CK_AUTOERR err = CK_ERR_INIT;
        CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
        const struct ck_oss_signer p = {.version = version, .region = "r", .bucket = "b"};
        const struct ck_cred c = {.access_key = (char[]){"id"},
                                  .secret_key = (char[]){"secret"},
                                  .session_token = (char[]){"tok"}};
        struct ck_req r = {.method = "GET", .scheme = "https", .host = "h", .path = "/k"};
        assert_int_equal(ck_oss_sign(a, &p, &c, WHEN, &r, &err), 0);
        assert_string_equal(ck_nvs_get(&r.headers, "x-oss-security-token"), "tok");
        ck_oss_string_to_sign(&text, &p, &r);
        assert_true(version == 4 || strstr(ck_buf_str(&text), "x-oss-security-token:tok\n"));
        for (size_t i = 0; i < r.headers.n; i++)
            assert_null(strstr(r.headers.v[i].value, "secret"));
    }
}

static void empty_credentials_are_refused(void **state)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    const struct ck_oss_signer p = {.version = 4, .region = "r", .bucket = "b"};
    const struct ck_cred c = {.access_key = (char[]){"id"}, .secret_key = (char[]){""}};
    struct ck_req r = {.method = "GET", .scheme = "https", .host = "h", .path = "/k"};
    assert_int_equal(ck_oss_sign(a, &p, &c, WHEN, &r, &err), -CK_UNAUTHENTICATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vendors_vectors),
        cmocka_unit_test(a_session_token_is_sent_and_signed),
        cmocka_unit_test(empty_credentials_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
