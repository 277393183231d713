/* Floating-point numbers as Go's strconv.FormatFloat prints them. */
#pragma once

#include "base/buf.h"

/* The fewest digits that read back as the same number of `bits` (32 or 64) bits. An exponent
 * appears as encoding/json has it when `json` (below 1e-6, from 1e21), else as format 'g' does
 * (below 1e-4, from 1e+06). */
void ck_gofloat_put(struct ck_buf *out, double f, int bits, bool json);
