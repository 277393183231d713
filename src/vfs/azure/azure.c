/* azureblob:// locations, and blobs: read, conditional write, remove. The version of a blob is its
 * ETag. Mirrors kOps' azureblob.go, which never writes conditionally and creates containers. */
#include "vfs/azure/azure.h"

#include "base/enc.h"
#include "crypto/hash.h"
#include "vfs/examine/clouds.h"
#include "vfs/scheme.h"

#include <stdio.h>
#include <string.h>

static void request(struct ck_arena *a, struct ck_vfs *v, enum ck_object_call call, const char *key,
                    struct ck_req *ret)
{
    struct ck_azure *z = (struct ck_azure *)v;
    const char *method = call == CK_OBJECT_REMOVE  ? "DELETE"
                         : call == CK_OBJECT_FACTS ? "HEAD"
                                                   : "GET";
    ck_azure_base(a, z, method, key, ret);
    if (call == CK_OBJECT_READ)
        ret->max_reply = v->ctx->max_object;
}

void ck_azure_if_match(struct ck_arena *a, const struct ck_version *version, struct ck_req *r)
{
    ck_nvs_addf(a, &r->headers, "if-match", "%.*s", (int)ck_marks_tag_len(version->token),
                version->token);
}

/* ---- replies ---- */

static void take_version(const struct ck_resp *resp, const char *marks, struct ck_version *ret)
{
    const char *etag = ck_nvs_get(&resp->headers, "etag");
    ret->token[0] = '\0';
    /* The service's are strong; a proxy that compresses marks them so, and no condition would hold.
     */
    if (etag && ck_str_starts(etag, "W/"))
        etag += 2;
    if (!etag || strlen(etag) >= sizeof ret->token || strchr(etag, ' '))
        return;
    snprintf(ret->token, sizeof ret->token, "%s", etag);
    ck_marks_add(ret, marks);
}

static bool md5_of(const struct ck_resp *resp, unsigned char ret[CK_MD5_LEN])
{
    const char *text = ck_nvs_get(&resp->headers, "content-md5");
    return text && ck_azure_md5(text, ret);
}

static int take_facts(struct ck_vfs *v, struct ck_resp *resp, struct ck_object_facts *ret,
                      struct ck_err *err)
{
    ret->marks = ck_nvs_get(&resp->headers, CK_AZURE_MARKS);
    take_version(resp, ret->marks, &ret->version);
    ret->has_md5 = md5_of(resp, ret->md5);
    return 0;
}

/* ---- writing ---- */

/* A lease is no failed condition, though its status is the same. Blocks are gone when somebody else
 * has put the blob together meanwhile. */
static enum ck_object_verdict judge_put(struct ck_vfs *v, const struct ck_object_put *p,
                                        const struct ck_resp *resp, struct ck_version *ret)
{
    const char *code = ck_azure_code(resp);
    if (resp->status == 201) {
        take_version(resp, p->marks, ret);
        return CK_OBJECT_DONE;
    }
    if (p->opts->mode == CK_WRITE_ANY)
        return CK_OBJECT_FAILED;
    bool absent = resp->status == 404 && strcmp(code, "BlobNotFound") == 0;
    bool exists = resp->status == 409 && (!*code || strcmp(code, "BlobAlreadyExists") == 0);
    bool condition = resp->status == 412 && (!*code || strcmp(code, "ConditionNotMet") == 0);
    bool blocks = resp->status == 400 && strcmp(code, "InvalidBlockList") == 0;
    return absent || exists || condition || blocks ? CK_OBJECT_REFUSED : CK_OBJECT_FAILED;
}

static int az_write(struct ck_vfs *v, const char *key, struct ck_slice data,
                    const struct ck_write_opts *opts, struct ck_version *ret, struct ck_err *err)
{
    if (opts && opts->public_read)
        return ck_fail(err, CK_UNSUPPORTED,
                       "the \"azureblob://%s/%s\" path does not support public ACL", v->container,
                       key);
    return ck_object_write(v, key, data, opts, ret, err);
}

static void az_close(struct ck_vfs *v)
{
    struct ck_azure *z = (struct ck_azure *)v;
    ck_token_source_free(z->tokens);
    ck_secret_done(&z->key);
    z->tokens = NULL;
    z->ready = false;
}

/* ---- the scheme ---- */

static const struct ck_object_ops dialect = {
    .prepare = ck_azure_prepare,
    .request = request,
    .remove_if = ck_azure_if_match,
    .remove_version = ck_azure_remove_version,
    .page = ck_azure_page,
    .take_page = ck_azure_take_page,
    .take_facts = take_facts,
    .send_put = ck_azure_send_put,
    .judge_put = judge_put,
    .fail = ck_azure_fail,
    .describe = ck_azure_describe,
};

static const struct ck_vfs_ops ops = {
    .scheme = "azureblob",
    CK_OBJECT_OPS,
    .examine = ck_azure_examine,
    .write = az_write,
    .remove = ck_object_remove,
    .remove_tree = ck_object_remove_tree,
    .remove_versions = ck_azure_remove_versions,
    .close = az_close,
    .terraform = true,
};

static const struct ck_container_rule account_rule = {
    .what = "a storage account's name",
    .rule = "has 3 to 24 lower-case letters and digits",
    .extra = "",
    .min = 3,
    .max = 24,
};

static const struct ck_container_rule container_rule = {
    .what = "a container's name",
    .rule = "has 3 to 63 lower-case letters, digits and single hyphens, with a letter or digit at "
            "both ends",
    .extra = "-",
    .min = 3,
    .max = 63,
    .no_double_hyphen = true,
};

#define EXPECTED "expected azureblob://<account>/<container>/<key>"

static struct ck_vfs *container_of(struct ck_vfs_ctx *ctx, const char *account, const char *blobs)
{
    bool is_new;
    struct ck_vfs *v =
        ck_vfs_container(ctx, &ops, ck_arena_printf(ctx->arena, "%s/%s", account, blobs),
                         sizeof(struct ck_azure), &is_new);
    struct ck_azure *z = (struct ck_azure *)v;
    if (is_new) {
        z->base.dialect = &dialect;
        z->account = account;
        z->blobs = blobs;
    }
    return v;
}

int ck_vfs_parse_azure(struct ck_vfs_ctx *ctx, const char *url, struct ck_path *ret,
                       struct ck_err *err)
{
    static const char invalid[] = "invalid azureblob path";
    if (ck_env_nonempty(ctx->env, "AZURE_STORAGE_ACCOUNT"))
        return ck_fail(err, CK_INVALID,
                       "unset AZURE_STORAGE_ACCOUNT; the storage account belongs in the URL:  "
                       "azureblob://<account>/<container>/<key>");
    CK_AUTOBUF struct ck_buf quoted = CK_BUF_INIT;
    struct ck_vfs_url parts;
    ck_goquote(&quoted, ck_slice_of(url));
    const char *host = url + strlen("azureblob://");
    if (!*host || *host == '/')
        return ck_fail(err, CK_INVALID, "no storage account specified in %s; " EXPECTED,
                       ck_buf_str(&quoted));
    int r = ck_container_url(ctx->arena, &account_rule, invalid, url, &parts, err);
    if (r < 0)
        return r;
    size_t n = strcspn(parts.key, "/");
    if (!n)
        return ck_fail(err, CK_INVALID, "no container specified in %s; " EXPECTED,
                       ck_buf_str(&quoted));
    const char *blobs = ck_arena_strndup(ctx->arena, parts.key, n);
    r = ck_container_check(&container_rule, blobs, invalid, url, err);
    if (r < 0)
        return r;
    const char *key = parts.key + n + (parts.key[n] == '/');
    key += *key == '/';
    *ret = (struct ck_path){.vfs = container_of(ctx, parts.container, blobs), .key = key};
    return 0;
}
