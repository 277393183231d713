/* Keys, certificates, serials: what is made can be read back, what is wrong is refused by name. */
#include "base/clock.h"
#include "base/mem.h"
#include "crypto/pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BITS = 1024 }; /* small keys: the tests are about form */

struct fx {
    struct ck_arena *a;
    struct ck_pki_key *key;
    struct ck_buf cert, pem;
    struct ck_err err;
};

static void issue(struct fx *f, const char *cn, const char *serial, bool in_subject, int64_t now)
{
    struct ck_cert_ca ca = {cn, serial, in_subject, now};
    ck_buf_reset(&f->cert);
    assert_int_equal(ck_cert_issue_ca(&ca, f->key, &f->cert, &f->err), 0);
}

static int setup(void **state)
{
    struct fx *f = calloc(1, sizeof *f);
    f->a = ck_arena_new();
    assert_int_equal(ck_pki_key_new_rsa(BITS, &f->key, &f->err), 0);
    assert_int_equal(ck_pki_key_write(f->key, &f->pem, &f->err), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fx *f = *state;
    ck_pki_key_free(f->key);
    ck_buf_done(&f->cert);
    ck_buf_wipe(&f->pem);
    ck_err_done(&f->err);
    ck_arena_free(f->a);
    free(f);
    return 0;
}

static struct ck_cert read_cert(struct fx *f)
{
    struct ck_cert c;
    if (ck_cert_read(f->a, ck_buf_slice(&f->cert), &c, &f->err))
        fail_msg("%s", ck_err_msg(&f->err));
    return c;
}

static void a_certificate_says_what_it_was_issued_with(void **state)
{
    struct fx *f = *state;
    enum { NOW = 1795234206 }; /* 2026-11-21T04:10:06Z */
    issue(f, "kubernetes-ca", "7710472205445383017307127666", true, NOW);
    struct ck_cert c = read_cert(f);
    assert_string_equal(c.subject, "SERIALNUMBER=7710472205445383017307127666,CN=kubernetes-ca");
    assert_string_equal(c.issuer, c.subject);
    assert_string_equal(c.serial, "7710472205445383017307127666");
    assert_true(c.is_ca);
    assert_int_equal(c.key_bits, BITS);
    assert_int_equal(c.n_alt_names, 0);
    assert_int_equal(c.not_before_s, NOW - 48 * 3600);
    assert_int_equal(c.not_after_s, NOW + 87600 * 3600LL);
    assert_int_equal(ck_cert_check_key(&c, f->key, &f->err), 0);
}

static void the_serial_is_in_the_subject_only_when_asked_for(void **state)
{
    struct fx *f = *state;
    issue(f, "etcd-clients-ca", "5", false, 1795234206);
    assert_string_equal(read_cert(f).subject, "CN=etcd-clients-ca");
}

static void dates_after_2049_are_read_back(void **state)
{
    struct fx *f = *state;
    int64_t now = 2550000000; /* 2050 */
    issue(f, "x-ca", "1", false, now);
    assert_int_equal(read_cert(f).not_after_s, now + 87600 * 3600LL);
}

static void names_are_escaped_as_go_does(void **state)
{
    struct fx *f = *state;
    static const char *const NAMES[][2] = {{"a,b", "CN=a\\,b"},
                                           {"#a", "CN=\\#a"},
                                           {" a ", "CN=\\ a\\ "},
                                           {"a+b;c<d>\"\\", "CN=a\\+b\\;c\\<d\\>\\\"\\\\"},
                                           {"k\xc3\xa4se-ca", "CN=k\xc3\xa4se-ca"}};
    for (size_t i = 0; i < CK_ARRAY_LEN(NAMES); i++) {
        issue(f, NAMES[i][0], "1", false, 1795234206);
        assert_string_equal(read_cert(f).subject, NAMES[i][1]);
    }
}

static void a_certificate_is_written_as_it_was_read(void **state)
{
    struct fx *f = *state;
    issue(f, "x-ca", "1", false, 1795234206);
    struct ck_cert c = read_cert(f);
    CK_AUTOBUF struct ck_buf again = CK_BUF_INIT;
    ck_cert_write(&c, &again);
    assert_string_equal(ck_buf_str(&again), ck_buf_str(&f->cert));
    for (struct ck_slice rest = ck_buf_slice(&again), line; ck_slice_next(&rest, '\n', &line);)
        assert_true(line.len <= 64);
}

static void keys_come_back(void **state)
{
    struct fx *f = *state;
    for (int ec = 0; ec < 2; ec++) {
        CK_AUTOPKIKEY struct ck_pki_key *made = NULL, *read = NULL;
        CK_AUTOBUF struct ck_buf one = CK_BUF_INIT, two = CK_BUF_INIT;
        int r = ec ? ck_pki_key_new_ec("P-256", &made, &f->err)
                   : ck_pki_key_new_rsa(BITS, &made, &f->err);
        assert_int_equal(r, 0);
        assert_int_equal(ck_pki_key_write(made, &one, &f->err), 0);
        assert_true(ck_slice_starts(ck_buf_slice(&one), ec ? "-----BEGIN EC PRIVATE KEY-----\n"
                                                           : "-----BEGIN RSA PRIVATE KEY-----\n"));
        assert_int_equal(ck_pki_key_read(ck_buf_slice(&one), &read, &f->err), 0);
        assert_int_equal(ck_pki_key_write(read, &two, &f->err), 0);
        assert_string_equal(ck_buf_str(&one), ck_buf_str(&two));
    }
}

static void keys_made_together_are_all_different(void **state)
{
    struct fx *f = *state;
    enum { N = 5 };
    struct ck_pki_key *v[N];
    char *text[N];
    assert_int_equal(ck_pki_keys_new_rsa(BITS, N, v, &f->err), 0);
    for (size_t i = 0; i < N; i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        assert_int_equal(ck_pki_key_write(v[i], &b, &f->err), 0);
        text[i] = ck_buf_take(&b);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(text[i], text[k]);
    }
    for (size_t i = 0; i < N; i++) {
        ck_pki_key_free(v[i]);
        free(text[i]);
    }
}

static void sizes_out_of_range_are_refused(void **state)
{
    struct fx *f = *state;
    static const unsigned SIZES[] = {0, 512, 1023, 16385, 1000000};
    for (size_t i = 0; i < CK_ARRAY_LEN(SIZES); i++) {
        struct ck_pki_key *k, *many[3];
        assert_int_equal(ck_pki_key_new_rsa(SIZES[i], &k, &f->err), -CK_INVALID);
        assert_null(k);
        assert_int_equal(ck_pki_keys_new_rsa(SIZES[i], 3, many, &f->err), -CK_INVALID);
        assert_null(many[0]);
    }
}

static void a_key_of_another_certificate_is_noticed(void **state)
{
    struct fx *f = *state;
    CK_AUTOPKIKEY struct ck_pki_key *other = NULL;
    issue(f, "x-ca", "1", false, 1795234206);
    struct ck_cert c = read_cert(f);
    assert_int_equal(ck_pki_key_new_ec("P-256", &other, &f->err), 0);
    assert_int_equal(ck_cert_check_key(&c, other, &f->err), -CK_INVALID);
}

static void refuse_key(struct fx *f, struct ck_slice text, const char *why)
{
    struct ck_pki_key *k;
    assert_int_equal(ck_pki_key_read(text, &k, &f->err), -CK_INVALID);
    assert_null(k);
    assert_non_null(strstr(ck_err_msg(&f->err), why));
}

static void texts_without_a_usable_key_are_refused(void **state)
{
    struct fx *f = *state;
    issue(f, "x-ca", "1", false, 1795234206);
    refuse_key(f, CK_S(""), "there is no private key");
    refuse_key(f, CK_S("-----BEGIN RSA PRIVATE KEY-----\n"), "there is no private key");
    refuse_key(f, ck_buf_slice(&f->cert), "there is no private key");
    refuse_key(f, CK_S("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
               "damaged");
    refuse_key(f,
               CK_S("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"
                    "-----END ENCRYPTED PRIVATE KEY-----\n"),
               "encrypted");
    refuse_key(f,
               CK_S("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
                    "DEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"),
               "encrypted");
}

static void damaged_certificates_are_refused(void **state)
{
    struct fx *f = *state;
    struct ck_cert c;
    issue(f, "x-ca", "1", false, 1795234206);
    assert_int_equal(ck_cert_read(f->a, ck_buf_slice(&f->pem), &c, &f->err), -CK_INVALID);
    /* Each byte of the text changed in turn: an error or a certificate, never a crash. */
    size_t refused = 0;
    for (size_t i = 28; i < f->cert.len - 28; i++) {
        char saved = f->cert.ptr[i];
        f->cert.ptr[i] = saved == 'A' ? 'B' : 'A';
        refused += ck_cert_read(f->a, ck_buf_slice(&f->cert), &c, &f->err) != 0;
        f->cert.ptr[i] = saved;
    }
    assert_true(refused > 0);
}

static void serials_follow_the_clock(void **state)
{
    char a[CK_PKI_SERIAL_SIZE], b[CK_PKI_SERIAL_SIZE];
    (void)state;
    ck_pki_serial(1795205406123456789, a);
    ck_pki_serial(1795205406123456790, b);
    /* 1795205406123456789 << 32, and its highest low part */
    assert_true(ck_pki_id_cmp(a, "7710348508902645047224172544") >= 0);
    assert_true(ck_pki_id_cmp(a, "7710348508902645051519139839") <= 0);
    assert_true(ck_pki_id_cmp(a, b) < 0);
}

static void ids_are_ordered_as_numbers_and_others_come_first(void **state)
{
    static const char *const ORDER[] = {"", "-1", "1x", "abc", "0", "9", "10", "7710", "77100"};
    (void)state;
    for (size_t i = 0; i < CK_ARRAY_LEN(ORDER); i++)
        for (size_t k = 0; k < CK_ARRAY_LEN(ORDER); k++) {
            int c = ck_pki_id_cmp(ORDER[i], ORDER[k]);
            assert_int_equal((c > 0) - (c < 0), (i > k) - (i < k));
        }
    assert_int_equal(ck_pki_id_cmp("007", "7"), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_certificate_says_what_it_was_issued_with),
        T(the_serial_is_in_the_subject_only_when_asked_for),
        T(dates_after_2049_are_read_back),
        T(names_are_escaped_as_go_does),
        T(a_certificate_is_written_as_it_was_read),
        T(keys_come_back),
        T(keys_made_together_are_all_different),
        T(sizes_out_of_range_are_refused),
        T(a_key_of_another_certificate_is_noticed),
        T(texts_without_a_usable_key_are_refused),
        T(damaged_certificates_are_refused),
        T(serials_follow_the_clock),
        T(ids_are_ordered_as_numbers_and_others_come_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
