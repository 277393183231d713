/* oss:// locations, and what replies say of an object. Mirrors kOps' ossfs.go, which never looked
 * at what it downloaded. */
#include "vfs/oss/oss.h"

#include "base/clock.h"
#include "base/enc.h"
#include "crypto/hash.h"
#include "vfs/examine/clouds.h"
#include "vfs/object/once.h"

#include <stdio.h>
#include <string.h>

static void request(struct ck_arena *a, struct ck_vfs *v, enum ck_object_call call, const char *key,
                    struct ck_req *ret)
{
    const char *method = call == CK_OBJECT_REMOVE  ? "DELETE"
                         : call == CK_OBJECT_FACTS ? "HEAD"
                                                   : "GET";
    struct ck_oss *s = (struct ck_oss *)v;
    ck_oss_base(a, s, method, key, ret);
    if (call == CK_OBJECT_FACTS && s->look_until_ms)
        ck_once_limit(ret, s->look_until_ms - ck_mono_ms());
    if (call == CK_OBJECT_READ)
        ret->max_reply = v->ctx->max_object;
}

/* OSS has no condition for removing; ck_oss_remove takes a lock instead. */
static void remove_if(struct ck_arena *a, const struct ck_version *version, struct ck_req *r)
{
    (void)a;
    (void)version;
    (void)r;
}

static void remove_version(struct ck_arena *a, const char *id, struct ck_req *r)
{
    if (*id)
        ck_nvs_add(a, &r->query, "versionId", ck_arena_strdup(a, id));
}

/* ---- replies ---- */

void ck_oss_version(const struct ck_resp *resp, struct ck_version *ret)
{
    const char *etag = ck_nvs_get(&resp->headers, "etag");
    const char *time = ck_nvs_get(&resp->headers, "last-modified");
    ret->token[0] = '\0';
    if (!etag || strlen(etag) >= 80 || strchr(etag, ' '))
        return;
    snprintf(ret->token, sizeof ret->token, "%s", etag);
    size_t n = strlen(ret->token);
    ck_marks_add(ret, ck_nvs_get(&resp->headers, CK_OSS_MARKS));
    if (ret->token[n])
        return;
    snprintf(ret->token + n, sizeof ret->token - n, "@%.30s", time ? time : "");
    for (char *p = ret->token; *p; p++)
        *p = *p == ' ' ? '_' : *p; /* marks come after a space */
}

/* Content-MD5, or the ETag of an object that was written in one piece. */
static bool md5_of(const struct ck_resp *resp, unsigned char ret[CK_MD5_LEN])
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    const char *md5 = ck_nvs_get(&resp->headers, "content-md5");
    const char *etag = ck_nvs_get(&resp->headers, "etag");
    const char *type = ck_nvs_get(&resp->headers, "x-oss-object-type");
    bool ok = md5 && ck_base64_decode(&b, ck_slice_of(md5)) && b.len == CK_MD5_LEN;
    if (!md5 && type && strcmp(type, "Normal") == 0 && etag && strlen(etag) == 34)
        ok = ck_hex_decode(&b, ck_slice_n(etag + 1, 32));
    if (ok)
        memcpy(ret, b.ptr, CK_MD5_LEN);
    return ok;
}

static int take_facts(struct ck_vfs *v, struct ck_resp *resp, struct ck_object_facts *ret,
                      struct ck_err *err)
{
    (void)v;
    (void)err;
    ck_oss_version(resp, &ret->version);
    ret->marks = ck_nvs_get(&resp->headers, CK_OSS_MARKS);
    ret->has_md5 = md5_of(resp, ret->md5);
    return 0;
}

static void oss_close(struct ck_vfs *v)
{
    struct ck_oss *s = (struct ck_oss *)v;
    ck_cred_provider_free(s->creds);
    s->creds = NULL;
    s->ready = false;
}

/* ---- the scheme ---- */

static const struct ck_object_ops dialect = {
    .prepare = ck_oss_prepare,
    .request = request,
    .remove_if = remove_if,
    .remove_version = remove_version,
    .page = ck_oss_page,
    .take_page = ck_oss_take_page,
    .take_facts = take_facts,
    .send_put = ck_oss_send_put,
    .judge_put = ck_oss_judge_put,
    .fail = ck_oss_fail,
    .describe = ck_oss_describe,
    .marks_always = true,
};

static const struct ck_vfs_ops ops = {
    .scheme = "oss",
    CK_OBJECT_OPS,
    .examine = ck_oss_examine,
    .write = ck_oss_write,
    .remove = ck_oss_remove,
    .remove_tree = ck_oss_remove_tree,
    .remove_versions = ck_object_remove_versions,
    .close = oss_close,
    .terraform = false,
};

static const struct ck_container_rule bucket_rule = {
    .what = "a bucket's name",
    .rule = "has 3 to 63 lower-case letters, digits and hyphens, with a letter or digit at both "
            "ends",
    .extra = "-",
    .min = 3,
    .max = 63,
};

int ck_vfs_parse_oss(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                     struct ck_err *err)
{
    static const char invalid[] = "invalid aliyun oss path";
    struct ck_vfs_url parts;
    int r = ck_container_url(ctx->arena, &bucket_rule, invalid, url, &parts, err);
    if (r < 0)
        return r;
    bool is_new;
    struct ck_vfs *v = ck_vfs_container(ctx, &ops, parts.container, sizeof(struct ck_oss), &is_new);
    if (is_new)
        ((struct ck_oss *)v)->base.dialect = &dialect;
    *ret = (struct ck_path){.vfs = v, .key = parts.key};
    return 0;
}
