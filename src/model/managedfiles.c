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

static struct ck_task *add_place(struct ck_model *m, const struct place *p)
{
    const char *path = *p->path == '/' ? p->path + 1 : p->path;
    struct ck_task *t = ck_task_new(m->tasks, &ck_task_managed_file, p->name, m->cluster);
    if (p->show_base)
        ck_task_str(t, "Base", shown(p->base));
    ck_task_str(t, "Location", p->path);
    ck_task_str(t, "URL", ck_arena_printf(m->a, "%s/%s", p->base, path));
    return t;
}

static struct ck_task *add_file(struct ck_model *m, const struct place *p, struct ck_slice content)
{
    struct ck_task *t = add_place(m, p);
    ck_task_bytes(t, "Contents", content);
    return t;
}

/* A document that is written when somebody reads it; several tasks may hold the same. */
struct later {
    struct ck_model *m;
    const struct ck_val *etcd; /* the member of etcdClusters it is about */
    int (*write)(const struct later *l, struct ck_buf *out, struct ck_err *err);
    bool made;
    struct ck_slice text;
};

static int make_later(void *arg, struct ck_slice *ret, struct ck_err *err)
{
    struct later *l = arg;
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    int r = l->made ? 0 : l->write(l, &text, err);
    if (!r && !l->made) {
        l->text = ck_arena_slice(l->m->a, ck_buf_slice(&text));
        l->made = true;
    }
    *ret = l->text;
    return r;
}

static struct later *later(struct ck_model *m,
                           int (*write)(const struct later *l, struct ck_buf *out,
                                        struct ck_err *err),
                           const struct ck_val *etcd)
{
    struct later *l = ck_arena_alloc(m->a, sizeof *l);
    *l = (struct later){.m = m, .write = write, .etcd = etcd};
    return l;
}

static void add_later(struct ck_model *m, const struct place *p, struct later *l)
{
    ck_task_bytes_later(add_place(m, p), "Contents", make_later, l);
}

static const char *config_base(const struct ck_model *m)
{
    return ck_str_at(m->spec, "configBase");
}

/* ---- the cluster ---- */

static int write_spec(const struct later *l, struct ck_buf *out, struct ck_err *err)
{
    (void)err;
    ck_object_yaml(l->m->a, out, l->m->full);
    return 0;
}

static int write_channels(const struct later *l, struct ck_buf *out, struct ck_err *err)
{
    return ck_nodeup_channels_pod(l->m, out, err);
}

static int write_healthcheck(const struct later *l, struct ck_buf *out, struct ck_err *err)
{
    return ck_nodeup_healthcheck_pod(l->m, out, err);
}

static void cluster_files(struct ck_model *m)
{
    struct place p = {"cluster-completed.spec", config_base(m), "cluster-completed.spec", true};
    add_later(m, &p, later(m, write_spec, NULL));
    p.name = p.path = "kops-version.txt";
    add_file(m, &p, ck_slice_of(m->kops_version));
}

static void static_pods(struct ck_model *m)
{
    struct place p = {"manifests-channels-kops-channels", config_base(m),
                      "manifests/channels/kops-channels.yaml", false};
    add_later(m, &p, later(m, write_channels, NULL));
    p.name = "manifests-static-kube-apiserver-healthcheck";
    p.path = "manifests/static/kube-apiserver-healthcheck.yaml";
    add_later(m, &p, later(m, write_healthcheck, NULL));
}

/* ---- etcd ---- */

static int write_etcd_pod(const struct later *l, struct ck_buf *out, struct ck_err *err)
{
    return ck_nodeup_etcd_pod(l->m, l->etcd, out, err);
}

static void etcd_manifests(struct ck_model *m, const struct ck_val *etcd)
{
    const char *name = ck_str_at(etcd, "name");
    const struct ck_val *members = ck_get(etcd, "etcdMembers");
    struct later *pod = later(m, write_etcd_pod, etcd);
    for (size_t i = 0; i < ck_len(members); i++) {
        const char *group = ck_str_at(ck_item(members, i), "instanceGroup");
        const char *task = ck_arena_printf(m->a, "manifests-etcdmanager-%s-%s", name, group);
        struct place p = {task, config_base(m),
                          ck_arena_printf(m->a, "manifests/etcd/%s-%s.yaml", name, group), false};
        if (!ck_tasks_find(m->tasks, &ck_task_managed_file, task)) /* two members of one group */
            add_later(m, &p, pod);
    }
}

static int etcd_files(struct ck_model *m, struct ck_err *err)
{
    const struct ck_val *all = ck_get(m->spec, "etcdClusters");
    for (size_t i = 0; i < ck_len(all); i++) {
        const struct ck_val *etcd = ck_item(all, i);
        CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
        struct place p = {
            ck_arena_printf(m->a, "etcd-cluster-spec-%s", ck_str_at(etcd, "name")),
            ck_nodeup_backup_store(m, etcd),
            "/control/etcd-cluster-spec",
            true,
        };
        int r = ck_nodeup_etcd_check(etcd, err);
        if (r)
            return r;
        ck_nodeup_etcd_spec(m, etcd, &text);
        add_file(m, &p, ck_buf_slice(&text));
        etcd_manifests(m, etcd);
    }
    return 0;
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
    static_pods(m);
    int r = etcd_files(m, err);
    if (!r)
        r = group_files(m, err);
    return r ? r : discovery_files(m, err);
}
