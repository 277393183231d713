/* Reading, removing and hashing one file; reading many at once. */
#include "vfs/k8s/k8s.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/mem.h"
#include "crypto/hash.h"

#include <string.h>

enum { READ_TRIES = 8, REMOVE_TRIES = 8 };

/* ---- metadata ---- */

int ck_k8s_stat(struct ck_k8s *s, struct ck_arena *a, const char *key, struct ck_k8s_meta *ret,
                struct ck_err *err)
{
    char name[CK_K8S_NAME];
    ck_k8s_name(key, name);
    struct ck_req req;
    ck_k8s_request(a, s, "GET", name, true, &req);
    CK_AUTORESP resp = {0};
    int r = ck_k8s_send(s, &req, &resp, err);
    if (r < 0)
        return ck_k8s_wrap(s, "checking", "get", key, err);
    if (resp.status != 200)
        return ck_k8s_fail(s, &resp, "checking", "get", key, err);
    struct ck_val *v = NULL;
    r = ck_k8s_body(s, a, &resp, &v, err);
    if (r == 0)
        r = ck_k8s_meta_of(v, ret, err);
    if (r == 0)
        r = ck_k8s_check_path(ret, key, err);
    return r < 0 ? ck_k8s_wrap(s, "checking", "get", key, err) : 0;
}

int ck_k8s_content_hash(struct ck_vfs *v, const char *key, enum ck_hash_alg alg,
                        struct ck_hash *ret, struct ck_err *err)
{
    struct ck_k8s *s = (struct ck_k8s *)v;
    *ret = (struct ck_hash){.alg = alg};
    if (alg == CK_SHA1)
        return 0;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_k8s_meta m;
    int r = ck_k8s_prepare(s, err);
    if (r == 0)
        r = ck_k8s_stat(s, a, key, &m, err);
    if (r < 0)
        return r;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    size_t want = alg == CK_MD5 ? CK_MD5_LEN : CK_SHA256_LEN;
    if (ck_hex_decode(&b, ck_slice_of(alg == CK_MD5 ? m.md5 : m.sha256)) && b.len == want) {
        memcpy(ret->bytes, b.ptr, want);
        ret->len = want;
    }
    return 0;
}

/* ---- reading ---- */

int ck_k8s_take(struct ck_k8s *s, const struct ck_val *secret, const char *key, struct ck_buf *out,
                struct ck_version *ret, struct ck_err *err)
{
    struct ck_k8s_meta m;
    size_t max = s->base.ctx->max_object ? s->base.ctx->max_object : 64u << 20;
    int r = ck_k8s_meta_of(secret, &m, err);
    if (r == 0)
        r = ck_k8s_check_path(&m, key, err);
    if (r < 0)
        return r;
    if (m.parts && ((size_t)m.parts - 1) * CK_K8S_PART >= max)
        return ck_fail(err, CK_LIMIT, "it is larger than %zu bytes", max);
    CK_CLEANUP(ck_buf_wipe) struct ck_buf content = CK_BUF_INIT;
    r = m.parts ? ck_k8s_parts_read(s, &m, &content, err)
                : ck_k8s_content_of(secret, &content, err);
    if (r < 0)
        return r;
    if (content.len > max)
        return ck_fail(err, CK_LIMIT, "it is larger than %zu bytes", max);
    r = ck_k8s_check_hash(&m, ck_buf_slice(&content), err);
    if (r < 0)
        return r;
    ck_buf_put(out, ck_buf_slice(&content));
    ck_k8s_version(&m, ret);
    return 0;
}

static int take_reply(struct ck_k8s *s, const struct ck_resp *resp, const char *key,
                      struct ck_buf *out, struct ck_version *ret, struct ck_err *err)
{
    if (resp->status != 200)
        return ck_k8s_fail(s, resp, "reading", "get", key, err);
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_val *v = NULL;
    int r = ck_k8s_body(s, a, resp, &v, err);
    return r < 0 ? r : ck_k8s_take(s, v, key, out, ret, err);
}

static int read_once(struct ck_k8s *s, const char *key, struct ck_buf *out, struct ck_version *ret,
                     bool *ret_again, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    char name[CK_K8S_NAME];
    ck_k8s_name(key, name);
    struct ck_req req;
    ck_k8s_request(a, s, "GET", name, false, &req);
    CK_AUTORESP resp = {0};
    *ret_again = false;
    int r = ck_k8s_send(s, &req, &resp, err);
    if (r < 0)
        return ck_k8s_wrap(s, "reading", "get", key, err);
    bool found = resp.status == 200;
    r = take_reply(s, &resp, key, out, ret, err);
    if (r == 0 || !found)
        return r;
    *ret_again = r == -(int)CK_NOT_FOUND; /* a part: the file was replaced while it was read */
    return err ? ck_k8s_wrap(s, "reading", "get", key, err) : r;
}

int ck_k8s_read(struct ck_vfs *v, const char *key, struct ck_buf *out, struct ck_version *ret,
                struct ck_err *err)
{
    struct ck_k8s *s = (struct ck_k8s *)v;
    int r = ck_k8s_prepare(s, err);
    if (r < 0)
        return r;
    for (unsigned i = 0;; i++) {
        bool again;
        r = read_once(s, key, out, ret, &again, err);
        if (!again)
            return r;
        if (i + 1 == READ_TRIES)
            return ck_fail(
                err, CK_UNAVAILABLE,
                "error reading %s: parts of it are missing; if this stays, write it anew", key);
        ck_err_done(err);
    }
}

struct bulk {
    struct ck_k8s *s;
    const char *const *keys;
    ck_bulk_fn fn;
    void *arg;
};

static int bulk_done(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    struct bulk *b = arg;
    struct ck_version version = {""};
    CK_CLEANUP(ck_buf_wipe) struct ck_buf out = CK_BUF_INIT;
    if (item_err->code != CK_OK) {
        ck_k8s_wrap(b->s, "reading", "get", b->keys[i], item_err);
        return b->fn(b->arg, i, CK_S(""), &version, item_err);
    }
    int r = take_reply(b->s, resp, b->keys[i], &out, &version, item_err);
    if (r == -(int)CK_NOT_FOUND && resp->status == 200) {
        ck_err_done(item_err);
        r = ck_k8s_read(&b->s->base, b->keys[i], &out, &version, item_err);
    }
    return b->fn(b->arg, i, r < 0 ? CK_S("") : ck_buf_slice(&out), &version, item_err);
}

int ck_k8s_read_many(struct ck_vfs *v, const char *const *keys, size_t n, ck_bulk_fn fn, void *arg,
                     struct ck_err *err)
{
    struct ck_k8s *s = (struct ck_k8s *)v;
    int r = ck_k8s_prepare(s, err);
    if (r < 0 || n == 0)
        return r;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req *reqs = ck_arena_alloc(a, n * sizeof *reqs);
    for (size_t i = 0; i < n; i++) {
        char name[CK_K8S_NAME];
        ck_k8s_name(keys[i], name);
        ck_k8s_request(a, s, "GET", name, false, &reqs[i]);
    }
    struct bulk b = {s, keys, fn, arg};
    return ck_http_all(ck_k8s_http(s), reqs, n, bulk_done, &b, err);
}

/* ---- removing ---- */

static int refused(struct ck_k8s *s, const char *key, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    return ck_fail(err, CK_CONFLICT, "%s was changed by someone else since it was read",
                   ck_k8s_where(s, key, a));
}

/* One DELETE of exactly the version in *m. CONFLICT, NOT_FOUND. */
static int remove_exactly(struct ck_k8s *s, const char *key, const struct ck_k8s_meta *m,
                          struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    char name[CK_K8S_NAME];
    ck_k8s_name(key, name);
    struct ck_req req;
    ck_k8s_request(a, s, "DELETE", name, true, &req);
    req.body = ck_slice_of(ck_arena_printf(a,
                                           "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\","
                                           "\"preconditions\":{\"resourceVersion\":\"%s\"}}",
                                           m->rv));
    ck_nvs_add(a, &req.headers, "content-type", "application/json");
    CK_AUTORESP resp = {0};
    int r = ck_k8s_send(s, &req, &resp, err);
    if (r < 0)
        return ck_k8s_wrap(s, "deleting", "delete", key, err);
    bool gone = resp.status == 404 && ck_k8s_reason(&resp, "NotFound");
    /* Sent twice: the first may have done it, and nobody can tell it from another's deletion. */
    if (resp.status != 200 && resp.status != 202 && !(gone && resp.attempts > 1))
        return ck_k8s_fail(s, &resp, "deleting", "delete", key, err);
    if (m->parts)
        ck_k8s_parts_drop(s, key, m->gen, m->parts);
    return 0;
}

int ck_k8s_remove(struct ck_vfs *v, const char *key, const struct ck_version *version, bool must,
                  struct ck_err *err)
{
    struct ck_k8s *s = (struct ck_k8s *)v;
    int r = ck_k8s_prepare(s, err);
    if (r < 0)
        return r;
    CK_AUTOERR own = CK_ERR_INIT;
    struct ck_err *e = err ? err : &own;
    for (unsigned i = 0;; i++) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        struct ck_k8s_meta m;
        if (version && !ck_k8s_version_parse(a, version, &m))
            return refused(s, key, e);
        if (!version)
            r = ck_k8s_stat(s, a, key, &m, e);
        if (r == 0)
            r = remove_exactly(s, key, &m, e);
        if (version && (r == -(int)CK_CONFLICT || r == -(int)CK_NOT_FOUND))
            return refused(s, key, e);
        if (r == -(int)CK_NOT_FOUND && !must) { /* as on S3: gone is gone */
            ck_err_done(e);
            return 0;
        }
        if (r != -(int)CK_CONFLICT || i + 1 == REMOVE_TRIES)
            return r;
        ck_err_done(e);
        r = 0;
    }
}
