/* Installing a set of files by replacing one symbolic link.
 *
 * What is in the set is none of its business. The idea is that of Kubernetes' own volumes
 * (pkg/volume/util/atomic_writer.go). */
#include "ops/keys/fileset.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/file.h"
#include "base/mem.h"
#include "crypto/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_PATH = 512, MAX_FILES = 10000, SET_NAME_SIZE = 48 };
static const char CURRENT[] = "current", PREFIX[] = "set-", LOCK[] = ".lock", NEXT[] = ".current";

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define CK_AUTOFD CK_CLEANUP(close_fd) int

/* ---- the set ---- */

static int check_path(const char *path, struct ck_err *err)
{
    struct ck_slice rest = ck_slice_of(path), part;
    bool ok = path[0] && strlen(path) <= MAX_PATH;
    for (const char *p = path; *p && ok; p++)
        ok = (unsigned char)*p >= 0x20 && *p != 0x7f;
    while (ok && ck_slice_next(&rest, '/', &part))
        ok = part.len && !ck_slice_eq_str(part, ".") && !ck_slice_eq_str(part, "..");
    if (ok && !ck_str_ends(path, "/"))
        return 0;
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(path));
    return ck_fail(err, CK_INVALID, "%s is no path of a file below the folder", ck_buf_str(&q));
}

int ck_fileset_add(struct ck_arena *a, struct ck_fileset *s, const char *path, struct ck_slice data,
                   struct ck_err *err)
{
    int r = check_path(path, err);
    for (size_t i = 0; i < s->n && !r; i++)
        if (strcmp(s->v[i].path, path) == 0)
            r = ck_fail(err, CK_INVALID, "the file %s would be written twice", path);
    if (!r && s->n == MAX_FILES)
        r = ck_fail(err, CK_LIMIT, "there are more than %d files", MAX_FILES);
    if (r)
        return r;
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 32;
        struct ck_fileset_item *v = ck_arena_alloc(a, s->cap * sizeof(*v));
        if (s->n)
            memcpy(v, s->v, s->n * sizeof(*v));
        s->v = v;
    }
    s->v[s->n++] = (struct ck_fileset_item){ck_arena_strdup(a, path),
                                            ck_secret_borrow(ck_arena_slice(a, data))};
    return 0;
}

/* ---- writing ---- */

static int open_folder(int at, const char *name, struct ck_err *err)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 ? fd : ck_fail_errno(err, errno, "open %s", name);
}

/* The folder of `path` below `set`, made as needed; *ret_name is the last element. */
static int make_folders(int set, const char *path, const char **ret_name, struct ck_err *err)
{
    int at = fcntl(set, F_DUPFD_CLOEXEC, 0);
    const char *p = path;
    for (const char *slash; at >= 0 && (slash = strchr(p, '/')); p = slash + 1) {
        CK_AUTOFREE char *part = ck_xstrndup(p, (size_t)(slash - p));
        CK_AUTOFD above = at;
        if (mkdirat(above, part, 0700) == 0)
            (void)fchmodat(above, part, 0700, 0);
        else if (errno != EEXIST)
            return ck_fail_errno(err, errno, "mkdir %s", path);
        at = open_folder(above, part, err);
        if (at < 0)
            return at;
    }
    *ret_name = p;
    return at >= 0 ? at : ck_fail_errno(err, errno, "open the folder of %s", path);
}

static int write_file(int set, const struct ck_fileset_item *it, struct ck_err *err)
{
    const char *name = it->path;
    CK_AUTOFD folder = make_folders(set, it->path, &name, err);
    if (folder < 0)
        return folder;
    CK_AUTOFD fd = openat(folder, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || fchmod(fd, 0600) < 0)
        return ck_fail_errno(err, errno, "create %s", it->path);
    int r = ck_fd_write_all(fd, ck_secret_ref_view(it->data), err);
    if (r)
        return ck_wrap(err, "%s", it->path);
    if (fsync(fd) < 0 || fsync(folder) < 0)
        return ck_fail_errno(err, errno, "sync %s", it->path);
    return 0;
}

/* ---- removing ---- */

/* Remove a folder and what is in it, following no links. */
static void remove_below(int at, const char *name, unsigned depth)
{
    enum { DEEPEST = 64 };
    if (unlinkat(at, name, 0) == 0 || depth > DEEPEST)
        return;
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        close_fd(&fd);
        return;
    }
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            remove_below(fd, e->d_name, depth + 1);
    closedir(d);
    (void)unlinkat(at, name, AT_REMOVEDIR);
}

/* Sets other than these two are of no use to anyone. */
static void remove_old_sets(int dir, const char *now, const char *before)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        close_fd(&fd);
        return;
    }
    for (struct dirent *e; (e = readdir(d));)
        if (ck_str_starts(e->d_name, PREFIX) && strcmp(e->d_name, now) != 0 &&
            strcmp(e->d_name, before) != 0)
            remove_below(dir, e->d_name, 0);
    closedir(d);
}

/* ---- comparing ---- */

static bool same_file(int set, const struct ck_fileset_item *it)
{
    CK_AUTOSECRET now = CK_SECRET_INIT;
    struct ck_slice want = ck_secret_ref_view(it->data);
    struct stat st;
    CK_AUTOFD fd = openat(set, it->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0600 &&
           ck_fd_read_all(fd, want.len, ck_secret_sink(&now), NULL) == 0 &&
           ck_slice_eq(ck_secret_view(&now), want);
}

static size_t count_files(int at, const char *name, unsigned depth)
{
    enum { DEEPEST = 64 };
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *d = fd >= 0 && depth <= DEEPEST ? fdopendir(fd) : NULL;
    if (!d) {
        close_fd(&fd);
        return 1;
    }
    size_t n = 0;
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            n += count_files(fd, e->d_name, depth + 1);
    closedir(d);
    return n;
}

static bool is_installed(int dir, const char *set_name, const struct ck_fileset *s)
{
    CK_AUTOFD set = set_name[0] ? open_folder(dir, set_name, NULL) : -1;
    if (set < 0 || count_files(dir, set_name, 0) != s->n)
        return false;
    for (size_t i = 0; i < s->n; i++)
        if (!same_file(set, &s->v[i]))
            return false;
    return true;
}

/* ---- installing ---- */

static int open_dir(const char *path, struct ck_err *err)
{
    struct stat st;
    int r = ck_mkdirs(path, 0700, err);
    if (r)
        return r;
    CK_AUTOFD dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || fstat(dir, &st) < 0)
        return ck_fail_errno(err, errno, "open %s", path);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return ck_fail(err, CK_DENIED, "%s can be written by other users; use a folder of your own",
                       path);
    int keep = dir;
    dir = -1;
    return keep;
}

static int lock(int dir, const char *path, struct ck_err *err)
{
    CK_AUTOFD fd = openat(dir, LOCK, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return ck_fail_errno(err, errno, "open %s/%s", path, LOCK);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return ck_fail(err, CK_EXISTS, "another process is writing to %s", path);
    int keep = fd;
    fd = -1;
    return keep;
}

/* The name of the set the link points to, "" when there is none. */
static const char *current_set(struct ck_arena *a, int dir)
{
    char name[SET_NAME_SIZE + 1];
    ssize_t n = readlinkat(dir, CURRENT, name, sizeof name - 1);
    if (n <= 0)
        return "";
    name[n] = '\0';
    return strchr(name, '/') ? "" : ck_arena_strdup(a, name);
}

static const char *new_name(struct ck_arena *a)
{
    char stamp[17];
    uint32_t random;
    ck_iso8601_basic(ck_now_s(), stamp);
    ck_random(&random, sizeof random);
    return ck_arena_printf(a, "%s%s-%08x", PREFIX, stamp, (unsigned)random);
}

static int write_set(int dir, const char *name, const struct ck_fileset *s, struct ck_err *err)
{
    if (mkdirat(dir, name, 0700) < 0 || fchmodat(dir, name, 0700, 0) < 0)
        return ck_fail_errno(err, errno, "mkdir %s", name);
    CK_AUTOFD set = open_folder(dir, name, err);
    if (set < 0)
        return set;
    int r = 0;
    for (size_t i = 0; i < s->n && !r; i++)
        r = write_file(set, &s->v[i], err);
    if (!r && fsync(set) < 0)
        r = ck_fail_errno(err, errno, "sync %s", name);
    return r;
}

static int switch_to(int dir, const char *name, struct ck_err *err)
{
    (void)unlinkat(dir, NEXT, 0); /* of a process that was killed; the lock is ours */
    if (symlinkat(name, dir, NEXT) < 0 || renameat(dir, NEXT, dir, CURRENT) < 0)
        return ck_fail_errno(err, errno, "link %s to %s", CURRENT, name);
    (void)fsync(dir);
    return 0;
}

int ck_fileset_install(struct ck_arena *a, const char *path, const struct ck_fileset *s,
                       bool *ret_changed, struct ck_err *err)
{
    *ret_changed = false;
    CK_AUTOFD dir = open_dir(path, err);
    if (dir < 0)
        return dir;
    CK_AUTOFD held = lock(dir, path, err);
    if (held < 0)
        return held;
    const char *before = current_set(a, dir), *name = new_name(a);
    if (is_installed(dir, before, s)) {
        remove_old_sets(dir, before, before);
        return 0;
    }
    int r = write_set(dir, name, s, err);
    if (!r)
        r = switch_to(dir, name, err);
    if (r) {
        remove_below(dir, name, 0);
        return ck_wrap(err, "writing to %s", path);
    }
    *ret_changed = true;
    remove_old_sets(dir, name, before);
    return 0;
}
