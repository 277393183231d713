/* One case per rule that triggers exactly it, order and aggregate form, positions, and kOps' own
 * inputs, which must pass. */
#include "validate_cases.h"

#include "base/file.h"

#include <dirent.h>
#include <glob.h>

static const char base_cluster[] = "apiVersion: kops.k8s.io/v1alpha2\n"
                                   "kind: Cluster\n"
                                   "metadata:\n"
                                   "  name: c.example.com\n"
                                   "spec:\n"
                                   "  api:\n"
                                   "    loadBalancer:\n"
                                   "      class: Network\n"
                                   "      type: Public\n"
                                   "  authorization:\n"
                                   "    rbac: {}\n"
                                   "  cloudProvider: aws\n"
                                   "  configBase: s3://bucket/c.example.com\n"
                                   "  etcdClusters:\n"
                                   "  - name: main\n"
                                   "    etcdMembers:\n"
                                   "    - {name: a, instanceGroup: control-plane-a}\n"
                                   "  - name: events\n"
                                   "    etcdMembers:\n"
                                   "    - {name: a, instanceGroup: control-plane-a}\n"
                                   "  kubernetesApiAccess: [0.0.0.0/0]\n"
                                   "  kubernetesVersion: 1.34.1\n"
                                   "  networkCIDR: 172.20.0.0/16\n"
                                   "  networking:\n"
                                   "    cni: {}\n"
                                   "  nonMasqueradeCIDR: 100.64.0.0/10\n"
                                   "  sshAccess: [0.0.0.0/0]\n"
                                   "  subnets:\n"
                                   "  - {name: a, type: Public, zone: us-east-1a, cidr: "
                                   "172.20.0.0/18}\n"
                                   "  - {name: b, type: Private, zone: us-east-1b, cidr: "
                                   "172.20.64.0/18}\n"
                                   "  topology:\n"
                                   "    dns:\n"
                                   "      type: None\n";

/* What a completed cluster has on top. */
static const char completed[] =
    "spec.kubelet={cloudProvider: external, clusterDNS: 100.64.0.10}\n"
    "spec.masterKubelet={cloudProvider: external, clusterDNS: 100.64.0.10}\n"
    "spec.kubeControllerManager={cloudProvider: external, clusterCIDR: 100.96.0.0/11}\n"
    "spec.kubeDNS={serverIP: 100.64.0.10}\n"
    "spec.kubeScheduler={logLevel: 2}\n"
    "spec.kubeAPIServer={serviceClusterIPRange: 100.64.0.0/13}\n"
    "spec.kubeProxy={logLevel: 2}\n"
    "spec.podCIDR=100.96.0.0/11\n"
    "spec.serviceClusterIPRange=100.64.0.0/13";

#define SUBDOMAIN                                                                                  \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "   \
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "  \
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

#include "validate_cluster_rules.h"
#include "validate_group_rules.h"

static struct ck_feature_flags no_flags;

static const char *check_cluster(struct ck_arena *a, const char *patch1, const char *patch2,
                                 bool strict)
{
    struct ck_object o = {.kind = CK_KIND_CLUSTER, .root = parse_yaml(a, base_cluster)};
    apply_patch(a, o.root, patch1);
    apply_patch(a, o.root, patch2);
    struct ck_validate_ctx ctx = {.arena = a, .features = &no_flags, .strict = strict};
    struct ck_field_errs e = {.arena = a};
    ck_validate_cluster(&ctx, &o, &e);
    return join_errs(a, &e);
}

static void run_cluster_cases(const struct rule_case *cases, size_t n, bool strict)
{
    size_t failures = 0;
    for (size_t i = 0; i < n; i++) {
        struct ck_arena *a CK_AUTOARENA = ck_arena_new();
        expect_same(cases[i].name,
                    check_cluster(a, strict ? completed : "", cases[i].patch, strict),
                    cases[i].expected, &failures);
    }
    assert_int_equal(failures, 0);
}

static void base_objects_are_valid(void **state)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    assert_string_equal(check_cluster(a, "", "", false), "");
    assert_string_equal(check_cluster(a, completed, "", true), "");
}

static void each_cluster_rule_speaks_alone(void **state)
{
    run_cluster_cases(cluster_cases, CK_ARRAY_LEN(cluster_cases), false);
}

static void each_strict_rule_speaks_alone(void **state)
{
    run_cluster_cases(strict_cases, CK_ARRAY_LEN(strict_cases), true);
}

static void strict_rules_are_silent_on_what_users_write(void **state)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    for (size_t i = 0; i < CK_ARRAY_LEN(strict_cases); i++)
        if (!strncmp(strict_cases[i].name, "strict:", 7))
            assert_string_equal(check_cluster(a, completed, strict_cases[i].patch, false), "");
}

static const char *check_group(struct ck_arena *a, const struct group_case *k)
{
    struct ck_object ig = {.kind = CK_KIND_INSTANCE_GROUP, .root = parse_yaml(a, base_group)};
    struct ck_object cluster = {.kind = CK_KIND_CLUSTER, .root = parse_yaml(a, base_cluster)};
    apply_patch(a, ig.root, k->c.patch);
    apply_patch(a, cluster.root, k->cluster_patch ? k->cluster_patch : "");
    struct ck_validate_ctx ctx = {
        .arena = a, .features = &no_flags, .strict = k->strict, .cloud_rules = k->cloud};
    struct ck_field_errs e = {.arena = a};
    ck_validate_instance_group(&ctx, &ig, &e);
    if (k->cross)
        ck_cross_validate(&ctx, &ig, &cluster, &e);
    return join_errs(a, &e);
}

static void each_group_rule_speaks_alone(void **state)
{
    size_t failures = 0;
    struct group_case base = {.c = {"base", "", ""}, .cross = true, .strict = true, .cloud = true};
    for (size_t i = 0; i < CK_ARRAY_LEN(group_cases); i++) {
        struct ck_arena *a CK_AUTOARENA = ck_arena_new();
        assert_string_equal(check_group(a, &base), "");
        expect_same(group_cases[i].c.name, check_group(a, &group_cases[i]),
                    group_cases[i].c.expected, &failures);
    }
    assert_int_equal(failures, 0);
}

static bool all_running(void *arg, const char *name)
{
    return true;
}

static const char *check_update(struct ck_arena *a, const char *old_patch, const char *patch,
                                bool running)
{
    struct ck_object old = {.kind = CK_KIND_CLUSTER, .root = parse_yaml(a, base_cluster)};
    struct ck_object now = {.kind = CK_KIND_CLUSTER, .root = parse_yaml(a, base_cluster)};
    apply_patch(a, old.root, old_patch);
    apply_patch(a, now.root, patch);
    struct ck_validate_ctx ctx = {
        .arena = a, .features = &no_flags, .etcd_running = running ? all_running : NULL};
    struct ck_field_errs e = {.arena = a};
    ck_validate_cluster_update(&ctx, &now, &old, &e);
    return join_errs(a, &e);
}

static void updates_keep_etcd_clusters_and_reserved_labels(void **state)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    assert_string_equal(check_update(a, "", "", true), "");
    assert_string_equal(check_update(a,
                                     "spec.etcdClusters[2]={name: leases, etcdMembers: [{name: a, "
                                     "instanceGroup: x}]}",
                                     "", false),
                        "spec.etcdClusters[leases]: Forbidden: EtcdClusters cannot be removed");
    const char *moved = "spec.etcdClusters[0].etcdMembers[0].instanceGroup=other";
    assert_string_equal(check_update(a, "", moved, false), "");
    assert_string_equal(
        check_update(a, "", moved, true),
        "spec.etcdClusters[main].etcdMembers[a].instanceGroup: Forbidden: instanceGroup cannot be "
        "changed");
    assert_string_equal(check_update(a, "",
                                     "spec.etcdClusters[1].version=3.5.9\n"
                                     "spec.etcdClusters[0].version=3.5.9\n"
                                     "spec.etcdClusters[0].image=x",
                                     true),
                        "spec.etcdClusters[main].image: Forbidden: image can only be set when "
                        "creating a new etcd cluster");
    assert_string_equal(
        check_update(a, "spec.etcdClusters[0].image=x\nspec.etcdClusters[0].version=3.5.8",
                     "spec.etcdClusters[0].image=x\nspec.etcdClusters[0].version=3.5.9", true),
        "spec.etcdClusters[main].version: Forbidden: version cannot be changed when image is set");
    assert_string_equal(
        check_update(a, "", "spec.cloudLabels={Name: x, kops.k8s.io/y: z, ok: w}", false),
        "spec.cloudLabels.Name: Forbidden: \"Name\" is a reserved label and cannot "
        "be used as a custom label\n"
        "spec.cloudLabels.kops.k8s.io/y: Forbidden: \"kops.k8s.io/\" is a reserved "
        "label prefix and cannot be used as a custom label");
}

static void new_clusters_may_carry_reserved_labels(void **state)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    assert_string_equal(check_cluster(a, "", "spec.cloudLabels={Name: x}", false), "");
}

static void aggregate_is_one_message_or_a_list_without_repeats(void **state)
{
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_field_err v[] = {{.text = "a: x"}, {.text = "b: y"}, {.text = "a: x"}};
    struct ck_field_errs e = {.v = v, .n = 0};
    assert_int_equal(ck_field_errs_fail(&e, &err), 0);
    e.n = 1;
    assert_int_equal(ck_field_errs_fail(&e, &err), -CK_INVALID);
    assert_string_equal(ck_err_msg(&err), "a: x");
    e.n = 3;
    ck_field_errs_fail(&e, &err);
    assert_string_equal(ck_err_msg(&err), "[a: x, b: y]");
    v[1].text = "a: x";
    ck_field_errs_fail(&e, &err);
    assert_string_equal(ck_err_msg(&err), "a: x");
}

static void errors_point_at_the_value(void **state)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    struct ck_object o = {
        .kind = CK_KIND_CLUSTER, .root = parse_yaml(a, base_cluster), .file = "c.yaml"};
    ck_at(o.root, "spec.networkCIDR")->s = CK_S("1.2.3.4");
    struct ck_validate_ctx ctx = {.arena = a, .features = &no_flags};
    struct ck_field_errs e = {.arena = a};
    ck_validate_cluster(&ctx, &o, &e);
    assert_true(e.n >= 1);
    assert_string_equal(e.v[0].path, "spec.networking.networkCIDR");
    assert_string_equal(e.v[0].file, "c.yaml");
    assert_int_equal(e.v[0].pos.line, 23);
    assert_int_equal(e.v[0].pos.col, 16);
}

/* ---- kOps' own inputs ---- */

static bool check_file(const char *path, size_t *checked, size_t *failures)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    struct ck_buf text CK_AUTOBUF = CK_BUF_INIT;
    struct ck_section *sections;
    if (ck_file_read(path, 1 << 24, &text, NULL) < 0)
        return false;
    size_t n = ck_manifest_split(a, ck_buf_slice(&text), &sections);
    struct ck_object cluster = {0};
    for (size_t i = 0; i < n; i++) {
        struct ck_object o;
        struct ck_decode_opts opts = {.file = path, .lenient = true};
        if (ck_object_decode(a, sections[i].text, &opts, &o, NULL) < 0)
            continue;
        struct ck_validate_ctx ctx = {.arena = a, .features = &no_flags};
        struct ck_field_errs e = {.arena = a};
        if (o.kind == CK_KIND_CLUSTER) {
            cluster = o;
            ctx.strict = strstr(path, "cluster-completed") != NULL;
            ck_validate_cluster(&ctx, &o, &e);
        } else if (o.kind == CK_KIND_INSTANCE_GROUP) {
            ck_validate_instance_group(&ctx, &o, &e);
            if (cluster.root)
                ck_cross_validate(&ctx, &o, &cluster, &e);
        } else {
            continue;
        }
        ++*checked;
        expect_same(path, join_errs(a, &e), "", failures);
    }
    return true;
}

static void what_kops_stored_is_valid(void **state)
{
    static const char *const patterns[] = {
        "%s/corpus/*/tree/*/config",
        "%s/corpus/*/tree/*/instancegroup/*",
        "%s/corpus/*/work-after/tf/data/*cluster-completed*",
        "%s/goldens/update_cluster/*/data/*cluster-completed*",
        "%s/goldens/update_cluster/*/in-v1alpha2.yaml",
        "%s/goldens/create_cluster/*/expected*.yaml",
    };
    const char *shared = getenv("CK_SHARED");
    size_t checked = 0, failures = 0;
    for (size_t i = 0; shared && i < CK_ARRAY_LEN(patterns); i++) {
        char pattern[1024];
        glob_t g;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(pattern, sizeof pattern, patterns[i], shared);
#pragma GCC diagnostic pop
        if (glob(pattern, 0, NULL, &g) != 0)
            continue;
        for (size_t k = 0; k < g.gl_pathc; k++)
            if (!strstr(g.gl_pathv[k], "corrupt"))
                check_file(g.gl_pathv[k], &checked, &failures);
        globfree(&g);
    }
    if (!checked)
        skip_because(NO_REFERENCE);
    print_message("%zu objects\n", checked);
    assert_int_equal(failures, 0);
}

int main(void)
{
    ck_feature_flags_parse(&no_flags, NULL, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base_objects_are_valid),
        cmocka_unit_test(each_cluster_rule_speaks_alone),
        cmocka_unit_test(each_strict_rule_speaks_alone),
        cmocka_unit_test(strict_rules_are_silent_on_what_users_write),
        cmocka_unit_test(each_group_rule_speaks_alone),
        cmocka_unit_test(updates_keep_etcd_clusters_and_reserved_labels),
        cmocka_unit_test(new_clusters_may_carry_reserved_labels),
        cmocka_unit_test(aggregate_is_one_message_or_a_list_without_repeats),
        cmocka_unit_test(errors_point_at_the_value),
        cmocka_unit_test(what_kops_stored_is_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
