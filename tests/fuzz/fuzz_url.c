/* URLs: what is read and written must be read again as the same parts, and written the same. */
#include "net/http.h"

#include "fuzz.h"

#include <stdlib.h>

static void put(struct ck_buf *out, const struct ck_req *r)
{
    ck_url_text(out, r);
    if (r->query.n)
        ck_buf_putc(out, '?');
    ck_url_query(out, r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct ck_req first = {0}, second = {0};
    if (ck_url_parse(a, ck_arena_strndup(a, (const char *)data, size), &first, &err) < 0)
        return 0;
    CK_AUTOBUF struct ck_buf once = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf twice = CK_BUF_INIT;
    put(&once, &first);
    for (size_t i = 0; i < once.len; i++)
        if ((unsigned char)once.ptr[i] <= ' ' || once.ptr[i] == 0x7F)
            abort();
    if (once.len > 64 * 1024) /* longer by its escapes than what is accepted */
        return 0;
    if (ck_url_parse(a, ck_buf_str(&once), &second, &err) < 0)
        abort();
    put(&twice, &second);
    if (strcmp(ck_buf_str(&once), ck_buf_str(&twice)) != 0 ||
        strcmp(first.path, second.path) != 0 || first.query.n != second.query.n)
        abort();
    return 0;
}
