/* The metadata server of Compute Engine, GKE and Cloud Run. kOps' library races a probe with a name
 * look-up; here the request itself is the probe, with a short deadline. */
#include "auth/gcp/adc.h"

#include "doc/json.h"

#include <string.h>

enum { DIAL_MS = 500, CALL_MS = 1500 };

static bool is_google(const struct ck_resp *resp)
{
    const char *flavor = ck_nvs_get(&resp->headers, "metadata-flavor");
    return flavor && strcmp(flavor, "Google") == 0;
}

int ck_gcp_metadata(struct ck_gcp *g, struct ck_arena *a, const char *scope, struct ck_token *ret,
                    struct ck_err *err)
{
    const char *host = ck_env_nonempty(g->cfg.env, "GCE_METADATA_HOST");
    const char *off = ck_env_nonempty(g->cfg.env, "NO_GCE_CHECK");
    if (!host && off && strcmp(off, "true") == 0)
        return ck_fail(err, CK_NOT_FOUND, "NO_GCE_CHECK is true");
    struct ck_req req = {.max_reply = CK_TOKEN_REPLY_MAX,
                         .no_proxy = true,
                         .connect_ms = DIAL_MS,
                         .timeout_ms = CALL_MS,
                         .attempts = host ? 3 : 1,
                         .retry = CK_RETRY_SAFE};
    int r = ck_url_parse(
        a,
        ck_arena_printf(a, "http://%s/computeMetadata/v1/instance/service-accounts/default/token",
                        host ? host : "169.254.169.254"),
        &req, err);
    if (r < 0)
        return ck_fail(err, CK_UNAUTHENTICATED, "GCE_METADATA_HOST is not a host");
    ck_nvs_add(a, &req.query, "scopes", scope);
    ck_nvs_add(a, &req.headers, "metadata-flavor", "Google");
    CK_AUTORESP resp = {0};
    CK_AUTOERR why = CK_ERR_INIT;
    r = ck_http_do(g->cfg.http, &req, &resp, &why);
    if (r < 0 && !host)
        return ck_fail(err, CK_NOT_FOUND, "this machine has none (%s)", ck_err_msg(&why));
    if (r < 0)
        return err ? ck_err_move(err, &why) : r;
    if (!host && !is_google(&resp))
        return ck_fail(err, CK_NOT_FOUND, "what answers at %s is not Google's", req.host);
    if (resp.status == 404)
        return ck_fail(err, CK_UNAUTHENTICATED, "this machine has no service account");
    if (resp.status != 200)
        return ck_fail(err, resp.status < 500 ? CK_UNAUTHENTICATED : CK_UNAVAILABLE,
                       "%s answered %d", req.host, resp.status);
    struct ck_val *reply = NULL;
    CK_AUTOERR bad = CK_ERR_INIT;
    if (ck_json_parse(a, ck_buf_slice(&resp.body), CK_TOKEN_REPLY_MAX, &reply, &bad) < 0)
        return ck_fail(err, CK_UNAUTHENTICATED, "%s did not answer with JSON", req.host);
    return ck_token_take(reply, "metadata server", ret, err);
}
