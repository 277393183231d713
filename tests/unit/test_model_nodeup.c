/* What nodes read: files and their sums, configurations, boot scripts, pods. Whole clusters are
 * compared with kops' own output by tests/e2e/test_update.py; here are the rules no such case has.
 */
#include "base/attr.h"
#include "base/file.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "crypto/spki.h"
#include "doc/yaml.h"
#include "model/nodeup/internal.h"
#include "task/store/store_kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char SUM[] = "c86e072f622b91546b7b3f3cb1a0f8a131e48b966ad018a0ac1520ceedf37725";

static const char CLUSTER[] = "apiVersion: kops.k8s.io/v1alpha2\n"
                              "kind: Cluster\n"
                              "metadata: {name: c.example}\n"
                              "spec:\n"
                              "  cloudProvider: aws\n"
                              "  configBase: memfs://b/c.example\n"
                              "  keyStore: memfs://b/c.example/pki\n"
                              "  secretStore: memfs://b/c.example/secrets\n"
                              "  kubernetesVersion: 1.34.0\n"
                              "  clusterDNSDomain: cluster.local\n"
                              "  containerd: {version: 2.3.4, runc: {version: 1.4.3}}\n"
                              "  etcdClusters:\n"
                              "  - {name: main, version: 3.6.12, etcdMembers: [{name: a, "
                              "instanceGroup: cp}]}\n"
                              "  kubeAPIServer: {image: x}\n"
                              "  networkCIDR: 10.0.0.0/16\n"
                              "  nonMasqueradeCIDR: 100.64.0.0/10\n"
                              "  serviceClusterIPRange: 100.64.0.0/13\n"
                              "  networking: {cilium: {}}\n"
                              "  topology: {dns: {type: Public}}\n";

/* A model over CLUSTER, with `more` laid over the spec. */
struct world {
    struct ck_arena *a;
    struct ck_env env;
    struct ck_vfs_ctx vfs;
    struct ck_facts facts;
    struct ck_object cluster, groups[3];
    struct ck_tasks tasks;
    struct ck_model m;
    char dir[64];
};

static struct ck_val *yaml(struct ck_arena *a, const char *text)
{
    struct ck_val *v = NULL;
    CK_AUTOERR err = CK_ERR_INIT;
    if (ck_yaml_parse(a, ck_slice_of(text), NULL, &v, NULL, &err))
        fail_msg("%s", ck_err_msg(&err));
    return v;
}

static void lay_over(struct ck_arena *a, struct ck_val *to, const char *text)
{
    const struct ck_val *v = yaml(a, text);
    for (uint32_t i = 0; ck_is_map(v) && i < v->map.n; i++)
        ck_setn(a, to, v->map.v[i].key, v->map.v[i].val);
}

static struct ck_object group_of(struct ck_arena *a, const char *name, const char *role,
                                 const char *more)
{
    struct ck_object g = ck_object_new(a, CK_KIND_INSTANCE_GROUP, name);
    ck_set_str(a, ck_object_spec(&g), "role", role);
    ck_set(a, ck_object_spec(&g), "kubelet", ck_map(a));
    lay_over(a, ck_object_spec(&g), more);
    return g;
}

static void put(const char *dir, const char *name, const char *text)
{
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOFREE char *path = ck_xasprintf("%s/%s", dir, name), *parent = ck_xstrdup(path);
    *strrchr(parent, '/') = '\0';
    assert_int_equal(ck_mkdirs(parent, 0700, &err), 0);
    assert_int_equal(ck_file_write(path, ck_slice_of(text), 0600, &err), 0);
}

static void make(struct world *w, const char *more, const char *worker)
{
    *w = (struct world){.a = ck_arena_new()};
    snprintf(w->dir, sizeof w->dir, "/tmp/nodeup-test-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    put(w->dir, "base/linux/amd64/nodeup.sha256", SUM);
    put(w->dir, "base/linux/arm64/nodeup.sha256", SUM);
    static const char *const images[] = {"kops-channels", "kops-controller", "dns-controller",
                                         "kube-apiserver-healthcheck"};
    for (size_t i = 0; i < 2 * CK_ARRAY_LEN(images); i++) {
        CK_AUTOFREE char *name = ck_xasprintf("base/images/%s-%s.tar.gz.sha256", images[i / 2],
                                              i % 2 ? "arm64" : "amd64");
        put(w->dir, name, SUM);
    }
    w->vfs = (struct ck_vfs_ctx){.env = &w->env, .arena = w->a};
    ck_env_set(&w->env, "XDG_CACHE_HOME", w->dir);
    ck_env_set(&w->env, "KOPS_BASE_URL", ck_arena_printf(w->a, "file://%s/base/", w->dir));
    w->cluster = (struct ck_object){.kind = CK_KIND_CLUSTER, .root = yaml(w->a, CLUSTER)};
    lay_over(w->a, ck_object_spec(&w->cluster), more);
    w->groups[0] = group_of(w->a, "cp", "Master", "");
    w->groups[1] = group_of(w->a, "nodes", "Node", worker);
    w->groups[2] = group_of(w->a, "jump", "Bastion", "");
    ck_tasks_init(&w->tasks, w->a);
    w->m = (struct ck_model){
        .a = w->a,
        .env = &w->env,
        .vfs = &w->vfs,
        .name = "c.example",
        .raw = &w->cluster,
        .full = &w->cluster,
        .spec = ck_object_spec(&w->cluster),
        .groups = w->groups,
        .n_groups = 3,
        .facts = &w->facts,
        .kops_version = "1.37.0+x",
        .cloud = "aws",
        .region = "us-test-1",
        .partition = "aws",
        .account = "",
        .tasks = &w->tasks,
    };
    assert_true(ck_semver_parse(CK_S("1.34.0"), &w->m.kubernetes));
}

static void assets(struct world *w)
{
    CK_AUTOERR err = CK_ERR_INIT;
    if (ck_assets_new(w->a, &w->m, true, &w->m.assets, &err))
        fail_msg("%s", ck_err_msg(&err));
}

static void done(struct world *w)
{
    CK_AUTOFREE char *command = ck_xasprintf("rm -rf %s", w->dir);
    ck_tasks_done(&w->tasks);
    ck_env_done(&w->env);
    ck_arena_free(w->a);
    assert_int_equal(system(command), 0);
}

static const struct ck_asset *asset(struct world *w, const char *name)
{
    const struct ck_asset *f;
    for (size_t i = 0; (f = ck_assets_get(w->m.assets, CK_ASSET_NODE, "amd64", i)); i++)
        if (!strcmp(f->name, name))
            return f;
    return NULL;
}

static const struct ck_val *config(struct world *w, size_t group)
{
    const struct ck_node_files *files = NULL;
    CK_AUTOERR err = CK_ERR_INIT;
    if (ck_nodeup_files(&w->m, &w->groups[group], &files, &err))
        fail_msg("%s", ck_err_msg(&err));
    return yaml(w->a, files->config.ptr);
}

static const char *user_data(struct world *w, size_t group)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOERR err = CK_ERR_INIT;
    if (ck_model_user_data(&w->m, &w->groups[group], &b, &err))
        fail_msg("%s", ck_err_msg(&err));
    return ck_arena_strdup(w->a, ck_buf_str(&b));
}

static bool same(struct world *w, const struct ck_val *v, const char *text)
{
    return ck_val_eq(v ? v : ck_null(w->a), yaml(w->a, text));
}

/* ---- files ---- */

static void networks_that_bring_plugins_get_none(void **state)
{
    (void)state;
    struct world w;
    make(&w, "", "");
    assets(&w);
    assert_null(asset(&w, "cni-plugins"));
    assert_non_null(asset(&w, "kubelet"));
    done(&w);
    make(&w, "networking: {kindnet: {}}", "");
    assets(&w);
    assert_non_null(strstr(asset(&w, "cni-plugins")->canonical, "-v1.7.1.tgz"));
    done(&w);
}

static void a_file_repository_replaces_scheme_and_host_and_sums_stay(void **state)
{
    (void)state;
    struct world w;
    make(&w, "assets: {fileRepository: 'https://mirror.example/k/'}", "");
    put(w.dir, "list",
        ck_arena_printf(w.a,
                        "file://%s/base/linux/amd64/nodeup\t%s\n"
                        "file://%s/base/linux/arm64/nodeup %s\n",
                        w.dir, SUM, w.dir, SUM));
    ck_env_set(&w.env, "CKOPS_ASSET_HASHES", ck_arena_printf(w.a, "%s/list", w.dir));
    CK_AUTOERR err = CK_ERR_INIT;
    /* the images of kops are in no list, and offline nobody may be asked */
    assert_int_equal(ck_assets_new(w.a, &w.m, true, &w.m.assets, &err), -CK_NOT_FOUND);
    assert_non_null(strstr(ck_err_msg(&err), "CKOPS_ASSET_HASHES"));
    assert_non_null(strstr(ck_err_msg(&err), "kops-channels-amd64.tar.gz"));
    const struct ck_asset *kubelet = asset(&w, "kubelet");
    assert_string_equal(ck_str_or(ck_item(kubelet->locations, 0), ""),
                        "https://mirror.example/k/release/v1.34.0/bin/linux/amd64/kubelet");
    assert_string_equal(kubelet->canonical,
                        "https://dl.k8s.io/release/v1.34.0/bin/linux/amd64/kubelet");
    assert_int_equal(strlen(kubelet->sha256), 64);
    done(&w);
}

static void sums_asked_earlier_are_used_again(void **state)
{
    (void)state;
    static const char url[] = "https://artifacts.k8s.io/binaries/kops/9.9.9/linux/%s/nodeup";
    static const char *const archs[] = {"amd64", "arm64"};
    struct world w;
    make(&w, "", "");
    ck_env_set(&w.env, "KOPS_BASE_URL", NULL);
    w.m.kops_version = "9.9.9";
    for (size_t i = 0; i < 2; i++) {
        char name[2 * CK_SHA256_LEN + 1], text[256];
        snprintf(text, sizeof text, "https://artifacts.k8s.io/binaries/kops/9.9.9/linux/%s/nodeup",
                 archs[i]);
        ck_sha256_hex(ck_slice_of(text), name);
        put(w.dir, ck_arena_printf(w.a, "ckops/sha256/%s", name),
            ck_arena_printf(w.a, "%s\t%s\n", text, SUM));
    }
    (void)url;
    assets(&w);
    const struct ck_asset *f = ck_assets_get(w.m.assets, CK_ASSET_NODEUP, "arm64", 0);
    assert_string_equal(f->sha256, SUM);
    assert_int_equal(ck_len(f->locations), 2); /* releases have a mirror */
    done(&w);
}

static void sums_that_are_none_are_refused(void **state)
{
    (void)state;
    struct world w;
    make(&w, "", "");
    CK_AUTOERR err = CK_ERR_INIT;
    put(w.dir, "base/linux/amd64/nodeup.sha256", "<html>not found</html>");
    assert_int_equal(ck_assets_new(w.a, &w.m, false, &w.m.assets, &err), -CK_INVALID);
    assert_non_null(strstr(ck_err_msg(&err), "does not hold a SHA-256"));
    done(&w);
}

static void packages_of_ones_own_need_both_url_and_hash(void **state)
{
    (void)state;
    struct world w;
    make(&w,
         "containerd: {version: 2.3.4, runc: {version: 1.4.3}, packages: {urlAmd64: "
         "'https://own.example/c.tgz', hashAmd64: abc, urlArm64: 'https://own.example/d.tgz'}}",
         "");
    assets(&w);
    assert_string_equal(asset(&w, "containerd")->canonical, "https://own.example/c.tgz");
    assert_string_equal(asset(&w, "containerd")->sha256, "abc");
    const struct ck_asset *f;
    for (size_t i = 0; (f = ck_assets_get(w.m.assets, CK_ASSET_NODE, "arm64", i)); i++)
        assert_null(strstr(f->canonical, "own.example"));
    done(&w);
}

static void images_are_loaded_from_files_with_a_base_of_ones_own(void **state)
{
    (void)state;
    struct world w;
    make(&w, "", "");
    assets(&w);
    const struct ck_val *images = ck_get(config(&w, 0), "images");
    assert_int_equal(ck_len(ck_get(images, "arm64")), 4);
    assert_string_equal(ck_str_at(ck_item(ck_get(images, "amd64"), 0), "hash"), SUM);
    assert_null(ck_get(config(&w, 1), "images"));
    done(&w);
}

/* ---- configurations ---- */

static const char HOOKS[] = "hooks:\n"
                            "- {name: all, disabled: true}\n"
                            "- {name: cp, roles: [Master]}\n"
                            "- {name: other, roles: [ControlPlane, Node]}\n"
                            "fileAssets:\n"
                            "- {name: a, path: /a, content: x}\n"
                            "- {name: b, path: /b, content: y, roles: [Node]}\n"
                            "- {name: c, path: /c, content: z, roles: [ControlPlane]}\n"
                            "sysctlParameters: [a=1]\n"
                            "packages: [p]\n";

static void hooks_and_files_go_where_their_roles_say(void **state)
{
    (void)state;
    struct world w;
    make(&w, HOOKS,
         "{hooks: [{name: mine, roles: [Bastion]}], fileAssets: [{name: m, path: /m}], "
         "sysctlParameters: [b=2], packages: [q], updatePolicy: external, volumeMounts: [{device: "
         "/dev/x, path: /x}]}");
    assets(&w);
    const struct ck_val *c = config(&w, 1);
    assert_true(
        same(&w, ck_get(c, "Hooks"), "[null, [{name: all, enabled: false}, {name: other}]]"));
    assert_true(same(&w, ck_get(c, "FileAssets"),
                     "[{name: m, path: /m}, {name: a, path: /a, content: x}, "
                     "{name: b, path: /b, content: y}]"));
    assert_true(same(&w, ck_get(c, "SysctlParameters"),
                     "['# Custom sysctl parameters from cluster spec', '', a=1, "
                     "'# Custom sysctl parameters from instance group spec', '', b=2]"));
    assert_true(same(&w, ck_get(c, "packages"), "[p, q]"));
    assert_string_equal(ck_str_at(c, "UpdatePolicy"), "external");
    assert_int_equal(ck_len(ck_get(c, "VolumeMounts")), 1);
    c = config(&w, 0);
    assert_true(same(&w, ck_get(c, "Hooks"),
                     "[null, [{name: all, enabled: false}, {name: cp}, {name: other}]]"));
    assert_string_equal(ck_str_at(ck_item(ck_get(c, "FileAssets"), 1), "name"), "c");
    assert_string_equal(ck_str_at(ck_item(ck_get(c, "FileAssets"), 2), "path"),
                        "/var/lib/kube-scheduler/config.yaml");
    done(&w);
}

static void scheduler_settings_reach_its_configuration(void **state)
{
    (void)state;
    struct world w;
    make(&w, "kubeScheduler: {qps: '1500m', burst: 7}", "");
    assets(&w);
    const struct ck_val *file = ck_item(ck_get(config(&w, 0), "FileAssets"), 0);
    const struct ck_val *c = yaml(w.a, ck_str_at(file, "content"));
    assert_int_equal(ck_int_at(c, "clientConnection.burst", 0), 7);
    assert_non_null(ck_at(c, "clientConnection.kubeconfig"));
    const struct ck_val *qps = ck_at(c, "clientConnection.qps");
    assert_true(qps && qps->kind == CK_FLOAT);
    assert_true(qps->f > 1.49 && qps->f < 1.51);
    done(&w);
}

static void two_scheduler_configurations_are_refused(void **state)
{
    (void)state;
    static const char text[] = "{apiVersion: kubescheduler.config.k8s.io/v1, kind: "
                               "KubeSchedulerConfiguration, percentageOfNodesToScore: 50}";
    struct world w;
    make(&w, "", "");
    assets(&w);
    struct ck_object more[2] = {{.root = yaml(w.a, text)}, {.root = yaml(w.a, text)}};
    w.m.addons = more;
    w.m.n_addons = 2;
    const struct ck_node_files *files;
    CK_AUTOERR err = CK_ERR_INIT;
    assert_int_equal(ck_nodeup_files(&w.m, &w.groups[0], &files, &err), -CK_INVALID);
    assert_non_null(strstr(ck_err_msg(&err), "multiple KubeSchedulerConfiguration"));
    w.m.n_addons = 1;
    const struct ck_val *file = ck_item(ck_get(config(&w, 0), "FileAssets"), 0);
    assert_int_equal(
        ck_int_at(yaml(w.a, ck_str_at(file, "content")), "percentageOfNodesToScore", 0), 50);
    done(&w);
}

static void settings_are_spelt_as_the_node_program_spells_them(void **state)
{
    (void)state;
    struct world w;
    make(&w,
         "{kubeAPIServer: {image: x, oidcClientID: me, oidcGroupsClaim: 'a,b', "
         "authorizationWebhookCacheAuthorizedTtl: 1m0s}, networking: {amazonvpc: {}}, ntp: "
         "{managed: false}, containerd: {version: 2.3.4, runc: {version: 1.4.3}, logLevel: info}}",
         "{kubelet: {authenticationTokenWebhookCacheTtl: 2m0s}, machineType: 'm5.large,m5.xlarge', "
         "containerd: {logLevel: debug, nvidiaGPU: {enabled: true, package: p}}}");
    assets(&w);
    const struct ck_val *c = config(&w, 0), *api = ck_get(c, "APIServerConfig");
    assert_string_equal(ck_str_at(api, "Authentication.oidc.clientID"), "me");
    assert_int_equal(ck_len(ck_at(api, "Authentication.oidc.groupsClaims")), 2);
    assert_null(ck_at(api, "KubeAPIServer.oidcClientID"));
    assert_non_null(ck_at(api, "KubeAPIServer.authorizationWebhookCacheAuthorizedTTL"));
    c = config(&w, 1);
    assert_non_null(ck_at(c, "KubeletConfig.authenticationTokenWebhookCacheTTL"));
    assert_true(ck_is_map(ck_at(c, "Networking.amazonVPC")));
    assert_string_equal(ck_str_at(c, "DefaultMachineType"), "m5.large");
    assert_true(ck_bool_at(c, "NTPUnmanaged", false));
    assert_string_equal(ck_str_at(c, "containerdConfig.logLevel"), "debug");
    assert_string_equal(ck_str_at(c, "containerdConfig.version"), "2.3.4");
    assert_string_equal(ck_str_at(c, "NvidiaGPU.package"), "p");
    done(&w);
}

static void a_pool_of_no_machines_is_none(void **state)
{
    (void)state;
    struct world w;
    make(&w, "warmPool: {maxSize: 3, enableLifecycleHook: true}", "warmPool: {maxSize: 0}");
    assets(&w);
    assert_null(ck_get(config(&w, 1), "EnableLifecycleHook"));
    assert_null(ck_get(config(&w, 1), "warmPoolImages"));
    assert_null(ck_get(config(&w, 0), "EnableLifecycleHook"));
    done(&w);
}

/* ---- boot ---- */

static void known_addresses_replace_names_where_there_is_no_dns(void **state)
{
    (void)state;
    struct world w;
    make(&w, "topology: {dns: {type: None}}", "");
    assets(&w);
    w.facts.root = yaml(w.a, "aws: {apiAddresses: [10.0.3.4, 192.0.2.1]}");
    const char *data = user_data(&w, 1);
    assert_non_null(strstr(data, "- https://10.0.3.4:3988/\n"));
    assert_non_null(strstr(data, "tlsServerName: kops-controller.internal.c.example\n"));
    assert_non_null(strstr(data, "APIServerIPs:\n- 10.0.3.4\n"));
    assert_null(strstr(data, "192.0.2.1")); /* not inside the network */
    assert_true(same(&w, ck_get(config(&w, 0), "ApiserverAdditionalIPs"), "[10.0.3.4]"));
    done(&w);
}

static void values_of_the_environment_are_quoted(void **state)
{
    (void)state;
    struct world w;
    make(&w, "egressProxy: {httpProxy: {host: proxy.example, port: 3128}, excludes: 'a,b'}", "");
    assets(&w);
    ck_env_set(&w.env, "S3_ENDPOINT", "https://s3.example");
    ck_env_set(&w.env, "S3_SECRET_ACCESS_KEY", "a'b $(reboot)");
    const char *data = user_data(&w, 0);
    assert_non_null(strstr(data, "export S3_ENDPOINT=https://s3.example\n"));
    assert_non_null(strstr(data, "export S3_SECRET_ACCESS_KEY='a'\\''b $(reboot)'\n"));
    assert_non_null(strstr(data, "http_proxy=http://proxy.example:3128"));
    assert_null(strstr(user_data(&w, 1), "S3_ENDPOINT")); /* workers do not read the store */
    done(&w);
}

static void bastions_get_only_what_is_their_own(void **state)
{
    (void)state;
    struct world w;
    make(&w, "", "");
    assets(&w);
    assert_string_equal(user_data(&w, 2), "");
    lay_over(w.a, ck_object_spec(&w.groups[2]),
             "additionalUserData: [{name: x.sh, type: text/x-shellscript, content: \"echo\\n\"}]");
    const char *data = user_data(&w, 2);
    assert_non_null(strstr(data, "filename=\"x.sh\""));
    assert_null(strstr(data, "nodeup.sh"));
    done(&w);
}

static void names_of_parts_cannot_start_another_header(void **state)
{
    (void)state;
    struct world w;
    make(&w, "", "additionalUserData: [{name: \"x\\nEvil: 1\", type: t, content: y}]");
    assets(&w);
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOERR err = CK_ERR_INIT;
    assert_int_equal(ck_model_user_data(&w.m, &w.groups[1], &b, &err), -CK_INVALID);
    assert_non_null(strstr(ck_err_msg(&err), "additionalUserData[0].name"));
    done(&w);
}

/* ---- pods ---- */

static const struct ck_val *etcd_pod(struct world *w, const char *etcd)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOERR err = CK_ERR_INIT;
    if (ck_nodeup_etcd_pod(&w->m, yaml(w->a, etcd), &b, &err))
        fail_msg("%s", ck_err_msg(&err));
    return ck_item(ck_at(yaml(w->a, ck_buf_str(&b)), "spec.containers"), 0);
}

static void cilium_s_etcd_is_reached_by_the_internal_name(void **state)
{
    (void)state;
    struct world w;
    make(&w, "", "");
    const struct ck_val *c = etcd_pod(
        &w, "{name: cilium, memoryRequest: 1Gi, backups: {backupStore: 's3://b/k'}, manager: "
            "{backupInterval: 15m0s, backupRetentionDays: 3, logLevel: 8, listenMetricsURLs: "
            "['http://a', 'http://b'], env: [{name: X, value: z}]}}");
    const struct ck_val *args = ck_get(c, "args");
    static const char *const flags[] = {
        "--client-urls=https://api.internal.c.example:4003",
        "--cluster-name=etcd-cilium",
        "--peer-urls=https://__name__:2382",
        "--quarantine-client-urls=https://__name__:3992",
        "--grpc-port=3991",
        "--backup-store=s3://b/k",
        "--backup-interval=15m0s",
        "--v=8",
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(flags); i++)
        assert_true(ck_list_has_str(args, flags[i]));
    assert_true(
        same(&w, ck_get(c, "env"),
             "[{name: AWS_REGION, value: us-test-1}, {name: "
             "ETCD_MANAGER_DAILY_BACKUPS_RETENTION, value: 3d}, {name: "
             "ETCD_LISTEN_METRICS_URLS, value: 'http://a,http://b'}, {name: X, value: z}]"));
    assert_string_equal(ck_str_at(c, "resources.requests.memory"), "1Gi");
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOERR err = CK_ERR_INIT;
    assert_int_equal(ck_nodeup_etcd_pod(&w.m, yaml(w.a, "{name: odd}"), &b, &err), -CK_INVALID);
    done(&w);
}

static void versions_become_tags(void **state)
{
    (void)state;
    struct world w;
    make(&w, "addons: [{manifest: 'https://a.example/x.yaml'}]", "");
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOERR err = CK_ERR_INIT;
    assert_int_equal(ck_nodeup_channels_pod(&w.m, &b, &err), 0);
    assert_non_null(strstr(ck_buf_str(&b), "channels:1.37.0-x\n"));
    assert_non_null(strstr(ck_buf_str(&b), "- memfs://b/c.example/addons/bootstrap-channel.yaml\n"
                                           "    - https://a.example/x.yaml\n"));
    done(&w);
}

/* ---- tasks ---- */

static void every_file_is_a_task(void **state)
{
    (void)state;
    struct world w;
    make(&w, "", "manager: Karpenter");
    assets(&w);
    CK_AUTOERR err = CK_ERR_INIT;
    if (ck_model_managed_files(&w.m, &err))
        fail_msg("%s", ck_err_msg(&err));
    static const char *const names[] = {
        "cluster-completed.spec",
        "kops-version.txt",
        "etcd-cluster-spec-main",
        "manifests-etcdmanager-main-cp",
        "manifests-channels-kops-channels",
        "manifests-static-kube-apiserver-healthcheck",
        "nodeupconfig-cp",
        "nodeupconfig-nodes",
        "nodeupscript-nodes",
    };
    size_t files = 0;
    for (size_t i = 0; i < w.tasks.n; i++)
        files += w.tasks.v[i]->kind == &ck_task_managed_file;
    assert_int_equal(files, CK_ARRAY_LEN(names)); /* none for the bastion */
    for (size_t i = 0; i < CK_ARRAY_LEN(names); i++)
        assert_non_null(ck_tasks_find(&w.tasks, &ck_task_managed_file, names[i]));
    const struct ck_task *t =
        ck_tasks_find(&w.tasks, &ck_task_managed_file, "etcd-cluster-spec-main");
    assert_string_equal(ck_task_get_str(t, "URL"),
                        "memfs://b/c.example/backups/etcd/main/control/etcd-cluster-spec");
    assert_non_null(ck_tasks_find(&w.tasks, &ck_task_keypair, "kubernetes-ca"));
    assert_non_null(ck_tasks_find(&w.tasks, &ck_task_secret, "system:dns"));
    done(&w);
}

/* ---- public keys ---- */

static void damaged_certificates_are_refused_and_read_no_further(void **state)
{
    (void)state;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOPKIKEY struct ck_pki_key *rsa = NULL, *ec = NULL;
    CK_AUTOBUF struct ck_buf pem = CK_BUF_INIT, pem_ec = CK_BUF_INIT;
    struct ck_cert cert, cert_ec;
    struct ck_spki key;
    struct ck_cert_ca ca = {"x", "1", false, 1700000000};
    assert_int_equal(ck_pki_key_new_rsa(1024, &rsa, &err), 0);
    assert_int_equal(ck_pki_key_new_ec("P-256", &ec, &err), 0);
    assert_int_equal(ck_cert_issue_ca(&ca, rsa, &pem, &err), 0);
    assert_int_equal(ck_cert_issue_ca(&ca, ec, &pem_ec, &err), 0);
    assert_int_equal(ck_cert_read(a, ck_buf_slice(&pem), &cert, &err), 0);
    assert_int_equal(ck_cert_read(a, ck_buf_slice(&pem_ec), &cert_ec, &err), 0);
    assert_int_equal(ck_spki_of_cert(cert.der, &key, &err), 0);
    assert_int_equal(key.n.len, 128);
    assert_memory_equal(key.e.ptr, "\x01\x00\x01", 3);
    assert_int_equal(ck_spki_of_cert(cert_ec.der, &key, &err), 0);
    assert_int_equal(key.n.len, 0);
    size_t end = (size_t)(key.der.ptr - cert_ec.der.ptr) + key.der.len;
    for (size_t n = 0; n < end; n++) { /* exact copies, so that a sanitiser sees every over-read */
        CK_AUTOFREE char *cut = ck_xmemdup(cert_ec.der.ptr, n + 1);
        assert_int_equal(ck_spki_of_cert(ck_slice_n(cut, n), &key, &err), -CK_INVALID);
    }
    for (size_t n = 0; n < cert.der.len; n++) {
        CK_AUTOFREE char *bad = ck_xmemdup(cert.der.ptr, cert.der.len);
        bad[n] = (char)(bad[n] ^ 0xff);
        (void)ck_spki_of_cert(ck_slice_n(bad, cert.der.len), &key, &err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_that_bring_plugins_get_none),
        cmocka_unit_test(a_file_repository_replaces_scheme_and_host_and_sums_stay),
        cmocka_unit_test(sums_asked_earlier_are_used_again),
        cmocka_unit_test(sums_that_are_none_are_refused),
        cmocka_unit_test(packages_of_ones_own_need_both_url_and_hash),
        cmocka_unit_test(images_are_loaded_from_files_with_a_base_of_ones_own),
        cmocka_unit_test(hooks_and_files_go_where_their_roles_say),
        cmocka_unit_test(scheduler_settings_reach_its_configuration),
        cmocka_unit_test(two_scheduler_configurations_are_refused),
        cmocka_unit_test(settings_are_spelt_as_the_node_program_spells_them),
        cmocka_unit_test(a_pool_of_no_machines_is_none),
        cmocka_unit_test(known_addresses_replace_names_where_there_is_no_dns),
        cmocka_unit_test(values_of_the_environment_are_quoted),
        cmocka_unit_test(bastions_get_only_what_is_their_own),
        cmocka_unit_test(names_of_parts_cannot_start_another_header),
        cmocka_unit_test(cilium_s_etcd_is_reached_by_the_internal_name),
        cmocka_unit_test(versions_become_tags),
        cmocka_unit_test(every_file_is_a_task),
        cmocka_unit_test(damaged_certificates_are_refused_and_read_no_further),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
