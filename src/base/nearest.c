/* The nearest known name, for "did you mean": edit distance with transpositions. */
#include "base/nearest.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { MAX_NAME = 64 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* Optimal string alignment distance, letter case aside. Both names are shorter than MAX_NAME. */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb)
{
    unsigned rows[3][MAX_NAME + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= nb; j++)
        last[j] = before[j] = j;
    for (unsigned i = 1; i <= na; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= nb; j++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
                y == tolower((unsigned char)a[i - 2]) && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        unsigned *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[nb];
}

const char *ck_nearest(const char *typed, const char *const *names, size_t n)
{
    size_t len = strlen(typed);
    const char *best = NULL;
    unsigned best_distance = 0;
    if (len == 0 || len >= MAX_NAME)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t nlen = strlen(names[i]);
        if (nlen >= MAX_NAME || (nlen > len ? nlen - len : len - nlen) > 3)
            continue;
        unsigned d = distance(typed, len, names[i], nlen);
        if (!best || d < best_distance) {
            best = names[i];
            best_distance = d;
        }
    }
    /* A third of the letters may be wrong, at most three. */
    unsigned allowed = len < 4 ? 1 : len < 9 ? 2 : 3;
    return best && best_distance <= allowed ? best : NULL;
}
