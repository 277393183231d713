/* What the tables of `get` show of an object. Strings are borrowed or live in the arena. */
#pragma once

#include "store/store.h"

const char *ck_cluster_cloud(const struct ck_object *cluster);
/* Sorted unique zones of the subnets, joined with ",". */
const char *ck_cluster_zones(struct ck_arena *a, const struct ck_object *cluster);
/* "ControlPlane", "Node", … as tables print it. */
const char *ck_ig_role(const struct ck_object *ig);
/* spec.minSize or spec.maxSize; "-" when absent. */
const char *ck_ig_size(struct ck_arena *a, const struct ck_object *ig, const char *field);
/* Sorted unique zones: its own and those of its subnets. *ret_unknown (may be NULL) is the first
 * subnet the cluster does not have; the text is then "". */
const char *ck_ig_zones(struct ck_arena *a, const struct ck_object *cluster,
                        const struct ck_object *ig, const char **ret_unknown);
/* The cluster's completed spec as `update cluster` wrote it. Errors:
 * `error loading Cluster "PATH": file does not exist`. */
int ck_cluster_get_full(struct ck_arena *a, const struct ck_store *s,
                        const struct ck_object *cluster, struct ck_object *ret, struct ck_err *err);
