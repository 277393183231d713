/* The list of a cluster's add-ons in the store, which control-plane nodes apply. kOps
 * bootstrapchannelbuilder. */
#include "task/store/addons.h"
#include "task/tf.h"

static const struct ck_task_field fields[] = {
    {"Base", CK_FIELD_STR, CK_FIELD_HIDDEN},
    {"Location", CK_FIELD_STR, 0},
    {"Contents", CK_FIELD_BYTES, CK_FIELD_HIDDEN},
    {0},
};

const struct ck_task_kind ck_task_bootstrap_channel = {
    .name = "BootstrapChannel",
    .fields = fields,
    .terraform = ck_tf_addon_object,
};
