/* The user's kubeconfig files: taking a cluster out of them. */
#pragma once

#include "base/arena.h"
#include "base/env.h"
#include "base/err.h"

#include <stdbool.h>

/* Remove cluster, context and users (`name`, `name`-basic-auth) called `name` from every file of
 * KUBECONFIG, else $HOME/.kube/config; files that hold none of them are not written. *ret_any says
 * whether there was anything in the files at all (kOps reports the removal then).
 * Errors: INVALID (a file that is no kubeconfig), EXISTS (locked by kubectl), IO. */
int ck_kubeconfig_forget(struct ck_arena *a, const struct ck_env *env, const char *name,
                         bool *ret_any, struct ck_err *err);
