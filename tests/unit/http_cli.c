/* A request from the command line, for the end-to-end tests of the HTTP layer against a real
 * server. One line per request: "STATUS BYTES MS ATTEMPTS" or "error CODE HTTPSTATUS MESSAGE"; with
 * -o the body, with -i the reply's headers follow. */
#include "base/log.h"
#include "base/mem.h"
#include "net/http.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

struct options {
    struct ck_req req;
    unsigned copies, parallel, rounds;
    bool body, headers, sink, nested;
    struct ck_http *http;
    const struct ck_req *first;
};

static int count_piece(void *arg, struct ck_slice piece, struct ck_err *err)
{
    *(size_t *)arg += piece.len;
    return 0;
}

static int show(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    const struct options *o = arg;
    if (item_err->code != CK_OK) {
        printf("error %s %d %s\n", ck_code_name(item_err->code), item_err->http_status,
               ck_err_msg(item_err));
        return 0;
    }
    printf("%d %zu %lld %u\n", resp->status, resp->body.len, (long long)resp->ms, resp->attempts);
    for (size_t k = 0; o->headers && k < resp->headers.n; k++)
        printf("%s: %s\n", resp->headers.v[k].name, resp->headers.v[k].value);
    if (o->body)
        printf("%s\n", ck_buf_str(&resp->body));
    if (o->nested) {
        CK_AUTORESP inner = {0};
        CK_AUTOERR err = CK_ERR_INIT;
        int r = ck_http_do(o->http, o->first, &inner, &err);
        printf("inner %d\n", r < 0 ? r : inner.status);
    }
    return 0;
}

static void add_header(struct ck_arena *a, struct ck_req *r, const char *text)
{
    const char *colon = strchr(text, ':');
    if (!colon)
        return;
    const char *value = colon + 1 + strspn(colon + 1, " ");
    ck_nvs_add(a, &r->headers, ck_arena_strndup(a, text, (size_t)(colon - text)), value);
}

static bool parse_options(struct ck_arena *a, int argc, char **argv, struct options *o)
{
    int c;
    while ((c = getopt(argc, argv, "n:p:t:c:a:m:d:H:fr:C:x:v:b:oiNsER:")) != -1) {
        switch (c) {
        case 'n':
            o->copies = (unsigned)atoi(optarg);
            break;
        case 'p':
            o->parallel = (unsigned)atoi(optarg);
            break;
        case 'R':
            o->rounds = (unsigned)atoi(optarg);
            break;
        case 't':
            o->req.timeout_ms = atoi(optarg);
            break;
        case 'c':
            o->req.connect_ms = atoi(optarg);
            break;
        case 'a':
            o->req.attempts = (unsigned)atoi(optarg);
            break;
        case 'm':
            o->req.method = optarg;
            break;
        case 'd':
            o->req.body = ck_slice_of(optarg);
            break;
        case 'H':
            add_header(a, &o->req, optarg);
            break;
        case 'f':
            o->req.follow = true;
            break;
        case 'r':
            o->req.retry = strcmp(optarg, "safe") == 0 ? CK_RETRY_SAFE : CK_RETRY_NONE;
            break;
        case 'C':
            o->req.ca_file = optarg;
            break;
        case 'x':
            o->req.max_reply = (size_t)atol(optarg);
            break;
        case 'v':
            ck_log_set_verbosity(atoi(optarg));
            break;
        case 'b':
            o->req.bucket = optarg;
            break;
        case 'o':
            o->body = true;
            break;
        case 'i':
            o->headers = true;
            break;
        case 'N':
            o->req.no_proxy = true;
            break;
        case 's':
            o->sink = true;
            break;
        case 'E': /* ask for the first URL again within the callback of each reply */
            o->nested = true;
            break;
        default:
            return false;
        }
    }
    return optind < argc;
}

int main(int argc, char **argv)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR err = CK_ERR_INIT;
    struct options o = {.req = {.method = "GET"}, .copies = 1, .parallel = 32, .rounds = 1};
    if (!parse_options(a, argc, argv, &o)) {
        fprintf(stderr, "usage: http_cli [options] URL...\n");
        return 2;
    }
    size_t urls = (size_t)(argc - optind), n = urls * o.copies, streamed = 0;
    struct ck_req *reqs = ck_arena_alloc(a, n * sizeof *reqs);
    for (size_t i = 0; i < n; i++) {
        reqs[i] = o.req;
        if (o.sink) {
            reqs[i].sink = count_piece;
            reqs[i].sink_arg = &streamed;
        }
        if (ck_url_parse(a, argv[optind + (int)(i % urls)], &reqs[i], &err) < 0) {
            printf("bad URL: %s\n", ck_err_msg(&err));
            return 1;
        }
    }
    struct ck_env env = {0};
    ck_env_from_process(&env);
    struct ck_http *h = ck_http_new(&env, NULL, NULL);
    ck_http_set_parallel(h, o.parallel);
    o.http = h;
    o.first = reqs;
    int r = 0;
    for (unsigned k = 0; k < o.rounds && r == 0; k++)
        r = ck_http_all(h, reqs, n, show, &o, &err);
    if (r < 0)
        printf("failed: %s\n", ck_err_msg(&err));
    if (o.sink)
        printf("streamed %zu\n", streamed);
    ck_http_free(h);
    ck_env_done(&env);
    return r < 0;
}
