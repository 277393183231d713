/* A file of the store as an object of a Terraform module. */
#pragma once

#include "task/tf.h"

/* An aws_s3_object named after the task, at a store location, with the bytes of its field Contents.
 * Errors: UNSUPPORTED where the kind of store cannot be rendered. */
int ck_tf_store_object(struct ck_tf *tf, const struct ck_task *t, const char *location, bool public,
                       struct ck_err *err);
