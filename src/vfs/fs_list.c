/* Listings and tree removal of local stores. Symbolic links are listed as files and never
 * descended, temporary files never listed. */
#include "vfs/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_DEPTH = 64 };

enum want { FILES = 1, DIRS = 2 };

static const char *child(struct ck_arena *a, const char *dir, const char *name)
{
    size_t n = strlen(dir);
    return ck_arena_printf(a, "%s%s%s", dir, n && dir[n - 1] != '/' ? "/" : "", name);
}

static bool is_dir(int fd, const struct dirent *d)
{
    if (d->d_type != DT_UNKNOWN)
        return d->d_type == DT_DIR;
    struct stat st;
    return fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* Entries of the folder behind `fd` (taken over). */
static int read_dir(int fd, const char *key, enum want want, struct ck_arena *a,
                    struct ck_entries *ret, struct ck_err *err)
{
    DIR *dir = fdopendir(fd);
    if (!dir) {
        int saved = errno;
        close(fd);
        return ck_fail_errno(err, saved, "open %s", key);
    }
    const struct dirent *d;
    errno = 0;
    while ((d = readdir(dir))) {
        const char *name = d->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || ck_fs_is_temporary(name))
            continue;
        bool folder = is_dir(fd, d);
        if (!(want & (folder ? DIRS : FILES)))
            continue;
        const char *path = child(a, key, name);
        ck_entries_add(a, ret,
                       (struct ck_entry){.key = path,
                                         .name = path + strlen(path) - strlen(name),
                                         .size = folder ? -2 : -1});
    }
    int saved = errno;
    closedir(dir);
    if (saved)
        return ck_fail_errno(err, saved, "reading %s", key);
    ck_entries_sort(ret);
    return 0;
}

static int list(struct ck_vfs *v, const char *key, enum want want, struct ck_arena *a,
                struct ck_entries *ret, struct ck_err *err)
{
    int fd;
    int r = ck_fs_open_dir((struct ck_fs *)v, key, &fd, err);
    struct ck_entries e = {0};
    if (r == 0)
        r = read_dir(fd, key, want, a, &e, err);
    for (size_t i = 0; r == 0 && i < e.n; i++)
        e.v[i].size = -1;
    if (r == 0)
        *ret = e;
    return r;
}

int ck_fs_list(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
               struct ck_err *err)
{
    return list(v, key, FILES, a, ret, err);
}

int ck_fs_list_dirs(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                    struct ck_err *err)
{
    return list(v, key, DIRS, a, ret, err);
}

struct walker {
    struct ck_arena *a;
    struct ck_entries *out;
    size_t prefix; /* bytes of a key before its name */
    bool remove;
    struct ck_fs *f;
};

static int descend(struct walker *w, int fd, const char *key, unsigned depth, struct ck_err *err)
{
    struct ck_entries e = {0};
    if (depth > MAX_DEPTH) {
        close(fd);
        return ck_fail(err, CK_LIMIT, "%s: more than %d folders deep", key, MAX_DEPTH);
    }
    CK_AUTOFD dir = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    int r = read_dir(fd, key, FILES | DIRS, w->a, &e, err);
    for (size_t i = 0; r == 0 && i < e.n; i++) {
        struct ck_entry *x = &e.v[i];
        if (x->size != -2) {
            x->name = x->key + w->prefix;
            ck_entries_add(w->a, w->out, *x);
            continue;
        }
        int next = openat(dir, x->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0 && errno == ENOENT)
            continue;
        if (next < 0)
            return ck_fail_errno(err, errno, "open %s", x->key);
        r = descend(w, next, x->key, depth + 1, err);
    }
    return r;
}

int ck_fs_tree(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
               struct ck_err *err)
{
    int fd;
    int r = ck_fs_open_dir((struct ck_fs *)v, key, &fd, err);
    if (r < 0)
        return r;
    struct ck_entries e = {0};
    size_t n = strlen(key);
    struct walker w = {.a = a, .out = &e, .prefix = n + (n && key[n - 1] != '/')};
    r = descend(&w, fd, key, 0, err);
    if (r < 0)
        return r;
    ck_entries_sort(&e);
    *ret = e;
    return 0;
}

/* Folders that have become empty go too, from the deepest up; one that has not stays. */
static void remove_empty(struct ck_fs *f, const char *key, unsigned depth)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_entries dirs = {0};
    if (depth > MAX_DEPTH || ck_fs_list_dirs(&f->base, key, a, &dirs, NULL) < 0)
        return;
    for (size_t i = 0; i < dirs.n; i++)
        remove_empty(f, dirs.v[i].key, depth + 1);
    int fd;
    const char *leaf;
    if (ck_fs_open_parent(f, key, false, &fd, &leaf, NULL) == 0) {
        (void)unlinkat(fd, leaf, AT_REMOVEDIR);
        close(fd);
    }
}

int ck_fs_remove_tree(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_entries tree = {0};
    int r = ck_fs_tree(v, key, a, &tree, err);
    if (r == -(int)CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    for (size_t i = 0; r == 0 && i < tree.n; i++) {
        r = v->ops->remove(v, tree.v[i].key, NULL, err);
        if (r == -(int)CK_NOT_FOUND) { /* somebody else was faster */
            ck_err_done(err);
            r = 0;
        }
    }
    if (r == 0)
        remove_empty((struct ck_fs *)v, key, 0);
    return r;
}
