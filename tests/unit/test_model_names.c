/* Names, hashes and what groups are. Expected names come from the reference facts. */
#include "base/attr.h"
#include "model/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the above */
#include <cmocka.h>

static struct ck_model model(struct ck_arena *a, const char *name, const struct ck_val *spec)
{
    return (struct ck_model){.a = a, .name = name, .spec = spec, .cloud = "aws"};
}

static struct ck_object group(struct ck_arena *a, const char *name, const char *role)
{
    struct ck_object o = ck_object_new(a, CK_KIND_INSTANCE_GROUP, name);
    ck_set_str(a, ck_object_spec(&o), "role", role);
    return o;
}

static void names_of_balancers_are_cut_and_hashed(void **state)
{
    (void)state;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_model m = model(a, "minimal.example.com", ck_map(a));
    assert_string_equal(ck_model_name32(&m, "api"), "api-minimal-example-com-gecgf7");
    assert_string_equal(ck_model_name32(&m, "tcp"), "tcp-minimal-example-com-5905t8");
    assert_string_equal(ck_model_name32(&m, "kops-controller"), "kops-controller-minimal-e-uvauf3");
}

static void truncation_leaves_short_names_alone_unless_told(void **state)
{
    (void)state;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    assert_string_equal(ck_model_truncate(a, "abc", 10, false), "abc");
    assert_string_equal(ck_model_truncate(a, "abcdefghij", 10, false), "abcdefghij");
    assert_int_equal(strlen(ck_model_truncate(a, "abcdefghijk", 10, false)), 10);
    assert_int_equal(strlen(ck_model_truncate(a, "abc", 10, true)), 10);
    assert_memory_equal(ck_model_truncate(a, "abcdefghijk", 10, false), "abc-", 4);
}

static void fnv1a_matches_published_vectors(void **state)
{
    (void)state;
    assert_int_equal(ck_fnv1a(ck_slice_of("")), 0x811c9dc5);
    assert_int_equal(ck_fnv1a(ck_slice_of("a")), 0xe40c292c);
    assert_int_equal(ck_fnv1a(ck_slice_of("foobar")), 0xbf9cf968);
}

static void group_names_say_the_role_of_control_planes_and_api_servers(void **state)
{
    (void)state;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_model m = model(a, "c.example", ck_map(a));
    static const struct {
        const char *role, *name, *lower;
        bool api;
    } rows[] = {{"Master", "x.masters.c.example", "control-plane", true},
                {"ControlPlane", "x.masters.c.example", "control-plane", true},
                {"APIServer", "x.apiservers.c.example", "apiserver", true},
                {"Node", "x.c.example", "node", false},
                {"Bastion", "x.c.example", "bastion", false}};
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++) {
        struct ck_object g = group(a, "x", rows[i].role);
        assert_string_equal(ck_model_group_name(&m, &g), rows[i].name);
        assert_string_equal(ck_model_role_lower(ck_model_role(&g)), rows[i].lower);
        assert_int_equal(ck_model_has_apiserver(&g), rows[i].api);
    }
}

static void images_follow_registry_and_proxy(void **state)
{
    (void)state;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_val *spec = ck_map(a);
    struct ck_model m = model(a, "c", spec);
    const char *image = "registry.k8s.io/kops/channels:1";
    assert_string_equal(ck_model_image(&m, image), image);
    ck_put(a, spec, "assets.containerProxy", ck_str(a, "proxy.example/x"));
    assert_string_equal(ck_model_image(&m, image), "proxy.example/x/kops/channels:1");
    ck_drop(spec, "assets.containerProxy");
    ck_put(a, spec, "assets.containerRegistry", ck_str(a, "mirror.example"));
    assert_string_equal(ck_model_image(&m, image), "mirror.example/kops-channels:1");
}

static void predicates_read_the_spec(void **state)
{
    (void)state;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_val *spec = ck_map(a);
    struct ck_model m = model(a, "c", spec);
    assert_false(ck_model_dns_none(&m) || ck_model_ipv6_only(&m) || ck_model_has_api_balancer(&m));
    ck_put(a, spec, "topology.dns.type", ck_str(a, "None"));
    ck_put(a, spec, "nonMasqueradeCIDR", ck_str(a, "::/0"));
    ck_put(a, spec, "api.loadBalancer", ck_map(a));
    assert_true(ck_model_dns_none(&m) && ck_model_ipv6_only(&m) && ck_model_has_api_balancer(&m));
    assert_null(ck_model_keyset(&m, "kubernetes-ca"));
    assert_null(ck_model_fact(&m, "images"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_balancers_are_cut_and_hashed),
        cmocka_unit_test(truncation_leaves_short_names_alone_unless_told),
        cmocka_unit_test(fnv1a_matches_published_vectors),
        cmocka_unit_test(group_names_say_the_role_of_control_planes_and_api_servers),
        cmocka_unit_test(images_follow_registry_and_proxy),
        cmocka_unit_test(predicates_read_the_spec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
