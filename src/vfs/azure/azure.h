/* Azure Blob Storage: azureblob://ACCOUNT/CONTAINER/KEY.
 *
 * Shared between the files of the driver: azure.c (locations, objects), azure_client.c (endpoint,
 * signing, errors), azure_upload.c (writes), azure_list.c (listings, versions). Mirrors kOps'
 * util/pkg/vfs/azureblob.go and azureclient.go; where it differs docs/differences.md says why. */
#pragma once

#include "auth/azure/azure.h"
#include "base/secret.h"
#include "vfs/object/object.h"

/* Custom metadata: marks of its writers (vfs/object/marks.h); Azure's names are identifiers. */
#define CK_AZURE_MARKS "x-ms-meta-ckops_write"

enum ck_azure_auth { CK_AZURE_KEY, CK_AZURE_SAS, CK_AZURE_TOKEN };

struct ck_azure {
    struct ck_object_store base; /* container: ACCOUNT/CONTAINER */
    const char *account, *blobs; /* blobs: the container's name */
    bool ready, create_container;
    const char *url_scheme, *host, *base_path; /* base_path: "" or "/account" */
    int port;
    const char *ca_file;
    enum ck_azure_auth auth;
    struct ck_secret key; /* decoded */
    struct ck_nvs sas;    /* query parameters of a shared access signature */
    struct ck_token_source *tokens;
    int64_t skew_s;
};

/* ---- azure_client.c ---- */
int ck_azure_prepare(struct ck_vfs *v, struct ck_err *err);
/* A request on the container (key NULL) or an object. */
void ck_azure_base(struct ck_arena *a, struct ck_azure *z, const char *method, const char *key,
                   struct ck_req *ret);
const char *ck_azure_code(const struct ck_resp *resp); /* the service's error code, or "" */
int ck_azure_fail(struct ck_vfs *v, enum ck_object_call call, const char *key,
                  const struct ck_resp *resp, struct ck_err *err);
void ck_azure_describe(struct ck_vfs *v, enum ck_object_call call, struct ck_buf *out);

/* ---- azure.c ---- */
void ck_azure_if_match(struct ck_arena *a, const struct ck_version *version, struct ck_req *r);

/* ---- azure_upload.c ---- */
int ck_azure_send_put(struct ck_vfs *v, const struct ck_object_put *p, struct ck_resp *ret,
                      struct ck_err *err);

/* ---- azure_list.c ---- */
void ck_azure_page(struct ck_arena *a, const struct ck_object_listing *l, struct ck_req *ret);
int ck_azure_take_page(struct ck_object_listing *l, const struct ck_resp *resp, struct ck_err *err);
void ck_azure_remove_version(struct ck_arena *a, const char *id, struct ck_req *r);
int ck_azure_remove_versions(struct ck_vfs *v, const char *key, struct ck_err *err);
/* Bytes of a base64 MD5; false when the text is none. */
bool ck_azure_md5(const char *text, unsigned char out[16]);
