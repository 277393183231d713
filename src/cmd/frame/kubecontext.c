/* The cluster that kubectl's current context names.
 *
 * Reads only; writing kubeconfig files is another module's task. Mirrors cmd/kops/root.go
 * (ClusterNameFromKubecfg) and client-go's rules for merging several files: what comes first wins.
 */
#include "cmd/frame/config.h"

#include "base/file.h"
#include "base/log.h"
#include "doc/yaml.h"

#include <stdio.h>
#include <string.h>

enum { KUBECONFIG_MAX = 16 * 1024 * 1024 };

struct kubeconfigs {
    struct ck_arena *arena;
    struct ck_val **roots;
    size_t n;
};

/* A missing file is no error: client-go skips it. */
static int load(struct kubeconfigs *k, const char *path, struct ck_err *err)
{
    CK_CLEANUP(ck_buf_wipe) struct ck_buf text = CK_BUF_INIT; /* may hold client keys */
    int r = ck_file_read(path, KUBECONFIG_MAX, &text, err);
    if (r == -(int)CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    if (r < 0)
        return r;
    struct ck_val *root = NULL;
    if (ck_yaml_parse(k->arena, ck_buf_slice(&text), NULL, &root, NULL, err) < 0)
        return ck_wrap(err, "error loading config file \"%s\"", path);
    k->roots[k->n++] = root;
    return 0;
}

static int load_all(struct kubeconfigs *k, const struct ck_env *env, struct ck_err *err)
{
    const char *list = ck_env_nonempty(env, "KUBECONFIG");
    const char *home = ck_env_nonempty(env, "HOME");
    size_t max = 1;
    for (const char *p = list ? list : ""; *p; p++)
        max += *p == ':';
    k->roots = ck_arena_alloc(k->arena, max * sizeof(struct ck_val *));
    if (!list)
        return home ? load(k, ck_arena_printf(k->arena, "%s/.kube/config", home), err) : 0;
    struct ck_slice rest = ck_slice_of(list), path;
    while (ck_slice_next(&rest, ':', &path)) {
        int r = path.len ? load(k, ck_arena_strndup(k->arena, path.ptr, path.len), err) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static const char *current_context(const struct kubeconfigs *k)
{
    for (size_t i = 0; i < k->n; i++) {
        const char *name = ck_str_or(ck_get(k->roots[i], "current-context"), "");
        if (*name)
            return name;
    }
    return "";
}

static const struct ck_val *context_named(const struct kubeconfigs *k, const char *name)
{
    for (size_t i = 0; i < k->n; i++) {
        const struct ck_val *list = ck_get(k->roots[i], "contexts");
        for (size_t j = 0; j < ck_len(list); j++)
            if (ck_is_str(ck_get(ck_item(list, j), "name"), name))
                return ck_get(ck_item(list, j), "context");
    }
    return NULL;
}

const char *ck_kube_current_cluster(struct ck_ctx *ctx)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct kubeconfigs k = {.arena = a};
    CK_AUTOERR err = CK_ERR_INIT;
    if (load_all(&k, &ctx->env, &err) < 0) {
        ck_warn("error reading kubecfg: %s", ck_err_msg(&err));
        return "";
    }
    const char *name = current_context(&k);
    if (!*name) {
        ck_warn("no context set in kubecfg");
        return "";
    }
    const struct ck_val *context = context_named(&k, name);
    const char *cluster = ck_str_or(ck_get(context, "cluster"), "");
    if (!context)
        ck_warn("context \"%s\" in kubecfg not found", name);
    else if (!*cluster)
        ck_warn("context \"%s\" in kubecfg did not have a cluster", name);
    else
        fprintf(stderr, "Using cluster from kubectl context: %s\n\n", cluster);
    return ck_arena_strdup(ctx->arena, cluster);
}
