/* Locks of Swift: a container whose making is the taking.
 *
 * Swift has no atomic write: If-None-Match is looked at before the write and both are two steps.
 * What each container server does in one step is making a container that has never been there, and
 * the proxy answers 201 only when every replica that replied has made it for this request. So a
 * lock is a container named after the key and the version that is to be replaced: that version
 * never returns, so neither does the lock. One that stays taken for BREAK_MS while the object stays
 * as it was belongs to a writer that died, and the next number is tried. */
#include "vfs/swift/swift.h"

#include "base/clock.h"
#include "base/log.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <string.h>

enum {
    BREAK_MS = 15000, /* holders stop after CK_SWIFT_LOCK_HOLD_MS, well before */
    DEFAULT_TIMEOUT_MS = 30000,
    FIRST_WAIT_MS = 50,
    MOST_WAIT_MS = 1000,
    MAX_BROKEN = 16,
};

static void name_of(struct ck_swift *s, const char *key, const char *version,
                    struct ck_swift_lock *l)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    char hex[2 * CK_SHA256_LEN + 1];
    ck_buf_fmt(&b, "%s/%s\n%s", s->base.container, key, version);
    ck_sha256_hex(ck_buf_slice(&b), hex);
    snprintf(l->name, sizeof l->name, "ckops_lock_%.40s", hex);
}

/* Whole name of lock number n. */
static const char *numbered(struct ck_arena *a, const struct ck_swift_lock *l, unsigned n)
{
    return ck_arena_printf(a, "%s_%u", l->name, n);
}

enum answer { OURS, TAKEN };

/* A request whose outcome nobody knows counts as taken: by ourselves, perhaps. */
static int try_lock(struct ck_swift *s, const char *key, struct ck_swift_lock *l, int64_t left,
                    enum answer *ret, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_swift_request(a, s, "PUT", numbered(a, l, l->n), NULL, &req);
    req.timeout_ms = left < CK_SWIFT_LOCK_HOLD_MS ? left : CK_SWIFT_LOCK_HOLD_MS;
    CK_AUTORESP resp = {0};
    *ret = TAKEN;
    l->since = ck_mono_ms();
    int r = ck_swift_send(s, &req, &resp, err);
    if (r == -(int)CK_UNAVAILABLE || r == -(int)CK_TIMEOUT) {
        ck_wrap(err, "taking a lock");
        return ck_swift_wrap(s, "writing", key, err);
    }
    if (r < 0)
        return ck_swift_wrap(s, "writing", key, err);
    if (resp.status == 201) {
        *ret = OURS;
        return 0;
    }
    if (resp.status == 202 || resp.status == 204)
        return 0;
    r = ck_swift_fail(s, &resp, "taking a lock for", key, err);
    if (r == -(int)CK_DENIED || r == -(int)CK_LIMIT)
        ck_fail(err, err->code,
                "%s; a lock is a container of its own: allow this user to make containers, or "
                "set CKOPS_SWIFT_LOCKS=no to look before each write instead, which does not tell "
                "two writers within the same second apart",
                ck_err_msg(err));
    return r;
}

static void wait_a_moment(const struct ck_swift *s, unsigned tries)
{
    unsigned shift = tries + s->losses;
    int64_t most = (int64_t)FIRST_WAIT_MS << (shift < 8 ? shift : 8);
    uint16_t random;
    ck_random(&random, sizeof random);
    most = most < MOST_WAIT_MS ? most : MOST_WAIT_MS;
    ck_sleep_ms(most / 2 + random % (most / 2 + 1));
}

int ck_swift_lock(struct ck_swift *s, const char *key, const char *version, struct ck_swift_lock *l,
                  int (*moved)(void *arg, struct ck_err *err), void *arg, struct ck_err *err)
{
    *l = (struct ck_swift_lock){.n = 0};
    name_of(s, key, version, l);
    int64_t timeout = s->base.ctx->timeout_ms > 0 ? s->base.ctx->timeout_ms : DEFAULT_TIMEOUT_MS;
    int64_t began = ck_mono_ms(), seen = 0;
    for (unsigned tries = 0;; tries++) {
        enum answer answer;
        int64_t left = began + timeout - ck_mono_ms();
        if (left <= 0 || l->n > MAX_BROKEN)
            return ck_fail(err, CK_TIMEOUT,
                           "error writing swift://%s/%s: another writer has been holding the lock "
                           "%s_%u for %lld s; if it has died, delete that container",
                           s->base.container, key, l->name, l->n, (long long)(timeout / 1000));
        int r = try_lock(s, key, l, left, &answer, err);
        if (r < 0)
            return r;
        if (answer == OURS) {
            l->held = true;
            return 0;
        }
        int64_t now = ck_mono_ms();
        seen = seen ? seen : now;
        r = moved(arg, err);
        if (r < 0)
            return r;
        if (now - seen >= BREAK_MS) {
            ck_debug(1, "the lock %s_%u was left behind by a writer that died", l->name, l->n);
            l->n++;
            seen = 0;
            continue;
        }
        wait_a_moment(s, tries);
    }
}

int64_t ck_swift_lock_left(const struct ck_swift_lock *l)
{
    return l->since + CK_SWIFT_LOCK_HOLD_MS - ck_mono_ms();
}

/* Also what dead writers left. A lock that cannot be removed costs the next writer of a key that
 * is made anew BREAK_MS, and nobody else anything. */
void ck_swift_unlock(struct ck_swift *s, struct ck_swift_lock *l)
{
    for (unsigned n = 0; l->held && n <= l->n; n++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        CK_AUTOERR err = CK_ERR_INIT;
        struct ck_req req;
        ck_swift_request(a, s, "DELETE", numbered(a, l, n), NULL, &req);
        req.timeout_ms = CK_SWIFT_LOCK_HOLD_MS;
        CK_AUTORESP resp = {0};
        int r = ck_swift_send(s, &req, &resp, &err);
        if (r < 0 || (resp.status != 204 && resp.status != 404))
            ck_debug(1, "the lock %s_%u was not removed: %s", l->name, n,
                     r < 0 ? ck_err_msg(&err) : "refused");
    }
    l->held = false;
}
