/* Locks of clusters around a run: what the options, the store and the user's tokens ask for.
 * Internal to cmd/. */
#pragma once

#include "cmd/cmd.h"

/* Watch the changes of the store that has just been opened. INVALID: --lock-lease or --lock-timeout
 * is out of bounds. */
int ck_locking_start(struct ck_ctx *ctx, struct ck_err *err);
/* Give back what this run has taken; what cannot be given back is a warning. */
void ck_locking_end(struct ck_ctx *ctx);

/* What the options of this run ask of a locker; `wanted` and `cluster` are the caller's. Errors as
 * of ck_locking_start(). */
int ck_locking_locker_opts(struct ck_ctx *ctx, struct ck_locker_opts *ret, struct ck_err *err);
/* For ck_locker_end(): warns. */
void ck_locking_not_released(const struct ck_lock *l, const struct ck_err *why);

/* The options of a lock for this run: who, how long, what to say while waiting. */
int ck_locking_opts(struct ck_ctx *ctx, bool by_hand, struct ck_lock_opts *ret, struct ck_err *err);
/* Where tokens of locks by hand are kept; NULL when the user has no home. In ctx->arena. */
const char *ck_locking_token_dir(struct ck_ctx *ctx);
/* The same where it is needed: INVALID when there is none. */
int ck_locking_need_token_dir(struct ck_ctx *ctx, const char **ret, struct ck_err *err);
/* The process's environment with these tokens in place of its own; for a program to be started. */
char **ck_locking_environment(struct ck_arena *a, const char *tokens);

#define CK_LOCKING_TOKEN_VAR "CKOPS_LOCK_TOKEN"
