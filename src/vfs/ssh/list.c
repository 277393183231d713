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

static int open_dir(const struct listing *l, const char *key, char handle[SFTP_HANDLE_MAX],
                    size_t *ret_len, struct ck_err *err)
{
    struct ck_sftp *c = &l->s->sftp;
    struct ck_sftp_reply reply;
    struct ck_slice h;
    uint32_t id = ck_sftp_start(c, SFTP_OPENDIR, 0);
    ck_sftp_str(c, ck_slice_of(ck_ssh_path(l->a, key)));
    ck_sftp_end(c);
    int r = ck_sftp_wait(c, id, &reply, err);
    if (r < 0)
        return ck_ssh_wrap(l->s, l->verb, key, err);
    if (reply.type == SFTP_STATUS)
        return ck_ssh_fail(l->s, reply.status, l->verb, key, err);
    if (reply.type != SFTP_HANDLE || !ck_sftp_get_str(&reply.body, &h) || !h.len ||
        h.len > SFTP_HANDLE_MAX)
        return nonsense(l, key, err);
    memcpy(handle, h.ptr, h.len);
    *ret_len = h.len;
    return 0;
}

/* One folder. Three requests for names are always under way: OpenSSH gives a hundred at a time, and
 * the answer to the last request is that there are no more. A store of a hundred clusters then
 * costs one round trip. */
static int read_dir(const struct listing *l, const char *key, enum what what,
                    struct ck_entries *out, struct ck_err *err)
{
    struct ck_sftp *c = &l->s->sftp;
    char handle[SFTP_HANDLE_MAX];
    size_t len = 0;
    int r = open_dir(l, key, handle, &len, err);
    bool end = false;
    uint32_t ids[AHEAD] = {0};
    for (size_t i = 0; r == 0 && i < AHEAD; i++) {
        ids[i] = ck_sftp_start(c, SFTP_READDIR, 0);
        ck_sftp_str(c, ck_slice_n(handle, len));
        ck_sftp_end(c);
    }
    for (size_t i = 0; r == 0 && !end; i = (i + 1) % AHEAD) {
        struct ck_sftp_reply reply;
        r = ck_sftp_wait(c, ids[i], &reply, err);
        if (r < 0)
            return ck_ssh_wrap(l->s, l->verb, key, err);
        end = reply.type == SFTP_STATUS && reply.status == FX_EOF;
        if (end)
            break;
        if (reply.type == SFTP_STATUS)
            r = ck_ssh_fail(l->s, reply.status, l->verb, key, err);
        else
            r = reply.type == SFTP_NAME ? take_page(l, key, reply.body, what, out, err)
                                        : nonsense(l, key, err);
        ids[i] = ck_sftp_start(c, SFTP_READDIR, 0);
        ck_sftp_str(c, ck_slice_n(handle, len));
        ck_sftp_end(c);
    }
    if (len && c->open) {
        ck_sftp_start(c, SFTP_CLOSE, 0);
        ck_sftp_str(c, ck_slice_n(handle, len));
        ck_sftp_end(c);
        ck_sftp_flush(c);
    }
    return r;
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
    int r = ck_ssh_begin(l.s, err);
    if (r < 0)
        return ck_ssh_wrap(l.s, "listing", key, err);
    r = read_dir(&l, key, what, &out, err);
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
    int r = read_dir(l, key, ALL, &level, err);
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
        r = read_dir(l, dirs->v[next++].key, ALL, &level, &why);
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
    int r = ck_ssh_begin(l.s, err);
    if (r < 0)
        return ck_ssh_wrap(l.s, "listing", key, err);
    r = walk(&l, key, &files, &dirs, err);
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
    int r = ck_ssh_begin(l.s, err);
    if (r < 0)
        return ck_ssh_wrap(l.s, "deleting", key, err);
    r = walk(&l, key, &files, &dirs, err);
    if (r == -(int)CK_NOT_FOUND) {
        ck_err_done(err);
        return sweep(l.s, SFTP_REMOVE, key, a, &problems, &count, err); /* a single file */
    }
    ck_entries_sort(&files);
    ck_entries_sort(&dirs); /* a folder is a prefix of those in it, and so before them */
    for (size_t i = 0; r == 0 && i < files.n; i++)
        r = sweep(l.s, SFTP_REMOVE, files.v[i].key, a, &problems, &count, err);
    size_t ignored = 0;
    for (size_t i = dirs.n; r == 0 && i > 0; i--)
        r = sweep(l.s, SFTP_RMDIR, dirs.v[i - 1].key, a, &problems, count ? &ignored : &count, err);
    if (r == 0 && !count)
        r = sweep(l.s, SFTP_RMDIR, key, a, &problems, &ignored, err);
    if (r == 0 && count)
        r = ck_fail(err, CK_DENIED, "error removing %zu of %zu files from ssh://%s%s", count,
                    files.n, v->container, ck_buf_str(&problems));
    return r;
}
