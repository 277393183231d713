/* The SFTP protocol, version 3, over a pair of pipes: packets with ids, many under way at once.
 * Source: draft-ietf-secsh-filexfer-02 and OpenSSH's PROTOCOL file for the extensions. */
#include "vfs/ssh/ssh.h"

#include "base/clock.h"
#include "base/log.h"
#include "crypto/hash.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
    PACKET_MAX = 512 * 1024,
    CONNECT_TRIES = 5,
    DEFAULT_TIMEOUT_MS = 30000,
    KEPT_OPEN = 8,
    OLD_CONNECTION_MS = 5000,
};

/* ---- making packets ---- */

static void put_u32(struct ck_buf *b, uint32_t v)
{
    const char bytes[] = {(char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v};
    ck_buf_putn(b, bytes, sizeof bytes);
}

uint32_t ck_sftp_start(struct ck_sftp *c, int type, uint32_t id)
{
    if (c->tx_at == c->tx.len) {
        ck_buf_reset(&c->tx);
        c->tx_at = 0;
    }
    if (!id)
        id = ++c->next_id;
    if (type == SFTP_CLOSE)
        c->guess = false; /* the handle may come back */
    c->packet = c->tx.len;
    put_u32(&c->tx, 0);
    ck_buf_putc(&c->tx, (char)type);
    put_u32(&c->tx, id);
    return id;
}

void ck_sftp_u32(struct ck_sftp *c, uint32_t v)
{
    put_u32(&c->tx, v);
}

void ck_sftp_u64(struct ck_sftp *c, uint64_t v)
{
    put_u32(&c->tx, (uint32_t)(v >> 32));
    put_u32(&c->tx, (uint32_t)v);
}

void ck_sftp_str(struct ck_sftp *c, struct ck_slice s)
{
    put_u32(&c->tx, (uint32_t)s.len);
    ck_buf_put(&c->tx, s);
}

void ck_sftp_end(struct ck_sftp *c)
{
    uint32_t n = (uint32_t)(c->tx.len - c->packet - 4);
    char *p = c->tx.ptr + c->packet;
    p[0] = (char)(n >> 24);
    p[1] = (char)(n >> 16);
    p[2] = (char)(n >> 8);
    p[3] = (char)n;
}

/* ---- taking them apart ---- */

static uint32_t u32_at(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

bool ck_sftp_get_u32(struct ck_slice *s, uint32_t *ret)
{
    if (s->len < 4)
        return false;
    *ret = u32_at(s->ptr);
    *s = ck_slice_n(s->ptr + 4, s->len - 4);
    return true;
}

bool ck_sftp_get_str(struct ck_slice *s, struct ck_slice *ret)
{
    uint32_t n;
    if (!ck_sftp_get_u32(s, &n) || n > s->len)
        return false;
    *ret = ck_slice_n(s->ptr, n);
    *s = ck_slice_n(s->ptr + n, s->len - n);
    return true;
}

bool ck_sftp_get_attrs(struct ck_slice *s, struct ck_sftp_attrs *ret)
{
    enum { SIZE = 1, OWNER = 2, MODE = 4, TIMES = 8 };
    const uint32_t extended = UINT32_C(0x80000000);
    uint32_t flags, high, low, skipped, n;
    *ret = (struct ck_sftp_attrs){0};
    if (!ck_sftp_get_u32(s, &flags))
        return false;
    if (flags & SIZE) {
        if (!ck_sftp_get_u32(s, &high) || !ck_sftp_get_u32(s, &low))
            return false;
        ret->size = (uint64_t)high << 32 | low;
    }
    if ((flags & OWNER) && (!ck_sftp_get_u32(s, &skipped) || !ck_sftp_get_u32(s, &skipped)))
        return false;
    if ((flags & MODE) && !ck_sftp_get_u32(s, &ret->mode))
        return false;
    if ((flags & TIMES) && (!ck_sftp_get_u32(s, &skipped) || !ck_sftp_get_u32(s, &ret->mtime)))
        return false;
    if (!(flags & extended))
        return true;
    if (!ck_sftp_get_u32(s, &n) || n > 64)
        return false;
    struct ck_slice ignored;
    for (uint32_t i = 0; i < 2 * n; i++)
        if (!ck_sftp_get_str(s, &ignored))
            return false;
    return true;
}

bool ck_sftp_get_handle(const struct ck_sftp_reply *reply, char ret[SFTP_HANDLE_MAX],
                        size_t *ret_len)
{
    struct ck_slice body = reply->body, h;
    if (reply->type != SFTP_HANDLE || !ck_sftp_get_str(&body, &h) || !h.len ||
        h.len > SFTP_HANDLE_MAX)
        return false;
    memcpy(ret, h.ptr, h.len);
    *ret_len = h.len;
    return true;
}

/* ---- handles ---- */

bool ck_sftp_guess(const struct ck_sftp *c, uint32_t k, char ret[SFTP_GUESS])
{
    uint32_t n = c->handles + k;
    const char bytes[SFTP_GUESS] = {(char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n};
    memcpy(ret, bytes, sizeof bytes);
    return c->guess && !c->plain;
}

void ck_sftp_release(struct ck_sftp *c, struct ck_slice handle)
{
    if (!handle.len || !c->open || (c->guess && c->kept++ < KEPT_OPEN))
        return;
    ck_sftp_start(c, SFTP_CLOSE, 0);
    ck_sftp_str(c, handle);
    ck_sftp_end(c);
    ck_sftp_flush(c);
}

/* ---- the pipes ---- */

void ck_sftp_close(struct ck_sftp *c, bool done)
{
    int status;
    ck_ssh_end(&c->child, done, &status);
    ck_buf_done(&c->child.said);
    ck_buf_done(&c->tx);
    ck_buf_done(&c->rx);
    c->tx_at = c->rx_at = 0;
    c->open = false;
}

/* The child has gone, or is told to. */
static int broken(struct ck_sftp *c, struct ck_err *err)
{
    int status;
    ck_ssh_end(&c->child, false, &status);
    int r = ck_ssh_explain(&c->child, c->target, status, err);
    ck_sftp_close(c, false);
    return r;
}

static int timed_out(struct ck_sftp *c, struct ck_err *err)
{
    ck_sftp_close(c, false);
    ck_ssh_share_forget(&c->share); /* it may be dead for all */
    return ck_fail(err, CK_TIMEOUT, "ssh to %s: no reply within %lld ms", c->target,
                   (long long)c->timeout_ms);
}

/* Write what waits and read what came, or wait for either; false: the connection is gone. */
static bool pump(struct ck_sftp *c, int64_t left)
{
    bool more = c->tx_at < c->tx.len;
    struct pollfd p[3] = {{.fd = c->child.out, .events = POLLIN},
                          {.fd = c->child.errors, .events = POLLIN},
                          {.fd = more ? c->child.in : -1, .events = POLLOUT}};
    if (poll(p, 3, left > 1000 ? 1000 : (int)left) < 0)
        return errno == EINTR;
    if (p[1].revents & POLLIN)
        ck_ssh_listen(&c->child);
    if (p[2].revents & (POLLOUT | POLLERR | POLLHUP)) {
        ssize_t n = write(c->child.in, c->tx.ptr + c->tx_at, c->tx.len - c->tx_at);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        c->tx_at += n > 0 ? (size_t)n : 0;
    }
    if (p[0].revents & (POLLIN | POLLHUP | POLLERR)) {
        if (c->rx_at) { /* what has been taken makes room */
            memmove(c->rx.ptr, c->rx.ptr + c->rx_at, c->rx.len - c->rx_at);
            c->rx.len -= c->rx_at;
            c->rx_at = 0;
        }
        ck_buf_reserve(&c->rx, 65536);
        ssize_t n = read(c->child.out, c->rx.ptr + c->rx.len, 65536);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return false;
        c->rx.len += n > 0 ? (size_t)n : 0;
    }
    return true;
}

void ck_sftp_flush(struct ck_sftp *c)
{
    ssize_t n = write(c->child.in, c->tx.ptr + c->tx_at, c->tx.len - c->tx_at);
    c->tx_at += n > 0 ? (size_t)n : 0;
}

static int malformed(struct ck_sftp *c, struct ck_err *err)
{
    ck_sftp_close(c, false);
    return ck_fail(err, CK_UNAVAILABLE,
                   "ssh to %s: what answers does not speak SFTP; does the login print something?",
                   c->target);
}

/* One packet: type and what follows. */
static int packet(struct ck_sftp *c, uint8_t *ret_type, struct ck_slice *ret, struct ck_err *err)
{
    for (;;) {
        size_t have = c->rx.len - c->rx_at;
        if (have >= 5) {
            uint32_t n = u32_at(c->rx.ptr + c->rx_at);
            if (n < 1 || n > PACKET_MAX)
                return malformed(c, err);
            if (have >= 4 + (size_t)n) {
                *ret_type = (uint8_t)c->rx.ptr[c->rx_at + 4];
                *ret = ck_slice_n(c->rx.ptr + c->rx_at + 5, n - 1);
                c->rx_at += 4 + (size_t)n;
                return 0;
            }
        }
        int64_t left = c->deadline - ck_mono_ms();
        if (left <= 0)
            return timed_out(c, err);
        if (!pump(c, left))
            return broken(c, err);
    }
}

int ck_sftp_next(struct ck_sftp *c, struct ck_sftp_reply *ret, struct ck_err *err)
{
    if (!c->open)
        return ck_fail(err, CK_UNAVAILABLE, "ssh to %s: the connection is closed", c->target);
    *ret = (struct ck_sftp_reply){0};
    int r = packet(c, &ret->type, &ret->body, err);
    if (r < 0)
        return r;
    if (!ck_sftp_get_u32(&ret->body, &ret->id))
        return malformed(c, err);
    if (ret->type == SFTP_STATUS) {
        struct ck_slice s = ret->body;
        if (!ck_sftp_get_u32(&s, &ret->status))
            return malformed(c, err);
    }
    if (ret->status == FX_DENIED)
        ck_ssh_share_forget(&c->share); /* rights that are given now hold for a new one */
    if (c->ahead) {
        c->ahead = false;
        c->deadline = c->until;
    }
    c->handles += ret->type == SFTP_HANDLE;
    return 0;
}

int ck_sftp_wait(struct ck_sftp *c, uint32_t id, struct ck_sftp_reply *ret, struct ck_err *err)
{
    for (;;) {
        int r = ck_sftp_next(c, ret, err);
        if (r < 0 || ret->id == id)
            return r;
    }
}

int ck_sftp_wait_status(struct ck_sftp *c, uint32_t id, uint32_t *ret, struct ck_err *err)
{
    struct ck_sftp_reply reply;
    *ret = FX_FAILURE;
    int r = ck_sftp_wait(c, id, &reply, err);
    if (r == 0 && reply.type != SFTP_STATUS)
        r = malformed(c, err);
    if (r == 0)
        *ret = reply.status;
    return r;
}

/* ---- connecting ---- */

static void take_extension(struct ck_sftp *c, struct ck_slice name, struct ck_slice version)
{
    if (ck_slice_eq_str(name, "posix-rename@openssh.com") && ck_slice_eq_str(version, "1"))
        c->posix_rename = true;
    else if (ck_slice_eq_str(name, "hardlink@openssh.com") && ck_slice_eq_str(version, "1"))
        c->hardlink = true;
    else if (ck_slice_eq_str(name, "fsync@openssh.com") && ck_slice_eq_str(version, "1"))
        c->fsync = true;
}

static int hello(struct ck_sftp *c, struct ck_err *err)
{
    uint8_t type = 0;
    struct ck_slice body, name, version;
    int r = packet(c, &type, &body, err);
    if (r < 0)
        return r;
    uint32_t number;
    if (type != SFTP_VERSION || !ck_sftp_get_u32(&body, &number))
        return malformed(c, err);
    while (body.len && ck_sftp_get_str(&body, &name) && ck_sftp_get_str(&body, &version))
        take_extension(c, name, version);
    c->open = true;
    c->deadline = c->until;
    /* Half of the time for a server that drops what came with the greeting. */
    if (c->ahead)
        c->deadline -= (c->deadline - ck_mono_ms()) / 2;
    ck_debug(6, "SFTP version %u with %s%s%s%s", number, c->target,
             c->posix_rename ? ", atomic rename" : "", c->hardlink ? ", links" : "",
             c->fsync ? ", sync" : "");
    return 0;
}

/* A server that is being asked by many at once closes some of the connections unseen. */
static bool turned_away(const struct ck_err *err)
{
    static const char *const texts[] = {"kex_exchange_identification", "Connection reset by",
                                        "Connection closed by", "Broken pipe"};
    for (size_t i = 0; i < CK_ARRAY_LEN(texts); i++)
        if (err->code == CK_UNAVAILABLE && strstr(ck_err_msg(err), texts[i]))
            return true;
    return false;
}

/* Whether it may go better on a connection that is not shared: an old one may be dead, a jump
 * host's complaint has been dropped, and ssh gives up when it cannot make the socket. Nothing but
 * reading has been asked for so far, if anything. */
static bool blame_sharing(const struct ck_ssh_share *share, const struct ck_err *why)
{
    return share->on && (share->there || share->proxied || strstr(ck_err_msg(why), share->path));
}

static int connect_once(struct ck_sftp *c, const struct ck_env *env, void (*requests)(void *arg),
                        void *arg, struct ck_err *err)
{
    c->posix_rename = c->hardlink = c->fsync = false;
    c->guess = true;
    c->handles = c->kept = 0;
    c->deadline = c->until;
    if (c->share.there) { /* it may be dead, and nobody knows yet */
        int64_t most =
            c->timeout_ms / 3 < OLD_CONNECTION_MS ? c->timeout_ms / 3 : OLD_CONNECTION_MS;
        most += ck_mono_ms();
        c->deadline = most < c->until ? most : c->until;
    }
    int r = ck_ssh_spawn(&c->child, env, c->target, &c->share, false, err);
    if (r < 0)
        return r;
    /* INIT is the one packet without an id: its version stands there. */
    ck_sftp_start(c, SFTP_INIT, 3);
    ck_sftp_end(c);
    c->ahead = requests && !c->plain;
    if (c->ahead)
        requests(arg);
    r = hello(c, err);
    if (r < 0)
        c->ahead = false;
    if (r == 0 && requests && c->plain)
        requests(arg);
    return r;
}

static bool alive(const struct ck_sftp *c)
{
    struct pollfd p = {.fd = c->child.out, .events = POLLIN};
    return poll(&p, 1, 0) == 0 || !(p.revents & (POLLHUP | POLLERR));
}

bool ck_sftp_again(struct ck_sftp *c, int r)
{
    if (!c->ahead || (r != -(int)CK_UNAVAILABLE && r != -(int)CK_TIMEOUT))
        return false;
    ck_sftp_close(c, false);
    c->ahead = false;
    c->plain = c->again = true;
    return true;
}

int ck_sftp_begin(struct ck_sftp *c, const struct ck_env *env, void (*requests)(void *arg),
                  void *arg, struct ck_err *err)
{
    c->timeout_ms = c->timeout_ms > 0 ? c->timeout_ms : DEFAULT_TIMEOUT_MS;
    if (!c->again)
        c->until = ck_mono_ms() + c->timeout_ms;
    c->deadline = c->until;
    c->again = c->ahead = false;
    if (!c->share.asked)
        ck_ssh_share_find(&c->share, env, c->target);
    if (c->open && alive(c)) {
        if (requests)
            requests(arg);
        return 0;
    }
    if (c->open)
        ck_sftp_close(c, false);
    for (unsigned i = 0;; i++) {
        CK_AUTOERR why = CK_ERR_INIT;
        ck_ssh_share_look(&c->share);
        struct ck_ssh_share used = c->share;
        int r = connect_once(c, env, requests, arg, &why);
        if (r == 0)
            return 0;
        if (blame_sharing(&used, &why)) {
            ck_debug(2, "the shared connection to %s fails; once more without sharing", c->target);
            ck_ssh_share_forget(&c->share);
            continue;
        }
        if (i + 1 >= CONNECT_TRIES || !turned_away(&why))
            return err ? ck_err_move(err, &why) : r;
        uint16_t random;
        ck_random(&random, sizeof random);
        ck_sleep_ms(random % (100 << i));
    }
}
