/* Locations that need not be stores: http(s):// and instance metadata, read only. Unlike kOps:
 * a deadline, no proxy for link-local hosts, no retry of 404. Mirrors VFSContext.ReadFile. */
#include "base/enc.h"
#include "net/http.h"
#include "vfs/scheme.h"

#include <string.h>

enum { TIMEOUT_MS = 30000, CONNECT_MS = 5000, TRIES = 5, MAX_BYTES = 64 << 20, SHOWN = 300 };

static int get(struct ck_vfs_ctx *ctx, struct ck_arena *a, const char *url, const char *shown,
               const char *header, const char *value, bool metadata, struct ck_buf *out,
               struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(shown));
    struct ck_req req = {0};
    int r = ck_url_parse(a, url, &req, err);
    if (r < 0)
        return ck_fail(err, CK_INVALID, "error parsing location %s - not a valid URI",
                       ck_buf_str(&q));
    req.method = "GET";
    req.retry = CK_RETRY_SAFE;
    req.attempts = TRIES;
    req.timeout_ms = ctx->timeout_ms ? ctx->timeout_ms : TIMEOUT_MS;
    req.connect_ms = CONNECT_MS;
    req.max_reply = ctx->max_object ? ctx->max_object : MAX_BYTES;
    req.follow = !metadata;
    req.no_proxy = metadata;
    req.ca_file = ck_env_nonempty(ctx->env, "CKOPS_STORE_CA_BUNDLE");
    req.tls = &ck_vfs_tls;
    if (header)
        ck_nvs_add(a, &req.headers, header, value);
    if (!ctx->http)
        ctx->http = ck_http_new(ctx->env, NULL, NULL);
    CK_AUTORESP resp = {0};
    r = ck_http_do(ctx->http, &req, &resp, err);
    if (r < 0)
        return ck_wrap(err, "error fetching %s", ck_buf_str(&q));
    if (resp.status == 404)
        return ck_fail(err, CK_NOT_FOUND, "file does not exist");
    if (resp.status != 200)
        return ck_fail(err, resp.status >= 500 ? CK_UNAVAILABLE : CK_INVALID,
                       "unexpected response code \"%d\" for %s: %.*s", resp.status, ck_buf_str(&q),
                       (int)(resp.body.len < SHOWN ? resp.body.len : SHOWN),
                       ck_buf_str(&resp.body));
    ck_buf_put(out, ck_buf_slice(&resp.body));
    return 0;
}

/* EC2: version 2 only, so a session token comes first. */
static int aws_metadata(struct ck_vfs_ctx *ctx, struct ck_arena *a, const char *base,
                        const char *path, const char *shown, struct ck_buf *out, struct ck_err *err)
{
    if (!ck_str_starts(path, "meta-data/")) {
        CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
        ck_goquote(&q, ck_slice_of(path));
        return ck_fail(err, CK_INVALID, "unhandled aws metadata path %s", ck_buf_str(&q));
    }
    struct ck_req req = {0};
    int r = ck_url_parse(a, ck_arena_printf(a, "%s/latest/api/token", base), &req, err);
    if (r < 0)
        return r;
    req.method = "PUT";
    req.no_proxy = true;
    req.timeout_ms = CONNECT_MS;
    req.connect_ms = 1000;
    req.attempts = 1;
    ck_nvs_add(a, &req.headers, "x-aws-ec2-metadata-token-ttl-seconds", "300");
    if (!ctx->http)
        ctx->http = ck_http_new(ctx->env, NULL, NULL);
    CK_AUTORESP token = {0};
    r = ck_http_do(ctx->http, &req, &token, err);
    if (r < 0)
        return ck_wrap(err, "error reading from AWS metadata service");
    if (token.status != 200)
        return ck_fail(err, CK_DENIED, "error reading from AWS metadata service: token: %d",
                       token.status);
    r = get(ctx, a, ck_arena_printf(a, "%s/latest/%s", base, path), shown,
            "x-aws-ec2-metadata-token", ck_buf_str(&token.body), true, out, err);
    return r < 0 ? ck_wrap(err, "error reading from AWS metadata service") : 0;
}

static int metadata(struct ck_vfs_ctx *ctx, struct ck_arena *a, const char *location,
                    struct ck_buf *out, struct ck_err *err)
{
    static const char link_local[] = "http://169.254.169.254";
    const char *rest = location + strlen("metadata://");
    const char *slash = strchr(rest, '/');
    const char *kind = slash ? ck_arena_strndup(a, rest, (size_t)(slash - rest)) : rest;
    const char *path = slash ? slash + 1 : "";
    const char *ec2 = ck_env_nonempty(ctx->env, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *gce = ck_env_nonempty(ctx->env, "GCE_METADATA_HOST");
    if (strcmp(kind, "aws") == 0)
        return aws_metadata(ctx, a, ec2 ? ec2 : link_local, path, location, out, err);
    if (strcmp(kind, "gce") == 0)
        return get(ctx, a,
                   ck_arena_printf(a, "%s%s/computeMetadata/v1/%s", gce ? "http://" : "",
                                   gce ? gce : link_local, path),
                   location, "metadata-flavor", "Google", true, out, err);
    if (strcmp(kind, "digitalocean") == 0)
        return get(ctx, a, ck_arena_printf(a, "%s/metadata/v1/%s", link_local, path), location,
                   NULL, NULL, true, out, err);
    if (strcmp(kind, "openstack") == 0)
        return get(ctx, a, ck_arena_printf(a, "%s/latest/meta-data/%s", link_local, path), location,
                   NULL, NULL, true, out, err);
    CK_AUTOBUF struct ck_buf q = CK_BUF_INIT;
    ck_goquote(&q, ck_slice_of(kind));
    ck_buf_puts(&q, " in ");
    ck_goquote(&q, ck_slice_of(location));
    return ck_fail(err, CK_INVALID, "unknown metadata type: %s", ck_buf_str(&q));
}

int ck_vfs_read_location(struct ck_vfs_ctx *ctx, const char *location, struct ck_buf *out,
                         struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    int r = ck_vfs_check_location(location, err);
    if (r < 0)
        return r;
    if (ck_str_starts(location, "metadata://"))
        return metadata(ctx, a, location, out, err);
    if (ck_str_starts(location, "http://") || ck_str_starts(location, "https://"))
        return get(ctx, a, location, location, NULL, NULL, false, out, err);
    struct ck_path p;
    r = ck_vfs_parse(ctx, location, &p, err);
    return r < 0 ? r : ck_vfs_read(&p, out, NULL, err);
}
