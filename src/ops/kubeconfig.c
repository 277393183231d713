/* Taking a cluster out of the user's kubeconfig files.
 *
 * Files are locked as kubectl locks them (FILE.lock) and replaced atomically. Mirrors kOps
 * pkg/kubeconfig/kubecfg_builder.go (DeleteKubeConfig). */
#include "ops/kubeconfig.h"

#include "ops/keys/kubefile.h"

static bool drop_named(struct ck_val *list, const char *name)
{
    bool any = false;
    for (size_t i = ck_len(list); ck_is_list(list) && i-- > 0;) {
        if (ck_is_str(ck_get(ck_item(list, i), "name"), name)) {
            ck_list_remove(list, i);
            any = true;
        }
    }
    return any;
}

static bool forget(struct ck_arena *a, struct ck_val *root, const char *name)
{
    const char *basic = ck_arena_printf(a, "%s-basic-auth", name);
    bool any = drop_named(ck_get(root, "clusters"), name);
    any = drop_named(ck_get(root, "contexts"), name) || any;
    any = drop_named(ck_get(root, "users"), name) || any;
    any = drop_named(ck_get(root, "users"), basic) || any;
    if (ck_is_str(ck_get(root, "current-context"), name)) {
        ck_set_str(a, root, "current-context", "");
        any = true;
    }
    return any;
}

static bool holds_something(const struct ck_val *root)
{
    return ck_len(ck_get(root, "clusters")) || ck_len(ck_get(root, "contexts")) ||
           ck_len(ck_get(root, "users")) || ck_str_at(root, "current-context")[0];
}

static int change_file(struct ck_arena *a, struct ck_kubefile *f, const char *name, bool *ret_any,
                       struct ck_err *err)
{
    int r = ck_kubefile_lock(a, f, false, err);
    if (!r)
        r = ck_kubefile_read(a, f, err);
    if (r || !f->root)
        return r;
    *ret_any = *ret_any || holds_something(f->root);
    return forget(a, f->root, name) ? ck_kubefile_write(f, err) : 0;
}

int ck_kubeconfig_forget(struct ck_arena *a, const struct ck_env *env, const char *name,
                         bool *ret_any, struct ck_err *err)
{
    CK_AUTOKUBEFILES files = {0};
    int r = 0;
    *ret_any = false;
    ck_kubefiles_find(a, env, "", &files);
    for (size_t i = 0; i < files.n && !r; i++)
        r = change_file(a, &files.v[i], name, ret_any, err);
    return r;
}
