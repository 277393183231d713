/* Circles of page tokens; see pages.h. After Brent: one token is kept, and exchanged for the
 * present one after 1, 2, 4, 8, … pages, so that a circle of any length gets back to it. */
#include "vfs/object/pages.h"

#include "crypto/hash.h"

#include <string.h>

_Static_assert(sizeof((struct ck_pages_seen *)0)->kept == CK_SHA256_LEN, "it holds a SHA-256");

bool ck_pages_repeat(struct ck_pages_seen *s, const char *token)
{
    unsigned char digest[CK_SHA256_LEN];
    if (!*token) {
        *s = (struct ck_pages_seen){0};
        return false;
    }
    ck_sha256(ck_slice_of(token), digest);
    if (s->n && memcmp(digest, s->kept, sizeof digest) == 0)
        return true;
    s->n++;
    if ((s->n & (s->n - 1)) == 0)
        memcpy(s->kept, digest, sizeof digest);
    return false;
}
