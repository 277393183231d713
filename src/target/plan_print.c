/* Plans as text, in kOps' layout, and as JSON.
 *
 * Mirrors kOps upup/pkg/fi/dryrun_target.go. */
#include "target/plan.h"

#include "base/mem.h"
#include "doc/json.h"
#include "doc/textdiff.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_WIDTH = 20 };

static void put_val(struct ck_buf *out, const struct ck_val *v, enum ck_field_type type);

static void put_map(struct ck_buf *out, const struct ck_val *map)
{
    size_t n = ck_len(map);
    const struct ck_pair **v = ck_xcalloc(n + 1, sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = &map->map.v[i];
    qsort(v, n, sizeof *v, ck_pair_cmp);
    ck_buf_putc(out, '{');
    for (size_t i = 0; i < n; i++) {
        ck_buf_fmt(out, "%s%.*s: ", i ? ", " : "", CK_SARG(v[i]->key));
        put_val(out, v[i]->val, CK_FIELD_STR);
    }
    ck_buf_putc(out, '}');
    free(v);
}

static void put_val(struct ck_buf *out, const struct ck_val *v, enum ck_field_type type)
{
    if (v->kind == CK_STR) {
        ck_buf_put(out, v->s);
    } else if (v->kind == CK_LIST && type != CK_FIELD_VAL) {
        ck_buf_putc(out, '[');
        for (size_t i = 0; i < ck_len(v); i++) {
            ck_buf_puts(out, i ? ", " : "");
            put_val(out, ck_item(v, i), CK_FIELD_STR);
        }
        ck_buf_putc(out, ']');
    } else if (v->kind == CK_MAP && type == CK_FIELD_MAP) {
        put_map(out, v);
    } else {
        ck_json_emit(out, v, (struct ck_json_style){.order = CK_JSON_AS_IS});
    }
}

static void put_ref(struct ck_buf *out, const struct ck_task *t)
{
    ck_buf_fmt(out, "name:%s", t->name);
    if (t->kind->id_is_name)
        ck_buf_fmt(out, " id:%s", t->name);
}

static void put_field(struct ck_buf *out, const struct ck_task_field *f,
                      const struct ck_task_value *v)
{
    if (!v->set)
        return;
    if (f->type == CK_FIELD_REF) {
        if (v->n_refs)
            put_ref(out, v->refs[0]);
    } else if (f->type == CK_FIELD_REFS) {
        ck_buf_putc(out, '[');
        for (size_t i = 0; i < v->n_refs; i++) {
            ck_buf_puts(out, i ? ", " : "");
            put_ref(out, v->refs[i]);
        }
        ck_buf_putc(out, ']');
    } else if (v->val) {
        put_val(out, v->val, f->type);
    }
}

static bool shown(const struct ck_task_field *f, const struct ck_task_value *v)
{
    if (!v->set || (f->flags & CK_FIELD_HIDDEN) || f->type == CK_FIELD_BYTES)
        return false;
    if (!(f->flags & CK_FIELD_ZERO_OFF) || !v->val)
        return true;
    return !(v->val->kind == CK_BOOL && !v->val->b) && !(v->val->kind == CK_STR && !v->val->s.len);
}

static void put_name(struct ck_buf *out, const char *name)
{
    ck_buf_fmt(out, "  \t%-*s\t", NAME_WIDTH, name);
}

static void put_created(struct ck_buf *out, const struct ck_task *t)
{
    const struct ck_task_field *f = t->kind->fields;
    ck_buf_fmt(out, "  %s/%s\n", t->kind->name, t->name);
    for (size_t i = 0; f[i].name; i++) {
        if (!shown(&f[i], &t->v[i]))
            continue;
        put_name(out, f[i].name);
        put_field(out, &f[i], &t->v[i]);
        ck_buf_putc(out, '\n');
    }
    ck_buf_putc(out, '\n');
}

/* A changed document: its line differences, indented as kOps indents them. */
static void put_lines(struct ck_buf *out, struct ck_slice from, struct ck_slice to)
{
    CK_AUTOBUF struct ck_buf diff = CK_BUF_INIT;
    ck_text_diff(&diff, from, to, (struct ck_diff_style){.context = 2});
    struct ck_slice rest = ck_buf_slice(&diff), line;
    ck_buf_putc(out, '\n');
    while (ck_slice_next(&rest, '\n', &line))
        if (line.len || rest.len)
            ck_buf_fmt(out, "  \t%-*s\t%.*s\n", NAME_WIDTH, "", CK_SARG(line));
}

static void put_modified(struct ck_buf *out, const struct ck_plan_item *item)
{
    const struct ck_task *t = item->task;
    const struct ck_task_field *f = t->kind->fields;
    ck_buf_fmt(out, "  %s/%s\n", t->kind->name, t->name);
    for (size_t i = 0; i < ck_len(item->changes); i++) {
        const struct ck_val *c = ck_item(item->changes, i);
        put_name(out, ck_str_at(c, "name"));
        ck_buf_fmt(out, " %s -> %s\n", ck_str_at(c, "from"), ck_str_at(c, "to"));
    }
    for (size_t i = 0; item->changed && f[i].name; i++) {
        if (!item->changed[i])
            continue;
        put_name(out, f[i].name);
        if (f[i].type == CK_FIELD_BYTES) {
            put_lines(out, item->actual->v[i].bytes, t->v[i].bytes);
            continue;
        }
        ck_buf_putc(out, ' ');
        put_field(out, &f[i], &item->actual->v[i]);
        ck_buf_puts(out, " -> ");
        put_field(out, &f[i], &t->v[i]);
        ck_buf_putc(out, '\n');
    }
    ck_buf_putc(out, '\n');
}

static void put_section(const struct ck_plan *p, enum ck_plan_action action, const char *title,
                        const char *colour, struct ck_buf *out)
{
    bool any = false;
    for (size_t i = 0; i < p->n; i++) {
        if (p->v[i].action != action)
            continue;
        if (!any)
            ck_buf_fmt(out, "%s%s%s\n", colour, title, *colour ? "\033[0m" : "");
        any = true;
        if (action == CK_PLAN_CREATE)
            put_created(out, p->v[i].task);
        else
            put_modified(out, &p->v[i]);
    }
}

static void put_deleted(const struct ck_plan *p, bool at_once, bool prune, const char *title,
                        const char *colour, struct ck_buf *out)
{
    bool any = false;
    for (size_t i = 0; i < p->removed.n; i++) {
        const struct ck_extra *x = &p->removed.v[i];
        if ((x->at_once || prune) != at_once)
            continue;
        if (!any)
            ck_buf_fmt(out, "%s%s%s\n", colour, title, *colour ? "\033[0m" : "");
        any = true;
        ck_buf_fmt(out, "  %-*s %s", NAME_WIDTH, x->kind->name, x->name);
        if (*x->id)
            ck_buf_fmt(out, " (%s)", x->id);
        ck_buf_putc(out, '\n');
    }
    if (any)
        ck_buf_putc(out, '\n');
}

void ck_plan_print(const struct ck_plan *p, bool prune, bool colour, struct ck_buf *out)
{
    const char *red = colour ? "\033[31m" : "";
    put_section(p, CK_PLAN_CREATE, "Will create resources:", colour ? "\033[32m" : "", out);
    put_section(p, CK_PLAN_MODIFY, "Will modify resources:", colour ? "\033[33m" : "", out);
    put_deleted(p, false, prune,
                "Items will be deleted only when the --prune flag is specified:", red, out);
    put_deleted(p, true, prune, "Items will be deleted during update:", red, out);
}

/* ---- JSON ---- */

static struct ck_val *field_json(struct ck_arena *a, const struct ck_task_field *f,
                                 const struct ck_task_value *v)
{
    if (!v->set)
        return ck_null(a);
    if (f->type == CK_FIELD_REF)
        return v->n_refs ? ck_str(a, v->refs[0]->name) : ck_null(a);
    if (f->type == CK_FIELD_REFS) {
        struct ck_val *list = ck_list(a);
        for (size_t i = 0; i < v->n_refs; i++)
            ck_append_str(a, list, v->refs[i]->name);
        return list;
    }
    return v->val ? ck_val_clone(a, v->val) : ck_null(a);
}

static struct ck_val *item_json(struct ck_arena *a, const struct ck_plan_item *item)
{
    const struct ck_task *t = item->task;
    const struct ck_task_field *f = t->kind->fields;
    struct ck_val *o = ck_map(a), *fields = ck_map(a), *changes = ck_list(a);
    ck_set_str(a, o, "kind", t->kind->name);
    ck_set_str(a, o, "name", t->name);
    for (size_t i = 0; f[i].name; i++) {
        if (item->action == CK_PLAN_CREATE && shown(&f[i], &t->v[i]))
            ck_set(a, fields, f[i].name, field_json(a, &f[i], &t->v[i]));
        if (!item->changed || !item->changed[i])
            continue;
        struct ck_val *c = ck_map(a);
        ck_set_str(a, c, "field", f[i].name);
        if (f[i].type != CK_FIELD_BYTES) {
            ck_set(a, c, "from", field_json(a, &f[i], &item->actual->v[i]));
            ck_set(a, c, "to", field_json(a, &f[i], &t->v[i]));
        }
        ck_append(a, changes, c);
    }
    for (size_t i = 0; i < ck_len(item->changes); i++) {
        struct ck_val *c = ck_val_clone(a, ck_item(item->changes, i));
        ck_set(a, c, "field", ck_get(c, "name"));
        ck_unset(c, "name");
        ck_append(a, changes, c);
    }
    if (item->action == CK_PLAN_CREATE)
        ck_set(a, o, "fields", fields);
    else
        ck_set(a, o, "changes", changes);
    return o;
}

struct ck_val *ck_plan_val(struct ck_arena *a, const struct ck_plan *p)
{
    struct ck_val *root = ck_map(a), *created = ck_list(a), *modified = ck_list(a);
    for (size_t i = 0; i < p->n; i++)
        ck_append(a, p->v[i].action == CK_PLAN_CREATE ? created : modified, item_json(a, &p->v[i]));
    struct ck_val *removed = ck_list(a);
    for (size_t i = 0; i < p->removed.n; i++) {
        const struct ck_extra *x = &p->removed.v[i];
        struct ck_val *o = ck_map(a);
        ck_set_str(a, o, "kind", x->kind->name);
        ck_set_str(a, o, "name", x->name);
        if (*x->id)
            ck_set_str(a, o, "id", x->id);
        ck_set_bool(a, o, "deferred", !x->at_once);
        ck_append(a, removed, o);
    }
    ck_set(a, root, "create", created);
    ck_set(a, root, "modify", modified);
    ck_set(a, root, "delete", removed);
    ck_set(a, root, "warnings", p->warnings);
    return root;
}

void ck_plan_json(struct ck_arena *a, const struct ck_plan *p, struct ck_buf *out)
{
    ck_json_emit(out, ck_plan_val(a, p),
                 (struct ck_json_style){.order = CK_JSON_AS_IS, .indent = 2});
    ck_buf_putc(out, '\n');
}
