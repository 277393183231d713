/* gs:// locations, and what replies of Google Cloud Storage's JSON API mean. The version of an
 * object is its generation; creates and updates are conditional on it. Mirrors kOps' gsfs.go. */
#include "vfs/gs/gs.h"

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/enc.h"
#include "crypto/hash.h"
#include "doc/json.h"
#include "vfs/examine/clouds.h"
#include "vfs/scheme.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FACTS_MAX = 1 << 20 };

static void request(struct ck_arena *a, struct ck_vfs *v, enum ck_object_call call, const char *key,
                    struct ck_req *ret)
{
    struct ck_gs *g = (struct ck_gs *)v;
    const char *path = ck_gs_path(a, g, key);
    switch (call) {
    case CK_OBJECT_REMOVE:
        ck_gs_base(a, g, "DELETE", path, ret);
        ck_nvs_add(a, &ret->query, "prettyPrint", "false");
        return;
    case CK_OBJECT_FACTS:
        ck_gs_base(a, g, "GET", path, ret);
        ck_nvs_add(a, &ret->query, "fields", "generation,md5Hash,metadata");
        ck_nvs_add(a, &ret->query, "prettyPrint", "false");
        return;
    default:
        ck_gs_base(a, g, "GET", path, ret);
        ret->max_reply = v->ctx->max_object;
        ck_nvs_add(a, &ret->query, "alt", "media");
        return;
    }
}

static void remove_if(struct ck_arena *a, const struct ck_version *version, struct ck_req *r)
{
    ck_nvs_add(a, &r->query, "ifGenerationMatch", version->token);
}

static void remove_version(struct ck_arena *a, const char *id, struct ck_req *r)
{
    ck_nvs_add(a, &r->query, "generation", id);
}

/* ---- reading ---- */

static void put_version(const char *generation, struct ck_version *ret)
{
    bool number = *generation && strspn(generation, "0123456789") == strlen(generation);
    snprintf(ret->token, sizeof ret->token, "%s", number ? generation : "");
}

/* Bytes of base64 text, when they are as many as expected. */
static bool decode(struct ck_slice text, unsigned char *out, size_t n)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (!ck_base64_decode(&b, text) || b.len != n)
        return false;
    memcpy(out, b.ptr, n);
    return true;
}

static bool crc_is(const unsigned char big_endian[4], struct ck_slice data)
{
    return ck_crc32c(data) == ((uint32_t)big_endian[0] << 24 | (uint32_t)big_endian[1] << 16 |
                               (uint32_t)big_endian[2] << 8 | big_endian[3]);
}

static bool hash_matches(struct ck_slice pair, struct ck_slice data)
{
    unsigned char want[CK_MD5_LEN], md5[CK_MD5_LEN];
    pair = ck_slice_trim(pair);
    if (ck_slice_starts(pair, "crc32c=") && decode(ck_slice_n(pair.ptr + 7, pair.len - 7), want, 4))
        return crc_is(want, data);
    if (ck_slice_starts(pair, "md5=") &&
        decode(ck_slice_n(pair.ptr + 4, pair.len - 4), want, sizeof want)) {
        ck_md5(data, md5);
        return memcmp(md5, want, sizeof md5) == 0;
    }
    return true;
}

static struct ck_slice name_of(struct ck_slice pair)
{
    pair = ck_slice_trim(pair);
    return ck_slice_n(pair.ptr, ck_slice_find(pair, '='));
}

/* Objects stored compressed are unpacked on the way, and their hashes are those of the packed form.
 */
static bool transcoded(const struct ck_resp *resp)
{
    const char *stored = ck_nvs_get(&resp->headers, "x-goog-stored-content-encoding");
    const char *sent = ck_nvs_get(&resp->headers, "content-encoding");
    return stored && strcmp(stored, "identity") != 0 && *stored &&
           !(sent && strcmp(sent, stored) == 0);
}

static int take_read(struct ck_vfs *v, const char *key, const struct ck_resp *resp,
                     struct ck_version *ret, struct ck_err *err)
{
    const char *generation = ck_nvs_get(&resp->headers, "x-goog-generation");
    put_version(generation ? generation : "", ret);
    for (size_t i = 0; i < resp->headers.n && !transcoded(resp); i++) {
        if (strcmp(resp->headers.v[i].name, "x-goog-hash") != 0)
            continue;
        struct ck_slice rest = ck_slice_of(resp->headers.v[i].value), pair;
        while (ck_slice_next(&rest, ',', &pair))
            if (!hash_matches(pair, ck_buf_slice(&resp->body)))
                return ck_object_damaged(v, key, name_of(pair), err);
    }
    return 0;
}

static int take_facts(struct ck_vfs *v, struct ck_resp *resp, struct ck_object_facts *ret,
                      struct ck_err *err)
{
    struct ck_val *o = NULL;
    int r = ck_json_parse(resp->arena, ck_buf_slice(&resp->body), FACTS_MAX, &o, err);
    if (r < 0)
        return ck_fail(err, CK_UNAVAILABLE,
                       "error checking gs://%s: the reply does not describe an object",
                       v->container);
    put_version(ck_str_at(o, "generation"), &ret->version);
    ret->marks = ck_str_or(ck_get(ck_get(o, "metadata"), CK_GS_MARKS), NULL);
    ret->has_md5 = decode(ck_slice_of(ck_str_at(o, "md5Hash")), ret->md5, sizeof ret->md5);
    return 0;
}

static enum ck_object_verdict judge_put(struct ck_vfs *v, const struct ck_object_put *p,
                                        const struct ck_resp *resp, struct ck_version *ret)
{
    if (resp->status == 412 && p->opts->mode != CK_WRITE_ANY)
        return CK_OBJECT_REFUSED;
    if (resp->status != 200 && resp->status != 201)
        return CK_OBJECT_FAILED;
    struct ck_val *o = NULL;
    CK_AUTOERR bad = CK_ERR_INIT;
    if (ck_json_parse(resp->arena, ck_buf_slice(&resp->body), FACTS_MAX, &o, &bad) == 0)
        put_version(ck_str_at(o, "generation"), ret);
    /* The service compares it too; emulators do not always. */
    unsigned char crc[4];
    bool told = decode(ck_slice_of(ck_str_at(o, "crc32c")), crc, sizeof crc);
    return told && !crc_is(crc, p->data) ? CK_OBJECT_FAILED : CK_OBJECT_DONE;
}

/* ---- listing ---- */

static void page(struct ck_arena *a, const struct ck_object_listing *l, struct ck_req *ret)
{
    static const char *const fields[] = {
        [CK_OBJECT_FILES] = "nextPageToken,items(name,size,updated,md5Hash)",
        [CK_OBJECT_DIRS] = "nextPageToken,prefixes",
        [CK_OBJECT_TREE] = "nextPageToken,items(name,size,updated,md5Hash)",
        [CK_OBJECT_VERSIONS] = "nextPageToken,items(name,generation)",
    };
    struct ck_gs *g = (struct ck_gs *)l->v;
    ck_gs_base(a, g, "GET", ck_gs_path(a, g, NULL), ret);
    if (l->what == CK_OBJECT_FILES || l->what == CK_OBJECT_DIRS)
        ck_nvs_add(a, &ret->query, "delimiter", "/");
    ck_nvs_add(a, &ret->query, "fields", fields[l->what]);
    if (l->token)
        ck_nvs_add(a, &ret->query, "pageToken", l->token);
    ck_nvs_add(a, &ret->query, "prefix", l->prefix);
    ck_nvs_add(a, &ret->query, "prettyPrint", "false");
    if (l->what == CK_OBJECT_VERSIONS)
        ck_nvs_add(a, &ret->query, "versions", "true");
}

static void take_item(struct ck_object_listing *l, const struct ck_val *o)
{
    const char *name = ck_str_at(o, "name");
    if (l->what == CK_OBJECT_VERSIONS) {
        ck_object_add_version(l, name, ck_str_at(o, "generation"));
        return;
    }
    unsigned char md5[CK_MD5_LEN];
    int64_t mtime = 0;
    ck_rfc3339_parse(ck_slice_of(ck_str_at(o, "updated")), &mtime);
    bool has_md5 = decode(ck_slice_of(ck_str_at(o, "md5Hash")), md5, sizeof md5);
    ck_object_add(l, name, strtoll(ck_str_at(o, "size"), NULL, 10), mtime, has_md5 ? md5 : NULL);
}

/* What is left out is empty; what is something else must not pass for that. */
static bool is_page(const struct ck_val *p)
{
    const struct ck_val *items = ck_get(p, "items"), *prefixes = ck_get(p, "prefixes");
    const struct ck_val *token = ck_get(p, "nextPageToken");
    return ck_is_map(p) && (!items || ck_is_list(items)) && (!prefixes || ck_is_list(prefixes)) &&
           (!token || ck_str_or(token, NULL));
}

static int take_page(struct ck_object_listing *l, const struct ck_resp *resp, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_val *p = NULL;
    CK_AUTOERR bad = CK_ERR_INIT;
    if (ck_json_parse(tmp, ck_buf_slice(&resp->body), CK_OBJECT_PAGE_MAX, &p, &bad) < 0 ||
        !is_page(p))
        return ck_fail(err, CK_UNAVAILABLE,
                       "error listing gs://%s/%s: the reply is not a bucket listing",
                       l->v->container, l->prefix);
    const struct ck_val *items = ck_get(p, "items"), *prefixes = ck_get(p, "prefixes");
    for (size_t i = 0; i < ck_len(items); i++)
        take_item(l, ck_item(items, i));
    for (size_t i = 0; i < ck_len(prefixes); i++)
        ck_object_add_dir(l, ck_str_or(ck_item(prefixes, i), ""));
    return ck_object_next_page(l, ck_str_at(p, "nextPageToken"), err);
}

/* ---- the scheme ---- */

static int gs_write(struct ck_vfs *v, const char *key, struct ck_slice data,
                    const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err)
{
    if (opts && opts->public_read)
        return ck_fail(err, CK_UNSUPPORTED, "the \"gs://%s/%s\" path does not support public ACL",
                       v->container, key);
    return ck_object_write(v, key, data, opts, ret, err);
}

static void gs_close(struct ck_vfs *v)
{
    struct ck_gs *g = (struct ck_gs *)v;
    ck_token_source_free(g->tokens);
    g->tokens = NULL;
    g->ready = false;
}

static const struct ck_object_ops dialect = {
    .prepare = ck_gs_prepare,
    .request = request,
    .remove_if = remove_if,
    .remove_version = remove_version,
    .page = page,
    .take_page = take_page,
    .take_read = take_read,
    .take_facts = take_facts,
    .send_put = ck_gs_send_put,
    .judge_put = judge_put,
    .fail = ck_gs_fail,
    .describe = ck_gs_describe,
    .marks_apart = true,
};

static const struct ck_vfs_ops ops = {
    .scheme = "gs",
    CK_OBJECT_OPS,
    .examine = ck_gs_examine,
    .write = gs_write,
    .remove = ck_object_remove,
    .remove_tree = ck_object_remove_tree,
    .remove_versions = ck_object_remove_versions,
    .close = gs_close,
    .terraform = true,
};

static const struct ck_container_rule rule = {
    .what = "a bucket's name",
    .rule = "has 3 to 222 lower-case letters, digits, hyphens, underscores and dots, with a letter "
            "or digit at both ends",
    .extra = "-_.",
    .min = 3,
    .max = 222,
};

int ck_vfs_parse_gs(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                    struct ck_err *err)
{
    static const char invalid[] = "invalid google cloud storage path";
    struct ck_vfs_url parts;
    int r = ck_container_url(ctx->arena, &rule, invalid, url, &parts, err);
    if (r < 0)
        return r;
    bool is_new;
    struct ck_vfs *v = ck_vfs_container(ctx, &ops, parts.container, sizeof(struct ck_gs), &is_new);
    ((struct ck_gs *)v)->base.dialect = &dialect;
    *ret = (struct ck_path){.vfs = v, .key = parts.key};
    return 0;
}
