/* What stores other than S3's family call the permissions that the operations need: for messages
 * of `store doctor` and for the roles that `store policy` prints. S3 has vfs/s3/actions.h.
 */
#pragma once

#include <stddef.h>

enum ck_permission_for {
    CK_PERMISSION_LIST,
    CK_PERMISSION_READ,
    CK_PERMISSION_CREATE,
    CK_PERMISSION_UPDATE,
    CK_PERMISSION_DELETE,
    CK_PERMISSION_KINDS
};

struct ck_permissions {
    const char *scheme;
    const char *name[CK_PERMISSION_KINDS]; /* one operation may need what another needs too */
};

/* NULL for a scheme that has no permissions of its own. */
const struct ck_permissions *ck_permissions_of(const char *scheme);
