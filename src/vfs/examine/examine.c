/* Rows of an examination. */
#include "vfs/examine/examine.h"

#include "base/buf.h"
#include "base/enc.h"
#include "crypto/hash.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { RANDOM_LEN = 8 };

static struct ck_exam_row *new_row(struct ck_exam *x, const char *check, enum ck_exam_result result)
{
    if (x->n == x->cap) {
        size_t cap = x->cap ? x->cap * 2 : 32;
        struct ck_exam_row *v = ck_arena_alloc(x->a, cap * sizeof *v);
        if (x->n)
            memcpy(v, x->v, x->n * sizeof *v);
        x->v = v;
        x->cap = cap;
    }
    struct ck_exam_row *row = &x->v[x->n++];
    *row = (struct ck_exam_row){.check = ck_arena_strdup(x->a, check), .result = result};
    return row;
}

static const char *text_of(struct ck_arena *a, const char *fmt, va_list ap)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_vfmt(&b, fmt, ap);
    return ck_arena_strdup(a, ck_buf_str(&b));
}

void ck_exam_add(struct ck_exam *x, const char *check, enum ck_exam_result result, const char *fmt,
                 ...)
{
    va_list ap;
    va_start(ap, fmt);
    new_row(x, check, result)->detail = text_of(x->a, fmt, ap);
    va_end(ap);
}

void ck_exam_missing(struct ck_exam *x, const char *permission, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct ck_exam_row *row = new_row(x, permission, CK_EXAM_FAIL);
    row->detail = text_of(x->a, fmt, ap);
    row->missing = row->check;
    va_end(ap);
}

static int by_value(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return a < b ? -1 : a > b;
}

void ck_exam_latency(struct ck_exam *x, int64_t *ms, size_t n)
{
    if (n == 0)
        return;
    qsort(ms, n, sizeof *ms, by_value);
    ck_exam_add(x, "latency", CK_EXAM_OK, "median %lld ms of %zu requests (%lld to %lld ms)",
                (long long)ms[n / 2], n, (long long)ms[0], (long long)ms[n - 1]);
}

const char *ck_exam_result_name(enum ck_exam_result r)
{
    static const char *const names[] = {"ok", "warn", "fail", "skipped"};
    return names[r];
}

const char *ck_exam_probe_key(struct ck_arena *a, const char *root)
{
    unsigned char random[RANDOM_LEN];
    CK_AUTOBUF struct ck_buf hex = CK_BUF_INIT;
    size_t n = strlen(root);
    ck_random(random, sizeof random);
    ck_hex_encode(&hex, random, sizeof random);
    return ck_arena_printf(a, "%s%s" CK_EXAM_FOLDER "/doctor-%s", root,
                           n && root[n - 1] != '/' ? "/" : "", ck_buf_str(&hex));
}
