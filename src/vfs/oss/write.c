/* Writing to OSS. Creates are exclusive by the service (x-oss-forbid-overwrite). Updates and
 * removals of a version have no condition there: they take a lock, which is an object made
 * exclusively, look at the version, and write within the time that the lock is certainly theirs.
 * What that guarantees and what it cannot is in docs/stores.md. kOps looks and writes. */
#include "vfs/oss/oss.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <string.h>

enum {
    SETTLE_MS = 1000, /* in buckets with versions: until writers of the same moment have shown */
    LATE_MS = 5000,   /* what was sent over a connection that broke arrives within that, or never */
    AGAIN_MS = 100,
    TRIES = 5,
};

#define LOCKS ".ckops/locks/"

static int changed(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    return ck_fail(err, CK_CONFLICT, "oss://%s/%s was changed by someone else since it was read",
                   v->container, key);
}

/* ---- one exclusive or plain write ---- */

static void at_most(struct ck_req *req, int64_t ms)
{
    ms = ms > 0 ? ms : 1;
    if (req->timeout_ms <= 0 || ms < req->timeout_ms)
        req->timeout_ms = ms;
}

static void put_request(struct ck_arena *a, struct ck_oss *s, const struct ck_object_put *p,
                        struct ck_req *req)
{
    unsigned char md5[CK_MD5_LEN];
    CK_AUTOBUF struct ck_buf b64 = CK_BUF_INIT;
    ck_oss_base(a, s, "PUT", p->key, req);
    req->body = p->data;
    if (s->put_until_ms)
        at_most(req, s->put_until_ms - ck_mono_ms());
    ck_md5(p->data, md5);
    ck_base64_encode(&b64, md5, sizeof md5);
    ck_nvs_addf(a, &req->headers, "content-md5", "%s", ck_buf_str(&b64));
    ck_nvs_add(a, &req->headers, "content-type", "application/octet-stream");
    if (p->opts->mode == CK_WRITE_CREATE)
        ck_nvs_add(a, &req->headers, "x-oss-forbid-overwrite", "true");
    ck_nvs_add(a, &req->headers, CK_OSS_MARKS, p->marks);
    ck_nvs_add(a, &req->headers, "x-oss-object-acl",
               p->opts->public_read ? "public-read" : "private");
}

/* Whether the object is there, and the write's. */
static int look(struct ck_vfs *v, const struct ck_object_put *p, bool *ret_found, bool *ret_ours,
                struct ck_err *err)
{
    CK_AUTORESP resp = {0};
    struct ck_object_facts facts;
    int r = ck_object_facts(v, p->key, &resp, &facts, err);
    *ret_found = facts.found;
    *ret_ours = facts.found && ck_marks_judge(p->marks, facts.marks) == CK_MARKS_OURS;
    return r;
}

/* Where the bucket keeps versions the service overwrites in spite of forbid-overwrite: what is
 * there already is found by looking first, and writers of the same moment by looking again. */
static int create(struct ck_vfs *v, const struct ck_object_put *p, struct ck_resp *ret,
                  struct ck_err *err)
{
    struct ck_oss *s = (struct ck_oss *)v;
    bool found = false, ours = false;
    if (s->versioning != CK_OSS_VERSIONING_NO) {
        int r = look(v, p, &found, &ours, err);
        if (r < 0)
            return r;
        if (found) {
            ret->status = 409;
            return 0;
        }
    }
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    put_request(a, s, p, &req);
    int r = ck_http_do(ck_object_http(v), &req, ret, err);
    if (r < 0 || ret->status != 200)
        return r;
    bool versions = ck_nvs_get(&ret->headers, "x-oss-version-id") != NULL;
    s->versioning = versions ? CK_OSS_VERSIONING_YES : CK_OSS_VERSIONING_NO;
    if (!versions)
        return 0;
    ck_debug(1,
             "oss://%s keeps versions: two creators within the same second may not be told apart",
             v->container);
    ck_sleep_ms(SETTLE_MS);
    r = look(v, p, &found, &ours, err);
    if (r == 0 && !ours)
        ret->status = 409;
    return r;
}

/* ---- what replaces a version ---- */

static bool still_there(struct ck_vfs *v, const char *key, const char *version)
{
    CK_AUTORESP resp = {0};
    CK_AUTOERR ignored = CK_ERR_INIT;
    struct ck_object_facts facts;
    return ck_object_facts(v, key, &resp, &facts, &ignored) == 0 && facts.found &&
           strcmp(facts.version.token, version) == 0;
}

/* Send what replaces or removes a version, under its lock, which ends at `until_ms`. The service
 * does not compare, so a blind second sending could undo what others wrote on top of the first: it
 * is sent again only when the version is still there after the first can no longer arrive. */
static int send_once(struct ck_vfs *v, const char *key, const char *version, int64_t until_ms,
                     struct ck_req *req, struct ck_resp *ret, struct ck_err *err)
{
    req->retry = CK_RETRY_NONE;
    for (unsigned i = 0;; i++) {
        at_most(req, until_ms - ck_mono_ms());
        int r = ck_http_do(ck_object_http(v), req, ret, err);
        if (r < 0 ? r != -(int)CK_UNAVAILABLE : ret->status < 500 && ret->status != 429)
            return r;
        /* Nothing of it is under way any more when the service itself has answered. */
        bool over = r == 0 && ret->status != 502 && ret->status != 504;
        int64_t wait = over ? (int64_t)AGAIN_MS << i : LATE_MS;
        if (i + 1 >= TRIES || ck_mono_ms() + wait + SETTLE_MS > until_ms)
            return r;
        if (!over && !still_there(v, key, version))
            return r;
        ck_sleep_ms(wait);
        if (!still_there(v, key, version))
            return r;
        ck_resp_done(ret);
        ck_err_done(err);
    }
}

int ck_oss_send_put(struct ck_vfs *v, const struct ck_object_put *p, struct ck_resp *ret,
                    struct ck_err *err)
{
    struct ck_oss *s = (struct ck_oss *)v;
    if (p->opts->mode == CK_WRITE_CREATE)
        return create(v, p, ret, err);
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    put_request(a, s, p, &req);
    if (p->opts->mode == CK_WRITE_ANY)
        return ck_http_do(ck_object_http(v), &req, ret, err);
    int64_t until = s->put_until_ms ? s->put_until_ms : ck_mono_ms() + CK_LEASE_HOLD_MS;
    return send_once(v, p->key, p->opts->version->token, until, &req, ret, err);
}

enum ck_object_verdict ck_oss_judge_put(struct ck_vfs *v, const struct ck_object_put *p,
                                        const struct ck_resp *resp, struct ck_version *ret)
{
    if (resp->status == 200) {
        const char *etag = ck_nvs_get(&resp->headers, "etag");
        ret->token[0] = '\0';
        if (etag && !strchr(etag, ' ')) {
            snprintf(ret->token, sizeof ret->token, "%.80s", etag);
            ck_marks_add(ret, p->marks);
        }
        return CK_OBJECT_DONE;
    }
    const char *code = ck_oss_code(resp);
    bool exists = !*code || strcmp(code, "FileAlreadyExists") == 0 ||
                  strcmp(code, "ObjectAlreadyExists") == 0;
    return p->opts->mode == CK_WRITE_CREATE && resp->status == 409 && exists ? CK_OBJECT_REFUSED
                                                                             : CK_OBJECT_FAILED;
}

/* ---- locks ---- */

/* A turn at one version of one key. */
struct turn {
    struct ck_oss *s;
    const char *key, *want;
    struct ck_lease lease;
};

static const char *lock_key(struct ck_arena *a, const char *name)
{
    return ck_arena_printf(a, LOCKS "%s", name);
}

static int take_failed(const struct turn *t, const char *key, int r, struct ck_err *err)
{
    if (!err || r != -(int)CK_DENIED)
        return ck_wrap(err, "taking a lock for oss://%s/%s", t->s->base.base.container, t->key);
    CK_AUTOERR why = CK_ERR_INIT;
    ck_err_move(&why, err);
    return ck_fail(err, CK_DENIED,
                   "taking a lock for oss://%s/%s: %s; a lock is an object of its own: allow "
                   "GetObject, PutObject and DeleteObject on %.20s*, or set CKOPS_OSS_LOCKS=no to "
                   "look before and after each write instead, which does not tell two writers "
                   "within the same second apart",
                   t->s->base.base.container, t->key, ck_err_msg(&why), key);
}

static int take(void *arg, const char *name, int64_t left, bool *ret_ours, struct ck_err *err)
{
    static const struct ck_write_opts opts = {.mode = CK_WRITE_CREATE};
    const struct turn *t = arg;
    struct ck_oss *s = t->s;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR why = CK_ERR_INIT;
    const char *key = lock_key(a, name);
    s->put_until_ms = ck_mono_ms() + left;
    int r = ck_object_write(&s->base.base, key, CK_S("ckops\n"), &opts, NULL, &why);
    s->put_until_ms = 0;
    *ret_ours = r == 0;
    if (r == 0 || r == -(int)CK_EXISTS)
        return 0;
    if (err)
        ck_err_move(err, &why);
    return take_failed(t, key, r, err);
}

/* A lock that cannot be removed stays as an empty object; nobody waits for it, because its version
 * does not come back. */
static void drop(void *arg, const char *name)
{
    const struct turn *t = arg;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    if (ck_object_remove(&t->s->base.base, lock_key(a, name), NULL, &err) < 0)
        ck_debug(1, "the lock %s was not removed: %s", name, ck_err_msg(&err));
}

/* 0 while the object is still what is to be replaced. */
static int unchanged(void *arg, struct ck_err *err)
{
    const struct turn *t = arg;
    CK_AUTORESP resp = {0};
    struct ck_object_facts facts;
    int r = ck_object_facts(&t->s->base.base, t->key, &resp, &facts, err);
    if (r < 0)
        return r;
    bool same = facts.found && strcmp(facts.version.token, t->want) == 0;
    return same ? 0 : changed(&t->s->base.base, t->key, err);
}

static const struct ck_lease_ops lease_ops = {take, drop, unchanged};

/* Take the lock and make sure that the object is what was read. *ret_left: time to act in. */
static int begin(struct turn *t, int64_t *ret_left, struct ck_err *err)
{
    struct ck_oss *s = t->s;
    *ret_left = 0;
    /* A look is cheaper than a lock; it pays where the answer is likely to be no. */
    int r = s->base.base.losses || !s->locks ? unchanged(t, err) : 0;
    if (r < 0 || !s->locks)
        return r;
    r = ck_lease_take(&s->base.base, t->key, t->want, &lease_ops, t, &t->lease, err);
    if (r < 0)
        return r;
    r = unchanged(t, err);
    *ret_left = ck_lease_left(&t->lease);
    if (r == 0 && *ret_left <= 0)
        r = ck_fail(
            err, CK_UNAVAILABLE,
            "error writing oss://%s/%s: the store was too slow: the lock had to be given up "
            "before the write",
            s->base.base.container, t->key);
    if (r < 0)
        ck_lease_drop(&lease_ops, t, &t->lease);
    return r;
}

/* What was sent without a reply may still arrive: then the lock stays until others take it for
 * left behind. */
static void end(struct turn *t, int r)
{
    if (r != -(int)CK_UNAVAILABLE && r != -(int)CK_TIMEOUT)
        ck_lease_drop(&lease_ops, t, &t->lease);
}

/* ---- conditional updates ---- */

/* Without the right to make locks: after the look and the write another look, a moment later. */
static int settle(struct turn *t, const struct ck_version *written, struct ck_err *err)
{
    struct turn after = {.s = t->s, .key = t->key, .want = written->token};
    ck_sleep_ms(SETTLE_MS);
    return unchanged(&after, err);
}

static int update(struct turn *t, struct ck_slice data, const struct ck_write_opts *opts,
                  struct ck_version *ret, struct ck_err *err)
{
    struct ck_oss *s = t->s;
    int64_t left;
    int r = begin(t, &left, err);
    if (r < 0)
        return r;
    s->put_until_ms = left > 0 ? ck_mono_ms() + left : 0;
    r = ck_object_write(&s->base.base, t->key, data, opts, ret, err);
    s->put_until_ms = 0;
    if (r == 0 && !s->locks)
        r = settle(t, ret, err);
    end(t, r);
    return r;
}

int ck_oss_write(struct ck_vfs *v, const char *key, struct ck_slice data,
                 const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err)
{
    struct ck_oss *s = (struct ck_oss *)v;
    struct ck_version version;
    CK_AUTOERR local = CK_ERR_INIT;
    if (!opts || opts->mode != CK_WRITE_IF_UNCHANGED)
        return ck_object_write(v, key, data, opts, ret, err);
    int r = ck_oss_prepare(v, err);
    if (r < 0)
        return r;
    if (!opts->version || !*opts->version->token)
        return changed(v, key, err); /* nothing to compare with: fail closed */
    struct turn t = {.s = s, .key = key, .want = opts->version->token};
    return update(&t, data, opts, ret ? ret : &version, err ? err : &local);
}

/* ---- removing ---- */

static int remove_locked(const struct turn *t, int64_t until_ms, struct ck_err *err)
{
    struct ck_vfs *v = &t->s->base.base;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_oss_base(a, t->s, "DELETE", t->key, &req);
    CK_AUTORESP resp = {0};
    int r = send_once(v, t->key, t->want, until_ms, &req, &resp, err);
    if (r == 0 && (resp.status == 200 || resp.status == 204))
        return 0;
    if (r < 0)
        ck_wrap(err, "error deleting oss://%s/%s", v->container, t->key);
    else
        r = ck_oss_fail(v, CK_OBJECT_REMOVE, t->key, &resp, err);
    CK_AUTORESP now = {0};
    CK_AUTOERR why = CK_ERR_INIT;
    struct ck_object_facts facts;
    bool gone = r == -(int)CK_NOT_FOUND; /* an earlier sending of the same removal */
    if (!gone && (r == -(int)CK_UNAVAILABLE || r == -(int)CK_TIMEOUT))
        gone = ck_object_facts(v, t->key, &now, &facts, &why) == 0 && !facts.found;
    if (!gone)
        return r;
    ck_err_done(err);
    return 0;
}

int ck_oss_remove(struct ck_vfs *v, const char *key, const struct ck_version *version,
                  struct ck_err *err)
{
    struct ck_oss *s = (struct ck_oss *)v;
    CK_AUTOERR local = CK_ERR_INIT;
    int64_t left;
    if (!version)
        return ck_object_remove(v, key, NULL, err);
    err = err ? err : &local;
    int r = ck_oss_prepare(v, err);
    if (r < 0)
        return r;
    if (!*version->token)
        return changed(v, key, err);
    struct turn t = {.s = s, .key = key, .want = version->token};
    r = begin(&t, &left, err);
    if (r < 0)
        return r;
    r = remove_locked(&t, ck_mono_ms() + (left > 0 ? left : CK_LEASE_HOLD_MS), err);
    end(&t, r);
    return r;
}
