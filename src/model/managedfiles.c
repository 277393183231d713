/* Tasks for everything a cluster keeps in its store but add-ons: files, keysets, secrets. What is
 * in the files is model/nodeup's part. Mirrors kOps pkg/model/{bootstrapscript,issuerdiscovery,
 * pki}.go, components/etcdmanager and upup/pkg/fi/cloudup/apply_cluster.go. */
#include "model/nodeup.h"

#include "base/attr.h"
#include "base/strv.h"
#include "model/nodeup/internal.h"
#include "spec/populate.h"
#include "store/tokens.h"
#include "task/store/store_kinds.h"

#include <string.h>

/* Where a file goes. */
struct place {
    const char *name; /* of the task */
    const char *base; /* location of the folder */
    const char *path; /* below it */
    bool show_base;   /* kOps names the folder in its previews */
};

/* kOps shows folders of the local file system as paths. */
static const char *shown(const char *location)
{
    static const char file[] = "file://";
    return ck_str_starts(location, file) ? location + strlen(file) : location;
}

static struct ck_task *add_file(struct ck_model *m, const struct place *p, struct ck_slice content)
{
    const char *path = *p->path == '/' ? p->path + 1 : p->path;
    struct ck_task *t = ck_task_new(m->tasks, &ck_task_managed_file, p->name, m->cluster);
    if (p->show_base)
        ck_task_str(t, "Base", shown(p->base));
    ck_task_str(t, "Location", p->path);
    ck_task_bytes(t, "Contents", content);
    ck_task_str(t, "URL", ck_arena_printf(m->a, "%s/%s", p->base, path));
    return t;
}

static const char *config_base(const struct ck_model *m)
{
    return ck_str_at(m->spec, "configBase");
}

/* ---- the cluster ---- */

static void cluster_files(struct ck_model *m)
{
    CK_AUTOBUF struct ck_buf spec = CK_BUF_INIT;
    struct place p = {"cluster-completed.spec", config_base(m), "cluster-completed.spec", true};
    ck_object_yaml(m->a, &spec, m->full);
    add_file(m, &p, ck_buf_slice(&spec));
    p.name = p.path = "kops-version.txt";
    add_file(m, &p, ck_slice_of(m->kops_version));
}

static int static_pods(struct ck_model *m, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf channels = CK_BUF_INIT, health = CK_BUF_INIT;
    struct place p = {"manifests-channels-kops-channels", config_base(m),
                      "manifests/channels/kops-channels.yaml", false};
    int r = ck_nodeup_channels_pod(m, &channels, err);
    if (!r)
        r = ck_nodeup_healthcheck_pod(m, &health, err);
    if (r)
        return r;
    add_file(m, &p, ck_buf_slice(&channels));
    p.name = "manifests-static-kube-apiserver-healthcheck";
    p.path = "manifests/static/kube-apiserver-healthcheck.yaml";
    add_file(m, &p, ck_buf_slice(&health));
    return 0;
}

/* ---- etcd ---- */

static int etcd_manifests(struct ck_model *m, const struct ck_val *etcd, struct ck_err *err)
{
    const char *name = ck_str_at(etcd, "name");
    const struct ck_val *members = ck_get(etcd, "etcdMembers");
    CK_AUTOBUF struct ck_buf pod = CK_BUF_INIT;
    int r = ck_nodeup_etcd_pod(m, etcd, &pod, err);
    for (size_t i = 0; i < ck_len(members) && !r; i++) {
        const char *group = ck_str_at(ck_item(members, i), "instanceGroup");
        const char *task = ck_arena_printf(m->a, "manifests-etcdmanager-%s-%s", name, group);
        struct place p = {task, config_base(m),
                          ck_arena_printf(m->a, "manifests/etcd/%s-%s.yaml", name, group), false};
        if (!ck_tasks_find(m->tasks, &ck_task_managed_file, task)) /* two members of one group */
            add_file(m, &p, ck_buf_slice(&pod));
    }
    return r;
}

static int etcd_files(struct ck_model *m, struct ck_err *err)
{
    const struct ck_val *all = ck_get(m->spec, "etcdClusters");
    int r = 0;
    for (size_t i = 0; i < ck_len(all) && !r; i++) {
        const struct ck_val *etcd = ck_item(all, i);
        CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
        struct place p = {
            ck_arena_printf(m->a, "etcd-cluster-spec-%s", ck_str_at(etcd, "name")),
            ck_nodeup_backup_store(m, etcd),
            "/control/etcd-cluster-spec",
            true,
        };
        ck_nodeup_etcd_spec(m, etcd, &text);
        add_file(m, &p, ck_buf_slice(&text));
        r = etcd_manifests(m, etcd, err);
    }
    return r;
}

/* ---- groups ---- */

static int group_files(struct ck_model *m, struct ck_err *err)
{
    for (size_t i = 0; i < m->n_groups; i++) {
        const struct ck_object *g = &m->groups[i];
        const struct ck_node_files *files;
        const char *folder = ck_nodeup_folder(m, g), *name = ck_object_name(g);
        CK_AUTOBUF struct ck_buf script = CK_BUF_INIT;
        if (!ck_nodeup_has_config(g))
            continue;
        int r = ck_nodeup_files(m, g, &files, err);
        if (!r && ck_model_is_karpenter(g))
            r = ck_model_user_data(m, g, &script, err);
        if (r)
            return r;
        struct place p = {ck_arena_printf(m->a, "nodeupconfig-%s", name), config_base(m),
                          ck_arena_printf(m->a, "%s/nodeupconfig.yaml", folder), false};
        add_file(m, &p, files->config);
        if (!ck_model_is_karpenter(g))
            continue;
        p.name = ck_arena_printf(m->a, "nodeupscript-%s", name);
        p.path = ck_arena_printf(m->a, "%s/nodeupscript.sh", folder);
        add_file(m, &p, ck_buf_slice(&script));
    }
    return 0;
}

/* ---- discovery of the token issuer ---- */

/* Who checks tokens is not signed in: objects of a bucket that is not public are public each. */
static bool needs_public_objects(const struct ck_model *m, const char *store)
{
    static const char s3[] = "s3://";
    const struct ck_val *buckets = ck_model_fact(m, "publicBuckets");
    if (!ck_str_starts(store, s3))
        return false;
    const char *bucket = store + strlen(s3);
    return !ck_list_has_str(buckets, ck_arena_strndup(m->a, bucket, strcspn(bucket, "/")));
}

static int discovery_files(struct ck_model *m, struct ck_err *err)
{
    const char *store = ck_str_at(m->spec, "serviceAccountIssuerDiscovery.discoveryStore");
    CK_AUTOBUF struct ck_buf discovery = CK_BUF_INIT, keys = CK_BUF_INIT;
    if (!*store)
        return 0;
    int r = ck_nodeup_discovery(m, &discovery, &keys, err);
    if (r)
        return r;
    size_t n = strlen(store);
    while (n && store[n - 1] == '/')
        n--;
    struct place p = {"discovery.json", ck_arena_strndup(m->a, store, n),
                      ".well-known/openid-configuration", true};
    struct ck_task *t[2];
    t[0] = add_file(m, &p, ck_buf_slice(&discovery));
    p.name = "keys.json";
    p.path = "openid/v1/jwks";
    t[1] = add_file(m, &p, ck_buf_slice(&keys));
    for (size_t i = 0; i < 2 && needs_public_objects(m, store); i++)
        ck_task_bool(t[i], "PublicACL", true);
    return 0;
}

/* ---- keysets and secrets ---- */

static void keypairs(struct ck_model *m)
{
    const struct ck_nodeup *n = ck_nodeup_of(m);
    for (size_t i = 0; i < n->n_needs; i++) {
        const struct ck_keyset_need *need = &n->needs[i];
        const struct ck_keyset *k = ck_model_keyset(m, need->name);
        struct ck_task *t = ck_task_new(m->tasks, &ck_task_keypair, need->name, m->cluster);
        ck_task_str(t, "Subject", need->subject);
        ck_task_str(t, "Issuer", need->issuer);
        ck_task_str(t, "Type", need->type);
        ck_task_bool(t, "LegacyFormat", false);
        ck_task_bool(t, "Exists", k != NULL);
        ck_task_bool(t, "WasLegacy", k && k->legacy);
    }
}

static void secrets(struct ck_model *m)
{
    for (size_t i = 0; ck_token_names[i]; i++) {
        const char *name = ck_token_names[i];
        struct ck_task *t = ck_task_new(m->tasks, &ck_task_secret, name, m->cluster);
        ck_task_bool(t, "Exists", m->secrets && ck_strv_has(m->secrets, name));
    }
}

/* So that the list of images is whole: those that nodes start from their configuration. */
static void component_images(struct ck_model *m)
{
    static const char *const paths[][2] = {
        {"kubeAPIServer.image", "kube-apiserver"},
        {"kubeControllerManager.image", "kube-controller-manager"},
        {"kubeScheduler.image", "kube-scheduler"},
        {"kubeProxy.image", "kube-proxy"},
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(paths); i++) {
        const char *used = ck_str_at(m->spec, paths[i][0]);
        const char *version = ck_str_at(m->spec, "kubernetesVersion");
        const char *usual = ck_arena_printf(m->a, "registry.k8s.io/%s:v%s", paths[i][1],
                                            version[0] == 'v' ? version + 1 : version);
        if (ck_str_starts(used, ck_populate_image(m->a, ck_get(m->spec, "assets"), usual)))
            ck_assets_mention(m->assets, usual, used);
        else if (*used)
            ck_assets_mention(m->assets, used, used);
    }
    const char *pause = ck_str_at(m->spec, "containerd.sandboxImage");
    const char *name = strstr(pause, "pause:");
    if (*pause)
        ck_assets_mention(m->assets,
                          name ? ck_arena_printf(m->a, "registry.k8s.io/%s", name) : pause, pause);
}

int ck_model_managed_files(struct ck_model *m, struct ck_err *err)
{
    keypairs(m);
    secrets(m);
    component_images(m);
    cluster_files(m);
    int r = static_pods(m, err);
    if (!r)
        r = etcd_files(m, err);
    if (!r)
        r = group_files(m, err);
    return r ? r : discovery_files(m, err);
}
