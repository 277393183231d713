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
    const char *input =
        ck_arena_printf(a, "%.*s/in-v1alpha2.yaml", (int)(dir - path), path);
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
        print_error("%s: %s\n", path,
                    first_difference(a, ck_buf_str(&got), ck_buf_str(&want)));
        ++*failures;
    }
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
        skip();
    for (size_t i = 0; i < g.gl_pathc; i++)
        check_golden(g.gl_pathv[i], &failures);
    print_message("%zu clusters\n", g.gl_pathc);
    globfree(&g);
    assert_int_equal(failures, 0);
}

int main(void)
{
    ck_feature_flags_parse(&flags, NULL, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completed_clusters_have_kops_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
