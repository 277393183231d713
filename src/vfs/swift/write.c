/* Writing to Swift: content with its MD5 and a mark, and for conditional writes a lock, a look, the
 * write and a second look. What that guarantees and what it cannot is in docs/stores.md. kOps looks
 * and writes, without a lock. */
#include "vfs/swift/swift.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <string.h>

enum {
    MAX_KEY = 1024,
    NONCE_LEN = 16,
    SETTLE_MS = 1000, /* without locks: until writers of the same moment have shown */
};

struct put {
    struct ck_swift *s;
    const char *key;
    struct ck_slice data;
    const struct ck_write_opts *opts;
    const char *want; /* the version that is to be replaced; "" for "absent" */
    char nonce[2 * NONCE_LEN + 1];
    char etag[2 * CK_MD5_LEN + 1];
};

/* What is there now. */
struct seen {
    int status;
    bool ours; /* it carries this write's mark */
    struct ck_version version;
};

static bool conditional(const struct put *p)
{
    return p->opts->mode != CK_WRITE_ANY;
}

static int refused(const struct put *p, struct ck_err *err)
{
    if (p->opts->mode == CK_WRITE_CREATE)
        return ck_fail(err, CK_EXISTS, "file already exists");
    return ck_fail(err, CK_CONFLICT, "swift://%s/%s was changed by someone else since it was read",
                   p->s->base.container, p->key);
}

/* ---- looking ---- */

static int look(const struct put *p, struct seen *ret, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_swift_request(a, p->s, "HEAD", p->s->base.container, p->key, &req);
    ck_nvs_add(a, &req.headers, "x-newest", "true");
    CK_AUTORESP resp = {0};
    *ret = (struct seen){0};
    int r = ck_swift_send(p->s, &req, &resp, err);
    if (r < 0)
        return ck_swift_wrap(p->s, "checking", p->key, err);
    ret->status = resp.status == 204 ? 200 : resp.status;
    if (ret->status != 200 && ret->status != 404)
        return ck_swift_fail(p->s, &resp, "checking", p->key, err);
    if (ret->status == 200) {
        const char *mark = ck_nvs_get(&resp.headers, CK_SWIFT_NONCE_HEADER);
        ret->ours = mark && strcmp(mark, p->nonce) == 0;
        p->s->container_seen = true;
        ck_swift_version(&resp, &ret->version);
    }
    return 0;
}

/* 0 while the object is still what is to be replaced. */
static int unchanged(void *arg, struct ck_err *err)
{
    const struct put *p = arg;
    struct seen now;
    int r = look(p, &now, err);
    if (r < 0)
        return r;
    bool same =
        *p->want ? now.status == 200 && strcmp(now.version.token, p->want) == 0 : now.status == 404;
    return same ? 0 : refused(p, err);
}

/* ---- the write itself ---- */

enum outcome { DONE, REFUSED, FAILED, UNKNOWN };

static void put_request(struct ck_arena *a, const struct put *p, int64_t timeout,
                        struct ck_req *req)
{
    ck_swift_request(a, p->s, "PUT", p->s->base.container, p->key, req);
    req->body = p->data;
    if (timeout > 0 && (req->timeout_ms <= 0 || timeout < req->timeout_ms))
        req->timeout_ms = timeout;
    ck_nvs_add(a, &req->headers, "etag", p->etag);
    ck_nvs_add(a, &req->headers, CK_SWIFT_NONCE_HEADER, p->nonce);
    if (p->opts->mode == CK_WRITE_CREATE)
        ck_nvs_add(a, &req->headers, "if-none-match", "*");
}

/* `timeout` 0: the context's. */
static enum outcome put_once(const struct put *p, int64_t timeout, struct ck_err *err)
{
    for (bool again = false;; again = true) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        struct ck_req req;
        put_request(a, p, timeout, &req);
        CK_AUTORESP resp = {0};
        int r = ck_swift_send(p->s, &req, &resp, err);
        if (r < 0) {
            ck_swift_wrap(p->s, "writing", p->key, err);
            return r == -(int)CK_UNAVAILABLE || r == -(int)CK_TIMEOUT ? UNKNOWN : FAILED;
        }
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
    if (ret)
        snprintf(ret->token, sizeof ret->token, "%s:%s", p->etag, p->nonce);
}

/* What came of a conditional write, by a look at the object. *ret_sure: nothing of this write can
 * still arrive, so the lock may go. */
static int conclude(const struct put *p, enum outcome outcome, bool *ret_sure, struct ck_err *err)
{
    *ret_sure = outcome != UNKNOWN;
    if (outcome == FAILED)
        return -(int)err->code;
    struct seen now;
    CK_AUTOERR why = CK_ERR_INIT;
    if (look(p, &now, &why) < 0) {
        if (outcome == DONE)
            return 0; /* the server has said so */
        if (outcome == REFUSED)
            return refused(p, err);
        return ck_wrap(err, "the outcome of the write is unknown");
    }
    if (now.ours) {
        ck_err_done(err);
        *ret_sure = true;
        return 0;
    }
    if (outcome == UNKNOWN)
        return ck_wrap(err, "the outcome of the write is unknown");
    /* Removed right after it was made: that was somebody's next step. */
    return outcome == DONE && now.status == 404 ? 0 : refused(p, err);
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
    r = create ? 0 : unchanged(p, err);
    if (r == 0) {
        int64_t left = ck_lease_left(&lock.lease);
        enum outcome o = FAILED;
        if (left > 0)
            o = put_once(p, left, err);
        else
            ck_fail(err, CK_UNAVAILABLE,
                    "error writing swift://%s/%s: the store was too slow: the lock had to be given "
                    "up before the write",
                    s->base.container, p->key);
        r = conclude(p, o, &sure, err);
    }
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
    int r = unchanged(p, err);
    if (r < 0)
        return r;
    enum outcome o = put_once(p, 0, err);
    if (o == DONE)
        ck_sleep_ms(SETTLE_MS);
    return conclude(p, o, &sure, err);
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
    unsigned char nonce[NONCE_LEN], md5[CK_MD5_LEN];
    CK_AUTOBUF struct ck_buf hex = CK_BUF_INIT;
    ck_random(nonce, sizeof nonce);
    ck_hex_encode(&hex, nonce, sizeof nonce);
    memcpy(p->nonce, hex.ptr, sizeof p->nonce);
    ck_buf_reset(&hex);
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
        r = put_once(&p, 0, err) == DONE ? 0 : -(int)err->code;
    if (r == 0)
        version_of(&p, ret);
    return r;
}

/* ---- deleting ---- */

static int delete_once(const struct put *p, int64_t timeout, bool *ret_absent, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_swift_request(a, p->s, "DELETE", p->s->base.container, p->key, &req);
    if (timeout > 0 && (req.timeout_ms <= 0 || timeout < req.timeout_ms))
        req.timeout_ms = timeout;
    CK_AUTORESP resp = {0};
    int r = ck_swift_send(p->s, &req, &resp, err);
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

static int remove_version(struct put *p, struct ck_err *err)
{
    struct ck_swift_lock lock = {.s = p->s, .key = p->key, .moved = unchanged, .arg = p};
    bool absent;
    int r = unchanged(p, err);
    if (r == 0 && p->s->locks)
        r = ck_swift_lock(&lock, p->want, err);
    if (r == 0 && lock.lease.held)
        r = unchanged(p, err);
    if (r == 0)
        r = delete_once(p, lock.lease.held ? ck_lease_left(&lock.lease) : 0, &absent, err);
    if (r != -(int)CK_UNAVAILABLE && r != -(int)CK_TIMEOUT)
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
