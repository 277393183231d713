/* Roles of Cloud Storage, Azure and Kubernetes, in the form that their command lines take. */
#include "ops/storepolicy/roles.h"

#include "vfs/examine/permissions.h"

#include <string.h>

bool ck_policy_is_s3(const struct ck_store *s)
{
    static const char *const schemes[] = {"s3", "do", "scw", "linode", "hos"};
    for (size_t i = 0; i < CK_ARRAY_LEN(schemes); i++)
        if (strcmp(schemes[i], s->root.vfs->ops->scheme) == 0)
            return true;
    return false;
}

/* The names that this reader needs, each once, up to `end` of a name or whole. */
static struct ck_val *names(struct ck_arena *a, const struct ck_permissions *p, bool writes,
                            const char *end)
{
    static const bool reads[CK_PERMISSION_KINDS] = {
        [CK_PERMISSION_LIST] = true, [CK_PERMISSION_READ] = true};
    struct ck_val *list = ck_list(a), *seen = ck_map(a);
    for (size_t i = 0; i < CK_PERMISSION_KINDS; i++) {
        const char *name = ck_arena_strndup(a, p->name[i], strcspn(p->name[i], end));
        if ((!writes && !reads[i]) || ck_get(seen, name))
            continue;
        ck_set(a, seen, name, ck_null(a));
        ck_append_str(a, list, name);
    }
    return list;
}

static const struct ck_val *google(struct ck_arena *a, const char *title, struct ck_val *list)
{
    struct ck_val *role = ck_map(a);
    ck_set_str(a, role, "title", title);
    ck_set_str(a, role, "stage", "GA");
    ck_set(a, role, "includedPermissions", list);
    return role;
}

static const struct ck_val *azure(struct ck_arena *a, const char *title, struct ck_val *list)
{
    struct ck_val *role = ck_map(a), *scopes = ck_list(a);
    ck_append_str(a, scopes, "/subscriptions/SUBSCRIPTION");
    ck_set_str(a, role, "Name", title);
    ck_set_bool(a, role, "IsCustom", true);
    ck_set_str(a, role, "Description", "Files of a state store");
    ck_set(a, role, "Actions", ck_list(a));
    ck_set(a, role, "DataActions", list);
    ck_set(a, role, "AssignableScopes", scopes);
    return role;
}

static const struct ck_val *kubernetes(struct ck_arena *a, const char *title, struct ck_val *verbs)
{
    struct ck_val *role = ck_map(a), *meta = ck_map(a), *rule = ck_map(a), *rules = ck_list(a),
                  *groups = ck_list(a), *resources = ck_list(a);
    ck_append_str(a, groups, "");
    ck_append_str(a, resources, "secrets");
    ck_set_str(a, meta, "name", title);
    ck_set(a, rule, "apiGroups", groups);
    ck_set(a, rule, "resources", resources);
    ck_set(a, rule, "verbs", verbs);
    ck_append(a, rules, rule);
    ck_set_str(a, role, "apiVersion", "rbac.authorization.k8s.io/v1");
    ck_set_str(a, role, "kind", "Role");
    ck_set(a, role, "metadata", meta);
    ck_set(a, role, "rules", rules);
    return role;
}

int ck_policy_of_cloud(struct ck_arena *a, const struct ck_store *s, const struct ck_policy_opts *o,
                       const struct ck_val **ret, struct ck_err *err)
{
    static const struct {
        const char *scheme, *end;
        const struct ck_val *(*make)(struct ck_arena *a, const char *title, struct ck_val *names);
    } CLOUDS[] = {{"gs", "", google}, {"azureblob", "", azure}, {"k8s", " ", kubernetes}};
    const char *scheme = s->root.vfs->ops->scheme;
    bool writes = o->who == CK_POLICY_OPERATOR;
    for (size_t i = 0; i < CK_ARRAY_LEN(CLOUDS); i++) {
        if (strcmp(CLOUDS[i].scheme, scheme) != 0)
            continue;
        if ((!writes && o->who != CK_POLICY_READER) || *o->cluster || *o->account)
            return ck_fail(err, CK_UNSUPPORTED,
                           "for %s:// there are roles of operators and readers of a whole store; "
                           "docs/store-doctor.md says how to narrow them",
                           scheme);
        struct ck_val *list = names(a, ck_permissions_of(scheme), writes, CLOUDS[i].end);
        *ret = CLOUDS[i].make(a, writes ? "ckops-operator" : "ckops-reader", list);
        return 0;
    }
    return ck_fail(
        err, CK_UNSUPPORTED,
        "%s:// has no policies that ckops knows; docs/stores.md says what its users need", scheme);
}
