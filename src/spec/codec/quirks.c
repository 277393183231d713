/* What a pass through kOps' decoder and its internal types does to a document beyond the shape of
 * its fields: defaults on reading, the one spelling of roles, policy keys and OIDC settings, and
 * the refusals of options that belong to another cloud.
 *
 * Mirrors pkg/apis/kops/v1alpha2/{defaults,conversion}.go; facts in api-objects.md §4.7 and §5. */
#include "spec/codec/field.h"

#include <stdlib.h>

static bool is_empty_map(const struct ck_val *v)
{
    return !v || v->kind == CK_NULL || (v->kind == CK_MAP && v->map.n == 0);
}

/* ---- reading ---- */

void ck_spec_defaults(struct ck_arena *a, enum ck_object_kind kind, struct ck_val *root)
{
    struct ck_val *spec = ck_get(root, "spec");
    if (kind != CK_KIND_CLUSTER || !ck_is_map(spec))
        return;
    struct ck_val *dns = ck_ensure_map(a, spec, "topology.dns");
    if (!ck_str_at(dns, "type")[0])
        ck_set_str(a, dns, "type", "Public");
    if (is_empty_map(ck_get(spec, "authorization")))
        ck_put(a, spec, "authorization.rbac", ck_map(a));
    struct ck_val *flannel = ck_at(spec, "networking.flannel");
    if (ck_is_map(flannel) && !ck_str_at(flannel, "backend")[0])
        ck_set_str(a, flannel, "backend", "udp");
}

/* ---- one spelling ---- */

static void rename_role(struct ck_arena *a, struct ck_val *v)
{
    if (ck_is_str(v, "ControlPlane"))
        v->s = ck_arena_slice(a, CK_S("Master"));
}

static void canonical_hooks(struct ck_arena *a, struct ck_val *hooks)
{
    for (size_t i = 0; i < ck_len(hooks); i++) {
        struct ck_val *roles = ck_get(ck_item(hooks, i), "roles");
        for (size_t j = 0; ck_is_list(roles) && j < ck_len(roles); j++)
            rename_role(a, ck_item(roles, j));
    }
}

/* The key control-plane is written master; the last of the two wins, as in a Go map. */
static void canonical_policies(struct ck_arena *a, struct ck_val *policies)
{
    struct ck_val *v = ck_get(policies, "control-plane");
    if (!v)
        return;
    ck_unset(policies, "control-plane");
    ck_set(a, policies, "master", v);
}

static int cmp_str(const void *x, const void *y)
{
    const struct ck_val *a = *(struct ck_val *const *)x, *b = *(struct ck_val *const *)y;
    return ck_slice_cmp(a->s, b->s);
}

/* Required claims are a map in between: sorted, the last of equal keys wins. */
static void canonical_claims(struct ck_val *list)
{
    if (!ck_is_list(list))
        return;
    for (size_t i = 0; i < list->list.n; i++)
        if (list->list.v[i]->kind != CK_STR)
            return;
    for (size_t i = 0; i < list->list.n; i++) {
        struct ck_slice s = list->list.v[i]->s;
        size_t key = ck_slice_find(s, '=');
        for (size_t j = i + 1; j < list->list.n; j++) {
            struct ck_slice t = list->list.v[j]->s;
            if (ck_slice_find(t, '=') == key && memcmp(s.ptr, t.ptr, key) == 0) {
                ck_list_remove(list, i--);
                break;
            }
        }
    }
    if (list->list.n)
        qsort(list->list.v, list->list.n, sizeof(struct ck_val *), cmp_str);
}

static void canonical_oidc(struct ck_arena *a, struct ck_val *spec)
{
    static const char *const names[] = {
        "oidcClientID",    "oidcIssuerURL",    "oidcUsernameClaim", "oidcUsernamePrefix",
        "oidcGroupsClaim", "oidcGroupsPrefix", "oidcRequiredClaim",
    };
    struct ck_val *api = ck_get(spec, "kubeAPIServer");
    bool any = false;
    for (size_t i = 0; i < CK_ARRAY_LEN(names); i++)
        any = any || ck_get(api, names[i]);
    if (!any)
        return;
    canonical_claims(ck_get(api, "oidcRequiredClaim"));
    if (!ck_get(spec, "authentication"))
        ck_set(a, spec, "authentication", ck_map(a));
}

static void canonical_cloud(struct ck_arena *a, struct ck_val *spec)
{
    const char *cloud = ck_str_at(spec, "cloudProvider");
    if (strcmp(cloud, "openstack") == 0) {
        ck_ensure_map(a, spec, "cloudConfig.openstack");
    } else if (strcmp(cloud, "azure") == 0) {
        struct ck_val *azure = ck_ensure_map(a, spec, "cloudConfig.azure");
        if (!ck_get(azure, "tenantId"))
            ck_set_str(a, azure, "tenantId", "");
    }
}

static void canonical_dns(struct ck_arena *a, struct ck_val *dns)
{
    if (!ck_is_map(dns))
        return;
    if (ck_is_str(ck_get(dns, "provider"), "none"))
        ck_set_bool(a, dns, "disable", true);
    if (ck_bool_at(dns, "disable", false))
        ck_unset(dns, "provider");
}

void ck_spec_canonical(struct ck_arena *a, enum ck_object_kind kind, struct ck_val *root)
{
    struct ck_val *spec = ck_get(root, "spec");
    if (!ck_is_map(spec))
        return;
    if (kind == CK_KIND_INSTANCE_GROUP) {
        rename_role(a, ck_get(spec, "role"));
        canonical_hooks(a, ck_get(spec, "hooks"));
    }
    if (kind != CK_KIND_CLUSTER)
        return;
    canonical_hooks(a, ck_get(spec, "hooks"));
    canonical_policies(a, ck_get(spec, "additionalPolicies"));
    canonical_policies(a, ck_get(spec, "externalPolicies"));
    canonical_oidc(a, spec);
    canonical_cloud(a, spec);
    canonical_dns(a, ck_get(spec, "externalDns"));
    if (is_empty_map(ck_get(spec, "api")))
        ck_unset(spec, "api");
    if (is_empty_map(ck_get(spec, "networking")))
        ck_unset(spec, "networking");
}

/* ---- refusals ---- */

static int refused(const struct ck_decode_opts *opts, const struct ck_val *v, struct ck_err *err,
                   const char *text)
{
    CK_AUTOBUF struct ck_buf pos = CK_BUF_INIT;
    if (v->pos.line)
        ck_put_pos(&pos, opts, v->pos);
    return ck_fail(err, CK_INVALID, pos.len ? "%s (%s)" : "%s", text, ck_buf_str(&pos));
}

static int refuse_unknown_cloud(const struct ck_val *v, const struct ck_decode_opts *opts,
                                struct ck_err *err)
{
    static const char *const known[] = {"gce",     "digitalocean", "azure",     "aws",
                                        "hetzner", "linode",       "openstack", "scaleway"};
    if (!v || v->kind != CK_STR || v->s.len == 0 || ck_is_str(v, "metal"))
        return 0;
    for (size_t i = 0; i < CK_ARRAY_LEN(known); i++)
        if (ck_is_str(v, known[i]))
            return 0;
    if (ck_is_str(v, "alicloud")) { /* kOps had it until 1.23 */
        if (opts && opts->warn)
            opts->warn(
                opts->warn_arg,
                "spec.cloudProvider: alicloud is deprecated: its clusters can be kept in the "
                "store, but nothing is created in that cloud");
        return 0;
    }
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_fmt(&b, "spec.cloudProvider: Unsupported value: \"%s\": supported values: ", v->s.ptr);
    for (size_t i = 0; i < CK_ARRAY_LEN(known); i++)
        ck_buf_fmt(&b, "%s\"%s\"", i ? ", " : "", known[i]);
    return refused(opts, v, err, ck_buf_str(&b));
}

static const char *cloud_title(struct ck_slice id)
{
    return ck_slice_eq_str(id, "aws") ? "AWS" : "GCE";
}

static int refuse_foreign(const struct ck_type *t, const struct ck_val *v, const char *prefix,
                          const char *cloud, const struct ck_decode_opts *opts, struct ck_err *err)
{
    for (uint32_t i = 0; v && v->kind == CK_MAP && i < v->map.n; i++) {
        const struct ck_field *f = ck_field_find(t, v->map.v[i].key);
        if (!f || !f->cloud)
            continue;
        struct ck_slice what = ck_slice_of(ck_field_text(f->cloud)), id;
        ck_slice_next(&what, ',', &id);
        if (ck_slice_eq_str(id, cloud))
            continue;
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        ck_buf_fmt(&b, "%s.%s: Forbidden: %s", prefix, ck_field_name(f), what.ptr);
        if (!strstr(what.ptr, " only ")) /* the row has the whole sentence otherwise */
            ck_buf_fmt(&b, " supports only %s", cloud_title(id));
        return refused(opts, v->map.v[i].val, err, ck_buf_str(&b));
    }
    return 0;
}

int ck_spec_refuse(enum ck_object_kind kind, const struct ck_val *root,
                   const struct ck_decode_opts *opts, struct ck_err *err)
{
    const struct ck_val *spec = ck_get(root, "spec");
    if (kind != CK_KIND_CLUSTER)
        return 0;
    int rc = refuse_unknown_cloud(ck_get(spec, "cloudProvider"), opts, err);
    if (rc)
        return rc;
    const char *cloud = ck_str_at(spec, "cloudProvider");
    const struct ck_val *labels = ck_at(root, "metadata.labels");
    if (ck_is_str(ck_get(labels, "alpha.kops.k8s.io/cloud"), "metal"))
        cloud = "metal";
    const struct ck_type *t =
        ck_field_struct(ck_field_find(ck_type_of(CK_KIND_CLUSTER, false), CK_S("spec")));
    rc = refuse_foreign(t, spec, "spec", cloud, opts, err);
    if (rc)
        return rc;
    t = ck_field_struct(ck_field_find(t, CK_S("cloudConfig")));
    return refuse_foreign(t, ck_get(spec, "cloudConfig"), "spec.cloudConfig", cloud, opts, err);
}
