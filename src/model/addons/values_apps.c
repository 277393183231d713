/* Values of add-ons that serve workloads: autoscaler, certificates, identities, Karpenter. */
#include "doc/json.h"
#include "model/addons/addon.h"
#include "model/aws/builders.h"
#include "model/aws/images.h"

#include <stdlib.h>
#include <string.h>

static void put(struct ck_addon_ctx *c, const char *key, const char *text)
{
    ck_set_str(c->a, c->vals, key, text);
}

/* ---- cluster-autoscaler ---- */

/* Groups the autoscaler may change: worker groups that are not left out. */
static bool scaled(const struct ck_object *g)
{
    return ck_model_role(g) == CK_ROLE_NODE && !ck_model_is_karpenter(g) &&
           ck_bool_at(ck_object_spec(g), "autoscale", true);
}

/* "priority: [patterns]" of the priority expander: the user's own, or by the groups. */
static const char *priorities(struct ck_addon_ctx *c)
{
    const struct ck_val *own = ck_at(c->m->spec, "clusterAutoscaler.customPriorityExpanderConfig");
    struct ck_val *map = ck_map(c->a);
    for (size_t i = 0; !own && i < c->m->n_groups; i++) {
        const struct ck_object *g = &c->m->groups[i];
        if (!scaled(g))
            continue;
        const char *key =
            ck_arena_printf(c->a, "%d", (int)ck_int_at(ck_object_spec(g), "autoscalePriority", 0));
        struct ck_val *list = ck_get(map, key);
        if (!list) {
            list = ck_list(c->a);
            ck_set(c->a, map, key, list);
        }
        ck_append_str(c->a, list, ck_model_group_name(c->m, g));
    }
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    if (!own)
        own = map;
    /* Written by hand: the expander wants numbers as keys, and the emitter would quote them. */
    for (size_t i = 0; i < ck_len(own); i++) {
        const struct ck_val *patterns = own->map.v[i].val;
        ck_buf_fmt(&out, "%.*s:\n", CK_SARG(own->map.v[i].key));
        for (size_t k = 0; k < ck_len(patterns); k++) {
            ck_buf_puts(&out, "- ");
            ck_json_string(&out, ck_slice_of(ck_str_or(ck_item(patterns, k), "")), true);
            ck_buf_putc(&out, '\n');
        }
    }
    return ck_arena_strdup(c->a, ck_buf_str(&out));
}

void ck_addon_values_autoscaler(struct ck_addon_ctx *c)
{
    struct ck_val *nodes = ck_list(c->a);
    for (size_t i = 0; i < c->m->n_groups; i++) {
        const struct ck_object *g = &c->m->groups[i];
        const struct ck_val *spec = ck_object_spec(g);
        if (scaled(g))
            ck_append(c->a, nodes,
                      ck_strf(c->a, "--nodes=%d:%d:%s", (int)ck_int_at(spec, "minSize", 0),
                              (int)ck_int_at(spec, "maxSize", 0), ck_model_group_name(c->m, g)));
    }
    ck_set(c->a, c->vals, "nodes", nodes);
    put(c, "priorities", priorities(c));
    struct ck_val *notes = ck_at(c->m->spec, "clusterAutoscaler.podAnnotations");
    notes = notes ? ck_val_clone(c->a, notes) : ck_map(c->a);
    ck_set_str(c->a, notes, "prometheus.io/port", "8085");
    ck_set_str(c->a, notes, "prometheus.io/scrape", "true");
    ck_set(c->a, c->vals, "podAnnotations", notes);
}

/* ---- cert-manager ---- */

void ck_addon_values_certmanager(struct ck_addon_ctx *c)
{
    static const char release[] = "v1.19.5";
    const struct ck_val *spec = ck_get(c->m->spec, "certManager");
    const char *image = ck_str_at(spec, "image");
    put(c, "cmVersion", release);
    put(c, "image",
        *image ? image
               : ck_arena_printf(c->a, "quay.io/jetstack/cert-manager-controller:%s", release));
    CK_AUTOBUF struct ck_buf gates = CK_BUF_INIT, servers = CK_BUF_INIT;
    const struct ck_val *on = ck_get(spec, "featureGates"), *names = ck_get(spec, "nameservers");
    ck_buf_puts(&gates, "AdditionalCertificateOutputFormats=true");
    for (size_t i = 0; i < ck_len(on); i++)
        ck_buf_fmt(&gates, ",%.*s=%s", CK_SARG(on->map.v[i].key),
                   ck_bool_at(on, on->map.v[i].key.ptr, false) ? "true" : "false");
    for (size_t i = 0; i < ck_len(names); i++)
        ck_buf_fmt(&servers, "%s%s", i ? "," : "", ck_str_or(ck_item(names, i), ""));
    put(c, "featureGates", ck_buf_str(&gates));
    put(c, "nameservers", ck_buf_str(&servers));
}

/* ---- identities ---- */

/* The roles of accounts, as the pod identity webhook reads them. */
void ck_addon_values_pod_identity(struct ck_addon_ctx *c)
{
    const struct ck_val *list = ck_at(c->m->spec, "iam.serviceAccountExternalPermissions");
    struct ck_val *map = ck_map(c->a);
    for (size_t i = 0; i < ck_len(list); i++) {
        const char *ns = ck_str_at(ck_item(list, i), "namespace");
        const char *account = ck_str_at(ck_item(list, i), "name");
        if (strchr(ns, '*'))
            continue; /* the webhook looks accounts up by their exact name */
        const char *role = ck_arena_printf(c->a, "%s.%s.sa.%s", account, ns, c->m->name);
        struct ck_val *e = ck_map(c->a);
        ck_set(c->a, e, "RoleARN",
               ck_strf(c->a, "arn:%s:iam::%s:role/%s", c->m->partition, c->m->account,
                       ck_model_truncate(c->a, role, 64, false)));
        ck_set_str(c->a, e, "Audience", "amazonaws.com");
        ck_set_bool(c->a, e, "UseRegionalSTS", true);
        ck_set_int(c->a, e, "TokenExpiration", 0);
        ck_set(c->a, map, ck_arena_printf(c->a, "%s/%s", ns, account), e);
    }
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    ck_json_emit(&out, map, (struct ck_json_style){.order = CK_JSON_SORTED, .raw_html = true});
    put(c, "identities", ck_buf_str(&out));
}

void ck_addon_values_authenticator(struct ck_addon_ctx *c)
{
    const struct ck_val *aws = ck_at(c->m->spec, "authentication.aws");
    const struct ck_val *list = ck_get(aws, "identityMappings");
    const char *mode = ck_str_at(aws, "backendMode");
    struct ck_val *mappings = ck_list(c->a);
    bool crds = strstr(mode, "CRD") != NULL;
    for (size_t i = 0; crds && i < ck_len(list); i++) {
        struct ck_val *e = ck_val_clone(c->a, ck_item(list, i));
        ck_set_int(c->a, e, "index", (int64_t)i);
        ck_append(c->a, mappings, e);
    }
    ck_set(c->a, c->vals, "mappings", mappings);
    ck_set_bool(c->a, c->vals, "crds", crds);
    /* The file backend reads a ConfigMap that the user keeps. */
    ck_set_bool(c->a, c->vals, "configFile", !*mode || strstr(mode, "MountedFile"));
}

/* ---- Karpenter ---- */

static void terms(struct ck_addon_ctx *c, struct ck_val *class, const char *key, const char *path,
                  struct ck_val *value)
{
    struct ck_val *list = ck_list(c->a), *one = ck_map(c->a);
    ck_put(c->a, one, path, value);
    ck_append(c->a, list, one);
    ck_set(c->a, class, key, list);
}

/* Subnets are found by id where they are shared, else by the tags the network gives them. */
static struct ck_val *subnet_terms(struct ck_addon_ctx *c, const struct ck_val *spec)
{
    struct ck_val *list = ck_list(c->a);
    const struct ck_val *names = ck_get(spec, "subnets"), *all = ck_get(c->m->spec, "subnets");
    for (size_t i = 0; i < ck_len(names); i++)
        for (size_t k = 0; k < ck_len(all); k++) {
            const struct ck_val *subnet = ck_item(all, k);
            const char *name = ck_str_or(ck_item(names, i), ""), *id = ck_str_at(subnet, "id");
            if (!ck_is_str(ck_get(subnet, "name"), name))
                continue;
            struct ck_val *term = ck_map(c->a), *tags;
            if (*id) {
                ck_set_str(c->a, term, "id", id);
            } else {
                tags = ck_ensure_map(c->a, term, "tags");
                ck_set_str(c->a, tags, "KubernetesCluster", c->m->name);
                ck_set(c->a, tags, "Name", ck_strf(c->a, "%s.%s", name, c->m->name));
            }
            ck_append(c->a, list, term);
        }
    return list;
}

static struct ck_val *root_disk(struct ck_addon_ctx *c, const struct ck_val *spec,
                                const char *device)
{
    struct ck_val *list = ck_list(c->a), *disk = ck_map(c->a), *ebs = ck_map(c->a);
    int64_t size = ck_int_at(spec, "rootVolumeSize", 0);
    const char *type = ck_str_at(spec, "rootVolumeType"),
               *key = ck_str_at(spec, "rootVolumeEncryptionKey");
    int64_t iops = ck_int_at(spec, "rootVolumeIops", 0),
            speed = ck_int_at(spec, "rootVolumeThroughput", 0);
    ck_set(c->a, ebs, "volumeSize", ck_strf(c->a, "%dGi", size ? (int)size : 128));
    ck_set_str(c->a, ebs, "volumeType", *type ? type : "gp3");
    ck_set_bool(c->a, ebs, "encrypted", ck_bool_at(spec, "rootVolumeEncryption", true));
    ck_set_bool(c->a, ebs, "deleteOnTermination", true);
    if (iops)
        ck_set_int(c->a, ebs, "iops", iops);
    if (speed)
        ck_set_int(c->a, ebs, "throughput", speed);
    if (*key)
        ck_set_str(c->a, ebs, "kmsKeyID", key);
    ck_set_str(c->a, disk, "deviceName", device);
    ck_set_bool(c->a, disk, "rootVolume", true);
    ck_set(c->a, disk, "ebs", ebs);
    ck_append(c->a, list, disk);
    return list;
}

/* Reserved resources and pod limits that Karpenter has to know to place pods. */
static struct ck_val *kubelet_of(struct ck_addon_ctx *c, const struct ck_val *spec)
{
    static const char *const keys[] = {"maxPods", "podsPerCore", "systemReserved", "kubeReserved"};
    struct ck_val *kubelet = ck_map(c->a);
    for (size_t i = 0; i < CK_ARRAY_LEN(keys); i++) {
        const struct ck_val *v = ck_get(ck_get(spec, "kubelet"), keys[i]);
        if (!ck_is_null(v))
            ck_set(c->a, kubelet, keys[i], ck_val_clone(c->a, v));
    }
    return kubelet->map.n ? kubelet : NULL;
}

/* The boot script of the group, which is also a file in the store. */
static const char *boot_script(struct ck_addon_ctx *c, const struct ck_object *g)
{
    const char *key = ck_arena_printf(c->a, "ManagedFile/nodeupscript-%s", ck_object_name(g));
    const struct ck_task *t = ck_map_get(&c->m->tasks->by_key, key);
    struct ck_slice text = t ? ck_task_get_bytes(t, "Contents") : (struct ck_slice){"", 0};
    return ck_arena_strndup(c->a, text.ptr ? text.ptr : "", text.len);
}

static struct ck_val *node_class(struct ck_addon_ctx *c, const struct ck_object *g)
{
    const struct ck_val *spec = ck_object_spec(g);
    struct ck_val *class = ck_map(c->a), *tags = ck_map(c->a), *groups = ck_map(c->a), *kubelet;
    const char *name = ck_str_at(spec, "image");
    struct ck_aws_image image;
    bool known = ck_aws_image_find(c->m, name, &image);
    const char *group = ck_str_at(spec, "securityGroupOverride");
    ck_set_str(c->a, class, "amiFamily", "Custom");
    terms(c, class, "amiSelectorTerms", known ? "id" : "name",
          ck_str(c->a, known ? image.id : name));
    ck_set_bool(c->a, class, "associatePublicIPAddress",
                ck_bool_at(spec, "associatePublicIp", false));
    ck_set(c->a, class, "blockDeviceMappings",
           root_disk(c, spec, known ? image.root_device : "/dev/sda1"));
    ck_set_str(c->a, class, "instanceProfile", ck_aws_role_task(c->m, CK_ROLE_NODE));
    ck_set_str(c->a, groups, "KubernetesCluster", c->m->name);
    ck_set_str(c->a, groups, "Name", ck_aws_group_sg(c->m, g));
    if (*group)
        terms(c, class, "securityGroupSelectorTerms", "id", ck_str(c->a, group));
    else
        terms(c, class, "securityGroupSelectorTerms", "tags", groups);
    ck_set(c->a, class, "subnetSelectorTerms", subnet_terms(c, spec));
    ck_set_str(c->a, tags, "KubernetesCluster", c->m->name);
    ck_set(c->a, tags, "Name", ck_str(c->a, ck_model_group_name(c->m, g)));
    ck_set_str(c->a, tags, "kops.k8s.io/instancegroup", ck_object_name(g));
    ck_set(c->a, class, "tags", tags);
    ck_put(c->a, class, "metadataOptions.httpTokens", ck_str(c->a, "required"));
    ck_put(c->a, class, "metadataOptions.httpPutResponseHopLimit", ck_int(c->a, 1));
    ck_put(c->a, class, "metadataOptions.httpEndpoint", ck_str(c->a, "enabled"));
    const char *script = boot_script(c, g);
    if (*script)
        ck_set_str(c->a, class, "userData", script);
    if ((kubelet = kubelet_of(c, spec)))
        ck_set(c->a, class, "kubelet", kubelet);
    return class;
}

static void require(struct ck_addon_ctx *c, struct ck_val *list, const char *key, const char *op,
                    const struct ck_val *values)
{
    struct ck_val *r = ck_map(c->a);
    ck_set_str(c->a, r, "key", key);
    ck_set_str(c->a, r, "operator", op);
    ck_set(c->a, r, "values", ck_val_clone(c->a, values));
    ck_append(c->a, list, r);
}

/* Machine types: those of the group; any of the usual families when it names none. */
static struct ck_val *requirements(struct ck_addon_ctx *c, const struct ck_val *spec)
{
    struct ck_val *list = ck_list(c->a), *types = ck_list(c->a), *capacity = ck_list(c->a),
                  *os = ck_list(c->a), *families = ck_list(c->a);
    const struct ck_val *mixed = ck_get(spec, "mixedInstancesPolicy");
    struct ck_slice rest = ck_slice_of(ck_str_at(spec, "machineType")), one;
    while (rest.len && ck_slice_next(&rest, ',', &one))
        ck_append(c->a, types, ck_strn(c->a, one));
    const struct ck_val *more = ck_get(mixed, "instances");
    for (size_t i = 0; i < ck_len(more); i++)
        if (!ck_list_has_str(types, ck_str_or(ck_item(more, i), "")))
            ck_append_str(c->a, types, ck_str_or(ck_item(more, i), ""));
    ck_append_str(c->a, os, "linux");
    require(c, list, "kubernetes.io/os", "In", os);
    if (*ck_str_at(spec, "maxPrice") || ck_int_at(mixed, "onDemandAboveBase", 100) < 100)
        ck_append_str(c->a, capacity, "spot");
    ck_append_str(c->a, capacity, "on-demand");
    require(c, list, "karpenter.sh/capacity-type", "In", capacity);
    if (ck_len(types)) {
        require(c, list, "node.kubernetes.io/instance-type", "In", types);
        return list;
    }
    static const char *const usual[] = {"c", "m", "r", "t"};
    for (size_t i = 0; i < CK_ARRAY_LEN(usual); i++)
        ck_append_str(c->a, families, usual[i]);
    require(c, list, "karpenter.k8s.aws/instance-category", "In", families);
    return list;
}

/* "key=value:Effect" as Kubernetes writes taints. */
static struct ck_val *taints(struct ck_addon_ctx *c, const struct ck_val *spec)
{
    struct ck_val *list = ck_list(c->a);
    const struct ck_val *from = ck_at(spec, "taints");
    for (size_t i = 0; i < ck_len(from); i++) {
        struct ck_slice s = ck_item(from, i)->s;
        const char *colon = memrchr(s.ptr, ':', s.len);
        bool own = ck_slice_starts(s, "karpenter.sh/unregistered");
        if (!colon || own)
            continue;
        struct ck_slice head = {s.ptr, (size_t)(colon - s.ptr)};
        size_t eq = ck_slice_find(head, '=');
        struct ck_val *t = ck_map(c->a);
        ck_set(c->a, t, "key", ck_strn(c->a, ck_slice_n(head.ptr, eq)));
        if (eq + 1 < head.len)
            ck_set(c->a, t, "value",
                   ck_strn(c->a, ck_slice_n(head.ptr + eq + 1, head.len - eq - 1)));
        ck_set(c->a, t, "effect", ck_strn(c->a, ck_slice_n(colon + 1, s.len - head.len - 1)));
        ck_append(c->a, list, t);
    }
    return list;
}

static struct ck_val *node_pool(struct ck_addon_ctx *c, const struct ck_object *g)
{
    const struct ck_val *spec = ck_object_spec(g), *labels = ck_model_node_labels(c->m, g);
    struct ck_val *pool = ck_map(c->a), *node = ck_map(c->a), *t = taints(c, spec);
    ck_put(c->a, node, "nodeClassRef.group", ck_str(c->a, "karpenter.k8s.aws"));
    ck_put(c->a, node, "nodeClassRef.kind", ck_str(c->a, "EC2NodeClass"));
    ck_put(c->a, node, "nodeClassRef.name", ck_str(c->a, ck_object_name(g)));
    ck_set(c->a, node, "requirements", requirements(c, spec));
    ck_set_str(c->a, node, "expireAfter", "Never");
    if (ck_len(t))
        ck_set(c->a, node, "taints", t);
    if (ck_len(labels))
        ck_put(c->a, pool, "template.metadata.labels", ck_val_clone(c->a, labels));
    ck_put(c->a, pool, "template.spec", node);
    ck_put(c->a, pool, "disruption.consolidationPolicy", ck_str(c->a, "WhenEmptyOrUnderutilized"));
    ck_put(c->a, pool, "disruption.consolidateAfter", ck_str(c->a, "30s"));
    int64_t min = ck_int_at(spec, "minSize", 0), max = ck_int_at(spec, "maxSize", 0);
    if (max > 0)
        ck_put(c->a, pool, "limits.nodes", ck_int(c->a, max));
    /* Karpenter keeps a fixed number of machines only with this gate. */
    if (min > 0 && min == max &&
        strstr(ck_str_at(c->m->spec, "karpenter.featureGates"), "StaticCapacity=true"))
        ck_set_int(c->a, pool, "replicas", min);
    return pool;
}

void ck_addon_values_karpenter(struct ck_addon_ctx *c)
{
    struct ck_val *pools = ck_list(c->a);
    for (size_t i = 0; i < c->m->n_groups; i++) {
        const struct ck_object *g = &c->m->groups[i];
        if (!ck_model_is_karpenter(g))
            continue;
        struct ck_val *p = ck_map(c->a);
        ck_set_str(c->a, p, "name", ck_object_name(g));
        ck_set(c->a, p, "class", node_class(c, g));
        ck_set(c->a, p, "pool", node_pool(c, g));
        ck_append(c->a, pools, p);
    }
    ck_set(c->a, c->vals, "pools", pools);
}
