/* Local folders, shared by file:// and by memfs:// with a root. */
#pragma once

#include "vfs/scheme.h"

#include <unistd.h>

struct ck_fs {
    struct ck_vfs base; /* container: the folder as given */
    int root;           /* its descriptor, -1 until needed */
    const char *shown;  /* what replaces the container in texts; NULL: nothing */
};

/* The folder `dir` as a container of the given operations. */
struct ck_fs *ck_fs_container(struct ck_vfs_ctx *ctx, const struct ck_vfs_ops *ops,
                              const char *dir);
extern const struct ck_vfs_ops ck_fs_ops;

/* ---- fs_walk.c ---- */
/* Open the folder that holds `key`, walking from the root without following symbolic links.
 * `create` makes missing folders (0700). *ret_leaf points into key; "" is the root itself. */
int ck_fs_open_parent(struct ck_fs *f, const char *key, bool create, int *ret_fd,
                      const char **ret_leaf, struct ck_err *err);
/* Open the folder `key` itself. NOT_FOUND `open KEY: no such file or directory`. */
int ck_fs_open_dir(struct ck_fs *f, const char *key, int *ret_fd, struct ck_err *err);
bool ck_fs_is_temporary(const char *name);

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
int ck_fs_remove_tree(struct ck_vfs *v, const char *key, struct ck_err *err);
