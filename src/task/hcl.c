/* The text of a Terraform module, as kOps lays it out.
 *
 * Blocks and attributes are sorted; `=` of neighbouring one-line attributes are aligned.
 * Source: shared facts update-cluster-aws.md §22; kOps
 * upup/pkg/fi/cloudup/terraform/{hcl2,target_hcl2}.go. */
#include "task/tf.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void indent(struct ck_buf *out, unsigned depth)
{
    ck_buf_fill(out, ' ', depth * 2);
}

static int by_key(const void *x, const void *y)
{
    const struct ck_tf_attr *const *a = x, *const *b = y;
    int c = strcmp((*a)->key, (*b)->key);
    /* Repeated blocks keep their order: they lie in one array. */
    return c ? c : (*a > *b) - (*a < *b);
}

static int by_slice(const void *x, const void *y)
{
    const struct ck_pair *const *a = x, *const *b = y;
    return ck_slice_cmp((*a)->key, (*b)->key);
}

static void put_escaped(struct ck_buf *out, struct ck_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"' || s.ptr[i] == '\\')
            ck_buf_putc(out, '\\');
        ck_buf_putc(out, s.ptr[i]);
    }
}

/* Inside ${…} and %{…} quotes are Terraform's. */
void ck_hcl_quote(struct ck_buf *out, const char *s)
{
    bool escaped = false; /* by the backslash before */
    int depth = 0;        /* of braces inside a template */
    ck_buf_putc(out, '"');
    for (const char *p = s; *p; p++) {
        depth += *p == '{' && (depth || (p > s && (p[-1] == '$' || p[-1] == '%')));
        depth -= *p == '}' && depth;
        if (*p == '"' && !escaped && !depth)
            ck_buf_putc(out, '\\');
        escaped = *p == '\\' && !escaped;
        if (*p == '\n')
            ck_buf_puts(out, "\\n");
        else
            ck_buf_putc(out, *p);
    }
    ck_buf_puts(out, escaped ? "\\\"" : "\"");
}

static size_t escaped_len(struct ck_slice s)
{
    size_t n = s.len;
    for (size_t i = 0; i < s.len; i++)
        n += s.ptr[i] == '"' || s.ptr[i] == '\\';
    return n;
}

static void put_map(struct ck_buf *out, const struct ck_tf_attr *at, unsigned depth)
{
    size_t n = ck_len(at->map), widest = 0;
    const struct ck_pair **v = ck_xcalloc(n + 1, sizeof *v);
    for (size_t i = 0; i < n; i++) {
        v[i] = &at->map->map.v[i];
        size_t len = escaped_len(v[i]->key);
        widest = len > widest ? len : widest;
    }
    qsort(v, n, sizeof *v, by_slice);
    indent(out, depth);
    ck_buf_fmt(out, "%s = {\n", at->key);
    for (size_t i = 0; i < n; i++) {
        indent(out, depth + 1);
        ck_buf_putc(out, '"');
        put_escaped(out, v[i]->key);
        ck_buf_putc(out, '"');
        ck_buf_fill(out, ' ', widest - escaped_len(v[i]->key));
        ck_buf_puts(out, " = ");
        ck_hcl_quote(out, ck_str_or(v[i]->val, ""));
        ck_buf_putc(out, '\n');
    }
    indent(out, depth);
    ck_buf_puts(out, "}\n");
    free(v);
}

static void put_body(struct ck_buf *out, const struct ck_tf_block *b, unsigned depth);

/* A run of one-line attributes from i on, aligned to its longest key; returns the end of the run.
 */
static size_t put_run(struct ck_buf *out, struct ck_tf_attr **v, size_t i, size_t n, unsigned depth)
{
    size_t end = i, widest = 0;
    for (; end < n && v[end]->kind == CK_TF_EXPR; end++) {
        size_t len = strlen(v[end]->key);
        widest = len > widest ? len : widest;
    }
    for (; i < end; i++) {
        indent(out, depth);
        ck_buf_puts(out, v[i]->key);
        ck_buf_fill(out, ' ', widest - strlen(v[i]->key));
        ck_buf_fmt(out, " = %s\n", v[i]->text);
    }
    return end;
}

static void put_body(struct ck_buf *out, const struct ck_tf_block *b, unsigned depth)
{
    struct ck_tf_attr **v = ck_xcalloc(b->n + 1, sizeof(struct ck_tf_attr *));
    for (size_t i = 0; i < b->n; i++)
        v[i] = &b->v[i];
    qsort(v, b->n, sizeof *v, by_key);
    for (size_t i = 0; i < b->n;) {
        if (v[i]->kind == CK_TF_EXPR) {
            i = put_run(out, v, i, b->n, depth);
            continue;
        }
        if (v[i]->kind == CK_TF_MAP) {
            put_map(out, v[i], depth);
        } else {
            indent(out, depth);
            ck_buf_fmt(out, "%s {\n", v[i]->key);
            put_body(out, v[i]->block, depth + 1);
            indent(out, depth);
            ck_buf_puts(out, "}\n");
        }
        i++;
    }
    free(v);
}

static int by_block(const void *x, const void *y)
{
    const struct ck_tf_block *const *a = x, *const *b = y;
    int c = strcmp((*a)->type, (*b)->type);
    return c ? c : strcmp((*a)->name, (*b)->name);
}

static void put_blocks(struct ck_buf *out, const char *word, const struct ck_tf_blocks *blocks)
{
    if (!blocks->n)
        return;
    struct ck_tf_block **v = ck_xcalloc(blocks->n, sizeof(struct ck_tf_block *));
    memcpy(v, blocks->v, blocks->n * sizeof(struct ck_tf_block *));
    qsort(v, blocks->n, sizeof *v, by_block);
    for (size_t i = 0; i < blocks->n; i++) {
        ck_buf_fmt(out, "%s \"%s\" \"%s\" {\n", word, v[i]->type, v[i]->name);
        put_body(out, v[i], 1);
        ck_buf_puts(out, "}\n\n");
    }
    free(v);
}

static int by_output(const void *x, const void *y)
{
    const struct ck_tf_output *const *a = x, *const *b = y;
    return strcmp((*a)->name, (*b)->name);
}

static void put_output_value(struct ck_buf *out, const struct ck_tf_output *o)
{
    if (!o->list) {
        ck_buf_puts(out, o->text[0]);
        return;
    }
    qsort(o->text, o->n, sizeof *o->text, ck_text_cmp);
    ck_buf_putc(out, '[');
    for (size_t i = 0; i < o->n; i++)
        ck_buf_fmt(out, "%s%s", i ? ", " : "", o->text[i]);
    ck_buf_putc(out, ']');
}

static void put_outputs(struct ck_buf *out, const struct ck_tf *tf)
{
    if (!tf->n_outputs)
        return;
    const struct ck_tf_output **v = ck_xcalloc(tf->n_outputs, sizeof *v);
    size_t widest = 0;
    for (size_t i = 0; i < tf->n_outputs; i++) {
        v[i] = &tf->outputs[i];
        size_t len = strlen(v[i]->name);
        widest = len > widest ? len : widest;
    }
    qsort(v, tf->n_outputs, sizeof *v, by_output);
    ck_buf_puts(out, "locals {\n");
    for (size_t i = 0; i < tf->n_outputs; i++) {
        ck_buf_fmt(out, "  %s", v[i]->name);
        ck_buf_fill(out, ' ', widest - strlen(v[i]->name));
        ck_buf_puts(out, " = ");
        put_output_value(out, v[i]);
        ck_buf_putc(out, '\n');
    }
    ck_buf_puts(out, "}\n\n");
    for (size_t i = 0; i < tf->n_outputs; i++) {
        ck_buf_fmt(out, "output \"%s\" {\n  value = ", v[i]->name);
        put_output_value(out, v[i]);
        ck_buf_puts(out, "\n}\n\n");
    }
    free(v);
}

static void put_provider(struct ck_buf *out, const struct ck_tf *tf, const char *region,
                         const char *alias, const struct ck_val *extra)
{
    struct ck_tf copy = {.a = tf->a};
    struct ck_tf_block b = {.tf = &copy};
    if (alias)
        ck_tf_str(&b, "alias", alias);
    ck_tf_str(&b, "region", region);
    for (size_t i = 0; i < ck_len(extra); i++)
        ck_tf_str(&b, extra->map.v[i].key.ptr, ck_str_or(extra->map.v[i].val, ""));
    ck_buf_puts(out, "provider \"aws\" {\n");
    put_body(out, &b, 1);
    ck_buf_puts(out, "}\n\n");
}

void ck_tf_hcl(const struct ck_tf *tf, struct ck_buf *out)
{
    put_outputs(out, tf);
    put_provider(out, tf, tf->region, NULL, tf->provider_extra);
    if (tf->files_region)
        put_provider(out, tf, tf->files_region, "files", tf->files_provider_extra);
    put_blocks(out, "resource", &tf->resources);
    put_blocks(out, "data", &tf->data);
    ck_buf_puts(out, "terraform {\n  required_version = \">= 0.15.0\"\n  required_providers {\n"
                     "    aws = {\n");
    if (tf->files_region)
        ck_buf_puts(out, "      \"configuration_aliases\" = [aws.files]\n"
                         "      \"source\"                = \"hashicorp/aws\"\n"
                         "      \"version\"               = \">= 5.0.0\"\n");
    else
        ck_buf_puts(out, "      \"source\"  = \"hashicorp/aws\"\n"
                         "      \"version\" = \">= 5.0.0\"\n");
    ck_buf_puts(out, "    }\n  }\n}\n");
}
