/* The manifest of one add-on in the store. kOps upup/pkg/fi/fitasks/managedfile.go and
 * bootstrapchannelbuilder. */
#include "task/store/addons.h"
#include "task/tf.h"

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
    const char *bucket, *key, *region;
    int r = tf->object_of(tf->arg, location, &bucket, &key, &region, err);
    if (r)
        return r;
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_s3_object", t->name);
    ck_tf_str(b, "bucket", bucket);
    ck_tf_file(b, "content", t->name, "content", ck_task_get_bytes(t, "Contents"));
    ck_tf_str(b, "key", key);
    ck_tf_expr(b, "provider", "aws.files");
    ck_tf_str(b, "server_side_encryption", "AES256");
    return 0;
}

const struct ck_task_kind ck_task_addon_manifest = {
    .name = "AddonManifest",
    .fields = fields,
    .terraform = ck_tf_addon_object,
};
