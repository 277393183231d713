/* Replies that are no success, as errors. */
#include "vfs/object/refusal.h"

#include <string.h>

enum { SHOWN = 300 };

enum ck_code ck_refusal_class(const struct ck_refusal_code *table, size_t n, int status,
                              const char *code, const char **ret_hint)
{
    *ret_hint = "";
    for (size_t i = 0; i < n; i++)
        if (strcmp(table[i].code, code) == 0) {
            *ret_hint = table[i].hint;
            return table[i].class;
        }
    return ck_http_class(status);
}

static struct ck_slice first_line(struct ck_slice text)
{
    text = ck_slice_trim(text);
    size_t n = 0;
    while (n < text.len && n < SHOWN && text.ptr[n] != '\n' && text.ptr[n] != '\r')
        n++;
    return ck_slice_n(text.ptr, n);
}

int ck_refused(const struct ck_refusal *why, const char *where, const char *hint,
               struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    struct ck_slice said = first_line(why->message);
    ck_buf_fmt(&b, "%s: %d %.80s", where, why->status,
               *why->code ? why->code : ck_http_reason(why->status));
    if (said.len)
        ck_buf_fmt(&b, ": %.*s", CK_SARG(said));
    if (why->request_id && *why->request_id)
        ck_buf_fmt(&b, " (request %.80s)", why->request_id);
    if (*hint)
        ck_buf_fmt(&b, "; %s", hint);
    int r = ck_fail(err, why->class, "%s", ck_buf_str(&b));
    if (err)
        err->http_status = why->status;
    return r;
}
