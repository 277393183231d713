/* The Swift client: sign-in, requests with literal slashes, errors that say who may not do what
 * where, and whether it is the container that is missing. */
#include "vfs/swift/swift.h"

#include "base/enc.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/hash.h"

#include <string.h>

enum { DEFAULT_PARALLEL = 128, SAID_MAX = 200 };

struct ck_http *ck_swift_http(struct ck_swift *s)
{
    struct ck_vfs_ctx *ctx = s->base.ctx;
    if (!ctx->http) {
        ctx->http = ck_http_new(ctx->env, NULL, NULL);
        ck_http_set_parallel(ctx->http, ctx->parallel ? ctx->parallel : DEFAULT_PARALLEL);
    }
    return ctx->http;
}

int ck_swift_prepare(struct ck_swift *s, struct ck_err *err)
{
    if (s->ready)
        return 0;
    struct ck_vfs_ctx *ctx = s->base.ctx;
    s->create_container = false;
    s->locks = true;
    int r = ck_vfs_switch(ctx->env, "CKOPS_SWIFT_CREATE_CONTAINER", &s->create_container, err);
    if (r == 0)
        r = ck_vfs_switch(ctx->env, "CKOPS_SWIFT_LOCKS", &s->locks, err);
    if (r == 0)
        r = ck_crypto_load(err);
    if (r < 0)
        return r;
    if (!s->os) {
        struct ck_os_config cfg = {.env = ctx->env,
                                   .http = ck_swift_http(s),
                                   .cloud = ctx->profile,
                                   .ca_file = ck_env_nonempty(ctx->env, "CKOPS_STORE_CA_BUNDLE"),
                                   .timeout_ms = ctx->timeout_ms};
        s->os = ck_os_new(&cfg);
    }
    const char *url = NULL;
    r = ck_os_endpoint(s->os, &url, err);
    if (r < 0)
        return ck_wrap(err, "swift://%s", s->base.container);
    r = ck_url_parse(ctx->arena, url, &s->store, err);
    if (r < 0)
        return ck_wrap(err, "the object store's URL in the service catalog");
    size_t n = strlen(s->store.path);
    while (n && s->store.path[n - 1] == '/')
        n--;
    s->store.path = ck_arena_strndup(ctx->arena, s->store.path, n);
    s->ready = true;
    return 0;
}

void ck_swift_request(struct ck_arena *a, struct ck_swift *s, const char *method,
                      const char *container, const char *key, struct ck_req *ret)
{
    struct ck_vfs_ctx *ctx = s->base.ctx;
    struct ck_os_use *use = ck_arena_alloc(a, sizeof *use);
    use->os = s->os;
    *ret = (struct ck_req){
        .method = method,
        .scheme = s->store.scheme,
        .host = s->store.host,
        .port = s->store.port,
        .path = ck_arena_printf(a, "%s%s%s%s%s", s->store.path, container ? "/" : "",
                                container ? container : "", key ? "/" : "", key ? key : ""),
        .max_reply = ctx->max_object,
        .timeout_ms = ctx->timeout_ms,
        .retry = CK_RETRY_SAFE,
        .bucket = "swift",
        .sign = ck_os_sign,
        .sign_arg = use,
        .again = ck_os_again,
        .again_arg = use,
    };
    ck_os_set_tls(s->os, ret);
}

int ck_swift_send(struct ck_swift *s, const struct ck_req *r, struct ck_resp *ret,
                  struct ck_err *err)
{
    return ck_http_do(ck_swift_http(s), r, ret, err);
}

/* ---- errors ---- */

static enum ck_code class_of(int status)
{
    /* 422: the ETag sent with the content does not fit, it was damaged on the way. */
    return status == 422 || status == 498 ? CK_UNAVAILABLE : ck_http_class(status);
}

static const char *hint(int status)
{
    switch (status) {
    case 401:
        return "the token was refused twice: does the service catalog belong to this store?";
    case 403:
        return "the user needs a role in the project that Swift counts as an operator's "
               "(operator_roles, often \"member\"), or an access list on the container";
    case 413:
        return "the quota of the account or container is used up, or the object is too large";
    case 422:
        return "the content was damaged on the way";
    case 498:
        return "too many requests for this account or container";
    case 507:
        return "the store has no room left";
    default:
        return "";
    }
}

/* Swift answers with a little HTML, RGW with XML or JSON: the text between the tags will do. */
static void put_said(struct ck_buf *t, const struct ck_resp *resp)
{
    const char *type = ck_nvs_get(&resp->headers, "content-type");
    bool tags = type && strstr(type, "html"), inside = false;
    for (size_t i = 0; i < resp->body.len && t->len < SAID_MAX; i++) {
        char c = resp->body.ptr[i];
        if (tags && (c == '<' || c == '>')) {
            inside = c == '<';
            c = ' ';
        }
        bool blank = (unsigned char)c <= ' ' || c == 0x7F;
        if (!inside && (!blank || (t->len && t->ptr[t->len - 1] != ' ')))
            ck_buf_putc(t, blank ? ' ' : c);
    }
}

static void put_where(struct ck_buf *b, struct ck_swift *s, const char *key)
{
    ck_buf_fmt(b, "swift://%s/%s", s->base.container, key ? key : "");
}

int ck_swift_fail(struct ck_swift *s, const struct ck_resp *resp, const char *verb, const char *key,
                  struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT, said = CK_BUF_INIT;
    ck_buf_fmt(&b, "error %s ", verb);
    put_where(&b, s, key);
    const char *region = ck_os_region(s->os);
    ck_buf_fmt(&b, ": as %s%s%s", ck_os_who(s->os), *region ? " in " : "", region);
    put_said(&said, resp);
    const struct ck_refusal why = {
        .status = resp->status,
        .class = class_of(resp->status),
        .code = resp->status == 498 ? "Rate Limited" : "",
        .message = ck_buf_slice(&said),
        .request_id = ck_nvs_get(&resp->headers, "x-trans-id"),
    };
    return ck_refused(&why, ck_buf_str(&b), hint(resp->status), err);
}

int ck_swift_wrap(struct ck_swift *s, const char *verb, const char *key, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    put_where(&b, s, key);
    return ck_wrap(err, "error %s %s", verb, ck_buf_str(&b));
}

/* ---- the container ---- */

static int no_container(struct ck_swift *s, const char *verb, const char *key, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    put_where(&b, s, key);
    return ck_fail(err, CK_INVALID,
                   "error %s %s: the container \"%s\" does not exist at %s for %s; make it with "
                   "\"swift post %s\", or set CKOPS_SWIFT_CREATE_CONTAINER=yes to have it made by "
                   "the first write",
                   verb, ck_buf_str(&b), s->base.container, s->store.host, ck_os_who(s->os),
                   s->base.container);
}

int ck_swift_check_container(struct ck_swift *s, const char *verb, const char *key,
                             struct ck_err *err)
{
    if (s->container_seen)
        return 0;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_swift_request(a, s, "HEAD", s->base.container, NULL, &req);
    CK_AUTORESP resp = {0};
    int r = ck_swift_send(s, &req, &resp, err);
    if (r < 0)
        return ck_swift_wrap(s, verb, key, err);
    if (resp.status == 404) /* one that the first write makes is empty until then */
        return s->create_container ? 0 : no_container(s, verb, key, err);
    /* One who may read objects need not be allowed to look at the container. */
    if (resp.status < 300 || resp.status == 403)
        s->container_seen = true;
    else
        return ck_swift_fail(s, &resp, verb, key, err);
    return 0;
}

int ck_swift_make_container(struct ck_swift *s, const char *key, struct ck_err *err)
{
    if (!s->create_container)
        return no_container(s, "writing", key, err);
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_swift_request(a, s, "PUT", s->base.container, NULL, &req);
    CK_AUTORESP resp = {0};
    int r = ck_swift_send(s, &req, &resp, err);
    if (r < 0)
        return ck_swift_wrap(s, "making the container of", key, err);
    if (resp.status != 201 && resp.status != 202 && resp.status != 204)
        return ck_swift_fail(s, &resp, "making the container of", key, err);
    ck_debug(1, "made the container %s", s->base.container);
    s->container_seen = true;
    return 0;
}
