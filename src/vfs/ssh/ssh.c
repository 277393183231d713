/* ssh://: the scheme, errors, and requests of one path. */
#include "vfs/ssh/ssh.h"

#include "base/enc.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "vfs/examine/clouds.h"

#include <string.h>

/* ---- operations ---- */

int ck_ssh_begin_with(struct ck_ssh *s, void (*requests)(void *arg), void *arg, struct ck_err *err)
{
    int r = ck_crypto_load(err);
    s->sftp.timeout_ms = s->base.ctx->timeout_ms;
    return r < 0 ? r : ck_sftp_begin(&s->sftp, s->base.ctx->env, requests, arg, err);
}

int ck_ssh_begin(struct ck_ssh *s, struct ck_err *err)
{
    return ck_ssh_begin_with(s, NULL, NULL, err);
}

const char *ck_ssh_path(struct ck_arena *a, const char *key)
{
    return ck_arena_printf(a, "/%s", key);
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
    uint32_t id = ck_sftp_start(&s->sftp, type, 0);
    ck_sftp_str(&s->sftp, ck_slice_of(path));
    if (type == SFTP_MKDIR) {
        ck_sftp_u32(&s->sftp, 4); /* permissions follow */
        ck_sftp_u32(&s->sftp, 0700);
    }
    ck_sftp_end(&s->sftp);
    return ck_sftp_wait_status(&s->sftp, id, ret_status, err);
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
    if (reply.type != SFTP_STATUS &&
        (reply.type != SFTP_ATTRS || !ck_sftp_get_attrs(&reply.body, ret)))
        return ck_fail(err, CK_UNAVAILABLE, "ssh to %s: a reply that makes no sense",
                       s->base.container);
    return 0;
}

/* ---- the scheme ---- */

static char *ssh_text(struct ck_vfs *v, const char *key, struct ck_arena *a)
{
    return ck_arena_printf(a, "ssh://%s/%s", v->container, key);
}

static void ssh_close(struct ck_vfs *v)
{
    ck_sftp_close(&((struct ck_ssh *)v)->sftp, true);
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
    .read_many = ck_ssh_read_many,
    .text = ssh_text,
    .close = ssh_close,
    .preferred_hash = CK_SHA256,
    .folders = true,
};

static bool char_ok(char c, const char *more)
{
    bool alnum = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    return alnum || (c && strchr(more, c));
}

static bool word_ok(struct ck_slice s, const char *more)
{
    for (size_t i = 0; i < s.len; i++)
        if (!char_ok(s.ptr[i], more))
            return false;
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

/* The nearest target that works, when there is one: what may not be in it left out. */
static bool put_nearest(struct ck_buf *b, struct ck_slice t)
{
    for (size_t i = 0; i < t.len; i++) {
        bool first = !b->len || b->ptr[b->len - 1] == '@';
        if (char_ok(t.ptr[i], first ? "[" : "@:.[]_-+"))
            ck_buf_putc(b, t.ptr[i]);
    }
    return target_ok(ck_buf_slice(b));
}

static int refuse_target(struct ck_err *err, const char *url, struct ck_slice target)
{
    CK_AUTOBUF struct ck_buf why = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf near = CK_BUF_INIT;
    ck_buf_puts(&why,
                "it has the form ssh://[user@]host[:port]/folder, names without blanks and without "
                "a hyphen in front; what else ssh needs belongs into ~/.ssh/config");
    if (put_nearest(&near, target))
        ck_buf_fmt(&why, "; the nearest that works is ssh://%s/…", ck_buf_str(&near));
    return refuse(err, url, ck_buf_str(&why));
}

int ck_vfs_parse_ssh(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                     struct ck_err *err)
{
    const char *host = url + strlen("ssh://");
    struct ck_slice target = ck_slice_n(host, strcspn(host, "/?#"));
    if (!target_ok(target))
        return refuse_target(err, url, target);
    int r = ck_vfs_refuse_query("invalid ssh path", url, err);
    if (r < 0)
        return r;
    struct ck_slice rest = ck_slice_of(host + target.len);
    while (rest.len && rest.ptr[0] == '/')
        rest = ck_slice_n(rest.ptr + 1, rest.len - 1);
    if (ck_slice_starts(rest, "~")) /* which only a shell knows */
        return refuse(err, url,
                      "a home folder is written out, as in /home/me/state (a folder that is called "
                      "so: %7E)");
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
