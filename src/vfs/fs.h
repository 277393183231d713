/* Local folders, shared by file:// and by memfs:// with a root.
 *
 * A key is the path as the user gave it plus what was joined to it; everything below the container
 * is opened element by element, or by one openat2, without following symbolic links. */
#pragma once

#include "vfs/scheme.h"

#include <fcntl.h>
#include <unistd.h>

struct ck_fs {
    struct ck_vfs base; /* container: the folder as given, "" for the working directory */
    int root;           /* its descriptor, -1 until needed */
    bool no_openat2;    /* the kernel refuses it: walk */
    bool link_by_path;  /* unnamed files get their name by way of /proc only */
    bool named_temps;   /* the file system has no unnamed files, or there is no /proc */
};

/* The folder `dir` as a container of the given operations. */
struct ck_fs *ck_fs_container(struct ck_vfs_ctx *ctx, const struct ck_vfs_ops *ops,
                              const char *dir);
extern const struct ck_vfs_ops ck_fs_ops;

/* ---- fs.c ---- */
/* The version of an object with this content. */
void ck_fs_version(struct ck_slice data, struct ck_version *ret);
/* The same in pieces; all but the last have a multiple of eight bytes. */
struct ck_fs_versioning {
    uint64_t x, y;
    size_t len;
};
struct ck_fs_versioning ck_fs_version_begin(void);
void ck_fs_version_add(struct ck_fs_versioning *h, struct ck_slice piece);
void ck_fs_version_end(const struct ck_fs_versioning *h, struct ck_version *ret);
/* Open an object to be read; *ret_own: the user named this very file, which may then be a pipe. */
int ck_fs_open_for_reading(struct ck_fs *f, const char *key, int *ret_fd, bool *ret_own,
                           struct ck_err *err);

/* ---- fs_stream.c ---- */
int ck_fs_read_stream(struct ck_vfs *v, const char *key, ck_sink_fn fn, void *arg,
                      struct ck_version *ret, struct ck_err *err);
/* The version of `leaf` in the folder `dir`, whatever its size; as ck_fs_read_at otherwise. */
int ck_fs_version_at(int dir, const char *leaf, const char *key, struct ck_version *ret,
                     struct ck_err *err);
/* An openat that failed: NOT_FOUND, DENIED for links, as every read reports them. */
int ck_fs_fail_open(int errnum, const char *key, struct ck_err *err);

/* ---- fs_write.c ---- */
int ck_fs_write(struct ck_vfs *v, const char *key, struct ck_slice data,
                const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err);
int ck_fs_writer(struct ck_vfs *v, const char *key, uint64_t size, const struct ck_write_opts *opts,
                 struct ck_vfs_writer **ret, struct ck_err *err);
int ck_fs_sync(struct ck_vfs *v, const char *key, struct ck_err *err);
int ck_fs_remove(struct ck_vfs *v, const char *key, const struct ck_version *version,
                 struct ck_err *err);

/* ---- fs_exposure.c ---- */
int ck_fs_exposure(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_exposure *ret,
                   struct ck_err *err);

/* ---- examine/fs_examine.c ---- */
int ck_fs_examine(struct ck_vfs *v, const char *key, struct ck_exam *x, struct ck_err *err);

/* ---- fs_walk.c ---- */
/* Open the folder that holds `key`. With `made` missing folders are made (0700), and counted there:
 * the caller syncs that many folders above. *ret_leaf points into key. NOT_FOUND, DENIED with the
 * name of a symbolic link on the way. */
int ck_fs_open_parent(struct ck_fs *f, const char *key, unsigned *made, int *ret_fd,
                      const char **ret_leaf, struct ck_err *err);
/* Open the folder `key` itself. NOT_FOUND `open KEY: no such file or directory`. */
int ck_fs_open_dir(struct ck_fs *f, const char *key, int *ret_fd, struct ck_err *err);
/* Open the object `key` for reading in one step; CK_FS_WALK where only the walk can tell what is
 * wrong, otherwise 0 or NOT_FOUND. */
enum { CK_FS_WALK = 1 };
int ck_fs_open_object(struct ck_fs *f, const char *key, int *ret_fd, struct ck_err *err);
/* Forget the root's descriptor: somebody removed the folder. */
void ck_fs_forget_root(struct ck_fs *f);
/* Names that writers use for unfinished files: ours, and kOps' "tmp" with a random number. */
bool ck_fs_is_temporary(const char *name);

/* How objects are opened: a pipe in the place of a file must not hang the program. */
#define CK_FS_READ_FLAGS (O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

static inline void ck_fs_cleanup_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define CK_AUTOFD CK_CLEANUP(ck_fs_cleanup_fd) int

/* ---- fs_list.c ---- */
int ck_fs_list(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
               struct ck_err *err);
int ck_fs_list_dirs(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                    struct ck_err *err);
int ck_fs_tree(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
               struct ck_err *err);
int ck_fs_tree_each(struct ck_vfs *v, const char *key, ck_entry_fn fn, void *arg,
                    struct ck_err *err);
int ck_fs_remove_tree(struct ck_vfs *v, const char *key, struct ck_err *err);
