/* Digests and HMAC against published vectors (FIPS 180-2, RFC 1321, RFC 2202, RFC 4231). */
#include "base/buf.h"
#include "base/enc.h"
#include "crypto/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void expect_hex(const unsigned char *p, size_t n, const char *want)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_hex_encode(&b, p, n);
    assert_string_equal(ck_buf_str(&b), want);
}

static void digests_match_the_published_vectors(void **state)
{
    unsigned char out[32];
    ck_sha256(CK_S("abc"), out);
    expect_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ck_sha256((struct ck_slice){0}, out);
    expect_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    ck_sha1(CK_S("abc"), out);
    expect_hex(out, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
    ck_md5(CK_S("message digest"), out);
    expect_hex(out, 16, "f96b697d7cb7938d525a2f31aaf161d0");
    char hex[65];
    ck_sha256_hex(CK_S("abc"), hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void hmac_matches_the_published_vectors(void **state)
{
    unsigned char out[32];
    ck_hmac_sha256(CK_S("Jefe"), CK_S("what do ya want for nothing?"), out);
    expect_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    ck_hmac_sha1(CK_S("Jefe"), CK_S("what do ya want for nothing?"), out);
    expect_hex(out, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    char key[131];
    memset(key, 0xaa, sizeof key);
    ck_hmac_sha256(ck_slice_n(key, sizeof key),
                   CK_S("Test Using Larger Than Block-Size Key - Hash Key First"), out);
    expect_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void hmac_takes_an_empty_key(void **state)
{
    unsigned char out[32];
    ck_hmac_sha256((struct ck_slice){0}, (struct ck_slice){0}, out);
    expect_hex(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void pieces_give_the_same_digest_as_the_whole(void **state)
{
    static const char *const names[] = {"sha256", "sha1", "md5"};
    static const char *const want[] = {
        "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592",
        "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12", "9e107d9d372bb6826bd81d3542a419d6"};
    for (size_t i = 0; i < CK_ARRAY_LEN(names); i++) {
        unsigned char out[32];
        struct ck_digest *d = ck_digest_new(names[i]);
        ck_digest_add(d, CK_S("The quick brown fox "));
        ck_digest_add(d, CK_S(""));
        ck_digest_add(d, CK_S("jumps over the lazy dog"));
        size_t n = ck_digest_end(d, out);
        expect_hex(out, n, want[i]);
    }
    assert_null(ck_digest_new("crc32"));
}

static void random_bytes_differ_and_fill_the_whole_buffer(void **state)
{
    unsigned char a[600] = {0}, b[600] = {0};
    ck_random(a, sizeof a);
    ck_random(b, sizeof b);
    assert_memory_not_equal(a, b, 32);
    assert_memory_not_equal(a + 568, (const unsigned char[32]){0}, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_match_the_published_vectors),
        cmocka_unit_test(hmac_matches_the_published_vectors),
        cmocka_unit_test(hmac_takes_an_empty_key),
        cmocka_unit_test(pieces_give_the_same_digest_as_the_whole),
        cmocka_unit_test(random_bytes_differ_and_fill_the_whole_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
