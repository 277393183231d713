/* In which region a bucket lies, and its HTTPS address. Mirrors kOps' util/pkg/vfs/s3fs.go
 * (GetHTTPsUrl). */
#include "vfs/s3/locate.h"

#include "vfs/s3/s3.h"

#include <string.h>

bool ck_s3_is_dns_label(const char *b)
{
    size_t n = strlen(b);
    if (n < 3 || n > 63 || b[0] == '-' || b[n - 1] == '-')
        return false;
    for (; *b; b++)
        if (!((*b >= 'a' && *b <= 'z') || (*b >= '0' && *b <= '9') || *b == '-'))
            return false;
    return true;
}

/* "/" and the key, without slashes at the end. */
static const char *path_of(struct ck_arena *a, const char *key)
{
    size_t n = strlen(key);
    while (n && key[n - 1] == '/')
        n--;
    return n ? ck_arena_printf(a, "/%.*s", (int)n, key) : "";
}

const char *ck_s3_https_url(struct ck_arena *a, const char *bucket, const char *key,
                            const char *region, bool dualstack)
{
    const char *suffix = ck_str_starts(region, "cn-") ? "amazonaws.com.cn" : "amazonaws.com";
    const char *host =
        ck_arena_printf(a, "s3%s.%s.%s", dualstack ? ".dualstack" : "", region, suffix);
    if (ck_s3_is_dns_label(bucket))
        return ck_arena_printf(a, "https://%s.%s%s", bucket, host, path_of(a, key));
    return ck_arena_printf(a, "https://%s/%s%s", host, bucket, path_of(a, key));
}

/* A refusal comes from the bucket's region, too; redirects to it have been followed. */
static int learn_region(struct ck_s3 *s, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_CLEANUP(ck_resp_done) struct ck_resp resp = {0};
    struct ck_req req;
    ck_s3_request(a, s, "HEAD", NULL, &req);
    int r = ck_s3_send(s, &req, &resp, err);
    if (r < 0)
        return ck_s3_wrap(s, "locating", "s3:ListBucket", NULL, err);
    if (resp.status != 200 && resp.status != 403)
        return ck_s3_fail(s, &resp, "locating", "s3:ListBucket", NULL, err);
    s->located = true;
    return 0;
}

int ck_s3_locate(struct ck_vfs *v, const char *key, bool dualstack, struct ck_arena *a,
                 struct ck_vfs_place *ret, struct ck_err *err)
{
    struct ck_s3 *s = (struct ck_s3 *)v;
    int r = ck_s3_prepare(s, err);
    bool aws = !s->custom && !s->endpoint_given;
    if (!r && !s->custom && !s->located)
        r = learn_region(s, err);
    if (r)
        return r;
    ret->region = s->region;
    if (aws) {
        ret->url = ck_s3_https_url(a, s->base.container, key, s->region, dualstack);
        return 0;
    }
    const char *port = s->port ? ck_arena_printf(a, ":%d", s->port) : "";
    ret->url = ck_arena_printf(a, "%s://%s%s%s/%s%s", s->url_scheme, s->host, port, s->base_path,
                               s->base.container, path_of(a, key));
    return 0;
}
