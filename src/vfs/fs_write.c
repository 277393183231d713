/* Writing and removing in local stores. A write is a finished, synced file without a name that is
 * linked (create) or linked and renamed (replace) into place under a lock on its folder; then the
 * folder is synced. kOps' util/pkg/vfs/fs.go neither syncs nor locks between processes. */
#include "vfs/fs.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

enum {
    DEFAULT_TIMEOUT_MS = 30000,
    LOCK_PAUSE_MS = 2,
    NAME_TRIES = 100,
    PIECE = 16 * 1024,
    OPEN_TRIES = 100,
    TEMP_SIZE = 64
};

/* One write in progress. */
struct put {
    struct ck_fs *f;
    int dir;       /* locked */
    unsigned made; /* new folders, this one and those above it */
    const char *leaf, *key;
    const struct ck_write_opts *opts;
    int fd;              /* the unfinished file */
    char tmp[TEMP_SIZE]; /* its name, "" while it has none */
    bool locked;
    bool later;    /* synced by ck_fs_sync */
    int64_t began; /* monotonic */
};

enum { AGAIN = 1 }; /* unnamed files do not work here: repeat with a named one */

static int fail_write(struct ck_err *err, int errnum, const struct put *p)
{
    return ck_fail_errno(err, errnum, "error during file write of \"%s\"", p->key);
}

/* ---- the lock ---- */

/* One writer per folder. The lock is on the folder itself: it leaves no file that kOps would trip
 * over, and the kernel drops it when the process dies. *ret_locked is false on file systems without
 * locks; then only what link and rename guarantee by themselves may be promised. */
static int lock_dir(struct ck_fs *f, int dir, const char *key, bool *ret_locked, struct ck_err *err)
{
    int64_t limit = f->base.ctx->timeout_ms ? f->base.ctx->timeout_ms : DEFAULT_TIMEOUT_MS;
    int64_t deadline = 0;
    *ret_locked = true;
    while (flock(dir, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK) {
            *ret_locked = false;
            return 0;
        }
        int64_t now = ck_mono_ms();
        if (!deadline)
            deadline = now + limit;
        if (now >= deadline)
            return ck_fail(err, CK_TIMEOUT, "%s: another process has held the folder for %lld s",
                           key, (long long)(limit / 1000));
        ck_sleep_ms(LOCK_PAUSE_MS);
    }
    return 0;
}

static int check_unchanged(struct ck_fs *f, int dir, bool locked, const char *leaf, const char *key,
                           const struct ck_version *version, struct ck_err *err)
{
    struct ck_version current = {""};
    CK_AUTOERR local = CK_ERR_INIT;
    if (!locked)
        return ck_fail(err, CK_UNSUPPORTED,
                       "%s: the file system has no locks for folders, so a change by someone else "
                       "could be lost",
                       key);
    int r = ck_fs_version_at(dir, leaf, key, &current, &local);
    if (r < 0 && r != -(int)CK_NOT_FOUND)
        return ck_err_move(err, &local);
    if (r == 0 && strcmp(current.token, version->token) == 0)
        return 0;
    return ck_fail(err, CK_CONFLICT, "%s was %s by someone else since it was read", key,
                   r == 0 ? "changed" : "removed");
}

/* The last moment before a change becomes visible. A process that was stopped meanwhile must not
 * make it after its deadline: the lock that let it begin may be somebody else's by now. */
static int check_deadline(const struct ck_fs *f, const char *key, int64_t began, struct ck_err *err)
{
    int64_t limit = f->base.ctx->timeout_ms ? f->base.ctx->timeout_ms : DEFAULT_TIMEOUT_MS;
    if (ck_mono_ms() - began <= limit)
        return 0;
    return ck_fail(err, CK_TIMEOUT, "%s: it took more than %lld ms; nothing was changed", key,
                   (long long)limit);
}

/* ---- the unfinished file ---- */

static void temp_name(char name[TEMP_SIZE])
{
    uint64_t r = 0;
    if (getrandom(&r, sizeof r, 0) != sizeof r)
        r = (uint64_t)ck_now_ns() ^ (uint64_t)getpid() << 32;
    snprintf(name, TEMP_SIZE, ".ckops-tmp-%016llx", (unsigned long long)r);
}

static int open_temp(struct put *p, struct ck_err *err)
{
    if (!p->f->named_temps) {
        p->fd = openat(p->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (p->fd >= 0)
            return 0;
        p->f->named_temps = true;
    }
    for (int i = 0; i < NAME_TRIES; i++) {
        temp_name(p->tmp);
        p->fd = openat(p->dir, p->tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (p->fd >= 0)
            return 0;
        int saved = errno;
        *p->tmp = '\0';
        if (saved != EEXIST)
            return fail_write(err, saved, p);
    }
    return fail_write(err, EEXIST, p);
}

static int append(struct put *p, struct ck_slice data, struct ck_err *err)
{
    int r = ck_fd_write_all(p->fd, data, err);
    return r < 0 ? ck_wrap(err, "error during file write of \"%s\"", p->key) : 0;
}

static int sync_temp(struct put *p, struct ck_err *err)
{
    return !p->later && fsync(p->fd) < 0 ? fail_write(err, errno, p) : 0;
}

static int read_back(const struct put *p, struct ck_slice data, struct ck_err *err)
{
    char piece[PIECE];
    size_t at = 0;
    ssize_t n;
    do {
        n = pread(p->fd, piece, sizeof piece, (off_t)at);
        if (n < 0 && errno != EINTR)
            return ck_fail_errno(err, errno, "read %s", p->key);
        if (n > 0 && ((size_t)n > data.len - at || memcmp(piece, data.ptr + at, (size_t)n) != 0))
            break;
        at += n > 0 ? (size_t)n : 0;
    } while (n != 0);
    ck_wipe(piece, sizeof piece);
    if (n != 0 || at != data.len)
        return ck_fail(err, CK_UNAVAILABLE, "%s: what is on disk is not what was written", p->key);
    *p->opts->read_back = true;
    return 0;
}

static int fill_temp(struct put *p, struct ck_slice data, struct ck_err *err)
{
    int r = open_temp(p, err);
    if (r == 0)
        r = append(p, data, err);
    if (r == 0)
        r = sync_temp(p, err);
    return r == 0 && p->opts->read_back ? read_back(p, data, err) : r;
}

static void drop_temp(struct put *p)
{
    if (*p->tmp)
        (void)unlinkat(p->dir, p->tmp, 0);
    *p->tmp = '\0';
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

/* Give the unnamed file a name. 0 or an errno value. By its descriptor, which newer kernels let
 * everybody do with what they opened themselves (6.10) and older ones root: without that right it
 * is "no such file", as it is where the folder has been removed. */
static int link_unnamed(const struct put *p, const char *name)
{
    char proc[64];
    if (!p->f->link_by_path && linkat(p->fd, "", p->dir, name, AT_EMPTY_PATH) == 0)
        return 0;
    if (!p->f->link_by_path && errno == EEXIST)
        return EEXIST;
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", p->fd);
    if (linkat(AT_FDCWD, proc, p->dir, name, AT_SYMLINK_FOLLOW) < 0)
        return errno;
    p->f->link_by_path = true;
    return 0;
}

/* ---- into place ---- */

static int fail_exists(struct ck_err *err)
{
    return ck_fail(err, CK_EXISTS, "file already exists");
}

static int check_absent(const struct put *p, struct ck_err *err)
{
    struct stat st;
    return fstatat(p->dir, p->leaf, &st, AT_SYMLINK_NOFOLLOW) == 0 ? fail_exists(err) : 0;
}

/* Each step fails when somebody else, kOps included, has made the object meanwhile. */
static int place_new(struct put *p, struct ck_err *err)
{
    if (!*p->tmp) {
        int e = link_unnamed(p, p->leaf);
        return e == 0 ? 0 : e == EEXIST ? fail_exists(err) : AGAIN;
    }
    if (linkat(p->dir, p->tmp, p->dir, p->leaf, 0) == 0)
        return 0; /* drop_temp() takes the other name away */
    int saved = errno;
    if (saved == EPERM || saved == EOPNOTSUPP || saved == ENOSYS || saved == EMLINK) {
        if (renameat2(p->dir, p->tmp, p->dir, p->leaf, RENAME_NOREPLACE) == 0) {
            *p->tmp = '\0';
            return 0;
        }
        saved = errno;
    }
    return saved == EEXIST ? fail_exists(err) : fail_write(err, saved, p);
}

static int place_over(struct put *p, struct ck_err *err)
{
    /* Once more, for programs that do not know our lock. */
    if (p->opts->mode == CK_WRITE_IF_UNCHANGED) {
        int r = check_unchanged(p->f, p->dir, p->locked, p->leaf, p->key, p->opts->version, err);
        if (r < 0)
            return r;
    }
    for (int i = 0; !*p->tmp; i++) {
        temp_name(p->tmp);
        int e = link_unnamed(p, p->tmp);
        if (e == 0)
            break;
        *p->tmp = '\0';
        if (e != EEXIST || i == NAME_TRIES)
            return AGAIN;
    }
    if (renameat(p->dir, p->tmp, p->dir, p->leaf) < 0)
        return ck_fail_errno(err, errno, "error during file write of \"%s\": rename failed",
                             p->key);
    *p->tmp = '\0';
    return 0;
}

static int place(struct put *p, struct ck_err *err)
{
    return p->opts->mode == CK_WRITE_CREATE ? place_new(p, err) : place_over(p, err);
}

static int attempt(struct put *p, struct ck_slice data, struct ck_err *err)
{
    int r = fill_temp(p, data, err);
    if (r == 0)
        r = check_deadline(p->f, p->key, p->began, err);
    if (r == 0)
        r = place(p, err);
    drop_temp(p);
    return r;
}

/* The folder's own entry too where it is new. */
static int sync_folders(const struct put *p, struct ck_err *err)
{
    CK_AUTOFD up = -1;
    if (fsync(p->dir) < 0 && errno != EINVAL)
        return ck_fail_errno(err, errno, "syncing the folder of %s", p->key);
    for (unsigned i = 0; i < p->made; i++) {
        int next = openat(up < 0 ? p->dir : up, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (next < 0)
            break;
        ck_fs_cleanup_fd(&up);
        up = next;
        (void)fsync(up);
    }
    return 0;
}

/* A new object that is synced later needs no lock and no look: that its name is free is for the
 * kernel to see to when it gets it, and who holds the lock to replace or remove has found an object
 * of this name already. */
static int lock_and_check(struct put *p, struct ck_err *err)
{
    if (p->later)
        return 0;
    int r = lock_dir(p->f, p->dir, p->key, &p->locked, err);
    if (r == 0 && p->opts->mode == CK_WRITE_CREATE)
        return check_absent(p, err);
    if (r == 0 && p->opts->mode == CK_WRITE_IF_UNCHANGED)
        return check_unchanged(p->f, p->dir, p->locked, p->leaf, p->key, p->opts->version, err);
    return r;
}

static int write_in(struct put *p, struct ck_slice data, struct ck_err *err)
{
    int r = lock_and_check(p, err);
    if (r == 0)
        r = attempt(p, data, err);
    if (r == AGAIN) {
        struct stat st;
        if (fstat(p->dir, &st) == 0 && st.st_nlink == 0) /* the folder has been removed */
            return fail_write(err, ENOENT, p);
        p->f->named_temps = true;
        r = attempt(p, data, err);
    }
    return r < 0 || p->later ? r : sync_folders(p, err);
}

static int check_write(const char *key, const struct ck_write_opts *opts, struct ck_err *err)
{
    const char *slash = strrchr(key, '/');
    if (opts->public_read)
        return ck_fail(err, CK_UNSUPPORTED, "the \"%s\" path does not support public ACL", key);
    if (opts->mode == CK_WRITE_IF_UNCHANGED && (!opts->version || !*opts->version->token))
        return ck_fail(err, CK_CONFLICT, "%s: the version that was read is not known", key);
    if (ck_fs_is_temporary(slash ? slash + 1 : key))
        return ck_fail(err, CK_INVALID,
                       "invalid path: \"%s\": names like this are those of unfinished files", key);
    return 0;
}

int ck_fs_write(struct ck_vfs *v, const char *key, struct ck_slice data,
                const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err)
{
    struct ck_fs *f = (struct ck_fs *)v;
    int64_t began = ck_mono_ms();
    int r = check_write(key, opts, err);
    if (r < 0)
        return r;
    /* The folder may be removed between opening and writing when the last file in it goes. */
    for (int i = 0; i < OPEN_TRIES; i++) {
        CK_AUTOFD dir = -1;
        struct put p = {.f = f, .key = key, .opts = opts, .fd = -1, .began = began};
        p.later = opts->sync_later && opts->mode == CK_WRITE_CREATE;
        r = ck_fs_open_parent(f, key, opts->mode == CK_WRITE_IF_UNCHANGED ? NULL : &p.made, &dir,
                              &p.leaf, err);
        if (r == -(int)CK_NOT_FOUND && opts->mode == CK_WRITE_IF_UNCHANGED)
            return ck_fail(err, CK_CONFLICT, "%s was removed by someone else since it was read",
                           key);
        p.dir = dir;
        if (r == 0)
            r = *p.leaf ? write_in(&p, data, err) : fail_write(err, EISDIR, &p);
        if (r != -(int)CK_NOT_FOUND)
            break;
        ck_fs_forget_root(f);
        if (i + 1 < OPEN_TRIES)
            ck_err_done(err);
    }
    if (r == 0 && ret)
        ck_fs_version(data, ret);
    return r;
}

/* ---- in pieces ---- */

struct writer {
    struct ck_vfs_writer base;
    struct put p;
};

static int writer_put(struct ck_vfs_writer *w, struct ck_slice piece, struct ck_err *err)
{
    return append(&((struct writer *)w)->p, piece, err);
}

/* The lock is taken only now: others need not wait while a large file arrives. */
static int writer_commit(struct ck_vfs_writer *base, struct ck_version *ret, bool *ret_verified,
                         struct ck_err *err)
{
    struct put *p = &((struct writer *)base)->p;
    ret->token[0] = '\0'; /* not known without reading it again */
    int r = sync_temp(p, err);
    if (r == 0)
        r = lock_and_check(p, err);
    if (r == 0)
        r = place(p, err);
    if (r == AGAIN) {
        p->f->named_temps = true;
        r = ck_fail(err, CK_IO,
                    "error during file write of \"%s\": the folder was removed, or an "
                    "unnamed file cannot be given a name here",
                    p->key);
    }
    return r < 0 || p->later ? r : sync_folders(p, err);
}

static void writer_free(struct ck_vfs_writer *base)
{
    struct writer *w = (struct writer *)base;
    drop_temp(&w->p);
    ck_fs_cleanup_fd(&w->p.dir);
    free(w);
}

int ck_fs_writer(struct ck_vfs *v, const char *key, uint64_t size, const struct ck_write_opts *opts,
                 struct ck_vfs_writer **ret, struct ck_err *err)
{
    static const struct ck_vfs_writer_ops ops = {writer_put, writer_commit, writer_free};
    struct ck_fs *f = (struct ck_fs *)v;
    int r = check_write(key, opts, err);
    if (r < 0)
        return r;
    struct writer *w = ck_xcalloc(1, sizeof *w);
    w->base = (struct ck_vfs_writer){&ops, v, key};
    w->p = (struct put){.f = f, .key = key, .opts = opts, .fd = -1, .dir = -1};
    w->p.later = opts->sync_later && opts->mode == CK_WRITE_CREATE;
    /* There is no second attempt once the pieces have gone by. */
    if (access("/proc/self/fd", X_OK) != 0)
        f->named_temps = true;
    r = ck_fs_open_parent(f, key, &w->p.made, &w->p.dir, &w->p.leaf, err);
    if (r == 0)
        r = *w->p.leaf ? open_temp(&w->p, err) : fail_write(err, EISDIR, &w->p);
    if (r < 0)
        writer_free(&w->base);
    else
        *ret = &w->base;
    return r;
}

/* All of the file system at once: for thousands of new files that is one commit of its journal
 * instead of thousands. */
int ck_fs_sync(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    CK_AUTOFD fd = -1;
    int r = ck_fs_open_dir((struct ck_fs *)v, key, &fd, err);
    if (r == 0 && syncfs(fd) < 0)
        r = ck_fail_errno(err, errno, "syncing %s", key);
    return r;
}

/* ---- removing ---- */

int ck_fs_remove(struct ck_vfs *v, const char *key, const struct ck_version *version,
                 struct ck_err *err)
{
    struct ck_fs *f = (struct ck_fs *)v;
    CK_AUTOFD dir = -1;
    const char *leaf;
    bool locked;
    int64_t began = ck_mono_ms();
    if (version && !*version->token)
        return ck_fail(err, CK_CONFLICT, "%s: the version that was read is not known", key);
    int r = ck_fs_open_parent(f, key, NULL, &dir, &leaf, err);
    if (r == -(int)CK_NOT_FOUND)
        return ck_fail_errno(err, ENOENT, "remove %s", key);
    if (r == 0)
        r = lock_dir(f, dir, key, &locked, err);
    if (r == 0 && version)
        r = check_unchanged(f, dir, locked, leaf, key, version, err);
    if (r == 0)
        r = check_deadline(f, key, began, err);
    if (r < 0)
        return r;
    if (unlinkat(dir, leaf, 0) < 0)
        return ck_fail_errno(err, errno, "remove %s", key);
    (void)fsync(dir);
    return 0;
}
