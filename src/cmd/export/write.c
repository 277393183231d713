/* One cluster into the user's kubeconfig: from options to a merged file. Mirrors
 * cmd/kops/export_kubeconfig.go. */
#include "cmd/export/export.h"
#include "cmd/frame/journal.h"

#include "base/log.h"

enum { NS_PER_S = 1000000000 };

int ck_export_check(const struct ck_export_opts *o, struct ck_err *err)
{
    if (o->admin_ns && o->user[0])
        return ck_fail(err, CK_INVALID, "cannot use both --admin and --user");
    if (o->admin_ns && o->auth_plugin)
        return ck_fail(err, CK_INVALID, "cannot use both --admin and --auth-plugin");
    if (o->admin_ns < 0 || (o->admin_ns > 0 && o->admin_ns < NS_PER_S))
        return ck_fail(err, CK_INVALID, "--admin must be at least one second");
    return 0;
}

int ck_export_cluster(struct ck_ctx *ctx, const struct ck_store *store,
                      const struct ck_object *cluster, const struct ck_export_opts *o,
                      struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_keyset_arena();
    CK_AUTOKUBE x = {0};
    const char *name = ck_object_name(cluster);
    struct ck_kube_access_opts want = {.internal = o->internal,
                                       .api_server = o->api_server,
                                       .admin_s = o->admin_ns / NS_PER_S,
                                       .login = ck_ctx_login(ctx)};
    const char *const exec[] = {ctx->program, "helpers", "kubectl-auth",
                                ck_arena_printf(a, "--cluster=%s", name),
                                ck_arena_printf(a, "--state=%s", store->url)};
    struct ck_kube_merge merge = {.file = o->file,
                                  .user = o->user,
                                  .exec = exec,
                                  .n_exec = o->auth_plugin ? CK_ARRAY_LEN(exec) : 0};
    int r = ck_kube_access_make(a, store, cluster, &want, &x, err);
    if (!r && x.address_is_a_guess)
        ck_warn("Did not find API endpoint; may not be able to reach cluster");
    if (!r)
        r = ck_kubeconfig_merge(a, &ctx->env, &x, &merge, err);
    if (!r)
        ck_print(ctx, "kOps has set your kubectl context to %s\n", name);
    return r;
}
