/* What lies where in a state store, and reading and writing it safely.
 *
 * Every read keeps the version token of what it read; every update is write-if-unchanged.
 * Source: shared facts statestore.md; kOps pkg/client/simple/vfsclientset. */
#pragma once

#include "spec/featureflag.h"
#include "spec/object.h"
#include "vfs/vfs.h"

struct ck_store {
    struct ck_vfs_ctx *vfs;
    struct ck_path root;
    const char *url; /* as given, trailing slash removed */
    const struct ck_feature_flags *features;
    bool lenient;
    void (*warn)(void *arg, const char *text); /* warnings for the user; never NULL */
    void *warn_arg;
};

/* Open without I/O. Errors: INVALID with kOps' three-line text when url is empty, or
 * `error building path for "x": …`. */
int ck_store_open(struct ck_vfs_ctx *ctx, const char *url, const struct ck_feature_flags *features,
                  struct ck_store *ret, struct ck_err *err);

/* ---- store/layout.c: every path the store uses ---- */
int ck_layout_cluster(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                      struct ck_path *ret, struct ck_err *err); /* S/N */
int ck_layout_config(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                     struct ck_path *ret, struct ck_err *err); /* S/N/config */
int ck_layout_ig(struct ck_arena *a, const struct ck_store *s, const char *cluster, const char *ig,
                 struct ck_path *ret, struct ck_err *err); /* ig NULL: the folder */
int ck_layout_addons(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                     struct ck_path *ret, struct ck_err *err); /* S/N/clusteraddons/default */
/* S/.ckops/locks/N.lock: never ends in "/config", whatever the name is, which is what kOps lists.
 */
#define CK_LAYOUT_LOCKS ".ckops/locks"
int ck_layout_lock(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                   struct ck_path *ret, struct ck_err *err);
/* The three roots of a loaded cluster (statestore.md §1.4). */
int ck_layout_config_base(struct ck_arena *a, const struct ck_store *s,
                          const struct ck_object *cluster, struct ck_path *ret, struct ck_err *err);
int ck_layout_key_store(struct ck_arena *a, const struct ck_store *s,
                        const struct ck_object *cluster, struct ck_path *ret, struct ck_err *err);
int ck_layout_secret_store(struct ck_arena *a, const struct ck_store *s,
                           const struct ck_object *cluster, struct ck_path *ret,
                           struct ck_err *err);
int ck_layout_keyset(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                     const char *keyset, struct ck_path *ret,
                     struct ck_err *err); /* keyset NULL: the folder of all */
int ck_layout_secret(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                     const char *secret, struct ck_path *ret, struct ck_err *err);

/* Whether kOps knows a file of this path below a cluster's folder; it deletes no cluster that has
 * others. */
bool ck_layout_is_known(const char *rel);

/* An object with where it came from and which version was read. */
struct ck_stored {
    struct ck_object obj;
    struct ck_path path;
    struct ck_version version;
    struct ck_slice bytes; /* as read; in the arena, or borrowed for the call in ck_cluster_each */
    bool lossy; /* it holds fields that this version does not know: rewriting would drop them */
};
struct ck_stored_list {
    struct ck_stored *v;
    size_t n, cap;
};

/* ---- store/batch.c: several writes that happen all or not at all ---- */
struct ck_batch_item {
    const char *what; /* `Cluster "x"`, for messages */
    struct ck_path path;
    struct ck_slice data; /* new content */
    bool replaces;        /* false: create-only */
    bool unguarded; /* what is there already is overwritten (the file's name is its content) */
    struct ck_version version; /* with replaces: what was read */
    struct ck_slice before;    /* with replaces: its content, put back when a later write fails */
    struct ck_version written; /* set by the commit */
    bool done;
};
struct ck_batch {
    struct ck_batch_item *v; /* in the arena */
    size_t n, cap;
};
struct ck_batch_item *ck_batch_add(struct ck_arena *a, struct ck_batch *b);
/* Write every item in order. When one fails, what this call wrote is taken back, each step only
 * while the content is still ours; what could not be taken back is named in the message, and so is
 * what stays because nobody knows whether the one that failed took effect.
 * *ret_failed (may be NULL) is the index of the item that failed.
 * Errors: EXISTS `file already exists`, CONFLICT, otherwise the store's. */
int ck_batch_commit(struct ck_arena *a, const struct ck_store *s, struct ck_batch *b,
                    size_t *ret_failed, struct ck_err *err);

/* ---- store/clusterset.c ---- */
/* Read one cluster. configBase is filled in memory when empty. NOT_FOUND
 * `Cluster.kops.k8s.io "N" not found`; a file that cannot be parsed: INVALID
 * `error reading cluster configuration "N": error parsing PATH: …`. */
int ck_cluster_get(struct ck_arena *a, const struct ck_store *s, const char *name,
                   struct ck_stored *ret, struct ck_err *err);
/* As GetCluster of kOps' commands: also `cluster name did not match expected name: X vs Y`, and the
 * prefix "error reading cluster configuration: ". */
int ck_cluster_get_for_command(struct ck_arena *a, const struct ck_store *s, const char *name,
                               struct ck_stored *ret, struct ck_err *err);
/* All clusters, sorted by their directory. fn gets either a cluster or an item error (never
 * dropped silently); the arena given to fn's objects is `a`, or with `a` NULL one that is emptied
 * after each call. */
typedef int (*ck_cluster_fn)(void *arg, const char *dir_name, const struct ck_stored *cluster,
                             struct ck_err *item_err);
int ck_cluster_each(struct ck_arena *a, const struct ck_store *s, ck_cluster_fn fn, void *arg,
                    struct ck_err *err);
int ck_cluster_names(const struct ck_store *s, struct ck_strv *ret, struct ck_err *err);
/* Validate (non-strict), stamp creationTimestamp when absent, create-only write.
 * Errors: EXISTS `file already exists`, INVALID. */
int ck_cluster_create(struct ck_arena *a, const struct ck_store *s, struct ck_object *cluster,
                      struct ck_err *err);
/* Validate the update, set generation, write if `old` is still what is stored.
 * CONFLICT: someone changed it since; the message says so, the caller shows the three-way view. */
int ck_cluster_update(struct ck_arena *a, const struct ck_store *s, const struct ck_stored *old,
                      struct ck_object *cluster, struct ck_err *err);
/* The same two in steps: everything but the write, which becomes an item of the batch. */
int ck_cluster_prepare_create(struct ck_arena *a, const struct ck_store *s,
                              struct ck_object *cluster, struct ck_batch *b, struct ck_err *err);
int ck_cluster_prepare_update(struct ck_arena *a, const struct ck_store *s,
                              const struct ck_stored *old, struct ck_object *cluster,
                              struct ck_batch *b, struct ck_err *err);
/* Remove the state as delete cluster does: refuses unknown files before it removes anything. */
int ck_cluster_delete(struct ck_arena *a, const struct ck_store *s, const struct ck_stored *cluster,
                      struct ck_err *err);

/* ---- store/igset.c ---- */
int ck_ig_get(struct ck_arena *a, const struct ck_store *s, const char *cluster, const char *name,
              struct ck_stored *ret, struct ck_err *err);
/* Sorted by name; a missing folder is an empty list; every file must parse. The cluster label is
 * added in memory. */
int ck_ig_list(struct ck_arena *a, const struct ck_store *s, const char *cluster,
               struct ck_stored_list *ret, struct ck_err *err);
int ck_ig_create(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                 struct ck_object *ig, struct ck_err *err);
int ck_ig_update(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                 const struct ck_stored *old, struct ck_object *ig, struct ck_err *err);
int ck_ig_prepare_create(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                         struct ck_object *ig, struct ck_batch *b, struct ck_err *err);
int ck_ig_prepare_update(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                         const struct ck_stored *old, struct ck_object *ig, struct ck_batch *b,
                         struct ck_err *err);
int ck_ig_delete(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                 const struct ck_stored *ig, struct ck_err *err);

/* ---- store/addonset.c: clusteraddons/default ---- */
int ck_addons_read(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                   struct ck_object **ret, size_t *ret_n, struct ck_err *err);
int ck_addons_write(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                    const struct ck_object *addons, size_t n, struct ck_err *err);
int ck_addons_prepare(struct ck_arena *a, const struct ck_store *s, const char *cluster,
                      const struct ck_object *addons, size_t n, struct ck_batch *b,
                      struct ck_err *err);

/* ---- store/sshset.c ---- */
struct ck_ssh_key {
    const char *id;   /* MD5 fingerprint with colons */
    const char *text; /* trimmed content */
};
int ck_ssh_list(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                struct ck_ssh_key **ret, size_t *ret_n, struct ck_err *err);
int ck_ssh_add(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
               struct ck_slice key, struct ck_err *err);
int ck_ssh_prepare(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                   struct ck_slice key, struct ck_batch *b, struct ck_err *err);
int ck_ssh_delete_all(struct ck_arena *a, const struct ck_store *s, const struct ck_object *cluster,
                      struct ck_err *err);
