/* `edit cluster` and `edit instancegroup`: what both share. */
#pragma once

#include "cmd/cmd.h"
#include "ops/edit.h"

struct ck_edit_opts {
    struct ck_strv set, unset;
};
extern const struct ck_opt ck_edit_options[];

/* Apply --set and --unset when given, else run the editor until the text is good, unchanged or
 * given up; store the result. `noun` is kOps' word in "error parsing <noun>: …". */
int ck_edit_run(struct ck_ctx *ctx, const struct ck_edit *e, const struct ck_edit_opts *o,
                const char *noun, struct ck_err *err);
