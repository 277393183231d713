/* Taking a cluster out of the user's kubeconfig files.
 *
 * Files are locked as kubectl locks them (FILE.lock) and replaced atomically. Mirrors kOps
 * pkg/kubeconfig/kubecfg_builder.go (DeleteKubeConfig). */
#include "ops/kubeconfig.h"

#include "base/file.h"
#include "doc/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { MAX_BYTES = 16 << 20 };

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

static int change_file(struct ck_arena *a, const char *path, const char *name, bool *ret_any,
                       struct ck_err *err)
{
    CK_CLEANUP(ck_buf_wipe) struct ck_buf text = CK_BUF_INIT, out = CK_BUF_INIT;
    struct ck_val *root;
    int r = ck_file_read(path, MAX_BYTES, &text, err);
    if (r == -CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    if (!r && ck_yaml_parse(a, ck_buf_slice(&text), NULL, &root, NULL, err))
        r = ck_wrap(err, "error loading config file \"%s\"", path);
    if (r)
        return r;
    *ret_any = *ret_any || holds_something(root);
    if (!forget(a, root, name))
        return 0;
    ck_yaml_emit(&out, root);
    return ck_file_write(path, ck_buf_slice(&out), 0600, err);
}

static int change_locked(struct ck_arena *a, const char *path, const char *name, bool *ret_any,
                         struct ck_err *err)
{
    if (access(path, F_OK) != 0)
        return 0;
    const char *lock = ck_arena_printf(a, "%s.lock", path);
    int fd = open(lock, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return ck_fail_errno(err, errno, "open %s", lock);
    close(fd);
    int r = change_file(a, path, name, ret_any, err);
    unlink(lock);
    return r;
}

int ck_kubeconfig_forget(struct ck_arena *a, const struct ck_env *env, const char *name,
                         bool *ret_any, struct ck_err *err)
{
    const char *list = ck_env_nonempty(env, "KUBECONFIG"), *home = ck_env_nonempty(env, "HOME");
    *ret_any = false;
    if (!list && !home)
        return 0;
    if (!list)
        return change_locked(a, ck_arena_printf(a, "%s/.kube/config", home), name, ret_any, err);
    struct ck_slice rest = ck_slice_of(list), path;
    int r = 0;
    while (r == 0 && ck_slice_next(&rest, ':', &path))
        if (path.len)
            r = change_locked(a, ck_arena_strndup(a, path.ptr, path.len), name, ret_any, err);
    return r;
}
