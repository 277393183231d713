/* Writes to Google Cloud Storage: one multipart request, or above 16 MiB a resumable session in
 * pieces. Both carry MD5 and CRC-32C, which the service checks before the object appears. */
#include "vfs/gs/gs.h"

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/enc.h"
#include "crypto/hash.h"
#include "doc/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE = 16 << 20, /* a multiple of 256 KiB, as the service demands */
    SNIFF = 512,
    BOUNDARY_LEN = 24,
    MAX_FAILURES = 5, /* in a row, without progress */
    MAX_SESSIONS = 3,
    FIRST_WAIT_MS = 100,
};

/* ---- what is said of the object ---- */

/* The WHATWG rules as far as text goes, which is how kOps' library finds the type. */
static const char *content_type(struct ck_slice data)
{
    size_t n = data.len < SNIFF ? data.len : SNIFF;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)data.ptr[i];
        if (c <= 0x08 || c == 0x0B || (c >= 0x0E && c <= 0x1A) || (c >= 0x1C && c <= 0x1F))
            return "application/octet-stream";
    }
    if (n >= 5 && memcmp(data.ptr, "<?xml", 5) == 0)
        return "text/xml; charset=utf-8";
    return "text/plain; charset=utf-8";
}

static const char *base64(struct ck_arena *a, const unsigned char *p, size_t n)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_base64_encode(&b, p, n);
    return ck_arena_strdup(a, ck_buf_str(&b));
}

static void put_metadata(struct ck_arena *a, const struct ck_object_put *p, struct ck_buf *out)
{
    unsigned char md5[CK_MD5_LEN];
    uint32_t crc = ck_crc32c(p->data);
    const unsigned char big_endian[] = {(unsigned char)(crc >> 24), (unsigned char)(crc >> 16),
                                        (unsigned char)(crc >> 8), (unsigned char)crc};
    ck_md5(p->data, md5);
    struct ck_val *v = ck_map(a);
    ck_set_str(a, v, "name", p->key);
    ck_set_str(a, v, "contentType", content_type(p->data));
    ck_set_str(a, v, "md5Hash", base64(a, md5, sizeof md5));
    ck_set_str(a, v, "crc32c", base64(a, big_endian, sizeof big_endian));
    if (*p->marks) {
        struct ck_val *custom = ck_map(a);
        ck_set_str(a, custom, CK_GS_MARKS, p->marks);
        ck_set(a, v, "metadata", custom);
    }
    ck_json_emit(out, v, (struct ck_json_style){.raw_html = true});
}

static void upload_request(struct ck_arena *a, struct ck_gs *g, const struct ck_object_put *p,
                           const char *type, struct ck_req *req)
{
    ck_gs_base(a, g, "POST", ck_arena_printf(a, "/upload%s", ck_gs_path(a, g, NULL)), req);
    ck_nvs_add(a, &req->query, "fields", "crc32c,generation");
    if (p->opts->mode == CK_WRITE_CREATE)
        ck_nvs_add(a, &req->query, "ifGenerationMatch", "0");
    else if (p->opts->mode == CK_WRITE_IF_UNCHANGED)
        ck_nvs_add(a, &req->query, "ifGenerationMatch", p->opts->version->token);
    ck_nvs_add(a, &req->query, "name", p->key);
    ck_nvs_add(a, &req->query, "prettyPrint", "false");
    ck_nvs_add(a, &req->query, "uploadType", type);
}

static int multipart(struct ck_gs *g, const struct ck_object_put *p, struct ck_resp *ret,
                     struct ck_err *err)
{
    unsigned char random[BOUNDARY_LEN / 2];
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf boundary = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf body = {.secret = true}; /* it may hold a private key */
    struct ck_req req;
    upload_request(a, g, p, "multipart", &req);
    ck_random(random, sizeof random);
    ck_hex_encode(&boundary, random, sizeof random);
    ck_nvs_addf(a, &req.headers, "content-type", "multipart/related; boundary=%s",
                ck_buf_str(&boundary));
    ck_buf_reserve(&body, p->data.len + 4096);
    ck_buf_fmt(&body, "--%s\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n",
               ck_buf_str(&boundary));
    put_metadata(a, p, &body);
    ck_buf_fmt(&body, "\r\n--%s\r\ncontent-type: %s\r\n\r\n", ck_buf_str(&boundary),
               content_type(p->data));
    ck_buf_put(&body, p->data);
    ck_buf_fmt(&body, "\r\n--%s--\r\n", ck_buf_str(&boundary));
    req.body = ck_buf_slice(&body);
    return ck_http_do(ck_object_http(&g->base.base), &req, ret, err);
}

/* ---- resumable ---- */

struct session {
    struct ck_gs *g;
    const struct ck_object_put *p;
    const char *path, *query; /* of the session, as the service encoded them */
    size_t done, most;        /* bytes the service has, and had at most */
    size_t sent;              /* bytes that it may have */
    unsigned failures;        /* since there was more than ever */
    unsigned sessions;
    bool unsure;   /* how much the service has */
    bool asked;    /* how far it is */
    bool repeated; /* something was sent twice */
};

/* 1: it is open, 0: *resp is the refusal, negative: an error. The session stays on the host that
 * was chosen, whatever Location says: it gets the content. */
static int open_session(struct ck_arena *a, struct session *s, struct ck_resp *resp,
                        struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf body = CK_BUF_INIT;
    struct ck_req req;
    s->sessions++;
    s->done = s->most = s->sent = 0;
    s->failures = 0;
    s->unsure = s->asked = false;
    upload_request(a, s->g, s->p, "resumable", &req);
    put_metadata(a, s->p, &body);
    req.body = ck_buf_slice(&body);
    ck_nvs_add(a, &req.headers, "content-type", "application/json; charset=UTF-8");
    ck_nvs_addf(a, &req.headers, "x-upload-content-length", "%zu", s->p->data.len);
    ck_nvs_add(a, &req.headers, "x-upload-content-type", content_type(s->p->data));
    int r = ck_http_do(ck_object_http(&s->g->base.base), &req, resp, err);
    if (r < 0 || resp->status < 200 || resp->status > 299)
        return r;
    const char *location = ck_nvs_get(&resp->headers, "location");
    const char *rest = location ? strstr(location, "://") : NULL;
    if (!rest || !(rest = strchr(rest + 3, '/')))
        return ck_fail(err, CK_UNAVAILABLE, "the service opened no upload session");
    size_t n = strcspn(rest, "?#");
    s->path = ck_arena_strndup(a, rest, n);
    s->query =
        rest[n] == '?' ? ck_arena_strndup(a, rest + n + 1, strcspn(rest + n + 1, "#")) : NULL;
    return 1;
}

/* Send the piece after what is done, or, with n 0, ask how far the session is. */
static int send_piece(struct session *s, size_t n, struct ck_resp *resp, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_gs_base(a, s->g, "PUT", "", &req);
    req.path = req.raw_path = s->path;
    req.raw_query = s->query;
    req.body = ck_slice_n(s->p->data.ptr + s->done, n);
    s->sent = s->done + n > s->sent ? s->done + n : s->sent;
    if (n) {
        req.retry = CK_RETRY_NONE; /* the service may have a part of it: ask before repeating */
        req.attempts = 1;
        ck_nvs_addf(a, &req.headers, "content-range", "bytes %zu-%zu/%zu", s->done, s->done + n - 1,
                    s->p->data.len);
    } else {
        req.attempts = 2; /* whoever gets no answer asks again */
        ck_nvs_addf(a, &req.headers, "content-range", "bytes */%zu", s->p->data.len);
    }
    return ck_http_do(ck_object_http(&s->g->base.base), &req, resp, err);
}

/* "Range: bytes=0-N" of a 308; absent: nothing has arrived. */
static size_t received(const struct ck_resp *resp)
{
    static const char from_the_beginning[] = "bytes=0-";
    const char *range = ck_nvs_get(&resp->headers, "range");
    if (!range || !ck_str_starts(range, from_the_beginning))
        return 0;
    return (size_t)strtoull(range + strlen(from_the_beginning), NULL, 10) + 1;
}

static bool may_pass(int r, const struct ck_resp *resp)
{
    if (r < 0)
        return r == -(int)CK_UNAVAILABLE || r == -(int)CK_TIMEOUT;
    return resp->status >= 500 || resp->status == 429 || resp->status == 408;
}

/* Wait before the next step; false: there have been too many failures. */
static bool after_failure(struct session *s)
{
    if (++s->failures > MAX_FAILURES)
        return false;
    ck_sleep_ms((int64_t)FIRST_WAIT_MS << s->failures);
    return true;
}

/* A 308. Questions that are answered are no progress: only more bytes than ever are. */
static int take_progress(struct session *s, bool asking, const struct ck_resp *resp,
                         struct ck_err *err)
{
    size_t now = received(resp), before = s->done, all = s->p->data.len;
    s->unsure = false;
    s->done = now;
    if (now > s->most && now <= all) {
        s->most = now;
        s->failures = 0;
        return 1;
    }
    bool counted = asking && before < all; /* with the failure that led to the question */
    if (now <= all && (counted || now > before || after_failure(s)))
        return 1;
    return ck_fail(err, CK_UNAVAILABLE, "the upload session makes no progress");
}

/* One step; 1: go on, 0: *resp is the answer to the whole, negative: an error. */
static int step(struct session *s, struct ck_resp *resp, struct ck_err *err)
{
    size_t left = s->p->data.len - s->done;
    bool asking = s->unsure || left == 0;
    s->asked = s->asked || asking;
    int r = send_piece(s, asking ? 0 : left < PIECE ? left : PIECE, resp, err);
    if (may_pass(r, resp)) {
        s->repeated = s->unsure = true;
        if (!after_failure(s))
            return r;
        ck_err_done(err);
        return 1;
    }
    /* No success, however it is called; and its marks may be on a part of the content. */
    if (r == 0 && resp->status < 300 && s->sent < s->p->data.len)
        return ck_fail(err, CK_INVALID, "the upload session ended before all of it was sent");
    if (r < 0 || resp->status != 308)
        return r;
    return take_progress(s, asking, resp, err);
}

/* The service has forgotten the session (404, 410), or, as emulators do, takes the question how far
 * it is for its end: begin anew. */
static bool session_is_lost(const struct session *s, const struct ck_resp *resp)
{
    int status = resp->status;
    return s->sessions < MAX_SESSIONS &&
           (status == 404 || status == 410 || (status == 400 && s->asked));
}

static int resumable(struct ck_gs *g, const struct ck_object_put *p, struct ck_resp *ret,
                     struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR why = CK_ERR_INIT;
    struct session s = {.g = g, .p = p};
    int64_t deadline = ck_mono_ms() + 10 * (int64_t)60 * 1000;
    int r = open_session(a, &s, ret, &why);
    while (r > 0) {
        ck_resp_done(ret);
        r = step(&s, ret, &why);
        if (r > 0 && ck_mono_ms() > deadline)
            return ck_fail(err, CK_TIMEOUT, "the upload took more than ten minutes");
        if (r == 0 && session_is_lost(&s, ret)) {
            s.repeated = true;
            ck_resp_done(ret);
            r = open_session(a, &s, ret, &why);
        }
    }
    if (r < 0)
        return err ? ck_err_move(err, &why) : r;
    if (s.repeated)
        ret->attempts++;
    return 0;
}

int ck_gs_send_put(struct ck_vfs *v, const struct ck_object_put *p, struct ck_resp *ret,
                   struct ck_err *err)
{
    struct ck_gs *g = (struct ck_gs *)v;
    return p->data.len > PIECE ? resumable(g, p, ret, err) : multipart(g, p, ret, err);
}
