/* Growable byte buffer with a ceiling. */
#include "base/buf.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

void ck_buf_done(struct ck_buf *b)
{
    if (b->secret || ck_mem_wipes())
        ck_wipe(b->ptr, b->cap);
    free(b->ptr);
    *b = (struct ck_buf){.max = b->max, .secret = b->secret};
}

void ck_buf_wipe(struct ck_buf *b)
{
    ck_wipe(b->ptr, b->cap);
    ck_buf_done(b);
}

void ck_buf_reset(struct ck_buf *b)
{
    b->len = 0;
    b->overflow = false;
    if (b->ptr)
        b->ptr[0] = '\0';
}

bool ck_buf_ok(const struct ck_buf *b)
{
    return !b->overflow;
}

void ck_buf_reserve(struct ck_buf *b, size_t extra)
{
    size_t need = b->len + extra + 1;
    if (need <= b->cap)
        return;
    size_t c = b->cap ? b->cap : 64;
    while (c < need)
        c *= 2;
    if (b->secret || ck_mem_wipes()) { /* realloc would leave a copy behind */
        char *p = ck_xmalloc(c);
        if (b->ptr)
            memcpy(p, b->ptr, b->len + 1);
        ck_wipe(b->ptr, b->cap);
        free(b->ptr);
        b->ptr = p;
    } else {
        b->ptr = ck_xrealloc(b->ptr, c);
    }
    b->cap = c;
    b->ptr[b->len] = '\0'; /* of what was empty and had no room yet */
}

void ck_buf_putn(struct ck_buf *b, const void *p, size_t n)
{
    if (b->max && n > b->max - (b->len < b->max ? b->len : b->max)) {
        b->overflow = true;
        return;
    }
    ck_buf_reserve(b, n);
    if (n)
        memcpy(b->ptr + b->len, p, n);
    b->len += n;
    b->ptr[b->len] = '\0';
}

void ck_buf_putc(struct ck_buf *b, char c)
{
    ck_buf_putn(b, &c, 1);
}

void ck_buf_puts(struct ck_buf *b, const char *s)
{
    ck_buf_putn(b, s, strlen(s));
}

void ck_buf_put(struct ck_buf *b, struct ck_slice s)
{
    ck_buf_putn(b, s.ptr, s.len);
}

void ck_buf_fill(struct ck_buf *b, char c, size_t n)
{
    while (n--)
        ck_buf_putc(b, c);
}

void ck_buf_vfmt(struct ck_buf *b, const char *fmt, va_list ap)
{
    va_list ap2;
    size_t room = b->cap - b->len; /* most texts fit: one pass is enough */
    va_copy(ap2, ap);
    int n = vsnprintf(room ? b->ptr + b->len : NULL, room, fmt, ap2);
    va_end(ap2);
    bool fits = n >= 0 && (!b->max || (size_t)n <= b->max - (b->len < b->max ? b->len : b->max));
    if (fits && (size_t)n >= room) {
        ck_buf_reserve(b, (size_t)n);
        vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, ap);
    }
    if (fits)
        b->len += (size_t)n;
    else if (room)
        b->ptr[b->len] = '\0';
    b->overflow = b->overflow || (n >= 0 && !fits);
}

void ck_buf_fmt(struct ck_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    ck_buf_vfmt(b, fmt, ap);
    va_end(ap);
}

struct ck_slice ck_buf_slice(const struct ck_buf *b)
{
    return (struct ck_slice){b->ptr ? b->ptr : "", b->len};
}

char *ck_buf_take(struct ck_buf *b)
{
    ck_buf_reserve(b, 0);
    b->ptr[b->len] = '\0';
    char *p = b->ptr;
    *b = (struct ck_buf){.max = b->max};
    return p;
}

const char *ck_buf_str(const struct ck_buf *b)
{
    return b->ptr ? b->ptr : "";
}
