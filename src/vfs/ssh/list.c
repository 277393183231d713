/* Listings over SFTP: folders one after another, links not followed, unfinished files not shown;
 * trees, and their removal from the leaves up. */
#include "vfs/ssh/ssh.h"

#include <string.h>

enum {
    KIND = 0170000,
    FOLDER = 0040000,
    REGULAR = 0100000,
    MAX_DEPTH = 64,
    MAX_ENTRIES = 5000000,
    AHEAD = 3
};

enum what { FILES, DIRS, ALL };

struct listing {
    struct ck_ssh *s;
    struct ck_arena *a;
    const char *verb;
    size_t base; /* length of what names are relative to, with its slash */
};

static int nonsense(const struct listing *l, const char *key, struct ck_err *err)
{
    return ck_fail(err, CK_UNAVAILABLE, "error %s ssh://%s/%s: a reply that makes no sense",
                   l->verb, l->s->base.container, key);
}

static bool hidden(struct ck_slice name)
{
    return ck_slice_eq_str(name, ".") || ck_slice_eq_str(name, "..") ||
           ck_slice_starts(name, CK_SSH_TEMP);
}

/* One page of READDIR. Names that a path cannot hold are a lie of the server's. */
static int take_page(const struct listing *l, const char *key, struct ck_slice body, enum what what,
                     struct ck_entries *out, struct ck_err *err)
{
    uint32_t n;
    if (!ck_sftp_get_u32(&body, &n))
        return nonsense(l, key, err);
    size_t klen = strlen(key);
    const char *slash = klen && key[klen - 1] != '/' ? "/" : "";
    for (uint32_t i = 0; i < n; i++) {
        struct ck_slice name, longname;
        struct ck_sftp_attrs attrs;
        if (!ck_sftp_get_str(&body, &name) || !ck_sftp_get_str(&body, &longname) ||
            !ck_sftp_get_attrs(&body, &attrs) || !name.len || memchr(name.ptr, '/', name.len) ||
            memchr(name.ptr, 0, name.len))
            return nonsense(l, key, err);
        uint32_t kind = attrs.mode & KIND;
        bool folder = kind == FOLDER, file = kind == REGULAR;
        if (hidden(name) || (what == FILES && !file) || (what == DIRS && !folder) ||
            (what == ALL && !file && !folder))
            continue;
        if (out->n >= MAX_ENTRIES)
            return ck_fail(err, CK_LIMIT, "error %s ssh://%s/%s: too many files", l->verb,
                           l->s->base.container, key);
        const char *full = ck_arena_printf(l->a, "%s%s%.*s", key, slash, (int)name.len, name.ptr);
        ck_entries_add(l->a, out,
                       (struct ck_entry){.key = full,
                                         .name = full + l->base,
                                         .size = folder ? -1 : (int64_t)attrs.size,
                                         .mtime_s = attrs.mtime});
    }
    return 0;
}

/* One folder on its way. Three requests for names are always under way: OpenSSH gives a hundred at
 * a time, and the answer to the last request is that there are no more. A store of a hundred
 * clusters then costs one round trip, opening the folder included where its handle can be guessed.
 */
struct folder {
    struct ck_sftp *c;
    const char *path;
    char handle[SFTP_HANDLE_MAX];
    size_t len;
    uint32_t open, names[AHEAD];
};

static void ask_names(struct folder *f, size_t i, struct ck_slice handle)
{
    f->names[i] = ck_sftp_start(f->c, SFTP_READDIR, 0);
    ck_sftp_str(f->c, handle);
    ck_sftp_end(f->c);
}

static void ask_folder(void *arg)
{
    struct folder *f = arg;
    f->open = ck_sftp_start(f->c, SFTP_OPENDIR, 0);
    ck_sftp_str(f->c, ck_slice_of(f->path));
    ck_sftp_end(f->c);
    f->len = 0;
    if (!ck_sftp_guess(f->c, 0, f->handle))
        return;
    f->len = SFTP_GUESS;
    for (size_t i = 0; i < AHEAD; i++)
        ask_names(f, i, ck_slice_n(f->handle, f->len));
}

/* Take the replies to requests that were made with a wrong guess: none may still be under way when
 * another folder gets that handle, whose names it would take. */
static int drain(struct folder *f, struct ck_err *err)
{
    struct ck_sftp_reply reply;
    int r = 0;
    for (size_t n = f->len ? AHEAD : 0; r == 0 && n > 0;) {
        r = ck_sftp_next(f->c, &reply, err);
        n -= r == 0 && reply.id - f->names[0] < AHEAD;
    }
    f->len = 0;
    return r;
}

/* The folder's handle; names are asked for anew when it is not the one that was guessed. */
static int open_folder(const struct listing *l, const char *key, struct folder *f,
                       struct ck_err *err)
{
    struct ck_sftp_reply reply;
    char handle[SFTP_HANDLE_MAX];
    size_t len = 0;
    int r = ck_sftp_wait(f->c, f->open, &reply, err);
    if (r < 0)
        return ck_ssh_wrap(l->s, l->verb, key, err);
    uint32_t status = reply.status;
    bool given = reply.type == SFTP_STATUS || ck_sftp_get_handle(&reply, handle, &len);
    if (len && len == f->len && memcmp(handle, f->handle, len) == 0)
        return 0;
    r = drain(f, err);
    if (r < 0)
        return ck_ssh_wrap(l->s, l->verb, key, err);
    if (!given)
        return nonsense(l, key, err);
    if (!len)
        return ck_ssh_fail(l->s, status, l->verb, key, err);
    f->c->guess = false;
    memcpy(f->handle, handle, len);
    f->len = len;
    for (size_t i = 0; i < AHEAD; i++)
        ask_names(f, i, ck_slice_n(handle, len));
    return 0;
}

static int take_names(const struct listing *l, const char *key, struct folder *f, enum what what,
                      struct ck_entries *out, struct ck_err *err)
{
    int r = 0;
    struct ck_slice handle = ck_slice_n(f->handle, f->len);
    for (size_t i = 0; r == 0; i = (i + 1) % AHEAD) {
        struct ck_sftp_reply reply;
        r = ck_sftp_wait(f->c, f->names[i], &reply, err);
        if (r < 0)
            return ck_ssh_wrap(l->s, l->verb, key, err);
        if (reply.type == SFTP_STATUS && reply.status == FX_EOF)
            break;
        if (reply.type == SFTP_STATUS)
            r = ck_ssh_fail(l->s, reply.status, l->verb, key, err);
        else
            r = reply.type == SFTP_NAME ? take_page(l, key, reply.body, what, out, err)
                                        : nonsense(l, key, err);
        ask_names(f, i, handle);
    }
    ck_sftp_release(f->c, handle);
    return r;
}

/* `first`: of the operation, which begins with it. */
static int read_dir(const struct listing *l, const char *key, bool first, enum what what,
                    struct ck_entries *out, struct ck_err *err)
{
    struct folder f = {.c = &l->s->sftp, .path = ck_ssh_path(l->a, key)};
    CK_AUTOERR why = CK_ERR_INIT;
    if (!first)
        ask_folder(&f);
    int r;
    do {
        ck_err_done(&why);
        r = first ? ck_ssh_begin_with(l->s, ask_folder, &f, &why) : 0;
        if (r < 0)
            ck_ssh_wrap(l->s, l->verb, key, &why);
        else
            r = open_folder(l, key, &f, &why);
    } while (first && r < 0 && ck_sftp_again(f.c, r));
    if (r == 0)
        r = take_names(l, key, &f, what, out, &why);
    return r < 0 && err ? ck_err_move(err, &why) : r;
}

static struct listing listing_of(struct ck_vfs *v, const char *key, struct ck_arena *a,
                                 const char *verb)
{
    size_t n = strlen(key);
    return (struct listing){
        .s = (struct ck_ssh *)v, .a = a, .verb = verb, .base = n && key[n - 1] != '/' ? n + 1 : n};
}

static int one_level(struct ck_vfs *v, const char *key, enum what what, struct ck_arena *a,
                     struct ck_entries *ret, struct ck_err *err)
{
    struct listing l = listing_of(v, key, a, "listing");
    struct ck_entries out = {0};
    int r = read_dir(&l, key, true, what, &out, err);
    if (r < 0)
        return r;
    ck_entries_sort(&out);
    *ret = out;
    return 0;
}

int ck_ssh_vfs_list(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                    struct ck_err *err)
{
    return one_level(v, key, FILES, a, ret, err);
}

int ck_ssh_list_dirs(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                     struct ck_err *err)
{
    return one_level(v, key, DIRS, a, ret, err);
}

/* ---- trees ---- */

/* Files to *files, folders below key to *dirs, those above before those beneath. */
static int walk(const struct listing *l, const char *key, struct ck_entries *files,
                struct ck_entries *dirs, struct ck_err *err)
{
    struct ck_entries level = {0};
    int r = read_dir(l, key, true, ALL, &level, err);
    for (size_t next = 0; r == 0;) {
        for (size_t i = 0; i < level.n; i++)
            ck_entries_add(l->a, level.v[i].size < 0 ? dirs : files, level.v[i]);
        if (next == dirs->n)
            break;
        if (dirs->n > MAX_ENTRIES)
            return ck_fail(err, CK_LIMIT, "error %s ssh://%s/%s: too many folders", l->verb,
                           l->s->base.container, key);
        level = (struct ck_entries){0};
        CK_AUTOERR why = CK_ERR_INIT;
        r = read_dir(l, dirs->v[next++].key, false, ALL, &level, &why);
        if (r == -(int)CK_NOT_FOUND) /* removed since */
            r = 0;
        else if (r < 0)
            ck_err_move(err, &why);
    }
    return r;
}

int ck_ssh_tree(struct ck_vfs *v, const char *key, struct ck_arena *a, struct ck_entries *ret,
                struct ck_err *err)
{
    struct listing l = listing_of(v, key, a, "listing");
    struct ck_entries files = {0}, dirs = {0};
    int r = walk(&l, key, &files, &dirs, err);
    if (r < 0)
        return r;
    ck_entries_sort(&files);
    *ret = files;
    return 0;
}

/* A path of a removal: gone already is fine, a folder that is not empty (somebody writes there) and
 * any other failure is counted. */
static int sweep(struct ck_ssh *s, int type, const char *key, struct ck_arena *a,
                 struct ck_buf *problems, size_t *count, struct ck_err *err)
{
    uint32_t status = FX_OK;
    int r = ck_ssh_simple(s, type, ck_ssh_path(a, key), &status, err);
    if (r < 0)
        return ck_ssh_wrap(s, "deleting", key, err);
    if (status == FX_OK || status == FX_NO_SUCH_FILE)
        return 0;
    if ((*count)++ < 5)
        ck_buf_fmt(problems, "; %.200s: %s", key,
                   status == FX_DENIED ? "permission denied" : "failed");
    return 0;
}

int ck_ssh_remove_tree(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf problems = CK_BUF_INIT;
    struct listing l = listing_of(v, key, a, "deleting");
    struct ck_entries files = {0}, dirs = {0};
    size_t count = 0;
    CK_AUTOERR local = CK_ERR_INIT;
    if (!err)
        err = &local;
    int r = walk(&l, key, &files, &dirs, err);
    bool single = r == -(int)CK_NOT_FOUND;
    if (single) {
        ck_err_done(err);
        ck_entries_add(a, &files, (struct ck_entry){.key = key}); /* a single file, or nothing */
        r = 0;
    }
    ck_entries_sort(&files);
    ck_entries_sort(&dirs); /* a folder is a prefix of those in it, and so before them */
    for (size_t i = 0; r == 0 && i < files.n; i++)
        r = sweep(l.s, SFTP_REMOVE, files.v[i].key, a, &problems, &count, err);
    size_t ignored = 0;
    for (size_t i = dirs.n; r == 0 && i > 0; i--)
        r = sweep(l.s, SFTP_RMDIR, dirs.v[i - 1].key, a, &problems, count ? &ignored : &count, err);
    if (r == 0 && !count && !single)
        r = sweep(l.s, SFTP_RMDIR, key, a, &problems, &ignored, err);
    if (r == 0 && count)
        r = ck_fail(err, CK_DENIED, "error removing %zu of %zu files from ssh://%s%s", count,
                    files.n, v->container, ck_buf_str(&problems));
    return r;
}
