/* A layer in memory over every store of a context: reads see what was written to the layer, and
 * nothing is ever written beneath it. What plans and reviews work on. */
#pragma once

#include "vfs/vfs.h"

/* From now on every location parsed in this context is read through a layer. Locations parsed
 * before are not. */
void ck_vfs_overlay_start(struct ck_vfs_ctx *ctx);
/* The layered container over `base`; itself when the context has no layer. For ck_vfs_parse. */
struct ck_vfs *ck_vfs_overlay_of(struct ck_vfs_ctx *ctx, struct ck_vfs *base);
