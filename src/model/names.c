/* Names of what a cluster is made of, what its groups are, and image names as its nodes pull them.
 * Reads the model alone. Mirrors kOps pkg/model/names.go, context.go and pkg/truncate. */
#include "base/attr.h"
#include "model/assets.h"
#include "spec/populate.h"

#include <string.h>

const struct ck_keyset *ck_model_keyset(const struct ck_model *m, const char *name)
{
    for (size_t i = 0; i < m->n_keysets; i++)
        if (!strcmp(m->keysets[i].name, name))
            return &m->keysets[i];
    return NULL;
}

const struct ck_val *ck_model_fact(const struct ck_model *m, const char *path)
{
    return m->facts ? ck_at(ck_get(m->facts->root, m->cloud), path) : NULL;
}

/* ---- roles ---- */

static const struct {
    const char *stored, *internal, *lower, *infix;
} roles[] = {
    [CK_ROLE_CONTROL_PLANE] = {"Master", "ControlPlane", "control-plane", "masters."},
    [CK_ROLE_API_SERVER] = {"APIServer", "APIServer", "apiserver", "apiservers."},
    [CK_ROLE_NODE] = {"Node", "Node", "node", ""},
    [CK_ROLE_BASTION] = {"Bastion", "Bastion", "bastion", ""},
};

enum ck_role ck_model_role(const struct ck_object *group)
{
    const char *role = ck_str_at(ck_object_spec(group), "role");
    for (size_t i = 0; i < CK_ARRAY_LEN(roles); i++)
        if (!strcmp(role, roles[i].stored) || !strcmp(role, roles[i].internal))
            return (enum ck_role)i;
    return CK_ROLE_NODE;
}

const char *ck_model_role_name(enum ck_role role)
{
    return roles[role].internal;
}

const char *ck_model_role_lower(enum ck_role role)
{
    return roles[role].lower;
}

bool ck_model_has_apiserver(const struct ck_object *group)
{
    enum ck_role role = ck_model_role(group);
    return role == CK_ROLE_CONTROL_PLANE || role == CK_ROLE_API_SERVER;
}

const char *ck_model_group_name(const struct ck_model *m, const struct ck_object *group)
{
    return ck_arena_printf(m->a, "%s.%s%s", ck_object_name(group),
                           roles[ck_model_role(group)].infix, m->name);
}

bool ck_model_is_karpenter(const struct ck_object *group)
{
    return !strcmp(ck_str_at(ck_object_spec(group), "manager"), "Karpenter");
}

const struct ck_val *ck_model_node_labels(const struct ck_model *m, const struct ck_object *group)
{
    const struct ck_val *labels = ck_at(ck_object_spec(group), "kubelet.nodeLabels");
    return ck_is_map(labels) ? labels : ck_map(m->a);
}

/* ---- names that must be short ---- */

enum { HASH_CHARS = 6 };

/* The first characters of the hash's bytes, big end first, five bits each. */
static void hash_text(const char *s, char out[HASH_CHARS + 1])
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    uint32_t h = ck_fnv1a(ck_slice_of(s));
    for (int i = 0; i < HASH_CHARS; i++)
        out[i] = digits[(h >> (27 - 5 * i)) & 31];
    out[HASH_CHARS] = '\0';
}

const char *ck_model_truncate(struct ck_arena *a, const char *s, size_t max, bool always)
{
    char hash[HASH_CHARS + 1];
    size_t n = strlen(s), keep = max - HASH_CHARS - 1;
    if (!always && n <= max)
        return ck_arena_strdup(a, s);
    hash_text(s, hash);
    return ck_arena_printf(a, "%.*s-%s", (int)(n < keep ? n : keep), s, hash);
}

const char *ck_model_name32(const struct ck_model *m, const char *prefix)
{
    enum { MAX = 32 };
    char *name = ck_arena_printf(m->a, "%s-%s", prefix, m->name);
    for (char *p = name + strlen(prefix); *p; p++)
        if (*p == '.')
            *p = '-';
    return ck_model_truncate(m->a, name, MAX, true);
}

/* ---- the cluster ---- */

const char *ck_model_internal_api_name(const struct ck_model *m)
{
    return ck_arena_printf(m->a, "api.internal.%s", m->name);
}

bool ck_model_dns_none(const struct ck_model *m)
{
    return !strcmp(ck_str_at(m->spec, "topology.dns.type"), "None");
}

bool ck_model_ipv6_only(const struct ck_model *m)
{
    return strchr(ck_str_at(m->spec, "nonMasqueradeCIDR"), ':') != NULL;
}

bool ck_model_has_api_balancer(const struct ck_model *m)
{
    return ck_is_map(ck_at(m->spec, "api.loadBalancer"));
}

const char *ck_model_image(const struct ck_model *m, const char *image)
{
    const char *pulled = ck_populate_image(m->a, ck_get(m->spec, "assets"), image);
    ck_assets_mention(m->assets, image, pulled);
    return pulled;
}
