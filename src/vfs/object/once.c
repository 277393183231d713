/* Sending under a lock; see once.h. */
#include "vfs/object/once.h"

#include "base/clock.h"

enum {
    LATE_MS = 5000, /* what was sent over a connection that broke arrives within that, or never */
    AGAIN_MS = 100,
    TAKES_MS = 1000, /* left for a sending to be worth while */
    TRIES = 5,
};

void ck_once_limit(struct ck_req *req, int64_t ms)
{
    ms = ms > 0 ? ms : 1;
    if (req->timeout_ms <= 0 || ms < req->timeout_ms)
        req->timeout_ms = ms;
}

static bool in_time(const struct ck_once *o, int64_t wait_ms)
{
    return ck_mono_ms() + wait_ms + TAKES_MS <= o->until_ms;
}

/* Whether it may be sent once more, after the wait that this takes. `over`: nothing of it is under
 * way any more. */
static bool may_repeat(const struct ck_once *o, bool over, unsigned sent)
{
    int64_t wait = over ? (int64_t)AGAIN_MS << sent : LATE_MS;
    if (sent + 1 >= TRIES || !in_time(o, wait))
        return false;
    if (!over && !(o->still_there && o->still_there(o->arg)))
        return false;
    o->v->waited_ms += wait;
    ck_sleep_ms(wait);
    return (!o->still_there || o->still_there(o->arg)) && in_time(o, 0);
}

int ck_once_send(const struct ck_once *o, struct ck_req *req, struct ck_resp *ret,
                 struct ck_err *err)
{
    req->retry = CK_RETRY_NONE;
    unsigned attempts = 0;
    if (ck_mono_ms() >= o->until_ms)
        return ck_fail(err, CK_TIMEOUT, "not sent: its lock has ended");
    for (unsigned i = 0;; i++) {
        ck_once_limit(req, o->until_ms - ck_mono_ms());
        int r = ck_http_do(o->http, req, ret, err);
        if (r == 0)
            ret->attempts += attempts;
        if (r < 0 ? r != -(int)CK_UNAVAILABLE : ret->status < 500 && ret->status != 429)
            return r;
        /* The store itself has answered; 502 and 504 come from gateways in front of it. */
        bool over = r == 0 && ret->status != 502 && ret->status != 504;
        if (!may_repeat(o, over, i))
            return r;
        attempts = r == 0 ? ret->attempts : attempts + 1;
        ck_resp_done(ret);
        ck_err_done(err);
    }
}
