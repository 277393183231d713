/* Bump allocator: blocks chained from the newest to the oldest. */
#include "base/arena.h"

#include "base/mem.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct block {
    struct block *next;
    size_t used, size;
    alignas(max_align_t) char data[];
};

struct on_free {
    struct on_free *next;
    void (*fn)(void *);
    void *p;
};

struct ck_arena {
    struct block *blocks;
    struct on_free *hooks;
    size_t bytes;
    size_t next_size;
    bool wipe;
};

enum { FIRST_BLOCK = 2048, LARGEST_BLOCK = 256 * 1024 };

struct ck_arena *ck_arena_new(void)
{
    struct ck_arena *a = ck_xcalloc(1, sizeof *a);
    a->next_size = FIRST_BLOCK;
    return a;
}

void ck_arena_free(struct ck_arena *a)
{
    if (!a)
        return;
    for (struct on_free *h = a->hooks; h; h = h->next)
        h->fn(h->p);
    for (struct block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        if (a->wipe || ck_mem_wipes())
            ck_wipe(b->data, b->used);
        free(b);
    }
    free(a);
}

void ck_arena_set_wipe(struct ck_arena *a)
{
    a->wipe = true;
}

static struct block *add_block(struct ck_arena *a, size_t n)
{
    size_t size = a->next_size;
    if (size < LARGEST_BLOCK)
        a->next_size *= 2;
    if (size < n)
        size = n;
    struct block *b = ck_xmalloc(sizeof *b + size);
    b->used = 0;
    b->size = size;
    a->bytes += size;
    /* A block made for one large object must not hide the room left in the current one. */
    if (a->blocks && n > LARGEST_BLOCK / 2) {
        b->next = a->blocks->next;
        a->blocks->next = b;
    } else {
        b->next = a->blocks;
        a->blocks = b;
    }
    return b;
}

static void *take(struct ck_arena *a, size_t n, size_t align)
{
    struct block *b = a->blocks;
    if (b) {
        size_t at = (b->used + align - 1) & ~(align - 1);
        if (at <= b->size && n <= b->size - at) {
            b->used = at + n;
            return b->data + at;
        }
    }
    b = add_block(a, n);
    b->used = n;
    return b->data;
}

void *ck_arena_alloc(struct ck_arena *a, size_t n)
{
    void *p = take(a, n ? n : 1, sizeof(void *) < 8 ? 8 : sizeof(void *));
    memset(p, 0, n);
    return p;
}

void *ck_arena_memdup(struct ck_arena *a, const void *p, size_t n)
{
    void *q = take(a, n ? n : 1, 8);
    if (n)
        memcpy(q, p, n);
    return q;
}

char *ck_arena_strndup(struct ck_arena *a, const char *s, size_t n)
{
    char *q = take(a, n + 1, 1);
    if (n)
        memcpy(q, s, n);
    q[n] = '\0';
    return q;
}

char *ck_arena_strdup(struct ck_arena *a, const char *s)
{
    return ck_arena_strndup(a, s, strlen(s));
}

struct ck_slice ck_arena_slice(struct ck_arena *a, struct ck_slice s)
{
    return (struct ck_slice){ck_arena_strndup(a, s.ptr, s.len), s.len};
}

char *ck_arena_printf(struct ck_arena *a, const char *fmt, ...)
{
    va_list ap, ap2;
    va_start(ap, fmt);
    va_copy(ap2, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = take(a, (size_t)(n < 0 ? 0 : n) + 1, 1);
    p[0] = '\0';
    if (n > 0)
        vsnprintf(p, (size_t)n + 1, fmt, ap2);
    va_end(ap2);
    return p;
}

void ck_arena_on_free(struct ck_arena *a, void (*fn)(void *), void *p)
{
    struct on_free *h = ck_arena_alloc(a, sizeof *h);
    *h = (struct on_free){a->hooks, fn, p};
    a->hooks = h;
}

size_t ck_arena_bytes(const struct ck_arena *a)
{
    return a->bytes;
}
