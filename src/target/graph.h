/* Tasks as pictures, in Graphviz' DOT language. */
#pragma once

#include "target/plan.h"

/* The cluster as people draw it: VPC, zones, subnets, groups, balancers, gateways. */
void ck_graph_cluster(struct ck_task *const *order, size_t n, const char *name, struct ck_buf *out);
/* Every task and what it waits for; `plan` (may be NULL) colours what is created and changed. */
void ck_graph_tasks(struct ck_task *const *order, size_t n, const struct ck_plan *plan,
                    struct ck_buf *out);
