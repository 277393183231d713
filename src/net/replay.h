/* A transport that follows a script instead of talking to a network: for tests of everything above
 * it, faults included.
 *
 * The script is text, one exchange after another:
 *
 *   # a comment
 *   > GET https://host/path?query    request line, starts an exchange
 *   > x-amz-date: *                  a header the request must have
 *   > !authorization                 a header it must not have
 *   >= body                          its body; more such lines are further lines of it
 *   ~ 20                             answer after 20 ms
 *   < 200                            status of the reply
 *   < etag: "x"                      its headers
 *   <= body                          its body; more such lines are further lines of it
 *   ! reset                          a fault instead of the reply or in it
 *
 * "*" stands for any run of bytes in URLs, values and bodies. A request takes the first unused
 * exchange with its method and URL; what else differs is an error that names both sides.
 *
 * Faults: refuse (no connection), connect-timeout, reset (after the request was sent), stall
 * (nothing until the deadline), truncate (half of the body, then the end), garbage (no HTTP). */
#pragma once

#include "net/http.h"

struct ck_replay;
extern const struct ck_transport_ops ck_replay_ops;

/* NULL: the script has an error, INVALID "line N: …". The text is copied. ck_http_free() frees a
 * replay that was given to ck_http_new(). */
struct ck_replay *ck_replay_new(const char *script, struct ck_err *err);
/* 0 when every exchange was used and every request was expected; otherwise INTERNAL with the first
 * mismatch or the first unused exchange. */
int ck_replay_finished(const struct ck_replay *r, struct ck_err *err);
/* The sending of transports that answer one request after the other: `reply` fills each reply, or
 * s->err. See struct ck_transport_ops for the rest. */
int ck_replay_one_by_one(void (*reply)(void *t, struct ck_send *s), void *t,
                         struct ck_send *(*next)(void *arg, int64_t *ret_wait_ms),
                         int (*done)(void *arg, struct ck_send *s), void *arg);
