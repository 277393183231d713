/* A transport whose replies a function makes, one request at a time: for what depends on what was
 * sent before. */
#pragma once

#include "base/clock.h"
#include "net/http.h"
#include "net/replay.h"

struct answering {
    void (*answer)(void *arg, struct ck_send *s); /* fills the reply, or s->err */
    void *arg;
};

static void answering_reply(void *t, struct ck_send *s)
{
    const struct answering *w = t;
    s->sent = true;
    w->answer(w->arg, s);
}

static int answering_send(void *t, unsigned parallel,
                          struct ck_send *(*next)(void *arg, int64_t *ret_wait_ms),
                          int (*done)(void *arg, struct ck_send *s), void *arg, struct ck_err *err)
{
    ck_clock_skip_sleeps();
    return ck_replay_one_by_one(answering_reply, t, next, done, arg);
}

static void answering_free(void *t)
{
}

static const struct ck_transport_ops answering_ops = {"answering", answering_send, answering_free};
