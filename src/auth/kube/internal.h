/* Shared between the files of this folder. */
#pragma once

#include "auth/kube/kube.h"
#include "doc/val.h"

#include <stdint.h>

/* An exec plug-in as the kubeconfig describes it. */
struct ck_kube_exec {
    const char *command, *api_version, *hint;
    const char *dir; /* of the kubeconfig: relative commands start there */
    const struct ck_val *args, *vars;
    const struct ck_val *cluster; /* for KUBERNETES_EXEC_INFO; NULL: not asked for */
};

struct ck_kube {
    const struct ck_env *env;
    struct ck_arena *arena;               /* holds secrets: wiped */
    const char *context, *cluster, *user; /* names; "" in a pod */
    const char *source;                   /* the files, or what stands for them */
    const char *namespace_name;
    const char *identity, *server;
    struct ck_req base; /* scheme, host, port, path of the server */
    struct ck_tls tls;
    const char *proxy;
    /* fixed credentials */
    const char *token, *token_file, *basic;
    int64_t cert_expires_s; /* of the client certificate; 0 unknown */
    bool has_exec;
    struct ck_kube_exec exec;
    /* impersonation: headers of every request */
    struct ck_nvs as;
    /* what is in use now */
    struct ck_buf live;      /* bearer token; wiped */
    struct ck_buf cert, key; /* from the plug-in; wiped */
    int64_t live_until_s;    /* 0: no expiry is known */
    int64_t read_at_ms;      /* when `live` was read or asked for */
    int64_t forced_at_ms;    /* when a 401 made it be asked for again */
    bool have, forced;
};

/* ---- kubeconfig.c ---- */
/* Fill *k from the files; NOT_FOUND when they hold nothing (*ret_tried: a line per file). */
int ck_kube_from_files(struct ck_kube *k, const char *context, struct ck_buf *tried,
                       struct ck_err *err);
/* Server address into k->base and k->server. */
int ck_kube_set_server(struct ck_kube *k, const char *url, const char *where, struct ck_err *err);
/* ---- user.c ---- */
/* The credentials of a kubeconfig's user; `dir` is where its relative paths start. */
int ck_kube_set_user(struct ck_kube *k, const struct ck_val *user, const struct ck_val *cluster,
                     const char *dir, struct ck_err *err);
/* A string member: "" when absent, INVALID when it is something else. */
int ck_kube_text(const struct ck_val *map, const char *name, const char *where, const char **ret,
                 struct ck_err *err);
/* PEM from `<name>-data` (base64), else from the file `<name>`; empty when neither is there. */
int ck_kube_pem(struct ck_kube *k, const struct ck_val *map, const char *name, const char *where,
                const char *dir, struct ck_slice *ret, struct ck_err *err);
const char *ck_kube_path(struct ck_arena *a, const char *dir, const char *path);
/* Whether certificate and key can be used together; notes when the certificate ends. */
int ck_kube_check_pair(struct ck_kube *k, struct ck_slice cert, struct ck_slice key,
                       const char *where, struct ck_err *err);
/* ---- exec.c ---- */
/* Run the plug-in and take its answer into k->live, k->cert, k->key. */
int ck_kube_run_exec(struct ck_kube *k, struct ck_err *err);
