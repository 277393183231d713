/* The cluster as a whole: version and name, the order in which rule groups run, and the rules of
 * updates. The groups themselves are in the other files. Mirrors kOps
 * pkg/apis/kops/validation/legacy.go and the frame of validation.go. */
#include "spec/validate/rules.h"

#include "spec/ipnet.h"

#include <ctype.h>
#include <string.h>

#define SUBDOMAIN_MSG                                                                              \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "   \
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "  \
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
#define SUBDOMAIN_TOO_LONG "must be no more than 253 bytes"

static bool alnum_lower(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
}

static bool subdomain(const char *s)
{
    bool label_start = true;
    for (const char *p = s; *p; p++) {
        if (*p == '.' || label_start) {
            if (*p == '.' ? (label_start || p[-1] == '-') : !alnum_lower(*p))
                return false;
            label_start = *p == '.';
        } else if (!alnum_lower(*p) && *p != '-') {
            return false;
        }
    }
    return *s && !label_start && s[strlen(s) - 1] != '-';
}

static void check_metadata(struct ck_chk *c, struct ck_fld meta, const char *name)
{
    struct ck_fld f = ck_fld_at(c, meta, "name", NULL);
    if (!*name)
        ck_chk_required(c, f, "name or generateName is required");
    if (strlen(name) > 253)
        ck_chk_invalid(c, f, SUBDOMAIN_TOO_LONG);
    if (*name && !subdomain(name))
        ck_chk_invalid(c, f, "%s", SUBDOMAIN_MSG);
    struct ck_fld ns = ck_fld_at(c, meta, "namespace", NULL);
    if (ck_fld_set(ns))
        ck_chk_forbidden(c, ns, "not allowed on this type");
}

/* Rules 25–28. */
static void check_name(struct ck_chk *c)
{
    struct ck_fld meta = ck_fld_root(c, "metadata", ck_get(c->obj->root, "metadata"));
    const char *name = ck_str_at(meta.v, "name");
    check_metadata(c, meta, name);
    struct ck_fld f = ck_fld_named(ck_fld_at(c, meta, "name", NULL), "objectMeta.name");
    bool long_name = strlen(name) > 253;
    if (!*name) {
        ck_chk_required(c, f, "Cluster Name is required (e.g. --name=mycluster.myzone.com)");
    } else if (long_name || !subdomain(name)) {
        ck_chk_invalid(c, f,
                       "Cluster Name must be a valid DNS name (e.g. --name=mycluster.myzone.com) "
                       "errors: %s%s%s",
                       long_name ? SUBDOMAIN_TOO_LONG : "",
                       long_name && !subdomain(name) ? "," : "",
                       subdomain(name) ? "" : SUBDOMAIN_MSG);
    } else if (!strchr(name, '.') && !c->none_dns) {
        const struct ck_val *notes = ck_get(meta.v, "annotations");
        if (!ck_is_str(ck_get(notes, "kops.kubernetes.io/management"), "imported"))
            ck_chk_invalid(c, f,
                           "Cluster Name must be a fully-qualified DNS name (e.g. "
                           "--name=mycluster.myzone.com)");
    }
}

/* Rules 32–34: a list of CIDRs, or of AWS prefix lists. */
static void check_access(struct ck_chk *c, struct ck_fld list)
{
    for (size_t i = 0; i < ck_len(list.v); i++) {
        struct ck_fld f = ck_fld_item(c, list, i);
        struct ck_ipnet net;
        if (!ck_str_starts(ck_fld_str(f), "pl-"))
            ck_chk_cidr(c, f, &net);
        else if (!ck_chk_is_cloud(c, "aws"))
            ck_chk_invalid(c, f, "Prefix List ID only supported for AWS");
    }
}

void ck_chk_hooks(struct ck_chk *c, struct ck_fld hooks, bool in_group)
{
    for (size_t i = 0; i < ck_len(hooks.v); i++) {
        struct ck_fld f = ck_fld_item(c, hooks, i);
        /* The stored word is `disabled`; for groups kOps reads it as `enabled` uninverted. */
        const struct ck_val *word = ck_get(f.v, "disabled");
        if (word && word->kind == CK_BOOL && word->b == !in_group)
            continue;
        struct ck_fld exec = ck_fld_at(c, f, "execContainer", NULL);
        bool has_exec = !ck_is_null(exec.v), raw = ck_bool_at(f.v, "useRawManifest", false);
        bool has_manifest = *ck_str_at(f.v, "manifest");
        if (!has_exec && !has_manifest)
            ck_chk_required(c, f, "you must set either manifest or execContainer for a hook");
        if (has_exec && raw)
            ck_chk_forbidden(
                c, f, "execContainer may not be used with useRawManifest (use manifest instead)");
        if (!has_manifest && raw)
            ck_chk_required(c, f, "you must set manifest when useRawManifest is true");
        if (raw && ck_is_list(ck_get(f.v, "before")))
            ck_chk_forbidden(c, f, "before may not be used with useRawManifest");
        if (raw && ck_is_list(ck_get(f.v, "requires")))
            ck_chk_forbidden(c, f, "requires may not be used with useRawManifest");
        struct ck_fld image = ck_fld_at(c, exec, "image", NULL);
        if (has_exec && !ck_fld_set(image))
            ck_chk_required(c, image, "image must be specified");
    }
}

void ck_chk_file_assets(struct ck_chk *c, struct ck_fld assets)
{
    for (size_t i = 0; i < ck_len(assets.v); i++) {
        struct ck_fld f = ck_fld_item(c, assets, i);
        struct ck_fld name = ck_fld_at(c, f, "name", NULL);
        struct ck_fld content = ck_fld_at(c, f, "content", NULL);
        if (!ck_fld_set(name))
            ck_chk_required(c, name, "");
        if (!ck_fld_set(content))
            ck_chk_required(c, content, "");
    }
}

/* Rules 29–39. Several cloud providers at once (rule 30) cannot be said in the stored form, where
 * the provider is one word; the v1alpha3 reader refuses it. */
static void check_top(struct ck_chk *c, struct ck_fld spec)
{
    if (!*c->cloud)
        ck_chk_required(c, ck_fld_at(c, spec, "cloudProvider", NULL), "");
    static const char *const gossip[] = {"gossipConfig", "dnsControllerGossipConfig"};
    for (size_t i = 0; i < CK_ARRAY_LEN(gossip); i++) {
        struct ck_fld f = ck_fld_at(c, spec, gossip[i], NULL);
        if (!ck_is_null(f.v))
            ck_chk_forbidden(c, f,
                             "gossip DNS support was removed in kOps 1.37; remove this field from "
                             "the cluster spec");
    }
    check_access(c, ck_fld_at(c, spec, "sshAccess", NULL));
    check_access(c, ck_fld_at(c, spec, "kubernetesApiAccess", "kubernetesAPIAccess"));
    check_access(c, ck_fld_at(c, spec, "nodePortAccess", NULL));
    ck_chk_one_of(c, ck_fld_at(c, spec, "updatePolicy", NULL), CK_ONE_OF("automatic", "external"));
    ck_chk_hooks(c, ck_fld_at(c, spec, "hooks", NULL), false);
    ck_chk_file_assets(c, ck_fld_at(c, spec, "fileAssets", NULL));
}

void ck_validate_cluster(const struct ck_validate_ctx *ctx, const struct ck_object *cluster,
                         struct ck_field_errs *ret)
{
    struct ck_chk chk = ck_chk_of(ctx, cluster, cluster, ret);
    struct ck_chk *c = &chk;
    struct ck_fld spec = ck_fld_root(c, "spec", c->spec);
    spec.near = c->spec ? c->spec : cluster->root;
    struct ck_fld version = ck_fld_at(c, spec, "kubernetesVersion", NULL);
    if (!ck_fld_set(version)) {
        ck_chk_required(c, version, "");
        return;
    }
    if (!ck_kube_version_parse(ck_fld_str(version), &c->ver)) {
        ck_chk_invalid(c, version, "unable to determine kubernetes version");
        return;
    }
    ck_chk_legacy(c, spec);
    check_name(c);
    check_top(c, spec);
    ck_chk_components(c, spec);
    ck_chk_kubelets(c, spec);
    ck_chk_network(c, spec);
    ck_chk_cni(c, spec);
    ck_chk_addons(c, spec);
    ck_chk_etcd(c, spec);
    ck_chk_runtime(c, spec);
    ck_chk_iam(c, spec);
    ck_chk_aws_addons(c, spec);
    ck_chk_cloud(c, spec);
}

/* Rule 175; also the instance groups' (rule 195). `skip`: a key that is looked at elsewhere. */
void ck_chk_cloud_labels(struct ck_chk *c, struct ck_fld labels, const char *skip)
{
    static const char *const reserved[] = {"Name", "KubernetesCluster"};
    static const char *const prefixes[] = {"kops.k8s.io/", "kubernetes.io/cluster/",
                                           "k8s.io/role/"};
    const char **keys = ck_sorted_keys(c->a, labels.v);
    for (size_t i = 0; i < CK_ARRAY_LEN(reserved); i++)
        if (ck_get(labels.v, reserved[i]))
            ck_chk_forbidden(c, ck_fld_at(c, labels, reserved[i], NULL),
                             "\"%s\" is a reserved label and cannot be used as a custom label",
                             reserved[i]);
    for (size_t i = 0; i < CK_ARRAY_LEN(prefixes); i++) {
        for (size_t k = 0; keys[k]; k++) {
            if (!ck_str_starts(keys[k], prefixes[i]) || (skip && !strcmp(keys[k], skip)))
                continue;
            struct ck_fld f = ck_fld_key(c, labels, keys[k]);
            ck_chk_forbidden(
                c, ck_fld_named(f, ck_arena_printf(c->a, "%s.%s", labels.path, keys[k])),
                "\"%s\" is a reserved label prefix and cannot be used as a custom label",
                prefixes[i]);
        }
    }
}

void ck_validate_cluster_update(const struct ck_validate_ctx *ctx, const struct ck_object *now,
                                const struct ck_object *old, struct ck_field_errs *ret)
{
    struct ck_validate_ctx loose = *ctx;
    loose.strict = false;
    ck_validate_cluster(&loose, now, ret);
    struct ck_chk c = ck_chk_of(&loose, now, now, ret);
    struct ck_fld spec = ck_fld_root(&c, "spec", c.spec);
    ck_chk_etcd_update(&c, ck_fld_at(&c, spec, "etcdClusters", NULL),
                       ck_at(old->root, "spec.etcdClusters"));
    ck_chk_cloud_labels(&c, ck_fld_at(&c, spec, "cloudLabels", NULL), NULL);
}
