/* Swift listings: JSON pages by marker, by prefix and, for one level, by delimiter. A listing ends
 * at an empty page, never at a short one: servers may give fewer names than were asked for. */
#include "vfs/swift/swift.h"

#include "base/clock.h"
#include "base/enc.h"
#include "crypto/hash.h"
#include "doc/json.h"

#include <string.h>

enum { PAGE_MAX = 64 << 20 };

static void page_request(struct ck_arena *a, const struct ck_object_listing *l, struct ck_req *r)
{
    ck_swift_request(a, (struct ck_swift *)l->v, "GET", l->v->container, NULL, r);
    r->max_reply = PAGE_MAX;
    ck_nvs_add(a, &r->headers, "accept", "application/json");
    ck_nvs_add(a, &r->query, "format", "json");
    if (*l->prefix)
        ck_nvs_add(a, &r->query, "prefix", l->prefix);
    if (l->what != CK_OBJECT_TREE)
        ck_nvs_add(a, &r->query, "delimiter", "/");
    if (l->token)
        ck_nvs_add(a, &r->query, "marker", l->token);
}

/* The hash of a large object is that of its list of segments. */
static bool md5_of(const struct ck_val *row, struct ck_buf *out)
{
    struct ck_slice hash = ck_slice_of(ck_str_at(row, "hash"));
    return hash.len == 2 * CK_MD5_LEN && !ck_get(row, "slo_etag") && ck_hex_decode(out, hash);
}

/* "2026-11-21T10:18:52.967180", in UTC without saying so. */
static int64_t time_of(const struct ck_val *row)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    const char *text = ck_str_at(row, "last_modified");
    int64_t t = 0;
    ck_buf_fmt(&b, "%.40s%s", text, ck_str_ends(text, "Z") ? "" : "Z");
    ck_rfc3339_parse(ck_buf_slice(&b), &t);
    return t;
}

static void add_object(struct ck_object_listing *l, const struct ck_val *row, const char *name)
{
    CK_AUTOBUF struct ck_buf md5 = CK_BUF_INIT;
    bool has = md5_of(row, &md5);
    ck_object_add(l, name, ck_int_at(row, "bytes", -1), time_of(row),
                  has ? (const unsigned char *)md5.ptr : NULL);
}

static int take_page(struct ck_object_listing *l, const struct ck_resp *resp, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_val *rows = NULL;
    if (ck_json_parse(tmp, ck_buf_slice(&resp->body), PAGE_MAX, &rows, NULL) < 0 ||
        !ck_is_list(rows))
        return ck_object_bad_page(l, "the reply is not a container listing", err);
    ((struct ck_swift *)l->v)->container_seen = true;
    const char *last = "";
    for (size_t i = 0; i < ck_len(rows); i++) {
        const struct ck_val *row = ck_item(rows, i);
        const char *subdir = ck_str_or(ck_get(row, "subdir"), NULL);
        last = subdir ? subdir : ck_str_at(row, "name");
        if (!*last)
            return ck_object_bad_page(l, "a row of the listing has no name", err);
        if (subdir)
            ck_object_add_dir(l, subdir);
        else
            add_object(l, row, last);
    }
    return ck_object_next_page(l, last, err);
}

static int fetch(struct ck_object_listing *l, struct ck_req *req, struct ck_resp *ret,
                 struct ck_err *err)
{
    struct ck_swift *s = (struct ck_swift *)l->v;
    int r = ck_swift_send(s, req, ret, err);
    if (r < 0)
        return ck_swift_wrap(s, "listing", l->prefix, err);
    if (ret->status == 404) { /* a listing's 404 is the container's */
        s->container_seen = false;
        r = ck_swift_check_container(s, "listing", l->prefix, err);
        return r < 0 || s->create_container
                   ? r
                   : ck_object_bad_page(l, "404, although the container is there", err);
    }
    if (ret->status != 200 && ret->status != 204)
        return ck_swift_fail(s, ret, "listing", l->prefix, err);
    s->container_seen = true;
    return 0;
}

static int prepare(struct ck_vfs *v, struct ck_err *err)
{
    return ck_swift_prepare((struct ck_swift *)v, err);
}

static struct ck_http *http(struct ck_vfs *v)
{
    return ck_swift_http((struct ck_swift *)v);
}

const struct ck_pages_ops ck_swift_pages = {
    .prepare = prepare,
    .http = http,
    .page = page_request,
    .fetch = fetch,
    .take_page = take_page,
};
