/* Output shared by the `get` commands: formats, tables, lists of objects. */
#pragma once

#include "cmd/cmd.h"
#include "ui/table.h"

/* Every options struct of a `get` command starts with this: -o is inherited. */
struct ck_get_opts {
    const char *output;
};

enum ck_get_format { CK_GET_TABLE, CK_GET_YAML, CK_GET_JSON, CK_GET_UNKNOWN };
enum ck_get_format ck_get_format_of(const char *text);
/* `unknown output format: "x"` */
int ck_get_bad_format(const char *text, struct ck_err *err);

/* Objects printed one after the other: YAML with "---" between, JSON alone or as an array. */
struct ck_get_list {
    struct ck_ctx *ctx;
    enum ck_get_format format;
    bool single; /* JSON: one bare object */
    size_t n;
};
void ck_get_list_put(struct ck_get_list *l, const struct ck_object *o);
/* Closes the array. An empty array is printed as [] only when `empty_too`. */
void ck_get_list_end(struct ck_get_list *l, bool empty_too);

struct ck_table *ck_get_cluster_table(void);
void ck_get_cluster_row(struct ck_arena *a, struct ck_table *t, const struct ck_object *cluster);
struct ck_table *ck_get_ig_table(void);
void ck_get_ig_row(struct ck_arena *a, struct ck_table *t, const struct ck_object *cluster,
                   const struct ck_object *ig);
struct ck_table *ck_get_addon_table(void);
void ck_get_addon_row(struct ck_table *t, const struct ck_object *addon);
/* Print and free. */
void ck_get_table_end(struct ck_ctx *ctx, struct ck_table *t);
