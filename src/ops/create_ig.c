/* Building a new instance group (kOps' cmd/kops/create_instancegroup.go and
 * populate_instancegroup_spec.go), and loading what that needs. */
#include "ops/create_ig.h"

#include "base/enc.h"
#include "base/nearest.h"
#include "ops/group_defaults.h"

#include <string.h>
#include <strings.h>

enum { CHANNEL_MAX = 4 << 20 };

int ck_facts_from_env(struct ck_arena *a, const struct ck_env *env, struct ck_facts *ret,
                      struct ck_err *err)
{
    *ret = (struct ck_facts){.arena = a};
    const char *path = ck_env_nonempty(env, "CKOPS_FIXTURES");
    return path ? ck_facts_load(a, path, ret, err) : 0;
}

int ck_channel_load(struct ck_arena *a, struct ck_vfs_ctx *vfs, const struct ck_facts *facts,
                    const char *name, void (*note)(void *arg, const char *text), void *arg,
                    struct ck_channel *ret, struct ck_err *err)
{
    *ret = (struct ck_channel){NULL};
    if (strcmp(name, "none") == 0)
        return 0;
    const char *file = ck_facts_channel_file(facts, name);
    if (!file && !strchr(name, '/')) {
        static const char *const known[] = {"alpha", "none", "stable"};
        const char *near = ck_nearest(name, known, CK_ARRAY_LEN(known));
        int r = ck_channel_builtin(a, name, ret, err);
        if (r == -(int)CK_NOT_FOUND)
            return ck_fail(err, CK_INVALID,
                           "error reading channel \"%s\": channels are stable, alpha, none, or a "
                           "location such as file:///FOLDER/FILE or https://…%s%s%s",
                           name, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
        if (r == 0 && note)
            note(arg, ck_arena_printf(
                          a, "using the data of channel \"%s\" that this program carries", name));
        return r < 0 ? ck_wrap(err, "error reading channel \"%s\"", name) : 0;
    }
    CK_AUTOBUF struct ck_buf text = CK_BUF_MAX(CHANNEL_MAX);
    int r = ck_vfs_read_location(vfs, file ? file : name, &text, err);
    if (r == 0)
        r = ck_channel_parse(a, ck_buf_slice(&text), ret, err);
    return r < 0 ? ck_wrap(err, "error reading channel \"%s\"", name) : 0;
}

const char *ck_role_parse(struct ck_arena *a, const char *text)
{
    static const struct {
        const char *word, *role;
    } words[] = {{"control-plane", "Master"},
                 {"controlplane", "Master"},
                 {"master", "Master"},
                 {"node", "Node"},
                 {"bastion", "Bastion"},
                 {"apiserver", "APIServer"},
                 {"etcd", "Etcd"},
                 {"scheduler", "Scheduler"},
                 {"kubecontrollermanager", "KubeControllerManager"}};
    size_t n = strlen(text);
    for (int plural = 0; plural < 2; plural++) {
        const char *t = ck_arena_strndup(a, text, n - (size_t)(plural && n ? 1 : 0));
        if (plural && (!n || (text[n - 1] != 's' && text[n - 1] != 'S')))
            break;
        for (size_t i = 0; i < CK_ARRAY_LEN(words); i++)
            if (strcasecmp(t, words[i].word) == 0)
                return words[i].role;
    }
    return NULL;
}

/* The labels and taints kOps gives a role's machines. */
static void role_kubelet(struct ck_arena *a, struct ck_val *kubelet, const char *role)
{
    static const struct {
        const char *role, *label;
    } labels[] = {{"Master", "kops.k8s.io/kops-controller-pki"},
                  {"Master", "node-role.kubernetes.io/control-plane"},
                  {"Master", "node.kubernetes.io/exclude-from-external-load-balancers"},
                  {"APIServer", "node-role.kubernetes.io/api-server"},
                  {"Node", "node-role.kubernetes.io/node"}};
    for (size_t i = 0; i < CK_ARRAY_LEN(labels); i++)
        if (strcmp(role, labels[i].role) == 0)
            ck_set_str(a, ck_ensure_map(a, kubelet, "nodeLabels"), labels[i].label, "");
    if (strcmp(role, "Master") == 0)
        ck_append_to(a, kubelet, "taints", "node-role.kubernetes.io/control-plane=:NoSchedule");
    else if (strcmp(role, "APIServer") == 0)
        ck_append_to(a, kubelet, "taints", "node-role.kubernetes.io/api-server=:NoSchedule");
}

static void overlay(struct ck_arena *a, struct ck_val *onto, const struct ck_val *from)
{
    for (size_t i = 0; ck_is_map(from) && i < ck_len(from); i++)
        ck_setn(a, onto, from->map.v[i].key, ck_val_clone(a, from->map.v[i].val));
}

static void kubelet(struct ck_arena *a, const struct ck_val *cluster, struct ck_val *ig,
                    const char *role)
{
    struct ck_val *k = ck_map(a);
    overlay(a, k, ck_get(cluster, "kubelet"));
    if (strcmp(role, "Master") == 0)
        overlay(a, k, ck_get(cluster, "masterKubelet"));
    /* As in kOps: whatever the cluster says of anonymous access, a new group has it off. */
    if (ck_get(k, "anonymousAuth"))
        ck_set_bool(a, k, "anonymousAuth", false);
    role_kubelet(a, k, role);
    if (ck_len(k))
        ck_set(a, ig, "kubelet", k);
}

static int machine_and_image(struct ck_arena *a, const struct ck_val *cluster,
                             const struct ck_create_ig *c, struct ck_val *ig, struct ck_err *err)
{
    const char *cloud = ck_str_at(cluster, "cloudProvider");
    const char *type = ck_default_machine_type(c->facts, cloud, c->role, "amd64");
    if (type)
        ck_set_str(a, ig, "machineType", type);
    struct ck_semver version;
    const char *image = NULL;
    if (ck_semver_parse_tolerant(ck_slice_of(ck_str_at(cluster, "kubernetesVersion")), &version))
        image = ck_default_image(c->channel, cloud, "amd64", &version);
    if (!image) {
        CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
        ck_goquote(&q, ck_slice_of(cloud));
        return ck_fail(err, CK_INVALID,
                       "unable to determine default image for cloud provider %s and architecture "
                       "\"amd64\"",
                       ck_buf_str(&q));
    }
    ck_set_str(a, ig, "image", image);
    return 0;
}

int ck_create_ig_build(struct ck_arena *a, const struct ck_object *cluster,
                       const struct ck_create_ig *c, struct ck_object *ret, struct ck_err *err)
{
    const struct ck_val *spec = ck_object_spec(cluster);
    struct ck_object o = ck_object_new(a, CK_KIND_INSTANCE_GROUP, c->name);
    struct ck_val *ig = ck_object_spec(&o);
    bool one = strcmp(c->role, "Master") == 0 || strcmp(c->role, "Bastion") == 0;
    if (strcmp(ck_str_at(spec, "cloudProvider"), "gce") == 0 && !c->zones->n)
        return ck_fail(err, CK_INVALID, "zone flag is required for GCE clusters");
    ck_set_str(a, ig, "role", c->role);
    ck_set_str(a, ig, "manager", "CloudGroup");
    ck_set_int(a, ig, "minSize", one ? 1 : 2);
    ck_set_int(a, ig, "maxSize", one ? 1 : 2);
    for (size_t i = 0; i < c->subnets->n; i++)
        ck_append_to(a, ig, "subnets", c->subnets->v[i]);
    for (size_t i = 0; i < c->zones->n; i++)
        ck_append_to(a, ig, "zones", c->zones->v[i]);
    int r = machine_and_image(a, spec, c, ig, err);
    if (r == 0)
        r = ck_default_subnets(a, spec, ig, c->name, err);
    if (r < 0)
        return r;
    kubelet(a, spec, ig, c->role);
    ck_set_str(a, ck_ensure_map(a, ig, "nodeLabels"), "kops.k8s.io/instancegroup", c->name);
    *ret = o;
    return 0;
}
