/* Listings and tree removal of local stores. Symbolic links are listed as files and never
 * descended; unfinished files are never listed, but removed with their folder. */
#include "base/mem.h"
#include "vfs/fs.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { MAX_DEPTH = 64, MAX_ENTRIES = 4000000, SHOWN_FAILURES = 5 };

enum want { FILES = 1, DIRS = 2, TEMPS = 4, SIZES = 8 };
enum { IS_DIR = -2 }; /* in ck_entry.size, within this file */

static const char *child(struct ck_arena *a, const char *dir, const char *name)
{
    size_t n = strlen(dir), m = strlen(name);
    bool slash = n && dir[n - 1] != '/';
    char *p = ck_arena_alloc(a, n + slash + m + 1);
    memcpy(p, dir, n);
    if (slash)
        p[n] = '/';
    memcpy(p + n + slash, name, m);
    return p;
}

static bool is_dir(int fd, const struct dirent *d)
{
    if (d->d_type != DT_UNKNOWN)
        return d->d_type == DT_DIR;
    struct stat st;
    return fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static bool wanted(const char *name, enum want want)
{
    if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])))
        return false;
    return (want & TEMPS) || !ck_fs_is_temporary(name);
}

/* Entries of the folder behind `fd` (taken over). */
static int read_dir(int fd, const char *key, enum want want, struct ck_arena *a,
                    struct ck_entries *ret, struct ck_err *err)
{
    DIR *dir = fdopendir(fd);
    if (!dir) {
        int saved = errno;
        close(fd);
        return ck_fail_errno(err, saved, "open %s", key);
    }
    int r = 0;
    for (;;) {
        errno = 0;
        const struct dirent *d = readdir(dir);
        if (!d) {
            if (errno)
                r = ck_fail_errno(err, errno, "reading %s", key);
            break;
        }
        if (!wanted(d->d_name, want))
            continue;
        bool folder = is_dir(fd, d);
        if (!(want & (folder ? DIRS : FILES)))
            continue;
        const char *path = child(a, key, d->d_name);
        ck_entries_add(a, ret,
                       (struct ck_entry){.key = path,
                                         .name = path + strlen(path) - strlen(d->d_name),
                                         .size = folder ? IS_DIR : -1});
        if (ret->n > MAX_ENTRIES) {
            r = ck_fail(err, CK_LIMIT, "%s: more than %d entries", key, MAX_ENTRIES);
            break;
        }
    }
    closedir(dir);
    ck_entries_sort(ret);
    return r;
}

static int list(struct ck_vfs *v, const char *key, enum want want, struct ck_arena *a,
                struct ck_entries *ret, struct ck_err *err)
{
    int fd;
    int r = ck_fs_open_dir((struct ck_fs *)v, key, &fd, err);
    struct ck_entries e = {0};
    if (r == 0)
        r = read_dir(fd, key, want, a, &e, err);
    for (size_t i = 0; r == 0 && i < e.n; i++)
        e.v[i].size = -1;
    if (r == 0)
        *ret = e;
    return r;
}

int ck_fs_list(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
               struct ck_err *err)
{
    return list(v, key, FILES, a, ret, err);
}

int ck_fs_list_dirs(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                    struct ck_err *err)
{
    return list(v, key, DIRS, a, ret, err);
}

/* ---- whole trees ---- */

/* One folder's names, one after the other; those of folders end in a slash, so that the order of
 * names is that of the keys beneath. */
struct names {
    char *text;
    size_t len, room;
    uint32_t *at;
    size_t n, cap;
};

static void names_done(struct names *l)
{
    free(l->text);
    free(l->at);
}

struct walker {
    ck_entry_fn fn;
    void *arg;
    struct ck_buf path; /* of the folder under way, with the slash */
    size_t prefix;      /* bytes of a key before its name */
    size_t count;
    enum want want;
};

static void add_name(struct names *l, const char *name, bool folder)
{
    size_t n = strlen(name);
    ck_xgrow(&l->text, &l->room, l->len + n + 2, 1);
    ck_xgrow(&l->at, &l->cap, l->n + 1, sizeof *l->at);
    l->at[l->n++] = (uint32_t)l->len;
    memcpy(l->text + l->len, name, n);
    l->len += n;
    if (folder)
        l->text[l->len++] = '/';
    l->text[l->len++] = '\0';
}

static int by_name(const void *x, const void *y, void *text)
{
    return strcmp((const char *)text + *(const uint32_t *)x,
                  (const char *)text + *(const uint32_t *)y);
}

/* The names of the folder behind `fd`, which stays open. */
static int read_names(struct walker *w, int fd, struct names *ret, struct ck_err *err)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), r = 0;
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (!dir) {
        r = ck_fail_errno(err, errno, "open %s", ck_buf_str(&w->path));
        if (copy >= 0)
            close(copy);
        return r;
    }
    while (r == 0) {
        errno = 0;
        const struct dirent *d = readdir(dir);
        if (!d) {
            if (errno)
                r = ck_fail_errno(err, errno, "reading %s", ck_buf_str(&w->path));
            break;
        }
        if (wanted(d->d_name, w->want))
            add_name(ret, d->d_name, is_dir(fd, d));
        if (ret->n > MAX_ENTRIES)
            r = ck_fail(err, CK_LIMIT, "%s: more than %d entries", ck_buf_str(&w->path),
                        MAX_ENTRIES);
    }
    closedir(dir);
    if (r == 0 && ret->n > 1)
        qsort_r(ret->at, ret->n, sizeof *ret->at, by_name, ret->text);
    return r;
}

static int hand_file(struct walker *w, int dir, const char *name, struct ck_err *err)
{
    struct stat st;
    bool regular = (w->want & SIZES) && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                   S_ISREG(st.st_mode);
    const char *key = ck_buf_str(&w->path);
    if (++w->count > MAX_ENTRIES)
        return ck_fail(err, CK_LIMIT, "%s: more than %d entries", key, MAX_ENTRIES);
    const struct ck_entry e = {
        .key = key, .name = key + w->prefix, .size = regular ? (int64_t)st.st_size : -1};
    return w->fn(w->arg, &e, err);
}

/* `fd` is taken over; w->path is that of the folder. */
static int descend(struct walker *w, int fd, unsigned depth, struct ck_err *err)
{
    CK_AUTOFD dir = fd;
    if (depth > MAX_DEPTH)
        return ck_fail(err, CK_LIMIT, "%s: more than %d folders deep", ck_buf_str(&w->path),
                       MAX_DEPTH);
    CK_CLEANUP(names_done) struct names l = {0};
    int r = read_names(w, dir, &l, err);
    for (size_t i = 0, n = w->path.len; r == 0 && i < l.n; i++) {
        const char *name = l.text + l.at[i];
        w->path.len = n;
        ck_buf_puts(&w->path, name);
        if (name[strlen(name) - 1] != '/') {
            r = hand_file(w, dir, name, err);
            continue;
        }
        int next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next >= 0)
            r = descend(w, next, depth + 1, err);
        else if (errno != ENOENT)
            r = ck_fail_errno(err, errno, "open %s", ck_buf_str(&w->path));
    }
    return r;
}

static int each(struct ck_vfs *v, const char *key, enum want want, ck_entry_fn fn, void *arg,
                struct ck_err *err)
{
    int fd;
    int r = ck_fs_open_dir((struct ck_fs *)v, key, &fd, err);
    if (r < 0)
        return r;
    struct walker w = {.fn = fn, .arg = arg, .want = want};
    ck_buf_puts(&w.path, key);
    if (w.path.len && w.path.ptr[w.path.len - 1] != '/')
        ck_buf_putc(&w.path, '/');
    w.prefix = w.path.len;
    r = descend(&w, fd, 0, err);
    ck_buf_done(&w.path);
    return r;
}

int ck_fs_tree_each(struct ck_vfs *v, const char *key, ck_entry_fn fn, void *arg,
                    struct ck_err *err)
{
    return each(v, key, SIZES, fn, arg, err);
}

struct collector {
    struct ck_arena *a;
    struct ck_entries *out;
};

static int collect(void *arg, const struct ck_entry *e, struct ck_err *err)
{
    const struct collector *c = arg;
    struct ck_entry own = *e;
    own.key = ck_arena_strdup(c->a, e->key);
    own.name = own.key + (e->name - e->key);
    ck_entries_add(c->a, c->out, own);
    return 0;
}

static int tree(struct ck_vfs *v, const char *key, enum want want, struct ck_arena *a,
                struct ck_entries *ret, struct ck_err *err)
{
    struct ck_entries e = {0};
    struct collector c = {a, &e};
    int r = each(v, key, want, collect, &c, err);
    if (r == 0)
        *ret = e;
    return r;
}

int ck_fs_tree(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
               struct ck_err *err)
{
    return tree(v, key, SIZES, a, ret, err);
}

/* ---- removal ---- */

/* Folders that have become empty go too, from the deepest up; one that has not stays, and so does
 * the store's own folder. */
static void remove_empty(struct ck_fs *f, const char *key, unsigned depth)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_entries dirs = {0};
    if (depth > MAX_DEPTH || ck_fs_list_dirs(&f->base, key, a, &dirs, NULL) < 0)
        return;
    for (size_t i = 0; i < dirs.n; i++)
        remove_empty(f, dirs.v[i].key, depth + 1);
    CK_AUTOFD dir = -1;
    CK_AUTOFD fd = -1;
    const char *leaf;
    if (strcmp(key, f->base.container) == 0 || ck_fs_open_dir(f, key, &dir, NULL) < 0 ||
        ck_fs_open_parent(f, key, NULL, &fd, &leaf, NULL) < 0)
        return;
    if (flock(dir, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) /* no writer is at work in it */
        (void)unlinkat(fd, leaf, AT_REMOVEDIR);
}

/* Removes as much as it can, so that one bad file does not keep the secrets beside it. */
static int remove_files(struct ck_vfs *v, const char *key, const struct ck_entries *files,
                        struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    size_t failed = 0;
    enum ck_code code = CK_OK;
    for (size_t i = 0; i < files->n; i++) {
        CK_AUTOERR one = CK_ERR_INIT;
        int r = ck_fs_remove(v, files->v[i].key, NULL, &one);
        if (r == 0 || r == -(int)CK_NOT_FOUND) /* somebody else was faster */
            continue;
        code = code == CK_OK ? one.code : code;
        if (failed++ < SHOWN_FAILURES)
            ck_buf_fmt(&text, "%s%s", failed > 1 ? "; " : "", ck_err_msg(&one));
    }
    if (failed > SHOWN_FAILURES)
        ck_buf_fmt(&text, "; and %zu more", failed - SHOWN_FAILURES);
    if (failed)
        return ck_fail(err, code, "error removing %zu of %zu files below %s: %s", failed, files->n,
                       key, ck_buf_str(&text));
    return 0;
}

int ck_fs_remove_tree(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_entries files = {0};
    int r = tree(v, key, TEMPS, a, &files, err);
    if (r == -(int)CK_NOT_FOUND) {
        ck_err_done(err);
        return 0;
    }
    if (r == 0)
        r = remove_files(v, key, &files, err);
    if (r == 0)
        remove_empty((struct ck_fs *)v, key, 0);
    return r;
}
