/* Listings and tree removal of local stores. Symbolic links are listed as files and never
 * descended; unfinished files are never listed, but removed with their folder. */
#include "vfs/fs.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { MAX_DEPTH = 64, MAX_ENTRIES = 4000000, SHOWN_FAILURES = 5 };

enum want { FILES = 1, DIRS = 2, TEMPS = 4, SIZES = 8 };
enum { IS_DIR = -2 }; /* in ck_entry.size, within this file */

static const char *child(struct ck_arena *a, const char *dir, const char *name)
{
    size_t n = strlen(dir), m = strlen(name);
    bool slash = n && dir[n - 1] != '/';
    char *p = ck_arena_alloc(a, n + slash + m + 1);
    memcpy(p, dir, n);
    if (slash)
        p[n] = '/';
    memcpy(p + n + slash, name, m);
    return p;
}

static bool is_dir(int fd, const struct dirent *d)
{
    if (d->d_type != DT_UNKNOWN)
        return d->d_type == DT_DIR;
    struct stat st;
    return fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static bool wanted(const char *name, enum want want)
{
    if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])))
        return false;
    return (want & TEMPS) || !ck_fs_is_temporary(name);
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
    int r = 0;
    for (;;) {
        errno = 0;
        const struct dirent *d = readdir(dir);
        if (!d) {
            if (errno)
                r = ck_fail_errno(err, errno, "reading %s", key);
            break;
        }
        if (!wanted(d->d_name, want))
            continue;
        bool folder = is_dir(fd, d);
        if (!(want & (folder ? DIRS : FILES)))
            continue;
        const char *path = child(a, key, d->d_name);
        ck_entries_add(a, ret,
                       (struct ck_entry){.key = path,
                                         .name = path + strlen(path) - strlen(d->d_name),
                                         .size = folder ? IS_DIR : -1});
        if (ret->n > MAX_ENTRIES) {
            r = ck_fail(err, CK_LIMIT, "%s: more than %d entries", key, MAX_ENTRIES);
            break;
        }
    }
    closedir(dir);
    ck_entries_sort(ret);
    return r;
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

/* ---- whole trees ---- */

struct walker {
    struct ck_arena *a;
    struct ck_entries *out;
    size_t prefix; /* bytes of a key before its name */
    enum want want;
};

static int descend(struct walker *w, int fd, const char *key, unsigned depth, struct ck_err *err)
{
    struct ck_entries e = {0};
    if (depth > MAX_DEPTH) {
        close(fd);
        return ck_fail(err, CK_LIMIT, "%s: more than %d folders deep", key, MAX_DEPTH);
    }
    CK_AUTOFD dir = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    int r = read_dir(fd, key, w->want, w->a, &e, err);
    for (size_t i = 0; r == 0 && i < e.n; i++) {
        struct ck_entry *x = &e.v[i];
        if (x->size != IS_DIR) {
            struct stat st;
            x->size = (w->want & SIZES) && fstatat(dir, x->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                              S_ISREG(st.st_mode)
                          ? (int64_t)st.st_size
                          : -1;
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
    if (w->out->n > MAX_ENTRIES)
        return ck_fail(err, CK_LIMIT, "%s: more than %d entries", key, MAX_ENTRIES);
    return r;
}

static int tree(struct ck_vfs *v, const char *key, enum want want, struct ck_arena *a,
                struct ck_entries *ret, struct ck_err *err)
{
    int fd;
    int r = ck_fs_open_dir((struct ck_fs *)v, key, &fd, err);
    if (r < 0)
        return r;
    struct ck_entries e = {0};
    size_t n = strlen(key);
    struct walker w = {.a = a, .out = &e, .prefix = n + (n && key[n - 1] != '/'), .want = want};
    r = descend(&w, fd, key, 0, err);
    if (r < 0)
        return r;
    ck_entries_sort(&e);
    *ret = e;
    return 0;
}

int ck_fs_tree(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
               struct ck_err *err)
{
    return tree(v, key, FILES | DIRS | SIZES, a, ret, err);
}

/* ---- removal ---- */

/* Folders that have become empty go too, from the deepest up; one that has not stays, and so does
 * the store's own folder. */
static void remove_empty(struct ck_fs *f, const char *key, unsigned depth)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_entries dirs = {0};
    if (depth > MAX_DEPTH || ck_fs_list_dirs(&f->base, key, a, &dirs, NULL) < 0)
        return;
    for (size_t i = 0; i < dirs.n; i++)
        remove_empty(f, dirs.v[i].key, depth + 1);
    CK_AUTOFD dir = -1;
    CK_AUTOFD fd = -1;
    const char *leaf;
    if (strcmp(key, f->base.container) == 0 || ck_fs_open_dir(f, key, &dir, NULL) < 0 ||
        ck_fs_open_parent(f, key, NULL, &fd, &leaf, NULL) < 0)
        return;
    if (flock(dir, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) /* no writer is at work in it */
        (void)unlinkat(fd, leaf, AT_REMOVEDIR);
}

/* Removes as much as it can, so that one bad file does not keep the secrets beside it. */
static int remove_files(struct ck_vfs *v, const char *key, const struct ck_entries *files,
                        struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    size_t failed = 0;
    enum ck_code code = CK_OK;
    for (size_t i = 0; i < files->n; i++) {
        CK_AUTOERR one = CK_ERR_INIT;
        int r = ck_fs_remove(v, files->v[i].key, NULL, &one);
        if (r == 0 || r == -(int)CK_NOT_FOUND) /* somebody else was faster */
            continue;
        code = code == CK_OK ? one.code : code;
        if (failed++ < SHOWN_FAILURES)
            ck_buf_fmt(&text, "%s%s", failed > 1 ? "; " : "", ck_err_msg(&one));
    }
    if (failed > SHOWN_FAILURES)
        ck_buf_fmt(&text, "; and %zu more", failed - SHOWN_FAILURES);
    if (failed)
        return ck_fail(err, code, "error removing %zu of %zu files below %s: %s", failed, files->n,
                       key, ck_buf_str(&text));
    return 0;
}

int ck_fs_remove_tree(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_entries files = {0};
    int r = tree(v, key, FILES | DIRS | TEMPS, a, &files, err);
    if (r == -(int)CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    if (r == 0)
        r = remove_files(v, key, &files, err);
    if (r == 0)
        remove_empty((struct ck_fs *)v, key, 0);
    return r;
}
