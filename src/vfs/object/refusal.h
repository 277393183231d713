/* A reply that is no success, as an error: "WHERE: 403 CODE: the service's text (request ID); what
 * to do". One form for all stores that are reached by HTTP. */
#pragma once

#include "net/http.h"

/* What a service's codes mean, where the status alone does not say it. */
struct ck_refusal_code {
    const char *code;
    enum ck_code class;
    const char *hint; /* what to do; "": nothing to say */
};

struct ck_refusal {
    int status;
    enum ck_code class;
    const char *code;        /* the service's; "": the status' phrase stands for it */
    struct ck_slice message; /* of the service; its first line is shown, cut at 300 bytes */
    const char *request_id;  /* NULL: not told */
};

/* Find a code in a table of n; what it means, or what the status means. *ret_hint is "" when there
 * is nothing to say; borrowed from the table. */
enum ck_code ck_refusal_class(const struct ck_refusal_code *table, size_t n, int status,
                              const char *code, const char **ret_hint);
/* The error. `where` names operation, place and identity; `hint` is "" or what to do, without
 * punctuation before it. Sets err->http_status. */
int ck_refused(const struct ck_refusal *why, const char *where, const char *hint,
               struct ck_err *err);
