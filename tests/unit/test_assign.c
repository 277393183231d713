/* What is stored with a cluster that its manifest leaves open: ranges, names, exclusions. The
 * expected ranges were observed with kOps. */
#include "validate_cases.h"

#include "spec/assign.h"

struct told {
    struct ck_buf assigned, skipped;
};

static void hear_assigned(void *arg, const char *text)
{
    struct told *t = arg;
    ck_buf_fmt(&t->assigned, "%s\n", text);
}

static void hear_skipped(void *arg, const char *text)
{
    struct told *t = arg;
    ck_buf_fmt(&t->skipped, "%s\n", text);
}

static struct ck_object cluster_of(struct ck_arena *a, const char *spec)
{
    struct ck_object o = {.kind = CK_KIND_CLUSTER};
    o.root = parse_yaml(a, "metadata: {name: c.example.com}");
    ck_set(a, o.root, "spec", parse_yaml(a, spec));
    return o;
}

/* The subnets' ranges, "name=cidr" in order. */
static const char *ranges(struct ck_arena *a, const struct ck_object *o)
{
    struct ck_buf b CK_AUTOBUF = CK_BUF_INIT;
    const struct ck_val *list = ck_at(o->root, "spec.subnets");
    for (size_t i = 0; i < ck_len(list); i++)
        ck_buf_fmt(&b, "%s%s=%s", i ? " " : "", ck_str_at(ck_item(list, i), "name"),
                   ck_str_at(ck_item(list, i), "cidr"));
    return ck_arena_strdup(a, ck_buf_str(&b));
}

static struct ck_object subnets_of(struct ck_arena *a, const char *cloud, const char *network,
                                   const char *const *types)
{
    struct ck_object o = cluster_of(a, "topology: {dns: {type: None}}");
    struct ck_val *spec = ck_get(o.root, "spec"), *list = ck_list(a);
    ck_set_str(a, spec, "cloudProvider", cloud);
    if (*network)
        ck_set_str(a, spec, "networkCIDR", network);
    for (size_t i = 0; types[i]; i++) { /* "Type zone [cidr]" */
        char type[32], zone[32], cidr[64] = "";
        assert_true(sscanf(types[i], "%31s %31s %63s", type, zone, cidr) >= 2);
        struct ck_val *s = ck_map(a);
        ck_set(a, s, "name", ck_strf(a, "%c%s", type[0], zone));
        ck_set_str(a, s, "type", type);
        ck_set_str(a, s, "zone", zone);
        if (*cidr)
            ck_set_str(a, s, cidr[0] == '/' ? "ipv6CIDR" : "cidr", cidr);
        ck_append(a, list, s);
    }
    ck_set(a, spec, "subnets", list);
    return o;
}

static void subnets_share_the_network_as_kops_cuts_it(void **state)
{
    static const struct {
        const char *network, *expected;
        const char *types[12];
    } cases[] = {
        {"", "Pa=172.20.0.0/16", {"Public a"}},
        {"",
         "Pa=172.20.0.0/18 Pb=172.20.64.0/18 Pc=172.20.128.0/18",
         {"Public a", "Public b", "Public c"}},
        {"",
         "Pa=172.20.64.0/18 Pb=172.20.128.0/18 Ua=172.20.0.0/21 Ub=172.20.8.0/21",
         {"Private a", "Private b", "Utility a", "Utility b"}},
        {"",
         "Pa=172.20.64.0/18 Pb=172.20.128.0/18 Pc=172.20.192.0/18 Ua=172.20.0.0/21 "
         "Ub=172.20.8.0/21 Uc=172.20.16.0/21",
         {"Private a", "Private b", "Private c", "Utility a", "Utility b", "Utility c"}},
        {"",
         "Pa=172.20.32.0/19 Pb=172.20.64.0/19 Pc=172.20.96.0/19 Pd=172.20.128.0/19 "
         "Ua=172.20.0.0/22 Ub=172.20.4.0/22 Uc=172.20.8.0/22 Ud=172.20.12.0/22",
         {"Private a", "Private b", "Private c", "Private d", "Utility a", "Utility b", "Utility c",
          "Utility d"}},
        {"",
         "Pa= Pb= Da=172.20.32.0/19 Db=172.20.64.0/19 Ua=172.20.0.0/22 Ub=172.20.4.0/22",
         {"Private a /64#0", "Private b /64#1", "DualStack a /64#2", "DualStack b /64#3",
          "Utility a", "Utility b"}},
        {"10.0.0.0/8",
         "Pb=10.128.0.0/9 Pa=10.0.0.0/9",
         {"Public b", "Public a"}}, /* by zone, not by place */
        {"",
         "Pa=172.20.0.0/24 Pb=172.20.128.0/17",
         {"Public a 172.20.0.0/24", "Public b"}}, /* given ranges keep their blocks */
        {"",
         "Pa=10.9.0.0/16 Pb=172.20.0.0/16",
         {"Public a 10.9.0.0/16", "Public b"}}, /* foreign ranges reserve nothing */
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(cases); i++) {
        struct ck_arena *a CK_AUTOARENA = ck_arena_new();
        CK_AUTOERR err = CK_ERR_INIT;
        struct ck_object o = subnets_of(a, "aws", cases[i].network, cases[i].types);
        assert_int_equal(ck_assign_cluster(a, &o, NULL, &err), 0);
        assert_string_equal(ranges(a, &o), cases[i].expected);
    }
}

static void expect_refusal(const char *network, const char *const *types, const char *text)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_object o = subnets_of(a, "aws", network, types);
    assert_int_equal(ck_assign_cluster(a, &o, NULL, &err), -CK_INVALID);
    assert_string_equal(ck_err_msg(&err), text);
}

static void a_network_that_cannot_be_cut_is_refused(void **state)
{
    expect_refusal("172.20.0.0/99", (const char *const[]){"Public a", NULL},
                   "Invalid NetworkCIDR: \"172.20.0.0/99\"");
    expect_refusal("", (const char *const[]){"Bogus a", NULL},
                   "subnet \"Ba\" has unknown type \"Bogus\"");
    expect_refusal("", (const char *const[]){"Public a 172.20.0.0/16", "Public b", NULL},
                   "could not find any non-overlapping CIDRs in parent NetworkCIDR; cannot "
                   "automatically assign CIDR to subnet");
    expect_refusal("",
                   (const char *const[]){"Public a 172.20.0.0/17", "Public b 172.20.128.0/18",
                                         "Public c", "Public d", NULL},
                   "insufficient (big) CIDRs remaining for automatic CIDR allocation to subnet "
                   "\"Pd\"");
}

static void given_ranges_are_not_looked_at(void **state)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    struct ck_object o =
        subnets_of(a, "aws", "172.20.0.0/99", (const char *const[]){"Bogus a 172.20.0.0/24", NULL});
    assert_int_equal(ck_assign_cluster(a, &o, NULL, NULL), 0);
}

static void every_field_that_is_open_gets_its_default(void **state)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    struct ck_object o = cluster_of(a, "cloudProvider: aws\n"
                                       "etcdClusters: [{name: main}, {name: events, manager: "
                                       "{backupRetentionDays: 7}}]\n");
    assert_int_equal(ck_assign_cluster(a, &o, NULL, NULL), 0);
    const struct ck_val *spec = ck_get(o.root, "spec"), *etcd = ck_get(spec, "etcdClusters");
    assert_int_equal(ck_int_at(ck_item(etcd, 0), "manager.backupRetentionDays", 0), 90);
    assert_int_equal(ck_int_at(ck_item(etcd, 1), "manager.backupRetentionDays", 0), 7);
    assert_string_equal(ck_str_at(spec, "networkCIDR"), "172.20.0.0/16");
    assert_string_equal(ck_str_at(spec, "nonMasqueradeCIDR"), "100.64.0.0/10");
    assert_string_equal(ck_str_at(spec, "masterPublicName"), "api.c.example.com");
    assert_true(ck_is_map(ck_get(spec, "topology")));
}

static void what_is_set_stays(void **state)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    struct ck_object o = cluster_of(a, "cloudProvider: aws\nnetworkCIDR: 10.1.0.0/16\n"
                                       "nonMasqueradeCIDR: 10.0.0.0/9\nmasterPublicName: x\n"
                                       "kubernetesVersion: 1.33.0\n");
    struct ck_val *before = ck_val_clone(a, ck_get(o.root, "spec"));
    const struct ck_assign_facts facts = {.kubernetes_version = "1.36.3",
                                          .network_cidr = "10.9.0.0/16"};
    assert_int_equal(ck_assign_cluster(a, &o, &facts, NULL), 0);
    ck_ensure_map(a, before, "topology");
    assert_true(ck_val_eq(before, ck_get(o.root, "spec")));
}

static void assigning_twice_changes_nothing(void **state)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    struct ck_object o = subnets_of(
        a, "aws", "", (const char *const[]){"Private a", "Private b", "Utility a", NULL});
    struct ck_val *spec = ck_get(o.root, "spec");
    ck_set(a, spec, "egressProxy", parse_yaml(a, "{httpProxy: {host: p, port: 80}}"));
    assert_int_equal(ck_assign_cluster(a, &o, NULL, NULL), 0);
    struct ck_val *once = ck_val_clone(a, o.root);
    assert_int_equal(ck_assign_cluster(a, &o, NULL, NULL), 0);
    assert_true(ck_val_eq(once, o.root));
}

static void dns_decides_about_the_public_name(void **state)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    static const char *const none[] = {"None", "Private"};
    for (size_t i = 0; i < 2; i++) {
        struct ck_object o = cluster_of(a, "cloudProvider: hetzner");
        ck_put(a, o.root, "spec.topology.dns.type", ck_str(a, none[i]));
        assert_int_equal(ck_assign_cluster(a, &o, NULL, NULL), 0);
        assert_string_equal(ck_str_at(o.root, "spec.masterPublicName"), "");
        assert_string_equal(ck_str_at(o.root, "spec.networkCIDR"), "");
    }
}

static void amazonvpc_takes_the_network_as_pod_range(void **state)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    struct ck_object o = cluster_of(a, "cloudProvider: aws\nnetworking: {amazonvpc: {}}");
    ck_assign_cluster(a, &o, NULL, NULL);
    assert_string_equal(ck_str_at(o.root, "spec.nonMasqueradeCIDR"), "172.20.0.0/16");
    o = cluster_of(a, "cloudProvider: aws\nnetworkCIDR: 10.0.0.0/16\nnetworking: {amazonvpc: {}}");
    ck_assign_cluster(a, &o, NULL, NULL);
    assert_string_equal(ck_str_at(o.root, "spec.nonMasqueradeCIDR"), "100.64.0.0/10");
}

static void proxy_exclusions_follow_the_users_own(void **state)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    struct ck_object o =
        cluster_of(a, "cloudProvider: aws\nclusterDNSDomain: cluster.local\n"
                      "egressProxy: {excludes: 'corp.example,localhost'}\nadditionalNetworkCIDRs: "
                      "[10.5.0.0/16]\ntopology: {dns: {type: Public}}\n");
    ck_assign_cluster(a, &o, NULL, NULL);
    assert_string_equal(ck_str_at(o.root, "spec.egressProxy.excludes"),
                        "corp.example,localhost,127.0.0.1,cluster.local,api.c.example.com,"
                        "c.example.com,100.64.0.1,100.64.0.0/10,169.254.169.254,172.20.0.0/16,"
                        "10.5.0.0/16");
}

static void shared_networks_need_facts(void **state)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    struct told told = {CK_BUF_INIT, CK_BUF_INIT};
    struct ck_assign_facts facts = {
        .assigned = hear_assigned, .skipped = hear_skipped, .arg = &told};
    const char *spec = "cloudProvider: aws\nnetworkID: vpc-1\nkubernetesVersion: 1.34.0\n"
                       "subnets: [{name: a, id: subnet-1, type: Public}]";
    struct ck_object o = cluster_of(a, spec);
    assert_int_equal(ck_assign_cluster(a, &o, &facts, NULL), 0);
    assert_string_equal(ck_buf_str(&told.skipped),
                        "spec.networkCIDR: only the cloud knows the range of network vpc-1\n"
                        "spec.subnets: only the cloud knows the range of subnet subnet-1\n");
    assert_string_equal(ck_str_at(o.root, "spec.networkCIDR"), "");
    static const struct ck_subnet_fact subnets[] = {{"subnet-1", "us-east-1a", "10.0.1.0/24"}};
    facts.network_cidr = "10.0.0.0/12";
    facts.subnets = subnets;
    facts.n_subnets = 1;
    o = cluster_of(a, spec);
    assert_int_equal(ck_assign_cluster(a, &o, &facts, NULL), 0);
    assert_string_equal(ranges(a, &o), "a=10.0.1.0/24");
    assert_string_equal(ck_str_at(ck_item(ck_at(o.root, "spec.subnets"), 0), "zone"), "us-east-1a");
    assert_string_equal(ck_str_at(o.root, "spec.networkCIDR"), "10.0.0.0/12");
    CK_AUTOERR err = CK_ERR_INIT;
    o = cluster_of(a, "cloudProvider: aws\nnetworkID: vpc-1\n"
                      "subnets: [{name: a, id: subnet-1, type: Public, zone: other}]");
    assert_int_equal(ck_assign_cluster(a, &o, &facts, &err), -CK_INVALID);
    assert_string_equal(ck_err_msg(&err),
                        "Subnet \"a\" has configured Zone \"other\", but the actual Zone found was "
                        "\"us-east-1a\"");
    ck_buf_done(&told.assigned);
    ck_buf_done(&told.skipped);
}

static void gce_ranges_avoid_those_in_use(void **state)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    struct told told = {CK_BUF_INIT, CK_BUF_INIT};
    static const char *const used[] = {"10.0.16.0/20", NULL};
    struct ck_assign_facts facts = {.used_cidrs = used, .assigned = hear_assigned, .arg = &told};
    struct ck_object o = cluster_of(a, "cloudProvider: gce\nnetworking: {cilium: {}}\n"
                                       "subnets: [{name: r, region: r, type: Public}]");
    assert_int_equal(ck_assign_cluster(a, &o, NULL, NULL), 0);
    assert_string_equal(ranges(a, &o), "r=10.0.16.0/20");
    ck_unset(ck_item(ck_at(o.root, "spec.subnets"), 0), "cidr");
    assert_int_equal(ck_assign_cluster(a, &o, &facts, NULL), 0);
    assert_string_equal(ranges(a, &o), "r=10.0.32.0/20");
    assert_string_equal(ck_buf_str(&told.assigned), "Assigned CIDR 10.0.32.0/20 to subnet r\n");
    assert_string_equal(ck_str_at(o.root, "spec.networkCIDR"), "");
    ck_buf_done(&told.assigned);
}

static void gce_aliases_give_pods_and_services_ranges(void **state)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    struct ck_object o = cluster_of(a, "cloudProvider: gce\nnetworking: {gce: {}}\n"
                                       "subnets: [{name: r, region: r, type: Public}]");
    assert_int_equal(ck_assign_cluster(a, &o, NULL, NULL), 0);
    assert_string_equal(ck_str_at(o.root, "spec.nonMasqueradeCIDR"), "10.0.0.0/8");
    assert_string_equal(ck_str_at(o.root, "spec.podCIDR"), "10.4.0.0/14");
    assert_string_equal(ck_str_at(o.root, "spec.serviceClusterIPRange"), "10.1.0.0/16");
    assert_string_equal(ranges(a, &o), "r=10.0.32.0/19");
}

static void the_channel_gives_the_version(void **state)
{
    struct ck_arena *a CK_AUTOARENA = ck_arena_new();
    const struct ck_assign_facts facts = {.kubernetes_version = "1.36.3"};
    struct ck_object o = cluster_of(a, "cloudProvider: hetzner");
    ck_assign_cluster(a, &o, &facts, NULL);
    assert_string_equal(ck_str_at(o.root, "spec.kubernetesVersion"), "1.36.3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subnets_share_the_network_as_kops_cuts_it),
        cmocka_unit_test(a_network_that_cannot_be_cut_is_refused),
        cmocka_unit_test(given_ranges_are_not_looked_at),
        cmocka_unit_test(every_field_that_is_open_gets_its_default),
        cmocka_unit_test(what_is_set_stays),
        cmocka_unit_test(assigning_twice_changes_nothing),
        cmocka_unit_test(dns_decides_about_the_public_name),
        cmocka_unit_test(amazonvpc_takes_the_network_as_pod_range),
        cmocka_unit_test(proxy_exclusions_follow_the_users_own),
        cmocka_unit_test(shared_networks_need_facts),
        cmocka_unit_test(gce_ranges_avoid_those_in_use),
        cmocka_unit_test(gce_aliases_give_pods_and_services_ranges),
        cmocka_unit_test(the_channel_gives_the_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
