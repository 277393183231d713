/* Files of the store as Terraform objects. kOps upup/pkg/fi/fitasks/managedfile.go. */
#include "task/store/object.h"

int ck_tf_store_object(struct ck_tf *tf, const struct ck_task *t, const char *location, bool public,
                       struct ck_err *err)
{
    const char *bucket, *key, *region;
    int r = tf->object_of(tf->arg, location, &bucket, &key, &region, err);
    if (r)
        return r;
    tf->files_region = region;
    struct ck_tf_block *b = ck_tf_resource(tf, "aws_s3_object", t->name);
    if (public)
        ck_tf_str(b, "acl", "public-read");
    ck_tf_str(b, "bucket", bucket);
    ck_tf_file(b, "content", t->name, "content", ck_task_get_bytes(t, "Contents"));
    ck_tf_str(b, "key", key);
    ck_tf_expr(b, "provider", "aws.files");
    ck_tf_str(b, "server_side_encryption", "AES256");
    return 0;
}
