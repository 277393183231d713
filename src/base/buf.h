/* A growable byte buffer, always NUL-terminated, with a ceiling.
 *
 * Exceeding the ceiling sets a sticky flag and drops what does not fit; writers stay branch-free
 * and ask ck_buf_ok() once at the end. */
#pragma once

#include "base/attr.h"
#include "base/slice.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct ck_buf {
    char *ptr;
    size_t len, cap;
    size_t max; /* bytes; 0 means no ceiling */
    bool overflow;
    bool secret; /* what it leaves behind when it grows or goes is overwritten (base/secret.h) */
};

#define CK_BUF_INIT   ((struct ck_buf){0})
#define CK_BUF_MAX(n) ((struct ck_buf){.max = (n)})
#define CK_AUTOBUF    CK_CLEANUP(ck_buf_done)

void ck_buf_done(struct ck_buf *b);  /* frees, leaves it empty and usable */
void ck_buf_wipe(struct ck_buf *b);  /* overwrites, then frees */
void ck_buf_reset(struct ck_buf *b); /* length 0, memory kept */
bool ck_buf_ok(const struct ck_buf *b);
void ck_buf_reserve(struct ck_buf *b, size_t extra);
void ck_buf_putc(struct ck_buf *b, char c);
void ck_buf_puts(struct ck_buf *b, const char *s);
void ck_buf_put(struct ck_buf *b, struct ck_slice s);
void ck_buf_putn(struct ck_buf *b, const void *p, size_t n);
void ck_buf_fill(struct ck_buf *b, char c, size_t n);
void ck_buf_fmt(struct ck_buf *b, const char *fmt, ...) CK_PRINTF(2, 3);
void ck_buf_vfmt(struct ck_buf *b, const char *fmt, va_list ap);
struct ck_slice ck_buf_slice(const struct ck_buf *b);
/* Give the bytes away (never NULL); the buffer is empty afterwards. */
char *ck_buf_take(struct ck_buf *b);
/* The bytes as a C string, "" when empty; borrowed until the next change. */
const char *ck_buf_str(const struct ck_buf *b);
