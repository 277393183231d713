/* Decompressing gzip (RFC 1951, 1952), every kind of block. Input is not trusted: each length,
 * distance and code is checked before it is used. */
#include "base/gzip.h"

#include "base/attr.h"
#include "base/deflate.h"

#include <string.h>

enum {
    HEADER = 10,
    TRAILER = 8,
    N_LIT = 288,
    N_DIST = 32,
    DEFLATE = 8,
};

struct input {
    const unsigned char *p;
    size_t n, at;
    uint32_t hold;
    unsigned bits;
    bool bad; /* something is wrong, or there was too little */
};

static unsigned take(struct input *in, unsigned n)
{
    while (in->bits < n) {
        if (in->at == in->n) {
            in->bad = true;
            return 0;
        }
        in->hold |= (uint32_t)in->p[in->at++] << in->bits;
        in->bits += 8;
    }
    unsigned v = in->hold & ((1U << n) - 1);
    in->hold >>= n;
    in->bits -= n;
    return v;
}

/* ---- Huffman codes ---- */

/* Symbols in order of their codes, and how many codes of each length there are. */
struct codes {
    uint16_t count[MAX_BITS + 1], symbol[N_LIT];
};

static bool make_codes(struct codes *c, const uint8_t *len, unsigned n)
{
    uint16_t start[MAX_BITS + 1];
    int left = 1;
    memset(c, 0, sizeof *c);
    for (unsigned i = 0; i < n; i++)
        c->count[len[i]]++;
    c->count[0] = 0;
    start[1] = 0;
    for (unsigned l = 1; l <= MAX_BITS; l++) {
        left = left * 2 - c->count[l];
        if (left < 0) /* more codes than fit */
            return false;
        if (l < MAX_BITS)
            start[l + 1] = (uint16_t)(start[l] + c->count[l]);
    }
    for (unsigned i = 0; i < n; i++)
        if (len[i])
            c->symbol[start[len[i]]++] = (uint16_t)i;
    return true;
}

static unsigned decode(struct input *in, const struct codes *c)
{
    unsigned code = 0, first = 0, index = 0;
    for (unsigned l = 1; l <= MAX_BITS && !in->bad; l++) {
        code |= take(in, 1);
        unsigned n = c->count[l];
        if (code < first + n)
            return c->symbol[index + code - first];
        index += n;
        first = (first + n) << 1;
        code <<= 1;
    }
    in->bad = true;
    return 0;
}

/* ---- blocks ---- */

struct output {
    struct ck_buf *b;
    size_t start, max; /* where this member begins in the buffer; how much it may hold */
};

static bool room(const struct output *o, size_t n)
{
    return n <= o->max - (o->b->len - o->start);
}

static void copy_match(struct input *in, struct output *o, unsigned symbol,
                       const struct codes *dist)
{
    unsigned l = symbol - END_OF_BLOCK - 1;
    if (l >= CK_ARRAY_LEN(len_base)) {
        in->bad = true;
        return;
    }
    unsigned n = len_base[l] + take(in, len_extra[l]);
    unsigned d = decode(in, dist);
    if (in->bad || d >= CK_ARRAY_LEN(dist_base)) {
        in->bad = true;
        return;
    }
    size_t back = dist_base[d] + take(in, dist_extra[d]);
    if (in->bad || back > o->b->len - o->start || !room(o, n)) {
        in->bad = true;
        return;
    }
    ck_buf_reserve(o->b, n);
    for (unsigned i = 0; i < n; i++)
        ck_buf_putc(o->b, o->b->ptr[o->b->len - back]);
}

static void compressed(struct input *in, struct output *o, const struct codes *lit,
                       const struct codes *dist)
{
    while (!in->bad) {
        unsigned symbol = decode(in, lit);
        if (in->bad || symbol == END_OF_BLOCK)
            return;
        if (symbol > END_OF_BLOCK)
            copy_match(in, o, symbol, dist);
        else if (room(o, 1))
            ck_buf_putc(o->b, (char)symbol);
        else
            in->bad = true;
    }
}

static void stored(struct input *in, struct output *o)
{
    in->hold = in->bits = 0;
    if (in->n - in->at < 4) {
        in->bad = true;
        return;
    }
    const unsigned char *p = in->p + in->at;
    size_t n = p[0] | (size_t)p[1] << 8, check = p[2] | (size_t)p[3] << 8;
    in->at += 4;
    if ((n ^ check) != 0xffff || n > in->n - in->at || !room(o, n)) {
        in->bad = true;
        return;
    }
    ck_buf_putn(o->b, in->p + in->at, n);
    in->at += n;
}

static void fixed(struct input *in, struct output *o)
{
    struct codes lit, dist;
    uint8_t len[N_LIT];
    memset(len, 8, 144);
    memset(len + 144, 9, 112);
    memset(len + 256, 7, 24);
    memset(len + 280, 8, 8);
    bool ok = make_codes(&lit, len, N_LIT);
    memset(len, 5, N_DIST);
    if (!ok || !make_codes(&dist, len, N_DIST))
        in->bad = true;
    compressed(in, o, &lit, &dist);
}

/* The code lengths of a block, themselves coded. */
static bool read_lengths(struct input *in, const struct codes *c, uint8_t *len, unsigned n)
{
    for (unsigned i = 0; i < n;) {
        unsigned symbol = decode(in, c), times = 1;
        uint8_t value = (uint8_t)symbol;
        if (symbol == 16) {
            if (i == 0)
                return false;
            value = len[i - 1];
            times = 3 + take(in, 2);
        } else if (symbol > 16) {
            value = 0;
            times = symbol == 17 ? 3 + take(in, 3) : 11 + take(in, 7);
        }
        if (in->bad || times > n - i)
            return false;
        memset(len + i, value, times);
        i += times;
    }
    return true;
}

static void dynamic(struct input *in, struct output *o)
{
    struct codes lit, dist;
    uint8_t len[N_LIT + N_DIST] = {0};
    unsigned n_lit = 257 + take(in, 5), n_dist = 1 + take(in, 5), n_clen = 4 + take(in, 4);
    for (unsigned i = 0; i < n_clen; i++)
        len[clen_order[i]] = (uint8_t)take(in, 3);
    bool ok = !in->bad && n_lit <= N_LIT && make_codes(&lit, len, N_CLEN);
    memset(len, 0, sizeof len);
    ok = ok && read_lengths(in, &lit, len, n_lit + n_dist) && make_codes(&lit, len, n_lit) &&
         make_codes(&dist, len + n_lit, n_dist);
    if (ok)
        compressed(in, o, &lit, &dist);
    else
        in->bad = true;
}

static uint32_t u32(const unsigned char *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

bool ck_gunzip(struct ck_buf *out, struct ck_slice data, size_t max)
{
    const unsigned char *p = (const unsigned char *)data.ptr;
    /* no optional part of the header is expected: gzip.c writes none */
    if (data.len < HEADER + TRAILER || p[0] != 0x1f || p[1] != 0x8b || p[2] != DEFLATE || p[3])
        return false;
    struct input in = {.p = p, .n = data.len - TRAILER, .at = HEADER};
    struct output o = {out, out->len, max};
    unsigned last = 0;
    while (!last && !in.bad) {
        last = take(&in, 1);
        unsigned kind = take(&in, 2);
        if (kind == 0)
            stored(&in, &o);
        else if (kind == 1)
            fixed(&in, &o);
        else if (kind == 2)
            dynamic(&in, &o);
        else
            in.bad = true;
    }
    struct ck_slice got = ck_slice_n(out->ptr ? out->ptr + o.start : "", out->len - o.start);
    return !in.bad && in.at == in.n && ck_buf_ok(out) && u32(p + in.n) == ck_gzip_crc(got) &&
           u32(p + in.n + 4) == (uint32_t)got.len;
}
