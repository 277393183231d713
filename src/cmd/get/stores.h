/* `get clusters` of several stores: one table, a failing store is a row. */
#pragma once

#include "cmd/getout.h"

/* Names none: all clusters. Exit status 4 when a store or a cluster could not be read. Errors:
 * INVALID: bad names of stores or formats; NOT_FOUND: all stores were read and have no such
 * cluster. */
int ck_get_clusters_of_stores(struct ck_ctx *ctx, enum ck_get_format format, bool full,
                              const char *const *names, size_t n_names, struct ck_err *err);
/* One line on standard error: what of a store ("" when there is only one) cannot be shown, a
 * cluster or (NULL) all of it. */
void ck_get_complain(const char *store, const char *cluster, const char *why);
