/* Go templates, as far as cluster templates need them: text/template's actions, its functions, and
 * sprig's common ones. Deterministic: nothing asks the clock, the environment or chance.
 *
 * Values are the value trees of doc/val.h. Source: the documentation of Go's text/template and of
 * sprig; kOps pkg/util/templater. */
#pragma once

#include "base/buf.h"
#include "doc/val.h"
#include "spec/channel.h"

struct ck_snippet {
    const char *name;
    struct ck_slice text;
};

struct ck_template_opts {
    const char *name; /* of the template, for messages and `template`; kOps says mainTemplate */
    const struct ck_snippet *snippets;
    size_t n_snippets;
    bool missing_is_zero; /* a missing key is "<no value>" instead of an error */
};

/* Render `text` with `data` as the dot, appending to *out.
 * Errors: INVALID with Go's texts ("template: NAME:3:8: …"); LIMIT (16 MiB of output, 128
 * MiB of memory, 100 nested templates, 5 million steps). */
int ck_template_render(struct ck_arena *a, struct ck_slice text, const struct ck_val *data,
                       const struct ck_template_opts *o, struct ck_buf *out, struct ck_err *err);

/* "a.b=1,c[0]=x,d={p,q}" into *map, as Helm's --set reads it; `as_text`: no value becomes a number,
 * boolean or null. Errors: INVALID naming the place. (setvalues.c) */
int ck_template_set(struct ck_arena *a, struct ck_val *map, const char *text, bool as_text,
                    struct ck_err *err);
/* A value as templates print it: Go's %v. (print.c) */
void ck_template_print(struct ck_buf *out, const struct ck_val *v);
