/* S3 objects too large to be held: read range by range, each only while the object is the one that
 * the first range came from, so that a broken connection costs a range and not the whole. */
#include "vfs/s3/s3.h"

#include "base/clock.h"
#include "crypto/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RANGE = 8 << 20, /* half a minute, the usual deadline, at 2 Mbit/s */
    TRIES = 3,       /* without a single byte of progress */
    PAUSE_MS = 200,
};

struct reading {
    struct ck_s3 *s;
    const char *key;
    ck_sink_fn fn;
    void *arg;
    struct ck_digest *md5;
    uint64_t at, size; /* of the object; 0 until the first reply */
    bool stopped;      /* by fn */
    bool has_md5;
    unsigned char want[CK_MD5_LEN];
    struct ck_version version;
};

static int take(void *arg, struct ck_slice piece, struct ck_err *err)
{
    struct reading *r = arg;
    int rc = r->fn(r->arg, piece, err);
    r->stopped = rc < 0;
    r->at += piece.len;
    ck_digest_add(r->md5, piece);
    return rc;
}

/* "bytes 0-99/1000": the whole size. */
static uint64_t size_of(const struct ck_resp *resp, uint64_t from)
{
    const char *range = ck_nvs_get(&resp->headers, "content-range");
    uint64_t first, last, size;
    if (!range ||
        sscanf(range, "bytes %" SCNu64 "-%" SCNu64 "/%" SCNu64, &first, &last, &size) != 3)
        return 0;
    return first == from && last < size ? size : 0;
}

static int judge(struct reading *r, const struct ck_resp *resp, uint64_t from, struct ck_err *err)
{
    if (resp->status == 412 || (resp->status == 404 && from))
        return ck_fail(err, CK_CONFLICT, "%s://%s/%s changed while it was read", r->s->env_scheme,
                       r->s->base.container, r->key);
    if (resp->status != 206 && !(resp->status == 200 && from == 0))
        return ck_s3_fail(r->s, resp, "fetching", "s3:GetObject", r->key, err);
    uint64_t size = resp->status == 200 ? r->at : size_of(resp, from);
    if (!size || (from && size != r->size))
        return ck_fail(err, CK_UNAVAILABLE,
                       "error reading %s://%s/%s: the server sent another range than asked for",
                       r->s->env_scheme, r->s->base.container, r->key);
    r->size = size;
    if (from == 0) {
        ck_s3_version_of(resp, &r->version);
        r->has_md5 = ck_s3_md5_of(resp, r->want);
    }
    return 0;
}

/* One range, or what arrives of it. */
static int one(struct reading *r, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    uint64_t from = r->at;
    ck_s3_request(a, r->s, "GET", r->key, &req);
    ck_nvs_addf(a, &req.headers, "range", "bytes=%" PRIu64 "-%" PRIu64, from, from + RANGE - 1);
    if (*r->version.token)
        ck_nvs_addf(a, &req.headers, "if-match", "%.*s", (int)ck_marks_tag_len(r->version.token),
                    r->version.token);
    req.max_reply = RANGE;
    req.sink = take;
    req.sink_arg = r;
    CK_AUTORESP resp = {0};
    int rc = ck_s3_send(r->s, &req, &resp, err);
    if (rc < 0 && r->stopped)
        return rc;
    return rc < 0 ? ck_s3_wrap(r->s, "fetching", "s3:GetObject", r->key, err)
                  : judge(r, &resp, from, err);
}

/* The first range is whole or nothing: what it says of the object is not known before its end. */
static int all(struct reading *r, struct ck_err *err)
{
    for (unsigned tries = 0; r->at == 0 || r->at < r->size;) {
        uint64_t before = r->at;
        int rc = one(r, err);
        if (rc == 0 && r->at > before) {
            tries = 0;
            continue;
        }
        if (rc == 0)
            rc = ck_fail(err, CK_UNAVAILABLE, "error reading %s://%s/%s: the server sent nothing",
                         r->s->env_scheme, r->s->base.container, r->key);
        bool lost = rc == -(int)CK_UNAVAILABLE || rc == -(int)CK_TIMEOUT;
        tries = r->at > before ? 1 : tries + 1;
        if (r->stopped || !lost || r->size == 0 || tries >= TRIES)
            return rc;
        if (err)
            ck_err_done(err);
        ck_sleep_ms(PAUSE_MS << tries);
    }
    return 0;
}

static int check(struct reading *r, struct ck_err *err)
{
    unsigned char md5[CK_MD5_LEN];
    ck_digest_end(r->md5, md5);
    if (!r->has_md5 || memcmp(md5, r->want, sizeof md5) == 0)
        return 0;
    return ck_s3_damaged(r->s, r->key, err);
}

int ck_s3_read_stream(struct ck_vfs *v, const char *key, ck_sink_fn fn, void *arg,
                      struct ck_version *ret, struct ck_err *err)
{
    struct ck_s3 *s = (struct ck_s3 *)v;
    CK_AUTOERR own = CK_ERR_INIT;
    int rc = ck_s3_prepare(s, err);
    if (rc < 0)
        return rc;
    struct reading r = {.s = s, .key = key, .fn = fn, .arg = arg, .md5 = ck_digest_new("md5")};
    rc = all(&r, &own);
    if (rc < 0) {
        unsigned char unused[CK_MD5_LEN];
        ck_digest_end(r.md5, unused);
    } else {
        rc = check(&r, &own);
    }
    if (rc == 0 && ret)
        *ret = r.version;
    /* An empty object has no range to give. */
    if (rc < 0 && own.http_status == 416 && r.at == 0) {
        CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
        rc = v->ops->read(v, key, &b, ret, err);
        return rc < 0 || !b.len ? rc : fn(arg, ck_buf_slice(&b), err);
    }
    return rc < 0 && err ? ck_err_move(err, &own) : rc;
}
