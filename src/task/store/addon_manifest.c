/* The manifest of one add-on in the store. kOps upup/pkg/fi/fitasks/managedfile.go and
 * bootstrapchannelbuilder. */
#include "task/store/addons.h"
#include "task/store/object.h"

static const struct ck_task_field fields[] = {
    {"Base", CK_FIELD_STR, CK_FIELD_HIDDEN},
    {"Location", CK_FIELD_STR, 0},
    {"Contents", CK_FIELD_BYTES, CK_FIELD_HIDDEN},
    {0},
};

int ck_tf_addon_object(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err)
{
    const char *location =
        ck_arena_printf(tf->a, "%s/%s", ck_task_get_str(t, "Base"), ck_task_get_str(t, "Location"));
    return ck_tf_store_object(tf, t, location, false, err);
}

const struct ck_task_kind ck_task_addon_manifest = {
    .name = "AddonManifest",
    .fields = fields,
    .terraform = ck_tf_addon_object,
};
