/* Local files outside any store: configuration, kubeconfig, editor files, credentials. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#include <stddef.h>
#include <sys/types.h>

/* Read a whole file of at most `max` bytes. Errors: NOT_FOUND, DENIED, LIMIT, IO; messages have the
 * form "open PATH: no such file or directory". */
int ck_file_read(const char *path, size_t max, struct ck_buf *out, struct ck_err *err);
/* Replace `path` atomically: temporary file beside it, fsync, rename. Mode is that of the new file.
 */
int ck_file_write(const char *path, struct ck_slice data, mode_t mode, struct ck_err *err);
/* Create missing directories up to and including `dir`. */
int ck_mkdirs(const char *dir, mode_t mode, struct ck_err *err);
/* Read descriptor `fd` to its end, at most `max` bytes. */
int ck_fd_read_all(int fd, size_t max, struct ck_buf *out, struct ck_err *err);
int ck_fd_write_all(int fd, struct ck_slice data, struct ck_err *err);
