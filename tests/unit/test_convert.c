/* v1alpha2 and v1alpha3: the same objects in two spellings. */
#include "base/file.h"
#include "spec/object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "skipped.h"

struct fx {
    struct ck_arena *a;
    struct ck_err err;
};

static int setup(void **state)
{
    struct fx *f = calloc(1, sizeof *f);
    f->a = ck_arena_new();
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fx *f = *state;
    ck_arena_free(f->a);
    ck_err_done(&f->err);
    free(f);
    return 0;
}

static const char *read_case(struct fx *f, const char *name, const char *file)
{
    const char *dir = getenv("CK_SHARED");
    if (!dir || access(dir, R_OK) != 0)
        skip_because(NO_REFERENCE);
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    const char *path = ck_arena_printf(f->a, "%s/goldens/conversion/%s/%s", dir, name, file);
    if (ck_file_read(path, 1 << 20, &b, &f->err))
        fail_msg("%s", ck_err_msg(&f->err));
    return ck_arena_strdup(f->a, ck_buf_str(&b));
}

/* All documents of a file, in the wanted version, separated as kOps separates them. */
static const char *convert(struct fx *f, const char *text, bool v3)
{
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    struct ck_section *s;
    size_t n = ck_manifest_split(f->a, ck_slice_of(text), &s);
    for (size_t i = 0; i < n; i++) {
        struct ck_object o;
        if (ck_object_decode(f->a, s[i].text, NULL, &o, &f->err))
            fail_msg("%s", ck_err_msg(&f->err));
        if (i)
            ck_buf_puts(&out, "\n---\n\n");
        if (v3)
            assert_int_equal(ck_object_yaml_v1alpha3(f->a, &out, &o, &f->err), 0);
        else
            ck_object_yaml(f->a, &out, &o);
    }
    return ck_arena_strdup(f->a, ck_buf_str(&out));
}

static const char *const cases[] = {"minimal", "cilium", "aws", "openstack", "gce", "azure", "do"};

static void v1alpha3_is_stored_as_kops_stores_it(void **state)
{
    struct fx *f = *state;
    for (size_t i = 0; i < CK_ARRAY_LEN(cases); i++)
        assert_string_equal(convert(f, read_case(f, cases[i], "v1alpha3.yaml"), false),
                            read_case(f, cases[i], "v1alpha2.yaml"));
}

static void v1alpha2_is_shown_as_v1alpha3(void **state)
{
    struct fx *f = *state;
    for (size_t i = 0; i < CK_ARRAY_LEN(cases); i++)
        assert_string_equal(convert(f, read_case(f, cases[i], "v1alpha2.yaml"), true),
                            read_case(f, cases[i], "v1alpha3.yaml"));
}

static void both_versions_survive_themselves(void **state)
{
    struct fx *f = *state;
    for (size_t i = 0; i < CK_ARRAY_LEN(cases); i++) {
        const char *v2 = read_case(f, cases[i], "v1alpha2.yaml");
        const char *v3 = read_case(f, cases[i], "v1alpha3.yaml");
        assert_string_equal(convert(f, v2, false), v2);
        assert_string_equal(convert(f, v3, true), v3);
    }
}

static void legacy_group_is_v1alpha2(void **state)
{
    struct fx *f = *state;
    assert_string_equal(convert(f, read_case(f, "minimal", "legacy-v1alpha2.yaml"), false),
                        read_case(f, "minimal", "v1alpha2.yaml"));
}

#define V3                                                                                         \
    "apiVersion: kops.k8s.io/v1alpha3\nkind: Cluster\nmetadata:\n  name: c.example.com\nspec:\n"
#define V2                                                                                         \
    "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata:\n  name: c.example.com\nspec:\n"
#define G3                                                                                         \
    "apiVersion: kops.k8s.io/v1alpha3\nkind: InstanceGroup\nmetadata:\n  name: nodes\nspec:\n"
#define G2                                                                                         \
    "apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata:\n  name: nodes\nspec:\n"

static const struct {
    const char *v3, *v2;
} pairs[] = {
    {V3 "  cloudProvider:\n    gce:\n      project: p\n  networking:\n    topology:\n"
        "      dns: Private\n      bastion:\n        publicName: b\n",
     V2 "  authorization:\n    rbac: {}\n  cloudProvider: gce\n  project: p\n  topology:\n"
        "    bastion:\n      bastionPublicName: b\n    dns:\n      type: Private\n"},
    {V3 "  externalDNS:\n    provider: none\n    watchIngress: true\n  networking:\n"
        "    canal:\n      flanneldIptablesForwardRules: true\n",
     V2 "  authorization:\n    rbac: {}\n  externalDns:\n    disable: true\n"
        "    watchIngress: true\n  networking:\n    canal:\n"
        "      disableFlannelForwardRules: false\n  topology:\n    dns:\n      type: Public\n"},
    {V3 "  authentication:\n    oidc:\n      groupsClaims: [g, h]\n      requiredClaims:\n"
        "        b: \"2\"\n        a: \"1\"\n",
     V2 "  authentication: {}\n  authorization:\n    rbac: {}\n  kubeAPIServer:\n"
        "    oidcGroupsClaim: g,h\n    oidcRequiredClaim:\n    - a=1\n    - b=2\n"
        "  topology:\n    dns:\n      type: Public\n"},
    {V3 "  etcdClusters:\n  - name: main\n    etcdMembers:\n    - kmsKeyID: k\n"
        "      volumeIOPS: 3\n",
     V2 "  authorization:\n    rbac: {}\n  etcdClusters:\n  - etcdMembers:\n    - kmsKeyId: k\n"
        "      volumeIops: 3\n    name: main\n  topology:\n    dns:\n      type: Public\n"},
    {V3 "  iam:\n    allowContainerRegistry: true\n",
     V2 "  authorization:\n    rbac: {}\n  iam:\n    allowContainerRegistry: true\n"
        "    legacy: false\n  topology:\n    dns:\n      type: Public\n"},
    {G3 "  role: ControlPlane\n  rootVolume:\n    size: 7\n    optimization: false\n"
        "  externalLoadBalancers:\n  - targetGroupARN: t\n  kubelet:\n"
        "    authenticationTokenWebhookCacheTTL: 90s\n",
     G2 "  externalLoadBalancers:\n  - targetGroupArn: t\n  kubelet:\n"
        "    authenticationTokenWebhookCacheTtl: 1m30s\n  role: Master\n"
        "  rootVolumeOptimization: false\n  rootVolumeSize: 7\n"},
    /* kOps inverts the hooks of clusters alone */
    {G3 "  hooks:\n  - enabled: true\n", G2 "  hooks:\n  - disabled: true\n"},
    {V3 "  hooks:\n  - enabled: true\n",
     V2 "  authorization:\n    rbac: {}\n  hooks:\n  - disabled: false\n  topology:\n    dns:\n"
        "      type: Public\n"},
    {"apiVersion: kops.k8s.io/v1alpha3\nkind: Keyset\nmetadata:\n  name: ca\nspec:\n"
     "  primaryID: \"1\"\n  type: Keypair\n",
     "apiVersion: kops.k8s.io/v1alpha2\nkind: Keyset\nmetadata:\n  name: ca\nspec:\n"
     "  primaryId: \"1\"\n  type: Keypair\n"},
};

static void fields_move_and_turn(void **state)
{
    struct fx *f = *state;
    for (size_t i = 0; i < CK_ARRAY_LEN(pairs); i++) {
        assert_string_equal(convert(f, pairs[i].v3, false), pairs[i].v2);
        const char *again = convert(f, pairs[i].v2, true);
        assert_string_equal(convert(f, again, false), pairs[i].v2);
    }
}

static const struct {
    const char *text, *message;
} refused[] = {
    {V3 "  networkCIDR: 10.0.0.0/8\n",
     "f.yaml:6:3: spec.networkCIDR: unknown field; in v1alpha3 it is spec.networking.networkCIDR"},
    {V3 "  networking:\n    networkCDIR: 10.0.0.0/8\n",
     "f.yaml:7:5: spec.networking.networkCDIR: unknown field, did you mean \"networkCIDR\"?"},
    {V3 "  containerRuntime: docker\n", "f.yaml:6:3: spec.containerRuntime: unknown field"},
    {V2 "  networking:\n    subnets:\n    - name: a\n",
     "f.yaml:7:5: spec.networking.subnets: unknown field; in v1alpha2 it is spec.subnets"},
    {V3 "  cloudProvider: aws\n",
     "json: cannot unmarshal string into Go struct field ClusterSpec.spec.cloudProvider of type "
     "v1alpha3.CloudProviderSpec (f.yaml:6:18)"},
    {V3 "  cloudProvider:\n    aws: {}\n    gce: {}\n",
     "spec.cloudProvider: Forbidden: only one cloud provider may be given, found \"aws\" and "
     "\"gce\""},
    {G3 "  role: Master\n",
     "spec.role: Unsupported value: \"Master\": supported values: \"ControlPlane\", "
     "\"APIServer\", \"Node\", \"Bastion\", \"Etcd\", \"Scheduler\", \"KubeControllerManager\""},
};

static void wrong_v1alpha3_is_refused_in_its_own_names(void **state)
{
    struct fx *f = *state;
    struct ck_decode_opts opts = {.file = "f.yaml"};
    for (size_t i = 0; i < CK_ARRAY_LEN(refused); i++) {
        struct ck_object o;
        int rc = ck_object_decode(f->a, ck_slice_of(refused[i].text), &opts, &o, &f->err);
        assert_int_equal(rc, -CK_INVALID);
        assert_string_equal(ck_err_msg(&f->err), refused[i].message);
    }
}

static void internal_paths_follow_the_move(void **state)
{
    static const char *const rows[][2] = {
        {"spec.subnets[0].type", "spec.networking.subnets[0].type"},
        {"spec.networkCIDR", "spec.networking.networkCIDR"},
        {"spec.masterKubelet.maxPods", "spec.controlPlaneKubelet.maxPods"},
        {"spec.cloudConfig.awsEBSCSIDriver.version", "spec.cloudProvider.aws.ebsCSIDriver.version"},
        {"spec.topology.dns.type", "spec.networking.topology.dns"},
        {"spec.kubeAPIServer.oidcClientID", "spec.authentication.oidc.clientID"},
        {"spec.channel", "spec.channel"},
        {"metadata.name", "metadata.name"},
        {"spec.nope.x[2].y", "spec.nope.x[2].y"},
    };
    struct fx *f = *state;
    for (size_t i = 0; i < CK_ARRAY_LEN(rows); i++)
        assert_string_equal(ck_field_internal_path(f->a, CK_KIND_CLUSTER, rows[i][0]), rows[i][1]);
    assert_string_equal(ck_field_internal_path(f->a, CK_KIND_INSTANCE_GROUP, "spec.rootVolumeSize"),
                        "spec.rootVolume.size");
}

static void the_reference_names_every_field_in_both_versions(void **state)
{
    (void)state;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_field_docs(&b, CK_KIND_CLUSTER);
    assert_non_null(strstr(ck_buf_str(&b), "| `spec.subnets[].zone` | string | "
                                           "`spec.networking.subnets[].zone` | "));
    assert_non_null(strstr(ck_buf_str(&b), "| `spec.masterInternalName` | string |  | "));
    assert_non_null(
        strstr(ck_buf_str(&b), "| `spec.networking.cilium.hubble.enabled` | boolean | "));
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(v1alpha3_is_stored_as_kops_stores_it),
        T(v1alpha2_is_shown_as_v1alpha3),
        T(both_versions_survive_themselves),
        T(legacy_group_is_v1alpha2),
        T(fields_move_and_turn),
        T(wrong_v1alpha3_is_refused_in_its_own_names),
        T(internal_paths_follow_the_move),
        T(the_reference_names_every_field_in_both_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
