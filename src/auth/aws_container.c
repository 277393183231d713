/* Container credentials: ECS tasks and EKS pod identity. */
#include "auth/aws.h"

#include "base/file.h"

#include <string.h>

enum { TOKEN_MAX = 16 * 1024 };

/* Plain http only to the hosts that agents listen on. */
static bool http_allowed(const char *host)
{
    static const char *const fixed[] = {"169.254.170.2", "169.254.170.23", "fd00:ec2::23"};
    for (size_t i = 0; i < CK_ARRAY_LEN(fixed); i++)
        if (strcmp(host, fixed[i]) == 0)
            return true;
    return ck_host_is_loopback(host);
}

static int add_authorization(struct ck_aws *w, struct ck_req *req, struct ck_err *err)
{
    const struct ck_env *e = w->cfg.env;
    const char *file = ck_env_nonempty(e, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = ck_env_nonempty(e, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    CK_CLEANUP(ck_buf_wipe) struct ck_buf text = CK_BUF_INIT;
    if (file) {
        if (ck_file_read(file, TOKEN_MAX, &text, err) < 0) {
            ck_wrap(err, "container: AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
            if (err)
                err->code = CK_UNAUTHENTICATED;
            return -(int)CK_UNAUTHENTICATED;
        }
        token = ck_arena_strdup(w->arena, ck_buf_str(&text));
    }
    if (!token)
        return 0;
    if (strpbrk(token, "\r\n"))
        return ck_fail(err, CK_UNAUTHENTICATED,
                       "container: the authorization token holds a line break");
    ck_nvs_add(w->arena, &req->headers, "authorization", token);
    return 0;
}

int ck_aws_from_container(struct ck_aws *w, struct ck_cred *ret, struct ck_err *err)
{
    const struct ck_env *e = w->cfg.env;
    const char *relative = ck_env_nonempty(e, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = ck_env_nonempty(e, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (!relative && !full)
        return ck_aws_skip(w, "container",
                           "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set");
    const char *url =
        relative ? ck_arena_printf(w->arena, "http://169.254.170.2%s", relative) : full;
    struct ck_req req = {.method = "GET",
                         .retry = CK_RETRY_SAFE,
                         .no_proxy = true,
                         .timeout_ms = 10000,
                         .connect_ms = 1000,
                         .max_reply = 64 * 1024};
    int r = ck_url_parse(w->arena, url, &req, err);
    if (r < 0)
        return ck_wrap(err, "container: AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (strcmp(req.scheme, "https") != 0 && !http_allowed(req.host))
        return ck_fail(
            err, CK_UNAUTHENTICATED,
            "container: AWS_CONTAINER_CREDENTIALS_FULL_URI: plain http to %s is not allowed",
            req.host);
    r = add_authorization(w, &req, err);
    if (r < 0)
        return r;
    CK_AUTORESP resp = {0};
    r = ck_http_do(w->cfg.http, &req, &resp, err);
    if (r < 0)
        return ck_wrap(err, "container");
    if (resp.status != 200)
        return ck_fail(err, CK_UNAUTHENTICATED, "container: %s answered %d", req.host, resp.status);
    return ck_aws_cred_of_json(w, ck_buf_slice(&resp.body), "Token", "Expiration", "container", ret,
                               err);
}
