/* Completed clusters and groups: byte for byte what kOps stored for its own inputs, and the
 * defaults those inputs do not reach. */
#include "validate_cases.h"

#include "base/file.h"
#include "spec/populate.h"

#include <glob.h>

static struct ck_feature_flags flags;

struct manifest {
    struct ck_object cluster, groups[16];
    size_t n_groups;
};

static bool read_manifest(struct ck_arena *a, const char *path, struct manifest *ret)
{
    struct ck_buf text CK_AUTOBUF = CK_BUF_INIT;
    struct ck_section *sections;
    *ret = (struct manifest){0};
    if (ck_file_read(path, 1 << 24, &text, NULL) < 0)
        return false;
    size_t n = ck_manifest_split(a, ck_buf_slice(&text), &sections);
    for (size_t i = 0; i < n; i++) {
        struct ck_object o;
        struct ck_decode_opts opts = {.file = path, .lenient = true};
        if (ck_object_decode(a, sections[i].text, &opts, &o, NULL) < 0)
            continue;
        if (o.kind == CK_KIND_CLUSTER)
            ret->cluster = o;
        else if (o.kind == CK_KIND_INSTANCE_GROUP && ret->n_groups < 16)
            ret->groups[ret->n_groups++] = o;
    }
    return ret->cluster.root != NULL;
}

static const char *first_difference(struct ck_arena *a, const char *x, const char *y)
{
    size_t i = 0, line = 0;
    for (; x[i] && x[i] == y[i]; i++)
        if (x[i] == '\n')
            line = i + 1;
    return ck_arena_printf(a, "...%.*s | %.*s", (int)strcspn(x + line, "\n"), x + line,
                           (int)strcspn(y + line, "\n"), y + line);
}

static const struct ck_zone_fact zones[] = {
    {"Z1AFAKE1ZON3YO", "example.com.", false},
    {"Z2AFAKE1ZON3NO", "internal.example.com.", true},
    {"Z3AFAKE1ZOMORE", "private.example.com.", true},
};

static const struct ck_subnet_fact known_subnets[] = {
    {"subnet-12345678", "us-test-1a", "172.20.32.0/19"},
    {"subnet-abcdef", "us-test-1a", "172.20.4.0/22"},
    {"subnet-b2345678", "us-test-1b", "172.20.8.0/22"},
};

/* goldens/update_cluster/CASE: the input next to the completed form. */
static void check_golden(const char *path, size_t *failures)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct manifest m;
    struct ck_object full;
    struct ck_buf want CK_AUTOBUF = CK_BUF_INIT, got CK_AUTOBUF = CK_BUF_INIT;
    const char *dir = strstr(path, "/data/");
    const char *input = ck_arena_printf(a, "%.*s/in-v1alpha2.yaml", (int)(dir - path), path);
    assert_true(read_manifest(a, input, &m));
    struct ck_assign_facts assign = {
        .network_cidr = "172.20.0.0/16", .subnets = known_subnets, .n_subnets = 3};
    struct ck_populate_facts facts = {.assign = &assign,
                                      .features = &flags,
                                      .groups = m.groups,
                                      .n_groups = m.n_groups,
                                      .know_zones = true,
                                      .zones = zones,
                                      .n_zones = 3,
                                      .update = true};
    if (ck_populate_cluster(a, &m.cluster, &facts, &full, &err) < 0) {
        print_error("%s: %s\n", path, ck_err_msg(&err));
        ++*failures;
        return;
    }
    ck_object_yaml(a, &got, &full);
    assert_int_equal(ck_file_read(path, 1 << 24, &want, NULL), 0);
    if (strcmp(ck_buf_str(&got), ck_buf_str(&want)) != 0) {
        print_error("%s: %s\n", path, first_difference(a, ck_buf_str(&got), ck_buf_str(&want)));
        ++*failures;
    }
}

/* goldens/update_cluster/CASE/data/…nodeupconfig-GROUP_content: the group's kubelet. */
static void check_kubelet(struct ck_arena *a, const char *dir, const struct ck_object *full,
                          const struct ck_object *group, size_t *checked, size_t *failures)
{
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_object got;
    struct ck_buf text CK_AUTOBUF = CK_BUF_INIT;
    const char *path = ck_arena_printf(a, "%s/data/aws_s3_object_nodeupconfig-%s_content", dir,
                                       ck_object_name(group));
    if (ck_file_read(path, 1 << 24, &text, NULL) < 0)
        return; /* bastions have none */
    const struct ck_val *want = ck_get(parse_yaml(a, ck_buf_str(&text)), "KubeletConfig");
    if (ck_populate_instance_group(a, full, group, NULL, &got, &err) < 0)
        fail_msg("%s: %s", path, ck_err_msg(&err));
    ++*checked;
    if (ck_val_eq(want, ck_at(got.root, "spec.kubelet")))
        return;
    struct ck_buf x CK_AUTOBUF = CK_BUF_INIT, y CK_AUTOBUF = CK_BUF_INIT;
    ck_yaml_emit(&x, ck_at(got.root, "spec.kubelet"));
    ck_yaml_emit(&y, want);
    print_error("%s: %s\n", path, first_difference(a, ck_buf_str(&x), ck_buf_str(&y)));
    ++*failures;
}

static void completed_groups_have_kops_kubelets(void **state)
{
    const char *shared = getenv("CK_SHARED");
    size_t checked = 0, failures = 0;
    glob_t g;
    char pattern[1024];
    snprintf(pattern, sizeof pattern, "%s/goldens/update_cluster/*/data/*cluster-completed*",
             shared ? shared : ".");
    if (glob(pattern, 0, NULL, &g) != 0)
        skip_because(NO_REFERENCE);
    for (size_t i = 0; i < g.gl_pathc; i++) {
        struct ck_arena *a CK_AUTOARENA = ck_arena_new();
        struct manifest in, full;
        const char *end = strstr(g.gl_pathv[i], "/data/");
        const char *dir = ck_arena_strndup(a, g.gl_pathv[i], (size_t)(end - g.gl_pathv[i]));
        assert_true(read_manifest(a, ck_arena_printf(a, "%s/in-v1alpha2.yaml", dir), &in));
        assert_true(read_manifest(a, g.gl_pathv[i], &full));
        for (size_t k = 0; k < in.n_groups; k++)
            check_kubelet(a, dir, &full.cluster, &in.groups[k], &checked, &failures);
    }
    globfree(&g);
    print_message("%zu groups\n", checked);
    assert_true(checked > 0);
    assert_int_equal(failures, 0);
}

/* What create cluster made, kOps completed and found valid: so must we. */
static void check_created(const char *path, size_t *checked, size_t *failures)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct manifest m;
    struct ck_object full;
    if (!read_manifest(a, path, &m))
        return;
    ++*checked;
    struct ck_populate_facts facts = {.features = &flags,
                                      .groups = m.groups,
                                      .n_groups = m.n_groups,
                                      .discovery_url = "https://discovery.example.com/x"};
    int r = ck_populate_cluster(a, &m.cluster, &facts, &full, &err);
    struct ck_field_errs errs = {.arena = a};
    struct ck_validate_ctx ctx = {.arena = a, .features = &flags, .strict = true};
    for (size_t i = 0; r == 0 && i < m.n_groups; i++) {
        struct ck_object group;
        r = ck_populate_instance_group(a, &full, &m.groups[i], NULL, &group, &err);
        if (r == 0) {
            ck_validate_instance_group(&ctx, &group, &errs);
            ck_cross_validate(&ctx, &group, &full, &errs);
        }
    }
    if (r == 0)
        r = ck_field_errs_fail(&errs, &err);
    if (r < 0) {
        print_error("%s: %s\n", path, ck_err_msg(&err));
        ++*failures;
    }
}

static void what_create_cluster_makes_completes_and_is_valid(void **state)
{
    static const char *const patterns[] = {"%s/goldens/create_cluster/*/expected*.yaml",
                                           "%s/corpus/2[0-6]*/stdout"};
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
            check_created(g.gl_pathv[k], &checked, &failures);
        globfree(&g);
    }
    if (!checked)
        skip_because(NO_REFERENCE);
    print_message("%zu clusters\n", checked);
    assert_int_equal(failures, 0);
}

static void completed_clusters_have_kops_bytes(void **state)
{
    const char *shared = getenv("CK_SHARED");
    size_t failures = 0;
    glob_t g;
    char pattern[1024];
    snprintf(pattern, sizeof pattern, "%s/goldens/update_cluster/*/data/*cluster-completed*",
             shared ? shared : ".");
    if (glob(pattern, 0, NULL, &g) != 0)
        skip_because(NO_REFERENCE);
    for (size_t i = 0; i < g.gl_pathc; i++)
        check_golden(g.gl_pathv[i], &failures);
    print_message("%zu clusters\n", g.gl_pathc);
    globfree(&g);
    assert_int_equal(failures, 0);
}

/* ---- defaults one by one ---- */

static const char base[] = "apiVersion: kops.k8s.io/v1alpha2\n"
                           "kind: Cluster\n"
                           "metadata: {name: c.example.com}\n"
                           "spec:\n"
                           "  api: {loadBalancer: {class: Network, type: Public}}\n"
                           "  authorization: {rbac: {}}\n"
                           "  cloudProvider: aws\n"
                           "  configBase: s3://bucket/c.example.com\n"
                           "  etcdClusters:\n"
                           "  - name: main\n"
                           "    etcdMembers: [{name: a, instanceGroup: cp}]\n"
                           "  - name: events\n"
                           "    etcdMembers: [{name: a, instanceGroup: cp}]\n"
                           "  kubernetesVersion: v1.34.1\n"
                           "  networkCIDR: 172.20.0.0/16\n"
                           "  networking: {cni: {}}\n"
                           "  nonMasqueradeCIDR: 100.64.0.0/10\n"
                           "  subnets:\n"
                           "  - {name: a, type: Public, zone: us-east-1a, cidr: 172.20.0.0/18}\n"
                           "  - {name: b, type: Private, zone: us-east-1a, cidr: 172.20.64.0/18}\n"
                           "  topology: {dns: {type: None}}\n";

static struct ck_object cluster_with(struct ck_arena *a, const char *patch)
{
    struct ck_object o = {.kind = CK_KIND_CLUSTER, .root = parse_yaml(a, base)};
    apply_patch(a, o.root, patch);
    return o;
}

#define HETZNER                                                                                    \
    "spec.cloudProvider=hetzner\nspec.networkCIDR=\nspec.api={loadBalancer: {type: Public}}\n"     \
    "spec.subnets=[{name: a, type: Public, zone: fsn1}]\n"
#define GCE                                                                                        \
    "spec.cloudProvider=gce\nspec.networkCIDR=\nspec.api={loadBalancer: {type: Public}}\n"         \
    "spec.subnets=[{name: r, type: Public, region: r, cidr: 10.0.16.0/20}]\n"

static const struct {
    const char *patch, *path, *value; /* value in YAML; "" means absent */
} defaults[] = {
    {"", "kubernetesVersion", "1.34.1"},
    {"", "channel", "stable"},
    {"", "keyStore", "s3://bucket/c.example.com/pki"},
    {"spec.keyStore=s3://other/pki", "keyStore", "s3://other/pki"},
    {"", "podCIDR", "100.96.0.0/11"},
    {"spec.nonMasqueradeCIDR=10.0.0.0/8", "podCIDR", "10.128.0.0/9"},
    {"", "etcdClusters",
     "[{name: main, etcdMembers: [{name: a, instanceGroup: cp}], version: "
     "3.6.12, manager: {backupRetentionDays: 90}, backups: {backupStore: "
     "s3://bucket/c.example.com/backups/etcd/main}}, {name: events, "
     "etcdMembers: [{name: a, instanceGroup: cp}], version: 3.6.12, manager: "
     "{backupRetentionDays: 90}, backups: {backupStore: "
     "s3://bucket/c.example.com/backups/etcd/events}}]"},
    {"", "masterKubelet.featureGates", "{ImageVolume: 'true'}"},
    {"spec.kubernetesVersion=1.36.0", "masterKubelet.featureGates", ""},
    {"spec.masterKubelet={featureGates: {ImageVolume: 'false'}}", "masterKubelet.featureGates",
     "{ImageVolume: 'false'}"},
    {"spec.kubelet={maxPods: 5, featureGates: {A: 'true'}}\nspec.masterKubelet={maxPods: 9, "
     "featureGates: {B: 'true'}}",
     "masterKubelet.featureGates", "{A: 'true', B: 'true', ImageVolume: 'true'}"},
    {"spec.kubelet={maxPods: 5}\nspec.masterKubelet={maxPods: 9}", "masterKubelet.maxPods", "9"},
    {"spec.kubelet={maxPods: 5}\nspec.masterKubelet={maxPods: 9}", "kubelet.maxPods", "5"},
    {"spec.kubelet={podManifestPath: /x, evictionHard: ''}", "kubelet.podManifestPath",
     "/etc/kubernetes/manifests"},
    {"spec.kubelet={podManifestPath: /x, evictionHard: ''}", "kubelet.evictionHard", "''"},
    {"spec.kubelet={logLevel: 4}", "kubelet.logLevel", "4"},
    {"spec.kubelet={shutdownGracePeriod: 60s}", "kubelet.shutdownGracePeriodCriticalPods", ""},
    {"spec.networking={amazonvpc: {}}", "kubelet.shutdownGracePeriod", "0s"},
    {"spec.networking={amazonvpc: {}}", "kubeProxy.clusterCIDR", ""},
    {"spec.isolateMasters=true", "masterKubelet.hairpinMode", "none"},
    {"spec.isolateMasters=true", "kubelet.enableDebuggingHandlers", "true"},
    {"spec.networking={kubenet: {}}", "kubeControllerManager.configureCloudRoutes", "true"},
    {"", "kubeControllerManager.configureCloudRoutes", "false"},
    {"spec.kubeAPIServer={anonymousAuth: true, securePort: 6443}", "kubeAPIServer.anonymousAuth",
     "false"},
    {"spec.kubeAPIServer={anonymousAuth: true, securePort: 6443}", "kubeAPIServer.securePort",
     "443"},
    {"spec.authorization={alwaysAllow: {}}", "kubeAPIServer.authorizationMode", "AlwaysAllow"},
    {"", "kubeAPIServer.cloudProvider", ""},
    {"spec.kubernetesVersion=1.32.9", "kubeAPIServer.cloudProvider", "external"},
    {"spec.metricsServer={enabled: true}", "kubeAPIServer.enableAggregatorRouting", "true"},
    {"spec.kubeDNS={nodeLocalDNS: {enabled: true}}", "kubelet.clusterDNS", "169.254.20.10"},
    {"spec.kubeDNS={nodeLocalDNS: {enabled: true}}", "kubeDNS.nodeLocalDNS.forwardToKubeDNS",
     "false"},
    {"", "kubeDNS.provider", ""},
    {"spec.topology.dns.type=Public", "masterPublicName", "api.c.example.com"},
    {"spec.topology.dns.type=Public", "externalDns", "{provider: dns-controller}"},
    {"", "externalDns", ""},
    {"spec.serviceAccountIssuerDiscovery={discoveryService: {url: 'https://d'}}",
     "kubeAPIServer.serviceAccountJWKSURI", "https://d/openid/v1/jwks"},
    {"spec.serviceAccountIssuerDiscovery={discoveryStore: s3://b/k}",
     "kubeAPIServer.serviceAccountIssuer", ""}, /* only the store's client knows the address */
    {"spec.containerd={version: 2.2.0}", "containerd.runc", ""},
    {"spec.assets={containerRegistry: r.example/x}", "kubeProxy.image",
     "r.example/x/kube-proxy:v1.34.1"},
    {"spec.assets={containerProxy: p.example/}", "kubeProxy.image", "p.example/kube-proxy:v1.34.1"},
    {"spec.networking={calico: {}}", "networking.calico.encapsulationMode", "ipip"},
    {"spec.networking={calico: {encapsulationMode: vxlan}}", "networking.calico.encapsulationMode",
     "vxlan"},
    {"spec.networking={cilium: {ipam: eni}}", "networking.cilium.tunnel", "disabled"},
    {"spec.networking={cilium: {ipam: eni}}", "networking.cilium.enableBPFMasquerade", "true"},
    {"spec.networking={cilium: {enableEncryption: true}}", "networking.cilium.encryptionType",
     "ipsec"},
    {"spec.networking={cilium: {ingress: {}}}", "networking.cilium.ingress.enabled", "true"},
    {"spec.networking={kindnet: {}}", "networking.kindnet.masquerade",
     "{enabled: true, nonMasqueradeCIDRs: [172.20.0.0/16, 100.96.0.0/11, 100.64.0.0/13]}"},
    {"spec.clusterAutoscaler={enabled: true, expander: priority}",
     "clusterAutoscaler.createPriorityExpanderConfig", "true"},
    {"spec.clusterAutoscaler={}", "clusterAutoscaler", "{}"},
    {"spec.iam={useServiceAccountExternalPermissions: true}\nspec.karpenter={enabled: true}",
     "nodeTerminationHandler", ""},
    {"spec.nodeProblemDetector={}", "nodeProblemDetector.enabled", "false"},
    {HETZNER, "cloudControllerManager",
     "{cloudProvider: hcloud, allowUntaggedCloud: true, leaderElection: {leaderElect: false}, "
     "image: 'hetznercloud/hcloud-cloud-controller-manager:v1.31.0'}"},
    {HETZNER, "nodeTerminationHandler", ""},
    {HETZNER, "api.loadBalancer", "{type: Public}"},
    {GCE, "cloudConfig.nodeTags", "c-example-com-k8s-io-role-node"},
    {GCE, "cloudControllerManager.clusterName", "c-example-com"},
    {GCE, "kubelet.hairpinMode", "promiscuous-bridge"},
};

static void every_default_fills_what_is_open(void **state)
{
    size_t failures = 0;
    for (size_t i = 0; i < CK_ARRAY_LEN(defaults); i++) {
        struct ck_arena *a CK_AUTOARENA = ck_arena_new();
        CK_AUTOERR err = CK_ERR_INIT;
        struct ck_buf text CK_AUTOBUF = CK_BUF_INIT;
        struct ck_object o = cluster_with(a, defaults[i].patch), full;
        if (ck_populate_cluster(a, &o, NULL, &full, &err) < 0)
            fail_msg("%s: %s", defaults[i].patch, ck_err_msg(&err));
        const struct ck_val *got = ck_at(ck_get(full.root, "spec"), defaults[i].path);
        const struct ck_val *want = *defaults[i].value ? parse_yaml(a, defaults[i].value) : NULL;
        if (want ? ck_val_eq(got, want) : !got)
            continue;
        if (got)
            ck_yaml_emit(&text, got);
        print_error("%s: %s is %s\n", defaults[i].patch, defaults[i].path, ck_buf_str(&text));
        failures++;
    }
    assert_int_equal(failures, 0);
}

static const struct {
    const char *patch, *message;
} refusals[] = {
    {"spec.networkCIDR=1.2.3.4/99\nspec.subnets=[]",
     "[spec.networking.networkCIDR: Invalid value: \"1.2.3.4/99\": Could not be parsed as a CIDR, "
     "spec.networking.subnets: Required value: must configure at least one subnet (use --zones)]"},
    {"spec.networking={cilium: {hubble: {enabled: true}}}",
     "completed cluster failed validation: spec.networking.cilium.hubble.enabled: Forbidden: "
     "Hubble requires that cert manager is enabled"},
    {"spec.api={loadBalancer: {type: Public}}\nspec.topology.dns.type=Public",
     "completed cluster failed validation: spec.api.loadBalancer.class: Forbidden: AWS Classic "
     "Load Balancer for API is no longer supported; migrate to a Network Load Balancer using kOps "
     "1.36 or earlier. See "
     "https://github.com/kubernetes/kops/blob/master/permalinks/acm_nlb.md"},
    {"spec.networking={}", "no networking mode set"},
    {"spec.etcdClusters[0].version=3.4.3\nspec.etcdClusters[1].version=3.4.3",
     "etcd version \"3.4.3\" is not supported with etcd-manager, please specify a supported "
     "version, remove the value to use the recommended version, or also set the image field to run "
     "a custom version"},
    {"spec.etcdClusters[0].etcdMembers=[{name: a, instanceGroup: x}, {name: a, instanceGroup: p}, "
     "{name: b, instanceGroup: z}]",
     "EtcdMembers found with same name \"a\" in etcd-cluster \"main\""},
    {"spec.kubeControllerManager={attachDetachReconcileSyncPeriod: 10ms}",
     "AttachDetachReconcileSyncPeriod cannot be set to less than 1 second"},
};

static void what_cannot_be_completed_is_refused_with_kops_words(void **state)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(refusals); i++) {
        struct ck_arena *a CK_AUTOARENA = ck_arena_new();
        CK_AUTOERR err = CK_ERR_INIT;
        struct ck_object o = cluster_with(a, refusals[i].patch), full;
        assert_int_equal(ck_populate_cluster(a, &o, NULL, &full, &err), -CK_INVALID);
        assert_string_equal(ck_err_msg(&err), refusals[i].message);
    }
}

static void the_given_cluster_stays_as_it_is(void **state)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    struct ck_object o = cluster_with(a, ""), full, again;
    struct ck_val *before = ck_val_clone(a, o.root);
    assert_int_equal(ck_populate_cluster(a, &o, NULL, &full, NULL), 0);
    assert_true(ck_val_eq(before, o.root));
    assert_int_equal(ck_populate_cluster(a, &full, NULL, &again, NULL), 0);
    assert_true(ck_val_eq(full.root, again.root)); /* complete is complete */
}

static struct ck_object group_with(struct ck_arena *a, const char *patch)
{
    struct ck_object o = {.kind = CK_KIND_INSTANCE_GROUP};
    o.root = parse_yaml(a, "metadata: {name: g}\nspec: {role: Node}");
    apply_patch(a, o.root, patch);
    return o;
}

/* The API is reached the way the control plane's subnets suggest. */
static void subnets_decide_about_api_access(void **state)
{
    static const struct {
        const char *group, *expected;
    } cases[] = {
        {"spec.role=Master\nspec.subnets=[a]", "{dns: {}}"},
        {"spec.role=Node\nspec.subnets=[b]", NULL},
    };
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    for (size_t i = 0; i < CK_ARRAY_LEN(cases); i++) {
        struct ck_object group = group_with(a, cases[i].group), full;
        struct ck_object o = cluster_with(a, "spec.api=\nspec.topology.dns.type=Public");
        struct ck_populate_facts facts = {.groups = &group, .n_groups = 1};
        assert_int_equal(ck_populate_cluster(a, &o, &facts, &full, NULL), 0);
        const struct ck_val *api = ck_at(full.root, "spec.api");
        if (cases[i].expected)
            assert_true(ck_val_eq(api, parse_yaml(a, cases[i].expected)));
        else
            assert_null(api);
    }
}

static const char *zone_of(struct ck_arena *a, const char *name, const char *dns,
                           const struct ck_zone_fact *z, size_t n)
{
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_object o = cluster_with(a, "spec.topology.dns.type=Public"), full;
    ck_put(a, o.root, "metadata.name", ck_str(a, name));
    ck_put(a, o.root, "spec.topology.dns.type", ck_str(a, dns));
    struct ck_populate_facts facts = {.know_zones = true, .zones = z, .n_zones = n};
    if (ck_populate_cluster(a, &o, &facts, &full, &err) < 0)
        return ck_arena_strdup(a, ck_err_msg(&err));
    return ck_str_at(full.root, "spec.dnsZone");
}

static void the_longest_zone_of_the_right_kind_is_taken(void **state)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    static const struct ck_zone_fact z[] = {{"Z1", "example.com.", false},
                                            {"Z2", "k.example.com", false},
                                            {"Z3", "k.example.com.", true},
                                            {"Z4", "ample.com.", false}};
    assert_string_equal(zone_of(a, "c.example.com", "Public", z, 4), "Z1");
    assert_string_equal(zone_of(a, "c.k.example.com", "Public", z, 4), "Z2");
    assert_string_equal(zone_of(a, "c.k.example.com", "Private", z, 4), "Z3");
    assert_string_equal(zone_of(a, "c.other.org", "Public", z, 4),
                        "No matching hosted zones found for \".c.other.org\"; please create one "
                        "(e.g. \"other.org\") first");
    static const struct ck_zone_fact twins[] = {{"Z1", "example.com.", false},
                                                {"Z2", "example.com.", false}};
    assert_string_equal(zone_of(a, "c.example.com", "Public", twins, 2),
                        "Found multiple hosted zones matching cluster \".c.example.com\"; please "
                        "specify the ID of the zone to use");
}

/* ---- groups ---- */

static const struct {
    const char *cluster, *group, *path, *value;
} group_defaults[] = {
    {"", "", "minSize", "2"},
    {"", "spec.minSize=0", "minSize", "0"},
    {"", "", "manager", "CloudGroup"},
    {"", "spec.manager=Karpenter", "minSize", ""},
    {"", "spec.role=Bastion", "maxSize", "1"},
    {"", "spec.role=Bastion", "kubelet", "{}"},
    {"", "", "subnets", "[a, b]"},
    {"spec.subnets=[{name: u, type: Utility}, {name: d, type: DualStack}]", "", "subnets", "[d]"},
    {"", "", "kubelet", "{nodeLabels: {node-role.kubernetes.io/node: ''}}"},
    {"spec.kubelet={anonymousAuth: true, taints: ['b:NoSchedule'], nodeLabels: {x: '1'}}",
     "spec.taints=['a:NoSchedule']\nspec.nodeLabels={z: '2'}\nspec.kubelet={maxPods: 7}", "kubelet",
     "{anonymousAuth: false, maxPods: 7, taints: ['a:NoSchedule', 'b:NoSchedule'], nodeLabels: "
     "{node-role.kubernetes.io/node: '', x: '1', z: '2'}}"},
    {"", "spec.manager=Karpenter", "kubelet.taints", "['karpenter.sh/unregistered=:NoExecute']"},
    {"", "spec.containerd={gvisor: {enabled: true}}", "nodeLabels", "{kops.k8s.io/gvisor: '1'}"},
    {"spec.containerd={nvidiaGPU: {enabled: true}}", "", "taints", ""},
    {"spec.cloudProvider=hetzner", "", "machineType", "cx23"},
    {"spec.cloudProvider=gce", "spec.role=Bastion", "machineType", "e2-micro"},
    {"spec.cloudProvider=hetzner", "", "image", "ubuntu-24.04"},
    {"", "", "image", ""}, /* no channel was given */
};

static void every_group_default_fills_what_is_open(void **state)
{
    size_t failures = 0;
    for (size_t i = 0; i < CK_ARRAY_LEN(group_defaults); i++) {
        struct ck_arena *a CK_AUTOARENA = ck_arena_new();
        struct ck_buf text CK_AUTOBUF = CK_BUF_INIT;
        struct ck_object c = cluster_with(a, group_defaults[i].cluster), full;
        struct ck_object g = group_with(a, group_defaults[i].group);
        assert_int_equal(ck_populate_instance_group(a, &c, &g, NULL, &full, NULL), 0);
        const struct ck_val *got = ck_at(ck_get(full.root, "spec"), group_defaults[i].path);
        const char *value = group_defaults[i].value;
        if (*value ? ck_val_eq(got, parse_yaml(a, value)) : !got)
            continue;
        if (got)
            ck_yaml_emit(&text, got);
        print_error("%s: %s is %s\n", group_defaults[i].group, group_defaults[i].path,
                    ck_buf_str(&text));
        failures++;
    }
    assert_int_equal(failures, 0);
}

static void gpus_get_a_label_and_a_taint(void **state)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    struct ck_object c = cluster_with(a, "spec.containerd={nvidiaGPU: {enabled: true}}"), full;
    struct ck_object g = group_with(a, "");
    struct ck_group_facts facts = {.gpu = true, .machine_type = "g4dn.xlarge"};
    assert_int_equal(ck_populate_instance_group(a, &c, &g, &facts, &full, NULL), 0);
    assert_string_equal(ck_str_at(full.root, "spec.machineType"), "g4dn.xlarge");
    assert_true(
        ck_list_has_str(ck_at(full.root, "spec.kubelet.taints"), "nvidia.com/gpu:NoSchedule"));
    assert_true(
        ck_is_str(ck_get(ck_at(full.root, "spec.kubelet.nodeLabels"), "kops.k8s.io/gpu"), "1"));
}

static void groups_that_cannot_be_completed_are_refused(void **state)
{
    static const struct {
        const char *cluster, *group, *message;
    } cases[] = {
        {"", "spec.role=Bogus",
         "failed validating input specs: spec.role: Unsupported value: \"Bogus\": supported "
         "values: \"ControlPlane\", \"APIServer\", \"Node\", \"Bastion\", \"Etcd\", "
         "\"Scheduler\", \"KubeControllerManager\""},
        {"spec.subnets=[]", "", "unable to infer any Subnets for InstanceGroup g "},
        {"", "spec.tenancy=dedicated\nspec.machineType=t2.micro",
         "invalid dedicated instance type: t2.micro"},
        {"", "spec.role=APIServer",
         "apiserver nodes requires the APIServerNodes feature flag to be enabled"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(cases); i++) {
        struct ck_arena *a CK_AUTOARENA = ck_arena_new();
        CK_AUTOERR err = CK_ERR_INIT;
        struct ck_object c = cluster_with(a, cases[i].cluster), full;
        struct ck_object g = group_with(a, cases[i].group);
        assert_int_equal(ck_populate_instance_group(a, &c, &g, NULL, &full, &err), -CK_INVALID);
        assert_string_equal(ck_err_msg(&err), cases[i].message);
    }
}

/* ---- shapes nobody expects ---- */

/* The i-th value of the tree in depth-first order, NULL past the last. */
static struct ck_val *nth_value(struct ck_val *v, size_t *i)
{
    if ((*i)-- == 0)
        return v;
    for (size_t k = 0; k < ck_len(v); k++) {
        struct ck_val *found = nth_value(v->kind == CK_MAP ? v->map.v[k].val : ck_item(v, k), i);
        if (found)
            return found;
    }
    return NULL;
}

static void use_everything(struct ck_arena *a, const struct ck_object *cluster,
                           const struct ck_object *group)
{
    struct ck_object full, full_group;
    struct ck_field_errs errs = {.arena = a};
    struct ck_validate_ctx ctx = {
        .arena = a, .features = &flags, .strict = true, .cloud_rules = true};
    struct ck_populate_facts facts = {.groups = group, .n_groups = 1};
    CK_AUTOERR err = CK_ERR_INIT;
    ck_validate_cluster(&ctx, cluster, &errs);
    ck_validate_cluster_update(&ctx, cluster, cluster, &errs);
    ck_validate_instance_group(&ctx, group, &errs);
    ck_cross_validate(&ctx, group, cluster, &errs);
    ck_field_errs_fail(&errs, &err);
    ck_populate_cluster(a, cluster, &facts, &full, &err);
    ck_populate_instance_group(a, cluster, group, NULL, &full_group, &err);
}

static void no_shape_of_a_value_breaks_validation_or_completion(void **state)
{
    static const char *const shapes[] = {"null", "[]", "{}", "x", "-1", "true", "[{}]", "''"};
    struct ck_arena *seed CK_AUTOARENA = ck_arena_new();
    struct ck_object cluster = cluster_with(
        seed, "spec.api.loadBalancer.subnets=[{name: a, privateIPv4Address: 1.2.3.4}]\n"
              "spec.networking={cilium: {hubble: {enabled: true}}, calico: {}, kindnet: {}}\n"
              "spec.hooks=[{name: x, manifest: m}]\nspec.topology.dns.type=Public\n"
              "spec.egressProxy={excludes: a, httpProxy: {host: h}}\n"
              "spec.additionalPolicies={node: '[{\"Effect\": \"Allow\"}]'}\n"
              "spec.rollingUpdate={maxSurge: 1, maxUnavailable: 50%}");
    struct ck_object full,
        group = group_with(seed, "spec.subnets=[a]\nspec.kubelet={taints: [x]}\nspec.taints=[a]\n"
                                 "spec.nodeLabels={a: b}\nspec.volumes=[{device: x, size: 1}]");
    struct ck_object plain = cluster_with(seed, "spec.networking={cilium: {}}");
    assert_int_equal(ck_populate_cluster(seed, &plain, NULL, &full, NULL), 0);
    const struct ck_object *const objects[] = {&cluster, &full, &group};
    for (size_t o = 0; o < CK_ARRAY_LEN(objects); o++) {
        for (size_t i = 0, more = 1; more; i++) {
            struct ck_arena *a CK_AUTOARENA = ck_arena_new();
            for (size_t k = 0; k < CK_ARRAY_LEN(shapes); k++) {
                struct ck_object copy = {.kind = objects[o]->kind,
                                         .root = ck_val_clone(a, objects[o]->root)};
                size_t at = i;
                struct ck_val *v = nth_value(copy.root, &at);
                if (!(more = v != NULL))
                    break;
                *v = *parse_yaml(a, shapes[k]);
                use_everything(a, o < 2 ? &copy : &cluster, o < 2 ? &group : &copy);
            }
        }
    }
}

int main(void)
{
    ck_feature_flags_parse(&flags, NULL, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completed_clusters_have_kops_bytes),
        cmocka_unit_test(completed_groups_have_kops_kubelets),
        cmocka_unit_test(what_create_cluster_makes_completes_and_is_valid),
        cmocka_unit_test(every_default_fills_what_is_open),
        cmocka_unit_test(what_cannot_be_completed_is_refused_with_kops_words),
        cmocka_unit_test(the_given_cluster_stays_as_it_is),
        cmocka_unit_test(subnets_decide_about_api_access),
        cmocka_unit_test(the_longest_zone_of_the_right_kind_is_taken),
        cmocka_unit_test(every_group_default_fills_what_is_open),
        cmocka_unit_test(gpus_get_a_label_and_a_taint),
        cmocka_unit_test(groups_that_cannot_be_completed_are_refused),
        cmocka_unit_test(no_shape_of_a_value_breaks_validation_or_completion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
