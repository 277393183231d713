/* Writing to Swift: content with its MD5 and marks, and for conditional writes a lock, a look, the
 * write and a second look. What that guarantees and what it cannot is in docs/stores.md. kOps looks
 * and writes, without a lock. */
#include "vfs/swift/swift.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "vfs/object/once.h"
#include "vfs/object/outcome.h"

#include <stdio.h>
#include <string.h>

enum {
    MAX_KEY = 1024,
    SETTLE_MS = 1000, /* without locks: until writers of the same moment have shown */
};

struct put {
    struct ck_swift *s;
    const char *key;
    struct ck_slice data;
    const struct ck_write_opts *opts;
    const char *want; /* the version that is to be replaced; "" for "absent" */
    char marks[CK_MARKS_LEN];
    char etag[2 * CK_MD5_LEN + 1];
};

static bool conditional(const struct put *p)
{
    return p->opts->mode != CK_WRITE_ANY;
}

/* ---- looking ---- */

static int look(void *arg, struct ck_seen *ret, struct ck_err *err)
{
    const struct put *p = arg;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_swift_request(a, p->s, "HEAD", p->s->base.container, p->key, &req);
    ck_nvs_add(a, &req.headers, "x-newest", "true");
    CK_AUTORESP resp = {0};
    *ret = (struct ck_seen){.verdict = CK_MARKS_UNKNOWN};
    int r = ck_swift_send(p->s, &req, &resp, err);
    if (r < 0)
        return ck_swift_wrap(p->s, "checking", p->key, err);
    if (resp.status != 200 && resp.status != 204 && resp.status != 404)
        return ck_swift_fail(p->s, &resp, "checking", p->key, err);
    ret->found = resp.status != 404;
    if (!ret->found)
        return 0;
    p->s->container_seen = true;
    ck_swift_version(&resp, &ret->version);
    struct ck_version want = {""};
    snprintf(want.token, sizeof want.token, "%s", p->want);
    ret->verdict =
        ck_outcome_judge(p->marks, &want, &ret->version, ck_nvs_get(&resp.headers, CK_SWIFT_MARKS));
    return 0;
}

static struct ck_outcome outcome_of(struct put *p)
{
    return (struct ck_outcome){.scheme = "swift",
                               .container = p->s->base.container,
                               .key = p->key,
                               .create = p->opts->mode == CK_WRITE_CREATE,
                               .late = true,
                               .look = look,
                               .arg = p};
}

static int refused(struct put *p, struct ck_err *err)
{
    const struct ck_outcome o = outcome_of(p);
    return ck_outcome_refused(&o, err);
}

static bool as_wanted(const struct put *p, const struct ck_seen *now)
{
    return *p->want ? now->found && strcmp(now->version.token, p->want) == 0 : !now->found;
}

/* 0 while the object is still what is to be replaced. */
static int unchanged(void *arg, struct ck_err *err)
{
    struct put *p = arg;
    struct ck_seen now;
    int r = look(arg, &now, err);
    return r < 0 || as_wanted(p, &now) ? r : refused(p, err);
}

static bool still_there(void *arg)
{
    CK_AUTOERR ignored = CK_ERR_INIT;
    return unchanged(arg, &ignored) == 0;
}

/* ---- sending under a lock ---- */

/* The time at which the lock ends; without locks that of one that would be taken now. UNAVAILABLE
 * when it has passed: nothing may be sent any more. */
static int end_of_lock(const struct put *p, const struct ck_swift_lock *l, const char *what,
                       int64_t *ret, struct ck_err *err)
{
    int64_t left = l->lease.held ? ck_lease_left(&l->lease) : CK_LEASE_HOLD_MS;
    *ret = ck_mono_ms() + left;
    if (left > 0)
        return 0;
    return ck_fail(err, CK_UNAVAILABLE,
                   "error %s swift://%s/%s: the store was too slow: the lock had to be given up "
                   "before that",
                   what, p->s->base.container, p->key);
}

/* `until` 0: unconditional. */
static int send(struct put *p, struct ck_req *req, int64_t until, struct ck_resp *ret,
                struct ck_err *err)
{
    if (!until)
        return ck_swift_send(p->s, req, ret, err);
    const struct ck_once o = {.v = &p->s->base,
                              .http = ck_swift_http(p->s),
                              .until_ms = until,
                              .still_there = still_there,
                              .arg = p};
    return ck_once_send(&o, req, ret, err);
}

/* Whether a failure leaves open what was done. */
static bool leaves_open(int r)
{
    return r == -(int)CK_UNAVAILABLE || r == -(int)CK_TIMEOUT;
}

/* ---- the write itself ---- */

enum outcome { DONE, REFUSED, FAILED, UNKNOWN };

static void put_request(struct ck_arena *a, const struct put *p, struct ck_req *req)
{
    ck_swift_request(a, p->s, "PUT", p->s->base.container, p->key, req);
    req->body = p->data;
    ck_nvs_add(a, &req->headers, "etag", p->etag);
    ck_nvs_add(a, &req->headers, CK_SWIFT_MARKS, p->marks);
    if (p->opts->mode == CK_WRITE_CREATE)
        ck_nvs_add(a, &req->headers, "if-none-match", "*");
}

/* *ret_sent: how often, at least. */
static enum outcome put_once(struct put *p, int64_t until, unsigned *ret_sent, struct ck_err *err)
{
    *ret_sent = 1;
    for (bool again = false;; again = true) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        struct ck_req req;
        put_request(a, p, &req);
        CK_AUTORESP resp = {0};
        int r = send(p, &req, until, &resp, err);
        if (r < 0) {
            ck_swift_wrap(p->s, "writing", p->key, err);
            return leaves_open(r) ? UNKNOWN : FAILED;
        }
        *ret_sent = resp.attempts;
        if (resp.status == 201) {
            p->s->container_seen = true;
            return DONE;
        }
        /* 202: the server has something newer already. */
        if (resp.status == 202 || (resp.status == 412 && p->opts->mode == CK_WRITE_CREATE))
            return REFUSED;
        if (resp.status == 404 && !again) {
            if (ck_swift_make_container(p->s, p->key, err) < 0)
                return FAILED;
            continue;
        }
        ck_swift_fail(p->s, &resp, "writing", p->key, err);
        return resp.status >= 500 ? UNKNOWN : FAILED;
    }
}

static void version_of(const struct put *p, struct ck_version *ret)
{
    if (!ret)
        return;
    snprintf(ret->token, sizeof ret->token, "%s", p->etag);
    ck_marks_add(ret, p->marks);
}

/* The second look, after a reply that says "done". */
static int confirm(struct put *p, struct ck_err *err)
{
    struct ck_seen now;
    CK_AUTOERR why = CK_ERR_INIT;
    /* Without a look the server's word counts. What was removed right after it was made was
     * somebody's next step. */
    if (look(p, &now, &why) < 0 || !now.found)
        return 0;
    switch (now.verdict) {
    case CK_MARKS_OURS:
    case CK_MARKS_OURS_ONCE:
        return 0;
    case CK_MARKS_UNCHANGED:
    case CK_MARKS_BURIED:
        return ck_fail(
            err, CK_UNAVAILABLE,
            "the outcome of the write is unknown: swift://%s/%s was reported as written, "
            "but is not what was written",
            p->s->base.container, p->key);
    case CK_MARKS_NOT_OURS:
    case CK_MARKS_UNKNOWN:
        break;
    }
    return refused(p, err);
}

/* What came of a conditional write, by a look at the object. *ret_sure: nothing of this write can
 * still arrive, so the lock may go. */
static int conclude(struct put *p, enum outcome outcome, unsigned sent, bool *ret_sure,
                    struct ck_err *err)
{
    const struct ck_outcome o = outcome_of(p);
    *ret_sure = true;
    if (outcome == FAILED)
        return -(int)err->code;
    int r = outcome == DONE      ? confirm(p, err)
            : outcome == REFUSED ? ck_outcome_of_refusal(&o, sent > 1, NULL, err)
                                 : ck_outcome_of_silence(&o, NULL, err);
    *ret_sure = !leaves_open(r);
    return r;
}

/* ---- conditional writes ---- */

static int put_locked(struct put *p, struct ck_err *err)
{
    struct ck_swift *s = p->s;
    struct ck_swift_lock lock = {.s = s, .key = p->key, .moved = unchanged, .arg = p};
    /* A look is cheaper than a lock; it pays where the answer is likely to be no. */
    bool create = p->opts->mode == CK_WRITE_CREATE;
    int r = create || s->base.losses ? unchanged(p, err) : 0;
    if (r == 0)
        r = ck_swift_lock(&lock, p->want, err);
    if (r < 0)
        return r;
    bool sure = true;
    int64_t until;
    unsigned sent;
    r = create ? 0 : unchanged(p, err);
    if (r == 0)
        r = end_of_lock(p, &lock, "writing", &until, err);
    if (r == 0) {
        enum outcome o = put_once(p, until, &sent, err);
        r = conclude(p, o, sent, &sure, err);
    }
    lock.spent = r == 0 && !create;
    if (sure)
        ck_swift_unlock(&lock);
    return r;
}

/* Without the right to make locks: look, write, wait, look again. Finds every change that is older
 * than the first look, and of writers that all do the same those that overlap by less than the
 * wait. */
static int put_unlocked(struct put *p, struct ck_err *err)
{
    bool sure;
    unsigned sent;
    int r = unchanged(p, err);
    if (r < 0)
        return r;
    enum outcome o = put_once(p, ck_mono_ms() + CK_LEASE_HOLD_MS, &sent, err);
    if (o == DONE)
        ck_sleep_ms(SETTLE_MS);
    return conclude(p, o, sent, &sure, err);
}

static int check_key(const struct ck_swift *s, const char *key, struct ck_err *err)
{
    if (strlen(key) > MAX_KEY)
        return ck_fail(err, CK_INVALID,
                       "error writing swift://%s/%.64s…: keys have at most %d bytes",
                       s->base.container, key, MAX_KEY);
    if (!*key)
        return ck_fail(err, CK_INVALID,
                       "error writing swift://%s/: an object name must not be empty",
                       s->base.container);
    if (!ck_utf8_valid(ck_slice_of(key)))
        return ck_fail(err, CK_INVALID,
                       "error writing to swift://%s: the key is not UTF-8, which Swift needs",
                       s->base.container);
    return 0;
}

static void mark(struct put *p)
{
    unsigned char md5[CK_MD5_LEN];
    CK_AUTOBUF struct ck_buf hex = CK_BUF_INIT;
    ck_marks_new(p->want, p->marks);
    ck_md5(p->data, md5);
    ck_hex_encode(&hex, md5, sizeof md5);
    memcpy(p->etag, hex.ptr, sizeof p->etag);
}

int ck_swift_write(struct ck_vfs *v, const char *key, struct ck_slice data,
                   const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err)
{
    struct ck_swift *s = (struct ck_swift *)v;
    static const struct ck_write_opts any = {.mode = CK_WRITE_ANY};
    struct put p = {.s = s, .key = key, .data = data, .opts = opts ? opts : &any, .want = ""};
    CK_AUTOERR local = CK_ERR_INIT;
    unsigned sent;
    if (!err)
        err = &local;
    int r = check_key(s, key, err);
    if (r == 0 && p.opts->public_read)
        r = ck_fail(err, CK_UNSUPPORTED,
                    "error writing swift://%s/%s: Swift makes containers public, not objects",
                    s->base.container, key);
    if (r == 0)
        r = ck_swift_prepare(s, err);
    if (r < 0)
        return r;
    if (p.opts->mode == CK_WRITE_IF_UNCHANGED) {
        p.want = p.opts->version ? p.opts->version->token : "";
        if (!*p.want)
            return refused(&p, err); /* nothing to compare with: fail closed */
    }
    mark(&p);
    if (conditional(&p))
        r = s->locks ? put_locked(&p, err) : put_unlocked(&p, err);
    else
        r = put_once(&p, 0, &sent, err) == DONE ? 0 : -(int)err->code;
    if (r == 0)
        version_of(&p, ret);
    return r;
}

/* ---- deleting ---- */

/* `until` 0: unconditional. */
static int delete_once(struct put *p, int64_t until, bool *ret_absent, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_swift_request(a, p->s, "DELETE", p->s->base.container, p->key, &req);
    CK_AUTORESP resp = {0};
    int r = send(p, &req, until, &resp, err);
    *ret_absent = false;
    if (r < 0)
        return ck_swift_wrap(p->s, "deleting", p->key, err);
    if (resp.status == 404) {
        /* After a resend it may have been our own first sending. */
        *ret_absent = resp.attempts <= 1;
        return ck_swift_check_container(p->s, "deleting", p->key, err);
    }
    if (resp.status >= 200 && resp.status < 300)
        return 0;
    return ck_swift_fail(p->s, &resp, "deleting", p->key, err);
}

/* *ret_sure: the removal cannot take effect any more, so the lock may go. */
static int delete_locked(struct put *p, int64_t until, bool *ret_sure, struct ck_err *err)
{
    bool absent;
    struct ck_seen now;
    CK_AUTOERR why = CK_ERR_INIT;
    int r = delete_once(p, until, &absent, err);
    *ret_sure = !leaves_open(r);
    if (*ret_sure)
        return r;
    if (look(p, &now, &why) < 0 || now.found)
        return ck_wrap(err, "the outcome of the removal is unknown");
    *ret_sure = true;
    ck_err_done(err);
    return 0;
}

static int remove_version(struct put *p, struct ck_err *err)
{
    struct ck_swift_lock lock = {.s = p->s, .key = p->key, .moved = unchanged, .arg = p};
    bool sure = true;
    int64_t until;
    int r = unchanged(p, err);
    if (r == 0 && p->s->locks)
        r = ck_swift_lock(&lock, p->want, err);
    if (r == 0 && lock.lease.held)
        r = unchanged(p, err);
    if (r == 0)
        r = end_of_lock(p, &lock, "deleting", &until, err);
    if (r == 0)
        r = delete_locked(p, until, &sure, err);
    lock.spent = r == 0;
    if (sure)
        ck_swift_unlock(&lock);
    return r;
}

int ck_swift_remove(struct ck_vfs *v, const char *key, const struct ck_version *version,
                    struct ck_err *err)
{
    struct ck_swift *s = (struct ck_swift *)v;
    static const struct ck_write_opts opts = {.mode = CK_WRITE_IF_UNCHANGED};
    struct put p = {.s = s, .key = key, .opts = &opts, .want = version ? version->token : ""};
    CK_AUTOERR local = CK_ERR_INIT;
    bool absent;
    if (!err)
        err = &local;
    int r = ck_swift_prepare(s, err);
    if (r < 0)
        return r;
    if (!version)
        return delete_once(&p, 0, &absent, err);
    return *p.want ? remove_version(&p, err) : refused(&p, err);
}

int ck_swift_remove_versions(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    struct ck_swift *s = (struct ck_swift *)v;
    struct put p = {.s = s, .key = key, .want = ""};
    bool absent = false;
    int r = ck_swift_prepare(s, err);
    if (r == 0)
        r = delete_once(&p, 0, &absent, err);
    if (r == 0 && absent)
        return ck_fail(err, CK_NOT_FOUND, "error deleting swift://%s/%s: file does not exist",
                       s->base.container, key);
    return r;
}
