/* Properties that hold for every specification, tried on random ones: reading undoes writing, a
 * round trip changes no verdict, completing twice is completing once, merging is by option. */
#include "spec_random.h"

#include "doc/json.h"
#include "ops/create_cluster.h"
#include "spec/populate.h"
#include "spec/validate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct ck_feature_flags all_features;

/* CK_FULL=1 takes ten times as many. */
enum { VALID = 1000, MERGES = 300, ANY_FIELDS = 1000 };

static size_t times(size_t n)
{
    const char *full = getenv("CK_FULL");
    return full && *full && *full != '0' ? 10 * n : n;
}

static uint64_t seed(void)
{
    const char *s = getenv("CK_SEED");
    uint64_t v = s ? strtoull(s, NULL, 10) : 20261121;
    return v ? v : 1;
}

/* ---- making ---- */

struct made {
    struct ck_object cluster;
    struct ck_object *igs;
    size_t n;
};

static bool build(struct ck_arena *a, const struct ck_new_cluster_opts *o, struct made *ret)
{
    struct ck_facts facts = {.arena = a};
    struct ck_channel channel;
    struct ck_new_cluster built;
    CK_AUTOERR err = CK_ERR_INIT;
    if (ck_channel_builtin(a, "stable", &channel, &err))
        return false;
    const struct ck_new_cluster_env env = {.facts = &facts,
                                           .channel = &channel,
                                           .features = &all_features,
                                           .kops_version = "1.37.0-alpha.1",
                                           .state_url = "memfs://s",
                                           .state_text = "memfs://s/c"};
    if (ck_new_cluster_build(a, o, &env, &built, &err) ||
        ck_assign_cluster(a, &built.cluster, NULL, &err))
        return false;
    *ret = (struct made){built.cluster, built.igs, built.n_igs};
    return true;
}

/* Settings that fit any cluster, or make it invalid: both must survive a round trip. */
static void disturb(struct rnd *r, struct ck_arena *a, struct made *m)
{
    static const char *const cluster[] = {
        "spec.kubelet.maxPods=50",
        "spec.kubeAPIServer.logLevel=4",
        "spec.nodePortAccess=10.0.0.0/8",
        "spec.networking.nonMasqueradeCIDR=100.64.0.0/10",
        "spec.kubeProxy.ipvsExcludeCIDRs=1.2.3.4",
        "spec.etcdClusters[0].version=3.5.9",
        "spec.sysctlParameters=a=b",
        "spec.clusterAutoscaler.enabled=true",
        "spec.certManager.enabled=true",
        "spec.metricsServer.enabled=true",
        "spec.updatePolicy=sometimes",
        "spec.networking.networkCIDR=172.20.0.1/16",
        "spec.nodeProblemDetector.enabled=true",
        "spec.rollingUpdate.maxSurge=25%",
        "spec.egressProxy.httpProxy.host=proxy",
        "spec.kubelet.shutdownGracePeriod=20s",
    };
    static const char *const group[] = {"spec.maxSize=5",
                                        "spec.minSize=9",
                                        "spec.role=Nobody",
                                        "spec.rootVolume.type=gp9",
                                        "spec.taints=a=b:NoSchedule",
                                        "spec.cpuCredits=standard",
                                        "spec.subnets=nowhere"};
    for (size_t i = rnd_below(r, 4); i; i--)
        ck_object_set(a, &m->cluster, RND_PICK(r, cluster), NULL);
    for (size_t i = rnd_one_in(r, 4); i && m->n; i--)
        ck_object_set(a, &m->igs[rnd_below(r, m->n)], RND_PICK(r, group), NULL);
}

/* ---- writing and reading ---- */

enum form { YAML, JSON, V1ALPHA3, N_FORMS };

static const char *yaml_of(struct ck_arena *a, const struct ck_object *o)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_object_yaml(a, &b, o);
    return ck_arena_strdup(a, ck_buf_str(&b));
}

static const char *text_of(struct ck_arena *a, const struct ck_object *o, enum form form)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (form == YAML)
        return yaml_of(a, o);
    if (form == JSON)
        ck_object_json(a, &b, o);
    else if (ck_object_yaml_v1alpha3(a, &b, o, NULL))
        return NULL;
    return ck_arena_strdup(a, ck_buf_str(&b));
}

static struct ck_object read_back(struct ck_arena *a, const char *text)
{
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_object o = {0};
    if (ck_object_decode(a, ck_slice_of(text), NULL, &o, &err))
        fail_msg("%s\n%s", ck_err_msg(&err), text);
    return o;
}

static void same_text(const char *want, const char *got, const char *via)
{
    if (strcmp(want, got) == 0)
        return;
    size_t i = 0, line = 0;
    for (; want[i] && want[i] == got[i]; i++)
        if (want[i] == '\n')
            line = i + 1;
    fail_msg("%.*s\nbecame\n%.*s\nthrough\n%s", (int)strcspn(want + line, "\n"), want + line,
             (int)strcspn(got + line, "\n"), got + line, via);
}

/* ---- verdicts ---- */

static const char *verdict(struct ck_arena *a, const struct made *m)
{
    const struct ck_validate_ctx c = {.arena = a, .features = &all_features, .cloud_rules = true};
    struct ck_field_errs errs = {.arena = a};
    CK_AUTOERR err = CK_ERR_INIT;
    ck_validate_cluster(&c, &m->cluster, &errs);
    for (size_t i = 0; i < m->n; i++) {
        ck_validate_instance_group(&c, &m->igs[i], &errs);
        ck_cross_validate(&c, &m->igs[i], &m->cluster, &errs);
    }
    ck_field_errs_fail(&errs, &err);
    return ck_arena_strdup(a, err.code ? ck_err_msg(&err) : "");
}

static const char *verdict_of_completed(struct ck_arena *a, const struct made *m,
                                        struct ck_object *ret)
{
    const struct ck_populate_facts facts = {
        .features = &all_features, .groups = m->igs, .n_groups = m->n};
    CK_AUTOERR err = CK_ERR_INIT;
    int r = ck_populate_cluster(a, &m->cluster, &facts, ret, &err);
    return ck_arena_strdup(a, r ? ck_err_msg(&err) : "");
}

static struct made round_trip(struct ck_arena *a, const struct made *m, enum form form)
{
    struct made back = {.n = m->n};
    back.igs = ck_arena_alloc(a, (m->n + 1) * sizeof *back.igs);
    back.cluster = read_back(a, text_of(a, &m->cluster, form));
    for (size_t i = 0; i < m->n; i++)
        back.igs[i] = read_back(a, text_of(a, &m->igs[i], form));
    return back;
}

static void try_one(struct rnd *r, struct ck_arena *a, const struct made *m, size_t *valid)
{
    enum form form = (enum form)rnd_below(r, N_FORMS);
    struct ck_object full, full_back;
    if (strcmp(ck_str_at(m->cluster.root, "spec.cloudProvider"), "alicloud") == 0)
        form = form == V1ALPHA3 ? YAML : form; /* v1alpha3 came after that cloud had gone */
    struct made back = round_trip(a, m, form);
    const char *via = text_of(a, &m->cluster, form);
    same_text(yaml_of(a, &m->cluster), yaml_of(a, &back.cluster), via);
    for (size_t i = 0; i < m->n; i++)
        same_text(yaml_of(a, &m->igs[i]), yaml_of(a, &back.igs[i]), text_of(a, &m->igs[i], form));
    const char *before = verdict(a, m);
    assert_string_equal(verdict(a, &back), before);
    const char *completed = verdict_of_completed(a, m, &full);
    assert_string_equal(verdict_of_completed(a, &back, &full_back), completed);
    if (*before || *completed)
        return;
    ++*valid;
    same_text(yaml_of(a, &full), yaml_of(a, &full_back), via);
    struct made again = {full, m->igs, m->n};
    struct ck_object twice;
    assert_string_equal(verdict_of_completed(a, &again, &twice), "");
    same_text(yaml_of(a, &full), yaml_of(a, &twice), "a second completion");
}

static void round_trips_change_no_text_and_no_verdict_and_completing_twice_is_once(void **state)
{
    (void)state;
    struct rnd r = {seed()};
    size_t valid = 0, tried = 0, wanted = times(VALID);
    while (valid < wanted && tried < 4 * wanted) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        struct ck_new_cluster_opts o;
        struct made m;
        rnd_options(&r, &o);
        if (build(a, &o, &m)) {
            tried++;
            disturb(&r, a, &m);
            try_one(&r, a, &m, &valid);
        }
        rnd_options_done(&o);
    }
    print_message("%zu valid of %zu random clusters\n", valid, tried);
    assert_true(valid >= wanted);
}

/* ---- any field at all ---- */

static void reading_undoes_writing_of_any_field(void **state)
{
    static const enum ck_object_kind kinds[] = {CK_KIND_CLUSTER, CK_KIND_INSTANCE_GROUP};
    static const struct ck_decode_opts quiet = {0};
    (void)state;
    struct rnd r = {seed() ^ 0x5555};
    size_t done = 0, n = times(ANY_FIELDS);
    for (size_t i = 0; i < n; i++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        enum ck_object_kind kind = kinds[i % 2];
        struct ck_object o, plain = ck_object_new(a, kind, "x.example.com");
        const struct ck_field *spec = ck_field_find(ck_type_of(kind, false), CK_S("spec"));
        ck_set(a, plain.root, "spec", rnd_struct(&r, a, ck_field_struct(spec), 0, 12));
        CK_AUTOERR err = CK_ERR_INIT;
        if (ck_object_from_val(a, plain.root, &quiet, &o, &err))
            continue; /* options of a foreign cloud */
        done++;
        const char *text = yaml_of(a, &o);
        struct ck_object back = read_back(a, text);
        same_text(text, yaml_of(a, &back), text);
        const char *json = text_of(a, &o, JSON);
        struct ck_object from_json = read_back(a, json);
        same_text(text, yaml_of(a, &from_json), json);
    }
    print_message("%zu random objects of any fields\n", done);
    assert_true(done > n / 3);
}

/* ---- merging ---- */

struct merge_option {
    const char *name;
    void (*set)(struct ck_new_cluster_opts *o);
};

static void set_node_count(struct ck_new_cluster_opts *o)
{
    o->node_count = 7;
}
static void set_node_size(struct ck_new_cluster_opts *o)
{
    ck_strv_push(&o->node_sizes, "c5.large");
}
static void set_cp_size(struct ck_new_cluster_opts *o)
{
    ck_strv_push(&o->control_plane_sizes, "c6i.large");
}
static void set_version(struct ck_new_cluster_opts *o)
{
    o->kubernetes_version = "1.36.1";
}
static void set_admin(struct ck_new_cluster_opts *o)
{
    ck_strv_push(&o->admin_access, "10.9.0.0/16");
}
static void set_ssh(struct ck_new_cluster_opts *o)
{
    ck_strv_push(&o->ssh_access, "10.8.0.0/16");
}
static void set_node_volume(struct ck_new_cluster_opts *o)
{
    o->node_volume_size = 77;
}
static void set_cp_volume(struct ck_new_cluster_opts *o)
{
    o->control_plane_volume_size = 78;
}
static void set_public_name(struct ck_new_cluster_opts *o)
{
    o->api_public_name = "api.merged.example.com";
}
static void set_lb(struct ck_new_cluster_opts *o)
{
    o->api_lb_type = "internal";
}
static void set_tags(struct ck_new_cluster_opts *o)
{
    o->disable_subnet_tags = true;
}
static void set_cp_groups(struct ck_new_cluster_opts *o)
{
    ck_strv_push(&o->control_plane_security_groups, "sg-9");
}
static void set_labels(struct ck_new_cluster_opts *o)
{
    o->cloud_labels = "merged=yes";
}
static void set_gates(struct ck_new_cluster_opts *o)
{
    ck_strv_push(&o->feature_gates, "+Merged");
}

/* No two touch the same field. */
static const struct merge_option merge_options[] = {
    {"node-count", set_node_count},        {"node-size", set_node_size},
    {"control-plane-size", set_cp_size},   {"kubernetes-version", set_version},
    {"admin-access", set_admin},           {"ssh-access", set_ssh},
    {"node-volume-size", set_node_volume}, {"control-plane-volume-size", set_cp_volume},
    {"api-public-name", set_public_name},  {"api-loadbalancer-type", set_lb},
    {"disable-subnet-tags", set_tags},     {"control-plane-security-groups", set_cp_groups},
    {"cloud-labels", set_labels},          {"kubernetes-feature-gates", set_gates},
};

static struct made merged(struct ck_arena *a, const struct made *m, uint32_t which)
{
    struct ck_create_cluster_opts o = {0};
    struct ck_map given = {0};
    const char **text = (const char **)&o.n;
    CK_AUTOERR err = CK_ERR_INIT;
    for (size_t i = 0; i < offsetof(struct ck_new_cluster_opts, zones) / sizeof *text; i++)
        text[i] = "";
    o.n.name = ck_object_name(&m->cluster);
    o.given = &given;
    for (size_t i = 0; i < CK_ARRAY_LEN(merge_options); i++)
        if (which >> i & 1) {
            ck_map_put(&given, merge_options[i].name, &given);
            merge_options[i].set(&o.n);
        }
    struct made to = {ck_object_clone(a, &m->cluster),
                      ck_arena_alloc(a, (m->n + 1) * sizeof *to.igs), m->n};
    for (size_t i = 0; i < m->n; i++)
        to.igs[i] = ck_object_clone(a, &m->igs[i]);
    struct ck_merge merge = {
        .a = a, .o = &o, .cluster = &to.cluster, .igs = to.igs, .n_igs = to.n, .cap_igs = to.n + 1};
    if (ck_merge_options(&merge, &err))
        fail_msg("%s", ck_err_msg(&err));
    to.igs = merge.igs;
    to.n = merge.n_igs;
    rnd_options_done(&o.n);
    ck_map_done(&given);
    return to;
}

static void same_objects(struct ck_arena *a, const struct made *x, const struct made *y)
{
    same_text(yaml_of(a, &x->cluster), yaml_of(a, &y->cluster), "merging");
    assert_int_equal(x->n, y->n);
    for (size_t i = 0; i < x->n; i++)
        same_text(yaml_of(a, &x->igs[i]), yaml_of(a, &y->igs[i]), "merging");
}

static void merging_goes_option_by_option(void **state)
{
    (void)state;
    struct rnd r = {seed() ^ 0xaaaa};
    size_t done = 0, n = times(MERGES);
    while (done < n) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        struct ck_new_cluster_opts o;
        struct made m;
        rnd_options(&r, &o);
        if (build(a, &o, &m)) {
            done++;
            uint32_t all = (1u << CK_ARRAY_LEN(merge_options)) - 1;
            uint32_t x = (uint32_t)rnd_next(&r) & all, y = (uint32_t)rnd_next(&r) & all & ~x;
            struct made none = merged(a, &m, 0), both = merged(a, &m, x | y);
            struct made first = merged(a, &m, x), then = merged(a, &first, y);
            struct made other = merged(a, &m, y), back = merged(a, &other, x);
            struct made twice = merged(a, &both, x | y);
            same_objects(a, &m, &none);
            same_objects(a, &both, &then);
            same_objects(a, &both, &back);
            same_objects(a, &both, &twice);
        }
        rnd_options_done(&o);
    }
}

int main(void)
{
    for (size_t i = 0; i < _CK_FF_MAX; i++)
        all_features.on[i] = true;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips_change_no_text_and_no_verdict_and_completing_twice_is_once),
        cmocka_unit_test(reading_undoes_writing_of_any_field),
        cmocka_unit_test(merging_goes_option_by_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
