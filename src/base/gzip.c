/* A small compressor: one block with its own Huffman codes, matches found by a hash of three bytes.
 * The bytes are a function of the input alone. gunzip.c is the way back. */
#include "base/gzip.h"

#include "base/attr.h"
#include "base/deflate.h"
#include "base/mem.h"

#include <stdint.h>
#include <string.h>

enum {
    MIN_MATCH = 3,
    MAX_MATCH = 258,
    WINDOW = 32768,
    HASH_SIZE = 1 << 13,
    MAX_CHAIN = 64,
    N_LIT = 286,
    N_DIST = 30,
    MAX_CLEN_BITS = 7,
};

/* A literal (dist 0) or a match. */
struct token {
    uint16_t len, dist;
};

struct bits {
    struct ck_buf *out;
    uint32_t hold;
    unsigned n;
};

static void put_bits(struct bits *b, uint32_t value, unsigned n)
{
    b->hold |= value << b->n;
    b->n += n;
    for (; b->n >= 8; b->n -= 8, b->hold >>= 8)
        ck_buf_putc(b->out, (char)(b->hold & 0xff));
}

static unsigned row_of(const uint16_t *base, unsigned rows, unsigned value)
{
    unsigned i = rows - 1;
    while (base[i] > value)
        i--;
    return i;
}

/* ---- matches ---- */

struct finder {
    const unsigned char *in;
    size_t n;
    uint32_t head[HASH_SIZE]; /* newest place of a hash, plus one */
    uint32_t *prev;           /* the one before, by place */
};

static unsigned hash_at(const unsigned char *p)
{
    uint32_t v = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
    return (v * 2654435761U) >> 19;
}

static void remember(struct finder *f, size_t at)
{
    if (at + MIN_MATCH > f->n)
        return;
    unsigned h = hash_at(f->in + at);
    f->prev[at] = f->head[h];
    f->head[h] = (uint32_t)at + 1;
}

static struct token longest(const struct finder *f, size_t at)
{
    struct token best = {1, 0};
    size_t max = f->n - at < MAX_MATCH ? f->n - at : MAX_MATCH;
    if (max < MIN_MATCH)
        return best;
    uint32_t place = f->head[hash_at(f->in + at)];
    for (int tries = MAX_CHAIN; place && tries; tries--, place = f->prev[place - 1]) {
        size_t from = place - 1, len = 0;
        if (at - from > WINDOW)
            break;
        while (len < max && f->in[from + len] == f->in[at + len])
            len++;
        if (len >= MIN_MATCH && len > best.len)
            best = (struct token){(uint16_t)len, (uint16_t)(at - from)};
    }
    return best;
}

/* The tokens of the input; *ret_n of them. The caller frees. */
static struct token *tokens(struct ck_slice in, size_t *ret_n)
{
    struct finder *f = ck_xcalloc(1, sizeof *f);
    struct token *t = ck_xcalloc(in.len + 1, sizeof *t);
    size_t n = 0;
    f->in = (const unsigned char *)in.ptr;
    f->n = in.len;
    f->prev = ck_xcalloc(in.len + 1, sizeof *f->prev);
    for (size_t at = 0; at < in.len;) {
        t[n] = longest(f, at);
        for (size_t end = at + t[n].len; at < end; at++)
            remember(f, at);
        n++;
    }
    free(f->prev);
    free(f);
    *ret_n = n;
    return t;
}

/* ---- codes ---- */

struct codes {
    uint32_t freq[N_LIT];
    uint8_t len[N_LIT];
    uint16_t code[N_LIT];
};

/* Lengths of Huffman's codes by joining the two rarest until one is left. */
static unsigned tree_lengths(const uint32_t *freq, unsigned n, uint8_t *len)
{
    uint32_t weight[2 * N_LIT];
    int parent[2 * N_LIT];
    bool used[2 * N_LIT] = {false};
    unsigned total = n, left = 0, deepest = 0;
    for (unsigned i = 0; i < n; i++) {
        weight[i] = freq[i];
        used[i] = freq[i] == 0;
        left += freq[i] != 0;
    }
    for (; left > 1; left--, total++) {
        int pick[2] = {-1, -1};
        for (int k = 0; k < 2; k++) {
            for (unsigned i = 0; i < total; i++)
                if (!used[i] && (pick[k] < 0 || weight[i] < weight[pick[k]]))
                    pick[k] = (int)i;
            used[pick[k]] = true;
            parent[pick[k]] = (int)total;
        }
        weight[total] = weight[pick[0]] + weight[pick[1]];
        used[total] = false;
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned depth = 0;
        for (int at = (int)i; freq[i] && at != (int)total - 1; at = parent[at])
            depth++;
        len[i] = (uint8_t)depth;
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest;
}

static unsigned reversed(unsigned code, unsigned n)
{
    unsigned r = 0;
    for (unsigned i = 0; i < n; i++)
        r |= (code >> i & 1) << (n - 1 - i);
    return r;
}

/* Canonical codes. Where a code would be too long, frequencies are made more alike until none is.
 */
static void make_codes(struct codes *c, unsigned n, unsigned max_bits)
{
    unsigned used = 0;
    for (unsigned i = 0; i < n; i++)
        used += c->freq[i] != 0;
    for (unsigned i = 0; used < 2 && i < 2; i++) /* a decoder wants at least two */
        if (!c->freq[i]) {
            c->freq[i] = 1;
            used++;
        }
    while (tree_lengths(c->freq, n, c->len) > max_bits)
        for (unsigned i = 0; i < n; i++)
            c->freq[i] = c->freq[i] ? c->freq[i] / 2 + 1 : 0;
    unsigned code = 0;
    for (unsigned bits = 1; bits <= max_bits; bits++, code <<= 1)
        for (unsigned i = 0; i < n; i++)
            if (c->len[i] == bits)
                c->code[i] = (uint16_t)reversed(code++, bits);
}

static void count(const struct token *t, size_t n, const unsigned char *in, struct codes *lit,
                  struct codes *dist)
{
    lit->freq[END_OF_BLOCK] = 1;
    for (size_t i = 0, at = 0; i < n; at += t[i++].len) {
        if (!t[i].dist) {
            lit->freq[in[at]]++;
            continue;
        }
        lit->freq[END_OF_BLOCK + 1 + row_of(len_base, CK_ARRAY_LEN(len_base), t[i].len)]++;
        dist->freq[row_of(dist_base, CK_ARRAY_LEN(dist_base), t[i].dist)]++;
    }
}

/* ---- writing ---- */

/* The lengths of both alphabets one after the other, without codes for runs. */
static void put_lengths(struct bits *b, const struct codes *lit, const struct codes *dist)
{
    struct codes c = {0};
    for (int i = 0; i < N_LIT; i++)
        c.freq[lit->len[i]]++;
    for (int i = 0; i < N_DIST; i++)
        c.freq[dist->len[i]]++;
    make_codes(&c, N_CLEN, MAX_CLEN_BITS);
    put_bits(b, N_LIT - 257, 5);
    put_bits(b, N_DIST - 1, 5);
    put_bits(b, N_CLEN - 4, 4);
    for (int i = 0; i < N_CLEN; i++)
        put_bits(b, c.len[clen_order[i]], 3);
    for (int i = 0; i < N_LIT; i++)
        put_bits(b, c.code[lit->len[i]], c.len[lit->len[i]]);
    for (int i = 0; i < N_DIST; i++)
        put_bits(b, c.code[dist->len[i]], c.len[dist->len[i]]);
}

static void put_token(struct bits *b, struct token t, unsigned char byte, const struct codes *lit,
                      const struct codes *dist)
{
    if (!t.dist) {
        put_bits(b, lit->code[byte], lit->len[byte]);
        return;
    }
    unsigned l = row_of(len_base, CK_ARRAY_LEN(len_base), t.len);
    unsigned d = row_of(dist_base, CK_ARRAY_LEN(dist_base), t.dist);
    put_bits(b, lit->code[END_OF_BLOCK + 1 + l], lit->len[END_OF_BLOCK + 1 + l]);
    put_bits(b, (uint32_t)(t.len - len_base[l]), len_extra[l]);
    put_bits(b, dist->code[d], dist->len[d]);
    put_bits(b, (uint32_t)(t.dist - dist_base[d]), dist_extra[d]);
}

uint32_t ck_gzip_crc(struct ck_slice in)
{
    uint32_t crc = 0xffffffffU;
    for (size_t i = 0; i < in.len; i++) {
        crc ^= (unsigned char)in.ptr[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
    }
    return ~crc;
}

static void put_u32(struct ck_buf *out, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        ck_buf_putc(out, (char)(v >> (8 * i) & 0xff));
}

void ck_gzip(struct ck_buf *out, struct ck_slice in)
{
    static const char header[] = "\x1f\x8b\x08\0\0\0\0\0\0\xff"; /* deflate, no time, no system */
    struct codes lit = {0}, dist = {0};
    struct bits b = {out, 0, 0};
    size_t n, at = 0;
    CK_AUTOFREE struct token *t = tokens(in, &n);
    ck_buf_put(out, CK_S(header));
    count(t, n, (const unsigned char *)in.ptr, &lit, &dist);
    make_codes(&lit, N_LIT, MAX_BITS);
    make_codes(&dist, N_DIST, MAX_BITS);
    put_bits(&b, 1, 1); /* the last block */
    put_bits(&b, 2, 2); /* its own codes */
    put_lengths(&b, &lit, &dist);
    for (size_t i = 0; i < n; at += t[i++].len)
        put_token(&b, t[i], (unsigned char)in.ptr[at], &lit, &dist);
    put_bits(&b, lit.code[END_OF_BLOCK], lit.len[END_OF_BLOCK]);
    put_bits(&b, 0, (8 - b.n) % 8);
    put_u32(out, ck_gzip_crc(in));
    put_u32(out, (uint32_t)in.len);
    if (ck_mem_wipes()) /* they spell the input */
        ck_wipe(t, n * sizeof *t);
}
