/* What the keypair and secret commands share: opening, reading files, completion. */
#include "cmd/keys/keys.h"

#include "base/file.h"
#include "base/log.h"
#include "store/secretset.h"

#include <unistd.h>

static void tell(void *arg, enum ck_keypair_event event, const char *keyset, const char *id)
{
    struct ck_ctx *ctx = arg;
    switch (event) {
    case CK_KEYPAIR_CREATED:
        ck_print(ctx, "Created %s %s\n", keyset, id);
        break;
    case CK_KEYPAIR_PROMOTED:
        ck_print(ctx, "Promoted %s %s\n", keyset, id);
        break;
    case CK_KEYPAIR_NO_NEWER:
        ck_print(ctx, "No %s keypair newer than current primary %s\n", keyset, id);
        break;
    case CK_KEYPAIR_DISTRUSTED:
        ck_print(ctx, "Distrusted %s %s\n", keyset, id);
        break;
    case CK_KEYPAIR_NONE_OLDER:
        ck_info("No %s keypairs older than the primary.", keyset);
        break;
    case CK_KEYPAIR_TRUSTED:
        ck_print(ctx, "Trusted %s %s\n", keyset, id);
        break;
    }
}

int ck_keys_open(struct ck_ctx *ctx, const char *prefix, struct ck_stored *cluster,
                 struct ck_keypair_run *run, struct ck_err *err)
{
    struct ck_store *store;
    int r = ck_ctx_store(ctx, &store, err);
    if (r)
        return r;
    if (ck_cluster_get_for_command(ctx->arena, store, ctx->cluster_name, cluster, err))
        return ck_wrap(err, "%s: \"%s\"", prefix, ctx->cluster_name);
    run->store = store;
    run->cluster = &cluster->obj;
    run->tell = tell;
    run->arg = ctx;
    return 0;
}

int ck_keys_read_file(const char *path, size_t max, struct ck_buf *out, struct ck_err *err)
{
    if (strcmp(path, "-") != 0)
        return ck_file_read(path, max, out, err);
    int r = ck_fd_read_all(STDIN_FILENO, max, out, err);
    return r ? ck_wrap(err, "error reading from stdin") : 0;
}

/* ---- completion ---- */

static int open_quietly(struct ck_ctx *ctx, struct ck_store **store, struct ck_stored *cluster,
                        struct ck_err *err)
{
    int r = ck_resolve_name_kubeconfig(ctx, err);
    if (!r)
        r = ck_ctx_store(ctx, store, err);
    return r ? r : ck_cluster_get(ctx->arena, *store, ctx->cluster_name, cluster, err);
}

static bool typed(int argc, char **argv, const char *word)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], word) == 0)
            return true;
    return false;
}

static void offer(const struct ck_strv *all, int argc, char **argv, const char *prefix,
                  struct ck_strv *ret)
{
    for (size_t i = 0; i < all->n; i++)
        if (ck_str_starts(all->v[i], prefix) && !typed(argc, argv, all->v[i]))
            ck_strv_push(ret, all->v[i]);
}

int ck_complete_keysets(struct ck_ctx *ctx, const void *opts, int argc, char **argv,
                        const char *prefix, struct ck_strv *ret, int *ret_directive,
                        struct ck_err *err)
{
    (void)opts;
    *ret_directive = CK_COMPLETE_NO_FILE;
    struct ck_store *store;
    struct ck_stored cluster;
    CK_AUTOSTRV names = {0};
    int r = open_quietly(ctx, &store, &cluster, err);
    if (!r)
        r = ck_keyset_names(ctx->arena, store, &cluster.obj, &names, err);
    if (!r)
        offer(&names, argc, argv, prefix, ret);
    return r;
}

int ck_complete_keyset_ids(struct ck_ctx *ctx, const void *opts, int argc, char **argv,
                           const char *prefix, struct ck_strv *ret, int *ret_directive,
                           struct ck_err *err)
{
    if (argc == 0) {
        int r = ck_complete_keysets(ctx, opts, argc, argv, prefix, ret, ret_directive, err);
        if (!r && ck_str_starts("all", prefix))
            ck_strv_push(ret, "all");
        return r;
    }
    *ret_directive = CK_COMPLETE_NO_FILE;
    struct ck_store *store;
    struct ck_stored cluster;
    struct ck_keyset k;
    CK_AUTOARENA struct ck_arena *a = ck_keyset_arena();
    CK_AUTOSTRV ids = {0};
    int r = open_quietly(ctx, &store, &cluster, err);
    if (!r)
        r = ck_keyset_read(a, store, &cluster.obj, argv[0], &k, err);
    for (size_t i = 0; !r && i < k.n; i++)
        ck_strv_push(&ids, k.v[i]->id);
    offer(&ids, argc, argv, prefix, ret);
    return r;
}

int ck_complete_secrets(struct ck_ctx *ctx, const void *opts, int argc, char **argv,
                        const char *prefix, struct ck_strv *ret, int *ret_directive,
                        struct ck_err *err)
{
    (void)opts;
    *ret_directive = CK_COMPLETE_NO_FILE;
    struct ck_store *store;
    struct ck_stored cluster;
    CK_AUTOSTRV names = {0};
    int r = open_quietly(ctx, &store, &cluster, err);
    if (!r)
        r = ck_secret_list(ctx->arena, store, &cluster.obj, &names, err);
    if (!r)
        offer(&names, argc, argv, prefix, ret);
    return r;
}
