/* Bearer tokens: fetched when needed, kept, renewed before they expire or when a server refuses
 * them; and the requests to token services that yield them (RFC 6749). */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "doc/val.h"
#include "net/http.h"

#include <stdbool.h>
#include <stdint.h>

enum { CK_TOKEN_REPLY_MAX = 256 * 1024, CK_TOKEN_CALL_MS = 10000 };

struct ck_token {
    char *text;         /* owned */
    int64_t lifetime_s; /* as the service said; 0: unknown, taken for an hour */
};
void ck_token_done(struct ck_token *t); /* wipes */

struct ck_token_source;
struct ck_token_ops {
    /* A fresh token. Errors end what the caller does: a source that is configured and fails is
     * UNAUTHENTICATED (UNAVAILABLE or TIMEOUT where trying again may help). */
    int (*fetch)(struct ck_token_source *s, struct ck_token *ret, struct ck_err *err);
    void (*free)(struct ck_token_source *s);
};

/* First member of every source of tokens. */
struct ck_token_source {
    const struct ck_token_ops *ops;
    const char *identity; /* who the token is for, for messages; "" before it is known */
    const char *origin;   /* where it comes from: a file, "metadata server" */
    struct ck_token token;
    int64_t renew_at_s, expires_s, fetched_ms;
    bool replaced; /* the token took the place of one that a server had refused */
};

/* The token; borrowed until the next call. */
int ck_token_get(struct ck_token_source *s, const char **ret, struct ck_err *err);
/* A server answered 401: whether trying again makes sense, because the token was an old one (it is
 * then forgotten) or has been replaced meanwhile. A token fresh from its source is not fetched
 * again: whatever is wrong is reported at once. */
bool ck_token_refused(struct ck_token_source *s);
void ck_token_source_free(struct ck_token_source *s); /* NULL is fine */

/* ---- what sources are made of ---- */

/* Append "name=value" to a form, percent-encoded. */
void ck_form_add(struct ck_buf *form, const char *name, const char *value);
/* Send a request to a token service: an arena-owned POST of `body`, or a GET when it is NULL; the
 * URL must be https, or http to this machine. `what` names the service in messages. */
int ck_token_request(struct ck_arena *a, const char *url, const char *what, struct ck_req *ret,
                     struct ck_err *err);
/* Send and read the JSON reply. A status other than 200 is an error with the service's own code and
 * description: 4xx UNAUTHENTICATED, others UNAVAILABLE. *ret lives in `a`. */
int ck_token_call(struct ck_http *http, struct ck_arena *a, const struct ck_req *req,
                  const char *what, struct ck_val **ret, struct ck_err *err);
/* Take access_token and expires_in of a reply. */
int ck_token_take(const struct ck_val *reply, const char *what, struct ck_token *ret,
                  struct ck_err *err);
/* ck_err of a source that is configured and fails: everything but UNAVAILABLE and TIMEOUT becomes
 * UNAUTHENTICATED, with "what: " in front. */
int ck_token_fail(struct ck_err *err, const char *what);
