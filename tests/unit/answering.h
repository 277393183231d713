/* A transport whose replies a function makes, one request at a time: for what depends on what was
 * sent before. */
#pragma once

#include "base/clock.h"
#include "net/http.h"

struct answering {
    void (*answer)(void *arg, struct ck_send *s); /* fills the reply, or s->err */
    void *arg;
};

static int answering_send(void *t, unsigned parallel,
                          struct ck_send *(*next)(void *arg, int64_t *ret_wait_ms),
                          int (*done)(void *arg, struct ck_send *s), void *arg, struct ck_err *err)
{
    const struct answering *w = t;
    ck_clock_skip_sleeps();
    for (;;) {
        int64_t wait = 0;
        struct ck_send *s = next(arg, &wait);
        if (!s && wait < 0)
            return 0;
        if (!s) {
            ck_sleep_ms(wait);
            continue;
        }
        s->sent = true;
        w->answer(w->arg, s);
        int r = done(arg, s);
        if (r < 0)
            return r;
    }
}

static void answering_free(void *t)
{
}

static const struct ck_transport_ops answering_ops = {"answering", answering_send, answering_free};
