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
};

#define LOCKS ".ckops/locks/"

static void new_mark(char mark[CK_OBJECT_MARK_LEN + 1])
{
    unsigned char random[CK_OBJECT_MARK_LEN / 2];
    CK_AUTOBUF struct ck_buf hex = CK_BUF_INIT;
    ck_random(random, sizeof random);
    ck_hex_encode(&hex, random, sizeof random);
    memcpy(mark, hex.ptr, CK_OBJECT_MARK_LEN + 1);
}

static int changed(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    return ck_fail(err, CK_CONFLICT, "oss://%s/%s was changed by someone else since it was read",
                   v->container, key);
}

/* ---- one exclusive or plain write ---- */

static void put_request(struct ck_arena *a, struct ck_oss *s, const struct ck_object_put *p,
                        struct ck_req *req)
{
    unsigned char md5[CK_MD5_LEN];
    CK_AUTOBUF struct ck_buf b64 = CK_BUF_INIT;
    ck_oss_base(a, s, "PUT", p->key, req);
    req->body = p->data;
    if (s->put_ms > 0 && (req->timeout_ms <= 0 || s->put_ms < req->timeout_ms))
        req->timeout_ms = s->put_ms;
    ck_md5(p->data, md5);
    ck_base64_encode(&b64, md5, sizeof md5);
    ck_nvs_addf(a, &req->headers, "content-md5", "%s", ck_buf_str(&b64));
    ck_nvs_add(a, &req->headers, "content-type", "application/octet-stream");
    if (p->opts->mode == CK_WRITE_CREATE)
        ck_nvs_add(a, &req->headers, "x-oss-forbid-overwrite", "true");
    ck_nvs_addf(a, &req->headers, CK_OSS_MARK, "%s", s->mark);
    ck_nvs_add(a, &req->headers, "x-oss-object-acl",
               p->opts->public_read ? "public-read" : "private");
}

/* Whether the object carries the mark of the write under way. */
static int look(struct ck_vfs *v, const char *key, bool *ret_found, bool *ret_ours,
                struct ck_err *err)
{
    CK_AUTORESP resp = {0};
    struct ck_object_facts facts;
    int r = ck_object_facts(v, key, &resp, &facts, err);
    *ret_found = facts.found;
    *ret_ours = facts.found && facts.mark && strcmp(facts.mark, ((struct ck_oss *)v)->mark) == 0;
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
        int r = look(v, p->key, &found, &ours, err);
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
    r = look(v, p->key, &found, &ours, err);
    if (r == 0 && !ours)
        ret->status = 409;
    return r;
}

int ck_oss_send_put(struct ck_vfs *v, const struct ck_object_put *p, struct ck_resp *ret,
                    struct ck_err *err)
{
    struct ck_oss *s = (struct ck_oss *)v;
    if (*p->mark)
        memcpy(s->mark, p->mark, sizeof s->mark);
    else
        new_mark(s->mark);
    if (p->opts->mode == CK_WRITE_CREATE)
        return create(v, p, ret, err);
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    put_request(a, s, p, &req);
    return ck_http_do(ck_object_http(v), &req, ret, err);
}

enum ck_object_verdict ck_oss_judge_put(struct ck_vfs *v, const struct ck_object_put *p,
                                        const struct ck_resp *resp, struct ck_version *ret)
{
    const struct ck_oss *s = (const struct ck_oss *)v;
    if (resp->status == 200) {
        const char *etag = ck_nvs_get(&resp->headers, "etag");
        ret->token[0] = '\0';
        if (etag)
            snprintf(ret->token, sizeof ret->token, "%.80s:%s", etag, s->mark);
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
    s->put_ms = left;
    int r = ck_object_write(&s->base.base, key, CK_S("ckops\n"), &opts, NULL, &why);
    s->put_ms = 0;
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
    s->put_ms = left;
    r = ck_object_write(&s->base.base, t->key, data, opts, ret, err);
    s->put_ms = 0;
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
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_oss_base(a, s, "DELETE", key, &req);
    if (left > 0 && (req.timeout_ms <= 0 || left < req.timeout_ms))
        req.timeout_ms = left;
    CK_AUTORESP resp = {0};
    r = ck_http_do(ck_object_http(v), &req, &resp, err);
    if (r < 0)
        ck_wrap(err, "error deleting oss://%s/%s", v->container, key);
    else if (resp.status != 200 && resp.status != 204)
        r = ck_oss_fail(v, CK_OBJECT_REMOVE, key, &resp, err);
    if (r == -(int)CK_NOT_FOUND) { /* an earlier sending of the same removal */
        ck_err_done(err);
        r = 0;
    }
    end(&t, r);
    return r;
}
