/* The configuration of a store as a git tree: one commit per entry of the journal, one for what no
 * entry explains; and edits of the tree brought back into the store. The tree holds
 * CLUSTER/config, CLUSTER/instancegroup/…, CLUSTER/clusteraddons/… and SSH keys; what update
 * cluster makes follows from these and stays out, keys and secrets come along only when asked for.
 *
 * Everything goes through the user's program `git`, which never runs hooks here. Files are given to
 * and taken from its objects; the working tree is git's own affair. kOps has nothing like it. */
#pragma once

#include "ops/journal/journal.h"

struct ck_storegit_opts {
    const char *dir;                /* the working tree */
    const struct ck_strv *clusters; /* empty: all */
    bool secrets;                   /* keys and secrets, too */
    bool create;                    /* make the tree when the folder is missing or empty */
    struct ck_journal_who who;      /* at work now */
};

struct ck_storegit {
    struct ck_arena *a;
    const struct ck_store *s;
    const struct ck_storegit_opts *opts;
    const char *dir;                            /* absolute */
    const char *ref;                            /* the branch: refs/heads/… */
    const char *head;                           /* the branch's commit; "" none */
    const char *base;                           /* one where store and tree agreed; "" none */
    const char *mark;                           /* how commits name the store */
    struct ck_journal_view tree, agreed, store; /* paths begin with the cluster's name */
    struct ck_journal_changes drift;            /* from the tree to the store */
    struct ck_journal_changes edits; /* of the tree, not in the store: from `agreed` to `tree` */
};

/* Read both. `a` comes from ck_keyset_arena(). Errors: INVALID: the folder is no git tree, lies
 * in the store, has changes that are not committed, links or submodules in the clusters' folders;
 * NOT_FOUND: no such cluster, no program git; LIMIT. */
int ck_storegit_open(struct ck_arena *a, const struct ck_store *s,
                     const struct ck_storegit_opts *opts, struct ck_storegit *ret,
                     struct ck_err *err);
/* Bring the tree to the store, commit by commit; *ret_commits: how many. CONFLICT: the tree was
 * edited and that is not in the store. */
int ck_storegit_export(struct ck_storegit *g, size_t *ret_commits, struct ck_err *err);
/* Write the edits into the store, all or none, each only while the store has what was exported;
 * they are checked as replace checks manifests, and stored byte for byte. With `dry_run` only
 * checked. Errors: CONFLICT, INVALID (also for what cannot be imported: keys, secrets, removed
 * clusters). */
int ck_storegit_import(struct ck_storegit *g, bool dry_run, struct ck_err *err);
