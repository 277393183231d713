/* Deleting many S3 objects: batches of 1,000 with every per-key error reported, and all versions of
 * one key. kOps ignores the per-key errors of a 200 reply; here they fail the operation. */
#include "vfs/s3/s3.h"

#include "base/enc.h"
#include "crypto/hash.h"
#include "doc/xml.h"

#include <string.h>

enum { BATCH = 1000, REPLY_MAX = 4 << 20, MAX_PAGES = 10000, REPORTED = 5 };

struct victim {
    const char *key, *version; /* version NULL: the current object */
};

struct victims {
    struct victim *v;
    size_t n, cap;
};

static void add_victim(struct ck_arena *a, struct victims *l, const char *key, const char *version)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 64;
        struct victim *v = ck_arena_alloc(a, cap * sizeof *v);
        if (l->n)
            memcpy(v, l->v, l->n * sizeof *v);
        l->v = v;
        l->cap = cap;
    }
    l->v[l->n++] = (struct victim){key, version};
}

static void batch_body(struct ck_buf *out, const struct victim *v, size_t n)
{
    ck_buf_puts(out, "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (size_t i = 0; i < n; i++) {
        ck_buf_puts(out, "<Object><Key>");
        ck_xml_escape(out, ck_slice_of(v[i].key));
        ck_buf_puts(out, "</Key>");
        if (v[i].version) {
            ck_buf_puts(out, "<VersionId>");
            ck_xml_escape(out, ck_slice_of(v[i].version));
            ck_buf_puts(out, "</VersionId>");
        }
        ck_buf_puts(out, "</Object>");
    }
    ck_buf_puts(out, "</Delete>");
}

/* Collect what a 200 reply says went wrong; versions that are gone already are fine. */
static int check_reply(const struct ck_resp *resp, struct ck_buf *problems, size_t *count,
                       struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_val *root = NULL;
    int r = ck_xml_parse(tmp, ck_buf_slice(&resp->body), REPLY_MAX, &root, err);
    if (r < 0)
        return ck_wrap(err, "error deleting: the server's reply");
    const struct ck_val *result = ck_get(root, "DeleteResult");
    if (!result)
        return ck_fail(err, CK_UNAVAILABLE, "error deleting: the reply is not a deletion result");
    const struct ck_val *errors = ck_xml_list(tmp, result, "Error");
    for (size_t i = 0; i < ck_len(errors); i++) {
        const struct ck_val *e = ck_item(errors, i);
        const char *code = ck_str_at(e, "Code");
        if (strcmp(code, "NoSuchVersion") == 0 || strcmp(code, "NoSuchKey") == 0)
            continue;
        if ((*count)++ < REPORTED)
            ck_buf_fmt(problems, "; %s: %s: %.200s", ck_str_at(e, "Key"), code,
                       ck_str_at(e, "Message"));
    }
    return 0;
}

static const char *action_of(const struct victim *v)
{
    return v->version ? CK_S3_ACTION(DELETE_VERSION) : CK_S3_ACTION(DELETE_OBJECT);
}

static int delete_batch(struct ck_s3 *s, const struct victim *v, size_t n, struct ck_buf *problems,
                        size_t *count, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    CK_AUTOBUF struct ck_buf body = CK_BUF_INIT;
    batch_body(&body, v, n);
    struct ck_req req;
    ck_s3_request(tmp, s, "POST", NULL, &req);
    req.max_reply = REPLY_MAX;
    req.body = ck_buf_slice(&body);
    ck_nvs_add(tmp, &req.query, "delete", NULL);
    ck_nvs_add(tmp, &req.headers, "content-type", "application/xml");
    unsigned char md5[CK_MD5_LEN];
    ck_md5(req.body, md5);
    CK_AUTOBUF struct ck_buf b64 = CK_BUF_INIT;
    ck_base64_encode(&b64, md5, sizeof md5);
    ck_nvs_add(tmp, &req.headers, "content-md5", ck_buf_str(&b64));
    CK_AUTORESP resp = {0};
    int r = ck_s3_send(s, &req, &resp, err);
    if (r < 0)
        return ck_s3_wrap(s, "deleting", action_of(v), v[0].key, err);
    if (resp.status != 200)
        return ck_s3_fail(s, &resp, "deleting", action_of(v), v[0].key, err);
    return check_reply(&resp, problems, count, err);
}

static int delete_all(struct ck_s3 *s, const struct victims *l, struct ck_err *err)
{
    CK_AUTOBUF struct ck_buf problems = CK_BUF_INIT;
    size_t count = 0;
    for (size_t at = 0; at < l->n; at += BATCH) {
        size_t n = l->n - at < BATCH ? l->n - at : BATCH;
        int r = delete_batch(s, l->v + at, n, &problems, &count, err);
        if (r < 0)
            return r;
    }
    if (count)
        return ck_fail(err, CK_DENIED, "error removing %zu of %zu files from %s://%s: %s%s", count,
                       l->n, s->env_scheme, s->base.container, action_of(l->v),
                       ck_buf_str(&problems));
    return 0;
}

int ck_s3_remove_tree(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    struct ck_s3 *s = (struct ck_s3 *)v;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_entries tree = {0};
    int r = ck_pages_tree(v, key, a, &tree, err);
    if (r < 0)
        return r;
    struct victims l = {0};
    for (size_t i = 0; i < tree.n; i++)
        add_victim(a, &l, tree.v[i].key, NULL);
    return delete_all(s, &l, err);
}

/* ---- versions ---- */

struct marker {
    const char *key, *version;
};

static bool seen(const struct victims *l, const char *version)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->v[i].version, version) == 0)
            return true;
    return false;
}

static void take_versions(struct ck_arena *a, const struct ck_val *page, const char *element,
                          const char *key, struct victims *l)
{
    const struct ck_val *list = ck_xml_list(a, page, element);
    for (size_t i = 0; i < ck_len(list); i++) {
        const struct ck_val *v = ck_item(list, i);
        /* The prefix also matches longer keys; some servers repeat a version on the next page. */
        if (ck_is_str(ck_get(v, "Key"), key) && !seen(l, ck_str_at(v, "VersionId")))
            add_victim(a, l, key, ck_str_at(v, "VersionId"));
    }
}

static int versions_page(struct ck_s3 *s, struct ck_arena *a, const char *key, struct marker *m,
                         struct victims *l, struct ck_err *err)
{
    struct ck_req req;
    ck_s3_request(a, s, "GET", NULL, &req);
    if (m->key)
        ck_nvs_add(a, &req.query, "key-marker", m->key);
    ck_nvs_add(a, &req.query, "prefix", key);
    if (m->version && *m->version)
        ck_nvs_add(a, &req.query, "version-id-marker", m->version);
    ck_nvs_add(a, &req.query, "versions", NULL);
    CK_AUTORESP resp = {0};
    int r = ck_s3_send(s, &req, &resp, err);
    if (r < 0)
        return ck_s3_wrap(s, "listing versions of", CK_S3_ACTION(LIST_BUCKET_VERSIONS), key, err);
    if (resp.status != 200)
        return ck_s3_fail(s, &resp, "listing versions of", CK_S3_ACTION(LIST_BUCKET_VERSIONS), NULL,
                          err);
    struct ck_val *root = NULL;
    r = ck_xml_parse(a, ck_buf_slice(&resp.body), REPLY_MAX * 4, &root, err);
    if (r < 0)
        return ck_wrap(err, "error listing versions of %s", key);
    const struct ck_val *page = ck_get(root, "ListVersionsResult");
    if (!page)
        return ck_fail(err, CK_UNAVAILABLE,
                       "error listing versions of %s: the reply is not a listing of versions", key);
    take_versions(a, page, "Version", key, l);
    take_versions(a, page, "DeleteMarker", key, l);
    *m = (struct marker){0};
    if (strcmp(ck_str_at(page, "IsTruncated"), "true") == 0)
        *m = (struct marker){ck_str_at(page, "NextKeyMarker"),
                             ck_str_at(page, "NextVersionIdMarker")};
    /* Keys come sorted: past ours there is nothing left to find. Some servers append to the marker.
     */
    if (m->key && strncmp(m->key, key, strlen(key)) > 0)
        *m = (struct marker){0};
    return 0;
}

int ck_s3_remove_versions(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    struct ck_s3 *s = (struct ck_s3 *)v;
    int r = ck_s3_prepare(s, err);
    if (r < 0)
        return r;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct victims l = {0};
    struct marker m = {0};
    unsigned pages = 0;
    do {
        r = versions_page(s, a, key, &m, &l, err);
        if (r < 0)
            return r;
    } while (m.key && *m.key && ++pages < MAX_PAGES);
    if (!l.n)
        return ck_fail(err, CK_NOT_FOUND,
                       "error removing all versions of %s://%s/%s: file does not exist",
                       s->env_scheme, s->base.container, key);
    return delete_all(s, &l, err);
}
