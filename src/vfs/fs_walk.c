/* Walking a local store: every folder below the store's own is opened without following symbolic
 * links, so that a planted link cannot lead out of the store. The store's own folder is the user's
 * choice and may be a link. */
#include "base/mem.h"
#include "vfs/fs.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifdef SYS_openat2
#include <linux/openat2.h>
#endif

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_CLOEXEC };

static int fail_mkdir(struct ck_err *err, int errnum, struct ck_slice dir)
{
    return ck_fail_errno(err, errnum, "error creating directories \"%.*s\": mkdir %.*s",
                         CK_SARG(dir), CK_SARG(dir));
}

/* ---- the store's own folder ---- */

static void sync_parent(char *path)
{
    char *slash = strrchr(path, '/');
    char saved = slash ? *slash : '\0';
    if (slash)
        *slash = '\0';
    CK_AUTOFD fd = open(!slash ? "." : *path ? path : "/", DIR_FLAGS);
    if (fd >= 0)
        (void)fsync(fd);
    if (slash)
        *slash = saved;
}

/* Like mkdir -p, and what was made survives a power cut. */
static int make_root(const char *dir, struct ck_err *err)
{
    CK_AUTOFREE char *path = ck_xstrdup(dir);
    for (char *s = path + (*path == '/');; s++) {
        if (*s != '/' && *s != '\0')
            continue;
        char c = *s;
        *s = '\0';
        if (mkdir(path, 0700) == 0)
            sync_parent(path);
        else if (errno != EEXIST)
            return fail_mkdir(err, errno, ck_slice_of(path));
        *s = c;
        if (c == '\0')
            return 0;
    }
}

static int open_root(struct ck_fs *f, bool create, struct ck_err *err)
{
    const char *dir = *f->base.container ? f->base.container : ".";
    if (f->root >= 0)
        return 0;
    f->root = open(dir, DIR_FLAGS);
    if (f->root < 0 && errno == ENOENT && create) {
        int r = make_root(dir, err);
        if (r < 0)
            return r;
        f->root = open(dir, DIR_FLAGS);
    }
    return f->root < 0 ? ck_fail_errno(err, errno, "open %s", dir) : 0;
}

void ck_fs_forget_root(struct ck_fs *f)
{
    if (f->root >= 0)
        close(f->root);
    f->root = -1;
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

/* ---- below it ---- */

/* One step down. `name` is one element, `path` the whole way to it, for messages; `made` counts new
 * folders, NULL: make none. */
static int step_into(int dir, const char *name, struct ck_slice path, unsigned *made,
                     struct ck_err *err)
{
    if (strcmp(name, "..") == 0)
        return ck_fail(err, CK_INVALID, "invalid path: \"%.*s\": it climbs above the store",
                       CK_SARG(path));
    int fd = openat(dir, name, DIR_FLAGS | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT && made) {
        if (mkdirat(dir, name, 0700) == 0)
            ++*made;
        else if (errno != EEXIST)
            return fail_mkdir(err, errno, path);
        fd = openat(dir, name, DIR_FLAGS | O_NOFOLLOW);
    }
    if (fd >= 0)
        return fd;
    struct stat st;
    int saved = errno;
    if ((saved == ELOOP || saved == ENOTDIR) && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISLNK(st.st_mode))
        return ck_fail(err, CK_DENIED,
                       "%.*s is a symbolic link; links inside a store are not followed",
                       CK_SARG(path));
    if (saved == ENOENT)
        return ck_fail(err, CK_NOT_FOUND, "file does not exist");
    return ck_fail_errno(err, saved, "open %.*s", CK_SARG(path));
}

/* Walk the first n bytes of rel, element by element. `rel` is the end of `key`. */
static int walk(struct ck_fs *f, const char *rel, size_t n, unsigned *made, int *ret_fd,
                const char *key, struct ck_err *err)
{
    int fd = -1;
    struct ck_slice rest = ck_slice_n(n ? rel : NULL, n), step;
    while (ck_slice_next(&rest, '/', &step)) {
        if (!step.len || ck_slice_eq_str(step, "."))
            continue;
        CK_AUTOFREE char *name = ck_xstrndup(step.ptr, step.len);
        struct ck_slice path = ck_slice_n(key, (size_t)(step.ptr + step.len - key));
        int next = step_into(fd < 0 ? f->root : fd, name, path, made, err);
        if (fd >= 0)
            close(fd);
        if (next < 0)
            return next;
        fd = next;
    }
    /* not a duplicate of the root: that would share its lock, and the root stays open */
    if (fd < 0)
        fd = openat(f->root, ".", DIR_FLAGS);
    if (fd < 0)
        return ck_fail_errno(err, errno, "open %s", key);
    *ret_fd = fd;
    return 0;
}

/* The location is one file: the user's own path, links and all. */
static int open_own_parent(const char *key, bool create, int *ret_fd, const char **ret_leaf,
                           struct ck_err *err)
{
    const char *slash = strrchr(key, '/');
    CK_AUTOFREE char *dir =
        slash ? ck_xstrndup(key, slash == key ? 1 : (size_t)(slash - key)) : ck_xstrdup(".");
    *ret_leaf = slash ? slash + 1 : key;
    *ret_fd = open(dir, DIR_FLAGS);
    if (*ret_fd < 0 && errno == ENOENT && create) {
        int r = make_root(dir, err);
        if (r < 0)
            return r;
        *ret_fd = open(dir, DIR_FLAGS);
    }
    if (*ret_fd < 0 && errno == ENOENT)
        return ck_fail(err, CK_NOT_FOUND, "file does not exist");
    return *ret_fd < 0 ? ck_fail_errno(err, errno, "open %s", dir) : 0;
}

/* A folder in one step, where it is there and nothing on the way is a link; -1 otherwise: walking
 * tells why, or makes it. */
static int open_beneath(struct ck_fs *f, const char *rel, size_t n)
{
#ifdef SYS_openat2
    if (!n || f->no_openat2)
        return -1;
    CK_AUTOFREE char *dir = ck_xstrndup(rel, n);
    const struct open_how how = {.flags = DIR_FLAGS,
                                 .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    int fd = (int)syscall(SYS_openat2, f->root, dir, &how, sizeof how);
    f->no_openat2 = fd < 0 && (errno == ENOSYS || errno == EPERM);
    return fd;
#else
    return -1;
#endif
}

int ck_fs_open_parent(struct ck_fs *f, const char *key, unsigned *made, int *ret_fd,
                      const char **ret_leaf, struct ck_err *err)
{
    const char *rel = below(f, key);
    if (!rel)
        return open_own_parent(key, made != NULL, ret_fd, ret_leaf, err);
    int r = open_root(f, made != NULL, err);
    if (r < 0)
        return r == -(int)CK_NOT_FOUND ? ck_fail(err, CK_NOT_FOUND, "file does not exist") : r;
    const char *slash = strrchr(rel, '/');
    *ret_leaf = slash ? slash + 1 : rel;
    if (strcmp(*ret_leaf, "..") == 0 || strcmp(*ret_leaf, ".") == 0)
        return ck_fail(err, CK_INVALID, "invalid path: \"%s\": it is no object", key);
    size_t n = slash ? (size_t)(slash - rel) : 0;
    *ret_fd = strstr(rel, "..") ? -1 : open_beneath(f, rel, n); /* no way up, even inside */
    return *ret_fd >= 0 ? 0 : walk(f, rel, n, made, ret_fd, key, err);
}

int ck_fs_open_dir(struct ck_fs *f, const char *key, int *ret_fd, struct ck_err *err)
{
    int r = open_root(f, false, err);
    if (r < 0)
        return r;
    const char *rel = below(f, key);
    r = walk(f, rel ? rel : "", rel ? strlen(rel) : 0, NULL, ret_fd, key, err);
    if (r == -(int)CK_NOT_FOUND)
        return ck_fail_errno(err, ENOENT, "open %s", key);
    return r;
}

int ck_fs_open_object(struct ck_fs *f, const char *key, int *ret_fd, struct ck_err *err)
{
    const char *rel = below(f, key);
#ifdef SYS_openat2
    if (!rel || f->no_openat2 || open_root(f, false, NULL) < 0)
        return CK_FS_WALK;
    const struct open_how how = {.flags = CK_FS_READ_FLAGS,
                                 .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    *ret_fd = (int)syscall(SYS_openat2, f->root, rel, &how, sizeof how);
    if (*ret_fd >= 0)
        return 0;
    if (errno == ENOENT)
        return ck_fail(err, CK_NOT_FOUND, "file does not exist");
    if (errno == ENOSYS || errno == EPERM)
        f->no_openat2 = true;
#endif
    return CK_FS_WALK;
}

bool ck_fs_is_temporary(const char *name)
{
    if (ck_str_starts(name, ".ckops-tmp-"))
        return true;
    /* Go's os.CreateTemp("tmp"): a random 32-bit number. Shorter ones are rarer than one in four
     * thousand, and "tmp1" may be the name of an instance group. */
    if (!ck_str_starts(name, "tmp") || name[3] == '0')
        return false;
    size_t digits = strspn(name + 3, "0123456789");
    return !name[3 + digits] && digits >= 7 && digits <= 10;
}
