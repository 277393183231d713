/* Fields of the objects under check: kOps' internal path, value, position. No rules here; names of
 * the small facts several rule files share. Mirrors apimachinery's field.Path. */
#include "spec/validate/rules.h"

#include "spec/ipnet.h"

#include <stdlib.h>
#include <string.h>

const char *const ck_role_names[] = {
    "ControlPlane",          "APIServer", "Node", "Bastion", "Etcd", "Scheduler",
    "KubeControllerManager", NULL};

const char *ck_role_internal(const char *role)
{
    return strcmp(role, "Master") ? role : "ControlPlane";
}

static const char *cloud_of(const struct ck_object *cluster)
{
    const char *label =
        ck_str_or(ck_get(ck_at(cluster->root, "metadata.labels"), "alpha.kops.k8s.io/cloud"), NULL);
    return label && !strcmp(label, "metal") ? label
                                            : ck_str_at(cluster->root, "spec.cloudProvider");
}

struct ck_chk ck_chk_of(const struct ck_validate_ctx *ctx, const struct ck_object *obj,
                        const struct ck_object *cluster, struct ck_field_errs *errs)
{
    struct ck_chk c = {
        .ctx = ctx,
        .a = ctx->arena,
        .errs = errs,
        .obj = obj,
        .clus = cluster,
        .cloud = "",
        .strict = ctx->strict,
    };
    if (!cluster)
        return c;
    c.spec = ck_get(cluster->root, "spec");
    c.cloud = cloud_of(cluster);
    ck_kube_version_parse(ck_str_at(c.spec, "kubernetesVersion"), &c.ver);
    c.ipv6 = strchr(ck_str_at(c.spec, "nonMasqueradeCIDR"), ':') != NULL;
    c.none_dns = !strcmp(ck_str_at(c.spec, "topology.dns.type"), "None");
    return c;
}

struct ck_fld ck_fld_root(struct ck_chk *c, const char *path, const struct ck_val *v)
{
    (void)c;
    return (struct ck_fld){.path = path, .v = v, .near = v};
}

static struct ck_fld below(struct ck_fld f, const struct ck_val *v, const char *path)
{
    return (struct ck_fld){.path = path, .v = v, .near = v ? v : f.near};
}

struct ck_fld ck_fld_at(struct ck_chk *c, struct ck_fld f, const char *key, const char *name)
{
    return below(f, ck_at(f.v, key), ck_arena_printf(c->a, "%s.%s", f.path, name ? name : key));
}

struct ck_fld ck_fld_item(struct ck_chk *c, struct ck_fld f, size_t i)
{
    return below(f, ck_item(f.v, i), ck_arena_printf(c->a, "%s[%zu]", f.path, i));
}

struct ck_fld ck_fld_key(struct ck_chk *c, struct ck_fld f, const char *key)
{
    return below(f, ck_get(f.v, key), ck_arena_printf(c->a, "%s[%s]", f.path, key));
}

struct ck_fld ck_fld_named(struct ck_fld f, const char *path)
{
    f.path = path;
    return f;
}

const char *ck_fld_str(struct ck_fld f)
{
    return ck_str_or(f.v, "");
}

bool ck_fld_is(struct ck_fld f, const char *s)
{
    return ck_is_str(f.v, s);
}

bool ck_fld_true(struct ck_fld f)
{
    return f.v && f.v->kind == CK_BOOL && f.v->b;
}

bool ck_fld_false(struct ck_fld f)
{
    return f.v && f.v->kind == CK_BOOL && !f.v->b;
}

bool ck_fld_set(struct ck_fld f)
{
    return !ck_is_null(f.v) && !ck_is_str(f.v, "");
}

const char *ck_spec_str(const struct ck_chk *c, const char *path)
{
    return ck_str_at(c->spec, path);
}

bool ck_chk_cert_manager(const struct ck_chk *c)
{
    return ck_bool_at(c->spec, "certManager.enabled", false);
}

bool ck_chk_irsa(const struct ck_chk *c)
{
    return ck_bool_at(c->spec, "iam.useServiceAccountExternalPermissions", false);
}

bool ck_chk_is_cloud(const struct ck_chk *c, const char *cloud)
{
    return !strcmp(c->cloud, cloud);
}

bool ck_chk_cidr(struct ck_chk *c, struct ck_fld f, struct ck_ipnet *ret)
{
    const char *s = ck_fld_str(f);
    char text[CK_IPNET_TEXT];
    if (!ck_ipnet_parse(s, ret)) {
        if (!ck_ip_parse(s, ret))
            ck_chk_invalid(c, f, "Could not be parsed as a CIDR");
        else
            ck_chk_invalid(c, f, "Could not be parsed as a CIDR (did you mean \"%s/%d\")", s,
                           ret->bits == 128 ? 64 : 32);
        return false;
    }
    if (ck_ipnet_has_host_bits(ret)) {
        ck_ipnet_text(ret, text);
        ck_chk_invalid(c, f, "Network contains bits outside prefix (did you mean \"%s\")", text);
    }
    return true;
}

const char *ck_arn_resource(const char *arn, const char **ret_why)
{
    *ret_why = NULL;
    if (strncmp(arn, "arn:", 4) != 0) {
        *ret_why = "arn: invalid prefix";
        return NULL;
    }
    const char *p = arn;
    for (int sections = 0; sections < 5; sections++) {
        p = strchr(p, ':');
        if (!p) {
            *ret_why = "arn: not enough sections";
            return NULL;
        }
        p++;
    }
    return p;
}

static int key_cmp(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **ck_sorted_keys(struct ck_arena *a, const struct ck_val *map)
{
    size_t n = ck_is_map(map) ? map->map.n : 0;
    const char **keys = ck_arena_alloc(a, (n + 1) * sizeof *keys);
    for (size_t i = 0; i < n; i++)
        keys[i] = map->map.v[i].key.ptr;
    if (n)
        qsort(keys, n, sizeof *keys, key_cmp);
    return keys;
}
