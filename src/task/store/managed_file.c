/* A file in the store that control planes or nodes read. kOps upup/pkg/fi/fitasks/managedfile.go.
 */
#include "task/store/store_kinds.h"
#include "task/tf.h"

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
    const char *bucket, *key, *region;
    int r = tf->object_of(tf->arg, ck_task_get_str(t, "URL"), &bucket, &key, &region, err);
    if (r)
        return r;
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_s3_object", t->name);
    if (ck_task_get_bool(t, "PublicACL", false))
        ck_tf_str(b, "acl", "public-read");
    ck_tf_str(b, "bucket", bucket);
    ck_tf_file(b, "content", t->name, "content", ck_task_get_bytes(t, "Contents"));
    ck_tf_str(b, "key", key);
    ck_tf_expr(b, "provider", "aws.files");
    ck_tf_str(b, "server_side_encryption", "AES256");
    return 0;
}

const struct ck_task_kind ck_task_managed_file = {
    .name = "ManagedFile",
    .fields = fields,
    .terraform = terraform,
};
