/* Rows of listings and plans on disk: a file without a name, mode 0600, gone with the process. */
#include "ops/storetools/internal.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PIECE = 32 * 1024, NAME_MOST = 1 << 20 };

int ck_copy_spool_open(const struct ck_env *env, struct ck_copy_spool *ret, struct ck_err *err)
{
    const char *dir = ck_env_nonempty(env, "TMPDIR");
    *ret = (struct ck_copy_spool){.fd = -1};
    ret->fd = open(dir ? dir : "/tmp", O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (ret->fd < 0)
        ret->fd = memfd_create("ckops-plan", MFD_CLOEXEC);
    return ret->fd < 0 ? ck_fail_errno(err, errno, "no temporary file could be made") : 0;
}

void ck_copy_spool_close(struct ck_copy_spool *s)
{
    if (s->fd >= 0)
        close(s->fd);
    ck_buf_done(&s->out);
    *s = (struct ck_copy_spool){.fd = -1};
}

static int flush(struct ck_copy_spool *s, struct ck_err *err)
{
    int r = s->out.len ? ck_fd_write_all(s->fd, ck_buf_slice(&s->out), err) : 0;
    ck_buf_reset(&s->out);
    return r < 0 ? ck_wrap(err, "writing a temporary file (in TMPDIR, else /tmp)") : 0;
}

/* A row is followed by its name, and by room for a version where contents are to be compared. */
static size_t tail_of(const struct ck_copy_row *row)
{
    return row->compare ? sizeof(struct ck_version) : 0;
}

int ck_copy_spool_add(struct ck_copy_spool *s, struct ck_copy_row *row, const char *name,
                      struct ck_err *err)
{
    static const struct ck_version none = {""};
    row->name_len = (uint32_t)strlen(name);
    ck_buf_putn(&s->out, row, sizeof *row);
    ck_buf_putn(&s->out, name, row->name_len);
    ck_buf_putn(&s->out, &none, tail_of(row));
    return s->out.len >= PIECE ? flush(s, err) : 0;
}

int ck_copy_spool_clear(struct ck_copy_spool *s, struct ck_err *err)
{
    ck_buf_reset(&s->out);
    if (ftruncate(s->fd, 0) < 0 || lseek(s->fd, 0, SEEK_SET) < 0)
        return ck_fail_errno(err, errno, "writing a temporary file");
    return 0;
}

int ck_copy_spool_rewind(struct ck_copy_spool *s, struct ck_copy_reader *ret, struct ck_err *err)
{
    int r = flush(s, err);
    *ret = (struct ck_copy_reader){.s = s};
    return r;
}

void ck_copy_reader_done(struct ck_copy_reader *r)
{
    ck_buf_done(&r->in);
    ck_buf_done(&r->name);
}

/* The next n bytes, or a part of them at the end. */
static int take(struct ck_copy_reader *r, size_t n, struct ck_err *err)
{
    while (r->in.len - r->pos < n) {
        if (r->pos) {
            memmove(r->in.ptr, r->in.ptr + r->pos, r->in.len - r->pos);
            r->in.len -= r->pos;
            r->at += r->pos;
            r->pos = 0;
        }
        ck_buf_reserve(&r->in, n > PIECE ? n : PIECE);
        ssize_t got = pread(r->s->fd, r->in.ptr + r->in.len, n > PIECE ? n : PIECE,
                            (off_t)(r->at + r->in.len));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ck_fail_errno(err, errno, "reading a temporary file");
        if (got == 0)
            break;
        r->in.len += (size_t)got;
    }
    return 0;
}

int ck_copy_reader_next(struct ck_copy_reader *r, struct ck_err *err)
{
    int rc = take(r, sizeof r->row, err);
    if (rc < 0 || r->in.len == r->pos)
        return rc;
    r->row = (struct ck_copy_row){.name_len = NAME_MOST};
    if (r->in.len - r->pos >= sizeof r->row)
        memcpy(&r->row, r->in.ptr + r->pos, sizeof r->row);
    size_t n = sizeof r->row + r->row.name_len + tail_of(&r->row);
    if (r->row.name_len < NAME_MOST)
        rc = take(r, n, err);
    if (rc == 0 && r->in.len - r->pos < n)
        rc = ck_fail(err, CK_IO, "reading a temporary file: it ends too early");
    if (rc < 0)
        return rc;
    const char *name = r->in.ptr + r->pos + sizeof r->row;
    ck_buf_reset(&r->name);
    ck_buf_putn(&r->name, name, r->row.name_len);
    r->version = (struct ck_version){""};
    memcpy(&r->version, name + r->row.name_len, tail_of(&r->row));
    r->row_at = r->at + r->pos;
    r->pos += n;
    return 1;
}

static int put_at(int fd, uint64_t at, const void *p, size_t n, struct ck_err *err)
{
    errno = EIO;
    return pwrite(fd, p, n, (off_t)at) == (ssize_t)n
               ? 0
               : ck_fail_errno(err, errno, "writing a temporary file");
}

int ck_copy_spool_put(const struct ck_copy_spool *s, uint64_t at, const struct ck_copy_row *row,
                      const struct ck_version *version, struct ck_err *err)
{
    int r = put_at(s->fd, at, row, sizeof *row, err);
    return r < 0 || !row->compare
               ? r
               : put_at(s->fd, at + sizeof *row + row->name_len, version, sizeof *version, err);
}
