/* Keysets and secrets over a store in memory: forms, primary rules, writes that lose no update. */
#include "base/clock.h"
#include "base/mem.h"
#include "store/keyset.h"
#include "store/secretset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fx {
    struct ck_arena *a;
    struct ck_env env;
    struct ck_feature_flags features;
    struct ck_vfs_ctx ctx;
    struct ck_store s;
    struct ck_object cluster;
    struct ck_pki_key *key;
    struct ck_buf key_pem;
    struct ck_err err;
    unsigned warnings;
};

static void warned(void *arg, const char *text)
{
    (void)text;
    ((struct fx *)arg)->warnings++;
}

static int setup(void **state)
{
    struct fx *f = calloc(1, sizeof *f);
    f->a = ck_keyset_arena();
    f->ctx = (struct ck_vfs_ctx){.env = &f->env, .arena = f->a};
    assert_int_equal(ck_store_open(&f->ctx, "memfs://s", &f->features, &f->s, &f->err), 0);
    f->s.warn = warned;
    f->s.warn_arg = f;
    f->cluster = ck_object_new(f->a, CK_KIND_CLUSTER, "c");
    assert_int_equal(ck_pki_key_new_rsa(CK_PKI_MIN_RSA_BITS, &f->key, &f->err), 0);
    assert_int_equal(ck_pki_key_write(f->key, &f->key_pem, &f->err), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fx *f = *state;
    ck_pki_key_free(f->key);
    ck_buf_wipe(&f->key_pem);
    ck_vfs_ctx_done(&f->ctx);
    ck_err_done(&f->err);
    ck_env_done(&f->env);
    ck_arena_free(f->a);
    free(f);
    return 0;
}

static struct ck_keyset_item *add(struct fx *f, struct ck_keyset *k, const char *id, bool key)
{
    CK_AUTOBUF struct ck_buf cert = CK_BUF_INIT;
    struct ck_cert_ca ca = {k->name, "5", false, 1795234206};
    struct ck_keyset_item *it;
    assert_int_equal(ck_cert_issue_ca(&ca, f->key, &cert, &f->err), 0);
    struct ck_slice pem = key ? ck_buf_slice(&f->key_pem) : (struct ck_slice){0};
    if (ck_keyset_add(f->a, k, id, ck_buf_slice(&cert), pem, &it, &f->err))
        fail_msg("%s", ck_err_msg(&f->err));
    return it;
}

static int write_keyset(struct fx *f, struct ck_keyset *k)
{
    return ck_keyset_write(f->a, &f->s, &f->cluster, k, &f->err);
}

static int read_keyset(struct fx *f, const char *name, struct ck_keyset *ret)
{
    return ck_keyset_read(f->a, &f->s, &f->cluster, name, ret, &f->err);
}

static struct ck_keyset stored(struct fx *f, const char *name)
{
    struct ck_keyset k;
    if (read_keyset(f, name, &k))
        fail_msg("%s", ck_err_msg(&f->err));
    return k;
}

static void put_file(struct fx *f, const char *rel, const char *text)
{
    struct ck_path p;
    struct ck_write_opts any = {.mode = CK_WRITE_ANY};
    assert_int_equal(ck_path_join(f->a, &f->s.root, rel, &p, &f->err), 0);
    assert_int_equal(ck_vfs_write(&p, ck_slice_of(text), &any, NULL, &f->err), 0);
}

static const char *file(struct fx *f, const char *rel)
{
    struct ck_path p;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    assert_int_equal(ck_path_join(f->a, &f->s.root, rel, &p, &f->err), 0);
    if (ck_vfs_read(&p, &b, NULL, &f->err))
        fail_msg("%s: %s", rel, ck_err_msg(&f->err));
    return ck_arena_strndup(f->a, b.ptr, b.len);
}

#define KEYSET_FILE "c/pki/private/x-ca/keyset.yaml"

static void a_keyset_is_written_in_kops_form(void **state)
{
    struct fx *f = *state;
    struct ck_keyset k = ck_keyset_new(f->a, "x-ca");
    struct ck_keyset_item *new = add(f, &k, "7710472206014497726255734059", true);
    struct ck_keyset_item *old = add(f, &k, "7710472205445383017307127666", false);
    old->distrusted = true;
    old->distrusted_s = 1795234267;
    k.primary = new;
    assert_int_equal(write_keyset(f, &k), 0);
    const char *want =
        ck_arena_printf(f->a,
                        "apiVersion: kops.k8s.io/v1alpha2\n"
                        "kind: Keyset\n"
                        "metadata:\n"
                        "  name: x-ca\n"
                        "spec:\n"
                        "  keys:\n"
                        "  - distrustTimestamp: \"2026-11-21T04:11:07Z\"\n"
                        "    id: \"7710472205445383017307127666\"\n"
                        "    publicMaterial: %s\n"
                        "  - id: \"7710472206014497726255734059\"\n"
                        "    privateMaterial: %s\n"
                        "    publicMaterial: %s\n"
                        "  primaryId: \"7710472206014497726255734059\"\n"
                        "  type: Keypair\n",
                        old->cert_b64.ptr, ck_secret_ref_view(new->key_b64).ptr, new->cert_b64.ptr);
    assert_string_equal(file(f, KEYSET_FILE), want);
    struct ck_keyset again = stored(f, "x-ca");
    assert_int_equal(again.n, 2);
    assert_ptr_equal(again.primary, again.v[1]);
    assert_true(again.v[0]->distrusted && again.v[0]->distrusted_s == 1795234267);
    assert_true(!again.legacy && again.exists);
    assert_int_equal(write_keyset(f, &again), 0);
    assert_string_equal(file(f, KEYSET_FILE), want);
}

static void the_second_of_two_writers_is_told_and_writes_nothing(void **state)
{
    struct fx *f = *state;
    struct ck_keyset k = ck_keyset_new(f->a, "x-ca"), late = ck_keyset_new(f->a, "x-ca");
    k.primary = add(f, &k, "1", true);
    late.primary = add(f, &late, "2", true);
    assert_int_equal(write_keyset(f, &k), 0);
    assert_int_equal(write_keyset(f, &late), -CK_CONFLICT); /* both thought it new */
    struct ck_keyset a = stored(f, "x-ca"), b = stored(f, "x-ca");
    add(f, &a, "3", true);
    add(f, &b, "4", true);
    assert_int_equal(write_keyset(f, &a), 0);
    const char *before = file(f, KEYSET_FILE);
    assert_int_equal(write_keyset(f, &b), -CK_CONFLICT);
    assert_string_equal(file(f, KEYSET_FILE), before);
    /* The winner can go on with what it wrote. */
    add(f, &a, "5", true);
    assert_int_equal(write_keyset(f, &a), 0);
    assert_int_equal(stored(f, "x-ca").n, 3);
}

static void a_keyset_needs_a_primary_that_can_sign(void **state)
{
    struct fx *f = *state;
    struct ck_keyset k = ck_keyset_new(f->a, "x-ca"), other = ck_keyset_new(f->a, "y-ca");
    struct ck_keyset_item *good = add(f, &k, "1", true), *alone = add(f, &k, "2", false);
    assert_int_equal(write_keyset(f, &k), -CK_INVALID);
    k.primary = alone;
    assert_int_equal(write_keyset(f, &k), -CK_INVALID);
    assert_non_null(strstr(ck_err_msg(&f->err), "must have a private key"));
    k.primary = add(f, &other, "9", true);
    assert_int_equal(write_keyset(f, &k), -CK_INVALID);
    assert_non_null(strstr(ck_err_msg(&f->err), "not present in items"));
    k.primary = good;
    good->distrusted = true;
    assert_int_equal(write_keyset(f, &k), -CK_INVALID);
    assert_non_null(strstr(ck_err_msg(&f->err), "must not be distrusted"));
    struct ck_keyset none;
    assert_int_equal(read_keyset(f, "x-ca", &none), -CK_NOT_FOUND);
    good->distrusted = false;
    assert_int_equal(write_keyset(f, &k), 0);
}

static void the_primary_is_the_named_key_or_the_newest_trusted_number(void **state)
{
    struct fx *f = *state;
    static const char FORM[] = "apiVersion: kops.k8s.io/v1alpha2\nkind: Keyset\nmetadata:\n"
                               "  name: x-ca\nspec:\n  keys:\n"
                               "  - id: \"9\"\n  - id: \"10\"\n  - id: zz\n"
                               "  - id: \"11\"\n    distrustTimestamp: \"2026-01-01T00:00:00Z\"\n"
                               "  primaryId: \"%s\"\n  type: Keypair\n";
    static const char *const PRIMARY[][2] = {{"9", "9"},   {"10", "10"},     {"11", "10"},
                                             {"zz", "zz"}, {"absent", "10"}, {"", "10"}};
    for (size_t i = 0; i < CK_ARRAY_LEN(PRIMARY); i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        const char *cut = strstr(FORM, "%s");
        ck_buf_putn(&b, FORM, (size_t)(cut - FORM));
        ck_buf_puts(&b, PRIMARY[i][0]);
        ck_buf_puts(&b, cut + 2);
        put_file(f, KEYSET_FILE, ck_buf_str(&b));
        struct ck_keyset k = stored(f, "x-ca");
        assert_string_equal(k.primary->id, PRIMARY[i][1]);
        assert_string_equal(k.v[0]->id, "zz");
        assert_string_equal(k.v[3]->id, "11");
    }
}

static void broken_keysets_are_refused_and_left_out_of_lists(void **state)
{
    struct fx *f = *state;
#define HEAD "apiVersion: kops.k8s.io/v1alpha2\nkind: Keyset\nmetadata:\n  name: x-ca\nspec:\n"
    static const char *const BAD[] = {
        "",
        "kind: Cluster\napiVersion: kops.k8s.io/v1alpha2\n",
        HEAD "  keys:\n  - id: \"1\"\n    publicMaterial: AAAA\n",
        HEAD "  keys:\n  - id: \"1\"\n    privateMaterial: AAAA\n",
        HEAD "  keys:\n  - publicMaterial: \"\"\n",
        HEAD "  keys:\n  - id: \"1\"\n  - id: \"1\"\n",
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(BAD); i++) {
        struct ck_keyset k, *all;
        size_t n;
        put_file(f, KEYSET_FILE, BAD[i]);
        assert_true(read_keyset(f, "x-ca", &k) < 0);
        assert_int_not_equal(f->err.code, CK_NOT_FOUND);
        f->warnings = 0;
        assert_int_equal(ck_keyset_list(f->a, &f->s, &f->cluster, &all, &n, &f->err), 0);
        assert_int_equal(n, 0);
        assert_int_equal(f->warnings, 1);
    }
}

static void a_list_takes_only_keysets(void **state)
{
    struct fx *f = *state;
    struct ck_keyset *all;
    size_t n;
    static const char *const NAMES[] = {"b-ca", "a-ca"};
    for (size_t i = 0; i < CK_ARRAY_LEN(NAMES); i++) {
        struct ck_keyset k = ck_keyset_new(f->a, NAMES[i]);
        k.primary = add(f, &k, "1", true);
        assert_int_equal(write_keyset(f, &k), 0);
    }
    put_file(f, "c/pki/private/a-ca/more/keyset.yaml", "x");
    put_file(f, "c/pki/private/a-ca/7.key", "x");
    put_file(f, "c/pki/private/keyset.yaml", "x");
    assert_int_equal(ck_keyset_list(f->a, &f->s, &f->cluster, &all, &n, &f->err), 0);
    assert_int_equal(n, 2);
    assert_string_equal(all[0].name, "a-ca");
    assert_string_equal(all[1].name, "b-ca");
    assert_int_equal(f->warnings, 0);
    CK_AUTOSTRV names = {0};
    assert_int_equal(ck_keyset_names(f->a, &f->s, &f->cluster, &names, &f->err), 0);
    assert_int_equal(names.n, 2);
}

static void what_nobody_could_read_again_is_not_written(void **state)
{
    enum { MOST = 1000, LARGE = 4 << 20 };
    struct fx *f = *state;
    struct ck_keyset many = ck_keyset_new(f->a, "many-ca"), large = ck_keyset_new(f->a, "large-ca");
    struct ck_keyset_item *it;
    char id[16];
    CK_AUTOSECRET pem = CK_SECRET_INIT;
    ck_buf_fill(ck_secret_sink(&pem), 'x', LARGE);
    for (int i = 0; i <= MOST; i++) {
        snprintf(id, sizeof id, "%d", i);
        int r = ck_keyset_add(f->a, &many, id, (struct ck_slice){0}, (struct ck_slice){0}, &it,
                              &f->err);
        assert_int_equal(r, i < MOST ? 0 : -CK_LIMIT);
    }
    large.primary = add(f, &large, "7", true);
    assert_int_equal(
        ck_keyset_add(f->a, &large, "8", (struct ck_slice){0}, ck_secret_view(&pem), &it, &f->err),
        0);
    assert_int_equal(write_keyset(f, &large), -CK_LIMIT);
    assert_int_equal(read_keyset(f, "large-ca", &large), -CK_NOT_FOUND);
}

static void older_names_are_found(void **state)
{
    struct fx *f = *state;
    struct ck_keyset old = ck_keyset_new(f->a, "master"), k;
    old.primary = add(f, &old, "1", true);
    assert_int_equal(write_keyset(f, &old), 0);
    k = stored(f, "service-account");
    assert_true(k.legacy && !k.exists && k.n == 1);
    assert_int_equal(write_keyset(f, &k), 0);
    assert_non_null(
        strstr(file(f, "c/pki/private/service-account/keyset.yaml"), "  name: service-account\n"));
    assert_true(!stored(f, "service-account").legacy);
}

static void names_that_lead_out_are_refused(void **state)
{
    struct fx *f = *state;
    static const char *const NAMES[] = {"", "..", ".", "a/b", "../x-ca", "a\nb"};
    for (size_t i = 0; i < CK_ARRAY_LEN(NAMES); i++) {
        struct ck_keyset k;
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        assert_int_equal(read_keyset(f, NAMES[i], &k), -CK_INVALID);
        assert_int_equal(ck_secret_read(f->a, &f->s, &f->cluster, NAMES[i], &b, &f->err),
                         -CK_INVALID);
        assert_int_equal(
            ck_secret_write(f->a, &f->s, &f->cluster, NAMES[i], CK_S("x"), true, &f->err),
            -CK_INVALID);
    }
}

static void a_secret_is_one_json_line(void **state)
{
    struct fx *f = *state;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOSTRV names = {0};
    struct ck_slice v = CK_S("a\0b\xff\n");
    assert_int_equal(ck_secret_write(f->a, &f->s, &f->cluster, "system:dns", v, false, &f->err), 0);
    assert_string_equal(file(f, "c/secrets/system:dns"), "{\"Data\":\"YQBi/wo=\"}");
    assert_int_equal(ck_secret_read(f->a, &f->s, &f->cluster, "system:dns", &b, &f->err), 0);
    assert_true(ck_slice_eq(ck_buf_slice(&b), v));
    assert_int_equal(ck_secret_write(f->a, &f->s, &f->cluster, "system:dns", v, false, &f->err),
                     -CK_EXISTS);
    assert_int_equal(
        ck_secret_write(f->a, &f->s, &f->cluster, "system:dns", CK_S("n"), true, &f->err), 0);
    assert_string_equal(file(f, "c/secrets/system:dns"), "{\"Data\":\"bg==\"}");
    assert_int_equal(ck_secret_list(f->a, &f->s, &f->cluster, &names, &f->err), 0);
    assert_int_equal(names.n, 1);
    assert_int_equal(ck_secret_delete(f->a, &f->s, &f->cluster, "system:dns", &f->err), 0);
    assert_int_equal(ck_secret_delete(f->a, &f->s, &f->cluster, "system:dns", &f->err),
                     -CK_NOT_FOUND);
}

static void secrets_are_read_as_go_reads_them(void **state)
{
    struct fx *f = *state;
    static const char *const GOOD[] = {
        "{\"Data\":\"eA==\"}", " {\"data\" : \"eA==\", \"more\":1}\n", "{\"DATA\":\"eA==\"}"};
    static const char *const BAD[] = {
        "", "[]", "{\"Data\":\"canary\"}x", "{\"Data\":7}", "{\"Data\":\"!canary\"}", "canary"};
    for (size_t i = 0; i < CK_ARRAY_LEN(GOOD); i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        put_file(f, "c/secrets/s", GOOD[i]);
        assert_int_equal(ck_secret_read(f->a, &f->s, &f->cluster, "s", &b, &f->err), 0);
        assert_string_equal(ck_buf_str(&b), "x");
    }
    for (size_t i = 0; i < CK_ARRAY_LEN(BAD); i++) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        put_file(f, "c/secrets/s", BAD[i]);
        assert_int_equal(ck_secret_read(f->a, &f->s, &f->cluster, "s", &b, &f->err), -CK_INVALID);
        assert_true(
            ck_str_starts(ck_err_msg(&f->err), "parsing secret from \"memfs://s/c/secrets/s\""));
        assert_null(strstr(ck_err_msg(&f->err), "canary"));
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_keyset_is_written_in_kops_form),
        T(the_second_of_two_writers_is_told_and_writes_nothing),
        T(a_keyset_needs_a_primary_that_can_sign),
        T(the_primary_is_the_named_key_or_the_newest_trusted_number),
        T(broken_keysets_are_refused_and_left_out_of_lists),
        T(a_list_takes_only_keysets),
        T(what_nobody_could_read_again_is_not_written),
        T(older_names_are_found),
        T(names_that_lead_out_are_refused),
        T(a_secret_is_one_json_line),
        T(secrets_are_read_as_go_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
