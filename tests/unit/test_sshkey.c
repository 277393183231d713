/* SSH public keys: finding one in a text, refusing what is none, its fingerprint. */
#include "base/buf.h"
#include "base/enc.h"
#include "crypto/sshkey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RSA_BLOB                                                                                   \
    "AAAAB3NzaC1yc2EAAAADAQABAAAAgQCtWu40XQo8dczLsCq0OWV+hxm9uV3WxeH9Kgh4sMzQxNtoU1pvW0XdjpkBes"   \
    "RKGoolfWeCLXWxpyQb1IaiMkKoz7MdhQ/6UKjMjP66aFWWp3pwD0uj0HuJ7tq4gKHKRYGTaZIRWpzUiANBrjugVgA+S"  \
    "d7E/mYwc/DMXkIyRZbvhQ=="
#define RSA    "ssh-rsa " RSA_BLOB
#define RSA_ID "c4:a6:ed:9a:a8:89:b9:e2:c3:9c:d6:63:eb:9c:71:57"

static void assert_id(const char *text, const char *id)
{
    CK_AUTOERR e = CK_ERR_INIT;
    char got[CK_SSHKEY_ID_SIZE] = "";
    if (ck_sshkey_id(ck_slice_of(text), got, &e))
        fail_msg("%s: %s", text, ck_err_msg(&e));
    assert_string_equal(got, id);
}

static void assert_no_key(const char *text)
{
    CK_AUTOERR e = CK_ERR_INIT;
    char got[CK_SSHKEY_ID_SIZE];
    assert_int_equal(ck_sshkey_id(ck_slice_of(text), got, &e), -CK_INVALID);
    assert_string_equal(ck_err_msg(&e), "error parsing SSH public key: ssh: no key found");
}

static void put_string(struct ck_buf *b, const char *p, size_t n)
{
    ck_buf_putc(b, 0);
    ck_buf_putc(b, 0);
    ck_buf_putc(b, (char)(n >> 8));
    ck_buf_putc(b, (char)n);
    ck_buf_putn(b, p, n);
}

/* "TYPE base64(TYPE, fields…)" with one field of n bytes 0x04 … */
static void ed25519_line(struct ck_buf *out, size_t key_bytes, size_t extra)
{
    CK_AUTOBUF struct ck_buf blob = CK_BUF_INIT;
    char key[64];
    memset(key, 4, sizeof key);
    put_string(&blob, "ssh-ed25519", 11);
    put_string(&blob, key, key_bytes);
    ck_buf_fill(&blob, 'x', extra);
    ck_buf_puts(out, "ssh-ed25519 ");
    ck_base64_encode(out, blob.ptr, blob.len);
}

static void fingerprint_is_md5_of_the_wire_blob(void **state)
{
    assert_id(RSA, RSA_ID);
}

static void comment_and_blanks_around_do_not_change_it(void **state)
{
    assert_id("  " RSA " me@example.com with words \r\n", RSA_ID);
    assert_id("ssh-rsa\t" RSA_BLOB "\tx", RSA_ID);
}

static void lines_before_the_key_are_skipped(void **state)
{
    assert_id("# a comment\n\n   \nnot a key at all\n" RSA "\n", RSA_ID);
}

static void options_before_the_key_are_skipped(void **state)
{
    assert_id("no-pty,command=\"echo \\\"a b\\\" c\" " RSA, RSA_ID);
}

static void first_key_of_several_counts(void **state)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_puts(&b, RSA "\n");
    ed25519_line(&b, 32, 0);
    assert_id(ck_buf_str(&b), RSA_ID);
}

static void text_without_key_is_refused(void **state)
{
    assert_no_key("");
    assert_no_key("\n\n# only a comment\n");
    assert_no_key("ssh-rsa");
    assert_no_key("ssh-rsa not-base64!");
    assert_no_key("ssh-rsa AAAA");
    assert_no_key("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n");
    assert_no_key("command=\"unclosed " RSA);
}

static void cut_key_is_refused(void **state)
{
    char text[] = RSA;
    text[strlen(text) - 12] = 0;
    assert_no_key(text);
}

static void keys_of_wrong_length_or_with_trailing_bytes_are_refused(void **state)
{
    CK_AUTOBUF struct ck_buf good = CK_BUF_INIT, shorter = CK_BUF_INIT, longer = CK_BUF_INIT;
    CK_AUTOERR e = CK_ERR_INIT;
    char id[CK_SSHKEY_ID_SIZE];
    ed25519_line(&good, 32, 0);
    ed25519_line(&shorter, 31, 0);
    ed25519_line(&longer, 32, 1);
    assert_int_equal(ck_sshkey_id(ck_buf_slice(&good), id, &e), 0);
    assert_no_key(ck_buf_str(&shorter));
    assert_no_key(ck_buf_str(&longer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fingerprint_is_md5_of_the_wire_blob),
        cmocka_unit_test(comment_and_blanks_around_do_not_change_it),
        cmocka_unit_test(lines_before_the_key_are_skipped),
        cmocka_unit_test(options_before_the_key_are_skipped),
        cmocka_unit_test(first_key_of_several_counts),
        cmocka_unit_test(text_without_key_is_refused),
        cmocka_unit_test(cut_key_is_refused),
        cmocka_unit_test(keys_of_wrong_length_or_with_trailing_bytes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
