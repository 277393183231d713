/* keys_cli STORE CLUSTER: makes the keysets a cluster needs, as `update cluster` does, and prints
 * those it made. For tests from outside. */
#include "base/mem.h"
#include "store/keysneeded.h"

#include <stdio.h>

static void ignore(void *arg, const char *text)
{
    (void)arg, (void)text;
}

int main(int argc, char **argv)
{
    CK_AUTOARENA struct ck_arena *a = ck_keyset_arena();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_env env = {0};
    struct ck_feature_flags features = {0};
    struct ck_vfs_ctx ctx = {.env = &env, .arena = a};
    struct ck_store s;
    struct ck_stored cluster;
    struct ck_keyset_found *v = NULL;
    size_t n = 0;
    if (argc != 3)
        return 2;
    ck_env_from_process(&env);
    int r = ck_store_open(&ctx, argv[1], &features, &s, &err);
    s.warn = ignore;
    if (!r)
        r = ck_cluster_get(a, &s, argv[2], &cluster, &err);
    if (!r)
        r = ck_keysets_ensure_all(a, &s, &cluster.obj, &v, &n, &err);
    for (size_t i = 0; i < n && !r; i++)
        if (v[i].made)
            printf("%s %s\n", v[i].need.name, v[i].keyset.primary->id);
    if (r)
        fprintf(stderr, "%s\n", ck_err_msg(&err));
    ck_vfs_ctx_done(&ctx);
    ck_env_done(&env);
    return r ? 1 : 0;
}
