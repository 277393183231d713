/* "Did you mean": the nearest of known names. */
#pragma once

#include <stddef.h>

/* The nearest known name among n candidates by edit distance, letter case aside; NULL when none is
 * near: a third of the letters may be wrong, at most three. Borrowed from `names`. */
const char *ck_nearest(const char *typed, const char *const *names, size_t n);
