/* Reads, hashes and texts of object stores. kOps has this once per store, in gsfs.go, azureblob.go
 * and others, each with other mistakes. */
#include "vfs/object/object.h"

#include "crypto/hash.h"

#include <stdio.h>
#include <string.h>

/* As for S3: listing 10,000 clusters at 30 ms a request takes over 200 at a time. */
enum { DEFAULT_PARALLEL = 256 };

static const struct ck_object_ops *dialect(struct ck_vfs *v)
{
    return ((struct ck_object_store *)v)->dialect;
}

struct ck_http *ck_object_http(struct ck_vfs *v)
{
    struct ck_vfs_ctx *ctx = v->ctx;
    if (!ctx->http) {
        ctx->http = ck_http_new(ctx->env, NULL, NULL);
        ck_http_set_parallel(ctx->http, ctx->parallel ? ctx->parallel : DEFAULT_PARALLEL);
    }
    return ctx->http;
}

char *ck_object_text(struct ck_vfs *v, const char *key, struct ck_arena *a)
{
    return ck_arena_printf(a, "%s://%s/%s", v->ops->scheme, v->container, key);
}

enum ck_permission_for ck_object_permission(enum ck_object_call call)
{
    static const enum ck_permission_for table[] = {
        [CK_OBJECT_READ] = CK_PERMISSION_READ,    [CK_OBJECT_FACTS] = CK_PERMISSION_READ,
        [CK_OBJECT_WRITE] = CK_PERMISSION_CREATE, [CK_OBJECT_REMOVE] = CK_PERMISSION_DELETE,
        [CK_OBJECT_LIST] = CK_PERMISSION_LIST,    [CK_OBJECT_LIST_VERSIONS] = CK_PERMISSION_LIST,
    };
    return table[call];
}

void ck_object_where(struct ck_vfs *v, enum ck_object_call call, const char *key,
                     struct ck_buf *out)
{
    static const char *const verbs[] = {
        [CK_OBJECT_READ] = "fetching", [CK_OBJECT_FACTS] = "checking",
        [CK_OBJECT_WRITE] = "writing", [CK_OBJECT_REMOVE] = "deleting",
        [CK_OBJECT_LIST] = "listing",  [CK_OBJECT_LIST_VERSIONS] = "listing versions of",
    };
    ck_buf_fmt(out, "error %s %s://%s/%s: ", verbs[call], v->ops->scheme, v->container,
               key ? key : "");
    size_t before = out->len;
    dialect(v)->describe(v, call, out);
    if (out->len == before)
        out->len -= 2;
    out->ptr[out->len] = '\0';
}

/* A transport failure, with what was to be done in front. */
static int wrap(struct ck_vfs *v, enum ck_object_call call, const char *key, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_object_where(v, call, key, &b);
    return ck_wrap(err, "%s", ck_buf_str(&b));
}

/* ---- one object ---- */

int ck_object_damaged(struct ck_vfs *v, const char *key, struct ck_slice hash, struct ck_err *err)
{
    return ck_fail(err, CK_UNAVAILABLE,
                   "error reading %s://%s/%s: the content received does not match the server's "
                   "%.*s; it was damaged on the way or in the store",
                   v->ops->scheme, v->container, key, (int)hash.len, hash.ptr);
}

static int check_md5(struct ck_vfs *v, const char *key, struct ck_resp *resp,
                     struct ck_version *ret, struct ck_err *err)
{
    struct ck_object_facts facts = {0};
    unsigned char md5[CK_MD5_LEN];
    int r = dialect(v)->take_facts(v, resp, &facts, err);
    if (r < 0)
        return r;
    *ret = facts.version;
    if (!facts.has_md5)
        return 0;
    ck_md5(ck_buf_slice(&resp->body), md5);
    return memcmp(md5, facts.md5, sizeof md5) == 0 ? 0
                                                   : ck_object_damaged(v, key, CK_S("MD5"), err);
}

static int take_read(struct ck_vfs *v, const char *key, struct ck_resp *resp,
                     struct ck_version *ret, struct ck_err *err)
{
    struct ck_version ignored = {""};
    if (resp->status != 200)
        return dialect(v)->fail(v, CK_OBJECT_READ, key, resp, err);
    ((struct ck_object_store *)v)->container_seen = true;
    ret = ret ? ret : &ignored;
    return dialect(v)->take_read ? dialect(v)->take_read(v, key, resp, ret, err)
                                 : check_md5(v, key, resp, ret, err);
}

int ck_object_read(struct ck_vfs *v, const char *key, struct ck_buf *out, struct ck_version *ret,
                   struct ck_err *err)
{
    int r = dialect(v)->prepare(v, err);
    if (r < 0)
        return r;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    dialect(v)->request(a, v, CK_OBJECT_READ, key, &req);
    CK_AUTORESP resp = {0};
    r = ck_http_do(ck_object_http(v), &req, &resp, err);
    if (r < 0)
        return wrap(v, CK_OBJECT_READ, key, err);
    r = take_read(v, key, &resp, ret, err);
    if (r < 0)
        return r;
    ck_buf_put(out, ck_buf_slice(&resp.body));
    return 0;
}

int ck_object_facts(struct ck_vfs *v, const char *key, struct ck_resp *resp,
                    struct ck_object_facts *ret, struct ck_err *err)
{
    *ret = (struct ck_object_facts){0};
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    dialect(v)->request(a, v, CK_OBJECT_FACTS, key, &req);
    int r = ck_http_do(ck_object_http(v), &req, resp, err);
    if (r < 0)
        return wrap(v, CK_OBJECT_FACTS, key, err);
    if (resp->status == 200) {
        ret->found = true;
        return dialect(v)->take_facts(v, resp, ret, err);
    }
    CK_AUTOERR why = CK_ERR_INIT;
    r = dialect(v)->fail(v, CK_OBJECT_FACTS, key, resp, &why);
    if (r == -(int)CK_NOT_FOUND)
        return 0;
    return err ? ck_err_move(err, &why) : r;
}

int ck_object_hash(struct ck_vfs *v, const char *key, enum ck_hash_alg alg, struct ck_hash *ret,
                   struct ck_err *err)
{
    *ret = (struct ck_hash){.alg = alg};
    if (alg != CK_MD5)
        return 0;
    int r = dialect(v)->prepare(v, err);
    if (r < 0)
        return r;
    CK_AUTORESP resp = {0};
    struct ck_object_facts facts;
    r = ck_object_facts(v, key, &resp, &facts, err);
    if (r < 0)
        return r;
    if (!facts.found)
        return ck_fail(err, CK_NOT_FOUND, "error fetching %s://%s/%s: file does not exist",
                       v->ops->scheme, v->container, key);
    if (facts.has_md5) {
        memcpy(ret->bytes, facts.md5, sizeof facts.md5);
        ret->len = sizeof facts.md5;
    }
    return 0;
}

/* ---- many ---- */

struct bulk {
    struct ck_vfs *v;
    const char *const *keys;
    ck_bulk_fn fn;
    void *arg;
};

static int bulk_done(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    struct bulk *b = arg;
    struct ck_version version = {""};
    int r = -1;
    if (item_err->code != CK_OK)
        wrap(b->v, CK_OBJECT_READ, b->keys[i], item_err);
    else
        r = take_read(b->v, b->keys[i], resp, &version, item_err);
    return b->fn(b->arg, i, r < 0 ? CK_S("") : ck_buf_slice(&resp->body), &version, item_err);
}

int ck_object_read_many(struct ck_vfs *v, const char *const *keys, size_t n, ck_bulk_fn fn,
                        void *arg, struct ck_err *err)
{
    int r = dialect(v)->prepare(v, err);
    if (r < 0 || n == 0)
        return r;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req *reqs = ck_arena_alloc(a, n * sizeof *reqs);
    for (size_t i = 0; i < n; i++)
        dialect(v)->request(a, v, CK_OBJECT_READ, keys[i], &reqs[i]);
    struct bulk b = {v, keys, fn, arg};
    return ck_http_all(ck_object_http(v), reqs, n, bulk_done, &b, err);
}
