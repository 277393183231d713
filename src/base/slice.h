/* A borrowed run of bytes: pointer and length, never freed through this type. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ck_slice {
    const char *ptr;
    size_t len;
};

#define CK_S(literal) ((struct ck_slice){(literal), sizeof(literal) - 1})
/* printf("%.*s", CK_SARG(s)) */
#define CK_SARG(s) (int)(s).len, (s).ptr

static inline struct ck_slice ck_slice_of(const char *s)
{
    return (struct ck_slice){s, s ? strlen(s) : 0};
}

static inline struct ck_slice ck_slice_n(const char *p, size_t n)
{
    return (struct ck_slice){p, n};
}

/* 32-bit FNV-1a. */
static inline uint32_t ck_fnv1a(struct ck_slice s)
{
    uint32_t h = 2166136261U;
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.ptr[i]) * 16777619U;
    return h;
}

bool ck_slice_eq(struct ck_slice a, struct ck_slice b);
bool ck_slice_eq_str(struct ck_slice a, const char *b);
bool ck_slice_ieq_str(struct ck_slice a, const char *b); /* ASCII case-insensitive */
int ck_slice_cmp(struct ck_slice a, struct ck_slice b);  /* bytewise */
/* For qsort over an array of C strings: bytewise. */
int ck_text_cmp(const void *a, const void *b);
bool ck_slice_starts(struct ck_slice a, const char *prefix);
bool ck_slice_ends(struct ck_slice a, const char *suffix);
bool ck_str_starts(const char *s, const char *prefix);
bool ck_str_ends(const char *s, const char *suffix);
struct ck_slice ck_slice_trim(struct ck_slice a); /* ASCII white space at both ends */
/* Find byte c; returns its index, or a.len when absent. */
size_t ck_slice_find(struct ck_slice a, char c);
/* Take the part up to `sep` off *rest into *ret; false when *rest is exhausted (ptr NULL). */
bool ck_slice_next(struct ck_slice *rest, char sep, struct ck_slice *ret);
