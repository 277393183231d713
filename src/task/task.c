/* Sets of tasks: making, setting fields, resolving references, ordering.
 *
 * Does not run anything: that is target/'s. Mirrors kOps upup/pkg/fi/task.go and
 * topological_sort.go. */
#include "task/task.h"

#include "base/buf.h"

#include <stdint.h>
#include <string.h>

static const char *const LIFECYCLES[] = {
    [CK_LIFECYCLE_SYNC] = "Sync",
    [CK_LIFECYCLE_IGNORE] = "Ignore",
    [CK_LIFECYCLE_EXISTS_AND_VALIDATES] = "ExistsAndValidates",
    [CK_LIFECYCLE_EXISTS_AND_WARN] = "ExistsAndWarnIfChanges",
    [CK_LIFECYCLE_WARN_IF_INSUFFICIENT] = "WarnIfInsufficientAccess",
};
enum { N_LIFECYCLES = sizeof LIFECYCLES / sizeof *LIFECYCLES };

bool ck_lifecycle_parse(const char *text, enum ck_lifecycle *ret)
{
    for (int i = 0; i < N_LIFECYCLES; i++) {
        if (!strcmp(text, LIFECYCLES[i])) {
            *ret = (enum ck_lifecycle)i;
            return true;
        }
    }
    return false;
}

const char *ck_lifecycle_name(enum ck_lifecycle l)
{
    return LIFECYCLES[l];
}

void ck_tasks_init(struct ck_tasks *s, struct ck_arena *a)
{
    *s = (struct ck_tasks){.a = a};
}

void ck_tasks_done(struct ck_tasks *s)
{
    ck_map_done(&s->by_key);
    ck_err_done(&s->err);
    *s = (struct ck_tasks){0};
}

static const char *key_of(struct ck_arena *a, const struct ck_task_kind *kind, const char *name)
{
    return ck_arena_printf(a, "%s/%s", kind->name, name);
}

/* Only the first mistake is kept: later ones often follow from it. */
static void mistake(struct ck_tasks *s, const char *what, const struct ck_task *t,
                    const char *field)
{
    if (s->err.code == CK_OK)
        ck_fail(&s->err, CK_INTERNAL, "%s: %s/%s%s%s", what, t->kind->name, t->name,
                field ? ": " : "", field ? field : "");
}

static size_t n_fields(const struct ck_task_kind *kind)
{
    size_t n = 0;
    while (kind->fields[n].name)
        n++;
    return n;
}

/* Arrays in an arena grow by doubling; what is left behind dies with the arena. */
static void *grow(struct ck_arena *a, void *v, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return v;
    *cap = *cap ? *cap * 2 : 16;
    void *p = ck_arena_alloc(a, *cap * size);
    if (n)
        memcpy(p, v, n * size);
    return p;
}

static struct ck_task *make(struct ck_tasks *s, const struct ck_task_kind *kind, const char *name)
{
    struct ck_task *t = ck_arena_alloc(s->a, sizeof *t);
    t->kind = kind;
    t->set = s;
    t->name = ck_arena_strdup(s->a, name);
    t->v = ck_arena_alloc(s->a, (n_fields(kind) + 1) * sizeof *t->v);
    return t;
}

static void add(struct ck_tasks *s, struct ck_task *t, enum ck_lifecycle lifecycle)
{
    const struct ck_val *over = ck_get(s->overrides, t->kind->name);
    t->lifecycle = lifecycle;
    if (over)
        ck_lifecycle_parse(ck_str_or(over, ""), &t->lifecycle);
    s->v = grow(s->a, s->v, s->n, &s->cap, sizeof(struct ck_task *));
    t->index = s->n;
    s->v[s->n++] = t;
    ck_map_put(&s->by_key, key_of(s->a, t->kind, t->name), t);
}

struct ck_task *ck_tasks_find(const struct ck_tasks *s, const struct ck_task_kind *kind,
                              const char *name)
{
    return ck_map_get(&s->by_key, key_of(s->a, kind, name));
}

struct ck_task *ck_task_new(struct ck_tasks *s, const struct ck_task_kind *kind, const char *name,
                            enum ck_lifecycle lifecycle)
{
    struct ck_task *t = make(s, kind, name);
    if (ck_tasks_find(s, kind, name))
        mistake(s, "two tasks have one name", t, NULL);
    else
        add(s, t, lifecycle);
    return t;
}

struct ck_task *ck_task_ensure(struct ck_tasks *s, const struct ck_task_kind *kind,
                               const char *name, enum ck_lifecycle lifecycle)
{
    struct ck_task *t = ck_tasks_find(s, kind, name);
    return t ? t : ck_task_new(s, kind, name, lifecycle);
}

/* ---- fields ---- */

static const struct ck_task_field *field_of(const struct ck_task *t, const char *name, size_t *ret)
{
    const struct ck_task_field *f = t->kind->fields;
    *ret = 0;
    for (size_t i = 0; f[i].name; i++) {
        if (!strcmp(f[i].name, name)) {
            *ret = i;
            return &f[i];
        }
    }
    mistake(t->set, "no such field", t, name);
    return NULL;
}

static void set_val(struct ck_task *t, const char *field, unsigned types, const struct ck_val *v)
{
    size_t i;
    const struct ck_task_field *f = field_of(t, field, &i);
    if (!f || !v)
        return;
    if (!(types & 1U << f->type)) {
        mistake(t->set, "field of another type", t, field);
        return;
    }
    t->v[i].set = true;
    t->v[i].val = v;
}

void ck_task_str(struct ck_task *t, const char *field, const char *s)
{
    set_val(t, field, 1U << CK_FIELD_STR, s ? ck_str(t->set->a, s) : NULL);
}

void ck_task_int(struct ck_task *t, const char *field, int64_t i)
{
    set_val(t, field, 1U << CK_FIELD_INT, ck_int(t->set->a, i));
}

void ck_task_bool(struct ck_task *t, const char *field, bool b)
{
    set_val(t, field, 1U << CK_FIELD_BOOL, ck_bool(t->set->a, b));
}

void ck_task_val(struct ck_task *t, const char *field, const struct ck_val *v)
{
    set_val(t, field,
            1U << CK_FIELD_STR | 1U << CK_FIELD_INT | 1U << CK_FIELD_BOOL | 1U << CK_FIELD_STRS |
                1U << CK_FIELD_MAP | 1U << CK_FIELD_VAL,
            v);
}

void ck_task_bytes(struct ck_task *t, const char *field, struct ck_slice bytes)
{
    size_t i;
    const struct ck_task_field *f = field_of(t, field, &i);
    if (!f)
        return;
    if (f->type != CK_FIELD_BYTES) {
        mistake(t->set, "field of another type", t, field);
        return;
    }
    t->v[i].set = true;
    t->v[i].bytes = ck_arena_slice(t->set->a, bytes);
}

void ck_task_bytes_later(struct ck_task *t, const char *field, ck_task_make_fn fn, void *arg)
{
    ck_task_bytes(t, field, (struct ck_slice){"", 0});
    if (!field_of(t, field, &t->later))
        return;
    t->make = fn;
    t->make_arg = arg;
}

int ck_task_fill(struct ck_task *t, struct ck_err *err)
{
    if (!t->make)
        return 0;
    int r = t->make(t->make_arg, &t->v[t->later].bytes, err);
    if (r)
        return ck_wrap(err, "%s/%s", t->kind->name, t->name);
    t->make = NULL;
    return 0;
}

int ck_tasks_fill(struct ck_tasks *s, struct ck_err *err)
{
    int r = 0;
    for (size_t i = 0; i < s->n && !r; i++)
        r = ck_task_fill(s->v[i], err);
    return r;
}

static struct ck_task *stub(struct ck_tasks *s, const struct ck_task_kind *kind, const char *name)
{
    struct ck_task *known = ck_tasks_find(s, kind, name);
    if (known)
        return known;
    struct ck_task *t = make(s, kind, name);
    t->stub = true;
    return t;
}

static void append_task(struct ck_arena *a, struct ck_task ***v, size_t *n, struct ck_task *t)
{
    /* Lists are short: capacities are the powers of two from 4 on. */
    if (*n == 0 || (*n >= 4 && (*n & (*n - 1)) == 0)) {
        size_t cap = *n ? *n * 2 : 4;
        struct ck_task **p = ck_arena_alloc(a, cap * sizeof(struct ck_task *));
        if (*n)
            memcpy(p, *v, *n * sizeof(struct ck_task *));
        *v = p;
    }
    (*v)[(*n)++] = t;
}

void ck_task_ref(struct ck_task *t, const char *field, const struct ck_task_kind *kind,
                 const char *name)
{
    size_t i;
    const struct ck_task_field *f = field_of(t, field, &i);
    if (!f || !name)
        return;
    if (f->type != CK_FIELD_REF && f->type != CK_FIELD_REFS) {
        mistake(t->set, "field of another type", t, field);
        return;
    }
    if (f->type == CK_FIELD_REF)
        t->v[i].n_refs = 0;
    t->v[i].set = true;
    append_task(t->set->a, &t->v[i].refs, &t->v[i].n_refs, stub(t->set, kind, name));
}

void ck_task_refs_none(struct ck_task *t, const char *field)
{
    size_t i;
    if (field_of(t, field, &i))
        t->v[i].set = true;
}

void ck_task_after(struct ck_task *t, struct ck_task *other)
{
    append_task(t->set->a, &t->after, &t->n_after, other);
}

const struct ck_task_value *ck_task_value(const struct ck_task *t, const char *field)
{
    static const struct ck_task_value none;
    size_t i;
    return field_of(t, field, &i) ? &t->v[i] : &none;
}

bool ck_task_has(const struct ck_task *t, const char *field)
{
    return ck_task_value(t, field)->set;
}

const struct ck_val *ck_task_get(const struct ck_task *t, const char *field)
{
    return ck_task_value(t, field)->val;
}

const char *ck_task_get_str(const struct ck_task *t, const char *field)
{
    return ck_str_or(ck_task_get(t, field), "");
}

int64_t ck_task_get_int(const struct ck_task *t, const char *field, int64_t dflt)
{
    const struct ck_val *v = ck_task_get(t, field);
    return v && v->kind == CK_INT ? v->i : dflt;
}

bool ck_task_get_bool(const struct ck_task *t, const char *field, bool dflt)
{
    const struct ck_val *v = ck_task_get(t, field);
    return v && v->kind == CK_BOOL ? v->b : dflt;
}

struct ck_slice ck_task_get_bytes(const struct ck_task *t, const char *field)
{
    return ck_task_value(t, field)->bytes;
}

struct ck_task *ck_task_get_ref(const struct ck_task *t, const char *field)
{
    const struct ck_task_value *v = ck_task_value(t, field);
    return v->n_refs ? v->refs[0] : NULL;
}

/* ---- the graph ---- */

static int resolve_one(struct ck_tasks *s, const struct ck_task *t, struct ck_task **slot,
                       struct ck_err *err)
{
    if (!(*slot)->stub)
        return 0;
    struct ck_task *real = ck_tasks_find(s, (*slot)->kind, (*slot)->name);
    if (!real)
        return ck_fail(err, CK_INVALID, "%s/%s needs %s/%s, which is not part of the plan",
                       t->kind->name, t->name, (*slot)->kind->name, (*slot)->name);
    *slot = real;
    return 0;
}

static int resolve_stubs(struct ck_tasks *s, struct ck_task *t, struct ck_err *err)
{
    for (size_t i = 0; t->kind->fields[i].name; i++) {
        for (size_t j = 0; j < t->v[i].n_refs; j++) {
            int r = resolve_one(s, t, &t->v[i].refs[j], err);
            if (r)
                return r;
        }
    }
    return 0;
}

enum colour { WHITE, GREY, BLACK };

struct walk {
    struct ck_task **order;
    size_t n;
    unsigned char *colour;
    struct ck_task **path; /* the tasks being visited, for messages */
    size_t depth;
    struct ck_err *err;
};

static int cycle(struct walk *w, const struct ck_task *t)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_MAX(4096);
    size_t i = w->depth;
    while (i && w->path[i - 1] != t)
        i--;
    for (i = i ? i - 1 : 0; i < w->depth; i++)
        ck_buf_fmt(&b, "%s/%s -> ", w->path[i]->kind->name, w->path[i]->name);
    return ck_fail(w->err, CK_INVALID, "tasks wait for each other: %s%s/%s", ck_buf_str(&b),
                   t->kind->name, t->name);
}

static int visit(struct walk *w, struct ck_task *t)
{
    if (w->colour[t->index] == BLACK)
        return 0;
    if (w->colour[t->index] == GREY)
        return cycle(w, t);
    w->colour[t->index] = GREY;
    w->path[w->depth++] = t;
    int r = 0;
    for (size_t i = 0; t->kind->fields[i].name && !r; i++)
        for (size_t j = 0; j < t->v[i].n_refs && !r; j++)
            r = visit(w, t->v[i].refs[j]);
    for (size_t i = 0; i < t->n_after && !r; i++)
        r = visit(w, t->after[i]);
    w->depth--;
    w->colour[t->index] = BLACK;
    w->order[w->n++] = t;
    return r;
}

int ck_tasks_resolve(struct ck_tasks *s, struct ck_task ***ret_order, struct ck_err *err)
{
    if (s->err.code != CK_OK)
        return ck_err_move(err, &s->err);
    for (size_t i = 0; i < s->n; i++) {
        int r = resolve_stubs(s, s->v[i], err);
        if (r)
            return r;
    }
    struct walk w = {.err = err};
    w.order = ck_arena_alloc(s->a, (s->n + 1) * sizeof(struct ck_task *));
    w.path = ck_arena_alloc(s->a, (s->n + 1) * sizeof(struct ck_task *));
    w.colour = ck_arena_alloc(s->a, s->n + 1);
    for (size_t i = 0; i < s->n; i++) {
        int r = visit(&w, s->v[i]);
        if (r)
            return r;
    }
    *ret_order = w.order;
    return 0;
}

void ck_extras_add(struct ck_extras *x, const struct ck_task_kind *kind, const char *name,
                   const char *id, bool at_once)
{
    if (x->n == x->cap) {
        size_t cap = x->cap ? x->cap * 2 : 16;
        struct ck_extra *v = ck_arena_alloc(x->a, cap * sizeof *v);
        if (x->n)
            memcpy(v, x->v, x->n * sizeof *v);
        x->v = v;
        x->cap = cap;
    }
    x->v[x->n++] = (struct ck_extra){kind, ck_arena_strdup(x->a, name),
                                     ck_arena_strdup(x->a, id ? id : ""), at_once};
}
