/* Local folders: file:// and bare paths. A write is a finished temporary file that is linked or
 * renamed into place under a lock on its folder, synced before and after. Mirrors kOps'
 * util/pkg/vfs/fs.go, which neither syncs nor locks between processes. */
#include "vfs/fs.h"

#include "base/clock.h"
#include "base/file.h"
#include "crypto/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

enum { DEFAULT_TIMEOUT_MS = 30000, DEFAULT_MAX = 64 << 20, LOCK_TRIES_PAUSE_MS = 2 };

static size_t max_object(const struct ck_vfs *v)
{
    return v->ctx->max_object ? v->ctx->max_object : DEFAULT_MAX;
}

/* The version is the content: two independent 64-bit hashes and the length. An object that is
 * rewritten with the same bytes keeps its version, which is what compare-and-swap needs. */
static void version_of(struct ck_slice data, struct ck_version *ret)
{
    uint64_t x = 1469598103934665603u, y = 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < data.len; i++) {
        unsigned char c = (unsigned char)data.ptr[i];
        x = (x ^ c) * 1099511628211u;
        y = (y ^ ((uint64_t)c << (i & 31))) * 0xD6E8FEB86659FD93u;
        y ^= y >> 32;
    }
    snprintf(ret->token, sizeof ret->token, "%016llx%016llx-%zu", (unsigned long long)x,
             (unsigned long long)y, data.len);
}

/* ---- reading ---- */

static int read_at(struct ck_vfs *v, int dir, const char *leaf, const char *key, bool own_path,
                   struct ck_buf *out, struct ck_err *err)
{
    /* Not blocking: a pipe in the place of a file must not hang the program. */
    CK_AUTOFD fd = openat(
        dir, leaf, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | (own_path ? 0 : O_NOFOLLOW));
    if (fd < 0 && errno == ENOENT)
        return ck_fail(err, CK_NOT_FOUND, "file does not exist");
    if (fd < 0 && errno == ELOOP)
        return ck_fail(err, CK_DENIED,
                       "%s is a symbolic link; links inside a store are not followed", key);
    if (fd < 0)
        return ck_fail_errno(err, errno, "open %s", key);
    struct stat st;
    if (fstat(fd, &st) < 0)
        return ck_fail_errno(err, errno, "open %s", key);
    if (S_ISDIR(st.st_mode))
        return ck_fail_errno(err, EISDIR, "read %s", key);
    if (!S_ISREG(st.st_mode) && !(own_path && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))))
        return ck_fail(err, CK_INVALID, "read %s: it is not a regular file", key);
    if (!S_ISREG(st.st_mode)) /* a pipe the user named: wait for its writer */
        (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    ck_buf_reserve(out,
                   S_ISREG(st.st_mode) && st.st_size < (1 << 20) ? (size_t)st.st_size + 16384 : 0);
    int r = ck_fd_read_all(fd, max_object(v), out, err);
    return r < 0 ? ck_wrap(err, "%s", key) : 0;
}

static int fs_read(struct ck_vfs *v, const char *key, struct ck_buf *out, struct ck_version *ret,
                   struct ck_err *err)
{
    struct ck_fs *f = (struct ck_fs *)v;
    CK_AUTOFD dir = -1;
    const char *leaf;
    int r = ck_fs_open_parent(f, key, false, &dir, &leaf, err);
    if (r < 0)
        return r;
    size_t start = out->len;
    r = read_at(v, dir, leaf, key, strcmp(key, v->container) == 0, out, err);
    if (r == 0 && ret)
        version_of(ck_slice_n(out->ptr + start, out->len - start), ret);
    return r;
}

/* ---- writing ---- */

/* One writer per folder. The lock is on the folder itself: it leaves no file that kOps would trip
 * over, and the kernel drops it when the process dies. */
static int lock_dir(struct ck_vfs *v, int dir, const char *key, struct ck_err *err)
{
    int64_t limit = v->ctx->timeout_ms ? v->ctx->timeout_ms : DEFAULT_TIMEOUT_MS;
    int64_t deadline = 0;
    while (flock(dir, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK)
            return errno == ENOLCK || errno == EOPNOTSUPP || errno == EINVAL
                       ? 0 /* a file system without locks: rename and link are all there is */
                       : ck_fail_errno(err, errno, "locking the folder of %s", key);
        int64_t now = ck_mono_ms();
        if (!deadline)
            deadline = now + limit;
        if (now >= deadline)
            return ck_fail(err, CK_TIMEOUT, "%s: another process has held the folder for %lld s",
                           key, (long long)(limit / 1000));
        ck_sleep_ms(LOCK_TRIES_PAUSE_MS);
    }
    return 0;
}

static int temp_file(int dir, char name[64], const char *key, int *ret_fd, struct ck_err *err)
{
    for (int i = 0; i < 100; i++) {
        uint64_t r = 0;
        if (getrandom(&r, sizeof r, 0) != sizeof r)
            r = (uint64_t)ck_now_ns() ^ (uint64_t)getpid() << 32;
        snprintf(name, 64, ".ckops-tmp-%016llx", (unsigned long long)r);
        *ret_fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (*ret_fd >= 0)
            return 0;
        if (errno != EEXIST)
            break;
    }
    return ck_fail_errno(err, errno, "error during file write of \"%s\"", key);
}

static int check_unchanged(struct ck_vfs *v, int dir, const char *leaf, const char *key,
                           const struct ck_version *version, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf now = CK_BUF_INIT;
    struct ck_version current = {""};
    CK_AUTOERR local = CK_ERR_INIT;
    int r = read_at(v, dir, leaf, key, false, &now, &local);
    if (r < 0 && r != -(int)CK_NOT_FOUND)
        return ck_err_move(err, &local);
    if (r == 0)
        version_of(ck_buf_slice(&now), &current);
    if (r == 0 && version && strcmp(current.token, version->token) == 0)
        return 0;
    return ck_fail(err, CK_CONFLICT, "%s was %s by someone else since it was read", key,
                   r == 0 ? "changed" : "removed");
}

/* Move the finished file into place. */
static int place(struct ck_vfs *v, int dir, const char *tmp, const char *leaf, const char *key,
                 const struct ck_write_opts *opts, struct ck_err *err)
{
    struct stat st;
    if (opts->mode == CK_WRITE_CREATE) {
        if (fstatat(dir, leaf, &st, AT_SYMLINK_NOFOLLOW) == 0)
            return ck_fail(err, CK_EXISTS, "file already exists");
        if (linkat(dir, tmp, dir, leaf, 0) == 0) {
            (void)unlinkat(dir, tmp, 0);
            return 0;
        }
        if (errno == EEXIST)
            return ck_fail(err, CK_EXISTS, "file already exists");
        if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK)
            return ck_fail_errno(err, errno, "error during file write of \"%s\"", key);
        if (renameat2(dir, tmp, dir, leaf, RENAME_NOREPLACE) == 0)
            return 0;
        if (errno == EEXIST)
            return ck_fail(err, CK_EXISTS, "file already exists");
        return ck_fail_errno(err, errno, "error during file write of \"%s\"", key);
    }
    if (opts->mode == CK_WRITE_IF_UNCHANGED) {
        int r = check_unchanged(v, dir, leaf, key, opts->version, err);
        if (r < 0)
            return r;
    }
    if (fstatat(dir, leaf, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
        return ck_fail_errno(err, EISDIR, "error during file write of \"%s\"", key);
    if (renameat(dir, tmp, dir, leaf) < 0)
        return ck_fail_errno(err, errno, "error during file write of \"%s\": rename failed", key);
    return 0;
}

static int write_in(struct ck_vfs *v, int dir, const char *leaf, const char *key,
                    struct ck_slice data, const struct ck_write_opts *opts, struct ck_err *err)
{
    char tmp[64];
    CK_AUTOFD fd = -1;
    int r = lock_dir(v, dir, key, err);
    if (r == 0)
        r = temp_file(dir, tmp, key, &fd, err);
    if (r < 0)
        return r;
    r = ck_fd_write_all(fd, data, err);
    if (r == 0 && fsync(fd) < 0)
        r = ck_fail_errno(err, errno, "error during file write of \"%s\"", key);
    if (r == 0)
        r = place(v, dir, tmp, leaf, key, opts, err);
    if (r < 0) {
        (void)unlinkat(dir, tmp, 0);
        return r;
    }
    if (fsync(dir) < 0 && errno != EINVAL)
        return ck_fail_errno(err, errno, "syncing the folder of %s", key);
    return 0;
}

static int fs_write(struct ck_vfs *v, const char *key, struct ck_slice data,
                    const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err)
{
    struct ck_fs *f = (struct ck_fs *)v;
    if (opts->public_read)
        return ck_fail(err, CK_UNSUPPORTED, "the \"%s\" path does not support public ACL", key);
    if (opts->mode == CK_WRITE_IF_UNCHANGED && (!opts->version || !*opts->version->token))
        return ck_fail(err, CK_CONFLICT, "%s: the version that was read is not known", key);
    int r = 0;
    /* The folder may be removed between opening and writing when the last file in it goes. */
    for (int i = 0; i < 3; i++) {
        CK_AUTOFD dir = -1;
        const char *leaf;
        r = ck_fs_open_parent(f, key, opts->mode != CK_WRITE_IF_UNCHANGED, &dir, &leaf, err);
        if (r == -(int)CK_NOT_FOUND && opts->mode == CK_WRITE_IF_UNCHANGED)
            return ck_fail(err, CK_CONFLICT, "%s was removed by someone else since it was read",
                           key);
        if (r < 0)
            return r;
        if (!*leaf)
            return ck_fail_errno(err, EISDIR, "error during file write of \"%s\"", key);
        r = write_in(v, dir, leaf, key, data, opts, err);
        if (r != -(int)CK_NOT_FOUND)
            break;
    }
    if (r == 0 && ret)
        version_of(data, ret);
    return r;
}

/* ---- removing ---- */

static int fs_remove(struct ck_vfs *v, const char *key, const struct ck_version *version,
                     struct ck_err *err)
{
    CK_AUTOFD dir = -1;
    const char *leaf;
    int r = ck_fs_open_parent((struct ck_fs *)v, key, false, &dir, &leaf, err);
    if (r == -(int)CK_NOT_FOUND)
        return ck_fail_errno(err, ENOENT, "remove %s", key);
    if (r == 0)
        r = lock_dir(v, dir, key, err);
    if (r == 0 && version)
        r = check_unchanged(v, dir, leaf, key, version, err);
    if (r < 0)
        return r;
    if (unlinkat(dir, leaf, 0) < 0)
        return ck_fail_errno(err, errno, "remove %s", key);
    (void)fsync(dir);
    return 0;
}

/* ---- the rest ---- */

static int fs_hash(struct ck_vfs *v, const char *key, enum ck_hash_alg alg, struct ck_hash *ret,
                   struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    int r = fs_read(v, key, &b, NULL, err);
    if (r < 0)
        return r;
    *ret = (struct ck_hash){.alg = alg};
    if (alg == CK_SHA256)
        ck_sha256(ck_buf_slice(&b), ret->bytes);
    else if (alg == CK_SHA1)
        ck_sha1(ck_buf_slice(&b), ret->bytes);
    else
        ck_md5(ck_buf_slice(&b), ret->bytes);
    ret->len = alg == CK_SHA256 ? CK_SHA256_LEN : alg == CK_SHA1 ? CK_SHA1_LEN : CK_MD5_LEN;
    return 0;
}

static char *fs_text(struct ck_vfs *v, const char *key, struct ck_arena *a)
{
    return ck_arena_strdup(a, key);
}

static void fs_close(struct ck_vfs *v)
{
    struct ck_fs *f = (struct ck_fs *)v;
    if (f->root >= 0)
        close(f->root);
    f->root = -1;
}

const struct ck_vfs_ops ck_fs_ops = {
    .scheme = "file",
    .read = fs_read,
    .write = fs_write,
    .remove = fs_remove,
    .remove_tree = ck_fs_remove_tree,
    .list = ck_fs_list,
    .list_dirs = ck_fs_list_dirs,
    .tree = ck_fs_tree,
    .hash = fs_hash,
    .text = fs_text,
    .close = fs_close,
    .preferred_hash = CK_SHA256,
    .has_hash = true,
    .cluster_readable = true,
    .absolute_keys = true,
};

struct ck_fs *ck_fs_container(struct ck_vfs_ctx *ctx, const struct ck_vfs_ops *ops, const char *dir)
{
    bool is_new;
    struct ck_vfs *v = ck_vfs_container(ctx, ops, dir, sizeof(struct ck_fs), &is_new);
    struct ck_fs *f = (struct ck_fs *)v;
    if (is_new)
        f->root = -1;
    return f;
}

int ck_vfs_parse_file(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                      struct ck_err *err)
{
    const char *path = ck_str_starts(url, "file://") ? url + strlen("file://") : url;
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    while (n > 2 && path[0] == '.' && path[1] == '/') { /* ./state lists as state does */
        path += 2;
        n -= 2;
        while (n > 1 && *path == '/')
            path++, n--;
    }
    const char *dir = ck_arena_strndup(ctx->arena, path, n);
    struct ck_fs *f = ck_fs_container(ctx, &ck_fs_ops, dir);
    *ret = (struct ck_path){&f->base, f->base.container};
    return 0;
}
