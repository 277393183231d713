/* Pictures of a plan. */
#pragma once

#include "cmd/cmd.h"
#include "ops/update/update.h"

/* Draw the cluster and the tasks into files; "" draws nothing. A name ending in .svg goes through
 * Graphviz' dot. Errors: INVALID for other endings; UNSUPPORTED where dot is missing; IO. */
int ck_update_pictures(struct ck_ctx *ctx, const struct ck_update *u, const struct ck_plan *plan,
                       const char *cluster_file, const char *tasks_file, struct ck_err *err);
