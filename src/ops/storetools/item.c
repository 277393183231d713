/* One file of a copy: comparing both contents, writing it, and making sure that it arrived. */
#include "ops/storetools/internal.h"

#include "base/enc.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "net/http.h"

#include <string.h>

/* Contents are keys often enough: wiped. */
#define CONTENT CK_CLEANUP(ck_buf_wipe) struct ck_buf

void ck_copy_md5(struct ck_slice content, char ret[CK_COPY_MD5])
{
    unsigned char md5[CK_MD5_LEN];
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_md5(content, md5);
    ck_hex_encode(&b, md5, sizeof md5);
    memcpy(ret, b.ptr, CK_COPY_MD5);
}

static bool is_md5(struct ck_slice content, const char *md5)
{
    char hex[CK_COPY_MD5];
    ck_copy_md5(content, hex);
    return strcmp(hex, md5) == 0;
}

static void put_digest(struct ck_buf *out, const struct ck_copy_digest *d)
{
    ck_hex_encode(out, d->bytes, d->len);
}

/* By digests, of the kind that one of the listings has told perhaps. */
static int compare_large(const struct ck_path *from, const struct ck_path *to,
                         struct ck_copy_item *it, struct ck_err *err)
{
    bool md5 = it->from_md5 || it->to_md5;
    struct ck_copy_digest d;
    CK_AUTOBUF struct ck_buf x = CK_BUF_INIT, y = CK_BUF_INIT;
    ck_buf_puts(&x, it->from_md5 ? it->from_md5 : "");
    ck_buf_puts(&y, it->to_md5 ? it->to_md5 : "");
    int r = 0;
    if (!y.len && (r = ck_copy_digest(to, md5, &d, &it->version, err)) == 0)
        put_digest(&y, &d);
    if (r == 0 && !x.len && (r = ck_copy_digest(from, md5, &d, NULL, err)) == 0)
        put_digest(&x, &d);
    if (r == 0)
        it->what = strcmp(ck_buf_str(&x), ck_buf_str(&y)) == 0 ? CK_COPY_SAME : CK_COPY_CHANGED;
    return r;
}

int ck_copy_compare(const struct ck_copy_pair *w, struct ck_copy_item *it, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_path from = ck_copy_at(a, &w->from, it->name), to = ck_copy_at(a, &w->to, it->name);
    if (ck_copy_is_large(it))
        return compare_large(&from, &to, it, err);
    CONTENT x = CK_BUF_INIT, y = CK_BUF_INIT;
    int r = 0;
    bool same;
    if (!it->to_md5)
        r = ck_vfs_read(&to, &y, &it->version, err);
    if (r == 0 && !it->from_md5)
        r = ck_vfs_read(&from, &x, NULL, err);
    if (r < 0)
        return r;
    if (it->from_md5)
        same = is_md5(ck_buf_slice(&y), it->from_md5);
    else if (it->to_md5)
        same = is_md5(ck_buf_slice(&x), it->to_md5);
    else
        same = ck_slice_eq(ck_buf_slice(&x), ck_buf_slice(&y));
    it->what = same ? CK_COPY_SAME : CK_COPY_CHANGED;
    return 0;
}

int ck_copy_fail_damaged(struct ck_err *err)
{
    return ck_fail(err, CK_UNAVAILABLE,
                   "what arrived is not what was sent: it was damaged, or changed by someone else");
}

/* The store's word for what it holds, or a look at it. The ETag in the reply to a write is such a
 * word: S3 makes it from the bytes it has stored, and it is compared with the MD5 of the bytes that
 * were read from the source; asking again would bring the same tag. (The request carries the MD5
 * and the signed SHA-256 too, so that bytes damaged on the way are refused.) A local file is read
 * back, by the store itself where it can. */
int ck_copy_verify(const struct ck_path *to, struct ck_slice content,
                   const struct ck_version *version, struct ck_err *err)
{
    char want[CK_COPY_MD5];
    ck_copy_md5(content, want);
    if (strstr(version->token, want)) /* an ETag is the server's own digest */
        return 0;
    struct ck_hash h = {0};
    int r = to->vfs->ops->absolute_keys ? 0 : ck_vfs_hash(to, CK_MD5, &h, err);
    if (r < 0)
        return r;
    if (h.len) {
        CK_AUTOBUF struct ck_buf hex = CK_BUF_INIT;
        ck_hex_encode(&hex, h.bytes, h.len);
        if (strcmp(ck_buf_str(&hex), want) == 0)
            return 0;
    } else {
        CONTENT back = CK_BUF_INIT;
        r = ck_vfs_read(to, &back, NULL, err);
        if (r < 0 || ck_slice_eq(ck_buf_slice(&back), content))
            return r;
    }
    return ck_copy_fail_damaged(err);
}

static int delete_one(const struct ck_path *to, struct ck_err *err)
{
    int r = ck_vfs_remove(to, NULL, err);
    if (r != -(int)CK_NOT_FOUND)
        return r;
    ck_err_done(err); /* somebody else was faster */
    return 0;
}

static int look_away(void *arg, struct ck_slice piece, struct ck_err *err)
{
    return 0;
}

/* The version to be replaced; the listing told only that it differs. */
static int version_of(const struct ck_path *to, struct ck_copy_item *it, struct ck_err *err)
{
    return *it->version.token ? 0 : ck_vfs_read_stream(to, look_away, NULL, &it->version, err);
}

/* Refused for what is there now: which is perhaps what was to be written, by a copy that runs too,
 * or one that was killed and whose last request the server carried out later. */
static bool overtaken(int r)
{
    return r == -(int)CK_EXISTS || r == -(int)CK_CONFLICT;
}

static bool holds(const struct ck_path *at, struct ck_slice content)
{
    CK_AUTOERR ignored = CK_ERR_INIT; /* the refusal stands, then */
    CONTENT there = CK_BUF_INIT;
    return ck_vfs_read(at, &there, NULL, &ignored) == 0 &&
           ck_slice_eq(ck_buf_slice(&there), content);
}

static bool alike(const struct ck_path *x, const struct ck_path *y)
{
    CK_AUTOERR ignored = CK_ERR_INIT;
    struct ck_copy_digest a, b;
    return ck_copy_digest(x, false, &a, NULL, &ignored) == 0 &&
           ck_copy_digest(y, false, &b, NULL, &ignored) == 0 && a.len == b.len &&
           memcmp(a.bytes, b.bytes, a.len) == 0;
}

static int write_checked(const struct ck_path *to, struct ck_slice content,
                         const struct ck_write_opts *o, struct ck_err *err)
{
    struct ck_version written = {""};
    bool read_back = false;
    struct ck_write_opts checked = *o;
    checked.read_back = &read_back;
    int r = ck_vfs_write(to, content, &checked, &written, err);
    if (overtaken(r) && holds(to, content)) {
        ck_err_done(err);
        return 0;
    }
    return r < 0 || read_back ? r : ck_copy_verify(to, content, &written, err);
}

static int write_whole(const struct ck_path *from, const struct ck_path *to,
                       const struct ck_write_opts *o, uint64_t *ret_bytes, struct ck_err *err)
{
    CONTENT content = CK_BUF_INIT;
    int r = ck_vfs_read(from, &content, NULL, err);
    if (r == 0)
        r = write_checked(to, ck_buf_slice(&content), o, err);
    *ret_bytes = content.len;
    return r;
}

/* In pieces what is large, where the destination takes pieces. */
static int transfer(const struct ck_copy_pair *w, const struct ck_copy_item *it,
                    const struct ck_path *from, const struct ck_path *to,
                    const struct ck_write_opts *o, uint64_t *ret_bytes, struct ck_err *err)
{
    if (ck_copy_is_large(it)) {
        CK_AUTOERR own = CK_ERR_INIT;
        int r = ck_copy_stream(from, to, it->size, NULL, o, w->live, ret_bytes, &own);
        if (overtaken(r) && alike(from, to))
            return 0;
        if (r != -(int)CK_UNSUPPORTED)
            return r < 0 ? ck_err_move(err, &own) : 0;
    }
    return write_whole(from, to, o, ret_bytes, err);
}

static const struct ck_write_opts AS_NEW = {.mode = CK_WRITE_CREATE, .sync_later = true};

/* What a create that was refused means in a copy: the comparison found no file there. A folder,
 * say, cannot be read as one. */
static int refused(int r, const struct ck_path *to, struct ck_err *err)
{
    CK_AUTOERR why = CK_ERR_INIT;
    if (r != -(int)CK_EXISTS)
        return r;
    int looked = ck_vfs_read_stream(to, look_away, NULL, NULL, &why);
    return looked < 0 && looked != -(int)CK_NOT_FOUND
               ? ck_err_move(err, &why)
               : ck_fail(err, CK_CONFLICT, "someone else wrote it meanwhile");
}

int ck_copy_apply(const struct ck_copy_pair *w, struct ck_copy_item *it, uint64_t *ret_bytes,
                  struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_path from = ck_copy_at(a, &w->from, it->name), to = ck_copy_at(a, &w->to, it->name);
    *ret_bytes = 0;
    if (it->what == CK_COPY_EXTRA)
        return delete_one(&to, err);
    struct ck_write_opts o = AS_NEW;
    uint64_t bytes = 0;
    int r = 0;
    if (it->what == CK_COPY_CHANGED) {
        o = (struct ck_write_opts){.mode = CK_WRITE_IF_UNCHANGED, .version = &it->version};
        r = version_of(&to, it, err);
    }
    if (r == 0)
        r = transfer(w, it, &from, &to, &o, &bytes, err);
    if (r == 0)
        *ret_bytes = bytes;
    return refused(r, &to, err);
}

/* ---- many at once ---- */

struct many {
    const struct ck_copy_pair *w;
    struct ck_copy_item *const *items;
    bool *ended;
    ck_copy_done_fn done;
    void *arg;
};

static int end_one(struct many *m, size_t i, int r, uint64_t bytes)
{
    m->ended[i] = true;
    m->done(m->arg, m->items[i], r, bytes);
    return 0;
}

static int on_content(void *arg, size_t i, struct ck_slice content,
                      const struct ck_version *version, struct ck_err *item_err)
{
    struct many *m = arg;
    struct ck_copy_item *it = m->items[i];
    if (item_err->code != CK_OK)
        return end_one(m, i, ck_err_move(&it->err, item_err), 0);
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_path to = ck_copy_at(a, &m->w->to, it->name);
    int r = refused(write_checked(&to, content, &AS_NEW, &it->err), &to, &it->err);
    return end_one(m, i, r, r < 0 ? 0 : content.len);
}

void ck_copy_apply_many(struct ck_copy_pair *w, struct ck_copy_item *const *items, size_t n,
                        unsigned parallel, ck_copy_done_fn done, void *arg)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    const char **keys = ck_arena_alloc(a, n * sizeof *keys);
    struct many m = {w, items, ck_arena_alloc(a, n * sizeof *m.ended), done, arg};
    for (size_t i = 0; i < n; i++)
        keys[i] = ck_copy_at(a, &w->from, items[i]->name).key;
    w->from.ctx.parallel = parallel;
    if (w->from.ctx.http)
        ck_http_set_parallel(w->from.ctx.http, parallel);
    int r = ck_vfs_read_many(&w->from.root, keys, n, on_content, &m, &err);
    for (size_t i = 0; i < n; i++)
        if (!m.ended[i])
            end_one(&m, i,
                    ck_fail(&items[i]->err, r < 0 ? err.code : CK_INTERNAL, "%s",
                            r < 0 ? ck_err_msg(&err) : "it was not read"),
                    0);
}
