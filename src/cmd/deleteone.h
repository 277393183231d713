/* The parts of the `delete` commands that `delete -f` runs for each object of a manifest. */
#pragma once

#include "cmd/cmd.h"

struct ck_delete_cluster_opts {
    bool yes, unregister, external;
    const char *region;
    int64_t count, interval_ns, wait_ns; /* of the cloud part */
};
int ck_delete_cluster(struct ck_ctx *ctx, const struct ck_delete_cluster_opts *o, const char *name,
                      struct ck_err *err);

/* `noun_yes`: what to tell when `yes` is missing, after the group was found; the prompt of
 * `delete instancegroup` comes before this. */
int ck_delete_ig(struct ck_ctx *ctx, const char *cluster, const char *name, bool yes,
                 struct ck_err *err);
int ck_delete_ssh(struct ck_ctx *ctx, const char *cluster, struct ck_err *err);
