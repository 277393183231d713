/* `update cluster`: from what is stored to tasks, and what is done with them. */
#pragma once

#include "base/strv.h"
#include "cloud/aws/read.h"
#include "model/model.h"
#include "target/plan.h"

struct ck_update_opts {
    const char *name;                /* of the cluster */
    const char *phase;               /* "", "network", "security", "iam", "cluster" */
    bool plan_only;                  /* a preview: nothing is made, keys included */
    const struct ck_strv *overrides; /* "Task=Lifecycle" */
    const struct ck_strv *groups;    /* names; empty: all */
    const struct ck_strv *roles;     /* names of roles; empty: all */
    bool allow_downgrade;
    bool offline; /* no cloud is asked; hashes of files come from tables and caches */
    const struct ck_env *env;
    void (*note)(void *arg, const char *text); /* warnings and skipped checks; may be NULL */
    void *note_arg;
};

/* A loaded cluster with its tasks. Lives in the arena; keys in it are secret. */
struct ck_update {
    struct ck_arena *arena;
    const struct ck_store *store;
    struct ck_update_opts opts;
    struct ck_stored cluster;
    struct ck_facts facts;
    bool facts_given;     /* in a file, which then stands for every cloud */
    struct ck_val *noted; /* buckets whose region was said to be unknown; NULL: none */
    struct ck_channel channel;
    struct ck_object full;
    struct ck_model model;
    struct ck_tasks tasks;
    struct ck_task **order;  /* tasks, dependencies first */
    struct ck_strv secrets;  /* names of those in the store */
    struct ck_aws_read *aws; /* NULL: no cloud is asked */
    struct ck_http *http;
};
void ck_update_done(struct ck_update *u);

/* Read cluster, groups, keys and facts, complete the specification and build the tasks.
 *
 * With plan_only nothing is written anywhere. Otherwise keysets that are missing are made, because
 * the files nodes read name them.
 * Errors: those of loading and completing; INVALID `unknown phase …`, `unknown lifecycle …`;
 * `kops version older than last used to update the cluster`. */
int ck_update_load(struct ck_arena *a, const struct ck_store *s, const struct ck_update_opts *o,
                   struct ck_update *ret, struct ck_err *err);

/* What is there, as far as given facts tell: the folder of an applied Terraform module under
 * "terraform" (relative to the facts file). *ret is NULL when nothing is known. */
int ck_update_world(struct ck_update *u, struct ck_world **ret, struct ck_err *err);

/* Write the tasks as a Terraform module into `out`; without the feature flag TerraformManagedFiles
 * the files of the store go there, before the module is put in place. */
int ck_update_terraform(struct ck_update *u, const char *out, struct ck_err *err);
