/* ssh://: the scheme, errors, and reading, one file or many at once. */
#include "vfs/ssh/ssh.h"

#include "base/enc.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "vfs/examine/clouds.h"
#include "vfs/fs.h"

#include <string.h>

enum { DEFAULT_MAX = 64 << 20, AT_ONCE = 128, FILE_KINDS = 0170000, REGULAR = 0100000 };
enum { OPEN_READ = 1 };

/* ---- operations ---- */

int ck_ssh_begin(struct ck_ssh *s, struct ck_err *err)
{
    int r = ck_crypto_load(err);
    s->sftp.timeout_ms = s->base.ctx->timeout_ms;
    return r < 0 ? r : ck_sftp_begin(&s->sftp, s->base.ctx->env, err);
}

const char *ck_ssh_path(struct ck_arena *a, const char *key)
{
    return ck_arena_printf(a, "/%s", key);
}

static size_t max_size(const struct ck_ssh *s)
{
    return s->base.ctx->max_object ? s->base.ctx->max_object : DEFAULT_MAX;
}

int ck_ssh_fail(struct ck_ssh *s, uint32_t status, const char *verb, const char *key,
                struct ck_err *err)
{
    const char *target = s->base.container;
    switch (status) {
    case FX_NO_SUCH_FILE:
        return ck_fail(err, CK_NOT_FOUND, "error %s ssh://%s/%s: no such file or directory", verb,
                       target, key);
    case FX_DENIED:
        return ck_fail(err, CK_DENIED, "error %s ssh://%s/%s: permission denied on that machine",
                       verb, target, key);
    case FX_UNSUPPORTED:
        return ck_fail(err, CK_UNSUPPORTED,
                       "error %s ssh://%s/%s: the server's SFTP lacks what this needs", verb,
                       target, key);
    default:
        return ck_fail(err, CK_IO, "error %s ssh://%s/%s: the server reports a failure (%u)", verb,
                       target, key, status);
    }
}

int ck_ssh_wrap(struct ck_ssh *s, const char *verb, const char *key, struct ck_err *err)
{
    return ck_wrap(err, "error %s ssh://%s/%s", verb, s->base.container, key);
}

int ck_ssh_simple(struct ck_ssh *s, int type, const char *path, uint32_t *ret_status,
                  struct ck_err *err)
{
    struct ck_sftp_reply reply;
    uint32_t id = ck_sftp_start(&s->sftp, type, 0);
    ck_sftp_str(&s->sftp, ck_slice_of(path));
    if (type == SFTP_MKDIR) {
        ck_sftp_u32(&s->sftp, 4); /* permissions follow */
        ck_sftp_u32(&s->sftp, 0700);
    }
    ck_sftp_end(&s->sftp);
    int r = ck_sftp_wait(&s->sftp, id, &reply, err);
    *ret_status = r < 0 ? FX_FAILURE : reply.type == SFTP_STATUS ? reply.status : FX_OK;
    return r;
}

int ck_ssh_lstat(struct ck_ssh *s, const char *path, uint32_t *ret_status,
                 struct ck_sftp_attrs *ret, struct ck_err *err)
{
    struct ck_sftp_reply reply;
    *ret = (struct ck_sftp_attrs){0};
    uint32_t id = ck_sftp_start(&s->sftp, SFTP_LSTAT, 0);
    ck_sftp_str(&s->sftp, ck_slice_of(path));
    ck_sftp_end(&s->sftp);
    int r = ck_sftp_wait(&s->sftp, id, &reply, err);
    if (r < 0)
        return r;
    *ret_status = reply.status;
    if (reply.type == SFTP_ATTRS && !ck_sftp_get_attrs(&reply.body, ret))
        return ck_fail(err, CK_UNAVAILABLE, "ssh to %s: a reply that makes no sense",
                       s->base.container);
    return 0;
}

/* ---- reading ---- */

/* One file on its way: opened, read piece by piece, closed. Its requests bear its own ids. */
struct fetch {
    struct ck_ssh *s;
    const char *key;
    uint32_t id; /* of its first request; the later ones count up from there */
    char handle[SFTP_HANDLE_MAX];
    size_t handle_len;
    struct ck_buf data;
    bool done;
};

enum { STEPS = 4 }; /* ids per file: open, stat, read, close */

static void ask_open(struct fetch *f)
{
    struct ck_sftp *c = &f->s->sftp;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    ck_sftp_start(c, SFTP_OPEN, f->id);
    ck_sftp_str(c, ck_slice_of(ck_ssh_path(a, f->key)));
    ck_sftp_u32(c, OPEN_READ);
    ck_sftp_u32(c, 0);
    ck_sftp_end(c);
}

static void ask_piece(struct fetch *f)
{
    struct ck_sftp *c = &f->s->sftp;
    ck_sftp_start(c, SFTP_READ, f->id + 2);
    ck_sftp_str(c, ck_slice_n(f->handle, f->handle_len));
    ck_sftp_u64(c, f->data.len);
    ck_sftp_u32(c, SFTP_PIECE);
    ck_sftp_end(c);
}

/* Its reply is not waited for. */
static void ask_close(struct fetch *f)
{
    struct ck_sftp *c = &f->s->sftp;
    if (!f->handle_len)
        return;
    ck_sftp_start(c, SFTP_CLOSE, f->id + 3);
    ck_sftp_str(c, ck_slice_n(f->handle, f->handle_len));
    ck_sftp_end(c);
    ck_sftp_flush(c);
}

static int nonsense(struct fetch *f, struct ck_err *err)
{
    return ck_fail(err, CK_UNAVAILABLE, "error reading ssh://%s/%s: a reply that makes no sense",
                   f->s->base.container, f->key);
}

static int opened(struct fetch *f, const struct ck_sftp_reply *reply, struct ck_err *err)
{
    struct ck_slice body = reply->body, handle;
    if (reply->type == SFTP_STATUS)
        return ck_ssh_fail(f->s, reply->status, "reading", f->key, err);
    if (reply->type != SFTP_HANDLE || !ck_sftp_get_str(&body, &handle) || !handle.len ||
        handle.len > sizeof f->handle)
        return nonsense(f, err);
    memcpy(f->handle, handle.ptr, handle.len);
    f->handle_len = handle.len;
    ask_piece(f);
    return 0;
}

/* A piece that is shorter than what was asked for is the last one of an ordinary file. */
static int pieced(struct fetch *f, const struct ck_sftp_reply *reply, struct ck_err *err)
{
    struct ck_slice body = reply->body, piece = CK_S("");
    bool end = reply->type == SFTP_STATUS && reply->status == FX_EOF;
    /* A folder can be opened, but not read. */
    if (reply->type == SFTP_STATUS && reply->status == FX_FAILURE && !f->data.len)
        return ck_fail(err, CK_NOT_FOUND, "error reading ssh://%s/%s: it is not a file",
                       f->s->base.container, f->key);
    if (reply->type == SFTP_STATUS && !end)
        return ck_ssh_fail(f->s, reply->status, "reading", f->key, err);
    if (!end && (reply->type != SFTP_DATA || !ck_sftp_get_str(&body, &piece)))
        return nonsense(f, err);
    if (f->data.len + piece.len > max_size(f->s))
        return ck_fail(err, CK_LIMIT, "error reading ssh://%s/%s: it has more than %zu bytes",
                       f->s->base.container, f->key, max_size(f->s));
    ck_buf_put(&f->data, piece);
    f->done = end || piece.len < SFTP_PIECE;
    if (!f->done)
        ask_piece(f);
    return 0;
}

/* A reply that belongs to it. Negative: it has failed, with its own error. */
static int advance(struct fetch *f, const struct ck_sftp_reply *reply, struct ck_err *err)
{
    int r = 0;
    if (reply->id == f->id)
        r = opened(f, reply, err);
    else if (reply->id == f->id + 2)
        r = pieced(f, reply, err);
    if (r < 0)
        f->done = true;
    if (f->done)
        ask_close(f);
    return r;
}

static void fetch_done(struct fetch *f)
{
    ck_buf_done(&f->data);
}

static int fetch_one(struct ck_ssh *s, const char *key, struct ck_buf *out, struct ck_err *err)
{
    CK_CLEANUP(fetch_done) struct fetch f = {.s = s, .key = key};
    int r = ck_ssh_begin(s, err);
    if (r < 0)
        return ck_ssh_wrap(s, "reading", key, err);
    f.id = s->sftp.next_id + 1;
    s->sftp.next_id += STEPS;
    ask_open(&f);
    while (!f.done) {
        struct ck_sftp_reply reply;
        r = ck_sftp_next(&s->sftp, &reply, err);
        if (r < 0)
            return ck_ssh_wrap(s, "reading", key, err);
        r = advance(&f, &reply, err);
    }
    if (r == 0)
        ck_buf_put(out, ck_buf_slice(&f.data));
    return r;
}

int ck_ssh_read(struct ck_vfs *v, const char *key, struct ck_buf *out, struct ck_version *ret,
                struct ck_err *err)
{
    struct ck_ssh *s = (struct ck_ssh *)v;
    bool fresh = !s->sftp.open;
    size_t at = out->len;
    CK_AUTOERR local = CK_ERR_INIT;
    if (!err)
        err = &local;
    int r = fetch_one(s, key, out, err);
    if (r == -(int)CK_UNAVAILABLE && !fresh) { /* a connection that had ended meanwhile */
        ck_err_done(err);
        r = fetch_one(s, key, out, err);
    }
    if (r == 0 && ret)
        ck_fs_version(ck_slice_n(ck_buf_str(out) + at, out->len - at), ret);
    return r;
}

/* ---- many at once ---- */

struct batch {
    struct ck_ssh *s;
    const char *const *keys;
    size_t n, next; /* keys [next, n) have not been asked for */
    struct fetch *slots;
    size_t *of; /* which key a slot holds */
    ck_bulk_fn fn;
    void *arg;
};

static void fill_slot(struct batch *b, size_t slot)
{
    struct fetch *f = &b->slots[slot];
    fetch_done(f);
    *f = (struct fetch){.s = b->s, .done = true};
    if (b->next >= b->n)
        return;
    b->of[slot] = b->next;
    f->key = b->keys[b->next++];
    f->done = false;
    f->id = b->s->sftp.next_id + 1;
    b->s->sftp.next_id += STEPS;
    ask_open(f);
}

/* Hand one result over; *ret_busy when another took its place. */
static int hand_over(struct batch *b, size_t slot, struct ck_err *item)
{
    struct ck_version version = {""};
    struct ck_slice data = ck_buf_slice(&b->slots[slot].data);
    if (item->code == CK_OK)
        ck_fs_version(data, &version);
    int r = b->fn(b->arg, b->of[slot], item->code == CK_OK ? data : CK_S(""), &version, item);
    fill_slot(b, slot);
    return r;
}

/* The connection is gone: what is left gets its error. */
static int give_up(struct batch *b, size_t slots, struct ck_err *why)
{
    int r = 0;
    for (size_t i = 0; r >= 0 && i < slots; i++) {
        if (b->slots[i].done)
            continue;
        CK_AUTOERR item = CK_ERR_INIT;
        ck_fail(&item, why->code, "%s", ck_err_msg(why));
        r = b->fn(b->arg, b->of[i], CK_S(""), &(struct ck_version){""}, &item);
    }
    for (; r >= 0 && b->next < b->n; b->next++) {
        CK_AUTOERR item = CK_ERR_INIT;
        ck_fail(&item, why->code, "%s", ck_err_msg(why));
        r = b->fn(b->arg, b->next, CK_S(""), &(struct ck_version){""}, &item);
    }
    return r < 0 ? r : 0;
}

static int run_batch(struct batch *b, size_t slots)
{
    size_t busy = 0;
    for (size_t i = 0; i < slots; i++) {
        fill_slot(b, i);
        busy += !b->slots[i].done;
    }
    while (busy) {
        struct ck_sftp_reply reply;
        CK_AUTOERR why = CK_ERR_INIT;
        if (ck_sftp_next(&b->s->sftp, &reply, &why) < 0)
            return give_up(b, slots, &why);
        for (size_t i = 0; i < slots; i++) {
            struct fetch *f = &b->slots[i];
            if (f->done || reply.id - f->id >= STEPS)
                continue;
            CK_AUTOERR item = CK_ERR_INIT;
            advance(f, &reply, &item);
            if (!f->done)
                break;
            int r = hand_over(b, i, &item);
            if (r < 0)
                return r;
            busy -= b->slots[i].done;
            break;
        }
    }
    return 0;
}

static int ssh_read_many(struct ck_vfs *v, const char *const *keys, size_t n, ck_bulk_fn fn,
                         void *arg, struct ck_err *err)
{
    struct ck_ssh *s = (struct ck_ssh *)v;
    int r = n ? ck_ssh_begin(s, err) : 0;
    if (r < 0 || !n)
        return r;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    size_t slots = n < AT_ONCE ? n : AT_ONCE;
    struct batch b = {.s = s,
                      .keys = keys,
                      .n = n,
                      .slots = ck_arena_alloc(a, slots * sizeof(struct fetch)),
                      .of = ck_arena_alloc(a, slots * sizeof(size_t)),
                      .fn = fn,
                      .arg = arg};
    r = run_batch(&b, slots);
    for (size_t i = 0; i < slots; i++)
        fetch_done(&b.slots[i]);
    return r;
}

/* ---- the scheme ---- */

static char *ssh_text(struct ck_vfs *v, const char *key, struct ck_arena *a)
{
    return ck_arena_printf(a, "ssh://%s/%s", v->container, key);
}

static void ssh_close(struct ck_vfs *v)
{
    ck_sftp_close(&((struct ck_ssh *)v)->sftp);
}

static const struct ck_vfs_ops ssh_ops = {
    .scheme = "ssh",
    .examine = ck_ssh_examine,
    .read = ck_ssh_read,
    .write = ck_ssh_write,
    .remove = ck_ssh_remove,
    .remove_tree = ck_ssh_remove_tree,
    .remove_versions = ck_ssh_remove_versions,
    .list = ck_ssh_vfs_list,
    .list_dirs = ck_ssh_list_dirs,
    .tree = ck_ssh_tree,
    .read_many = ssh_read_many,
    .text = ssh_text,
    .close = ssh_close,
    .preferred_hash = CK_SHA256,
};

static bool word_ok(struct ck_slice s, const char *more)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool alnum = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!alnum && (!c || !strchr(more, c)))
            return false;
    }
    return s.len && s.ptr[0] != '-'; /* which ssh would take for an option */
}

/* [user@]host[:port], host also [IPv6]. */
static bool target_ok(struct ck_slice t)
{
    size_t at = ck_slice_find(t, '@');
    if (at < t.len) {
        if (!word_ok(ck_slice_n(t.ptr, at), "._-+"))
            return false;
        t = ck_slice_n(t.ptr + at + 1, t.len - at - 1);
    }
    struct ck_slice host, port = {NULL, 0};
    if (t.len && t.ptr[0] == '[') {
        size_t end = ck_slice_find(t, ']');
        if (end >= t.len || !word_ok(ck_slice_n(t.ptr + 1, end - 1), ":.%"))
            return false;
        port = ck_slice_n(t.ptr + end + 1, t.len - end - 1);
    } else {
        size_t colon = ck_slice_find(t, ':');
        host = ck_slice_n(t.ptr, colon);
        if (!word_ok(host, "._-"))
            return false;
        port = ck_slice_n(t.ptr + colon, t.len - colon);
    }
    if (!port.len)
        return true;
    if (port.ptr[0] != ':' || port.len < 2 || port.len > 6)
        return false;
    for (size_t i = 1; i < port.len; i++)
        if (port.ptr[i] < '0' || port.ptr[i] > '9')
            return false;
    return true;
}

static int refuse(struct ck_err *err, const char *url, const char *why)
{
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(url));
    return ck_fail(err, CK_INVALID, "invalid ssh path: %s: %s", ck_buf_str(&q), why);
}

int ck_vfs_parse_ssh(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                     struct ck_err *err)
{
    const char *host = url + strlen("ssh://");
    struct ck_slice target = ck_slice_n(host, strcspn(host, "/?#"));
    if (!target_ok(target))
        return refuse(err, url,
                      "it has the form ssh://[user@]host[:port]/folder, names without blanks and "
                      "without a hyphen in front; what else ssh needs belongs into ~/.ssh/config");
    if (strpbrk(url, "?#"))
        return refuse(err, url,
                      "a store's URL has no query and no fragment (in a name, write ? as %3F and # "
                      "as %23)");
    struct ck_slice rest = ck_slice_of(host + target.len);
    while (rest.len && rest.ptr[0] == '/')
        rest = ck_slice_n(rest.ptr + 1, rest.len - 1);
    CK_AUTOBUF struct ck_buf key = CK_BUF_INIT;
    if (!ck_pct_decode(&key, rest) || (key.len && memchr(key.ptr, 0, key.len)))
        return refuse(err, url, "a percent sign is written %25");
    if (!key.len) {
        CK_AUTOBUF struct ck_buf why = CK_BUF_INIT;
        ck_buf_fmt(&why, "name a folder on that machine: ssh://%.*s/srv/state", CK_SARG(target));
        return refuse(err, url, ck_buf_str(&why));
    }
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    bool is_new;
    struct ck_vfs *v =
        ck_vfs_container(ctx, &ssh_ops, ck_arena_strndup(tmp, target.ptr, target.len),
                         sizeof(struct ck_ssh), &is_new);
    if (is_new)
        ((struct ck_ssh *)v)->sftp.target = v->container;
    *ret = (struct ck_path){.vfs = v, .key = ck_arena_strndup(ctx->arena, key.ptr, key.len)};
    return 0;
}
