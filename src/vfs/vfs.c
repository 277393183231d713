/* The operations on locations: key checks, tracing, and what is built from a store's members when
 * the store has no better way. */
#include "vfs/vfs.h"

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/enc.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "net/http.h"
#include "vfs/scheme.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_LOSSES = 7, MOST_BASE_MS = 1000, MOST_WAIT_MS = 10000 };

void ck_vfs_ctx_done(struct ck_vfs_ctx *ctx)
{
    for (struct ck_vfs *v = ctx->opened; v; v = v->next)
        if (v->ops->close)
            v->ops->close(v);
    ctx->opened = NULL;
    if (ctx->http)
        ck_http_free(ctx->http);
    ctx->http = NULL;
}

const struct ck_tls ck_vfs_tls = {
    .hint = "if it comes from an authority of your own, name a file with that authority's "
            "certificate in CKOPS_STORE_CA_BUNDLE or SSL_CERT_FILE"};

int ck_vfs_switch(const struct ck_env *env, const char *name, bool *ret, struct ck_err *err)
{
    const char *v = ck_env_nonempty(env, name);
    if (!v)
        return 0;
    *ret = strcmp(v, "yes") == 0;
    if (*ret || strcmp(v, "no") == 0)
        return 0;
    CK_AUTOBUF struct ck_buf quoted = CK_BUF_INIT;
    ck_goquote(&quoted, ck_slice_of(v));
    return ck_fail(err, CK_INVALID, "%s is %s: it must be yes or no", name, ck_buf_str(&quoted));
}

struct span {
    const struct ck_path *p;
    const char *what;
    int64_t start;
};

static struct span begin(const struct ck_path *p, const char *what)
{
    return (struct span){p, what, p->vfs->ctx->trace ? ck_mono_ms() : 0};
}

static int end(const struct span *s, int r)
{
    const struct ck_vfs_ctx *ctx = s->p->vfs->ctx;
    if (ctx->trace) {
        CK_AUTOARENA struct ck_arena *a = ck_arena_new();
        ctx->trace(ctx->trace_arg, s->what, ck_path_text(a, s->p), ck_mono_ms() - s->start, -r);
    }
    return r;
}

static const struct ck_vfs_ops *ops(const struct ck_path *p)
{
    return p->vfs->ops;
}

int ck_vfs_read(const struct ck_path *p, struct ck_buf *out, struct ck_version *ret_version,
                struct ck_err *err)
{
    struct span s = begin(p, "read");
    return end(&s, ops(p)->read(p->vfs, p->key, out, ret_version, err));
}

int ck_vfs_read_stream(const struct ck_path *p, ck_sink_fn fn, void *arg,
                       struct ck_version *ret_version, struct ck_err *err)
{
    struct span s = begin(p, "read");
    if (ops(p)->read_stream)
        return end(&s, ops(p)->read_stream(p->vfs, p->key, fn, arg, ret_version, err));
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    int r = ops(p)->read(p->vfs, p->key, &b, ret_version, err);
    if (r == 0)
        r = fn(arg, ck_buf_slice(&b), err);
    return end(&s, r);
}

/* ---- changes ---- */

/* Nobody is told of what only happens in a layer in memory. */
static struct ck_vfs_watch *watches(const struct ck_vfs_change *c)
{
    const struct ck_vfs_ctx *ctx = c->path->vfs->ctx;
    return ctx->overlay ? NULL : ctx->watch;
}

static int about_to(const struct ck_vfs_change *c, struct ck_err *err)
{
    int r = 0;
    for (struct ck_vfs_watch *w = watches(c); r == 0 && w; w = w->next) {
        if (!w->before || w->busy)
            continue;
        w->busy = true;
        r = w->before(w, c, err);
        w->busy = false;
    }
    return r;
}

static int done(const struct ck_vfs_change *c, int result)
{
    for (struct ck_vfs_watch *w = watches(c); w; w = w->next) {
        if (!w->after || w->busy)
            continue;
        w->busy = true;
        w->after(w, c, result);
        w->busy = false;
    }
    return result;
}

/* With 64 writers of one object, each success makes 63 others fail. So that one of them gets on
 * while the others are out of its way, who loses stays away for a while; how long follows from what
 * the store needs for an answer, which under load includes the queue before it. */
static int let_pass(const struct ck_path *p, int r, int64_t took_ms)
{
    struct ck_vfs *v = p->vfs;
    uint32_t key = ck_crc32c(ck_slice_of(p->key));
    v->losses = v->contended_key == key ? v->losses : 0;
    v->contended_key = key;
    if (r == 0)
        v->losses -= v->losses > 0;
    if (r != -(int)CK_CONFLICT)
        return r;
    int64_t most = took_ms < MOST_BASE_MS ? took_ms << v->losses : MOST_WAIT_MS;
    if (most > 0) {
        uint16_t random;
        ck_random(&random, sizeof random);
        ck_sleep_ms(random * (most < MOST_WAIT_MS ? most : MOST_WAIT_MS) / UINT16_MAX);
    }
    v->losses += v->losses < MOST_LOSSES;
    return r;
}

int ck_vfs_write(const struct ck_path *p, struct ck_slice data, const struct ck_write_opts *opts,
                 struct ck_version *ret_version, struct ck_err *err)
{
    static const struct ck_write_opts any = {.mode = CK_WRITE_ANY};
    struct span s = begin(p, "write");
    struct ck_version ignored;
    if (!opts)
        opts = &any;
    struct ck_vfs_change c = {.kind = CK_CHANGE_WRITE, .path = p, .data = data, .opts = opts};
    int r = about_to(&c, err);
    if (r < 0)
        return r;
    int64_t began = ck_mono_ms();
    p->vfs->waited_ms = 0;
    r = ops(p)->write(p->vfs, p->key, data, opts, ret_version ? ret_version : &ignored, err);
    r = done(&c, end(&s, r));
    /* Writers of local files queue for the folder's lock already. */
    bool shared = opts->mode == CK_WRITE_IF_UNCHANGED && !ops(p)->absolute_keys;
    return shared ? let_pass(p, r, ck_mono_ms() - began - p->vfs->waited_ms) : r;
}

static bool takes_pieces(const struct ck_path *p)
{
    if (!ops(p)->writer || p->vfs->ctx->overlay)
        return false;
    for (struct ck_vfs_watch *w = p->vfs->ctx->watch; w; w = w->next)
        if (!w->streams || !w->streams(w, p))
            return false;
    return true;
}

int ck_vfs_writer_open(const struct ck_path *p, uint64_t size, const struct ck_write_opts *opts,
                       struct ck_vfs_writer **ret, struct ck_err *err)
{
    *ret = NULL;
    if (!takes_pieces(p))
        return ck_fail(err, CK_UNSUPPORTED, "this store takes whole contents only");
    struct span s = begin(p, "begin");
    struct ck_vfs_change c = {.kind = CK_CHANGE_WRITE, .path = p, .opts = opts, .in_pieces = true};
    int r = about_to(&c, err); /* a refusal had better come before the pieces */
    if (r < 0)
        return r;
    return done(&c, end(&s, ops(p)->writer(p->vfs, p->key, size, opts, ret, err)));
}

int ck_vfs_writer_put(struct ck_vfs_writer *w, struct ck_slice piece, struct ck_err *err)
{
    return piece.len ? w->ops->put(w, piece, err) : 0;
}

int ck_vfs_writer_commit(struct ck_vfs_writer *w, struct ck_version *ret_version,
                         bool *ret_verified, struct ck_err *err)
{
    const struct ck_path p = {w->vfs, w->key};
    struct span s = begin(&p, "commit");
    struct ck_version ignored = {""};
    struct ck_vfs_change c = {.kind = CK_CHANGE_WRITE, .path = &p, .in_pieces = true};
    *ret_verified = false;
    int r = about_to(&c, err);
    if (r < 0)
        return r;
    return done(
        &c, end(&s, w->ops->commit(w, ret_version ? ret_version : &ignored, ret_verified, err)));
}

void ck_vfs_writer_free(struct ck_vfs_writer *w)
{
    if (w)
        w->ops->free(w);
}

int ck_vfs_sync(const struct ck_path *p, struct ck_err *err)
{
    struct span s = begin(p, "sync");
    return ops(p)->sync ? end(&s, ops(p)->sync(p->vfs, p->key, err)) : 0;
}

int ck_vfs_remove(const struct ck_path *p, const struct ck_version *version, struct ck_err *err)
{
    struct span s = begin(p, "remove");
    struct ck_vfs_change c = {.kind = CK_CHANGE_REMOVE, .path = p};
    int r = about_to(&c, err);
    if (r < 0)
        return r;
    return done(&c, end(&s, ops(p)->remove(p->vfs, p->key, version, err)));
}

static int remove_each(const struct ck_path *p, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_entries tree = {0};
    int r = ops(p)->tree(p->vfs, p->key, a, &tree, err);
    for (size_t i = 0; r == 0 && i < tree.n; i++) {
        r = ops(p)->remove(p->vfs, tree.v[i].key, NULL, err);
        if (r == -(int)CK_NOT_FOUND) { /* somebody else was faster */
            ck_err_done(err);
            r = 0;
        }
    }
    return r;
}

int ck_vfs_remove_tree(const struct ck_path *p, struct ck_err *err)
{
    struct span s = begin(p, "remove tree");
    struct ck_vfs_change c = {.kind = CK_CHANGE_REMOVE_TREE, .path = p};
    int r = about_to(&c, err);
    if (r < 0)
        return r;
    r = ops(p)->remove_tree ? ops(p)->remove_tree(p->vfs, p->key, err) : remove_each(p, err);
    return done(&c, end(&s, r));
}

int ck_vfs_remove_versions(const struct ck_path *p, struct ck_err *err)
{
    struct span s = begin(p, "remove versions");
    struct ck_vfs_change c = {.kind = CK_CHANGE_REMOVE_VERSIONS, .path = p};
    int r = about_to(&c, err);
    if (r < 0)
        return r;
    r = ops(p)->remove_versions ? ops(p)->remove_versions(p->vfs, p->key, err)
                                : ops(p)->remove(p->vfs, p->key, NULL, err);
    return done(&c, end(&s, r));
}

int ck_vfs_list(const struct ck_path *p, struct ck_arena *a, struct ck_entries *ret,
                struct ck_err *err)
{
    struct span s = begin(p, "list");
    return end(&s, ops(p)->list(p->vfs, p->key, a, ret, err));
}

int ck_vfs_list_dirs(const struct ck_path *p, struct ck_arena *a, struct ck_entries *ret,
                     struct ck_err *err)
{
    struct span s = begin(p, "list folders");
    return end(&s, ops(p)->list_dirs(p->vfs, p->key, a, ret, err));
}

int ck_vfs_tree(const struct ck_path *p, struct ck_arena *a, struct ck_entries *ret,
                struct ck_err *err)
{
    struct span s = begin(p, "list tree");
    return end(&s, ops(p)->tree(p->vfs, p->key, a, ret, err));
}

int ck_vfs_tree_each(const struct ck_path *p, ck_entry_fn fn, void *arg, struct ck_err *err)
{
    struct span s = begin(p, "list tree");
    if (ops(p)->tree_each)
        return end(&s, ops(p)->tree_each(p->vfs, p->key, fn, arg, err));
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_entries tree = {0};
    int r = ops(p)->tree(p->vfs, p->key, a, &tree, err);
    for (size_t i = 0; r == 0 && i < tree.n; i++)
        r = fn(arg, &tree.v[i], err);
    return end(&s, r);
}

void ck_vfs_tree_follows(const struct ck_path *file, const struct ck_path *dir)
{
    if (file->vfs == dir->vfs && ops(file)->tree_follows)
        ops(file)->tree_follows(file->vfs, file->key, dir->key);
}

int ck_vfs_hash(const struct ck_path *p, enum ck_hash_alg alg, struct ck_hash *ret,
                struct ck_err *err)
{
    *ret = (struct ck_hash){.alg = alg};
    if (!ops(p)->hash)
        return 0;
    struct span s = begin(p, "hash");
    return end(&s, ops(p)->hash(p->vfs, p->key, alg, ret, err));
}

int ck_vfs_exposure(const struct ck_path *p, struct ck_arena *a, struct ck_exposure *ret,
                    struct ck_err *err)
{
    *ret = (struct ck_exposure){.readers = "the store does not tell", .encryption = ""};
    ret->of_container = true;
    if (!ops(p)->exposure)
        return 0;
    struct span s = begin(p, "exposure");
    return end(&s, ops(p)->exposure(p->vfs, p->key, a, ret, err));
}

int ck_vfs_locate(const struct ck_path *p, bool dualstack, struct ck_arena *a,
                  struct ck_vfs_place *ret, struct ck_err *err)
{
    *ret = (struct ck_vfs_place){"", ""};
    if (!ops(p)->locate)
        return 0;
    struct span s = begin(p, "locate");
    return end(&s, ops(p)->locate(p->vfs, p->key, dualstack, a, ret, err));
}

int ck_vfs_examine(const struct ck_path *p, struct ck_exam *x, struct ck_err *err)
{
    if (!ops(p)->examine)
        return 0;
    struct span s = begin(p, "examine");
    return end(&s, ops(p)->examine(p->vfs, p->key, x, err));
}

static int read_in_turn(struct ck_vfs *v, const char *const *keys, size_t n, ck_bulk_fn fn,
                        void *arg)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    for (size_t i = 0; i < n; i++) {
        CK_AUTOERR item = CK_ERR_INIT;
        struct ck_version version = {""};
        ck_buf_reset(&b);
        v->ops->read(v, keys[i], &b, &version, &item);
        int r = fn(arg, i, ck_buf_slice(&b), &version, &item);
        if (r < 0)
            return r;
    }
    return 0;
}

/* The caller's function and why it stopped, so that no store has to pass that on. */
struct stopper {
    ck_bulk_fn fn;
    void *arg;
    struct ck_err why;
};

static int hand_item(void *arg, size_t i, struct ck_slice data, const struct ck_version *version,
                     struct ck_err *item_err)
{
    struct stopper *s = arg;
    int r = s->fn(s->arg, i, data, version, item_err);
    if (r < 0 && s->why.code == CK_OK)
        ck_err_move(&s->why, item_err);
    return r;
}

int ck_vfs_read_many(const struct ck_path *base, const char *const *keys, size_t n, ck_bulk_fn fn,
                     void *arg, struct ck_err *err)
{
    struct span s = begin(base, "read many");
    struct stopper stop = {.fn = fn, .arg = arg};
    int r = ops(base)->read_many ? ops(base)->read_many(base->vfs, keys, n, hand_item, &stop, err)
                                 : read_in_turn(base->vfs, keys, n, hand_item, &stop);
    if (r < 0 && stop.why.code != CK_OK && err)
        ck_err_move(err, &stop.why);
    ck_err_done(&stop.why);
    return end(&s, r);
}

/* ---- entries ---- */

void ck_entries_add(struct ck_arena *a, struct ck_entries *e, struct ck_entry entry)
{
    if (e->n == e->cap) {
        size_t cap = e->cap ? e->cap * 2 : 32;
        struct ck_entry *v = ck_arena_alloc(a, cap * sizeof *v);
        if (e->n)
            memcpy(v, e->v, e->n * sizeof *v);
        e->v = v;
        e->cap = cap;
    }
    e->v[e->n++] = entry;
}

static int by_key(const void *x, const void *y)
{
    return strcmp(((const struct ck_entry *)x)->key, ((const struct ck_entry *)y)->key);
}

void ck_entries_sort(struct ck_entries *e)
{
    if (e->n > 1)
        qsort(e->v, e->n, sizeof *e->v, by_key);
}

/* ---- hashes ---- */

static const struct {
    const char *name;
    size_t len;
} algorithms[] = {[CK_MD5] = {"md5", 16}, [CK_SHA1] = {"sha1", 20}, [CK_SHA256] = {"sha256", 32}};

static int hash_hex(struct ck_slice hex, enum ck_hash_alg alg, struct ck_hash *ret,
                    struct ck_err *err)
{
    if (hex.len != algorithms[alg].len * 2)
        return ck_fail(err, CK_INVALID, "invalid \"%s\" hash - unexpected length %zu",
                       algorithms[alg].name, hex.len);
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (!ck_hex_decode(&b, hex)) {
        CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
        ck_goquote(&q, hex);
        return ck_fail(err, CK_INVALID, "invalid hash %s - not hex", ck_buf_str(&q));
    }
    *ret = (struct ck_hash){.alg = alg, .len = b.len};
    memcpy(ret->bytes, b.ptr, b.len);
    return 0;
}

int ck_hash_parse(const char *text, struct ck_hash *ret, struct ck_err *err)
{
    struct ck_slice s = ck_slice_of(text);
    size_t colon = ck_slice_find(s, ':');
    if (colon < s.len) {
        for (size_t i = 0; i < CK_ARRAY_LEN(algorithms); i++)
            if (ck_slice_eq_str(ck_slice_n(s.ptr, colon), algorithms[i].name))
                return hash_hex(ck_slice_n(s.ptr + colon + 1, s.len - colon - 1),
                                (enum ck_hash_alg)i, ret, err);
        CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
        ck_goquote(&q, ck_slice_n(s.ptr, colon));
        return ck_fail(err, CK_INVALID, "unknown hash algorithm: %s", ck_buf_str(&q));
    }
    for (size_t i = 0; i < CK_ARRAY_LEN(algorithms); i++)
        if (s.len == algorithms[i].len * 2)
            return hash_hex(s, (enum ck_hash_alg)i, ret, err);
    return ck_fail(err, CK_INVALID, "cannot determine algorithm for hash length: %zu", s.len);
}

void ck_hash_put(struct ck_buf *out, const struct ck_hash *h)
{
    ck_buf_fmt(out, "%s:", algorithms[h->alg].name);
    ck_hex_encode(out, h->bytes, h->len);
}
