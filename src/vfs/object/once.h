/* Sending to a store that does not compare what it is told to replace or remove, under a lock
 * (vfs/lease.h).
 *
 * The store would carry out a second sending whatever others have made of the object since the
 * first. So nothing is sent again blindly: after a refusal for the moment only when a look shows
 * that what was to be replaced is still there, after a connection that broke when it is still there
 * once the first sending can no longer arrive, and never beyond the end of the lock. */
#pragma once

#include "net/http.h"
#include "vfs/vfs.h"

struct ck_once {
    struct ck_vfs *v; /* whose waited_ms takes the pauses */
    struct ck_http *http;
    int64_t until_ms; /* ck_mono_ms() at which the lock ends */
    /* A look: whether what is to be replaced is there; false when that cannot be told. NULL: nobody
     * can tell, so that only refusals lead to another sending. */
    bool (*still_there)(void *arg);
    void *arg;
};

/* As ck_http_do, with retries of its own; `req` is changed. ret->attempts counts all sendings. What
 * UNAVAILABLE, TIMEOUT and 5xx leave open the caller finds out (vfs/object/outcome.h). */
int ck_once_send(const struct ck_once *o, struct ck_req *req, struct ck_resp *ret,
                 struct ck_err *err);
/* Give the request no more time than this. */
void ck_once_limit(struct ck_req *req, int64_t ms);
