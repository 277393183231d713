/* What users put onto nodes: files, systemd units, kernel parameters, mounts, packages. Mirrors
 * kOps pkg/apis/nodeup/config.go. */
#include "base/attr.h"
#include "model/nodeup/internal.h"

#include <string.h>

/* Whether an item with such `roles` is for the group. Hooks know control planes by either name;
 * the roles of files are compared as they are written, because kOps never converts them. */
static bool for_role(const struct ck_val *item, enum ck_role role, bool either_name)
{
    const struct ck_val *roles = ck_get(item, "roles");
    for (size_t i = 0; i < ck_len(roles); i++) {
        const char *r = ck_str_or(ck_item(roles, i), "");
        if (!strcmp(r, ck_model_role_name(role)))
            return true;
        if (either_name && role == CK_ROLE_CONTROL_PLANE && !strcmp(r, "Master"))
            return true;
    }
    return ck_len(roles) == 0;
}

static struct ck_val *without_roles(struct ck_arena *a, const struct ck_val *item)
{
    struct ck_val *to = ck_val_clone(a, item);
    ck_unset(to, "roles");
    return to;
}

/* kOps' own types say "enabled". */
static struct ck_val *hook(struct ck_arena *a, const struct ck_val *item)
{
    struct ck_val *to = without_roles(a, item);
    const struct ck_val *off = ck_get(to, "disabled");
    if (off) {
        ck_set_bool(a, to, "enabled", !ck_bool_at(to, "disabled", false));
        ck_unset(to, "disabled");
    }
    return to;
}

static struct ck_val *hooks_of(struct ck_model *m, const struct ck_val *spec, enum ck_role role)
{
    const struct ck_val *given = ck_get(spec, "hooks");
    struct ck_val *list = ck_list(m->a);
    for (size_t i = 0; i < ck_len(given); i++)
        if (for_role(ck_item(given, i), role, true))
            ck_append(m->a, list, hook(m->a, ck_item(given, i)));
    return ck_len(list) ? list : ck_null(m->a);
}

static void add_files(struct ck_model *m, const struct ck_val *spec, enum ck_role role,
                      struct ck_val *to)
{
    const struct ck_val *given = ck_get(spec, "fileAssets");
    for (size_t i = 0; i < ck_len(given); i++)
        if (for_role(ck_item(given, i), role, false))
            ck_append(m->a, to, without_roles(m->a, ck_item(given, i)));
}

static void add_all(struct ck_arena *a, struct ck_val *to, const struct ck_val *list)
{
    for (size_t i = 0; i < ck_len(list); i++)
        ck_append(a, to, ck_val_clone(a, ck_item(list, i)));
}

static void add_parameters(struct ck_arena *a, struct ck_val *to, const struct ck_val *list,
                           const char *headline)
{
    if (!ck_len(list))
        return;
    ck_append_str(a, to, headline);
    ck_append_str(a, to, "");
    add_all(a, to, list);
}

static void set_unless_empty(struct ck_model *m, struct ck_val *config, const char *key,
                             struct ck_val *list)
{
    if (ck_len(list))
        ck_set(m->a, config, key, list);
}

void ck_nodeup_put_files(struct ck_model *m, const struct ck_object *group, struct ck_val *config)
{
    enum ck_role role = ck_model_role(group);
    const struct ck_val *spec = ck_object_spec(group);
    struct ck_val *files = ck_list(m->a), *hooks = ck_list(m->a), *parameters = ck_list(m->a);
    struct ck_val *packages = ck_list(m->a), *mounts = ck_list(m->a);
    add_files(m, spec, role, files);
    add_files(m, m->spec, role, files);
    add_all(m->a, files, ck_get(config, "FileAssets"));
    set_unless_empty(m, config, "FileAssets", files);
    ck_append(m->a, hooks, hooks_of(m, spec, role));
    ck_append(m->a, hooks, hooks_of(m, m->spec, role));
    ck_set(m->a, config, "Hooks", hooks);
    add_parameters(m->a, parameters, ck_get(m->spec, "sysctlParameters"),
                   "# Custom sysctl parameters from cluster spec");
    add_parameters(m->a, parameters, ck_get(spec, "sysctlParameters"),
                   "# Custom sysctl parameters from instance group spec");
    set_unless_empty(m, config, "SysctlParameters", parameters);
    add_all(m->a, packages, ck_get(m->spec, "packages"));
    add_all(m->a, packages, ck_get(spec, "packages"));
    set_unless_empty(m, config, "packages", packages);
    add_all(m->a, mounts, ck_get(spec, "volumeMounts"));
    set_unless_empty(m, config, "VolumeMounts", mounts);
}
