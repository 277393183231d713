/* Shared by the files of this folder. */
#pragma once

#include "ops/storelock/lock.h"

/* What a lock object holds. */
void ck_lock_encode(struct ck_buf *out, const struct ck_lock_info *i);
/* SHA-256 of a token in hex, in the arena. */
const char *ck_lock_digest(struct ck_arena *a, const char *token);
