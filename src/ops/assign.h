/* Filling in what a cluster's manifest leaves open before it is stored. */
#pragma once

#include "store/store.h"

/* kOps' PerformAssignments, as far as it needs no cloud. The object is changed. */
int ck_assign_cluster(struct ck_arena *a, const struct ck_store *s, struct ck_object *cluster,
                      struct ck_err *err);
