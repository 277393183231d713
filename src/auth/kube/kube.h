/* How to reach a Kubernetes API and as whom: a context of a kubeconfig, or the service account of
 * the pod this runs in.
 *
 * Source: client-go's loading rules and authentication order; shared facts vfs.md §8.1. Nothing is
 * written: no kubeconfig, no cache of plug-ins' answers. */
#pragma once

#include "base/arena.h"
#include "base/env.h"
#include "base/err.h"
#include "net/http.h"

struct ck_kube;

/* Find the configuration: KUBECONFIG (several files, the first that sets a name wins), else
 * ~/.kube/config, else the service account of the pod. `context` "" means the current one. `env` is
 * borrowed. Nothing is sent; files are read, plug-ins do not run yet.
 * Errors: UNAUTHENTICATED: nothing is configured (one line per place that was looked at); INVALID:
 * what is configured cannot be used, with file and name. */
int ck_kube_open(const struct ck_env *env, const char *context, struct ck_kube **ret,
                 struct ck_err *err);
void ck_kube_free(struct ck_kube *k); /* NULL is fine; wipes */

/* The context's namespace; "" when it names none. */
const char *ck_kube_namespace(const struct ck_kube *k);
/* "https://host:port", for messages. */
const char *ck_kube_server(const struct ck_kube *k);
/* `user "u" of context "c"`, `the pod's service account`; for messages. */
const char *ck_kube_identity(const struct ck_kube *k);

/* A request to `path` of the server: address, TLS, proxy, and the functions that put credentials on
 * it, renew them before they expire and once when the server answers 401. */
void ck_kube_request(struct ck_arena *a, struct ck_kube *k, const char *method, const char *path,
                     struct ck_req *ret);
/* What a 401 means here: which credential was refused, and what can be done; appended. */
void ck_kube_explain(struct ck_kube *k, struct ck_buf *out);
