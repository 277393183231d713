/* A secret value: wiped when it is released and when it grows, and of a type that no formatting
 * function takes.
 *
 * `struct ck_secret` owns the bytes, `struct ck_secret_ref` borrows them. Code that must see them
 * (an encoder, a writer of a file) says so with ck_secret_view(); tools/check_style.py keeps that
 * call out of everything that formats or logs. */
#pragma once

#include "base/buf.h"

struct ck_secret {
    struct ck_buf hidden;
};

struct ck_secret_ref {
    struct ck_slice hidden;
};

#define CK_SECRET_MAX(n) ((struct ck_secret){.hidden = {.max = (n), .secret = true}})
#define CK_SECRET_INIT   CK_SECRET_MAX(0)
/* `CK_AUTOSECRET s = CK_SECRET_INIT;` wipes s at the end of its scope. */
#define CK_AUTOSECRET CK_CLEANUP(ck_secret_done) struct ck_secret

static inline void ck_secret_done(struct ck_secret *s)
{
    ck_buf_done(&s->hidden);
}

/* Where a reader or an encoder puts the bytes. */
static inline struct ck_buf *ck_secret_sink(struct ck_secret *s)
{
    return &s->hidden;
}

/* For those who must see them; borrowed until the next change. */
static inline struct ck_slice ck_secret_view(const struct ck_secret *s)
{
    return ck_buf_slice(&s->hidden);
}

static inline bool ck_secret_ok(const struct ck_secret *s)
{
    return ck_buf_ok(&s->hidden);
}

static inline struct ck_secret_ref ck_secret_borrow(struct ck_slice s)
{
    return (struct ck_secret_ref){s};
}

static inline struct ck_slice ck_secret_ref_view(struct ck_secret_ref r)
{
    return r.hidden;
}
