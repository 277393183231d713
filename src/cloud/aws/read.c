/* The calls of read.h. */
#include "cloud/aws/read.h"

#include "auth/sigv4.h"
#include "base/clock.h"
#include "base/enc.h"
#include "doc/json.h"
#include "doc/xml.h"

#include <string.h>

enum { REPLY_MAX = 32 << 20, MAX_PAGES = 1000 };

static const struct service {
    const char *name, *version; /* version NULL: not the query protocol */
    const char *endpoint;       /* with %s for the region */
    const char *variable;       /* AWS_ENDPOINT_URL_… */
    const char *signing_region; /* NULL: the region */
    const char *signing_name;
    const char *token_in, *token_out; /* how pages are named */
} SERVICES[] = {
    {"ec2", "2016-11-15", "ec2.%s.amazonaws.com", "EC2", NULL, "ec2", "NextToken", "nextToken"},
    {"autoscaling", "2011-01-01", "autoscaling.%s.amazonaws.com", "AUTO_SCALING", NULL,
     "autoscaling", "NextToken", "NextToken"},
    {"elbv2", "2015-12-01", "elasticloadbalancing.%s.amazonaws.com", "ELASTIC_LOAD_BALANCING_V2",
     NULL, "elasticloadbalancing", "Marker", "NextMarker"},
    {"iam", "2010-05-08", "iam.amazonaws.com", "IAM", "us-east-1", "iam", "Marker", "Marker"},
    {"sqs", "2012-11-05", "sqs.%s.amazonaws.com", "SQS", NULL, "sqs", "NextToken", "NextToken"},
    {"route53", NULL, "route53.amazonaws.com", "ROUTE_53", "us-east-1", "route53", NULL, NULL},
    {"events", NULL, "events.%s.amazonaws.com", "EVENTBRIDGE", NULL, "events", NULL, NULL},
};

static const struct service *service_of(const char *name)
{
    for (size_t i = 0; i < sizeof SERVICES / sizeof *SERVICES; i++)
        if (!strcmp(SERVICES[i].name, name))
            return &SERVICES[i];
    return NULL;
}

int ck_aws_read_open(struct ck_arena *a, const struct ck_env *env, struct ck_http *http,
                     const char *region, const char *cluster, struct ck_aws_read *ret,
                     struct ck_err *err)
{
    const struct ck_aws_config cfg = {.env = env, .http = http, .region = region};
    *ret = (struct ck_aws_read){
        .a = a, .env = env, .http = http, .region = region, .cluster = cluster};
    ret->log = ck_list(a);
    ret->creds = ck_aws_chain_new(&cfg);
    struct ck_cred c = {0};
    int r = ret->creds->ops->get(ret->creds, &c, err);
    ck_cred_done(&c);
    return r;
}

void ck_aws_read_close(struct ck_aws_read *w)
{
    ck_map_done(&w->replies);
    ck_map_done(&w->ids);
    if (w->creds)
        ck_cred_provider_free(w->creds);
    w->creds = NULL;
}

/* ---- one request ---- */

struct signer {
    struct ck_aws_read *w;
    const struct service *s;
};

static int sign(void *arg, struct ck_arena *a, struct ck_req *r, struct ck_err *err)
{
    const struct signer *s = arg;
    struct ck_cred c = {0};
    const struct ck_sigv4 p = {
        .region = s->s->signing_region ? s->s->signing_region : s->w->region,
        .service = s->s->signing_name,
        .no_content_sha_header = true,
    };
    int rc = s->w->creds->ops->get(s->w->creds, &c, err);
    if (!rc)
        rc = ck_sigv4_sign(a, &p, &c, ck_now_s(), r, err);
    ck_cred_done(&c);
    return rc;
}

static int endpoint(struct ck_aws_read *w, const struct service *s, struct ck_req *req,
                    struct ck_err *err)
{
    const char *url =
        ck_env_nonempty(w->env, ck_arena_printf(w->a, "AWS_ENDPOINT_URL_%s", s->variable));
    url = url ? url : ck_env_nonempty(w->env, "AWS_ENDPOINT_URL");
    if (url) { /* of which host and port count: paths are the services' */
        const char *path = req->path;
        int r = ck_url_parse(w->a, url, req, err);
        req->path = path;
        req->raw_path = NULL;
        return r;
    }
    const char *mark = strstr(s->endpoint, "%s");
    req->scheme = "https";
    req->host = mark ? ck_arena_printf(w->a, "%.*s%s%s", (int)(mark - s->endpoint), s->endpoint,
                                       w->region, mark + 2)
                     : s->endpoint;
    if (ck_str_starts(w->region, "cn-"))
        req->host = ck_arena_printf(w->a, "%s.cn", req->host);
    return 0;
}

static bool is_read(const char *action)
{
    return ck_str_starts(action, "Describe") || ck_str_starts(action, "Get") ||
           ck_str_starts(action, "List");
}

/* The code of an error reply, in the spellings of the services. */
static const char *error_code(const struct ck_val *v)
{
    static const char *const paths[] = {"ErrorResponse.Error.Code", "Response.Errors.Error.Code",
                                        "__type"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const char *code = ck_str_at(v, paths[i]);
        const char *hash = strrchr(code, '#');
        if (*code)
            return hash ? hash + 1 : code;
    }
    return "";
}

static bool says_absent(const char *code)
{
    return strstr(code, "NotFound") || strstr(code, "NoSuch") || strstr(code, "NonExistent") ||
           strstr(code, "DoesNotExist");
}

static int judge(const char *service, const char *action, const struct ck_resp *resp,
                 const struct ck_val *v, struct ck_err *err)
{
    if (resp->status / 100 == 2)
        return 0;
    const char *code = error_code(v);
    enum ck_code c = says_absent(code)                            ? CK_NOT_FOUND
                     : resp->status == 403                        ? CK_DENIED
                     : resp->status == 401                        ? CK_UNAUTHENTICATED
                     : strstr(code, "Unauthorized")               ? CK_DENIED
                     : resp->status >= 500 || resp->status == 429 ? CK_UNAVAILABLE
                                                                  : CK_INVALID;
    return ck_fail(err, c, "%s:%s: %d %s", service, action, resp->status, code);
}

static int send_request(struct ck_aws_read *w, const struct service *s, const char *action,
                        struct ck_req *req, bool json, struct ck_val **ret, struct ck_err *err)
{
    struct signer who = {w, s};
    CK_AUTORESP resp = {0};
    if (!s)
        return ck_fail(err, CK_INTERNAL, "%s: a service that is not in the table", action);
    int r = endpoint(w, s, req, err);
    if (r)
        return r;
    req->retry = CK_RETRY_SAFE;
    req->max_reply = REPLY_MAX;
    req->sign = sign;
    req->sign_arg = &who;
    ck_append_str(w->a, w->log, ck_arena_printf(w->a, "%s:%s", s->name, action));
    r = ck_http_do(w->http, req, &resp, err);
    if (r)
        return ck_wrap(err, "%s:%s", s->name, action);
    r = json ? ck_json_parse(w->a, ck_buf_slice(&resp.body), REPLY_MAX, ret, NULL)
             : ck_xml_parse(w->a, ck_buf_slice(&resp.body), REPLY_MAX, ret, NULL);
    int judged = judge(s->name, action, &resp, r ? NULL : *ret, err);
    if (judged)
        return judged;
    return r ? ck_fail(err, CK_UNAVAILABLE, "%s:%s: the reply cannot be read", s->name, action) : 0;
}

/* ---- the query protocol ---- */

static void form_add(struct ck_buf *b, const char *name, const char *value)
{
    ck_buf_fmt(b, "%s%s=", b->len ? "&" : "", name);
    ck_pct_encode(b, ck_slice_of(value), CK_PCT_UNRESERVED);
}

/* EC2 answers <ActionResponse>, the others <ActionResponse><ActionResult>. */
static const struct ck_val *result_of(struct ck_aws_read *w, const struct ck_val *reply,
                                      const char *action)
{
    const struct ck_val *outer = ck_get(reply, ck_arena_printf(w->a, "%sResponse", action));
    const struct ck_val *inner = ck_get(outer, ck_arena_printf(w->a, "%sResult", action));
    return inner ? inner : outer;
}

/* Lists of a further page join those of the first: "item" and "member" below equal names. */
static void join(struct ck_aws_read *w, struct ck_val *first, const struct ck_val *page)
{
    static const char *const words[] = {"item", "member"};
    for (size_t i = 0; i < ck_len(page); i++) {
        const struct ck_pair *p = &page->map.v[i];
        struct ck_val *mine = ck_getn(first, p->key);
        if (!ck_is_map(p->val))
            continue;
        if (!ck_is_map(mine)) {
            ck_setn(w->a, first, p->key, p->val);
            continue;
        }
        for (size_t k = 0; k < 2; k++) {
            const struct ck_val *more = ck_xml_list(w->a, p->val, words[k]);
            if (!ck_len(more))
                continue;
            struct ck_val *all = ck_val_clone(w->a, ck_xml_list(w->a, mine, words[k]));
            for (size_t n = 0; n < ck_len(more); n++)
                ck_append(w->a, all, ck_item(more, n));
            ck_set(w->a, mine, words[k], all);
        }
    }
}

static int one_page(struct ck_aws_read *w, const struct service *s, const char *action,
                    const char *const *params, const char *token, const struct ck_val **ret,
                    struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf body = CK_BUF_INIT;
    struct ck_val *reply = NULL;
    struct ck_req req = {.method = "POST", .path = "/"};
    form_add(&body, "Action", action);
    form_add(&body, "Version", s->version);
    for (size_t i = 0; params && params[i] && params[i + 1]; i += 2)
        form_add(&body, params[i], params[i + 1]);
    if (token)
        form_add(&body, s->token_in, token);
    req.body = ck_buf_slice(&body);
    ck_nvs_add(w->a, &req.headers, "content-type", "application/x-www-form-urlencoded");
    int r = send_request(w, s, action, &req, false, &reply, err);
    if (r)
        return r;
    *ret = result_of(w, reply, action);
    return *ret ? 0 : ck_fail(err, CK_UNAVAILABLE, "%s:%s: an unknown reply", s->name, action);
}

static const char *cache_key(struct ck_aws_read *w, const char *service, const char *action,
                             const char *const *params)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    ck_buf_fmt(&b, "%s:%s", service, action);
    for (size_t i = 0; params && params[i]; i++)
        ck_buf_fmt(&b, "\n%s", params[i]);
    return ck_arena_strdup(w->a, ck_buf_str(&b));
}

int ck_aws_query(struct ck_aws_read *w, const char *service, const char *action,
                 const char *const *params, const struct ck_val **ret, struct ck_err *err)
{
    const struct service *s = service_of(service);
    if (!s || !s->version || !is_read(action))
        return ck_fail(err, CK_INTERNAL, "%s:%s is not a reading call", service, action);
    const char *key = cache_key(w, service, action, params);
    *ret = ck_map_get(&w->replies, key);
    if (*ret)
        return 0;
    const struct ck_val *page;
    int r = one_page(w, s, action, params, NULL, &page, err);
    if (r)
        return r;
    struct ck_val *all = ck_val_clone(w->a, page);
    const char *token = ck_str_at(page, s->token_out);
    for (int n = 0; *token; n++) {
        if (n == MAX_PAGES)
            return ck_fail(err, CK_LIMIT, "%s:%s: more than %d pages", service, action, MAX_PAGES);
        r = one_page(w, s, action, params, token, &page, err);
        if (r)
            return r;
        join(w, all, page);
        token = ck_str_at(page, s->token_out);
    }
    ck_map_put(&w->replies, key, all);
    *ret = all;
    return 0;
}

/* ---- the others ---- */

int ck_aws_route53(struct ck_aws_read *w, const char *path, const struct ck_val **ret,
                   struct ck_err *err)
{
    struct ck_req req = {.method = "GET"};
    struct ck_val *reply = NULL;
    const char *q = strchr(path, '?');
    *ret = ck_map_get(&w->replies, path);
    if (*ret)
        return 0;
    req.path = q ? ck_arena_strndup(w->a, path, (size_t)(q - path)) : path;
    req.raw_query = q ? q + 1 : NULL;
    int r = send_request(w, service_of("route53"), "List", &req, false, &reply, err);
    if (r)
        return r;
    *ret = ck_len(reply) ? reply->map.v[0].val : reply;
    ck_map_put(&w->replies, path, (void *)(uintptr_t)*ret);
    return 0;
}

int ck_aws_json(struct ck_aws_read *w, const char *service, const char *action, const char *body,
                const struct ck_val **ret, struct ck_err *err)
{
    struct ck_req req = {.method = "POST", .path = "/", .body = ck_slice_of(body)};
    struct ck_val *reply = NULL;
    const char *key = cache_key(w, service, action, (const char *const[]){body, NULL});
    if (!is_read(action))
        return ck_fail(err, CK_INTERNAL, "%s:%s is not a reading call", service, action);
    *ret = ck_map_get(&w->replies, key);
    if (*ret)
        return 0;
    ck_nvs_add(w->a, &req.headers, "content-type", "application/x-amz-json-1.1");
    ck_nvs_addf(w->a, &req.headers, "x-amz-target", "AWSEvents.%s", action);
    int r = send_request(w, service_of(service), action, &req, true, &reply, err);
    if (!r) {
        ck_map_put(&w->replies, key, reply);
        *ret = reply;
    }
    return r;
}

/* ---- items and tags ---- */

const struct ck_val *ck_aws_items(const struct ck_aws_read *w, const struct ck_val *parent,
                                  const char *set)
{
    const struct ck_val *v = ck_get(parent, set);
    const struct ck_val *items = ck_xml_list(w->a, v, "item");
    return ck_len(items) ? items : ck_xml_list(w->a, v, "member");
}

struct ck_val *ck_aws_tag_map(const struct ck_aws_read *w, const struct ck_val *tag_set)
{
    static const char *const words[] = {"item", "member", "Tag"};
    struct ck_val *map = ck_map(w->a);
    for (size_t k = 0; k < 3; k++) {
        const struct ck_val *items =
            ck_is_list(tag_set) ? tag_set : ck_xml_list(w->a, tag_set, words[k]);
        for (size_t i = 0; i < ck_len(items); i++) {
            const struct ck_val *t = ck_item(items, i);
            const char *key = ck_str_at(t, "key");
            if (*key)
                ck_set_str(w->a, map, key, ck_str_at(t, "value"));
            else
                ck_set_str(w->a, map, ck_str_at(t, "Key"), ck_str_at(t, "Value"));
        }
    }
    return map;
}
