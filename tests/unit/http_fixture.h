/* Requests against a script, for tests of the HTTP layer. */
#pragma once

#include "base/mem.h"
#include "net/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct fixture {
    struct ck_env env;
    struct ck_arena *arena;
    struct ck_replay *script;
    struct ck_http *http;
};

static inline struct fixture *open_script(const char *script)
{
    struct fixture *f = ck_xcalloc(1, sizeof *f);
    CK_AUTOERR err = CK_ERR_INIT;
    f->arena = ck_arena_new();
    f->script = ck_replay_new(script, &err);
    if (!f->script)
        fail_msg("%s", ck_err_msg(&err));
    f->http = ck_http_new(&f->env, &ck_replay_ops, f->script);
    return f;
}

/* Every exchange was used and nothing else was asked for. */
static inline void close_script(struct fixture *f)
{
    CK_AUTOERR err = CK_ERR_INIT;
    if (ck_replay_finished(f->script, &err) < 0)
        fail_msg("%s", ck_err_msg(&err));
    ck_http_free(f->http);
    ck_arena_free(f->arena);
    ck_env_done(&f->env);
    free(f);
}

static inline struct ck_req get(struct fixture *f, const char *url)
{
    struct ck_req r = {.method = "GET", .retry = CK_RETRY_SAFE};
    assert_int_equal(ck_url_parse(f->arena, url, &r, NULL), 0);
    return r;
}

static inline void expect_status(struct fixture *f, const struct ck_req *r, int status,
                                 unsigned attempts)
{
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTORESP resp = {0};
    if (ck_http_do(f->http, r, &resp, &err) < 0)
        fail_msg("%s", ck_err_msg(&err));
    assert_int_equal(resp.status, status);
    assert_int_equal(resp.attempts, attempts);
}

static inline void expect_error(struct fixture *f, const struct ck_req *r, enum ck_code code,
                                const char *text)
{
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTORESP resp = {0};
    assert_int_equal(ck_http_do(f->http, r, &resp, &err), -(int)code);
    if (!strstr(ck_err_msg(&err), text))
        fail_msg("\"%s\" does not hold \"%s\"", ck_err_msg(&err), text);
}

/* Signs with a counter: arg is an unsigned. */
static inline int count_sign(void *arg, struct ck_arena *a, struct ck_req *r, struct ck_err *err)
{
    unsigned *n = arg;
    ck_nvs_addf(a, &r->headers, "authorization", "signature %u", ++*n);
    return 0;
}
