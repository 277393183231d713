/* Locks of Swift: a container whose making is the taking.
 *
 * Swift has no atomic write: If-None-Match is looked at before the write, in a step of its own.
 * What each container server does in one step is making a container that has never been there, and
 * the proxy answers 201 only when every replica that replied has made it for this request. So a
 * lock is a container named after the key and the version that is to be replaced: that version
 * never returns, so neither does the lock. */
#include "vfs/swift/swift.h"

#include "base/clock.h"
#include "base/log.h"
#include "vfs/object/once.h"

static int take(void *arg, const char *name, int64_t left, bool *ret_ours, struct ck_err *err)
{
    const struct ck_swift_lock *l = arg;
    struct ck_swift *s = l->s;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_swift_request(a, s, "PUT", name, NULL, &req);
    req.timeout_ms = left;
    CK_AUTORESP resp = {0};
    int r = ck_swift_send(s, &req, &resp, err);
    if (r < 0)
        return ck_swift_wrap(s, "taking a lock for", l->key, err);
    *ret_ours = resp.status == 201;
    if (*ret_ours || resp.status == 202 || resp.status == 204)
        return 0;
    r = ck_swift_fail(s, &resp, "taking a lock for", l->key, err);
    if (err && (r == -(int)CK_DENIED || r == -(int)CK_LIMIT)) {
        CK_AUTOERR why = CK_ERR_INIT;
        ck_err_move(&why, err);
        ck_fail(err, why.code,
                "%s; a lock is a container of its own: allow this user to make containers, or set "
                "CKOPS_SWIFT_LOCKS=no to look before and after each write instead, which does not "
                "tell two writers within the same second apart",
                ck_err_msg(&why));
    }
    return r;
}

/* A removal that was sent twice could meet the lock of somebody else the second time: of a version
 * that is still there, or of "absent", which comes back. So it is sent again only after a refusal,
 * unless the lock is spent. One that cannot be removed costs the next writer of that version a
 * wait, and nobody else anything. */
static void drop(void *arg, const char *name)
{
    const struct ck_swift_lock *l = arg;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_req req;
    ck_swift_request(a, l->s, "DELETE", name, NULL, &req);
    req.timeout_ms = CK_LEASE_HOLD_MS;
    CK_AUTORESP resp = {0};
    const struct ck_once once = {
        .v = &l->s->base, .http = ck_swift_http(l->s), .until_ms = ck_mono_ms() + CK_LEASE_HOLD_MS};
    int r =
        l->spent ? ck_swift_send(l->s, &req, &resp, &err) : ck_once_send(&once, &req, &resp, &err);
    if (r < 0 || (resp.status != 204 && resp.status != 404))
        ck_debug(1, "the lock %s was not removed: %s", name, r < 0 ? ck_err_msg(&err) : "refused");
}

static int moved(void *arg, struct ck_err *err)
{
    const struct ck_swift_lock *l = arg;
    return l->moved(l->arg, err);
}

static const struct ck_lease_ops ops = {take, drop, moved};

int ck_swift_lock(struct ck_swift_lock *l, const char *version, struct ck_err *err)
{
    return ck_lease_take(&l->s->base, l->key, version, &ops, l, &l->lease, err);
}

void ck_swift_unlock(struct ck_swift_lock *l)
{
    ck_lease_drop(&ops, l, &l->lease);
}
