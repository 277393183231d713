/* Reading back a Terraform module that ckops (or kOps) wrote: enough of HCL for that. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "doc/val.h"

/* {"resource": {"TYPE.NAME": BODY}, "data": …}; a BODY maps keys to expression texts as written, to
 * maps of such texts, or, for nested blocks, to lists of bodies. Other top-level blocks are left
 * out. Depth is limited to 16. Errors: INVALID `line N: …`. */
int ck_hcl_read(struct ck_arena *a, struct ck_slice text, struct ck_val **ret, struct ck_err *err);
