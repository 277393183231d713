/* Making, wrapping and moving errors. */
#include "base/err.h"

#include "base/buf.h"
#include "base/mem.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int ck_fail(struct ck_err *err, enum ck_code code, const char *fmt, ...)
{
    if (err) {
        struct ck_buf b = CK_BUF_INIT;
        va_list ap;
        va_start(ap, fmt);
        ck_buf_vfmt(&b, fmt, ap);
        va_end(ap);
        /* The old message may be an argument of the new one: free it last. */
        char *old = err->msg;
        *err = (struct ck_err){.code = code, .msg = ck_buf_take(&b)};
        free(old);
    }
    return -(int)code;
}

int ck_wrap(struct ck_err *err, const char *fmt, ...)
{
    if (!err)
        return -(int)CK_INTERNAL;
    struct ck_buf b = CK_BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    ck_buf_vfmt(&b, fmt, ap);
    va_end(ap);
    ck_buf_puts(&b, ": ");
    ck_buf_puts(&b, ck_err_msg(err));
    free(err->msg);
    err->msg = ck_buf_take(&b);
    return -(int)err->code;
}

static enum ck_code code_of_errno(int errnum)
{
    switch (errnum) {
    case ENOENT:
        return CK_NOT_FOUND;
    case EEXIST:
        return CK_EXISTS;
    case EACCES:
    case EPERM:
        return CK_DENIED;
    case ETIMEDOUT:
        return CK_TIMEOUT;
    default:
        return CK_IO;
    }
}

int ck_fail_errno(struct ck_err *err, int errnum, const char *fmt, ...)
{
    enum ck_code code = code_of_errno(errnum);
    if (err) {
        struct ck_buf b = CK_BUF_INIT;
        va_list ap;
        va_start(ap, fmt);
        ck_buf_vfmt(&b, fmt, ap);
        va_end(ap);
        /* Go prints the C library's messages in lower case; scripts match them. */
        char text[128];
        const char *s = strerror_r(errnum, text, sizeof text);
        ck_buf_fmt(&b, ": %c%s", tolower((unsigned char)s[0]), s[0] ? s + 1 : "");
        char *old = err->msg;
        *err = (struct ck_err){.code = code, .msg = ck_buf_take(&b)};
        free(old);
    }
    return -(int)code;
}

int ck_err_move(struct ck_err *dst, struct ck_err *src)
{
    int r = -(int)src->code;
    if (dst) {
        free(dst->msg);
        *dst = *src;
        *src = (struct ck_err)CK_ERR_INIT;
    }
    return r;
}

void ck_err_done(struct ck_err *err)
{
    if (!err)
        return;
    free(err->msg);
    *err = (struct ck_err)CK_ERR_INIT;
}

const char *ck_err_msg(const struct ck_err *err)
{
    return err && err->msg ? err->msg : "";
}

const char *ck_code_name(enum ck_code code)
{
    static const char *const names[] = {
        [CK_OK] = "ok",
        [CK_NOT_FOUND] = "not-found",
        [CK_EXISTS] = "exists",
        [CK_DENIED] = "denied",
        [CK_UNAUTHENTICATED] = "unauthenticated",
        [CK_CONFLICT] = "conflict",
        [CK_LOCKED] = "locked",
        [CK_INVALID] = "invalid",
        [CK_UNSUPPORTED] = "unsupported",
        [CK_UNAVAILABLE] = "unavailable",
        [CK_TIMEOUT] = "timeout",
        [CK_LIMIT] = "limit",
        [CK_IO] = "io",
        [CK_CANCELLED] = "cancelled",
        [CK_INTERNAL] = "internal",
    };
    _Static_assert(CK_ARRAY_LEN(names) == _CK_CODE_MAX, "one name per code");
    return (unsigned)code < _CK_CODE_MAX ? names[code] : "unknown";
}
