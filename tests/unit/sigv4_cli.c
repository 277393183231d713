/* Random signed requests for the independent verifier (tests/oracle/sigv4_verifier.py).
 *
 *   sigv4_cli COUNT SEED           prints each request as it would go over the wire, one per line
 * in hex: request line, headers, empty line, body sigv4_cli COUNT SEED URL       sends them there
 * instead and prints the statuses' counts
 *
 * Keys, parameters and header values come from an alphabet of everything that has gone wrong
 * somewhere: dots, slashes, plus signs, percent signs, spaces, quotes, UTF-8. */
#include "auth/sigv4.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static uint64_t state;

static unsigned pick(unsigned n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % n;
}

static const char *word(struct ck_arena *a, unsigned most, bool header)
{
    static const char *const pieces[] = {
        "a",          "Z",   "0",      "-",   "_",    ".",    "~",   "/", "//", "..",     "/./",
        "+",          "%",   "%2F",    "%41", " ",    "  ",   "&",   "=", "?",  "#",      ":",
        ";",          "@",   "!",      "$",   "'",    "(",    ")",   "*", ",",  "[",      "]",
        "\"",         "<",   ">",      "\\",  "^",    "`",    "{",   "|", "}",  "\u00e9", "\u1234",
        "\U0001F600", "key", "prefix", "\t",  "\x01", "\x7f", "\xff"};
    const unsigned plain = CK_ARRAY_LEN(pieces) - 4;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    for (unsigned n = pick(most + 1); n; n--)
        ck_buf_puts(&b, pieces[pick(header ? plain + 1 : CK_ARRAY_LEN(pieces))]);
    return ck_arena_strdup(a, ck_buf_str(&b));
}

static void add_query(struct ck_arena *a, struct ck_req *r)
{
    static const char *const known[] = {"list-type", "prefix", "delimiter", "acl", "versions"};
    for (unsigned n = pick(6); n; n--) {
        const char *name = pick(2) ? known[pick(CK_ARRAY_LEN(known))] : word(a, 4, false);
        ck_nvs_add(a, &r->query, name, pick(5) ? word(a, 5, false) : NULL);
    }
}

static void add_headers(struct ck_arena *a, struct ck_req *r)
{
    static const char *const known[] = {"X-Amz-Meta-A", "x-amz-meta-a-b", "x-amz-meta-a",
                                        "Content-Type", "Range",          "If-Match"};
    for (unsigned n = pick(4); n; n--)
        ck_nvs_add(a, &r->headers, known[pick(CK_ARRAY_LEN(known))], word(a, 6, true));
}

static void make(struct ck_arena *a, struct ck_req *r)
{
    static const char *const methods[] = {"GET", "PUT", "POST", "DELETE", "HEAD"};
    r->method = methods[pick(CK_ARRAY_LEN(methods))];
    r->path = ck_arena_printf(a, "/%s", word(a, 10, false));
    add_query(a, r);
    add_headers(a, r);
    if (strcmp(r->method, "PUT") == 0 || strcmp(r->method, "POST") == 0)
        r->body = ck_slice_of(word(a, 30, false));
}

static int sign(struct ck_arena *a, struct ck_req *r, bool s3, bool presign)
{
    const struct ck_sigv4 p = {.region = "us-east-1",
                               .service = s3 ? "s3" : "iam",
                               .no_double_encode = s3,
                               .no_content_sha_header = !s3,
                               .unsigned_payload = s3 && pick(4) == 0};
    const struct ck_cred c = {.access_key = (char *)"AKIDEXAMPLE",
                              .secret_key = (char *)"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                              .session_token = pick(3) ? NULL : (char *)"to/ken+=%"};
    CK_AUTOERR err = CK_ERR_INIT;
    int rc = presign ? ck_sigv4_presign(a, &p, &c, ck_now_s(), 600, r, &err)
                     : ck_sigv4_sign(a, &p, &c, ck_now_s(), r, &err);
    if (rc < 0)
        printf("failed: %s\n", ck_err_msg(&err));
    return rc;
}

static void print_request(const struct ck_req *r)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    CK_AUTOBUF struct ck_buf hex = CK_BUF_INIT;
    ck_buf_fmt(&b, "%s ", r->method);
    ck_url_path(&b, r);
    if (r->query.n)
        ck_buf_putc(&b, '?');
    ck_url_query(&b, r);
    ck_buf_puts(&b, " HTTP/1.1\r\nHost: ");
    ck_url_host(&b, r);
    ck_buf_puts(&b, "\r\n");
    for (size_t i = 0; i < r->headers.n; i++)
        ck_buf_fmt(&b, "%s: %s\r\n", r->headers.v[i].name, r->headers.v[i].value);
    ck_buf_puts(&b, "\r\n");
    ck_buf_put(&b, r->body);
    ck_hex_encode(&hex, b.ptr, b.len);
    puts(ck_buf_str(&hex));
}

struct outcome {
    unsigned good, bad;
};

static int count(void *arg, size_t i, struct ck_resp *resp, struct ck_err *item_err)
{
    struct outcome *o = arg;
    if (item_err->code == CK_OK && resp->status == 200)
        o->good++;
    else
        o->bad++;
    if (item_err->code != CK_OK || resp->status != 200)
        fprintf(stderr, "%s%s\n", ck_err_msg(item_err), ck_buf_str(&resp->body));
    return 0;
}

int main(int argc, char **argv)
{
    static const char *const hosts[] = {"bucket.s3.amazonaws.com", "::1", "h"};
    if (argc < 3)
        return 2;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    size_t n = strtoul(argv[1], NULL, 10);
    state = strtoull(argv[2], NULL, 10);
    struct ck_req *reqs = ck_arena_alloc(a, (n + 1) * sizeof *reqs);
    for (size_t i = 0; i < n; i++) {
        struct ck_req *r = &reqs[i];
        bool s3 = pick(2), presign = pick(4) == 0;
        *r = (struct ck_req){.scheme = pick(2) ? "https" : "http", .host = hosts[pick(3)]};
        r->port = pick(2) ? 0 : pick(2) ? 443 : 9000;
        if (argc > 3 && ck_url_parse(a, argv[3], r, NULL) < 0)
            return 2;
        make(a, r);
        if (sign(a, r, s3, presign) < 0)
            return 1;
        if (argc == 3)
            print_request(r);
    }
    if (argc == 3)
        return 0;
    struct outcome o = {0};
    struct ck_env env = {0};
    struct ck_http *h = ck_http_new(&env, NULL, NULL);
    int rc = ck_http_all(h, reqs, n, count, &o, NULL);
    ck_http_free(h);
    printf("%u good, %u bad\n", o.good, o.bad);
    return rc < 0 || o.bad;
}
