/* The HTTP layer over the scripted transport: retries, deadlines, limits, signing.
 * What curl itself does is tested against a real server (tests/e2e/test_http.py). */
#include "http_fixture.h"

#include "base/clock.h"
#include "net/internal.h"

#include <stdio.h>

/* ---- plain ---- */

static void a_reply_comes_back_with_lower_case_headers_and_body(void **state)
{
    struct fixture *f = open_script("> GET https://h/a%20b?x=1\n"
                                    "> !authorization\n"
                                    "< 200\n"
                                    "< ETag:  \"abc\" \n"
                                    "<= one\n"
                                    "<= two\n");
    struct ck_req r = get(f, "https://h/a%20b?x=1");
    CK_AUTORESP resp = {0};
    assert_int_equal(ck_http_do(f->http, &r, &resp, NULL), 0);
    assert_int_equal(resp.status, 200);
    assert_string_equal(resp.headers.v[0].name, "etag");
    assert_string_equal(ck_nvs_get(&resp.headers, "ETag"), "\"abc\"");
    assert_string_equal(ck_buf_str(&resp.body), "one\ntwo");
    assert_int_equal(ck_http_count(f->http), 1);
    close_script(f);
}

static void any_status_is_a_reply_not_an_error(void **state)
{
    struct fixture *f = open_script("> GET https://h/\n< 404\n<= nothing here\n");
    struct ck_req r = get(f, "https://h/");
    expect_status(f, &r, 404, 1);
    close_script(f);
}

static void what_cannot_be_one_request_is_refused_before_sending(void **state)
{
    struct fixture *f = open_script("");
    struct ck_req r = get(f, "https://h/");
    ck_nvs_add(f->arena, &r.headers, "x-a", "1\r\nx-b: 2");
    expect_error(f, &r, CK_INVALID, "x-a");
    r = get(f, "https://h/");
    ck_nvs_add(f->arena, &r.headers, "x a", "1");
    expect_error(f, &r, CK_INVALID, "header");
    r = get(f, "https://h/");
    r.method = "GET /";
    expect_error(f, &r, CK_INVALID, "method");
    r = get(f, "https://h/");
    r.host = "h/../x";
    expect_error(f, &r, CK_INVALID, "host");
    r = get(f, "https://h/");
    r.raw_query = "a b";
    expect_error(f, &r, CK_INVALID, "encoding");
    assert_int_equal(ck_http_count(f->http), 0);
    close_script(f);
}

/* ---- retries ---- */

static void safe_requests_are_tried_three_times(void **state)
{
    static const char *const lost[] = {"! reset",
                                       "! refuse",
                                       "! truncate\n< 200\n<= abcdef",
                                       "! garbage",
                                       "! connect-timeout",
                                       "< 500",
                                       "< 502",
                                       "< 503",
                                       "< 504",
                                       "< 429"};
    for (size_t i = 0; i < CK_ARRAY_LEN(lost); i++) {
        CK_AUTOFREE char *script = ck_xasprintf("> GET https://h/\n%s\n> GET https://h/\n%s\n"
                                                "> GET https://h/\n< 200\n<= ok",
                                                lost[i], lost[i]);
        struct fixture *f = open_script(script);
        struct ck_req r = get(f, "https://h/");
        expect_status(f, &r, 200, 3);
        close_script(f);
    }
}

static void the_last_outcome_is_reported_when_attempts_run_out(void **state)
{
    struct fixture *f = open_script("> GET https://h/\n< 503\n> GET https://h/\n< 503\n"
                                    "> GET https://h/x?s=geheim\n! reset\n"
                                    "> GET https://h/x?s=geheim\n! reset\n");
    struct ck_req r = get(f, "https://h/");
    r.attempts = 2;
    expect_status(f, &r, 503, 2);
    r = get(f, "https://h/x?s=geheim");
    r.attempts = 2;
    CK_AUTOERR err = CK_ERR_INIT;
    CK_AUTORESP resp = {0};
    assert_int_equal(ck_http_do(f->http, &r, &resp, &err), -CK_UNAVAILABLE);
    assert_string_equal(ck_err_msg(&err), "GET https://h/x: the connection broke before the reply");
    close_script(f);
}

static void other_statuses_are_not_tried_again(void **state)
{
    static const int statuses[] = {200, 204, 301, 304, 400, 401, 403, 404, 408, 409, 412, 501};
    for (size_t i = 0; i < CK_ARRAY_LEN(statuses); i++) {
        CK_AUTOFREE char *script = ck_xasprintf("> GET https://h/\n< %d\n", statuses[i]);
        struct fixture *f = open_script(script);
        struct ck_req r = get(f, "https://h/");
        expect_status(f, &r, statuses[i], 1);
        close_script(f);
    }
}

static void throttling_codes_are_tried_again_whatever_the_status(void **state)
{
    static const char *const again[] = {
        "< 400\n<= <Error><Code>Throttling</Code></Error>",
        "< 400\n<= <Error><Code>RequestTimeout</Code></Error>",
        "< 403\n<= <ErrorResponse><Error><Code>SlowDown</Code>",
        "< 400\n<= {\"__type\": \"com.amazon#ThrottlingException\"}",
        "< 400\n<= {\"__type\":\"TooManyRequestsException\",\"message\":\"x\"}",
        "< 400\n< x-amzn-errortype: RequestThrottledException:http://x",
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(again); i++) {
        CK_AUTOFREE char *script =
            ck_xasprintf("> GET https://h/\n%s\n> GET https://h/\n< 200\n", again[i]);
        struct fixture *f = open_script(script);
        struct ck_req r = get(f, "https://h/");
        expect_status(f, &r, 200, 2);
        close_script(f);
    }
    static const char *const once[] = {
        "< 400\n<= <Code>ThrottlingX</Code>",
        "< 400\n<= <Message>Throttling</Message>",
        "< 400\n<= {\"__type\": \"ValidationException\"}",
        "< 400\n<= {\"__type\"",
        "< 200\n<= <Code>Throttling</Code>",
    };
    for (size_t i = 0; i < CK_ARRAY_LEN(once); i++) {
        CK_AUTOFREE char *script = ck_xasprintf("> GET https://h/\n%s\n", once[i]);
        struct fixture *f = open_script(script);
        struct ck_req r = get(f, "https://h/");
        expect_status(f, &r, once[i][2] == '4' ? 400 : 200, 1);
        close_script(f);
    }
}

static void unsafe_requests_are_never_sent_twice(void **state)
{
    static const char *const lost[] = {"! reset", "! truncate\n< 200\n<= abc"};
    for (size_t i = 0; i < CK_ARRAY_LEN(lost); i++) {
        CK_AUTOFREE char *script = ck_xasprintf("> POST https://h/\n%s\n", lost[i]);
        struct fixture *f = open_script(script);
        struct ck_req r = get(f, "https://h/");
        r.method = "POST";
        r.retry = CK_RETRY_NONE;
        expect_error(f, &r, CK_UNAVAILABLE, "POST https://h/: the connection broke");
        close_script(f);
    }
    struct fixture *f = open_script("> POST https://h/\n< 503\n");
    struct ck_req r = get(f, "https://h/");
    r.method = "POST";
    r.retry = CK_RETRY_NONE;
    expect_status(f, &r, 503, 1);
    close_script(f);
}

static void unsafe_requests_are_tried_again_when_nothing_was_sent(void **state)
{
    struct fixture *f = open_script("> POST https://h/\n! refuse\n> POST https://h/\n< 200\n");
    struct ck_req r = get(f, "https://h/");
    r.method = "POST";
    r.retry = CK_RETRY_NONE;
    expect_status(f, &r, 200, 2);
    close_script(f);
}

static void retry_after_is_obeyed(void **state)
{
    struct fixture *f = open_script("> GET https://h/\n< 503\n< Retry-After: 1\n"
                                    "> GET https://h/\n< 200\n");
    struct ck_req r = get(f, "https://h/");
    int64_t began = ck_mono_ms();
    expect_status(f, &r, 200, 2);
    assert_true(ck_mono_ms() - began >= 1000);
    close_script(f);
}

static void retry_after_beyond_the_deadline_ends_at_once(void **state)
{
    static const char *const values[] = {"3600", "99999999999999999999",
                                         "Fri, 31 Dec 2099 23:59:59 GMT"};
    for (size_t i = 0; i < CK_ARRAY_LEN(values); i++) {
        CK_AUTOFREE char *script =
            ck_xasprintf("> GET https://h/\n< 503\n< Retry-After: %s\n", values[i]);
        struct fixture *f = open_script(script);
        struct ck_req r = get(f, "https://h/");
        int64_t began = ck_mono_ms();
        expect_status(f, &r, 503, 1);
        assert_true(ck_mono_ms() - began < 500);
        close_script(f);
    }
}

static void waits_grow_with_full_jitter_up_to_five_seconds(void **state)
{
    static const int64_t most[] = {0, 0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000};
    for (unsigned attempt = 2; attempt < CK_ARRAY_LEN(most); attempt++) {
        int64_t low = INT64_MAX, high = 0;
        for (int i = 0; i < 400; i++) {
            int64_t w = ck_retry_wait(attempt, NULL);
            low = w < low ? w : low;
            high = w > high ? w : high;
        }
        assert_true(low >= 0 && low < most[attempt] / 4);
        assert_true(high <= most[attempt] && high > most[attempt] * 3 / 4);
    }
    assert_true(ck_retry_wait(4000000000u, NULL) <= 5000);
}

static void retry_after_reads_seconds_and_dates(void **state)
{
    CK_AUTORESP resp = {.status = 503, .arena = ck_arena_new()};
    ck_clock_set_ns(784111777LL * 1000000000); /* Sun, 06 Nov 1994 08:49:37 GMT */
    ck_nvs_add(resp.arena, &resp.headers, "retry-after", "7");
    assert_int_equal(ck_retry_wait(2, &resp), 7000);
    resp.headers.v[0].value = "Sun, 06 Nov 1994 08:49:40 GMT";
    assert_int_equal(ck_retry_wait(2, &resp), 3000);
    resp.headers.v[0].value = "Sun, 06 Nov 1994 08:00:00 GMT";
    assert_int_equal(ck_retry_wait(2, &resp), 0);
    resp.headers.v[0].value = "soon";
    assert_in_range(ck_retry_wait(2, &resp), 0, 100);
    ck_clock_set_ns(0);
}

static void an_empty_token_bucket_stops_retries_of_that_service_only(void **state)
{
    CK_AUTOBUF struct ck_buf script = CK_BUF_INIT;
    for (int i = 0; i < 110; i++)
        ck_buf_puts(&script, "> GET https://bad/\n< 503\n< retry-after: 0\n");
    ck_buf_puts(&script, "> GET https://other/\n< 503\n> GET https://other/\n< 200\n");
    struct fixture *f = open_script(ck_buf_str(&script));
    struct ck_req r = get(f, "https://bad/");
    r.bucket = "bad";
    r.attempts = 11;
    for (int i = 0; i < 10; i++)
        expect_status(f, &r, 503, 11); /* 10 retries at 5 tokens: 500 in ten rounds */
    CK_AUTOERR err = CK_ERR_INIT;
    assert_int_equal(ck_replay_finished(f->script, &err), -CK_INTERNAL); /* "other" is left */
    struct ck_req o = get(f, "https://other/");
    o.bucket = "other";
    expect_status(f, &o, 200, 2);
    close_script(f);
}

static void the_token_bucket_empties_and_fills(void **state)
{
    struct ck_tokens *all = NULL, *t = ck_tokens_of(&all, "s3");
    assert_ptr_equal(ck_tokens_of(&all, "s3"), t);
    assert_ptr_not_equal(ck_tokens_of(&all, "ec2"), t);
    assert_null(ck_tokens_of(&all, NULL));
    for (int i = 0; i < 100; i++)
        assert_true(ck_tokens_take(t, CK_COST_RETRY));
    assert_false(ck_tokens_take(t, CK_COST_RETRY));
    ck_tokens_give(t, 1);
    assert_false(ck_tokens_take(t, CK_COST_RETRY));
    ck_tokens_give(t, 4);
    assert_true(ck_tokens_take(t, CK_COST_RETRY));
    ck_tokens_give(t, 100000);
    for (int i = 0; i < 50; i++)
        assert_true(ck_tokens_take(t, CK_COST_TIMEOUT));
    assert_false(ck_tokens_take(t, 1));
    assert_true(ck_tokens_take(NULL, 1000));
    ck_tokens_free(all);
}

static void a_request_without_tokens_is_sent_once(void **state)
{
    CK_AUTOBUF struct ck_buf script = CK_BUF_INIT;
    for (int i = 0; i < 102; i++)
        ck_buf_puts(&script, "> GET https://bad/\n< 503\n< retry-after: 0\n");
    struct fixture *f = open_script(ck_buf_str(&script));
    struct ck_req r = get(f, "https://bad/");
    r.bucket = "bad";
    r.attempts = 200;
    expect_status(f, &r, 503, 101); /* the first, and 500 tokens' worth of retries */
    expect_status(f, &r, 503, 1);
    close_script(f);
}

/* ---- deadlines and limits ---- */

static void a_stalled_server_costs_one_deadline_including_retries(void **state)
{
    struct fixture *f = open_script("> GET https://h/\n! stall\n");
    struct ck_req r = get(f, "https://h/");
    r.timeout_ms = 120;
    int64_t began = ck_mono_ms();
    expect_error(f, &r, CK_TIMEOUT, "no reply within");
    assert_true(ck_mono_ms() - began < 400);
    close_script(f);
}

static int count_timeouts(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    unsigned *n = arg;
    assert_int_equal(item_err->code, CK_TIMEOUT);
    ++*n;
    return 0;
}

static void a_server_that_answers_nothing_ends_a_whole_batch_in_one_deadline(void **state)
{
    struct fixture *f = open_script("> GET https://h/\n! stall\n");
    struct ck_req reqs[50];
    for (size_t i = 0; i < 50; i++) {
        reqs[i] = get(f, "https://h/");
        reqs[i].timeout_ms = 100;
    }
    unsigned n = 0;
    int64_t began = ck_mono_ms();
    assert_int_equal(ck_http_all(f->http, reqs, 50, count_timeouts, &n, NULL), 0);
    assert_int_equal(n, 50);
    assert_true(ck_mono_ms() - began < 500);
    close_script(f);
}

static void a_reply_larger_than_allowed_is_a_limit_error(void **state)
{
    struct fixture *f = open_script("> GET https://h/\n< 200\n<= 123456\n"
                                    "> GET https://h/\n< 200\n<= 12345\n");
    struct ck_req r = get(f, "https://h/");
    r.max_reply = 5;
    expect_error(f, &r, CK_LIMIT, "larger than 5 bytes");
    expect_status(f, &r, 200, 1);
    close_script(f);
}

static int collect_piece(void *arg, struct ck_slice piece, struct ck_err *err)
{
    ck_buf_put(arg, piece);
    return 0;
}

static int refuse_piece(void *arg, struct ck_slice piece, struct ck_err *err)
{
    return ck_fail(err, CK_IO, "disk full");
}

static void a_sink_gets_the_body_of_success_only(void **state)
{
    struct fixture *f = open_script("> GET https://h/\n< 404\n<= no\n"
                                    "> GET https://h/\n< 200\n<= yes\n"
                                    "> GET https://h/\n< 200\n<= yes\n");
    CK_AUTOBUF struct ck_buf got = CK_BUF_INIT;
    struct ck_req r = get(f, "https://h/");
    r.sink = collect_piece;
    r.sink_arg = &got;
    expect_status(f, &r, 404, 1);
    assert_int_equal(got.len, 0);
    expect_status(f, &r, 200, 1);
    assert_string_equal(ck_buf_str(&got), "yes");
    r.sink = refuse_piece;
    expect_error(f, &r, CK_IO, "GET https://h/: disk full");
    close_script(f);
}

static void a_body_that_broke_off_in_a_sink_is_not_started_again(void **state)
{
    struct fixture *f = open_script("> GET https://h/\n! truncate\n< 200\n<= abcdef\n");
    CK_AUTOBUF struct ck_buf got = CK_BUF_INIT;
    struct ck_req r = get(f, "https://h/");
    r.sink = collect_piece;
    r.sink_arg = &got;
    expect_error(f, &r, CK_UNAVAILABLE, "broke before the reply was complete");
    assert_string_equal(ck_buf_str(&got), "abc");
    close_script(f);
}

/* ---- signing ---- */

static int fail_sign(void *arg, struct ck_arena *a, struct ck_req *r, struct ck_err *err)
{
    return ck_fail(err, CK_UNAUTHENTICATED, "no credentials");
}

static void each_attempt_is_signed_anew_on_its_own_copy(void **state)
{
    struct fixture *f = open_script(
        "> GET https://h/\n> authorization: signature 1\n> a: 1\n< 503\n< retry-after: 0\n"
        "> GET https://h/\n> authorization: signature 2\n> a: 1\n< 200\n");
    struct ck_req r = get(f, "https://h/");
    unsigned n = 0;
    ck_nvs_add(f->arena, &r.headers, "a", "1");
    r.sign = count_sign;
    r.sign_arg = &n;
    expect_status(f, &r, 200, 2);
    assert_int_equal(r.headers.n, 1);
    close_script(f);
}

static int change_in_place(void *arg, struct ck_arena *a, struct ck_req *r, struct ck_err *err)
{
    r->headers.v[0].value = ck_arena_printf(a, "%s+", r->headers.v[0].value);
    r->query.v[0].value = "signed";
    return 0;
}

static void a_signer_cannot_change_the_callers_request(void **state)
{
    struct fixture *f = open_script("> GET https://h/?q=signed\n> a: 1+\n< 503\n< retry-after: 0\n"
                                    "> GET https://h/?q=signed\n> a: 1+\n< 200\n");
    struct ck_req r = get(f, "https://h/?q=plain");
    ck_nvs_add(f->arena, &r.headers, "a", "1");
    r.sign = change_in_place;
    expect_status(f, &r, 200, 2);
    assert_string_equal(r.headers.v[0].value, "1");
    assert_string_equal(r.query.v[0].value, "plain");
    close_script(f);
}

static void a_signer_that_fails_ends_the_request_unsent(void **state)
{
    struct fixture *f = open_script("");
    struct ck_req r = get(f, "https://h/");
    r.sign = fail_sign;
    expect_error(f, &r, CK_UNAUTHENTICATED, "no credentials");
    assert_int_equal(ck_http_count(f->http), 0);
    close_script(f);
}

static int count_failing_sign(void *arg, struct ck_arena *a, struct ck_req *r, struct ck_err *err)
{
    unsigned *n = arg;
    ++*n;
    return ck_fail(err, CK_UNAUTHENTICATED, "no credentials");
}

static int expect_unauthenticated(void *arg, size_t i, struct ck_resp *resp,
                                  struct ck_err *item_err)
{
    assert_int_equal(item_err->code, CK_UNAUTHENTICATED);
    assert_non_null(strstr(ck_err_msg(item_err), "no credentials"));
    return 0;
}

static void missing_credentials_are_searched_once_per_batch(void **state)
{
    struct fixture *f = open_script("");
    struct ck_req reqs[5];
    unsigned n = 0, other = 0;
    for (size_t i = 0; i < 5; i++) {
        reqs[i] = get(f, "https://h/");
        reqs[i].sign = count_failing_sign;
        reqs[i].sign_arg = i == 4 ? &other : &n;
    }
    assert_int_equal(ck_http_all(f->http, reqs, 5, expect_unauthenticated, NULL, NULL), 0);
    assert_int_equal(n, 1);
    assert_int_equal(other, 1);
    close_script(f);
}

static bool once_more(void *arg, struct ck_req *r, const struct ck_resp *resp)
{
    if (resp->status != 403 || resp->attempts > 1)
        return false;
    r->path = "/fixed";
    return true;
}

static void again_may_fix_the_request(void **state)
{
    struct fixture *f = open_script("> POST https://h/\n< 403\n> POST https://h/fixed\n< 403\n");
    struct ck_req r = get(f, "https://h/");
    r.method = "POST";
    r.retry = CK_RETRY_NONE;
    r.again = once_more;
    expect_status(f, &r, 403, 2);
    assert_string_equal(r.path, "/");
    close_script(f);
}

/* ---- many ---- */

struct many {
    struct fixture *f;
    unsigned seen, bytes;
    int stop_after;
};

static int take_many(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    struct many *m = arg;
    assert_int_equal(item_err->code, CK_OK);
    assert_int_equal(resp->body.len, i);
    m->seen |= 1u << i;
    return --m->stop_after == 0 ? -CK_CANCELLED : 0;
}

static struct fixture *many_script(struct ck_req *reqs, size_t n)
{
    CK_AUTOBUF struct ck_buf script = CK_BUF_INIT;
    for (size_t i = 0; i < n; i++) {
        ck_buf_fmt(&script, "> GET https://h/%zu\n< 503\n> GET https://h/%zu\n< 200\n<= ", i, i);
        ck_buf_fill(&script, 'x', i);
        ck_buf_putc(&script, '\n');
    }
    struct fixture *f = open_script(ck_buf_str(&script));
    for (size_t i = 0; i < n; i++) {
        char url[40];
        snprintf(url, sizeof url, "https://h/%zu", i);
        reqs[i] = get(f, url);
    }
    return f;
}

static void each_of_many_is_reported_once(void **state)
{
    struct ck_req reqs[10];
    struct many m = {.stop_after = -1};
    struct fixture *f = many_script(reqs, 10);
    assert_int_equal(ck_http_all(f->http, reqs, 10, take_many, &m, NULL), 0);
    assert_int_equal(m.seen, 0x3FF);
    assert_int_equal(ck_http_count(f->http), 20);
    close_script(f);
}

static void a_negative_result_of_the_callback_stops_the_rest(void **state)
{
    struct ck_req reqs[10];
    struct many m = {.stop_after = 3};
    struct fixture *f = many_script(reqs, 10);
    assert_int_equal(ck_http_all(f->http, reqs, 10, take_many, &m, NULL), -CK_CANCELLED);
    assert_int_equal(__builtin_popcount(m.seen), 3);
    ck_http_free(f->http);
    ck_arena_free(f->arena);
    free(f);
}

static int ask_within(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    struct fixture *f = arg;
    struct ck_req r = get(f, "https://h/inner");
    expect_status(f, &r, 200, 1);
    return 0;
}

static void a_callback_may_send_too(void **state)
{
    struct fixture *f = open_script("> GET https://h/\n< 200\n> GET https://h/inner\n< 200\n");
    struct ck_req r = get(f, "https://h/");
    assert_int_equal(ck_http_all(f->http, &r, 1, ask_within, f, NULL), 0);
    close_script(f);
}

/* ---- the script itself ---- */

static void a_script_notices_what_it_does_not_expect(void **state)
{
    struct fixture *f = open_script("> GET https://h/a\n> x: 1\n< 200\n");
    struct ck_req r = get(f, "https://h/b");
    expect_error(f, &r, CK_INTERNAL, "expects no GET https://h/b");
    r = get(f, "https://h/a");
    expect_error(f, &r, CK_INTERNAL, "header x is");
    assert_int_equal(ck_replay_finished(f->script, NULL), -CK_INTERNAL);
    ck_http_free(f->http);
    ck_arena_free(f->arena);
    free(f);
    f = open_script("> GET https://h/a\n< 200\n");
    assert_int_equal(ck_replay_finished(f->script, NULL), -CK_INTERNAL);
    ck_http_free(f->http);
    ck_arena_free(f->arena);
    free(f);
    CK_AUTOERR err = CK_ERR_INIT;
    assert_null(ck_replay_new("> GET https://h/\n< 200\n? what", &err));
    assert_string_equal(ck_err_msg(&err), "line 3: not understood: ? what");
    assert_null(ck_replay_new("< 200", NULL));
    assert_null(ck_replay_new("> GET https://h/\n! explode", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_comes_back_with_lower_case_headers_and_body),
        cmocka_unit_test(any_status_is_a_reply_not_an_error),
        cmocka_unit_test(what_cannot_be_one_request_is_refused_before_sending),
        cmocka_unit_test(safe_requests_are_tried_three_times),
        cmocka_unit_test(the_last_outcome_is_reported_when_attempts_run_out),
        cmocka_unit_test(other_statuses_are_not_tried_again),
        cmocka_unit_test(throttling_codes_are_tried_again_whatever_the_status),
        cmocka_unit_test(unsafe_requests_are_never_sent_twice),
        cmocka_unit_test(unsafe_requests_are_tried_again_when_nothing_was_sent),
        cmocka_unit_test(retry_after_is_obeyed),
        cmocka_unit_test(retry_after_beyond_the_deadline_ends_at_once),
        cmocka_unit_test(waits_grow_with_full_jitter_up_to_five_seconds),
        cmocka_unit_test(retry_after_reads_seconds_and_dates),
        cmocka_unit_test(an_empty_token_bucket_stops_retries_of_that_service_only),
        cmocka_unit_test(the_token_bucket_empties_and_fills),
        cmocka_unit_test(a_request_without_tokens_is_sent_once),
        cmocka_unit_test(a_stalled_server_costs_one_deadline_including_retries),
        cmocka_unit_test(a_server_that_answers_nothing_ends_a_whole_batch_in_one_deadline),
        cmocka_unit_test(a_reply_larger_than_allowed_is_a_limit_error),
        cmocka_unit_test(a_sink_gets_the_body_of_success_only),
        cmocka_unit_test(a_body_that_broke_off_in_a_sink_is_not_started_again),
        cmocka_unit_test(each_attempt_is_signed_anew_on_its_own_copy),
        cmocka_unit_test(a_signer_cannot_change_the_callers_request),
        cmocka_unit_test(a_signer_that_fails_ends_the_request_unsent),
        cmocka_unit_test(missing_credentials_are_searched_once_per_batch),
        cmocka_unit_test(again_may_fix_the_request),
        cmocka_unit_test(each_of_many_is_reported_once),
        cmocka_unit_test(a_negative_result_of_the_callback_stops_the_rest),
        cmocka_unit_test(a_callback_may_send_too),
        cmocka_unit_test(a_script_notices_what_it_does_not_expect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
