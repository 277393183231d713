/* Kinds of tasks that write a cluster's add-ons into its store. */
#pragma once

#include "task/task.h"

/* Fields: Base (location of the cluster in the store), Location (below it), Contents. */
extern const struct ck_task_kind ck_task_addon_manifest, ck_task_bootstrap_channel;

/* An aws_s3_object named after the task, with what its fields Base, Location and Contents say. */
int ck_tf_addon_object(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err);
