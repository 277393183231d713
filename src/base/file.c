/* Whole-file reads and atomic replacement for local files outside stores. */
#include "base/file.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void cleanup_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

int ck_fd_read_all(int fd, size_t max, struct ck_buf *out, struct ck_err *err)
{
    for (;;) {
        ck_buf_reserve(out, 16384);
        ssize_t n = read(fd, out->ptr + out->len, 16384);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ck_fail_errno(err, errno, "read");
        if (n == 0)
            break;
        out->len += (size_t)n;
        if (out->len > max)
            return ck_fail(err, CK_LIMIT, "more than %zu bytes", max);
    }
    out->ptr[out->len] = '\0';
    return 0;
}

int ck_fd_write_all(int fd, struct ck_slice data, struct ck_err *err)
{
    while (data.len) {
        ssize_t n = write(fd, data.ptr, data.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ck_fail_errno(err, errno, "write");
        data.ptr += n;
        data.len -= (size_t)n;
    }
    return 0;
}

int ck_file_read(const char *path, size_t max, struct ck_buf *out, struct ck_err *err)
{
    CK_CLEANUP(cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return ck_fail_errno(err, errno, "open %s", path);
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        return ck_fail_errno(err, EISDIR, "read %s", path);
    int r = ck_fd_read_all(fd, max, out, err);
    return r < 0 ? ck_wrap(err, "%s", path) : 0;
}

static void sync_parent(const char *path)
{
    CK_AUTOFREE char *dir = ck_xstrdup(path);
    char *slash = strrchr(dir, '/');
    if (slash == dir)
        slash[1] = '\0';
    else if (slash)
        *slash = '\0';
    CK_CLEANUP(cleanup_fd)
    int fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        (void)fsync(fd);
}

int ck_file_write(const char *path, struct ck_slice data, mode_t mode, struct ck_err *err)
{
    CK_AUTOFREE char *tmp = ck_xasprintf("%s.tmp-XXXXXX", path);
    CK_CLEANUP(cleanup_fd) int fd = mkostemp(tmp, O_CLOEXEC);
    if (fd < 0)
        return ck_fail_errno(err, errno, "creating a temporary file beside %s", path);
    int r = ck_fd_write_all(fd, data, err);
    if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
        r = ck_fail_errno(err, errno, "write %s", path);
    if (r == 0 && rename(tmp, path) < 0)
        r = ck_fail_errno(err, errno, "rename %s", path);
    if (r < 0) {
        unlink(tmp);
        return r;
    }
    sync_parent(path);
    return 0;
}

int ck_mkdirs(const char *dir, mode_t mode, struct ck_err *err)
{
    CK_AUTOFREE char *p = ck_xstrdup(dir);
    for (char *s = p + (*p == '/');; s++) {
        if (*s != '/' && *s != '\0')
            continue;
        char c = *s;
        *s = '\0';
        if (*p && mkdir(p, mode) < 0 && errno != EEXIST)
            return ck_fail_errno(err, errno, "mkdir %s", p);
        *s = c;
        if (c == '\0')
            return 0;
    }
}
