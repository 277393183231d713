/* What every object of an add-on gets: labels to find it by, image names of the asset mirror, and
 * the cloud role of its service account; and the kinds the channel may prune.
 *
 * Mirrors kOps addonmanifests/remap.go, iam/subject.go and bootstrapchannelbuilder/pruning.go. */
#include "model/addons/addon.h"
#include "task/aws/aws.h"

#include <stdlib.h>
#include <string.h>

struct ck_val *ck_addon_selector(struct ck_arena *a, const struct ck_addon_row *row)
{
    if (row->selector && !*row->selector)
        return NULL;
    struct ck_val *map = ck_map(a);
    if (!row->selector) {
        ck_set_str(a, map, "k8s-addon", row->name);
        return map;
    }
    const char *eq = strchr(row->selector, '=');
    ck_setn(a, map, ck_slice_n(row->selector, (size_t)(eq - row->selector)), ck_str(a, eq + 1));
    return map;
}

static void add_labels(struct ck_addon_ctx *c, struct ck_val *object)
{
    struct ck_val *labels = ck_ensure_map(c->a, object, "metadata.labels");
    const struct ck_val *sel = ck_addon_selector(c->a, c->row);
    ck_set_str(c->a, labels, "addon.kops.k8s.io/name", c->row->name);
    ck_set_str(c->a, labels, "app.kubernetes.io/managed-by", "kops");
    for (size_t i = 0; i < ck_len(sel); i++)
        ck_setn(c->a, labels, sel->map.v[i].key, sel->map.v[i].val);
}

const char *ck_addon_role_arn(struct ck_addon_ctx *c, const char *ns, const char *account)
{
    enum { MAX_ROLE = 64 };
    const char *full = ck_arena_printf(c->a, "%s.%s.sa.%s", account, ns, c->m->name);
    const char *role = ck_model_truncate(c->a, full, MAX_ROLE, false);
    if (!*account || !ck_tasks_find(c->m->tasks, &ck_aws_iam_role, role))
        return NULL;
    return ck_arena_printf(c->a, "arn:%s:iam::%s:role/%s", c->m->partition, c->m->account, role);
}

#define TOKEN_DIR    "/var/run/secrets/amazonaws.com/"
#define TOKEN_VOLUME "token-amazonaws-com"

static struct ck_val *list_of(struct ck_arena *a, struct ck_val *map, const char *key)
{
    struct ck_val *l = ck_get(map, key);
    if (!ck_is_list(l)) {
        l = ck_list(a);
        ck_set(a, map, key, l);
    }
    return l;
}

static void append_env(struct ck_arena *a, struct ck_val *env, const char *name, const char *value)
{
    struct ck_val *e = ck_map(a);
    ck_set_str(a, e, "name", name);
    ck_set_str(a, e, "value", value);
    ck_append(a, env, e);
}

/* The token AWS trusts, and who it makes of the pod. */
static void add_role(struct ck_arena *a, struct ck_val *pod, const char *arn)
{
    struct ck_val *vol = ck_map(a), *sources = ck_list(a), *src = ck_map(a);
    ck_set_str(a, vol, "name", TOKEN_VOLUME);
    ck_put(a, src, "serviceAccountToken.audience", ck_str(a, "amazonaws.com"));
    ck_put(a, src, "serviceAccountToken.expirationSeconds", ck_int(a, 86400));
    ck_put(a, src, "serviceAccountToken.path", ck_str(a, "token"));
    ck_append(a, sources, src);
    ck_put(a, vol, "projected.defaultMode", ck_int(a, 0644));
    ck_put(a, vol, "projected.sources", sources);
    ck_append(a, list_of(a, pod, "volumes"), vol);
    const struct ck_val *containers = ck_get(pod, "containers");
    for (size_t i = 0; i < ck_len(containers); i++) {
        struct ck_val *c = ck_item(containers, i), *mount = ck_map(a);
        struct ck_val *env = list_of(a, c, "env");
        append_env(a, env, "AWS_ROLE_ARN", arn);
        append_env(a, env, "AWS_WEB_IDENTITY_TOKEN_FILE", TOKEN_DIR "token");
        ck_set_str(a, mount, "mountPath", TOKEN_DIR);
        ck_set_str(a, mount, "name", TOKEN_VOLUME);
        ck_set_bool(a, mount, "readOnly", true);
        ck_append(a, list_of(a, c, "volumeMounts"), mount);
    }
    struct ck_val *sec = ck_ensure_map(a, pod, "securityContext");
    if (!ck_get(sec, "fsGroup"))
        ck_set_int(a, sec, "fsGroup", 10001); /* the token is readable by this group */
}

static void map_images(struct ck_addon_ctx *c, struct ck_val *containers)
{
    for (size_t i = 0; i < ck_len(containers); i++) {
        struct ck_val *one = ck_item(containers, i);
        const char *image = ck_str_or(ck_get(one, "image"), NULL);
        if (image)
            ck_set_str(c->a, one, "image", ck_model_image(c->m, image));
    }
}

void ck_addon_finish(struct ck_addon_ctx *c, struct ck_val *object)
{
    add_labels(c, object);
    struct ck_val *pod = ck_at(object, "spec.template.spec");
    if (!ck_is_map(pod))
        return;
    map_images(c, ck_get(pod, "initContainers"));
    map_images(c, ck_get(pod, "containers"));
    const char *ns = ck_str_at(object, "metadata.namespace");
    const char *arn = ck_addon_role_arn(c, ns, ck_str_at(pod, "serviceAccountName"));
    if (arn)
        add_role(c->a, pod, arn);
}

struct prune_kind {
    const char *group, *kind;
    struct ck_strv namespaces;
};

static const char *const always[][2] = {
    {"", "ConfigMap"},
    {"", "Service"},
    {"", "ServiceAccount"},
    {"admissionregistration.k8s.io", "MutatingWebhookConfiguration"},
    {"admissionregistration.k8s.io", "ValidatingWebhookConfiguration"},
    {"apps", "DaemonSet"},
    {"apps", "Deployment"},
    {"apps", "StatefulSet"},
    {"policy", "PodDisruptionBudget"},
    {"rbac.authorization.k8s.io", "ClusterRole"},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding"},
    {"rbac.authorization.k8s.io", "Role"},
    {"rbac.authorization.k8s.io", "RoleBinding"},
};

static int by_group_kind(const void *x, const void *y)
{
    const struct prune_kind *a = x, *b = y;
    int d = strcmp(a->group, b->group);
    return d ? d : strcmp(a->kind, b->kind);
}

/* The entry of a group and kind, made when it is new. */
static struct prune_kind *prune_of(struct prune_kind *v, size_t *n, const char *group,
                                   const char *kind)
{
    for (size_t i = 0; i < *n; i++)
        if (!strcmp(v[i].group, group) && !strcmp(v[i].kind, kind))
            return &v[i];
    v[*n] = (struct prune_kind){.group = group, .kind = kind};
    return &v[(*n)++];
}

static struct ck_val *prune_entry(struct ck_addon_ctx *c, struct prune_kind *p)
{
    struct ck_val *e = ck_map(c->a), *list = ck_list(c->a);
    if (*p->group)
        ck_set_str(c->a, e, "group", p->group);
    ck_set_str(c->a, e, "kind", p->kind);
    ck_set(
        c->a, e, "labelSelector",
        ck_strf(c->a, "addon.kops.k8s.io/name=%s,app.kubernetes.io/managed-by=kops", c->row->name));
    ck_strv_sort(&p->namespaces);
    ck_strv_uniq(&p->namespaces);
    for (size_t i = 0; i < p->namespaces.n; i++)
        ck_append_str(c->a, list, p->namespaces.v[i]);
    if (p->namespaces.n)
        ck_set(c->a, e, "namespaces", list);
    ck_strv_done(&p->namespaces);
    return e;
}

struct ck_val *ck_addon_prune(struct ck_addon_ctx *c, const struct ck_val *objects)
{
    size_t n = 0;
    struct prune_kind *v =
        ck_arena_alloc(c->a, (CK_ARRAY_LEN(always) + ck_len(objects)) * sizeof *v);
    for (size_t i = 0; i < CK_ARRAY_LEN(always); i++)
        prune_of(v, &n, always[i][0], always[i][1]);
    for (size_t i = 0; i < ck_len(objects); i++) {
        const struct ck_val *o = ck_item(objects, i);
        const char *api = ck_str_at(o, "apiVersion"), *kind = ck_str_at(o, "kind");
        const char *slash = strchr(api, '/'), *ns = ck_str_at(o, "metadata.namespace");
        if (!strcmp(kind, "Namespace") || !strcmp(kind, "CustomResourceDefinition"))
            continue;
        const char *group = slash ? ck_arena_strndup(c->a, api, (size_t)(slash - api)) : "";
        struct prune_kind *p = prune_of(v, &n, group, kind);
        if (*ns)
            ck_strv_push(&p->namespaces, ns);
    }
    qsort(v, n, sizeof *v, by_group_kind);
    struct ck_val *prune = ck_map(c->a), *list = ck_list(c->a);
    for (size_t i = 0; i < n; i++)
        ck_append(c->a, list, prune_entry(c, &v[i]));
    ck_set(c->a, prune, "kinds", list);
    return prune;
}
