/* What a user needs to reach a cluster: address, authority, and a client certificate that the
 * cluster's own authority signs.
 *
 * Source: shared facts cli.md §10; kOps pkg/kubeconfig/create_kubecfg.go. */
#pragma once

#include "base/secret.h"
#include "store/keyset.h"

struct ck_kube_access_opts {
    bool internal;          /* the cluster's internal name */
    const char *api_server; /* "" or a URL that replaces the derived one */
    int64_t admin_s;        /* lifetime of a certificate with all rights; 0: none is made */
    const char *login;      /* of the person at the keyboard, for the certificate's name */
};

struct ck_kube_access {
    const char *name; /* of cluster and context */
    const char *server, *tls_server_name;
    struct ck_slice ca;      /* PEM; empty: the server has a certificate of a public authority */
    struct ck_slice cert;    /* PEM of the client certificate; empty: none was asked for */
    struct ck_secret key;    /* its key, PEM */
    int64_t cert_ends_s;     /* with cert */
    bool address_is_a_guess; /* only the cloud knows where the API server is */
};
void ck_kube_access_done(struct ck_kube_access *x); /* wipes */
#define CK_AUTOKUBE CK_CLEANUP(ck_kube_access_done) struct ck_kube_access

/* Strings live in `a`, which comes from ck_keyset_arena(). NOT_FOUND `cannot find CA certificate`;
 * INVALID when the authority has expired or has no private key. */
int ck_kube_access_make(struct ck_arena *a, const struct ck_store *s,
                        const struct ck_object *cluster, const struct ck_kube_access_opts *opts,
                        struct ck_kube_access *ret, struct ck_err *err);
