/* A file in the store that control planes or nodes read. kOps upup/pkg/fi/fitasks/managedfile.go.
 */
#include "task/store/object.h"
#include "task/store/store_kinds.h"

static const struct ck_task_field fields[] = {
    {"Base", CK_FIELD_STR, 0},
    {"Location", CK_FIELD_STR, 0},
    {"Contents", CK_FIELD_BYTES, CK_FIELD_HIDDEN},
    {"PublicACL", CK_FIELD_BOOL, 0},
    {"URL", CK_FIELD_STR, CK_FIELD_HIDDEN},
    {0},
};

static int terraform(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    return ck_tf_store_object(tf, t, ck_task_get_str(t, "URL"),
                              ck_task_get_bool(t, "PublicACL", false), err);
}

const struct ck_task_kind ck_task_managed_file = {
    .name = "ManagedFile",
    .fields = fields,
    .terraform = terraform,
};
