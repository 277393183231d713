/* Following a redirect: the request it leads to, without what must not travel along.
 *
 * Does not send. Method changes as in Go's net/http and browsers; credentials stay on their host,
 * and there is no way from https back to http. */
#include "net/internal.h"

#include "base/mem.h"

#include <string.h>
#include <strings.h>

static bool is_credential(const char *name)
{
    static const char *const exact[] = {"authorization", "proxy-authorization", "cookie", "cookie2",
                                        "x-auth-token"};
    static const char *const prefixes[] = {"x-amz-", "x-aws-", "x-ms-", "x-goog-", "x-oss-"};
    for (size_t i = 0; i < CK_ARRAY_LEN(exact); i++)
        if (strcasecmp(name, exact[i]) == 0)
            return true;
    for (size_t i = 0; i < CK_ARRAY_LEN(prefixes); i++)
        if (strncasecmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

static int port_of(const struct ck_req *r)
{
    return r->port ? r->port : strcmp(r->scheme, "http") == 0 ? 80 : 443;
}

static bool same_origin(const struct ck_req *a, const struct ck_req *b)
{
    return strcmp(a->scheme, b->scheme) == 0 && strcasecmp(a->host, b->host) == 0 &&
           port_of(a) == port_of(b);
}

/* Location to an absolute URL (RFC 3986 §5, without dot segments: servers do not send them). */
static const char *absolute(struct ck_arena *a, const struct ck_req *r, const char *to)
{
    size_t scheme = strcspn(to, ":/?#");
    if (to[scheme] == ':')
        return to;
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_fmt(&b, "%s:", r->scheme);
    if (strncmp(to, "//", 2) != 0) {
        ck_buf_puts(&b, "//");
        ck_url_host(&b, r);
        if (*to != '/') {
            CK_AUTOBUF struct ck_buf path = CK_BUF_INIT;
            ck_url_path(&path, r);
            const char *slash = strrchr(path.ptr, '/');
            bool whole = *to == '?' || *to == '#' || !*to;
            ck_buf_putn(&b, path.ptr, whole ? path.len : (size_t)(slash - path.ptr) + 1);
        }
    }
    ck_buf_puts(&b, to);
    return ck_arena_strdup(a, ck_buf_str(&b));
}

/* The path and query exactly as the server wrote them: decoding and encoding again could name
 * something else. */
static void keep_raw(struct ck_arena *a, const char *url, struct ck_req *r)
{
    const char *rest = strstr(url, "://") + 3;
    rest += strcspn(rest, "/?#");
    size_t path = strcspn(rest, "?#");
    r->raw_path = path ? ck_arena_strndup(a, rest, path) : "/";
    r->raw_query = NULL;
    if (rest[path] == '?')
        r->raw_query = ck_arena_strndup(a, rest + path + 1, strcspn(rest + path + 1, "#"));
}

static void drop_headers(struct ck_arena *a, struct ck_req *r, bool (*drop)(const char *))
{
    struct ck_nvs kept = {0};
    for (size_t i = 0; i < r->headers.n; i++)
        if (!drop(r->headers.v[i].name))
            ck_nvs_add(a, &kept, r->headers.v[i].name, r->headers.v[i].value);
    r->headers = kept;
}

static bool is_about_body(const char *name)
{
    return strncasecmp(name, "content-", 8) == 0 || strcasecmp(name, "transfer-encoding") == 0;
}

static bool is_host(const char *name)
{
    return strcasecmp(name, "host") == 0;
}

static bool becomes_get(const struct ck_req *r, int status)
{
    if (strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0)
        return false;
    return status == 303 || ((status == 301 || status == 302) && strcmp(r->method, "POST") == 0);
}

int ck_redirect(struct ck_arena *a, struct ck_req *r, const struct ck_resp *resp,
                struct ck_err *err)
{
    int st = resp->status;
    const char *to = ck_nvs_get(&resp->headers, "location");
    if (!r->follow || !to || !(st == 301 || st == 302 || st == 303 || st == 307 || st == 308))
        return CK_REDIRECT_NO;
    struct ck_req next = *r;
    const char *url = absolute(a, r, to);
    int rc = ck_url_parse(a, url, &next, err);
    if (rc < 0)
        return ck_wrap(err, "redirect (%d)", st);
    keep_raw(a, url, &next);
    if (strcmp(r->scheme, "https") == 0 && strcmp(next.scheme, "http") == 0)
        return ck_fail(err, CK_INVALID, "a redirect (%d) from https to http://%s is refused", st,
                       next.host);
    if (becomes_get(r, st)) {
        next.method = "GET";
        next.body = (struct ck_slice){0};
        drop_headers(a, &next, is_about_body);
    }
    if (!same_origin(r, &next)) {
        if (next.body.len)
            return CK_REDIRECT_NO;
        drop_headers(a, &next, is_credential);
        drop_headers(a, &next, is_host);
        next.sign = NULL;
        next.again = NULL;
    }
    *r = next;
    return CK_REDIRECT_FOLLOW;
}
