/* Errors: a closed list of codes a caller can act on, and one message a person can act on.
 *
 * A fallible function returns 0 or a negative code and fills the `struct ck_err` it was given. The
 * layer that makes an error neither logs nor prints it; src/cmd/main.c prints it once. */
#pragma once

#include "base/attr.h"

#include <stdarg.h>

enum ck_code {
    CK_OK = 0,
    CK_NOT_FOUND,       /* the thing is not there (os.ErrNotExist of kOps) */
    CK_EXISTS,          /* create-only write met an existing thing (os.ErrExist) */
    CK_DENIED,          /* authenticated, not allowed */
    CK_UNAUTHENTICATED, /* no or bad credentials */
    CK_CONFLICT,        /* changed by someone else since it was read: exit status 3 */
    CK_LOCKED,          /* somebody else holds, or has taken, the lock: exit status 3 */
    CK_INVALID,         /* the input is wrong; retrying does not help */
    CK_UNSUPPORTED,     /* understood, not offered */
    CK_UNAVAILABLE,     /* may work when tried again */
    CK_TIMEOUT,         /* the deadline passed */
    CK_LIMIT,           /* a size, depth or count limit was met */
    CK_IO,              /* the operating system refused */
    CK_CANCELLED,       /* interrupted or declined by the user */
    CK_INTERNAL,        /* a defect of this program */
    _CK_CODE_MAX
};

struct ck_err {
    enum ck_code code;
    int http_status; /* 0 when no HTTP reply was involved */
    char *msg;       /* owned; NULL when code is CK_OK */
};

#define CK_ERR_INIT                                                                                \
    {                                                                                              \
        0                                                                                          \
    }
#define CK_AUTOERR CK_CLEANUP(ck_err_done) struct ck_err

/* Set code and message (replacing what was there); returns -(int)code. err may be NULL. */
int ck_fail(struct ck_err *err, enum ck_code code, const char *fmt, ...) CK_PRINTF(3, 4);
/* Put "text: " in front of the message; returns -(int)err->code. */
int ck_wrap(struct ck_err *err, const char *fmt, ...) CK_PRINTF(2, 3);
/* Set from errno: "<text>: <lower-case system message>"; ENOENT→NOT_FOUND, EACCES/EPERM→DENIED,
 * EEXIST→EXISTS, ETIMEDOUT→TIMEOUT, else IO. */
int ck_fail_errno(struct ck_err *err, int errnum, const char *fmt, ...) CK_PRINTF(3, 4);
/* Move *src into *dst (dst's old message is freed); returns -(int)code. */
int ck_err_move(struct ck_err *dst, struct ck_err *src);
void ck_err_done(struct ck_err *err);             /* frees, resets to CK_OK */
const char *ck_err_msg(const struct ck_err *err); /* never NULL */
const char *ck_code_name(enum ck_code code);      /* "not-found", … */
