/* What is there: the read side of plans. A cloud, a Terraform module that was applied, or nothing.
 */
#pragma once

#include "task/task.h"

struct ck_look {
    bool known; /* the world can tell; otherwise nothing is said about the task */
    bool found;
    struct ck_task *actual; /* with found, where the world makes records: fields are compared */
    /* Otherwise the differences themselves: {name, from, to} texts. */
    struct ck_val *changes;
};

struct ck_world {
    /* Fills in what the task left for later before it compares it. */
    int (*look)(struct ck_world *w, struct ck_task *t, struct ck_look *ret, struct ck_err *err);
    /* What is there and wanted no more. May be NULL. */
    int (*extras)(struct ck_world *w, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err);
};

/* ---- world_terraform.c ---- */
/* A module as ckops writes it, taken for what is there. Read whole, at most 64 MiB.
 * Errors: NOT_FOUND, INVALID with the line. `tf` is a module to render into (its region, bucket
 * look-up and so on are set); it is used up. */
struct ck_tf;
int ck_world_of_module(struct ck_arena *a, const char *dir, struct ck_tf *tf, struct ck_world **ret,
                       struct ck_err *err);

/* ---- world_tasks.c ---- */
/* The tasks of another configuration (resolved); borrowed. */
struct ck_world *ck_world_of_tasks(struct ck_arena *a, const struct ck_tasks *set);

/* ---- world_aws.c ---- */
struct ck_aws_read;
/* What AWS describes; `read` is borrowed. */
struct ck_world *ck_world_of_aws(struct ck_arena *a, struct ck_aws_read *read);
