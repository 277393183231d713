/* What `store export` and `store import` share. */
#pragma once

#include "cmd/cmd.h"
#include "ops/storegit/storegit.h"

/* The names of what changes, and "N files WHAT". */
int ck_git_print(struct ck_ctx *ctx, const struct ck_journal_changes *changes, const char *what);
/* The clusters of the command line: arguments, else --name. */
void ck_git_clusters(struct ck_ctx *ctx, int argc, char **argv, struct ck_strv *ret);
