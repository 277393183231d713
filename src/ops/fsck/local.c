/* What only a local folder can have: modes that let others read secrets, links, and the temporary
 * files of writers that were killed. The last and the modes can be repaired. */
#include "ops/fsck/internal.h"

#include "vfs/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DEPTH = 32, OLD_S = 3600 };

static bool is_secret(const char *path)
{
    return strstr(path, "/pki/private/") || strstr(path, "/secrets/") || strstr(path, "/backups/");
}

/* Which file was found, so that no other is repaired in its place. */
static void remember(struct ck_fsck *out, size_t before, const struct stat *st)
{
    for (size_t i = before; i < out->n; i++) {
        out->v[i].dev = st->st_dev;
        out->v[i].ino = st->st_ino;
    }
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
        bool old = st->st_mtime + OLD_S < now_s;
        f = ck_fsck_add(a, out, CK_FSCK_WARNING, "temporary-file", path,
                        old ? "a writer that was killed left it"
                            : "a writer is at work on it, or was killed within the last hour");
        if (old)
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
        size_t before = out->n;
        look_at(a, path, e->d_name, &st, now_s, out);
        remember(out, before, &st);
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

static bool is_found(const struct ck_fsck_finding *f, const struct stat *st)
{
    return st->st_dev == f->dev && st->st_ino == f->ino;
}

/* Both look at the file itself: whoever can write there could put a link in its place, or in that
 * of a folder above it, at any moment. */
static int set_mode(const struct ck_fsck_finding *f)
{
    char self[32];
    struct stat st;
    int fd = open(f->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    bool same = fd >= 0 && fstat(fd, &st) == 0 && is_found(f, &st);
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    int r = same ? chmod(self, (mode_t)f->mode) : -1, error = same ? errno : ESTALE;
    if (fd >= 0)
        close(fd);
    errno = error;
    return r;
}

static int take_away(struct ck_arena *a, const struct ck_fsck_finding *f)
{
    const char *slash = strrchr(f->path, '/');
    const char *folder = ck_arena_strndup(a, f->path, (size_t)(slash - f->path) + 1);
    struct stat st;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool same =
        fd >= 0 && fstatat(fd, slash + 1, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_found(f, &st);
    int r = same ? unlinkat(fd, slash + 1, 0) : -1, error = same ? errno : ESTALE;
    if (fd >= 0)
        close(fd);
    errno = error;
    return r;
}

static int repair(struct ck_arena *a, const struct ck_fsck_finding *f, struct ck_err *err)
{
    if ((f->mode < 0 ? take_away(a, f) : set_mode(f)) == 0)
        return 0;
    if (errno == ESTALE)
        return ck_fail(err, CK_CONFLICT, "%s was changed meanwhile", f->path);
    return ck_fail_errno(err, errno, "%s could not be repaired", f->path);
}

int ck_fsck_repair(struct ck_arena *a, struct ck_fsck *f, struct ck_err *err)
{
    int r = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (!f->v[i].repair)
            continue;
        CK_AUTOERR why = CK_ERR_INIT;
        if (repair(a, &f->v[i], &why) == 0)
            f->v[i].repaired = true;
        else if (r == 0)
            r = ck_err_move(err, &why);
    }
    return r;
}
