/* Local files too large to be held: read piece by piece, with the version that a whole read gives.
 */
#include "vfs/fs.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PIECE = 256 * 1024 };
_Static_assert(PIECE % 8 == 0, "the version is made of whole words");

/* Fill the buffer unless the file ends. */
static ssize_t fill(int fd, char *buf)
{
    size_t got = 0;
    while (got < PIECE) {
        ssize_t n = read(fd, buf + got, PIECE - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? n : (ssize_t)got;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

/* At most `size` bytes: what a writer goes on adding would never end. */
static int pieces(int fd, uint64_t size, const char *key, ck_sink_fn fn, void *arg,
                  struct ck_version *ret, struct ck_err *err)
{
    CK_AUTOFREE char *buf = ck_xmalloc(PIECE);
    struct ck_fs_versioning h = ck_fs_version_begin();
    int r = 0;
    for (ssize_t n = PIECE; r == 0 && n == PIECE;) {
        n = fill(fd, buf);
        if (n < 0)
            r = ck_fail_errno(err, errno, "read %s", key);
        else if (h.len + (uint64_t)n > size)
            r = ck_fail(err, CK_CONFLICT, "%s grew while it was read", key);
        if (r == 0 && n > 0) {
            const struct ck_slice piece = ck_slice_n(buf, (size_t)n);
            ck_fs_version_add(&h, piece);
            r = fn ? fn(arg, piece, err) : 0;
        }
    }
    ck_wipe(buf, PIECE);
    if (r == 0 && h.len != size)
        r = ck_fail(err, CK_CONFLICT, "%s became shorter while it was read", key);
    if (r == 0 && ret)
        ck_fs_version_end(&h, ret);
    return r;
}

static int stream(int fd, const char *key, ck_sink_fn fn, void *arg, struct ck_version *ret,
                  struct ck_err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return ck_fail_errno(err, errno, "open %s", key);
    if (S_ISDIR(st.st_mode))
        return ck_fail_errno(err, EISDIR, "read %s", key);
    if (!S_ISREG(st.st_mode))
        return ck_fail(err, CK_INVALID, "read %s: it is not a regular file", key);
    return pieces(fd, (uint64_t)st.st_size, key, fn, arg, ret, err);
}

int ck_fs_read_stream(struct ck_vfs *v, const char *key, ck_sink_fn fn, void *arg,
                      struct ck_version *ret, struct ck_err *err)
{
    CK_AUTOFD fd = -1;
    bool own;
    int r = ck_fs_open_for_reading((struct ck_fs *)v, key, &fd, &own, err);
    return r < 0 ? r : stream(fd, key, fn, arg, ret, err);
}

int ck_fs_version_at(int dir, const char *leaf, const char *key, struct ck_version *ret,
                     struct ck_err *err)
{
    CK_AUTOFD fd = openat(dir, leaf, CK_FS_READ_FLAGS | O_NOFOLLOW);
    return fd < 0 ? ck_fs_fail_open(errno, key, err) : stream(fd, key, NULL, NULL, ret, err);
}
