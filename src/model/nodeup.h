/* What nodes read: their configuration, boot scripts and the files control planes start from.
 *
 * Source: shared facts update-cluster-aws.md §18-20; kOps pkg/model/bootstrapscript.go,
 * pkg/apis/nodeup, pkg/model/resources/nodeup.go. */
#pragma once

#include "model/model.h"

/* Add the tasks of every file in the store but add-on manifests, of keysets and of secrets.
 * Errors: INVALID naming the object and field; those of looking up hashes of node binaries. */
int ck_model_managed_files(struct ck_model *m, struct ck_err *err);

/* Append the user data of a group's machines: nothing for a bastion without user data of its own.
 * Errors as ck_model_managed_files. */
int ck_model_user_data(struct ck_model *m, const struct ck_object *group, struct ck_buf *out,
                       struct ck_err *err);
