/* Writing blobs: one request, or above 16 MiB blocks that one last, conditional request puts
 * together. kOps never writes conditionally. */
#include "vfs/azure/azure.h"

#include "base/enc.h"
#include "crypto/hash.h"

#include <string.h>

enum { WHOLE_MAX = 16 << 20, BLOCK = 8 << 20, MAX_TRIES = 3 };

static const char *md5_of(struct ck_arena *a, struct ck_slice data)
{
    unsigned char md5[CK_MD5_LEN];
    CK_AUTOBUF struct ck_buf b64 = CK_BUF_INIT;
    ck_md5(data, md5);
    ck_base64_encode(&b64, md5, sizeof md5);
    return ck_arena_strdup(a, ck_buf_str(&b64));
}

/* What the blob will be, and the condition. */
static void describe(struct ck_arena *a, const struct ck_object_put *p, struct ck_req *req)
{
    if (p->opts->mode == CK_WRITE_CREATE)
        ck_nvs_add(a, &req->headers, "if-none-match", "*");
    else if (p->opts->mode == CK_WRITE_IF_UNCHANGED)
        ck_azure_if_match(a, p->opts->version, req);
    if (*p->marks)
        ck_nvs_add(a, &req->headers, CK_AZURE_MARKS, p->marks);
}

static int put_whole(struct ck_azure *z, const struct ck_object_put *p, struct ck_resp *ret,
                     struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_azure_base(a, z, "PUT", p->key, &req);
    req.body = p->data;
    const char *sum = md5_of(a, p->data);
    ck_nvs_add(a, &req.headers, "content-md5", sum);
    ck_nvs_add(a, &req.headers, "content-type", "application/octet-stream");
    ck_nvs_add(a, &req.headers, "x-ms-blob-content-md5", sum);
    ck_nvs_add(a, &req.headers, "x-ms-blob-type", "BlockBlob");
    describe(a, p, &req);
    return ck_http_do(ck_object_http(&z->base.base), &req, ret, err);
}

/* ---- blocks ---- */

/* Names of blocks that no other writer uses: uncommitted blocks of a blob are everybody's. */
static const char *block_id(struct ck_arena *a, const char *writer, size_t i)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    const char *plain = ck_arena_printf(a, "%s-%06zu", writer, i);
    ck_base64_encode(&b, plain, strlen(plain));
    return ck_arena_strdup(a, ck_buf_str(&b));
}

static int put_block(struct ck_azure *z, const char *key, const char *id, struct ck_slice data,
                     struct ck_resp *ret, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_azure_base(a, z, "PUT", key, &req);
    ck_nvs_add(a, &req.query, "blockid", id);
    ck_nvs_add(a, &req.query, "comp", "block");
    req.body = data;
    ck_nvs_add(a, &req.headers, "content-md5", md5_of(a, data));
    ck_nvs_add(a, &req.headers, "content-type", "application/octet-stream");
    return ck_http_do(ck_object_http(&z->base.base), &req, ret, err);
}

static int put_list(struct ck_azure *z, const struct ck_object_put *p, struct ck_slice list,
                    struct ck_resp *ret, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_azure_base(a, z, "PUT", p->key, &req);
    ck_nvs_add(a, &req.query, "comp", "blocklist");
    req.body = list;
    ck_nvs_add(a, &req.headers, "content-md5", md5_of(a, list));
    ck_nvs_add(a, &req.headers, "content-type", "application/xml");
    ck_nvs_add(a, &req.headers, "x-ms-blob-content-md5", md5_of(a, p->data));
    ck_nvs_add(a, &req.headers, "x-ms-blob-content-type", "application/octet-stream");
    describe(a, p, &req);
    return ck_http_do(ck_object_http(&z->base.base), &req, ret, err);
}

static int put_blocks(struct ck_azure *z, const struct ck_object_put *p, struct ck_resp *ret,
                      struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOBUF struct ck_buf list = CK_BUF_INIT;
    unsigned char random[CK_MARK_LEN / 2];
    CK_AUTOBUF struct ck_buf writer = CK_BUF_INIT;
    ck_random(random, sizeof random);
    ck_hex_encode(&writer, random, sizeof random);
    ck_buf_puts(&list, "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
    for (size_t at = 0, n; at < p->data.len; at += n) {
        n = p->data.len - at < BLOCK ? p->data.len - at : BLOCK;
        const char *id = block_id(a, ck_buf_str(&writer), at / BLOCK);
        int r = put_block(z, p->key, id, ck_slice_n(p->data.ptr + at, n), ret, err);
        if (r < 0 || ret->status != 201)
            return r;
        ck_resp_done(ret);
        ck_buf_fmt(&list, "<Latest>%s</Latest>", id);
    }
    ck_buf_puts(&list, "</BlockList>");
    return put_list(z, p, ck_buf_slice(&list), ret, err);
}

/* ---- both ---- */

static int make_container(struct ck_azure *z, struct ck_err *err)
{
    struct ck_vfs *v = &z->base.base;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_azure_base(a, z, "PUT", NULL, &req);
    ck_nvs_add(a, &req.query, "restype", "container");
    CK_AUTORESP resp = {0};
    int r = ck_http_do(ck_object_http(v), &req, &resp, err);
    if (r < 0)
        return ck_wrap(err, "creating the container \"%s\"", z->blobs);
    if (resp.status == 201 || resp.status == 409)
        return 0;
    ck_azure_fail(v, CK_OBJECT_WRITE, NULL, &resp, err);
    return ck_wrap(err, "creating the container \"%s\"", z->blobs);
}

/* Blocks vanish when another writer puts the same blob together: an unconditional write begins
 * anew.
 */
static bool begin_anew(const struct ck_object_put *p, const struct ck_resp *resp)
{
    return p->opts->mode == CK_WRITE_ANY && resp->status == 400 &&
           strcmp(ck_azure_code(resp), "InvalidBlockList") == 0;
}

int ck_azure_send_put(struct ck_vfs *v, const struct ck_object_put *p, struct ck_resp *ret,
                      struct ck_err *err)
{
    struct ck_azure *z = (struct ck_azure *)v;
    for (unsigned tries = 1;; tries++) {
        int r = p->data.len > WHOLE_MAX ? put_blocks(z, p, ret, err) : put_whole(z, p, ret, err);
        if (r < 0 || tries == MAX_TRIES)
            return r;
        bool no_container = ret->status == 404 && z->create_container &&
                            strcmp(ck_azure_code(ret), "ContainerNotFound") == 0;
        if (!no_container && !begin_anew(p, ret))
            return r;
        ck_resp_done(ret);
        r = no_container ? make_container(z, err) : 0;
        if (r < 0)
            return r;
    }
}
