/* Comparisons, trimming and splitting of borrowed byte runs. */
#include "base/slice.h"

#include <strings.h>

bool ck_slice_eq(struct ck_slice a, struct ck_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool ck_slice_eq_str(struct ck_slice a, const char *b)
{
    return ck_slice_eq(a, ck_slice_of(b));
}

bool ck_slice_ieq_str(struct ck_slice a, const char *b)
{
    return a.len == strlen(b) && (a.len == 0 || strncasecmp(a.ptr, b, a.len) == 0);
}

int ck_slice_cmp(struct ck_slice a, struct ck_slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int r = n ? memcmp(a.ptr, b.ptr, n) : 0;
    if (r)
        return r;
    return a.len < b.len ? -1 : a.len > b.len;
}

bool ck_slice_starts(struct ck_slice a, const char *prefix)
{
    size_t n = strlen(prefix);
    return a.len >= n && (n == 0 || memcmp(a.ptr, prefix, n) == 0);
}

bool ck_slice_ends(struct ck_slice a, const char *suffix)
{
    size_t n = strlen(suffix);
    return a.len >= n && (n == 0 || memcmp(a.ptr + a.len - n, suffix, n) == 0);
}

bool ck_str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool ck_str_ends(const char *s, const char *suffix)
{
    return ck_slice_ends(ck_slice_of(s), suffix);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct ck_slice ck_slice_trim(struct ck_slice a)
{
    while (a.len && is_space(a.ptr[0])) {
        a.ptr++;
        a.len--;
    }
    while (a.len && is_space(a.ptr[a.len - 1]))
        a.len--;
    return a;
}

size_t ck_slice_find(struct ck_slice a, char c)
{
    const char *p = a.len ? memchr(a.ptr, c, a.len) : NULL;
    return p ? (size_t)(p - a.ptr) : a.len;
}

bool ck_slice_next(struct ck_slice *rest, char sep, struct ck_slice *ret)
{
    if (!rest->ptr)
        return false;
    size_t i = ck_slice_find(*rest, sep);
    *ret = ck_slice_n(rest->ptr, i);
    if (i == rest->len)
        *rest = (struct ck_slice){NULL, 0};
    else
        *rest = ck_slice_n(rest->ptr + i + 1, rest->len - i - 1);
    return true;
}

int ck_text_cmp(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}
