/* Vector of owned strings. */
#include "base/strv.h"

#include "base/mem.h"

#include <string.h>

void ck_strv_clear(struct ck_strv *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->v[i]);
    s->n = 0;
}

void ck_strv_done(struct ck_strv *s)
{
    ck_strv_clear(s);
    free(s->v);
    *s = (struct ck_strv){0};
}

void ck_strv_push_take(struct ck_strv *s, char *str)
{
    ck_xgrow(&s->v, &s->cap, s->n + 1, sizeof *s->v);
    s->v[s->n++] = str;
}

void ck_strv_push(struct ck_strv *s, const char *str)
{
    ck_strv_push_take(s, ck_xstrdup(str));
}

void ck_strv_pushn(struct ck_strv *s, const char *str, size_t n)
{
    ck_strv_push_take(s, ck_xstrndup(str, n));
}

bool ck_strv_has(const struct ck_strv *s, const char *str)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->v[i], str) == 0)
            return true;
    return false;
}

static int cmp(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void ck_strv_sort(struct ck_strv *s)
{
    if (s->n > 1)
        qsort(s->v, s->n, sizeof *s->v, cmp);
}

void ck_strv_uniq(struct ck_strv *s)
{
    size_t w = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (w && strcmp(s->v[w - 1], s->v[i]) == 0)
            free(s->v[i]);
        else
            s->v[w++] = s->v[i];
    }
    s->n = w;
}

void ck_strv_join(const struct ck_strv *s, const char *sep, struct ck_buf *out)
{
    for (size_t i = 0; i < s->n; i++) {
        if (i)
            ck_buf_puts(out, sep);
        ck_buf_puts(out, s->v[i]);
    }
}
