/* Names of permissions, from the services' own lists: Cloud Storage's IAM permissions, Azure's data
 * actions, Kubernetes' verbs on Secrets, OSS' RAM actions, file modes. */
#include "vfs/examine/permissions.h"

#include "base/attr.h"

#include <string.h>

#define BLOBS "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/"
#define FILES(scheme)                                                                              \
    {                                                                                              \
        scheme,                                                                                    \
        {                                                                                          \
            "r-x on the folder", "r on the file", "wx on the folder", "wx on the folder",          \
                "wx on the folder"                                                                 \
        }                                                                                          \
    }

static const struct ck_permissions TABLE[] = {
    /* An overwrite is a deletion of the former content there. */
    {"gs",
     {"storage.objects.list", "storage.objects.get", "storage.objects.create",
      "storage.objects.delete", "storage.objects.delete"}},
    {"azureblob", {BLOBS "read", BLOBS "read", BLOBS "write", BLOBS "write", BLOBS "delete"}},
    {"k8s", {"list secrets", "get secrets", "create secrets", "update secrets", "delete secrets"}},
    {"oss",
     {"oss:ListObjects", "oss:GetObject", "oss:PutObject", "oss:PutObject", "oss:DeleteObject"}},
    {"swift",
     {"read ACL of the container, with .rlistings", "read ACL of the container",
      "write ACL of the container", "write ACL of the container", "write ACL of the container"}},
    FILES("file"),
    FILES("ssh"),
};

const struct ck_permissions *ck_permissions_of(const char *scheme)
{
    for (size_t i = 0; i < CK_ARRAY_LEN(TABLE); i++)
        if (strcmp(TABLE[i].scheme, scheme) == 0)
            return &TABLE[i];
    return NULL;
}
