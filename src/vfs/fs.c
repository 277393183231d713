/* Local folders: file:// and bare paths. Locations, reading and versions; fs_write.c writes,
 * fs_list.c lists. Mirrors kOps' util/pkg/vfs/fs.go. */
#include "vfs/fs.h"

#include "base/file.h"
#include "crypto/hash.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { DEFAULT_MAX = 64 << 20 };

/* ---- versions ---- */

static uint64_t rotate(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static uint64_t finish(uint64_t x)
{
    x = (x ^ x >> 33) * 0xFF51AFD7ED558CCDu;
    x = (x ^ x >> 33) * 0xC4CEB9FE1A85EC53u;
    return x ^ x >> 33;
}

/* The version is the content: its length and two 64-bit hashes with different constants, each of
 * which changes with every single word. An object that is rewritten with the same bytes keeps its
 * version, which is what compare-and-swap needs; inode and times would say less, since programs
 * that write in place or restore times exist. SHA-256 would cost loading its library. */
struct ck_fs_versioning ck_fs_version_begin(void)
{
    return (struct ck_fs_versioning){.x = 0x9E3779B97F4A7C15u, .y = 0xD6E8FEB86659FD93u};
}

void ck_fs_version_add(struct ck_fs_versioning *h, struct ck_slice data)
{
    uint64_t x = h->x, y = h->y;
    for (size_t i = 0; i < data.len; i += 8) {
        uint64_t word = 0;
        memcpy(&word, data.ptr + i, data.len - i < 8 ? data.len - i : 8);
        x = rotate(x + word * 0xC2B2AE3D27D4EB4Fu, 31) * 0x9E3779B185EBCA87u;
        y = rotate(y + word * 0x165667B19E3779F9u, 27) * 0xFF51AFD7ED558CCDu;
    }
    *h = (struct ck_fs_versioning){x, y, h->len + data.len};
}

void ck_fs_version_end(const struct ck_fs_versioning *h, struct ck_version *ret)
{
    snprintf(ret->token, sizeof ret->token, "%016llx%016llx-%zu", (unsigned long long)finish(h->x),
             (unsigned long long)finish(h->y), h->len);
}

void ck_fs_version(struct ck_slice data, struct ck_version *ret)
{
    struct ck_fs_versioning h = ck_fs_version_begin();
    ck_fs_version_add(&h, data);
    ck_fs_version_end(&h, ret);
}

/* ---- reading ---- */

/* A file whose size is known takes one read; the rest is for files that change meanwhile. */
static int read_regular(int fd, const struct stat *st, size_t max, struct ck_buf *out,
                        struct ck_err *err)
{
    size_t size = (size_t)st->st_size;
    if (size > max)
        return ck_fail(err, CK_LIMIT, "more than %zu bytes", max);
    ck_buf_reserve(out, size + 1);
    ssize_t n;
    do {
        n = read(fd, out->ptr + out->len, size + 1);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return ck_fail_errno(err, errno, "read");
    out->len += (size_t)n;
    out->ptr[out->len] = '\0';
    return (size_t)n == size ? 0 : ck_fd_read_all(fd, max, out, err);
}

/* `own_path`: the user named this very file, which may then be a pipe. */
static int read_fd(struct ck_vfs *v, int fd, const char *key, bool own_path, struct ck_buf *out,
                   bool *ret_folder, struct ck_err *err)
{
    size_t max = v->ctx->max_object ? v->ctx->max_object : DEFAULT_MAX;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return ck_fail_errno(err, errno, "open %s", key);
    *ret_folder = S_ISDIR(st.st_mode);
    if (*ret_folder)
        return ck_fail_errno(err, EISDIR, "read %s", key);
    bool pipe = S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode);
    if (!S_ISREG(st.st_mode) && !(own_path && pipe))
        return ck_fail(err, CK_INVALID, "read %s: it is not a regular file", key);
    if (pipe) /* wait for its writer */
        (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    int r = pipe ? ck_fd_read_all(fd, max, out, err) : read_regular(fd, &st, max, out, err);
    if (r < 0)
        ck_wrap(err, "%s", key);
    return r;
}

int ck_fs_fail_open(int errnum, const char *key, struct ck_err *err)
{
    if (errnum == ENOENT)
        return ck_fail(err, CK_NOT_FOUND, "file does not exist");
    if (errnum == ELOOP)
        return ck_fail(err, CK_DENIED,
                       "%s is a symbolic link; links inside a store are not followed", key);
    return ck_fail_errno(err, errnum, "open %s", key);
}

int ck_fs_open_for_reading(struct ck_fs *f, const char *key, int *ret_fd, bool *ret_own,
                           struct ck_err *err)
{
    *ret_own = strcmp(key, f->base.container) == 0;
    if (*ret_own) {
        *ret_fd = open(*key ? key : ".", CK_FS_READ_FLAGS);
        return *ret_fd < 0 ? ck_fs_fail_open(errno, key, err) : 0;
    }
    int r = ck_fs_open_object(f, key, ret_fd, err);
    if (r != CK_FS_WALK)
        return r;
    CK_AUTOFD dir = -1;
    const char *leaf;
    r = ck_fs_open_parent(f, key, NULL, &dir, &leaf, err);
    if (r < 0)
        return r;
    *ret_fd = openat(dir, leaf, CK_FS_READ_FLAGS | O_NOFOLLOW);
    return *ret_fd < 0 ? ck_fs_fail_open(errno, key, err) : 0;
}

/* *ret_folder is set when something was opened: it is a folder. */
static int read_object(struct ck_vfs *v, const char *key, struct ck_buf *out, bool *ret_folder,
                       struct ck_err *err)
{
    CK_AUTOFD fd = -1;
    bool own;
    *ret_folder = false;
    int r = ck_fs_open_for_reading((struct ck_fs *)v, key, &fd, &own, err);
    return r < 0 ? r : read_fd(v, fd, key, own, out, ret_folder, err);
}

static int fs_read(struct ck_vfs *v, const char *key, struct ck_buf *out, struct ck_version *ret,
                   struct ck_err *err)
{
    size_t start = out->len;
    bool folder;
    int r = read_object(v, key, out, &folder, err);
    if (r == 0 && ret)
        ck_fs_version(ck_slice_n(out->ptr + start, out->len - start), ret);
    return r;
}

/* One buffer for all. A folder in the place of the object counts as "no such object" here: this is
 * how clusters are found, and there may be some beneath it. */
static int fs_read_many(struct ck_vfs *v, const char *const *keys, size_t n, ck_bulk_fn fn,
                        void *arg, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    for (size_t i = 0; i < n; i++) {
        CK_AUTOERR item = CK_ERR_INIT;
        struct ck_version version = {""};
        bool folder = false;
        ck_buf_reset(&b);
        int r = read_object(v, keys[i], &b, &folder, &item);
        if (r == 0)
            ck_fs_version(ck_buf_slice(&b), &version);
        else if (folder)
            ck_fail(&item, CK_NOT_FOUND, "file does not exist");
        r = fn(arg, i, ck_buf_slice(&b), &version, &item);
        if (r < 0)
            return r;
    }
    return 0;
}

static int fs_hash(struct ck_vfs *v, const char *key, enum ck_hash_alg alg, struct ck_hash *ret,
                   struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    int r = fs_read(v, key, &b, NULL, err);
    if (r == 0)
        r = ck_crypto_load(err);
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

/* ---- locations ---- */

static char *fs_text(struct ck_vfs *v, const char *key, struct ck_arena *a)
{
    return ck_arena_strdup(a, *key ? key : ".");
}

static void fs_close(struct ck_vfs *v)
{
    ck_fs_forget_root((struct ck_fs *)v);
}

const struct ck_vfs_ops ck_fs_ops = {
    .scheme = "file",
    .read = fs_read,
    .read_stream = ck_fs_read_stream,
    .write = ck_fs_write,
    .writer = ck_fs_writer,
    .sync = ck_fs_sync,
    .remove = ck_fs_remove,
    .remove_tree = ck_fs_remove_tree,
    .list = ck_fs_list,
    .list_dirs = ck_fs_list_dirs,
    .tree = ck_fs_tree,
    .tree_each = ck_fs_tree_each,
    .hash = fs_hash,
    .read_many = fs_read_many,
    .exposure = ck_fs_exposure,
    .examine = ck_fs_examine,
    .text = fs_text,
    .close = fs_close,
    .preferred_hash = CK_SHA256,
    .has_hash = true,
    .cluster_readable = true,
    .absolute_keys = true,
    .folders = true,
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

/* One spelling per folder: no empty or "." elements ("./state" is "state", which is what kOps
 * writes into files). ".." stays: where it leads depends on symbolic links. */
static const char *tidy(struct ck_arena *a, const char *path)
{
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    struct ck_slice rest = ck_slice_of(path), step;
    if (*path == '/')
        ck_buf_putc(&out, '/');
    while (ck_slice_next(&rest, '/', &step)) {
        if (!step.len || ck_slice_eq_str(step, "."))
            continue;
        if (out.len && out.ptr[out.len - 1] != '/')
            ck_buf_putc(&out, '/');
        ck_buf_put(&out, step);
    }
    return ck_arena_strndup(a, ck_buf_str(&out), out.len);
}

int ck_vfs_parse_file(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                      struct ck_err *err)
{
    const char *path = ck_str_starts(url, "file://") ? url + strlen("file://") : url;
    if (!*path) /* not the working directory by accident */
        return ck_fail(err, CK_INVALID, "invalid file path: \"%s\"", url);
    struct ck_fs *f = ck_fs_container(ctx, &ck_fs_ops, tidy(ctx->arena, path));
    *ret = (struct ck_path){&f->base, f->base.container};
    return 0;
}
