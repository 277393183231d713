/* Swift objects: reading, hashes, and the scheme's table. Writes are in write.c. Does not split
 * large objects: a state store's files are small. Mirrors kOps' swiftfs.go. */
#include "vfs/swift/swift.h"

#include "base/enc.h"
#include "crypto/hash.h"
#include "vfs/examine/clouds.h"

#include <stdio.h>
#include <string.h>

enum { MAX_CONTAINER = 256, MAX_TAG = 80 };

#define LOCK_PREFIX "ckops_lock_" /* of vfs/lease.h */

/* ---- versions ---- */

/* The ETag is the content's MD5, which comes back when content does. What makes a version unique
 * are the marks of ckops' own writes, or the time at which somebody else's was made. The time comes
 * first, so that a mark that stands for such a version is made of both. */
void ck_swift_version(const struct ck_resp *resp, struct ck_version *ret)
{
    if (!ret)
        return;
    ret->token[0] = '\0';
    const char *etag = ck_nvs_get(&resp->headers, "etag");
    const char *time = ck_nvs_get(&resp->headers, "x-timestamp");
    if (!etag || strlen(etag) > MAX_TAG || strchr(etag, ' '))
        return;
    size_t n = (size_t)snprintf(ret->token, sizeof ret->token, "%s", etag);
    ck_marks_add(ret, ck_nvs_get(&resp->headers, CK_SWIFT_MARKS));
    if (!ret->token[n] && time && *time && !strchr(time, ' '))
        snprintf(ret->token, sizeof ret->token, "%.30s@%s", time, etag);
}

/* Manifests of large objects have ETags that are no MD5 of what is read. */
static bool md5_of(const struct ck_resp *resp, unsigned char ret[CK_MD5_LEN])
{
    const char *etag = ck_nvs_get(&resp->headers, "etag");
    if (!etag || ck_nvs_get(&resp->headers, "x-static-large-object") ||
        ck_nvs_get(&resp->headers, "x-object-manifest"))
        return false;
    size_t n = strlen(etag);
    if (n == 34 && etag[0] == '"') {
        etag++;
        n = 32;
    }
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (n != 32 || !ck_hex_decode(&b, ck_slice_n(etag, 32)))
        return false;
    memcpy(ret, b.ptr, CK_MD5_LEN);
    return true;
}

/* ---- reading ---- */

static int take_object(struct ck_swift *s, const char *key, const struct ck_resp *resp,
                       struct ck_err *err)
{
    if (resp->status == 404) {
        int r = ck_swift_check_container(s, "reading", key, err);
        if (r < 0)
            return r;
    }
    if (resp->status != 200)
        return ck_swift_fail(s, resp, "reading", key, err);
    s->container_seen = true;
    unsigned char want[CK_MD5_LEN], md5[CK_MD5_LEN];
    if (!md5_of(resp, want))
        return 0;
    ck_md5(ck_buf_slice(&resp->body), md5);
    if (memcmp(md5, want, sizeof md5) == 0)
        return 0;
    return ck_fail(err, CK_UNAVAILABLE,
                   "error reading swift://%s/%s: the content received does not match the server's "
                   "MD5; it was damaged on the way or in the store",
                   s->base.container, key);
}

static void read_request(struct ck_arena *a, struct ck_swift *s, const char *method,
                         const char *key, bool newest, struct ck_req *req)
{
    ck_swift_request(a, s, method, s->base.container, key, req);
    /* Of several replicas the newest, not the nearest: what is read here is going to be changed. */
    if (newest)
        ck_nvs_add(a, &req->headers, "x-newest", "true");
}

static int swift_read(struct ck_vfs *v, const char *key, struct ck_buf *out, struct ck_version *ret,
                      struct ck_err *err)
{
    struct ck_swift *s = (struct ck_swift *)v;
    int r = ck_swift_prepare(s, err);
    if (r < 0)
        return r;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    read_request(a, s, "GET", key, true, &req);
    CK_AUTORESP resp = {0};
    r = ck_swift_send(s, &req, &resp, err);
    if (r < 0)
        return ck_swift_wrap(s, "reading", key, err);
    r = take_object(s, key, &resp, err);
    if (r < 0)
        return r;
    ck_buf_put(out, ck_buf_slice(&resp.body));
    ck_swift_version(&resp, ret);
    return 0;
}

struct bulk {
    struct ck_swift *s;
    const char *const *keys;
    ck_bulk_fn fn;
    void *arg;
};

static int bulk_done(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    struct bulk *b = arg;
    struct ck_version version = {""};
    int r = -1;
    if (item_err->code != CK_OK) {
        ck_swift_wrap(b->s, "reading", b->keys[i], item_err);
    } else {
        r = take_object(b->s, b->keys[i], resp, item_err);
        ck_swift_version(resp, &version);
    }
    return b->fn(b->arg, i, r < 0 ? CK_S("") : ck_buf_slice(&resp->body), &version, item_err);
}

static int swift_read_many(struct ck_vfs *v, const char *const *keys, size_t n, ck_bulk_fn fn,
                           void *arg, struct ck_err *err)
{
    struct ck_swift *s = (struct ck_swift *)v;
    int r = ck_swift_prepare(s, err);
    if (r < 0 || n == 0)
        return r;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req *reqs = ck_arena_alloc(a, n * sizeof *reqs);
    for (size_t i = 0; i < n; i++)
        read_request(a, s, "GET", keys[i], false, &reqs[i]);
    struct bulk b = {s, keys, fn, arg};
    return ck_http_all(ck_swift_http(s), reqs, n, bulk_done, &b, err);
}

static int swift_hash(struct ck_vfs *v, const char *key, enum ck_hash_alg alg, struct ck_hash *ret,
                      struct ck_err *err)
{
    *ret = (struct ck_hash){.alg = alg};
    if (alg != CK_MD5)
        return 0;
    struct ck_swift *s = (struct ck_swift *)v;
    int r = ck_swift_prepare(s, err);
    if (r < 0)
        return r;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    read_request(a, s, "HEAD", key, false, &req);
    CK_AUTORESP resp = {0};
    r = ck_swift_send(s, &req, &resp, err);
    if (r < 0)
        return ck_swift_wrap(s, "checking", key, err);
    if (resp.status == 404)
        r = ck_swift_check_container(s, "checking", key, err);
    if (r == 0 && resp.status != 200 && resp.status != 204)
        r = ck_swift_fail(s, &resp, "checking", key, err);
    if (r == 0 && md5_of(&resp, ret->bytes))
        ret->len = CK_MD5_LEN;
    return r;
}

/* ---- the scheme ---- */

static char *swift_text(struct ck_vfs *v, const char *key, struct ck_arena *a)
{
    return ck_arena_printf(a, "swift://%s/%s", v->container, key);
}

static void swift_close(struct ck_vfs *v)
{
    struct ck_swift *s = (struct ck_swift *)v;
    ck_os_free(s->os);
    s->os = NULL;
    s->ready = false;
}

static const struct ck_vfs_ops swift_ops = {
    .scheme = "swift",
    .examine = ck_swift_examine,
    .read = swift_read,
    .write = ck_swift_write,
    .remove = ck_swift_remove,
    .remove_tree = ck_swift_remove_tree,
    .remove_versions = ck_swift_remove_versions,
    CK_PAGES_OPS,
    .pages = &ck_swift_pages,
    .hash = swift_hash,
    .read_many = swift_read_many,
    .text = swift_text,
    .close = swift_close,
    .preferred_hash = CK_MD5,
    .has_hash = true,
    .cluster_readable = true,
};

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("._-~!$&'()*+,;=", c)) || (unsigned char)c >= 0x80;
}

/* What may stand as a host in a URL and names a container without being decoded first. */
static bool container_ok(const char *c)
{
    size_t n = strlen(c);
    if (!n || n > MAX_CONTAINER || strcmp(c, ".") == 0 || strcmp(c, "..") == 0 ||
        ck_str_starts(c, LOCK_PREFIX) || !ck_utf8_valid(ck_slice_of(c)))
        return false;
    for (; *c; c++)
        if (!name_char(*c))
            return false;
    return true;
}

/* The nearest name that works. */
static void put_nearest(struct ck_buf *b, struct ck_slice name)
{
    size_t start = b->len;
    for (size_t i = 0; i < name.len && b->len - start < MAX_CONTAINER; i++) {
        char c = name.ptr[i];
        ck_buf_putc(b, name_char(c) && (unsigned char)c < 0x80 ? c : '-');
    }
    if (!container_ok(b->ptr ? b->ptr + start : "")) {
        b->len = start;
        ck_buf_puts(b, "state-store");
    }
}

int ck_vfs_parse_swift(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                       struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf quoted = CK_BUF_INIT;
    ck_goquote(&quoted, ck_slice_of(url));
    const char *host = strchr(url, ':') + strlen("://");
    struct ck_slice name = ck_slice_n(host, strcspn(host, "/?#"));
    if (!name.len)
        return ck_fail(err, CK_INVALID, "invalid swift path: %s", ck_buf_str(&quoted));
    int r = ck_vfs_refuse_query("invalid openstack cloud storage path", url, err);
    if (r < 0)
        return r;
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    if (!container_ok(ck_arena_strndup(tmp, name.ptr, name.len))) {
        CK_AUTOBUF struct ck_buf near = CK_BUF_INIT;
        put_nearest(&near, name);
        return ck_fail(err, CK_INVALID,
                       "invalid openstack cloud storage path: %s: a container's name has 1 to %d "
                       "bytes without blanks, slashes, colons, quotes and percent signs, and does "
                       "not begin with " LOCK_PREFIX "; swift://%s%s would do",
                       ck_buf_str(&quoted), MAX_CONTAINER, ck_buf_str(&near), name.ptr + name.len);
    }
    struct ck_vfs_url parts;
    if (!ck_vfs_url_split(ctx->arena, url, &parts))
        return ck_fail(err, CK_INVALID, "invalid openstack cloud storage path: %s: " CK_VFS_PERCENT,
                       ck_buf_str(&quoted));
    if (!ck_utf8_valid(ck_slice_of(parts.key)))
        return ck_fail(err, CK_INVALID,
                       "invalid openstack cloud storage path: %s: it is not UTF-8, which Swift "
                       "needs",
                       ck_buf_str(&quoted));
    bool is_new;
    struct ck_vfs *v =
        ck_vfs_container(ctx, &swift_ops, parts.container, sizeof(struct ck_swift), &is_new);
    *ret = (struct ck_path){.vfs = v, .key = parts.key};
    return 0;
}
