/* One kubeconfig file: locking, reading, replacing it.
 *
 * What is changed in them is decided in kubemerge.c and ops/kubeconfig.c. Mirrors client-go's
 * tools/clientcmd (loader.go, config.go), but never writes in place and never widens a mode. */
#include "ops/keys/kubefile.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/secret.h"
#include "doc/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_BYTES = 16 << 20, LOCK_WAIT_MS = 1000, LOCK_STEP_MS = 20 };

/* ---- which files ---- */

static void add(struct ck_arena *a, struct ck_kubefiles *f, const char *path)
{
    struct stat st;
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->v[i].path, path) == 0)
            return;
    CK_AUTOFREE char *real = realpath(path, NULL);
    f->v[f->n++] = (struct ck_kubefile){.path = path,
                                        .target = real ? ck_arena_strdup(a, real) : path,
                                        .exists = lstat(path, &st) == 0};
}

/* client-go: the first that exists, else the last. */
static size_t default_of(const struct ck_kubefiles *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->v[i].exists)
            return i;
    return f->n ? f->n - 1 : 0;
}

void ck_kubefiles_find(struct ck_arena *a, const struct ck_env *env, const char *explicit,
                       struct ck_kubefiles *ret)
{
    const char *list = ck_env_nonempty(env, "KUBECONFIG"), *home = ck_env_nonempty(env, "HOME");
    size_t most = 1;
    for (const char *p = list ? list : ""; *p; p++)
        most += *p == ':';
    *ret = (struct ck_kubefiles){.v = ck_arena_alloc(a, most * sizeof(*ret->v))};
    struct ck_slice rest = ck_slice_of(list), path;
    if (explicit[0])
        add(a, ret, explicit);
    else if (!list && home)
        add(a, ret, ck_arena_printf(a, "%s/.kube/config", home));
    else
        while (list && ck_slice_next(&rest, ':', &path))
            if (path.len)
                add(a, ret, ck_arena_strndup(a, path.ptr, path.len));
    ret->dflt = default_of(ret);
}

/* ---- locks ---- */

static int make_parent(struct ck_arena *a, const char *path, struct ck_err *err)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return 0;
    return ck_mkdirs(ck_arena_strndup(a, path, (size_t)(slash - path)), 0700, err);
}

int ck_kubefile_lock(struct ck_arena *a, struct ck_kubefile *f, bool create, struct ck_err *err)
{
    if (!f->exists && !create)
        return 0;
    int r = f->exists ? 0 : make_parent(a, f->path, err);
    if (r)
        return r;
    const char *lock = ck_arena_printf(a, "%s.lock", f->path);
    for (int64_t until = ck_mono_ms() + LOCK_WAIT_MS;;) {
        int fd = open(lock, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0) {
            close(fd);
            f->lock = lock;
            return 0;
        }
        if (errno != EEXIST || ck_mono_ms() >= until)
            break;
        ck_sleep_ms(LOCK_STEP_MS);
    }
    if (errno != EEXIST)
        return ck_fail_errno(err, errno, "open %s", lock);
    return ck_fail(err, CK_EXISTS,
                   "open %s: file exists: another program is changing the kubeconfig; if there is "
                   "none, remove that file",
                   lock);
}

void ck_kubefiles_unlock(struct ck_kubefiles *files)
{
    for (size_t i = 0; i < files->n; i++) {
        if (files->v[i].lock)
            unlink(files->v[i].lock);
        files->v[i].lock = NULL;
    }
}

/* ---- content ---- */

int ck_kubefile_read(struct ck_arena *a, struct ck_kubefile *f, struct ck_err *err)
{
    CK_AUTOSECRET text = CK_SECRET_INIT; /* client keys */
    f->root = NULL;
    int r = ck_file_read(f->target, MAX_BYTES, ck_secret_sink(&text), err);
    if (r == -CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    if (!r)
        r = ck_yaml_parse(a, ck_secret_view(&text), NULL, &f->root, NULL, err);
    if (!r && ck_is_null(f->root))
        f->root = NULL;
    if (!r && f->root && !ck_is_map(f->root))
        r = ck_fail(err, CK_INVALID, "it is no kubeconfig");
    return r ? ck_wrap(err, "error loading config file \"%s\"", f->path) : 0;
}

int ck_kubefile_write(const struct ck_kubefile *f, struct ck_err *err)
{
    CK_AUTOSECRET now = CK_SECRET_INIT;
    CK_AUTOSECRET out = CK_SECRET_INIT;
    CK_AUTOERR unreadable = CK_ERR_INIT;
    struct stat st;
    ck_yaml_emit(ck_secret_sink(&out), f->root);
    if (!ck_secret_ok(&out))
        return ck_fail(err, CK_INTERNAL, "%s cannot be written as YAML", f->path);
    bool closed = stat(f->target, &st) == 0 && (st.st_mode & 077) == 0;
    if (f->exists && closed &&
        ck_file_read(f->target, MAX_BYTES, ck_secret_sink(&now), &unreadable) == 0 &&
        ck_slice_eq(ck_secret_view(&now), ck_secret_view(&out)))
        return 0;
    return ck_file_write(f->target, ck_secret_view(&out), 0600, err);
}
