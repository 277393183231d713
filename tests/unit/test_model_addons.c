/* Add-ons: which ones a cluster gets, what their manifests hold, and the channel that lists them.
 */
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "doc/yaml.h"
#include "model/addons.h"
#include "model/addons/addon.h"
#include "model/aws/builders.h"
#include "task/store/addons.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "skipped.h"

struct fx {
    struct ck_arena *a;
    struct ck_tasks tasks;
    struct ck_env env;
    struct ck_facts facts;
    struct ck_object cluster;
    struct ck_object groups[16];
    struct ck_model m;
    struct ck_err err;
};

static int setup(void **state)
{
    struct fx *f = calloc(1, sizeof *f);
    f->a = ck_arena_new();
    ck_tasks_init(&f->tasks, f->a);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fx *f = *state;
    ck_tasks_done(&f->tasks);
    ck_env_done(&f->env);
    ck_err_done(&f->err);
    ck_arena_free(f->a);
    free(f);
    return 0;
}

/* Build the add-ons of a cluster and its groups, given as a manifest. */
static void build(struct fx *f, struct ck_slice manifest)
{
    struct ck_section *sections;
    size_t n = ck_manifest_split(f->a, manifest, &sections);
    struct ck_model *m = &f->m;
    ck_tasks_done(&f->tasks);
    ck_tasks_init(&f->tasks, f->a);
    *m = (struct ck_model){.a = f->a,
                           .env = &f->env,
                           .facts = &f->facts,
                           .full = &f->cluster,
                           .raw = &f->cluster,
                           .kops_version = "1.34.0-beta.1",
                           .kubernetes = {.major = 1, .minor = 32},
                           .cloud = "aws",
                           .region = "us-test-1",
                           .partition = "aws-test",
                           .account = "123456789012",
                           .groups = f->groups,
                           .tasks = &f->tasks};
    for (size_t i = 0; i < n; i++) {
        struct ck_object o;
        struct ck_decode_opts opts = {.lenient = true};
        if (!ck_slice_trim(sections[i].text).len)
            continue;
        assert_int_equal(ck_object_decode(f->a, sections[i].text, &opts, &o, &f->err), 0);
        if (o.kind == CK_KIND_CLUSTER)
            f->cluster = o;
        else if (o.kind == CK_KIND_INSTANCE_GROUP)
            f->groups[m->n_groups++] = o;
    }
    m->name = ck_object_name(&f->cluster);
    m->spec = ck_object_spec(&f->cluster);
    if (ck_bool_at(m->spec, "iam.useServiceAccountExternalPermissions", false))
        assert_int_equal(ck_aws_build_oidc(m, &f->err), 0);
    if (ck_model_addons(m, &f->err) || ck_tasks_fill(m->tasks, &f->err))
        fail_msg("%s", ck_err_msg(&f->err));
    assert_int_equal(f->tasks.err.code, CK_OK);
}

#define CLUSTER_HEAD                                                                               \
    "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata: {name: c.example.com}\nspec:\n"    \
    "  configBase: memfs://b/c.example.com\n  secretStore: memfs://b/c.example.com/secrets\n"      \
    "  networkCIDR: 172.20.0.0/16\n  podCIDR: 100.96.0.0/11\n"                                     \
    "  serviceClusterIPRange: 100.64.0.0/13\n  cloudProvider: aws\n"                               \
    "  externalDns: {provider: dns-controller}\n"                                                  \
    "  cloudControllerManager: {image: \"r/ccm:v1\", clusterName: c.example.com}\n"                \
    "  kubeDNS: {provider: CoreDNS, serverIP: 100.64.0.10, domain: cluster.local}\n"
#define GROUP(name, role, more)                                                                    \
    "\n---\napiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata: {name: " name         \
    "}\nspec: {role: " role ", minSize: 1, maxSize: 2" more "}\n"
#define GROUPS GROUP("cp", "Master", "") GROUP("nodes", "Node", "")

static void build_spec(struct fx *f, const char *more)
{
    char *text = ck_arena_printf(f->a, "%s%s%s", CLUSTER_HEAD, more, GROUPS);
    build(f, ck_slice_of(text));
}

/* The objects of an add-on; NULL when it is not there. */
static struct ck_val *objects(struct fx *f, const char *addon)
{
    const char *name = ck_arena_printf(f->a, "%s-addons-%s", f->m.name, addon);
    struct ck_task *t = ck_tasks_find(&f->tasks, &ck_task_addon_manifest, name);
    if (!t)
        return NULL;
    struct ck_section *s;
    struct ck_slice text = ck_task_get_bytes(t, "Contents");
    struct ck_val *list = ck_list(f->a);
    size_t n = text.len ? ck_manifest_split(f->a, text, &s) : 0;
    for (size_t i = 0; i < n; i++) {
        struct ck_val *v;
        struct ck_yaml_opts strict = {.strict = true};
        assert_int_equal(ck_yaml_parse(f->a, s[i].text, &strict, &v, NULL, &f->err), 0);
        ck_append(f->a, list, v);
    }
    return list;
}

static struct ck_val *find(const struct ck_val *list, const char *kind, const char *name)
{
    for (size_t i = 0; i < ck_len(list); i++)
        if (ck_is_str(ck_get(ck_item(list, i), "kind"), kind) &&
            ck_is_str(ck_at(ck_item(list, i), "metadata.name"), name))
            return ck_item(list, i);
    return NULL;
}

static const struct ck_val *channel(struct fx *f)
{
    const char *name = ck_arena_printf(f->a, "%s-addons-bootstrap", f->m.name);
    struct ck_task *t = ck_tasks_find(&f->tasks, &ck_task_bootstrap_channel, name);
    struct ck_val *v;
    assert_non_null(t);
    assert_int_equal(ck_yaml_parse(f->a, ck_task_get_bytes(t, "Contents"), NULL, &v, NULL, &f->err),
                     0);
    return ck_at(v, "spec.addons");
}

static const struct ck_val *entry(struct fx *f, const char *name)
{
    const struct ck_val *list = channel(f);
    for (size_t i = 0; i < ck_len(list); i++)
        if (ck_is_str(ck_get(ck_item(list, i), "name"), name))
            return ck_item(list, i);
    return NULL;
}

/* ---- templates ---- */

static const char *rendered(struct fx *f, const char *tpl)
{
    struct ck_val *v, *out;
    struct ck_addon_ctx c = {.m = &f->m, .a = f->a, .vals = ck_map(f->a)};
    f->m.spec = ck_object_spec(&f->cluster);
    struct ck_val *list = ck_list(f->a), *item = ck_map(f->a);
    ck_append_str(f->a, list, "x");
    ck_append_str(f->a, list, "y");
    ck_set_int(f->a, item, "n", 3);
    struct ck_val *items = ck_list(f->a);
    ck_append(f->a, items, item);
    ck_set(f->a, c.vals, "list", list);
    ck_set(f->a, c.vals, "items", items);
    ck_set_str(f->a, c.vals, "word", "w: 1");
    ck_set_bool(f->a, c.vals, "up", true);
    ck_set_bool(f->a, c.vals, "down", false);
    assert_int_equal(ck_yaml_parse(f->a, ck_slice_of(tpl), NULL, &v, NULL, &f->err), 0);
    if (ck_addon_render(&c, v, &out, &f->err))
        return NULL;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (out)
        ck_yaml_emit(&b, out);
    return ck_arena_strdup(f->a, ck_buf_str(&b));
}

static void placeholders_take_values_whole_or_inside_text(void **state)
{
    struct fx *f = *state;
    f->cluster = ck_object_new(f->a, CK_KIND_CLUSTER, "c");
    assert_string_equal(rendered(f, "a: <word>\nb: x-<word>\n"), "a: 'w: 1'\nb: 'x-w: 1'\n");
    assert_string_equal(rendered(f, "a: <up>\nb: --v=<down>\n"), "a: true\nb: --v=false\n");
    assert_string_equal(rendered(f, "a: <list>\n"), "a:\n- x\n- \"y\"\n");
    assert_string_equal(rendered(f, "[<*list>, z]\n"), "- x\n- \"y\"\n- z\n");
    assert_string_equal(rendered(f, "a: <spec.no.such|5>\nb: <spec.no.such|50m>\n"),
                        "a: 5\nb: 50m\n");
    assert_string_equal(rendered(f, "a: 1 < 2 > 1\nb: <not a name>\n"),
                        "a: 1 < 2 > 1\nb: <not a name>\n");
}

static void what_has_no_value_is_left_out(void **state)
{
    struct fx *f = *state;
    f->cluster = ck_object_new(f->a, CK_KIND_CLUSTER, "c");
    assert_string_equal(rendered(f, "a: <spec.x>\nb: {c: <spec.x>}\nd: {}\n"), "d: {}\n");
    assert_string_equal(rendered(f, "- ?up? one\n- ?down? two\n- ?!down & up? <word>\n"),
                        "- one\n- 'w: 1'\n");
    assert_string_equal(rendered(f, "- {$if: down | up, a: 1}\n- {$if: word!=w, a: 2}\n"
                                    "- {$if: down, a: 3}\n"),
                        "- a: 1\n- a: 2\n");
    assert_string_equal(rendered(f, "- {$each: items, a: p-<item.n>}\n"), "- a: p-3\n");
}

static void a_template_naming_something_unknown_is_a_defect(void **state)
{
    struct fx *f = *state;
    f->cluster = ck_object_new(f->a, CK_KIND_CLUSTER, "c");
    const char *const bad[] = {"a: <nosuch>",     "a: x<nosuch>",          "a: ?nosuch? x",
                               "- {$if: nosuch}", "a: text <spec.absent>", "a: text <list>",
                               "- <*nosuch>"};
    for (size_t i = 0; i < CK_ARRAY_LEN(bad); i++) {
        assert_null(rendered(f, bad[i]));
        assert_int_equal(f->err.code, CK_INTERNAL);
    }
}

/* ---- add-ons ---- */

static void a_plain_cluster_gets_the_basic_add_ons_in_order(void **state)
{
    struct fx *f = *state;
    build_spec(f, "");
    static const char *const want[] = {
        "kops-controller.addons.k8s.io",      "coredns.addons.k8s.io",
        "kubelet-api.rbac.addons.k8s.io",     "limit-range.addons.k8s.io",
        "dns-controller.addons.k8s.io",       "storage-aws.addons.k8s.io",
        "aws-cloud-controller.addons.k8s.io", "aws-ebs-csi-driver.addons.k8s.io"};
    const struct ck_val *list = channel(f);
    assert_int_equal(ck_len(list), CK_ARRAY_LEN(want));
    for (size_t i = 0; i < CK_ARRAY_LEN(want); i++)
        assert_string_equal(ck_str_at(ck_item(list, i), "name"), want[i]);
}

static void every_object_is_labelled_and_every_hash_is_that_of_its_manifest(void **state)
{
    struct fx *f = *state;
    build_spec(
        f, "  networking: {calico: {}}\n  nodeTerminationHandler: {enabled: true, version: v1}\n");
    const struct ck_val *list = channel(f);
    for (size_t i = 0; i < ck_len(list); i++) {
        const struct ck_val *e = ck_item(list, i);
        const char *name = ck_str_at(e, "name"), *id = ck_str_at(e, "id");
        const char *key = ck_arena_printf(f->a, "%s%s%s", name, *id ? "-" : "", id);
        const struct ck_val *objs = objects(f, key);
        assert_true(ck_len(objs) > 0);
        for (size_t k = 0; k < ck_len(objs); k++) {
            const struct ck_val *l = ck_at(ck_item(objs, k), "metadata.labels");
            assert_true(ck_is_str(ck_get(l, "addon.kops.k8s.io/name"), name));
            assert_true(ck_is_str(ck_get(l, "app.kubernetes.io/managed-by"), "kops"));
            const struct ck_val *sel = ck_get(e, "selector");
            for (size_t s = 0; s < ck_len(sel); s++)
                assert_true(ck_val_eq(ck_getn(l, sel->map.v[s].key), sel->map.v[s].val));
        }
        struct ck_task *t = ck_tasks_find(&f->tasks, &ck_task_addon_manifest,
                                          ck_arena_printf(f->a, "%s-addons-%s", f->m.name, key));
        char hash[2 * CK_SHA256_LEN + 1];
        ck_sha256_hex(ck_task_get_bytes(t, "Contents"), hash);
        assert_string_equal(ck_str_at(e, "manifestHash"), hash);
    }
}

static void without_dns_the_controller_is_listed_empty_and_pruned(void **state)
{
    struct fx *f = *state;
    build_spec(f, "  topology: {dns: {type: None}}\n");
    assert_int_equal(ck_len(objects(f, "dns-controller.addons.k8s.io-k8s-1.12")), 0);
    assert_int_equal(ck_len(ck_at(entry(f, "dns-controller.addons.k8s.io"), "prune.kinds")), 13);
    build_spec(f, "");
    assert_true(ck_len(objects(f, "dns-controller.addons.k8s.io-k8s-1.12")) > 0);
    assert_null(ck_get(entry(f, "dns-controller.addons.k8s.io"), "prune"));
}

static void accounts_with_a_role_get_its_token(void **state)
{
    struct fx *f = *state;
    build_spec(f, "  iam: {useServiceAccountExternalPermissions: true}\n");
    const struct ck_val *d =
        find(objects(f, "dns-controller.addons.k8s.io-k8s-1.12"), "Deployment", "dns-controller");
    const struct ck_val *pod = ck_at(d, "spec.template.spec");
    const struct ck_val *env = ck_get(ck_item(ck_get(pod, "containers"), 0), "env");
    bool role = false;
    for (size_t i = 0; i < ck_len(env); i++)
        role |= ck_is_str(ck_get(ck_item(env, i), "value"),
                          "arn:aws-test:iam::123456789012:role/"
                          "dns-controller.kube-system.sa.c.example.com");
    assert_true(role);
    assert_int_equal(ck_int_at(pod, "securityContext.fsGroup", 0), 10001);
    const struct ck_val *kc =
        find(objects(f, "kops-controller.addons.k8s.io-k8s-1.16"), "DaemonSet", "kops-controller");
    assert_null(ck_at(kc, "spec.template.spec.securityContext"));
}

static void images_go_through_the_mirror(void **state)
{
    struct fx *f = *state;
    build_spec(f, "  assets: {containerProxy: mirror.example.com/m}\n");
    const struct ck_val *d =
        find(objects(f, "coredns.addons.k8s.io-k8s-1.12"), "Deployment", "coredns");
    const struct ck_val *c = ck_item(ck_at(d, "spec.template.spec.containers"), 0);
    assert_string_equal(ck_str_at(c, "image"), "mirror.example.com/m/coredns/coredns:v1.14.2");
}

static void stored_objects_become_an_add_on_of_their_own(void **state)
{
    struct fx *f = *state;
    build_spec(f, "");
    struct ck_val *v;
    const char *text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: n}\n";
    assert_int_equal(ck_yaml_parse(f->a, ck_slice_of(text), NULL, &v, NULL, &f->err), 0);
    struct ck_object extra = {.kind = CK_KIND_OTHER, .root = v};
    f->m.addons = &extra;
    f->m.n_addons = 1;
    ck_tasks_done(&f->tasks);
    ck_tasks_init(&f->tasks, f->a);
    assert_int_equal(ck_model_addons(&f->m, &f->err), 0);
    assert_int_equal(ck_tasks_fill(&f->tasks, &f->err), 0);
    assert_non_null(find(objects(f, "cluster-addons.kops.k8s.io"), "ConfigMap", "x"));
    assert_string_equal(ck_str_at(entry(f, "cluster-addons.kops.k8s.io"), "manifest"),
                        "cluster-addons.kops.k8s.io/default.yaml");
    ck_unset(v, "kind");
    ck_tasks_done(&f->tasks);
    ck_tasks_init(&f->tasks, f->a);
    assert_int_equal(ck_model_addons(&f->m, &f->err), -CK_INVALID);
}

static void groups_of_karpenter_become_node_pools(void **state)
{
    struct fx *f = *state;
    build(f, ck_slice_of(
                 CLUSTER_HEAD
                 "  karpenter: {enabled: true, image: i}\n"
                 "  subnets: [{name: a, zone: z}, {name: b, zone: z, id: subnet-1}]\n" GROUPS GROUP(
                     "k", "Node",
                     ", manager: Karpenter, machineType: \"m5.large,m6i.large\", "
                     "image: o/n/i, rootVolumeSize: 200, subnets: [a, b], taints: "
                     "[\"x=y:NoSchedule\", \"karpenter.sh/unregistered=:NoExecute\"]")));
    const struct ck_val *all = objects(f, "karpenter.sh-k8s-1.19");
    const struct ck_val *class = ck_get(find(all, "EC2NodeClass", "k"), "spec");
    const struct ck_val *pool = ck_get(find(all, "NodePool", "k"), "spec");
    assert_null(find(all, "NodePool", "nodes"));
    assert_string_equal(
        ck_str_at(ck_item(ck_get(class, "blockDeviceMappings"), 0), "ebs.volumeSize"), "200Gi");
    assert_string_equal(ck_str_at(ck_item(ck_get(class, "subnetSelectorTerms"), 0), "tags.Name"),
                        "a.c.example.com");
    assert_string_equal(ck_str_at(ck_item(ck_get(class, "subnetSelectorTerms"), 1), "id"),
                        "subnet-1");
    const struct ck_val *taints = ck_at(pool, "template.spec.taints");
    assert_int_equal(ck_len(taints), 1);
    assert_string_equal(ck_str_at(ck_item(taints, 0), "effect"), "NoSchedule");
    const struct ck_val *need = ck_at(pool, "template.spec.requirements");
    assert_int_equal(ck_len(ck_get(ck_item(need, ck_len(need) - 1), "values")), 2);
}

static void the_autoscaler_is_told_the_groups_it_may_change(void **state)
{
    struct fx *f = *state;
    build(f, ck_slice_of(CLUSTER_HEAD
                         "  clusterAutoscaler: {enabled: true, image: i, expander: priority, "
                         "createPriorityExpanderConfig: true}\n" GROUPS GROUP(
                             "big", "Node", ", autoscalePriority: 50")
                             GROUP("fixed", "Node", ", autoscale: false")));
    const struct ck_val *all = objects(f, "cluster-autoscaler.addons.k8s.io-k8s-1.15");
    const struct ck_val *d = find(all, "Deployment", "cluster-autoscaler");
    const struct ck_val *args =
        ck_get(ck_item(ck_at(d, "spec.template.spec.containers"), 0), "command");
    assert_true(ck_list_has_str(args, "--nodes=1:2:nodes.c.example.com"));
    assert_true(ck_list_has_str(args, "--nodes=1:2:big.c.example.com"));
    for (size_t i = 0; i < ck_len(args); i++)
        assert_null(strstr(ck_str_or(ck_item(args, i), ""), "fixed"));
    assert_string_equal(ck_str_at(find(all, "ConfigMap", "cluster-autoscaler-priority-expander"),
                                  "data.priorities"),
                        "0:\n- \"nodes.c.example.com\"\n50:\n- \"big.c.example.com\"\n");
}

/* ---- every template, whole ---- */

/* Clusters that between them use every row and every branch of the templates. */
#define MANY                                                                                       \
    "  clusterAutoscaler: {enabled: true, image: i, createPriorityExpanderConfig: true}\n"         \
    "  metricsServer: {enabled: true}\n  certManager: {enabled: true, nameservers: [1.1.1.1]}\n"   \
    "  nodeProblemDetector: {enabled: true, image: i}\n"                                           \
    "  awsLoadBalancerController: {enabled: true}\n  podIdentityWebhook: {enabled: true}\n"        \
    "  snapshotController: {enabled: true}\n  containerd: {nvidiaGPU: {enabled: true}}\n"          \
    "  authentication: {aws: {backendMode: CRD, clusterID: c, identityMappings: [{arn: a, "        \
    "username: u, groups: [g]}]}}\n"
#define NTH "  nodeTerminationHandler: {enabled: true, version: v1.25.5"
enum { PLAIN_SPECS = 6 };
static const char *const SPECS[] = {
    MANY NTH "}\n  networking: {cilium: {hubble: {enabled: true, metrics: [drop]}, "
             "ingress: {enabled: true}}}\n",
    MANY NTH ", enableSQSTerminationDraining: false}\n  networking: {calico: {}}\n"
             "  iam: {useServiceAccountExternalPermissions: true}\n",
    "  networking: {flannel: {}}\n  externalDns: {provider: external-dns}\n  dnsZone: Z1\n",
    "  networking: {amazonvpc: {env: [{name: A, value: b}]}}\n",
    "  networking: {kindnet: {}}\n"
    "  kubeDNS: {provider: CoreDNS, stubDomains: {a.b: [1.1.1.1]}, nodeLocalDNS: {enabled: true, "
    "localIP: 169.254.20.10}}\n",
    "  networking: {kopeio: {}}\n  karpenter: {enabled: true, image: i}\n",
    "  networking: {cilium: {etcdManaged: true, ipam: eni, enableEncryption: true, "
    "enablePrometheusMetrics: true, gatewayAPI: {enabled: true}, ingress: {enabled: true, "
    "defaultLoadBalancerMode: shared}}}\n",
    "  networking: {calico: {typhaReplicas: 3, encapsulationMode: ipip}}\n"
    "  metricsServer: {enabled: true, insecure: false}\n",
    "  networking: {kuberouter: {}}\n  authentication: {kopeio: {}}\n"
    "  containerd: {gvisor: {enabled: true}}\n"
    "  snapshotController: {enabled: true, installDefaultClass: true}\n",
};

static void build_nth(struct fx *f, size_t i)
{
    build(f, ck_slice_of(
                 ck_arena_printf(f->a, "%s%s%s%s", CLUSTER_HEAD, SPECS[i], GROUPS,
                                 GROUP("karpenter-nodes-default", "Node", ", manager: Karpenter")
                                     GROUP("karpenter-nodes-single-machinetype", "Node",
                                           ", manager: Karpenter, machineType: t2.medium"))));
}

static void check_container(const struct ck_val *c, const char *where)
{
    if (!*ck_str_at(c, "name") || !*ck_str_at(c, "image") || strchr(ck_str_at(c, "image"), '<'))
        fail_msg("%s: a container without name or image", where);
    const struct ck_val *env = ck_get(c, "env");
    for (size_t i = 0; i < ck_len(env); i++) {
        const struct ck_val *e = ck_item(env, i), *v = ck_get(e, "value");
        if (!*ck_str_at(e, "name") || (!ck_get(e, "valueFrom") && (!v || v->kind != CK_STR)))
            fail_msg("%s: variable %s is not text", where, ck_str_at(e, "name"));
    }
}

static bool has_volume(const struct ck_val *pod, const char *name)
{
    const struct ck_val *v = ck_get(pod, "volumes");
    for (size_t i = 0; i < ck_len(v); i++)
        if (ck_is_str(ck_get(ck_item(v, i), "name"), name))
            return ck_len(ck_item(v, i)) == 2;
    return false;
}

static void check_pod(const struct ck_val *o, const struct ck_val *list, const char *where)
{
    static const char *const kinds[] = {"initContainers", "containers"};
    const struct ck_val *pod = ck_at(o, "spec.template.spec");
    const struct ck_val *match = ck_at(o, "spec.selector.matchLabels");
    assert_true(ck_len(match) > 0 && ck_len(ck_get(pod, "containers")) > 0);
    for (size_t i = 0; i < ck_len(match); i++)
        assert_true(
            ck_val_eq(ck_getn(ck_at(o, "spec.template.metadata.labels"), match->map.v[i].key),
                      match->map.v[i].val));
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < ck_len(ck_get(pod, kinds[k])); i++) {
            const struct ck_val *c = ck_item(ck_get(pod, kinds[k]), i);
            check_container(c, where);
            const struct ck_val *mounts = ck_get(c, "volumeMounts");
            for (size_t j = 0; j < ck_len(mounts); j++)
                if (!has_volume(pod, ck_str_at(ck_item(mounts, j), "name")))
                    fail_msg("%s: no volume %s", where, ck_str_at(ck_item(mounts, j), "name"));
        }
    const char *account = ck_str_at(pod, "serviceAccountName");
    if (*account && !find(list, "ServiceAccount", account))
        fail_msg("%s: no account %s", where, account);
}

static void check_rbac(const struct ck_val *o, const struct ck_val *list, const char *where)
{
    const struct ck_val *rules = ck_get(o, "rules"), *subjects = ck_get(o, "subjects");
    for (size_t i = 0; i < ck_len(rules); i++) {
        const struct ck_val *r = ck_item(rules, i);
        if (!ck_len(ck_get(r, "verbs")) ||
            (!ck_get(r, "nonResourceURLs") && (!ck_get(r, "apiGroups") || !ck_get(r, "resources"))))
            fail_msg("%s: rule %zu is incomplete", where, i);
    }
    if (strstr(ck_str_at(o, "kind"), "Binding")) {
        if (!ck_len(subjects) || !*ck_str_at(o, "roleRef.name"))
            fail_msg("%s binds nothing", where);
        const char *role = ck_str_at(o, "roleRef.name");
        bool known = ck_str_starts(role, "system:") ||
                     !strcmp(role, "extension-apiserver-authentication-reader");
        if (!known && !find(list, ck_str_at(o, "roleRef.kind"), role))
            fail_msg("%s: no role %s", where, role);
    }
}

static void every_template_makes_whole_objects(void **state)
{
    struct fx *f = *state;
    bool used[64] = {0};
    for (size_t i = 0; i < CK_ARRAY_LEN(SPECS); i++) {
        build_nth(f, i);
        for (size_t r = 0; r < ck_addon_n_rows; r++) {
            const struct ck_addon_row *row = &ck_addon_rows[r];
            const struct ck_val *list =
                objects(f, ck_arena_printf(f->a, "%s%s%s", row->name, row->id ? "-" : "",
                                           row->id ? row->id : ""));
            used[r] |= ck_len(list) > 0 || !row->manifest;
            for (size_t k = 0; k < ck_len(list); k++) {
                const struct ck_val *o = ck_item(list, k);
                const char *where =
                    ck_arena_printf(f->a, "%s: %s %s", row->name, ck_str_at(o, "kind"),
                                    ck_str_at(o, "metadata.name"));
                assert_true(*ck_str_at(o, "apiVersion") && *ck_str_at(o, "metadata.name"));
                if (ck_at(o, "spec.template.spec.containers"))
                    check_pod(o, list, where);
                check_rbac(o, list, where);
            }
        }
    }
    for (size_t r = 0; r < ck_addon_n_rows; r++)
        if (!used[r])
            fail_msg("no cluster of this test uses %s", ck_addon_rows[r].name);
}

static void every_template_file_is_used_by_a_row(void **state)
{
    for (size_t i = 0; i < ck_addon_n_files; i++) {
        bool used = !strcmp(ck_addon_files[i].name, "common");
        for (size_t r = 0; r < ck_addon_n_rows; r++)
            used |= ck_addon_rows[r].manifest &&
                    !strcmp(ck_addon_rows[r].manifest, ck_addon_files[i].name);
        assert_true(used);
    }
}

/* ---- reference material ---- */

static const char *shared(struct fx *f, const char *path)
{
    const char *root = getenv("CK_SHARED");
    return ck_arena_printf(f->a, "%s/%s", root ? root : "../shared", path);
}

static bool slurp(struct fx *f, const char *path, struct ck_slice *ret)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOERR err = CK_ERR_INIT;
    if (ck_file_read(path, 16 << 20, &b, &err))
        return false;
    *ret = ck_arena_slice(f->a, ck_buf_slice(&b));
    return true;
}

/* Add-ons of clouds that are not offered. */
static bool other_cloud(struct ck_slice addon)
{
    static const char *const heads[] = {"gcp-", "hcloud-", "scaleway-", "storage-gce"};
    for (size_t i = 0; i < CK_ARRAY_LEN(heads); i++)
        if (ck_slice_starts(addon, heads[i]))
            return true;
    return false;
}

/* "add-on apiVersion kind namespace name" of all that clusters from..to of SPECS get. */
static void collect(struct fx *f, struct ck_map *made, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        build_nth(f, i);
        for (size_t r = 0; r < ck_addon_n_rows; r++) {
            const struct ck_addon_row *row = &ck_addon_rows[r];
            const char *key = ck_arena_printf(f->a, "%s%s%s", row->name, row->id ? "-" : "",
                                              row->id ? row->id : "");
            const struct ck_val *list = objects(f, key);
            for (size_t k = 0; k < ck_len(list); k++) {
                const struct ck_val *o = ck_item(list, k);
                const char *ns = ck_str_at(o, "metadata.namespace");
                ck_map_put(made,
                           ck_arena_printf(f->a, "%s %s %s %s %s", key, ck_str_at(o, "apiVersion"),
                                           ck_str_at(o, "kind"), *ns ? ns : "-",
                                           ck_str_at(o, "metadata.name")),
                           f);
            }
        }
    }
}

/* The same of the reference list; *addons gets the add-ons that are in it. */
static bool reference(struct fx *f, struct ck_map *rows, struct ck_map *addons)
{
    struct ck_slice text, line, col[5];
    if (!slurp(f, shared(f, "spec/addon-objects.tsv"), &text))
        return false;
    ck_slice_next(&text, '\n', &line);
    while (ck_slice_next(&text, '\n', &line)) {
        for (size_t i = 0; i < 5; i++)
            if (!ck_slice_next(&line, '\t', &col[i]))
                col[i] = (struct ck_slice){"", 0};
        if (!col[0].len || other_cloud(col[0]) ||
            ck_slice_eq_str(col[4], "cluster-autoscaler-hcloud-config"))
            continue;
        ck_map_putn(addons, col[0], f);
        ck_map_put(rows,
                   ck_arena_printf(f->a, "%.*s %.*s %.*s %.*s %.*s", CK_SARG(col[0]),
                                   CK_SARG(col[1]), CK_SARG(col[2]), CK_SARG(col[3]),
                                   CK_SARG(col[4])),
                   f);
    }
    return true;
}

static void the_objects_are_those_of_the_reference(void **state)
{
    struct fx *f = *state;
    struct ck_map made = {0}, plain = {0}, rows = {0}, addons = {0};
    size_t wrong = 0;
    if (!reference(f, &rows, &addons))
        skip_because(NO_REFERENCE);
    collect(f, &made, 0, CK_ARRAY_LEN(SPECS));
    for (size_t i = 0; i < rows.n; i++)
        if (!ck_map_has(&made, rows.e[i].key)) {
            print_error("missing: %s\n", rows.e[i].key);
            wrong++;
        }
    /* The later clusters use what no reference cluster does. */
    collect(f, &plain, 0, PLAIN_SPECS);
    for (size_t i = 0; i < plain.n; i++) {
        struct ck_slice head = ck_slice_of(plain.e[i].key);
        head.len = ck_slice_find(head, ' ');
        if (ck_map_getn(&addons, head) && !ck_map_has(&rows, plain.e[i].key)) {
            print_error("too much: %s\n", plain.e[i].key);
            wrong++;
        }
    }
    assert_true(rows.n > 300);
    ck_map_done(&made), ck_map_done(&plain), ck_map_done(&rows), ck_map_done(&addons);
    assert_int_equal(wrong, 0);
}

/* The channel with hashes blanked, because manifests are our own. */
static const char *without_hashes(struct fx *f, struct ck_slice text)
{
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    struct ck_slice line;
    while (ck_slice_next(&text, '\n', &line))
        if (!ck_slice_starts(line, "    manifestHash: "))
            ck_buf_fmt(&out, "%.*s\n", CK_SARG(line));
    return ck_arena_strdup(f->a, ck_buf_str(&out));
}

/* A golden's folder: its completed cluster, its groups and the channel it wants. */
static bool golden(struct fx *f, const char *dir, struct ck_slice *manifest, struct ck_slice *want)
{
    const char *data = ck_arena_printf(f->a, "%s/data", dir);
    struct ck_slice cluster = {0}, in;
    *want = (struct ck_slice){0};
    DIR *d = opendir(data);
    for (struct dirent *e; d && (e = readdir(d));) {
        const char *path = ck_arena_printf(f->a, "%s/%s", data, e->d_name);
        if (strstr(e->d_name, "cluster-completed.spec_content"))
            assert_true(slurp(f, path, &cluster));
        else if (strstr(e->d_name, "addons-bootstrap_content"))
            assert_true(slurp(f, path, want));
    }
    if (d)
        closedir(d);
    if (!want->len || !slurp(f, ck_arena_printf(f->a, "%s/in-v1alpha2.yaml", dir), &in))
        return false;
    /* The completed cluster comes last and wins. */
    *manifest =
        ck_slice_of(ck_arena_printf(f->a, "%.*s\n---\n%.*s", CK_SARG(in), CK_SARG(cluster)));
    return true;
}

static void the_channels_are_those_of_the_goldens(void **state)
{
    struct fx *f = *state;
    const char *root = shared(f, "goldens/update_cluster");
    DIR *d = opendir(root);
    if (!d)
        skip_because(NO_REFERENCE);
    size_t n = 0;
    for (struct dirent *e; (e = readdir(d));) {
        struct ck_slice manifest, want;
        if (e->d_name[0] == '.' ||
            !golden(f, ck_arena_printf(f->a, "%s/%s", root, e->d_name), &manifest, &want))
            continue;
        build(f, manifest);
        const char *name = ck_arena_printf(f->a, "%s-addons-bootstrap", f->m.name);
        struct ck_task *t = ck_tasks_find(&f->tasks, &ck_task_bootstrap_channel, name);
        print_message("%s\n", e->d_name);
        assert_string_equal(without_hashes(f, ck_task_get_bytes(t, "Contents")),
                            without_hashes(f, want));
        n++;
    }
    closedir(d);
    assert_true(n >= 19);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(placeholders_take_values_whole_or_inside_text),
        T(what_has_no_value_is_left_out),
        T(a_template_naming_something_unknown_is_a_defect),
        T(a_plain_cluster_gets_the_basic_add_ons_in_order),
        T(every_object_is_labelled_and_every_hash_is_that_of_its_manifest),
        T(without_dns_the_controller_is_listed_empty_and_pruned),
        T(accounts_with_a_role_get_its_token),
        T(images_go_through_the_mirror),
        T(stored_objects_become_an_add_on_of_their_own),
        T(groups_of_karpenter_become_node_pools),
        T(the_autoscaler_is_told_the_groups_it_may_change),
        T(every_template_makes_whole_objects),
        T(every_template_file_is_used_by_a_row),
        T(the_objects_are_those_of_the_reference),
        T(the_channels_are_those_of_the_goldens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
