/* Removing instance groups: which may go, and the removal. */
#pragma once

#include "store/store.h"

/* Refuses the last control-plane group: `cannot delete the only control plane instance group`. */
int ck_ig_check_removable(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                          const struct ck_stored *ig, struct ck_err *err);
