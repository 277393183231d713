/* `create cluster`: build or merge, fill in, check, store — or give the objects back for a dry run.
 */
#pragma once

#include "base/map.h"
#include "ops/new_cluster.h"
#include "store/store.h"

struct ck_create_cluster_opts {
    struct ck_new_cluster_opts n;
    const struct ck_strv *sets, *unsets; /* PATH=VALUE, PATH; unsets go first */
    const struct ck_strv *addons;        /* files of additional objects */
    const struct ck_map *given;          /* names of the options on the command line */
    const char *ssh_public_key;          /* file; "" for none */
    const struct ck_env *env;
    const char *kops_version;
    bool dry_run;                              /* write nothing */
    bool color;                                /* ANSI colours in the difference */
    void (*note)(void *arg, const char *text); /* what was assumed, assigned or left out */
    void *note_arg;
};

struct ck_create_cluster_result {
    struct ck_object *objects; /* cluster, groups (labelled), SSH key, additional ones: as --dry-run
                                   prints them */
    size_t n;
    bool merged; /* into a cluster that was there */
    size_t n_changes;
    const char *diff;                             /* of a merge: one line per changed field */
    const char *node_group, *control_plane_group; /* first of each; NULL when there is none */
};

/* Errors: INVALID with kOps' texts; EXISTS when the cluster is there and no option was given;
 * CONFLICT when someone changed it meanwhile. Everything is stored or nothing. */
int ck_create_cluster(struct ck_arena *a, const struct ck_store *s,
                      struct ck_create_cluster_opts *o, struct ck_create_cluster_result *ret,
                      struct ck_err *err);

/* ---- merge_cluster.c ---- */
struct ck_merge {
    struct ck_arena *a;
    const struct ck_create_cluster_opts *o;
    struct ck_object *cluster; /* changed in place */
    struct ck_object *igs;     /* changed in place; grows by new groups */
    size_t n_igs, cap_igs;
};
/* Apply the options given, and only those. Errors: INVALID naming the option that cannot change on
 * a cluster that exists, with the reason. */
int ck_merge_options(struct ck_merge *m, struct ck_err *err);
