/* What keysets a cluster needs, and making them without taking anyone's keys away. */
#include "base/clock.h"
#include "base/mem.h"
#include "doc/yaml.h"
#include "store/keysneeded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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
    struct ck_err err;
};

static void ignore(void *arg, const char *text)
{
    (void)arg, (void)text;
}

static int setup(void **state)
{
    struct fx *f = calloc(1, sizeof *f);
    f->a = ck_keyset_arena();
    ck_env_set(&f->env, "KOPS_RSA_PRIVATE_KEY_SIZE", "1024");
    f->ctx = (struct ck_vfs_ctx){.env = &f->env, .arena = f->a};
    assert_int_equal(ck_store_open(&f->ctx, "memfs://s", &f->features, &f->s, &f->err), 0);
    f->s.warn = ignore;
    f->cluster = ck_object_new(f->a, CK_KIND_CLUSTER, "c");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fx *f = *state;
    ck_vfs_ctx_done(&f->ctx);
    ck_err_done(&f->err);
    ck_env_done(&f->env);
    ck_arena_free(f->a);
    free(f);
    return 0;
}

static void set_etcd(struct fx *f, const char *const *names, size_t n)
{
    struct ck_val *l = ck_list(f->a);
    for (size_t i = 0; i < n; i++) {
        struct ck_val *m = ck_map(f->a);
        ck_set_str(f->a, m, "name", names[i]);
        ck_append(f->a, l, m);
    }
    ck_put(f->a, f->cluster.root, "spec.etcdClusters", l);
}

static void use_main_and_events(struct fx *f)
{
    static const char *const NAMES[] = {"main", "events"};
    set_etcd(f, NAMES, 2);
}

static void check_names(struct fx *f, const char *const *want, size_t n_want)
{
    struct ck_keyset_need *v;
    size_t n;
    ck_keysets_needed(f->a, &f->cluster, &v, &n);
    assert_int_equal(n, n_want);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(v[i].name, want[i]);
        assert_string_equal(v[i].subject, ck_arena_printf(f->a, "cn=%s", want[i]));
        assert_string_equal(v[i].type, "ca");
        assert_string_equal(v[i].issuer, "");
    }
}

static unsigned readers_of(struct fx *f, const char *name, bool *bundle)
{
    struct ck_keyset_need *v;
    size_t n;
    ck_keysets_needed(f->a, &f->cluster, &v, &n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].name, name) == 0) {
            *bundle = v[i].bundle;
            return v[i].readers;
        }
    fail_msg("%s is not needed", name);
    return 0;
}

static void two_etcd_clusters_need_eight_keysets(void **state)
{
    static const char *const WANT[] = {"apiserver-aggregator-ca", "etcd-clients-ca",
                                       "etcd-manager-ca-events",  "etcd-manager-ca-main",
                                       "etcd-peers-ca-events",    "etcd-peers-ca-main",
                                       "kubernetes-ca",           "service-account"};
    use_main_and_events(*state);
    check_names(*state, WANT, CK_ARRAY_LEN(WANT));
}

static void an_etcd_cluster_of_cilium_has_clients_on_every_node(void **state)
{
    static const char *const ETCD[] = {"main", "cilium"};
    static const char *const WANT[] = {
        "apiserver-aggregator-ca", "etcd-clients-ca",      "etcd-clients-ca-cilium",
        "etcd-manager-ca-cilium",  "etcd-manager-ca-main", "etcd-peers-ca-cilium",
        "etcd-peers-ca-main",      "kubernetes-ca",        "service-account"};
    struct fx *f = *state;
    bool bundle;
    set_etcd(f, ETCD, 2);
    check_names(f, WANT, CK_ARRAY_LEN(WANT));
    assert_int_equal(readers_of(f, "etcd-clients-ca-cilium", &bundle), CK_KEYSET_EVERYONE);
    assert_int_equal(readers_of(f, "etcd-peers-ca-cilium", &bundle), CK_KEYSET_EVERYONE);
    assert_int_equal(readers_of(f, "etcd-peers-ca-main", &bundle), CK_KEYSET_CONTROL_PLANE);
    assert_true(bundle);
}

static void a_discovery_service_needs_an_authority_that_no_node_reads(void **state)
{
    struct fx *f = *state;
    bool bundle;
    ck_put(f->a, f->cluster.root, "spec.discoveryService.url", ck_str(f->a, "https://d"));
    assert_int_equal(readers_of(f, "discovery-ca", &bundle), 0);
}

static void workers_know_the_cluster_authority_only(void **state)
{
    struct fx *f = *state;
    struct ck_keyset_need *v;
    size_t n;
    use_main_and_events(f);
    ck_keysets_needed(f->a, &f->cluster, &v, &n);
    for (size_t i = 0; i < n; i++) {
        bool everyone = strcmp(v[i].name, "kubernetes-ca") == 0;
        assert_int_equal((v[i].readers & CK_KEYSET_OTHER) != 0, everyone);
        assert_int_equal(v[i].bundle, strcmp(v[i].name, "service-account") != 0);
    }
}

static void ensure(struct fx *f, struct ck_keyset_found **v, size_t *n)
{
    if (ck_keysets_ensure_all(f->a, &f->s, &f->cluster, v, n, &f->err))
        fail_msg("%s", ck_err_msg(&f->err));
}

static void missing_keysets_are_made_once(void **state)
{
    struct fx *f = *state;
    struct ck_keyset_found *v, *again;
    size_t n, m;
    use_main_and_events(f);
    assert_int_equal(ck_keysets_look(f->a, &f->s, &f->cluster, &v, &n, &f->err), 0);
    for (size_t i = 0; i < n; i++)
        assert_true(v[i].missing);
    ensure(f, &v, &n);
    ensure(f, &again, &m);
    assert_int_equal(n, 8);
    assert_int_equal(m, 8);
    for (size_t i = 0; i < n; i++) {
        const struct ck_keyset_item *p = again[i].keyset.primary;
        assert_true(v[i].made && !v[i].missing && !again[i].made && !again[i].missing);
        assert_string_equal(p->id, v[i].keyset.primary->id);
        assert_string_equal(p->cert.serial, p->id);
        assert_string_equal(p->cert.subject, ck_arena_printf(f->a, "CN=%s", v[i].need.name));
        assert_true(p->has_key && p->cert.is_ca && p->cert.key_bits == 1024);
        for (size_t k = 0; k < i; k++) /* no key serves two purposes */
            assert_false(ck_slice_eq(ck_secret_ref_view(v[k].keyset.primary->key_b64),
                                     ck_secret_ref_view(v[i].keyset.primary->key_b64)));
    }
}

static void keysets_made_by_someone_else_meanwhile_are_taken_over(void **state)
{
    struct fx *f = *state;
    struct ck_keyset_found *late, *first;
    size_t n;
    assert_int_equal(ck_keysets_look(f->a, &f->s, &f->cluster, &late, &n, &f->err), 0);
    ensure(f, &first, &n);
    assert_int_equal(ck_keysets_ensure(f->a, &f->s, &f->cluster, late, n, &f->err), 0);
    for (size_t i = 0; i < n; i++) {
        assert_true(first[i].made && !late[i].made && !late[i].missing);
        assert_string_equal(late[i].keyset.primary->id, first[i].keyset.primary->id);
    }
}

static void move_to_older_name(struct fx *f, const char *now, const char *older)
{
    struct ck_path from, to;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_write_opts opts = {.mode = CK_WRITE_CREATE};
    assert_int_equal(ck_layout_keyset(f->a, &f->s, &f->cluster, now, &from, &f->err), 0);
    assert_int_equal(ck_layout_keyset(f->a, &f->s, &f->cluster, older, &to, &f->err), 0);
    assert_int_equal(ck_vfs_read(&from, &b, NULL, &f->err), 0);
    assert_int_equal(ck_vfs_write(&to, ck_buf_slice(&b), &opts, NULL, &f->err), 0);
    assert_int_equal(ck_vfs_remove(&from, NULL, &f->err), 0);
}

static void keysets_of_older_names_keep_their_keys(void **state)
{
    struct fx *f = *state;
    struct ck_keyset_found *v, *again;
    size_t n, m;
    ensure(f, &v, &n);
    move_to_older_name(f, "service-account", "master");
    move_to_older_name(f, "kubernetes-ca", "ca");
    assert_int_equal(ck_keysets_look(f->a, &f->s, &f->cluster, &again, &m, &f->err), 0);
    for (size_t i = 0; i < m; i++) {
        bool renamed = strcmp(again[i].need.name, "service-account") == 0 ||
                       strcmp(again[i].need.name, "kubernetes-ca") == 0;
        assert_int_equal(again[i].keyset.legacy, renamed);
    }
    ensure(f, &again, &m);
    for (size_t i = 0; i < m; i++) {
        struct ck_keyset k;
        assert_false(again[i].made);
        assert_int_equal(ck_keyset_read(f->a, &f->s, &f->cluster, v[i].need.name, &k, &f->err), 0);
        assert_true(k.exists && !k.legacy);
        assert_string_equal(k.primary->id, v[i].keyset.primary->id);
    }
}

static void spoil(struct fx *f, const char *keyset, const char *text)
{
    struct ck_path p;
    struct ck_write_opts opts = {.mode = CK_WRITE_ANY};
    assert_int_equal(ck_layout_keyset(f->a, &f->s, &f->cluster, keyset, &p, &f->err), 0);
    assert_int_equal(ck_vfs_write(&p, ck_slice_of(text), &opts, NULL, &f->err), 0);
}

static void one_that_cannot_be_read_stops_everything(void **state)
{
    struct fx *f = *state;
    struct ck_keyset_found *v;
    struct ck_keyset k;
    size_t n;
    spoil(f, "kubernetes-ca", "kind: Keyset\nspec: [\n");
    assert_int_equal(ck_keysets_ensure_all(f->a, &f->s, &f->cluster, &v, &n, &f->err), -CK_INVALID);
    assert_non_null(strstr(ck_err_msg(&f->err), "error reading keyset \"kubernetes-ca\": "));
    assert_int_equal(n, 0);
    int r = ck_keyset_read(f->a, &f->s, &f->cluster, "etcd-clients-ca", &k, &f->err);
    assert_int_equal(r, -CK_NOT_FOUND);
}

static void one_without_a_primary_is_refused(void **state)
{
    struct fx *f = *state;
    struct ck_keyset_found *v;
    size_t n;
    spoil(f, "kubernetes-ca",
          "apiVersion: kops.k8s.io/v1alpha2\nkind: Keyset\nmetadata:\n"
          "  name: kubernetes-ca\nspec:\n  type: Keypair\n");
    assert_int_equal(ck_keysets_ensure_all(f->a, &f->s, &f->cluster, &v, &n, &f->err), -CK_INVALID);
    assert_string_equal(ck_err_msg(&f->err),
                        "keyset \"kubernetes-ca\" has no usable primary keypair");
}

static void a_bad_key_size_writes_nothing(void **state)
{
    struct fx *f = *state;
    struct ck_keyset_found *v;
    CK_AUTOSTRV names = {0};
    size_t n;
    ck_env_set(&f->env, "KOPS_RSA_PRIVATE_KEY_SIZE", "many");
    assert_int_equal(ck_keysets_ensure_all(f->a, &f->s, &f->cluster, &v, &n, &f->err), -CK_INVALID);
    ck_env_set(&f->env, "KOPS_RSA_PRIVATE_KEY_SIZE", "512");
    assert_int_equal(ck_keysets_ensure_all(f->a, &f->s, &f->cluster, &v, &n, &f->err), -CK_INVALID);
    ck_err_done(&f->err);
    (void)ck_keyset_names(f->a, &f->s, &f->cluster, &names, &f->err);
    assert_int_equal(names.n, 0);
}

static void bundles_leave_out_what_is_distrusted(void **state)
{
    struct fx *f = *state;
    struct ck_keyset_found *v;
    size_t n;
    CK_AUTOBUF struct ck_buf one = CK_BUF_INIT, none = CK_BUF_INIT, want = CK_BUF_INIT;
    ensure(f, &v, &n);
    ck_keyset_bundle(&v[0].keyset, &one);
    ck_cert_write(&v[0].keyset.primary->cert, &want);
    assert_string_equal(ck_buf_str(&one), ck_buf_str(&want));
    v[0].keyset.primary->distrusted = true;
    ck_keyset_bundle(&v[0].keyset, &none);
    assert_int_equal(none.len, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(two_etcd_clusters_need_eight_keysets),
        T(an_etcd_cluster_of_cilium_has_clients_on_every_node),
        T(a_discovery_service_needs_an_authority_that_no_node_reads),
        T(workers_know_the_cluster_authority_only),
        T(missing_keysets_are_made_once),
        T(keysets_made_by_someone_else_meanwhile_are_taken_over),
        T(keysets_of_older_names_keep_their_keys),
        T(one_that_cannot_be_read_stops_everything),
        T(one_without_a_primary_is_refused),
        T(a_bad_key_size_writes_nothing),
        T(bundles_leave_out_what_is_distrusted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
