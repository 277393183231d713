/* The run's part in the journal of its store. */
#pragma once

#include "cmd/cmd.h"

struct ck_journal_who;

/* The name of the effective user id, or its number. USER and LOGNAME say nothing: `su` and
 * containers leave those of somebody else. In the context's arena, as all of these. */
const char *ck_ctx_login(struct ck_ctx *ctx);
/* Who is at work, for locks and the journal: CKOPS_USER where it is set, for users that share a
 * login, as jobs of a CI system do; else the login. Without control characters. */
const char *ck_ctx_user(struct ck_ctx *ctx);
/* The machine's name; the command line without anything that may be a secret: values of options
 * are left out unless they are names and places. */
const char *ck_ctx_host(struct ck_ctx *ctx);
const char *ck_ctx_command(struct ck_ctx *ctx);
void ck_ctx_who(struct ck_ctx *ctx, struct ck_journal_who *ret);

void ck_ctx_journal_start(struct ck_ctx *ctx); /* the store is open */
/* Write what was noted so far: for commands that go on to read the journal. */
int ck_ctx_journal_flush(struct ck_ctx *ctx, struct ck_err *err);
/* The same at the end. Errors as of ck_journal_flush(). */
int ck_ctx_journal_end(struct ck_ctx *ctx, struct ck_err *err);
