/* Listings of Azure blobs below a prefix that ends in a slash (kOps' prefix also matches siblings),
 * and removal of all versions and snapshots of one blob. */
#include "vfs/azure/azure.h"

#include "base/clock.h"
#include "base/enc.h"
#include "doc/xml.h"

#include <stdlib.h>
#include <string.h>

bool ck_azure_md5(const char *text, unsigned char out[16])
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (!ck_base64_decode(&b, ck_slice_of(text)) || b.len != 16)
        return false;
    memcpy(out, b.ptr, 16);
    return true;
}

void ck_azure_page(struct ck_arena *a, const struct ck_object_listing *l, struct ck_req *ret)
{
    ck_azure_base(a, (struct ck_azure *)l->v, "GET", NULL, ret);
    ck_nvs_add(a, &ret->query, "comp", "list");
    if (l->what == CK_OBJECT_FILES || l->what == CK_OBJECT_DIRS)
        ck_nvs_add(a, &ret->query, "delimiter", "/");
    if (l->what == CK_OBJECT_VERSIONS)
        ck_nvs_add(a, &ret->query, "include", "snapshots,versions");
    if (l->token)
        ck_nvs_add(a, &ret->query, "marker", l->token);
    if (*l->prefix)
        ck_nvs_add(a, &ret->query, "prefix", l->prefix);
    ck_nvs_add(a, &ret->query, "restype", "container");
}

static void take_blob(struct ck_object_listing *l, struct ck_arena *tmp, const struct ck_val *b)
{
    const char *name = ck_str_at(b, "Name");
    if (l->what == CK_OBJECT_VERSIONS) {
        const char *version = ck_str_at(b, "VersionId"), *snapshot = ck_str_at(b, "Snapshot");
        ck_object_add_version(l, name,
                              *snapshot  ? ck_arena_printf(tmp, "snapshot=%s", snapshot)
                              : *version ? ck_arena_printf(tmp, "versionid=%s", version)
                                         : "");
        return;
    }
    const struct ck_val *p = ck_get(b, "Properties");
    unsigned char md5[16];
    int64_t mtime = 0;
    ck_http_date_parse(ck_str_at(p, "Last-Modified"), &mtime);
    bool has_md5 = ck_azure_md5(ck_str_at(p, "Content-MD5"), md5);
    ck_object_add(l, name, strtoll(ck_str_at(p, "Content-Length"), NULL, 10), mtime,
                  has_md5 ? md5 : NULL);
}

int ck_azure_take_page(struct ck_object_listing *l, const struct ck_resp *resp, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *tmp = ck_arena_new();
    struct ck_val *root = NULL;
    CK_AUTOERR bad = CK_ERR_INIT;
    struct ck_slice text = ck_buf_slice(&resp->body);
    if (ck_slice_starts(text, "\xEF\xBB\xBF"))
        text = ck_slice_n(text.ptr + 3, text.len - 3);
    int r = ck_xml_parse(tmp, text, CK_OBJECT_PAGE_MAX, &root, &bad);
    const struct ck_val *page = r < 0 ? NULL : ck_get(root, "EnumerationResults");
    if (!page)
        return ck_fail(err, CK_UNAVAILABLE,
                       "error listing azureblob://%s/%s: the reply is not a container listing",
                       l->v->container, l->prefix);
    const struct ck_val *blobs = ck_get(page, "Blobs");
    const struct ck_val *files = ck_xml_list(tmp, blobs, "Blob");
    const struct ck_val *dirs = ck_xml_list(tmp, blobs, "BlobPrefix");
    for (size_t i = 0; i < ck_len(files); i++)
        take_blob(l, tmp, ck_item(files, i));
    for (size_t i = 0; i < ck_len(dirs); i++)
        ck_object_add_dir(l, ck_str_at(ck_item(dirs, i), "Name"));
    return ck_object_next_page(l, ck_str_at(page, "NextMarker"), err);
}

/* ---- versions ---- */

/* "versionid=V" or "snapshot=S"; "" is the blob itself. */
void ck_azure_remove_version(struct ck_arena *a, const char *id, struct ck_req *r)
{
    const char *eq = strchr(id, '=');
    if (eq)
        ck_nvs_add(a, &r->query, ck_arena_strndup(a, id, (size_t)(eq - id)),
                   ck_arena_strdup(a, eq + 1));
}

/* The blob with its snapshots; where the account keeps versions it becomes one of them. *ret_gone:
 * there was none. */
static int remove_current(struct ck_azure *z, const char *key, bool *ret_gone, struct ck_err *err)
{
    struct ck_vfs *v = &z->base.base;
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    struct ck_req req;
    ck_azure_base(a, z, "DELETE", key, &req);
    ck_nvs_add(a, &req.headers, "x-ms-delete-snapshots", "include");
    CK_AUTORESP resp = {0};
    int r = ck_http_do(ck_object_http(v), &req, &resp, err);
    if (r < 0)
        return ck_wrap(err, "error deleting azureblob://%s/%s", v->container, key);
    CK_AUTOERR why = CK_ERR_INIT;
    r = resp.status == 202 ? 0 : ck_azure_fail(v, CK_OBJECT_REMOVE, key, &resp, &why);
    *ret_gone = r == -(int)CK_NOT_FOUND;
    if (r == 0 || *ret_gone)
        return 0;
    return err ? ck_err_move(err, &why) : r;
}

int ck_azure_remove_versions(struct ck_vfs *v, const char *key, struct ck_err *err)
{
    CK_AUTOARENA struct ck_arena *a = ck_arena_new();
    CK_AUTOERR why = CK_ERR_INIT;
    struct ck_entries all = {0}, versions = {0};
    bool gone = false;
    int r = ck_pages_versions(v, key, a, &all, &why);
    /* Accounts with folders of their own keep no versions and refuse to list them. */
    bool none = r < 0 && (why.http_status == 400 || why.http_status == 409);
    if (r < 0 && !none)
        return err ? ck_err_move(err, &why) : r;
    r = all.n || none ? remove_current((struct ck_azure *)v, key, &gone, err) : 0;
    if (r < 0)
        return r;
    if (!all.n && (gone || !none))
        return ck_fail(err, CK_NOT_FOUND,
                       "error removing all versions of azureblob://%s/%s: file does not exist",
                       v->container, key);
    for (size_t i = 0; i < all.n; i++)
        if (ck_str_starts(all.v[i].name, "versionid="))
            ck_entries_add(a, &versions, all.v[i]);
    return ck_object_remove_entries(v, &versions, true, err);
}
