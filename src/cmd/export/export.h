/* Shared by `export kubeconfig`, `helpers kubectl-auth` and `update cluster`, which exports a
 * kubeconfig at its end. */
#pragma once

#include "cmd/cmd.h"

#include "ops/keys/kubemerge.h"

/* The options of kOps that say what goes into a kubeconfig. */
struct ck_export_opts {
    const char *file; /* --kubeconfig; "": the usual files */
    const char *user; /* --user; "" none */
    const char *api_server;
    int64_t admin_ns; /* --admin; 0: no administrator's certificate */
    bool internal, auth_plugin;
};

/* INVALID when they contradict each other (`cannot use both --admin and --user`). */
int ck_export_check(const struct ck_export_opts *o, struct ck_err *err);
/* Write one cluster into the kubeconfig and print `kOps has set your kubectl context to NAME`. */
int ck_export_cluster(struct ck_ctx *ctx, const struct ck_store *store,
                      const struct ck_object *cluster, const struct ck_export_opts *o,
                      struct ck_err *err);
