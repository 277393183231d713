/* Writing to S3 and deleting single objects. Every create and update is conditional on the wire
 * (If-None-Match, If-Match), which kOps never does. */
#include "vfs/s3/s3.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <string.h>

enum { MAX_KEY = 1024, CONFLICT_TRIES = 5 };

/* ---- writing ---- */

struct put {
    struct ck_s3 *s;
    const char *key;
    struct ck_slice data;
    const struct ck_write_opts *opts;
    unsigned char md5[CK_MD5_LEN]; /* of data */
    char marks[CK_MARKS_LEN];
};

static bool conditional(const struct put *p)
{
    return p->opts->mode != CK_WRITE_ANY;
}

static void put_request(struct ck_arena *a, const struct put *p, const char *if_match,
                        struct ck_req *req)
{
    struct ck_s3 *s = p->s;
    ck_s3_request(a, s, "PUT", p->key, req);
    req->body = p->data;
    CK_AUTOBUF struct ck_buf b64 = CK_BUF_INIT;
    ck_base64_encode(&b64, p->md5, sizeof p->md5);
    ck_nvs_add(a, &req->headers, "content-md5", ck_buf_str(&b64));
    ck_nvs_add(a, &req->headers, "content-type", "application/octet-stream");
    if (s->acl)
        ck_nvs_add(a, &req->headers, "x-amz-acl", s->acl);
    else if (p->opts->public_read)
        ck_nvs_add(a, &req->headers, "x-amz-acl", "public-read");
    if (s->sse && !s->custom)
        ck_nvs_add(a, &req->headers, "x-amz-server-side-encryption", s->sse);
    if (conditional(p)) {
        if (if_match)
            ck_nvs_add(a, &req->headers, "if-match", if_match);
        else
            ck_nvs_add(a, &req->headers, "if-none-match", "*");
        ck_nvs_add(a, &req->headers, CK_S3_MARKS, p->marks);
    }
}

static int look(void *arg, struct ck_seen *ret, struct ck_err *err)
{
    const struct put *p = arg;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_s3_request(a, p->s, "HEAD", p->key, &req);
    CK_AUTORESP resp = {0};
    *ret = (struct ck_seen){.verdict = CK_MARKS_UNKNOWN};
    int r = ck_s3_send(p->s, &req, &resp, err);
    if (r < 0)
        return ck_s3_wrap(p->s, "checking", CK_S3_ACTION(GET_OBJECT), p->key, err);
    ret->found = resp.status == 200;
    if (resp.status == 404)
        return 0;
    if (resp.status != 200)
        return ck_s3_fail(p->s, &resp, "checking", CK_S3_ACTION(GET_OBJECT), p->key, err);
    const char *marks = ck_nvs_get(&resp.headers, CK_S3_MARKS);
    ck_s3_version(&resp, marks, &ret->version);
    ret->verdict = ck_outcome_judge(p->marks, p->opts->version, &ret->version, marks);
    return 0;
}

static struct ck_outcome outcome_of(struct put *p)
{
    return (struct ck_outcome){.scheme = p->s->env_scheme,
                               .container = p->s->base.container,
                               .key = p->key,
                               .create = p->opts->mode == CK_WRITE_CREATE,
                               .look = look,
                               .arg = p};
}

static int refused(struct put *p, struct ck_err *err)
{
    struct ck_outcome o = outcome_of(p);
    return ck_outcome_refused(&o, err);
}

/* The tag is made by the server from the bytes it has stored. */
static void compare(const struct put *p, const struct ck_resp *resp)
{
    unsigned char stored[CK_MD5_LEN];
    if (p->opts->read_back && ck_s3_md5_of(resp, stored))
        *p->opts->read_back = memcmp(stored, p->md5, sizeof stored) == 0;
}

/* `repeated`: an earlier sending of the same write may have taken effect. */
static int put_once(struct put *p, const char *if_match, bool repeated, struct ck_version *ret,
                    bool *ret_busy, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    put_request(a, p, if_match, &req);
    CK_AUTORESP resp = {0};
    const struct ck_outcome o = outcome_of(p);
    *ret_busy = false;
    int r = ck_s3_send(p->s, &req, &resp, err);
    if (r < 0) {
        r = ck_s3_wrap(p->s, "writing", CK_S3_ACTION(PUT_OBJECT), p->key, err);
        bool silence = r == -(int)CK_UNAVAILABLE || r == -(int)CK_TIMEOUT || r == -(int)CK_LIMIT;
        return conditional(p) && silence && err ? ck_outcome_of_silence(&o, ret, err) : r;
    }
    if (resp.status == 200 || resp.status == 201) {
        ck_s3_version(&resp, conditional(p) ? p->marks : NULL, ret);
        compare(p, &resp);
        return 0;
    }
    struct ck_s3_error e;
    ck_s3_error_of(&resp, &e);
    bool resent = repeated || resp.attempts > 1;
    if (conditional(p)) {
        if (resp.status == 412)
            return ck_outcome_of_refusal(&o, resent, ret, err);
        if (resp.status == 404 && if_match && strcmp(e.code, "NoSuchBucket") != 0)
            return ck_outcome_of_refusal(&o, resent, ret, err);
        *ret_busy = resp.status == 409 && strcmp(e.code, "ConditionalRequestConflict") == 0;
    }
    r = ck_s3_fail(p->s, &resp, "writing", CK_S3_ACTION(PUT_OBJECT), p->key, err);
    /* Whatever is said of a later sending, an earlier one may have taken effect. */
    bool open = resp.status >= 500 || (resp.status >= 400 && resent && !*ret_busy);
    if (conditional(p) && open && err)
        return ck_outcome_of_silence(&o, ret, err);
    return r;
}

/* Another conditional write was under way, of somebody else or an earlier sending of this one: wait
 * for it and ask again; if the answer stays the same, a look tells whether one has come to its end,
 * else the conflict is reported. */
static int put_conditional(struct put *p, const char *if_match, struct ck_version *ret,
                           struct ck_err *err)
{
    for (unsigned i = 0;; i++) {
        bool busy = false;
        int r = put_once(p, if_match, i > 0, ret, &busy, err);
        if (r == 0 || !busy)
            return r;
        if (i + 1 >= CONFLICT_TRIES) {
            const struct ck_outcome o = outcome_of(p);
            return err ? ck_outcome_of_silence(&o, ret, err) : r;
        }
        ck_err_done(err);
        unsigned char jitter;
        ck_random(&jitter, 1);
        ck_sleep_ms((int64_t)(20u << i) + jitter % 32);
    }
}

/* On an endpoint nothing is known of: look before writing, write conditionally, then write the same
 * bytes once more under a condition that cannot hold. A server that honours conditions refuses;
 * one that ignores them is remembered, and from then on looking before writing is all there is. */
static int put_probing(struct put *p, const char *if_match, struct ck_version *ret,
                       struct ck_err *err)
{
    struct ck_seen now;
    int r = look(p, &now, err);
    if (r < 0)
        return r;
    if (if_match ? !ck_marks_same_tag(now.version.token, if_match) : now.found)
        return refused(p, err);
    r = put_conditional(p, if_match, ret, err);
    if (r < 0 || p->s->conditional != CK_S3_COND_UNKNOWN)
        return r;

    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    put_request(a, p, if_match ? "\"00000000000000000000000000000000\"" : NULL, &req);
    CK_AUTORESP resp = {0};
    CK_AUTOERR probe = CK_ERR_INIT;
    if (ck_s3_send(p->s, &req, &resp, &probe) < 0)
        return 0; /* the write itself is done; the next one probes again */
    if (resp.status == 412 || resp.status == 409) {
        p->s->conditional = CK_S3_COND_YES;
    } else if (resp.status == 200) {
        p->s->conditional = CK_S3_COND_NO;
        ck_s3_version(&resp, p->marks, ret);
        ck_debug(1,
                 "%s ignores conditional writes: two writers within the same instant are not "
                 "told apart there",
                 p->s->host);
    }
    return 0;
}

int ck_s3_write(struct ck_vfs *v, const char *key, struct ck_slice data,
                const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err)
{
    struct ck_s3 *s = (struct ck_s3 *)v;
    int r = ck_s3_prepare(s, err);
    if (r < 0)
        return r;
    if (strlen(key) > MAX_KEY)
        return ck_fail(err, CK_INVALID, "error writing %s://%s/%.64s…: keys have at most %d bytes",
                       s->env_scheme, s->base.container, key, MAX_KEY);
    static const struct ck_write_opts any = {.mode = CK_WRITE_ANY};
    struct put p = {.s = s, .key = key, .data = data, .opts = opts ? opts : &any};
    ck_md5(data, p.md5);
    bool busy = false;
    if (!conditional(&p))
        return put_once(&p, NULL, false, ret, &busy, err);

    char tag[sizeof((struct ck_version *)NULL)->token];
    const char *if_match = NULL;
    if (p.opts->mode == CK_WRITE_IF_UNCHANGED) {
        const char *base = p.opts->version ? p.opts->version->token : "";
        if (!ck_marks_tag_len(base))
            return refused(&p, err); /* nothing to compare with: fail closed */
        snprintf(tag, sizeof tag, "%.*s", (int)ck_marks_tag_len(base), base);
        if_match = tag;
    }
    ck_marks_new(if_match ? p.opts->version->token : NULL, p.marks);
    if (s->conditional == CK_S3_COND_YES)
        return put_conditional(&p, if_match, ret, err);
    return put_probing(&p, if_match, ret, err);
}

/* ---- deleting ---- */

/* A removal that was sent more than once is refused when an earlier sending took effect: then the
 * object is gone. */
static int resolve_removal(struct put *p, struct ck_err *err)
{
    struct ck_seen now;
    if (look(p, &now, err) < 0)
        return ck_wrap(err, "the outcome of the removal is unknown");
    return now.found ? refused(p, err) : 0;
}

int ck_s3_remove(struct ck_vfs *v, const char *key, const struct ck_version *version,
                 struct ck_err *err)
{
    struct ck_s3 *s = (struct ck_s3 *)v;
    int r = ck_s3_prepare(s, err);
    if (r < 0)
        return r;
    static const struct ck_write_opts opts = {.mode = CK_WRITE_IF_UNCHANGED};
    struct put p = {.s = s, .key = key, .opts = &opts};
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_s3_request(a, s, "DELETE", key, &req);
    if (version) {
        /* Some servers delete whatever If-Match says: compare first. */
        struct ck_seen now;
        r = look(&p, &now, err);
        if (r < 0)
            return r;
        if (!ck_marks_same_tag(now.version.token, version->token))
            return refused(&p, err);
        ck_nvs_addf(a, &req.headers, "if-match", "%.*s", (int)ck_marks_tag_len(version->token),
                    version->token);
    }
    CK_AUTORESP resp = {0};
    r = ck_s3_send(s, &req, &resp, err);
    if (r < 0)
        return ck_s3_wrap(s, "deleting", CK_S3_ACTION(DELETE_OBJECT), key, err);
    if (resp.status == 200 || resp.status == 204)
        return 0;
    struct ck_s3_error e;
    ck_s3_error_of(&resp, &e);
    if (resp.status == 404 && strcmp(e.code, "NoSuchBucket") != 0)
        return 0;
    if (resp.status == 412)
        return resp.attempts > 1 ? resolve_removal(&p, err) : refused(&p, err);
    return ck_s3_fail(s, &resp, "deleting", CK_S3_ACTION(DELETE_OBJECT), key, err);
}
