/* Allocation that ends the process when memory runs out. */
#include "base/mem.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ck_out_of_memory(void)
{
    static const char msg[] = "ckops: out of memory\n";
    ssize_t r = write(2, msg, sizeof msg - 1);
    (void)r;
    abort();
}

void *ck_xmalloc(size_t n)
{
    void *p = malloc(n ? n : 1);
    if (!p)
        ck_out_of_memory();
    return p;
}

void *ck_xcalloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);
    if (!p)
        ck_out_of_memory();
    return p;
}

void *ck_xrealloc(void *p, size_t n)
{
    void *q = realloc(p, n ? n : 1);
    if (!q)
        ck_out_of_memory();
    return q;
}

void ck_xgrow(void *p, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return;
    size_t c = *cap ? *cap : 8;
    while (c < need) {
        if (c > SIZE_MAX / 2 / size)
            ck_out_of_memory();
        c *= 2;
    }
    void **pp = p;
    *pp = ck_xrealloc(*pp, c * size);
    *cap = c;
}

char *ck_xstrdup(const char *s)
{
    return ck_xmemdup(s, strlen(s) + 1);
}

char *ck_xstrndup(const char *s, size_t n)
{
    char *p = ck_xmalloc(n + 1);
    if (n)
        memcpy(p, s, n);
    p[n] = '\0';
    return p;
}

void *ck_xmemdup(const void *p, size_t n)
{
    void *q = ck_xmalloc(n);
    if (n)
        memcpy(q, p, n);
    return q;
}

char *ck_xasprintf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *s = NULL;
    int r = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (r < 0)
        ck_out_of_memory();
    return s;
}

void ck_wipe(void *p, size_t n)
{
    if (!p || !n)
        return;
    memset(p, 0, n);
    __asm__ __volatile__("" : : "r"(p) : "memory");
}

static atomic_bool wipe_all;

void ck_mem_set_wipe(void)
{
    atomic_store_explicit(&wipe_all, true, memory_order_relaxed);
}

bool ck_mem_wipes(void)
{
    return atomic_load_explicit(&wipe_all, memory_order_relaxed);
}
