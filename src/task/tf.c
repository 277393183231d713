/* Terraform modules in memory.
 *
 * Keeps blocks in the order made; hcl.c sorts. Mirrors kOps upup/pkg/fi/cloudup/terraform/target.go
 * and terraformWriter/literal.go. */
#include "task/tf.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void ck_tf_init(struct ck_tf *tf, struct ck_arena *a)
{
    *tf = (struct ck_tf){.a = a};
}

void ck_tf_done(struct ck_tf *tf)
{
    *tf = (struct ck_tf){0};
}

static void *more(struct ck_arena *a, void *v, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return v;
    *cap = *cap ? *cap * 2 : 8;
    void *p = ck_arena_alloc(a, *cap * size);
    if (n)
        memcpy(p, v, n * size);
    return p;
}

const char *ck_tf_sanitize(struct ck_arena *a, const char *name)
{
    CK_AUTOBUF struct ck_buf b = CK_BUF_INIT;
    if (isdigit((unsigned char)*name))
        ck_buf_puts(&b, "prefix_");
    for (; *name; name++) {
        if (*name == '.')
            ck_buf_putc(&b, '-');
        else if (*name == '/')
            ck_buf_puts(&b, "--");
        else
            ck_buf_putc(&b, *name == ':' ? '_' : *name);
    }
    return ck_arena_strdup(a, ck_buf_str(&b));
}

static struct ck_tf_block *new_block(struct ck_tf *tf, struct ck_tf_blocks *list, const char *type,
                                     const char *name)
{
    struct ck_tf_block *b = ck_arena_alloc(tf->a, sizeof *b);
    *b = (struct ck_tf_block){.tf = tf, .type = type};
    b->name = name ? ck_tf_sanitize(tf->a, name) : NULL;
    if (list) {
        list->v = more(tf->a, list->v, list->n, &list->cap, sizeof(struct ck_tf_block *));
        list->v[list->n++] = b;
    }
    return b;
}

struct ck_tf_block *ck_tf_resource(struct ck_tf *tf, const char *type, const char *name)
{
    return new_block(tf, &tf->resources, type, name);
}

struct ck_tf_block *ck_tf_data(struct ck_tf *tf, const char *type, const char *name)
{
    return new_block(tf, &tf->data, type, name);
}

static struct ck_tf_attr *attr(struct ck_tf_block *b, const char *key, enum ck_tf_attr_kind kind)
{
    b->v = more(b->tf->a, b->v, b->n, &b->cap, sizeof *b->v);
    b->v[b->n] = (struct ck_tf_attr){.key = ck_arena_strdup(b->tf->a, key), .kind = kind};
    return &b->v[b->n++];
}

void ck_tf_expr(struct ck_tf_block *b, const char *key, const char *expr)
{
    if (expr)
        attr(b, key, CK_TF_EXPR)->text = ck_arena_strdup(b->tf->a, expr);
}

/* kOps writes strings as they are: an interpolation in a user's text stays one. */
const char *ck_tf_quote(struct ck_tf *tf, const char *s)
{
    CK_AUTOBUF struct ck_buf out = CK_BUF_INIT;
    ck_hcl_quote(&out, s);
    return ck_arena_strdup(tf->a, ck_buf_str(&out));
}

void ck_tf_str(struct ck_tf_block *b, const char *key, const char *s)
{
    if (s)
        ck_tf_expr(b, key, ck_tf_quote(b->tf, s));
}

void ck_tf_int(struct ck_tf_block *b, const char *key, int64_t i)
{
    ck_tf_expr(b, key, ck_arena_printf(b->tf->a, "%" PRId64, i));
}

void ck_tf_bool(struct ck_tf_block *b, const char *key, bool v)
{
    ck_tf_expr(b, key, v ? "true" : "false");
}

void ck_tf_exprs(struct ck_tf_block *b, const char *key, const char *const *expr, size_t n)
{
    if (!n)
        return;
    CK_AUTOBUF struct ck_buf text = CK_BUF_INIT;
    ck_buf_putc(&text, '[');
    for (size_t i = 0; i < n; i++)
        ck_buf_fmt(&text, "%s%s", i ? ", " : "", expr[i]);
    ck_buf_putc(&text, ']');
    ck_tf_expr(b, key, ck_buf_str(&text));
}

void ck_tf_strs(struct ck_tf_block *b, const char *key, const struct ck_val *list)
{
    size_t n = ck_len(list);
    const char **v = ck_arena_alloc(b->tf->a, (n + 1) * sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = ck_tf_quote(b->tf, ck_str_or(ck_item(list, i), ""));
    ck_tf_exprs(b, key, v, n);
}

void ck_tf_map(struct ck_tf_block *b, const char *key, const struct ck_val *map)
{
    if (ck_len(map))
        attr(b, key, CK_TF_MAP)->map = map;
}

struct ck_tf_block *ck_tf_nested(struct ck_tf_block *b, const char *key)
{
    struct ck_tf_block *inner = new_block(b->tf, NULL, NULL, NULL);
    attr(b, key, CK_TF_BLOCK)->block = inner;
    return inner;
}

static const char *add_file(struct ck_tf_block *b, const char *raw_name, const char *attr_name,
                            struct ck_slice bytes)
{
    struct ck_tf *tf = b->tf;
    const char *name = ck_arena_printf(tf->a, "data/%s_%s_%s", b->type, raw_name, attr_name);
    tf->files = more(tf->a, tf->files, tf->n_files, &tf->cap_files, sizeof *tf->files);
    tf->files[tf->n_files++] = (struct ck_tf_file){name, ck_arena_slice(tf->a, bytes)};
    return name;
}

void ck_tf_file(struct ck_tf_block *b, const char *key, const char *raw_name, const char *attr_name,
                struct ck_slice bytes)
{
    const char *name = add_file(b, raw_name, attr_name, bytes);
    ck_tf_expr(b, key, ck_arena_printf(b->tf->a, "file(\"${path.module}/%s\")", name));
}

void ck_tf_file_base64(struct ck_tf_block *b, const char *key, const char *raw_name,
                       const char *attr_name, struct ck_slice bytes)
{
    const char *name = add_file(b, raw_name, attr_name, bytes);
    ck_tf_expr(b, key, ck_arena_printf(b->tf->a, "filebase64(\"${path.module}/%s\")", name));
}

void ck_tf_field(struct ck_tf_block *b, const char *key, const struct ck_task *t, const char *field)
{
    const struct ck_val *v = ck_task_get(t, field);
    if (!v)
        return;
    if (v->kind == CK_STR)
        ck_tf_str(b, key, ck_str_or(v, ""));
    else if (v->kind == CK_INT)
        ck_tf_int(b, key, v->i);
    else if (v->kind == CK_BOOL)
        ck_tf_bool(b, key, v->b);
    else if (v->kind == CK_LIST)
        ck_tf_strs(b, key, v);
    else if (v->kind == CK_MAP)
        ck_tf_map(b, key, v);
}

const char *ck_tf_link(struct ck_tf *tf, const char *type, const char *name, const char *attr_name)
{
    return ck_arena_printf(tf->a, "%s.%s.%s", type, ck_tf_sanitize(tf->a, name), attr_name);
}

static struct ck_tf_output *output(struct ck_tf *tf, const char *name)
{
    for (size_t i = 0; i < tf->n_outputs; i++)
        if (!strcmp(tf->outputs[i].name, name))
            return &tf->outputs[i];
    tf->outputs = more(tf->a, tf->outputs, tf->n_outputs, &tf->cap_outputs, sizeof *tf->outputs);
    tf->outputs[tf->n_outputs] = (struct ck_tf_output){.name = ck_arena_strdup(tf->a, name)};
    return &tf->outputs[tf->n_outputs++];
}

static void output_put(struct ck_tf *tf, struct ck_tf_output *o, const char *expr)
{
    o->text = more(tf->a, o->text, o->n, &o->cap, sizeof *o->text);
    o->text[o->n++] = ck_arena_strdup(tf->a, expr);
}

void ck_tf_output(struct ck_tf *tf, const char *name, const char *expr)
{
    struct ck_tf_output *o = output(tf, name);
    o->n = 0;
    output_put(tf, o, expr);
}

void ck_tf_output_add(struct ck_tf *tf, const char *name, const char *expr)
{
    struct ck_tf_output *o = output(tf, name);
    o->list = true;
    for (size_t i = 0; i < o->n; i++)
        if (!strcmp(o->text[i], expr))
            return;
    output_put(tf, o, expr);
}

const char *ck_tf_task(struct ck_tf *tf, const struct ck_task *t)
{
    return t->kind->link ? t->kind->link(tf, t) : ck_tf_quote(tf, t->name);
}

void ck_tf_ref(struct ck_tf_block *b, const char *key, const struct ck_task *t, const char *field)
{
    const struct ck_task *other = ck_task_get_ref(t, field);
    if (other)
        ck_tf_expr(b, key, ck_tf_task(b->tf, other));
}

void ck_tf_refs(struct ck_tf_block *b, const char *key, const struct ck_task *t, const char *field,
                bool sorted)
{
    const struct ck_task_value *v = ck_task_value(t, field);
    const char **text = ck_arena_alloc(b->tf->a, (v->n_refs + 1) * sizeof *text);
    for (size_t i = 0; i < v->n_refs; i++)
        text[i] = ck_tf_task(b->tf, v->refs[i]);
    if (sorted)
        qsort(text, v->n_refs, sizeof *text, ck_text_cmp);
    ck_tf_exprs(b, key, text, v->n_refs);
}
