/* Files too large to be held, and how much all threads may hold together. */
#include "ops/storetools/internal.h"

#include "base/enc.h"
#include "crypto/hash.h"

#include <string.h>

enum { MIB = 1 << 20, HELD_MOST = 6 * MIB, GUESS = 16 * 1024, COPIES = 4 };

/* ---- the budget ---- */

void ck_copy_budget_init(struct ck_copy_budget *b)
{
    *b = (struct ck_copy_budget){.left = HELD_MOST};
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->freed, NULL);
}

void ck_copy_budget_done(struct ck_copy_budget *b)
{
    pthread_cond_destroy(&b->freed);
    pthread_mutex_destroy(&b->lock);
}

/* A read holds the content and, while it grows, twice that in its buffer, the check of what was
 * written once more. A large file has the budget to itself: its writer holds a part of 5 MiB. */
size_t ck_copy_need(const struct ck_copy_item *it)
{
    uint64_t size = it->size < 0 ? GUESS : (uint64_t)it->size;
    return size >= HELD_MOST / COPIES ? HELD_MOST : (size_t)size * COPIES;
}

/* In turn, so that a large one is not overtaken for ever. */
void ck_copy_budget_take(struct ck_copy_budget *b, size_t n)
{
    pthread_mutex_lock(&b->lock);
    uint64_t turn = b->last++;
    while (b->turn != turn || b->left < n)
        pthread_cond_wait(&b->freed, &b->lock);
    b->left -= n;
    b->turn++;
    pthread_cond_broadcast(&b->freed);
    pthread_mutex_unlock(&b->lock);
}

void ck_copy_budget_give(struct ck_copy_budget *b, size_t n)
{
    pthread_mutex_lock(&b->lock);
    b->left += n;
    pthread_cond_broadcast(&b->freed);
    pthread_mutex_unlock(&b->lock);
}

/* ---- large files ---- */

bool ck_copy_is_large(const struct ck_copy_item *it)
{
    return it->size >= HELD_MOST / COPIES;
}

struct passing {
    struct ck_vfs_writer *to;       /* NULL: only the digest is wanted */
    struct ck_digest *digest, *md5; /* md5: NULL where nobody knows it beforehand */
    uint64_t bytes;
    atomic_uint_fast64_t *live; /* counts for the progress; NULL: nobody looks */
};

static int pass(void *arg, struct ck_slice piece, struct ck_err *err)
{
    struct passing *p = arg;
    p->bytes += piece.len;
    ck_digest_add(p->digest, piece);
    if (p->md5)
        ck_digest_add(p->md5, piece);
    int r = p->to ? ck_vfs_writer_put(p->to, piece, err) : 0;
    if (p->live)
        atomic_fetch_add(p->live, piece.len);
    return r;
}

int ck_copy_digest(const struct ck_path *at, bool md5, struct ck_copy_digest *ret,
                   struct ck_version *ret_version, struct ck_err *err)
{
    struct passing p = {.digest = ck_digest_new(md5 ? "md5" : "sha256")};
    int r = ck_vfs_read_stream(at, pass, &p, ret_version, err);
    ret->len = ck_digest_end(p.digest, ret->bytes);
    return r;
}

/* Whether what passed is what was meant to; md5 NULL: nobody knows it, and p->md5 is NULL, too. */
static bool passed_is(struct passing *p, int64_t size, const char *md5)
{
    unsigned char bytes[CK_MD5_LEN];
    CK_AUTOBUF struct ck_buf hex = CK_BUF_INIT;
    if (p->md5)
        ck_hex_encode(&hex, bytes, ck_digest_end(p->md5, bytes));
    return p->bytes == (uint64_t)size && (!md5 || strcmp(ck_buf_str(&hex), md5) == 0);
}

int ck_copy_stream(const struct ck_path *from, const struct ck_path *to, int64_t size,
                   const char *md5, const struct ck_write_opts *o, atomic_uint_fast64_t *live,
                   uint64_t *ret_bytes, struct ck_err *err)
{
    CK_AUTOWRITER *w = NULL;
    int r = ck_vfs_writer_open(to, (uint64_t)size, o, &w, err);
    if (r < 0)
        return r;
    struct passing p = {.to = w,
                        .digest = ck_digest_new("sha256"),
                        .md5 = md5 ? ck_digest_new("md5") : NULL,
                        .live = live};
    struct ck_copy_digest sent, there;
    r = ck_vfs_read_stream(from, pass, &p, NULL, err);
    sent.len = ck_digest_end(p.digest, sent.bytes);
    if (!passed_is(&p, size, md5) && r == 0)
        r = ck_fail(err, CK_CONFLICT, "it changed between its listing and its copy");
    bool verified = false;
    if (r == 0)
        r = ck_vfs_writer_commit(w, NULL, &verified, err);
    if (r == 0 && !verified)
        r = ck_copy_digest(to, false, &there, NULL, err);
    if (live)
        atomic_fetch_sub(live, p.bytes);
    *ret_bytes = p.bytes;
    if (r == 0 && !verified && memcmp(sent.bytes, there.bytes, sent.len) != 0)
        r = ck_copy_fail_damaged(err);
    return r;
}
