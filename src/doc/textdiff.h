/* Line differences as kOps prints them in edit and dry-run reports. */
#pragma once

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>

struct ck_diff_style {
    unsigned context; /* unchanged lines around a change; kOps uses 2 */
    bool color;       /* ANSI red and green */
};

/* Append the difference: "  " common, "- " only in a, "+ " only in b, "..." for gaps, a newline per
 * line; in a change the lines of b come first. Nothing is appended for equal texts. A newline at
 * the end matters only when one text has it. Returns true when the texts differ. Time grows with
 * size times number of differences, up to 2,000 of them; beyond, all between the first and the last
 * difference is shown as changed. */
bool ck_text_diff(struct ck_buf *out, struct ck_slice a, struct ck_slice b,
                  struct ck_diff_style style);
