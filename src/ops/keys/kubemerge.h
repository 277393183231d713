/* Putting a cluster into the user's kubeconfig files. */
#pragma once

#include "base/env.h"
#include "ops/keys/kubeaccess.h"

struct ck_kube_merge {
    const char *file; /* "": KUBECONFIG, else $HOME/.kube/config */
    const char *user; /* "" or an entry that is in the files already, for the context */
    /* argv of a program that hands out credentials; NULL: none */
    const char *const *exec;
    size_t n_exec;
};

/* Set cluster, context, current-context and, with credentials, user called access->name.
 *
 * Fields this does not know, other entries and their order are kept; entries stay in the file they
 * are in. A context keeps its user and namespace when no credentials are given. Each file is
 * replaced atomically with mode 0600, under kubectl's lock.
 * Errors: INVALID `could not find user "x"`, a file that is no kubeconfig; EXISTS (locked); IO. */
int ck_kubeconfig_merge(struct ck_arena *a, const struct ck_env *env,
                        const struct ck_kube_access *access, const struct ck_kube_merge *m,
                        struct ck_err *err);
