/* The run's part in the journal of its store. */
#pragma once

#include "cmd/cmd.h"

struct ck_journal_who;

/* The user's name, the machine's, and the command line without anything that may be a secret:
 * values of options are left out unless they are names and places. In the context's arena. */
const char *ck_ctx_login(struct ck_ctx *ctx);
const char *ck_ctx_host(struct ck_ctx *ctx);
const char *ck_ctx_command(struct ck_ctx *ctx);
void ck_ctx_who(struct ck_ctx *ctx, struct ck_journal_who *ret);

void ck_ctx_journal_start(struct ck_ctx *ctx); /* the store is open */
/* Write what was noted so far: for commands that go on to read the journal. */
int ck_ctx_journal_flush(struct ck_ctx *ctx, struct ck_err *err);
/* The same at the end. Errors as of ck_journal_flush(). */
int ck_ctx_journal_end(struct ck_ctx *ctx, struct ck_err *err);
