/* Writing over SFTP: a finished, synced file under a name of its own, linked (create) or renamed
 * (replace) into place. A comparison before it happens under a lock, an empty file beside it. */
#include "vfs/ssh/ssh.h"

#include "base/clock.h"
#include "base/enc.h"
#include "crypto/hash.h"
#include "vfs/fs.h"

#include <string.h>

enum { NONCE_LEN = 12, WINDOW = 16 };
enum { OPEN_WRITE = 2, OPEN_CREAT = 8, OPEN_EXCL = 0x20, ATTR_MODE = 4 };

struct put {
    struct ck_ssh *s;
    const char *key, *path, *dir; /* remote */
    const char *tmp;              /* remote path of the unfinished file; NULL: not made yet */
    struct ck_arena *a;
    struct ck_slice data;
    const struct ck_write_opts *opts;
    const char *want; /* the version that is to be replaced */
    bool settled;     /* in spite of an error: nothing that was sent can still take effect */
};

static int refused(const struct put *p, struct ck_err *err)
{
    if (p->opts->mode == CK_WRITE_CREATE)
        return ck_fail(err, CK_EXISTS, "file already exists");
    return ck_fail(err, CK_CONFLICT, "ssh://%s/%s was changed by someone else since it was read",
                   p->s->base.container, p->key);
}

static int wrap(const struct put *p, struct ck_err *err)
{
    return ck_ssh_wrap(p->s, "writing", p->key, err);
}

/* ---- requests ---- */

static int open_new(struct put *p, const char *path, char handle[SFTP_HANDLE_MAX], size_t *ret_len,
                    uint32_t *ret_status, struct ck_err *err)
{
    struct ck_sftp *c = &p->s->sftp;
    struct ck_sftp_reply reply;
    struct ck_slice h;
    uint32_t id = ck_sftp_start(c, SFTP_OPEN, 0);
    ck_sftp_str(c, ck_slice_of(path));
    ck_sftp_u32(c, OPEN_WRITE | OPEN_CREAT | OPEN_EXCL);
    ck_sftp_u32(c, ATTR_MODE);
    ck_sftp_u32(c, 0600);
    ck_sftp_end(c);
    int r = ck_sftp_wait(c, id, &reply, err);
    if (r < 0)
        return wrap(p, err);
    *ret_status = reply.status;
    if (reply.type == SFTP_STATUS)
        return 0;
    if (reply.type != SFTP_HANDLE || !ck_sftp_get_str(&reply.body, &h) || !h.len ||
        h.len > SFTP_HANDLE_MAX)
        return ck_fail(err, CK_UNAVAILABLE,
                       "error writing ssh://%s/%s: a reply that makes no sense",
                       p->s->base.container, p->key);
    memcpy(handle, h.ptr, h.len);
    *ret_len = h.len;
    return 0;
}

static int extended(struct put *p, const char *name, const char *from, const char *to,
                    uint32_t *ret_status, struct ck_err *err)
{
    struct ck_sftp *c = &p->s->sftp;
    uint32_t id = ck_sftp_start(c, SFTP_EXTENDED, 0);
    ck_sftp_str(c, ck_slice_of(name));
    ck_sftp_str(c, ck_slice_of(from));
    ck_sftp_str(c, ck_slice_of(to));
    ck_sftp_end(c);
    return ck_sftp_wait_status(c, id, ret_status, err) < 0 ? wrap(p, err) : 0;
}

/* Make the missing folders above the file. */
static int make_dirs(struct put *p, struct ck_err *err)
{
    for (const char *slash = strchr(p->path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        uint32_t status;
        int r =
            ck_ssh_simple(p->s, SFTP_MKDIR,
                          ck_arena_strndup(p->a, p->path, (size_t)(slash - p->path)), &status, err);
        if (r < 0)
            return wrap(p, err);
        /* There already, or not allowed up there: what matters shows when the file is opened. */
    }
    return 0;
}

static int no_folder(const struct put *p, uint32_t status, struct ck_err *err)
{
    if (status == FX_NO_SUCH_FILE)
        return ck_fail(err, CK_INVALID,
                       "error writing ssh://%s/%s: the folder cannot be made: something that is no "
                       "folder is in its place, or permission is missing",
                       p->s->base.container, p->key);
    return ck_ssh_fail(p->s, status, "writing", p->key, err);
}

/* Open a new file beside the target, making its folder when that is missing. */
static int open_beside(struct put *p, const char *path, char handle[SFTP_HANDLE_MAX],
                       size_t *ret_len, uint32_t *ret_status, struct ck_err *err)
{
    int r = open_new(p, path, handle, ret_len, ret_status, err);
    if (r == 0 && *ret_status == FX_NO_SUCH_FILE) {
        r = make_dirs(p, err);
        if (r == 0)
            r = open_new(p, path, handle, ret_len, ret_status, err);
    }
    return r;
}

/* ---- the unfinished file ---- */

static void start_piece(struct put *p, struct ck_slice handle, size_t at)
{
    struct ck_sftp *c = &p->s->sftp;
    size_t n = p->data.len - at < SFTP_PIECE ? p->data.len - at : SFTP_PIECE;
    ck_sftp_start(c, SFTP_WRITE, 0);
    ck_sftp_str(c, handle);
    ck_sftp_u64(c, at);
    ck_sftp_str(c, ck_slice_n(p->data.ptr + at, n));
    ck_sftp_end(c);
}

/* Content, sync, close; some pieces under way at once. */
static int fill(struct put *p, struct ck_slice handle, struct ck_err *err)
{
    struct ck_sftp *c = &p->s->sftp;
    struct ck_sftp_reply reply;
    uint32_t bad = FX_OK, first = c->next_id + 1;
    size_t waiting = 0;
    int r = 0;
    for (size_t at = 0; r == 0 && (at < p->data.len || waiting);) {
        if (at < p->data.len && waiting < WINDOW) {
            start_piece(p, handle, at);
            at += SFTP_PIECE;
            waiting++;
            continue;
        }
        r = ck_sftp_next(c, &reply, err);
        if (r < 0 || reply.id - first > c->next_id - first)
            continue; /* an earlier CLOSE */
        waiting--;
        bad = bad ? bad : reply.type == SFTP_STATUS ? reply.status : FX_FAILURE;
    }
    for (int i = c->fsync ? 0 : 1; r == 0 && i < 2; i++) {
        uint32_t id = ck_sftp_start(c, i ? SFTP_CLOSE : SFTP_EXTENDED, 0);
        if (!i)
            ck_sftp_str(c, CK_S("fsync@openssh.com"));
        ck_sftp_str(c, handle);
        ck_sftp_end(c);
        uint32_t status;
        r = ck_sftp_wait_status(c, id, &status, err);
        bad = bad ? bad : status;
    }
    if (r < 0)
        return wrap(p, err);
    return bad ? ck_fail(err, CK_IO,
                         "error writing ssh://%s/%s: the content could not be stored there; is the "
                         "disk full?",
                         p->s->base.container, p->key)
               : 0;
}

static const char *name_beside(struct put *p, const char *name)
{
    return ck_arena_printf(p->a, "%s" CK_SSH_TEMP "%s", p->dir, name);
}

static int make_file(struct put *p, struct ck_err *err)
{
    unsigned char nonce[NONCE_LEN];
    CK_AUTOBUF struct ck_buf hex = CK_BUF_INIT;
    char handle[SFTP_HANDLE_MAX];
    size_t len = 0;
    uint32_t status;
    ck_random(nonce, sizeof nonce);
    ck_hex_encode(&hex, nonce, sizeof nonce);
    const char *tmp = name_beside(p, ck_buf_str(&hex));
    int r = open_beside(p, tmp, handle, &len, &status, err);
    if (r < 0)
        return r;
    if (status != FX_OK)
        return no_folder(p, status, err);
    p->tmp = tmp;
    return fill(p, ck_slice_n(handle, len), err);
}

/* Best effort: left-overs are not listed. */
static void drop_file(struct put *p)
{
    uint32_t status;
    if (p->tmp && p->s->sftp.open)
        ck_ssh_simple(p->s, SFTP_REMOVE, p->tmp, &status, NULL);
    p->tmp = NULL;
}

/* ---- into place ---- */

static int nobody_knows(struct ck_err *err)
{
    return ck_wrap(err, "the outcome of the write is unknown");
}

/* The connection broke while the file was being put into place. The unfinished one is removed:
 * after that a request that is still under way finds nothing to put anywhere. When it is gone
 * already it was renamed; whether it was linked tells what is there. */
static int after_break(struct put *p, struct ck_err *err)
{
    CK_AUTOERR why = CK_ERR_INIT;
    CK_AUTOBUF struct ck_buf now = CK_BUF_INIT;
    uint32_t status = FX_OK;
    bool create = p->opts->mode == CK_WRITE_CREATE;
    if (ck_ssh_begin(p->s, &why) < 0 || ck_ssh_simple(p->s, SFTP_REMOVE, p->tmp, &status, &why) < 0)
        return nobody_knows(err);
    if (status != FX_OK && status != FX_NO_SUCH_FILE)
        return nobody_knows(err);
    p->tmp = NULL;
    int r = create ? ck_ssh_read(&p->s->base, p->key, &now, NULL, &why) : 0;
    if (r < 0 && r != -(int)CK_NOT_FOUND)
        return nobody_knows(err);
    p->settled = true;
    if (create && r == 0 && !ck_slice_eq(ck_buf_slice(&now), p->data))
        return refused(p, err);
    if (create ? r < 0 : status == FX_OK)
        return -(int)err->code;
    ck_err_done(err);
    return 0;
}

/* link(2) fails when the name is taken: of many, one makes it. */
static int link_into_place(struct put *p, struct ck_err *err)
{
    uint32_t status = FX_OK;
    if (!p->s->sftp.hardlink)
        return ck_fail(err, CK_UNSUPPORTED,
                       "error writing ssh://%s/%s: the server's SFTP cannot make links "
                       "(hardlink@openssh.com), without which a file cannot be created safely",
                       p->s->base.container, p->key);
    int r = extended(p, "hardlink@openssh.com", p->tmp, p->path, &status, err);
    if (r < 0)
        return after_break(p, err);
    if (status == FX_OK)
        return 0;
    struct ck_sftp_attrs attrs;
    uint32_t there = FX_OK;
    r = ck_ssh_lstat(p->s, p->path, &there, &attrs, err);
    if (r < 0)
        return wrap(p, err);
    if (there == FX_OK)
        return refused(p, err);
    return ck_ssh_fail(p->s, status, "writing", p->key, err);
}

static int rename_into_place(struct put *p, struct ck_err *err)
{
    uint32_t status = FX_OK;
    if (!p->s->sftp.posix_rename)
        return ck_fail(err, CK_UNSUPPORTED,
                       "error writing ssh://%s/%s: the server's SFTP cannot replace a file in one "
                       "step (posix-rename@openssh.com)",
                       p->s->base.container, p->key);
    int r = extended(p, "posix-rename@openssh.com", p->tmp, p->path, &status, err);
    if (r < 0)
        return after_break(p, err);
    if (status != FX_OK)
        return ck_ssh_fail(p->s, status, "writing", p->key, err);
    p->tmp = NULL;
    return 0;
}

/* ---- under a lock ---- */

static int unchanged(void *arg, struct ck_err *err)
{
    const struct put *p = arg;
    CK_AUTOBUF struct ck_buf now = CK_BUF_INIT;
    struct ck_version version;
    int r = ck_ssh_read(&p->s->base, p->key, &now, &version, err);
    if (r == -(int)CK_NOT_FOUND)
        return refused(p, err);
    if (r < 0)
        return r;
    return strcmp(version.token, p->want) == 0 ? 0 : refused(p, err);
}

static int take(void *arg, const char *name, int64_t left, bool *ret_ours, struct ck_err *err)
{
    struct put *p = arg;
    char handle[SFTP_HANDLE_MAX];
    size_t len = 0;
    uint32_t status = FX_OK;
    int r = ck_ssh_begin(p->s, err);
    if (r == 0)
        r = open_new(p, name_beside(p, name), handle, &len, &status, err);
    if (r < 0)
        return r;
    *ret_ours = len > 0;
    if (len) {
        ck_sftp_start(&p->s->sftp, SFTP_CLOSE, 0);
        ck_sftp_str(&p->s->sftp, ck_slice_n(handle, len));
        ck_sftp_end(&p->s->sftp);
        return 0;
    }
    if (status == FX_NO_SUCH_FILE) /* not even the folder is there */
        return refused(p, err);
    return status == FX_DENIED ? ck_ssh_fail(p->s, status, "writing", p->key, err) : 0;
}

static void drop(void *arg, const char *name)
{
    struct put *p = arg;
    uint32_t status;
    if (ck_ssh_begin(p->s, NULL) == 0)
        ck_ssh_simple(p->s, SFTP_REMOVE, name_beside(p, name), &status, NULL);
}

static const struct ck_lease_ops lock_ops = {take, drop, unchanged};

static int too_slow(const struct put *p, struct ck_err *err)
{
    return ck_fail(
        err, CK_UNAVAILABLE,
        "error writing ssh://%s/%s: the server was too slow: the lock had to be given up "
        "before the write",
        p->s->base.container, p->key);
}

/* What happens under the lock: `act` after a look; it must end while the lock is ours. */
static int locked(struct put *p, int (*act)(struct put *p, struct ck_err *err), struct ck_err *err)
{
    struct ck_lease lease;
    int r = ck_lease_take(&p->s->base, p->key, p->want, &lock_ops, p, &lease, err);
    if (r < 0)
        return r;
    r = unchanged(p, err);
    int64_t left = ck_lease_left(&lease), deadline = ck_mono_ms() + left;
    if (r == 0 && left <= 0)
        r = too_slow(p, err);
    if (r == 0) {
        if (deadline < p->s->sftp.deadline)
            p->s->sftp.deadline = deadline;
        r = act(p, err);
    }
    /* After a silence the act may still take effect: the lock stays until it is broken. */
    if (p->settled || (r != -(int)CK_UNAVAILABLE && r != -(int)CK_TIMEOUT))
        ck_lease_drop(&lock_ops, p, &lease);
    return r;
}

/* ---- the operations ---- */

static int prepare(struct put *p, struct ck_err *err)
{
    p->path = ck_ssh_path(p->a, p->key);
    const char *slash = strrchr(p->path, '/');
    p->dir = ck_arena_strndup(p->a, p->path, (size_t)(slash + 1 - p->path));
    if (!slash[1] || ck_str_starts(slash + 1, CK_SSH_TEMP))
        return ck_fail(err, CK_INVALID,
                       "error writing ssh://%s/%s: a file's name is not empty and does not begin "
                       "with " CK_SSH_TEMP,
                       p->s->base.container, p->key);
    if (p->opts->public_read)
        return ck_fail(err, CK_UNSUPPORTED, "error writing ssh://%s/%s: files are not made public",
                       p->s->base.container, p->key);
    if (p->opts->mode == CK_WRITE_IF_UNCHANGED && !*p->want)
        return refused(p, err); /* nothing to compare with: fail closed */
    int r = ck_ssh_begin(p->s, err);
    return r < 0 ? wrap(p, err) : 0;
}

/* A cheap look before anything is written; links decide. */
static int look_before_create(struct put *p, struct ck_err *err)
{
    struct ck_sftp_attrs attrs;
    uint32_t status = FX_OK;
    int r = ck_ssh_lstat(p->s, p->path, &status, &attrs, err);
    if (r < 0)
        return wrap(p, err);
    return status == FX_OK ? refused(p, err) : 0;
}

static int write_file(struct put *p, struct ck_err *err)
{
    int r = 0;
    if (p->opts->mode == CK_WRITE_CREATE)
        r = look_before_create(p, err);
    else if (p->opts->mode == CK_WRITE_IF_UNCHANGED)
        r = unchanged(p, err);
    if (r == 0)
        r = make_file(p, err);
    if (r == 0 && p->opts->mode == CK_WRITE_CREATE)
        r = link_into_place(p, err);
    else if (r == 0 && p->opts->mode == CK_WRITE_IF_UNCHANGED)
        r = locked(p, rename_into_place, err);
    else if (r == 0)
        r = rename_into_place(p, err);
    drop_file(p);
    return r;
}

int ck_ssh_write(struct ck_vfs *v, const char *key, struct ck_slice data,
                 const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err)
{
    static const struct ck_write_opts any = {.mode = CK_WRITE_ANY};
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct put p = {
        .s = (struct ck_ssh *)v, .key = key, .a = a, .data = data, .opts = opts, .want = ""};
    CK_AUTOERR local = CK_ERR_INIT;
    if (!err)
        err = &local;
    if (!p.opts)
        p.opts = &any;
    if (p.opts->version)
        p.want = p.opts->version->token;
    int r = prepare(&p, err);
    if (r == 0)
        r = write_file(&p, err);
    if (r == 0 && ret)
        ck_fs_version(data, ret);
    return r;
}

static int delete_file(struct put *p, struct ck_err *err)
{
    uint32_t status = FX_OK;
    int r = ck_ssh_simple(p->s, SFTP_REMOVE, p->path, &status, err);
    if (r < 0)
        return ck_ssh_wrap(p->s, "deleting", p->key, err);
    return status == FX_OK ? 0 : ck_ssh_fail(p->s, status, "deleting", p->key, err);
}

static int remove_file(struct ck_vfs *v, const char *key, const struct ck_version *version,
                       struct ck_err *err)
{
    static const struct ck_write_opts plain = {.mode = CK_WRITE_ANY};
    static const struct ck_write_opts compared = {.mode = CK_WRITE_IF_UNCHANGED};
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct put p = {.s = (struct ck_ssh *)v, .key = key, .a = a, .want = ""};
    p.opts = version ? &compared : &plain;
    if (version)
        p.want = version->token;
    int r = prepare(&p, err);
    if (r == 0 && version)
        r = unchanged(&p, err);
    if (r == 0)
        r = version ? locked(&p, delete_file, err) : delete_file(&p, err);
    return r;
}

/* What is not there need not be removed, as on every store but local folders. */
int ck_ssh_remove(struct ck_vfs *v, const char *key, const struct ck_version *version,
                  struct ck_err *err)
{
    CK_AUTOERR local = CK_ERR_INIT;
    if (!err)
        err = &local;
    int r = remove_file(v, key, version, err);
    if (r != -(int)CK_NOT_FOUND)
        return r;
    ck_err_done(err);
    return 0;
}

int ck_ssh_remove_versions(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    CK_AUTOERR local = CK_ERR_INIT;
    return remove_file(v, key, NULL, err ? err : &local);
}
