/* YAML in and out with the meaning and the bytes of kOps' library (sigs.k8s.io/yaml over go-yaml
 * v2).
 *
 * libyaml does the syntax; this module adds go-yaml's resolution of plain scalars, its quoting and
 * key order, and limits. Source: shared facts api-objects.md §2, go-yaml v2 resolve.go and
 * encode.go. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "doc/val.h"

struct ck_yaml_limits {
    size_t bytes;   /* of input; default 16 MiB */
    unsigned depth; /* of nesting; default 100 */
    size_t nodes;   /* of the tree after alias expansion; default 1,000,000 */
};

struct ck_yaml_opts {
    struct ck_yaml_limits limits; /* zero members mean the defaults */
    bool strict;                  /* duplicate keys are errors (position in the message) */
    unsigned line_offset; /* added to every line: the document is a section of a larger file */
};

/* Read the first document of `text`. An empty document gives CK_NULL.
 *
 * Map keys become strings as kOps' YAML→JSON step makes them (`y: 1` has the key "true"). Without
 * `strict` the last duplicate wins. opts may be NULL.
 * Errors: INVALID with go-yaml's text ("yaml: line 4: did not find expected key"); LIMIT.
 * err's position, when known, is in *ret_at (may be NULL). */
int ck_yaml_parse(struct ck_arena *a, struct ck_slice text, const struct ck_yaml_opts *opts,
                  struct ck_val **ret, struct ck_pos *ret_at, struct ck_err *err);

/* Append v as kOps prints it: sorted keys, 2 spaces, lists at the parent's column, folding at 80,
 * final newline, no document markers. */
void ck_yaml_emit(struct ck_buf *out, const struct ck_val *v);
