/* Comparing tasks with what is there.
 *
 * Mirrors kOps upup/pkg/fi/default_methods.go, changes.go. */
#include "target/plan.h"

#include <stdlib.h>
#include <string.h>

static int cmp_key(const struct ck_task *a, const struct ck_task *b)
{
    /* Byte order of "Kind/Name", without building it. */
    int c = strcmp(a->kind->name, b->kind->name);
    if (c) {
        size_t la = strlen(a->kind->name), lb = strlen(b->kind->name);
        size_t n = la < lb ? la : lb;
        if (!strncmp(a->kind->name, b->kind->name, n)) {
            char ca = la > n ? a->kind->name[n] : '/', cb = lb > n ? b->kind->name[n] : '/';
            return (unsigned char)ca - (unsigned char)cb;
        }
        return c;
    }
    return strcmp(a->name, b->name);
}

static int by_key(const void *x, const void *y)
{
    const struct ck_plan_item *a = x, *b = y;
    return cmp_key(a->task, b->task);
}

static bool list_has(const struct ck_val *list, const struct ck_val *item)
{
    for (size_t i = 0; i < ck_len(list); i++)
        if (ck_val_eq(ck_item(list, i), item))
            return true;
    return false;
}

/* Equal as sets: order says nothing. */
static bool set_eq(const struct ck_val *a, const struct ck_val *b)
{
    if (ck_len(a) != ck_len(b))
        return false;
    for (size_t i = 0; i < ck_len(a); i++)
        if (!list_has(b, ck_item(a, i)))
            return false;
    return true;
}

static bool ref_eq(const struct ck_task *a, const struct ck_task *b)
{
    return a->kind == b->kind && !strcmp(a->name, b->name);
}

static bool refs_eq(const struct ck_task_value *a, const struct ck_task_value *b, bool set)
{
    if (a->n_refs != b->n_refs)
        return false;
    for (size_t i = 0; i < a->n_refs; i++) {
        bool found = !set && ref_eq(a->refs[i], b->refs[i]);
        for (size_t k = 0; set && k < b->n_refs && !found; k++)
            found = ref_eq(a->refs[i], b->refs[k]);
        if (!found)
            return false;
    }
    return true;
}

static bool empty(const struct ck_task_value *v, enum ck_field_type type)
{
    if (!v->set)
        return true;
    if (type == CK_FIELD_STR)
        return !*ck_str_or(v->val, "");
    if (type == CK_FIELD_STRS || type == CK_FIELD_MAP)
        return ck_len(v->val) == 0;
    return false;
}

static bool field_eq(const struct ck_task_field *f, const struct ck_task_value *want,
                     const struct ck_task_value *have)
{
    /* An empty text or list says the same as none. */
    if (empty(want, f->type) && empty(have, f->type))
        return true;
    if (!have->set)
        return false;
    if (f->type == CK_FIELD_BYTES)
        return ck_slice_eq(ck_slice_trim(want->bytes), ck_slice_trim(have->bytes));
    if (f->type == CK_FIELD_REF || f->type == CK_FIELD_REFS)
        return refs_eq(want, have, f->flags & CK_FIELD_SET);
    if (f->flags & CK_FIELD_SET)
        return set_eq(want->val, have->val);
    return ck_val_eq(want->val, have->val);
}

/* Which fields that are wanted differ; fields left open are not compared. */
static bool compare(struct ck_arena *a, const struct ck_task *t, const struct ck_task *actual,
                    bool **ret)
{
    const struct ck_task_field *f = t->kind->fields;
    size_t n = 0;
    bool any = false;
    while (f[n].name)
        n++;
    bool *changed = ck_arena_alloc(a, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (!t->v[i].set || (f[i].flags & CK_FIELD_NO_DIFF))
            continue;
        changed[i] = !field_eq(&f[i], &t->v[i], &actual->v[i]);
        any = any || changed[i];
    }
    *ret = changed;
    return any;
}

static bool must_exist(const struct ck_task *t)
{
    return t->lifecycle == CK_LIFECYCLE_EXISTS_AND_VALIDATES ||
           t->lifecycle == CK_LIFECYCLE_EXISTS_AND_WARN;
}

static bool brought(const struct ck_task *t)
{
    const struct ck_task_field *f = t->kind->fields;
    for (size_t i = 0; f[i].name; i++)
        if (!strcmp(f[i].name, "Shared"))
            return t->v[i].set && t->v[i].val && t->v[i].val->kind == CK_BOOL && t->v[i].val->b;
    return false;
}

static void add(struct ck_arena *a, struct ck_plan *p, struct ck_plan_item item)
{
    if (p->n == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 64;
        struct ck_plan_item *v = ck_arena_alloc(a, cap * sizeof *v);
        if (p->n)
            memcpy(v, p->v, p->n * sizeof *v);
        p->v = v;
        p->cap = cap;
    }
    p->v[p->n++] = item;
}

/* A task that must not be changed: differences are reported, not planned. */
static int report(struct ck_arena *a, struct ck_plan *p, const struct ck_task *t, const char *what,
                  struct ck_err *err)
{
    if (t->lifecycle == CK_LIFECYCLE_EXISTS_AND_VALIDATES)
        return ck_fail(err, CK_INVALID, "%s/%s must be there as it is (ExistsAndValidates), but %s",
                       t->kind->name, t->name, what);
    ck_append_str(a, p->warnings,
                  ck_arena_printf(a, "%s/%s %s; it is left as it is (%s)", t->kind->name, t->name,
                                  what, ck_lifecycle_name(t->lifecycle)));
    return 0;
}

/* Nothing was found, or nobody can look. */
static int absent(struct ck_arena *a, struct ck_plan *p, const struct ck_task *t, bool known,
                  struct ck_err *err)
{
    if (t->kind->unwanted && t->kind->unwanted(t))
        return 0;
    if (brought(t) && !known)
        return 0; /* taken to be there */
    if (brought(t))
        return ck_fail(err, CK_NOT_FOUND, "%s/%s is shared, and was not found", t->kind->name,
                       t->name);
    if (must_exist(t))
        return report(a, p, t, "was not found", err);
    add(a, p, (struct ck_plan_item){.task = t, .action = CK_PLAN_CREATE});
    return 0;
}

static int one(struct ck_arena *a, struct ck_plan *p, struct ck_task *t, struct ck_world *world,
               struct ck_err *err)
{
    struct ck_look look = {0};
    struct ck_plan_item item = {.task = t, .action = CK_PLAN_MODIFY};
    if (t->lifecycle == CK_LIFECYCLE_IGNORE)
        return 0;
    int r = world ? world->look(world, t, &look, err) : 0;
    if (!r && !look.known && t->kind->self_known) {
        r = t->kind->find(NULL, t, &look.actual, err);
        look.known = true;
        look.found = look.actual != NULL;
    }
    if (!r && t->kind->check)
        r = t->kind->check(t, look.actual, err);
    if (r)
        return r;
    if (world && !look.known)
        return 0; /* this world says nothing about such tasks */
    if (!look.found)
        return absent(a, p, t, look.known, err);
    bool differs = look.actual ? compare(a, t, look.actual, &item.changed) : ck_len(look.changes);
    if (!differs)
        return 0;
    if (must_exist(t))
        return report(a, p, t, "differs", err);
    item.actual = look.actual;
    item.changes = look.actual ? NULL : look.changes;
    add(a, p, item);
    return 0;
}

int ck_plan_make(struct ck_arena *a, struct ck_task *const *order, size_t n, struct ck_world *world,
                 struct ck_plan *ret, struct ck_err *err)
{
    *ret = (struct ck_plan){.warnings = ck_list(a)};
    for (size_t i = 0; i < n; i++) {
        int r = one(a, ret, order[i], world, err);
        if (r)
            return r;
    }
    if (ret->n)
        qsort(ret->v, ret->n, sizeof *ret->v, by_key);
    return 0;
}

static int by_extra(const void *x, const void *y)
{
    const struct ck_extra *a = x, *b = y;
    int c = strcmp(a->kind->name, b->kind->name);
    if (!c)
        c = strcmp(a->name, b->name);
    return c ? c : strcmp(a->id, b->id);
}

static void sort(struct ck_extras *x)
{
    if (x->n)
        qsort(x->v, x->n, sizeof *x->v, by_extra);
}

void ck_plan_removed(struct ck_arena *a, struct ck_plan *p, const struct ck_tasks *before,
                     const struct ck_tasks *now)
{
    p->removed.a = a;
    for (size_t i = 0; i < before->n; i++) {
        const struct ck_task *t = before->v[i];
        bool nothing = brought(t) || (t->kind->unwanted && t->kind->unwanted(t));
        if (!nothing && t->lifecycle != CK_LIFECYCLE_IGNORE &&
            !ck_tasks_find(now, t->kind, t->name))
            ck_extras_add(&p->removed, t->kind, t->name, NULL, true);
    }
    sort(&p->removed);
}

int ck_plan_extras(struct ck_arena *a, struct ck_plan *p, struct ck_world *world,
                   const struct ck_tasks *tasks, struct ck_err *err)
{
    struct ck_extras all = {.a = a};
    int r = world && world->extras ? world->extras(world, tasks, &all, err) : 0;
    p->removed.a = a;
    for (size_t i = 0; i < all.n && !r; i++)
        if (!ck_get(tasks->overrides, all.v[i].kind->name))
            ck_extras_add(&p->removed, all.v[i].kind, all.v[i].name, all.v[i].id, all.v[i].at_once);
    sort(&p->removed);
    return r;
}

bool ck_plan_any(const struct ck_plan *p)
{
    return p->n || p->removed.n;
}
