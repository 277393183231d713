/* S3 objects: read, conditional write, delete, bulk read. Every create and update is conditional on
 * the wire (If-None-Match, If-Match), which kOps never does. Mirrors kOps' s3fs.go. */
#include "vfs/s3/s3.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <string.h>

enum { MAX_KEY = 1024, CONFLICT_TRIES = 5, NONCE_LEN = 16 };

#define NONCE_HEADER "x-amz-meta-ckops-write"

/* ---- reading ---- */

static void take_version(const struct ck_resp *resp, struct ck_version *ret)
{
    if (!ret)
        return;
    const char *etag = ck_nvs_get(&resp->headers, "etag");
    ret->token[0] = '\0';
    if (etag && strlen(etag) < sizeof ret->token)
        snprintf(ret->token, sizeof ret->token, "%s", etag);
}

/* The MD5 in an ETag; false where the tag is none: objects in parts or encrypted with other keys.
 */
static bool md5_of(const struct ck_resp *resp, unsigned char ret[CK_MD5_LEN])
{
    const char *etag = ck_nvs_get(&resp->headers, "etag");
    const char *sse = ck_nvs_get(&resp->headers, "x-amz-server-side-encryption");
    if (!etag || strlen(etag) != 34 || etag[0] != '"' || (sse && strcmp(sse, "AES256") != 0) ||
        ck_nvs_get(&resp->headers, "x-amz-server-side-encryption-customer-algorithm"))
        return false;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (!ck_hex_decode(&b, ck_slice_n(etag + 1, 32)))
        return false;
    memcpy(ret, b.ptr, CK_MD5_LEN);
    return true;
}

/* An ETag that is a plain MD5 must be that of the bytes received. */
static int verify(struct ck_s3 *s, const char *key, const struct ck_resp *resp, struct ck_err *err)
{
    unsigned char want[CK_MD5_LEN];
    if (!md5_of(resp, want))
        return 0;
    unsigned char md5[CK_MD5_LEN];
    ck_md5(ck_buf_slice(&resp->body), md5);
    if (memcmp(md5, want, sizeof md5) == 0)
        return 0;
    return ck_fail(err, CK_UNAVAILABLE,
                   "error reading %s://%s/%s: the content received does not match the server's "
                   "MD5; it was damaged on the way or in the store",
                   s->env_scheme, s->base.container, key);
}

static int take_object(struct ck_s3 *s, const char *key, const struct ck_resp *resp,
                       struct ck_err *err)
{
    if (resp->status != 200)
        return ck_s3_fail(s, resp, "fetching", "s3:GetObject", key, err);
    return verify(s, key, resp, err);
}

static int s3_read(struct ck_vfs *v, const char *key, struct ck_buf *out, struct ck_version *ret,
                   struct ck_err *err)
{
    struct ck_s3 *s = (struct ck_s3 *)v;
    int r = ck_s3_prepare(s, err);
    if (r < 0)
        return r;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_s3_request(a, s, "GET", key, &req);
    CK_AUTORESP resp = {0};
    r = ck_s3_send(s, &req, &resp, err);
    if (r < 0)
        return ck_s3_wrap(s, "fetching", "s3:GetObject", key, err);
    r = take_object(s, key, &resp, err);
    if (r < 0)
        return r;
    ck_buf_put(out, ck_buf_slice(&resp.body));
    take_version(&resp, ret);
    return 0;
}

/* ---- many reads ---- */

struct bulk {
    struct ck_s3 *s;
    const char *const *keys;
    ck_bulk_fn fn;
    void *arg;
    unsigned generation; /* of the region that the requests were made for */
};

static int bulk_done(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    struct bulk *b = arg;
    struct ck_version version = {""};
    if (item_err->code != CK_OK) {
        ck_s3_wrap(b->s, "fetching", "s3:GetObject", b->keys[i], item_err);
        return b->fn(b->arg, i, CK_S(""), &version, item_err);
    }
    bool moved = resp->status >= 300 && ck_s3_follow_region(b->s, resp);
    if (moved ||
        (resp->status >= 300 && resp->status != 404 && b->s->generation != b->generation)) {
        CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
        int r = s3_read(&b->s->base, b->keys[i], &out, &version, item_err);
        return b->fn(b->arg, i, r < 0 ? CK_S("") : ck_buf_slice(&out), &version, item_err);
    }
    int r = take_object(b->s, b->keys[i], resp, item_err);
    take_version(resp, &version);
    return b->fn(b->arg, i, r < 0 ? CK_S("") : ck_buf_slice(&resp->body), &version, item_err);
}

static int s3_read_many(struct ck_vfs *v, const char *const *keys, size_t n, ck_bulk_fn fn,
                        void *arg, struct ck_err *err)
{
    struct ck_s3 *s = (struct ck_s3 *)v;
    int r = ck_s3_prepare(s, err);
    if (r < 0 || n == 0)
        return r;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req *reqs = ck_arena_alloc(a, n * sizeof *reqs);
    for (size_t i = 0; i < n; i++)
        ck_s3_request(a, s, "GET", keys[i], &reqs[i]);
    struct bulk b = {s, keys, fn, arg, s->generation};
    return ck_http_all(ck_s3_http(s), reqs, n, bulk_done, &b, err);
}

/* ---- writing ---- */

struct put {
    struct ck_s3 *s;
    const char *key;
    struct ck_slice data;
    const struct ck_write_opts *opts;
    char nonce[2 * NONCE_LEN + 1];
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
    unsigned char md5[CK_MD5_LEN];
    ck_md5(p->data, md5);
    CK_AUTOBUF struct ck_buf b64 = CK_BUF_INIT;
    ck_base64_encode(&b64, md5, sizeof md5);
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
        ck_nvs_add(a, &req->headers, NONCE_HEADER, p->nonce);
    }
}

/* HEAD: 200, 404 or another status; *ret_ours when the object carries this write's nonce. */
static int head(const struct put *p, int *ret_status, struct ck_version *ret_version,
                bool *ret_ours, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_s3_request(a, p->s, "HEAD", p->key, &req);
    CK_AUTORESP resp = {0};
    int r = ck_s3_send(p->s, &req, &resp, err);
    if (r < 0)
        return ck_s3_wrap(p->s, "checking", "s3:GetObject", p->key, err);
    const char *nonce = ck_nvs_get(&resp.headers, NONCE_HEADER);
    *ret_ours = resp.status == 200 && nonce && strcmp(nonce, p->nonce) == 0;
    *ret_status = resp.status;
    take_version(&resp, ret_version);
    if (resp.status != 200 && resp.status != 404)
        return ck_s3_fail(p->s, &resp, "checking", "s3:GetObject", p->key, err);
    return 0;
}

static int refused(const struct put *p, struct ck_err *err)
{
    if (p->opts->mode == CK_WRITE_CREATE)
        return ck_fail(err, CK_EXISTS, "file already exists");
    return ck_fail(err, CK_CONFLICT, "%s://%s/%s was changed by someone else since it was read",
                   p->s->env_scheme, p->s->base.container, p->key);
}

/* The precondition failed: the object may be what an earlier sending of this write made. The nonce
 * tells. Looked up even when nothing is known of an earlier sending, because the HTTP library
 * repeats a request by itself when a connection that it reuses turns out to be dead. */
static int resolve_refusal(const struct put *p, bool resent, struct ck_version *ret,
                           struct ck_err *err)
{
    int status = 0;
    bool ours = false;
    struct ck_version version = {""};
    int r = head(p, &status, &version, &ours, err);
    if (r < 0 && resent)
        return ck_wrap(err, "the outcome of the write is unknown");
    if (r < 0 && err)
        ck_err_done(err);
    if (!ours)
        return refused(p, err);
    if (ret)
        *ret = version;
    return 0;
}

/* No reply came, or one that says nothing about what was done: the object may carry the write. */
static int resolve_silence(const struct put *p, struct ck_version *ret, struct ck_err *err)
{
    int status;
    bool ours = false;
    struct ck_version version = {""};
    CK_AUTOERR why = CK_ERR_INIT;
    if (head(p, &status, &version, &ours, &why) < 0)
        return ck_wrap(err, "the outcome of the write is unknown");
    if (!ours)
        return -(int)err->code;
    ck_err_done(err);
    if (ret)
        *ret = version;
    return 0;
}

/* `repeated`: an earlier sending of the same write may have taken effect. */
static int put_once(const struct put *p, const char *if_match, bool repeated,
                    struct ck_version *ret, bool *ret_busy, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    put_request(a, p, if_match, &req);
    CK_AUTORESP resp = {0};
    *ret_busy = false;
    int r = ck_s3_send(p->s, &req, &resp, err);
    if (r < 0) {
        r = ck_s3_wrap(p->s, "writing", "s3:PutObject", p->key, err);
        bool silence = r == -(int)CK_UNAVAILABLE || r == -(int)CK_TIMEOUT;
        return conditional(p) && silence && err ? resolve_silence(p, ret, err) : r;
    }
    if (resp.status == 200 || resp.status == 201) {
        take_version(&resp, ret);
        return 0;
    }
    struct ck_s3_error e;
    ck_s3_error_of(&resp, &e);
    bool resent = repeated || resp.attempts > 1;
    if (conditional(p)) {
        if (resp.status == 412)
            return resolve_refusal(p, resent, ret, err);
        if (resp.status == 404 && if_match && strcmp(e.code, "NoSuchBucket") != 0)
            return resolve_refusal(p, resent, ret, err);
        *ret_busy = resp.status == 409 && strcmp(e.code, "ConditionalRequestConflict") == 0;
    }
    r = ck_s3_fail(p->s, &resp, "writing", "s3:PutObject", p->key, err);
    if (conditional(p) && resp.status >= 500 && err)
        return resolve_silence(p, ret, err);
    return r;
}

/* Another conditional write was under way: wait for it and ask again; if the answer stays the same,
 * the conflict is reported. */
static int put_conditional(const struct put *p, const char *if_match, struct ck_version *ret,
                           struct ck_err *err)
{
    for (unsigned i = 0;; i++) {
        bool busy = false;
        int r = put_once(p, if_match, i > 0, ret, &busy, err);
        if (r == 0 || !busy || i + 1 >= CONFLICT_TRIES)
            return r;
        ck_err_done(err);
        unsigned char jitter;
        ck_random(&jitter, 1);
        ck_sleep_ms((int64_t)(20u << i) + jitter % 32);
    }
}

/* On an endpoint nothing is known of: look before writing, write conditionally, then write the same
 * bytes once more under a condition that cannot hold. A server that honours conditions refuses;
 * one that ignores them is remembered, and from then on looking before writing is all there is. */
static int put_probing(const struct put *p, const char *if_match, struct ck_version *ret,
                       struct ck_err *err)
{
    int status = 0;
    bool ours = false;
    struct ck_version now = {""};
    int r = head(p, &status, &now, &ours, err);
    if (r < 0)
        return r;
    if (if_match ? status != 200 || strcmp(now.token, if_match) != 0 : status == 200)
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
        take_version(&resp, ret);
        ck_debug(1,
                 "%s ignores conditional writes: two writers within the same instant are not "
                 "told apart there",
                 p->s->host);
    }
    return 0;
}

static int s3_write(struct ck_vfs *v, const char *key, struct ck_slice data,
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
    bool busy = false;
    if (!conditional(&p))
        return put_once(&p, NULL, false, ret, &busy, err);

    unsigned char nonce[NONCE_LEN];
    ck_random(nonce, sizeof nonce);
    CK_AUTOBUF struct ck_buf hex = CK_BUF_INIT;
    ck_hex_encode(&hex, nonce, sizeof nonce);
    memcpy(p.nonce, hex.ptr, sizeof p.nonce);
    const char *if_match = NULL;
    if (p.opts->mode == CK_WRITE_IF_UNCHANGED) {
        if_match = p.opts->version ? p.opts->version->token : "";
        if (!*if_match)
            return refused(&p, err); /* nothing to compare with: fail closed */
    }
    if (s->conditional == CK_S3_COND_YES)
        return put_conditional(&p, if_match, ret, err);
    return put_probing(&p, if_match, ret, err);
}

/* ---- deleting ---- */

/* A removal that was sent more than once is refused when an earlier sending took effect: then the
 * object is gone. */
static int resolve_removal(const struct put *p, struct ck_err *err)
{
    int status = 0;
    bool ours = false;
    struct ck_version now = {""};
    if (head(p, &status, &now, &ours, err) < 0)
        return ck_wrap(err, "the outcome of the removal is unknown");
    return status == 404 ? 0 : refused(p, err);
}

static int s3_remove(struct ck_vfs *v, const char *key, const struct ck_version *version,
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
        int status = 0;
        bool ours = false;
        struct ck_version now = {""};
        r = head(&p, &status, &now, &ours, err);
        if (r < 0)
            return r;
        if (status != 200 || strcmp(now.token, version->token) != 0)
            return refused(&p, err);
        ck_nvs_add(a, &req.headers, "if-match", version->token);
    }
    CK_AUTORESP resp = {0};
    r = ck_s3_send(s, &req, &resp, err);
    if (r < 0)
        return ck_s3_wrap(s, "deleting", "s3:DeleteObject", key, err);
    if (resp.status == 200 || resp.status == 204)
        return 0;
    struct ck_s3_error e;
    ck_s3_error_of(&resp, &e);
    if (resp.status == 404 && strcmp(e.code, "NoSuchBucket") != 0)
        return 0;
    if (resp.status == 412)
        return resp.attempts > 1 ? resolve_removal(&p, err) : refused(&p, err);
    return ck_s3_fail(s, &resp, "deleting", "s3:DeleteObject", key, err);
}

/* ---- the rest of the contract ---- */

static int s3_hash(struct ck_vfs *v, const char *key, enum ck_hash_alg alg, struct ck_hash *ret,
                   struct ck_err *err)
{
    *ret = (struct ck_hash){.alg = alg};
    if (alg != CK_MD5)
        return 0;
    struct ck_s3 *s = (struct ck_s3 *)v;
    int r = ck_s3_prepare(s, err);
    if (r < 0)
        return r;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_s3_request(a, s, "HEAD", key, &req);
    CK_AUTORESP resp = {0};
    r = ck_s3_send(s, &req, &resp, err);
    if (r < 0)
        return ck_s3_wrap(s, "checking", "s3:GetObject", key, err);
    if (resp.status == 404)
        return ck_fail(err, CK_NOT_FOUND, "error fetching %s://%s/%s: file does not exist",
                       s->env_scheme, s->base.container, key);
    if (resp.status != 200)
        return ck_s3_fail(s, &resp, "checking", "s3:GetObject", key, err);
    if (md5_of(&resp, ret->bytes))
        ret->len = CK_MD5_LEN;
    return 0;
}

static char *s3_text(struct ck_vfs *v, const char *key, struct ck_arena *a)
{
    return ck_arena_printf(a, "%s://%s/%s", v->ops->scheme, v->container, key);
}

static void s3_close(struct ck_vfs *v)
{
    struct ck_s3 *s = (struct ck_s3 *)v;
    ck_cred_provider_free(s->creds);
    s->creds = NULL;
}

#define S3_OPS(name)                                                                               \
    static const struct ck_vfs_ops ops_##name = {                                                  \
        .scheme = #name,                                                                           \
        .read = s3_read,                                                                           \
        .write = s3_write,                                                                         \
        .remove = s3_remove,                                                                       \
        .remove_tree = ck_s3_remove_tree,                                                          \
        .remove_versions = ck_s3_remove_versions,                                                  \
        .list = ck_s3_list,                                                                        \
        .list_dirs = ck_s3_list_dirs,                                                              \
        .tree = ck_s3_tree,                                                                        \
        .hash = s3_hash,                                                                           \
        .read_many = s3_read_many,                                                                 \
        .list_dirs_many = ck_s3_list_dirs_many,                                                    \
        .exposure = ck_s3_exposure,                                                                \
        .text = s3_text,                                                                           \
        .close = s3_close,                                                                         \
        .preferred_hash = CK_MD5,                                                                  \
        .has_hash = true,                                                                          \
        .cluster_readable = true,                                                                  \
        .terraform = true,                                                                         \
    }

S3_OPS(s3);
S3_OPS(do);
S3_OPS(scw);
S3_OPS(linode);
S3_OPS(hos);

/* The family: which messages a malformed URL gets. */
static const struct family {
    const struct ck_vfs_ops *ops;
    const char *prefix, *invalid;
} families[] = {
    {&ops_s3, "s3://", "invalid s3 path"},
    {&ops_do, "do://", "invalid spaces path"},
    {&ops_scw, "scw://", "invalid bucket path"},
    {&ops_linode, "linode://", "invalid Linode object storage path"},
    {&ops_hos, "hos://", "invalid Hetzner Object Storage path"},
};

static bool bucket_ok(const char *b)
{
    size_t n = strlen(b);
    return n <= 255 && strcmp(b, ".") != 0 && strcmp(b, "..") != 0 &&
           strspn(b, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

int ck_vfs_parse_s3(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                    struct ck_err *err)
{
    const struct family *f = NULL;
    for (size_t i = 0; i < CK_ARRAY_LEN(families); i++)
        if (ck_str_starts(url, families[i].prefix))
            f = &families[i];
    CK_AUTOBUF struct ck_buf quoted = CK_BUF_INIT;
    ck_goquote(&quoted, ck_slice_of(url));
    if (!f)
        return ck_fail(err, CK_INVALID, "unknown / unhandled path type: %s", ck_buf_str(&quoted));
    /* kOps drops them without a word, and with them whatever the user meant by it. */
    if (strpbrk(url, "?#"))
        return ck_fail(err, CK_INVALID,
                       "%s: %s: a store's URL has no query and no fragment (in a name, write ? as "
                       "%%3F and # as %%23)",
                       f->invalid, ck_buf_str(&quoted));
    bool endpoint = ck_env_nonempty(ctx->env, "S3_ENDPOINT") != NULL;
    if (!endpoint && f->ops != &ops_s3)
        return ck_fail(err, CK_INVALID, "required S3_ENDPOINT env var for path: %s",
                       ck_buf_str(&quoted));
    struct ck_vfs_url parts;
    if (!ck_vfs_url_split(ctx->arena, url, &parts))
        return ck_fail(err, CK_INVALID, "%s: %s", f->invalid, ck_buf_str(&quoted));
    if (!bucket_ok(parts.container))
        return ck_fail(err, CK_INVALID,
                       "%s: %s: a bucket's name holds only letters, digits, dots, hyphens and "
                       "underscores",
                       f->invalid, ck_buf_str(&quoted));
    bool is_new;
    struct ck_vfs *v =
        ck_vfs_container(ctx, f->ops, parts.container, sizeof(struct ck_s3), &is_new);
    struct ck_s3 *s = (struct ck_s3 *)v;
    if (is_new) {
        s->env_scheme = f->ops->scheme;
        s->custom = endpoint;
    }
    *ret = (struct ck_path){.vfs = v, .key = parts.key};
    return 0;
}
