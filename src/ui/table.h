/* Tables as kOps prints them: tab-aligned cells of width 8n, rows sorted by their columns. */
#pragma once

#include "base/buf.h"
#include "base/slice.h"

#include <stddef.h>

struct ck_table;

/* `columns` header names; borrowed until the table is freed. */
struct ck_table *ck_table_new(const char *const *columns, size_t n);
/* Append a row of n cells; copied. */
void ck_table_row(struct ck_table *t, const char *const *cells);
/* Header and sorted rows (cli.md Appendix B.1). */
void ck_table_render(struct ck_table *t, struct ck_buf *out);
void ck_table_free(struct ck_table *t);
/* Go text/tabwriter alone (minimum width 0, tab width 8, padding 1, tabs), for lines whose cells
 * end in TAB; used by tests against reference tables. */
void ck_tabwriter(struct ck_buf *out, struct ck_slice text);
