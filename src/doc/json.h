/* JSON in (jansson) and out (Go's encoding/json bytes). */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "doc/val.h"

/* Read one JSON value; at most max_bytes, 100 levels and 2,000,000 values within. Integers are
 * exact. Errors: INVALID ("line 1, column 7: …"), LIMIT. */
int ck_json_parse(struct ck_arena *a, struct ck_slice text, size_t max_bytes, struct ck_val **ret,
                  struct ck_err *err);

enum ck_json_order {
    CK_JSON_AS_IS,  /* maps in insertion order (Go structs: declaration order) */
    CK_JSON_SORTED, /* maps by key bytes (Go maps) */
};

struct ck_json_style {
    enum ck_json_order order;
    unsigned indent; /* spaces per level; 0: compact */
    bool raw_html;   /* leave < > & as they are; otherwise \u003c as Go does */
};

/* Append v; no final newline. Floats as Go prints them (shortest, 'f' or 'e'). */
void ck_json_emit(struct ck_buf *out, const struct ck_val *v, struct ck_json_style style);
/* Append one JSON string with its quotes, escaped as Go does. */
void ck_json_string(struct ck_buf *out, struct ck_slice s, bool raw_html);
/* Append a float as Go's encoding/json prints float64. */
void ck_json_float(struct ck_buf *out, double f);
