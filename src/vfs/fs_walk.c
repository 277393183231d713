/* Walking a local store: every folder below the store's own is opened without following symbolic
 * links, so that a planted link cannot lead out of the store. */
#include "base/file.h"
#include "base/mem.h"
#include "vfs/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int open_root(struct ck_fs *f, bool create, struct ck_err *err)
{
    const char *dir = *f->base.container ? f->base.container : ".";
    if (f->root >= 0)
        return 0;
    f->root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->root < 0 && errno == ENOENT && create) {
        int r = ck_mkdirs(dir, 0700, err);
        if (r < 0)
            return r;
        f->root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    return f->root < 0 ? ck_fail_errno(err, errno, "open %s", dir) : 0;
}

/* The part of key below the container; NULL when key is the container itself. */
static const char *below(const struct ck_fs *f, const char *key)
{
    size_t n = strlen(f->base.container);
    if (strncmp(key, f->base.container, n) != 0)
        return key;
    key += n;
    while (*key == '/')
        key++;
    return *key ? key : NULL;
}

static int step_into(int dir, const char *name, bool create, struct ck_err *err, const char *key)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && create) {
        if (mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
            return ck_fail_errno(err, errno, "mkdir %s", key);
        fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (fd >= 0)
        return fd;
    struct stat st;
    int saved = errno;
    if ((saved == ELOOP || saved == ENOTDIR) && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISLNK(st.st_mode))
        return ck_fail(err, CK_DENIED,
                       "%s: \"%s\" is a symbolic link; links inside a store are not followed", key,
                       name);
    if (saved == ENOENT)
        return ck_fail(err, CK_NOT_FOUND, "file does not exist");
    return ck_fail_errno(err, saved, "open %s", key);
}

/* Walk the first n bytes of rel, element by element. */
static int walk(struct ck_fs *f, const char *rel, size_t n, bool create, int *ret_fd,
                const char *key, struct ck_err *err)
{
    int fd = -1;
    struct ck_slice rest = ck_slice_n(n ? rel : NULL, n), step;
    while (ck_slice_next(&rest, '/', &step)) {
        if (!step.len)
            continue;
        CK_AUTOFREE char *name = ck_xstrndup(step.ptr, step.len);
        int next = step_into(fd < 0 ? f->root : fd, name, create, err, key);
        if (fd >= 0)
            close(fd);
        if (next < 0)
            return next;
        fd = next;
    }
    /* not a duplicate of the root: that would share its lock, and the root stays open */
    if (fd < 0)
        fd = openat(f->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ck_fail_errno(err, errno, "open %s", key);
    *ret_fd = fd;
    return 0;
}

int ck_fs_open_parent(struct ck_fs *f, const char *key, bool create, int *ret_fd,
                      const char **ret_leaf, struct ck_err *err)
{
    const char *rel = below(f, key);
    if (!rel) { /* the location is one file: the user's own path, links and all */
        const char *slash = strrchr(key, '/');
        CK_AUTOFREE char *dir =
            slash ? ck_xstrndup(key, slash == key ? 1 : (size_t)(slash - key)) : ck_xstrdup(".");
        *ret_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*ret_fd < 0 && errno == ENOENT && !create)
            return ck_fail(err, CK_NOT_FOUND, "file does not exist");
        if (*ret_fd < 0)
            return ck_fail_errno(err, errno, "open %s", dir);
        *ret_leaf = slash ? slash + 1 : key;
        return 0;
    }
    int r = open_root(f, create, err);
    if (r < 0)
        return r == -(int)CK_NOT_FOUND ? ck_fail(err, CK_NOT_FOUND, "file does not exist") : r;
    const char *slash = strrchr(rel, '/');
    *ret_leaf = slash ? slash + 1 : rel;
    return walk(f, rel, slash ? (size_t)(slash - rel) : 0, create, ret_fd, key, err);
}

int ck_fs_open_dir(struct ck_fs *f, const char *key, int *ret_fd, struct ck_err *err)
{
    int r = open_root(f, false, err);
    if (r < 0)
        return r;
    const char *rel = below(f, key);
    r = walk(f, rel ? rel : "", rel ? strlen(rel) : 0, false, ret_fd, key, err);
    if (r == -(int)CK_NOT_FOUND)
        return ck_fail_errno(err, ENOENT, "open %s", key);
    return r;
}

/* Ours, and what an interrupted kOps leaves behind: "tmp" and digits. */
bool ck_fs_is_temporary(const char *name)
{
    if (ck_str_starts(name, ".ckops-tmp-"))
        return true;
    if (!ck_str_starts(name, "tmp") || !name[3])
        return false;
    return strspn(name + 3, "0123456789") == strlen(name + 3);
}
