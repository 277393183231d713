/* S3 objects: locations, reads one by one and many at once, hashes. Mirrors kOps' s3fs.go. */
#include "vfs/s3/s3.h"

#include "base/clock.h"
#include "base/enc.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <string.h>

enum { READ_TRIES = 3, REREAD_MS = 20 };

/* ---- reading ---- */

void ck_s3_version(const struct ck_resp *resp, const char *marks, struct ck_version *ret)
{
    if (!ret)
        return;
    const char *etag = ck_nvs_get(&resp->headers, "etag");
    ret->token[0] = '\0';
    if (!etag || !*etag || strlen(etag) >= sizeof ret->token || strchr(etag, ' '))
        return;
    snprintf(ret->token, sizeof ret->token, "%s", etag);
    ck_marks_add(ret, marks);
}

void ck_s3_version_of(const struct ck_resp *resp, struct ck_version *ret)
{
    ck_s3_version(resp, ck_nvs_get(&resp->headers, CK_S3_MARKS), ret);
}

bool ck_s3_md5_of(const struct ck_resp *resp, unsigned char ret[CK_MD5_LEN])
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

int ck_s3_damaged(struct ck_s3 *s, const char *key, struct ck_err *err)
{
    return ck_fail(err, CK_UNAVAILABLE,
                   "error reading %s://%s/%s: the content received does not match the server's "
                   "MD5; it was damaged on the way or in the store",
                   s->env_scheme, s->base.container, key);
}

/* An ETag that is a plain MD5 must be that of the bytes received. */
static int verify(struct ck_s3 *s, const char *key, const struct ck_resp *resp, struct ck_err *err)
{
    unsigned char want[CK_MD5_LEN];
    if (!ck_s3_md5_of(resp, want))
        return 0;
    unsigned char md5[CK_MD5_LEN];
    ck_md5(ck_buf_slice(&resp->body), md5);
    if (memcmp(md5, want, sizeof md5) == 0)
        return 0;
    return ck_s3_damaged(s, key, err);
}

static int fetch(struct ck_s3 *s, const char *key, bool first, struct ck_resp *resp,
                 struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    int r = 0;
    if (!first || !ck_s3_read_ahead(s, key, resp)) {
        ck_s3_request(a, s, "GET", key, &req);
        r = ck_s3_send(s, &req, resp, err);
    }
    if (r < 0)
        return ck_s3_wrap(s, "fetching", CK_S3_ACTION(GET_OBJECT), key, err);
    if (resp->status != 200)
        return ck_s3_fail(s, resp, "fetching", CK_S3_ACTION(GET_OBJECT), key, err);
    return 0;
}

/* `tries`: how often it has been read before. Some servers give the ETag of one version with the
 * content of another while an object is being replaced: a moment later both agree. */
static int read_whole(struct ck_s3 *s, const char *key, unsigned tries, struct ck_buf *out,
                      struct ck_version *ret, struct ck_err *err)
{
    for (;; tries++) {
        CK_AUTORESP resp = {0};
        int r = fetch(s, key, !tries, &resp, err);
        if (r < 0)
            return r;
        r = verify(s, key, &resp, err);
        if (r == 0) {
            ck_buf_put(out, ck_buf_slice(&resp.body));
            ck_s3_version_of(&resp, ret);
            return 0;
        }
        if (tries + 1 >= READ_TRIES)
            return r;
        ck_err_done(err);
        ck_sleep_ms((int64_t)REREAD_MS << tries);
    }
}

static int s3_read(struct ck_vfs *v, const char *key, struct ck_buf *out, struct ck_version *ret,
                   struct ck_err *err)
{
    struct ck_s3 *s = (struct ck_s3 *)v;
    int r = ck_s3_prepare(s, err);
    return r < 0 ? r : read_whole(s, key, 0, out, ret, err);
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
        ck_s3_wrap(b->s, "fetching", CK_S3_ACTION(GET_OBJECT), b->keys[i], item_err);
        return b->fn(b->arg, i, CK_S(""), &version, item_err);
    }
    bool moved = resp->status >= 300 && ck_s3_follow_region(b->s, resp);
    bool again =
        moved || (resp->status >= 300 && resp->status != 404 && b->s->generation != b->generation);
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    struct ck_slice content = ck_buf_slice(&resp->body);
    int r = 0;
    if (!again && resp->status != 200)
        r = ck_s3_fail(b->s, resp, "fetching", CK_S3_ACTION(GET_OBJECT), b->keys[i], item_err);
    else if (again || verify(b->s, b->keys[i], resp, item_err) < 0) {
        ck_err_done(item_err);
        r = read_whole(b->s, b->keys[i], 1, &out, &version, item_err);
        content = ck_buf_slice(&out);
    } else
        ck_s3_version_of(resp, &version);
    return b->fn(b->arg, i, r < 0 ? CK_S("") : content, &version, item_err);
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
        return ck_s3_wrap(s, "checking", CK_S3_ACTION(GET_OBJECT), key, err);
    if (resp.status == 404)
        return ck_fail(err, CK_NOT_FOUND, "error fetching %s://%s/%s: file does not exist",
                       s->env_scheme, s->base.container, key);
    if (resp.status != 200)
        return ck_s3_fail(s, &resp, "checking", CK_S3_ACTION(GET_OBJECT), key, err);
    if (ck_s3_md5_of(&resp, ret->bytes))
        ret->len = CK_MD5_LEN;
    return 0;
}

static char *s3_text(struct ck_vfs *v, const char *key, struct ck_arena *a)
{
    return ck_arena_printf(a, "%s://%s/%s", v->ops->scheme, v->container, key);
}

/* Bucket and endpoint are those of the environment, whatever the scheme. */
static const char *s3_identity(struct ck_vfs *v, struct ck_arena *a)
{
    return ck_arena_printf(a, "s3://%s", v->container);
}

static void s3_close(struct ck_vfs *v)
{
    struct ck_s3 *s = (struct ck_s3 *)v;
    ck_cred_provider_free(s->creds);
    s->creds = NULL;
    ck_sigv4_memo_done(&s->memo);
    ck_resp_done(&s->ahead.page);
}

#define S3_OPS(name)                                                                               \
    static const struct ck_vfs_ops ops_##name = {                                                  \
        .scheme = #name,                                                                           \
        .read = s3_read,                                                                           \
        .read_stream = ck_s3_read_stream,                                                          \
        .write = ck_s3_write,                                                                      \
        .writer = ck_s3_writer,                                                                    \
        .remove = ck_s3_remove,                                                                    \
        .remove_tree = ck_s3_remove_tree,                                                          \
        .remove_versions = ck_s3_remove_versions,                                                  \
        CK_PAGES_OPS,                                                                              \
        .pages = &ck_s3_pages,                                                                     \
        .hash = s3_hash,                                                                           \
        .read_many = s3_read_many,                                                                 \
        .tree_follows = ck_s3_tree_follows,                                                        \
        .exposure = ck_s3_exposure,                                                                \
        .locate = ck_s3_locate,                                                                    \
        .examine = ck_s3_examine,                                                                  \
        .text = s3_text,                                                                           \
        .identity = s3_identity,                                                                   \
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
    int r = ck_vfs_refuse_query(f->invalid, url, err);
    if (r < 0)
        return r;
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
