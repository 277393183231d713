/* Filling in what a cluster's manifest leaves open before it is stored. */
#pragma once

#include "store/store.h"

/* The assignments of spec/assign.h, without a cloud. The channel is read only when the cluster
 * leaves its Kubernetes version open. The object is changed; what was assigned, or would have
 * needed the cloud, goes to debug output. */
int ck_fill_cluster(struct ck_arena *a, const struct ck_store *s, struct ck_object *cluster,
                    struct ck_err *err);
