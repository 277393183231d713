/* What only a local folder can have: modes that let others read secrets, links, and the temporary
 * files of writers that were killed. The last and the modes can be repaired. */
#include "ops/fsck/internal.h"

#include "vfs/fs.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DEPTH = 32, OLD_S = 3600 };

static bool is_secret(const char *path)
{
    return strstr(path, "/pki/private/") || strstr(path, "/secrets/") || strstr(path, "/backups/");
}

static void look_at(struct ck_arena *a, const char *path, const char *name, const struct stat *st,
                    int64_t now_s, struct ck_fsck *out)
{
    struct ck_fsck_finding *f;
    unsigned mode = st->st_mode & 07777;
    if (S_ISLNK(st->st_mode)) {
        ck_fsck_add(a, out, CK_FSCK_ERROR, "link", path,
                    "it is a symbolic link, which is not followed");
    } else if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode)) {
        ck_fsck_add(a, out, CK_FSCK_ERROR, "not-a-file", path, "it is neither a file nor a folder");
    } else if (S_ISREG(st->st_mode) && ck_fs_is_temporary(name)) {
        f = ck_fsck_add(a, out, CK_FSCK_WARNING, "temporary-file", path,
                        "a writer that was killed left it");
        if (st->st_mtime + OLD_S < now_s)
            f->repair = "remove it";
        f->mode = -1;
    } else if (S_ISREG(st->st_mode) && (mode & 077) && is_secret(path)) {
        f = ck_fsck_add(a, out, CK_FSCK_WARNING, "mode", path,
                        "others can get at what is secret in it (mode %04o)", mode);
        f->repair = "mode 0600";
        f->mode = 0600;
    } else if (mode & 022) {
        f = ck_fsck_add(a, out, CK_FSCK_WARNING, "mode", path, "others can change it (mode %04o)",
                        mode);
        f->repair = S_ISDIR(st->st_mode) ? "mode 0755" : "mode 0600";
        f->mode = S_ISDIR(st->st_mode) ? 0755 : 0600;
    }
}

static void walk(struct ck_arena *a, const char *dir, unsigned depth, int64_t now_s,
                 struct ck_fsck *out)
{
    DIR *d = depth < MAX_DEPTH ? opendir(dir) : NULL;
    if (!d)
        return; /* what cannot be opened is said by those who read it */
    for (struct dirent *e; (e = readdir(d));) {
        struct stat st;
        /* .git and such are no part of the store; our own temporary files are. */
        if (e->d_name[0] == '.' && !ck_fs_is_temporary(e->d_name))
            continue;
        const char *path = ck_arena_printf(a, "%s/%s", dir, e->d_name);
        if (lstat(path, &st) != 0)
            continue;
        look_at(a, path, e->d_name, &st, now_s, out);
        if (S_ISDIR(st.st_mode))
            walk(a, path, depth + 1, now_s, out);
    }
    closedir(d);
}

void ck_fsck_local(struct ck_arena *a, const struct ck_path *root, const char *below, int64_t now_s,
                   struct ck_fsck *out)
{
    if (root->vfs->ops->absolute_keys)
        walk(a, *below ? ck_arena_printf(a, "%s/%s", root->key, below) : root->key, 0, now_s, out);
}

/* The file as it was found: no link has taken its place. */
static int repair(const struct ck_fsck_finding *f, struct ck_err *err)
{
    struct stat st;
    if (lstat(f->path, &st) != 0 || S_ISLNK(st.st_mode))
        return ck_fail(err, CK_CONFLICT, "%s was changed meanwhile", f->path);
    int r = f->mode < 0 ? unlink(f->path) : chmod(f->path, (mode_t)f->mode);
    return r < 0 ? ck_fail_errno(err, errno, "%s", f->path) : 0;
}

int ck_fsck_repair(struct ck_fsck *f, struct ck_err *err)
{
    for (size_t i = 0; i < f->n; i++) {
        if (!f->v[i].repair)
            continue;
        int r = repair(&f->v[i], err);
        if (r < 0)
            return r;
        f->v[i].repaired = true;
    }
    return 0;
}
