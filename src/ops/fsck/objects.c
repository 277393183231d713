/* Clusters, instance groups and completed specifications: readable, valid, and in agreement. */
#include "ops/fsck/internal.h"

#include "base/enc.h"
#include "base/mem.h"
#include "doc/yaml.h"
#include "spec/validate.h"

#include <string.h>

/* A stored object; what only a lenient reader takes is a warning. false: unreadable. */
static bool decode(struct ck_fsck_cluster *c, const char *path, struct ck_slice data,
                   enum ck_object_kind kind, struct ck_object *ret)
{
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTOERR again = CK_ERR_INIT;
    struct ck_decode_opts o = {.file = path};
    struct ck_slice text = ck_arena_slice(c->a, data);
    if (!ck_slice_trim(text).len) {
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "empty", path, "it is empty");
        return false;
    }
    int r = ck_object_decode(c->a, text, &o, ret, &err);
    o.lenient = true;
    if (r < 0 && ck_object_decode(c->a, text, &o, ret, &again) < 0) {
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "unreadable", path, "%s", ck_err_msg(&err));
        return false;
    }
    if (r < 0)
        ck_fsck_add(c->a, c->out, CK_FSCK_WARNING, "unknown-field", path, "%s", ck_err_msg(&err));
    if (ret->kind == kind)
        return true;
    ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "wrong-kind", path, "it holds a %s",
                ck_str_at(ret->root, "kind"));
    return false;
}

static void add_invalid(struct ck_fsck_cluster *c, const char *path, const struct ck_field_errs *e)
{
    for (size_t i = 0; i < e->n; i++)
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "invalid", path, "%s", e->v[i].text);
}

static struct ck_validate_ctx rules(const struct ck_fsck_cluster *c)
{
    return (struct ck_validate_ctx){.arena = c->a, .features = c->s->features};
}

void ck_fsck_config(struct ck_fsck_cluster *c, const char *path, struct ck_slice data)
{
    if (!decode(c, path, data, CK_KIND_CLUSTER, &c->obj))
        return;
    c->loaded = true;
    const char *name = ck_object_name(&c->obj);
    if (strcmp(name, c->name) != 0)
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "wrong-name", path,
                    "it is of cluster \"%s\" and lies in the folder of \"%s\"", name, c->name);
    struct ck_field_errs errs = {.arena = c->a};
    struct ck_validate_ctx v = rules(c);
    ck_validate_cluster(&v, &c->obj, &errs);
    add_invalid(c, path, &errs);
}

void ck_fsck_group(struct ck_fsck_cluster *c, const char *path, const char *name,
                   struct ck_slice data)
{
    struct ck_object ig;
    if (!decode(c, path, data, CK_KIND_INSTANCE_GROUP, &ig)) {
        c->groups_whole = false;
        return;
    }
    ig.file = path;
    if (strcmp(ck_object_name(&ig), name) != 0)
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "wrong-name", path,
                    "it is of instance group \"%s\"", ck_object_name(&ig));
    const char *label = ck_object_label(&ig, CK_LABEL_CLUSTER);
    if (label && strcmp(label, c->name) != 0)
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "wrong-cluster", path,
                    "its label says that it belongs to \"%s\"", label);
    struct ck_field_errs errs = {.arena = c->a};
    struct ck_validate_ctx v = rules(c);
    ck_validate_instance_group(&v, &ig, &errs);
    add_invalid(c, path, &errs);
    ck_xgrow(&c->groups, &c->cap_groups, c->n_groups + 1, sizeof *c->groups);
    c->groups[c->n_groups++] = ig;
}

void ck_fsck_completed(struct ck_fsck_cluster *c, const char *path, struct ck_slice data)
{
    c->has_completed = decode(c, path, data, CK_KIND_CLUSTER, &c->completed);
    c->completed.file = path;
}

void ck_fsck_addons(struct ck_fsck_cluster *c, const char *path, struct ck_slice data)
{
    struct ck_section *v = NULL;
    size_t n = ck_manifest_split(c->a, ck_arena_slice(c->a, data), &v);
    for (size_t i = 0; i < n; i++) {
        CK_AUTOERR err = CK_ERR_INIT;
        struct ck_val *root = NULL;
        struct ck_yaml_opts o = {.line_offset = v[i].line_offset};
        if (ck_yaml_parse(c->a, v[i].text, &o, &root, NULL, &err) < 0)
            ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "unreadable", path, "%s", ck_err_msg(&err));
        else if (!ck_is_null(root) && !ck_is_map(root))
            ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "unreadable", path, "it holds no object");
    }
}

/* ---- together ---- */

bool ck_fsck_has_group(const struct ck_fsck_cluster *c, const char *name)
{
    for (size_t i = 0; i < c->n_groups; i++)
        if (strcmp(ck_object_name(&c->groups[i]), name) == 0)
            return true;
    return false;
}

static bool has_subnet(const struct ck_object *cluster, const char *name)
{
    const struct ck_val *l = ck_get(ck_object_spec(cluster), "subnets");
    for (size_t i = 0; ck_is_list(l) && i < ck_len(l); i++)
        if (ck_is_str(ck_get(ck_item(l, i), "name"), name))
            return true;
    return false;
}

static void check_subnets(struct ck_fsck_cluster *c, const struct ck_object *ig)
{
    const struct ck_val *l = ck_get(ck_object_spec(ig), "subnets");
    for (size_t i = 0; ck_is_list(l) && i < ck_len(l); i++) {
        const char *name = ck_str_or(ck_item(l, i), "");
        if (!has_subnet(&c->obj, name))
            ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "no-such-subnet", ig->file,
                        "its subnet \"%s\" is not one of the cluster's", name);
    }
}

static void check_etcd(struct ck_fsck_cluster *c, const char *config)
{
    const struct ck_val *l = ck_get(ck_object_spec(&c->obj), "etcdClusters");
    for (size_t i = 0; ck_is_list(l) && i < ck_len(l); i++) {
        const struct ck_val *m = ck_get(ck_item(l, i), "etcdMembers");
        for (size_t j = 0; ck_is_list(m) && j < ck_len(m); j++) {
            const char *ig = ck_str_at(ck_item(m, j), "instanceGroup");
            if (*ig && c->groups_whole && c->n_groups && !ck_fsck_has_group(c, ig))
                ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "no-such-group", config,
                            "member \"%s\" of etcd cluster \"%s\" is on instance group \"%s\", "
                            "which is not there",
                            ck_str_at(ck_item(m, j), "name"), ck_str_at(ck_item(l, i), "name"), ig);
        }
    }
}

static bool is_control_plane(const struct ck_object *ig)
{
    const char *role = ck_str_at(ck_object_spec(ig), "role");
    return strcmp(role, "Master") == 0 || strcmp(role, "ControlPlane") == 0;
}

/* What no edit changes on a cluster that runs: in both specifications alike, or one is not of this
 * cluster. Anything else that differs is an update that was not made yet. */
static void check_completed(struct ck_fsck_cluster *c)
{
    static const char *const FIXED[] = {"cloudProvider", "networkCIDR", "nonMasqueradeCIDR",
                                        "networkID", "configBase"};
    const char *path = c->completed.file;
    const struct ck_val *x = ck_object_spec(&c->obj), *y = ck_object_spec(&c->completed);
    if (strcmp(ck_object_name(&c->completed), ck_object_name(&c->obj)) != 0)
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "wrong-name", path, "it is of cluster \"%s\"",
                    ck_object_name(&c->completed));
    for (size_t i = 0; i < CK_ARRAY_LEN(FIXED); i++) {
        const struct ck_val *v = ck_get(x, FIXED[i]), *w = ck_get(y, FIXED[i]);
        if (!ck_is_null(v) && !ck_is_null(w) && !ck_val_eq(v, w))
            ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "completed-differs", path,
                        "its spec.%s is not that of config", FIXED[i]);
    }
    const char *now = ck_str_at(x, "kubernetesVersion"), *then = ck_str_at(y, "kubernetesVersion");
    if (*now && *then && strcmp(now, then) != 0)
        ck_fsck_add(c->a, c->out, CK_FSCK_NOTE, "update-pending", path,
                    "config says Kubernetes %s, the last update was to %s", now, then);
}

void ck_fsck_together(struct ck_fsck_cluster *c)
{
    if (!c->loaded)
        return;
    const char *config = ck_arena_printf(c->a, "%s/config", ck_path_text(c->a, &c->dir));
    bool control_plane = false;
    for (size_t i = 0; i < c->n_groups; i++) {
        check_subnets(c, &c->groups[i]);
        control_plane = control_plane || is_control_plane(&c->groups[i]);
    }
    if (c->groups_whole && c->n_groups && !control_plane)
        ck_fsck_add(c->a, c->out, CK_FSCK_ERROR, "no-control-plane", config,
                    "none of its instance groups is a control plane");
    check_etcd(c, config);
    if (c->has_completed)
        check_completed(c);
}
