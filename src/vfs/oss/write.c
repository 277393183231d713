/* Writing to OSS. Creates are exclusive by the service (x-oss-forbid-overwrite). Updates and
 * removals of a version have no condition there: they take a lock, which is an object made
 * exclusively, look at the version, and write within the time that the lock is certainly theirs.
 * What that guarantees and what it cannot is in docs/stores.md. kOps looks and writes. */
#include "vfs/oss/oss.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "vfs/object/once.h"

#include <stdio.h>
#include <string.h>

enum {
    SETTLE_MS = 1000, /* in buckets with versions: until writers of the same moment have shown */
};

int ck_oss_changed(const struct ck_oss *s, const char *key, struct ck_err *err)
{
    return ck_fail(err, CK_CONFLICT, "oss://%s/%s was changed by someone else since it was read",
                   s->base.base.container, key);
}

/* ---- one exclusive or plain write ---- */

static void put_request(struct ck_arena *a, struct ck_oss *s, const struct ck_object_put *p,
                        struct ck_req *req)
{
    unsigned char md5[CK_MD5_LEN];
    CK_AUTOBUF struct ck_buf b64 = CK_BUF_INIT;
    ck_oss_base(a, s, "PUT", p->key, req);
    req->body = p->data;
    if (s->put_until_ms)
        ck_once_limit(req, s->put_until_ms - ck_mono_ms());
    ck_md5(p->data, md5);
    ck_base64_encode(&b64, md5, sizeof md5);
    ck_nvs_addf(a, &req->headers, "content-md5", "%s", ck_buf_str(&b64));
    ck_nvs_add(a, &req->headers, "content-type", "application/octet-stream");
    if (p->opts->mode == CK_WRITE_CREATE)
        ck_nvs_add(a, &req->headers, "x-oss-forbid-overwrite", "true");
    ck_nvs_add(a, &req->headers, CK_OSS_MARKS, p->marks);
    if (p->opts->mode == CK_WRITE_IF_UNCHANGED && s->put_lock)
        ck_nvs_add(a, &req->headers, CK_OSS_LOCK, s->put_lock);
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

int ck_oss_create(struct ck_vfs *v, const struct ck_object_put *p, bool looked, struct ck_resp *ret,
                  struct ck_err *err)
{
    struct ck_oss *s = (struct ck_oss *)v;
    bool found = false, ours = false;
    if (!looked && s->versioning != CK_OSS_VERSIONING_NO) {
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

struct replaced {
    struct ck_vfs *v;
    const char *key, *version;
};

static bool still_there(void *arg)
{
    const struct replaced *old = arg;
    CK_AUTORESP resp = {0};
    CK_AUTOERR ignored = CK_ERR_INIT;
    struct ck_object_facts facts;
    return ck_object_facts(old->v, old->key, &resp, &facts, &ignored) == 0 && facts.found &&
           strcmp(facts.version.token, old->version) == 0;
}

/* Send what replaces or removes a version, under its lock, which ends at `until_ms`. */
static int send_once(struct ck_vfs *v, const char *key, const char *version, int64_t until_ms,
                     struct ck_req *req, struct ck_resp *ret, struct ck_err *err)
{
    struct replaced old = {v, key, version};
    const struct ck_once o = {.v = v,
                              .http = ck_object_http(v),
                              .until_ms = until_ms,
                              .still_there = still_there,
                              .arg = &old};
    return ck_once_send(&o, req, ret, err);
}

int ck_oss_send_put(struct ck_vfs *v, const struct ck_object_put *p, struct ck_resp *ret,
                    struct ck_err *err)
{
    struct ck_oss *s = (struct ck_oss *)v;
    if (p->opts->mode == CK_WRITE_CREATE)
        return ck_oss_create(v, p, false, ret, err);
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

/* ---- conditional updates ---- */

/* Without the right to make locks: after the look and the write another look, a moment later. */
static int settle(struct ck_oss_turn *t, const struct ck_version *written, struct ck_err *err)
{
    struct ck_oss_turn after = {.s = t->s, .key = t->key, .want = written->token};
    ck_sleep_ms(SETTLE_MS);
    return ck_oss_unchanged(&after, err);
}

static int update(struct ck_oss_turn *t, struct ck_slice data, const struct ck_write_opts *opts,
                  struct ck_version *ret, struct ck_err *err)
{
    struct ck_oss *s = t->s;
    int64_t left;
    int r = ck_oss_begin(t, &left, err);
    if (r < 0)
        return r;
    char lock[CK_LEASE_NAME_MAX];
    s->put_lock = t->lease.held ? ck_lease_name(&t->lease, t->lease.n, lock) : NULL;
    s->put_until_ms = left > 0 ? ck_mono_ms() + left : 0;
    r = ck_object_write(&s->base.base, t->key, data, opts, ret, err);
    s->put_until_ms = 0;
    s->put_lock = NULL;
    if (r == 0 && !s->locks)
        r = settle(t, ret, err);
    ck_oss_end(t, r);
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
        return ck_oss_changed(s, key, err); /* nothing to compare with: fail closed */
    struct ck_oss_turn t = {.s = s, .key = key, .want = opts->version->token};
    return update(&t, data, opts, ret ? ret : &version, err ? err : &local);
}

/* ---- removing ---- */

static int remove_locked(const struct ck_oss_turn *t, int64_t until_ms, struct ck_err *err)
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
        return ck_oss_changed(s, key, err);
    struct ck_oss_turn t = {.s = s, .key = key, .want = version->token};
    r = ck_oss_begin(&t, &left, err);
    if (r < 0)
        return r;
    r = remove_locked(&t, ck_mono_ms() + (left > 0 ? left : CK_LEASE_HOLD_MS), err);
    ck_oss_end(&t, r);
    return r;
}
