/* Opening a state store: checking its address. No I/O happens here.
 *
 * Mirrors cmd/util/factory.go of kOps. */
#include "store/store.h"

static void no_warning(void *arg, const char *text)
{
    (void)arg;
    (void)text;
}

int ck_store_open(struct ck_vfs_ctx *ctx, const char *url, const struct ck_feature_flags *features,
                  struct ck_store *ret, struct ck_err *err)
{
    if (!url || !url[0])
        return ck_fail(err, CK_INVALID,
                       "State Store: Required value: Please set the --state flag or export "
                       "KOPS_STATE_STORE.\n"
                       "For example, a valid value follows the format s3://<bucket>.\n"
                       "You can find the supported stores in https://kops.sigs.k8s.io/state.");
    size_t n = strlen(url);
    /* What is left of "k8s://", the current context, would be no store. */
    if (url[n - 1] == '/' && n > 1 && strcmp(url, "k8s://") != 0)
        n--;
    *ret = (struct ck_store){
        .vfs = ctx,
        .url = ck_arena_strndup(ctx->arena, url, n),
        .features = features,
        .warn = no_warning,
    };
    if (ck_vfs_parse(ctx, ret->url, &ret->root, err)) {
        /* A refused location may hold a password or control characters. */
        bool plain = !strchr(ret->url, '@') && strcspn(ret->url, "\n\r\t\x1b") == n;
        return ck_wrap(err, "error building path for \"%s\"", plain ? ret->url : "…");
    }
    return 0;
}
