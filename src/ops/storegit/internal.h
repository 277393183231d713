/* Shared between the files of this folder. */
#pragma once

#include "ops/storegit/storegit.h"

/* Run git in the tree with the words of `args` (ended by NULL) and `input`, and add what it prints
 * to *out (may be NULL). Another status than 0 is an error with git's message; with `ret_status`, 1
 * is an answer, too. */
int ck_git(const struct ck_storegit *g, const char *const *args, struct ck_slice input,
           struct ck_buf *out, int *ret_status, struct ck_err *err);
/* The first line that it prints, in the arena; "" for status 1. */
int ck_git_line(const struct ck_storegit *g, const char *const *args, const char **ret,
                struct ck_err *err);
/* The files of a commit ("" gives none) that belong to the export. */
int ck_git_tree(const struct ck_storegit *g, const char *commit, struct ck_journal_view *ret,
                struct ck_err *err);
/* Read what store and tree agreed on last, each cluster's from the newest export it was in. */
int ck_storegit_agreed(struct ck_storegit *g, struct ck_err *err);
/* Whether the export has this path; its cluster and the rest. */
bool ck_storegit_wants(const struct ck_storegit *g, const char *path, const char **ret_cluster,
                       const char **ret_rest);
