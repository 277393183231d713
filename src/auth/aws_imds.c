/* Credentials of the machine's role: EC2 instance metadata, version 2; version 1 only when
 * AWS_EC2_METADATA_V1_DISABLED=false asks for it. */
#include "auth/aws.h"

#include "base/clock.h"

#include <string.h>
#include <strings.h>

enum { DIAL_MS = 250, CALL_MS = 1000, LONGEST_S = 3600, REPLY_MAX = 64 * 1024 };

static int base_url(struct ck_aws *w, struct ck_req *req, struct ck_err *err)
{
    const struct ck_env *e = w->cfg.env;
    const char *url = ck_env_nonempty(e, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *mode = ck_env_nonempty(e, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    if (!url)
        url = mode && strcasecmp(mode, "IPv6") == 0 ? "http://[fd00:ec2::254]"
                                                    : "http://169.254.169.254";
    int r = ck_url_parse(w->arena, url, req, err);
    if (r < 0)
        return ck_wrap(err, "instance metadata: AWS_EC2_METADATA_SERVICE_ENDPOINT");
    req->no_proxy = true;
    req->connect_ms = DIAL_MS;
    req->timeout_ms = CALL_MS;
    req->attempts = 1;
    req->max_reply = REPLY_MAX;
    return 0;
}

/* One GET or PUT below /latest. */
static int fetch(struct ck_aws *w, const char *method, const char *path, const char *header,
                 const char *value, struct ck_resp *ret, struct ck_err *err)
{
    struct ck_req req = {0};
    int r = base_url(w, &req, err);
    if (r < 0)
        return r;
    req.method = method;
    req.path = path;
    req.headers = (struct ck_nvs){0};
    if (header)
        ck_nvs_add(w->arena, &req.headers, header, value);
    return ck_http_do(w->cfg.http, &req, ret, err);
}

/* The session token; "" when version 1 is to be used. */
static int session_token(struct ck_aws *w, const char **ret, struct ck_err *err)
{
    CK_AUTORESP resp = {0};
    int r = fetch(w, "PUT", "/latest/api/token", "x-aws-ec2-metadata-token-ttl-seconds", "300",
                  &resp, err);
    if (r < 0)
        return ck_aws_skip(w, "instance metadata", "%s", err ? ck_err_msg(err) : "not reachable");
    if (resp.status == 200) {
        struct ck_slice t = ck_slice_trim(ck_buf_slice(&resp.body));
        *ret = ck_arena_strndup(w->arena, t.ptr, t.len);
        return 0;
    }
    const char *off = ck_env_get(w->cfg.env, "AWS_EC2_METADATA_V1_DISABLED");
    if ((resp.status == 403 || resp.status == 404 || resp.status == 405) && off &&
        strcmp(off, "false") == 0) {
        *ret = "";
        return 0;
    }
    return ck_aws_skip(w, "instance metadata",
                       "the token request was answered with %d (version 1 is off; "
                       "AWS_EC2_METADATA_V1_DISABLED=false allows it)",
                       resp.status);
}

static int get(struct ck_aws *w, const char *path, const char *token, struct ck_resp *ret,
               struct ck_err *err)
{
    return fetch(w, "GET", path, *token ? "x-aws-ec2-metadata-token" : NULL, token, ret, err);
}

int ck_aws_from_imds(struct ck_aws *w, struct ck_cred *ret, struct ck_err *err)
{
    const char *off = ck_env_get(w->cfg.env, "AWS_EC2_METADATA_DISABLED");
    if (off && strcasecmp(off, "true") == 0)
        return ck_aws_skip(w, "instance metadata", "AWS_EC2_METADATA_DISABLED is true");
    static const char base[] = "/latest/meta-data/iam/security-credentials/";
    CK_AUTOERR local = CK_ERR_INIT;
    const char *token = "";
    int r = session_token(w, &token, &local);
    if (r < 0)
        return r;
    CK_AUTORESP list = {0};
    r = get(w, base, token, &list, &local);
    if (r < 0 || list.status != 200)
        return ck_aws_skip(w, "instance metadata", "this machine has no role");
    struct ck_slice text = ck_buf_slice(&list.body), role;
    if (!ck_slice_next(&text, '\n', &role) || !(role = ck_slice_trim(role)).len ||
        memchr(role.ptr, '/', role.len))
        return ck_aws_skip(w, "instance metadata", "this machine has no role");
    CK_AUTORESP doc = {0};
    r = get(w, ck_arena_printf(w->arena, "%s%.*s", base, CK_SARG(role)), token, &doc, &local);
    if (r < 0)
        return ck_fail(err, CK_UNAVAILABLE, "instance metadata: %s", ck_err_msg(&local));
    if (doc.status != 200)
        return ck_fail(err, CK_UNAUTHENTICATED, "instance metadata: role %.*s: %d", CK_SARG(role),
                       doc.status);
    r = ck_aws_cred_of_json(w, ck_buf_slice(&doc.body), "Token", "Expiration", "instance metadata",
                            ret, err);
    if (r == 0 && (!ret->expires_s || ret->expires_s > ck_now_s() + LONGEST_S))
        ret->expires_s = ck_now_s() + LONGEST_S;
    return r;
}
