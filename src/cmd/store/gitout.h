/* What `store export` and `store import` share. */
#pragma once

#include "cmd/cmd.h"
#include "ops/storegit/storegit.h"

/* The names of what changes, and "N files WHAT". */
int ck_git_print(struct ck_ctx *ctx, const struct ck_journal_changes *changes, const char *what);
