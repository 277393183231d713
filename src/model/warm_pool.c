/* Whether a group keeps machines in store. Mirrors kOps pkg/apis/kops/instancegroup.go
 * (WarmPoolSpec.ResolveDefaults); shared facts update-cluster-aws.md §16. */
#include "model/model.h"

#include <string.h>

/* What is not said yet. */
static void take(struct ck_warm_pool *w, const struct ck_val *from, bool *has_settings)
{
    const struct ck_val *max = ck_get(from, "maxSize");
    if (!ck_is_map(from))
        return;
    *has_settings = true;
    if (!w->has_max && max && max->kind == CK_INT) {
        w->has_max = true;
        w->max = max->i;
    }
    w->min = w->min ? w->min : ck_int_at(from, "minSize", 0);
    w->timeout = w->timeout ? w->timeout : ck_int_at(from, "lifecycleHookTimeout", 0);
    w->hook = w->hook || ck_bool_at(from, "enableLifecycleHook", false);
    w->images = ck_len(w->images) ? w->images : ck_get(from, "additionalImages");
}

struct ck_warm_pool ck_model_warm_pool(const struct ck_model *m, const struct ck_object *group)
{
    enum { HOOK_SECONDS = 600 };
    enum ck_role role = ck_model_role(group);
    struct ck_warm_pool w = {0};
    bool has_settings = false;
    take(&w, ck_get(ck_object_spec(group), "warmPool"), &has_settings);
    if (role != CK_ROLE_CONTROL_PLANE && role != CK_ROLE_BASTION)
        take(&w, ck_get(m->spec, "warmPool"), &has_settings);
    w.enabled = has_settings && !(w.has_max && w.max == 0);
    w.hook = w.hook && w.enabled;
    w.timeout = w.timeout ? w.timeout : HOOK_SECONDS;
    return w;
}
