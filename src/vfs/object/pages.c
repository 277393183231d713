/* Circles of page tokens; see pages.h. After Brent: one token is kept, and exchanged for the
 * present one after 1, 2, 4, 8, … pages, so that a circle of any length gets back to it. */
#include "vfs/object/pages.h"

#include <string.h>

bool ck_pages_repeat(struct ck_pages_seen *s, const char *token)
{
    if (!*token) {
        ck_pages_seen_done(s);
        return false;
    }
    if (s->n && strcmp(ck_buf_str(&s->kept), token) == 0)
        return true;
    s->n++;
    if ((s->n & (s->n - 1)) == 0) {
        ck_buf_reset(&s->kept);
        ck_buf_puts(&s->kept, token);
    }
    return false;
}

void ck_pages_seen_done(struct ck_pages_seen *s)
{
    ck_buf_done(&s->kept);
    *s = (struct ck_pages_seen){0};
}
