/* Tasks: typed records of what should be, each described by its kind's field table, and the graph
 * they form.
 *
 * A builder makes a task and sets fields by the names kOps' previews print; fields that name other
 * tasks form the dependency graph. Mistakes of a builder (an unknown field, one key twice) are
 * collected in the set and reported once, by ck_tasks_resolve. Mirrors kOps upup/pkg/fi/task.go,
 * topological_sort.go; shared facts update-cluster-aws.md §2. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "doc/val.h"

#include <stdbool.h>
#include <stddef.h>

struct ck_tf; /* task/tf.h */
struct ck_task;
struct ck_tasks;
struct ck_task_kind;

enum ck_lifecycle {
    CK_LIFECYCLE_SYNC,
    CK_LIFECYCLE_IGNORE,
    CK_LIFECYCLE_EXISTS_AND_VALIDATES,
    CK_LIFECYCLE_EXISTS_AND_WARN,
    CK_LIFECYCLE_WARN_IF_INSUFFICIENT,
};

enum ck_field_type {
    CK_FIELD_STR,
    CK_FIELD_INT,
    CK_FIELD_BOOL,
    CK_FIELD_STRS,  /* list of strings */
    CK_FIELD_MAP,   /* string → string */
    CK_FIELD_VAL,   /* any value tree */
    CK_FIELD_REF,   /* another task */
    CK_FIELD_REFS,  /* other tasks, in order */
    CK_FIELD_BYTES, /* content of a file or document */
};

enum {
    CK_FIELD_HIDDEN = 1 << 0,   /* ours: not in previews */
    CK_FIELD_SET = 1 << 1,      /* order means nothing when comparing */
    CK_FIELD_NO_DIFF = 1 << 2,  /* not compared with what is there */
    CK_FIELD_ZERO_OFF = 1 << 3, /* false, 0, "" and empty lists are not shown in previews */
};

struct ck_task_field {
    const char *name; /* as previews print it */
    enum ck_field_type type;
    unsigned flags;
};

/* Something that is there, is the cluster's own and is wanted no more. */
struct ck_extra {
    const struct ck_task_kind *kind;
    const char *name;
    const char *id; /* "": the name says it */
    bool at_once;   /* goes with the update; otherwise only with --prune */
};
struct ck_extras {
    struct ck_arena *a;
    struct ck_extra *v;
    size_t n, cap;
};
/* Texts are copied; `id` may be NULL. */
void ck_extras_add(struct ck_extras *x, const struct ck_task_kind *kind, const char *name,
                   const char *id, bool at_once);

/* One kind of task: one file under task/. */
struct ck_task_kind {
    const char *name;                   /* "Subnet" */
    const struct ck_task_field *fields; /* ended by name == NULL; in preview order */
    bool id_is_name; /* the cloud knows it by its name: previews show it as "id:" too */
    /* How other blocks of a Terraform module refer to it: an expression. NULL: they don't. */
    const char *(*link)(struct ck_tf *tf, const struct ck_task *t);
    /* Render into a Terraform module. NULL: nothing is rendered. */
    int (*terraform)(struct ck_tf *tf, const struct ck_task *t, struct ck_err *err);
    /* Refuse impossible changes; `actual` NULL when there is nothing yet. May be NULL. */
    int (*check)(const struct ck_task *t, const struct ck_task *actual, struct ck_err *err);
    /* Whether it says that there should be nothing (a disabled warm pool). May be NULL. */
    bool (*unwanted)(const struct ck_task *t);
    /* What is there now, as a task of the same kind in *ret (NULL: nothing). `world` is the read
     * side's handle. NULL: not looked for, always new. */
    int (*find)(void *world, const struct ck_task *t, struct ck_task **ret, struct ck_err *err);
    /* What is there of this kind, belongs to the cluster and is not among the tasks. `world` is
     * that of `find`, which has looked for all tasks before. NULL: nothing can be left over. */
    int (*extras)(void *world, const struct ck_tasks *wanted, struct ck_extras *ret,
                  struct ck_err *err);
    /* `find` needs no world: the task itself knows what the store has. */
    bool self_known;
};

struct ck_task_value {
    bool set;
    const struct ck_val *val; /* STR … VAL */
    struct ck_task **refs;    /* REF, REFS; resolved: never NULL inside */
    size_t n_refs;
    struct ck_slice bytes; /* BYTES */
};

/* Makes a document; *ret lives as long as the set. */
typedef int (*ck_task_make_fn)(void *arg, struct ck_slice *ret, struct ck_err *err);

struct ck_task {
    const struct ck_task_kind *kind;
    struct ck_tasks *set;
    const char *name;
    enum ck_lifecycle lifecycle;
    bool stub;               /* only a name so far: replaced by the real task when resolved */
    struct ck_task_value *v; /* one per field of the kind */
    struct ck_task **after;  /* dependencies beyond the fields */
    size_t n_after;
    size_t index; /* place in the set */
    /* What the BYTES field `later` will hold; NULL: made, or there is none. */
    ck_task_make_fn make;
    void *make_arg;
    size_t later;
};

struct ck_tasks {
    struct ck_arena *a;
    struct ck_map by_key; /* "Kind/Name" → task */
    struct ck_task **v;   /* in the order added */
    size_t n, cap;
    struct ck_err err; /* the first mistake of a builder */
    /* --lifecycle-overrides: kind name → lifecycle */
    const struct ck_val *overrides;
};

void ck_tasks_init(struct ck_tasks *s, struct ck_arena *a);
void ck_tasks_done(struct ck_tasks *s);

/* A new task in the set. A key that exists is a mistake; ck_task_ensure returns the one there. */
struct ck_task *ck_task_new(struct ck_tasks *s, const struct ck_task_kind *kind, const char *name,
                            enum ck_lifecycle lifecycle);
struct ck_task *ck_task_ensure(struct ck_tasks *s, const struct ck_task_kind *kind,
                               const char *name, enum ck_lifecycle lifecycle);
struct ck_task *ck_tasks_find(const struct ck_tasks *s, const struct ck_task_kind *kind,
                              const char *name); /* NULL */

/* Set a field. NULL strings and values leave it unset. Strings are copied. */
void ck_task_str(struct ck_task *t, const char *field, const char *s);
void ck_task_int(struct ck_task *t, const char *field, int64_t i);
void ck_task_bool(struct ck_task *t, const char *field, bool b);
void ck_task_val(struct ck_task *t, const char *field, const struct ck_val *v);
void ck_task_bytes(struct ck_task *t, const char *field, struct ck_slice bytes); /* copies */
/* The same of a document that is made when it is needed (ck_task_fill); one per task. */
void ck_task_bytes_later(struct ck_task *t, const char *field, ck_task_make_fn fn, void *arg);
/* Make what was left for later. Whoever reads BYTES of a task calls it first. */
int ck_task_fill(struct ck_task *t, struct ck_err *err);
int ck_tasks_fill(struct ck_tasks *s, struct ck_err *err); /* of all */
/* Name another task, made already or later: REF is set, REFS grows. An empty list is set by
 * ck_task_refs_none. */
void ck_task_ref(struct ck_task *t, const char *field, const struct ck_task_kind *kind,
                 const char *name);
void ck_task_refs_none(struct ck_task *t, const char *field);
/* Run after another task that no field names. */
void ck_task_after(struct ck_task *t, struct ck_task *other);

/* Read a field; an unset one gives NULL, "", the default or an empty slice. */
const struct ck_task_value *ck_task_value(const struct ck_task *t, const char *field);
bool ck_task_has(const struct ck_task *t, const char *field);
const struct ck_val *ck_task_get(const struct ck_task *t, const char *field);
const char *ck_task_get_str(const struct ck_task *t, const char *field);
int64_t ck_task_get_int(const struct ck_task *t, const char *field, int64_t dflt);
bool ck_task_get_bool(const struct ck_task *t, const char *field, bool dflt);
struct ck_slice ck_task_get_bytes(const struct ck_task *t, const char *field);
struct ck_task *ck_task_get_ref(const struct ck_task *t, const char *field);

/* Replace stubs by the real tasks, check that the graph has no cycle, and order it: dependencies
 * first, otherwise as added. Errors: INVALID naming the tasks; INTERNAL for a builder's mistake. */
int ck_tasks_resolve(struct ck_tasks *s, struct ck_task ***ret_order, struct ck_err *err);

/* "Sync", "Ignore", …; false when the text names none. */
bool ck_lifecycle_parse(const char *text, enum ck_lifecycle *ret);
const char *ck_lifecycle_name(enum ck_lifecycle l);
