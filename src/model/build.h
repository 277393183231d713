/* From a model to tasks. */
#pragma once

#include "model/model.h"

/* Add all tasks of the cluster to m->tasks.
 * Errors: UNSUPPORTED for clouds that are not offered yet; INVALID with the object and field that
 * is wrong. */
int ck_model_build(struct ck_model *m, struct ck_err *err);
