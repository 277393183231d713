/* S3 objects too large to be held: uploaded in parts, one at a time. The last request, which makes
 * an object of them, carries the condition; so nothing is seen before it, and who lost the race
 * learns it there. Every part is sent with its MD5 and confirmed by its ETag, and the ETag of the
 * whole is the digest of those digests: it is computed here too and compared. */
#include "vfs/s3/s3.h"

#include "base/enc.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "doc/xml.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((uint64_t)1 << 20)
enum { MAX_KEY = 1024, MAX_PARTS = 10000, LEAST_PART = 5, TOTAL_TIB = 5, REPLY_MAX = 1 << 20 };

struct writer {
    struct ck_vfs_writer base;
    struct ck_s3 *s;
    struct ck_arena *a; /* upload id and ETags */
    const struct ck_write_opts *opts;
    const char *upload; /* NULL: not begun */
    char *part;         /* part_size bytes */
    size_t part_size, fill;
    unsigned parts;
    struct ck_buf md5s; /* of the parts, one after the other */
    struct ck_buf list; /* of the parts, for the last request */
    bool plain;         /* every part's ETag was its MD5 */
    bool done;
    char marks[CK_MARKS_LEN]; /* of a conditional write */
};

static int send(struct writer *w, struct ck_req *req, const char *action, struct ck_resp *ret,
                struct ck_err *err)
{
    int r = ck_s3_send(w->s, req, ret, err);
    if (r < 0)
        return ck_s3_wrap(w->s, "writing", action, w->base.key, err);
    return ret->status == 200 ? 0 : ck_s3_fail(w->s, ret, "writing", action, w->base.key, err);
}

static const char *text_of(struct ck_arena *a, const struct ck_resp *resp, const char *root,
                           const char *name)
{
    struct ck_val *v = NULL;
    if (ck_xml_parse(a, ck_buf_slice(&resp->body), REPLY_MAX, &v, NULL) < 0)
        return "";
    const struct ck_val *r = ck_get(v, root);
    return ck_is_map(r) ? ck_str_at(r, name) : "";
}

static int begin(struct writer *w, struct ck_err *err)
{
    struct ck_s3 *s = w->s;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_s3_request(a, s, "POST", w->base.key, &req);
    ck_nvs_add(a, &req.query, "uploads", "");
    ck_nvs_add(a, &req.headers, "content-type", "application/octet-stream");
    if (s->acl)
        ck_nvs_add(a, &req.headers, "x-amz-acl", s->acl);
    else if (w->opts->public_read)
        ck_nvs_add(a, &req.headers, "x-amz-acl", "public-read");
    if (w->opts->mode != CK_WRITE_ANY)
        ck_nvs_add(a, &req.headers, CK_S3_MARKS, w->marks);
    if (s->sse && !s->custom)
        ck_nvs_add(a, &req.headers, "x-amz-server-side-encryption", s->sse);
    CK_AUTORESP resp = {0};
    int r = send(w, &req, "s3:PutObject", &resp, err);
    if (r < 0)
        return r;
    const char *id = text_of(a, &resp, "InitiateMultipartUploadResult", "UploadId");
    if (!*id)
        return ck_fail(err, CK_UNAVAILABLE,
                       "error writing %s://%s/%s: the server began an upload without naming it",
                       s->env_scheme, s->base.container, w->base.key);
    w->upload = ck_arena_strdup(w->a, id);
    return 0;
}

static void put_hex(struct ck_buf *out, struct ck_slice bytes)
{
    ck_hex_encode(out, bytes.ptr, bytes.len);
}

static int send_part(struct writer *w, struct ck_err *err)
{
    int r = w->upload ? 0 : begin(w, err);
    if (r < 0)
        return r;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    unsigned char md5[CK_MD5_LEN], got[CK_MD5_LEN];
    const struct ck_slice data = ck_slice_n(w->part, w->fill);
    CK_AUTOBUF struct ck_buf b64 = CK_BUF_INIT;
    ck_md5(data, md5);
    ck_base64_encode(&b64, md5, sizeof md5);
    ck_s3_request(a, w->s, "PUT", w->base.key, &req);
    ck_nvs_addf(a, &req.query, "partNumber", "%u", w->parts + 1);
    ck_nvs_add(a, &req.query, "uploadId", w->upload);
    ck_nvs_add(a, &req.headers, "content-md5", ck_buf_str(&b64));
    req.body = data;
    CK_AUTORESP resp = {0};
    r = send(w, &req, "s3:PutObject", &resp, err);
    if (r < 0)
        return r;
    const char *etag = ck_nvs_get(&resp.headers, "etag");
    if (!etag)
        return ck_fail(err, CK_UNAVAILABLE,
                       "error writing %s://%s/%s: the server confirmed part %u without an ETag",
                       w->s->env_scheme, w->s->base.container, w->base.key, w->parts + 1);
    if (!ck_s3_md5_of(&resp, got) || memcmp(md5, got, sizeof md5) != 0)
        w->plain = false;
    w->parts++;
    ck_buf_putn(&w->md5s, (const char *)md5, sizeof md5);
    ck_buf_fmt(&w->list, "<Part><ETag>");
    ck_xml_escape(&w->list, ck_slice_of(etag));
    ck_buf_fmt(&w->list, "</ETag><PartNumber>%u</PartNumber></Part>", w->parts);
    w->fill = 0;
    return 0;
}

static int put(struct ck_vfs_writer *base, struct ck_slice piece, struct ck_err *err)
{
    struct writer *w = (struct writer *)base;
    while (piece.len) {
        size_t n = w->part_size - w->fill;
        if (n == 0) {
            int r = send_part(w, err);
            if (r < 0)
                return r;
            continue;
        }
        n = n < piece.len ? n : piece.len;
        memcpy(w->part + w->fill, piece.ptr, n);
        w->fill += n;
        piece = ck_slice_n(piece.ptr + n, piece.len - n);
    }
    return 0;
}

/* ---- the whole ---- */

/* What S3 makes the ETag of the whole. */
static const char *whole_etag(struct ck_arena *a, const struct writer *w)
{
    unsigned char md5[CK_MD5_LEN];
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_md5(ck_buf_slice(&w->md5s), md5);
    put_hex(&b, ck_slice_n((const char *)md5, sizeof md5));
    return ck_arena_printf(a, "\"%s-%u\"", ck_buf_str(&b), w->parts);
}

/* What is there now: "" for nothing. */
static int look(struct writer *w, struct ck_version *ret, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_s3_request(a, w->s, "HEAD", w->base.key, &req);
    CK_AUTORESP resp = {0};
    ret->token[0] = '\0';
    int r = ck_s3_send(w->s, &req, &resp, err);
    if (r < 0)
        return ck_s3_wrap(w->s, "checking", "s3:GetObject", w->base.key, err);
    if (resp.status == 404)
        return 0;
    if (resp.status != 200)
        return ck_s3_fail(w->s, &resp, "checking", "s3:GetObject", w->base.key, err);
    ck_s3_version_of(&resp, ret);
    return 0;
}

static int lost(const struct writer *w, struct ck_err *err)
{
    if (w->opts->mode == CK_WRITE_CREATE)
        return ck_fail(err, CK_EXISTS, "file already exists");
    return ck_fail(err, CK_CONFLICT, "%s://%s/%s was changed by someone else since it was read",
                   w->s->env_scheme, w->s->base.container, w->base.key);
}

/* Where the server is not known to honour conditions, looking first is all there is. */
static int look_first(struct writer *w, struct ck_err *err)
{
    if (w->opts->mode == CK_WRITE_ANY || w->s->conditional == CK_S3_COND_YES)
        return 0;
    struct ck_version now;
    int r = look(w, &now, err);
    if (r < 0)
        return r;
    bool fits = w->opts->mode == CK_WRITE_CREATE
                    ? !*now.token
                    : ck_marks_same_tag(now.token, w->opts->version->token);
    return fits ? 0 : lost(w, err);
}

static int complete(struct writer *w, const char *etag, struct ck_version *ret, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf body = CK_BUF_INIT;
    struct ck_req req;
    ck_buf_fmt(&body, "<CompleteMultipartUpload>%s</CompleteMultipartUpload>",
               ck_buf_str(&w->list));
    ck_s3_request(a, w->s, "POST", w->base.key, &req);
    ck_nvs_add(a, &req.query, "uploadId", w->upload);
    ck_nvs_add(a, &req.headers, "content-type", "application/xml");
    if (w->opts->mode == CK_WRITE_CREATE)
        ck_nvs_add(a, &req.headers, "if-none-match", "*");
    else if (w->opts->mode == CK_WRITE_IF_UNCHANGED)
        ck_nvs_addf(a, &req.headers, "if-match", "%.*s",
                    (int)ck_marks_tag_len(w->opts->version->token), w->opts->version->token);
    req.body = ck_buf_slice(&body);
    CK_AUTORESP resp = {0};
    int r = send(w, &req, "s3:PutObject", &resp, err);
    /* A failure may come after "200 OK", as the body. */
    const char *made = r < 0 ? "" : text_of(a, &resp, "CompleteMultipartUploadResult", "ETag");
    if (*made) {
        snprintf(ret->token, sizeof ret->token, "%s%.150s%s", *made == '"' ? "" : "\"", made,
                 *made == '"' ? "" : "\"");
        if (w->opts->mode != CK_WRITE_ANY)
            ck_marks_add(ret, w->marks);
        return 0;
    }
    /* No answer, or one that an earlier sending of the same request may have caused: the object
     * itself tells whose it is. */
    struct ck_version now = {""};
    CK_AUTOERR unseen = CK_ERR_INIT;
    if (look(w, &now, &unseen) == 0 && ck_marks_same_tag(now.token, etag)) {
        *ret = now;
        if (err)
            ck_err_done(err);
        return 0;
    }
    if (r < 0)
        return resp.status == 412 ? lost(w, err) : r;
    return ck_fail(err, CK_UNAVAILABLE,
                   "error writing %s://%s/%s: the server did not put the parts together",
                   w->s->env_scheme, w->s->base.container, w->base.key);
}

static int commit(struct ck_vfs_writer *base, struct ck_version *ret, bool *ret_verified,
                  struct ck_err *err)
{
    struct writer *w = (struct writer *)base;
    ret->token[0] = '\0';
    int r;
    if (!w->upload) { /* it fits into one part: an ordinary write, which is checked by its MD5 */
        r = base->vfs->ops->write(base->vfs, base->key, ck_slice_n(w->part, w->fill), w->opts, ret,
                                  err);
        w->done = r == 0;
        return r;
    }
    r = w->fill ? send_part(w, err) : 0;
    if (r == 0)
        r = look_first(w, err);
    if (r < 0)
        return r;
    const char *etag = whole_etag(w->a, w);
    r = complete(w, etag, ret, err);
    w->done = r == 0;
    *ret_verified = r == 0 && w->plain && ck_marks_same_tag(ret->token, etag);
    return r;
}

/* Parts that belong to nothing cost money until somebody finds them. */
static void abandon(struct writer *w)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR ignored = CK_ERR_INIT;
    CK_AUTORESP resp = {0};
    struct ck_req req;
    ck_s3_request(a, w->s, "DELETE", w->base.key, &req);
    ck_nvs_add(a, &req.query, "uploadId", w->upload);
    if (ck_s3_send(w->s, &req, &resp, &ignored) < 0 || resp.status >= 300)
        ck_debug(1, "the unfinished upload of %s could not be taken back", w->base.key);
}

static void release(struct ck_vfs_writer *base)
{
    struct writer *w = (struct writer *)base;
    if (w->upload && !w->done)
        abandon(w);
    if (w->part)
        ck_wipe(w->part, w->part_size);
    free(w->part);
    ck_buf_done(&w->md5s);
    ck_buf_done(&w->list);
    ck_arena_free(w->a);
    free(w);
}

int ck_s3_writer(struct ck_vfs *v, const char *key, uint64_t size, const struct ck_write_opts *opts,
                 struct ck_vfs_writer **ret, struct ck_err *err)
{
    static const struct ck_vfs_writer_ops ops = {put, commit, release};
    struct ck_s3 *s = (struct ck_s3 *)v;
    int r = ck_s3_prepare(s, err);
    if (r < 0)
        return r;
    if (strlen(key) > MAX_KEY || size > TOTAL_TIB * MIB * MIB)
        return ck_fail(
            err, CK_INVALID,
            "error writing %s://%s/%.64s…: keys have at most %d bytes and objects %d TiB",
            s->env_scheme, s->base.container, key, MAX_KEY, TOTAL_TIB);
    bool known = opts->version && *opts->version->token;
    if (opts->mode == CK_WRITE_IF_UNCHANGED && !known)
        return ck_fail(err, CK_CONFLICT, "%s://%s/%s: the version that was read is not known",
                       s->env_scheme, s->base.container, key);
    uint64_t parts = (size + MAX_PARTS - 1) / MAX_PARTS, least = LEAST_PART * MIB;
    struct writer *w = ck_xcalloc(1, sizeof *w);
    w->base = (struct ck_vfs_writer){&ops, v, key};
    w->s = s;
    w->a = ck_arena_new();
    w->opts = opts;
    w->plain = true;
    ck_marks_new(opts->mode == CK_WRITE_IF_UNCHANGED ? opts->version->token : NULL, w->marks);
    w->part_size = (size_t)(parts > least ? (parts + MIB - 1) / MIB * MIB : least);
    w->part = ck_xmalloc(w->part_size);
    *ret = &w->base;
    return 0;
}
