/* Writes the short form of templates out as Kubernetes objects.
 *
 * The short form leaves out what follows from the kind: apiVersion, namespace, the frame of
 * workloads, bindings, rules and definitions of custom resources. Custom resources get an open
 * schema: the controllers check what they read. */
#include "model/addons/addon.h"

#include <ctype.h>
#include <string.h>

static const struct kind {
    const char *name, *api;
    bool cluster; /* not in a namespace */
} kinds[] = {
    {"APIService", "apiregistration.k8s.io/v1", true},
    {"CSIDriver", "storage.k8s.io/v1", true},
    {"Certificate", "cert-manager.io/v1", false},
    {"ClusterIssuer", "cert-manager.io/v1", true},
    {"ClusterRole", "rbac.authorization.k8s.io/v1", true},
    {"ClusterRoleBinding", "rbac.authorization.k8s.io/v1", true},
    {"ConfigMap", "v1", false},
    {"CustomResourceDefinition", "apiextensions.k8s.io/v1", true},
    {"DaemonSet", "apps/v1", false},
    {"Deployment", "apps/v1", false},
    {"EC2NodeClass", "karpenter.k8s.aws/v1", true},
    {"IAMIdentityMapping", "iamauthenticator.k8s.aws/v1alpha1", true},
    {"IngressClass", "networking.k8s.io/v1", true},
    {"IngressClassParams", "elbv2.k8s.aws/v1beta1", true},
    {"Issuer", "cert-manager.io/v1", false},
    {"LimitRange", "v1", false},
    {"MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1", true},
    {"Namespace", "v1", true},
    {"NodePool", "karpenter.sh/v1", true},
    {"PodDisruptionBudget", "policy/v1", false},
    {"Role", "rbac.authorization.k8s.io/v1", false},
    {"RoleBinding", "rbac.authorization.k8s.io/v1", false},
    {"RuntimeClass", "node.k8s.io/v1", true},
    {"Service", "v1", false},
    {"ServiceAccount", "v1", false},
    {"StorageClass", "storage.k8s.io/v1", true},
    {"ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1", true},
    {"VolumeSnapshotClass", "snapshot.storage.k8s.io/v1", true},
};

static const struct kind *kind_of(struct ck_slice name)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(kinds); i++)
        if (ck_slice_eq_str(name, kinds[i].name))
            return &kinds[i];
    return NULL;
}

/* Take an entry out of a map. */
static struct ck_val *take(struct ck_val *map, const char *key)
{
    struct ck_val *v = ck_get(map, key);
    ck_unset(map, key);
    return v;
}

/* Values that Kubernetes wants as text: data, labels, environment. */
static void texts(struct ck_arena *a, struct ck_val *map)
{
    for (uint32_t i = 0; map && map->kind == CK_MAP && i < map->map.n; i++) {
        struct ck_val **v = &map->map.v[i].val;
        if ((*v)->kind == CK_BOOL)
            *v = ck_str(a, (*v)->b ? "true" : "false");
        else if ((*v)->kind == CK_INT)
            *v = ck_strf(a, "%lld", (long long)(*v)->i);
        else if ((*v)->kind == CK_FLOAT)
            *v = ck_strf(a, "%g", (*v)->f);
        else if ((*v)->kind == CK_NULL)
            *v = ck_str(a, "");
    }
}

/* "a,b" as a list. */
static struct ck_val *commas(struct ck_arena *a, struct ck_slice s)
{
    struct ck_val *list = ck_list(a);
    struct ck_slice one;
    while (ck_slice_next(&s, ',', &one))
        ck_append(a, list, ck_strn(a, one));
    return list;
}

/* "groups/resources/verbs names=a,b"; "//path/verbs" are paths that are no resources. */
static struct ck_val *rule(struct ck_arena *a, struct ck_slice s)
{
    struct ck_val *r = ck_map(a);
    const char *names = memmem(s.ptr, s.len, " names=", 7);
    if (names) {
        size_t n = (size_t)(names - s.ptr);
        ck_set(a, r, "resourceNames", commas(a, ck_slice_n(names + 7, s.len - n - 7)));
        s.len = n;
    }
    const char *last = memrchr(s.ptr, '/', s.len);
    size_t first = ck_slice_find(s, '/'), end = last ? (size_t)(last - s.ptr) : 0;
    if (end <= first)
        return r; /* refused by the tests of the templates: a rule without verbs */
    ck_set(a, r, "verbs", commas(a, ck_slice_n(last + 1, s.len - end - 1)));
    if (first == 0 && s.ptr[1] == '/') {
        ck_set(a, r, "nonResourceURLs", commas(a, ck_slice_n(s.ptr + 1, end - 1)));
        return r;
    }
    ck_set(a, r, "apiGroups", commas(a, ck_slice_n(s.ptr, first)));
    if (first == 0) {
        struct ck_val *core = ck_list(a);
        ck_append_str(a, core, "");
        ck_set(a, r, "apiGroups", core);
    }
    ck_set(a, r, "resources", commas(a, ck_slice_n(s.ptr + first + 1, end - first - 1)));
    return r;
}

static void expand_rules(struct ck_arena *a, struct ck_val *o)
{
    struct ck_val *rules = ck_get(o, "rules");
    for (size_t i = 0; i < ck_len(rules); i++)
        if (rules->list.v[i]->kind == CK_STR)
            rules->list.v[i] = rule(a, rules->list.v[i]->s);
}

/* role: NAME or Kind/NAME; sa: ACCOUNT or NAMESPACE/ACCOUNT, comma separated; user:, group: */
static void expand_binding(struct ck_arena *a, struct ck_val *o, const char *ns, bool cluster)
{
    struct ck_slice role = ck_slice_of(ck_str_or(take(o, "role"), ""));
    if (!role.len)
        return;
    struct ck_val *ref = ck_map(a), *subjects = ck_list(a);
    bool spelt = ck_slice_starts(role, "ClusterRole/");
    ck_set_str(a, ref, "apiGroup", "rbac.authorization.k8s.io");
    ck_set_str(a, ref, "kind", cluster || spelt ? "ClusterRole" : "Role");
    ck_set_str(a, ref, "name", role.ptr + (spelt ? strlen("ClusterRole/") : 0));
    struct ck_slice rest = ck_slice_of(ck_str_or(take(o, "sa"), "")), one;
    while (rest.len && ck_slice_next(&rest, ',', &one)) {
        struct ck_val *s = ck_map(a);
        size_t cut = ck_slice_find(one, '/');
        bool other = cut < one.len;
        ck_set_str(a, s, "kind", "ServiceAccount");
        ck_set_str(a, s, "namespace", other ? ck_arena_strndup(a, one.ptr, cut) : ns);
        ck_set(a, s, "name",
               ck_strn(a, other ? ck_slice_n(one.ptr + cut + 1, one.len - cut - 1) : one));
        ck_append(a, subjects, s);
    }
    static const char *const others[][2] = {{"user", "User"}, {"group", "Group"}};
    for (size_t i = 0; i < CK_ARRAY_LEN(others); i++) {
        struct ck_val *name = take(o, others[i][0]);
        if (!name)
            continue;
        struct ck_val *s = ck_map(a);
        ck_set_str(a, s, "apiGroup", "rbac.authorization.k8s.io");
        ck_set_str(a, s, "kind", others[i][1]);
        ck_set(a, s, "name", name);
        ck_append(a, subjects, s);
    }
    ck_set(a, o, "roleRef", ref);
    ck_set(a, o, "subjects", subjects);
}

/* crd: "Kind Scope versions [status]", the first version is the stored one; schema: properties that
 * have to be spelt out, for their defaults. */
static void expand_crd(struct ck_arena *a, struct ck_val *o, struct ck_slice name)
{
    struct ck_slice rest = ck_slice_of(ck_str_or(take(o, "crd"), "")), kind = {0}, scope = {0},
                    versions = {0}, flag = {0}, v;
    if (!rest.len)
        return;
    ck_slice_next(&rest, ' ', &kind);
    ck_slice_next(&rest, ' ', &scope);
    ck_slice_next(&rest, ' ', &versions);
    bool status = ck_slice_next(&rest, ' ', &flag) && ck_slice_eq_str(flag, "status");
    size_t dot = ck_slice_find(name, '.');
    struct ck_val *spec = ck_map(a), *names = ck_ensure_map(a, spec, "names"), *list = ck_list(a);
    char *singular = ck_arena_strndup(a, kind.ptr, kind.len);
    for (char *p = singular; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    ck_set(a, names, "kind", ck_strn(a, kind));
    ck_set(a, names, "listKind", ck_strf(a, "%.*sList", CK_SARG(kind)));
    ck_set(a, names, "plural", ck_strn(a, ck_slice_n(name.ptr, dot)));
    ck_set_str(a, names, "singular", singular);
    struct ck_val *brief = take(o, "short"), *properties = take(o, "schema");
    if (brief)
        ck_set(a, names, "shortNames", brief);
    ck_set(a, spec, "group", ck_strn(a, ck_slice_n(name.ptr + dot + 1, name.len - dot - 1)));
    ck_set(a, spec, "scope", ck_strn(a, scope));
    for (bool first = true; ck_slice_next(&versions, ',', &v); first = false) {
        struct ck_val *one = ck_map(a), *schema = ck_ensure_map(a, one, "schema.openAPIV3Schema");
        ck_set(a, one, "name", ck_strn(a, v));
        ck_set_bool(a, one, "served", true);
        ck_set_bool(a, one, "storage", first);
        ck_set_str(a, schema, "type", "object");
        ck_set_bool(a, schema, "x-kubernetes-preserve-unknown-fields", true);
        if (properties)
            ck_set(a, schema, "properties", properties);
        if (status)
            ck_put(a, one, "subresources.status", ck_map(a));
        ck_append(a, list, one);
    }
    ck_set(a, spec, "versions", list);
    ck_set(a, o, "spec", spec);
}

/* {NAME: value} as a list of environment variables; {field: path} reads the pod's own field,
 * {secret: name/key} a secret. */
static struct ck_val *expand_env(struct ck_arena *a, struct ck_val *env)
{
    struct ck_val *list = ck_list(a);
    for (uint32_t i = 0; i < env->map.n; i++) {
        struct ck_val *e = ck_map(a), *v = env->map.v[i].val;
        ck_set(a, e, "name", ck_strn(a, env->map.v[i].key));
        const char *field = ck_str_or(ck_get(v, "field"), NULL);
        if (field) {
            ck_put(a, e, "valueFrom.fieldRef.apiVersion", ck_str(a, "v1"));
            ck_put(a, e, "valueFrom.fieldRef.fieldPath", ck_str(a, field));
        } else if (ck_is_map(v)) {
            ck_set(a, e, "valueFrom", v);
        } else {
            ck_set(a, e, "value", v);
        }
        texts(a, e);
        ck_append(a, list, e);
    }
    return list;
}

/* {volume: path} or {volume: "path:ro"}, ":both" for two-way propagation, ":in" for one-way. */
static struct ck_val *expand_mounts(struct ck_arena *a, struct ck_val *mounts)
{
    struct ck_val *list = ck_list(a);
    for (uint32_t i = 0; i < mounts->map.n; i++) {
        struct ck_val *m = ck_map(a);
        struct ck_slice rest = mounts->map.v[i].val->s, part;
        ck_set(a, m, "name", ck_strn(a, mounts->map.v[i].key));
        ck_slice_next(&rest, ':', &part);
        ck_set(a, m, "mountPath", ck_strn(a, part));
        while (ck_slice_next(&rest, ':', &part)) {
            if (ck_slice_eq_str(part, "ro"))
                ck_set_bool(a, m, "readOnly", true);
            else if (ck_slice_eq_str(part, "both"))
                ck_set_str(a, m, "mountPropagation", "Bidirectional");
            else if (ck_slice_eq_str(part, "in"))
                ck_set_str(a, m, "mountPropagation", "HostToContainer");
            else
                ck_set(a, m, "subPath", ck_strn(a, part));
        }
        ck_append(a, list, m);
    }
    return list;
}

/* {name: "/host/path:Type"} is a host path; {name: {…}} any other source. */
static struct ck_val *expand_volumes(struct ck_arena *a, struct ck_val *volumes)
{
    struct ck_val *list = ck_list(a);
    for (uint32_t i = 0; i < volumes->map.n; i++) {
        struct ck_val *vol = ck_map(a), *src = volumes->map.v[i].val;
        if (src->kind == CK_STR) {
            struct ck_slice rest = src->s, path, type;
            ck_slice_next(&rest, ':', &path);
            ck_put(a, vol, "hostPath.path", ck_strn(a, path));
            if (ck_slice_next(&rest, ':', &type))
                ck_put(a, vol, "hostPath.type", ck_strn(a, type));
        } else {
            vol = src;
        }
        ck_set(a, vol, "name", ck_strn(a, volumes->map.v[i].key));
        ck_append(a, list, vol);
    }
    return list;
}

/* {name: number} or {name: "number/UDP"} */
static struct ck_val *expand_ports(struct ck_arena *a, struct ck_val *ports)
{
    struct ck_val *list = ck_list(a);
    for (uint32_t i = 0; i < ports->map.n; i++) {
        struct ck_val *p = ck_map(a), *v = ports->map.v[i].val;
        const char *udp = v->kind == CK_STR ? strstr(v->s.ptr, "/UDP") : NULL;
        ck_set(a, p, "name", ck_strn(a, ports->map.v[i].key));
        ck_set(a, p, "containerPort", udp ? ck_int(a, strtol(v->s.ptr, NULL, 10)) : v);
        ck_set_str(a, p, "protocol", udp ? "UDP" : "TCP");
        ck_append(a, list, p);
    }
    return list;
}

static void expand_containers(struct ck_arena *a, struct ck_val *list)
{
    static const struct {
        const char *key;
        struct ck_val *(*expand)(struct ck_arena *a, struct ck_val *v);
    } parts[] = {{"env", expand_env}, {"volumeMounts", expand_mounts}, {"ports", expand_ports}};
    for (size_t i = 0; i < ck_len(list); i++)
        for (size_t k = 0; k < CK_ARRAY_LEN(parts); k++) {
            struct ck_val *c = ck_item(list, i), *v = ck_get(c, parts[k].key);
            if (ck_is_map(v))
                ck_set(a, c, parts[k].key, parts[k].expand(a, v));
        }
}

static void expand_pod(struct ck_arena *a, struct ck_val *pod)
{
    expand_containers(a, ck_get(pod, "containers"));
    expand_containers(a, ck_get(pod, "initContainers"));
    struct ck_val *volumes = ck_get(pod, "volumes");
    if (ck_is_map(volumes))
        ck_set(a, pod, "volumes", expand_volumes(a, volumes));
}

/* match: labels of the pods; pod: their spec; podLabels:, podAnnotations: */
static void expand_workload(struct ck_arena *a, struct ck_val *o)
{
    struct ck_val *match = take(o, "match"), *pod = take(o, "pod"), *more = take(o, "podLabels"),
                  *notes = take(o, "podAnnotations");
    if (!pod)
        return;
    struct ck_val *spec = ck_ensure_map(a, o, "spec"), *labels = ck_val_clone(a, match);
    for (size_t i = 0; i < ck_len(more); i++)
        ck_setn(a, labels, more->map.v[i].key, more->map.v[i].val);
    texts(a, labels);
    texts(a, notes);
    expand_pod(a, pod);
    ck_put(a, spec, "selector.matchLabels", match);
    ck_put(a, spec, "template.metadata.labels", labels);
    if (notes)
        ck_put(a, spec, "template.metadata.annotations", notes);
    ck_put(a, spec, "template.spec", pod);
}

static void expand_selector(struct ck_arena *a, struct ck_val *o, const char *path)
{
    struct ck_val *match = take(o, "match");
    if (match)
        ck_put(a, ck_ensure_map(a, o, "spec"), path, match);
}

int ck_addon_expand(struct ck_arena *a, const struct ck_val *brief, struct ck_val **ret,
                    struct ck_err *err)
{
    const struct kind *k = ck_len(brief) ? kind_of(brief->map.v[0].key) : NULL;
    const struct ck_val *name = k ? brief->map.v[0].val : NULL;
    if (!k || name->kind != CK_STR)
        return ck_fail(err, CK_INTERNAL, "an object of an add-on begins with no known kind: %s",
                       ck_len(brief) ? brief->map.v[0].key.ptr : "-");
    struct ck_val *rest = ck_val_clone(a, brief), *o = ck_map(a), *meta = ck_map(a);
    ck_unset(rest, k->name);
    const char *ns = ck_str_or(take(rest, "ns"), "kube-system");
    const char *api = ck_str_or(take(rest, "apiVersion"), k->api);
    ck_set(a, meta, "name", ck_strn(a, name->s));
    if (!k->cluster)
        ck_set_str(a, meta, "namespace", ns);
    static const char *const parts[] = {"labels", "annotations"};
    for (size_t i = 0; i < CK_ARRAY_LEN(parts); i++) {
        struct ck_val *v = take(rest, parts[i]);
        texts(a, v);
        if (v)
            ck_set(a, meta, parts[i], v);
    }
    if (strstr(k->name, "Binding"))
        expand_binding(a, rest, ns, k->cluster);
    else if (!strcmp(k->name, "CustomResourceDefinition"))
        expand_crd(a, rest, name->s);
    else if (!strcmp(k->name, "ConfigMap"))
        texts(a, ck_get(rest, "data"));
    else if (!strcmp(k->name, "Service"))
        expand_selector(a, rest, "selector");
    else if (!strcmp(k->name, "PodDisruptionBudget"))
        expand_selector(a, rest, "selector.matchLabels");
    else
        expand_workload(a, rest);
    expand_rules(a, rest);
    ck_set_str(a, o, "apiVersion", api);
    ck_set_str(a, o, "kind", k->name);
    ck_set(a, o, "metadata", meta);
    for (uint32_t i = 0; i < rest->map.n; i++)
        ck_setn(a, o, rest->map.v[i].key, rest->map.v[i].val);
    *ret = o;
    return 0;
}
