/* What running tasks would do: per task, what is there now and which fields differ. */
#pragma once

#include "base/buf.h"
#include "target/world.h"

enum ck_plan_action { CK_PLAN_CREATE, CK_PLAN_MODIFY };

struct ck_plan_item {
    const struct ck_task *task;
    const struct ck_task *actual; /* NULL: to be created */
    enum ck_plan_action action;
    bool *changed;          /* per field of the kind; with MODIFY and `actual` */
    struct ck_val *changes; /* with MODIFY and no `actual`: {name, from, to} texts */
};

struct ck_plan {
    struct ck_plan_item *v; /* sorted by "Kind/Name" */
    size_t n, cap;
    struct ck_extras removed; /* there, and no longer wanted; sorted by kind and name */
    /* Objects that must be there and were not found, or differ where they must not. */
    struct ck_val *warnings;
};

/* Compare every task of `order` (dependencies first) with what its kind finds in `world`; with
 * `world` NULL nothing is known and everything is new, but what the user brought.
 *
 * Tasks of lifecycle Ignore are left out; ExistsAndValidates that differ are errors, the other
 * Exists… lifecycles warnings. Errors: INVALID, those of the read side. */
int ck_plan_make(struct ck_arena *a, struct ck_task *const *order, size_t n, struct ck_world *world,
                 struct ck_plan *ret, struct ck_err *err);

/* Add the tasks of `before` that `now` has no more. */
void ck_plan_removed(struct ck_arena *a, struct ck_plan *p, const struct ck_tasks *before,
                     const struct ck_tasks *now);
/* Add what the world has of the cluster and none of the tasks wants. To be called after
 * ck_plan_make, and with all tasks of the cluster: what a filter or a phase left out would look
 * left over. Kinds whose lifecycle was overridden are not looked at. Errors: those of the read
 * side. */
int ck_plan_extras(struct ck_arena *a, struct ck_plan *p, struct ck_world *world,
                   const struct ck_tasks *tasks, struct ck_err *err);
/* Whether there is anything to do. */
bool ck_plan_any(const struct ck_plan *p);

/* kOps' layout (shared facts cli.md §9.1), without the last line. Maps are sorted by key. With
 * `prune` nothing is deferred. */
void ck_plan_print(const struct ck_plan *p, bool prune, bool colour, struct ck_buf *out);
struct ck_val *ck_plan_val(struct ck_arena *a, const struct ck_plan *p);
/* {"create":[{kind,name,fields}],"modify":[{kind,name,changes:[{field,from,to}]}],
 *  "delete":[{kind,name,id,deferred}]} */
void ck_plan_json(struct ck_arena *a, const struct ck_plan *p, struct ck_buf *out);
