/* Listings of OSS by version 2 of the call, and removal of trees in batches of 1,000. kOps'
 * listings lost pages and were empty at the root. */
#include "vfs/oss/oss.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/map.h"
#include "crypto/hash.h"
#include "doc/xml.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 1000, REPORTED = 5 };

void ck_oss_page(struct ck_arena *a, const struct ck_object_listing *l, struct ck_req *ret)
{
    bool versions = l->what == CK_OBJECT_VERSIONS;
    ck_oss_base(a, (struct ck_oss *)l->v, "GET", NULL, ret);
    if (l->token && !versions)
        ck_nvs_add(a, &ret->query, "continuation-token", l->token);
    if (l->what == CK_OBJECT_FILES || l->what == CK_OBJECT_DIRS)
        ck_nvs_add(a, &ret->query, "delimiter", "/");
    ck_nvs_add(a, &ret->query, "encoding-type", "url");
    if (l->token && versions) { /* "marker\nversion": see next_of */
        size_t n = strcspn(l->token, "\n");
        ck_nvs_add(a, &ret->query, "key-marker", ck_arena_strndup(a, l->token, n));
    }
    if (!versions)
        ck_nvs_add(a, &ret->query, "list-type", "2");
    ck_nvs_add(a, &ret->query, "max-keys", "1000");
    if (*l->prefix)
        ck_nvs_add(a, &ret->query, "prefix", l->prefix);
    if (l->token && versions && l->token[strcspn(l->token, "\n")])
        ck_nvs_add(a, &ret->query, "version-id-marker", strchr(l->token, '\n') + 1);
    if (versions)
        ck_nvs_add(a, &ret->query, "versions", NULL);
}

/* The text of an element of a page of encoding-type url; arena-owned. */
static const char *decoded(struct ck_arena *a, const struct ck_val *page, const char *text)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (strcmp(ck_str_at(page, "EncodingType"), "url") != 0)
        return text;
    char *plain = ck_arena_strdup(a, text);
    for (char *p = plain; *p; p++)
        if (*p == '+')
            *p = ' ';
    return ck_pct_decode(&b, ck_slice_of(plain)) ? ck_arena_strdup(a, ck_buf_str(&b)) : text;
}

static void take_object(struct ck_object_listing *l, struct ck_arena *tmp,
                        const struct ck_val *page, const struct ck_val *o)
{
    const char *key = decoded(tmp, page, ck_str_at(o, "Key"));
    const char *etag = ck_str_at(o, "ETag");
    int64_t mtime = 0;
    if (l->what == CK_OBJECT_VERSIONS) {
        ck_object_add_version(l, key, ck_str_at(o, "VersionId"));
        return;
    }
    CK_AUTOBUF struct ck_buf md5 = CK_BUF_INIT;
    bool has = strlen(etag) == 34 && strcmp(ck_str_at(o, "Type"), "Normal") == 0 &&
               ck_hex_decode(&md5, ck_slice_n(etag + 1, 32));
    ck_rfc3339_parse(ck_slice_of(ck_str_at(o, "LastModified")), &mtime);
    ck_object_add(l, key, strtoll(ck_str_at(o, "Size"), NULL, 10), mtime,
                  has ? (const unsigned char *)md5.ptr : NULL);
}

static void take_all(struct ck_object_listing *l, struct ck_arena *tmp, const struct ck_val *page,
                     const char *element)
{
    const struct ck_val *list = ck_xml_list(tmp, page, element);
    for (size_t i = 0; i < ck_len(list); i++)
        take_object(l, tmp, page, ck_item(list, i));
}

static int bad_page(const struct ck_object_listing *l, const char *why, struct ck_err *err)
{
    return ck_fail(err, CK_UNAVAILABLE, "error listing oss://%s/%s: %s", l->v->container, l->prefix,
                   why);
}

/* Where the next page begins; a page in the middle that does not say so must not end the listing.
 */
static int next_of(struct ck_object_listing *l, struct ck_arena *tmp, const struct ck_val *page,
                   bool versions, struct ck_err *err)
{
    if (strcmp(ck_str_at(page, "IsTruncated"), "true") != 0)
        return ck_object_next_page(l, "", err);
    const char *token = decoded(tmp, page, ck_str_at(page, "NextContinuationToken"));
    if (versions) {
        const char *id = ck_str_at(page, "NextVersionIdMarker");
        token = decoded(tmp, page, ck_str_at(page, "NextKeyMarker"));
        /* keys come sorted: past ours there is nothing left to find */
        if (strcmp(token, l->prefix) > 0)
            return ck_object_next_page(l, "", err);
        if (*token && *id)
            token = ck_arena_printf(tmp, "%s\n%s", token, id);
    }
    if (!*token)
        return bad_page(l, "truncated without a continuation token", err);
    return ck_object_next_page(l, token, err);
}

int ck_oss_take_page(struct ck_object_listing *l, const struct ck_resp *resp, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_val *root = NULL;
    CK_AUTOERR bad = CK_ERR_INIT;
    int r = ck_xml_parse(tmp, ck_buf_slice(&resp->body), CK_OBJECT_PAGE_MAX, &root, &bad);
    const struct ck_val *page = r < 0 ? NULL : ck_get(root, "ListBucketResult");
    /* servers without versions answer with the plain listing */
    const struct ck_val *versions = r < 0 ? NULL : ck_get(root, "ListVersionsResult");
    if (l->what == CK_OBJECT_VERSIONS && versions) {
        take_all(l, tmp, versions, "Version");
        take_all(l, tmp, versions, "DeleteMarker");
        return next_of(l, tmp, versions, true, err);
    }
    if (!page)
        return bad_page(l, "the reply is not a bucket listing", err);
    take_all(l, tmp, page, "Contents");
    const struct ck_val *dirs = ck_xml_list(tmp, page, "CommonPrefixes");
    for (size_t i = 0; i < ck_len(dirs); i++)
        ck_object_add_dir(l, decoded(tmp, page, ck_str_at(ck_item(dirs, i), "Prefix")));
    if (l->what == CK_OBJECT_VERSIONS) /* the key itself comes first */
        return ck_object_next_page(l, "", err);
    return next_of(l, tmp, page, false, err);
}

/* ---- trees ---- */

static void batch_request(struct ck_arena *a, struct ck_oss *s, const struct ck_entry *e, size_t n,
                          struct ck_buf *body, struct ck_req *req)
{
    unsigned char md5[CK_MD5_LEN];
    CK_AUTOBUF struct ck_buf b64 = CK_BUF_INIT;
    ck_buf_puts(body, "<Delete><Quiet>false</Quiet>");
    for (size_t i = 0; i < n; i++) {
        ck_buf_puts(body, "<Object><Key>");
        ck_xml_escape(body, ck_slice_of(e[i].key));
        ck_buf_puts(body, "</Key></Object>");
    }
    ck_buf_puts(body, "</Delete>");
    ck_oss_base(a, s, "POST", NULL, req);
    ck_nvs_add(a, &req->query, "delete", NULL);
    ck_nvs_add(a, &req->query, "encoding-type", "url");
    req->body = ck_buf_slice(body);
    ck_md5(req->body, md5);
    ck_base64_encode(&b64, md5, sizeof md5);
    ck_nvs_addf(a, &req->headers, "content-md5", "%s", ck_buf_str(&b64));
    ck_nvs_add(a, &req->headers, "content-type", "application/xml");
}

/* The reply names what was removed: what it does not name is still there. */
static int check_batch(struct ck_vfs *v, const struct ck_resp *resp, const struct ck_entry *e,
                       size_t n, struct ck_buf *problems, size_t *failed, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_val *root = NULL;
    CK_AUTOERR bad = CK_ERR_INIT;
    int r = ck_xml_parse(tmp, ck_buf_slice(&resp->body), CK_OBJECT_PAGE_MAX, &root, &bad);
    const struct ck_val *result = r < 0 ? NULL : ck_get(root, "DeleteResult");
    if (!result)
        return ck_fail(err, CK_UNAVAILABLE,
                       "error deleting from oss://%s: the reply is not a deletion result",
                       v->container);
    struct ck_map gone = {0};
    const struct ck_val *list = ck_xml_list(tmp, result, "Deleted");
    for (size_t i = 0; i < ck_len(list); i++)
        ck_map_put(&gone, decoded(tmp, result, ck_str_at(ck_item(list, i), "Key")), tmp);
    for (size_t i = 0; i < n; i++)
        if (!ck_map_get(&gone, e[i].key) && (*failed)++ < REPORTED)
            ck_buf_fmt(problems, "; %s", e[i].key);
    ck_map_done(&gone);
    return 0;
}

static int remove_batch(struct ck_vfs *v, const struct ck_entry *e, size_t n,
                        struct ck_buf *problems, size_t *failed, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf body = CK_BUF_INIT;
    struct ck_req req;
    batch_request(a, (struct ck_oss *)v, e, n, &body, &req);
    CK_AUTORESP resp = {0};
    int r = ck_http_do(ck_object_http(v), &req, &resp, err);
    if (r < 0) {
        CK_AUTOBUF struct ck_buf where = CK_BUF_INIT;
        ck_object_where(v, CK_OBJECT_REMOVE, e[0].key, &where);
        return ck_wrap(err, "%s", ck_buf_str(&where));
    }
    if (resp.status != 200)
        return ck_oss_fail(v, CK_OBJECT_REMOVE, e[0].key, &resp, err);
    return check_batch(v, &resp, e, n, problems, failed, err);
}

int ck_oss_remove_tree(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf problems = CK_BUF_INIT;
    struct ck_entries tree = {0};
    size_t failed = 0;
    int r = ck_pages_tree(v, key, a, &tree, err);
    for (size_t at = 0; r == 0 && at < tree.n; at += BATCH)
        r = remove_batch(v, tree.v + at, tree.n - at < BATCH ? tree.n - at : BATCH, &problems,
                         &failed, err);
    if (r == 0 && failed)
        r = ck_fail(err, CK_DENIED, "error removing %zu of %zu files from oss://%s: not removed%s",
                    failed, tree.n, v->container, ck_buf_str(&problems));
    return r;
}
