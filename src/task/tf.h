/* A Terraform module in memory: blocks, outputs, files. Task kinds render into it; target/ writes
 * it.
 *
 * Names are sanitised here, values are quoted here: a kind says what, never how it is spelt.
 * Source: shared facts update-cluster-aws.md §22-24; kOps upup/pkg/fi/cloudup/terraform*. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "doc/val.h"
#include "task/task.h"

enum ck_tf_attr_kind { CK_TF_EXPR, CK_TF_MAP, CK_TF_BLOCK };

struct ck_tf_attr {
    const char *key;
    enum ck_tf_attr_kind kind;
    const char *text;          /* EXPR: as written after "=" */
    const struct ck_val *map;  /* MAP: string → string, written with quoted keys */
    struct ck_tf_block *block; /* BLOCK */
};

struct ck_tf_block {
    const char *type, *name; /* of a resource or data block; sanitised */
    struct ck_tf *tf;
    struct ck_tf_attr *v;
    size_t n, cap;
};

struct ck_tf_blocks {
    struct ck_tf_block **v;
    size_t n, cap;
};

struct ck_tf_output {
    const char *name;
    bool list;
    const char **text; /* expressions; exactly one unless it is a list */
    size_t n, cap;
};

struct ck_tf_file {
    const char *name; /* below the module's folder: "data/…" */
    struct ck_slice bytes;
};

struct ck_tf {
    struct ck_arena *a;
    const char *region;
    const char *files_region; /* of the bucket; NULL: no file is rendered to a store */
    struct ck_tf_blocks resources, data;
    struct ck_tf_output *outputs;
    size_t n_outputs, cap_outputs;
    struct ck_tf_file *files;
    size_t n_files, cap_files;
    const struct ck_val *provider_extra, *files_provider_extra;
    /* Where a store location lies as an object: bucket, key and region. UNSUPPORTED where the kind
     * of store cannot be rendered. */
    int (*object_of)(void *arg, const char *location, const char **ret_bucket, const char **ret_key,
                     const char **ret_region, struct ck_err *err);
    void *arg;
    const struct ck_task *unknown; /* of the user's, referred to without an id; NULL: none */
};

void ck_tf_init(struct ck_tf *tf, struct ck_arena *a);
void ck_tf_done(struct ck_tf *tf);

/* A new resource or data block; the name is sanitised. */
struct ck_tf_block *ck_tf_resource(struct ck_tf *tf, const char *type, const char *name);
struct ck_tf_block *ck_tf_data(struct ck_tf *tf, const char *type, const char *name);

/* Attributes. NULL strings, maps and lists are left out. */
void ck_tf_str(struct ck_tf_block *b, const char *key, const char *s);
void ck_tf_int(struct ck_tf_block *b, const char *key, int64_t i);
void ck_tf_bool(struct ck_tf_block *b, const char *key, bool v);
void ck_tf_expr(struct ck_tf_block *b, const char *key, const char *expr);
void ck_tf_strs(struct ck_tf_block *b, const char *key, const struct ck_val *list);
/* A list of expressions; nothing when n is 0. */
void ck_tf_exprs(struct ck_tf_block *b, const char *key, const char *const *expr, size_t n);
void ck_tf_map(struct ck_tf_block *b, const char *key, const struct ck_val *map);
struct ck_tf_block *ck_tf_nested(struct ck_tf_block *b, const char *key);
/* A file below data/ named after the *unsanitised* name, and a reference to it. */
void ck_tf_file(struct ck_tf_block *b, const char *key, const char *raw_name, const char *attr,
                struct ck_slice bytes);
void ck_tf_file_base64(struct ck_tf_block *b, const char *key, const char *raw_name,
                       const char *attr, struct ck_slice bytes);

/* Copy fields whose presence decides: nothing when the task's field is unset. */
void ck_tf_field(struct ck_tf_block *b, const char *key, const struct ck_task *t,
                 const char *field);

/* The expression by which the kind of `t` wants to be named; `"name"` when it has none. */
const char *ck_tf_task(struct ck_tf *tf, const struct ck_task *t);
/* Attributes that name the task of a REF field, or the tasks of a REFS field (sorted when asked);
 * nothing when the field is unset. */
void ck_tf_ref(struct ck_tf_block *b, const char *key, const struct ck_task *t, const char *field);
void ck_tf_refs(struct ck_tf_block *b, const char *key, const struct ck_task *t, const char *field,
                bool sorted);
/* "type.name.attr" with the name sanitised; in the module's arena. */
const char *ck_tf_link(struct ck_tf *tf, const char *type, const char *name, const char *attr);
const char *ck_tf_quote(struct ck_tf *tf, const char *s); /* in the arena */
/* "s" as an HCL text. kOps escapes nothing, so that what users wrote for Terraform (\" and ${…})
 * reaches it. So it does here, but a quote, a line break or a last backslash with which the text
 * would end elsewhere is escaped. */
void ck_hcl_quote(struct ck_buf *out, const char *s);
const char *ck_tf_sanitize(struct ck_arena *a, const char *name);

void ck_tf_output(struct ck_tf *tf, const char *name, const char *expr);
/* Add to an output that is a list; sorted and without duplicates when written. */
void ck_tf_output_add(struct ck_tf *tf, const char *name, const char *expr);

/* The text of kubernetes.tf. */
void ck_tf_hcl(const struct ck_tf *tf, struct ck_buf *out);
