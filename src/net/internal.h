/* Shared between the files of this folder. */
#pragma once

#include "base/env.h"
#include "net/http.h"

/* ---- retry.c ---- */

/* Tokens that limit how often a service is asked again, after the AWS SDKs' standard retryer. */
struct ck_tokens {
    int left;
    struct ck_tokens *next;
    char name[];
};
enum { CK_COST_RETRY = 5, CK_COST_TIMEOUT = 10 };
struct ck_tokens *ck_tokens_of(struct ck_tokens **all, const char *name); /* NULL for name NULL */
bool ck_tokens_take(struct ck_tokens *t, int cost);
void ck_tokens_give(struct ck_tokens *t, int cost);
void ck_tokens_free(struct ck_tokens *all);

/* Whether a reply asks for another try: 429, 500, 502, 503, 504 or a throttling code in its body.
 */
bool ck_retry_reply(const struct ck_resp *resp);
/* Milliseconds to wait before attempt number `attempt` (2, 3, …): what Retry-After asks for, else
 * exponential with full jitter. resp may be NULL. */
int64_t ck_retry_wait(unsigned attempt, const struct ck_resp *resp);

/* ---- proxy.c ---- */

/* The proxy for a request, from HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY: a URL in the
 * arena, "" for none. INVALID when the variable's value is not usable. */
int ck_proxy_for(struct ck_arena *a, const struct ck_env *env, const struct ck_req *r,
                 const char **ret, struct ck_err *err);

/* ---- redirect.c ---- */

enum ck_redirect { CK_REDIRECT_NO, CK_REDIRECT_FOLLOW };
/* Make *r the request its reply redirects to; CK_REDIRECT_NO when there is nothing to follow or a
 * body would go to another host. Negative: refused. */
int ck_redirect(struct ck_arena *a, struct ck_req *r, const struct ck_resp *resp,
                struct ck_err *err);

/* ---- send.c ---- */

/* Refuse what would not be one well-formed request: control characters in names, values or the
 * URL. */
int ck_send_check(const struct ck_req *r, struct ck_err *err);

/* ---- trace.c ---- */

void ck_trace_request(const struct ck_send *s, unsigned attempt);
void ck_trace_reply(const struct ck_send *s, unsigned attempt, int64_t ms);

/* ---- curl.c ---- */

extern const struct ck_transport_ops ck_curl_ops;
void *ck_curl_new(struct ck_err *err); /* NULL when the library is missing or too old */
